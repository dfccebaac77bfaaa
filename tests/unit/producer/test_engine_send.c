/*
 * test_engine_send.c - when batches go, in which requests, and in which order, while nothing goes wrong.
 */
#include "engine_fixture.h"

static void engine_delivers_a_record_of_an_unknown_topic(void **state)
{
	(void)state;
	fx *f = fx_new(NULL);
	fx_add_topic(f, "events", 3);
	assert_true(fx_start(f));
	int number = fx_send(f, "events", KP_PARTITION_ANY, NULL, 100);
	fx_run(f);
	fx_check(f, number, KP_PERSISTED, 0);
	assert_int_equal(fx_report_of(f, number)->offset, 0);
	assert_int_equal(fx_report_of(f, number)->attempts, 1);
	assert_int_equal(fx_report_of(f, number)->stage, KP_STAGE_DONE);
	assert_int_equal(f->n_metadata, 1);
	assert_int_equal(f->n_id, 1);
	assert_int_equal(f->n_requests, 1);
	assert_int_equal(f->requests[0].version, 13);
	assert_int_equal(f->requests[0].acks, -1);
	assert_int_equal(f->requests[0].parts[0].header.producer_id, 5000);
	assert_int_equal(f->requests[0].parts[0].header.base_sequence, 0);
	fx_free(f);
}

static void engine_lingers(void **state)
{
	(void)state;
	kp_engine_config config = fx_config();
	config.linger_us = 50 * FX_MS;
	fx *f = fx_with_topic(&config, 1);
	int first = fx_send(f, "events", 0, NULL, 10);
	fx_advance(f, 30 * FX_MS);
	int second = fx_send(f, "events", 0, NULL, 10);
	fx_advance(f, 20 * FX_MS - 1);
	assert_int_equal(f->n_requests, 0);
	fx_advance(f, 1);
	assert_int_equal(f->n_requests, 1);
	assert_int_equal(f->requests[0].parts[0].header.n_records, 2);
	fx_check(f, first, KP_PERSISTED, 0);
	fx_check(f, second, KP_PERSISTED, 0);
	fx_free(f);
}

static void engine_sends_a_full_batch_without_lingering(void **state)
{
	(void)state;
	kp_engine_config config = fx_config();
	config.linger_us = FX_SECOND;
	config.batch_size = 2000;
	fx *f = fx_with_topic(&config, 1);
	for (int i = 0; i < 5; i++)
		fx_send(f, "events", 0, NULL, 900);
	fx_run(f);
	assert_int_equal(f->n_requests, 2);
	fx_advance(f, FX_SECOND);
	assert_int_equal(f->n_requests, 3);
	fx_free(f);
}

static void engine_flush_sends_what_lingers_and_knows_when_it_is_done(void **state)
{
	(void)state;
	kp_engine_config config = fx_config();
	config.linger_us = 100 * (int64_t)FX_SECOND;
	fx *f = fx_with_topic(&config, 3);
	f->hold = true;
	f->hold_ended = true;
	for (int32_t i = 0; i < 3; i++)
		fx_send(f, "events", i, NULL, 10);
	uint64_t serial = kp_engine_flush_begin(f->engine, f->now_us);
	fx_run(f);
	assert_int_equal(f->n_requests, 1);
	assert_int_equal(f->requests[0].n_parts, 3);
	assert_false(kp_engine_flushed(f->engine, serial));
	fx_answer(f, fx_held(f, 0), 0);
	fx_run(f);
	assert_false(kp_engine_flushed(f->engine, serial)); /* their reports were not taken yet */
	f->hold_ended = false;
	fx_take_ended(f);
	assert_true(kp_engine_flushed(f->engine, serial));
	fx_send(f, "events", 0, NULL, 10); /* does not linger while somebody flushes, and is not waited for */
	fx_run(f);
	assert_int_equal(f->n_requests, 2);
	assert_true(kp_engine_flushed(f->engine, serial));
	kp_engine_flush_end(f->engine);
	fx_answer(f, fx_held(f, 0), 0);
	fx_run(f);
	fx_send(f, "events", 0, NULL, 10);
	fx_run(f);
	assert_int_equal(f->n_requests, 2); /* lingers again */
	fx_free(f);
}

static void engine_puts_one_batch_per_partition_into_a_request(void **state)
{
	(void)state;
	kp_engine_config config = fx_config();
	config.batch_size = 1000;
	fx *f = fx_with_topic(&config, 4);
	f->hold = true;
	for (int round = 0; round < 3; round++)
		for (int32_t i = 0; i < 4; i++)
			fx_send(f, "events", i, NULL, 900);
	fx_run(f);
	assert_int_equal(f->n_requests, 3); /* the fixture checks that no partition stands twice */
	for (int i = 0; i < 3; i++)
		assert_int_equal(f->requests[i].n_parts, 4);
	f->hold = false;
	while (fx_held(f, 0))
		fx_answer(f, fx_held(f, 0), 0);
	fx_run(f);
	for (int32_t i = 0; i < 4; i++)
		fx_check_log(f, "events", i, (int[]){1 + i, 5 + i, 9 + i}, 3);
	fx_free(f);
}

