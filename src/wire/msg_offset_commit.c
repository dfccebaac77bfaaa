/*
 * msg_offset_commit.c - the field tables of OffsetCommit.
 */
#include "wire/msg_offset_commit.h"
#include "wire/messages.h"
#include "wire/table.h"

/* One row a field: clang-format would pack them. */
/* clang-format off */

#define SELF kp_offset_commit_request_partition
static const kp_wire_field kp_offset_commit_request_partition_fields[] = {
	FIELD(INT32, partition_index, "PartitionIndex", SINCE(0)),
	FIELD(INT64, committed_offset, "CommittedOffset", SINCE(0)),
	FIELD(INT32, committed_leader_epoch, "CommittedLeaderEpoch", SINCE(6), DEFAULT(-1), IGNORABLE),
	FIELD(STRING, committed_metadata, "CommittedMetadata", SINCE(0), NULLABLE(0)),
};
#undef SELF
SCHEMA(kp_offset_commit_request_partition, "OffsetCommitRequestPartition");

#define SELF kp_offset_commit_request_topic
static const kp_wire_field kp_offset_commit_request_topic_fields[] = {
	FIELD(STRING, name, "Name", BETWEEN(0, 9), IGNORABLE),
	FIELD(UUID, topic_id, "TopicId", SINCE(10), IGNORABLE),
	STRUCTS(kp_offset_commit_request_partition, partitions, "Partitions", SINCE(0)),
};
#undef SELF
SCHEMA(kp_offset_commit_request_topic, "OffsetCommitRequestTopic");

#define SELF kp_offset_commit_request
static const kp_wire_field kp_offset_commit_request_fields[] = {
	FIELD(STRING, group_id, "GroupId", SINCE(0)),
	FIELD(INT32, generation_id_or_member_epoch, "GenerationIdOrMemberEpoch", SINCE(1), DEFAULT(-1), IGNORABLE),
	FIELD(STRING, member_id, "MemberId", SINCE(1), IGNORABLE),
	FIELD(STRING, group_instance_id, "GroupInstanceId", SINCE(7), NULLABLE(7), DEFAULT_NULL),
	FIELD(INT64, retention_time_ms, "RetentionTimeMs", BETWEEN(2, 4), DEFAULT(-1), IGNORABLE),
	STRUCTS(kp_offset_commit_request_topic, topics, "Topics", SINCE(0)),
};
#undef SELF
SCHEMA(kp_offset_commit_request, "OffsetCommitRequest");

const kp_wire_message kp_offset_commit_request_message = {
	.api_key = KP_API_OFFSET_COMMIT,
	.kind = KP_WIRE_REQUEST,
	.min_version = 2,
	.max_version = 10,
	.flexible_min = 8,
	.root = &kp_offset_commit_request_schema,
};

#define SELF kp_offset_commit_response_partition
static const kp_wire_field kp_offset_commit_response_partition_fields[] = {
	FIELD(INT32, partition_index, "PartitionIndex", SINCE(0)),
	FIELD(INT16, error_code, "ErrorCode", SINCE(0)),
};
#undef SELF
SCHEMA(kp_offset_commit_response_partition, "OffsetCommitResponsePartition");

#define SELF kp_offset_commit_response_topic
static const kp_wire_field kp_offset_commit_response_topic_fields[] = {
	FIELD(STRING, name, "Name", BETWEEN(0, 9), IGNORABLE),
	FIELD(UUID, topic_id, "TopicId", SINCE(10), IGNORABLE),
	STRUCTS(kp_offset_commit_response_partition, partitions, "Partitions", SINCE(0)),
};
#undef SELF
SCHEMA(kp_offset_commit_response_topic, "OffsetCommitResponseTopic");

#define SELF kp_offset_commit_response
static const kp_wire_field kp_offset_commit_response_fields[] = {
	FIELD(INT32, throttle_time_ms, "ThrottleTimeMs", SINCE(3), IGNORABLE),
	STRUCTS(kp_offset_commit_response_topic, topics, "Topics", SINCE(0)),
};
#undef SELF
SCHEMA(kp_offset_commit_response, "OffsetCommitResponse");

const kp_wire_message kp_offset_commit_response_message = {
	.api_key = KP_API_OFFSET_COMMIT,
	.kind = KP_WIRE_RESPONSE,
	.min_version = 2,
	.max_version = 10,
	.flexible_min = 8,
	.root = &kp_offset_commit_response_schema,
};
