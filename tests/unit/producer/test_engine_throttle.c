/*
 * test_engine_throttle.c - a broker throttles (KIP-219): nothing goes there, and deadlines go on all the same.
 */
#include "engine_fixture.h"

#define TIMEOUT_US (5 * (int64_t)FX_SECOND)

/* Partition 0 is led by node 1, which asked for a minute of quiet a moment ago; partition 1 by node 2, which did not. */
static fx *throttled(int64_t linger_us)
{
	kp_engine_config config = fx_config();
	config.delivery_timeout_us = TIMEOUT_US;
	config.request_timeout_us = 4 * (int64_t)FX_SECOND;
	config.linger_us = linger_us;
	fx *f = fx_new(&config);
	fx_add_topic(f, "events", 2);
	assert_true(fx_start(f));
	fx_warm(f);
	f->throttle_ms = 60000;
	int number = fx_send(f, "events", 0, NULL, 10);
	fx_advance(f, linger_us);
	fx_check(f, number, KP_PERSISTED, 0);
	f->throttle_ms = 0;
	return f;
}

/* It ended after TIMEOUT_US, in the queue, and says that the throttle was to blame. */
static void assert_throttled_to_its_end(fx *f, int number, int64_t sent_us)
{
	fx_check(f, number, KP_NOT_PERSISTED, KP_ERR_DELIVERY_TIMEOUT);
	const fx_report *r = fx_report_of(f, number);
	assert_int_equal(r->at_us, sent_us + TIMEOUT_US);
	assert_int_equal(r->stage, KP_STAGE_QUEUED);
	assert_int_equal(r->trail.queued_us, TIMEOUT_US);
	assert_int_equal(r->last_error, KP_ERR_THROTTLING_QUOTA_EXCEEDED);
	assert_int_equal(r->node, 1);
	assert_int_equal(r->attempts, 0);
	assert_non_null(strstr(r->cause, "node 1 (node:1) throttles this client for another "));
}

static void records_end_by_their_deadline_while_the_broker_throttles(void **state)
{
	(void)state;
	for (int64_t linger_us = 0; linger_us <= FX_SECOND; linger_us += FX_SECOND) {
		fx *f = throttled(linger_us);
		int n_requests = f->n_requests;
		int64_t first_us = f->now_us;
		int first = fx_send(f, "events", 0, NULL, 10);
		uint64_t serial = kp_engine_flush_begin(f->engine, f->now_us);
		fx_advance(f, 2 * FX_SECOND);
		int64_t second_us = f->now_us;
		int second = fx_send(f, "events", 0, NULL, 10);
		fx_advance(f, TIMEOUT_US);
		assert_throttled_to_its_end(f, first, first_us);
		assert_throttled_to_its_end(f, second, second_us);
		assert_true(kp_engine_flushed(f->engine, serial));
		kp_engine_flush_end(f->engine);
		assert_int_equal(f->n_requests, n_requests);
		fx_free(f);
	}
}

static void other_brokers_go_on_while_one_throttles(void **state)
{
	(void)state;
	fx *f = throttled(0);
	int number = fx_send(f, "events", 1, NULL, 10);
	fx_run(f);
	fx_check(f, number, KP_PERSISTED, 0);
	assert_int_equal(fx_report_of(f, number)->node, 2);
	fx_free(f);
}

/* Refused for sure before the quiet began: it would have gone again. */
static void record_to_be_sent_again_ends_by_its_deadline_while_the_broker_throttles(void **state)
{
	(void)state;
	kp_engine_config config = fx_config();
	config.delivery_timeout_us = TIMEOUT_US;
	fx *f = fx_with_topic(&config, 1);
	f->throttle_ms = 60000;
	f->n_codes = 1;
	f->codes[0] = KP_ERR_NOT_ENOUGH_REPLICAS;
	int number = fx_send(f, "events", 0, NULL, 10);
	fx_advance(f, TIMEOUT_US);
	fx_check(f, number, KP_NOT_PERSISTED, KP_ERR_DELIVERY_TIMEOUT);
	assert_int_equal(fx_report_of(f, number)->attempts, 1);
	assert_int_equal(fx_report_of(f, number)->last_error, KP_ERR_NOT_ENOUGH_REPLICAS);
	assert_non_null(strstr(fx_report_of(f, number)->cause, "throttles this client for another 55.000 s"));
	fx_free(f);
}

/* The quiet moves the deadlines of requests under way, as their answers come behind it: not those of records. */
static void record_in_flight_ends_by_its_deadline_while_the_broker_throttles(void **state)
{
	(void)state;
	kp_engine_config config = fx_config();
	config.delivery_timeout_us = TIMEOUT_US;
	config.request_timeout_us = 4 * (int64_t)FX_SECOND;
	config.batch_size = 1000;
	fx *f = fx_with_topic(&config, 1);
	f->hold = true;
	int answered = fx_send(f, "events", 0, NULL, 900), number = fx_send(f, "events", 0, NULL, 900);
	fx_run(f);
	assert_int_equal(fx_n_held(f), 2);
	f->throttle_ms = 60000;
	fx_answer(f, fx_held(f, 0), 0);
	fx_advance(f, TIMEOUT_US);
	fx_check(f, answered, KP_PERSISTED, 0);
	fx_check(f, number, KP_UNKNOWN, KP_ERR_DELIVERY_TIMEOUT);
	assert_int_equal(fx_report_of(f, number)->stage, KP_STAGE_IN_FLIGHT);
	assert_int_equal(fx_report_of(f, number)->trail.in_flight_us, TIMEOUT_US);
	assert_int_equal(fx_count(f).disconnects, 0); /* request.timeout.ms was over meanwhile */
	fx_answer(f, fx_held(f, 0), 0);
	fx_run(f);
	fx_free(f);
}

static void answers_to_other_requests_throttle_too(void **state)
{
	(void)state;
	kp_engine_config config = fx_config();
	fx *f = fx_new(&config);
	f->n_nodes = 1;
	fx_add_topic(f, "events", 1);
	f->other_throttle_ms = 2000;
	assert_true(fx_start(f));
	int first = fx_send(f, "events", 0, NULL, 10);
	fx_advance(f, 3 * (int64_t)FX_SECOND);
	fx_check(f, first, KP_PERSISTED, 0);
	assert_int_equal(f->n_metadata, 1);
	assert_int_equal(f->n_id, 1);
	assert_int_equal(fx_count(f).throttle_ms, 4000);
	/* now node 1 itself is asked */
	kp_metadata_stale(f->engine, kp_engine_topic(f->engine, "events"));
	fx_advance(f, FX_SECOND);
	assert_int_equal(f->n_metadata, 2);
	int64_t sent_us = f->now_us;
	int second = fx_send(f, "events", 0, NULL, 10);
	fx_advance(f, 3 * (int64_t)FX_SECOND);
	assert_in_range(fx_report_of(f, second)->at_us, sent_us + FX_SECOND, sent_us + 2 * FX_SECOND);
	fx_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_end_by_their_deadline_while_the_broker_throttles),
		cmocka_unit_test(other_brokers_go_on_while_one_throttles),
		cmocka_unit_test(answers_to_other_requests_throttle_too),
		cmocka_unit_test(record_to_be_sent_again_ends_by_its_deadline_while_the_broker_throttles),
		cmocka_unit_test(record_in_flight_ends_by_its_deadline_while_the_broker_throttles),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
