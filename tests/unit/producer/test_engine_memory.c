/*
 * test_engine_memory.c - one run, again and again: each time another allocation fails, or some in a row. Nothing crashes, nothing leaks,
 * every accepted record is reported once, and none has to wait for its delivery time-out, but for those of a topic that never
 * appears.
 */
#include "engine_fixture.h"

/* Fails the allocations first .. first + n - 1, counted while the fixture itself is not at work. */
typedef struct weak_allocator {
	int n, first, n_failing, live;
} weak_allocator;

static void *weak_realloc(void *ptr, size_t size, void *opaque)
{
	weak_allocator *w = opaque;
	if (!fx_is_at_work) {
		w->n++;
		if (w->n >= w->first && w->n < w->first + w->n_failing)
			return NULL;
	}
	w->live += ptr == NULL;
	return realloc(ptr, size);
}

static void weak_free(void *ptr, void *opaque)
{
	((weak_allocator *)opaque)->live--;
	free(ptr);
}

static void send_some(fx *f, int n)
{
	static const char *const keys[] = {"a", "b", "c"};
	kp_record_header headers[100];
	for (int i = 0; i < 100; i++)
		headers[i] = (kp_record_header){kp_slice_cstr("name"), kp_slice_cstr("value")};
	for (int i = 0; i < n; i++) {
		(void)fx_send(f, "events", i % 4, NULL, 300);
		(void)fx_send(f, "orders", KP_PARTITION_ANY, keys[i % 3], 300);
		(void)fx_send(f, "events", KP_PARTITION_ANY, NULL, 300);
	}
	kp_append_args a = {.partition = KP_PARTITION_ANY, .timestamp_ms = 5, .content = {.headers = headers, .n_headers = 100}};
	(void)fx_send_args(f, "events", &a);
	(void)fx_send(f, "events", 77, NULL, 10);
}

/* Records before metadata, a lost connection, refusals, a gap. */
static void run_much(fx *f)
{
	f->n_codes = 6;
	memcpy(f->codes,
	       (int[]){0, 0, KP_ERR_NOT_ENOUGH_REPLICAS, KP_ERR_MESSAGE_TOO_LARGE, KP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, 0},
	       6 * sizeof(int));
	send_some(f, 10);
	fx_advance(f, 100 * FX_MS);
	fx_break(f, 1, KP_ERR_TRANSPORT);
	for (int i = 0; i < 5; i++) {
		send_some(f, 3);
		fx_advance(f, 50 * FX_MS);
	}
	fx_advance(f, 20 * (int64_t)FX_SECOND);
}

/* One record, and no other event that would wake the engine. */
static void run_one(fx *f)
{
	(void)fx_send(f, "events", 0, NULL, 300);
	fx_advance(f, 5 * FX_SECOND);
	assert_true(f->n_sent == 0 || f->reports[1].at_us < f->now_us); /* the last turn is the fixture's doing */
}

/* A flush begins while there may be no memory for the topic: its record counts. */
static void run_flush(fx *f)
{
	(void)fx_send(f, "events", 0, NULL, 300);
	uint64_t serial = kp_engine_flush_begin(f->engine, f->now_us);
	f->hold = true;
	for (int i = 0; i < 100 && !fx_held(f, 0) && f->n_sent > 0 && f->reports[1].n == 0; i++) {
		assert_false(kp_engine_flushed(f->engine, serial));
		fx_advance(f, 50 * FX_MS);
	}
	assert_true(!fx_held(f, 0) || !kp_engine_flushed(f->engine, serial)); /* also once they have moved to a partition */
	f->hold = false;
	while (fx_held(f, 0)) {
		fx_answer(f, fx_held(f, 0), 0);
		fx_run(f);
	}
	for (int i = 0; i < 100 && !kp_engine_flushed(f->engine, serial); i++)
		fx_advance(f, 50 * FX_MS);
	assert_true(kp_engine_flushed(f->engine, serial));
	for (int i = 1; i <= f->n_sent; i++)
		assert_int_equal(f->reports[i].n, 1);
	kp_engine_flush_end(f->engine);
}

/* To be started, with topics "events" and "orders". */
static fx *weak_engine(weak_allocator *w)
{
	kp_engine_config config = fx_config();
	config.batch_size = 3000;
	config.codec = KP_CODEC_LZ4;
	config.linger_us = 5 * FX_MS;
	kp_mem_set_allocator(&(kp_allocator){weak_realloc, weak_free, w});
	fx *f = fx_new(&config);
	fx_add_topic(f, "events", 4);
	fx_add_topic(f, "orders", 2);
	return f;
}

