/*
 * producer_state.h - what a partition remembers of each producer: its epoch, its last five batches (KIP-98) and its open transaction.
 *
 * As Kafka's ProducerStateEntry and ProducerAppendInfo do it, checked against 4.3.1 by raw requests:
 *   a batch whose first and last sequence are those of one of the five, same epoch: a duplicate, answered with its offset
 *   a lower epoch: 47; a higher one must start at sequence 0, else 45; the same one must follow without a gap, else 45
 *   no state: any epoch and sequence (0 alone in a transaction that adds its partitions by itself, KIP-890)
 *   a batch outside a transaction while the producer's is open: 48
 *
 * A transaction is *unstable* from its first batch until its marker is below the high watermark: until then the last stable offset stays
 * at its first offset.
 *
 * All states of a broker are in one list by last use; past `max` the longest unused is forgotten, so memory stays bounded. Unstable ones
 * are not in the list: they must not be forgotten.
 */
#ifndef KP_DEVBROKER_PRODUCER_STATE_H
#define KP_DEVBROKER_PRODUCER_STATE_H

#include "base/list.h"
#include "base/map.h"
#include "devbroker/marker.h"

#define KP_DB_BATCHES_KEPT 5
#define KP_DB_PRODUCERS_MAX 100000 /* of all partitions together */

typedef struct kp_db_producer_pool {
	kp_list by_use; /* longest unused first */
	size_t n, max;
	size_t n_unstable; /* of n; at most nine tenths of max, so that transactions cannot keep all others out */
} kp_db_producer_pool;

typedef struct kp_db_producer_batch {
	int32_t first_sequence, last_sequence;
	int64_t base_offset;
	int64_t timestamp; /* of the batch as stored, ms: the answer to a duplicate carries it as LogAppendTimeMs */
} kp_db_producer_batch;

/* KIP-890: a first batch of a transaction was looked at, and none has been appended since (VerificationStateEntry). */
typedef struct kp_db_verification {
	bool is_open, is_adding; /* adding: the partition is added by the Produce itself */
	int16_t epoch;
	int32_t lowest_sequence; /* that was refused: later ones must not overtake it */
} kp_db_verification;

typedef struct kp_db_producer {
	kp_list by_use;   /* in the pool's list, unless unstable */
	kp_list unstable; /* in the owner's list, by unstable_first */
	struct kp_db_producers *owner;
	int64_t id;
	int16_t epoch; /* -1: none yet */
	bool is_open;  /* a transaction */
	int n_batches;
	kp_db_producer_batch batches[KP_DB_BATCHES_KEPT]; /* oldest first */
	int32_t coordinator_epoch;                        /* of the last marker, -1: none */
	int64_t txn_first;                                /* offset of the open transaction's first record */
	bool has_loose_end;                               /* the marker of one that ended, at txn_last, is not replicated */
	int64_t txn_last;
	int64_t unstable_first; /* of the first that is not stable: txn_first, or of the one with the loose end */
	kp_db_verification verification;
} kp_db_producer;

typedef struct kp_db_producers {
	kp_map by_id;
	kp_list unstable;
	size_t n_loose_ends; /* how many have one */
	kp_db_producer_pool *pool;
} kp_db_producers;

void kp_db_producer_pool_init(kp_db_producer_pool *pool, size_t max);
void kp_db_producers_init(kp_db_producers *s, kp_db_producer_pool *pool);
void kp_db_producers_deinit(kp_db_producers *s);

/* Sequence n places behind `sequence`: after 2^31-1 comes 0. */
int32_t kp_db_sequence_add(int32_t sequence, int32_t n);

/*
 * May this batch be appended? 0: yes. KP_ERR_DUPLICATE_SEQUENCE_NUMBER: it is there already, at *duplicate (valid until the state
 * changes). KP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, KP_ERR_INVALID_PRODUCER_EPOCH, KP_ERR_INVALID_TXN_STATE: no. h->producer_id must not be
 * negative.
 */
KP_MUST_USE int kp_db_producers_check(const kp_db_producers *s, const kp_batch_header *h, const kp_db_producer_batch **duplicate);
/*
 * A transactional batch arrived. 0 and *is_needed: the coordinator is to be asked about the transaction, whose batch is remembered until
 * one is appended. KP_ERR_INVALID_PRODUCER_EPOCH, KP_ERR_NO_MEMORY.
 */
KP_MUST_USE int kp_db_producers_verify(kp_db_producers *s, const kp_batch_header *h, bool is_adding, bool *is_needed);
/* Make room for the producer, so that the note after the append cannot fail. 0 or KP_ERR_NO_MEMORY. */
KP_MUST_USE int kp_db_producers_reserve(kp_db_producers *s, int64_t producer_id);
/* The batch was appended (h as stored). The producer must be reserved. */
void kp_db_producers_note(kp_db_producers *s, const kp_batch_header *h);

/* May this marker be appended? `version`: of the protocol the transaction was written by, 0 or 2 (KIP-890). 0, 47 or 52. */
KP_MUST_USE int kp_db_producers_check_marker(const kp_db_producers *s, const kp_db_marker *m, int16_t version);
/* It was appended at `offset`. The transaction's first offset, or -1: none was open. The producer must be reserved. */
int64_t kp_db_producers_end(kp_db_producers *s, const kp_db_marker *m, int64_t offset);
/* First offset of the first unstable transaction, INT64_MAX for none; of the first open one of other producers. */
int64_t kp_db_producers_first_unstable(const kp_db_producers *s);
int64_t kp_db_producers_first_open_of_others(const kp_db_producers *s, int64_t producer_id);
/* What is below the high watermark is stable. */
void kp_db_producers_replicated(kp_db_producers *s, int64_t high_watermark);

/* State expires, -1: of all; that of unstable transactions stays. */
void kp_db_producers_forget(kp_db_producers *s, int64_t producer_id);

#endif
