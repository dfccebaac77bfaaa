/*
 * msg_offset_commit.h - OffsetCommit (API key 8), versions 2 to 10, flexible from 8.
 *
 * Notes give the versions that have a field (none given: all that have the struct), its tag, and where it may be null.
 */
#ifndef KP_WIRE_MSG_OFFSET_COMMIT_H
#define KP_WIRE_MSG_OFFSET_COMMIT_H

#include "wire/schema.h"

typedef struct kp_offset_commit_request_partition {
	int32_t partition_index;
	int64_t committed_offset;       /* of the next record to read */
	int32_t committed_leader_epoch; /* 6+; -1: unknown */
	kp_slice committed_metadata;    /* nullable */
} kp_offset_commit_request_partition;

typedef struct kp_offset_commit_request_topic {
	kp_slice name;    /* 2-9 */
	kp_uuid topic_id; /* 10+ */
	KP_WIRE_ARRAY(kp_offset_commit_request_partition) partitions;
} kp_offset_commit_request_topic;

typedef struct kp_offset_commit_request {
	kp_slice group_id;
	int32_t generation_id_or_member_epoch; /* -1: no member */
	kp_slice member_id;                    /* empty: no member */
	kp_slice group_instance_id;            /* 7+, nullable */
	int64_t retention_time_ms;             /* 2-4; -1: the broker's own */
	KP_WIRE_ARRAY(kp_offset_commit_request_topic) topics;
} kp_offset_commit_request;

typedef struct kp_offset_commit_response_partition {
	int32_t partition_index;
	int16_t error_code;
} kp_offset_commit_response_partition;

typedef struct kp_offset_commit_response_topic {
	kp_slice name;    /* 2-9 */
	kp_uuid topic_id; /* 10+ */
	KP_WIRE_ARRAY(kp_offset_commit_response_partition) partitions;
} kp_offset_commit_response_topic;

typedef struct kp_offset_commit_response {
	int32_t throttle_time_ms; /* 3+ */
	KP_WIRE_ARRAY(kp_offset_commit_response_topic) topics;
} kp_offset_commit_response;

extern const kp_wire_struct kp_offset_commit_request_partition_schema;
extern const kp_wire_struct kp_offset_commit_request_topic_schema;
extern const kp_wire_struct kp_offset_commit_request_schema;
extern const kp_wire_struct kp_offset_commit_response_partition_schema;
extern const kp_wire_struct kp_offset_commit_response_topic_schema;
extern const kp_wire_struct kp_offset_commit_response_schema;
extern const kp_wire_message kp_offset_commit_request_message;
extern const kp_wire_message kp_offset_commit_response_message;

#endif
