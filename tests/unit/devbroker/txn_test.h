/*
 * txn_test.h - a transactional producer in a test: the requests it sends, one by one.
 */
#ifndef KP_TESTS_TXN_TEST_H
#define KP_TESTS_TXN_TEST_H

#include "db_test.h"

typedef struct txn_producer {
	db_test *t;
	const char *name; /* the transactional id */
	int64_t id;
	int16_t epoch;
	int32_t timeout_ms;
} txn_producer;

/* Node that coordinates the transactional id. */
int32_t txn_coordinator(const txn_producer *p);
/* Each returns the code that was answered. */
int16_t txn_init(txn_producer *p);       /* anew; id and epoch become those that were answered */
int16_t txn_init_again(txn_producer *p); /* as who it is (KIP-360) */
int16_t txn_add(txn_producer *p, const char *topic, int32_t partition);
int16_t txn_produce(txn_producer *p, int16_t version, int32_t partition, int32_t sequence); /* one record to "t" */
int16_t txn_end(txn_producer *p, int16_t version, bool is_commit); /* from version 5 on id and epoch become those answered */

kp_db_txn_info txn_info(const txn_producer *p);
kp_db_partition_info txn_partition(db_test *t, int32_t partition); /* of "t" */

#endif
