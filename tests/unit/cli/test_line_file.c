/* test_line_file.c - whole lines behind what is there, a last line that was cut off, and readers that are not worth waiting for. */
#include "cli/line_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

#define PATH "test_line_file.tmp"

static void put(const char *text)
{
	FILE *out = fopen(PATH, "wb");
	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
}

static void check(const char *wanted)
{
	char text[256];
	FILE *in = fopen(PATH, "rb");
	assert_non_null(in);
	text[fread(text, 1, sizeof(text) - 1, in)] = 0;
	assert_int_equal(fclose(in), 0);
	assert_string_equal(text, wanted);
}

static int setup(void **state)
{
	(void)state;
	unlink(PATH);
	return 0;
}

static void line_file_ends_a_last_line_that_was_cut_off(void **state)
{
	static const struct {
		const char *before, *after;
	} cases[] = {{"", "x\n"}, {"a\n", "a\nx\n"}, {"a\nb", "a\nb\nx\n"}};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cli_line_file f = {.fd = -1};
		int error;
		put(cases[i].before);
		assert_int_equal(cli_line_file_open(&f, PATH), 0);
		assert_int_equal(cli_line_file_write(&f, "x\nhalf", 6, &error), 6);
		cli_line_file_cut(&f, 4);
		assert_int_equal(cli_line_file_close(&f), 0);
		check(cases[i].after);
	}
}

static void line_file_knows_itself_under_another_name(void **state)
{
	(void)state;
	cli_line_file f = {.fd = -1}, device = {.fd = -1};
	assert_false(cli_line_file_is(&f, PATH));
	assert_int_equal(cli_line_file_open(&f, PATH), 0);
	assert_true(cli_line_file_is(&f, "./" PATH));
	assert_false(cli_line_file_is(&f, "."));
	assert_false(cli_line_file_is(&f, "/nonexistent/file"));
	assert_int_equal(cli_line_file_close(&f), 0);
	assert_int_equal(cli_line_file_open(&device, "/dev/null"), 0);
	assert_false(cli_line_file_is(&device, "/dev/null"));
	assert_int_equal(cli_line_file_close(&device), 0);
	assert_int_equal(cli_line_file_open(&f, "/nonexistent/file"), ENOENT);
	assert_int_equal(f.fd, -1);
}

static bool twice(void *opaque)
{
	int *n_asked = opaque;
	return ++*n_asked < 2;
}

static void line_file_waits_for_a_reader_as_long_as_it_is_told(void **state)
{
	static char text[1 << 20];
	int n_asked = 0, error;
	(void)state;
	assert_int_equal(mkfifo(PATH, 0600), 0);
	int reader = open(PATH, O_RDONLY | O_NONBLOCK);
	assert_true(reader >= 0);
	cli_line_file f = {.fd = -1, .may_wait = twice, .opaque = &n_asked};
	assert_int_equal(cli_line_file_open(&f, PATH), 0);
	assert_true(cli_line_file_write(&f, text, sizeof(text), &error) < sizeof(text));
	assert_int_equal(error, 0);
	assert_int_equal(n_asked, 2);
	close(reader);
	assert_int_equal(cli_line_file_close(&f), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(line_file_ends_a_last_line_that_was_cut_off, setup),
		cmocka_unit_test_setup(line_file_knows_itself_under_another_name, setup),
		cmocka_unit_test_setup(line_file_waits_for_a_reader_as_long_as_it_is_told, setup),
	};
	int n_failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(PATH);
	return n_failed;
}
