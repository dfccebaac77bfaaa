/* test_input.c - inputs are checked before any is read, and an ordinal leads back to file and line. */
#include "cli/input.h"

#include <fcntl.h>
#include <unistd.h>

#include "cli/cli.h"
#include "unit.h"

#define PATH "test_input.tmp"

static void check_origin(cli_inputs *in, uint64_t ordinal, const char *name, uint64_t line)
{
	const char *got_name;
	uint64_t got_line;
	cli_inputs_origin(in, ordinal, &got_name, &got_line);
	assert_string_equal(got_name, name);
	assert_int_equal(got_line, line);
}

static void input_origin_names_file_and_line(void **state)
{
	(void)state;
	cli_input list[] = {{.name = "a"}, {.name = "empty"}, {.name = "empty too"}, {.name = "b"}, {.name = "not started"}};
	cli_inputs in = {.list = list, .n = 5};
	cli_inputs_start(&in, 0, 1);
	check_origin(&in, 1, "a", 1);
	check_origin(&in, 10, "a", 10);
	cli_inputs_start(&in, 1, 11);
	cli_inputs_start(&in, 2, 11);
	cli_inputs_start(&in, 3, 11);
	check_origin(&in, 10, "a", 10);
	check_origin(&in, 11, "b", 1);
	check_origin(&in, 1011, "b", 1001);
}

static void input_opens_all_or_says_which_one_cannot_be_read(void **state)
{
	(void)state;
	char good[] = PATH, missing[] = "/nonexistent/file", folder[] = "/", *paths[] = {good, missing}, *more[] = {good, folder};
	int fd = open(PATH, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	cli_inputs in = {0};
	assert_int_equal(cli_inputs_open(&in, paths, 2), CLI_USAGE);
	cli_inputs_close(&in);
	assert_int_equal(cli_inputs_open(&in, more, 2), CLI_USAGE);
	cli_inputs_close(&in);
	assert_int_equal(cli_inputs_open(&in, paths, 1), CLI_GO_ON);
	assert_true(cli_inputs_have(&in, fd));
	cli_inputs_close(&in);
	assert_int_equal(cli_inputs_open(&in, NULL, 0), CLI_GO_ON);
	assert_int_equal(in.list[0].fd, STDIN_FILENO);
	assert_false(cli_inputs_have(&in, fd));
	cli_inputs_close(&in);
	close(fd);
	unlink(PATH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(input_origin_names_file_and_line),
		cmocka_unit_test(input_opens_all_or_says_which_one_cannot_be_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
