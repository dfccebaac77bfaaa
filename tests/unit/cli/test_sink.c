/* test_sink.c - lines through a thread: whole and in order, a full disk, a reader that does not read, and one that goes away. */
#include "cli/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

#define PATH "test_sink.tmp"

static char text[1 << 22];

static void add(cli_sink *s, unsigned first, unsigned n)
{
	char *out = cli_sink_reserve(s, 16 * n), *end = out;
	if (!out)
		return;
	for (unsigned i = first; i < first + n; i++)
		end += snprintf(end, 16, "%u\n", i);
	cli_sink_commit(s, (size_t)(end - out), n);
}

static size_t read_all(void)
{
	FILE *in = fopen(PATH, "rb");
	assert_non_null(in);
	size_t n = fread(text, 1, sizeof(text), in);
	fclose(in);
	return n;
}

static void check_numbers(size_t len, unsigned n)
{
	const char *p = text;
	for (unsigned i = 0; i < n; i++, p++) {
		char *end;
		assert_int_equal(strtoul(p, &end, 10), i);
		p = end;
		assert_int_equal(*p, '\n');
	}
	assert_int_equal(p - text, len);
}

static bool patient(void *opaque)
{
	(void)opaque;
	return true;
}

static bool impatient(void *opaque)
{
	++*(int *)opaque;
	return false;
}

static int setup(void **state)
{
	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	unlink(PATH);
	return 0;
}

static void sink_writes_lines_in_order_and_appends(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 2; round++) {
		cli_sink s = {.file.fd = -1};
		assert_int_equal(cli_sink_open(&s, PATH), 0);
		for (unsigned i = 0; i < 100000; i += 100)
			add(&s, round * 100000 + i, 100);
		assert_int_equal(cli_sink_close(&s, patient, NULL), 0);
		assert_int_equal(cli_sink_written(&s), 100000);
		assert_int_equal(cli_sink_backlog(&s), 0);
	}
	check_numbers(read_all(), 200000);
}

static void sink_writes_soon_not_only_at_the_end(void **state)
{
	(void)state;
	cli_sink s = {.file.fd = -1};
	assert_int_equal(cli_sink_open(&s, PATH), 0);
	add(&s, 0, 1);
	for (int i = 0; i < 10000 && cli_sink_backlog(&s); i++)
		poll(NULL, 0, 1);
	assert_int_equal(read_all(), 2);
	assert_int_equal(cli_sink_close(&s, patient, NULL), 0);
}

static void sink_on_a_full_disk_keeps_whole_lines_and_counts_them(void **state)
{
	(void)state;
	struct rlimit old, low;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	low = old;
	low.rlim_cur = 25;
	cli_sink s = {.file.fd = -1};
	assert_int_equal(cli_sink_open(&s, PATH), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
	add(&s, 0, 20); /* 10 lines of 2 bytes, then of 3 */
	int error = cli_sink_close(&s, patient, NULL);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(error, EFBIG);
	assert_int_equal(cli_sink_written(&s), 11);
	check_numbers(read_all(), 11);
}

static void sink_takes_nothing_more_after_a_failure(void **state)
{
	(void)state;
	cli_sink s = {.file.fd = -1};
	assert_int_equal(cli_sink_open(&s, "/dev/full"), 0);
	add(&s, 0, 10);
	for (int i = 0; i < 10000 && !cli_sink_error(&s); i++)
		poll(NULL, 0, 1);
	assert_int_equal(cli_sink_error(&s), ENOSPC);
	assert_null(cli_sink_reserve(&s, 1));
	assert_int_equal(cli_sink_backlog(&s), 0);
	assert_int_equal(cli_sink_close(&s, patient, NULL), ENOSPC);
	assert_int_equal(cli_sink_written(&s), 0);
	assert_int_equal(cli_sink_open(&s, "/nonexistent/file"), ENOENT);
}

static int open_pipe(cli_sink *s)
{
	assert_int_equal(mkfifo(PATH, 0600), 0);
	int reader = open(PATH, O_RDONLY | O_NONBLOCK);
	assert_true(reader >= 0);
	assert_int_equal(cli_sink_open(s, PATH), 0);
	return reader;
}

static void sink_gives_up_on_a_reader_that_does_not_read_when_told_to(void **state)
{
	(void)state;
	cli_sink s = {.file.fd = -1};
	int n_asked = 0, reader = open_pipe(&s);
	for (unsigned i = 0; i < 100000; i += 100)
		add(&s, i, 100); /* never waits */
	assert_int_equal(cli_sink_close(&s, impatient, &n_asked), ETIMEDOUT);
	assert_int_not_equal(n_asked, 0);
	assert_true(cli_sink_written(&s) < 100000);
	close(reader);
}

static void sink_tells_of_a_reader_that_went_away(void **state)
{
	(void)state;
	cli_sink s = {.file.fd = -1};
	close(open_pipe(&s));
	add(&s, 0, 10);
	assert_int_equal(cli_sink_close(&s, patient, NULL), EPIPE);
	assert_int_equal(cli_sink_written(&s), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(sink_writes_lines_in_order_and_appends, setup),
		cmocka_unit_test_setup(sink_writes_soon_not_only_at_the_end, setup),
		cmocka_unit_test_setup(sink_on_a_full_disk_keeps_whole_lines_and_counts_them, setup),
		cmocka_unit_test_setup(sink_takes_nothing_more_after_a_failure, setup),
		cmocka_unit_test_setup(sink_gives_up_on_a_reader_that_does_not_read_when_told_to, setup),
		cmocka_unit_test_setup(sink_tells_of_a_reader_that_went_away, setup),
	};
	int n_failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(PATH);
	return n_failed;
}
