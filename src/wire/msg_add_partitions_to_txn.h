/*
 * msg_add_partitions_to_txn.h - AddPartitionsToTxn (API key 24), versions 0 to 5, flexible from 3.
 *
 * Notes give the versions that have a field (none given: all that have the struct), its tag, and where it may be null.
 */
#ifndef KP_WIRE_MSG_ADD_PARTITIONS_TO_TXN_H
#define KP_WIRE_MSG_ADD_PARTITIONS_TO_TXN_H

#include "wire/schema.h"

typedef struct kp_add_partitions_to_txn_request_topic {
	kp_slice name;
	KP_WIRE_ARRAY(int32_t) partitions;
} kp_add_partitions_to_txn_request_topic;

typedef struct kp_add_partitions_to_txn_request_transaction {
	kp_slice transactional_id;
	int64_t producer_id;
	int16_t producer_epoch;
	bool verify_only; /* of the brokers themselves (KIP-890) */
	KP_WIRE_ARRAY(kp_add_partitions_to_txn_request_topic) topics;
} kp_add_partitions_to_txn_request_transaction;

typedef struct kp_add_partitions_to_txn_request {
	KP_WIRE_ARRAY(kp_add_partitions_to_txn_request_transaction) transactions;  /* 4+ */
	kp_slice v3_and_below_transactional_id;                                    /* 0-3 */
	int64_t v3_and_below_producer_id;                                          /* 0-3 */
	int16_t v3_and_below_producer_epoch;                                       /* 0-3 */
	KP_WIRE_ARRAY(kp_add_partitions_to_txn_request_topic) v3_and_below_topics; /* 0-3 */
} kp_add_partitions_to_txn_request;

typedef struct kp_add_partitions_to_txn_response_partition {
	int32_t partition_index;
	int16_t partition_error_code;
} kp_add_partitions_to_txn_response_partition;

typedef struct kp_add_partitions_to_txn_response_topic {
	kp_slice name;
	KP_WIRE_ARRAY(kp_add_partitions_to_txn_response_partition) results_by_partition;
} kp_add_partitions_to_txn_response_topic;

typedef struct kp_add_partitions_to_txn_response_transaction {
	kp_slice transactional_id;
	KP_WIRE_ARRAY(kp_add_partitions_to_txn_response_topic) topic_results;
} kp_add_partitions_to_txn_response_transaction;

typedef struct kp_add_partitions_to_txn_response {
	int32_t throttle_time_ms;
	int16_t error_code;                                                                   /* 4+ */
	KP_WIRE_ARRAY(kp_add_partitions_to_txn_response_transaction) results_by_transaction;  /* 4+ */
	KP_WIRE_ARRAY(kp_add_partitions_to_txn_response_topic) results_by_topic_v3_and_below; /* 0-3 */
} kp_add_partitions_to_txn_response;

extern const kp_wire_struct kp_add_partitions_to_txn_request_topic_schema;
extern const kp_wire_struct kp_add_partitions_to_txn_request_transaction_schema;
extern const kp_wire_struct kp_add_partitions_to_txn_request_schema;
extern const kp_wire_struct kp_add_partitions_to_txn_response_partition_schema;
extern const kp_wire_struct kp_add_partitions_to_txn_response_topic_schema;
extern const kp_wire_struct kp_add_partitions_to_txn_response_transaction_schema;
extern const kp_wire_struct kp_add_partitions_to_txn_response_schema;
extern const kp_wire_message kp_add_partitions_to_txn_request_message;
extern const kp_wire_message kp_add_partitions_to_txn_response_message;

#endif
