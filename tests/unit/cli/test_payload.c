/* test_payload.c - what perf sends: values in rotation, pieces between delimiters, keys in rotation and at random. */
#include "cli/payload.h"

#include <unistd.h>

#include "cli/cli.h"
#include "unit.h"

static char path[] = "/tmp/kp_test_payload_XXXXXX";

static void write_bytes(const char *text, size_t len)
{
	FILE *f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static cli_payload made(const cli_payload_options *options)
{
	cli_payload p;
	assert_int_equal(cli_payload_init(&p, options), CLI_GO_ON);
	return p;
}

static void next_is(cli_payload_cursor *c, const char *value)
{
	kp_record r = KP_RECORD_INIT;
	cli_payload_next(c, &r);
	assert_int_equal(r.value_len, strlen(value));
	assert_memory_equal(r.value, value, r.value_len);
}

static void lines_come_in_rotation(void **state)
{
	(void)state;
	write_bytes("one\n\nthree", 10);
	cli_payload p = made(&(cli_payload_options){.file = path, .size = SIZE_MAX});
	cli_payload_cursor c = {.payload = &p};
	for (int i = 0; i < 3; i++) {
		next_is(&c, "one");
		next_is(&c, "");
		next_is(&c, "three");
	}
	cli_payload_deinit(&p);
}

static void a_delimiter_of_several_bytes_ends_pieces(void **state)
{
	(void)state;
	write_bytes("a\nb;;c;;;;d;", 12);
	cli_payload p = made(&(cli_payload_options){.file = path, .size = SIZE_MAX, .delimiter = ";;", .delimiter_len = 2});
	cli_payload_cursor c = {.payload = &p};
	next_is(&c, "a\nb");
	next_is(&c, "c");
	next_is(&c, "");
	next_is(&c, "d;");
	next_is(&c, "a\nb");
	cli_payload_deinit(&p);
}

static void a_delimiter_may_be_a_null_byte(void **state)
{
	(void)state;
	write_bytes("a\0b", 4);
	cli_payload p = made(&(cli_payload_options){.file = path, .size = SIZE_MAX, .delimiter = "\0", .delimiter_len = 1});
	assert_int_equal(p.n, 2);
	cli_payload_deinit(&p);
}

static void pieces_are_cut_and_padded_to_a_size(void **state)
{
	(void)state;
	write_bytes("one,thirteen", 12);
	cli_payload p = made(&(cli_payload_options){.file = path, .size = 5, .delimiter = ",", .delimiter_len = 1});
	cli_payload_cursor c = {.payload = &p};
	next_is(&c, "one  ");
	next_is(&c, "thirt");
	next_is(&c, "one  ");
	cli_payload_deinit(&p);
}

static void a_piece_that_the_first_mebibyte_cuts_is_left_out(void **state)
{
	(void)state;
	size_t len = CLI_PAYLOAD_POOL + 100;
	char *text = malloc(len);
	memset(text, 'x', len);
	text[1000] = text[1001] = ';';
	write_bytes(text, len);
	cli_payload p = made(&(cli_payload_options){.file = path, .size = SIZE_MAX, .delimiter = ";;", .delimiter_len = 2});
	assert_int_equal(p.n, 1);
	assert_int_equal(p.lines[0].len, 1000);
	cli_payload_deinit(&p);
	free(text);
}

static void an_empty_file_is_a_mistake(void **state)
{
	(void)state;
	cli_payload p;
	write_bytes("", 0);
	assert_int_equal(cli_payload_init(&p, &(cli_payload_options){.file = path, .size = SIZE_MAX}), CLI_USAGE);
	cli_payload_deinit(&p);
	assert_int_equal(cli_payload_init(&p, &(cli_payload_options){.file = "/no/such/file", .size = 1}), CLI_USAGE);
	cli_payload_deinit(&p);
}

static unsigned key_of(cli_payload_cursor *c)
{
	kp_record r = KP_RECORD_INIT;
	char text[CLI_PAYLOAD_KEY_LEN + 1] = "";
	cli_payload_next(c, &r);
	assert_int_equal(r.key_len, CLI_PAYLOAD_KEY_LEN);
	memcpy(text, r.key, r.key_len);
	return (unsigned)strtoul(text, NULL, 10);
}

static void keys_come_in_rotation(void **state)
{
	(void)state;
	cli_payload p = made(&(cli_payload_options){.size = 10, .n_keys = 3});
	cli_payload_cursor c = {.payload = &p, .key = 1};
	static const unsigned expected[] = {1, 2, 0, 1};
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(key_of(&c), expected[i]);
	cli_payload_deinit(&p);
}

static void random_keys_are_spread_evenly(void **state)
{
	(void)state;
	cli_payload p = made(&(cli_payload_options){.size = 10, .n_keys = 10});
	cli_payload_cursor c = {.payload = &p, .random = 1};
	unsigned n[10] = {0}, in_a_row = 0, before = 0;
	for (int i = 0; i < 10000; i++) {
		unsigned key = key_of(&c);
		assert_in_range(key, 0, 9);
		n[key]++;
		in_a_row += key == (before + 1) % 10;
		before = key;
	}
	for (int i = 0; i < 10; i++)
		assert_in_range(n[i], 850, 1150);
	assert_in_range(in_a_row, 850, 1150);
	cli_payload_deinit(&p);
}

static int make_file(void **state)
{
	(void)state;
	int fd = mkstemp(path);
	return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_come_in_rotation),
		cmocka_unit_test(a_delimiter_of_several_bytes_ends_pieces),
		cmocka_unit_test(a_delimiter_may_be_a_null_byte),
		cmocka_unit_test(pieces_are_cut_and_padded_to_a_size),
		cmocka_unit_test(a_piece_that_the_first_mebibyte_cuts_is_left_out),
		cmocka_unit_test(an_empty_file_is_a_mistake),
		cmocka_unit_test(keys_come_in_rotation),
		cmocka_unit_test(random_keys_are_spread_evenly),
	};
	return cmocka_run_group_tests(tests, make_file, remove_file);
}
