/*
 * msg_describe_configs.h - DescribeConfigs (API key 32), versions 1 to 4, flexible from 4.
 *
 * Notes give the versions that have a field (none given: all that have the struct), its tag, and where it may be null.
 */
#ifndef KP_WIRE_MSG_DESCRIBE_CONFIGS_H
#define KP_WIRE_MSG_DESCRIBE_CONFIGS_H

#include "wire/schema.h"

typedef struct kp_describe_configs_request_resource {
	int8_t resource_type; /* 2 topic, 4 broker, 8 broker logger */
	kp_slice resource_name;
	KP_WIRE_ARRAY(kp_slice) configuration_keys; /* null: all */
} kp_describe_configs_request_resource;

typedef struct kp_describe_configs_request {
	KP_WIRE_ARRAY(kp_describe_configs_request_resource) resources;
	bool include_synonyms;
	bool include_documentation; /* 3+ */
} kp_describe_configs_request;

typedef struct kp_describe_configs_response_synonym {
	kp_slice name;
	kp_slice value; /* nullable */
	int8_t source;
} kp_describe_configs_response_synonym;

typedef struct kp_describe_configs_response_config {
	kp_slice name;
	kp_slice value; /* nullable */
	bool read_only;
	int8_t config_source;
	bool is_sensitive;
	KP_WIRE_ARRAY(kp_describe_configs_response_synonym) synonyms;
	int8_t config_type;     /* 3+ */
	kp_slice documentation; /* 3+, nullable */
} kp_describe_configs_response_config;

typedef struct kp_describe_configs_response_result {
	int16_t error_code;
	kp_slice error_message; /* nullable */
	int8_t resource_type;   /* 2 topic, 4 broker, 8 broker logger */
	kp_slice resource_name;
	KP_WIRE_ARRAY(kp_describe_configs_response_config) configs;
} kp_describe_configs_response_result;

typedef struct kp_describe_configs_response {
	int32_t throttle_time_ms;
	KP_WIRE_ARRAY(kp_describe_configs_response_result) results;
} kp_describe_configs_response;

extern const kp_wire_struct kp_describe_configs_request_resource_schema;
extern const kp_wire_struct kp_describe_configs_request_schema;
extern const kp_wire_struct kp_describe_configs_response_synonym_schema;
extern const kp_wire_struct kp_describe_configs_response_config_schema;
extern const kp_wire_struct kp_describe_configs_response_result_schema;
extern const kp_wire_struct kp_describe_configs_response_schema;
extern const kp_wire_message kp_describe_configs_request_message;
extern const kp_wire_message kp_describe_configs_response_message;

#endif
