/*
 * test_engine_trail.c - a failed record tells where its time went, exactly, and what stood in its way.
 */
#include "engine_fixture.h"

#define TIMEOUT_US (5 * (int64_t)FX_SECOND)

static fx *with_timeout(void)
{
	kp_engine_config config = fx_config();
	config.delivery_timeout_us = TIMEOUT_US;
	config.request_timeout_us = 20 * (int64_t)FX_SECOND;
	return fx_new(&config);
}

static fx *warm_with_timeout(void)
{
	fx *f = with_timeout();
	fx_add_topic(f, "events", 1);
	assert_true(fx_start(f));
	fx_warm(f);
	return f;
}

typedef struct times {
	int64_t no_metadata_us, no_leader_us, queued_us, in_flight_us;
} times;

static void check_times(fx *f, int number, times want)
{
	const kp_trail *t = &fx_report_of(f, number)->trail;
	assert_int_equal(t->no_metadata_us, want.no_metadata_us);
	assert_int_equal(t->no_leader_us, want.no_leader_us);
	assert_int_equal(t->queued_us, want.queued_us);
	assert_int_equal(t->in_flight_us, want.in_flight_us);
}

/* It timed out in this stage, and says why. */
static void check_cause(fx *f, int number, kp_stage stage, int last_error, const char *part)
{
	const fx_report *r = fx_report_of(f, number);
	assert_int_equal(r->error, KP_ERR_DELIVERY_TIMEOUT);
	assert_int_equal(r->stage, stage);
	assert_int_equal(r->last_error, last_error);
	if (!strstr(r->cause, part))
		fail_msg("\"%s\" does not say \"%s\"", r->cause, part);
}

static void trail_counts_the_wait_for_metadata(void **state)
{
	(void)state;
	fx *f = with_timeout();
	fx_add_topic(f, "events", 1)->error = KP_ERR_UNKNOWN_TOPIC_OR_PARTITION;
	assert_true(fx_start(f));
	int number = fx_send(f, "events", KP_PARTITION_ANY, NULL, 10);
	fx_advance(f, TIMEOUT_US);
	check_times(f, number, (times){.no_metadata_us = TIMEOUT_US});
	check_cause(f, number, KP_STAGE_NO_METADATA, KP_ERR_UNKNOWN_TOPIC_OR_PARTITION, "metadata of topic events");
	fx_free(f);
}

static void trail_names_unanswered_metadata(void **state)
{
	(void)state;
	fx *f = with_timeout();
	fx_add_topic(f, "events", 1);
	f->metadata_is_mute = true;
	assert_true(fx_start(f));
	int number = fx_send(f, "events", KP_PARTITION_ANY, NULL, 10);
	fx_advance(f, TIMEOUT_US);
	check_cause(f, number, KP_STAGE_NO_METADATA, KP_ERR_REQUEST_TIMEOUT, "no answer about the metadata of topic events");
	fx_free(f);
}

static void trail_names_the_bootstrap_servers_that_refuse(void **state)
{
	(void)state;
	fx *f = with_timeout();
	fx_add_topic(f, "events", 1);
	f->places[FX_NODES].is_refusing = true;
	assert_true(fx_start(f));
	int number = fx_send(f, "events", KP_PARTITION_ANY, NULL, 10);
	fx_advance(f, TIMEOUT_US);
	check_times(f, number, (times){.no_metadata_us = TIMEOUT_US});
	check_cause(f, number, KP_STAGE_NO_METADATA, KP_ERR_CONNECT, "no server can be reached (1 of 1 failed); last ");
	fx_free(f);
}

static void trail_counts_the_wait_for_a_leader(void **state)
{
	(void)state;
	fx *f = warm_with_timeout();
	f->topics[0].leader[0] = -1;
	fx_break(f, 1, KP_ERR_TRANSPORT); /* makes it ask who leads */
	fx_advance(f, 2 * FX_SECOND);
	assert_null(fx_partition(f, "events", 0)->loop.leader);
	int number = fx_send(f, "events", 0, NULL, 10);
	fx_advance(f, TIMEOUT_US);
	check_times(f, number, (times){.no_leader_us = TIMEOUT_US});
	check_cause(f, number, KP_STAGE_NO_LEADER, KP_ERR_LEADER_NOT_AVAILABLE, "partition 0 of topic events has no leader");
	fx_free(f);
}

