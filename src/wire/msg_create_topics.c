/*
 * msg_create_topics.c - the field tables of CreateTopics.
 */
#include "wire/msg_create_topics.h"
#include "wire/messages.h"
#include "wire/table.h"

/* One row a field: clang-format would pack them. */
/* clang-format off */

#define SELF kp_create_topics_request_assignment
static const kp_wire_field kp_create_topics_request_assignment_fields[] = {
	FIELD(INT32, partition_index, "PartitionIndex", SINCE(0)),
	ARRAY(INT32, broker_ids, "BrokerIds", SINCE(0)),
};
#undef SELF
SCHEMA(kp_create_topics_request_assignment, "CreatableReplicaAssignment");

#define SELF kp_create_topics_request_config
static const kp_wire_field kp_create_topics_request_config_fields[] = {
	FIELD(STRING, name, "Name", SINCE(0)),
	FIELD(STRING, value, "Value", SINCE(0), NULLABLE(0)),
};
#undef SELF
SCHEMA(kp_create_topics_request_config, "CreatableTopicConfig");

#define SELF kp_create_topics_request_topic
static const kp_wire_field kp_create_topics_request_topic_fields[] = {
	FIELD(STRING, name, "Name", SINCE(0)),
	FIELD(INT32, num_partitions, "NumPartitions", SINCE(0)),
	FIELD(INT16, replication_factor, "ReplicationFactor", SINCE(0)),
	STRUCTS(kp_create_topics_request_assignment, assignments, "Assignments", SINCE(0)),
	STRUCTS(kp_create_topics_request_config, configs, "Configs", SINCE(0)),
};
#undef SELF
SCHEMA(kp_create_topics_request_topic, "CreatableTopic");

#define SELF kp_create_topics_request
static const kp_wire_field kp_create_topics_request_fields[] = {
	STRUCTS(kp_create_topics_request_topic, topics, "Topics", SINCE(0)),
	FIELD(INT32, timeout_ms, "timeoutMs", SINCE(0), DEFAULT(60000)),
	FIELD(BOOL, validate_only, "validateOnly", SINCE(1)),
};
#undef SELF
SCHEMA(kp_create_topics_request, "CreateTopicsRequest");

const kp_wire_message kp_create_topics_request_message = {
	.api_key = KP_API_CREATE_TOPICS,
	.kind = KP_WIRE_REQUEST,
	.min_version = 2,
	.max_version = 7,
	.flexible_min = 5,
	.root = &kp_create_topics_request_schema,
};

#define SELF kp_create_topics_response_config
static const kp_wire_field kp_create_topics_response_config_fields[] = {
	FIELD(STRING, name, "Name", SINCE(5)),
	FIELD(STRING, value, "Value", SINCE(5), NULLABLE(5)),
	FIELD(BOOL, read_only, "ReadOnly", SINCE(5)),
	FIELD(INT8, config_source, "ConfigSource", SINCE(5), DEFAULT(-1), IGNORABLE),
	FIELD(BOOL, is_sensitive, "IsSensitive", SINCE(5)),
};
#undef SELF
SCHEMA(kp_create_topics_response_config, "CreatableTopicConfigs");

#define SELF kp_create_topics_response_topic
static const kp_wire_field kp_create_topics_response_topic_fields[] = {
	FIELD(STRING, name, "Name", SINCE(0)),
	FIELD(UUID, topic_id, "TopicId", SINCE(7), IGNORABLE),
	FIELD(INT16, error_code, "ErrorCode", SINCE(0)),
	FIELD(STRING, error_message, "ErrorMessage", SINCE(1), NULLABLE(0), IGNORABLE),
	FIELD(INT16, topic_config_error_code, "TopicConfigErrorCode", SINCE(5), TAGGED(0, 5), IGNORABLE),
	FIELD(INT32, num_partitions, "NumPartitions", SINCE(5), DEFAULT(-1), IGNORABLE),
	FIELD(INT16, replication_factor, "ReplicationFactor", SINCE(5), DEFAULT(-1), IGNORABLE),
	STRUCTS(kp_create_topics_response_config, configs, "Configs", SINCE(5), NULLABLE(5), IGNORABLE),
};
#undef SELF
SCHEMA(kp_create_topics_response_topic, "CreatableTopicResult");

#define SELF kp_create_topics_response
static const kp_wire_field kp_create_topics_response_fields[] = {
	FIELD(INT32, throttle_time_ms, "ThrottleTimeMs", SINCE(2), IGNORABLE),
	STRUCTS(kp_create_topics_response_topic, topics, "Topics", SINCE(0)),
};
#undef SELF
SCHEMA(kp_create_topics_response, "CreateTopicsResponse");

const kp_wire_message kp_create_topics_response_message = {
	.api_key = KP_API_CREATE_TOPICS,
	.kind = KP_WIRE_RESPONSE,
	.min_version = 2,
	.max_version = 7,
	.flexible_min = 5,
	.root = &kp_create_topics_response_schema,
};
