/*
 * bytes.h - Kafka's primitive types, read with a sticky error and written to a growing buffer. Inline: the sink's hot path.
 */
#ifndef SINK_BYTES_H
#define SINK_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../args.h"

/* --------------------------------------------------------------- reader */

typedef struct rd {
	const uint8_t *p, *e;
	bool bad; /* sticky: whoever read too far reads zeros, and asks once */
} rd;

static inline bool need(rd *r, size_t n)
{
	if ((size_t)(r->e - r->p) >= n)
		return true;
	r->bad = true;
	r->p = r->e;
	return false;
}

static inline uint32_t be32(const uint8_t *p)
{
	uint32_t v;
	memcpy(&v, p, 4);
	return __builtin_bswap32(v);
}

static inline uint64_t be64(const uint8_t *p)
{
	uint64_t v;
	memcpy(&v, p, 8);
	return __builtin_bswap64(v);
}

static inline int8_t r8(rd *r)
{
	return need(r, 1) ? (int8_t)*r->p++ : 0;
}

static inline int16_t r16(rd *r)
{
	if (!need(r, 2))
		return 0;
	r->p += 2;
	return (int16_t)(r->p[-2] << 8 | r->p[-1]);
}

static inline int32_t r32(rd *r)
{
	if (!need(r, 4))
		return 0;
	r->p += 4;
	return (int32_t)be32(r->p - 4);
}

static inline uint64_t ruv(rd *r)
{
	uint64_t v = 0;
	for (int s = 0; s < 64; s += 7) {
		uint8_t b = (uint8_t)r8(r);
		v |= (uint64_t)(b & 0x7f) << s;
		if (!(b & 0x80))
			return v;
	}
	r->bad = true;
	return 0;
}

static inline int64_t rsv(rd *r)
{
	uint64_t v = ruv(r);
	return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

static inline void skip(rd *r, uint64_t n)
{
	if (need(r, n))
		r->p += n;
}

static inline void rtags(rd *r, bool flex)
{
	if (!flex)
		return;
	for (uint64_t n = ruv(r); n && !r->bad; n--) {
		ruv(r);
		skip(r, ruv(r));
	}
}

/* Its length; -1: null. */
static inline int rstr(rd *r, bool flex, const char **s)
{
	int64_t l = flex ? (int64_t)ruv(r) - 1 : r16(r);
	*s = (const char *)r->p;
	if (l < 0 || !need(r, (size_t)l))
		return -1;
	r->p += l;
	return (int)l;
}

/* An array's count, or the length of bytes; -1: null. Every element takes a byte at least, so a count past the frame is refused. */
static inline int64_t rarr(rd *r, bool flex)
{
	int64_t n = flex ? (int64_t)ruv(r) - 1 : r32(r);
	return n > 0 && !need(r, (size_t)n) ? 0 : n;
}

/* --------------------------------------------------------------- writer */

typedef struct wr {
	uint8_t *b;
	size_t n, cap;
} wr;

static inline void wraw(wr *w, const void *p, size_t n)
{
	if (w->n + n > w->cap) {
		while (w->n + n > w->cap)
			w->cap = w->cap ? w->cap * 2 : 4096;
		w->b = must(realloc(w->b, w->cap));
	}
	memcpy(w->b + w->n, p, n);
	w->n += n;
}

static inline void w8(wr *w, int v)
{
	uint8_t x = (uint8_t)v;
	wraw(w, &x, 1);
}

static inline void w16(wr *w, int v)
{
	uint16_t x = __builtin_bswap16((uint16_t)v);
	wraw(w, &x, 2);
}

static inline void w32(wr *w, int32_t v)
{
	uint32_t x = __builtin_bswap32((uint32_t)v);
	wraw(w, &x, 4);
}

static inline void w64(wr *w, int64_t v)
{
	uint64_t x = __builtin_bswap64((uint64_t)v);
	wraw(w, &x, 8);
}

static inline void wuv(wr *w, uint64_t v)
{
	for (; v > 0x7f; v >>= 7)
		w8(w, (int)(v & 0x7f) | 0x80);
	w8(w, (int)v);
}

static inline void wtags(wr *w, bool flex)
{
	if (flex)
		w8(w, 0);
}

/* A string; l -1: null. */
static inline void wstr(wr *w, bool flex, const char *s, int l)
{
	if (flex)
		wuv(w, (uint64_t)(l + 1));
	else
		w16(w, l);
	if (l > 0)
		wraw(w, s, (size_t)l);
}

static inline void warr(wr *w, bool flex, int64_t n)
{
	if (flex)
		wuv(w, (uint64_t)(n + 1));
	else
		w32(w, (int32_t)n);
}

#endif
