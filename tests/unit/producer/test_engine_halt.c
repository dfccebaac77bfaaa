/*
 * test_engine_halt.c - idempotence.on.gap=halt_partition: what a partition does between a lost record and the resume.
 */
#include "engine_fixture.h"

static fx *halting(int32_t n_partitions)
{
	kp_engine_config config = fx_config();
	config.batch_size = 1000;
	config.on_gap = KP_GAP_HALT;
	fx *f = fx_with_topic(&config, n_partitions);
	f->hold = true;
	return f;
}

/* n batches of one record each for partition 0, their requests held as far as they leave. */
static fx *in_flight(int n, int32_t n_partitions)
{
	fx *f = halting(n_partitions);
	for (int i = 0; i < n; i++)
		fx_send(f, "events", 0, NULL, 900);
	fx_run(f);
	assert_int_equal(fx_n_held(f), n < 5 ? n : 5);
	return f;
}

static int resume(fx *f, int32_t partition)
{
	return kp_engine_resume(kp_engine_topic(f->engine, "events"), partition);
}

static void engine_ends_what_waits_behind_a_lost_record_and_refuses_more(void **state)
{
	(void)state;
	fx *f = in_flight(7, 1);
	fx_answer(f, fx_held(f, 0), KP_ERR_MESSAGE_TOO_LARGE);
	fx_run(f);
	fx_check(f, 1, KP_NOT_PERSISTED, KP_ERR_MESSAGE_TOO_LARGE);
	fx_check(f, 6, KP_NOT_PERSISTED, KP_ERR_PARTITION_HALTED);
	fx_check(f, 7, KP_NOT_PERSISTED, KP_ERR_PARTITION_HALTED);
	assert_non_null(strstr(fx_report_of(f, 7)->cause, "MESSAGE_TOO_LARGE"));
	assert_int_equal(fx_send(f, "events", 0, NULL, 10), KP_ERR_PARTITION_HALTED);
	while (fx_held(f, 0))
		fx_answer(f, fx_held(f, 0), KP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER);
	fx_run(f);
	for (int i = 2; i <= 5; i++)
		fx_check(f, i, KP_NOT_PERSISTED, KP_ERR_PARTITION_HALTED);
	fx_check_log(f, "events", 0, NULL, 0);
	assert_int_equal(fx_send(f, "events", 0, NULL, 10), KP_ERR_PARTITION_HALTED);
	fx_free(f);
}

static void engine_goes_on_with_a_new_epoch_after_the_resume(void **state)
{
	(void)state;
	fx *f = in_flight(2, 1);
	fx_answer(f, fx_held(f, 0), KP_ERR_MESSAGE_TOO_LARGE);
	fx_run(f);
	assert_int_equal(resume(f, 0), KP_OK);
	int next = fx_send(f, "events", 0, NULL, 10);
	assert_true(next > 0);
	fx_run(f);
	assert_int_equal(fx_n_held(f), 1); /* it waits until the one of before has ended */
	fx_answer(f, fx_held(f, 0), KP_ERR_NOT_ENOUGH_REPLICAS);
	fx_advance(f, 2 * FX_SECOND);
	fx_check(f, 2, KP_NOT_PERSISTED, KP_ERR_PARTITION_HALTED);
	fx_answer(f, fx_held(f, 0), 0);
	fx_run(f);
	fx_check(f, next, KP_PERSISTED, 0);
	fx_check_log(f, "events", 0, (int[]){next}, 1);
	assert_int_equal(f->requests[f->n_requests - 1].parts[0].header.producer_epoch, 1);
	fx_free(f);
}