static void engine_keeps_requests_within_their_size(void **state)
{
	(void)state;
	kp_engine_config config = fx_config();
	config.max_request_size = 30000;
	config.max_in_flight = 50;
	config.linger_us = 10 * FX_MS;
	fx *f = fx_with_topic(&config, 16);
	f->hold = true;
	for (int32_t i = 0; i < 16; i++)
		fx_send(f, "events", i, NULL, 9000);
	int large = fx_send(f, "events", 0, NULL, 29800); /* about as large as a record may be */
	fx_advance(f, 10 * FX_MS);
	assert_true(large > 0);
	int n_parts = 0;
	for (int i = 0; i < f->n_requests; i++) {
		assert_true(f->requests[i].frame_len <= 30000 || f->requests[i].n_parts == 1);
		n_parts += f->requests[i].n_parts;
	}
	assert_int_equal(n_parts, 17);
	assert_true(f->n_requests <= 8);
	f->hold = false;
	while (fx_held(f, 0))
		fx_answer(f, fx_held(f, 0), 0);
	fx_run(f);
	fx_free(f);
}

static void engine_starts_each_request_where_the_last_one_stopped(void **state)
{
	int seen[8] = {0};
	(void)state;
	kp_engine_config config = fx_config();
	config.max_request_size = 4000;
	config.batch_size = 1000;
	config.max_in_flight = 1;
	fx *f = fx_with_topic(&config, 8);
	f->hold = true;
	for (int round = 0; round < 4; round++)
		for (int32_t i = 0; i < 8; i++)
			fx_send(f, "events", i, NULL, 900);
	for (int n = 0; n < 3; n++) { /* three a request */
		fx_run(f);
		fx_request *r = fx_held(f, 0);
		for (int i = 0; i < r->n_parts; i++)
			seen[r->parts[i].index]++;
		fx_answer(f, r, 0);
	}
	for (int i = 0; i < 8; i++)
		assert_in_range(seen[i], 1, 2); /* none is served twice before all were served once */
	f->hold = false;
	fx_run(f);
	while (fx_held(f, 0)) {
		fx_answer(f, fx_held(f, 0), 0);
		fx_run(f);
	}
	fx_free(f);
}

