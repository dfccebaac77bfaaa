/*
 * txn_offsets.h - what kp_send_offsets_to_transaction was given, copied into one block of memory (kp_mem_free).
 */
#ifndef KP_PRODUCER_TXN_OFFSETS_H
#define KP_PRODUCER_TXN_OFFSETS_H

#include <kproducer/transaction.h>

#include <stdbool.h>

#include "base/compiler.h"

typedef struct kp_txn_offset {
	const char *topic, *metadata; /* metadata may be NULL */
	int32_t partition, leader_epoch;
	int64_t offset;
} kp_txn_offset;

typedef struct kp_txn_offsets {
	const char *group_id, *member_id, *group_instance_id; /* the last may be NULL */
	int32_t generation_id;
	size_t n;
	kp_txn_offset items[];
} kp_txn_offsets;

/* NULL: memory is out. Offsets of one topic stand together. */
KP_MUST_USE kp_txn_offsets *kp_txn_offsets_new(const kp_group_metadata *group, const kp_offset *offsets, size_t n);
bool kp_txn_offsets_has_twice(const kp_txn_offsets *o); /* two of one partition */
bool kp_txn_offsets_equal(const kp_txn_offsets *a, const kp_txn_offsets *b);

#endif
