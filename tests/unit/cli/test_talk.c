/* test_talk.c - numbers as people read them; a line stays one line. */
#include "cli/talk.h"

#include <unistd.h>

#include "unit.h"

static void talk_formats_three_digits_and_a_prefix(void **state)
{
	(void)state;
	static const struct {
		double n;
		const char *count, *bytes;
	} cases[] = {
		{0, "0", "0 bytes"},           {999, "999", "999 bytes"},      {999.6, "1.00k", "1.00 kB"},
		{1000, "1.00k", "1.00 kB"},    {9994, "9.99k", "9.99 kB"},     {9996, "10.0k", "10.0 kB"},
		{99949, "99.9k", "99.9 kB"},   {99951, "100k", "100 kB"},      {999499, "999k", "999 kB"},
		{999501, "1.00M", "1.00 MB"},  {12345678, "12.3M", "12.3 MB"}, {3.5e9, "3.50G", "3.50 GB"},
		{7.25e15, "7250T", "7250 TB"},
	};
	char out[CLI_NUMBER_SIZE];
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_string_equal(cli_format_count(out, cases[i].n), cases[i].count);
		assert_string_equal(cli_format_bytes(out, cases[i].n), cases[i].bytes);
	}
}

/* What cli_error writes, taken from a pipe in stderr's place. */
static void talk_keeps_control_bytes_from_the_terminal(void **state)
{
	(void)state;
	char got[128];
	int pipe_fds[2], saved = dup(STDERR_FILENO);
	assert_int_equal(pipe(pipe_fds), 0);
	dup2(pipe_fds[1], STDERR_FILENO);
	cli_error("%s", "a\x1b[31mb\nc\x7f \xc3\xa9");
	dup2(saved, STDERR_FILENO);
	ssize_t n = read(pipe_fds[0], got, sizeof(got) - 1);
	assert_true(n > 0);
	got[n] = 0;
	assert_string_equal(got, "kproducer: a?[31mb?c? \xc3\xa9\n");
	close(saved);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(talk_formats_three_digits_and_a_prefix),
		cmocka_unit_test(talk_keeps_control_bytes_from_the_terminal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
