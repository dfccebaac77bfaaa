/*
 * record.c - headers' encoding (the rare half of encoding a record) and the walk over encoded records.
 */
#include "record/record.h"

#include <assert.h>

#include "kproducer/error.h"

size_t kp_record_headers_size(const kp_record_header *headers, size_t n_headers)
{
	size_t size = kp_varint_size((int64_t)n_headers);
	for (size_t i = 0; i < n_headers; i++)
		size += kp_record_bytes_size(headers[i].name) + kp_record_bytes_size(headers[i].value);
	return size;
}

uint8_t *kp_record_headers_store(uint8_t *p, const kp_record_header *headers, size_t n_headers)
{
	p = kp_store_varint(p, (int64_t)n_headers);
	for (size_t i = 0; i < n_headers; i++) {
		assert(headers[i].name.ptr); /* readers refuse a null name */
		p = kp_record_bytes_store(p, headers[i].name);
		p = kp_record_bytes_store(p, headers[i].value);
	}
	return p;
}

/* The `varint` type of the format: 32 bits, so at most 5 bytes. NULL when cut off or too large. */
static const uint8_t *load_varint32(const uint8_t *p, const uint8_t *end, int32_t *v)
{
	int64_t wide;
	if (end - p > KP_VARINT32_MAX)
		end = p + KP_VARINT32_MAX;
	p = kp_load_varint(p, end, &wide);
	if (!p || wide < INT32_MIN || wide > INT32_MAX)
		return NULL;
	*v = (int32_t)wide;
	return p;
}

/* Length and bytes; a length of -1 is null. NULL when cut off. */
static const uint8_t *load_bytes(const uint8_t *p, const uint8_t *end, kp_slice *s)
{
	int32_t len;
	p = load_varint32(p, end, &len);
	if (!p || len < -1 || len > end - p)
		return NULL;
	if (len == -1) {
		*s = kp_slice_null();
		return p;
	}
	*s = kp_slice_of(p, (size_t)len);
	return p + len;
}

int kp_record_header_next(kp_slice *headers, kp_record_header *out)
{
	kp_record_header h;
	const uint8_t *end = headers->ptr + headers->len;
	const uint8_t *p = load_bytes(headers->ptr, end, &h.name);
	if (!p || !h.name.ptr)
		return KP_ERR_PROTOCOL;
	p = load_bytes(p, end, &h.value);
	if (!p)
		return KP_ERR_PROTOCOL;
	*headers = kp_slice_of(p, (size_t)(end - p));
	*out = h;
	return 0;
}

/* The headers must end where the record does. */
static bool headers_fit(kp_slice headers, int32_t n_headers)
{
	kp_record_header h;
	if (n_headers < 0)
		return false;
	for (int32_t i = 0; i < n_headers; i++)
		if (kp_record_header_next(&headers, &h))
			return false;
	return headers.len == 0;
}

int kp_record_load(const uint8_t **at, const uint8_t *end, kp_record_view *out)
{
	kp_record_view v;
	int32_t len;
	const uint8_t *p = load_varint32(*at, end, &len);
	if (!p || len < 1 || len > end - p)
		return KP_ERR_PROTOCOL;
	end = p + len;
	p++; /* attributes: no bit has a meaning yet */
	p = kp_load_varint(p, end, &v.timestamp_delta);
	if (p)
		p = load_varint32(p, end, &v.offset_delta);
	if (p)
		p = load_bytes(p, end, &v.key);
	if (p)
		p = load_bytes(p, end, &v.value);
	if (p)
		p = load_varint32(p, end, &v.n_headers);
	if (!p)
		return KP_ERR_PROTOCOL;
	v.headers = kp_slice_of(p, (size_t)(end - p));
	if (!headers_fit(v.headers, v.n_headers))
		return KP_ERR_PROTOCOL;
	*at = end;
	*out = v;
	return 0;
}
