/* test_utf8.c - every code point is text, and nothing else is. */
#include "cli/utf8.h"

#include "unit.h"

static void every_code_point_is_text_and_surrogates_are_not(void **state)
{
	(void)state;
	for (unsigned c = 0; c <= 0x10ffff; c++) {
		char out[4];
		size_t n = cli_utf8_put(c, out);
		assert_int_equal(cli_utf8_length(out, n), c >= 0xd800 && c <= 0xdfff ? 0 : n);
		assert_true(n == 1 || cli_utf8_length(out, n - 1) == 0);
	}
}

static void overlong_and_cut_off_sequences_are_no_text(void **state)
{
	(void)state;
	static const char *const wrong[] = {
		"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
		"\xff", "\xc3",     "\xe2\x82", "\xf0\x9f\xa6", "\xc3\x28"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char text[64];
		size_t len = (size_t)snprintf(text, sizeof(text), "plain text before, %s", wrong[i]);
		assert_false(cli_utf8_is_text(text, len));
		assert_true(cli_utf8_is_text(text, 19));
	}
	assert_true(cli_utf8_is_text("", 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_point_is_text_and_surrogates_are_not),
		cmocka_unit_test(overlong_and_cut_off_sequences_are_no_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
