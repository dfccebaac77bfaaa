/*
 * error.c - look-ups in the error table. Both lists are contiguous, so the code is the index.
 */
#include "kproducer/error.h"

#include <stddef.h>

#include "base/compiler.h"

typedef struct entry {
	const char *name, *text, *advice;
	kp_error_class class_;
	kp_append append;
} entry;

#define KAFKA_FIRST (-1)
#define LOCAL_FIRST (-1001)

#define KAFKA_ENTRY(name, code, class_, append, text, advice) [(code)-KAFKA_FIRST] = {#name, text, advice, class_, append},
#define LOCAL_ENTRY(name, code, class_, append, text, advice) [LOCAL_FIRST - (code)] = {#name, text, advice, class_, append},

static const entry kafka[] = {KP_ERROR_LIST_KAFKA(KAFKA_ENTRY)};
static const entry local[] = {KP_ERROR_LIST_LOCAL(LOCAL_ENTRY)};
static const entry unknown = {"UNKNOWN_CODE", "an error code that this version does not know",
                              "Look the number up in the error codes of the broker's Kafka version, and update the client.",
                              KP_CLASS_INTERNAL, KP_APPEND_MAYBE};

static const entry *find(int code)
{
	const entry *e = NULL;
	if (code >= KAFKA_FIRST && code - KAFKA_FIRST < (int)KP_ARRAY_LEN(kafka))
		e = &kafka[code - KAFKA_FIRST];
	else if (code <= LOCAL_FIRST && code > LOCAL_FIRST - (int)KP_ARRAY_LEN(local))
		e = &local[LOCAL_FIRST - code];
	return e && e->name ? e : &unknown;
}

const char *kp_error_name(int code)
{
	return find(code)->name;
}

const char *kp_error_text(int code)
{
	return find(code)->text;
}

const char *kp_error_advice(int code)
{
	return find(code)->advice;
}

kp_error_class kp_error_get_class(int code)
{
	return find(code)->class_;
}

const char *kp_error_class_name(kp_error_class c)
{
	static const char *const names[] = {
		[KP_CLASS_NONE] = "none",           [KP_CLASS_RETRIABLE] = "retriable", [KP_CLASS_REFRESH] = "refresh",
		[KP_CLASS_ABORTABLE] = "abortable", [KP_CLASS_FATAL] = "fatal",         [KP_CLASS_USAGE] = "usage",
		[KP_CLASS_RESOURCE] = "resource",   [KP_CLASS_INTERNAL] = "internal",   [KP_CLASS_PERMANENT] = "permanent",
	};
	return (size_t)c < KP_ARRAY_LEN(names) ? names[c] : "unknown";
}

int kp_error_is_retriable(int code)
{
	kp_error_class c = find(code)->class_;
	return c == KP_CLASS_RETRIABLE || c == KP_CLASS_REFRESH;
}

int kp_error_may_append(int code)
{
	return find(code)->append == KP_APPEND_MAYBE;
}
