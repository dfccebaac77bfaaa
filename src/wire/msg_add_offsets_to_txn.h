/*
 * msg_add_offsets_to_txn.h - AddOffsetsToTxn (API key 25), versions 0 to 4, flexible from 3.
 *
 * Notes give the versions that have a field (none given: all that have the struct), its tag, and where it may be null.
 */
#ifndef KP_WIRE_MSG_ADD_OFFSETS_TO_TXN_H
#define KP_WIRE_MSG_ADD_OFFSETS_TO_TXN_H

#include "wire/schema.h"

typedef struct kp_add_offsets_to_txn_request {
	kp_slice transactional_id;
	int64_t producer_id;
	int16_t producer_epoch;
	kp_slice group_id;
} kp_add_offsets_to_txn_request;

typedef struct kp_add_offsets_to_txn_response {
	int32_t throttle_time_ms;
	int16_t error_code;
} kp_add_offsets_to_txn_response;

extern const kp_wire_struct kp_add_offsets_to_txn_request_schema;
extern const kp_wire_struct kp_add_offsets_to_txn_response_schema;
extern const kp_wire_message kp_add_offsets_to_txn_request_message;
extern const kp_wire_message kp_add_offsets_to_txn_response_message;

#endif