static void engine_has_at_most_five_unresolved_batches_of_a_partition(void **state)
{
	(void)state;
	kp_engine_config config = fx_config();
	config.batch_size = 1000;
	config.max_in_flight = 20;
	fx *f = fx_with_topic(&config, 1);
	f->hold = true;
	for (int i = 0; i < 12; i++)
		fx_send(f, "events", 0, NULL, 900);
	fx_run(f);
	assert_int_equal(f->n_requests, 5);
	fx_answer(f, fx_held(f, 0), 0);
	fx_run(f);
	assert_int_equal(f->n_requests, 6);
	for (int i = 0; i < 6; i++)
		assert_int_equal(f->requests[i].parts[0].header.base_sequence, i + 1);
	f->hold = false;
	while (fx_held(f, 0))
		fx_answer(f, fx_held(f, 0), 0);
	fx_run(f);
	fx_check_log(f, "events", 0, (int[]){1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, 12);
	for (int i = 1; i < 12; i++)
		assert_true(f->reports[i].order < f->reports[i + 1].order);
	fx_free(f);
}

/* A broker without state for the id takes any sequence: were the first batch refused, the second would be taken before it. */
static void engine_sends_the_first_batch_of_a_stamp_alone(void **state)
{
	(void)state;
	kp_engine_config config = fx_config();
	config.batch_size = 1000;
	fx *f = fx_new(&config);
	fx_add_topic(f, "events", 1);
	assert_true(fx_start(f));
	f->hold = true;
	for (int i = 0; i < 4; i++)
		fx_send(f, "events", 0, NULL, 900);
	fx_run(f);
	assert_int_equal(f->n_requests, 1);
	fx_answer(f, fx_held(f, 0), KP_ERR_NOT_LEADER_OR_FOLLOWER);
	fx_advance(f, FX_SECOND);
	assert_int_equal(f->n_requests, 2);
	fx_answer(f, fx_held(f, 0), 0);
	fx_run(f);
	assert_int_equal(f->n_requests, 5);
	f->hold = false;
	while (fx_held(f, 0))
		fx_answer(f, fx_held(f, 0), 0);
	fx_run(f);
	fx_check_log(f, "events", 0, (int[]){1, 2, 3, 4}, 4);
	fx_free(f);
}

/* What a broker remembers per producer id and partition holds whoever leads it. */
static void engine_counts_unresolved_batches_across_connections(void **state)
{
	(void)state;
	kp_engine_config config = fx_config();
	config.batch_size = 1000;
	fx *f = fx_with_topic(&config, 1);
	f->hold = true;
	for (int i = 0; i < 3; i++)
		fx_send(f, "events", 0, NULL, 900);
	fx_run(f);
	f->topics[0].leader[0] = 2;
	f->topics[0].leader_epoch[0] = 2;
	fx_advance(f, 0);
	kp_metadata_stale(f->engine, kp_engine_topic(f->engine, "events"));
	fx_run(f);
	for (int i = 0; i < 9; i++)
		fx_send(f, "events", 0, NULL, 900);
	fx_run(f);
	assert_int_equal(fx_n_held(f), 5);
	assert_int_equal(f->requests[2].place, 1);
	assert_int_equal(f->requests[4].place, 2);
	while (fx_held(f, 0)) {
		fx_answer(f, fx_held(f, 0), 0);
		fx_run(f);
		assert_true(fx_n_held(f) <= 5);
	}
	fx_check_log(f, "events", 0, (int[]){1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, 12);
	fx_free(f);
}

static void engine_keeps_to_max_in_flight_per_connection(void **state)
{
	(void)state;
	kp_engine_config config = fx_config();
	config.batch_size = 1000;
	config.max_in_flight = 2;
	fx *f = fx_new(&config);
	fx_add_topic(f, "events", 2); /* led by nodes 1 and 2 */
	assert_true(fx_start(f));
	fx_warm(f);
	f->hold = true;
	for (int i = 0; i < 10; i++)
		fx_send(f, "events", i % 2, NULL, 900);
	fx_run(f);
	assert_int_equal(f->n_requests, 4);
	int of_node_1 = 0;
	for (int i = 0; i < 4; i++)
		of_node_1 += f->requests[i].place == 1;
	assert_int_equal(of_node_1, 2);
	while (fx_held(f, 0)) {
		fx_answer(f, fx_held(f, 0), 0);
		fx_run(f);
	}
	fx_check_log(f, "events", 0, (int[]){1, 3, 5, 7, 9}, 5);
	fx_check_log(f, "events", 1, (int[]){2, 4, 6, 8, 10}, 5);
	fx_free(f);
}

static void engine_fills_batches_while_the_transport_is_busy(void **state)
{
	(void)state;
	fx *f = fx_with_topic(NULL, 1);
	f->write_budget = 50;
	fx_send(f, "events", 0, NULL, 100);
	fx_run(f);
	for (int i = 0; i < 20; i++) {
		fx_send(f, "events", 0, NULL, 100);
		fx_run(f);
	}
	assert_int_equal(f->n_requests, 0);
	fx_unblock(f, SIZE_MAX);
	fx_run(f);
	assert_int_equal(f->n_requests, 2);
	assert_int_equal(f->requests[1].parts[0].header.n_records, 20);
	fx_free(f);
}

static void engine_keeps_quiet_while_throttled(void **state)
{
	(void)state;
	fx *f = fx_with_topic(NULL, 1);
	f->throttle_ms = 2000;
	fx_send(f, "events", 0, NULL, 1);
	fx_run(f);
	assert_int_equal(f->n_requests, 1);
	f->throttle_ms = 0;
	int later = fx_send(f, "events", 0, NULL, 1);
	fx_advance(f, 1999 * FX_MS);
	assert_int_equal(f->n_requests, 1);
	fx_advance(f, 1 * FX_MS);
	assert_int_equal(f->n_requests, 2);
	fx_check(f, later, KP_PERSISTED, 0);
	assert_int_equal(fx_count(f).throttle_ms, 2000);
	fx_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(engine_delivers_a_record_of_an_unknown_topic),
		cmocka_unit_test(engine_lingers),
		cmocka_unit_test(engine_sends_a_full_batch_without_lingering),
		cmocka_unit_test(engine_flush_sends_what_lingers_and_knows_when_it_is_done),
		cmocka_unit_test(engine_puts_one_batch_per_partition_into_a_request),
		cmocka_unit_test(engine_keeps_requests_within_their_size),
		cmocka_unit_test(engine_starts_each_request_where_the_last_one_stopped),
		cmocka_unit_test(engine_has_at_most_five_unresolved_batches_of_a_partition),
		cmocka_unit_test(engine_sends_the_first_batch_of_a_stamp_alone),
		cmocka_unit_test(engine_counts_unresolved_batches_across_connections),
		cmocka_unit_test(engine_keeps_to_max_in_flight_per_connection),
		cmocka_unit_test(engine_fills_batches_while_the_transport_is_busy),
		cmocka_unit_test(engine_keeps_quiet_while_throttled),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
