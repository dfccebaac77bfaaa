/*
 * test_regressions.c - what the simulator found (build/sim), each as the smallest scene that showed it.
 */
#include "engine_fixture.h"

/* Two batches of one record each in flight to node 1, their requests held. */
static fx *two_in_flight(void)
{
	kp_engine_config config = fx_config();
	config.batch_size = 1000;
	fx *f = fx_with_topic(&config, 1);
	f->hold = true;
	fx_send(f, "events", 0, NULL, 900);
	fx_send(f, "events", 0, NULL, 900);
	fx_run(f);
	assert_int_equal(fx_n_held(f), 2);
	return f;
}

/* A leader that steps down while acks=all waits has appended the first one, says otherwise, and acknowledges the second. */
static void reports_keep_the_order_of_sending_when_the_second_is_acknowledged_first(void **state)
{
	(void)state;
	fx *f = two_in_flight();
	fx_append(f, fx_held(f, 0));
	fx_answer(f, fx_held(f, 0), KP_ERR_NOT_LEADER_OR_FOLLOWER);
	fx_answer(f, fx_held(f, 0), 0);
	fx_run(f);
	assert_int_equal(f->reports[2].n, 0);
	f->hold = false;
	fx_advance(f, 2 * FX_SECOND);
	fx_check(f, 1, KP_PERSISTED, 0);
	fx_check(f, 2, KP_PERSISTED, 0);
	assert_true(f->reports[1].order < f->reports[2].order);
	fx_free(f);
}

/* ... and the second one's report waits for nothing else: the first one's end, however it comes, is enough. */
static void report_that_waited_for_an_earlier_one_comes_with_its_end(void **state)
{
	(void)state;
	fx *f = two_in_flight();
	fx_answer(f, fx_held(f, 0), KP_ERR_NOT_LEADER_OR_FOLLOWER);
	fx_answer(f, fx_held(f, 0), 0);
	assert_int_equal(f->reports[2].n, 0);
	kp_engine_purge(f->engine, KP_PURGE_QUEUED, KP_ERR_PURGED, f->now_us); /* it waits for its next attempt */
	fx_run(f);
	fx_check(f, 1, KP_UNKNOWN, KP_ERR_PURGED);
	fx_check(f, 2, KP_PERSISTED, 0);
	assert_true(f->reports[1].order < f->reports[2].order);
	fx_free(f);
}

static uint64_t generation(fx *f)
{
	return kp_engine_room_generation(f->engine);
}

/* Its buffer of records was taken, found no company for its entries and given back: the sender took that for room, without end. */
static void sender_without_room_is_not_woken_by_its_own_attempt(void **state)
{
	(void)state;
	kp_engine_config config = fx_config();
	config.buffer_memory = 3 * KP_BUDGET_MIN_BUFFER; /* one batch, and half of another */
	config.batch_size = 1000;
	fx *f = fx_with_topic(&config, 2);
	f->hold = true;
	assert_true(fx_send(f, "events", 0, NULL, 10) > 0);
	uint64_t seen = generation(f);
	assert_int_equal(fx_send(f, "events", 1, NULL, 10), KP_ERR_WOULD_BLOCK);
	assert_int_equal(generation(f), seen);
	fx_run(f);
	fx_answer(f, fx_held(f, 0), 0);
	fx_run(f);
	assert_int_not_equal(generation(f), seen);
	assert_true(fx_send(f, "events", 1, NULL, 10) > 0);
	fx_run(f);
	fx_answer(f, fx_held(f, 0), 0);
	fx_free(f);
}

