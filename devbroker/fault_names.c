/*
 * fault_names.c - see fault_names.h.
 */
#include "devbroker/fault_names.h"

#include <string.h>

#include "devbroker/internal.h"
#include "kproducer/error.h"

#define LAST_KAFKA_CODE 200 /* beyond the last one that has a name */

kp_slice kp_fault_api_name(int16_t key)
{
	static const char suffix[] = "Request";
	const kp_wire_message *m = kp_wire_find(key, false);
	if (!m)
		return kp_slice_cstr("?");
	return kp_slice_of(m->root->name, strlen(m->root->name) - strlen(suffix));
}

bool kp_fault_api_of(kp_fault_words *w, int16_t *key)
{
	int64_t number;
	kp_slice word = w->token.text;
	kp_fault_guess guess = {.written = word};
	if (w->token.kind != KP_FAULT_WORD)
		return kp_fault_expected(w, "an API such as produce, or any");
	bool is_number = kp_fault_number_of(word, 0, INT16_MAX, &number) == KP_FAULT_IS_NUMBER;
	for (size_t i = 0; i < kp_db_n_apis; i++) {
		kp_slice name = kp_fault_api_name(kp_db_apis[i].key);
		*key = kp_db_apis[i].key;
		if (is_number ? number == *key : kp_fault_same_name(word, name))
			return true;
		kp_fault_guess_try(&guess, name);
	}
	if (is_number)
		return kp_fault_wrong(w, "this broker has no API with number %d", (int)number);
	kp_fault_guess_try(&guess, kp_slice_cstr("any"));
	return kp_fault_expected_like(w, &guess, "an API that this broker offers (produce, fetch, metadata, ...) or any");
}

bool kp_fault_error_of(kp_fault_words *w, int16_t *code)
{
	int64_t number;
	kp_slice word = w->token.text;
	kp_fault_guess guess = {.written = word};
	if (w->token.kind != KP_FAULT_WORD)
		return kp_fault_expected(w, "an error such as NOT_LEADER_OR_FOLLOWER or 6");
	kp_fault_number n = kp_fault_number_of(word, -1, INT16_MAX, &number);
	if (n == KP_FAULT_OUT_OF_RANGE || (n == KP_FAULT_IS_NUMBER && number == 0))
		return kp_fault_expected(w, "an error code from -1 to %d, not 0", INT16_MAX);
	*code = (int16_t)(n == KP_FAULT_IS_NUMBER ? number : 0);
	if (*code)
		return true;
	for (int c = -1; c <= LAST_KAFKA_CODE; c++) {
		kp_slice name = kp_slice_cstr(kp_error_name(c));
		*code = (int16_t)c;
		if (c && kp_fault_same_name(word, name) && strcmp(kp_error_name(c), "UNKNOWN_CODE") != 0)
			return true;
		if (c && strcmp(kp_error_name(c), "UNKNOWN_CODE") != 0)
			kp_fault_guess_try(&guess, name);
	}
	return kp_fault_expected_like(w, &guess, "one of Kafka's errors by name or number");
}
