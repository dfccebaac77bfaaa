/*
 * error.h - every error code of the library: Kafka's own numbers (-1 .. 133, Errors.java of Apache Kafka 4.3.1), and ours from -1001 down.
 *
 * One list (error_table.h) gives the code, its class, whether a broker that answers it may have appended the batch, how far it reaches,
 * what this library does about it, and what you can. docs/errors.md and `kproducer errors` show it.
 */
#ifndef KPRODUCER_ERROR_H
#define KPRODUCER_ERROR_H

#include "error_table.h"
#include "export.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a caller, or the engine, does about an error. */
typedef enum kp_error_class {
	KP_CLASS_NONE = 0,  /* no error */
	KP_CLASS_RETRIABLE, /* the same request may succeed later */
	KP_CLASS_REFRESH,   /* retriable after a metadata refresh */
	KP_CLASS_ABORTABLE, /* the transaction must be aborted */
	KP_CLASS_FATAL,     /* this instance (transactional id) is over */
	KP_CLASS_USAGE,     /* the caller or the configuration is wrong */
	KP_CLASS_RESOURCE,  /* a local bound was reached */
	KP_CLASS_INTERNAL,  /* a bug, ours or the broker's */
	KP_CLASS_PERMANENT  /* this request will never succeed */
} kp_error_class;

/* May the broker have appended the batch that it answered with this code? */
typedef enum kp_append {
	KP_APPEND_NEVER = 0, /* given only before the append */
	KP_APPEND_MAYBE = 1
} kp_append;

/* How far an error reaches: nothing beyond it is harmed. */
typedef enum kp_error_scope {
	KP_SCOPE_NONE = 0,    /* no error */
	KP_SCOPE_RECORD,      /* a record; others of its batch need not share its fate */
	KP_SCOPE_BATCH,       /* the records of one batch */
	KP_SCOPE_PARTITION,   /* a partition of a topic */
	KP_SCOPE_TOPIC,       /* all partitions of a topic */
	KP_SCOPE_OPERATION,   /* the request or call */
	KP_SCOPE_TRANSACTION, /* the open transaction */
	KP_SCOPE_INSTANCE     /* the producer */
} kp_error_scope;

/* What becomes of a batch whose attempt to be produced ended with the code. */
typedef enum kp_on_produce {
	KP_PRODUCE_FAIL = 0,  /* it is given up: not persisted, or unknown when an attempt may have been appended */
	KP_PRODUCE_PERSISTED, /* it is in the log */
	KP_PRODUCE_RETRY,     /* it is sent again as it is, after a pause */
	KP_PRODUCE_REFRESH,   /* likewise, and metadata is asked for */
	KP_PRODUCE_LEADER,    /* likewise, and at once to the new leader if the answer names one (KIP-951) */
	KP_PRODUCE_SPLIT,     /* it is split when it has several records (KIP-126), else given up */
	KP_PRODUCE_RECORDS,   /* the records that the answer names are given up (KIP-467); without names, all are */
	KP_PRODUCE_SEQUENCE, /* idempotent: behind an unresolved batch a retry, else a gap: the partition goes on with the next epoch */
	KP_PRODUCE_NEW_ID /* idempotent: likewise, but with a new producer id. Both are FAIL without idempotence */
} kp_on_produce;

/* What becomes of a topic whose metadata carries the code. */
typedef enum kp_on_metadata {
	KP_METADATA_FAIL_TOPIC = 0, /* what waits for the topic is given up; the next record asks again */
	KP_METADATA_TAKE,           /* its partitions are taken over */
	KP_METADATA_ASK_AGAIN,      /* its records wait, and it is asked for again after a pause */
	KP_METADATA_REBOOTSTRAP     /* the client starts over from bootstrap.servers (KIP-1102) */
} kp_on_metadata;

/* KP_ERR_NOT_LEADER_OR_FOLLOWER = 6, KP_ERR_QUEUE_FULL = -1001, ...: Kafka's names and ours, see error_table.h. */
#define KP_ERROR_ENUM_(name, code, class_, append, scope, on_produce, on_metadata, text, advice) KP_ERR_##name = (code),
typedef enum kp_error {
	KP_ERROR_LIST(KP_ERROR_ENUM_) KP_OK = 0 /* Kafka's NONE */
} kp_error;
#undef KP_ERROR_ENUM_

/*
 * All of these take any int, may be called from any thread at any time, and neither block nor allocate. Strings are static.
 * A code that is not in the table (a newer broker's) is "UNKNOWN_CODE", of class INTERNAL, not retriable, and may have been appended.
 * Since 0.1.0.
 */
KP_API const char *kp_error_name(int code);   /* "NOT_LEADER_OR_FOLLOWER"; 0 gives "NONE" */
KP_API const char *kp_error_text(int code);   /* what happened, in a few words: for a log line */
KP_API const char *kp_error_advice(int code); /* what to do about it, a sentence: for the one on call */
KP_API kp_error_class kp_error_get_class(int code);
KP_API const char *kp_error_class_name(kp_error_class c); /* "retriable", "refresh", ... */
KP_API int kp_error_is_retriable(int code);               /* 1 for the classes RETRIABLE and REFRESH, else 0 */
/* 0 when a broker gives this code only before it appends, else 1. 1 for 0 and for local codes, which are no broker's answer. */
KP_API int kp_error_may_append(int code);
/* What follows is for those who show errors to people; codes that are not in the table are KP_PRODUCE_FAIL and KP_METADATA_FAIL_TOPIC. */
KP_API kp_error_scope kp_error_get_scope(int code);
KP_API const char *kp_error_scope_name(kp_error_scope scope); /* "record", "batch", ... */
KP_API kp_on_produce kp_error_on_produce(int code);
KP_API const char *kp_error_on_produce_text(int code); /* "sends the batch again after a pause", ... */
KP_API kp_on_metadata kp_error_on_metadata(int code);
KP_API const char *kp_error_on_metadata_text(int code);
/* The code at a place of the table, 0 .. kp_error_count() - 1: Kafka's in rising, then ours in falling order. 0 beyond its end. */
KP_API int kp_error_count(void);
KP_API int kp_error_at(int place);

#ifdef __cplusplus
}
#endif

#endif
