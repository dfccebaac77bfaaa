/*
 * support.h - build a batch from records, and bytes to fill them with. Each test file is its own program, so all is static.
 */
#ifndef KP_TESTS_RECORD_SUPPORT_H
#define KP_TESTS_RECORD_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/crc32c.h"
#include "base/mem.h"
#include "base/random.h"
#include "kproducer/error.h"
#include "record/batch.h"

#define TEXT(s) kp_slice_of((s), sizeof(s) - 1)

/* A record to write, with its place. */
typedef struct test_record {
	kp_record_content content;
	int64_t timestamp_delta;
	int32_t offset_delta;
} test_record;

static inline void append_record(kp_buf *out, const test_record *r)
{
	size_t body = kp_record_body_size(&r->content, r->timestamp_delta, r->offset_delta);
	size_t size = kp_record_size(body);
	uint8_t *p = kp_buf_reserve(out, size);
	assert_non_null(p);
	assert_ptr_equal(kp_record_store(p, &r->content, body, r->timestamp_delta, r->offset_delta), p + size);
	out->len += size;
}

/* Header, records compressed as h->attributes says, crc. h's length and crc are filled in; base_offset and the rest stay. */
static inline void seal_batch(kp_buf *out, kp_batch_header *h, kp_slice raw)
{
	kp_codec_type codec = h->attributes & KP_BATCH_CODEC_MASK;
	kp_compressor *c = kp_compressor_new();
	size_t bound = kp_compress_bound(codec, raw.len), n = 0;
	uint8_t *p = kp_buf_reserve(out, KP_BATCH_HEADER_SIZE + bound);
	assert_non_null(c);
	assert_non_null(p);
	assert_int_equal(kp_compress(c, codec, KP_CODEC_LEVEL_DEFAULT, raw, p + KP_BATCH_HEADER_SIZE, bound, &n), 0);
	kp_compressor_free(c);
	h->magic = 2;
	h->batch_length = (int32_t)(KP_BATCH_HEADER_SIZE - 12 + n);
	kp_batch_header_store(p, h);
	kp_batch_stamp(p, h->producer_id, h->producer_epoch, h->base_sequence, kp_crc32c(p + KP_BATCH_HEADER_SIZE, n), n);
	assert_int_equal(kp_batch_header_load(kp_slice_of(p, KP_BATCH_HEADER_SIZE), h), 0);
	out->len += KP_BATCH_HEADER_SIZE + n;
}

static inline void fill_random(kp_random *r, uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)kp_random_next(r);
}

/* Text-like bytes: compressible, but with something to do for every codec. */
static inline void fill_words(kp_random *r, uint8_t *p, size_t n)
{
	static const char words[] = "offset partition record batch producer epoch topic broker leader replica ";
	for (size_t i = 0; i < n;) {
		size_t at = kp_random_below(r, sizeof(words) - 9);
		for (size_t k = 0; k < 8 && i < n; k++)
			p[i++] = (uint8_t)words[at + k];
	}
}

/* malloc's memory until memory_is_out is set. To be installed before the first allocation. */
static bool memory_is_out;

static inline void *failing_realloc(void *ptr, size_t size, void *opaque)
{
	(void)opaque;
	return memory_is_out ? NULL : realloc(ptr, size);
}

static inline void plain_free(void *ptr, void *opaque)
{
	(void)opaque;
	free(ptr);
}

static inline int install_failing_allocator(void **state)
{
	static const kp_allocator allocator = {failing_realloc, plain_free, NULL};
	(void)state;
	kp_mem_set_allocator(&allocator);
	return 0;
}

/*
 * A copy in memory of exactly its size, so that the sanitizer sees the first byte read past the end. Made for one call;
 * give it back to free().
 */
static inline uint8_t *exact_copy(const uint8_t *p, size_t n)
{
	uint8_t *copy = malloc(n ? n : 1);
	assert_non_null(copy);
	if (n)
		memcpy(copy, p, n);
	return copy;
}

#endif
