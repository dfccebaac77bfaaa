/*
 * sample.h - fill any message by walking its table: by the rule of tests/golden/WireGolden.java, or at random.
 */
#ifndef KP_TEST_WIRE_SAMPLE_H
#define KP_TEST_WIRE_SAMPLE_H

#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/random.h"
#include "kproducer/error.h"
#include "wire/header.h"
#include "wire/messages.h"
#include "wire/reader.h"
#include "wire/writer.h"

typedef enum sample_profile { SAMPLE_PLAIN, SAMPLE_NULLS, SAMPLE_EMPTY, SAMPLE_LONG, SAMPLE_RANDOM } sample_profile;

typedef struct sampler {
	kp_arena *arena;
	int version;
	sample_profile profile;
	uint64_t k; /* simple values so far */
	kp_random random;
} sampler;

static inline void sample_struct(sampler *s, const kp_wire_struct *schema, void *dst);

static inline uint64_t sample_number(sampler *s, uint64_t plain)
{
	if (s->profile != SAMPLE_RANDOM)
		return plain;
	/* Small ones too: they are the defaults. */
	return kp_random_below(&s->random, 4) ? kp_random_next(&s->random) : (uint64_t)(int64_t)kp_random_below(&s->random, 3) - 1;
}

static inline kp_slice sample_bytes(sampler *s, uint64_t k, kp_wire_type type)
{
	char text[160];
	int n = 4;
	if (s->profile == SAMPLE_RANDOM) {
		n = (int)kp_random_below(&s->random, kp_random_below(&s->random, 8) ? 8 : sizeof(text));
		for (int i = 0; i < n; i++)
			text[i] = (char)kp_random_next(&s->random);
	} else if (type != KP_WIRE_STRING) {
		for (int i = 0; i < n; i++)
			text[i] = (char)(k + (uint64_t)i);
	} else {
		n = snprintf(text, sizeof(text), s->profile == SAMPLE_LONG ? "s%-129llu" : "s%llu", (unsigned long long)k);
	}
	uint8_t *copy = kp_arena_alloc(s->arena, (size_t)n);
	assert_non_null(copy);
	memcpy(copy, text, (size_t)n);
	return kp_slice_of(copy, (size_t)n);
}

static inline void sample_simple(sampler *s, kp_wire_type type, void *dst)
{
	uint64_t k = s->k++;
	switch (type) {
	case KP_WIRE_BOOL: *(bool *)dst = sample_number(s, k) & 1; break;
	case KP_WIRE_INT8: *(int8_t *)dst = (int8_t)sample_number(s, k % 100 + 1); break;
	case KP_WIRE_INT16:
	case KP_WIRE_UINT16: *(int16_t *)dst = (int16_t)sample_number(s, 1000 + k); break;
	case KP_WIRE_INT32:
	case KP_WIRE_UINT32: *(int32_t *)dst = (int32_t)sample_number(s, 100000 + k); break;
	case KP_WIRE_INT64: *(int64_t *)dst = (int64_t)sample_number(s, 1000000000000 + k); break;
	case KP_WIRE_FLOAT64: *(double *)dst = (double)k + 0.5; break;
	case KP_WIRE_UUID:
		for (size_t i = 0; i < sizeof(kp_uuid); i++)
			((kp_uuid *)dst)->bytes[i] = (uint8_t)(k + i);
		break;
	default: *(kp_slice *)dst = sample_bytes(s, k, type);
	}
}

static inline void sample_array(sampler *s, const kp_wire_field *f, kp_wire_array *dst)
{
	dst->n = s->profile == SAMPLE_RANDOM ? (int32_t)kp_random_below(&s->random, 4) : 2;
	dst->items = kp_arena_alloc(s->arena, (size_t)dst->n * f->elem_size);
	assert_non_null(dst->items);
	for (int32_t i = 0; i < dst->n; i++) {
		uint8_t *item = (uint8_t *)dst->items + (size_t)i * f->elem_size;
		if (f->elem == KP_WIRE_STRUCT)
			sample_struct(s, f->sub, item);
		else
			sample_simple(s, f->elem, item);
	}
}

static inline void sample_field(sampler *s, const kp_wire_field *f, void *dst)
{
	bool is_null = s->profile == SAMPLE_NULLS || (s->profile == SAMPLE_RANDOM && kp_random_below(&s->random, 4) == 0);
	if (is_null && kp_wire_in(f->nullable, s->version)) {
		if (f->type == KP_WIRE_ARRAY)
			*(kp_wire_array *)dst = (kp_wire_array){NULL, -1};
		else if (f->type == KP_WIRE_STRUCT)
			*(void **)dst = NULL;
		else
			*(kp_slice *)dst = kp_slice_null();
	} else if (f->type == KP_WIRE_ARRAY) {
		sample_array(s, f, dst);
	} else if (f->type == KP_WIRE_STRUCT && kp_wire_is_nullable(f)) {
		void *sub = *(void **)dst = kp_arena_alloc(s->arena, f->sub->size);
		assert_non_null(sub);
		sample_struct(s, f->sub, sub);
	} else if (f->type == KP_WIRE_STRUCT) {
		sample_struct(s, f->sub, dst);
	} else {
		sample_simple(s, f->type, dst);
	}
}

static inline void sample_struct(sampler *s, const kp_wire_struct *schema, void *dst)
{
	kp_wire_init(schema, dst, 1);
	for (uint32_t i = 0; i < schema->n_fields && s->profile != SAMPLE_EMPTY; i++) {
		const kp_wire_field *f = &schema->fields[i];
		if (kp_wire_in(f->versions, s->version))
			sample_field(s, f, (uint8_t *)dst + f->offset);
	}
}

/* A filled message, from the arena. */
static inline void *sample_message(const kp_wire_message *m, int version, sample_profile profile, uint64_t seed, kp_arena *arena)
{
	sampler s = {.arena = arena, .version = version, .profile = profile};
	kp_random_init(&s.random, seed);
	void *message = kp_arena_alloc(arena, m->root->size);
	assert_non_null(message);
	sample_struct(&s, m->root, message);
	return message;
}

/* A copy that ends where its memory ends, so that the sanitizer sees one byte too many. Free ptr. */
static inline kp_slice sample_exact_copy(const void *ptr, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);
	assert_non_null(copy);
	if (len)
		memcpy(copy, ptr, len);
	return kp_slice_of(copy, len);
}

#endif
