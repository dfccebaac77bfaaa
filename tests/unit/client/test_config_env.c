/* test_config_env.c - KPRODUCER_... variables: every name has its form; mistakes name the variable. */
#include "config_support.h"

#include <ctype.h>
#include <unistd.h>

#include "client/config_names.h"

static int empty_environment(void **state)
{
	(void)state;
	return clearenv();
}

/* The environment as it is now is refused with this text, and nothing was taken from it. */
static void refuses(const char *text)
{
	char err[ERR_SIZE] = "";
	kp_config *c = kp_config_new();
	assert_int_equal(kp_config_load_env(c, err, sizeof err), KP_ERR_BAD_CONFIG);
	assert_string_equal(err, text);
	for (size_t i = 0; i < KP_PROP_COUNT; i++)
		assert_false(c->settings.is_set[i]);
	kp_config_free(c);
}

static void environment_sets_properties(void **state)
{
	(void)state;
	char err[ERR_SIZE] = "";
	setenv("KPRODUCER_BOOTSTRAP_SERVERS", "a:1,b:2", 1);
	setenv("KPRODUCER_LOG_LEVEL", "7", 1);
	setenv("KPRODUCER_QUEUE_BUFFERING_MAX_MS", "0.5", 1);
	setenv("KPRODUCER_PRODUCER_REQUIREDACKS", "WaitForAll", 1);
	setenv("KPRODUCER_CLIENT_ID", "a=b", 1);
	setenv("KPRODUCER_ENABLE_METRICS_PUSH", "false", 1);
	setenv("KPRODUCERX", "of somebody else", 1);
	setenv("LINGER_MS", "1000", 1);
	kp_config *c = kp_config_new();
	assert_int_equal(kp_config_load_env(c, err, sizeof err), 0);
	must_get(c, "bootstrap.servers", "a:1,b:2");
	must_get(c, "log_level", "7");
	must_get(c, "linger.ms", "0.5");
	must_get(c, "acks", "all");
	must_get(c, "client.id", "a=b");
	assert_true(c->settings.is_set[KP_PROP_ACKS]);
	kp_config_free(c);
}

static void an_empty_environment_is_fine(void **state)
{
	(void)state;
	kp_config *c = kp_config_new();
	assert_int_equal(kp_config_load_env(c, NULL, 0), 0);
	assert_int_equal(kp_config_load_env(NULL, NULL, 0), KP_ERR_BAD_ARGUMENT);
	kp_config_free(c);
}

static void every_property_and_alias_has_a_variable(void **state)
{
	(void)state;
	for (kp_name_walk w = {0}; kp_name_next(&w) && w.row;) {
		char variable[128] = "KPRODUCER_", name[128], err[ERR_SIZE] = "", value[ERR_SIZE];
		snprintf(name, sizeof name, "%.*s", (int)w.name.len, (const char *)w.name.ptr);
		for (size_t i = 0; i < w.name.len; i++)
			variable[10 + i] = name[i] == '.' ? '_' : (char)toupper((unsigned char)name[i]);
		kp_config *c = kp_config_new();
		assert_int_equal(kp_config_get(c, name, value, sizeof value, NULL), 0);
		setenv(variable, value, 1);
		if (kp_config_load_env(c, err, sizeof err) != 0)
			fail_msg("%s", err);
		assert_true(c->settings.is_set[w.row - kp_property_rows]);
		unsetenv(variable);
		kp_config_free(c);
	}
}

static void an_unknown_variable_is_named_with_the_nearest(void **state)
{
	(void)state;
	setenv("KPRODUCER_BOOTSTRAP_SERVER", "a:1", 1);
	refuses("environment variable KPRODUCER_BOOTSTRAP_SERVER: unknown property; did you mean KPRODUCER_BOOTSTRAP_SERVERS?");
}

static void a_variable_like_no_other_is_named(void **state)
{
	(void)state;
	setenv("KPRODUCER_LINGER_MS", "7", 1);
	setenv("KPRODUCER_QWERTYUIOP", "x", 1);
	refuses("environment variable KPRODUCER_QWERTYUIOP: unknown property");
}

static void lower_case_is_another_variable(void **state)
{
	(void)state;
	setenv("KPRODUCER_linger_ms", "7", 1);
	refuses("environment variable KPRODUCER_linger_ms: unknown property; did you mean KPRODUCER_LINGER_MS?");
}

static void a_variable_without_a_name_is_refused(void **state)
{
	(void)state;
	setenv("KPRODUCER_", "x", 1);
	refuses("environment variable KPRODUCER_: unknown property");
}

static void a_variable_of_any_length_is_refused_in_a_line(void **state)
{
	(void)state;
	char name[1000] = "KPRODUCER_", err[ERR_SIZE];
	memset(name + 10, 'X', sizeof name - 11);
	setenv(name, "x", 1);
	kp_config *c = kp_config_new();
	assert_int_equal(kp_config_load_env(c, err, sizeof err), KP_ERR_BAD_CONFIG);
	assert_contains(err, "environment variable KPRODUCER_XXX");
	kp_config_free(c);
}

static void a_bad_value_names_variable_and_property(void **state)
{
	(void)state;
	setenv("KPRODUCER_RETRIES", "many", 1);
	refuses("environment variable KPRODUCER_RETRIES: retries: \"many\" is not a whole number (0 .. 2147483647)");
}

static void a_known_name_is_refused_with_its_reason(void **state)
{
	(void)state;
	setenv("KPRODUCER_SASL_MECHANISM", "PLAIN", 1);
	refuses("environment variable KPRODUCER_SASL_MECHANISM: sasl.mechanism is known, not supported here: connections are PLAINTEXT "
	        "only in this version");
}

static void two_variables_for_one_property_are_refused(void **state)
{
	(void)state;
	setenv("KPRODUCER_LINGER_MS", "1", 1);
	setenv("KPRODUCER_QUEUE_BUFFERING_MAX_MS", "2", 1);
	refuses("environment variables KPRODUCER_LINGER_MS and KPRODUCER_QUEUE_BUFFERING_MAX_MS both set linger.ms");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(environment_sets_properties, empty_environment),
		cmocka_unit_test_setup(an_empty_environment_is_fine, empty_environment),
		cmocka_unit_test_setup(every_property_and_alias_has_a_variable, empty_environment),
		cmocka_unit_test_setup(an_unknown_variable_is_named_with_the_nearest, empty_environment),
		cmocka_unit_test_setup(a_variable_like_no_other_is_named, empty_environment),
		cmocka_unit_test_setup(lower_case_is_another_variable, empty_environment),
		cmocka_unit_test_setup(a_variable_without_a_name_is_refused, empty_environment),
		cmocka_unit_test_setup(a_variable_of_any_length_is_refused_in_a_line, empty_environment),
		cmocka_unit_test_setup(a_bad_value_names_variable_and_property, empty_environment),
		cmocka_unit_test_setup(a_known_name_is_refused_with_its_reason, empty_environment),
		cmocka_unit_test_setup(two_variables_for_one_property_are_refused, empty_environment),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