static void engine_ends_what_is_in_flight_at_a_halt_as_it_is_answered(void **state)
{
	(void)state;
	fx *f = in_flight(3, 1);
	fx_answer(f, fx_held(f, 0), KP_ERR_INVALID_TIMESTAMP);
	fx_answer(f, fx_held(f, 0), 0);
	fx_answer(f, fx_held(f, 0), KP_ERR_REQUEST_TIMED_OUT); /* open */
	fx_advance(f, 2 * FX_SECOND);
	fx_check(f, 1, KP_NOT_PERSISTED, KP_ERR_INVALID_TIMESTAMP);
	fx_check(f, 2, KP_PERSISTED, 0);
	fx_check(f, 3, KP_UNKNOWN, KP_ERR_REQUEST_TIMED_OUT);
	assert_int_equal(f->n_requests, 3);
	assert_int_equal(fx_send(f, "events", 0, NULL, 10), KP_ERR_PARTITION_HALTED);
	fx_free(f);
}

static void engine_halts_at_a_gap_that_the_broker_finds(void **state)
{
	(void)state;
	fx *f = in_flight(1, 1);
	fx_answer(f, fx_held(f, 0), KP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER);
	fx_run(f);
	fx_check(f, 1, KP_NOT_PERSISTED, KP_ERR_PARTITION_HALTED);
	assert_int_equal(fx_send(f, "events", 0, NULL, 10), KP_ERR_PARTITION_HALTED);
	fx_free(f);
}

static void engine_halts_when_a_record_expires(void **state)
{
	(void)state;
	fx *f = in_flight(1, 1);
	fx_advance(f, f->config.delivery_timeout_us / 2);
	fx_send(f, "events", 0, NULL, 10);
	fx_advance(f, f->config.delivery_timeout_us / 2);
	assert_int_equal(fx_report_of(f, 1)->outcome, KP_UNKNOWN);
	fx_check(f, 2, KP_NOT_PERSISTED, KP_ERR_PARTITION_HALTED);
	assert_int_equal(fx_send(f, "events", 0, NULL, 10), KP_ERR_PARTITION_HALTED);
	fx_free(f);
}

static void engine_sends_records_without_key_past_a_halted_partition(void **state)
{
	(void)state;
	fx *f = in_flight(1, 2);
	fx_answer(f, fx_held(f, 0), KP_ERR_MESSAGE_TOO_LARGE);
	fx_run(f);
	f->hold = false;
	for (int i = 0; i < 100; i++)
		assert_true(fx_send(f, "events", KP_PARTITION_ANY, NULL, 900) > 0);
	fx_advance(f, 2 * FX_SECOND);
	for (int i = 2; i <= 101; i++)
		assert_int_equal(fx_report_of(f, i)->partition, 1);
	assert_int_equal(fx_send(f, "events", 0, NULL, 10), KP_ERR_PARTITION_HALTED);
	fx_free(f);
}

/* The application asked for these ends: nothing was lost. */
static void engine_does_not_halt_at_a_purge(void **state)
{
	(void)state;
	fx *f = in_flight(6, 1);
	kp_engine_purge(f->engine, KP_PURGE_QUEUED | KP_PURGE_IN_FLIGHT, KP_ERR_PURGED, f->now_us);
	fx_run(f);
	assert_true(fx_send(f, "events", 0, NULL, 10) > 0);
	fx_free(f);
}

static void engine_resume_knows_the_partitions_there_are(void **state)
{
	(void)state;
	fx *f = halting(2);
	assert_int_equal(resume(f, 1), KP_OK);
	assert_int_equal(resume(f, 2), KP_ERR_UNKNOWN_PARTITION);
	assert_int_equal(resume(f, -1), KP_ERR_UNKNOWN_PARTITION);
	fx_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(engine_ends_what_waits_behind_a_lost_record_and_refuses_more),
		cmocka_unit_test(engine_goes_on_with_a_new_epoch_after_the_resume),
		cmocka_unit_test(engine_ends_what_is_in_flight_at_a_halt_as_it_is_answered),
		cmocka_unit_test(engine_halts_at_a_gap_that_the_broker_finds),
		cmocka_unit_test(engine_halts_when_a_record_expires),
		cmocka_unit_test(engine_sends_records_without_key_past_a_halted_partition),
		cmocka_unit_test(engine_does_not_halt_at_a_purge),
		cmocka_unit_test(engine_resume_knows_the_partitions_there_are),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
