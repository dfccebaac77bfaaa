/*
 * test_timers.c - the heap against a naive model: an array that is searched.
 */
#include "producer/timers.h"

#include "base/random.h"
#include "base/time.h"
#include "kproducer/error.h"
#include "unit/base/unit.h"

#define N 200

static kp_timer timers[N];
static int64_t model[N]; /* KP_TIME_NEVER: not set */

static int64_t model_next(void)
{
	int64_t first = KP_TIME_NEVER;
	for (int i = 0; i < N; i++)
		first = model[i] < first ? model[i] : first;
	return first;
}

static void check_heap(const kp_timers *t)
{
	size_t n = 0;
	for (int i = 0; i < N; i++)
		n += model[i] != KP_TIME_NEVER;
	assert_int_equal(t->n, n);
	for (size_t i = 0; i < t->n; i++) {
		assert_int_equal(t->heap[i]->index, i + 1);
		if (i > 0)
			assert_true(t->heap[(i - 1) / 2]->at_us <= t->heap[i]->at_us);
	}
	assert_int_equal(kp_timers_next(t), model_next());
}

static void reset(kp_timers *t)
{
	kp_timers_init(t);
	assert_int_equal(kp_timers_reserve(t, N), 0);
	memset(timers, 0, sizeof(timers));
	for (int i = 0; i < N; i++)
		model[i] = KP_TIME_NEVER;
}

static void timers_agree_with_a_naive_model_under_random_operations(void **state)
{
	kp_timers t;
	kp_random r;
	(void)state;
	reset(&t);
	kp_random_init(&r, 7);
	for (int step = 0; step < 30000; step++) {
		int i = (int)kp_random_below(&r, N);
		uint32_t what = kp_random_below(&r, 10);
		if (what < 6) {
			model[i] = kp_random_below(&r, 500); /* often equal */
			kp_timers_set(&t, &timers[i], model[i]);
		} else if (what < 8) {
			model[i] = KP_TIME_NEVER;
			kp_timers_clear(&t, &timers[i]);
		} else {
			int64_t now_us = kp_random_below(&r, 300), first = model_next();
			kp_timer *popped = kp_timers_pop(&t, now_us);
			assert_int_equal(popped != NULL, first <= now_us);
			if (popped) {
				assert_int_equal(popped->at_us, first);
				assert_int_equal(popped->index, 0);
				model[popped - timers] = KP_TIME_NEVER;
			}
		}
		if (step % 16 == 0)
			check_heap(&t);
	}
	kp_timers_deinit(&t);
}

static void timers_come_out_in_order(void **state)
{
	kp_timers t;
	kp_random r;
	int64_t last = 0;
	kp_timer *popped;
	int n = 0;
	(void)state;
	reset(&t);
	kp_random_init(&r, 8);
	for (int i = 0; i < N; i++)
		kp_timers_set(&t, &timers[i], kp_random_below(&r, 1000));
	while ((popped = kp_timers_pop(&t, 1000))) {
		assert_true(popped->at_us >= last);
		last = popped->at_us;
		n++;
	}
	assert_int_equal(n, N);
	kp_timers_deinit(&t);
}

static void timers_none_is_due_when_none_is_set(void **state)
{
	kp_timers t;
	(void)state;
	reset(&t);
	assert_int_equal(kp_timers_next(&t), KP_TIME_NEVER);
	assert_null(kp_timers_pop(&t, INT64_MAX));
	kp_timers_clear(&t, &timers[0]);
	kp_timers_set(&t, &timers[0], 5);
	assert_null(kp_timers_pop(&t, 4));
	assert_ptr_equal(kp_timers_pop(&t, 5), &timers[0]);
	kp_timers_deinit(&t);
}

static void timers_set_needs_no_memory_within_what_was_reserved(void **state)
{
	kp_timers t;
	(void)state;
	reset(&t);
	uint64_t before = kp_mem_count();
	for (int i = 0; i < N; i++)
		kp_timers_set(&t, &timers[i], i);
	assert_int_equal(kp_mem_count(), before);
	kp_timers_deinit(&t);
}

static void timers_reserve_keeps_the_heap_when_memory_is_out(void **state)
{
	kp_timers t;
	unit_allocator u;
	(void)state;
	unit_allocator_install(&u, 2);
	kp_timers_init(&t);
	memset(timers, 0, sizeof(timers));
	assert_int_equal(kp_timers_reserve(&t, 10), 0);
	kp_timers_set(&t, &timers[0], 9);
	assert_int_equal(kp_timers_reserve(&t, 1000), KP_ERR_NO_MEMORY);
	assert_ptr_equal(kp_timers_pop(&t, 9), &timers[0]);
	kp_timers_deinit(&t);
	unit_allocator_remove(&u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(timers_agree_with_a_naive_model_under_random_operations),
		cmocka_unit_test(timers_come_out_in_order),
		cmocka_unit_test(timers_none_is_due_when_none_is_set),
		cmocka_unit_test(timers_set_needs_no_memory_within_what_was_reserved),
		cmocka_unit_test(timers_reserve_keeps_the_heap_when_memory_is_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
