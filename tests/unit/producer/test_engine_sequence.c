/*
 * test_engine_sequence.c - producer id, epoch and sequence: gaps, drains, new stamps, wrap, exhaustion.
 */
#include "engine_fixture.h"

/* n batches of one record each under way in the one partition of "events", their requests held. */
static fx *in_flight(int n)
{
	kp_engine_config config = fx_config();
	config.batch_size = 1000;
	fx *f = fx_with_topic(&config, 1);
	f->hold = true;
	for (int i = 0; i < n; i++)
		fx_send(f, "events", 0, NULL, 900);
	fx_run(f);
	assert_int_equal(fx_n_held(f), n < 5 ? n : 5);
	return f;
}

static const kp_batch_header *header_of(fx *f, int request)
{
	assert_true(request < f->n_requests);
	return &f->requests[request].parts[0].header;
}

/* Answer 0 to what comes until nothing comes any more. */
static void answer_all(fx *f)
{
	for (int i = 0; i < 50; i++) {
		fx_advance(f, 2 * FX_SECOND);
		if (!fx_held(f, 0))
			return;
		fx_answer(f, fx_held(f, 0), 0);
	}
	fail_msg("it never ends");
}

static void engine_stamps_what_was_proven_rejected_anew_after_a_gap(void **state)
{
	(void)state;
	fx *f = in_flight(4);
	fx_answer(f, fx_held(f, 0), KP_ERR_MESSAGE_TOO_LARGE); /* this one is lost: those behind it have a gap in front */
	fx_run(f);
	fx_check(f, 1, KP_NOT_PERSISTED, KP_ERR_MESSAGE_TOO_LARGE);
	fx_answer(f, fx_held(f, 0), KP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER);
	fx_send(f, "events", 0, NULL, 900);
	fx_run(f);
	assert_int_equal(f->n_requests, 4); /* nothing leaves while it drains */
	fx_answer(f, fx_held(f, 0), KP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER);
	fx_answer(f, fx_held(f, 0), KP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER);
	fx_run(f);
	assert_int_equal(f->n_requests, 5); /* the first of a new stamp goes alone */
	assert_int_equal(header_of(f, 4)->producer_epoch, 1);
	assert_int_equal(header_of(f, 4)->base_sequence, 0);
	assert_int_equal(header_of(f, 4)->producer_id, header_of(f, 0)->producer_id);
	answer_all(f);
	fx_check_log(f, "events", 0, (int[]){2, 3, 4, 5}, 4);
	for (int i = 2; i <= 5; i++)
		fx_check(f, i, KP_PERSISTED, 0);
	assert_int_equal(f->n_id, 0); /* the epoch is bumped here, nobody is asked */
	fx_free(f);
}

/* Two batches are in the log without us knowing, one was refused for sure: only that one may be stamped anew. */
static void engine_reports_what_is_open_as_unknown_after_a_gap(void **state)
{
	(void)state;
	fx *f = in_flight(3);
	fx_append(f, fx_held(f, 0));
	fx_break(f, 1, KP_ERR_TRANSPORT); /* all three are of open fate now */
	for (int i = 0; i < 3; i++)
		f->requests[i].is_answered = true;
	fx_advance(f, FX_SECOND);
	assert_int_equal(fx_n_held(f), 1); /* one after another until they are through */
	fx_answer(f, fx_held(f, 0), KP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER);
	fx_advance(f, FX_SECOND);
	for (int i = 1; i <= 3; i++)
		fx_check(f, i, KP_UNKNOWN, i == 1 ? KP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER : KP_ERR_TRANSPORT);
	int next = fx_send(f, "events", 0, NULL, 10);
	answer_all(f);
	assert_int_equal(header_of(f, f->n_requests - 1)->producer_epoch, 1);
	assert_int_equal(header_of(f, f->n_requests - 1)->base_sequence, 0);
	fx_check(f, next, KP_PERSISTED, 0);
	fx_check_log(f, "events", 0, (int[]){1, next}, 2);
	fx_free(f);
}

