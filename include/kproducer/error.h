/*
 * error.h - every error code of the library: Kafka's own numbers (-1 .. 133, Errors.java of Apache Kafka 4.3.1), and ours from -1001 down.
 *
 * One list (error_table.h) gives the code, its class, whether a broker that answers it may have appended the batch, and what to do about it.
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

/* KP_ERR_NOT_LEADER_OR_FOLLOWER = 6, KP_ERR_QUEUE_FULL = -1001, ...: Kafka's names and ours, see error_table.h. */
#define KP_ERROR_ENUM_(name, code, class_, append, text, advice) KP_ERR_##name = (code),
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

#ifdef __cplusplus
}
#endif

#endif
