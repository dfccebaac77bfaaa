/* test_json.c - what is written parses back equal, with another library; also text that is not UTF-8. */
#include "cli/json.h"

#include <jansson.h>

#include "unit.h"

/* {"text": value} written, read with jansson; its text is returned. */
static char *round_trip(const char *value)
{
	char *text = NULL;
	size_t len;
	cli_json j = {.out = open_memstream(&text, &len)};
	cli_json_open(&j, NULL, '{');
	cli_json_text(&j, "text", value);
	cli_json_close(&j, '}');
	fclose(j.out);
	json_error_t error;
	json_t *root = json_loads(text, 0, &error);
	if (!root)
		fail_msg("%s in %s", error.text, text);
	char *back = strdup(json_string_value(json_object_get(root, "text")));
	json_decref(root);
	free(text);
	return back;
}

static void json_text_round_trips(void **state)
{
	(void)state;
	static const char *const texts[] = {"",
	                                    "plain",
	                                    "\"quoted\" \\ back",
	                                    "\x01\x02\t\n\r\x1f\x7f",
	                                    "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
	                                    "\xef\xbf\xbf\xf4\x8f\xbf\xbf"};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char *back = round_trip(texts[i]);
		assert_string_equal(back, texts[i]);
		free(back);
	}
}

static void json_text_replaces_bytes_that_are_not_utf8(void **state)
{
	(void)state;
#define BAD "\xef\xbf\xbd"
	static const struct {
		const char *in, *out;
	} cases[] = {
		{"a\xff"
	         "b",
	         "a" BAD "b"},
		{"\xc0\x80", BAD BAD},
		{"\xe0\x80\x80", BAD BAD BAD},
		{"\xed\xa0\x80", BAD BAD BAD},
		{"\xf4\x90\x80\x80", BAD BAD BAD BAD},
		{"\xe2\x82", BAD BAD},
		{"\xc3", BAD},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *back = round_trip(cases[i].in);
		assert_string_equal(back, cases[i].out);
		free(back);
	}
}

static void json_nests_and_separates(void **state)
{
	(void)state;
	char *text = NULL;
	size_t len;
	cli_json j = {.out = open_memstream(&text, &len)};
	cli_json_open(&j, NULL, '{');
	cli_json_open(&j, "empty", '[');
	cli_json_close(&j, ']');
	cli_json_open(&j, "list", '[');
	cli_json_uint(&j, NULL, UINT64_MAX);
	cli_json_int(&j, NULL, INT64_MIN);
	cli_json_open(&j, NULL, '{');
	cli_json_bool(&j, "b", true);
	cli_json_close(&j, '}');
	cli_json_close(&j, ']');
	cli_json_real(&j, "real", 1.25, 3);
	cli_json_text(&j, "null", NULL);
	cli_json_close(&j, '}');
	fclose(j.out);
	assert_string_equal(text, "{\"empty\": [], \"list\": [18446744073709551615, -9223372036854775808, {\"b\": true}], "
	                          "\"real\": 1.250, \"null\": null}");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_text_round_trips),
		cmocka_unit_test(json_text_replaces_bytes_that_are_not_utf8),
		cmocka_unit_test(json_nests_and_separates),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