static void engine_retries_out_of_order_as_it_is_while_an_earlier_batch_is_unresolved(void **state)
{
	(void)state;
	fx *f = in_flight(3);
	fx_answer(f, fx_held(f, 0), KP_ERR_NOT_ENOUGH_REPLICAS);
	fx_answer(f, fx_held(f, 0), KP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER);
	fx_answer(f, fx_held(f, 0), KP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER);
	answer_all(f);
	assert_int_equal(f->n_requests, 6);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(header_of(f, 3 + i)->base_sequence, 1 + i);
		assert_int_equal(header_of(f, 3 + i)->producer_epoch, 0);
		assert_memory_equal(f->requests[i].parts[0].bytes, f->requests[3 + i].parts[0].bytes, f->requests[i].parts[0].len);
	}
	fx_check_log(f, "events", 0, (int[]){1, 2, 3}, 3);
	fx_free(f);
}

/*
 * Two connections: the next leader refused the second batch before the first one's request, late at its own node, was carried out. The
 * answers come the other way round.
 */
static void engine_retries_out_of_order_as_it_is_when_the_earlier_batch_was_acknowledged_by_another_node_meanwhile(void **state)
{
	(void)state;
	fx *f = in_flight(1);
	f->topics[0].leader[0] = 2;
	f->topics[0].leader_epoch[0]++;
	kp_metadata_stale(f->engine, kp_engine_topic(f->engine, "events"));
	fx_advance(f, FX_SECOND);
	fx_send(f, "events", 0, NULL, 900);
	fx_advance(f, FX_SECOND);
	assert_int_equal(f->n_requests, 2);
	assert_int_equal(f->requests[1].place, 2);
	fx_answer(f, &f->requests[0], 0);
	fx_answer(f, &f->requests[1], KP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER);
	answer_all(f);
	assert_int_equal(f->n_requests, 3);
	assert_memory_equal(f->requests[1].parts[0].bytes, f->requests[2].parts[0].bytes, f->requests[1].parts[0].len);
	fx_check_log(f, "events", 0, (int[]){1, 2}, 2);
	fx_free(f);
}

static void engine_drains_before_it_goes_on_when_the_first_answer_shows_the_gap(void **state)
{
	(void)state;
	fx *f = in_flight(4);
	fx_answer(f, fx_held(f, 0), KP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER);
	fx_run(f);
	assert_int_equal(f->n_requests, 4);
	fx_answer(f, fx_held(f, 0), KP_ERR_NOT_ENOUGH_REPLICAS); /* proven rejected, too */
	fx_answer(f, fx_held(f, 0), KP_ERR_REQUEST_TIMED_OUT);   /* open */
	fx_run(f);
	assert_int_equal(f->n_requests, 4);
	fx_answer(f, fx_held(f, 0), KP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER);
	answer_all(f);
	fx_check(f, 1, KP_PERSISTED, 0);
	fx_check(f, 2, KP_PERSISTED, 0);
	fx_check(f, 3, KP_UNKNOWN, KP_ERR_REQUEST_TIMED_OUT);
	fx_check(f, 4, KP_PERSISTED, 0);
	fx_check_log(f, "events", 0, (int[]){1, 2, 4}, 3);
	for (int i = 4; i < f->n_requests; i++) {
		assert_int_equal(header_of(f, i)->producer_epoch, 1);
		assert_int_equal(header_of(f, i)->base_sequence, i - 4);
	}
	fx_free(f);
}

/* An answer 0 that arrives while the partition drains is as good as any. */
static void engine_takes_successes_while_it_drains(void **state)
{
	(void)state;
	fx *f = in_flight(2);
	fx_answer(f, fx_held(f, 0), KP_ERR_UNKNOWN_PRODUCER_ID);
	fx_answer(f, fx_held(f, 0), 0);
	answer_all(f);
	fx_check(f, 1, KP_PERSISTED, 0);
	fx_check(f, 2, KP_PERSISTED, 0);
	assert_int_equal(f->n_requests, 3);
	fx_free(f);
}

static void engine_takes_duplicate_sequence_for_persisted(void **state)
{
	(void)state;
	fx *f = in_flight(2);
	fx_answer(f, fx_held(f, 0), KP_ERR_DUPLICATE_SEQUENCE_NUMBER);
	fx_answer(f, fx_held(f, 0), 0);
	fx_run(f);
	fx_check(f, 1, KP_PERSISTED, 0);
	assert_int_equal(fx_report_of(f, 1)->offset, -1);
	fx_check(f, 2, KP_PERSISTED, 0);
	fx_free(f);
}

