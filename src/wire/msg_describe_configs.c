/*
 * msg_describe_configs.c - the field tables of DescribeConfigs.
 */
#include "wire/msg_describe_configs.h"
#include "wire/messages.h"
#include "wire/table.h"

/* One row a field: clang-format would pack them. */
/* clang-format off */

#define SELF kp_describe_configs_request_resource
static const kp_wire_field kp_describe_configs_request_resource_fields[] = {
	FIELD(INT8, resource_type, "ResourceType", SINCE(0)),
	FIELD(STRING, resource_name, "ResourceName", SINCE(0)),
	ARRAY(STRING, configuration_keys, "ConfigurationKeys", SINCE(0), NULLABLE(0)),
};
#undef SELF
SCHEMA(kp_describe_configs_request_resource, "DescribeConfigsResource");

#define SELF kp_describe_configs_request
static const kp_wire_field kp_describe_configs_request_fields[] = {
	STRUCTS(kp_describe_configs_request_resource, resources, "Resources", SINCE(0)),
	FIELD(BOOL, include_synonyms, "IncludeSynonyms", SINCE(1)),
	FIELD(BOOL, include_documentation, "IncludeDocumentation", SINCE(3)),
};
#undef SELF
SCHEMA(kp_describe_configs_request, "DescribeConfigsRequest");

const kp_wire_message kp_describe_configs_request_message = {
	.api_key = KP_API_DESCRIBE_CONFIGS,
	.kind = KP_WIRE_REQUEST,
	.min_version = 1,
	.max_version = 4,
	.flexible_min = 4,
	.root = &kp_describe_configs_request_schema,
};

#define SELF kp_describe_configs_response_synonym
static const kp_wire_field kp_describe_configs_response_synonym_fields[] = {
	FIELD(STRING, name, "Name", SINCE(1)),
	FIELD(STRING, value, "Value", SINCE(1), NULLABLE(0)),
	FIELD(INT8, source, "Source", SINCE(1)),
};
#undef SELF
SCHEMA(kp_describe_configs_response_synonym, "DescribeConfigsSynonym");

#define SELF kp_describe_configs_response_config
static const kp_wire_field kp_describe_configs_response_config_fields[] = {
	FIELD(STRING, name, "Name", SINCE(0)),
	FIELD(STRING, value, "Value", SINCE(0), NULLABLE(0)),
	FIELD(BOOL, read_only, "ReadOnly", SINCE(0)),
	FIELD(INT8, config_source, "ConfigSource", SINCE(1), DEFAULT(-1), IGNORABLE),
	FIELD(BOOL, is_sensitive, "IsSensitive", SINCE(0)),
	STRUCTS(kp_describe_configs_response_synonym, synonyms, "Synonyms", SINCE(1), IGNORABLE),
	FIELD(INT8, config_type, "ConfigType", SINCE(3), IGNORABLE),
	FIELD(STRING, documentation, "Documentation", SINCE(3), NULLABLE(0), IGNORABLE),
};
#undef SELF
SCHEMA(kp_describe_configs_response_config, "DescribeConfigsResourceResult");

#define SELF kp_describe_configs_response_result
static const kp_wire_field kp_describe_configs_response_result_fields[] = {
	FIELD(INT16, error_code, "ErrorCode", SINCE(0)),
	FIELD(STRING, error_message, "ErrorMessage", SINCE(0), NULLABLE(0)),
	FIELD(INT8, resource_type, "ResourceType", SINCE(0)),
	FIELD(STRING, resource_name, "ResourceName", SINCE(0)),
	STRUCTS(kp_describe_configs_response_config, configs, "Configs", SINCE(0)),
};
#undef SELF
SCHEMA(kp_describe_configs_response_result, "DescribeConfigsResult");

#define SELF kp_describe_configs_response
static const kp_wire_field kp_describe_configs_response_fields[] = {
	FIELD(INT32, throttle_time_ms, "ThrottleTimeMs", SINCE(0)),
	STRUCTS(kp_describe_configs_response_result, results, "Results", SINCE(0)),
};
#undef SELF
SCHEMA(kp_describe_configs_response, "DescribeConfigsResponse");

const kp_wire_message kp_describe_configs_response_message = {
	.api_key = KP_API_DESCRIBE_CONFIGS,
	.kind = KP_WIRE_RESPONSE,
	.min_version = 1,
	.max_version = 4,
	.flexible_min = 4,
	.root = &kp_describe_configs_response_schema,
};
