/*
 * msg_delete_topics.h - DeleteTopics (API key 20), versions 1 to 6, flexible from 4.
 *
 * Notes give the versions that have a field (none given: all that have the struct), its tag, and where it may be null.
 */
#ifndef KP_WIRE_MSG_DELETE_TOPICS_H
#define KP_WIRE_MSG_DELETE_TOPICS_H

#include "wire/schema.h"

typedef struct kp_delete_topics_request_topic {
	kp_slice name; /* null: by topic_id */
	kp_uuid topic_id;
} kp_delete_topics_request_topic;

typedef struct kp_delete_topics_request {
	KP_WIRE_ARRAY(kp_delete_topics_request_topic) topics; /* 6+ */
	KP_WIRE_ARRAY(kp_slice) topic_names;                  /* 1-5 */
	int32_t timeout_ms;
} kp_delete_topics_request;

typedef struct kp_delete_topics_response_topic {
	kp_slice name;    /* nullable 6+ */
	kp_uuid topic_id; /* 6+ */
	int16_t error_code;
	kp_slice error_message; /* 5+, nullable */
} kp_delete_topics_response_topic;

typedef struct kp_delete_topics_response {
	int32_t throttle_time_ms;
	KP_WIRE_ARRAY(kp_delete_topics_response_topic) responses;
} kp_delete_topics_response;

extern const kp_wire_struct kp_delete_topics_request_topic_schema;
extern const kp_wire_struct kp_delete_topics_request_schema;
extern const kp_wire_struct kp_delete_topics_response_topic_schema;
extern const kp_wire_struct kp_delete_topics_response_schema;
extern const kp_wire_message kp_delete_topics_request_message;
extern const kp_wire_message kp_delete_topics_response_message;

#endif
