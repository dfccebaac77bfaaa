/*
 * msg_find_coordinator.c - the field tables of FindCoordinator.
 */
#include "wire/msg_find_coordinator.h"
#include "wire/messages.h"
#include "wire/table.h"

/* One row a field: clang-format would pack them. */
/* clang-format off */

#define SELF kp_find_coordinator_request
static const kp_wire_field kp_find_coordinator_request_fields[] = {
	FIELD(STRING, key, "Key", BETWEEN(0, 3)),
	FIELD(INT8, key_type, "KeyType", SINCE(1)),
	ARRAY(STRING, coordinator_keys, "CoordinatorKeys", SINCE(4)),
};
#undef SELF
SCHEMA(kp_find_coordinator_request, "FindCoordinatorRequest");

const kp_wire_message kp_find_coordinator_request_message = {
	.api_key = KP_API_FIND_COORDINATOR,
	.kind = KP_WIRE_REQUEST,
	.min_version = 0,
	.max_version = 6,
	.flexible_min = 3,
	.root = &kp_find_coordinator_request_schema,
};

#define SELF kp_find_coordinator_response_coordinator
static const kp_wire_field kp_find_coordinator_response_coordinator_fields[] = {
	FIELD(STRING, key, "Key", SINCE(4)),
	FIELD(INT32, node_id, "NodeId", SINCE(4)),
	FIELD(STRING, host, "Host", SINCE(4)),
	FIELD(INT32, port, "Port", SINCE(4)),
	FIELD(INT16, error_code, "ErrorCode", SINCE(4)),
	FIELD(STRING, error_message, "ErrorMessage", SINCE(4), NULLABLE(4), IGNORABLE),
};
#undef SELF
SCHEMA(kp_find_coordinator_response_coordinator, "Coordinator");

#define SELF kp_find_coordinator_response
static const kp_wire_field kp_find_coordinator_response_fields[] = {
	FIELD(INT32, throttle_time_ms, "ThrottleTimeMs", SINCE(1), IGNORABLE),
	FIELD(INT16, error_code, "ErrorCode", BETWEEN(0, 3)),
	FIELD(STRING, error_message, "ErrorMessage", BETWEEN(1, 3), NULLABLE_BETWEEN(1, 3), IGNORABLE),
	FIELD(INT32, node_id, "NodeId", BETWEEN(0, 3)),
	FIELD(STRING, host, "Host", BETWEEN(0, 3)),
	FIELD(INT32, port, "Port", BETWEEN(0, 3)),
	STRUCTS(kp_find_coordinator_response_coordinator, coordinators, "Coordinators", SINCE(4)),
};
#undef SELF
SCHEMA(kp_find_coordinator_response, "FindCoordinatorResponse");

const kp_wire_message kp_find_coordinator_response_message = {
	.api_key = KP_API_FIND_COORDINATOR,
	.kind = KP_WIRE_RESPONSE,
	.min_version = 0,
	.max_version = 6,
	.flexible_min = 3,
	.root = &kp_find_coordinator_response_schema,
};
