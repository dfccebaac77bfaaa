/*
 * txn_pace.h - how long the first batches of a transaction wait behind the EndTxn of the last one (KIP-890). Loop thread.
 *
 * EndTxn is answered when its outcome is in the coordinator's log; the markers are written behind that, in a millisecond or several. What the
 * next transaction produces meanwhile is not refused: the broker keeps it, and asks the coordinator again after 20 ms
 * (add.partitions.to.txn.retry.backoff.ms). So a pause that is a little too short costs much more than one that is a little too long. How
 * long is right is learnt from the first Produce of each transaction: one that took as much longer than usual came too early.
 */
#ifndef KP_PRODUCER_TXN_PACE_H
#define KP_PRODUCER_TXN_PACE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct kp_txn_pace {
	int64_t pause_us; /* behind an EndTxn's answer */
	int64_t until_us; /* no batch leaves before this */
	int64_t usual_us; /* of a first Produce that does not come too early; 0: not known yet */
	unsigned n_slow;  /* transactions while that is so long that coming too early may hide in it */
} kp_txn_pace;

void kp_txn_pace_init(kp_txn_pace *pace);
/* EndTxn of a transaction that brokers knew of was answered. */
void kp_txn_pace_ended(kp_txn_pace *pace, int64_t now_us);
/* The first Produce of a transaction was answered. */
void kp_txn_pace_produced(kp_txn_pace *pace, int64_t took_us);

#endif
