/*
 * msg_txn_offset_commit.h - TxnOffsetCommit (API key 28), versions 0 to 5, flexible from 3.
 *
 * Notes give the versions that have a field (none given: all that have the struct), its tag, and where it may be null.
 */
#ifndef KP_WIRE_MSG_TXN_OFFSET_COMMIT_H
#define KP_WIRE_MSG_TXN_OFFSET_COMMIT_H

#include "wire/schema.h"

typedef struct kp_txn_offset_commit_request_partition {
	int32_t partition_index;
	int64_t committed_offset;       /* of the next record to read */
	int32_t committed_leader_epoch; /* 2+; -1: unknown */
	kp_slice committed_metadata;    /* nullable */
} kp_txn_offset_commit_request_partition;

typedef struct kp_txn_offset_commit_request_topic {
	kp_slice name;
	KP_WIRE_ARRAY(kp_txn_offset_commit_request_partition) partitions;
} kp_txn_offset_commit_request_topic;

typedef struct kp_txn_offset_commit_request {
	kp_slice transactional_id;
	kp_slice group_id;
	int64_t producer_id;
	int16_t producer_epoch;
	int32_t generation_id;      /* 3+; -1: a consumer that assigned its partitions itself (KIP-447) */
	kp_slice member_id;         /* 3+; empty: likewise */
	kp_slice group_instance_id; /* 3+, nullable; null: no static membership */
	KP_WIRE_ARRAY(kp_txn_offset_commit_request_topic) topics;
} kp_txn_offset_commit_request;

typedef struct kp_txn_offset_commit_response_partition {
	int32_t partition_index;
	int16_t error_code;
} kp_txn_offset_commit_response_partition;

typedef struct kp_txn_offset_commit_response_topic {
	kp_slice name;
	KP_WIRE_ARRAY(kp_txn_offset_commit_response_partition) partitions;
} kp_txn_offset_commit_response_topic;

typedef struct kp_txn_offset_commit_response {
	int32_t throttle_time_ms;
	KP_WIRE_ARRAY(kp_txn_offset_commit_response_topic) topics;
} kp_txn_offset_commit_response;

extern const kp_wire_struct kp_txn_offset_commit_request_partition_schema;
extern const kp_wire_struct kp_txn_offset_commit_request_topic_schema;
extern const kp_wire_struct kp_txn_offset_commit_request_schema;
extern const kp_wire_struct kp_txn_offset_commit_response_partition_schema;
extern const kp_wire_struct kp_txn_offset_commit_response_topic_schema;
extern const kp_wire_struct kp_txn_offset_commit_response_schema;
extern const kp_wire_message kp_txn_offset_commit_request_message;
extern const kp_wire_message kp_txn_offset_commit_response_message;

#endif
