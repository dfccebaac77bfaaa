/*
 * test_engine_retry.c - answers that are errors, answers that do not come, and the deadline of a delivery.
 */
#include "engine_fixture.h"

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

static void check_same_batch(const fx_request *a, const fx_request *b)
{
	assert_int_equal(a->parts[0].len, b->parts[0].len);
	assert_memory_equal(a->parts[0].bytes, b->parts[0].bytes, a->parts[0].len);
}

static void engine_retries_with_growing_pauses_and_the_same_bytes(void **state)
{
	(void)state;
	fx *f = one_in_flight(NULL);
	for (int i = 0; i < 6; i++) {
		double pause = 100.0 * (1 << i) * FX_MS;
		int64_t at_us = f->now_us;
		fx_answer(f, fx_held(f, 0), KP_ERR_NOT_ENOUGH_REPLICAS);
		fx_advance(f, 1300 * FX_MS);
		assert_int_equal(f->n_requests, i + 2);
		pause = pause > FX_SECOND ? FX_SECOND : pause;
		assert_in_range(f->requests[i + 1].at_us - at_us, (int64_t)(pause * 0.8), (int64_t)(pause * 1.2));
		check_same_batch(&f->requests[0], &f->requests[i + 1]);
	}
	fx_answer(f, fx_held(f, 0), 0);
	fx_run(f);
	fx_check(f, 1, KP_PERSISTED, 0);
	assert_int_equal(fx_report_of(f, 1)->attempts, 7);
	assert_int_equal(fx_report_of(f, 1)->last_error, KP_ERR_NOT_ENOUGH_REPLICAS);
	assert_int_equal(fx_count(f).retries, 6);
	fx_check_log(f, "events", 0, (int[]){1}, 1);
	fx_free(f);
}

static void engine_gives_up_after_so_many_retries(void **state)
{
	(void)state;
	for (int maybe = 0; maybe < 2; maybe++) {
		kp_engine_config config = fx_config();
		config.retries = 2;
		fx *f = one_in_flight(&config);
		int code = maybe ? KP_ERR_REQUEST_TIMED_OUT : KP_ERR_NOT_ENOUGH_REPLICAS;
		for (int i = 0; i < 3; i++) {
			fx_answer(f, fx_held(f, 0), code);
			fx_advance(f, 3 * FX_SECOND);
		}
		assert_int_equal(f->n_requests, 3);
		fx_check(f, 1, maybe ? KP_UNKNOWN : KP_NOT_PERSISTED, code);
		fx_free(f);
	}
}

static void engine_lets_a_failing_partition_travel_alone(void **state)
{
	(void)state;
	fx *f = fx_with_topic(NULL, 3);
	f->hold = true;
	for (int32_t i = 0; i < 3; i++)
		fx_send(f, "events", i, NULL, 10);
	fx_run(f);
	fx_reply_each(f, fx_held(f, 0), (fx_reply[]){{0}, {.error = KP_ERR_NOT_ENOUGH_REPLICAS}, {0}});
	fx_run(f);
	fx_check(f, 1, KP_PERSISTED, 0);
	fx_check(f, 3, KP_PERSISTED, 0);
	f->now_us += 200 * FX_MS; /* the pause is over */
	for (int32_t i = 0; i < 3; i++)
		fx_send(f, "events", i, NULL, 10);
	fx_run(f);
	assert_int_equal(f->n_requests, 3);
	for (int i = 1; i < 3; i++) {
		const fx_request *r = &f->requests[i];
		bool is_retry = r->parts[0].index == 1;
		assert_int_equal(r->n_parts, is_retry ? 1 : 2);
		assert_int_equal(r->parts[0].header.n_records, 1);
	}
	while (fx_held(f, 0)) {
		fx_answer(f, fx_held(f, 0), 0);
		fx_run(f);
	}
	fx_check_log(f, "events", 1, (int[]){2, 5}, 2);
	fx_free(f);
}

static void engine_ends_what_was_never_sent_as_not_persisted(void **state)
{
	(void)state;
	fx *f = fx_with_topic(NULL, 1);
	f->places[1].is_refusing = true;
	fx_break(f, 1, KP_ERR_TRANSPORT);
	int number = fx_send(f, "events", 0, NULL, 100);
	fx_advance(f, 119 * (int64_t)FX_SECOND);
	assert_int_equal(f->reports[number].n, 0);
	int64_t sent_us = f->now_us - 119 * (int64_t)FX_SECOND;
	fx_advance(f, FX_SECOND);
	fx_check(f, number, KP_NOT_PERSISTED, KP_ERR_DELIVERY_TIMEOUT);
	assert_int_equal(fx_report_of(f, number)->at_us, sent_us + 120 * (int64_t)FX_SECOND);
	assert_int_equal(fx_report_of(f, number)->attempts, 0);
	assert_true(fx_report_of(f, number)->stage == KP_STAGE_QUEUED || fx_report_of(f, number)->stage == KP_STAGE_NO_LEADER);
	fx_free(f);
}

