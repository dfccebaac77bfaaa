/*
 * msg_end_txn.c - the field tables of EndTxn.
 */
#include "wire/msg_end_txn.h"
#include "wire/messages.h"
#include "wire/table.h"

/* One row a field: clang-format would pack them. */
/* clang-format off */

#define SELF kp_end_txn_request
static const kp_wire_field kp_end_txn_request_fields[] = {
	FIELD(STRING, transactional_id, "TransactionalId", SINCE(0)),
	FIELD(INT64, producer_id, "ProducerId", SINCE(0)),
	FIELD(INT16, producer_epoch, "ProducerEpoch", SINCE(0)),
	FIELD(BOOL, committed, "Committed", SINCE(0)),
};
#undef SELF
SCHEMA(kp_end_txn_request, "EndTxnRequest");

const kp_wire_message kp_end_txn_request_message = {
	.api_key = KP_API_END_TXN,
	.kind = KP_WIRE_REQUEST,
	.min_version = 0,
	.max_version = 5,
	.flexible_min = 3,
	.root = &kp_end_txn_request_schema,
};

#define SELF kp_end_txn_response
static const kp_wire_field kp_end_txn_response_fields[] = {
	FIELD(INT32, throttle_time_ms, "ThrottleTimeMs", SINCE(0)),
	FIELD(INT16, error_code, "ErrorCode", SINCE(0)),
	FIELD(INT64, producer_id, "ProducerId", SINCE(5), DEFAULT(-1), IGNORABLE),
	FIELD(INT16, producer_epoch, "ProducerEpoch", SINCE(5), DEFAULT(-1), IGNORABLE),
};
#undef SELF
SCHEMA(kp_end_txn_response, "EndTxnResponse");

const kp_wire_message kp_end_txn_response_message = {
	.api_key = KP_API_END_TXN,
	.kind = KP_WIRE_RESPONSE,
	.min_version = 0,
	.max_version = 5,
	.flexible_min = 3,
	.root = &kp_end_txn_response_schema,
};
