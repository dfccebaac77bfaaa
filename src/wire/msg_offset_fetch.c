/*
 * msg_offset_fetch.c - the field tables of OffsetFetch.
 */
#include "wire/msg_offset_fetch.h"
#include "wire/messages.h"
#include "wire/table.h"

/* One row a field: clang-format would pack them. */
/* clang-format off */

#define SELF kp_offset_fetch_request_topic
static const kp_wire_field kp_offset_fetch_request_topic_fields[] = {
	FIELD(STRING, name, "Name", BETWEEN(0, 7)),
	ARRAY(INT32, partition_indexes, "PartitionIndexes", BETWEEN(0, 7)),
};
#undef SELF
SCHEMA(kp_offset_fetch_request_topic, "OffsetFetchRequestTopic");

#define SELF kp_offset_fetch_request_group_topic
static const kp_wire_field kp_offset_fetch_request_group_topic_fields[] = {
	FIELD(STRING, name, "Name", BETWEEN(8, 9), IGNORABLE),
	FIELD(UUID, topic_id, "TopicId", SINCE(10), IGNORABLE),
	ARRAY(INT32, partition_indexes, "PartitionIndexes", SINCE(8)),
};
#undef SELF
SCHEMA(kp_offset_fetch_request_group_topic, "OffsetFetchRequestTopics");

#define SELF kp_offset_fetch_request_group
static const kp_wire_field kp_offset_fetch_request_group_fields[] = {
	FIELD(STRING, group_id, "GroupId", SINCE(8)),
	FIELD(STRING, member_id, "MemberId", SINCE(9), NULLABLE(9), DEFAULT_NULL, IGNORABLE),
	FIELD(INT32, member_epoch, "MemberEpoch", SINCE(9), DEFAULT(-1), IGNORABLE),
	STRUCTS(kp_offset_fetch_request_group_topic, topics, "Topics", SINCE(8), NULLABLE(8)),
};
#undef SELF
SCHEMA(kp_offset_fetch_request_group, "OffsetFetchRequestGroup");

#define SELF kp_offset_fetch_request
static const kp_wire_field kp_offset_fetch_request_fields[] = {
	FIELD(STRING, group_id, "GroupId", BETWEEN(0, 7)),
	STRUCTS(kp_offset_fetch_request_topic, topics, "Topics", BETWEEN(0, 7), NULLABLE_BETWEEN(2, 7)),
	STRUCTS(kp_offset_fetch_request_group, groups, "Groups", SINCE(8)),
	FIELD(BOOL, require_stable, "RequireStable", SINCE(7)),
};
#undef SELF
SCHEMA(kp_offset_fetch_request, "OffsetFetchRequest");

const kp_wire_message kp_offset_fetch_request_message = {
	.api_key = KP_API_OFFSET_FETCH,
	.kind = KP_WIRE_REQUEST,
	.min_version = 1,
	.max_version = 10,
	.flexible_min = 6,
	.root = &kp_offset_fetch_request_schema,
};

#define SELF kp_offset_fetch_response_partition
static const kp_wire_field kp_offset_fetch_response_partition_fields[] = {
	FIELD(INT32, partition_index, "PartitionIndex", BETWEEN(0, 7)),
	FIELD(INT64, committed_offset, "CommittedOffset", BETWEEN(0, 7)),
	FIELD(INT32, committed_leader_epoch, "CommittedLeaderEpoch", BETWEEN(5, 7), DEFAULT(-1), IGNORABLE),
	FIELD(STRING, metadata, "Metadata", BETWEEN(0, 7), NULLABLE_BETWEEN(0, 7)),
	FIELD(INT16, error_code, "ErrorCode", BETWEEN(0, 7)),
};
#undef SELF
SCHEMA(kp_offset_fetch_response_partition, "OffsetFetchResponsePartition");

#define SELF kp_offset_fetch_response_topic
static const kp_wire_field kp_offset_fetch_response_topic_fields[] = {
	FIELD(STRING, name, "Name", BETWEEN(0, 7)),
	STRUCTS(kp_offset_fetch_response_partition, partitions, "Partitions", BETWEEN(0, 7)),
};
#undef SELF
SCHEMA(kp_offset_fetch_response_topic, "OffsetFetchResponseTopic");

#define SELF kp_offset_fetch_response_group_partition
static const kp_wire_field kp_offset_fetch_response_group_partition_fields[] = {
	FIELD(INT32, partition_index, "PartitionIndex", SINCE(8)),
	FIELD(INT64, committed_offset, "CommittedOffset", SINCE(8)),
	FIELD(INT32, committed_leader_epoch, "CommittedLeaderEpoch", SINCE(8), DEFAULT(-1), IGNORABLE),
	FIELD(STRING, metadata, "Metadata", SINCE(8), NULLABLE(8)),
	FIELD(INT16, error_code, "ErrorCode", SINCE(8)),
};
#undef SELF
SCHEMA(kp_offset_fetch_response_group_partition, "OffsetFetchResponsePartitions");

#define SELF kp_offset_fetch_response_group_topic
static const kp_wire_field kp_offset_fetch_response_group_topic_fields[] = {
	FIELD(STRING, name, "Name", BETWEEN(8, 9), IGNORABLE),
	FIELD(UUID, topic_id, "TopicId", SINCE(10), IGNORABLE),
	STRUCTS(kp_offset_fetch_response_group_partition, partitions, "Partitions", SINCE(8)),
};
#undef SELF
SCHEMA(kp_offset_fetch_response_group_topic, "OffsetFetchResponseTopics");

#define SELF kp_offset_fetch_response_group
static const kp_wire_field kp_offset_fetch_response_group_fields[] = {
	FIELD(STRING, group_id, "GroupId", SINCE(8)),
	STRUCTS(kp_offset_fetch_response_group_topic, topics, "Topics", SINCE(8)),
	FIELD(INT16, error_code, "ErrorCode", SINCE(8)),
};
#undef SELF
SCHEMA(kp_offset_fetch_response_group, "OffsetFetchResponseGroup");

#define SELF kp_offset_fetch_response
static const kp_wire_field kp_offset_fetch_response_fields[] = {
	FIELD(INT32, throttle_time_ms, "ThrottleTimeMs", SINCE(3), IGNORABLE),
	STRUCTS(kp_offset_fetch_response_topic, topics, "Topics", BETWEEN(0, 7)),
	FIELD(INT16, error_code, "ErrorCode", BETWEEN(2, 7), IGNORABLE),
	STRUCTS(kp_offset_fetch_response_group, groups, "Groups", SINCE(8)),
};
#undef SELF
SCHEMA(kp_offset_fetch_response, "OffsetFetchResponse");

const kp_wire_message kp_offset_fetch_response_message = {
	.api_key = KP_API_OFFSET_FETCH,
	.kind = KP_WIRE_RESPONSE,
	.min_version = 1,
	.max_version = 10,
	.flexible_min = 6,
	.root = &kp_offset_fetch_response_schema,
};
