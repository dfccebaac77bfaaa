/* test_parse.c - numbers, durations, rates and escapes as people type them. */
#include "cli/parse.h"

#include "unit.h"

static void parse_count_takes_suffixes_and_keeps_bounds(void **state)
{
	(void)state;
	uint64_t n = 77;
	assert_true(cli_parse_count("0", 0, 10, &n) && n == 0);
	assert_true(cli_parse_count("10k", 0, UINT64_MAX, &n) && n == 10000);
	assert_true(cli_parse_count("3M", 0, UINT64_MAX, &n) && n == 3000000);
	assert_true(cli_parse_count("2G", 0, UINT64_MAX, &n) && n == 2000000000);
	assert_true(cli_parse_count("18446744073709551615", 0, UINT64_MAX, &n) && n == UINT64_MAX);
	n = 77;
	static const char *const wrong[] = {
		"", " 1", "-1", "+1", "1 ", "1x", "k", "1kk", "1.5", "0x10", "18446744073709551616", "18446744073709552k"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(cli_parse_count(wrong[i], 0, UINT64_MAX, &n));
	assert_false(cli_parse_count("4", 5, 10, &n));
	assert_false(cli_parse_count("11", 5, 10, &n));
	assert_int_equal(n, 77);
}

static void parse_duration_takes_units_and_fractions(void **state)
{
	(void)state;
	int64_t ms = 77;
	assert_true(cli_parse_duration_ms("10", 100000, &ms) && ms == 10000);
	assert_true(cli_parse_duration_ms("0.25", 100000, &ms) && ms == 250);
	assert_true(cli_parse_duration_ms("250ms", 100000, &ms) && ms == 250);
	assert_true(cli_parse_duration_ms("1.5m", 100000, &ms) && ms == 90000);
	assert_true(cli_parse_duration_ms("1s", 100000, &ms) && ms == 1000);
	assert_true(cli_parse_duration_ms("0", 100000, &ms) && ms == 0);
	ms = 77;
	static const char *const wrong[] = {"", "-1", "inf", "nan", "1e3", "0x1", "1 s", "1sec", "101", ".", "1.2.3"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(cli_parse_duration_ms(wrong[i], 100000, &ms));
	assert_int_equal(ms, 77);
}

static void parse_rate_takes_fractions_and_suffixes(void **state)
{
	(void)state;
	double r = 7;
	assert_true(cli_parse_rate("0.5", &r) && r == 0.5);
	assert_true(cli_parse_rate("50k", &r) && r == 50000);
	assert_true(cli_parse_rate("1.5M", &r) && r == 1500000);
	assert_false(cli_parse_rate("fast", &r));
	assert_false(cli_parse_rate("-1", &r));
	assert_false(cli_parse_rate("2G", &r));
	assert_true(cli_parse_rate("0", &r) && r == 0);
	assert_true(cli_parse_rate("0.000001", &r) && r == 0.000001);
	assert_false(cli_parse_rate("0.0000001", &r));
}

static void parse_escapes_gives_bytes(void **state)
{
	(void)state;
	char text[] = "a\\tb\\0\\x1f\\\\\\xFFz";
	size_t len = 0;
	assert_true(cli_parse_escapes(text, &len));
	assert_int_equal(len, 8);
	assert_memory_equal(text, "a\tb\0\x1f\\\xffz", 8);
	static const char *const wrong[] = {"\\", "\\q", "\\x1", "\\xg0"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char copy[8];
		snprintf(copy, sizeof(copy), "%s", wrong[i]);
		assert_false(cli_parse_escapes(copy, &len));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parse_count_takes_suffixes_and_keeps_bounds),
		cmocka_unit_test(parse_duration_takes_units_and_fractions),
		cmocka_unit_test(parse_rate_takes_fractions_and_suffixes),
		cmocka_unit_test(parse_escapes_gives_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
