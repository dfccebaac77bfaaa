/* test_frames.c - records with lengths in front, whole and a byte at a time; lengths that make no sense are named with their place. */
#include "reading.h"

#define IS(format, max, in, expected) reading_is(format, max, in, sizeof(in) - 1, expected, sizeof(expected) - 1)
#define NULL_LENGTH "\xff\xff\xff\xff"

static void length_gives_values_empty_and_null_ones(void **state)
{
	(void)state;
	IS("length", 100, "", "");
	IS("length", 100, "\0\0\0\3abc\0\0\0\0" NULL_LENGTH "\0\0\0\2\n\0", "abc||~|\n\0|");
}

static void length_kv_gives_keys_and_values_empty_and_null_ones(void **state)
{
	(void)state;
	IS("length-kv", 100,
	   "\0\0\0\1k\0\0\0\2vw" NULL_LENGTH "\0\0\0\0"
	   "\0\0\0\0" NULL_LENGTH,
	   "k=vw|~=|=~|");
	IS("length-kv", 100, NULL_LENGTH NULL_LENGTH, "~=~|");
}

static void too_long_values_come_in_pieces_and_the_next_record_is_found(void **state)
{
	(void)state;
	IS("length", 3, "\0\0\0\3abc\0\0\0\4abcd\0\0\0\1z", "abc|4!z|");
	IS("length-kv", 4, "\0\0\0\2kk\0\0\0\2vv\0\0\0\2kk\0\0\0\3vvv" NULL_LENGTH "\0\0\0\1z", "kk=vv|kk=5!~=z|");
}

static void bad_lengths_are_named_with_their_place(void **state)
{
	(void)state;
	IS("length", 100, "\0\0\0\1a\xff\xff\xff\xfexyz",
	   "a|broken: the value's length at byte 5 is -2; a length is 4 bytes, big-endian, -1 for null|");
	IS("length-kv", 100, "\x80\0\0\0xyz",
	   "broken: the key's length at byte 0 is -2147483648; a length is 4 bytes, big-endian, -1 for null|");
	IS("length-kv", 100, "\0\0\0\1k\xff\xff\xff\0xyz",
	   "broken: the value's length at byte 5 is -256; a length is 4 bytes, big-endian, -1 for null|");
	IS("length-kv", 100, "\0\0\1\0xyz", "broken: the key's length at byte 0 is 256, more than max.request.size (100)|");
}

static void an_input_that_ends_inside_a_record_is_named_with_the_place(void **state)
{
	(void)state;
	IS("length", 100, "\0\0\0\1a\0\0",
	   "a|broken: the input ends inside the record at byte 5: it wants 4 bytes with its lengths, 2 are there|");
	IS("length", 100, "\0\0\0\5abc",
	   "broken: the input ends inside the record at byte 0: it wants 9 bytes with its lengths, 7 are there|");
	IS("length-kv", 100, "\0\0\0\1k\0\0\0\2v",
	   "broken: the input ends inside the record at byte 0: it wants 11 bytes with its lengths, 10 are there|");
	IS("length", 3, "\0\0\0\5abc", "broken: the input ends inside a record of 5 bytes, 2 of them are missing|");
	IS("length", 100, "2026-01-01 a log line\n",
	   "broken: the input ends inside a record of 842019382 bytes, 842019364 of them are missing|");
}

static void put_length(char *out, size_t *len, int32_t n)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		out[(*len)++] = (char)((uint32_t)n >> shift);
}

/* Random records, and what they should be read as. */
static void random_pairs_come_back(void **state)
{
	(void)state;
	static char in[4096];
	static reading expected;
	uint64_t seed = 11;
	for (int round = 0; round < 60; round++) {
		size_t len = 0;
		expected.len = 0;
		for (uint64_t n = unit_random(&seed) % 12; n > 0; n--)
			for (int field = 0; field < 2; field++) {
				int32_t size = (int32_t)(unit_random(&seed) % 22) - 1;
				put_length(in, &len, size);
				for (int32_t i = 0; i < size; i++)
					in[len++] = (char)unit_random(&seed);
				if (size < 0)
					reading_put(&expected, "~", 1);
				else
					reading_put(&expected, in + len - size, (size_t)size);
				reading_put(&expected, field ? "|" : "=", 1);
			}
		reading_is("length-kv", 100, in, len, expected.text, expected.len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(length_gives_values_empty_and_null_ones),
		cmocka_unit_test(length_kv_gives_keys_and_values_empty_and_null_ones),
		cmocka_unit_test(too_long_values_come_in_pieces_and_the_next_record_is_found),
		cmocka_unit_test(bad_lengths_are_named_with_their_place),
		cmocka_unit_test(an_input_that_ends_inside_a_record_is_named_with_the_place),
		cmocka_unit_test(random_pairs_come_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
