/* test_config_values.c - every property: default, round trip, bounds; values by kind; callbacks; copies. */
#include "config_support.h"

#include <inttypes.h>

#include "client/config_table.h"

/* What is set can be read, and what is read can be set. */
static void assert_round_trip(const char *name, const char *value)
{
	kp_config *a = kp_config_new(), *b = kp_config_new();
	char first[ERR_SIZE], second[ERR_SIZE];
	assert_true(a && b);
	must_set(a, name, value);
	assert_int_equal(kp_config_get(a, name, first, sizeof first, NULL), 0);
	must_set(b, name, first);
	assert_int_equal(kp_config_get(b, name, second, sizeof second, NULL), 0);
	assert_string_equal(first, second);
	kp_config_free(a);
	kp_config_free(b);
}

static bool is_number(const kp_property_row *row)
{
	return row->kind == KP_VALUE_INT || row->kind == KP_VALUE_DURATION_MS || row->kind == KP_VALUE_DURATION_US;
}

static void config_starts_with_the_defaults_of_the_table(void **state)
{
	(void)state;
	kp_config *c = kp_config_new();
	for (size_t i = 0; i < KP_PROP_COUNT; i++) {
		must_get(c, kp_property_rows[i].name, kp_property_rows[i].default_value);
		assert_false(c->settings.is_set[i]);
	}
	kp_config_free(c);
}

static void config_fills_the_engine_with_javas_defaults(void **state)
{
	(void)state;
	kp_config *c = kp_config_new();
	const kp_engine_config *e = &c->settings.engine;
	assert_int_equal(e->batch_size, 1000000);
	assert_int_equal(e->linger_us, 5000);
	assert_int_equal(e->buffer_memory, 33554432);
	assert_int_equal(e->max_request_size, 1048576);
	assert_int_equal(e->max_queued_records, 0);
	assert_int_equal(e->full_policy, KP_FULL_BLOCK);
	assert_int_equal(e->codec, KP_CODEC_NONE);
	assert_int_equal(e->reports, KP_REPORTS_ALL);
	assert_int_equal(e->acks, -1);
	assert_true(e->idempotent);
	assert_int_equal(e->max_in_flight, 5);
	assert_int_equal(e->retries, INT32_MAX);
	assert_int_equal(e->retry_backoff_us, 100000);
	assert_int_equal(e->retry_backoff_max_us, 1000000);
	assert_int_equal(e->delivery_timeout_us, 120000000);
	assert_int_equal(e->request_timeout_us, 30000000);
	assert_false(e->ignore_keys);
	assert_true(e->adaptive);
	assert_int_equal(e->availability_timeout_us, 0);
	assert_true(e->allow_auto_create);
	assert_int_equal(e->metadata_max_age_us, 300000000);
	assert_int_equal(e->metadata_max_idle_us, 300000000);
	assert_true(e->rebootstrap);
	assert_int_equal(e->rebootstrap_trigger_us, 300000000);
	assert_int_equal(e->reconnect_backoff_us, 50000);
	assert_int_equal(e->reconnect_backoff_max_us, 1000000);
	assert_int_equal(e->connections_max_idle_us, 540000000);
	assert_string_equal(e->client_id, "");
	assert_int_equal(c->settings.max_block_ms, 60000);
	assert_int_equal(c->settings.log_level, 4);
	assert_int_equal(c->settings.net.send_buffer_bytes, 524288);
	assert_int_equal(c->settings.net.receive_buffer_bytes, -1);
	assert_int_equal(c->settings.net.socket_connection_setup_timeout_ms, 10000);
	kp_config_free(c);
}

static void every_property_is_in_the_public_table(void **state)
{
	(void)state;
	assert_int_equal(kp_property_count(), KP_PROP_COUNT);
	for (size_t i = 0; i < KP_PROP_COUNT; i++) {
		kp_property p = {.struct_size = sizeof p};
		assert_int_equal(kp_property_get(i, &p), 0);
		assert_int_equal(p.struct_size, sizeof p);
		assert_string_equal(p.name, kp_property_rows[i].name);
		assert_non_null(p.default_value);
		assert_true(p.type[0] && p.range[0] && p.doc[0]);
		assert_true(!strcmp(p.importance, "high") || !strcmp(p.importance, "medium") || !strcmp(p.importance, "low"));
	}
	kp_property p = {.struct_size = sizeof p};
	assert_int_equal(kp_property_get(KP_PROP_COUNT, &p), KP_ERR_BAD_ARGUMENT);
	assert_int_equal(kp_property_get(0, NULL), KP_ERR_BAD_ARGUMENT);
}