static void trail_counts_the_time_with_a_leader_that_refuses(void **state)
{
	(void)state;
	fx *f = warm_with_timeout();
	f->places[1].is_refusing = true;
	fx_break(f, 1, KP_ERR_TRANSPORT);
	int number = fx_send(f, "events", 0, NULL, 10);
	fx_advance(f, TIMEOUT_US);
	check_times(f, number, (times){.queued_us = TIMEOUT_US});
	check_cause(f, number, KP_STAGE_QUEUED, KP_ERR_CONNECT, "node 1 (");
	check_cause(f, number, KP_STAGE_QUEUED, KP_ERR_CONNECT, "cannot be reached: ");
	assert_int_equal(fx_report_of(f, number)->attempts, 0);
	assert_int_equal(fx_report_of(f, number)->node, 1);
	fx_free(f);
}

static void trail_counts_the_wait_for_an_answer(void **state)
{
	(void)state;
	fx *f = warm_with_timeout();
	f->hold = true;
	int number = fx_send(f, "events", 0, NULL, 10), behind;
	fx_run(f);
	fx_advance(f, FX_SECOND);
	behind = fx_send(f, "events", 0, NULL, 10);
	fx_partition(f, "events", 0)->loop.is_stamp_known = false; /* so that the second waits for the first */
	fx_advance(f, TIMEOUT_US - FX_SECOND);
	check_times(f, number, (times){.in_flight_us = TIMEOUT_US});
	check_cause(f, number, KP_STAGE_IN_FLIGHT, KP_ERR_REQUEST_TIMEOUT, ") for 5.000 s");
	fx_advance(f, FX_SECOND);
	check_times(f, behind, (times){.queued_us = TIMEOUT_US});
	check_cause(f, behind, KP_STAGE_QUEUED, KP_ERR_REQUEST_TIMEOUT, "no answer from node 1 (");
	fx_free(f);
}

static void trail_adds_up_over_attempts(void **state)
{
	(void)state;
	fx *f = warm_with_timeout();
	f->hold = true;
	int number = fx_send(f, "events", 0, NULL, 10);
	fx_run(f);
	fx_advance(f, 700 * FX_MS);
	fx_answer(f, fx_held(f, 0), KP_ERR_NOT_ENOUGH_REPLICAS);
	fx_run(f);
	fx_advance(f, FX_SECOND); /* the pause, and a second attempt */
	assert_int_equal(fx_n_held(f), 1);
	int64_t again_us = f->requests[f->n_requests - 1].at_us;
	int64_t sent_us = f->now_us - 1700 * FX_MS;
	fx_answer(f, fx_held(f, 0), KP_ERR_NOT_ENOUGH_REPLICAS);
	f->topics[0].leader[0] = -1;
	f->hold = false;
	fx_break(f, 1, KP_ERR_TRANSPORT);
	fx_run(f);
	int64_t leaderless_us = f->now_us;
	assert_null(fx_partition(f, "events", 0)->loop.leader);
	fx_advance(f, TIMEOUT_US - 1700 * FX_MS);
	check_times(f, number,
	            (times){.in_flight_us = 700 * FX_MS + (leaderless_us - again_us),
	                    .queued_us = again_us - sent_us - 700 * FX_MS,
	                    .no_leader_us = sent_us + TIMEOUT_US - leaderless_us});
	check_cause(f, number, KP_STAGE_NO_LEADER, KP_ERR_NOT_ENOUGH_REPLICAS, "has no leader");
	assert_int_equal(fx_report_of(f, number)->attempts, 2);
	fx_free(f);
}

