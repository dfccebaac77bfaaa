/*
 * msg_api_versions.h - ApiVersions (API key 18), versions 0 to 4, flexible from 3.
 *
 * Notes give the versions that have a field (none given: all that have the struct), its tag, and where it may be null.
 */
#ifndef KP_WIRE_MSG_API_VERSIONS_H
#define KP_WIRE_MSG_API_VERSIONS_H

#include "wire/schema.h"

typedef struct kp_api_versions_request {
	kp_slice client_software_name;    /* 3+ */
	kp_slice client_software_version; /* 3+ */
} kp_api_versions_request;

typedef struct kp_api_versions_response_api {
	int16_t api_key;
	int16_t min_version;
	int16_t max_version;
} kp_api_versions_response_api;

typedef struct kp_api_versions_response_supported_feature {
	kp_slice name;
	int16_t min_version;
	int16_t max_version;
} kp_api_versions_response_supported_feature;

typedef struct kp_api_versions_response_finalized_feature {
	kp_slice name;
	int16_t max_version_level;
	int16_t min_version_level;
} kp_api_versions_response_finalized_feature;

typedef struct kp_api_versions_response {
	int16_t error_code;
	KP_WIRE_ARRAY(kp_api_versions_response_api) api_keys;
	int32_t throttle_time_ms;                                                     /* 1+ */
	KP_WIRE_ARRAY(kp_api_versions_response_supported_feature) supported_features; /* 3+, tag 0; what the broker could do */
	int64_t finalized_features_epoch;                                             /* 3+, tag 1; -1: unknown */
	KP_WIRE_ARRAY(kp_api_versions_response_finalized_feature) finalized_features; /* 3+, tag 2; has transaction.version */
	bool zk_migration_ready;                                                      /* 3+, tag 3 */
} kp_api_versions_response;

extern const kp_wire_struct kp_api_versions_request_schema;
extern const kp_wire_struct kp_api_versions_response_api_schema;
extern const kp_wire_struct kp_api_versions_response_supported_feature_schema;
extern const kp_wire_struct kp_api_versions_response_finalized_feature_schema;
extern const kp_wire_struct kp_api_versions_response_schema;
extern const kp_wire_message kp_api_versions_request_message;
extern const kp_wire_message kp_api_versions_response_message;

#endif
