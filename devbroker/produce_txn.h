/*
 * produce_txn.h - what the coordinator says to the transactional batches of a Produce request, before anything is appended: the first
 * batch of a transaction in a partition is *verified* (up to version 11: the partition must have been added), or adds the partition
 * itself (KIP-890, from version 12 on). ReplicaManager.handleProduceAppend.
 */
#ifndef KP_DEVBROKER_PRODUCE_TXN_H
#define KP_DEVBROKER_PRODUCE_TXN_H

#include "devbroker/internal.h"

typedef struct kp_db_produce_txn {
	kp_db_ctx *ctx;
	const kp_produce_request *request;
	kp_db_topic *(*topic_of)(const kp_db_ctx *ctx, const kp_produce_request_topic *t);
	int16_t *codes; /* of each entry, from 1 on; NULL: nothing in the request is transactional */
	/* The batches that the coordinator is asked about. */
	kp_slice *keys;
	uint32_t *entries;
	size_t n;
	bool has_producer, has_others; /* records of one producer, of others too: INVALID_PRODUCER_ID_MAPPING for all */
	int64_t producer_id;
	int16_t epoch;
} kp_db_produce_txn;

/* Which entry counts for a partition must have been noted. 0 with the codes, or KP_ERR_NO_MEMORY. */
KP_MUST_USE int kp_db_produce_verify(kp_db_produce_txn *x, size_t n_entries);
/* The code that the coordinator's answer becomes, for a client of this version; *text: null or what goes with it. */
int16_t kp_db_produce_code(const kp_db_ctx *ctx, int16_t code, kp_slice *text);

#endif
