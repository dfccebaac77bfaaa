/*
 * msg_end_txn.h - EndTxn (API key 26), versions 0 to 5, flexible from 3.
 *
 * Notes give the versions that have a field (none given: all that have the struct), its tag, and where it may be null.
 */
#ifndef KP_WIRE_MSG_END_TXN_H
#define KP_WIRE_MSG_END_TXN_H

#include "wire/schema.h"

typedef struct kp_end_txn_request {
	kp_slice transactional_id;
	int64_t producer_id;
	int16_t producer_epoch;
	bool committed; /* false: abort */
} kp_end_txn_request;

typedef struct kp_end_txn_response {
	int32_t throttle_time_ms;
	int16_t error_code;
	int64_t producer_id;    /* 5+; of the next transaction (KIP-890) */
	int16_t producer_epoch; /* 5+; likewise */
} kp_end_txn_response;

extern const kp_wire_struct kp_end_txn_request_schema;
extern const kp_wire_struct kp_end_txn_response_schema;
extern const kp_wire_message kp_end_txn_request_message;
extern const kp_wire_message kp_end_txn_response_message;

#endif
