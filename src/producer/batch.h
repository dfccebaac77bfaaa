/*
 * batch.h - a batch of records on its way: the bytes, one entry per reported record, and what became of it.
 *
 *   data:    [ 61 bytes for the header | record | record | ...      free ]   grows by doubling up to batch.size
 *   entries: [ {opaque, timestamp, place} | ...                     free ]   only when reports are wanted
 *
 * Life: OPEN (appended to under its partition's lock) ─ detach ─▶ SEALING (summed and compressed, outside the lock)
 *       ─▶ SEALED ─ first request ─▶ in flight / waiting to be sent again ─▶ ended ─ reports ─▶ freed
 */
#ifndef KP_PRODUCER_BATCH_H
#define KP_PRODUCER_BATCH_H

#include <kproducer/kproducer.h>

#include <stdatomic.h>
#include <stdbool.h>

#include "base/list.h"
#include "producer/budget.h"
#include "producer/config.h"
#include "record/batch.h"
#include "wire/schema.h"

struct kp_partition;
struct kp_produce_call;

/* What the application gave for one record, kept until its report. */
typedef struct kp_entry {
	void *opaque;            /* the record's, or its group's */
	int32_t timestamp_delta; /* to the batch's base timestamp */
	uint32_t place;          /* of the record behind the header, and what follows */
} kp_entry;

#define KP_ENTRY_GROUP 0x80000000u       /* opaque is a kp_group */
#define KP_ENTRY_PARTITIONED 0x40000000u /* the record asked for its partition */
#define KP_ENTRY_PLACE 0x3fffffffu       /* hence batch.size acts up to KP_BATCH_SIZE_MOST */
#define KP_ENTRY_TAKEN UINT32_MAX /* of a group that has seen to it: nobody else is told (set by the client, after the end) */

/* A batch's place in a queue of reports to poll, see client/report_queue.h. */
typedef struct kp_queued {
	kp_list link;
	int32_t n_given; /* entries done with */
} kp_queued;
enum { KP_QUEUE_REPORTS, KP_QUEUE_FAILURES, KP_N_QUEUES };

/* Where its time went (trail.c); microseconds. */
typedef struct kp_trail {
	int64_t sent_us;                                               /* of the request that carries it; -1: none does */
	int64_t leaderless_mark_us;                                    /* its partition's count when it began to wait */
	int64_t no_metadata_us, no_leader_us, queued_us, in_flight_us; /* no_metadata and queued: from its end on */
} kp_trail;

/* What stood in the way of batches when they were given up; those that waited for the same share it. */
typedef struct kp_cause {
	_Atomic int32_t n_refs; /* acq_rel: who drops the last one frees it */
	int error;
	char text[];
} kp_cause;

void kp_cause_unref(kp_cause *c); /* any thread; NULL is fine */

typedef struct kp_batch {
	/* the first cache line is all that appending a record touches; under the partition's lock while OPEN, constant afterwards ... */
	uint8_t *data;
	size_t len, cap;   /* bytes in use (header included) and allocated */
	kp_entry *entries; /* NULL: none is kept */
	size_t entries_cap_bytes;
	int32_t n_entries; /* 0 or n_records */
	int32_t n_records;
	int64_t base_timestamp_ms, max_timestamp_ms;

	kp_list link;           /* in the partition's queue, then ready list, then list of unresolved ones */
	kp_list serial_link;    /* in the engine's list by serial, from adoption until its reports are taken */
	kp_list ended_link;     /* among the ended */
	_Atomic int32_t n_refs; /* acq_rel: who drops the last one frees it */
	struct kp_partition *partition;

	/* ... but for what sealing replaces; likewise: */
	bool is_transactional;
	bool is_dated_now; /* base_timestamp_ms is the time at which it was opened, not what a record asked for */
	int64_t created_us;
	int64_t routed_us; /* when it came to its partition: later than created_us if it waited for metadata */
	size_t raw_len;    /* bytes of records before compression */
	kp_codec_type codec;
	uint32_t records_crc;
	_Atomic bool is_sealed; /* release by whoever sealed it, acquire by the loop */

	/* loop */
	uint64_t serial;              /* order of adoption: flush waits for all below a number */
	struct kp_produce_call *call; /* the request that carries it now, or NULL */
	bool is_adopted;
	bool is_seal_due;      /* sealed by the loop, when it adopts the batch */
	bool is_stamped;       /* producer id, epoch, sequence are fixed */
	bool is_open_fate;     /* some attempt ended so that the broker may have appended it */
	bool is_acked;         /* persisted; it ends after those that were sent before it */
	bool is_ended;         /* reported while its request is unresolved: only sequence state is left to learn */
	kp_uuid sent_topic_id; /* in its last request: the topic may have been created anew before the answer */
	int64_t producer_id;
	int16_t producer_epoch;
	int32_t base_sequence;
	int32_t attempts;
	kp_trail trail;

	/* the outcome */
	int error;
	kp_outcome outcome;
	kp_stage stage;
	int last_error;
	int32_t last_node;
	int64_t base_offset, log_append_time_ms; /* -1: not known; -1: CreateTime */
	char *message;                           /* the broker's words, or NULL */
	kp_cause *cause;                         /* what stood in its way when it was given up, or NULL */
	int32_t *rejected;                       /* batch indexes of KP_ERR_INVALID_RECORD's culprits (KIP-467), or NULL */
	int32_t n_rejected;
	size_t moved_bytes; /* of one that waited for metadata and is half moved, see pending.c */
	int32_t n_refused;  /* records of it that have no partition to go to */
	kp_queued queued[KP_N_QUEUES];
} kp_batch;

