/*
 * header.h - what stands in front of every body: RequestHeader (1, or 2 for flexible versions) and ResponseHeader (0, or 1).
 *
 * Which header goes with a body follows from the body's API key and version. The answer to ApiVersions always has header version
 * 0: the client does not know yet what the broker speaks. The 4-byte frame length is rpc's.
 */
#ifndef KP_WIRE_HEADER_H
#define KP_WIRE_HEADER_H

#include "base/buf.h"
#include "base/compiler.h"
#include "base/slice.h"
#include "wire/schema.h"

typedef struct kp_request_header {
	int16_t request_api_key;
	int16_t request_api_version;
	int32_t correlation_id;
	kp_slice client_id; /* nullable; a view of the input when read */
} kp_request_header;

typedef struct kp_response_header {
	int32_t correlation_id;
} kp_response_header;

extern const kp_wire_struct kp_request_header_schema;
extern const kp_wire_struct kp_response_header_schema;
extern const kp_wire_message kp_request_header_message;
extern const kp_wire_message kp_response_header_message;

/* Header version for a body; -1 for an API key that has no table. The body's version may be one we do not speak. */
int kp_wire_request_header_version(int16_t api_key, int16_t version);
int kp_wire_response_header_version(int16_t api_key, int16_t version);

/* Append a header. KP_ERR_NOT_SUPPORTED: unknown API key; otherwise as kp_wire_write. Any thread; none blocks. */
KP_MUST_USE int kp_wire_write_request_header(kp_buf *out, int16_t api_key, int16_t version, int32_t correlation_id,
                                             kp_slice client_id);
KP_MUST_USE int kp_wire_write_response_header(kp_buf *out, int16_t api_key, int16_t version, int32_t correlation_id);

/*
 * Read a header; *consumed gets its size, the body follows. KP_ERR_PROTOCOL: malformed. KP_ERR_NOT_SUPPORTED: unknown API key;
 * then the API key, version and correlation id of *out are valid all the same, so that a server can say what it refuses.
 */
KP_MUST_USE int kp_wire_read_request_header(kp_slice in, kp_request_header *out, size_t *consumed);
/* api_key and version are those of the request this answers. */
KP_MUST_USE int kp_wire_read_response_header(kp_slice in, int16_t api_key, int16_t version, int32_t *correlation_id,
                                             size_t *consumed);

#endif
