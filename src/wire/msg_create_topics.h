/*
 * msg_create_topics.h - CreateTopics (API key 19), versions 2 to 7, flexible from 5.
 *
 * Notes give the versions that have a field (none given: all that have the struct), its tag, and where it may be null.
 */
#ifndef KP_WIRE_MSG_CREATE_TOPICS_H
#define KP_WIRE_MSG_CREATE_TOPICS_H

#include "wire/schema.h"

typedef struct kp_create_topics_request_assignment {
	int32_t partition_index;
	KP_WIRE_ARRAY(int32_t) broker_ids;
} kp_create_topics_request_assignment;

typedef struct kp_create_topics_request_config {
	kp_slice name;
	kp_slice value; /* nullable */
} kp_create_topics_request_config;

typedef struct kp_create_topics_request_topic {
	kp_slice name;
	int32_t num_partitions;     /* -1: the broker's default, or given by assignments */
	int16_t replication_factor; /* -1: the broker's default, or given by assignments */
	KP_WIRE_ARRAY(kp_create_topics_request_assignment) assignments;
	KP_WIRE_ARRAY(kp_create_topics_request_config) configs;
} kp_create_topics_request_topic;

typedef struct kp_create_topics_request {
	KP_WIRE_ARRAY(kp_create_topics_request_topic) topics;
	int32_t timeout_ms;
	bool validate_only;
} kp_create_topics_request;

typedef struct kp_create_topics_response_config {
	kp_slice name;
	kp_slice value; /* nullable */
	bool read_only;
	int8_t config_source;
	bool is_sensitive;
} kp_create_topics_response_config;

typedef struct kp_create_topics_response_topic {
	kp_slice name;
	kp_uuid topic_id; /* 7+ */
	int16_t error_code;
	kp_slice error_message;                                  /* nullable */
	int16_t topic_config_error_code;                         /* 5+, tag 0 */
	int32_t num_partitions;                                  /* 5+ */
	int16_t replication_factor;                              /* 5+ */
	KP_WIRE_ARRAY(kp_create_topics_response_config) configs; /* 5+; null: not allowed to see them */
} kp_create_topics_response_topic;

typedef struct kp_create_topics_response {
	int32_t throttle_time_ms;
	KP_WIRE_ARRAY(kp_create_topics_response_topic) topics;
} kp_create_topics_response;

extern const kp_wire_struct kp_create_topics_request_assignment_schema;
extern const kp_wire_struct kp_create_topics_request_config_schema;
extern const kp_wire_struct kp_create_topics_request_topic_schema;
extern const kp_wire_struct kp_create_topics_request_schema;
extern const kp_wire_struct kp_create_topics_response_config_schema;
extern const kp_wire_struct kp_create_topics_response_topic_schema;
extern const kp_wire_struct kp_create_topics_response_schema;
extern const kp_wire_message kp_create_topics_request_message;
extern const kp_wire_message kp_create_topics_response_message;

#endif