/* The size of the last batch is a hint: it must not keep the next one from starting in an empty buffer. */
static void batch_starts_small_when_the_last_ones_size_leaves_no_room(void **state)
{
	(void)state;
	kp_engine_config config = fx_config();
	config.buffer_memory = 3 * KP_BUDGET_MIN_BUFFER;
	config.batch_size = 4000;
	config.linger_us = FX_SECOND;
	fx *f = fx_with_topic(&config, 1);
	kp_partition *p = fx_partition(f, "events", 0);
	p->shared.size_hint = 3 * KP_BUDGET_MIN_BUFFER; /* of a batch from before others took their share */
	assert_true(fx_send(f, "events", 0, NULL, 10) > 0);
	fx_free(f);
}

/* Buffers are powers of two: no batch could ever hold this one, so waiting for room would be waiting for ever. */
static void record_that_no_empty_buffer_could_hold_is_refused(void **state)
{
	(void)state;
	kp_engine_config config = fx_config();
	config.buffer_memory = 1500000;
	config.max_request_size = 1 << 20;
	size_t most = (512 << 10) - KP_BATCH_HEADER_SIZE;
	fx *f = fx_with_topic(&config, 1);
	assert_int_equal(kp_engine_max_record_size(&config), (1 << 20) - KP_BATCH_HEADER_SIZE);
	config.buffer_memory = 1 << 20; /* the entries need some of it */
	assert_int_equal(kp_engine_max_record_size(&config), most);
	assert_int_equal(fx_send(f, "events", 0, NULL, 1 << 20), KP_ERR_RECORD_TOO_LARGE);
	fx_free(f);
}

/* max.request.size bounds the record with its batch's header: the short way past the exact size has to count it, too. */
static void record_without_headers_is_refused_as_exactly_as_one_with(void **state)
{
	(void)state;
	kp_engine_config config = fx_config();
	config.max_request_size = 2000;
	fx *f = fx_with_topic(&config, 1);
	uint8_t value[2000] = {0};
	for (size_t len = 1800; len <= 2000; len++) {
		kp_append_args args = {.content.value = kp_slice_of(value, len), .timestamp_ms = 1, .partition = 0};
		bool fits = kp_engine_record_size(&args) + KP_BATCH_HEADER_SIZE <= 2000;
		int got = fx_send_args(f, "events", &args);
		assert_true(fits ? got > 0 : got == KP_ERR_RECORD_TOO_LARGE);
	}
	fx_advance(f, FX_SECOND);
	fx_free(f);
}

/* Where an event comes between the taking of actions and the next turn one is always left: they must not add up until memory is wanted. */
static void actions_take_the_places_of_those_that_were_taken(void **state)
{
	(void)state;
	kp_engine_config config = fx_config();
	fx *f = fx_with_topic(&config, 1);
	kp_engine *e = f->engine;
	kp_broker *b = kp_broker_find(e, 1);
	size_t cap = e->loop.cap_actions;
	kp_action a;
	fx_break(f, 1, KP_ERR_TRANSPORT);
	assert_int_equal(b->state, KP_BROKER_DOWN);
	b->reconnect_us = f->now_us;
	e->loop.n_actions = e->loop.action_at = cap;
	kp_broker_want(e, b, f->now_us);
	assert_int_equal(e->loop.cap_actions, cap);
	assert_true(kp_engine_next_action(e, &a));
	assert_int_equal(a.type, KP_ACTION_CONNECT);
	assert_false(kp_engine_next_action(e, &a));
	kp_engine_on_close(e, a.conn, KP_ERR_CONNECT, "refused", f->now_us);
	fx_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reports_keep_the_order_of_sending_when_the_second_is_acknowledged_first),
		cmocka_unit_test(report_that_waited_for_an_earlier_one_comes_with_its_end),
		cmocka_unit_test(sender_without_room_is_not_woken_by_its_own_attempt),
		cmocka_unit_test(batch_starts_small_when_the_last_ones_size_leaves_no_room),
		cmocka_unit_test(record_that_no_empty_buffer_could_hold_is_refused),
		cmocka_unit_test(record_without_headers_is_refused_as_exactly_as_one_with),
		cmocka_unit_test(actions_take_the_places_of_those_that_were_taken),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