static void engine_uses_the_sequences_of_a_rejected_last_batch_again(void **state)
{
	(void)state;
	fx *f = in_flight(2);
	fx_answer(f, fx_held(f, 0), 0);
	fx_answer(f, fx_held(f, 0), KP_ERR_MESSAGE_TOO_LARGE);
	fx_send(f, "events", 0, NULL, 10);
	fx_run(f);
	assert_int_equal(header_of(f, 2)->base_sequence, 2);
	assert_int_equal(header_of(f, 2)->producer_epoch, 0);
	answer_all(f);
	fx_check_log(f, "events", 0, (int[]){1, 3}, 2);
	fx_free(f);
}

/* What was reported in flight may be in the log: its sequences are gone. */
static void engine_keeps_the_sequences_of_what_was_given_up_in_flight(void **state)
{
	(void)state;
	fx *f = in_flight(2);
	kp_engine_purge(f->engine, KP_PURGE_IN_FLIGHT, KP_ERR_PURGED, f->now_us);
	fx_run(f);
	fx_check(f, 1, KP_UNKNOWN, KP_ERR_PURGED);
	fx_check(f, 2, KP_UNKNOWN, KP_ERR_PURGED);
	fx_send(f, "events", 0, NULL, 10);
	fx_run(f);
	assert_int_equal(header_of(f, 2)->base_sequence, 3);
	fx_answer(f, fx_held(f, 0), 0);
	fx_answer(f, fx_held(f, 0), KP_ERR_MESSAGE_TOO_LARGE); /* number 2 after all: the third finds a gap */
	fx_answer(f, fx_held(f, 0), KP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER);
	answer_all(f);
	fx_check(f, 3, KP_PERSISTED, 0);
	assert_int_equal(header_of(f, 3)->producer_epoch, 1);
	fx_free(f);
}

static void engine_sequences_wrap_to_zero(void **state)
{
	(void)state;
	kp_engine_config config = fx_config();
	config.linger_us = 10 * FX_MS;
	fx *f = fx_with_topic(&config, 1);
	fx_partition(f, "events", 0)->loop.next_sequence = INT32_MAX - 1;
	static const int32_t expected[] = {INT32_MAX - 1, 1, 4};
	for (int i = 0; i < 3; i++) {
		for (int k = 0; k < 3; k++)
			fx_send(f, "events", 0, NULL, 10);
		fx_advance(f, 10 * FX_MS);
		assert_int_equal(header_of(f, i)->base_sequence, expected[i]);
		assert_int_equal(header_of(f, i)->n_records, 3);
	}
	fx_free(f);
}

static void engine_takes_a_sequence_back_over_the_wrap(void **state)
{
	(void)state;
	fx *f = fx_with_topic(NULL, 1);
	fx_partition(f, "events", 0)->loop.next_sequence = INT32_MAX;
	f->codes[0] = KP_ERR_MESSAGE_TOO_LARGE;
	f->n_codes = 1;
	fx_send(f, "events", 0, NULL, 10);
	fx_run(f);
	fx_send(f, "events", 0, NULL, 10);
	fx_run(f);
	assert_int_equal(header_of(f, 0)->base_sequence, INT32_MAX);
	assert_int_equal(header_of(f, 1)->base_sequence, INT32_MAX);
	fx_free(f);
}

static void engine_asks_for_a_new_id_when_the_epochs_are_used_up(void **state)
{
	(void)state;
	fx *f = fx_with_topic(NULL, 2);
	fx_partition(f, "events", 0)->loop.producer_epoch = INT16_MAX;
	f->codes[0] = KP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER;
	f->n_codes = 1;
	int number = fx_send(f, "events", 0, NULL, 10);
	fx_advance(f, FX_SECOND);
	assert_int_equal(f->n_id, 1);
	fx_check(f, number, KP_PERSISTED, 0);
	assert_int_equal(header_of(f, 0)->producer_epoch, INT16_MAX);
	assert_int_equal(header_of(f, 1)->producer_id, 5001);
	assert_int_equal(header_of(f, 1)->producer_epoch, 0);
	assert_int_equal(header_of(f, 1)->base_sequence, 0);
	fx_send(f, "events", 1, NULL, 10); /* the other partition's stamp is as good as before */
	fx_run(f);
	assert_int_equal(header_of(f, 2)->producer_id, 5000);
	assert_int_equal(header_of(f, 2)->base_sequence, 1);
	assert_int_equal(f->n_id, 1);
	fx_free(f);
}

