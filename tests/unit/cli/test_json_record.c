/* test_json_record.c - JSON lines into records: members, bytes, defaults, mistakes with their place; and the same words as jansson. */
#include <jansson.h>

#include "reading.h"

#define IS(in, expected) reading_is("json", 1000, in, sizeof(in) - 1, expected, sizeof(expected) - 1)
static void json_gives_the_members_that_are_there(void **state)
{
	(void)state;
	IS("{\"value\":\"v\"}", "v|");
	IS("{\"key\":\"k\",\"value\":\"v\"}\n", "k=v|");
	IS(" { \"value\" : \"v\" ,\t\"key\" : null } \r\n", "~=v|");
	IS("{\"key\":\"\",\"value\":null}\n{\"value\":\"\"}", "=~||");
	IS("{\"value\":\"v\",\"partition\":2,\"timestamp\":1700000000000}", "v @2 t1700000000000|");
	IS("{\"value\":\"v\",\"timestamp\":0,\"partition\":2147483647}", "v @2147483647 t0|");
}

static void json_headers_keep_order_doubles_empty_and_null_values(void **state)
{
	(void)state;
	IS("{\"headers\":[{\"key\":\"b\",\"value\":\"2\"},{\"value\":null,\"key\":\"a\"},{\"key\":\"b\",\"value\":\"\"},{\"key\":\"\",\"value_base64\":"
	   "\"/w==\"}],\"value\":\"v\"}",
	   "v b:2 a:~ b: :\xff|");
	IS("{\"value\":\"v\",\"headers\":{\"x\":\"1\",\"y\":null}}", "v x:1 y:~|");
	IS("{\"value\":\"v\",\"headers\":[]}\n{\"value\":\"w\",\"headers\":{}}\n{\"value\":\"w\",\"headers\":null}", "v|w|w|");
}

static void json_bytes_come_as_base64(void **state)
{
	(void)state;
	IS("{\"key_base64\":\"\",\"value_base64\":\"AP8K\"}", "=\0\xff\n|");
	IS("{\"value_base64\":null}", "~|");
	IS("{\"value_base64\":\"\\/\\/\\/\\/\"}", "\xff\xff\xff|");
}

static void json_escapes_stand_for_what_they_say(void **state)
{
	(void)state;
	IS("{\"value\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\\u00e4\\u20ac\\ud83e\\udd80\\uFFFF\"}",
	   "\"\\/\b\f\n\r\t\0\xc3\xa4\xe2\x82\xac\xf0\x9f\xa6\x80\xef\xbf\xbf|");
	IS("{\"value\":\"\xc3\xa4 long enough for eight bytes at once \xf0\x9f\xa6\x80, and \\n an escape behind\"}",
	   "\xc3\xa4 long enough for eight bytes at once \xf0\x9f\xa6\x80, and \n an escape behind|");
	IS("{\"headers\":{\"\\u0061\\n\":\"\\t\"},\"key\":\"\\u0041\",\"value\":\"\"}", "A= a\n:\t|");
}

static void json_passes_over_what_failed_and_consumers_write_beside(void **state)
{
	(void)state;
	IS("{\"outcome\":\"UNKNOWN\",\"error\":\"X\",\"input\":\"f\\n\",\"record\":12,\"topic\":null,\"offset\":-1.5e+3,\"value\":\"v\"}",
	   "v|");
}

static void json_lines_without_anything_are_no_records(void **state)
{
	(void)state;
	IS("\n \t\r\n{\"value\":\"v\"}\n\n", "blank|blank|v|blank|");
}

