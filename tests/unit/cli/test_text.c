/* test_text.c - long texts: blocks, headings, lines that fit; and the nearest of some words. */
#include "cli/text.h"

#include "cli/nearest.h"
#include "unit.h"

static void put(FILE *out, const char *text, size_t len)
{
	fwrite(text, 1, len, out);
}

static void is_block(const char **text, const char *expected, bool is_verbatim, bool has_gap)
{
	cli_block b;
	assert_true(cli_block_next(text, &b));
	assert_int_equal(b.len, strlen(expected));
	assert_memory_equal(b.text, expected, b.len);
	assert_int_equal(b.is_verbatim, is_verbatim);
	assert_int_equal(b.has_gap, has_gap);
}

static void text_is_cut_into_paragraphs_and_verbatim_lines(void **state)
{
	(void)state;
	cli_block b;
	const char *text = "one\ntwo\n\nExamples:\n  three\n  four\nfive\n\n\n  six";
	is_block(&text, "one\ntwo", false, false);
	is_block(&text, "Examples:", false, true);
	is_block(&text, "  three\n  four", true, false);
	is_block(&text, "five", false, false);
	is_block(&text, "  six", true, true);
	assert_false(cli_block_next(&text, &b));
	text = "";
	assert_false(cli_block_next(&text, &b));
}

static void a_heading_stands_just_before_verbatim_lines(void **state)
{
	(void)state;
	cli_block b;
	const char *text = "Examples:\n  a\nExamples:\nb\n\nGrammar:\n  c\n";
	static const bool is_examples[] = {true, false, false, false, false}, is_grammar[] = {false, false, false, true, false};
	for (size_t i = 0; cli_block_next(&text, &b); i++) {
		assert_int_equal(cli_block_is_heading(&b, "Examples"), is_examples[i]);
		assert_int_equal(cli_block_is_heading(&b, "Grammar"), is_grammar[i]);
	}
}

static void wraps(const char *text, int at, int indent, const char *expected)
{
	char *got = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&got, &len);
	cli_text_wrap(out, text, strlen(text), at, indent);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(got, expected);
	free(got);
}

#define TEN "123456789"

static void words_are_set_in_lines_of_80_columns(void **state)
{
	(void)state;
	wraps("", 0, 0, "\n");
	wraps("a\nb  c", 0, 0, "a b c\n");
	wraps(TEN " " TEN " " TEN " " TEN " " TEN " " TEN " " TEN " " TEN "0 b", 0, 2,
	      TEN " " TEN " " TEN " " TEN " " TEN " " TEN " " TEN " " TEN "0\n  b\n");
	wraps("a b", 78, 4, "a\n    b\n");
	wraps("a\001b", 78, 4, "a b\n");
}

static void a_form_keeps_together_what_belongs_together(void **state)
{
	(void)state;
	char out[64];
	const char *form = "create T... -b H [--n N] x";
	cli_text_form(form, strlen(form), out, sizeof(out));
	assert_string_equal(out, "create T... -b\001H [--n\001N] x");
	cli_text_form(form, strlen(form), out, 7);
	assert_string_equal(out, "create");
}

static void breaks(const char *line, size_t width, const char *expected)
{
	char *got = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&got, &len);
	cli_text_command(out, line, strlen(line), width, put);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(got, expected);
	free(got);
}

static void long_commands_are_broken_before_options(void **state)
{
	(void)state;
	breaks("  cmd -a 1 -b 2", 15, "  cmd -a 1 -b 2\n");
	breaks("  cmd -a 1 -b 2", 14, "  cmd -a 1 \\\n      -b 2\n");
	breaks("  cmd -a 1 -b 2 -c 3", 14, "  cmd -a 1 \\\n      -b 2 \\\n      -c 3\n");
	breaks("  nothingtobreakat", 8, "  nothingtobreakat\n");
	breaks("  cmd -averylongargument", 14, "  cmd \\\n      -averylongargument\n");
}

static const char *nearest(const char *word)
{
	static const char *const words[] = {"records", "rate", "duration", "header", NULL};
	cli_nearest n;
	cli_nearest_init(&n, word);
	for (size_t i = 0; words[i]; i++)
		cli_nearest_try(&n, words[i]);
	return n.best ? n.best : "";
}

static void the_nearest_word_is_found_when_it_is_near(void **state)
{
	(void)state;
	char hint[CLI_NEAREST_SIZE], far[100];
	assert_string_equal(nearest("recrods"), "records");
	assert_string_equal(nearest("record"), "records");
	assert_string_equal(nearest("heeder"), "header");
	assert_string_equal(nearest("rat"), "rate");
	assert_string_equal(nearest("banana"), "");
	assert_string_equal(nearest(""), "");
	memset(far, 'a', sizeof(far));
	far[99] = 0;
	assert_string_equal(nearest(far), "");
	assert_string_equal(cli_nearest_hint(&(cli_nearest){.best = "rate"}, "--", hint), ", did you mean --rate?");
	assert_string_equal(cli_nearest_hint(&(cli_nearest){.best = NULL}, "--", hint), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_cut_into_paragraphs_and_verbatim_lines),
		cmocka_unit_test(a_heading_stands_just_before_verbatim_lines),
		cmocka_unit_test(words_are_set_in_lines_of_80_columns),
		cmocka_unit_test(a_form_keeps_together_what_belongs_together),
		cmocka_unit_test(long_commands_are_broken_before_options),
		cmocka_unit_test(the_nearest_word_is_found_when_it_is_near),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
