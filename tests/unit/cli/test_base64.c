/* test_base64.c - RFC 4648's examples, every way of cutting the input into pieces, and what is no base64. */
#include "cli/base64.h"

#include "unit.h"

static void base64_encodes_and_decodes_the_examples_of_the_rfc(void **state)
{
	(void)state;
	static const char *const pairs[][2] = {{"", ""},
	                                       {"f", "Zg=="},
	                                       {"fo", "Zm8="},
	                                       {"foo", "Zm9v"},
	                                       {"foob", "Zm9vYg=="},
	                                       {"fooba", "Zm9vYmE="},
	                                       {"foobar", "Zm9vYmFy"}};
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		char out[16];
		cli_base64 b = {0};
		size_t len = cli_base64_put(&b, pairs[i][0], strlen(pairs[i][0]), out);
		len += cli_base64_end(&b, out + len);
		assert_int_equal(len, strlen(pairs[i][1]));
		assert_memory_equal(out, pairs[i][1], len);
		assert_true(cli_base64_decode(out, len, out, &len));
		assert_int_equal(len, strlen(pairs[i][0]));
		assert_memory_equal(out, pairs[i][0], len);
	}
}

static void base64_in_pieces_of_any_size_comes_back(void **state)
{
	(void)state;
	unsigned char in[300];
	char out[1000];
	uint64_t seed = 3;
	for (int round = 0; round < 500; round++) {
		size_t n = unit_random(&seed) % sizeof(in), len = 0;
		cli_base64 b = {0};
		for (size_t i = 0; i < n; i++)
			in[i] = (unsigned char)unit_random(&seed);
		for (size_t done = 0, piece; done < n; done += piece) {
			piece = unit_random(&seed) % 9;
			piece = piece < n - done ? piece : n - done;
			size_t put = cli_base64_put(&b, in + done, piece, out + len);
			assert_true(put <= CLI_BASE64_ROOM(piece));
			len += put;
		}
		len += cli_base64_end(&b, out + len);
		assert_int_equal(len, (n + 2) / 3 * 4);
		assert_true(cli_base64_decode(out, len, out, &len));
		assert_int_equal(len, n);
		assert_memory_equal(out, in, n);
	}
}

static void base64_refuses_what_is_none(void **state)
{
	(void)state;
	static const char *const wrong[] = {"Z",        "Zg",    "Zg=",  "Zg===", "====", "Z===",  "=",
	                                    "Zg==Zg==", "Zm9\n", "Zm-_", " Zm9v", "Zm=v", "\\Zm9v"};
	size_t len;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(cli_base64_decode(wrong[i], strlen(wrong[i]), NULL, &len));
	assert_true(cli_base64_decode("\\/w==", 5, NULL, &len));
	assert_int_equal(len, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(base64_encodes_and_decodes_the_examples_of_the_rfc),
		cmocka_unit_test(base64_in_pieces_of_any_size_comes_back),
		cmocka_unit_test(base64_refuses_what_is_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
