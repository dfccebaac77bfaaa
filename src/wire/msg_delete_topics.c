/*
 * msg_delete_topics.c - the field tables of DeleteTopics.
 */
#include "wire/msg_delete_topics.h"
#include "wire/messages.h"
#include "wire/table.h"

/* One row a field: clang-format would pack them. */
/* clang-format off */

#define SELF kp_delete_topics_request_topic
static const kp_wire_field kp_delete_topics_request_topic_fields[] = {
	FIELD(STRING, name, "Name", SINCE(6), NULLABLE(6), DEFAULT_NULL),
	FIELD(UUID, topic_id, "TopicId", SINCE(6)),
};
#undef SELF
SCHEMA(kp_delete_topics_request_topic, "DeleteTopicState");

#define SELF kp_delete_topics_request
static const kp_wire_field kp_delete_topics_request_fields[] = {
	STRUCTS(kp_delete_topics_request_topic, topics, "Topics", SINCE(6)),
	ARRAY(STRING, topic_names, "TopicNames", BETWEEN(0, 5), IGNORABLE),
	FIELD(INT32, timeout_ms, "TimeoutMs", SINCE(0)),
};
#undef SELF
SCHEMA(kp_delete_topics_request, "DeleteTopicsRequest");

const kp_wire_message kp_delete_topics_request_message = {
	.api_key = KP_API_DELETE_TOPICS,
	.kind = KP_WIRE_REQUEST,
	.min_version = 1,
	.max_version = 6,
	.flexible_min = 4,
	.root = &kp_delete_topics_request_schema,
};

#define SELF kp_delete_topics_response_topic
static const kp_wire_field kp_delete_topics_response_topic_fields[] = {
	FIELD(STRING, name, "Name", SINCE(0), NULLABLE(6)),
	FIELD(UUID, topic_id, "TopicId", SINCE(6), IGNORABLE),
	FIELD(INT16, error_code, "ErrorCode", SINCE(0)),
	FIELD(STRING, error_message, "ErrorMessage", SINCE(5), NULLABLE(5), DEFAULT_NULL, IGNORABLE),
};
#undef SELF
SCHEMA(kp_delete_topics_response_topic, "DeletableTopicResult");

#define SELF kp_delete_topics_response
static const kp_wire_field kp_delete_topics_response_fields[] = {
	FIELD(INT32, throttle_time_ms, "ThrottleTimeMs", SINCE(1), IGNORABLE),
	STRUCTS(kp_delete_topics_response_topic, responses, "Responses", SINCE(0)),
};
#undef SELF
SCHEMA(kp_delete_topics_response, "DeleteTopicsResponse");

const kp_wire_message kp_delete_topics_response_message = {
	.api_key = KP_API_DELETE_TOPICS,
	.kind = KP_WIRE_RESPONSE,
	.min_version = 1,
	.max_version = 6,
	.flexible_min = 4,
	.root = &kp_delete_topics_response_schema,
};
