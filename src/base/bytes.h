/*
 * bytes.h - big-endian loads and stores, and Kafka's varints (Protocol Buffers' base-128, zig-zag for signed).
 */
#ifndef KP_BASE_BYTES_H
#define KP_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define KP_VARINT32_MAX 5
#define KP_VARINT64_MAX 10

static inline uint16_t kp_load_be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t kp_load_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline uint64_t kp_load_be64(const uint8_t *p)
{
	return (uint64_t)kp_load_be32(p) << 32 | kp_load_be32(p + 4);
}

static inline uint8_t *kp_store_be16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
	return p + 2;
}

static inline uint8_t *kp_store_be32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
	return p + 4;
}

static inline uint8_t *kp_store_be64(uint8_t *p, uint64_t v)
{
	return kp_store_be32(kp_store_be32(p, (uint32_t)(v >> 32)), (uint32_t)v);
}

static inline uint64_t kp_zigzag(int64_t v)
{
	return ((uint64_t)v << 1) ^ (uint64_t)(v >> 63);
}

static inline int64_t kp_unzigzag(uint64_t v)
{
	return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

/* Bytes an unsigned varint takes: 1 to 10. */
static inline size_t kp_uvarint_size(uint64_t v)
{
	return (size_t)((63 - __builtin_clzll(v | 1)) / 7 + 1);
}

static inline size_t kp_varint_size(int64_t v)
{
	return kp_uvarint_size(kp_zigzag(v));
}

static inline uint8_t *kp_store_uvarint(uint8_t *p, uint64_t v)
{
	while (v > 0x7f) {
		*p++ = (uint8_t)(v | 0x80);
		v >>= 7;
	}
	*p++ = (uint8_t)v;
	return p;
}

static inline uint8_t *kp_store_varint(uint8_t *p, int64_t v)
{
	return kp_store_uvarint(p, kp_zigzag(v));
}

/* Read an unsigned varint from [p, end). Returns the byte behind it, or NULL when it is cut off or over 64 bits. */
static inline const uint8_t *kp_load_uvarint(const uint8_t *p, const uint8_t *end, uint64_t *v)
{
	uint64_t r = 0;
	for (unsigned shift = 0; shift < 64 && p < end; shift += 7) {
		uint8_t b = *p++;
		if (shift == 63 && b > 1)
			return NULL;
		r |= (uint64_t)(b & 0x7f) << shift;
		if (!(b & 0x80)) {
			*v = r;
			return p;
		}
	}
	return NULL;
}

static inline const uint8_t *kp_load_varint(const uint8_t *p, const uint8_t *end, int64_t *v)
{
	uint64_t u;
	p = kp_load_uvarint(p, end, &u);
	if (p)
		*v = kp_unzigzag(u);
	return p;
}

#endif
