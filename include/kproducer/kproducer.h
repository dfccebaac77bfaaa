/*
 * kproducer.h - the producer's public interface. C99 and C++17.
 *
 *   kp_config *c = kp_config_new();
 *   kp_config_set(c, "bootstrap.servers", "localhost:9092", err, sizeof err);
 *   kp_producer *p = kp_producer_new(c, NULL, err, sizeof err);
 *   kp_topic *t = kp_topic_open(p, "events");
 *   kp_record r = KP_RECORD_INIT;  r.value = "hello";  r.value_len = 5;
 *   kp_send(t, &r);
 *   kp_close(p, 10000, NULL);  kp_producer_free(p);  kp_config_free(c);
 *
 * Threads: every function may be called from any thread unless it says otherwise; kp_config only by one thread at a time.
 * Return values: 0 is success, any other int is a code of <kproducer/error.h>. Out-parameters are written only on success,
 * but for `err`: there, a function that can explain itself leaves one line of text (always terminated; err may be NULL).
 * Time-outs are milliseconds; 0 tries once, KP_FOREVER waits without bound.
 *
 * On the thread that runs a runtime's callbacks nothing blocks: kp_send acts as with max.block.ms=0, and flush, sync sends, admin
 * calls, kp_partitions_for return KP_ERR_IN_CALLBACK; kp_close acts with time-out 0 and returns before the reports.
 *
 * All functions since 0.1.
 */
#ifndef KPRODUCER_KPRODUCER_H
#define KPRODUCER_KPRODUCER_H

#include <stddef.h>
#include <stdint.h>

#include <kproducer/error.h>
#include <kproducer/export.h>

