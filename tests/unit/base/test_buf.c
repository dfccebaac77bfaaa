/* test_buf.c - growth, bound, sticky failure, text. */
#include "base/buf.h"

#include "unit.h"

static void buf_appends_across_growth(void **state)
{
	(void)state;
	kp_buf b;
	kp_buf_init(&b, 0);
	for (unsigned i = 0; i < 10000; i++) {
		uint8_t pair[2] = {(uint8_t)i, (uint8_t)(i >> 8)};
		if (i % 2)
			kp_buf_append(&b, pair, 2);
		else {
			kp_buf_append_u8(&b, pair[0]);
			kp_buf_append_u8(&b, pair[1]);
		}
	}
	assert_false(b.failed);
	assert_int_equal(b.len, 20000);
	for (unsigned i = 0; i < 10000; i++)
		assert_int_equal(b.data[2 * i] | b.data[2 * i + 1] << 8, i);
	kp_buf_deinit(&b);
}

static void buf_growth_allocates_logarithmically(void **state)
{
	(void)state;
	kp_buf b;
	kp_buf_init(&b, 0);
	uint64_t before = kp_mem_count();
	for (int i = 0; i < 1 << 20; i++)
		kp_buf_append_u8(&b, 1);
	assert_true(kp_mem_count() - before <= 16);
	kp_buf_deinit(&b);
}

static void buf_reserve_does_not_change_len(void **state)
{
	(void)state;
	kp_buf b;
	kp_buf_init(&b, 0);
	assert_non_null(kp_buf_reserve(&b, 0));
	kp_buf_append(&b, "ab", 2);
	uint8_t *p = kp_buf_reserve(&b, 1000);
	assert_ptr_equal(p, b.data + 2);
	assert_int_equal(b.len, 2);
	assert_true(b.cap >= 1002);
	memset(p, 'x', 1000);
	kp_buf_deinit(&b);
}

static void buf_bound_is_exact_and_failure_sticks(void **state)
{
	(void)state;
	kp_buf b;
	kp_buf_init(&b, 5);
	kp_buf_append(&b, "abcd", 4);
	kp_buf_append(&b, "e", 1);
	assert_false(b.failed);
	kp_buf_append(&b, "f", 1);
	assert_true(b.failed);
	kp_buf_clear(&b);
	assert_false(b.failed);
	kp_buf_append(&b, "abc", 3);
	kp_buf_append(&b, "too long", 8);
	kp_buf_append(&b, "d", 1); /* would fit, but the content must stay a prefix */
	kp_buf_printf(&b, "%d", 1);
	assert_null(kp_buf_reserve(&b, 1));
	assert_true(b.failed);
	assert_string_equal(kp_buf_cstr(&b), "abc");
	assert_null(kp_buf_reserve(&b, SIZE_MAX));
	kp_buf_deinit(&b);
}

static void buf_fails_when_memory_is_out(void **state)
{
	(void)state;
	unit_allocator u;
	kp_buf b;
	kp_buf_init(&b, 0);
	unit_allocator_install(&u, 2);
	kp_buf_append(&b, "abc", 3);
	kp_buf_printf(&b, "%0200d", 7);
	assert_true(b.failed);
	assert_int_equal(b.len, 3);
	assert_string_equal(kp_buf_cstr(&b), "abc");
	kp_buf_deinit(&b);
	assert_null(kp_buf_cstr(&b));
	unit_allocator_remove(&u);
}

static void buf_printf_grows_and_respects_the_bound(void **state)
{
	(void)state;
	kp_buf b;
	kp_buf_init(&b, 0);
	for (int i = 0; i < 1000; i++)
		kp_buf_printf(&b, "%d,", i);
	assert_memory_equal(b.data, "0,1,2,", 6);
	assert_memory_equal(kp_buf_cstr(&b) + b.len - 9, ",998,999,", 10);
	kp_buf_deinit(&b);
	kp_buf_init(&b, 3);
	kp_buf_printf(&b, "%s", "abc");
	assert_false(b.failed);
	assert_string_equal(kp_buf_cstr(&b), "abc");
	kp_buf_printf(&b, "%s", "");
	assert_false(b.failed);
	kp_buf_printf(&b, "%s", "d");
	assert_true(b.failed);
	kp_buf_deinit(&b);
}

static void buf_consume_keeps_the_rest(void **state)
{
	(void)state;
	kp_buf b;
	kp_buf_init(&b, 0);
	kp_buf_consume(&b, 0);
	kp_buf_append(&b, "hello world", 11);
	kp_buf_consume(&b, 6);
	assert_string_equal(kp_buf_cstr(&b), "world");
	assert_true(kp_slice_equal(kp_buf_slice(&b), kp_slice_cstr("world")));
	kp_buf_consume(&b, 5);
	assert_string_equal(kp_buf_cstr(&b), "");
	kp_buf_deinit(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buf_appends_across_growth),       cmocka_unit_test(buf_growth_allocates_logarithmically),
		cmocka_unit_test(buf_reserve_does_not_change_len), cmocka_unit_test(buf_bound_is_exact_and_failure_sticks),
		cmocka_unit_test(buf_fails_when_memory_is_out),    cmocka_unit_test(buf_printf_grows_and_respects_the_bound),
		cmocka_unit_test(buf_consume_keeps_the_rest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
