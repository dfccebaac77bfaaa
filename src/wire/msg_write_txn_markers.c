/*
 * msg_write_txn_markers.c - the field tables of WriteTxnMarkers.
 */
#include "wire/msg_write_txn_markers.h"
#include "wire/messages.h"
#include "wire/table.h"

/* One row a field: clang-format would pack them. */
/* clang-format off */

#define SELF kp_write_txn_markers_request_topic
static const kp_wire_field kp_write_txn_markers_request_topic_fields[] = {
	FIELD(STRING, name, "Name", SINCE(0)),
	ARRAY(INT32, partition_indexes, "PartitionIndexes", SINCE(0)),
};
#undef SELF
SCHEMA(kp_write_txn_markers_request_topic, "WritableTxnMarkerTopic");

#define SELF kp_write_txn_markers_request_marker
static const kp_wire_field kp_write_txn_markers_request_marker_fields[] = {
	FIELD(INT64, producer_id, "ProducerId", SINCE(0)),
	FIELD(INT16, producer_epoch, "ProducerEpoch", SINCE(0)),
	FIELD(BOOL, transaction_result, "TransactionResult", SINCE(0)),
	STRUCTS(kp_write_txn_markers_request_topic, topics, "Topics", SINCE(0)),
	FIELD(INT32, coordinator_epoch, "CoordinatorEpoch", SINCE(0)),
	FIELD(INT8, transaction_version, "TransactionVersion", SINCE(2), IGNORABLE),
};
#undef SELF
SCHEMA(kp_write_txn_markers_request_marker, "WritableTxnMarker");

#define SELF kp_write_txn_markers_request
static const kp_wire_field kp_write_txn_markers_request_fields[] = {
	STRUCTS(kp_write_txn_markers_request_marker, markers, "Markers", SINCE(0)),
};
#undef SELF
SCHEMA(kp_write_txn_markers_request, "WriteTxnMarkersRequest");

const kp_wire_message kp_write_txn_markers_request_message = {
	.api_key = KP_API_WRITE_TXN_MARKERS,
	.kind = KP_WIRE_REQUEST,
	.min_version = 1,
	.max_version = 2,
	.flexible_min = 1,
	.root = &kp_write_txn_markers_request_schema,
};

#define SELF kp_write_txn_markers_response_partition
static const kp_wire_field kp_write_txn_markers_response_partition_fields[] = {
	FIELD(INT32, partition_index, "PartitionIndex", SINCE(0)),
	FIELD(INT16, error_code, "ErrorCode", SINCE(0)),
};
#undef SELF
SCHEMA(kp_write_txn_markers_response_partition, "WritableTxnMarkerPartitionResult");

#define SELF kp_write_txn_markers_response_topic
static const kp_wire_field kp_write_txn_markers_response_topic_fields[] = {
	FIELD(STRING, name, "Name", SINCE(0)),
	STRUCTS(kp_write_txn_markers_response_partition, partitions, "Partitions", SINCE(0)),
};
#undef SELF
SCHEMA(kp_write_txn_markers_response_topic, "WritableTxnMarkerTopicResult");

#define SELF kp_write_txn_markers_response_marker
static const kp_wire_field kp_write_txn_markers_response_marker_fields[] = {
	FIELD(INT64, producer_id, "ProducerId", SINCE(0)),
	STRUCTS(kp_write_txn_markers_response_topic, topics, "Topics", SINCE(0)),
};
#undef SELF
SCHEMA(kp_write_txn_markers_response_marker, "WritableTxnMarkerResult");

#define SELF kp_write_txn_markers_response
static const kp_wire_field kp_write_txn_markers_response_fields[] = {
	STRUCTS(kp_write_txn_markers_response_marker, markers, "Markers", SINCE(0)),
};
#undef SELF
SCHEMA(kp_write_txn_markers_response, "WriteTxnMarkersResponse");

const kp_wire_message kp_write_txn_markers_response_message = {
	.api_key = KP_API_WRITE_TXN_MARKERS,
	.kind = KP_WIRE_RESPONSE,
	.min_version = 1,
	.max_version = 2,
	.flexible_min = 1,
	.root = &kp_write_txn_markers_response_schema,
};
