/*
 * storage.h - what the core asks of the place that keeps its topics and logs: an interface without an operating system. The core without
 * one keeps everything in memory; disk.h is the one that keeps files.
 *
 *   at start:  begin ─▶ note_next ─▶ topic_next, for each: partition_load ─▶ reserve ─▶ started          by the core in restore.c
 *   then:      topic_create/grow/delete · segment_new/grow/cut/close · reserve · note
 *   at end:    segment_free(KEEP) of every log, log_end of each ─▶ finish
 *
 * A segment is memory that the storage keeps: what is written to it counts as kept at once, in the sense that it survives the end of the
 * process, however sudden. The bytes of a log's segments are Kafka's: whole batches, back to back.
 *
 * Calls return 0, KP_ERR_NO_MEMORY, or KP_ERR_KAFKA_STORAGE_ERROR when the storage has said why (at start in `fault`, later through its
 * log); then nothing has changed. Not thread-safe: everything on the core's thread. Any call may block on the disk.
 */
#ifndef KP_DEVBROKER_STORAGE_H
#define KP_DEVBROKER_STORAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "devbroker/topic_config.h"
#include "wire/schema.h"

#define KP_DB_CLUSTER_ID_SIZE 23
#define KP_DB_FAULT_SIZE 1024

typedef struct kp_db_storage kp_db_storage;

/* A topic as it is kept. Names are C strings. */
typedef struct kp_db_topic_record {
	const char *name; /* topic_next: the storage's, until its next call; NULL behind the last topic */
	kp_uuid id;
	int32_t n_partitions;
	int16_t replication_factor;
	int32_t first_node;
	kp_db_topic_config *config; /* topic_next: initialised by the caller, filled in */
} kp_db_topic_record;

/* Of one log. The name must stay as long as the log. */
typedef struct kp_db_log_name {
	const char *topic;
	int32_t partition;
} kp_db_log_name;

typedef struct kp_db_segment {
	uint8_t *data;       /* may move when the segment grows */
	size_t cap;          /* bytes that may be written */
	int64_t base_offset; /* of its first record */
} kp_db_segment;

/* How large a segment is to be: `want` bytes, or, when there is no room for that, `need`. */
typedef struct kp_db_room {
	size_t want, need;
} kp_db_room;

typedef enum kp_db_segment_end {
	KP_DB_SEGMENT_KEEP,   /* its first `len` bytes stay */
	KP_DB_SEGMENT_REMOVE, /* it is to be gone */
	KP_DB_SEGMENT_FORGET  /* free the memory, touch nothing that is kept */
} kp_db_segment_end;

/* All below the bound may have been given out, and is not given out again. */
typedef struct kp_db_reserved {
	int64_t producer_id;
	int32_t leader_epoch;
} kp_db_reserved;

/* How a log stood when the last run ended in order. */
typedef struct kp_db_log_end {
	int64_t start_offset, end_offset;
} kp_db_log_end;

typedef struct kp_db_storage_ops {
	/* The first call. A new storage keeps *cluster_id and *reserved, an old one overwrites them with what it has kept. */
	int (*begin)(kp_db_storage *s, char cluster_id[KP_DB_CLUSTER_ID_SIZE], kp_db_reserved *reserved);
	int (*topic_next)(kp_db_storage *s, kp_db_topic_record *out);       /* in a fixed order */
	int (*note_next)(kp_db_storage *s, kp_slice *key, kp_slice *value); /* in any order; the null key behind the last one */
	/* The segments of a log, ascending; the array and each segment (segment_free) are the caller's. cap is what was found. */
	int (*partition_load)(kp_db_storage *s, const kp_db_log_name *log, kp_db_segment ***segments, size_t *n);
	/* True: the last run ended in order, and so. Only between begin and started. */
	bool (*log_was)(kp_db_storage *s, const kp_db_log_name *log, kp_db_log_end *out);
	/* Keep a copy of the segment beside it, from `pos` on, and cut it there (0: the segment goes as a whole): a repair. */
	int (*segment_set_aside)(kp_db_storage *s, kp_db_segment *seg, size_t pos);
	int (*started)(kp_db_storage *s); /* everything was read: from here on it may change */

	int (*topic_create)(kp_db_storage *s, const kp_db_topic_record *topic);
	int (*topic_grow)(kp_db_storage *s, const kp_db_topic_record *topic); /* n_partitions is the new number */
	int (*topic_delete)(kp_db_storage *s, const kp_db_topic_record *topic);

	int (*segment_new)(kp_db_storage *s, const kp_db_log_name *log, int64_t base_offset, kp_db_room room, kp_db_segment **out);
	int (*segment_grow)(kp_db_storage *s, kp_db_segment *seg, kp_db_room room);
	int (*segment_cut)(kp_db_storage *s, kp_db_segment *seg, size_t len);    /* cap becomes len */
	void (*segment_close)(kp_db_storage *s, kp_db_segment *seg, size_t len); /* full: only read from now on */
	void (*segment_free)(kp_db_storage *s, kp_db_segment *seg, size_t len, kp_db_segment_end end);
	/* The log is empty, and its next record has this offset. */
	int (*log_emptied)(kp_db_storage *s, const kp_db_log_name *log, int64_t end_offset);

	int (*reserve)(kp_db_storage *s, const kp_db_reserved *below);
	/* In place of an earlier one of this key (up to 65535 bytes); an empty value: there is none any more. */
	int (*note)(kp_db_storage *s, kp_slice key, kp_slice value);
	/* The end in order: how each log stands, then the last call. */
	void (*log_end)(kp_db_storage *s, const kp_db_log_name *log, const kp_db_log_end *end);
	void (*finish)(kp_db_storage *s);
	/* Where a segment is kept, for people: the storage's text until the next call. */
	const char *(*segment_path)(kp_db_storage *s, const kp_db_segment *seg);
} kp_db_storage_ops;

struct kp_db_storage {
	const kp_db_storage_ops *ops;
	size_t segment_min, segment_max;             /* bytes that a segment begins with, and that it grows to */
	bool is_repairing;                           /* cut damaged logs instead of refusing them */
	char fault[KP_DB_FAULT_SIZE];                /* why the start failed: one line */
	void (*say)(const char *line, void *opaque); /* lines for people; NULL: none */
	void *opaque;
};

/* One line for people. */
void kp_db_storage_say(const kp_db_storage *s, const char *format, ...) KP_PRINTF(2, 3);
/* Why the start fails. Returns KP_ERR_KAFKA_STORAGE_ERROR. */
int kp_db_storage_fault(kp_db_storage *s, const char *format, ...) KP_PRINTF(2, 3);

#endif
