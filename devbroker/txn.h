/*
 * txn.h - a transactional id as its coordinator sees it: which request leads where. Pure: nothing is stored, written or sent here.
 *
 *   Empty ──add──▶ Ongoing ──EndTxn──▶ PrepareCommit/PrepareAbort ──markers──▶ CompleteCommit/CompleteAbort ──add──▶ Ongoing ...
 *     ▲               └──time-out, InitProducerId: fenced──▶ PrepareAbort                    │
 *     └──────────────────────────────── InitProducerId ◀──────────────────────────────────────┘
 *
 * Kafka's TransactionCoordinator and TransactionMetadata of 4.3.1. Version 0 is the protocol of KIP-98, 2 that of KIP-890, in which every
 * end of a transaction raises the epoch; which one counts, the version of the request says.
 */
#ifndef KP_DEVBROKER_TXN_H
#define KP_DEVBROKER_TXN_H

#include "devbroker/core.h"

typedef struct kp_db_txn_meta {
	kp_db_txn_state state;
	int64_t producer_id;
	int64_t prev_producer_id; /* before the last transition, -1: none */
	int64_t next_producer_id; /* to be given out when the markers are written, because the epochs are used up; -1: none */
	int16_t epoch;            /* -1: new */
	int16_t last_epoch;       /* that a repeated request may still name; -1: none */
	int16_t version;          /* of the protocol of the last transaction */
	int32_t timeout_ms;
	int64_t start_ms; /* of the transaction, since 1970; -1: there is none */
} kp_db_txn_meta;

/* What becomes of a request. */
typedef struct kp_db_txn_step {
	int16_t code;    /* to answer with */
	bool is_changed; /* also with some codes: who initialises in the middle of a transaction is told to come again */
	kp_db_txn_meta next;
} kp_db_txn_step;

/* Who asks. fresh_id: an unused producer id, when kp_db_txn_wants_id. */
typedef struct kp_db_txn_who {
	int64_t producer_id;
	int16_t epoch;
	int64_t fresh_id;
	int64_t now_ms;
} kp_db_txn_who;

static inline bool kp_db_txn_is_ending(const kp_db_txn_meta *m)
{
	return m->state == KP_DB_TXN_PREPARE_COMMIT || m->state == KP_DB_TXN_PREPARE_ABORT;
}

/* The next end or init may need a new producer id. */
bool kp_db_txn_wants_id(const kp_db_txn_meta *m);
void kp_db_txn_new_meta(kp_db_txn_meta *m, int64_t producer_id);
/* InitProducerId; who->producer_id -1: it does not say who it was (KIP-360). `version`: of the cluster, for fencing. */
kp_db_txn_step kp_db_txn_init(const kp_db_txn_meta *m, const kp_db_txn_who *who, int32_t timeout_ms, int16_t version);
/* Partitions or groups are to be added: AddPartitionsToTxn, AddOffsetsToTxn; with version 2 also Produce and TxnOffsetCommit. */
kp_db_txn_step kp_db_txn_add(const kp_db_txn_meta *m, const kp_db_txn_who *who, int16_t version);
/* May who write what was added before? 0, KP_ERR_INVALID_PRODUCER_ID_MAPPING, KP_ERR_PRODUCER_FENCED, KP_ERR_CONCURRENT_TRANSACTIONS. */
int16_t kp_db_txn_check(const kp_db_txn_meta *m, const kp_db_txn_who *who);
kp_db_txn_step kp_db_txn_end(const kp_db_txn_meta *m, const kp_db_txn_who *who, bool is_commit, int16_t version);
/* An ongoing one is aborted by the coordinator, and its producer fenced. */
kp_db_txn_step kp_db_txn_fence(const kp_db_txn_meta *m, const kp_db_txn_who *who, int16_t version);
/* All markers are written. */
kp_db_txn_meta kp_db_txn_complete(const kp_db_txn_meta *m);

#endif
