/*
 * restore.h - a cluster and its storage: everything read back at the start, everything said at the end.
 */
#ifndef KP_DEVBROKER_RESTORE_H
#define KP_DEVBROKER_RESTORE_H

#include "devbroker/topics.h"

#define KP_DB_PRODUCER_IDS_RESERVED 1000 /* at a time, as Kafka's ProducerIdsBlock */
#define KP_DB_LEADER_EPOCHS_RESERVED 1000

/*
 * Bring back what the cluster's storage holds: topics, logs, producer states; with a new storage nothing. The cluster must be empty. 0,
 * KP_ERR_NO_MEMORY, or KP_ERR_KAFKA_STORAGE_ERROR with a line in the storage's fault.
 */
KP_MUST_USE int kp_db_restore(kp_db_cluster *c);
/* The end in order of a cluster that was restored: every log's state is noted, so that the next start needs no checksums. */
void kp_db_retire(kp_db_cluster *c);

#endif
