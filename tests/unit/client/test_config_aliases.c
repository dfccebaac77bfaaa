/* test_config_aliases.c - names of other clients: conversion of units and forms, and what is refused. */
#include "config_support.h"

#include "client/config_table.h"

static void every_alias_goes_round_in_its_own_unit(void **state)
{
	(void)state;
	for (size_t i = 0; i < KP_PROP_COUNT; i++) {
		for (const kp_alias *a = kp_property_rows[i].aliases; a->name; a++) {
			kp_config *c = kp_config_new();
			char value[ERR_SIZE];
			assert_int_equal(kp_config_get(c, a->name, value, sizeof value, NULL), 0);
			must_set(c, a->name, value);
			must_get(c, a->name, value);
			assert_true(c->settings.is_set[i]);
			must_get(c, kp_property_rows[i].name, kp_property_rows[i].default_value);
			kp_config_free(c);
		}
	}
}

typedef struct alias_case {
	const char *alias, *value, *property, *expected;
} alias_case;

static void aliases_set_the_property_in_its_unit(void **state)
{
	(void)state;
	static const alias_case cases[] = {
		{"metadata.broker.list", "h:1", "bootstrap.servers", "h:1"},
		{"request.required.acks", "-1", "acks", "all"},
		{"Producer.RequiredAcks", "WaitForLocal", "acks", "1"},
		{"Producer.RequiredAcks", "NoResponse", "acks", "0"},
		{"Producer.Idempotent", "false", "enable.idempotence", "false"},
		{"queue.buffering.max.kbytes", "1048576", "buffer.memory", "1073741824"},
		{"compression.codec", "lz4", "compression.type", "lz4"},
		{"Producer.Compression", "CompressionGZIP", "compression.type", "gzip"},
		{"Producer.CompressionLevel", "7", "compression.level", "7"},
		{"message.send.max.retries", "3", "retries", "3"},
		{"Producer.Retry.Max", "5", "retries", "5"},
		{"queue.buffering.max.ms", "0.25", "linger.ms", "0.25"},
		{"Producer.Flush.Frequency", "500ms", "linger.ms", "500"},
		{"Producer.Flush.Frequency", "250us", "linger.ms", "0.25"},
		{"Producer.Flush.Frequency", "1m1.5s", "linger.ms", "61500"},
		{"Producer.Flush.Frequency", "20", "linger.ms", "20"},
		{"message.timeout.ms", "5000", "delivery.timeout.ms", "5000"},
		{"message.timeout.ms", "0", "delivery.timeout.ms", "2147483647"},
		{"socket.timeout.ms", "60000", "request.timeout.ms", "60000"},
		{"Net.ReadTimeout", "30s", "request.timeout.ms", "30000"},
		{"message.max.bytes", "1000000", "max.request.size", "1000000"},
		{"max.in.flight", "3", "max.in.flight.requests.per.connection", "3"},
		{"Net.MaxOpenRequests", "1", "max.in.flight.requests.per.connection", "1"},
		{"delivery.report.only.error", "true", "delivery.reports", "errors"},
		{"delivery.report.only.error", "false", "delivery.reports", "all"},
		{"Producer.Return.Successes", "true", "delivery.reports", "all"},
		{"Producer.Return.Successes", "false", "delivery.reports", "errors"},
		{"Producer.Return.Errors", "true", "delivery.reports", "all"},
		{"Producer.Return.Errors", "false", "delivery.reports", "none"},
		{"ClientID", "svc", "client.id", "svc"},
		{"Net.DialTimeout", "1h", "socket.connection.setup.timeout.ms", "3600000"},
		{"socket.send.buffer.bytes", "0", "send.buffer.bytes", "0"},
		{"socket.receive.buffer.bytes", "4096", "receive.buffer.bytes", "4096"},
		{"Metadata.AllowAutoTopicCreation", "false", "allow.auto.create.topics", "false"},
		{"topic.metadata.refresh.interval.ms", "-1", "metadata.max.age.ms", "4611686018427387"},
		{"Metadata.RefreshFrequency", "10m", "metadata.max.age.ms", "600000"},
		{"Metadata.RefreshFrequency", "0", "metadata.max.age.ms", "4611686018427387"},
		{"Metadata.RefreshFrequency", "0s", "metadata.max.age.ms", "4611686018427387"},
		{"Producer.Retry.Backoff", "100ms", "retry.backoff.ms", "100"},
	};
	for (size_t i = 0; i < KP_ARRAY_LEN(cases); i++) {
		kp_config *c = kp_config_new();
		must_set(c, cases[i].alias, cases[i].value);
		must_get(c, cases[i].property, cases[i].expected);
		kp_config_free(c);
	}
}

