/*
 * msg_api_versions.c - the field tables of ApiVersions.
 */
#include "wire/msg_api_versions.h"
#include "wire/messages.h"
#include "wire/table.h"

/* One row a field: clang-format would pack them. */
/* clang-format off */

#define SELF kp_api_versions_request
static const kp_wire_field kp_api_versions_request_fields[] = {
	FIELD(STRING, client_software_name, "ClientSoftwareName", SINCE(3), IGNORABLE),
	FIELD(STRING, client_software_version, "ClientSoftwareVersion", SINCE(3), IGNORABLE),
};
#undef SELF
SCHEMA(kp_api_versions_request, "ApiVersionsRequest");

const kp_wire_message kp_api_versions_request_message = {
	.api_key = KP_API_API_VERSIONS,
	.kind = KP_WIRE_REQUEST,
	.min_version = 0,
	.max_version = 4,
	.flexible_min = 3,
	.root = &kp_api_versions_request_schema,
};

#define SELF kp_api_versions_response_api
static const kp_wire_field kp_api_versions_response_api_fields[] = {
	FIELD(INT16, api_key, "ApiKey", SINCE(0)),
	FIELD(INT16, min_version, "MinVersion", SINCE(0)),
	FIELD(INT16, max_version, "MaxVersion", SINCE(0)),
};
#undef SELF
SCHEMA(kp_api_versions_response_api, "ApiVersion");

#define SELF kp_api_versions_response_supported_feature
static const kp_wire_field kp_api_versions_response_supported_feature_fields[] = {
	FIELD(STRING, name, "Name", SINCE(3)),
	FIELD(INT16, min_version, "MinVersion", SINCE(3)),
	FIELD(INT16, max_version, "MaxVersion", SINCE(3)),
};
#undef SELF
SCHEMA(kp_api_versions_response_supported_feature, "SupportedFeatureKey");

#define SELF kp_api_versions_response_finalized_feature
static const kp_wire_field kp_api_versions_response_finalized_feature_fields[] = {
	FIELD(STRING, name, "Name", SINCE(3)),
	FIELD(INT16, max_version_level, "MaxVersionLevel", SINCE(3)),
	FIELD(INT16, min_version_level, "MinVersionLevel", SINCE(3)),
};
#undef SELF
SCHEMA(kp_api_versions_response_finalized_feature, "FinalizedFeatureKey");

#define SELF kp_api_versions_response
static const kp_wire_field kp_api_versions_response_fields[] = {
	FIELD(INT16, error_code, "ErrorCode", SINCE(0)),
	STRUCTS(kp_api_versions_response_api, api_keys, "ApiKeys", SINCE(0)),
	FIELD(INT32, throttle_time_ms, "ThrottleTimeMs", SINCE(1), IGNORABLE),
	STRUCTS(kp_api_versions_response_supported_feature, supported_features, "SupportedFeatures", SINCE(3), TAGGED(0, 3),
		IGNORABLE),
	FIELD(INT64, finalized_features_epoch, "FinalizedFeaturesEpoch", SINCE(3), TAGGED(1, 3), DEFAULT(-1), IGNORABLE),
	STRUCTS(kp_api_versions_response_finalized_feature, finalized_features, "FinalizedFeatures", SINCE(3), TAGGED(2, 3),
		IGNORABLE),
	FIELD(BOOL, zk_migration_ready, "ZkMigrationReady", SINCE(3), TAGGED(3, 3), IGNORABLE),
};
#undef SELF
SCHEMA(kp_api_versions_response, "ApiVersionsResponse");

const kp_wire_message kp_api_versions_response_message = {
	.api_key = KP_API_API_VERSIONS,
	.kind = KP_WIRE_RESPONSE,
	.min_version = 0,
	.max_version = 4,
	.flexible_min = 3,
	.root = &kp_api_versions_response_schema,
};
