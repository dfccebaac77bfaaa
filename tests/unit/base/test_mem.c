/* test_mem.c - the allocator can be replaced, counted and made to fail. */
#include "unit.h"

static void mem_calloc_gives_zeroed_memory(void **state)
{
	(void)state;
	static const unsigned char zero[100];
	unit_allocator u;
	unit_allocator_install(&u, 0);
	void *p = kp_mem_calloc(10, 10);
	assert_memory_equal(p, zero, 100);
	kp_mem_free(p);
	unit_allocator_remove(&u);
	p = kp_mem_calloc(10, 10);
	assert_memory_equal(p, zero, 100);
	kp_mem_free(p);
}

static void mem_calloc_refuses_overflow(void **state)
{
	(void)state;
	volatile size_t huge = SIZE_MAX / 2; /* volatile: or the compiler warns about the size */
	assert_null(kp_mem_calloc(huge, 3));
	assert_null(kp_mem_calloc(3, huge));
}

static void mem_size_zero_is_a_valid_pointer(void **state)
{
	(void)state;
	void *p = kp_mem_alloc(0), *q = kp_mem_calloc(0, 8), *r = kp_mem_realloc(kp_mem_alloc(5), 0);
	assert_non_null(p);
	assert_non_null(q);
	assert_non_null(r);
	kp_mem_free(p);
	kp_mem_free(q);
	kp_mem_free(r);
	kp_mem_free(NULL);
}

static void mem_fails_the_nth_allocation_when_told(void **state)
{
	(void)state;
	unit_allocator u;
	unit_allocator_install(&u, 3);
	void *p = kp_mem_alloc(1);
	char *q = kp_mem_strdup("abc");
	assert_non_null(p);
	assert_string_equal(q, "abc");
	assert_null(kp_mem_alloc(1));
	assert_null(kp_mem_strndup("abc", 2));
	assert_null(kp_mem_calloc(1, 1));
	assert_null(kp_mem_realloc(p, 100));
	kp_mem_free(p);
	kp_mem_free(q);
	unit_allocator_remove(&u);
}

static void mem_counts_allocation_calls(void **state)
{
	(void)state;
	uint64_t before = kp_mem_count();
	void *p = kp_mem_realloc(kp_mem_alloc(1), 2), *q = kp_mem_calloc(1, 1);
	char *r = kp_mem_strndup("abc", 2);
	assert_int_equal(kp_mem_count() - before, 4);
	assert_string_equal(r, "ab");
	kp_mem_free(p);
	kp_mem_free(q);
	kp_mem_free(r);
	assert_int_equal(kp_mem_count() - before, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mem_calloc_gives_zeroed_memory),   cmocka_unit_test(mem_calloc_refuses_overflow),
		cmocka_unit_test(mem_size_zero_is_a_valid_pointer), cmocka_unit_test(mem_fails_the_nth_allocation_when_told),
		cmocka_unit_test(mem_counts_allocation_calls),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
