/*
 * test_engine_moving.c - records that waited for metadata, on their way to their partitions: while room is missing, metadata changes, a flush
 * waits for others, and senders wait for the lock.
 */
#include "engine_fixture.h"

#include "base/mem.h"

static size_t taken; /* of the budget, as if by other topics */

/* Nothing is free, the first of the waiting records have moved into a batch that may exceed the budget: its answer is held. */
static fx *half_moved(int32_t n_partitions, kp_codec_type codec)
{
	kp_engine_config config = fx_config();
	config.buffer_memory = 128 << 10;
	config.batch_size = 4000;
	config.codec = codec;
	fx *f = fx_new(&config);
	fx_topic *t = fx_add_topic(f, "events", n_partitions);
	for (int32_t i = 0; i < n_partitions; i++)
		t->leader[i] = 1;
	f->hold = true;
	assert_true(fx_start(f));
	while (fx_send(f, "events", KP_PARTITION_ANY, "a key", 500) > 0)
		;
	taken = (size_t)kp_budget_free(&f->engine->shared.budget);
	assert_int_equal(kp_budget_reserve(&f->engine->shared.budget, taken, false), 0);
	fx_run(f);
	assert_true(kp_list_linked(&kp_engine_topic(f->engine, "events")->loop.moving_link));
	assert_true(fx_n_held(f) > 0);
	return f;
}

static void set_partitions(fx *f, int32_t n)
{
	f->topics[0].n_partitions = n;
	kp_metadata_stale(f->engine, kp_engine_topic(f->engine, "events"));
	fx_run(f);
}

/* Answer until nothing is left: all records stand, in order, in the partition of their key. */
static void deliver_in_order(fx *f)
{
	while (fx_held(f, 0)) {
		fx_answer(f, fx_held(f, 0), 0);
		fx_run(f);
	}
	f->hold = false;
	kp_budget_unreserve(&f->engine->shared.budget, taken);
	fx_advance(f, 5 * FX_SECOND);
	int32_t home = fx_report_of(f, 1)->partition;
	assert_true(f->n_sent > 50);
	assert_int_equal(f->topics[0].n_log[home], f->n_sent);
	for (int i = 0; i < f->n_sent; i++) {
		fx_check(f, i + 1, KP_PERSISTED, 0);
		assert_int_equal(f->topics[0].log[home][i], i + 1);
	}
}

/* As a broker answers that knows of the topic, but not of its partitions. */
static void records_go_on_moving_when_metadata_has_no_partitions_any_more(void **state)
{
	(void)state;
	fx *f = half_moved(4, KP_CODEC_NONE);
	set_partitions(f, 0);
	fx_answer(f, fx_held(f, 0), 0); /* there is room: the next ones move */
	fx_run(f);
	assert_true(fx_n_held(f) > 0);
	set_partitions(f, 4);
	deliver_in_order(f);
	fx_free(f);
}

/* ------------------------------------------------------------------ flush */

/* A full buffer keeps records that came behind a flush moving, and whoever sends keeps the buffer full. Seed 4463 of the simulator. */
static void flush_does_not_wait_for_later_records_that_keep_moving(void **state)
{
	(void)state;
	kp_engine_config config = fx_config();
	config.buffer_memory = 128 << 10;
	config.batch_size = 4000;
	fx *f = fx_new(&config);
	fx_add_topic(f, "events", 1);
	fx_add_topic(f, "late", 1)->leader[0] = 2;
	f->hold = true;
	assert_true(fx_start(f));
	int awaited = fx_send(f, "events", 0, NULL, 500);
	fx_run(f);
	uint64_t serial = kp_engine_flush_begin(f->engine, f->now_us);
	while (fx_send(f, "late", 0, NULL, 500) > 0 || fx_send(f, "events", 0, NULL, 500) > 0)
		;
	taken = (size_t)kp_budget_free(&f->engine->shared.budget);
	assert_int_equal(kp_budget_reserve(&f->engine->shared.budget, taken, false), 0);
	fx_run(f);
	assert_false(kp_engine_flushed(f->engine, serial));
	assert_int_equal(fx_held(f, 0)->place, 1);
	fx_answer(f, fx_held(f, 0), 0);
	fx_run(f);
	fx_check(f, awaited, KP_PERSISTED, 0);
	assert_true(kp_list_linked(&kp_engine_topic(f->engine, "late")->loop.moving_link));
	assert_true(kp_engine_flushed(f->engine, serial));
	kp_engine_flush_end(f->engine);
	kp_budget_unreserve(&f->engine->shared.budget, taken);
	fx_free(f);
}

/* ------------------------------------------------------------------ compression */

static bool is_compressed(const fx_request *r)
{
	for (int i = 0; i < r->n_parts; i++)
		if ((r->parts[i].header.attributes & 7) != KP_CODEC_LZ4)
			return false;
	return true;
}

static void moved_records_arrive_compressed_and_in_order(void **state)
{
	(void)state;
	fx *f = half_moved(4, KP_CODEC_LZ4);
	deliver_in_order(f);
	assert_true(f->n_requests > 1);
	for (int i = 0; i < f->n_requests; i++)
		assert_true(is_compressed(&f->requests[i]));
	fx_free(f);
}

/* An allocator that notes what is asked for while senders wait for the records that move. */
typedef struct watch {
	kp_lock *lock;
	int n_under_lock;
} watch;

static bool is_of_a_new_batch(size_t size)
{
	return (size > sizeof(kp_batch) && size < sizeof(kp_batch) + 2 * KP_CACHE_LINE) ||
	       (size >= KP_BUDGET_MIN_BUFFER && (size & (size - 1)) == 0);
}

static void *watch_realloc(void *ptr, size_t size, void *opaque)
{
	watch *w = opaque;
	if (w->lock && atomic_load(&w->lock->is_held) && !is_of_a_new_batch(size))
		w->n_under_lock++;
	return realloc(ptr, size);
}

static void watch_free(void *ptr, void *opaque)
{
	(void)opaque;
	free(ptr);
}

/* Compressing needs its state and scratch memory, once: by then the lock must be open. */
static void moving_does_not_compress_while_senders_wait(void **state)
{
	(void)state;
	watch w = {0};
	kp_mem_set_allocator(&(kp_allocator){watch_realloc, watch_free, &w});
	kp_engine_config config = fx_config();
	config.batch_size = 4000;
	config.codec = KP_CODEC_LZ4;
	fx *f = fx_new(&config);
	fx_add_topic(f, "events", 1);
	assert_true(fx_start(f));
	for (int i = 0; i < 100; i++)
		assert_true(fx_send(f, "events", 0, NULL, 500) > 0);
	w.lock = &fx_partition(f, "events", KP_PENDING_INDEX)->shared.lock;
	fx_run(f);
	w.lock = NULL;
	assert_int_equal(w.n_under_lock, 0);
	for (int i = 1; i <= f->n_sent; i++)
		fx_check(f, i, KP_PERSISTED, 0);
	assert_true(is_compressed(&f->requests[0]));
	fx_free(f);
	kp_mem_set_allocator(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_go_on_moving_when_metadata_has_no_partitions_any_more),
		cmocka_unit_test(flush_does_not_wait_for_later_records_that_keep_moving),
		cmocka_unit_test(moved_records_arrive_compressed_and_in_order),
		cmocka_unit_test(moving_does_not_compress_while_senders_wait),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
