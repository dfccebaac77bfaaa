/* test_key_from.c - keys that a regular expression finds in values. */
#include "cli/key_from.h"

#include "unit.h"

static void check(const char *expression, const char *value, size_t len, const char *key)
{
	char err[200];
	cli_key_from k = {0};
	kp_record r = KP_RECORD_INIT;
	r.value = value;
	r.value_len = len;
	r.key = "before";
	assert_true(cli_key_from_init(&k, expression, err, sizeof(err)));
	cli_key_from_apply(&k, &r);
	cli_key_from_deinit(&k);
	if (!key) {
		assert_null(r.key);
		assert_int_equal(r.key_len, 0);
		return;
	}
	assert_non_null(r.key);
	assert_int_equal(r.key_len, strlen(key));
	assert_memory_equal(r.key, key, r.key_len);
}

static void key_is_the_first_group_or_the_match(void **state)
{
	(void)state;
#define CHECK(expression, value, key) check(expression, value, sizeof(value) - 1, key)
	CHECK("id=([0-9]+)", "x id=42 y id=43", "42");
	CHECK("[0-9]+", "x id=42", "42");
	CHECK("(a)|(b)", "b", NULL); /* the first group took no part */
	CHECK("id=([0-9]*)", "id=", "");
	CHECK("nothing", "x", NULL);
	CHECK("^([^ ]+) ", "10.0.0.1 - GET", "10.0.0.1");
}

static void values_are_bytes_with_a_length(void **state)
{
	(void)state;
	CHECK("b(.)", "a\0bc", "c");
	CHECK("b$", "a\0b", "b");
	CHECK("a.b", "a\nb", "a\nb");
	CHECK("\xff+", "x\xff\xffy", "\xff\xff");
	check("c", "abc", 2, NULL);
	check("^$", "", 0, "");
	check(".*", NULL, 0, NULL);
}

static void wrong_expressions_are_explained(void **state)
{
	(void)state;
	static const char *const wrong[] = {"(", "a{2,1}", "[z-a]", "*a\\"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char err[200] = "";
		cli_key_from k = {0};
		assert_false(cli_key_from_init(&k, wrong[i], err, sizeof(err)));
		assert_true(strlen(err) > 0);
		cli_key_from_deinit(&k);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(key_is_the_first_group_or_the_match),
		cmocka_unit_test(values_are_bytes_with_a_length),
		cmocka_unit_test(wrong_expressions_are_explained),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
