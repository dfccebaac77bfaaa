/*
 * test_budget.c - the bound, the pool, and giving the pool back when somebody needs the room.
 */
#include "producer/budget.h"

#include "base/random.h"
#include "kproducer/error.h"
#include "unit/base/unit.h"

#define KIB 1024

/* NULL when there is none; then *cap is as before. */
static void *take(kp_budget *b, size_t n, bool may_exceed, size_t *cap)
{
	void *p = NULL;
	return kp_budget_take(b, n, may_exceed, &p, cap) ? NULL : p;
}

static void budget_rounds_to_powers_of_two(void **state)
{
	(void)state;
	assert_int_equal(kp_budget_round(0), 256);
	assert_int_equal(kp_budget_round(1), 256);
	assert_int_equal(kp_budget_round(257), 512);
	assert_int_equal(kp_budget_round(2 * KIB), 2 * KIB);
	assert_int_equal(kp_budget_round(2 * KIB + 1), 4 * KIB);
	assert_int_equal(kp_budget_round(1000061), 1024 * KIB);
	assert_int_equal(kp_budget_round((size_t)INT32_MAX), (size_t)1 << 31);
}

static void budget_is_never_passed(void **state)
{
	kp_budget b;
	size_t cap;
	void *taken[4];
	(void)state;
	kp_budget_init(&b, 8 * KIB);
	for (int i = 0; i < 4; i++) {
		taken[i] = take(&b, 2000, false, &cap);
		assert_non_null(taken[i]);
		assert_int_equal(cap, 2 * KIB);
		memset(taken[i], i, cap);
	}
	assert_int_equal(kp_budget_free(&b), 0);
	void *none;
	assert_int_equal(kp_budget_take(&b, 1, false, &none, &cap), KP_ERR_WOULD_BLOCK);
	assert_int_equal(kp_budget_used(&b), 8 * KIB);
	void *more = take(&b, 3000, true, &cap); /* counted all the same */
	assert_non_null(more);
	assert_int_equal(kp_budget_used(&b), 12 * KIB);
	kp_budget_give(&b, more, cap);
	for (int i = 0; i < 4; i++)
		kp_budget_give(&b, taken[i], 2 * KIB);
	assert_int_equal(kp_budget_used(&b), 0);
	kp_budget_deinit(&b);
}

static void budget_gives_a_pooled_buffer_again(void **state)
{
	kp_budget b;
	size_t cap;
	(void)state;
	kp_budget_init(&b, 64 * KIB);
	void *first = take(&b, 5000, false, &cap);
	kp_budget_give(&b, first, cap);
	assert_int_equal(b.pooled, 8 * KIB);
	uint64_t before = kp_mem_count();
	assert_ptr_equal(take(&b, 6000, false, &cap), first);
	assert_int_equal(kp_mem_count(), before);
	assert_int_equal(b.pooled, 0);
	kp_budget_give(&b, first, cap);
	kp_budget_give(&b, NULL, 0);
	kp_budget_deinit(&b);
}

static void budget_shrinks_its_pool_for_other_sizes(void **state)
{
	kp_budget b;
	unit_allocator u;
	size_t cap;
	void *small[16];
	(void)state;
	unit_allocator_install(&u, 0);
	kp_budget_init(&b, 32 * KIB);
	for (int i = 0; i < 16; i++)
		small[i] = take(&b, 2 * KIB, false, &cap);
	for (int i = 0; i < 16; i++)
		kp_budget_give(&b, small[i], 2 * KIB);
	assert_int_equal(b.pooled, 32 * KIB);
	assert_int_equal(u.live, 16);
	void *large = take(&b, 16 * KIB, false, &cap);
	assert_non_null(large);
	assert_true(b.pooled + kp_budget_used(&b) <= 32 * KIB);
	assert_int_equal(u.live, 9);
	kp_budget_give(&b, large, cap);
	assert_true(b.pooled <= 32 * KIB);
	kp_budget_deinit(&b);
	unit_allocator_remove(&u);
}

static void budget_says_when_room_came_back(void **state)
{
	kp_budget b;
	size_t cap;
	(void)state;
	kp_budget_init(&b, 4 * KIB);
	uint64_t before = atomic_load(&b.n_freed);
	void *p = take(&b, 4 * KIB, false, &cap);
	assert_null(take(&b, 1, false, &cap));
	assert_int_equal(atomic_load(&b.n_freed), before);
	kp_budget_give(&b, p, 4 * KIB);
	assert_int_not_equal(atomic_load(&b.n_freed), before);
	kp_budget_deinit(&b);
}

static void budget_counts_nothing_when_memory_is_out(void **state)
{
	kp_budget b;
	unit_allocator u;
	size_t cap;
	(void)state;
	unit_allocator_install(&u, 1);
	kp_budget_init(&b, 64 * KIB);
	void *none;
	assert_int_equal(kp_budget_take(&b, 1, false, &none, &cap), KP_ERR_NO_MEMORY);
	assert_int_equal(kp_budget_take(&b, 1, true, &none, &cap), KP_ERR_NO_MEMORY);
	assert_int_equal(kp_budget_used(&b), 0);
	kp_budget_deinit(&b);
	unit_allocator_remove(&u);
}

static void budget_holds_under_random_use(void **state)
{
	kp_budget b;
	unit_allocator u;
	kp_random r;
	struct {
		void *p;
		size_t cap;
	} held[64] = {{0}};
	(void)state;
	unit_allocator_install(&u, 0);
	kp_budget_init(&b, 256 * KIB);
	kp_random_init(&r, 4);
	for (int step = 0; step < 20000; step++) {
		uint32_t i = kp_random_below(&r, 64);
		if (held[i].p)
			kp_budget_give(&b, held[i].p, held[i].cap), held[i].p = NULL;
		else
			held[i].p = take(&b, kp_random_below(&r, 40 * KIB), false, &held[i].cap);
		int64_t used = 0;
		for (int k = 0; k < 64; k++)
			used += held[k].p ? (int64_t)held[k].cap : 0;
		assert_int_equal(kp_budget_used(&b), used);
		assert_true(used + b.pooled <= b.limit);
	}
	for (int k = 0; k < 64; k++)
		kp_budget_give(&b, held[k].p, held[k].cap);
	kp_budget_deinit(&b);
	unit_allocator_remove(&u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(budget_rounds_to_powers_of_two),     cmocka_unit_test(budget_is_never_passed),
		cmocka_unit_test(budget_gives_a_pooled_buffer_again), cmocka_unit_test(budget_shrinks_its_pool_for_other_sizes),
		cmocka_unit_test(budget_says_when_room_came_back),    cmocka_unit_test(budget_counts_nothing_when_memory_is_out),
		cmocka_unit_test(budget_holds_under_random_use),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
