/* test_lines.c - the splitter against a plain one, with every way of cutting the input into blocks. */
#include "cli/lines.h"

#include "unit.h"

/* What came out: lines as "<bytes>|", overlong ones as "<length>!". */
typedef struct result {
	char text[65536];
	size_t len;
} result;

static void append(result *r, const char *p, size_t n)
{
	assert_true(r->len + n < sizeof(r->text));
	memcpy(r->text + r->len, p, n);
	r->len += n;
}

static void append_long(result *r, uint64_t bytes)
{
	char text[32];
	append(r, text, (size_t)snprintf(text, sizeof(text), "%llu!", (unsigned long long)bytes));
}

/* The whole input in memory, a byte at a time: no block, no state. */
static void split_plainly(const char *in, size_t len, size_t max_line, result *r)
{
	r->len = 0;
	for (size_t start = 0, i = 0; i <= len; i++) {
		if (i < len && in[i] != '\n')
			continue;
		if (i == len && start == len)
			break;
		if (i - start > max_line)
			append_long(r, i - start);
		else {
			append(r, in + start, i - start);
			append(r, "|", 1);
		}
		start = i + 1;
	}
}

/* Takes what cli_lines_next gives until it wants more; the pieces of a long line must add up to its length. */
static void drain(cli_lines *l, result *r, uint64_t *piece_bytes)
{
	cli_slice s;
	cli_lines_event event;
	while ((event = cli_lines_next(l, &s)) != CLI_LINES_MORE && event != CLI_LINES_END) {
		if (event == CLI_LINES_LINE) {
			append(r, s.ptr, s.len);
			append(r, "|", 1);
			continue;
		}
		*piece_bytes += s.len;
		if (event == CLI_LINES_LONG_END) {
			assert_int_equal(*piece_bytes, l->long_bytes);
			append_long(r, l->long_bytes);
			*piece_bytes = 0;
		}
	}
}

/* Feed in blocks of at most `feed` bytes (0: a random size each time). */
static void split(const char *in, size_t len, size_t max_line, size_t feed, uint64_t *seed, result *r)
{
	cli_lines l;
	uint64_t piece_bytes = 0;
	r->len = 0;
	assert_true(cli_lines_init(&l, feed ? feed : 64, max_line));
	for (size_t done = 0;;) {
		size_t room, n;
		char *space = cli_lines_space(&l, &room);
		assert_non_null(space);
		n = feed ? feed : 1 + unit_random(seed) % 64;
		assert_true(room >= n || !feed);
		n = n < room ? n : room;
		n = n < len - done ? n : len - done;
		memcpy(space, in + done, n);
		cli_lines_filled(&l, n);
		done += n;
		drain(&l, r, &piece_bytes);
		if (!n)
			break;
	}
	cli_slice s;
	assert_int_equal(cli_lines_next(&l, &s), CLI_LINES_END);
	assert_int_equal(cli_lines_pending(&l), 0);
	cli_lines_deinit(&l);
}

static void check_all_feeds(const char *in, size_t len, size_t max_line)
{
	static result expected, got;
	uint64_t seed = len + 1;
	split_plainly(in, len, max_line, &expected);
	for (size_t feed = 0; feed <= len + 1; feed++) {
		split(in, len, max_line, feed, &seed, &got);
		assert_int_equal(got.len, expected.len);
		assert_memory_equal(got.text, expected.text, expected.len);
	}
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
		for (size_t max_line = 0; max_line <= 30; max_line++)
			check_all_feeds(cases[i].in, cases[i].len, max_line);
}

static void lines_equal_plain_splitting_for_random_input(void **state)
{
	(void)state;
	uint64_t seed = 7;
	char in[200];
	for (int round = 0; round < 300; round++) {
		size_t len = unit_random(&seed) % sizeof(in);
		unsigned one_in = 1 + (unsigned)(unit_random(&seed) % 40);
		for (size_t i = 0; i < len; i++)
			in[i] = unit_random(&seed) % one_in ? (char)unit_random(&seed) : '\n';
		check_all_feeds(in, len, 1 + unit_random(&seed) % 60);
	}
}

static void lines_memory_is_bounded_by_the_longest_line_allowed(void **state)
{
	(void)state;
	cli_lines l;
	uint64_t bytes = 0;
	assert_true(cli_lines_init(&l, 1024, 4096));
	for (int i = 0; i < 1000; i++) {
		size_t room;
		cli_slice s;
		char *space = cli_lines_space(&l, &room);
		memset(space, 'x', room);
		cli_lines_filled(&l, room);
		for (cli_lines_event e; (e = cli_lines_next(&l, &s)) != CLI_LINES_MORE; bytes += s.len)
			assert_int_equal(e, CLI_LINES_PIECE);
		assert_true(l.cap <= 16384);
	}
	assert_int_equal(bytes + cli_lines_pending(&l) - l.long_bytes, 1000 * 1024);
	cli_lines_deinit(&l);
}

static void lines_restart_forgets_the_unfinished_line(void **state)
{
	(void)state;
	cli_lines l;
	cli_slice s;
	size_t room;
	assert_true(cli_lines_init(&l, 16, 100));
	memcpy(cli_lines_space(&l, &room), "unfinished", 10);
	cli_lines_filled(&l, 10);
	assert_int_equal(cli_lines_next(&l, &s), CLI_LINES_MORE);
	assert_int_equal(cli_lines_pending(&l), 10);
	cli_lines_restart(&l);
	memcpy(cli_lines_space(&l, &room), "b\n", 2);
	cli_lines_filled(&l, 2);
	assert_int_equal(cli_lines_next(&l, &s), CLI_LINES_LINE);
	assert_int_equal(s.len, 1);
	assert_memory_equal(s.ptr, "b", 1);
	cli_lines_deinit(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_equal_plain_splitting_for_every_block_size),
		cmocka_unit_test(lines_equal_plain_splitting_for_random_input),
		cmocka_unit_test(lines_memory_is_bounded_by_the_longest_line_allowed),
		cmocka_unit_test(lines_restart_forgets_the_unfinished_line),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
