/* test_arena.c - alignment, zeroing, bound, reuse. */
#include "base/arena.h"

#include "base/random.h"
#include "unit.h"

static bool is_zero(const unsigned char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			return false;
	return true;
}

static void arena_gives_aligned_zeroed_memory_that_does_not_overlap(void **state)
{
	(void)state;
	kp_arena a;
	kp_random r;
	struct {
		unsigned char *p;
		size_t n;
	} got[500];
	kp_arena_init(&a, 0);
	kp_random_init(&r, 1);
	for (int round = 0; round < 3; round++) {
		for (unsigned i = 0; i < 500; i++) {
			got[i].n = kp_random_below(&r, i % 50 ? 300 : 100000);
			got[i].p = kp_arena_alloc(&a, got[i].n);
			assert_non_null(got[i].p);
			assert_int_equal((uintptr_t)got[i].p % _Alignof(max_align_t), 0);
			assert_true(is_zero(got[i].p, got[i].n));
			memset(got[i].p, (int)(i % 255 + 1), got[i].n);
		}
		for (unsigned i = 0; i < 500; i++)
			for (size_t j = 0; j < got[i].n; j++)
				assert_int_equal(got[i].p[j], i % 255 + 1);
		kp_arena_reset(&a);
		assert_int_equal(a.total, 0);
	}
	kp_arena_deinit(&a);
}

static void arena_refuses_more_than_its_bound(void **state)
{
	(void)state;
	kp_arena a;
	kp_arena_init(&a, 1024);
	assert_non_null(kp_arena_alloc(&a, 512));
	assert_null(kp_arena_alloc(&a, 513));
	assert_non_null(kp_arena_alloc(&a, 512));
	assert_null(kp_arena_alloc(&a, 1));
	kp_arena_reset(&a);
	assert_non_null(kp_arena_alloc(&a, 1024));
	kp_arena_deinit(&a);
}

static void arena_counts_tiny_pieces_against_the_bound(void **state)
{
	(void)state;
	kp_arena a;
	size_t n = 0;
	kp_arena_init(&a, 1024);
	while (kp_arena_alloc(&a, n % 2))
		n++;
	assert_int_equal(n, 1024 / _Alignof(max_align_t));
	kp_arena_deinit(&a);
}

static void arena_refuses_sizes_that_overflow(void **state)
{
	(void)state;
	kp_arena a;
	kp_arena_init(&a, 0);
	assert_non_null(kp_arena_alloc(&a, 1));
	for (size_t i = 0; i < 100; i++)
		assert_null(kp_arena_alloc(&a, SIZE_MAX - i));
	assert_non_null(kp_arena_alloc(&a, 1));
	kp_arena_deinit(&a);
}

static void arena_survives_memory_running_out(void **state)
{
	(void)state;
	unit_allocator u;
	kp_arena a;
	kp_arena_init(&a, 0);
	unit_allocator_install(&u, 2);
	unsigned char *p = kp_arena_alloc(&a, 100);
	assert_non_null(p);
	assert_null(kp_arena_alloc(&a, 1 << 20));
	assert_non_null(kp_arena_alloc(&a, 100)); /* from the chunk that is there */
	kp_arena_deinit(&a);
	unit_allocator_remove(&u);
}

static void arena_reuses_its_chunk_after_reset(void **state)
{
	(void)state;
	kp_arena a;
	kp_arena_init(&a, 0);
	assert_non_null(kp_arena_alloc(&a, 100));
	uint64_t before = kp_mem_count();
	for (int i = 0; i < 100; i++) {
		kp_arena_reset(&a);
		assert_non_null(kp_arena_alloc(&a, 4000));
	}
	assert_int_equal(kp_mem_count(), before);
	kp_arena_deinit(&a);
}

static void arena_tells_what_it_has_allocated(void **state)
{
	(void)state;
	kp_arena a;
	kp_arena_init(&a, 0);
	assert_int_equal(0, kp_arena_footprint(&a));
	assert_non_null(kp_arena_alloc(&a, 1));
	size_t small = kp_arena_footprint(&a);
	assert_in_range(small, 16, 8192);
	assert_non_null(kp_arena_alloc(&a, 1 << 20));
	assert_in_range(kp_arena_footprint(&a), small + (1 << 20), small + (1 << 20) + 4096);
	kp_arena_deinit(&a);
	assert_int_equal(0, kp_arena_footprint(&a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arena_gives_aligned_zeroed_memory_that_does_not_overlap),
		cmocka_unit_test(arena_refuses_more_than_its_bound),
		cmocka_unit_test(arena_counts_tiny_pieces_against_the_bound),
		cmocka_unit_test(arena_refuses_sizes_that_overflow),
		cmocka_unit_test(arena_survives_memory_running_out),
		cmocka_unit_test(arena_reuses_its_chunk_after_reset),
		cmocka_unit_test(arena_tells_what_it_has_allocated),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
