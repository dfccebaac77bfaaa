/*
 * test_engine_answers.c - what else answers say: words, culprits, nodes; and answers that make no sense.
 */
#include "engine_fixture.h"

#include "base/bytes.h"

/* A topic of one partition, its requests held, and one record under way. */
static fx *one_in_flight(const kp_engine_config *config)
{
	fx *f = fx_with_topic(config, 1);
	f->hold = true;
	assert_int_equal(fx_send(f, "events", 0, NULL, 100), 1);
	fx_run(f);
	assert_int_equal(fx_n_held(f), 1);
	return f;
}

static void engine_treats_a_partition_that_the_answer_leaves_out_as_open(void **state)
{
	(void)state;
	fx *f = fx_with_topic(NULL, 2);
	f->hold = true;
	for (int32_t i = 0; i < 2; i++)
		fx_send(f, "events", i, NULL, 10);
	fx_run(f);
	fx_reply_each(f, fx_held(f, 0), (fx_reply[]){{0}, {.is_left_out = true}});
	fx_run(f);
	fx_check(f, 1, KP_PERSISTED, 0);
	fx_check(f, 2, KP_UNKNOWN, KP_ERR_PROTOCOL);
	fx_free(f);
}

static void engine_treats_an_unreadable_answer_as_open(void **state)
{
	(void)state;
	fx *f = one_in_flight(NULL);
	uint8_t garbage[] = {0, 0, 0, 9, 0, 0, 0, 0, 0, 0x7f, 1, 2, 3};
	kp_store_be32(garbage + 4, (uint32_t)fx_held(f, 0)->correlation_id);
	fx_held(f, 0)->is_answered = true;
	kp_engine_on_data(f->engine, f->requests[0].conn, garbage, sizeof(garbage), f->now_us);
	fx_run(f);
	fx_check(f, 1, KP_UNKNOWN, KP_ERR_PROTOCOL);
	fx_free(f);
}

static void engine_keeps_the_brokers_words(void **state)
{
	(void)state;
	fx *f = one_in_flight(NULL);
	f->hold_ended = true;
	fx_reply_each(f, fx_held(f, 0), &(fx_reply){.error = KP_ERR_INVALID_RECORD, .message = "no key in a compacted topic"});
	fx_run(f);
	kp_batch *b = kp_engine_next_ended(f->engine);
	assert_non_null(b);
	assert_string_equal(b->message, "no key in a compacted topic");
	assert_int_equal(b->outcome, KP_NOT_PERSISTED);
	assert_int_equal(b->error, KP_ERR_INVALID_RECORD);
	f->reports[1].n = 1;
	kp_engine_release(f->engine, b);
	fx_free(f);
}

static void engine_names_the_culprits_of_a_refused_batch(void **state)
{
	(void)state;
	kp_engine_config config = fx_config();
	config.linger_us = 10 * FX_MS;
	fx *f = fx_with_topic(&config, 1);
	f->hold = true;
	for (int i = 0; i < 3; i++)
		fx_send(f, "events", 0, NULL, 10);
	fx_advance(f, 10 * FX_MS);
	f->hold_ended = true;
	fx_reply_each(f, fx_held(f, 0), &(fx_reply){.error = KP_ERR_INVALID_RECORD, .names_culprit = true});
	fx_run(f);
	kp_batch *b = kp_engine_next_ended(f->engine);
	assert_int_equal(b->n_records, 1);
	assert_ptr_equal(b->entries[0].opaque, (void *)2);
	assert_string_equal(b->message, "this one"); /* the batch has no words of its own */
	f->reports[2].n = 1;
	kp_engine_release(f->engine, b);
	f->hold_ended = false;
	fx_free(f);
}

/* The new leader is a node that metadata did not know: the answer describes it. */
static void engine_goes_to_a_node_that_only_the_answer_describes(void **state)
{
	(void)state;
	fx *f = one_in_flight(NULL);
	f->endpoint = 5;
	f->metadata_is_mute = true;
	fx_reply_each(f, fx_held(f, 0), &(fx_reply){.error = KP_ERR_NOT_LEADER_OR_FOLLOWER, .leader = 5, .leader_epoch = 9});
	fx_run(f);
	assert_int_equal(f->n_requests, 2);
	assert_int_equal(f->requests[1].place, 5);
	fx_answer(f, fx_held(f, 0), 0);
	fx_run(f);
	fx_check(f, 1, KP_PERSISTED, 0);
	fx_free(f);
}

static void engine_follows_a_node_that_moved(void **state)
{
	(void)state;
	fx *f = fx_with_topic(NULL, 1);
	f->places[1].is_refusing = true; /* node 1 is at place 6 now */
	fx_break(f, 1, KP_ERR_TRANSPORT);
	f->moved_to = 6;
	fx_send(f, "events", 0, NULL, 10);
	fx_advance(f, 3 * FX_SECOND);
	fx_check(f, 1, KP_PERSISTED, 0);
	assert_int_equal(f->requests[0].place, 6);
	assert_int_equal(fx_report_of(f, 1)->node, 1);
	fx_free(f);
}

/* A batch that waits to be sent again ends with its topic, too. */
static void engine_fails_what_waits_for_its_retry_when_the_topic_is_forbidden(void **state)
{
	(void)state;
	for (int maybe = 0; maybe < 2; maybe++) {
		fx *f = one_in_flight(NULL);
		f->topics[0].error = KP_ERR_TOPIC_AUTHORIZATION_FAILED;
		fx_answer(f, fx_held(f, 0), maybe ? KP_ERR_NOT_LEADER_OR_FOLLOWER : KP_ERR_CORRUPT_MESSAGE);
		kp_metadata_stale(f->engine, kp_engine_topic(f->engine, "events"));
		fx_run(f);
		fx_check(f, 1, maybe ? KP_UNKNOWN : KP_NOT_PERSISTED, KP_ERR_TOPIC_AUTHORIZATION_FAILED);
		fx_free(f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(engine_treats_a_partition_that_the_answer_leaves_out_as_open),
		cmocka_unit_test(engine_treats_an_unreadable_answer_as_open),
		cmocka_unit_test(engine_keeps_the_brokers_words),
		cmocka_unit_test(engine_names_the_culprits_of_a_refused_batch),
		cmocka_unit_test(engine_goes_to_a_node_that_only_the_answer_describes),
		cmocka_unit_test(engine_follows_a_node_that_moved),
		cmocka_unit_test(engine_fails_what_waits_for_its_retry_when_the_topic_is_forbidden),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