static void json_mistakes_are_named_with_their_place(void **state)
{
	(void)state;
	static const struct {
		const char *line, *what;
		int at;
	} cases[] = {
		{"value", "an object {\"value\": \xe2\x80\xa6} was expected", 1},
		{"[1]", "an object {\"value\": \xe2\x80\xa6} was expected", 1},
		{"{}", "no value; a null one is \"value\": null", 1},
		{"{\"key\":\"k\"}", "no value; a null one is \"value\": null", 1},
		{"{\"value\":\"v\"", "',' or '}' was expected", 13},
		{"{\"value\":\"v\"}}", "more behind the object; an object stands on a line of its own", 14},
		{"{\"value\" \"v\"}", "':' was expected", 10},
		{"{\"value\":\"v\",}", "a string was expected", 14},
		{"{\"value\":v}", "a string or null was expected; other JSON goes into a string (jq: tojson)", 10},
		{"{\"value\":{\"a\":1}}", "a string or null was expected; other JSON goes into a string (jq: tojson)", 10},
		{"{\"value\":\"v}", "a string without its closing quote", 10},
		{"{\"value\":\"a\\x\"}", "an unknown escape in a string", 12},
		{"{\"value\":\"a\\", "an unknown escape in a string", 12},
		{"{\"value\":\"\\u12g4\"}", "\\u wants four hexadecimal digits, of a surrogate pair both halves", 11},
		{"{\"value\":\"\\ud800\"}", "\\u wants four hexadecimal digits, of a surrogate pair both halves", 11},
		{"{\"value\":\"\\udc00\\ud800\"}", "\\u wants four hexadecimal digits, of a surrogate pair both halves", 11},
		{"{\"value\":\"a\tb\"}", "a control character in a string, write it as \\u00XX", 12},
		{"{\"value\":\"a\xff\"}", "not UTF-8 (bytes that are no text go into value_base64, key_base64)", 12},
		{"{\"value\":\"a\xed\xa0\x80\"}", "not UTF-8 (bytes that are no text go into value_base64, key_base64)", 12},
		{"{\"value_base64\":\"AP8\"}", "not base64", 17},
		{"{\"value_base64\":\"AP8\\u004b\"}", "not base64", 17},
		{"{\"vale\":\"v\"}",
	         "an unknown member; there are key, value, headers, partition and timestamp, key_base64 and value_base64", 3},
		{"{\"value\":\"v\",\"value_base64\":\"\"}", "a member that was there already, perhaps as base64", 15},
		{"{\"value\":\"v\",\"headers\":[],\"headers\":[]}", "a member that was there already", 28},
		{"{\"value\":\"v\",\"partition\":1,\"partition\":1}", "a member that was there already", 29},
		{"{\"value\":\"v\",\"partition\":-1}", "its number is out of range", 15},
		{"{\"value\":\"v\",\"partition\":2147483648}", "its number is out of range", 15},
		{"{\"value\":\"v\",\"partition\":1.0}", "a whole number was expected", 26},
		{"{\"value\":\"v\",\"partition\":01}", "a whole number was expected", 26},
		{"{\"value\":\"v\",\"partition\":\"1\"}", "a whole number was expected", 26},
		{"{\"value\":\"v\",\"timestamp\":9223372036854775808}", "a whole number was expected", 26},
		{"{\"value\":\"v\",\"headers\":1}", "headers are an array of {\"key\": NAME, \"value\": TEXT}, or an object", 24},
		{"{\"value\":\"v\",\"headers\":[1]}", "a header is {\"key\": NAME, \"value\": TEXT}", 25},
		{"{\"value\":\"v\",\"headers\":[{\"key\":\"a\"}]}", "a header wants both key and value", 25},
		{"{\"value\":\"v\",\"headers\":[{\"name\":\"a\"}]}", "a header has key and value (or value_base64), once each", 27},
		{"{\"value\":\"v\",\"headers\":{\"a\":1}}",
	         "a string or null was expected; other JSON goes into a string (jq: tojson)", 29},
		{"{\"value\":\"v\",\"headers\":{\"a\\u0000\":null}}", "a header's name cannot hold a NUL", 27},
		{"{\"value\":\"v\",\"offset\":01}", "a value was expected", 23},
		{"{\"value\":\"v\",\"offset\":1.}", "a number without digits behind its point", 23},
		{"{\"value\":\"v\",\"offset\":1e}", "a number without digits in its exponent", 23},
		{"{\"value\":\"v\",\"error\":{}}", "a value was expected", 22},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char in[400], expected[600];
		int in_len = snprintf(in, sizeof(in), "\n%s\n{\"value\":\"next\"}", cases[i].line);
		int len = snprintf(expected, sizeof(expected), "blank|bad: %s, at byte %d of the line|next|", cases[i].what,
		                   cases[i].at);
		reading_is("json", 1000, in, (size_t)in_len, expected, (size_t)len);
	}
}

static void a_line_with_a_mistake_comes_back_as_it_was(void **state)
{
	(void)state;
	static const char line[] = "{\"key\":\"\\u0041\",\"value\":\"\\u0042\"} more";
	cli_reader r;
	kp_record record = KP_RECORD_INIT;
	size_t room;
	assert_true(cli_reader_init(&r, &cli_formats[4], 1024, 1000));
	memcpy(cli_reader_space(&r, &room), line, sizeof(line) - 1);
	cli_reader_filled(&r, sizeof(line) - 1);
	assert_int_equal(cli_reader_next(&r, &record), CLI_READ_MORE);
	cli_reader_space(&r, &room);
	cli_reader_filled(&r, 0);
	assert_int_equal(cli_reader_next(&r, &record), CLI_READ_BAD);
	assert_int_equal(record.value_len, sizeof(line) - 1);
	assert_memory_equal(record.value, line, sizeof(line) - 1);
	cli_reader_deinit(&r);
}

