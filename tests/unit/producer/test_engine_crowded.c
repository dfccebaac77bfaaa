/*
 * test_engine_crowded.c - little room, in the buffer and in a request: what is stuck does not hold the others up, what lingers goes early
 * when room is wanted, and stays when it does not fit.
 */
#include "engine_fixture.h"

/* Four partitions; the leader of the first takes requests and says nothing, the others' is fine. */
static fx *one_leader_stuck(bool adaptive)
{
	kp_engine_config config = fx_config();
	config.buffer_memory = 64 << 10;
	config.batch_size = 2000;
	config.adaptive = adaptive;
	fx *f = fx_new(&config);
	fx_topic *t = fx_add_topic(f, "events", 4);
	for (int i = 0; i < 4; i++)
		t->leader[i] = i ? 2 : 1;
	assert_true(fx_start(f));
	fx_warm(f);
	f->places[1].is_mute = true;
	return f;
}

static void keyless_records_pass_by_a_partition_that_holds_its_share(void **state)
{
	(void)state;
	for (int adaptive = 0; adaptive < 2; adaptive++) {
		fx *f = one_leader_stuck(adaptive);
		while (fx_send(f, "events", 0, NULL, 900) > 0)
			fx_run(f);
		int n_stuck = f->n_sent;
		assert_true(kp_budget_free(&f->engine->shared.budget) > 16 << 10);
		for (int i = 0; i < 2000; i++) {
			assert_true(fx_send(f, "events", KP_PARTITION_ANY, NULL, 900) > 0);
			fx_run(f);
		}
		for (int i = n_stuck + 1; i <= f->n_sent; i++) {
			fx_check(f, i, KP_PERSISTED, 0);
			assert_int_not_equal(fx_report_of(f, i)->partition, 0);
		}
		fx_free(f);
	}
}

/* Where there is no room at all, there is none in any other partition either. */
static void keyless_records_are_refused_when_nothing_is_free(void **state)
{
	(void)state;
	fx *f = one_leader_stuck(true);
	f->places[2].is_mute = true;
	int err = 0;
	for (int i = 0; i < 1000 && err >= 0; i++) {
		err = fx_send(f, "events", KP_PARTITION_ANY, NULL, 900);
		fx_run(f);
	}
	assert_int_equal(err, KP_ERR_WOULD_BLOCK);
	assert_true(kp_budget_used(&f->engine->shared.budget) <= f->config.buffer_memory);
	fx_free(f);
}

/* ------------------------------------------------------------------ a full buffer */

/* A lingering batch in each of four partitions, and room for none to grow. */
static fx *full_of_lingering_batches(void)
{
	kp_engine_config config = fx_config();
	config.buffer_memory = 64 << 10;
	config.batch_size = 1 << 20;
	config.linger_us = 100 * (int64_t)FX_SECOND;
	fx *f = fx_with_topic(&config, 4);
	for (int32_t i = 0; i < 4; i++)
		while (fx_send(f, "events", i, NULL, 900) > 0)
			;
	fx_run(f);
	assert_int_equal(f->n_requests, 0);
	return f;
}

static void lingering_batches_leave_when_somebody_found_no_room(void **state)
{
	(void)state;
	fx *f = full_of_lingering_batches();
	kp_engine_hurry(f->engine);
	fx_run(f);
	for (int i = 1; i <= f->n_sent; i++)
		fx_check(f, i, KP_PERSISTED, 0);
	fx_free(f);
}

/* ... also those that the first request has no place for. */
static void lingering_batches_leave_one_request_after_another(void **state)
{
	(void)state;
	fx *f = full_of_lingering_batches();
	f->engine->config.max_request_size = 10000;
	f->hold = true;
	f->write_budget = 0;
	int n_open = 0;
	for (int32_t i = 0; i < 4; i++)
		n_open += fx_partition(f, "events", i)->shared.open != NULL;
	assert_true(n_open > 2);
	kp_engine_hurry(f->engine);
	fx_run(f);
	fx_unblock(f, SIZE_MAX);
	fx_run(f);
	assert_true(fx_n_held(f) > 1);
	for (int i = 0; i < f->n_requests; i++)
		n_open -= f->requests[i].n_parts;
	assert_int_equal(n_open, 0);
	fx_free(f);
}

static void batches_linger_again_once_room_came_back(void **state)
{
	(void)state;
	fx *f = full_of_lingering_batches();
	kp_engine_hurry(f->engine);
	fx_run(f);
	int number = fx_send(f, "events", 0, NULL, 900);
	assert_true(number > 0);
	fx_advance(f, 99 * (int64_t)FX_SECOND);
	assert_int_equal(f->reports[number].n, 0);
	fx_advance(f, FX_SECOND);
	fx_check(f, number, KP_PERSISTED, 0);
	fx_free(f);
}

/* ------------------------------------------------------------------ a full request */

