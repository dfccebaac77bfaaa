/* test_error.c - the table is complete, free of doubles, and says what the protocol says. */
#include "kproducer/error.h"

#include <ctype.h>

#include "unit.h"

typedef struct row {
	const char *name;
	int code;
	kp_error_class class_;
	kp_append append;
	kp_error_scope scope;
	kp_on_produce on_produce;
	kp_on_metadata on_metadata;
	const char *text, *advice;
} row;

#define ROW(name, code, class_, append, scope, on_produce, on_metadata, text, advice) \
	{                                                                             \
		#name,                                                                \
		code,                                                                 \
		KP_CLASS_##class_,                                                    \
		KP_APPEND_##append,                                                   \
		KP_SCOPE_##scope,                                                     \
		KP_PRODUCE_##on_produce,                                              \
		KP_METADATA_##on_metadata,                                            \
		text,                                                                 \
		advice},
static const row rows[] = {KP_ERROR_LIST(ROW)};
#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

static int times_listed(int code)
{
	int n = 0;
	for (size_t i = 0; i < N_ROWS; i++)
		n += rows[i].code == code;
	return n;
}

static bool is_in(const int *list, size_t n, int code)
{
	for (size_t i = 0; i < n; i++)
		if (list[i] == code)
			return true;
	return false;
}

static void error_table_has_every_code_once(void **state)
{
	(void)state;
	for (int code = -1; code <= 133; code++)
		assert_int_equal(times_listed(code), 1);
	for (int code = -1000 - (int)N_ROWS + 135; code <= -1001; code++)
		assert_int_equal(times_listed(code), 1);
	assert_int_equal(kp_error_count(), N_ROWS);
	for (size_t i = 0; i < N_ROWS; i++)
		assert_int_equal(kp_error_at((int)i), rows[i].code);
	assert_int_equal(kp_error_at(-1), 0);
	assert_int_equal(kp_error_at((int)N_ROWS), 0);
}

static void error_names_are_unique_and_upper_case(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ROWS; i++) {
		for (const char *p = rows[i].name; *p; p++)
			assert_true(isupper((unsigned char)*p) || *p == '_');
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(rows[i].name, rows[j].name);
	}
}

static void error_look_ups_agree_with_the_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ROWS; i++) {
		const row *r = &rows[i];
		assert_string_equal(kp_error_name(r->code), r->name);
		assert_string_equal(kp_error_text(r->code), r->text);
		assert_string_equal(kp_error_advice(r->code), r->advice);
		assert_int_equal(kp_error_get_class(r->code), r->class_);
		assert_int_equal(kp_error_may_append(r->code), r->append == KP_APPEND_MAYBE);
		assert_int_equal(kp_error_get_scope(r->code), r->scope);
		assert_int_equal(kp_error_on_produce(r->code), r->on_produce);
		assert_int_equal(kp_error_on_metadata(r->code), r->on_metadata);
		assert_true(strlen(kp_error_on_produce_text(r->code)) > 4 && strlen(kp_error_on_metadata_text(r->code)) > 4);
	}
	assert_string_equal(kp_error_name(KP_ERR_NOT_LEADER_OR_FOLLOWER), "NOT_LEADER_OR_FOLLOWER");
	assert_string_equal(kp_error_name(KP_ERR_QUEUE_FULL), "QUEUE_FULL");
	assert_string_equal(kp_error_name(KP_OK), "NONE");
}

static void error_texts_are_one_line_and_advice_is_a_sentence(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ROWS; i++) {
		const char *text = rows[i].text, *advice = rows[i].advice;
		assert_true(strlen(text) > 4 && strlen(advice) > 10);
		assert_null(strpbrk(text, "\r\n\t"));
		assert_null(strpbrk(advice, "\r\n\t"));
		assert_true(isupper((unsigned char)advice[0]));
		assert_int_equal(advice[strlen(advice) - 1], '.');
	}
}

/* Errors.java's exceptions: subclasses of InvalidMetadataException, and the other subclasses of RetriableException. */
static void error_classes_match_the_java_exceptions(void **state)
{
	(void)state;
	static const int refresh[] = {3, 5, 6, 9, 13, 56, 72, 74, 80, 83, 84, 100, 103};
	static const int retriable[] = {2, 7, 14, 15, 16, 19, 20, 41, 51, 70, 71, 75, 78, 88, 89, 106, 122, 123, 133};
	for (int code = -1; code <= 133; code++) {
		bool meta = is_in(refresh, 13, code), plain = is_in(retriable, 19, code);
		assert_int_equal(kp_error_get_class(code) == KP_CLASS_REFRESH, meta);
		assert_int_equal(kp_error_get_class(code) == KP_CLASS_RETRIABLE, plain);
		assert_int_equal(kp_error_is_retriable(code), meta || plain);
		assert_int_equal(kp_error_get_class(code) == KP_CLASS_FATAL, code == KP_ERR_PRODUCER_FENCED);
		assert_int_equal(kp_error_get_class(code) == KP_CLASS_NONE, code == 0);
	}
	assert_int_equal(kp_error_get_class(KP_ERR_TRANSACTION_ABORTABLE), KP_CLASS_ABORTABLE);
	for (kp_error_class c = KP_CLASS_NONE; c <= KP_CLASS_PERMANENT; c++)
		assert_string_not_equal(kp_error_class_name(c), "unknown");
	assert_string_equal(kp_error_class_name((kp_error_class)99), "unknown");
	for (kp_error_scope scope = KP_SCOPE_NONE; scope <= KP_SCOPE_INSTANCE; scope++)
		assert_string_not_equal(kp_error_scope_name(scope), "unknown");
	assert_string_equal(kp_error_scope_name((kp_error_scope)99), "unknown");
}

/* A code may only enter this list with its broker source cited in error_table.h. */
static void error_only_proven_codes_exclude_an_append(void **state)
{
	(void)state;
	static const int never[] = {2, 10, 17, 18, 19, 21, 29, 32, 45, 47, 48, 49, 51, 53, 59, 76, 87, 90, 120};
	for (int code = -1100; code <= 200; code++)
		assert_int_equal(kp_error_may_append(code), !is_in(never, 19, code));
}

static void error_unknown_codes_are_answered_safely(void **state)
{
	(void)state;
	static const int codes[] = {134, 999, 32767, -2, -1000, -1100, -32768, INT32_MAX, INT32_MIN};
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		assert_string_equal(kp_error_name(codes[i]), "UNKNOWN_CODE");
		assert_true(strlen(kp_error_text(codes[i])) > 0 && strlen(kp_error_advice(codes[i])) > 0);
		assert_int_equal(kp_error_is_retriable(codes[i]), 0);
		assert_int_equal(kp_error_on_produce(codes[i]), KP_PRODUCE_FAIL);
		assert_int_equal(kp_error_on_metadata(codes[i]), KP_METADATA_FAIL_TOPIC);
		assert_int_equal(kp_error_may_append(codes[i]), 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(error_table_has_every_code_once),
		cmocka_unit_test(error_names_are_unique_and_upper_case),
		cmocka_unit_test(error_look_ups_agree_with_the_table),
		cmocka_unit_test(error_texts_are_one_line_and_advice_is_a_sentence),
		cmocka_unit_test(error_classes_match_the_java_exceptions),
		cmocka_unit_test(error_only_proven_codes_exclude_an_append),
		cmocka_unit_test(error_unknown_codes_are_answered_safely),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
