/* test_config_names.c - names: suggestions, the known but unsupported ones, and that no name means two things. */
#include "config_support.h"

#include <ctype.h>

#include "client/config_names.h"

static void a_slip_is_answered_with_the_nearest_name(void **state)
{
	(void)state;
	static const char *const slips[][2] = {
		{"bootstrap.server", "bootstrap.servers"},
		{"bootstrap", "bootstrap.servers"},
		{"Batch.Size", "batch.size"},
		{"linger_ms", "linger.ms"},
		{"ligner.ms", "linger.ms"},
		{"linger", "linger.ms"},
		{"ack", "acks"},
		{"compresion.type", "compression.type"},
		{"max-in-flight", "max.in.flight"},
		{"queue.buffering.max.kbyte", "queue.buffering.max.kbytes"},
		{"delivery.timeout", "delivery.timeout.ms"},
		{"producer.requiredacks", "Producer.RequiredAcks"},
		{"sasl.mechansim", "sasl.mechanism"},
	};
	kp_config *c = kp_config_new();
	for (size_t i = 0; i < KP_ARRAY_LEN(slips); i++) {
		char text[ERR_SIZE];
		snprintf(text, sizeof text, "unknown property \"%s\"; did you mean \"%s\"?", slips[i][0], slips[i][1]);
		must_refuse(c, slips[i][0], "1", text);
	}
	kp_config_free(c);
}

static void a_name_like_no_other_gets_no_suggestion(void **state)
{
	(void)state;
	char longest[400], err[ERR_SIZE];
	kp_config *c = kp_config_new();
	must_refuse(c, "qwertyuiop", "1", "unknown property \"qwertyuiop\"");
	must_refuse(c, "", "1", "unknown property \"\"");
	must_refuse(c, "x\ny", "1", "unknown property \"x?y\"");
	memset(longest, 'a', sizeof longest);
	longest[sizeof longest - 1] = '\0';
	assert_int_equal(kp_config_set(c, longest, "1", err, sizeof err), KP_ERR_BAD_CONFIG);
	assert_contains(err, "unknown property \"aaaa");
	kp_config_free(c);
}

static void an_explanation_is_cut_to_the_callers_buffer(void **state)
{
	(void)state;
	char err[8] = "1234567";
	kp_config *c = kp_config_new();
	assert_int_equal(kp_config_set(c, "bootstrap.server", "x", err, 5), KP_ERR_BAD_CONFIG);
	assert_string_equal(err, "unkn");
	assert_int_equal(err[5], '6');
	assert_int_equal(kp_config_set(c, "bootstrap.server", "x", NULL, 5), KP_ERR_BAD_CONFIG);
	kp_config_free(c);
}

static void a_known_name_is_refused_with_the_reason(void **state)
{
	(void)state;
	kp_config *c = kp_config_new();
	must_refuse(c, "sasl.mechanism", "PLAIN",
	            "sasl.mechanism is known, not supported here: connections are PLAINTEXT only in this version");
	must_refuse(c, "group.id", "g",
	            "group.id is known, not supported here: it belongs to a consumer or an admin client, and this is a producer");
	must_refuse(
		c, "key.serializer", "org.apache.kafka.common.serialization.StringSerializer",
		"key.serializer is known, not supported here: it names classes of the JVM; records are bytes here, and extensions "
		"are functions");
	must_refuse(
		c, "transaction.two.phase.commit.enable", "true",
		"transaction.two.phase.commit.enable is known, not supported here: requests of a transaction are retried as "
		"retry.backoff.ms says, for as long as the call waits; two-phase commit (KIP-939) is not offered by brokers yet (only "
		"false is accepted)");
	must_refuse(
		c, "enable.metrics.push", "true",
		"enable.metrics.push is known, not supported here: this version counts (kp_counters_get) but neither pushes nor "
		"samples metrics (only false is accepted)");
	kp_config_free(c);
}

/* A secret must not reach a log by way of an error message. */
static void the_value_of_a_known_name_is_not_repeated(void **state)
{
	(void)state;
	char err[ERR_SIZE];
	kp_config *c = kp_config_new();
	assert_int_equal(kp_config_set(c, "sasl.password", "s3cret", err, sizeof err), KP_ERR_BAD_CONFIG);
	assert_null(strstr(err, "s3cret"));
	kp_config_free(c);
}

static void a_known_name_may_ask_for_what_happens_anyway(void **state)
{
	(void)state;
	kp_config *c = kp_config_new();
	must_set(c, "enable.metrics.push", "False");
	must_set(c, "socket.nagle.disable", " true ");
	must_set(c, "enable.gapless.guarantee", "false");
	kp_config_free(c);
}

static void every_known_name_is_explained(void **state)
{
	(void)state;
	size_t n = 0;
	kp_config *c = kp_config_new();
	for (kp_name_walk w = {0}; kp_name_next(&w);) {
		char name[128], err[ERR_SIZE];
		if (w.row)
			continue;
		snprintf(name, sizeof name, "%.*s", (int)w.name.len, (const char *)w.name.ptr);
		assert_int_equal(kp_config_set(c, name, "\x01", err, sizeof err), KP_ERR_BAD_CONFIG);
		assert_contains(err, "known, not supported here: ");
		n++;
	}
	assert_true(n > 200);
	kp_config_free(c);
}

/* As the environment has them: a clash there would be one here too, or worse. */
static void no_two_names_are_the_same(void **state)
{
	(void)state;
	static char seen[400][128];
	size_t n = 0;
	for (kp_name_walk w = {0}; kp_name_next(&w); n++) {
		assert_true(n < KP_ARRAY_LEN(seen) && w.name.len < sizeof seen[0]);
		for (size_t i = 0; i < w.name.len; i++)
			seen[n][i] = w.name.ptr[i] == '.' ? '_' : (char)toupper(w.name.ptr[i]);
		for (size_t i = 0; i < n; i++)
			assert_string_not_equal(seen[i], seen[n]);
	}
}

static void the_alias_list_of_the_public_table_is_the_one_in_use(void **state)
{
	(void)state;
	for (size_t i = 0; i < KP_PROP_COUNT; i++) {
		char joined[ERR_SIZE];
		kp_text text;
		kp_text_init(&text, joined, sizeof joined);
		for (const kp_alias *a = kp_property_rows[i].aliases; a->name; a++)
			kp_text_add(&text, "%s%s", text.len ? ", " : "", a->name);
		assert_string_equal(kp_property_rows[i].aliases_text, joined);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_slip_is_answered_with_the_nearest_name),
		cmocka_unit_test(a_name_like_no_other_gets_no_suggestion),
		cmocka_unit_test(an_explanation_is_cut_to_the_callers_buffer),
		cmocka_unit_test(a_known_name_is_refused_with_the_reason),
		cmocka_unit_test(the_value_of_a_known_name_is_not_repeated),
		cmocka_unit_test(a_known_name_may_ask_for_what_happens_anyway),
		cmocka_unit_test(every_known_name_is_explained),
		cmocka_unit_test(no_two_names_are_the_same),
		cmocka_unit_test(the_alias_list_of_the_public_table_is_the_one_in_use),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
