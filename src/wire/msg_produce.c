/*
 * msg_produce.c - the field tables of Produce.
 */
#include "wire/msg_produce.h"
#include "wire/messages.h"
#include "wire/table.h"

/* One row a field: clang-format would pack them. */
/* clang-format off */

#define SELF kp_produce_request_partition
static const kp_wire_field kp_produce_request_partition_fields[] = {
	FIELD(INT32, index, "Index", SINCE(0)),
	FIELD(RECORDS, records, "Records", SINCE(0), NULLABLE(0)),
};
#undef SELF
SCHEMA(kp_produce_request_partition, "PartitionProduceData");

#define SELF kp_produce_request_topic
static const kp_wire_field kp_produce_request_topic_fields[] = {
	FIELD(STRING, name, "Name", BETWEEN(0, 12), IGNORABLE),
	FIELD(UUID, topic_id, "TopicId", SINCE(13), IGNORABLE),
	STRUCTS(kp_produce_request_partition, partition_data, "PartitionData", SINCE(0)),
};
#undef SELF
SCHEMA(kp_produce_request_topic, "TopicProduceData");

#define SELF kp_produce_request
static const kp_wire_field kp_produce_request_fields[] = {
	FIELD(STRING, transactional_id, "TransactionalId", SINCE(3), NULLABLE(3), DEFAULT_NULL),
	FIELD(INT16, acks, "Acks", SINCE(0)),
	FIELD(INT32, timeout_ms, "TimeoutMs", SINCE(0)),
	STRUCTS(kp_produce_request_topic, topic_data, "TopicData", SINCE(0)),
};
#undef SELF
SCHEMA(kp_produce_request, "ProduceRequest");

const kp_wire_message kp_produce_request_message = {
	.api_key = KP_API_PRODUCE,
	.kind = KP_WIRE_REQUEST,
	.min_version = 3,
	.max_version = 13,
	.flexible_min = 9,
	.root = &kp_produce_request_schema,
};

#define SELF kp_produce_response_record_error
static const kp_wire_field kp_produce_response_record_error_fields[] = {
	FIELD(INT32, batch_index, "BatchIndex", SINCE(8)),
	FIELD(STRING, batch_index_error_message, "BatchIndexErrorMessage", SINCE(8), NULLABLE(8), DEFAULT_NULL),
};
#undef SELF
SCHEMA(kp_produce_response_record_error, "BatchIndexAndErrorMessage");

#define SELF kp_produce_response_leader
static const kp_wire_field kp_produce_response_leader_fields[] = {
	FIELD(INT32, leader_id, "LeaderId", SINCE(10), DEFAULT(-1)),
	FIELD(INT32, leader_epoch, "LeaderEpoch", SINCE(10), DEFAULT(-1)),
};
#undef SELF
SCHEMA(kp_produce_response_leader, "LeaderIdAndEpoch");

#define SELF kp_produce_response_partition
static const kp_wire_field kp_produce_response_partition_fields[] = {
	FIELD(INT32, index, "Index", SINCE(0)),
	FIELD(INT16, error_code, "ErrorCode", SINCE(0)),
	FIELD(INT64, base_offset, "BaseOffset", SINCE(0)),
	FIELD(INT64, log_append_time_ms, "LogAppendTimeMs", SINCE(2), DEFAULT(-1), IGNORABLE),
	FIELD(INT64, log_start_offset, "LogStartOffset", SINCE(5), DEFAULT(-1), IGNORABLE),
	STRUCTS(kp_produce_response_record_error, record_errors, "RecordErrors", SINCE(8), IGNORABLE),
	FIELD(STRING, error_message, "ErrorMessage", SINCE(8), NULLABLE(8), DEFAULT_NULL, IGNORABLE),
	STRUCT(kp_produce_response_leader, current_leader, "CurrentLeader", SINCE(10), TAGGED(0, 10)),
};
#undef SELF
SCHEMA(kp_produce_response_partition, "PartitionProduceResponse");

#define SELF kp_produce_response_topic
static const kp_wire_field kp_produce_response_topic_fields[] = {
	FIELD(STRING, name, "Name", BETWEEN(0, 12), IGNORABLE),
	FIELD(UUID, topic_id, "TopicId", SINCE(13), IGNORABLE),
	STRUCTS(kp_produce_response_partition, partition_responses, "PartitionResponses", SINCE(0)),
};
#undef SELF
SCHEMA(kp_produce_response_topic, "TopicProduceResponse");

#define SELF kp_produce_response_node
static const kp_wire_field kp_produce_response_node_fields[] = {
	FIELD(INT32, node_id, "NodeId", SINCE(10)),
	FIELD(STRING, host, "Host", SINCE(10)),
	FIELD(INT32, port, "Port", SINCE(10)),
	FIELD(STRING, rack, "Rack", SINCE(10), NULLABLE(10), DEFAULT_NULL),
};
#undef SELF
SCHEMA(kp_produce_response_node, "NodeEndpoint");

#define SELF kp_produce_response
static const kp_wire_field kp_produce_response_fields[] = {
	STRUCTS(kp_produce_response_topic, responses, "Responses", SINCE(0)),
	FIELD(INT32, throttle_time_ms, "ThrottleTimeMs", SINCE(1), IGNORABLE),
	STRUCTS(kp_produce_response_node, node_endpoints, "NodeEndpoints", SINCE(10), TAGGED(0, 10)),
};
#undef SELF
SCHEMA(kp_produce_response, "ProduceResponse");

const kp_wire_message kp_produce_response_message = {
	.api_key = KP_API_PRODUCE,
	.kind = KP_WIRE_RESPONSE,
	.min_version = 3,
	.max_version = 13,
	.flexible_min = 9,
	.root = &kp_produce_response_schema,
};