/* Handed over in part: the broker cannot have got it. */
static void engine_ends_what_was_half_written_as_not_persisted(void **state)
{
	(void)state;
	fx *f = fx_with_topic(NULL, 1);
	f->write_budget = 60;
	int number = fx_send(f, "events", 0, NULL, 5000);
	fx_run(f);
	f->places[1].is_refusing = true;
	fx_break(f, 1, KP_ERR_TRANSPORT);
	f->write_budget = SIZE_MAX;
	fx_advance(f, 120 * (int64_t)FX_SECOND);
	fx_check(f, number, KP_NOT_PERSISTED, KP_ERR_DELIVERY_TIMEOUT);
	assert_int_equal(fx_report_of(f, number)->attempts, 1);
	assert_int_equal(fx_report_of(f, number)->last_error, KP_ERR_TRANSPORT);
	fx_free(f);
}

static void engine_ends_what_is_in_flight_as_unknown_and_ignores_the_late_answer(void **state)
{
	(void)state;
	kp_engine_config config = fx_config();
	config.delivery_timeout_us = 5 * FX_SECOND;
	fx *f = one_in_flight(&config);
	fx_advance(f, 5 * FX_SECOND);
	fx_check(f, 1, KP_UNKNOWN, KP_ERR_DELIVERY_TIMEOUT);
	assert_int_equal(fx_report_of(f, 1)->stage, KP_STAGE_IN_FLIGHT);
	assert_true(kp_budget_used(&f->engine->shared.budget) > 0); /* the request still points at it */
	fx_answer(f, fx_held(f, 0), 0);
	fx_run(f);
	assert_int_equal(f->reports[1].n, 1);
	assert_int_equal(kp_budget_used(&f->engine->shared.budget), 0);
	int next = fx_send(f, "events", 0, NULL, 1); /* the sequence goes on behind it */
	fx_run(f);
	assert_int_equal(fx_held(f, 0)->parts[0].header.base_sequence, 2);
	fx_answer(f, fx_held(f, 0), 0);
	fx_run(f);
	fx_check(f, next, KP_PERSISTED, 0);
	fx_free(f);
}

static void engine_ends_what_may_be_in_the_log_as_unknown_while_it_waits_to_retry(void **state)
{
	(void)state;
	kp_engine_config config = fx_config();
	config.delivery_timeout_us = 5 * FX_SECOND;
	fx *f = one_in_flight(&config);
	f->places[1].is_refusing = true;
	fx_break(f, 1, KP_ERR_TRANSPORT);
	fx_advance(f, 5 * FX_SECOND);
	fx_check(f, 1, KP_UNKNOWN, KP_ERR_DELIVERY_TIMEOUT);
	fx_free(f);
}

static void engine_ends_an_open_batch_in_time_too(void **state)
{
	(void)state;
	kp_engine_config config = fx_config();
	config.delivery_timeout_us = 5 * FX_SECOND;
	fx *f = fx_with_topic(&config, 1);
	f->places[1].is_silent = true;
	fx_break(f, 1, KP_ERR_TRANSPORT);
	int number = fx_send(f, "events", 0, NULL, 100);
	fx_advance(f, 5 * FX_SECOND - 1);
	assert_int_equal(f->reports[number].n, 0);
	fx_advance(f, 1);
	fx_check(f, number, KP_NOT_PERSISTED, KP_ERR_DELIVERY_TIMEOUT);
	fx_free(f);
}

static void engine_closes_a_connection_that_does_not_answer_and_retries(void **state)
{
	(void)state;
	kp_engine_config config = fx_config();
	config.request_timeout_us = 3 * FX_SECOND;
	fx *f = one_in_flight(&config);
	uint32_t conn = f->requests[0].conn;
	fx_advance(f, 3 * FX_SECOND - 1);
	assert_int_equal(f->n_requests, 1);
	fx_advance(f, FX_SECOND);
	assert_int_equal(f->n_requests, 2);
	assert_true(f->requests[1].conn != conn);
	check_same_batch(&f->requests[0], &f->requests[1]);
	for (int i = 0; i < f->n_conns; i++)
		assert_true(f->conns[i].id != conn || !f->conns[i].is_open);
	f->requests[0].is_answered = true;
	fx_answer(f, fx_held(f, 0), 0);
	fx_run(f);
	fx_check(f, 1, KP_PERSISTED, 0);
	assert_int_equal(fx_report_of(f, 1)->last_error, KP_ERR_REQUEST_TIMEOUT);
	fx_free(f);
}

