/*
 * msg_fetch.c - the field tables of Fetch.
 */
#include "wire/msg_fetch.h"
#include "wire/messages.h"
#include "wire/table.h"

/* One row a field: clang-format would pack them. */
/* clang-format off */

#define SELF kp_fetch_request_replica_state
static const kp_wire_field kp_fetch_request_replica_state_fields[] = {
	FIELD(INT32, replica_id, "ReplicaId", SINCE(15), DEFAULT(-1)),
	FIELD(INT64, replica_epoch, "ReplicaEpoch", SINCE(15), DEFAULT(-1)),
};
#undef SELF
SCHEMA(kp_fetch_request_replica_state, "ReplicaState");

#define SELF kp_fetch_request_partition
static const kp_wire_field kp_fetch_request_partition_fields[] = {
	FIELD(INT32, partition, "Partition", SINCE(0)),
	FIELD(INT32, current_leader_epoch, "CurrentLeaderEpoch", SINCE(9), DEFAULT(-1), IGNORABLE),
	FIELD(INT64, fetch_offset, "FetchOffset", SINCE(0)),
	FIELD(INT32, last_fetched_epoch, "LastFetchedEpoch", SINCE(12), DEFAULT(-1)),
	FIELD(INT64, log_start_offset, "LogStartOffset", SINCE(5), DEFAULT(-1), IGNORABLE),
	FIELD(INT32, partition_max_bytes, "PartitionMaxBytes", SINCE(0)),
	FIELD(UUID, replica_directory_id, "ReplicaDirectoryId", SINCE(17), TAGGED(0, 17), IGNORABLE),
	FIELD(INT64, high_watermark, "HighWatermark", SINCE(18), TAGGED(1, 18), DEFAULT(INT64_MAX), IGNORABLE),
};
#undef SELF
SCHEMA(kp_fetch_request_partition, "FetchPartition");

#define SELF kp_fetch_request_topic
static const kp_wire_field kp_fetch_request_topic_fields[] = {
	FIELD(STRING, topic, "Topic", BETWEEN(0, 12), IGNORABLE),
	FIELD(UUID, topic_id, "TopicId", SINCE(13), IGNORABLE),
	STRUCTS(kp_fetch_request_partition, partitions, "Partitions", SINCE(0)),
};
#undef SELF
SCHEMA(kp_fetch_request_topic, "FetchTopic");

#define SELF kp_fetch_request_forgotten_topic
static const kp_wire_field kp_fetch_request_forgotten_topic_fields[] = {
	FIELD(STRING, topic, "Topic", BETWEEN(7, 12), IGNORABLE),
	FIELD(UUID, topic_id, "TopicId", SINCE(13), IGNORABLE),
	ARRAY(INT32, partitions, "Partitions", SINCE(7)),
};
#undef SELF
SCHEMA(kp_fetch_request_forgotten_topic, "ForgottenTopic");

#define SELF kp_fetch_request
static const kp_wire_field kp_fetch_request_fields[] = {
	FIELD(STRING, cluster_id, "ClusterId", SINCE(12), NULLABLE(12), TAGGED(0, 12), DEFAULT_NULL, IGNORABLE),
	FIELD(INT32, replica_id, "ReplicaId", BETWEEN(0, 14), DEFAULT(-1)),
	STRUCT(kp_fetch_request_replica_state, replica_state, "ReplicaState", SINCE(15), TAGGED(1, 15)),
	FIELD(INT32, max_wait_ms, "MaxWaitMs", SINCE(0)),
	FIELD(INT32, min_bytes, "MinBytes", SINCE(0)),
	FIELD(INT32, max_bytes, "MaxBytes", SINCE(3), DEFAULT(INT32_MAX), IGNORABLE),
	FIELD(INT8, isolation_level, "IsolationLevel", SINCE(4), IGNORABLE),
	FIELD(INT32, session_id, "SessionId", SINCE(7), IGNORABLE),
	FIELD(INT32, session_epoch, "SessionEpoch", SINCE(7), DEFAULT(-1), IGNORABLE),
	STRUCTS(kp_fetch_request_topic, topics, "Topics", SINCE(0)),
	STRUCTS(kp_fetch_request_forgotten_topic, forgotten_topics_data, "ForgottenTopicsData", SINCE(7)),
	FIELD(STRING, rack_id, "RackId", SINCE(11), IGNORABLE),
};
#undef SELF
SCHEMA(kp_fetch_request, "FetchRequest");

const kp_wire_message kp_fetch_request_message = {
	.api_key = KP_API_FETCH,
	.kind = KP_WIRE_REQUEST,
	.min_version = 4,
	.max_version = 18,
	.flexible_min = 12,
	.root = &kp_fetch_request_schema,
};

#define SELF kp_fetch_response_diverging_epoch
static const kp_wire_field kp_fetch_response_diverging_epoch_fields[] = {
	FIELD(INT32, epoch, "Epoch", SINCE(12), DEFAULT(-1)),
	FIELD(INT64, end_offset, "EndOffset", SINCE(12), DEFAULT(-1)),
};
#undef SELF
SCHEMA(kp_fetch_response_diverging_epoch, "EpochEndOffset");