static void trail_keeps_the_wait_for_metadata_of_a_moved_record(void **state)
{
	(void)state;
	fx *f = with_timeout();
	fx_topic *t = fx_add_topic(f, "events", 1);
	t->error = KP_ERR_UNKNOWN_TOPIC_OR_PARTITION;
	assert_true(fx_start(f));
	f->hold = true;
	int number = fx_send(f, "events", KP_PARTITION_ANY, NULL, 10);
	fx_advance(f, 2 * FX_SECOND);
	t->error = 0;
	fx_advance(f, 3 * FX_SECOND);
	const fx_report *r = fx_report_of(f, number);
	assert_int_equal(r->stage, KP_STAGE_IN_FLIGHT);
	assert_in_range(r->trail.no_metadata_us, 2 * FX_SECOND, 3 * FX_SECOND);
	assert_int_equal(r->trail.no_metadata_us + r->trail.in_flight_us, TIMEOUT_US);
	fx_free(f);
}

static void trail_names_a_back_off(void **state)
{
	(void)state;
	kp_engine_config config = fx_config();
	config.delivery_timeout_us = TIMEOUT_US;
	config.retry_backoff_us = config.retry_backoff_max_us = 60 * (int64_t)FX_SECOND;
	fx *f = fx_with_topic(&config, 1);
	f->codes[0] = KP_ERR_NOT_ENOUGH_REPLICAS;
	f->n_codes = 1;
	int number = fx_send(f, "events", 0, NULL, 10);
	fx_advance(f, TIMEOUT_US);
	check_times(f, number, (times){.queued_us = TIMEOUT_US});
	check_cause(f, number, KP_STAGE_QUEUED, KP_ERR_NOT_ENOUGH_REPLICAS, "backing off after NOT_ENOUGH_REPLICAS from node 1 (");
	fx_free(f);
}

static void trail_names_a_throttle(void **state)
{
	(void)state;
	fx *f = warm_with_timeout();
	f->throttle_ms = 60000;
	int first = fx_send(f, "events", 0, NULL, 10);
	fx_run(f);
	fx_check(f, first, KP_PERSISTED, 0);
	int number = fx_send(f, "events", 0, NULL, 10);
	fx_advance(f, TIMEOUT_US);
	check_cause(f, number, KP_STAGE_QUEUED, KP_ERR_THROTTLING_QUOTA_EXCEEDED, "throttles this client for another 55.000 s");
	fx_free(f);
}

static void trail_names_the_producer_id_that_is_refused(void **state)
{
	(void)state;
	fx *f = with_timeout();
	fx_add_topic(f, "events", 1);
	f->id_error = KP_ERR_CLUSTER_AUTHORIZATION_FAILED;
	assert_true(fx_start(f));
	int number = fx_send(f, "events", 0, NULL, 10);
	fx_advance(f, TIMEOUT_US);
	check_cause(f, number, KP_STAGE_QUEUED, KP_ERR_CLUSTER_AUTHORIZATION_FAILED, "waiting for a producer id: ");
	fx_free(f);
}

static void trail_says_what_a_purged_record_waited_for(void **state)
{
	(void)state;
	fx *f = warm_with_timeout();
	f->hold = true;
	int number = fx_send(f, "events", 0, NULL, 10);
	fx_run(f);
	fx_advance(f, FX_SECOND);
	kp_engine_purge(f->engine, KP_PURGE_IN_FLIGHT, KP_ERR_PURGED, f->now_us);
	fx_run(f);
	check_times(f, number, (times){.in_flight_us = FX_SECOND});
	assert_non_null(strstr(fx_report_of(f, number)->cause, "no answer from node 1 ("));
	fx_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trail_counts_the_wait_for_metadata),
		cmocka_unit_test(trail_names_unanswered_metadata),
		cmocka_unit_test(trail_names_the_bootstrap_servers_that_refuse),
		cmocka_unit_test(trail_counts_the_wait_for_a_leader),
		cmocka_unit_test(trail_counts_the_time_with_a_leader_that_refuses),
		cmocka_unit_test(trail_counts_the_wait_for_an_answer),
		cmocka_unit_test(trail_adds_up_over_attempts),
		cmocka_unit_test(trail_keeps_the_wait_for_metadata_of_a_moved_record),
		cmocka_unit_test(trail_names_a_back_off),
		cmocka_unit_test(trail_names_a_throttle),
		cmocka_unit_test(trail_names_the_producer_id_that_is_refused),
		cmocka_unit_test(trail_says_what_a_purged_record_waited_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
