/*
 * reader.c - walk a table over the input. Recursion follows the nesting of the schema, never the input.
 */
#include "wire/reader.h"

#include <string.h>

#include "base/bytes.h"
#include "kproducer/error.h"

typedef struct reader {
	const uint8_t *p, *end; /* what is left */
	kp_arena *arena;
	int version;
	bool is_flexible;
	int err; /* the first error; p == end from then on */
} reader;

static void read_struct(reader *r, const kp_wire_struct *s, uint8_t *dst);

static void fail(reader *r, int err)
{
	if (!r->err)
		r->err = err;
	r->p = r->end;
}

static size_t left(const reader *r)
{
	return (size_t)(r->end - r->p);
}

/* The next n bytes, or NULL after failing. */
static inline const uint8_t *take(reader *r, size_t n)
{
	if (KP_UNLIKELY(n > left(r))) {
		fail(r, KP_ERR_PROTOCOL);
		return NULL;
	}
	const uint8_t *p = r->p;
	r->p += n;
	return p;
}

static uint32_t read_uvarint(reader *r)
{
	uint64_t v;
	const uint8_t *p = kp_load_uvarint(r->p, r->end, &v);
	if (KP_UNLIKELY(!p || v > UINT32_MAX)) {
		fail(r, KP_ERR_PROTOCOL);
		return 0;
	}
	r->p = p;
	return (uint32_t)v;
}

static bool is_compact(const reader *r, const kp_wire_field *f)
{
	return r->is_flexible && !f->is_never_flexible;
}

/* The length or count in front of a value: -1 for null. The old prefix is 2 bytes for strings, 4 for the rest. */
static int32_t read_length(reader *r, const kp_wire_field *f, kp_wire_type type)
{
	int64_t n = 0;
	const uint8_t *p;
	if (is_compact(r, f))
		n = (int64_t)read_uvarint(r) - 1;
	else if (type == KP_WIRE_STRING)
		n = (p = take(r, 2)) ? (int16_t)kp_load_be16(p) : 0;
	else
		n = (p = take(r, 4)) ? (int32_t)kp_load_be32(p) : 0;
	if (n < -1 || n > (type == KP_WIRE_STRING ? KP_WIRE_MAX_STRING_BYTES : INT32_MAX))
		fail(r, KP_ERR_PROTOCOL);
	return r->err ? 0 : (int32_t)n;
}

static void read_slice(reader *r, const kp_wire_field *f, kp_wire_type type, bool may_be_null, kp_slice *dst)
{
	int32_t n = read_length(r, f, type);
	if (n < 0) {
		if (!may_be_null)
			fail(r, KP_ERR_PROTOCOL);
		*dst = kp_slice_null();
		return;
	}
	const uint8_t *p = take(r, (size_t)n);
	if (p)
		*dst = kp_slice_of(p, (size_t)n);
}

static void read_scalar(reader *r, kp_wire_type type, void *dst)
{
	size_t size = kp_wire_scalar_size(type);
	const uint8_t *p = take(r, size);
	if (!p)
		return;
	switch (size) {
	case 1: *(uint8_t *)dst = type == KP_WIRE_BOOL ? *p != 0 : *p; break;
	case 2: *(uint16_t *)dst = kp_load_be16(p); break;
	case 4: *(uint32_t *)dst = kp_load_be32(p); break;
	case 8: /* a FLOAT64 is its IEEE 754 bits */ *(uint64_t *)dst = kp_load_be64(p); break;
	default: memcpy(dst, p, size);
	}
}

/* The fewest bytes a value can take in this version; at least 1, also for a struct without fields. */
static size_t min_size(const reader *r, const kp_wire_field *f, kp_wire_type type)
{
	switch (type) {
	case KP_WIRE_STRING: return is_compact(r, f) ? 1 : 2;
	case KP_WIRE_BYTES:
	case KP_WIRE_RECORDS:
	case KP_WIRE_ARRAY: return is_compact(r, f) ? 1 : 4;
	case KP_WIRE_STRUCT: break;
	default: return kp_wire_scalar_size(type);
	}
	size_t sum = r->is_flexible ? 1 : 0; /* the count of tagged fields */
	for (uint32_t k = 0; k < f->sub->n_fields; k++) {
		const kp_wire_field *inner = &f->sub->fields[k];
		if (!kp_wire_in(inner->versions, r->version) || kp_wire_in(inner->tagged, r->version))
			continue;
		bool may_be_absent = inner->type == KP_WIRE_STRUCT && kp_wire_in(inner->nullable, r->version);
		sum += may_be_absent ? 1 : min_size(r, inner, inner->type);
	}
	return sum ? sum : 1;
}

static void *alloc(reader *r, size_t size)
{
	void *p = r->arena ? kp_arena_alloc(r->arena, size) : NULL;
	if (!p)
		fail(r, KP_ERR_NO_MEMORY);
	return p;
}

