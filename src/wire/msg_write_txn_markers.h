/*
 * msg_write_txn_markers.h - WriteTxnMarkers (API key 27), versions 1 to 2, flexible from 1.
 *
 * Notes give the versions that have a field (none given: all that have the struct), its tag, and where it may be null.
 */
#ifndef KP_WIRE_MSG_WRITE_TXN_MARKERS_H
#define KP_WIRE_MSG_WRITE_TXN_MARKERS_H

#include "wire/schema.h"

typedef struct kp_write_txn_markers_request_topic {
	kp_slice name;
	KP_WIRE_ARRAY(int32_t) partition_indexes;
} kp_write_txn_markers_request_topic;

typedef struct kp_write_txn_markers_request_marker {
	int64_t producer_id;
	int16_t producer_epoch;
	bool transaction_result; /* false: abort */
	KP_WIRE_ARRAY(kp_write_txn_markers_request_topic) topics;
	int32_t coordinator_epoch;
	int8_t transaction_version; /* 2+ */
} kp_write_txn_markers_request_marker;

typedef struct kp_write_txn_markers_request {
	KP_WIRE_ARRAY(kp_write_txn_markers_request_marker) markers;
} kp_write_txn_markers_request;

typedef struct kp_write_txn_markers_response_partition {
	int32_t partition_index;
	int16_t error_code;
} kp_write_txn_markers_response_partition;

typedef struct kp_write_txn_markers_response_topic {
	kp_slice name;
	KP_WIRE_ARRAY(kp_write_txn_markers_response_partition) partitions;
} kp_write_txn_markers_response_topic;

typedef struct kp_write_txn_markers_response_marker {
	int64_t producer_id;
	KP_WIRE_ARRAY(kp_write_txn_markers_response_topic) topics;
} kp_write_txn_markers_response_marker;

typedef struct kp_write_txn_markers_response {
	KP_WIRE_ARRAY(kp_write_txn_markers_response_marker) markers;
} kp_write_txn_markers_response;

extern const kp_wire_struct kp_write_txn_markers_request_topic_schema;
extern const kp_wire_struct kp_write_txn_markers_request_marker_schema;
extern const kp_wire_struct kp_write_txn_markers_request_schema;
extern const kp_wire_struct kp_write_txn_markers_response_partition_schema;
extern const kp_wire_struct kp_write_txn_markers_response_topic_schema;
extern const kp_wire_struct kp_write_txn_markers_response_marker_schema;
extern const kp_wire_struct kp_write_txn_markers_response_schema;
extern const kp_wire_message kp_write_txn_markers_request_message;
extern const kp_wire_message kp_write_txn_markers_response_message;

#endif
