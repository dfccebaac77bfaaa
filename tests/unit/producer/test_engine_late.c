/*
 * test_engine_late.c - answers that come when something else has happened meanwhile: the batch was purged, its topic created anew.
 */
#include "engine_fixture.h"

/* One record was refused once, with words, and is in flight again. */
static fx *in_flight_again(void)
{
	fx *f = fx_with_topic(NULL, 1);
	f->hold = true;
	fx_send(f, "events", 0, NULL, 10);
	fx_run(f);
	fx_reply_each(f, fx_held(f, 0), &(fx_reply){.error = KP_ERR_NOT_ENOUGH_REPLICAS, .message = "one replica is down"});
	fx_advance(f, FX_SECOND);
	assert_int_equal(fx_n_held(f), 1);
	return f;
}

/* Whoever polls reports reads the words at leisure, while the request of the batch is still under way. */
static void words_of_a_report_last_when_another_answer_comes(void **state)
{
	(void)state;
	fx *f = in_flight_again();
	f->hold_ended = true;
	kp_engine_purge(f->engine, KP_PURGE_IN_FLIGHT, KP_ERR_PURGED, f->now_us);
	kp_batch *b = kp_engine_next_ended(f->engine);
	assert_non_null(b);
	const char *words = b->message;
	fx_reply_each(f, fx_held(f, 0), &(fx_reply){.error = KP_ERR_NOT_ENOUGH_REPLICAS, .message = "two replicas are down"});
	fx_run(f);
	assert_ptr_equal(b->message, words);
	assert_string_equal(words, "one replica is down");
	assert_int_equal(b->error, KP_ERR_PURGED);
	assert_int_equal(b->outcome, KP_UNKNOWN);
	f->reports[1].n++;
	kp_engine_release(f->engine, b);
	fx_free(f);
}

static void report_without_words_gets_none_by_a_late_answer(void **state)
{
	(void)state;
	fx *f = fx_with_topic(NULL, 1);
	f->hold = f->hold_ended = true;
	fx_send(f, "events", 0, NULL, 10);
	fx_run(f);
	kp_engine_purge(f->engine, KP_PURGE_IN_FLIGHT, KP_ERR_PURGED, f->now_us);
	kp_batch *b = kp_engine_next_ended(f->engine);
	assert_non_null(b);
	fx_reply_each(f, fx_held(f, 0), &(fx_reply){.error = KP_ERR_INVALID_RECORD, .message = "no key", .names_culprit = true});
	fx_run(f);
	assert_null(b->message);
	assert_int_equal(b->n_rejected, 0);
	f->reports[1].n++;
	kp_engine_release(f->engine, b);
	fx_free(f);
}

/* ------------------------------------------------------------------ a topic that was created anew */

/* A record in flight with the topic's id; metadata gives another one meanwhile. */
static fx *in_flight_to_a_former_topic(void)
{
	fx *f = fx_with_topic(NULL, 1);
	fx_topic *t = &f->topics[0];
	f->hold = true;
	fx_send(f, "events", 0, NULL, 10);
	fx_run(f);
	t->former_id = t->id;
	memset(&t->id, 0x77, sizeof(t->id));
	kp_topic *topic = kp_engine_topic(f->engine, "events");
	kp_metadata_stale(f->engine, topic);
	fx_run(f);
	assert_memory_equal(&topic->loop.meta->id, &t->id, sizeof(t->id));
	assert_int_equal(fx_n_held(f), 1);
	return f;
}

static void answer_of_the_former_topic_persists_its_batch(void **state)
{
	(void)state;
	fx *f = in_flight_to_a_former_topic();
	fx_topic *t = &f->topics[0];
	kp_uuid id = t->id;
	t->id = t->former_id; /* it was appended before the topic was deleted */
	fx_answer(f, fx_held(f, 0), 0);
	t->id = id;
	fx_advance(f, 5 * FX_SECOND);
	fx_check(f, 1, KP_PERSISTED, 0);
	assert_int_equal(fx_report_of(f, 1)->attempts, 1);
	assert_int_equal(f->n_requests, 1);
	fx_free(f);
}

