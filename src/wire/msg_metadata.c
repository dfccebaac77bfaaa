/*
 * msg_metadata.c - the field tables of Metadata.
 */
#include "wire/msg_metadata.h"
#include "wire/messages.h"
#include "wire/table.h"

/* One row a field: clang-format would pack them. */
/* clang-format off */

#define SELF kp_metadata_request_topic
static const kp_wire_field kp_metadata_request_topic_fields[] = {
	FIELD(UUID, topic_id, "TopicId", SINCE(10), IGNORABLE),
	FIELD(STRING, name, "Name", SINCE(0), NULLABLE(10)),
};
#undef SELF
SCHEMA(kp_metadata_request_topic, "MetadataRequestTopic");

#define SELF kp_metadata_request
static const kp_wire_field kp_metadata_request_fields[] = {
	STRUCTS(kp_metadata_request_topic, topics, "Topics", SINCE(0), NULLABLE(1)),
	FIELD(BOOL, allow_auto_topic_creation, "AllowAutoTopicCreation", SINCE(4), DEFAULT(true)),
	FIELD(BOOL, include_cluster_authorized_operations, "IncludeClusterAuthorizedOperations", BETWEEN(8, 10)),
	FIELD(BOOL, include_topic_authorized_operations, "IncludeTopicAuthorizedOperations", SINCE(8)),
};
#undef SELF
SCHEMA(kp_metadata_request, "MetadataRequest");

const kp_wire_message kp_metadata_request_message = {
	.api_key = KP_API_METADATA,
	.kind = KP_WIRE_REQUEST,
	.min_version = 0,
	.max_version = 13,
	.flexible_min = 9,
	.root = &kp_metadata_request_schema,
};

#define SELF kp_metadata_response_broker
static const kp_wire_field kp_metadata_response_broker_fields[] = {
	FIELD(INT32, node_id, "NodeId", SINCE(0)),
	FIELD(STRING, host, "Host", SINCE(0)),
	FIELD(INT32, port, "Port", SINCE(0)),
	FIELD(STRING, rack, "Rack", SINCE(1), NULLABLE(1), DEFAULT_NULL, IGNORABLE),
};
#undef SELF
SCHEMA(kp_metadata_response_broker, "MetadataResponseBroker");

#define SELF kp_metadata_response_partition
static const kp_wire_field kp_metadata_response_partition_fields[] = {
	FIELD(INT16, error_code, "ErrorCode", SINCE(0)),
	FIELD(INT32, partition_index, "PartitionIndex", SINCE(0)),
	FIELD(INT32, leader_id, "LeaderId", SINCE(0)),
	FIELD(INT32, leader_epoch, "LeaderEpoch", SINCE(7), DEFAULT(-1), IGNORABLE),
	ARRAY(INT32, replica_nodes, "ReplicaNodes", SINCE(0)),
	ARRAY(INT32, isr_nodes, "IsrNodes", SINCE(0)),
	ARRAY(INT32, offline_replicas, "OfflineReplicas", SINCE(5), IGNORABLE),
};
#undef SELF
SCHEMA(kp_metadata_response_partition, "MetadataResponsePartition");

#define SELF kp_metadata_response_topic
static const kp_wire_field kp_metadata_response_topic_fields[] = {
	FIELD(INT16, error_code, "ErrorCode", SINCE(0)),
	FIELD(STRING, name, "Name", SINCE(0), NULLABLE(12)),
	FIELD(UUID, topic_id, "TopicId", SINCE(10), IGNORABLE),
	FIELD(BOOL, is_internal, "IsInternal", SINCE(1), IGNORABLE),
	STRUCTS(kp_metadata_response_partition, partitions, "Partitions", SINCE(0)),
	FIELD(INT32, topic_authorized_operations, "TopicAuthorizedOperations", SINCE(8), DEFAULT(INT32_MIN)),
};
#undef SELF
SCHEMA(kp_metadata_response_topic, "MetadataResponseTopic");

#define SELF kp_metadata_response
static const kp_wire_field kp_metadata_response_fields[] = {
	FIELD(INT32, throttle_time_ms, "ThrottleTimeMs", SINCE(3), IGNORABLE),
	STRUCTS(kp_metadata_response_broker, brokers, "Brokers", SINCE(0)),
	FIELD(STRING, cluster_id, "ClusterId", SINCE(2), NULLABLE(2), DEFAULT_NULL, IGNORABLE),
	FIELD(INT32, controller_id, "ControllerId", SINCE(1), DEFAULT(-1), IGNORABLE),
	STRUCTS(kp_metadata_response_topic, topics, "Topics", SINCE(0)),
	FIELD(INT32, cluster_authorized_operations, "ClusterAuthorizedOperations", BETWEEN(8, 10), DEFAULT(INT32_MIN)),
	FIELD(INT16, error_code, "ErrorCode", SINCE(13), IGNORABLE),
};
#undef SELF
SCHEMA(kp_metadata_response, "MetadataResponse");

const kp_wire_message kp_metadata_response_message = {
	.api_key = KP_API_METADATA,
	.kind = KP_WIRE_RESPONSE,
	.min_version = 0,
	.max_version = 13,
	.flexible_min = 9,
	.root = &kp_metadata_response_schema,
};
