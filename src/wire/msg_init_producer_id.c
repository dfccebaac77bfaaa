/*
 * msg_init_producer_id.c - the field tables of InitProducerId.
 */
#include "wire/msg_init_producer_id.h"
#include "wire/messages.h"
#include "wire/table.h"

/* One row a field: clang-format would pack them. */
/* clang-format off */

#define SELF kp_init_producer_id_request
static const kp_wire_field kp_init_producer_id_request_fields[] = {
	FIELD(STRING, transactional_id, "TransactionalId", SINCE(0), NULLABLE(0)),
	FIELD(INT32, transaction_timeout_ms, "TransactionTimeoutMs", SINCE(0)),
	FIELD(INT64, producer_id, "ProducerId", SINCE(3), DEFAULT(-1)),
	FIELD(INT16, producer_epoch, "ProducerEpoch", SINCE(3), DEFAULT(-1)),
	FIELD(BOOL, enable_2pc, "Enable2Pc", SINCE(6)),
	FIELD(BOOL, keep_prepared_txn, "KeepPreparedTxn", SINCE(6)),
};
#undef SELF
SCHEMA(kp_init_producer_id_request, "InitProducerIdRequest");

const kp_wire_message kp_init_producer_id_request_message = {
	.api_key = KP_API_INIT_PRODUCER_ID,
	.kind = KP_WIRE_REQUEST,
	.min_version = 0,
	.max_version = 6,
	.flexible_min = 2,
	.is_latest_unstable = true,
	.root = &kp_init_producer_id_request_schema,
};

#define SELF kp_init_producer_id_response
static const kp_wire_field kp_init_producer_id_response_fields[] = {
	FIELD(INT32, throttle_time_ms, "ThrottleTimeMs", SINCE(0), IGNORABLE),
	FIELD(INT16, error_code, "ErrorCode", SINCE(0)),
	FIELD(INT64, producer_id, "ProducerId", SINCE(0), DEFAULT(-1)),
	FIELD(INT16, producer_epoch, "ProducerEpoch", SINCE(0)),
	FIELD(INT64, ongoing_txn_producer_id, "OngoingTxnProducerId", SINCE(6), DEFAULT(-1)),
	FIELD(INT16, ongoing_txn_producer_epoch, "OngoingTxnProducerEpoch", SINCE(6), DEFAULT(-1)),
};
#undef SELF
SCHEMA(kp_init_producer_id_response, "InitProducerIdResponse");

const kp_wire_message kp_init_producer_id_response_message = {
	.api_key = KP_API_INIT_PRODUCER_ID,
	.kind = KP_WIRE_RESPONSE,
	.min_version = 0,
	.max_version = 6,
	.flexible_min = 2,
	.root = &kp_init_producer_id_response_schema,
};