#define SELF kp_fetch_response_leader
static const kp_wire_field kp_fetch_response_leader_fields[] = {
	FIELD(INT32, leader_id, "LeaderId", SINCE(12), DEFAULT(-1)),
	FIELD(INT32, leader_epoch, "LeaderEpoch", SINCE(12), DEFAULT(-1)),
};
#undef SELF
SCHEMA(kp_fetch_response_leader, "LeaderIdAndEpoch");

#define SELF kp_fetch_response_snapshot
static const kp_wire_field kp_fetch_response_snapshot_fields[] = {
	FIELD(INT64, end_offset, "EndOffset", SINCE(0), DEFAULT(-1)),
	FIELD(INT32, epoch, "Epoch", SINCE(0), DEFAULT(-1)),
};
#undef SELF
SCHEMA(kp_fetch_response_snapshot, "SnapshotId");

#define SELF kp_fetch_response_aborted_transaction
static const kp_wire_field kp_fetch_response_aborted_transaction_fields[] = {
	FIELD(INT64, producer_id, "ProducerId", SINCE(4)),
	FIELD(INT64, first_offset, "FirstOffset", SINCE(4)),
};
#undef SELF
SCHEMA(kp_fetch_response_aborted_transaction, "AbortedTransaction");

#define SELF kp_fetch_response_partition
static const kp_wire_field kp_fetch_response_partition_fields[] = {
	FIELD(INT32, partition_index, "PartitionIndex", SINCE(0)),
	FIELD(INT16, error_code, "ErrorCode", SINCE(0)),
	FIELD(INT64, high_watermark, "HighWatermark", SINCE(0)),
	FIELD(INT64, last_stable_offset, "LastStableOffset", SINCE(4), DEFAULT(-1), IGNORABLE),
	FIELD(INT64, log_start_offset, "LogStartOffset", SINCE(5), DEFAULT(-1), IGNORABLE),
	STRUCT(kp_fetch_response_diverging_epoch, diverging_epoch, "DivergingEpoch", SINCE(12), TAGGED(0, 12)),
	STRUCT(kp_fetch_response_leader, current_leader, "CurrentLeader", SINCE(12), TAGGED(1, 12)),
	STRUCT(kp_fetch_response_snapshot, snapshot_id, "SnapshotId", SINCE(12), TAGGED(2, 12)),
	STRUCTS(kp_fetch_response_aborted_transaction, aborted_transactions, "AbortedTransactions", SINCE(4), NULLABLE(4),
		IGNORABLE),
	FIELD(INT32, preferred_read_replica, "PreferredReadReplica", SINCE(11), DEFAULT(-1)),
	FIELD(RECORDS, records, "Records", SINCE(0), NULLABLE(0)),
};
#undef SELF
SCHEMA(kp_fetch_response_partition, "PartitionData");

#define SELF kp_fetch_response_topic
static const kp_wire_field kp_fetch_response_topic_fields[] = {
	FIELD(STRING, topic, "Topic", BETWEEN(0, 12), IGNORABLE),
	FIELD(UUID, topic_id, "TopicId", SINCE(13), IGNORABLE),
	STRUCTS(kp_fetch_response_partition, partitions, "Partitions", SINCE(0)),
};
#undef SELF
SCHEMA(kp_fetch_response_topic, "FetchableTopicResponse");

#define SELF kp_fetch_response_node
static const kp_wire_field kp_fetch_response_node_fields[] = {
	FIELD(INT32, node_id, "NodeId", SINCE(16)),
	FIELD(STRING, host, "Host", SINCE(16)),
	FIELD(INT32, port, "Port", SINCE(16)),
	FIELD(STRING, rack, "Rack", SINCE(16), NULLABLE(16), DEFAULT_NULL),
};
#undef SELF
SCHEMA(kp_fetch_response_node, "NodeEndpoint");

#define SELF kp_fetch_response
static const kp_wire_field kp_fetch_response_fields[] = {
	FIELD(INT32, throttle_time_ms, "ThrottleTimeMs", SINCE(1), IGNORABLE),
	FIELD(INT16, error_code, "ErrorCode", SINCE(7), IGNORABLE),
	FIELD(INT32, session_id, "SessionId", SINCE(7)),
	STRUCTS(kp_fetch_response_topic, responses, "Responses", SINCE(0)),
	STRUCTS(kp_fetch_response_node, node_endpoints, "NodeEndpoints", SINCE(16), TAGGED(0, 16)),
};
#undef SELF
SCHEMA(kp_fetch_response, "FetchResponse");

const kp_wire_message kp_fetch_response_message = {
	.api_key = KP_API_FETCH,
	.kind = KP_WIRE_RESPONSE,
	.min_version = 4,
	.max_version = 18,
	.flexible_min = 12,
	.root = &kp_fetch_response_schema,
};
