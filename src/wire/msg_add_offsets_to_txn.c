/*
 * msg_add_offsets_to_txn.c - the field tables of AddOffsetsToTxn.
 */
#include "wire/msg_add_offsets_to_txn.h"
#include "wire/messages.h"
#include "wire/table.h"

/* One row a field: clang-format would pack them. */
/* clang-format off */

#define SELF kp_add_offsets_to_txn_request
static const kp_wire_field kp_add_offsets_to_txn_request_fields[] = {
	FIELD(STRING, transactional_id, "TransactionalId", SINCE(0)),
	FIELD(INT64, producer_id, "ProducerId", SINCE(0)),
	FIELD(INT16, producer_epoch, "ProducerEpoch", SINCE(0)),
	FIELD(STRING, group_id, "GroupId", SINCE(0)),
};
#undef SELF
SCHEMA(kp_add_offsets_to_txn_request, "AddOffsetsToTxnRequest");

const kp_wire_message kp_add_offsets_to_txn_request_message = {
	.api_key = KP_API_ADD_OFFSETS_TO_TXN,
	.kind = KP_WIRE_REQUEST,
	.min_version = 0,
	.max_version = 4,
	.flexible_min = 3,
	.root = &kp_add_offsets_to_txn_request_schema,
};

#define SELF kp_add_offsets_to_txn_response
static const kp_wire_field kp_add_offsets_to_txn_response_fields[] = {
	FIELD(INT32, throttle_time_ms, "ThrottleTimeMs", SINCE(0)),
	FIELD(INT16, error_code, "ErrorCode", SINCE(0)),
};
#undef SELF
SCHEMA(kp_add_offsets_to_txn_response, "AddOffsetsToTxnResponse");

const kp_wire_message kp_add_offsets_to_txn_response_message = {
	.api_key = KP_API_ADD_OFFSETS_TO_TXN,
	.kind = KP_WIRE_RESPONSE,
	.min_version = 0,
	.max_version = 4,
	.flexible_min = 3,
	.root = &kp_add_offsets_to_txn_response_schema,
};
