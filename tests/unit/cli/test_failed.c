/* test_failed.c - the --failed file: content, appending, records in pieces, and a disk that is full. */
#include "cli/failed.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "unit.h"

#define PATH "test_failed.tmp"

typedef struct lost_list {
	uint64_t ordinals[5000];
	size_t n;
} lost_list;

static void on_lost(void *opaque, uint64_t ordinal)
{
	lost_list *l = opaque;
	assert_true(l->n < 5000);
	l->ordinals[l->n++] = ordinal;
}

static bool add(cli_failed *f, uint64_t ordinal, const char *text, size_t len)
{
	if (!cli_failed_begin(f, ordinal))
		return false;
	cli_failed_put(f, text, len);
	return cli_failed_end(f);
}

static cli_failed *open_file(const char *path, lost_list *lost)
{
	cli_failed *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	assert_int_equal(cli_failed_open(f, path, on_lost, lost), 0);
	return f;
}

static size_t read_back(char *out, size_t size)
{
	FILE *file = fopen(PATH, "rb");
	assert_non_null(file);
	size_t n = fread(out, 1, size, file);
	fclose(file);
	return n;
}

static int setup(void **state)
{
	(void)state;
	unlink(PATH);
	return 0;
}

static void failed_holds_records_as_lines_and_appends(void **state)
{
	(void)state;
	static lost_list lost;
	char text[64];
	for (uint64_t round = 0; round < 2; round++) {
		cli_failed *f = open_file(PATH, &lost);
		assert_true(cli_failed_begin(f, 1));
		cli_failed_put(f, "key\t", 4);
		cli_failed_put(f, "value", 5);
		assert_true(cli_failed_is_open(f, 1));
		assert_true(cli_failed_end(f));
		assert_false(cli_failed_is_open(f, 1));
		assert_true(add(f, 2, "", 0));
		assert_true(add(f, 3, "more", 4));
		assert_int_equal(cli_failed_close(f), 0);
		assert_int_equal(f->n_written, 3);
		free(f);
	}
	size_t n = read_back(text, sizeof(text));
	assert_int_equal(n, 32);
	assert_memory_equal(text, "key\tvalue\n\nmore\nkey\tvalue\n\nmore\n", n);
	assert_int_equal(lost.n, 0);
}

static void failed_takes_records_of_every_size(void **state)
{
	(void)state;
	static lost_list lost;
	static char value[3 * CLI_FAILED_BUFFER], back[sizeof(value) * 4];
	size_t sizes[] = {
		0, 1, CLI_FAILED_BUFFER - 2, CLI_FAILED_BUFFER - 1, CLI_FAILED_BUFFER, CLI_FAILED_BUFFER + 1, 3 * CLI_FAILED_BUFFER,
		5};
	size_t n_sizes = sizeof(sizes) / sizeof(sizes[0]), at = 0;
	memset(value, 'v', sizeof(value));
	cli_failed *f = open_file(PATH, &lost);
	for (size_t i = 0; i < n_sizes; i++)
		assert_true(add(f, i, value, sizes[i]));
	assert_int_equal(cli_failed_close(f), 0);
	assert_int_equal(f->n_written, n_sizes);
	free(f);
	size_t n = read_back(back, sizeof(back));
	for (size_t i = 0; i < n_sizes; i++) {
		at += sizes[i];
		assert_true(at < n);
		assert_int_equal(back[at++], '\n');
	}
	assert_int_equal(at, n);
}

static void failed_tells_of_every_record_that_a_full_device_did_not_take(void **state)
{
	(void)state;
	static lost_list lost;
	cli_failed *f = open_file("/dev/full", &lost);
	uint64_t n_refused = 0;
	for (uint64_t i = 1; i <= 3000; i++)
		n_refused += !add(f, i, "value", 5);
	assert_int_equal(cli_failed_close(f), ENOSPC);
	assert_int_equal(f->n_written, 0);
	assert_int_equal(lost.n + n_refused, 3000);
	for (size_t i = 0; i < lost.n; i++)
		assert_int_equal(lost.ordinals[i], i + 1);
	free(f);
}

/* A file size limit is the nearest thing to a disk that fills up in the middle of a record. Returns the errno of closing. */
static int with_limit(size_t limit, cli_failed *f, void (*work)(cli_failed *f))
{
	struct rlimit old, low;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	low = old;
	low.rlim_cur = limit;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
	work(f);
	int error = cli_failed_close(f);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	return error;
}

static void add_five(cli_failed *f)
{
	for (uint64_t i = 1; i <= 5; i++)
		assert_true(add(f, i, "123456789", 9));
	cli_failed_flush(f);
}

static void failed_cuts_off_a_partial_record(void **state)
{
	(void)state;
	static lost_list lost;
	char text[256];
	lost.n = 0;
	cli_failed *f = open_file(PATH, &lost);
	assert_int_equal(with_limit(25, f, add_five), EFBIG);
	assert_int_equal(f->n_written, 2);
	assert_int_equal(lost.n, 3);
	assert_int_equal(lost.ordinals[0], 3);
	free(f);
	assert_int_equal(read_back(text, sizeof(text)), 20);
	assert_memory_equal(text, "123456789\n123456789\n", 20);
}

static char big[3 * CLI_FAILED_BUFFER];

/* The first one is whole; the second one passes the limit only when part of it is in the file. */
static void add_a_short_and_a_big_one(cli_failed *f)
{
	assert_true(add(f, 1, "first", 5));
	assert_false(add(f, 2, big, sizeof(big)));
	assert_false(add(f, 3, "third", 5));
}

static void failed_cuts_off_a_record_that_was_written_in_parts(void **state)
{
	(void)state;
	static lost_list lost;
	char text[256];
	lost.n = 0;
	cli_failed *f = open_file(PATH, &lost);
	assert_int_equal(with_limit(2 * CLI_FAILED_BUFFER + 100, f, add_a_short_and_a_big_one), EFBIG);
	assert_int_equal(f->n_written, 1);
	assert_int_equal(lost.n, 0);
	free(f);
	assert_int_equal(read_back(text, sizeof(text)), 6);
	assert_memory_equal(text, "first\n", 6);
}

static void failed_takes_back_what_was_begun(void **state)
{
	(void)state;
	static lost_list lost;
	char text[256];
	lost.n = 0;
	cli_failed *f = open_file(PATH, &lost);
	for (size_t len = 5; len <= sizeof(big); len += sizeof(big) - 5) {
		assert_true(add(f, 1, "one", 3));
		assert_true(cli_failed_begin(f, 2));
		cli_failed_put(f, big, len);
		cli_failed_abandon(f);
		assert_true(add(f, 3, "three", 5));
		assert_true(cli_failed_begin(f, 4));
		cli_failed_put(f, big, len);
	} /* the last one is begun and never ended, the one before it when the next was begun */
	assert_int_equal(cli_failed_close(f), 0);
	assert_int_equal(f->n_written, 4);
	free(f);
	assert_int_equal(read_back(text, sizeof(text)), 20);
	assert_memory_equal(text, "one\nthree\none\nthree\n", 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(failed_holds_records_as_lines_and_appends, setup),
		cmocka_unit_test_setup(failed_takes_records_of_every_size, setup),
		cmocka_unit_test_setup(failed_tells_of_every_record_that_a_full_device_did_not_take, setup),
		cmocka_unit_test_setup(failed_cuts_off_a_partial_record, setup),
		cmocka_unit_test_setup(failed_cuts_off_a_record_that_was_written_in_parts, setup),
		cmocka_unit_test_setup(failed_takes_back_what_was_begun, setup),
	};
	int n_failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(PATH);
	return n_failed;
}
