/*
 * schema.c - defaults: to give them, and to recognise them.
 */
#include "wire/schema.h"

#include <string.h>

static const uint8_t empty[1]; /* an empty string is not null */

void kp_wire_set_default(const kp_wire_field *f, void *dst)
{
	switch ((kp_wire_type)f->type) {
	case KP_WIRE_BOOL: *(bool *)dst = f->default_value != 0; break;
	case KP_WIRE_INT8: *(int8_t *)dst = (int8_t)f->default_value; break;
	case KP_WIRE_INT16:
	case KP_WIRE_UINT16: *(int16_t *)dst = (int16_t)f->default_value; break;
	case KP_WIRE_INT32:
	case KP_WIRE_UINT32: *(int32_t *)dst = (int32_t)f->default_value; break;
	case KP_WIRE_INT64: *(int64_t *)dst = f->default_value; break;
	case KP_WIRE_FLOAT64: *(double *)dst = (double)f->default_value; break;
	case KP_WIRE_UUID: *(kp_uuid *)dst = (kp_uuid){{0}}; break;
	case KP_WIRE_STRING:
	case KP_WIRE_BYTES:
	case KP_WIRE_RECORDS: *(kp_slice *)dst = f->is_default_null ? kp_slice_null() : kp_slice_of(empty, 0); break;
	case KP_WIRE_STRUCT:
		if (kp_wire_is_nullable(f))
			*(void **)dst = NULL;
		else
			kp_wire_init(f->sub, dst, 1);
		break;
	case KP_WIRE_ARRAY: *(kp_wire_array *)dst = (kp_wire_array){NULL, f->is_default_null ? -1 : 0}; break;
	}
}

void kp_wire_init(const kp_wire_struct *s, void *items, size_t n)
{
	memset(items, 0, n * s->size);
	for (size_t i = 0; i < n; i++) {
		uint8_t *base = (uint8_t *)items + i * s->size;
		for (uint32_t k = 0; k < s->n_fields; k++)
			kp_wire_set_default(&s->fields[k], base + s->fields[k].offset);
	}
}

static bool is_struct_default(const kp_wire_field *f, const void *src)
{
	if (kp_wire_is_nullable(f))
		return *(void *const *)src == NULL;
	for (uint32_t k = 0; k < f->sub->n_fields; k++) {
		const kp_wire_field *inner = &f->sub->fields[k];
		if (!kp_wire_is_default(inner, (const uint8_t *)src + inner->offset))
			return false;
	}
	return true;
}

static bool is_slice_default(const kp_wire_field *f, const kp_slice *src)
{
	if (kp_slice_is_null(*src))
		return f->is_default_null || !kp_wire_is_nullable(f);
	return !f->is_default_null && src->len == 0;
}

bool kp_wire_is_default(const kp_wire_field *f, const void *src)
{
	switch ((kp_wire_type)f->type) {
	case KP_WIRE_BOOL: return *(const bool *)src == (f->default_value != 0);
	case KP_WIRE_INT8: return *(const int8_t *)src == (int8_t)f->default_value;
	case KP_WIRE_INT16:
	case KP_WIRE_UINT16: return *(const int16_t *)src == (int16_t)f->default_value;
	case KP_WIRE_INT32:
	case KP_WIRE_UINT32: return *(const int32_t *)src == (int32_t)f->default_value;
	case KP_WIRE_INT64: return *(const int64_t *)src == f->default_value;
	case KP_WIRE_FLOAT64: return *(const double *)src == (double)f->default_value;
	case KP_WIRE_UUID: return memcmp(src, &(kp_uuid){{0}}, sizeof(kp_uuid)) == 0;
	case KP_WIRE_STRING:
	case KP_WIRE_BYTES:
	case KP_WIRE_RECORDS: return is_slice_default(f, src);
	case KP_WIRE_STRUCT: return is_struct_default(f, src);
	case KP_WIRE_ARRAY: return ((const kp_wire_array *)src)->n == (f->is_default_null ? -1 : 0);
	}
	return false;
}
