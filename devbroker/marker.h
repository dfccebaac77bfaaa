/*
 * marker.h - the control batch that ends a transaction in a partition (KIP-98, EndTransactionMarker): writing one, reading one.
 *
 *   batch header, transactional and control, no sequence | one record: key {version 2, type 2}, value {version 2, coordinatorEpoch 4}
 */
#ifndef KP_DEVBROKER_MARKER_H
#define KP_DEVBROKER_MARKER_H

#include "record/batch.h"

#define KP_DB_MARKER_SIZE 78

typedef struct kp_db_marker {
	int64_t producer_id;
	int16_t producer_epoch;
	int32_t coordinator_epoch;
	bool is_commit;
	bool is_log_append_time; /* what the topic's message.timestamp.type says */
	int64_t timestamp;       /* ms since 1970 */
} kp_db_marker;

/* The whole batch, its base offset 0. */
void kp_db_marker_store(uint8_t out[KP_DB_MARKER_SIZE], const kp_db_marker *m);
/* False: the batch is none. */
bool kp_db_marker_load(kp_slice batch, kp_db_marker *out);

#endif