static void engine_uses_the_last_epoch_before_it_asks_for_a_new_id(void **state)
{
	(void)state;
	fx *f = fx_with_topic(NULL, 1);
	fx_partition(f, "events", 0)->loop.producer_epoch = INT16_MAX - 1;
	f->codes[0] = f->codes[1] = KP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER;
	f->n_codes = 2;
	int number = fx_send(f, "events", 0, NULL, 10);
	fx_advance(f, FX_SECOND);
	fx_check(f, number, KP_PERSISTED, 0);
	assert_int_equal(header_of(f, 1)->producer_id, 5000);
	assert_int_equal(header_of(f, 1)->producer_epoch, INT16_MAX);
	assert_int_equal(header_of(f, 2)->producer_id, 5001);
	assert_int_equal(header_of(f, 2)->producer_epoch, 0);
	assert_int_equal(f->n_id, 1);
	fx_free(f);
}

/* A record that was refused for its stamp waits for the new id, and those behind it do, no longer than their time. */
static void engine_ends_records_in_time_when_no_id_comes_for_used_up_epochs(void **state)
{
	(void)state;
	kp_engine_config config = fx_config();
	config.delivery_timeout_us = 5 * FX_SECOND;
	fx *f = fx_with_topic(&config, 1);
	fx_partition(f, "events", 0)->loop.producer_epoch = INT16_MAX;
	f->id_is_mute = true;
	f->codes[0] = KP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER;
	f->n_codes = 1;
	int first = fx_send(f, "events", 0, NULL, 10);
	fx_run(f);
	int second = fx_send(f, "events", 0, NULL, 10);
	fx_advance(f, 5 * FX_SECOND);
	for (int i = first; i <= second; i++) {
		fx_check(f, i, KP_NOT_PERSISTED, KP_ERR_DELIVERY_TIMEOUT);
		assert_int_equal(fx_report_of(f, i)->stage, KP_STAGE_QUEUED);
		assert_non_null(strstr(fx_report_of(f, i)->cause, "waiting for a producer id: "));
	}
	assert_int_equal(f->n_requests, 1);
	fx_free(f);
}

static void engine_asks_for_a_new_id_when_somebody_else_moved_its_epoch(void **state)
{
	(void)state;
	fx *f = in_flight(1);
	fx_answer(f, fx_held(f, 0), KP_ERR_INVALID_PRODUCER_EPOCH);
	answer_all(f);
	assert_int_equal(f->n_id, 1);
	assert_int_equal(header_of(f, 1)->producer_id, 5001);
	fx_check(f, 1, KP_PERSISTED, 0);
	fx_free(f);
}

static void engine_waits_for_a_producer_id_that_is_refused_then_granted(void **state)
{
	(void)state;
	fx *f = fx_new(NULL);
	fx_add_topic(f, "events", 1);
	f->id_error = KP_ERR_CLUSTER_AUTHORIZATION_FAILED;
	assert_true(fx_start(f));
	int number = fx_send(f, "events", 0, NULL, 10);
	fx_advance(f, 10 * FX_SECOND);
	assert_in_range(f->n_id, 8, 16); /* with a pause that grows */
	assert_true(f->n_errors > 0);
	assert_int_equal(f->last_error, KP_ERR_CLUSTER_AUTHORIZATION_FAILED);
	assert_int_equal(f->n_requests, 0);
	f->id_error = 0;
	fx_advance(f, 2 * FX_SECOND);
	fx_check(f, number, KP_PERSISTED, 0);
	fx_free(f);
}

static void engine_ends_records_in_time_when_no_producer_id_comes(void **state)
{
	(void)state;
	for (int is_mute = 0; is_mute < 2; is_mute++) {
		kp_engine_config config = fx_config();
		config.delivery_timeout_us = 5 * FX_SECOND;
		fx *f = fx_new(&config);
		fx_add_topic(f, "events", 1);
		f->id_is_mute = is_mute;
		f->id_error = is_mute ? 0 : KP_ERR_COORDINATOR_NOT_AVAILABLE;
		assert_true(fx_start(f));
		int number = fx_send(f, "events", 0, NULL, 10);
		fx_advance(f, 5 * FX_SECOND);
		fx_check(f, number, KP_NOT_PERSISTED, KP_ERR_DELIVERY_TIMEOUT);
		assert_int_equal(f->n_errors, 0); /* it may come yet */
		fx_free(f);
	}
}