static void read_array(reader *r, const kp_wire_field *f, kp_wire_array *dst)
{
	int32_t n = read_length(r, f, KP_WIRE_ARRAY);
	*dst = (kp_wire_array){NULL, n};
	if (n < 0 && !kp_wire_in(f->nullable, r->version))
		fail(r, KP_ERR_PROTOCOL);
	if (n <= 0 || r->err)
		return;
	if ((size_t)n > left(r) / min_size(r, f, f->elem) || (size_t)n > SIZE_MAX / f->elem_size) {
		fail(r, KP_ERR_PROTOCOL);
		return;
	}
	uint8_t *item = dst->items = alloc(r, (size_t)n * f->elem_size);
	for (int32_t i = 0; i < n && !r->err; i++, item += f->elem_size) {
		switch ((kp_wire_type)f->elem) {
		case KP_WIRE_STRUCT: read_struct(r, f->sub, item); break;
		case KP_WIRE_STRING:
		case KP_WIRE_BYTES:
		case KP_WIRE_RECORDS: /* "nullable" speaks of the array: an element is never null */
			read_slice(r, f, f->elem, false, (kp_slice *)(void *)item);
			break;
		default: read_scalar(r, f->elem, item);
		}
	}
}

/* A nullable struct has a byte in front (KIP-893): -1 for null, 1 for a value. */
static void read_nullable_struct(reader *r, const kp_wire_field *f, void **dst)
{
	const uint8_t *presence = kp_wire_in(f->nullable, r->version) ? take(r, 1) : (const uint8_t *)"\1";
	*dst = NULL;
	if (!presence || (int8_t)*presence < 0)
		return;
	*dst = alloc(r, f->sub->size);
	if (*dst)
		read_struct(r, f->sub, *dst);
}

static void read_value(reader *r, const kp_wire_field *f, void *dst)
{
	switch ((kp_wire_type)f->type) {
	case KP_WIRE_STRING:
	case KP_WIRE_BYTES:
	case KP_WIRE_RECORDS: read_slice(r, f, f->type, kp_wire_in(f->nullable, r->version), dst); break;
	case KP_WIRE_ARRAY: read_array(r, f, dst); break;
	case KP_WIRE_STRUCT:
		if (kp_wire_is_nullable(f))
			read_nullable_struct(r, f, dst);
		else
			read_struct(r, f->sub, dst);
		break;
	default: read_scalar(r, f->type, dst);
	}
}

static const kp_wire_field *find_tag(const reader *r, const kp_wire_struct *s, uint32_t tag)
{
	for (uint32_t k = 0; k < s->n_fields; k++) {
		if (s->fields[k].tag == tag && kp_wire_in(s->fields[k].tagged, r->version))
			return &s->fields[k];
	}
	return NULL;
}

/* Like Kafka, take tags in any order, and the last of two equal ones; but a known field must fill its size exactly. */
static void read_tagged(reader *r, const kp_wire_struct *s, uint8_t *dst)
{
	uint32_t n = read_uvarint(r);
	for (uint32_t i = 0; i < n && !r->err; i++) {
		uint32_t tag = read_uvarint(r);
		uint32_t size = read_uvarint(r);
		const uint8_t *value = take(r, size);
		const kp_wire_field *f = find_tag(r, s, tag);
		if (!value || !f)
			continue;
		const uint8_t *end = r->end;
		r->p = value;
		r->end = value + size;
		read_value(r, f, dst + f->offset);
		if (r->p != r->end)
			fail(r, KP_ERR_PROTOCOL);
		r->end = end;
		if (r->err)
			r->p = end;
	}
}

static void read_struct(reader *r, const kp_wire_struct *s, uint8_t *dst)
{
	for (uint32_t k = 0; k < s->n_fields; k++) {
		const kp_wire_field *f = &s->fields[k];
		if (kp_wire_in(f->versions, r->version) && !kp_wire_in(f->tagged, r->version))
			read_value(r, f, dst + f->offset);
		else
			kp_wire_set_default(f, dst + f->offset);
	}
	if (r->is_flexible)
		read_tagged(r, s, dst);
}

int kp_wire_read(const kp_wire_message *m, int version, kp_slice in, kp_arena *arena, void *out, size_t *consumed)
{
	static const uint8_t nothing[1];
	const uint8_t *start = in.ptr ? in.ptr : nothing;
	reader r = {
		.p = start,
		.end = start + (in.ptr ? in.len : 0),
		.arena = arena,
		.version = version,
		.is_flexible = kp_wire_is_flexible(m, version),
	};
	memset(out, 0, m->root->size);
	if (version < m->min_version || version > m->max_version)
		return KP_ERR_NOT_SUPPORTED;
	read_struct(&r, m->root, out);
	if (r.err) {
		memset(out, 0, m->root->size);
		return r.err;
	}
	if (consumed)
		*consumed = (size_t)(r.p - start);
	return KP_OK;
}
