/*
 * writer.c - walk a table over a struct. Recursion follows the nesting of the schema.
 */
#include "wire/writer.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "kproducer/error.h"

typedef struct writer {
	kp_buf *out;
	kp_wire_refs *refs; /* NULL: copy records */
	int version;
	bool is_flexible;
	int err; /* the first error; nothing is appended from then on */
} writer;

static void write_struct(writer *w, const kp_wire_struct *s, const uint8_t *src);

void kp_wire_refs_init(kp_wire_refs *refs)
{
	*refs = (kp_wire_refs){0};
}

void kp_wire_refs_deinit(kp_wire_refs *refs)
{
	kp_mem_free(refs->items);
	kp_wire_refs_init(refs);
}

void kp_wire_refs_clear(kp_wire_refs *refs)
{
	refs->n = 0;
	refs->n_bytes = 0;
}

static int add_ref(kp_wire_refs *refs, size_t pos, kp_slice bytes)
{
	if (refs->n == refs->cap) {
		size_t cap = refs->cap ? refs->cap * 2 : 64;
		kp_wire_ref *items = kp_mem_realloc(refs->items, cap * sizeof(*items));
		if (!items)
			return KP_ERR_NO_MEMORY;
		refs->items = items;
		refs->cap = cap;
	}
	refs->items[refs->n++] = (kp_wire_ref){pos, bytes};
	refs->n_bytes += bytes.len;
	return KP_OK;
}

static void fail(writer *w, int err)
{
	if (!w->err)
		w->err = err;
}

/* Room for n bytes, counted as used; NULL after failing. */
static inline uint8_t *room(writer *w, size_t n)
{
	uint8_t *p = w->err ? NULL : kp_buf_reserve(w->out, n);
	if (KP_UNLIKELY(!p)) {
		fail(w, KP_ERR_NO_MEMORY);
		return NULL;
	}
	w->out->len += n;
	return p;
}

static void write_uvarint(writer *w, uint32_t v)
{
	uint8_t *p = room(w, kp_uvarint_size(v));
	if (p)
		kp_store_uvarint(p, v);
}

/* The length or count in front of a value; n = -1 is null. */
static void write_length(writer *w, const kp_wire_field *f, kp_wire_type type, int64_t n)
{
	if (n > (type == KP_WIRE_STRING ? KP_WIRE_MAX_STRING_BYTES : INT32_MAX)) {
		fail(w, KP_ERR_BAD_ARGUMENT);
	} else if (w->is_flexible && !f->is_never_flexible) {
		write_uvarint(w, (uint32_t)(n + 1));
	} else {
		size_t size = type == KP_WIRE_STRING ? 2 : 4;
		uint8_t *p = room(w, size);
		if (p && size == 2)
			kp_store_be16(p, (uint16_t)n);
		else if (p)
			kp_store_be32(p, (uint32_t)n);
	}
}

/* Null goes out where it may; where the field is nullable in other versions only, this version cannot say it. */
static void write_null(writer *w, const kp_wire_field *f, kp_wire_type type)
{
	if (!kp_wire_in(f->nullable, w->version))
		fail(w, kp_wire_is_nullable(f) ? KP_ERR_NOT_SUPPORTED : KP_ERR_BAD_ARGUMENT);
	else
		write_length(w, f, type, -1);
}

static void write_slice(writer *w, const kp_wire_field *f, kp_wire_type type, kp_slice v)
{
	write_length(w, f, type, v.ptr ? (int64_t)v.len : 0);
	if (w->err || !v.ptr || v.len == 0)
		return;
	if (type == KP_WIRE_RECORDS && w->refs) {
		int err = add_ref(w->refs, w->out->len, v);
		if (err)
			fail(w, err);
		return;
	}
	uint8_t *p = room(w, v.len);
	if (p)
		memcpy(p, v.ptr, v.len);
}

static void write_scalar(writer *w, kp_wire_type type, const void *src)
{
	size_t size = kp_wire_scalar_size(type);
	uint8_t *p = room(w, size);
	if (!p)
		return;
	switch (size) {
	case 1: *p = *(const uint8_t *)src; break;
	case 2: kp_store_be16(p, *(const uint16_t *)src); break;
	case 4: kp_store_be32(p, *(const uint32_t *)src); break;
	case 8: kp_store_be64(p, *(const uint64_t *)src); break;
	default: memcpy(p, src, size);
	}
}

static void write_array(writer *w, const kp_wire_field *f, const kp_wire_array *a)
{
	if (a->n == -1) {
		write_null(w, f, KP_WIRE_ARRAY);
		return;
	}
	if (a->n < 0 || (a->n > 0 && !a->items)) {
		fail(w, KP_ERR_BAD_ARGUMENT);
		return;
	}
	write_length(w, f, KP_WIRE_ARRAY, a->n);
	const uint8_t *item = a->items;
	for (int32_t i = 0; i < a->n && !w->err; i++, item += f->elem_size) {
		switch ((kp_wire_type)f->elem) {
		case KP_WIRE_STRUCT: write_struct(w, f->sub, item); break;
		case KP_WIRE_STRING:
		case KP_WIRE_BYTES:
		case KP_WIRE_RECORDS: write_slice(w, f, f->elem, *(const kp_slice *)(const void *)item); break;
		default: write_scalar(w, f->elem, item);
		}
	}
}