static void weak_end(fx *f, const weak_allocator *w)
{
	fx_free(f);
	kp_mem_set_allocator(NULL);
	assert_int_equal(w->live, 0);
}

/* How many allocations the run took. */
static int run_with(void (*run)(fx *f), int first, int n_failing)
{
	weak_allocator w = {.first = first, .n_failing = n_failing};
	fx *f = weak_engine(&w);
	if (fx_start(f)) {
		run(f);
		for (int i = 1; i <= f->n_sent; i++) {
			if (f->reports[i].n != 1)
				print_message("first %d of %d failing: record %d has %d reports\n", first, n_failing, i,
				              f->reports[i].n);
			assert_int_equal(f->reports[i].n, 1);
			assert_int_not_equal(f->reports[i].error, KP_ERR_DELIVERY_TIMEOUT);
		}
	}
	weak_end(f, &w);
	return w.n;
}

/* Nothing but its deadline ends a record of a topic that the cluster does not know. How many allocations that took. */
static int run_missing(int first, int n_failing)
{
	weak_allocator w = {.first = first, .n_failing = n_failing};
	fx *f = weak_engine(&w);
	f->config.delivery_timeout_us = 5 * FX_SECOND;
	if (fx_start(f)) {
		int number = fx_send(f, "missing", KP_PARTITION_ANY, NULL, 300);
		int64_t sent_us = f->now_us;
		fx_advance(f, FX_SECOND);
		uint64_t serial = kp_engine_flush_begin(f->engine, f->now_us);
		assert_int_equal(kp_engine_flushed(f->engine, serial), number <= 0);
		fx_advance(f, 5 * FX_SECOND);
		assert_true(kp_engine_flushed(f->engine, serial));
		kp_engine_flush_end(f->engine);
		if (number > 0) {
			fx_check(f, number, KP_NOT_PERSISTED, KP_ERR_DELIVERY_TIMEOUT);
			assert_int_equal(fx_report_of(f, number)->at_us, sent_us + f->config.delivery_timeout_us);
		}
	}
	weak_end(f, &w);
	return w.n;
}

static void engine_survives_the_failure_of_any_allocation(void **state)
{
	(void)state;
	int n = run_with(run_much, 0, 0);
	assert_true(n > 50);
	for (int first = 1; first <= n; first++)
		run_with(run_much, first, 1);
}

static void engine_survives_the_failure_of_allocations_in_a_row(void **state)
{
	(void)state;
	int n = run_with(run_much, 0, 0);
	for (int first = 1; first <= n; first++) {
		run_with(run_much, first, 3);
		run_with(run_much, first, 20);
	}
}

static void engine_recovers_by_itself(void **state)
{
	(void)state;
	int n = run_with(run_one, 0, 0);
	for (int first = 1; first <= n; first++)
		for (int n_failing = 1; n_failing <= 4; n_failing++)
			run_with(run_one, first, n_failing);
}

static void flush_waits_for_a_topic_that_memory_was_out_for(void **state)
{
	(void)state;
	int n = run_with(run_flush, 0, 0);
	for (int first = 1; first <= n; first++)
		for (int n_failing = 1; n_failing <= 4; n_failing++)
			run_with(run_flush, first, n_failing);
}

/* Seed 9102094 of the simulator. */
static void records_of_a_topic_that_memory_was_out_for_end_in_time_although_it_never_appears(void **state)
{
	(void)state;
	int n = run_missing(0, 0);
	for (int first = 1; first <= n; first++)
		for (int n_failing = 1; n_failing <= 4; n_failing++)
			run_missing(first, n_failing);
}

static void records_and_flushes_end_in_time_although_memory_stays_out(void **state)
{
	(void)state;
	int n = run_missing(0, 0);
	for (int first = 1; first <= n; first++)
		run_missing(first, INT32_MAX / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(engine_survives_the_failure_of_any_allocation),
		cmocka_unit_test(engine_survives_the_failure_of_allocations_in_a_row),
		cmocka_unit_test(engine_recovers_by_itself),
		cmocka_unit_test(flush_waits_for_a_topic_that_memory_was_out_for),
		cmocka_unit_test(records_of_a_topic_that_memory_was_out_for_end_in_time_although_it_never_appears),
		cmocka_unit_test(records_and_flushes_end_in_time_although_memory_stays_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