#ifdef __cplusplus
extern "C" {
#endif

#define KP_VERSION_MAJOR 0
#define KP_VERSION_MINOR 1
#define KP_VERSION_PATCH 0
#define KP_FOREVER (-1)

KP_API const char *kp_version(void); /* "0.1.0" of the library that runs */

/* ------------------------------------------------------------------ configuration */

typedef struct kp_config kp_config;
typedef struct kp_producer kp_producer;
typedef struct kp_topic kp_topic;
typedef struct kp_runtime kp_runtime;
typedef struct kp_report kp_report;

KP_API kp_config *kp_config_new(void); /* every property at its default; NULL when memory is out */
KP_API kp_config *kp_config_copy(const kp_config *c);
KP_API void kp_config_free(kp_config *c);

/*
 * Set a property by name (docs/configuration.md). Aliases of librdkafka and sarama are accepted where the meaning is the same.
 * KP_ERR_BAD_CONFIG with the reason in err: unknown name (with the nearest known), known elsewhere but not supported here, not a
 * number, out of range.
 */
KP_API int kp_config_set(kp_config *c, const char *name, const char *value, char *err, size_t err_size);
/* The value in force as text; *needed (may be NULL) is its length with the terminator. KP_ERR_BAD_CONFIG: unknown name. */
KP_API int kp_config_get(const kp_config *c, const char *name, char *value, size_t value_size, size_t *needed);
/* Read a Java .properties file; names file and line of the first mistake. KP_ERR_IO or KP_ERR_BAD_CONFIG. */
KP_API int kp_config_load_file(kp_config *c, const char *path, char *err, size_t err_size);
/*
 * The same for checking a file: tells every mistake, a line each as "FILE:12: ...", on the caller's thread, and takes what has none. `text`
 * is valid during the call. 0, KP_ERR_BAD_CONFIG when there were mistakes, KP_ERR_IO, KP_ERR_NO_MEMORY, KP_ERR_BAD_ARGUMENT (a NULL).
 */
typedef void kp_mistake_cb(const char *text, void *opaque);
KP_API int kp_config_check_file(kp_config *c, const char *path, kp_mistake_cb *on_mistake, void *opaque);
/* Take every KPRODUCER_<NAME> of the environment: KPRODUCER_BOOTSTRAP_SERVERS sets bootstrap.servers. */
KP_API int kp_config_load_env(kp_config *c, char *err, size_t err_size);
/* The rules between properties, as kp_producer_new applies them: KP_ERR_BAD_CONFIG names both properties. */
KP_API int kp_config_check(const kp_config *c, char *err, size_t err_size);

/* One row of the configuration table; strings are static. */
typedef struct kp_property {
	size_t struct_size;
	const char *name;
	const char *type;          /* "int", "string", "boolean", "enum", "list", "duration" */
	const char *default_value; /* as text; "" for none */
	const char *range;         /* "0 .. 2147483647" or "none, gzip, snappy, lz4, zstd" */
	const char *aliases;       /* comma separated, or "" */
	const char *importance;    /* "high", "medium", "low" */
	const char *doc;           /* one paragraph: what it does, unit, why one would change it */
} kp_property;
KP_API size_t kp_property_count(void);
KP_API int kp_property_get(size_t index, kp_property *out); /* out->struct_size set by the caller */

/* ------------------------------------------------------------------ records and reports */

typedef struct kp_header {
	const char *name;  /* UTF-8, terminated */
	const void *value; /* NULL: a null value */
	size_t value_len;
} kp_header;

#define KP_PARTITION_ANY (-1)
#define KP_TIMESTAMP_NOW (-1)

/* What to send. Start from KP_RECORD_INIT. Everything is copied before the call returns. */
typedef struct kp_record {
	size_t struct_size;
	const void *key; /* NULL: no key; an empty key is a non-NULL pointer with length 0 */
	size_t key_len;
	const void *value; /* NULL: a null value (a tombstone in a compacted topic) */
	size_t value_len;
	const kp_header *headers;
	size_t n_headers;
	int64_t timestamp_ms; /* since 1970; KP_TIMESTAMP_NOW: the time of the call, a tick of the system (1-10 ms) behind at most,
	                       * and for the first record of a batch, as all are at low rates, to the millisecond */
	int32_t partition;    /* KP_PARTITION_ANY: the partitioner chooses */
	void *opaque;         /* comes back in the report */
} kp_record;

#ifdef __cplusplus
#define KP_RECORD_INIT                                                                                             \
	kp_record                                                                                                  \
	{                                                                                                          \
		sizeof(kp_record), nullptr, 0, nullptr, 0, nullptr, 0, KP_TIMESTAMP_NOW, KP_PARTITION_ANY, nullptr \
	}
#else
#define KP_RECORD_INIT ((kp_record){sizeof(kp_record), NULL, 0, NULL, 0, NULL, 0, KP_TIMESTAMP_NOW, KP_PARTITION_ANY, NULL})
#endif

/* How a record ended. */
typedef enum kp_outcome {
	KP_PERSISTED = 0,     /* the broker acknowledged it; with a duplicate answer the offset may be -1 */
	KP_NOT_PERSISTED = 1, /* it is in no log and never will be: safe to send again */
	KP_UNKNOWN = 2        /* it may be in the log: sending again may double it. acks=0 ends so, with error 0 */
} kp_outcome;

/* Where a record was when it ended. */
typedef enum kp_stage {
	KP_STAGE_NO_METADATA = 0, /* its topic's partitions were not known */
	KP_STAGE_NO_LEADER = 1,   /* its partition had no leader, as far as the metadata tells */
	KP_STAGE_QUEUED = 2,      /* waiting to be sent, or sent again */
	KP_STAGE_IN_FLIGHT = 3,   /* sent, answer outstanding */
	KP_STAGE_DONE = 4         /* answered */
} kp_stage;

/*
 * The end of one record. In arrays of reports use kp_report_at, which knows the struct size that they were written with.
 *
 * Room for reports (of kp_send_sync, kp_reports_poll, kp_failures_poll, kp_resender_poll) comes with out->struct_size set by the caller, that
 * of the first in an array, to sizeof(kp_report): no more is written of each, so that a program of an older header may run with a newer
 * library. Left unset, nothing is written or given: KP_ERR_BAD_ARGUMENT, or no reports and an error in the log.
 */
struct kp_report {
	size_t struct_size;
	void *opaque;
	const char *topic;    /* valid as long as the producer */
	int64_t offset;       /* -1 when not known */
	int64_t timestamp_ms; /* the record's, or the broker's where the topic uses LogAppendTime */
	int32_t partition;    /* -1 when none was chosen yet */
	int error;            /* 0 when persisted, or the code that decided */
	kp_outcome outcome;
	kp_stage stage;
	int last_error; /* what a broker or connection last answered for it; without an attempt what stood in its way; 0 if nothing did */
	int32_t node_id;  /* the node of the last attempt; without one its partition's leader, -1 if there was none */
	int32_t attempts; /* requests that carried it */
	uint16_t flags;   /* KP_REPORT_… */
	uint16_t resends; /* times that a kp_resender sent it; of the attempts, 0 for all other records */
	/* For records that were not persisted: its content, valid until the callback returns (or the next poll); else NULL. */
	const void *key;
	size_t key_len;
	const void *value;
	size_t value_len;
	const kp_header *headers;
	size_t n_headers;
	const char *message; /* what the broker said beside the code (KIP-467), or NULL */
	/*
	 * Where its time went, in microseconds: together its age. Of its batch, that is, of the oldest record in it. Waiting for metadata, for
	 * a leader, for being sent (linger, back-off, connecting, throttled), and for answers.
	 */
	int64_t no_metadata_us, no_leader_us, queued_us, in_flight_us;
	/* What stood in its way when it was given up without an answer, naming node, server and error; or NULL. Valid as long as key. */
	const char *cause;
};

#define KP_REPORT_PARTITIONED 1 /* the record asked for its partition */
#define KP_REPORT_BYSTANDER 4   /* it fell with another record of its batch, which the broker rejected (KIP-467) */
#define KP_REPORT_NO_CONTENT 2  /* it was not persisted, and for want of memory key, value and headers are not all here */

static inline const kp_report *kp_report_at(const kp_report *reports, size_t i)
{
	return (const kp_report *)(const void *)((const char *)reports + i * reports->struct_size);
}

/*
 * 1 when sending the same record again may succeed and cannot double it: it ended not persisted, and for a reason that passes (classes
 * RETRIABLE, REFRESH, RESOURCE; delivery.timeout.ms), that somebody can put right meanwhile (permissions, credentials), or that is not its own
 * (a bystander, a stamp that a broker refused). 0 for all others. kp_error_is_retriable speaks of the request, this of the record.
 */
KP_API int kp_report_is_retriable(const kp_report *r);

/*
 * The report in one line: outcome, error, what stood in the way, stage, attempts, times, advice. Returns the line's length; it is cut when
 * size is not larger (buf may be NULL when size is 0). Any thread; does not block or allocate.
 */
KP_API size_t kp_report_text(const kp_report *r, char *buf, size_t size);

/*
 * Reports, an array at a time, on the runtime's thread. Per partition in the order of sending. Must not block: a call over 100 ms
 * is logged. Which records are reported: delivery.reports = all | errors | none.
 */
typedef void kp_report_cb(kp_producer *p, const kp_report *reports, size_t n, void *opaque);
KP_API void kp_config_set_report_cb(kp_config *c, kp_report_cb *cb, void *opaque);
/* Instead of a callback: keep reports in a queue (kp_reports_poll, kp_reports_fd). Unpolled reports count against buffer.memory. */
KP_API void kp_config_use_report_queue(kp_config *c);
/*
 * Beside either: keep the report and the content of every record that ended not persisted or unknown, whatever delivery.reports says,
 * until it is polled (kp_failures_poll, kp_failures_fd). Held records count against buffer.memory: who does not poll stops sending. Records
 * of kp_produce_batch (with the batch's opaque) and kp_send_sync are there too; those that acks=0 wrote are no failures.
 */
KP_API void kp_config_use_failure_queue(kp_config *c);

/* Log lines; level is syslog's (3 error, 4 warning, 6 info, 7 debug). Any thread, must not block. Default: stderr. */
typedef void kp_log_cb(int level, const char *line, void *opaque);
KP_API void kp_config_set_log_cb(kp_config *c, kp_log_cb *cb, void *opaque);
/* Errors that belong to no record: all brokers down, authentication, a refused producer id. On the runtime's thread. */
typedef void kp_error_cb(kp_producer *p, int error, const char *text, void *opaque);
KP_API void kp_config_set_error_cb(kp_config *c, kp_error_cb *cb, void *opaque);
/*
 * buffer.memory fills up: is_high 1 when buffer.high.watermark.percent of it is in use, or when a record finds no room while more than
 * buffer.low.watermark.percent is in use (one partition may hold half of it at most); then is_high 0 when use is back at the low mark; and so
 * on, always in turn, beginning with 1. A time to slow down and a time to go on, before kp_send waits or refuses. Seen once a turn of the
 * runtime: a peak between two turns may pass untold. used_bytes is the figure that was seen. On the runtime's thread, must not block.
 */
typedef void kp_watermark_cb(kp_producer *p, int is_high, uint64_t used_bytes, void *opaque);
KP_API void kp_config_set_watermark_cb(kp_config *c, kp_watermark_cb *cb, void *opaque);

/* ------------------------------------------------------------------ the producer */

/*
 * fork(): producers, topics and runtimes stay with the process that made them. In a child every call on one that was made before the fork
 * returns KP_ERR_FORKED at once (what returns a pointer NULL, a count or figures 0, a descriptor -1); it sends nothing and takes no lock.
 * kp_producer_free and kp_runtime_free close the child's copies of the descriptors and leave the memory as it is; the parent's connections
 * do not notice, and it loses no record. The child may make a runtime and producers of its own, from a kp_config of the parent too.
 * A callback may fork; its child must end by exec or _exit there: should it return, it is ended with status 70.
 */

/* A thread that serves any number of producers. */
KP_API kp_runtime *kp_runtime_new(void);    /* NULL: out of memory, threads or descriptors */
KP_API void kp_runtime_free(kp_runtime *r); /* after its producers were freed; refused in a callback of theirs */

/* The configuration is copied. runtime NULL: the producer gets one of its own. Connects in the background, when there is something to ask or send. */
KP_API kp_producer *kp_producer_new(const kp_config *c, kp_runtime *runtime, char *err, size_t err_size);

/* A handle for a topic: valid until kp_producer_free, the same one for the same name. NULL: invalid name or out of memory. */
KP_API kp_topic *kp_topic_open(kp_producer *p, const char *name);
KP_API const char *kp_topic_name(const kp_topic *t);
/*
 * With idempotence.on.gap=halt_partition: a partition of which a record was lost takes records again. Those that came before end as they
 * would have. Any thread, callbacks too; never waits. 0 (also when it was not halted), KP_ERR_UNKNOWN_PARTITION, KP_ERR_FORKED.
 */
KP_API int kp_topic_resume(kp_topic *t, int32_t partition);

/*
 * Hand a record over. 0: accepted, exactly one report follows (as delivery.reports says). Waits at most max.block.ms for room.
 * KP_ERR_QUEUE_FULL, KP_ERR_RECORD_TOO_LARGE, KP_ERR_UNKNOWN_PARTITION, KP_ERR_PARTITION_HALTED (idempotence.on.gap), KP_ERR_BAD_ARGUMENT,
 * KP_ERR_CLOSED, KP_ERR_NO_MEMORY. With a transactional.id: KP_ERR_NO_TRANSACTION when none is open, KP_ERR_TRANSACTION_ABORTABLE when it has
 * failed, KP_ERR_PRODUCER_FENCED; a record that is refused as too large, or for its partition or arguments, fails the transaction.
 */
KP_API int kp_send(kp_topic *t, const kp_record *r);
/* The same, never waiting. */
KP_API int kp_try_send(kp_topic *t, const kp_record *r);
/* Hand n records over in order; returns how many were accepted. *error (may be NULL): why the next one was not, else 0. */
KP_API size_t kp_send_many(kp_topic *t, const kp_record *records, size_t n, int *error);
/* Send one and wait for its end. The result's error, or KP_ERR_TIMED_OUT (the record goes on; its report is dropped). `out` may be NULL, its
 * struct_size is set by the caller; its opaque, topic, offset … are set, key, value, headers, message and cause are NULL. */
KP_API int kp_send_sync(kp_topic *t, const kp_record *r, int timeout_ms, kp_report *out);

/* The end of a group of records sent with kp_produce_batch. */
typedef struct kp_batch_report {
	size_t struct_size;
	void *opaque;
	size_t n_persisted, n_not_persisted, n_unknown;
	int first_error; /* of the first record that failed, 0 if none */
} kp_batch_report;
typedef void kp_batch_cb(kp_producer *p, const kp_batch_report *report, void *opaque);
/*
 * Send n records as a group: one call of cb, on the runtime's thread, when the last of the accepted ones ended; no reports of their
 * own. Returns how many were accepted; when that is 0 cb is not called. *error as in kp_send_many.
 */
KP_API size_t kp_produce_batch(kp_topic *t, const kp_record *records, size_t n, kp_batch_cb *cb, void *opaque, int *error);

/* Queue mode: up to max reports; waits up to timeout_ms for the first. What a report points to is valid until the next call. One thread at a time.
 * out->struct_size set by the caller. */
KP_API size_t kp_reports_poll(kp_producer *p, kp_report *out, size_t max, int timeout_ms);
/* A descriptor that is readable while reports wait; belongs to the producer. -1 without a report queue. */
KP_API int kp_reports_fd(kp_producer *p);

/*
 * The failure queue: up to max failures in the order of failing; waits up to timeout_ms for the first. What a report points to is valid
 * until the next call, which frees its memory. One thread at a time. kp_close keeps what was not polled until kp_producer_free.
 * out->struct_size set by the caller.
 */
KP_API size_t kp_failures_poll(kp_producer *p, kp_report *out, size_t max, int timeout_ms);
/* A descriptor that is readable while failures wait; belongs to the producer. -1 without a failure queue. */
KP_API int kp_failures_fd(kp_producer *p);

/* ------------------------------------------------------------------ sending failed records again */

/*
 * A resender takes failed records, and sends them again after a delay that doubles with each time. The records keep topic, key, value,
 * headers, timestamp, opaque, and the partition if they asked for one. It has no thread: it sends while it is polled.
 *
 *   out[0].struct_size = sizeof(out[0]);
 *   for (;;) {
 *           n = kp_failures_poll(p, out, 64, 100);
 *           for (i = 0; i < n; i++)
 *                   if ((err = kp_resender_offer(r, &out[i])))
 *                           give_up(&out[i], err);
 *           n = kp_resender_poll(r, out, 64, 0);
 *           for (i = 0; i < n; i++)
 *                   if (out[i].outcome != KP_PERSISTED)
 *                           give_up(&out[i], out[i].error);
 *   }
 *
 * Order: a record that is sent again comes behind those that were sent meanwhile. Each time counts as a record in kp_counters.
 */
typedef struct kp_resender kp_resender;

#define KP_RESEND_UNKNOWN 1 /* records of unknown outcome too: may write the record twice */

/* Start from KP_RESEND_OPTIONS_INIT. */
typedef struct kp_resend_options {
	size_t struct_size;
	int max_attempts; /* times a record is sent again, 1 .. 1000 (3) */
	int delay_ms;     /* before the first of them, 1 .. 86400000 (100); doubles */
	int delay_max_ms; /* up to this, delay_ms .. 86400000 (10000) */
	int flags;        /* KP_RESEND_… (0) */
	const char *
		count_header; /* this header, in the place of one of that name, tells how often it was sent again: "1" ... (NULL: none) */
	size_t max_bytes; /* the records it holds, from 1024 on (33554432) */
} kp_resend_options;

#ifdef __cplusplus
#define KP_RESEND_OPTIONS_INIT                                                         \
	kp_resend_options                                                              \
	{                                                                              \
		sizeof(kp_resend_options), 3, 100, 10000, 0, nullptr, (size_t)32 << 20 \
	}
#else
#define KP_RESEND_OPTIONS_INIT ((kp_resend_options){sizeof(kp_resend_options), 3, 100, 10000, 0, NULL, (size_t)32 << 20})
#endif

/* `o` is copied; NULL: the defaults. NULL when memory is out or an option not allowed: err says which. Free it before its producer. */
KP_API kp_resender *kp_resender_new(kp_producer *p, const kp_resend_options *o, char *err, size_t err_size);
/*
 * Take a copy of a failed record, from a callback or a queue; never waits, any thread. 0: its end comes out of kp_resender_poll. Else why it
 * will not be sent again: KP_ERR_NOT_RETRIABLE, KP_ERR_MAY_DOUBLE (unknown, without KP_RESEND_UNKNOWN), KP_ERR_RESENDER_FULL, KP_ERR_CLOSED,
 * KP_ERR_NO_MEMORY, KP_ERR_BAD_ARGUMENT (it did not fail).
 */
KP_API int kp_resender_offer(kp_resender *r, const kp_report *report);
/*
 * Send what is due, and give up to max records that ended for good: persisted, or failed with the last attempt's error and trail, `attempts`,
 * `resends` and times over all of them. Once an attempt ended unknown a record ends persisted or unknown. Waits up to timeout_ms for the first; after
 * kp_close what it holds ends with KP_ERR_CLOSED. What a report points to is valid until the next call. These records are in no other report.
 * One thread at a time. out->struct_size set by the caller.
 */
KP_API size_t kp_resender_poll(kp_resender *r, kp_report *out, size_t max, int timeout_ms);
/* Records that it was given and that did not come out of kp_resender_poll yet. */
KP_API size_t kp_resender_pending(kp_resender *r);
/* What is pending is dropped, and what is under way not reported: poll first. NULL is fine. Not during kp_resender_poll. */
KP_API void kp_resender_free(kp_resender *r);

/* Send everything accepted before the call without lingering, and wait for its reports. 0 or KP_ERR_TIMED_OUT. */
KP_API int kp_flush(kp_producer *p, int timeout_ms);

#define KP_PURGE_QUEUED 1    /* records that no request carried yet: not persisted */
#define KP_PURGE_IN_FLIGHT 2 /* records whose answer is outstanding: unknown */
/* End records now, with KP_ERR_PURGED; their reports come as usual. */
KP_API int kp_purge(kp_producer *p, int what);

/* Counters since creation, and what is pending now. */
typedef struct kp_counters {
	size_t struct_size;
	uint64_t accepted; /* records */
	uint64_t persisted, not_persisted, unknown;
	uint64_t accepted_bytes;             /* keys, values and headers of accepted records as encoded */
	uint64_t sent_bytes, received_bytes; /* on the wire */
	uint64_t requests, batches, retries; /* Produce requests; batches ended; attempts after the first */
	uint64_t connects, disconnects;
	uint64_t queued_records; /* accepted, not ended */
	uint64_t queued_bytes;   /* of buffer.memory in use */
	uint64_t slow_callbacks; /* over 100 ms */
	uint64_t report_queue;   /* reports waiting for kp_reports_poll */
	uint64_t throttle_ms;    /* total asked for by brokers */
	uint64_t failure_queue;  /* failures waiting for kp_failures_poll */
} kp_counters;
KP_API void kp_counters_get(kp_producer *p, kp_counters *out); /* out->struct_size set by the caller */

/*
 * Stop accepting, flush until timeout_ms, end what is left (queued: not persisted; in flight: unknown) with KP_ERR_CLOSED, deliver
 * every report, join the runtime if it is the producer's own. *left (may be NULL): records that did not make it in time.
 * 0, or KP_ERR_TIMED_OUT when something was left. An open transaction is aborted, and then it returns KP_ERR_TRANSACTION_ABORTED; a commit
 * that timed out is finished, and its result returned. Idempotent. Counters and, in queue mode, kp_reports_poll work until kp_producer_free.
 */
KP_API int kp_close(kp_producer *p, int timeout_ms, uint64_t *left);
/*
 * Frees everything; closes with time-out 0 first if that was not done. In a callback, which the producer would wait for, it is refused: an
 * error is logged, and the producer goes on.
 */
KP_API void kp_producer_free(kp_producer *p);

/* ------------------------------------------------------------------ cluster and topics */

typedef struct kp_partition_info {
	int32_t partition;
	int32_t leader; /* node id, -1: none now */
	int32_t leader_epoch;
	int32_t n_replicas, n_in_sync;
} kp_partition_info;

typedef struct kp_topic_info {
	size_t struct_size;
	char name[256];
	uint8_t id[16]; /* zero when the cluster has no topic ids */
	int error;      /* the topic's own, e.g. KP_ERR_UNKNOWN_TOPIC_OR_PARTITION */
	int is_internal;
	size_t n_partitions;
	kp_partition_info *partitions; /* by their numbers */
} kp_topic_info;

/* A topic as the cluster describes it now. Free with kp_topic_infos_free(out, 1). Never creates the topic. */
KP_API int kp_partitions_for(kp_producer *p, const char *topic, int timeout_ms, kp_topic_info **out, char *err, size_t err_size);
/* All topics of the cluster, by their names. */
KP_API int kp_topics_list(kp_producer *p, int timeout_ms, kp_topic_info **out, size_t *n, char *err, size_t err_size);
KP_API void kp_topic_infos_free(kp_topic_info *infos, size_t n);

/* partitions -1 and replication_factor -1: the broker's defaults. configs: name, value, name, value, …, NULL; may be NULL. */
KP_API int kp_topic_create(kp_producer *p, const char *topic, int32_t partitions, int16_t replication_factor,
                           const char *const *configs, int timeout_ms, char *err, size_t err_size);
KP_API int kp_topic_delete(kp_producer *p, const char *topic, int timeout_ms, char *err, size_t err_size);
/* total: the partitions it shall have afterwards. */
KP_API int kp_topic_add_partitions(kp_producer *p, const char *topic, int32_t total, int timeout_ms, char *err, size_t err_size);

typedef struct kp_config_entry {
	char *name, *value; /* value NULL: sensitive */
	int is_default, is_read_only;
} kp_config_entry;
/* The topic's configuration on the cluster. Free with kp_config_entries_free. */
KP_API int kp_topic_configs(kp_producer *p, const char *topic, int timeout_ms, kp_config_entry **out, size_t *n, char *err,
                            size_t err_size);
KP_API void kp_config_entries_free(kp_config_entry *entries, size_t n);

/* Murmur2 as Kafka's default partitioner uses it on keys: partition = (kp_murmur2(key) & 0x7fffffff) % partitions. */
KP_API uint32_t kp_murmur2(const void *key, size_t len);

#ifdef __cplusplus
}
#endif

#include <kproducer/transaction.h>
#endif