static void many_headers_stay_where_they_are_until_the_next_block(void **state)
{
	(void)state;
	enum { RECORDS = 40, HEADERS = 100 };
	static char in[RECORDS * (HEADERS * 32 + 64)];
	static kp_record records[RECORDS];
	size_t len = 0, room;
	cli_reader r;
	for (int i = 0; i < RECORDS; i++) {
		len += (size_t)snprintf(in + len, sizeof(in) - len, "{\"value\":\"\",\"headers\":{");
		for (int h = 0; h < HEADERS; h++)
			len += (size_t)snprintf(in + len, sizeof(in) - len, "%s\"n%d\":\"%d-%d\"", h ? "," : "", h, i, h);
		len += (size_t)snprintf(in + len, sizeof(in) - len, "}}\n");
	}
	assert_true(cli_reader_init(&r, &cli_formats[4], sizeof(in), 1000));
	memcpy(cli_reader_space(&r, &room), in, len);
	cli_reader_filled(&r, len);
	for (int i = 0; i < RECORDS; i++)
		assert_int_equal(cli_reader_next(&r, &records[i]), CLI_READ_RECORD);
	for (int i = 0; i < RECORDS; i++)
		for (int h = 0; h < HEADERS; h++) {
			char text[32];
			snprintf(text, sizeof(text), "n%d", h);
			assert_string_equal(records[i].headers[h].name, text);
			assert_int_equal(snprintf(text, sizeof(text), "%d-%d", i, h), records[i].headers[h].value_len);
			assert_memory_equal(records[i].headers[h].value, text, records[i].headers[h].value_len);
		}
	cli_reader_deinit(&r);
}

/* Lines near to right ones: whatever jansson takes as an object with a text value, we take with the same value, and nothing else. */
static void random_lines_are_taken_as_jansson_takes_them(void **state)
{
	(void)state;
	static const char *const pieces[] = {"a",
	                                     "\\n",
	                                     "\\u0041",
	                                     "\\u00",
	                                     "\xc3\xa4",
	                                     "\xc3",
	                                     "\\ud83e\\udd80",
	                                     "\\ud83e",
	                                     "\\\\",
	                                     "\\\"",
	                                     "\"",
	                                     "\\/",
	                                     "\x01",
	                                     "long enough text",
	                                     "\\u0000",
	                                     "\\",
	                                     "\xf4\x8f\xbf\xbf",
	                                     "\xed\xa0\x80",
	                                     "}",
	                                     ","};
	uint64_t seed = 5;
	size_t n_good = 0;
	for (int round = 0; round < 20000; round++) {
		char line[400] = "{\"value\":\"";
		size_t len = strlen(line);
		for (uint64_t n = unit_random(&seed) % 5; n > 0; n--)
			len += (size_t)snprintf(line + len, sizeof(line) - len, "%s",
			                        pieces[unit_random(&seed) % (sizeof(pieces) / sizeof(pieces[0]))]);
		len += (size_t)snprintf(line + len, sizeof(line) - len, "\"}");
		json_t *theirs = json_loadb(line, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
		json_t *value = theirs && json_object_size(theirs) == 1 ? json_object_get(theirs, "value") : NULL;
		cli_json_parser parser = {0};
		cli_json_scan s;
		kp_record ours = KP_RECORD_INIT;
		cli_json_scan_init(&s, line, len);
		bool is_good = cli_json_record(&parser, &s, &ours);
		assert_int_equal(is_good, json_is_string(value));
		if (is_good) {
			n_good++;
			assert_int_equal(ours.value_len, json_string_length(value));
			assert_memory_equal(ours.value, json_string_value(value), ours.value_len);
		}
		json_decref(theirs);
		cli_json_parser_deinit(&parser);
	}
	assert_true(n_good > 3000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_gives_the_members_that_are_there),
		cmocka_unit_test(json_headers_keep_order_doubles_empty_and_null_values),
		cmocka_unit_test(json_bytes_come_as_base64),
		cmocka_unit_test(json_escapes_stand_for_what_they_say),
		cmocka_unit_test(json_passes_over_what_failed_and_consumers_write_beside),
		cmocka_unit_test(json_lines_without_anything_are_no_records),
		cmocka_unit_test(json_mistakes_are_named_with_their_place),
		cmocka_unit_test(a_line_with_a_mistake_comes_back_as_it_was),
		cmocka_unit_test(many_headers_stay_where_they_are_until_the_next_block),
		cmocka_unit_test(random_lines_are_taken_as_jansson_takes_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