/* What a batch is to have room for from the start. */
typedef struct kp_batch_need {
	size_t first_size;    /* of the first record */
	size_t size_hint;     /* bytes of records if they are to be had, else as many as the first record takes */
	int32_t entries_hint; /* entries, likewise; with wants_entry */
	bool wants_entry;
	bool may_exceed; /* the budget */
} kp_batch_need;

/*
 * NULL: the budget or memory is out; *error tells KP_ERR_WOULD_BLOCK from KP_ERR_NO_MEMORY. All buffers are had or none: a call that
 * finds no room wakes nobody who waits for it, itself included.
 */
KP_MUST_USE kp_batch *kp_batch_new(kp_budget *budget, const kp_batch_need *need, int *error);
/* Room for `size` more bytes of records and, with wants_entry, one more entry. 0, KP_ERR_WOULD_BLOCK or KP_ERR_NO_MEMORY. */
KP_MUST_USE int kp_batch_make_room(kp_batch *b, kp_budget *budget, size_t size, bool wants_entry, size_t batch_size,
                                   bool may_exceed);
/* Give the bytes back, keep the entries (a persisted batch waiting for its reports). */
void kp_batch_drop_data(kp_batch *b, kp_budget *budget);
void kp_batch_free(kp_batch *b, kp_budget *budget);
/* Bytes of the budget it holds. */
size_t kp_batch_footprint(const kp_batch *b);

/* Compressors and scratch buffers kept for threads that seal; as many as ever sealed at once. */
typedef struct kp_sealers {
	kp_lock lock;
	struct kp_sealer *spare;
	_Atomic bool
		is_in_vain; /* the last large batch did not become smaller: a sample of the next goes first. relaxed: a guess */
} kp_sealers;

void kp_sealers_init(kp_sealers *s);
void kp_sealers_deinit(kp_sealers *s);
/*
 * Compress (when that makes it smaller; behind a large batch that did not become so, only if a sample of it does), sum, store the header without a stamp, and mark the batch sealed. A batch that cannot be
 * compressed for want of memory goes uncompressed. Outside every lock; any thread, one at a time per batch. Returns the bytes that went
 * back to the budget: a sealed batch is the loop's, which may have sent and freed it by then, so nobody else may look at it.
 */
size_t kp_batch_seal(kp_batch *b, kp_sealers *sealers, kp_budget *budget, kp_codec_type codec, int level);

static inline bool kp_batch_is_sealed(kp_batch *b)
{
	return atomic_load_explicit(&b->is_sealed, memory_order_acquire);
}

/* The sequence number n records further on; they wrap from 2^31 - 1 to 0. */
static inline int32_t kp_sequence_after(int32_t sequence, int32_t n)
{
	return (int32_t)(((uint32_t)sequence + (uint32_t)n) & 0x7fffffff);
}

/* Fix producer id, epoch and base sequence (or -1, -1, -1) in the header. */
void kp_batch_set_stamp(kp_batch *b, int64_t producer_id, int16_t epoch, int32_t base_sequence);

#endif
