/*
 * msg_find_coordinator.h - FindCoordinator (API key 10), versions 0 to 6, flexible from 3.
 *
 * Notes give the versions that have a field (none given: all that have the struct), its tag, and where it may be null.
 */
#ifndef KP_WIRE_MSG_FIND_COORDINATOR_H
#define KP_WIRE_MSG_FIND_COORDINATOR_H

#include "wire/schema.h"

typedef struct kp_find_coordinator_request {
	kp_slice key;                             /* 0-3 */
	int8_t key_type;                          /* 1+; 0 group, 1 transaction, 2 share */
	KP_WIRE_ARRAY(kp_slice) coordinator_keys; /* 4+ */
} kp_find_coordinator_request;

typedef struct kp_find_coordinator_response_coordinator {
	kp_slice key;
	int32_t node_id;
	kp_slice host;
	int32_t port;
	int16_t error_code;
	kp_slice error_message; /* nullable */
} kp_find_coordinator_response_coordinator;

typedef struct kp_find_coordinator_response {
	int32_t throttle_time_ms;                                             /* 1+ */
	int16_t error_code;                                                   /* 0-3 */
	kp_slice error_message;                                               /* 1-3, nullable */
	int32_t node_id;                                                      /* 0-3 */
	kp_slice host;                                                        /* 0-3 */
	int32_t port;                                                         /* 0-3 */
	KP_WIRE_ARRAY(kp_find_coordinator_response_coordinator) coordinators; /* 4+ */
} kp_find_coordinator_response;

extern const kp_wire_struct kp_find_coordinator_request_schema;
extern const kp_wire_struct kp_find_coordinator_response_coordinator_schema;
extern const kp_wire_struct kp_find_coordinator_response_schema;
extern const kp_wire_message kp_find_coordinator_request_message;
extern const kp_wire_message kp_find_coordinator_response_message;

#endif
