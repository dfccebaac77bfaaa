/*
 * msg_offset_fetch.h - OffsetFetch (API key 9), versions 1 to 10, flexible from 6.
 *
 * Notes give the versions that have a field (none given: all that have the struct), its tag, and where it may be null.
 */
#ifndef KP_WIRE_MSG_OFFSET_FETCH_H
#define KP_WIRE_MSG_OFFSET_FETCH_H

#include "wire/schema.h"

typedef struct kp_offset_fetch_request_topic {
	kp_slice name;
	KP_WIRE_ARRAY(int32_t) partition_indexes;
} kp_offset_fetch_request_topic;

typedef struct kp_offset_fetch_request_group_topic {
	kp_slice name;    /* 8-9 */
	kp_uuid topic_id; /* 10+ */
	KP_WIRE_ARRAY(int32_t) partition_indexes;
} kp_offset_fetch_request_group_topic;

typedef struct kp_offset_fetch_request_group {
	kp_slice group_id;
	kp_slice member_id;                                        /* 9+, nullable */
	int32_t member_epoch;                                      /* 9+; -1: no member (KIP-848) */
	KP_WIRE_ARRAY(kp_offset_fetch_request_group_topic) topics; /* nullable; null: all */
} kp_offset_fetch_request_group;

typedef struct kp_offset_fetch_request {
	kp_slice group_id;                                   /* 1-7 */
	KP_WIRE_ARRAY(kp_offset_fetch_request_topic) topics; /* 1-7, nullable; null: all */
	KP_WIRE_ARRAY(kp_offset_fetch_request_group) groups; /* 8+ */
	bool require_stable;                                 /* 7+; an offset of an open transaction is an error (KIP-447) */
} kp_offset_fetch_request;

typedef struct kp_offset_fetch_response_partition {
	int32_t partition_index;
	int64_t committed_offset;       /* -1: none */
	int32_t committed_leader_epoch; /* 5-7 */
	kp_slice metadata;              /* nullable */
	int16_t error_code;
} kp_offset_fetch_response_partition;

typedef struct kp_offset_fetch_response_topic {
	kp_slice name;
	KP_WIRE_ARRAY(kp_offset_fetch_response_partition) partitions;
} kp_offset_fetch_response_topic;

typedef struct kp_offset_fetch_response_group_partition {
	int32_t partition_index;
	int64_t committed_offset; /* -1: none */
	int32_t committed_leader_epoch;
	kp_slice metadata; /* nullable */
	int16_t error_code;
} kp_offset_fetch_response_group_partition;

typedef struct kp_offset_fetch_response_group_topic {
	kp_slice name;    /* 8-9 */
	kp_uuid topic_id; /* 10+ */
	KP_WIRE_ARRAY(kp_offset_fetch_response_group_partition) partitions;
} kp_offset_fetch_response_group_topic;

typedef struct kp_offset_fetch_response_group {
	kp_slice group_id;
	KP_WIRE_ARRAY(kp_offset_fetch_response_group_topic) topics;
	int16_t error_code;
} kp_offset_fetch_response_group;

typedef struct kp_offset_fetch_response {
	int32_t throttle_time_ms;                             /* 3+ */
	KP_WIRE_ARRAY(kp_offset_fetch_response_topic) topics; /* 1-7 */
	int16_t error_code;                                   /* 2-7 */
	KP_WIRE_ARRAY(kp_offset_fetch_response_group) groups; /* 8+ */
} kp_offset_fetch_response;

extern const kp_wire_struct kp_offset_fetch_request_topic_schema;
extern const kp_wire_struct kp_offset_fetch_request_group_topic_schema;
extern const kp_wire_struct kp_offset_fetch_request_group_schema;
extern const kp_wire_struct kp_offset_fetch_request_schema;
extern const kp_wire_struct kp_offset_fetch_response_partition_schema;
extern const kp_wire_struct kp_offset_fetch_response_topic_schema;
extern const kp_wire_struct kp_offset_fetch_response_group_partition_schema;
extern const kp_wire_struct kp_offset_fetch_response_group_topic_schema;
extern const kp_wire_struct kp_offset_fetch_response_group_schema;
extern const kp_wire_struct kp_offset_fetch_response_schema;
extern const kp_wire_message kp_offset_fetch_request_message;
extern const kp_wire_message kp_offset_fetch_response_message;

#endif
