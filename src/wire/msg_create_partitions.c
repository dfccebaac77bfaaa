/*
 * msg_create_partitions.c - the field tables of CreatePartitions.
 */
#include "wire/msg_create_partitions.h"
#include "wire/messages.h"
#include "wire/table.h"

/* One row a field: clang-format would pack them. */
/* clang-format off */

#define SELF kp_create_partitions_request_assignment
static const kp_wire_field kp_create_partitions_request_assignment_fields[] = {
	ARRAY(INT32, broker_ids, "BrokerIds", SINCE(0)),
};
#undef SELF
SCHEMA(kp_create_partitions_request_assignment, "CreatePartitionsAssignment");

#define SELF kp_create_partitions_request_topic
static const kp_wire_field kp_create_partitions_request_topic_fields[] = {
	FIELD(STRING, name, "Name", SINCE(0)),
	FIELD(INT32, count, "Count", SINCE(0)),
	STRUCTS(kp_create_partitions_request_assignment, assignments, "Assignments", SINCE(0), NULLABLE(0)),
};
#undef SELF
SCHEMA(kp_create_partitions_request_topic, "CreatePartitionsTopic");

#define SELF kp_create_partitions_request
static const kp_wire_field kp_create_partitions_request_fields[] = {
	STRUCTS(kp_create_partitions_request_topic, topics, "Topics", SINCE(0)),
	FIELD(INT32, timeout_ms, "TimeoutMs", SINCE(0)),
	FIELD(BOOL, validate_only, "ValidateOnly", SINCE(0)),
};
#undef SELF
SCHEMA(kp_create_partitions_request, "CreatePartitionsRequest");

const kp_wire_message kp_create_partitions_request_message = {
	.api_key = KP_API_CREATE_PARTITIONS,
	.kind = KP_WIRE_REQUEST,
	.min_version = 0,
	.max_version = 3,
	.flexible_min = 2,
	.root = &kp_create_partitions_request_schema,
};

#define SELF kp_create_partitions_response_topic
static const kp_wire_field kp_create_partitions_response_topic_fields[] = {
	FIELD(STRING, name, "Name", SINCE(0)),
	FIELD(INT16, error_code, "ErrorCode", SINCE(0)),
	FIELD(STRING, error_message, "ErrorMessage", SINCE(0), NULLABLE(0), DEFAULT_NULL),
};
#undef SELF
SCHEMA(kp_create_partitions_response_topic, "CreatePartitionsTopicResult");

#define SELF kp_create_partitions_response
static const kp_wire_field kp_create_partitions_response_fields[] = {
	FIELD(INT32, throttle_time_ms, "ThrottleTimeMs", SINCE(0)),
	STRUCTS(kp_create_partitions_response_topic, results, "Results", SINCE(0)),
};
#undef SELF
SCHEMA(kp_create_partitions_response, "CreatePartitionsResponse");

const kp_wire_message kp_create_partitions_response_message = {
	.api_key = KP_API_CREATE_PARTITIONS,
	.kind = KP_WIRE_RESPONSE,
	.min_version = 0,
	.max_version = 3,
	.flexible_min = 2,
	.root = &kp_create_partitions_response_schema,
};
