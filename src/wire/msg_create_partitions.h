/*
 * msg_create_partitions.h - CreatePartitions (API key 37), versions 0 to 3, flexible from 2.
 *
 * Notes give the versions that have a field (none given: all that have the struct), its tag, and where it may be null.
 */
#ifndef KP_WIRE_MSG_CREATE_PARTITIONS_H
#define KP_WIRE_MSG_CREATE_PARTITIONS_H

#include "wire/schema.h"

typedef struct kp_create_partitions_request_assignment {
	KP_WIRE_ARRAY(int32_t) broker_ids;
} kp_create_partitions_request_assignment;

typedef struct kp_create_partitions_request_topic {
	kp_slice name;
	int32_t count;                                                      /* of all partitions then, not of new ones */
	KP_WIRE_ARRAY(kp_create_partitions_request_assignment) assignments; /* null: the broker chooses; else one a new partition */
} kp_create_partitions_request_topic;

typedef struct kp_create_partitions_request {
	KP_WIRE_ARRAY(kp_create_partitions_request_topic) topics;
	int32_t timeout_ms;
	bool validate_only;
} kp_create_partitions_request;

typedef struct kp_create_partitions_response_topic {
	kp_slice name;
	int16_t error_code;
	kp_slice error_message; /* nullable */
} kp_create_partitions_response_topic;

typedef struct kp_create_partitions_response {
	int32_t throttle_time_ms;
	KP_WIRE_ARRAY(kp_create_partitions_response_topic) results;
} kp_create_partitions_response;

extern const kp_wire_struct kp_create_partitions_request_assignment_schema;
extern const kp_wire_struct kp_create_partitions_request_topic_schema;
extern const kp_wire_struct kp_create_partitions_request_schema;
extern const kp_wire_struct kp_create_partitions_response_topic_schema;
extern const kp_wire_struct kp_create_partitions_response_schema;
extern const kp_wire_message kp_create_partitions_request_message;
extern const kp_wire_message kp_create_partitions_response_message;

#endif
