/*
 * msg_describe_cluster.c - the field tables of DescribeCluster.
 */
#include "wire/msg_describe_cluster.h"
#include "wire/messages.h"
#include "wire/table.h"

/* One row a field: clang-format would pack them. */
/* clang-format off */

#define SELF kp_describe_cluster_request
static const kp_wire_field kp_describe_cluster_request_fields[] = {
	FIELD(BOOL, include_cluster_authorized_operations, "IncludeClusterAuthorizedOperations", SINCE(0)),
	FIELD(INT8, endpoint_type, "EndpointType", SINCE(1), DEFAULT(1)),
	FIELD(BOOL, include_fenced_brokers, "IncludeFencedBrokers", SINCE(2)),
};
#undef SELF
SCHEMA(kp_describe_cluster_request, "DescribeClusterRequest");

const kp_wire_message kp_describe_cluster_request_message = {
	.api_key = KP_API_DESCRIBE_CLUSTER,
	.kind = KP_WIRE_REQUEST,
	.min_version = 0,
	.max_version = 2,
	.flexible_min = 0,
	.root = &kp_describe_cluster_request_schema,
};

#define SELF kp_describe_cluster_response_broker
static const kp_wire_field kp_describe_cluster_response_broker_fields[] = {
	FIELD(INT32, broker_id, "BrokerId", SINCE(0)),
	FIELD(STRING, host, "Host", SINCE(0)),
	FIELD(INT32, port, "Port", SINCE(0)),
	FIELD(STRING, rack, "Rack", SINCE(0), NULLABLE(0), DEFAULT_NULL),
	FIELD(BOOL, is_fenced, "IsFenced", SINCE(2)),
};
#undef SELF
SCHEMA(kp_describe_cluster_response_broker, "DescribeClusterBroker");

#define SELF kp_describe_cluster_response
static const kp_wire_field kp_describe_cluster_response_fields[] = {
	FIELD(INT32, throttle_time_ms, "ThrottleTimeMs", SINCE(0)),
	FIELD(INT16, error_code, "ErrorCode", SINCE(0)),
	FIELD(STRING, error_message, "ErrorMessage", SINCE(0), NULLABLE(0), DEFAULT_NULL),
	FIELD(INT8, endpoint_type, "EndpointType", SINCE(1), DEFAULT(1)),
	FIELD(STRING, cluster_id, "ClusterId", SINCE(0)),
	FIELD(INT32, controller_id, "ControllerId", SINCE(0), DEFAULT(-1)),
	STRUCTS(kp_describe_cluster_response_broker, brokers, "Brokers", SINCE(0)),
	FIELD(INT32, cluster_authorized_operations, "ClusterAuthorizedOperations", SINCE(0), DEFAULT(INT32_MIN)),
};
#undef SELF
SCHEMA(kp_describe_cluster_response, "DescribeClusterResponse");

const kp_wire_message kp_describe_cluster_response_message = {
	.api_key = KP_API_DESCRIBE_CLUSTER,
	.kind = KP_WIRE_RESPONSE,
	.min_version = 0,
	.max_version = 2,
	.flexible_min = 0,
	.root = &kp_describe_cluster_response_schema,
};