/* The batch is taken up and finds no id in the very turn in which nothing older is left to wake for. Seed 802199 of the simulator. */
static void engine_ends_a_lone_record_in_time_that_comes_due_while_the_id_is_asked_for(void **state)
{
	(void)state;
	kp_engine_config config = fx_config();
	config.delivery_timeout_us = 5 * FX_SECOND;
	config.linger_us = FX_SECOND;
	fx *f = fx_new(&config);
	fx_add_topic(f, "events", 2);
	f->id_is_mute = true;
	assert_true(fx_start(f));
	int first = fx_send(f, "events", 0, NULL, 10);
	fx_advance(f, 5500 * FX_MS);
	fx_check(f, first, KP_NOT_PERSISTED, KP_ERR_DELIVERY_TIMEOUT);
	int64_t sent_us = f->now_us;
	int number = fx_send(f, "events", 1, NULL, 10);
	fx_advance(f, 9 * FX_SECOND);
	fx_check(f, number, KP_NOT_PERSISTED, KP_ERR_DELIVERY_TIMEOUT);
	assert_int_equal(f->reports[number].at_us, sent_us + 5 * FX_SECOND);
	fx_free(f);
}

/* A broker that has forgotten an idle producer takes any sequence: were the first batch refused, the second would be taken before it. */
static void engine_sends_one_batch_at_a_time_after_a_long_pause(void **state)
{
	(void)state;
	kp_engine_config config = fx_config();
	config.delivery_timeout_us = 5 * FX_SECOND;
	fx *f = fx_new(&config);
	fx_add_topic(f, "events", 1);
	assert_true(fx_start(f));
	fx_send(f, "events", 0, NULL, 10);
	fx_run(f);
	assert_int_equal(f->n_requests, 1);
	for (int pause_s = 4; pause_s <= 6; pause_s += 2) {
		int n = f->n_requests;
		fx_advance(f, (int64_t)pause_s * FX_SECOND);
		f->hold = true;
		for (int i = 0; i < 3; i++) {
			fx_send(f, "events", 0, NULL, 10);
			fx_advance(f, 100 * FX_MS);
		}
		assert_int_equal(f->n_requests - n, pause_s < 5 ? 3 : 1);
		answer_all(f);
		f->hold = false;
	}
	fx_free(f);
}

static void engine_starts_with_the_epoch_it_is_given(void **state)
{
	(void)state;
	fx *f = fx_new(NULL);
	fx_add_topic(f, "events", 1);
	f->first_epoch = 7;
	assert_true(fx_start(f));
	fx_send(f, "events", 0, NULL, 10);
	fx_run(f);
	assert_int_equal(header_of(f, 0)->producer_epoch, 7);
	fx_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(engine_stamps_what_was_proven_rejected_anew_after_a_gap),
		cmocka_unit_test(engine_reports_what_is_open_as_unknown_after_a_gap),
		cmocka_unit_test(engine_retries_out_of_order_as_it_is_while_an_earlier_batch_is_unresolved),
		cmocka_unit_test(
			engine_retries_out_of_order_as_it_is_when_the_earlier_batch_was_acknowledged_by_another_node_meanwhile),
		cmocka_unit_test(engine_drains_before_it_goes_on_when_the_first_answer_shows_the_gap),
		cmocka_unit_test(engine_takes_successes_while_it_drains),
		cmocka_unit_test(engine_takes_duplicate_sequence_for_persisted),
		cmocka_unit_test(engine_uses_the_sequences_of_a_rejected_last_batch_again),
		cmocka_unit_test(engine_keeps_the_sequences_of_what_was_given_up_in_flight),
		cmocka_unit_test(engine_sequences_wrap_to_zero),
		cmocka_unit_test(engine_takes_a_sequence_back_over_the_wrap),
		cmocka_unit_test(engine_asks_for_a_new_id_when_the_epochs_are_used_up),
		cmocka_unit_test(engine_uses_the_last_epoch_before_it_asks_for_a_new_id),
		cmocka_unit_test(engine_ends_records_in_time_when_no_id_comes_for_used_up_epochs),
		cmocka_unit_test(engine_asks_for_a_new_id_when_somebody_else_moved_its_epoch),
		cmocka_unit_test(engine_waits_for_a_producer_id_that_is_refused_then_granted),
		cmocka_unit_test(engine_ends_records_in_time_when_no_producer_id_comes),
		cmocka_unit_test(engine_ends_a_lone_record_in_time_that_comes_due_while_the_id_is_asked_for),
		cmocka_unit_test(engine_sends_one_batch_at_a_time_after_a_long_pause),
		cmocka_unit_test(engine_starts_with_the_epoch_it_is_given),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
