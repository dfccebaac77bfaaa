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
	kp_error_scope scope;
	kp_on_produce on_produce;
	kp_on_metadata on_metadata;
} entry;

#define KAFKA_FIRST (-1)
#define LOCAL_FIRST (-1001)

#define ENTRY(name, class_, append, scope, on_produce, on_metadata, text, advice)                                      \
	{                                                                                                              \
#name, text, advice, KP_CLASS_##class_, KP_APPEND_##append, KP_SCOPE_##scope, KP_PRODUCE_##on_produce, \
			KP_METADATA_##on_metadata                                                                      \
	}
#define KAFKA_ENTRY(name, code, ...) [(code)-KAFKA_FIRST] = ENTRY(name, __VA_ARGS__),
#define LOCAL_ENTRY(name, code, ...) [LOCAL_FIRST - (code)] = ENTRY(name, __VA_ARGS__),

static const entry kafka[] = {KP_ERROR_LIST_KAFKA(KAFKA_ENTRY)};
static const entry local[] = {KP_ERROR_LIST_LOCAL(LOCAL_ENTRY)};
static const entry unknown = ENTRY(UNKNOWN_CODE, INTERNAL, MAYBE, OPERATION, FAIL, FAIL_TOPIC,
                                   "an error code that this version does not know",
                                   "Look the number up in the error codes of the broker's Kafka version, and update the client.");

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

kp_error_scope kp_error_get_scope(int code)
{
	return find(code)->scope;
}

const char *kp_error_scope_name(kp_error_scope scope)
{
	static const char *const names[] = {
		[KP_SCOPE_NONE] = "none",
		[KP_SCOPE_RECORD] = "record",
		[KP_SCOPE_BATCH] = "batch",
		[KP_SCOPE_PARTITION] = "partition",
		[KP_SCOPE_TOPIC] = "topic",
		[KP_SCOPE_OPERATION] = "operation",
		[KP_SCOPE_TRANSACTION] = "transaction",
		[KP_SCOPE_INSTANCE] = "instance",
	};
	return (size_t)scope < KP_ARRAY_LEN(names) ? names[scope] : "unknown";
}

kp_on_produce kp_error_on_produce(int code)
{
	return find(code)->on_produce;
}

const char *kp_error_on_produce_text(int code)
{
	static const char *const texts[] = {
		[KP_PRODUCE_FAIL] = "gives the batch up",
		[KP_PRODUCE_PERSISTED] = "reports the batch as persisted",
		[KP_PRODUCE_RETRY] = "sends the batch again after a pause",
		[KP_PRODUCE_REFRESH] = "asks for metadata and sends the batch again",
		[KP_PRODUCE_LEADER] = "sends the batch to the leader that the answer or new metadata names",
		[KP_PRODUCE_SPLIT] = "splits the batch, or gives it up when it is a single record",
		[KP_PRODUCE_RECORDS] = "gives up the records that the answer names, or all when it names none",
		[KP_PRODUCE_SEQUENCE] = "idempotent: sends the batch again, after a gap with the next epoch; else gives it up",
		[KP_PRODUCE_NEW_ID] = "idempotent: sends the batch again, after a gap with a new producer id; else gives it up",
	};
	return texts[find(code)->on_produce];
}

kp_on_metadata kp_error_on_metadata(int code)
{
	return find(code)->on_metadata;
}

const char *kp_error_on_metadata_text(int code)
{
	static const char *const texts[] = {
		[KP_METADATA_FAIL_TOPIC] = "gives up what waits for the topic",
		[KP_METADATA_TAKE] = "takes the topic's partitions over",
		[KP_METADATA_ASK_AGAIN] = "keeps the topic's records and asks again after a pause",
		[KP_METADATA_REBOOTSTRAP] = "starts over from bootstrap.servers",
	};
	return texts[find(code)->on_metadata];
}

int kp_error_count(void)
{
	return (int)(KP_ARRAY_LEN(kafka) + KP_ARRAY_LEN(local));
}

int kp_error_at(int place)
{
	int n_kafka = (int)KP_ARRAY_LEN(kafka);
	if (place < 0 || place >= kp_error_count())
		return 0;
	return place < n_kafka ? KAFKA_FIRST + place : LOCAL_FIRST - (place - n_kafka);
}