static void aliases_are_refused_under_both_names(void **state)
{
	(void)state;
	kp_config *c = kp_config_new();
	must_refuse(c, "message.send.max.retries", "-1",
	            "message.send.max.retries (retries): \"-1\" is out of range (0 .. 2147483647)");
	must_refuse(c, "queue.buffering.max.kbytes", "9007199254740992",
	            "queue.buffering.max.kbytes (buffer.memory): \"9007199254740992\" is out of range (0 .. 9007199254740991)");
	must_refuse(c, "queue.buffering.max.kbytes", "-1",
	            "queue.buffering.max.kbytes (buffer.memory): \"-1\" is out of range (0 .. 9007199254740991)");
	must_refuse(c, "queue.buffering.max.kbytes", "1.5",
	            "queue.buffering.max.kbytes (buffer.memory): \"1.5\" is not a whole number of kbytes");
	must_refuse(c, "delivery.report.only.error", "yes",
	            "delivery.report.only.error (delivery.reports): \"yes\" is not a boolean (true, false)");
	must_refuse(c, "Producer.Flush.Frequency", "5 ms",
	            "Producer.Flush.Frequency (linger.ms): \"5 ms\" is not a duration (as 500ms or 1m30s)");
	must_refuse(c, "Producer.Flush.Frequency", "5d",
	            "Producer.Flush.Frequency (linger.ms): \"5d\" is not a duration (as 500ms or 1m30s)");
	must_refuse(c, "Producer.Flush.Frequency", ".ms",
	            "Producer.Flush.Frequency (linger.ms): \".ms\" is not a duration (as 500ms or 1m30s)");
	must_refuse(c, "Producer.Flush.Frequency", "",
	            "Producer.Flush.Frequency (linger.ms): \"\" is not a duration (as 500ms or 1m30s)");
	must_refuse(c, "Producer.Flush.Frequency", "9999999999h",
	            "Producer.Flush.Frequency (linger.ms): \"9999999999h\" is out of range");
	must_refuse(c, "Producer.Retry.Backoff", "100us",
	            "Producer.Retry.Backoff (retry.backoff.ms): \"0.100\" is not a whole number of milliseconds (0 .. "
	            "9223372036854775807)");
	must_refuse(
		c, "compression.codec", "inherit",
		"compression.codec=inherit is known, not supported here: there is no configuration per topic to inherit from or by");
	char zeros[200];
	memset(zeros, '0', sizeof zeros - 1);
	zeros[198] = '5';
	zeros[199] = '\0';
	char err[ERR_SIZE];
	assert_int_equal(kp_config_set(c, "message.timeout.ms", zeros, err, sizeof err), KP_ERR_BAD_CONFIG);
	assert_contains(err, "is too long");
	kp_config_free(c);
}

static void saramas_two_report_flags_go_together_in_any_order(void **state)
{
	(void)state;
	static const struct {
		const char *first, *first_value, *second, *second_value, *mode;
	} cases[] = {
		{"Producer.Return.Successes", "true", "Producer.Return.Errors", "true", "all"},
		{"Producer.Return.Errors", "true", "Producer.Return.Successes", "true", "all"},
		{"Producer.Return.Successes", "false", "Producer.Return.Errors", "true", "errors"},
		{"Producer.Return.Errors", "true", "Producer.Return.Successes", "false", "errors"},
		{"Producer.Return.Successes", "false", "Producer.Return.Errors", "false", "none"},
		{"Producer.Return.Errors", "false", "Producer.Return.Successes", "false", "none"},
	};
	for (size_t i = 0; i < KP_ARRAY_LEN(cases); i++) {
		kp_config *c = kp_config_new();
		must_set(c, cases[i].first, cases[i].first_value);
		must_set(c, cases[i].second, cases[i].second_value);
		must_get(c, "delivery.reports", cases[i].mode);
		kp_config_free(c);
	}
	kp_config *c = kp_config_new();
	must_set(c, "Producer.Return.Successes", "true");
	must_refuse(c, "Producer.Return.Errors", "false",
	            "Producer.Return.Errors (delivery.reports): \"false\" does not go with reports of successes");
	kp_config_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_alias_goes_round_in_its_own_unit),
		cmocka_unit_test(aliases_set_the_property_in_its_unit),
		cmocka_unit_test(aliases_are_refused_under_both_names),
		cmocka_unit_test(saramas_two_report_flags_go_together_in_any_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
