/*
 * messages.h - the list of messages we have tables for. The structs are in msg_<api>.h.
 */
#ifndef KP_WIRE_MESSAGES_H
#define KP_WIRE_MESSAGES_H

#include "wire/schema.h"

typedef enum kp_api_key {
	KP_API_PRODUCE = 0,
	KP_API_FETCH = 1,
	KP_API_LIST_OFFSETS = 2,
	KP_API_METADATA = 3,
	KP_API_OFFSET_COMMIT = 8,
	KP_API_OFFSET_FETCH = 9,
	KP_API_FIND_COORDINATOR = 10,
	KP_API_API_VERSIONS = 18,
	KP_API_CREATE_TOPICS = 19,
	KP_API_DELETE_TOPICS = 20,
	KP_API_INIT_PRODUCER_ID = 22,
	KP_API_ADD_PARTITIONS_TO_TXN = 24,
	KP_API_ADD_OFFSETS_TO_TXN = 25,
	KP_API_END_TXN = 26,
	KP_API_WRITE_TXN_MARKERS = 27,
	KP_API_TXN_OFFSET_COMMIT = 28,
	KP_API_DESCRIBE_CONFIGS = 32,
	KP_API_CREATE_PARTITIONS = 37,
	KP_API_DESCRIBE_CLUSTER = 60
} kp_api_key;

/* Requests and responses, request before response, by API key; then the two headers. Ends with NULL. */
extern const kp_wire_message *const kp_wire_messages[];

/* The table of an API, or NULL. */
const kp_wire_message *kp_wire_find(int16_t api_key, bool is_response);

#endif
