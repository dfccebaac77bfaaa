/*
 * buf.h - a growable byte buffer that owns its bytes. Errors are sticky: append freely, look at `failed` once.
 */
#ifndef KP_BASE_BUF_H
#define KP_BASE_BUF_H

#include "base/compiler.h"
#include "base/slice.h"

typedef struct kp_buf {
	uint8_t *data;
	size_t len;  /* bytes in use */
	size_t cap;  /* bytes allocated */
	size_t max;  /* growth past this fails */
	bool failed; /* sticky: an append did not fit or memory was out; the content is then a prefix */
} kp_buf;

void kp_buf_init(kp_buf *b, size_t max); /* allocates nothing; max 0 means SIZE_MAX / 2 */
void kp_buf_deinit(kp_buf *b);
void kp_buf_clear(kp_buf *b); /* len = 0, failed = false; keeps the memory */

/* Room for n more bytes behind len; returns where they go, or NULL (then failed is set). Does not change len. */
KP_MUST_USE uint8_t *kp_buf_reserve(kp_buf *b, size_t n);
void kp_buf_append(kp_buf *b, const void *ptr, size_t n);
void kp_buf_append_u8(kp_buf *b, uint8_t v);
void kp_buf_printf(kp_buf *b, const char *fmt, ...) KP_PRINTF(2, 3); /* no terminator is counted in len */
/* Drop n bytes from the front (moves the rest down). */
void kp_buf_consume(kp_buf *b, size_t n);
/* The text as a C string: a terminator stands behind len. NULL when memory is out. */
const char *kp_buf_cstr(kp_buf *b);

static inline kp_slice kp_buf_slice(const kp_buf *b)
{
	return kp_slice_of(b->data, b->len);
}

#endif
