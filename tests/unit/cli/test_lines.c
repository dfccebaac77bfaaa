/* test_lines.c - lines and NUL-terminated records against a plain splitter, with every way of cutting the input into blocks. */
#include "reading.h"

/* The whole input in memory, a byte at a time: no block, no state. */
static void split_plainly(const char *in, size_t len, char end, size_t max_bytes, reading *r)
{
	char text[32];
	r->len = 0;
	for (size_t start = 0, i = 0; i <= len; i++) {
		if (i < len && in[i] != end)
			continue;
		if (i == len && start == len)
			break;
		if (i - start > max_bytes)
			reading_put(r, text, (size_t)snprintf(text, sizeof(text), "%zu!", i - start));
		else {
			reading_put(r, in + start, i - start);
			reading_put(r, "|", 1);
		}
		start = i + 1;
	}
}

static void check(const char *in, size_t len, size_t max_bytes)
{
	static reading expected;
	split_plainly(in, len, '\n', max_bytes, &expected);
	reading_is("lines", max_bytes, in, len, expected.text, expected.len);
	split_plainly(in, len, 0, max_bytes, &expected);
	reading_is("nul", max_bytes, in, len, expected.text, expected.len);
}

static void lines_equal_plain_splitting_for_every_block_size(void **state)
{
	(void)state;
	static const struct {
		const char *in;
		size_t len;
	} cases[] = {
#define CASE(text) {text, sizeof(text) - 1}
		CASE(""),
		CASE("\n"),
		CASE("a"),
		CASE("a\n"),
		CASE("\n\n\n"),
		CASE("a\n\nb"),
		CASE("one\ntwo\nthree"),
		CASE("one\r\ntwo\r\n"),
		CASE("nul \0 inside\n\0\n\0"),
		CASE("\xff\xfe\n\x80"),
		CASE("a line of some length\nx\nanother line that is longer\n"),
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t max_bytes = 0; max_bytes <= 30; max_bytes++)
			check(cases[i].in, cases[i].len, max_bytes);
}

static void lines_equal_plain_splitting_for_random_input(void **state)
{
	(void)state;
	uint64_t seed = 7;
	char in[200];
	for (int round = 0; round < 150; round++) {
		size_t len = unit_random(&seed) % sizeof(in);
		unsigned one_in = 1 + (unsigned)(unit_random(&seed) % 40);
		for (size_t i = 0; i < len; i++)
			in[i] = unit_random(&seed) % one_in ? (char)unit_random(&seed) : unit_random(&seed) % 2 ? '\n' : 0;
		check(in, len, 1 + unit_random(&seed) % 60);
	}
}

static void reader_memory_is_bounded_by_the_longest_record_allowed(void **state)
{
	(void)state;
	cli_reader r;
	uint64_t bytes = 0;
	assert_true(cli_reader_init(&r, cli_formats, 1024, 4096));
	for (int i = 0; i < 1000; i++) {
		size_t room;
		kp_record record = KP_RECORD_INIT;
		char *space = cli_reader_space(&r, &room);
		memset(space, 'x', room);
		cli_reader_filled(&r, room);
		for (cli_read_event e; (e = cli_reader_next(&r, &record)) != CLI_READ_MORE; bytes += record.value_len)
			assert_int_equal(e, CLI_READ_PIECE);
		assert_true(r.in.cap <= 16384);
	}
	assert_int_equal(bytes, 1000 * 1024);
	assert_int_not_equal(cli_reader_pending(&r), 0);
	cli_reader_deinit(&r);
}

static void restart_forgets_the_unfinished_record(void **state)
{
	(void)state;
	cli_reader r;
	kp_record record = KP_RECORD_INIT;
	size_t room;
	assert_true(cli_reader_init(&r, cli_formats, 16, 100));
	memcpy(cli_reader_space(&r, &room), "unfinished", 10);
	cli_reader_filled(&r, 10);
	assert_int_equal(cli_reader_next(&r, &record), CLI_READ_MORE);
	assert_int_equal(cli_reader_pending(&r), 10);
	cli_reader_restart(&r);
	memcpy(cli_reader_space(&r, &room), "b\nc\n", 4);
	cli_reader_filled(&r, 4);
	assert_true(cli_reader_next_plain(&r, &record));
	assert_int_equal(record.value_len, 1);
	assert_memory_equal(record.value, "b", 1);
	assert_int_equal(cli_reader_next(&r, &record), CLI_READ_RECORD);
	assert_memory_equal(record.value, "c", 1);
	assert_false(cli_reader_next_plain(&r, &record));
	cli_reader_deinit(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_equal_plain_splitting_for_every_block_size),
		cmocka_unit_test(lines_equal_plain_splitting_for_random_input),
		cmocka_unit_test(reader_memory_is_bounded_by_the_longest_record_allowed),
		cmocka_unit_test(restart_forgets_the_unfinished_record),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