static void a_caller_with_a_shorter_struct_gets_its_part_only(void **state)
{
	(void)state;
	kp_property p = {.struct_size = offsetof(kp_property, type), .type = "untouched"};
	assert_int_equal(kp_property_get(KP_PROP_ACKS, &p), 0);
	assert_string_equal(p.name, "acks");
	assert_string_equal(p.type, "untouched");
}

static void every_property_goes_round(void **state)
{
	(void)state;
	char text[32];
	for (size_t i = 0; i < KP_PROP_COUNT; i++) {
		const kp_property_row *row = &kp_property_rows[i];
		assert_round_trip(row->name, row->default_value);
		if (is_number(row)) {
			snprintf(text, sizeof text, "%" PRId64, row->min);
			assert_round_trip(row->name, text);
			snprintf(text, sizeof text, "%" PRId64, row->max);
			assert_round_trip(row->name, text);
		}
		for (const kp_enum_value *v = row->values; v->name; v++)
			assert_round_trip(row->name, v->name);
	}
	assert_round_trip("enable.idempotence", "false");
	assert_round_trip("client.id", "a name with blanks, \xc3\xa4\xc3\xb6 and =");
	assert_round_trip("bootstrap.servers", "a,b:1,[fe80::1%eth0],[::1]:2,PLAINTEXT://c:3");
	assert_round_trip("linger.ms", "0.001");
	assert_round_trip("linger.ms", "12.34");
	assert_round_trip("connections.max.idle.ms", "-1");
}

static void numbers_are_bounded_on_both_sides(void **state)
{
	(void)state;
	for (size_t i = 0; i < KP_PROP_COUNT; i++) {
		const kp_property_row *row = &kp_property_rows[i];
		char value[32], text[ERR_SIZE];
		kp_config *c = kp_config_new();
		if (is_number(row)) {
			snprintf(value, sizeof value, "%" PRId64, (row->extra < row->min ? row->extra : row->min) - 1);
			snprintf(text, sizeof text, "%s: \"%s\" is out of range (%s)", row->name, value, row->range);
			must_refuse(c, row->name, value, text);
			snprintf(value, sizeof value, "%" PRIu64, (uint64_t)row->max + 1);
			snprintf(text, sizeof text, "%s: \"%s\" is out of range (%s)", row->name, value, row->range);
			must_refuse(c, row->name, value, text);
		}
		kp_config_free(c);
	}
}

static void numbers_that_are_none_are_refused(void **state)
{
	(void)state;
	kp_config *c = kp_config_new();
	must_refuse(c, "retries", "", "retries: \"\" is not a whole number (0 .. 2147483647)");
	must_refuse(c, "retries", "5x", "retries: \"5x\" is not a whole number (0 .. 2147483647)");
	must_refuse(c, "retries", "0x10", "retries: \"0x10\" is not a whole number (0 .. 2147483647)");
	must_refuse(c, "retries", "1 0", "retries: \"1 0\" is not a whole number (0 .. 2147483647)");
	must_refuse(c, "retries", "1.0001", "retries: \"1.0001\" is not a whole number (0 .. 2147483647)");
	must_refuse(c, "retries", "-", "retries: \"-\" is not a whole number (0 .. 2147483647)");
	must_refuse(c, "retries", "99999999999999999999999999",
	            "retries: \"99999999999999999999999999\" is out of range (0 .. 2147483647)");
	must_refuse(c, "request.timeout.ms", "1.5",
	            "request.timeout.ms: \"1.5\" is not a whole number of milliseconds (0 .. 2147483647)");
	must_refuse(c, "compression.gzip.level", "0", "compression.gzip.level: \"0\" is out of range (-1, 1 .. 9)");
	must_refuse(c, "retries", "1\n2", "retries: \"1?2\" is not a whole number (0 .. 2147483647)");
	must_set(c, "retries", " +7\t");
	must_get(c, "retries", "7");
	kp_config_free(c);
}