static void engine_goes_to_the_leader_that_the_answer_names_at_once(void **state)
{
	(void)state;
	fx *f = one_in_flight(NULL);
	f->topics[0].leader[0] = 2;
	f->topics[0].leader_epoch[0] = 2;
	int64_t at_us = f->now_us;
	fx_reply_each(f, fx_held(f, 0), &(fx_reply){.error = KP_ERR_NOT_LEADER_OR_FOLLOWER, .leader = 2, .leader_epoch = 2});
	fx_run(f);
	assert_int_equal(f->n_requests, 2);
	assert_int_equal(f->requests[1].place, 2);
	assert_int_equal(f->requests[1].at_us, at_us);
	check_same_batch(&f->requests[0], &f->requests[1]);
	fx_answer(f, fx_held(f, 0), 0);
	fx_run(f);
	fx_check(f, 1, KP_PERSISTED, 0);
	assert_int_equal(fx_report_of(f, 1)->node, 2);
	fx_free(f);
}

/* Several batches were on their way to the old leader: each of their answers names the new one. */
static void engine_moves_all_batches_of_a_partition_to_the_named_leader_at_once(void **state)
{
	(void)state;
	kp_engine_config config = fx_config();
	config.batch_size = 1000;
	fx *f = fx_with_topic(&config, 1);
	f->hold = true;
	for (int i = 0; i < 4; i++)
		fx_send(f, "events", 0, NULL, 900);
	fx_run(f);
	int64_t at_us = f->now_us;
	assert_int_equal(fx_n_held(f), 4);
	f->topics[0].leader[0] = 2;
	f->topics[0].leader_epoch[0] = 2;
	for (int i = 0; i < 4; i++)
		fx_reply_each(f, fx_held(f, 0),
		              &(fx_reply){.error = KP_ERR_NOT_LEADER_OR_FOLLOWER, .leader = 2, .leader_epoch = 2});
	fx_run(f);
	for (int i = 0; i < 4; i++) {
		assert_non_null(fx_held(f, 0));
		fx_answer(f, fx_held(f, 0), 0);
		fx_run(f);
	}
	for (int i = 4; i < 8; i++) {
		assert_int_equal(f->requests[i].place, 2);
		assert_int_equal(f->requests[i].at_us, at_us);
	}
	fx_check_log(f, "events", 0, (int[]){1, 2, 3, 4}, 4);
	fx_free(f);
}

static void engine_asks_for_metadata_when_the_leader_moved_without_a_hint(void **state)
{
	(void)state;
	fx *f = one_in_flight(NULL);
	f->topics[0].leader[0] = 2;
	f->topics[0].leader_epoch[0] = 2;
	fx_answer(f, fx_held(f, 0), KP_ERR_NOT_LEADER_OR_FOLLOWER);
	fx_run(f);
	assert_int_equal(f->n_metadata, 1);
	fx_advance(f, 150 * FX_MS);
	assert_int_equal(f->requests[1].place, 2);
	fx_answer(f, fx_held(f, 0), 0);
	fx_run(f);
	fx_check(f, 1, KP_PERSISTED, 0);
	fx_free(f);
}

static void engine_retries_when_the_leader_cannot_be_reached_and_another_takes_over(void **state)
{
	(void)state;
	fx *f = one_in_flight(NULL);
	f->places[1].is_refusing = true;
	fx_break(f, 1, KP_ERR_TRANSPORT);
	fx_advance(f, 5 * FX_SECOND);
	assert_int_equal(f->n_requests, 1);
	assert_true(f->n_metadata > 0);
	f->topics[0].leader[0] = 2;
	f->topics[0].leader_epoch[0] = 2;
	fx_advance(f, 3 * FX_SECOND);
	f->requests[0].is_answered = true;
	assert_int_equal(f->requests[1].place, 2);
	fx_answer(f, fx_held(f, 0), 0);
	fx_run(f);
	fx_check(f, 1, KP_PERSISTED, 0);
	fx_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(engine_retries_with_growing_pauses_and_the_same_bytes),
		cmocka_unit_test(engine_gives_up_after_so_many_retries),
		cmocka_unit_test(engine_lets_a_failing_partition_travel_alone),
		cmocka_unit_test(engine_ends_what_was_never_sent_as_not_persisted),
		cmocka_unit_test(engine_ends_what_was_half_written_as_not_persisted),
		cmocka_unit_test(engine_ends_what_is_in_flight_as_unknown_and_ignores_the_late_answer),
		cmocka_unit_test(engine_ends_what_may_be_in_the_log_as_unknown_while_it_waits_to_retry),
		cmocka_unit_test(engine_ends_an_open_batch_in_time_too),
		cmocka_unit_test(engine_closes_a_connection_that_does_not_answer_and_retries),
		cmocka_unit_test(engine_goes_to_the_leader_that_the_answer_names_at_once),
		cmocka_unit_test(engine_moves_all_batches_of_a_partition_to_the_named_leader_at_once),
		cmocka_unit_test(engine_asks_for_metadata_when_the_leader_moved_without_a_hint),
		cmocka_unit_test(engine_retries_when_the_leader_cannot_be_reached_and_another_takes_over),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
