/* test_input.c - inputs are checked before any is read, and an ordinal leads back to file and line. */
#include "cli/input.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "unit.h"

#define PATH "test_input.tmp"

static void check_origin(cli_inputs *in, uint64_t ordinal, const char *name, uint64_t line)
{
	uint64_t got_line;
	assert_string_equal(cli_inputs_origin(in, ordinal, &got_line)->name, name);
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
	assert_true(cli_inputs_have(&in, PATH));
	assert_false(cli_inputs_have(&in, missing));
	cli_inputs_close(&in);
	assert_int_equal(cli_inputs_open(&in, NULL, 0), CLI_GO_ON);
	assert_int_equal(in.list[0].fd, STDIN_FILENO);
	assert_false(cli_inputs_have(&in, PATH));
	cli_inputs_close(&in);
	close(fd);
	unlink(PATH);
}

/* Its writer may come later, when it has filled a pipe that we read first. */
static void input_opens_a_named_pipe_without_waiting_for_its_writer(void **state)
{
	(void)state;
	char pipe_path[] = PATH, *paths[] = {pipe_path}, byte;
	unlink(PATH);
	assert_int_equal(mkfifo(PATH, 0600), 0);
	cli_inputs in = {0};
	assert_int_equal(cli_inputs_open(&in, paths, 1), CLI_GO_ON);
	assert_false(in.list[0].is_regular);
	struct pollfd wait = {.fd = in.list[0].fd, .events = POLLIN};
	assert_int_equal(poll(&wait, 1, 0), 0);
	int writer = open(PATH, O_WRONLY);
	assert_int_equal(write(writer, "x", 1), 1);
	assert_int_equal(poll(&wait, 1, 10000), 1);
	assert_int_equal(read(in.list[0].fd, &byte, 1), 1);
	assert_int_equal(fcntl(in.list[0].fd, F_GETFL) & O_NONBLOCK, 0);
	close(writer);
	cli_inputs_close(&in);
	unlink(PATH);
}

static void too_many_inputs_name_the_limit(void **state)
{
	(void)state;
	static char *paths[1000];
	char path[] = "/dev/null";
	struct rlimit old, low;
	for (size_t i = 0; i < 1000; i++)
		paths[i] = path;
	cli_inputs in = {0};
	assert_int_equal(cli_inputs_open(&in, paths, 1000), CLI_GO_ON); /* raises the soft limit */
	cli_inputs_close(&in);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	low = (struct rlimit){.rlim_cur = 100, .rlim_max = old.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	assert_int_equal(cli_inputs_open(&in, paths, 150), CLI_USAGE);
	cli_inputs_close(&in);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(input_origin_names_file_and_line),
		cmocka_unit_test(input_opens_a_named_pipe_without_waiting_for_its_writer),
		cmocka_unit_test(too_many_inputs_name_the_limit),
		cmocka_unit_test(input_opens_all_or_says_which_one_cannot_be_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