static void linger_takes_fractions_of_a_millisecond(void **state)
{
	(void)state;
	kp_config *c = kp_config_new();
	must_set(c, "linger.ms", "0.5");
	assert_int_equal(c->settings.engine.linger_us, 500);
	must_get(c, "linger.ms", "0.5");
	must_set(c, "linger.ms", "2.06200");
	assert_int_equal(c->settings.engine.linger_us, 2062);
	must_get(c, "linger.ms", "2.062");
	must_set(c, "linger.ms", "0.001");
	must_get(c, "linger.ms", "0.001");
	kp_config_free(c);
}

static void linger_refuses_what_is_finer_than_a_microsecond(void **state)
{
	(void)state;
	static const char *const bad[] = {"0.0005", ".5", "1.", "1.x", "1e3"};
	kp_config *c = kp_config_new();
	for (size_t i = 0; i < KP_ARRAY_LEN(bad); i++) {
		char text[ERR_SIZE];
		snprintf(text, sizeof text,
		         "linger.ms: \"%s\" is not a number of milliseconds with at most three decimals (0 .. "
		         "9223372036854775807)",
		         bad[i]);
		must_refuse(c, "linger.ms", bad[i], text);
	}
	must_refuse(c, "linger.ms", "-0.5", "linger.ms: \"-0.5\" is out of range (0 .. 9223372036854775807)");
	kp_config_free(c);
}

static void javas_endless_durations_are_kept_without_overflow(void **state)
{
	(void)state;
	kp_config *c = kp_config_new();
	must_set(c, "max.block.ms", "9223372036854775807");
	must_set(c, "linger.ms", "9223372036854775807.999");
	must_set(c, "connections.max.idle.ms", "-1");
	assert_int_equal(c->settings.max_block_ms, KP_DURATION_MAX_MS);
	assert_true(c->settings.engine.linger_us < INT64_MAX / 2 + 1000);
	assert_int_equal(c->settings.engine.connections_max_idle_us, -1);
	kp_config_free(c);
}

static void booleans_and_enums_do_not_mind_case(void **state)
{
	(void)state;
	kp_config *c = kp_config_new();
	must_set(c, "enable.idempotence", " FALSE ");
	assert_false(c->settings.engine.idempotent);
	must_refuse(c, "enable.idempotence", "1", "enable.idempotence: \"1\" is not a boolean (true, false)");
	must_set(c, "compression.type", "ZStd");
	assert_int_equal(c->settings.engine.codec, KP_CODEC_ZSTD);
	must_set(c, "metadata.recovery.strategy", "NONE");
	assert_false(c->settings.engine.rebootstrap);
	must_set(c, "acks", "-1");
	must_get(c, "acks", "all");
	must_refuse(c, "acks", "2", "acks: \"2\" is not one of its values (all, 1, 0)");
	must_refuse(c, "acks", "", "acks: \"\" is not one of its values (all, 1, 0)");
	kp_config_free(c);
}

static void values_of_later_versions_are_refused_with_the_reason(void **state)
{
	(void)state;
	kp_config *c = kp_config_new();
	must_set(c, "security.protocol", "plaintext");
	must_get(c, "security.protocol", "PLAINTEXT");
	must_refuse(c, "security.protocol", "SASL_SSL",
	            "security.protocol=SASL_SSL is known, not supported here: connections are PLAINTEXT only in this version");
	must_refuse(c, "security.protocol", "TLS", "security.protocol: \"TLS\" is not one of its values (PLAINTEXT)");
	must_refuse(
		c, "client.dns.lookup", "resolve_canonical_bootstrap_servers_only",
		"client.dns.lookup=resolve_canonical_bootstrap_servers_only is known, not supported here: canonical names matter to "
		"Kerberos alone, which this version does not have");
	must_refuse(
		c, "partitioner", "murmur2_random",
		"partitioner=murmur2_random is known, not supported here: murmur2 is the one partitioner of this version (a keyless "
		"record goes to a sticky, load-aware choice)");
	kp_config_free(c);
}

static void client_id_is_bounded_and_fit_for_a_log_line(void **state)
{
	(void)state;
	char longest[257];
	kp_config *c = kp_config_new();
	memset(longest, 'x', sizeof longest - 1);
	longest[255] = '\0';
	must_set(c, "client.id", longest);
	must_get(c, "client.id", longest);
	longest[255] = 'x';
	longest[256] = '\0';
	char err[ERR_SIZE];
	assert_int_equal(kp_config_set(c, "client.id", longest, err, sizeof err), KP_ERR_BAD_CONFIG);
	assert_contains(err, "is too long (up to 255 bytes");
	must_refuse(c, "client.id", "a\nb", "client.id: \"a?b\" has a control character (up to 255 bytes, no control characters)");
	must_set(c, "client.id", " svc ");
	must_get(c, "client.id", "svc");
	must_set(c, "client.id", "");
	must_get(c, "client.id", "");
	kp_config_free(c);
}

