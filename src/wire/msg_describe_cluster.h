/*
 * msg_describe_cluster.h - DescribeCluster (API key 60), versions 0 to 2, flexible from 0.
 *
 * Notes give the versions that have a field (none given: all that have the struct), its tag, and where it may be null.
 */
#ifndef KP_WIRE_MSG_DESCRIBE_CLUSTER_H
#define KP_WIRE_MSG_DESCRIBE_CLUSTER_H

#include "wire/schema.h"

typedef struct kp_describe_cluster_request {
	bool include_cluster_authorized_operations;
	int8_t endpoint_type;        /* 1+; 1 brokers, 2 controllers */
	bool include_fenced_brokers; /* 2+ */
} kp_describe_cluster_request;

typedef struct kp_describe_cluster_response_broker {
	int32_t broker_id;
	kp_slice host;
	int32_t port;
	kp_slice rack;  /* nullable */
	bool is_fenced; /* 2+ */
} kp_describe_cluster_response_broker;

typedef struct kp_describe_cluster_response {
	int32_t throttle_time_ms;
	int16_t error_code;
	kp_slice error_message; /* nullable */
	int8_t endpoint_type;   /* 1+; 1 brokers, 2 controllers */
	kp_slice cluster_id;
	int32_t controller_id;
	KP_WIRE_ARRAY(kp_describe_cluster_response_broker) brokers;
	int32_t cluster_authorized_operations; /* bit field; INT32_MIN: not asked for */
} kp_describe_cluster_response;

extern const kp_wire_struct kp_describe_cluster_request_schema;
extern const kp_wire_struct kp_describe_cluster_response_broker_schema;
extern const kp_wire_struct kp_describe_cluster_response_schema;
extern const kp_wire_message kp_describe_cluster_request_message;
extern const kp_wire_message kp_describe_cluster_response_message;

#endif
