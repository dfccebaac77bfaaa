/*
 * put.h - Kafka's primitive types, written where there is room: each returns where the next one goes.
 */
#ifndef BENCH_PUT_H
#define BENCH_PUT_H

#include <stdint.h>
#include <string.h>

/* A zigzag varint, and how many bytes it takes. */
static inline uint8_t *pv(uint8_t *p, int64_t s)
{
	uint64_t v = ((uint64_t)s << 1) ^ (uint64_t)(s >> 63);
	while (v > 0x7f) {
		*p++ = (uint8_t)(v | 0x80);
		v >>= 7;
	}
	*p++ = (uint8_t)v;
	return p;
}

static inline int vlen(int64_t s)
{
	uint64_t v = ((uint64_t)s << 1) ^ (uint64_t)(s >> 63);
	return (63 - __builtin_clzll(v | 1)) / 7 + 1;
}

static inline uint8_t *p16(uint8_t *p, int v)
{
	uint16_t x = __builtin_bswap16((uint16_t)v);
	memcpy(p, &x, 2);
	return p + 2;
}

static inline uint8_t *p32(uint8_t *p, uint32_t v)
{
	v = __builtin_bswap32(v);
	memcpy(p, &v, 4);
	return p + 4;
}

static inline uint8_t *p64(uint8_t *p, uint64_t v)
{
	v = __builtin_bswap64(v);
	memcpy(p, &v, 8);
	return p + 8;
}

#endif