static void bootstrap_servers_are_parsed(void **state)
{
	(void)state;
	kp_config *c = kp_config_new();
	must_set(c, "bootstrap.servers", " kafka-1 , plaintext://k2:1234,[::1]:9,[fe80::2],kafka-1:9092");
	must_get(c, "bootstrap.servers", "kafka-1:9092,k2:1234,[::1]:9,[fe80::2]:9092");
	assert_int_equal(c->settings.n_bootstrap, 4); /* the fifth is the first again */
	assert_string_equal(c->settings.bootstrap[2].host, "::1");
	assert_int_equal(c->settings.bootstrap[2].port, 9);
	must_set(c, "metadata.broker.list", "other:65535");
	must_get(c, "bootstrap.servers", "other:65535");
	must_set(c, "bootstrap.servers", "");
	assert_int_equal(c->settings.n_bootstrap, 0);
	kp_config_free(c);
}

static void malformed_bootstrap_servers_are_refused(void **state)
{
	(void)state;
	static const char *const bad[][2] = {
		{"a:1,,b:2", "an entry is empty"},
		{"a:1,", "an entry is empty"},
		{"a:0", "the port is not a number from 1 to 65535"},
		{"a:65536", "the port is not a number from 1 to 65535"},
		{"a:", "the port is not a number from 1 to 65535"},
		{"a:+1", "the port is not a number from 1 to 65535"},
		{"[::1]:", "the port is not a number from 1 to 65535"},
		{"::1:9092", "an IPv6 address must stand in brackets, as [::1]:9092"},
		{"[::1", "the bracket is not closed in front of the port"},
		{"[::1]9092", "the bracket is not closed in front of the port"},
		{"[]", "there is no host name"},
		{":9092", "there is no host name"},
		{"PLAINTEXT://", "there is no host name"},
		{"a b:1", "the host name has a character that host names cannot have"},
		{"a/b", "the host name has a character that host names cannot have"},
		{"SSL://a:1", "connections are PLAINTEXT only in this version"},
	};
	kp_config *c = kp_config_new();
	must_set(c, "bootstrap.servers", "kept:1");
	for (size_t i = 0; i < KP_ARRAY_LEN(bad); i++) {
		char err[ERR_SIZE] = "";
		assert_int_equal(kp_config_set(c, "bootstrap.servers", bad[i][0], err, sizeof err), KP_ERR_BAD_CONFIG);
		assert_contains(err, bad[i][1]);
		must_get(c, "bootstrap.servers", "kept:1");
	}
	char err[ERR_SIZE] = "", longest[300];
	memset(longest, 'h', sizeof longest - 1);
	longest[256] = '\0';
	assert_int_equal(kp_config_set(c, "bootstrap.servers", longest, err, sizeof err), KP_ERR_BAD_CONFIG);
	assert_contains(err, "longer than 255 bytes");
	longest[255] = '\0';
	must_set(c, "bootstrap.servers", longest);
	kp_config_free(c);
}

static void a_short_buffer_is_filled_and_the_whole_length_told(void **state)
{
	(void)state;
	kp_config *c = kp_config_new();
	char value[4] = "???";
	size_t needed = 0;
	assert_int_equal(kp_config_get(c, "acks", NULL, 0, &needed), 0);
	assert_int_equal(needed, 4);
	assert_int_equal(kp_config_get(c, "compression.type", value, 3, &needed), 0);
	assert_string_equal(value, "no");
	assert_int_equal(needed, 5);
	must_set(c, "bootstrap.servers", "a:1,b:2,c:3");
	assert_int_equal(kp_config_get(c, "bootstrap.servers", value, sizeof value, &needed), 0);
	assert_string_equal(value, "a:1");
	assert_int_equal(needed, 12);
	assert_int_equal(kp_config_get(c, "no.such", value, sizeof value, &needed), KP_ERR_BAD_CONFIG);
	assert_int_equal(kp_config_get(c, "sasl.mechanism", value, sizeof value, &needed), KP_ERR_BAD_CONFIG);
	assert_int_equal(kp_config_get(NULL, "acks", value, sizeof value, &needed), KP_ERR_BAD_ARGUMENT);
	assert_int_equal(kp_config_set(c, "acks", NULL, NULL, 0), KP_ERR_BAD_ARGUMENT);
	assert_int_equal(kp_config_set(c, "acks", "x", NULL, 0), KP_ERR_BAD_CONFIG);
	kp_config_free(c);
}

