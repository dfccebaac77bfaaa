/*
 * producer_state.h - what a partition remembers of each idempotent producer: its epoch and its last five batches (KIP-98).
 *
 * As Kafka's ProducerStateEntry and ProducerAppendInfo do it, checked against 4.3.1 by raw requests:
 *   a batch whose first and last sequence are those of one of the five, same epoch: a duplicate, answered with its offset
 *   a lower epoch: 47; a higher one must start at sequence 0, else 45; the same one must follow without a gap, else 45
 *   no state: any epoch and sequence
 *
 * All states of a broker are in one list by last use; past `max` the longest unused is forgotten, so memory stays bounded.
 */
#ifndef KP_DEVBROKER_PRODUCER_STATE_H
#define KP_DEVBROKER_PRODUCER_STATE_H

#include "base/list.h"
#include "base/map.h"
#include "record/batch.h"

#define KP_DB_BATCHES_KEPT 5
#define KP_DB_PRODUCERS_MAX 100000 /* of all partitions together */

typedef struct kp_db_producer_pool {
	kp_list by_use; /* longest unused first */
	size_t n, max;
} kp_db_producer_pool;

typedef struct kp_db_producer_batch {
	int32_t first_sequence, last_sequence;
	int64_t base_offset;
	int64_t timestamp; /* of the batch as stored, ms: the answer to a duplicate carries it as LogAppendTimeMs */
} kp_db_producer_batch;

typedef struct kp_db_producer {
	kp_list by_use;
	struct kp_db_producers *owner;
	int64_t id;
	int16_t epoch;
	int n_batches;
	kp_db_producer_batch batches[KP_DB_BATCHES_KEPT]; /* oldest first */
} kp_db_producer;

typedef struct kp_db_producers {
	kp_map by_id;
	kp_db_producer_pool *pool;
} kp_db_producers;

void kp_db_producer_pool_init(kp_db_producer_pool *pool, size_t max);
void kp_db_producers_init(kp_db_producers *s, kp_db_producer_pool *pool);
void kp_db_producers_deinit(kp_db_producers *s);

/* Sequence n places behind `sequence`: after 2^31-1 comes 0. */
int32_t kp_db_sequence_add(int32_t sequence, int32_t n);

/*
 * May this batch be appended? 0: yes. KP_ERR_DUPLICATE_SEQUENCE_NUMBER: it is there already, at *duplicate (valid until the state
 * changes). KP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, KP_ERR_INVALID_PRODUCER_EPOCH: no. h->producer_id must not be negative.
 */
KP_MUST_USE int kp_db_producers_check(const kp_db_producers *s, const kp_batch_header *h, const kp_db_producer_batch **duplicate);
/* Make room for the producer, so that the note after the append cannot fail. 0 or KP_ERR_NO_MEMORY. */
KP_MUST_USE int kp_db_producers_reserve(kp_db_producers *s, int64_t producer_id);
/* The batch was appended (h as stored). The producer must be reserved. */
void kp_db_producers_note(kp_db_producers *s, const kp_batch_header *h);
void kp_db_producers_forget(kp_db_producers *s, int64_t producer_id); /* -1: all */

#endif
