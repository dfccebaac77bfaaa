/*
 * msg_init_producer_id.h - InitProducerId (API key 22), versions 0 to 6, flexible from 2.
 *
 * Notes give the versions that have a field (none given: all that have the struct), its tag, and where it may be null.
 */
#ifndef KP_WIRE_MSG_INIT_PRODUCER_ID_H
#define KP_WIRE_MSG_INIT_PRODUCER_ID_H

#include "wire/schema.h"

typedef struct kp_init_producer_id_request {
	kp_slice transactional_id; /* null: idempotent only */
	int32_t transaction_timeout_ms;
	int64_t producer_id;    /* 3+; -1: none yet */
	int16_t producer_epoch; /* 3+; -1: none yet */
	bool enable_2pc;        /* 6+; KIP-939 */
	bool keep_prepared_txn; /* 6+; KIP-939 */
} kp_init_producer_id_request;

typedef struct kp_init_producer_id_response {
	int32_t throttle_time_ms;
	int16_t error_code;
	int64_t producer_id;
	int16_t producer_epoch;
	int64_t ongoing_txn_producer_id;    /* 6+; -1: no open transaction */
	int16_t ongoing_txn_producer_epoch; /* 6+ */
} kp_init_producer_id_response;

extern const kp_wire_struct kp_init_producer_id_request_schema;
extern const kp_wire_struct kp_init_producer_id_response_schema;
extern const kp_wire_message kp_init_producer_id_request_message;
extern const kp_wire_message kp_init_producer_id_response_message;

#endif