static void on_report(kp_producer *p, const kp_report *reports, size_t n, void *opaque)
{
	(void)p, (void)reports, (void)n, (void)opaque;
}

static void on_log(int level, const char *line, void *opaque)
{
	(void)level, (void)line, (void)opaque;
}

static void on_error(kp_producer *p, int error, const char *text, void *opaque)
{
	(void)p, (void)error, (void)text, (void)opaque;
}

static void on_watermark(kp_producer *p, int is_high, uint64_t used_bytes, void *opaque)
{
	(void)p, (void)is_high, (void)used_bytes, (void)opaque;
}

static void callbacks_are_kept_and_copied(void **state)
{
	(void)state;
	int first, second, third;
	kp_config *c = kp_config_new();
	kp_config_set_watermark_cb(c, on_watermark, &third);
	kp_config_set_log_cb(c, on_log, &first);
	kp_config_set_error_cb(c, on_error, &second);
	kp_config *copy = kp_config_copy(c);
	assert_true(copy->settings.log_cb == on_log && copy->settings.log_opaque == &first);
	assert_true(copy->settings.error_cb == on_error && copy->settings.error_opaque == &second);
	assert_true(copy->settings.watermark_cb == on_watermark && copy->settings.watermark_opaque == &third);
	kp_config_free(c);
	kp_config_free(copy);
}

static void the_last_word_on_reports_counts(void **state)
{
	(void)state;
	int opaque;
	kp_config *c = kp_config_new();
	kp_config_set_report_cb(c, on_report, &opaque);
	kp_config *copy = kp_config_copy(c);
	kp_config_use_report_queue(c);
	assert_true(c->settings.use_report_queue);
	assert_null(c->settings.report_cb);
	assert_false(copy->settings.use_report_queue);
	assert_true(copy->settings.report_cb == on_report && copy->settings.report_opaque == &opaque);
	kp_config_set_report_cb(c, on_report, NULL);
	assert_false(c->settings.use_report_queue);
	kp_config_free(c);
	kp_config_free(copy);
}

static void a_copy_has_its_own_servers(void **state)
{
	(void)state;
	kp_config *c = kp_config_new();
	must_set(c, "bootstrap.servers", "a:1");
	must_set(c, "linger.ms", "7");
	kp_config *copy = kp_config_copy(c);
	must_set(c, "bootstrap.servers", "b:2");
	kp_config_free(c);
	must_get(copy, "bootstrap.servers", "a:1");
	must_get(copy, "linger.ms", "7");
	assert_true(copy->settings.is_set[KP_PROP_LINGER_MS]);
	kp_config_free(copy);
	assert_null(kp_config_copy(NULL));
	kp_config_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(config_starts_with_the_defaults_of_the_table),
		cmocka_unit_test(config_fills_the_engine_with_javas_defaults),
		cmocka_unit_test(every_property_is_in_the_public_table),
		cmocka_unit_test(a_caller_with_a_shorter_struct_gets_its_part_only),
		cmocka_unit_test(every_property_goes_round),
		cmocka_unit_test(numbers_are_bounded_on_both_sides),
		cmocka_unit_test(numbers_that_are_none_are_refused),
		cmocka_unit_test(linger_takes_fractions_of_a_millisecond),
		cmocka_unit_test(linger_refuses_what_is_finer_than_a_microsecond),
		cmocka_unit_test(javas_endless_durations_are_kept_without_overflow),
		cmocka_unit_test(booleans_and_enums_do_not_mind_case),
		cmocka_unit_test(values_of_later_versions_are_refused_with_the_reason),
		cmocka_unit_test(client_id_is_bounded_and_fit_for_a_log_line),
		cmocka_unit_test(bootstrap_servers_are_parsed),
		cmocka_unit_test(malformed_bootstrap_servers_are_refused),
		cmocka_unit_test(a_short_buffer_is_filled_and_the_whole_length_told),
		cmocka_unit_test(a_copy_has_its_own_servers),
		cmocka_unit_test(callbacks_are_kept_and_copied),
		cmocka_unit_test(the_last_word_on_reports_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
