/*
 * partition_txn.h - what transactions mean for a partition: the state that its batches and markers leave, what is stable, which
 * transactions were aborted.
 */
#ifndef KP_DEVBROKER_PARTITION_TXN_H
#define KP_DEVBROKER_PARTITION_TXN_H

#include "devbroker/topics.h"

/* Make room for what kp_db_partition_note keeps, so that it cannot fail. 0 or KP_ERR_NO_MEMORY. */
KP_MUST_USE int kp_db_partition_reserve(kp_db_partition *p, int64_t producer_id);
/* A batch with a producer id, data or marker, stands in the log (or, when nothing is kept, would). h as stored. */
void kp_db_partition_note(kp_db_partition *p, kp_slice batch, const kp_batch_header *h);
/* The state anew, from the log. KP_ERR_NO_MEMORY: it is incomplete. */
KP_MUST_USE int kp_db_partition_rebuild(kp_db_partition *p);
/* Last stable offset: below it every transaction is decided. Not above the high watermark, not below the log's start. */
int64_t kp_db_last_stable(const kp_db_partition *p);
/* What read_committed (1) or read_uncommitted (0) may read up to. */
int64_t kp_db_readable_by(const kp_db_partition *p, int8_t isolation_level);

/* Aborted transactions, in the order of their markers. */
void kp_db_aborted_deinit(kp_db_aborted_list *a);
/*
 * Those that a read from `offset` on, which ends before `limit`, meets (TransactionIndex.collectAbortedTxns): call with *at = 0 until
 * NULL.
 */
const kp_db_aborted *kp_db_aborted_next(const kp_db_aborted_list *a, int64_t offset, int64_t limit, size_t *at);

#endif