/* Its epochs are no measure for those of the new one, which start anew: metadata would not be believed any more. */
static void leader_of_the_former_topic_is_not_taken_for_the_new_ones(void **state)
{
	(void)state;
	fx *f = in_flight_to_a_former_topic();
	fx_topic *t = &f->topics[0];
	kp_uuid id = t->id;
	t->id = t->former_id;
	fx_reply_each(f, fx_held(f, 0),
	              &(fx_reply){.error = KP_ERR_NOT_LEADER_OR_FOLLOWER, .leader = 2, .leader_epoch = t->leader_epoch[0] + 9});
	t->id = id;
	f->hold = false;
	fx_advance(f, 5 * FX_SECOND);
	fx_check(f, 1, KP_PERSISTED, 0);
	assert_int_equal(f->n_requests, 2);
	assert_int_equal(f->requests[1].place, 1);
	fx_free(f);
}

static void refusal_of_the_former_topics_id_sends_the_batch_to_the_new_one(void **state)
{
	(void)state;
	fx *f = in_flight_to_a_former_topic();
	fx_answer(f, fx_held(f, 0), 0); /* the fixture refuses the former id */
	f->hold = false;
	fx_advance(f, 5 * FX_SECOND);
	fx_check(f, 1, KP_PERSISTED, 0);
	assert_int_equal(fx_report_of(f, 1)->last_error, KP_ERR_UNKNOWN_TOPIC_ID);
	assert_int_equal(fx_report_of(f, 1)->attempts, 2);
	assert_memory_equal(&f->requests[1].parts[0].id, &f->topics[0].id, sizeof(kp_uuid));
	fx_free(f);
}

/* ------------------------------------------------------------------ purge */

/*
 * The first of five batches hangs at the former leader, the new one has acknowledged the others, which wait for the first one's end:
 * the partition's window is full, and a sixth waits.
 */
static fx *hanging_behind_the_first(void)
{
	fx *f = fx_with_topic(NULL, 1);
	f->hold = true;
	fx_send(f, "events", 0, NULL, 10);
	fx_run(f);
	f->topics[0].leader[0] = 2;
	f->topics[0].leader_epoch[0]++;
	kp_metadata_stale(f->engine, kp_engine_topic(f->engine, "events"));
	fx_run(f);
	for (int i = 2; i <= 6; i++) {
		fx_send(f, "events", 0, NULL, 10);
		fx_run(f);
		if (i < 6)
			fx_answer(f, fx_held(f, 1), 0);
		fx_run(f);
	}
	assert_int_equal(fx_n_held(f), 1);
	assert_int_equal(f->n_requests, 5);
	return f;
}

static void purge_of_what_is_in_flight_lets_the_next_go_at_once(void **state)
{
	(void)state;
	fx *f = hanging_behind_the_first();
	kp_engine_purge(f->engine, KP_PURGE_IN_FLIGHT, KP_ERR_PURGED, f->now_us);
	fx_run(f);
	fx_check(f, 1, KP_UNKNOWN, KP_ERR_PURGED);
	for (int i = 2; i <= 5; i++)
		fx_check(f, i, KP_PERSISTED, 0);
	assert_int_equal(f->n_requests, 6);
	fx_answer(f, fx_held(f, 1), 0);
	fx_run(f);
	fx_check(f, 6, KP_PERSISTED, 0);
	fx_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_of_a_report_last_when_another_answer_comes),
		cmocka_unit_test(report_without_words_gets_none_by_a_late_answer),
		cmocka_unit_test(answer_of_the_former_topic_persists_its_batch),
		cmocka_unit_test(leader_of_the_former_topic_is_not_taken_for_the_new_ones),
		cmocka_unit_test(refusal_of_the_former_topics_id_sends_the_batch_to_the_new_one),
		cmocka_unit_test(purge_of_what_is_in_flight_lets_the_next_go_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
