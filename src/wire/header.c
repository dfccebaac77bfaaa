/*
 * header.c - tables of the two headers, and which version of them goes with what.
 */
#include "wire/header.h"

#include "base/bytes.h"
#include "kproducer/error.h"
#include "wire/messages.h"
#include "wire/reader.h"
#include "wire/table.h"
#include "wire/writer.h"

#define SELF kp_request_header
static const kp_wire_field kp_request_header_fields[] = {
	FIELD(INT16, request_api_key, "RequestApiKey", SINCE(0)),
	FIELD(INT16, request_api_version, "RequestApiVersion", SINCE(0)),
	FIELD(INT32, correlation_id, "CorrelationId", SINCE(0)),
	FIELD(STRING, client_id, "ClientId", SINCE(1), NULLABLE(1), NEVER_FLEXIBLE),
};
#undef SELF
SCHEMA(kp_request_header, "RequestHeader");

const kp_wire_message kp_request_header_message = {
	.api_key = -1,
	.kind = KP_WIRE_HEADER,
	.min_version = 1,
	.max_version = 2,
	.flexible_min = 2,
	.root = &kp_request_header_schema,
};

#define SELF kp_response_header
static const kp_wire_field kp_response_header_fields[] = {
	FIELD(INT32, correlation_id, "CorrelationId", SINCE(0)),
};
#undef SELF
SCHEMA(kp_response_header, "ResponseHeader");

const kp_wire_message kp_response_header_message = {
	.api_key = -1,
	.kind = KP_WIRE_HEADER,
	.min_version = 0,
	.max_version = 1,
	.flexible_min = 1,
	.root = &kp_response_header_schema,
};

int kp_wire_request_header_version(int16_t api_key, int16_t version)
{
	const kp_wire_message *m = kp_wire_find(api_key, false);
	if (!m)
		return -1;
	return kp_wire_is_flexible(m, version) ? 2 : 1;
}

int kp_wire_response_header_version(int16_t api_key, int16_t version)
{
	const kp_wire_message *m = kp_wire_find(api_key, true);
	if (!m)
		return -1;
	if (api_key == KP_API_API_VERSIONS)
		return 0; /* KIP-511: readable whatever version the broker falls back to */
	return kp_wire_is_flexible(m, version) ? 1 : 0;
}

int kp_wire_write_request_header(kp_buf *out, int16_t api_key, int16_t version, int32_t correlation_id, kp_slice client_id)
{
	int header_version = kp_wire_request_header_version(api_key, version);
	if (header_version < 0)
		return KP_ERR_NOT_SUPPORTED;
	kp_request_header h = {api_key, version, correlation_id, client_id};
	return kp_wire_write(&kp_request_header_message, header_version, &h, out, NULL);
}

int kp_wire_write_response_header(kp_buf *out, int16_t api_key, int16_t version, int32_t correlation_id)
{
	int header_version = kp_wire_response_header_version(api_key, version);
	if (header_version < 0)
		return KP_ERR_NOT_SUPPORTED;
	kp_response_header h = {correlation_id};
	return kp_wire_write(&kp_response_header_message, header_version, &h, out, NULL);
}

int kp_wire_read_request_header(kp_slice in, kp_request_header *out, size_t *consumed)
{
	/* The three numbers in front are the same in every version; they tell the version. */
	if (in.len < 8)
		return KP_ERR_PROTOCOL;
	kp_request_header fixed = {
		.request_api_key = (int16_t)kp_load_be16(in.ptr),
		.request_api_version = (int16_t)kp_load_be16(in.ptr + 2),
		.correlation_id = (int32_t)kp_load_be32(in.ptr + 4),
	};
	int header_version = kp_wire_request_header_version(fixed.request_api_key, fixed.request_api_version);
	if (header_version < 0) {
		*out = fixed;
		return KP_ERR_NOT_SUPPORTED;
	}
	return kp_wire_read(&kp_request_header_message, header_version, in, NULL, out, consumed);
}

int kp_wire_read_response_header(kp_slice in, int16_t api_key, int16_t version, int32_t *correlation_id, size_t *consumed)
{
	int header_version = kp_wire_response_header_version(api_key, version);
	if (header_version < 0)
		return KP_ERR_NOT_SUPPORTED;
	kp_response_header h;
	int err = kp_wire_read(&kp_response_header_message, header_version, in, NULL, &h, consumed);
	if (err == KP_OK)
		*correlation_id = h.correlation_id;
	return err;
}
