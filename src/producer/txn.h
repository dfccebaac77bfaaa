/*
 * txn.h - the transaction of a transactional producer: its state, the operation under way, what it has at the brokers. Loop thread.
 *
 *   kp_engine_txn ─▶ operation ─▶ drain: no record open, none in flight ─▶ EndTxn ─▶ the next epoch ─▶ result, until it is taken
 *   a record or request fails ─▶ MUST_ABORT: records are refused, what was not sent ends
 *
 * Two protocols, by the cluster's finalized transaction.version:
 *   classic (KIP-98)   a partition is added at the coordinator before its first batch leaves; sequences go on from transaction to transaction
 *   2 (KIP-890)        the brokers add partitions themselves; each EndTxn answers the next epoch, with which all sequences begin at 0
 * It is looked at only when no transaction is open.
 */
#ifndef KP_PRODUCER_TXN_H
#define KP_PRODUCER_TXN_H

#include <kproducer/transaction.h>

#include "producer/coordinator.h"
#include "producer/txn_pace.h"

struct kp_partition;

typedef enum kp_txn_phase {
	KP_TXN_DRAIN, /* until the fate of all records is known, and no request of the transaction is in flight */
	KP_TXN_END,   /* EndTxn */
	KP_TXN_EPOCH  /* InitProducerId */
} kp_txn_phase;

typedef struct kp_txn {
	/* the transaction */
	uint64_t number;        /* counts them: a partition that was added remembers in which */
	bool is_v2;             /* KIP-890 */
	bool is_on_broker;      /* some broker may know of it: it needs an EndTxn */
	bool needs_epoch;       /* classic: sequence numbers are in doubt, so that behind the EndTxn comes InitProducerId */
	bool is_flushing;       /* a commit is under way */
	bool must_purge;        /* in this turn: what was not sent ends */
	bool is_settling;       /* the close has begun an abort */
	bool has_lost_to_close; /* records of it ended with KP_ERR_CLOSED: it is never committed */
	bool is_commit_lost;    /* an EndTxn that commits had no answer */
	bool in_doubt;          /* fenced after that */
	int cause;              /* what made it fail, 0: nothing has */
	char cause_text[320];
	/* the operation */
	kp_txn_op op; /* under way, or its result was not taken; else NONE */
	kp_txn_phase phase;
	bool is_over; /* it has a result: */
	int error;
	/* requests: one of these at a time ... */
	kp_call call;
	bool is_calling;
	int n_concurrent; /* answers CONCURRENT_TRANSACTIONS in a row */
	/* ... and beside it, classic, one AddPartitionsToTxn */
	kp_call add_call;
	bool is_adding;
	kp_list to_add, adding; /* partitions */
	kp_coordinator coordinator;
	kp_txn_pace pace; /* KIP-890 */
	/* offsets */
	kp_txn_offsets *offsets; /* of the operation under way */
	bool is_group_added;     /* classic: the group of the last ones is in this transaction */
	char *group_id;          /* whose coordinator it is; owned */
	kp_coordinator group;
} kp_txn;

void kp_txn_init(kp_engine *e);
void kp_txn_deinit(kp_engine *e);
/* Everything that is due. Before requests are started and batches sent. */
void kp_txn_step(kp_engine *e, int64_t now_us);
/* No batch of this partition may leave now: evaluated again when that changes. */
bool kp_txn_holds(kp_engine *e, struct kp_partition *p);
/* No attempt may be made again. */
bool kp_txn_is_giving_up(const kp_engine *e);
/* A batch of the transaction ended without being persisted. */
void kp_txn_batch_lost(kp_engine *e, const kp_batch *b, int error);
/* The pause before a batch or request that met CONCURRENT_TRANSACTIONS goes again: the markers of the last transaction are being written. */
int64_t kp_txn_pause_us(int n_before);

/* txn.c, for txn_requests.c */
void kp_txn_failed(kp_engine *e, int error, const char *fmt, ...) KP_PRINTF(3, 4); /* → MUST_ABORT */
void kp_txn_fenced(kp_engine *e, int error, const char *request);
void kp_txn_finish(kp_engine *e, int error); /* the operation has its result */
void kp_txn_added(kp_engine *e);             /* the partitions in `adding` are part of the transaction */

/* txn_requests.c: start one; its answer changes op, phase and state */
void kp_txn_call_init(kp_engine *e);
void kp_txn_call_end(kp_engine *e);
void kp_txn_call_offsets(kp_engine *e);
void kp_txn_call_add(kp_engine *e);
/* Of a transaction that is given up, in each turn: what waits to be asked again is over. Not while the queue of calls is walked. */
void kp_txn_drop_calls(kp_engine *e);

/* txn_text.c: what a call returned, in words */
void kp_txn_describe(const kp_engine *e, kp_txn_op op, int error, kp_txn_error *out);

#endif
