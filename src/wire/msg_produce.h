/*
 * msg_produce.h - Produce (API key 0), versions 3 to 13, flexible from 9.
 *
 * Notes give the versions that have a field (none given: all that have the struct), its tag, and where it may be null.
 */
#ifndef KP_WIRE_MSG_PRODUCE_H
#define KP_WIRE_MSG_PRODUCE_H

#include "wire/schema.h"

typedef struct kp_produce_request_partition {
	int32_t index;
	kp_slice records; /* nullable; one record batch */
} kp_produce_request_partition;

typedef struct kp_produce_request_topic {
	kp_slice name;    /* 3-12 */
	kp_uuid topic_id; /* 13+ */
	KP_WIRE_ARRAY(kp_produce_request_partition) partition_data;
} kp_produce_request_topic;

typedef struct kp_produce_request {
	kp_slice transactional_id; /* null: not transactional */
	int16_t acks;              /* 0, 1, or -1 for all in-sync replicas */
	int32_t timeout_ms;
	KP_WIRE_ARRAY(kp_produce_request_topic) topic_data;
} kp_produce_request;

typedef struct kp_produce_response_record_error {
	int32_t batch_index;                /* of the record in its batch (KIP-467) */
	kp_slice batch_index_error_message; /* nullable */
} kp_produce_response_record_error;

typedef struct kp_produce_response_leader {
	int32_t leader_id;
	int32_t leader_epoch;
} kp_produce_response_leader;

typedef struct kp_produce_response_partition {
	int32_t index;
	int16_t error_code;
	int64_t base_offset;
	int64_t log_append_time_ms;                                    /* -1: the topic keeps CreateTime */
	int64_t log_start_offset;                                      /* 5+ */
	KP_WIRE_ARRAY(kp_produce_response_record_error) record_errors; /* 8+ */
	kp_slice error_message;                                        /* 8+, nullable */
	kp_produce_response_leader current_leader;                     /* 10+, tag 0; KIP-951 */
} kp_produce_response_partition;

typedef struct kp_produce_response_topic {
	kp_slice name;    /* 3-12 */
	kp_uuid topic_id; /* 13+ */
	KP_WIRE_ARRAY(kp_produce_response_partition) partition_responses;
} kp_produce_response_topic;

typedef struct kp_produce_response_node {
	int32_t node_id;
	kp_slice host;
	int32_t port;
	kp_slice rack; /* nullable */
} kp_produce_response_node;

typedef struct kp_produce_response {
	KP_WIRE_ARRAY(kp_produce_response_topic) responses;
	int32_t throttle_time_ms;
	KP_WIRE_ARRAY(kp_produce_response_node) node_endpoints; /* 10+, tag 0; KIP-951: the nodes that current_leader names */
} kp_produce_response;

extern const kp_wire_struct kp_produce_request_partition_schema;
extern const kp_wire_struct kp_produce_request_topic_schema;
extern const kp_wire_struct kp_produce_request_schema;
extern const kp_wire_struct kp_produce_response_record_error_schema;
extern const kp_wire_struct kp_produce_response_leader_schema;
extern const kp_wire_struct kp_produce_response_partition_schema;
extern const kp_wire_struct kp_produce_response_topic_schema;
extern const kp_wire_struct kp_produce_response_node_schema;
extern const kp_wire_struct kp_produce_response_schema;
extern const kp_wire_message kp_produce_request_message;
extern const kp_wire_message kp_produce_response_message;

#endif