/* See read_nullable_struct. */
static void write_nullable_struct(writer *w, const kp_wire_field *f, const void *src)
{
	if (kp_wire_in(f->nullable, w->version)) {
		uint8_t *presence = room(w, 1);
		if (presence)
			*presence = src ? 1 : 0xff;
	} else if (!src) {
		fail(w, KP_ERR_NOT_SUPPORTED);
	}
	if (src)
		write_struct(w, f->sub, src);
}

static void write_value(writer *w, const kp_wire_field *f, const void *src)
{
	switch ((kp_wire_type)f->type) {
	case KP_WIRE_STRING:
	case KP_WIRE_BYTES:
	case KP_WIRE_RECORDS:
		if (kp_slice_is_null(*(const kp_slice *)src) && kp_wire_is_nullable(f))
			write_null(w, f, f->type);
		else
			write_slice(w, f, f->type, *(const kp_slice *)src);
		break;
	case KP_WIRE_ARRAY: write_array(w, f, src); break;
	case KP_WIRE_STRUCT:
		if (kp_wire_is_nullable(f))
			write_nullable_struct(w, f, *(const void *const *)src);
		else
			write_struct(w, f->sub, src);
		break;
	default: write_scalar(w, f->type, src);
	}
}

/* Open a gap of `by` bytes at pos; what was referred to from there on moves along. */
static void shift_tail(writer *w, size_t pos, size_t by, size_t first_ref)
{
	size_t tail = w->out->len - pos;
	if (by == 0 || !room(w, by))
		return;
	memmove(w->out->data + pos + by, w->out->data + pos, tail);
	for (size_t i = first_ref; w->refs && i < w->refs->n; i++)
		w->refs->items[i].pos += by;
}

/* Its size stands in front of a tagged value and is known only afterwards: guess one byte, move the value if it needs more. */
static void write_tagged_value(writer *w, const kp_wire_field *f, const void *src)
{
	size_t n_refs = w->refs ? w->refs->n : 0, ref_bytes = w->refs ? w->refs->n_bytes : 0;
	write_uvarint(w, f->tag);
	if (!room(w, 1))
		return;
	size_t pos = w->out->len;
	write_value(w, f, src);
	size_t size = w->out->len - pos + (w->refs ? w->refs->n_bytes - ref_bytes : 0);
	shift_tail(w, pos, kp_uvarint_size(size) - 1, n_refs);
	if (!w->err)
		kp_store_uvarint(w->out->data + pos - 1, size);
}

/* Tags go out in ascending order (KIP-482), which need not be the order of the table. */
static void write_tagged(writer *w, const kp_wire_struct *s, const uint8_t *src)
{
	size_t count_pos = w->out->len;
	uint8_t n = 0;
	if (!room(w, 1))
		return;
	for (int last = -1;;) {
		const kp_wire_field *next = NULL;
		for (uint32_t k = 0; k < s->n_fields; k++) {
			const kp_wire_field *f = &s->fields[k];
			if (kp_wire_in(f->tagged, w->version) && f->tag > last && (!next || f->tag < next->tag))
				next = f;
		}
		if (!next)
			break;
		last = next->tag;
		if (kp_wire_is_default(next, src + next->offset))
			continue;
		write_tagged_value(w, next, src + next->offset);
		n++;
	}
	assert(n < 128); /* the count is one byte: a table has but a few tags */
	if (!w->err)
		w->out->data[count_pos] = n;
}

static void write_struct(writer *w, const kp_wire_struct *s, const uint8_t *src)
{
	for (uint32_t k = 0; k < s->n_fields; k++) {
		const kp_wire_field *f = &s->fields[k];
		if (!kp_wire_in(f->versions, w->version)) {
			if (!f->is_ignorable && !kp_wire_is_default(f, src + f->offset))
				fail(w, KP_ERR_NOT_SUPPORTED);
		} else if (!kp_wire_in(f->tagged, w->version)) {
			write_value(w, f, src + f->offset);
		}
	}
	if (w->is_flexible)
		write_tagged(w, s, src);
}

int kp_wire_write(const kp_wire_message *m, int version, const void *in, kp_buf *out, kp_wire_refs *refs)
{
	if (version < m->min_version || version > m->max_version)
		return KP_ERR_NOT_SUPPORTED;
	writer w = {.out = out, .refs = refs, .version = version, .is_flexible = kp_wire_is_flexible(m, version)};
	size_t len = out->len, n_refs = refs ? refs->n : 0, n_bytes = refs ? refs->n_bytes : 0;
	write_struct(&w, m->root, in);
	if (w.err) {
		out->len = len;
		if (refs) {
			refs->n = n_refs;
			refs->n_bytes = n_bytes;
		}
	}
	return w.err;
}
