/* Numeric addresses: parsing, formatting, comparing. */
#include "net_test.h"

static void check_text(const char *host, uint16_t port, const char *expected)
{
	kp_address a;
	char text[KP_ADDRESS_TEXT_MAX];
	assert_true(kp_address_parse(host, port, &a));
	assert_int_equal(kp_address_port(&a), port);
	kp_address_format(&a, text);
	assert_string_equal(text, expected);
}

static void numeric_addresses_are_parsed_and_formatted(void **state)
{
	(void)state;
	check_text("10.1.2.3", 9092, "10.1.2.3:9092");
	check_text("::1", 65535, "[::1]:65535");
	check_text("2001:DB8:0::8", 1, "[2001:db8::8]:1");
	check_text("fe80::1%lo", 9092, "[fe80::1%lo]:9092");
	check_text("fe80::1%1", 9092, "[fe80::1%lo]:9092");
	check_text("fe80::1%4000000", 9092, "[fe80::1%4000000]:9092");
}

static void names_are_no_addresses(void **state)
{
	(void)state;
	static const char *const names[] = {
		"",     "localhost",      "10.1.2", "10.1.2.3.4",  "1.2.3.256",
		"::1%", "::1%no-such-if", "[::1]",  "fe80::1%12x", "1111:2222:3333:4444:5555:6666:7777:8888:9999:0000:1111"};
	kp_address a;
	for (size_t i = 0; i < KP_ARRAY_LEN(names); i++)
		assert_false(kp_address_parse(names[i], 1, &a));
}

static void addresses_are_equal_with_their_port_and_zone(void **state)
{
	(void)state;
	kp_address a, b;
	assert_true(kp_address_parse("::1", 1, &a) && kp_address_parse("0:0::1", 1, &b));
	assert_true(kp_address_equal(&a, &b));
	kp_address_set_port(&b, 2);
	assert_false(kp_address_equal(&a, &b));
	assert_true(kp_address_parse("fe80::1%1", 1, &a) && kp_address_parse("fe80::1%2", 1, &b));
	assert_false(kp_address_equal(&a, &b));
	assert_true(kp_address_parse("127.0.0.1", 1, &a));
	assert_false(kp_address_equal(&a, &b));
}

static void loopback_is_told_from_the_rest(void **state)
{
	(void)state;
	static const struct {
		const char *host;
		bool is_loopback;
	} cases[] = {
		{"127.0.0.1", true},  {"127.255.0.9", true}, {"::1", true}, {"::ffff:127.0.0.1", true}, {"126.0.0.1", false},
		{"128.0.0.1", false}, {"0.0.0.0", false},    {"::", false}, {"::ffff:10.0.0.1", false}, {"fe80::1", false},
	};
	for (size_t i = 0; i < KP_ARRAY_LEN(cases); i++) {
		kp_address a;
		assert_true(kp_address_parse(cases[i].host, 1, &a));
		assert_int_equal(cases[i].is_loopback, kp_address_is_loopback(&a));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numeric_addresses_are_parsed_and_formatted),
		cmocka_unit_test(names_are_no_addresses),
		cmocka_unit_test(addresses_are_equal_with_their_port_and_zone),
		cmocka_unit_test(loopback_is_told_from_the_rest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
