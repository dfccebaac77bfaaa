/*
 * msg_metadata.h - Metadata (API key 3), versions 0 to 13, flexible from 9.
 *
 * Notes give the versions that have a field (none given: all that have the struct), its tag, and where it may be null.
 */
#ifndef KP_WIRE_MSG_METADATA_H
#define KP_WIRE_MSG_METADATA_H

#include "wire/schema.h"

typedef struct kp_metadata_request_topic {
	kp_uuid topic_id; /* 10+ */
	kp_slice name;    /* nullable 10+; null: asked for by topic_id */
} kp_metadata_request_topic;

typedef struct kp_metadata_request {
	KP_WIRE_ARRAY(kp_metadata_request_topic) topics; /* nullable 1+; null: all; empty: none, all in version 0 */
	bool allow_auto_topic_creation;                  /* 4+ */
	bool include_cluster_authorized_operations;      /* 8-10 */
	bool include_topic_authorized_operations;        /* 8+ */
} kp_metadata_request;

typedef struct kp_metadata_response_broker {
	int32_t node_id;
	kp_slice host;
	int32_t port;
	kp_slice rack; /* 1+, nullable */
} kp_metadata_response_broker;

typedef struct kp_metadata_response_partition {
	int16_t error_code;
	int32_t partition_index;
	int32_t leader_id;    /* -1: no leader */
	int32_t leader_epoch; /* 7+; -1: unknown */
	KP_WIRE_ARRAY(int32_t) replica_nodes;
	KP_WIRE_ARRAY(int32_t) isr_nodes;
	KP_WIRE_ARRAY(int32_t) offline_replicas; /* 5+ */
} kp_metadata_response_partition;

typedef struct kp_metadata_response_topic {
	int16_t error_code;
	kp_slice name;    /* nullable 12+; null: asked for by an unknown id */
	kp_uuid topic_id; /* 10+; zero: unknown */
	bool is_internal; /* 1+ */
	KP_WIRE_ARRAY(kp_metadata_response_partition) partitions;
	int32_t topic_authorized_operations; /* 8+; bit field; INT32_MIN: not asked for */
} kp_metadata_response_topic;

typedef struct kp_metadata_response {
	int32_t throttle_time_ms; /* 3+ */
	KP_WIRE_ARRAY(kp_metadata_response_broker) brokers;
	kp_slice cluster_id;   /* 2+, nullable */
	int32_t controller_id; /* 1+; -1: unknown */
	KP_WIRE_ARRAY(kp_metadata_response_topic) topics;
	int32_t cluster_authorized_operations; /* 8-10; bit field; INT32_MIN: not asked for */
	int16_t error_code;                    /* 13+; REBOOTSTRAP_REQUIRED (KIP-1102) */
} kp_metadata_response;

extern const kp_wire_struct kp_metadata_request_topic_schema;
extern const kp_wire_struct kp_metadata_request_schema;
extern const kp_wire_struct kp_metadata_response_broker_schema;
extern const kp_wire_struct kp_metadata_response_partition_schema;
extern const kp_wire_struct kp_metadata_response_topic_schema;
extern const kp_wire_struct kp_metadata_response_schema;
extern const kp_wire_message kp_metadata_request_message;
extern const kp_wire_message kp_metadata_response_message;

#endif
