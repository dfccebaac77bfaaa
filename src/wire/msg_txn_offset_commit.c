/*
 * msg_txn_offset_commit.c - the field tables of TxnOffsetCommit.
 */
#include "wire/msg_txn_offset_commit.h"
#include "wire/messages.h"
#include "wire/table.h"

/* One row a field: clang-format would pack them. */
/* clang-format off */

#define SELF kp_txn_offset_commit_request_partition
static const kp_wire_field kp_txn_offset_commit_request_partition_fields[] = {
	FIELD(INT32, partition_index, "PartitionIndex", SINCE(0)),
	FIELD(INT64, committed_offset, "CommittedOffset", SINCE(0)),
	FIELD(INT32, committed_leader_epoch, "CommittedLeaderEpoch", SINCE(2), DEFAULT(-1), IGNORABLE),
	FIELD(STRING, committed_metadata, "CommittedMetadata", SINCE(0), NULLABLE(0)),
};
#undef SELF
SCHEMA(kp_txn_offset_commit_request_partition, "TxnOffsetCommitRequestPartition");

#define SELF kp_txn_offset_commit_request_topic
static const kp_wire_field kp_txn_offset_commit_request_topic_fields[] = {
	FIELD(STRING, name, "Name", SINCE(0)),
	STRUCTS(kp_txn_offset_commit_request_partition, partitions, "Partitions", SINCE(0)),
};
#undef SELF
SCHEMA(kp_txn_offset_commit_request_topic, "TxnOffsetCommitRequestTopic");

#define SELF kp_txn_offset_commit_request
static const kp_wire_field kp_txn_offset_commit_request_fields[] = {
	FIELD(STRING, transactional_id, "TransactionalId", SINCE(0)),
	FIELD(STRING, group_id, "GroupId", SINCE(0)),
	FIELD(INT64, producer_id, "ProducerId", SINCE(0)),
	FIELD(INT16, producer_epoch, "ProducerEpoch", SINCE(0)),
	FIELD(INT32, generation_id, "GenerationId", SINCE(3), DEFAULT(-1)),
	FIELD(STRING, member_id, "MemberId", SINCE(3)),
	FIELD(STRING, group_instance_id, "GroupInstanceId", SINCE(3), NULLABLE(3), DEFAULT_NULL),
	STRUCTS(kp_txn_offset_commit_request_topic, topics, "Topics", SINCE(0)),
};
#undef SELF
SCHEMA(kp_txn_offset_commit_request, "TxnOffsetCommitRequest");

const kp_wire_message kp_txn_offset_commit_request_message = {
	.api_key = KP_API_TXN_OFFSET_COMMIT,
	.kind = KP_WIRE_REQUEST,
	.min_version = 0,
	.max_version = 5,
	.flexible_min = 3,
	.root = &kp_txn_offset_commit_request_schema,
};

#define SELF kp_txn_offset_commit_response_partition
static const kp_wire_field kp_txn_offset_commit_response_partition_fields[] = {
	FIELD(INT32, partition_index, "PartitionIndex", SINCE(0)),
	FIELD(INT16, error_code, "ErrorCode", SINCE(0)),
};
#undef SELF
SCHEMA(kp_txn_offset_commit_response_partition, "TxnOffsetCommitResponsePartition");

#define SELF kp_txn_offset_commit_response_topic
static const kp_wire_field kp_txn_offset_commit_response_topic_fields[] = {
	FIELD(STRING, name, "Name", SINCE(0)),
	STRUCTS(kp_txn_offset_commit_response_partition, partitions, "Partitions", SINCE(0)),
};
#undef SELF
SCHEMA(kp_txn_offset_commit_response_topic, "TxnOffsetCommitResponseTopic");

#define SELF kp_txn_offset_commit_response
static const kp_wire_field kp_txn_offset_commit_response_fields[] = {
	FIELD(INT32, throttle_time_ms, "ThrottleTimeMs", SINCE(0)),
	STRUCTS(kp_txn_offset_commit_response_topic, topics, "Topics", SINCE(0)),
};
#undef SELF
SCHEMA(kp_txn_offset_commit_response, "TxnOffsetCommitResponse");

const kp_wire_message kp_txn_offset_commit_response_message = {
	.api_key = KP_API_TXN_OFFSET_COMMIT,
	.kind = KP_WIRE_RESPONSE,
	.min_version = 0,
	.max_version = 5,
	.flexible_min = 3,
	.root = &kp_txn_offset_commit_response_schema,
};
