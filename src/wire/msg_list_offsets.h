/*
 * msg_list_offsets.h - ListOffsets (API key 2), versions 1 to 11, flexible from 6.
 *
 * Notes give the versions that have a field (none given: all that have the struct), its tag, and where it may be null.
 */
#ifndef KP_WIRE_MSG_LIST_OFFSETS_H
#define KP_WIRE_MSG_LIST_OFFSETS_H

#include "wire/schema.h"

typedef struct kp_list_offsets_request_partition {
	int32_t partition_index;
	int32_t current_leader_epoch; /* 4+ */
	int64_t timestamp;            /* -1 latest, -2 earliest, -3 of the greatest timestamp, -4 to -6 tiered storage */
} kp_list_offsets_request_partition;

typedef struct kp_list_offsets_request_topic {
	kp_slice name;
	KP_WIRE_ARRAY(kp_list_offsets_request_partition) partitions;
} kp_list_offsets_request_topic;

typedef struct kp_list_offsets_request {
	int32_t replica_id;     /* -1: a consumer */
	int8_t isolation_level; /* 2+; 0 read uncommitted, 1 read committed */
	KP_WIRE_ARRAY(kp_list_offsets_request_topic) topics;
	int32_t timeout_ms; /* 10+ */
} kp_list_offsets_request;

typedef struct kp_list_offsets_response_partition {
	int32_t partition_index;
	int16_t error_code;
	int64_t timestamp;
	int64_t offset;
	int32_t leader_epoch; /* 4+ */
} kp_list_offsets_response_partition;

typedef struct kp_list_offsets_response_topic {
	kp_slice name;
	KP_WIRE_ARRAY(kp_list_offsets_response_partition) partitions;
} kp_list_offsets_response_topic;

typedef struct kp_list_offsets_response {
	int32_t throttle_time_ms; /* 2+ */
	KP_WIRE_ARRAY(kp_list_offsets_response_topic) topics;
} kp_list_offsets_response;

extern const kp_wire_struct kp_list_offsets_request_partition_schema;
extern const kp_wire_struct kp_list_offsets_request_topic_schema;
extern const kp_wire_struct kp_list_offsets_request_schema;
extern const kp_wire_struct kp_list_offsets_response_partition_schema;
extern const kp_wire_struct kp_list_offsets_response_topic_schema;
extern const kp_wire_struct kp_list_offsets_response_schema;
extern const kp_wire_message kp_list_offsets_request_message;
extern const kp_wire_message kp_list_offsets_response_message;

#endif
