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

static cli_slice slice(const char *text)
{
	return (cli_slice){text, strlen(text)};
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

static void failed_holds_the_parts_as_lines_and_appends(void **state)
{
	(void)state;
	static lost_list lost;
	char text[64];
	for (uint64_t round = 0; round < 2; round++) {
		cli_failed *f = open_file(PATH, &lost);
		cli_slice parts[] = {slice("key"), slice("\t"), slice("value")};
		assert_true(cli_failed_add(f, 1, parts, 3));
		assert_true(cli_failed_add(f, 2, (cli_slice[]){slice("")}, 1));
		assert_true(cli_failed_piece(f, 3, slice("pie"), false));
		assert_true(cli_failed_piece(f, 3, slice("ces"), true));
		assert_int_equal(cli_failed_close(f), 0);
		assert_int_equal(f->n_written, 3);
		free(f);
	}
	size_t n = read_back(text, sizeof(text));
	assert_int_equal(n, 36);
	assert_memory_equal(text, "key\tvalue\n\npieces\nkey\tvalue\n\npieces\n", n);
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
		assert_true(cli_failed_add(f, i, (cli_slice[]){{value, sizes[i]}}, 1));
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
		n_refused += !cli_failed_add(f, i, (cli_slice[]){slice("value")}, 1);
	assert_int_equal(cli_failed_close(f), ENOSPC);
	assert_int_equal(f->n_written, 0);
	assert_int_equal(lost.n + n_refused, 3000);
	for (size_t i = 0; i < lost.n; i++)
		assert_int_equal(lost.ordinals[i], i + 1);
	free(f);
}

/* A file size limit is the nearest thing to a disk that fills up in the middle of a record. */
static void failed_cuts_off_a_partial_record(void **state)
{
	(void)state;
	static lost_list lost;
	char text[256];
	struct rlimit old, low;
	lost.n = 0;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	low = old;
	low.rlim_cur = 25;
	cli_failed *f = open_file(PATH, &lost);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
	for (uint64_t i = 1; i <= 5; i++)
		assert_true(cli_failed_add(f, i, (cli_slice[]){slice("123456789")}, 1));
	cli_failed_flush(f);
	int error = cli_failed_close(f);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(error, EFBIG);
	assert_int_equal(f->n_written, 2);
	assert_int_equal(lost.n, 3);
	assert_int_equal(lost.ordinals[0], 3);
	free(f);
	assert_int_equal(read_back(text, sizeof(text)), 20);
	assert_memory_equal(text, "123456789\n123456789\n", 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(failed_holds_the_parts_as_lines_and_appends, setup),
		cmocka_unit_test_setup(failed_takes_records_of_every_size, setup),
		cmocka_unit_test_setup(failed_tells_of_every_record_that_a_full_device_did_not_take, setup),
		cmocka_unit_test_setup(failed_cuts_off_a_partial_record, setup),
	};
	int n_failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(PATH);
	return n_failed;
}