static void batch_that_does_not_fit_the_request_goes_on_growing(void **state)
{
	(void)state;
	kp_engine_config config = fx_config();
	config.max_request_size = 10000;
	config.batch_size = 9000;
	fx *f = fx_with_topic(&config, 2);
	f->write_budget = 0;
	fx_send(f, "events", 0, NULL, 6000);
	fx_send(f, "events", 1, NULL, 6000);
	fx_turn(f);
	assert_null(fx_partition(f, "events", 0)->shared.open);
	assert_non_null(fx_partition(f, "events", 1)->shared.open);
	fx_send(f, "events", 1, NULL, 1000);
	fx_unblock(f, SIZE_MAX);
	fx_run(f);
	assert_int_equal(f->n_requests, 2);
	assert_int_equal(f->requests[1].parts[0].index, 1);
	assert_int_equal(f->requests[1].parts[0].header.n_records, 2);
	fx_free(f);
}

/* Sixteen partitions, one of which fits a request: the list is not walked to its end for each. */
static void request_that_is_nearly_full_looks_at_few_partitions(void **state)
{
	(void)state;
	kp_engine_config config = fx_config();
	config.max_request_size = 10000;
	config.batch_size = 9000;
	fx *f = fx_with_topic(&config, 16);
	f->hold = true;
	for (int32_t i = 0; i < 16; i++)
		fx_send(f, "events", i, NULL, 6000);
	fx_run(f);
	assert_int_equal(f->n_requests, 5); /* max.in.flight */
	assert_int_equal(f->requests[0].parts[0].index, 0);
	assert_int_equal(f->requests[1].parts[0].index, 9); /* the eight that did not fit stand behind the others */
	f->hold = false;
	while (fx_held(f, 0))
		fx_answer(f, fx_held(f, 0), 0);
	fx_run(f);
	for (int i = 1; i <= 16; i++)
		fx_check(f, i, KP_PERSISTED, 0);
	fx_free(f);
}

/* A full batch, and another one that lingers. */
static void fill_one(fx *f, int32_t partition)
{
	fx_send(f, "events", partition, NULL, 900);
	fx_send(f, "events", partition, NULL, 900);
	fx_run(f);
}

/* Ten partitions were to send because somebody wanted room, and may linger now: the one behind them is found all the same. */
static void request_that_is_empty_looks_on(void **state)
{
	(void)state;
	kp_engine_config config = fx_config();
	config.linger_us = 100 * (int64_t)FX_SECOND;
	config.batch_size = 1000;
	config.max_in_flight = 1;
	fx *f = fx_with_topic(&config, 16);
	f->hold = true;
	fill_one(f, 15);
	assert_int_equal(fx_n_held(f), 1);
	kp_engine_wants_room(f->engine, 1);
	for (int32_t i = 0; i < 10; i++)
		fx_send(f, "events", i, NULL, 10);
	fx_run(f);
	fill_one(f, 14);
	kp_engine_wants_room(f->engine, -1);
	fx_answer(f, fx_held(f, 0), 0);
	fx_run(f);
	assert_int_equal(fx_n_held(f), 1);
	assert_int_equal(fx_held(f, 0)->parts[0].index, 14);
	fx_free(f);
}

/* ------------------------------------------------------------------ partitioner.availability.timeout.ms */

/* Its leader could take nothing until what waited had expired: with nothing waiting it is as good as any other. */
static void partition_whose_records_all_expired_is_chosen_again(void **state)
{
	(void)state;
	kp_engine_config config = fx_config();
	config.availability_timeout_us = FX_SECOND;
	config.delivery_timeout_us = 5 * FX_SECOND;
	config.batch_size = 500;
	fx *f = fx_new(&config);
	fx_topic *t = fx_add_topic(f, "events", 2);
	t->leader[0] = 1;
	t->leader[1] = 2;
	assert_true(fx_start(f));
	fx_warm(f);
	f->places[1].is_silent = true;
	fx_break(f, 1, KP_ERR_TRANSPORT);
	fx_send(f, "events", 0, NULL, 10);
	(void)kp_engine_flush_begin(f->engine, f->now_us); /* the batch is closed */
	kp_engine_flush_end(f->engine);
	fx_advance(f, 2 * FX_SECOND);
	assert_true(atomic_load(&kp_broker_find(f->engine, 1)->unready_since_us) >= 0);
	fx_advance(f, 4 * FX_SECOND);
	fx_check(f, 1, KP_NOT_PERSISTED, KP_ERR_DELIVERY_TIMEOUT);
	f->places[1].is_silent = false;
	fx_break(f, 1, KP_ERR_CONNECT);
	int n_first = 0;
	for (int i = 0; i < 100; i++) {
		fx_send(f, "events", KP_PARTITION_ANY, NULL, 400);
		fx_advance(f, 100 * FX_MS);
	}
	for (int i = 2; i <= f->n_sent; i++)
		n_first += fx_report_of(f, i)->partition == 0;
	assert_in_range(n_first, 20, 80);
	fx_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keyless_records_pass_by_a_partition_that_holds_its_share),
		cmocka_unit_test(keyless_records_are_refused_when_nothing_is_free),
		cmocka_unit_test(lingering_batches_leave_when_somebody_found_no_room),
		cmocka_unit_test(lingering_batches_leave_one_request_after_another),
		cmocka_unit_test(batches_linger_again_once_room_came_back),
		cmocka_unit_test(batch_that_does_not_fit_the_request_goes_on_growing),
		cmocka_unit_test(request_that_is_nearly_full_looks_at_few_partitions),
		cmocka_unit_test(request_that_is_empty_looks_on),
		cmocka_unit_test(partition_whose_records_all_expired_is_chosen_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
