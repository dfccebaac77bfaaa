/*
 * msg_list_offsets.c - the field tables of ListOffsets.
 */
#include "wire/msg_list_offsets.h"
#include "wire/messages.h"
#include "wire/table.h"

/* One row a field: clang-format would pack them. */
/* clang-format off */

#define SELF kp_list_offsets_request_partition
static const kp_wire_field kp_list_offsets_request_partition_fields[] = {
	FIELD(INT32, partition_index, "PartitionIndex", SINCE(0)),
	FIELD(INT32, current_leader_epoch, "CurrentLeaderEpoch", SINCE(4), DEFAULT(-1), IGNORABLE),
	FIELD(INT64, timestamp, "Timestamp", SINCE(0)),
};
#undef SELF
SCHEMA(kp_list_offsets_request_partition, "ListOffsetsPartition");

#define SELF kp_list_offsets_request_topic
static const kp_wire_field kp_list_offsets_request_topic_fields[] = {
	FIELD(STRING, name, "Name", SINCE(0)),
	STRUCTS(kp_list_offsets_request_partition, partitions, "Partitions", SINCE(0)),
};
#undef SELF
SCHEMA(kp_list_offsets_request_topic, "ListOffsetsTopic");

#define SELF kp_list_offsets_request
static const kp_wire_field kp_list_offsets_request_fields[] = {
	FIELD(INT32, replica_id, "ReplicaId", SINCE(0)),
	FIELD(INT8, isolation_level, "IsolationLevel", SINCE(2)),
	STRUCTS(kp_list_offsets_request_topic, topics, "Topics", SINCE(0)),
	FIELD(INT32, timeout_ms, "TimeoutMs", SINCE(10), IGNORABLE),
};
#undef SELF
SCHEMA(kp_list_offsets_request, "ListOffsetsRequest");

const kp_wire_message kp_list_offsets_request_message = {
	.api_key = KP_API_LIST_OFFSETS,
	.kind = KP_WIRE_REQUEST,
	.min_version = 1,
	.max_version = 11,
	.flexible_min = 6,
	.root = &kp_list_offsets_request_schema,
};

#define SELF kp_list_offsets_response_partition
static const kp_wire_field kp_list_offsets_response_partition_fields[] = {
	FIELD(INT32, partition_index, "PartitionIndex", SINCE(0)),
	FIELD(INT16, error_code, "ErrorCode", SINCE(0)),
	FIELD(INT64, timestamp, "Timestamp", SINCE(1), DEFAULT(-1)),
	FIELD(INT64, offset, "Offset", SINCE(1), DEFAULT(-1)),
	FIELD(INT32, leader_epoch, "LeaderEpoch", SINCE(4), DEFAULT(-1)),
};
#undef SELF
SCHEMA(kp_list_offsets_response_partition, "ListOffsetsPartitionResponse");

#define SELF kp_list_offsets_response_topic
static const kp_wire_field kp_list_offsets_response_topic_fields[] = {
	FIELD(STRING, name, "Name", SINCE(0)),
	STRUCTS(kp_list_offsets_response_partition, partitions, "Partitions", SINCE(0)),
};
#undef SELF
SCHEMA(kp_list_offsets_response_topic, "ListOffsetsTopicResponse");

#define SELF kp_list_offsets_response
static const kp_wire_field kp_list_offsets_response_fields[] = {
	FIELD(INT32, throttle_time_ms, "ThrottleTimeMs", SINCE(2), IGNORABLE),
	STRUCTS(kp_list_offsets_response_topic, topics, "Topics", SINCE(0)),
};
#undef SELF
SCHEMA(kp_list_offsets_response, "ListOffsetsResponse");

const kp_wire_message kp_list_offsets_response_message = {
	.api_key = KP_API_LIST_OFFSETS,
	.kind = KP_WIRE_RESPONSE,
	.min_version = 1,
	.max_version = 11,
	.flexible_min = 6,
	.root = &kp_list_offsets_response_schema,
};
