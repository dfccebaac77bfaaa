/*
 * crc32c.c - see crc32c.h. Polynomials are reflected: bit 31 is x^0, bit 0 is x^31.
 */
#include "base/crc32c.h"

#include <isa-l/crc.h>

#include "base/compiler.h"

#define POLY 0x82f63b78u
#define MAX_CHUNK ((size_t)1 << 30) /* crc32_iscsi takes an int */

/*
 * x^(8 * 2^k) mod P: what appending 2^k zero bytes multiplies a CRC by. Each is the square of the one before, and P is (x + 1) times
 * a primitive polynomial of degree 31, so x^(2^31) = x and the row repeats after 31.
 */
static const uint32_t x_pow_bytes[31] = {
	0x00800000, 0x00008000, 0x82f63b78, 0x6ea2d55c, 0x18b8ea18, 0x510ac59a, 0xb82be955, 0xb8fdb1e7,
	0x88e56f72, 0x74c360a4, 0xe4172b16, 0x0d65762a, 0x35d73a62, 0x28461564, 0xbf455269, 0xe2ea32dc,
	0xfe7740e6, 0xf946610b, 0x3c204f8f, 0x538586e3, 0x59726915, 0x734d5309, 0xbc1ac763, 0x7d0722cc,
	0xd289cabe, 0xe94ca9bc, 0x05b74f3f, 0xa51e1f42, 0x40000000, 0x20000000, 0x08000000,
};

/* ISA-L leaves both inversions to the caller. */
uint32_t kp_crc32c_extend(uint32_t crc, const void *ptr, size_t len)
{
	const unsigned char *p = ptr;
	uint32_t state = ~crc;
	while (len) {
		size_t n = len < MAX_CHUNK ? len : MAX_CHUNK;
		state = crc32_iscsi((unsigned char *)p, (int)n, state); /* reads only, but is not declared const */
		p += n;
		len -= n;
	}
	return ~state;
}

uint32_t kp_crc32c(const void *ptr, size_t len)
{
	return kp_crc32c_extend(0, ptr, len);
}

/* a * b mod P. Masks instead of branches: the bits are random, a branch would be mispredicted half the time. */
static uint32_t multiply(uint32_t a, uint32_t b)
{
	uint32_t product = 0;
	for (int i = 31; i >= 0; i--) {
		product ^= b & (0u - (a >> i & 1));
		b = b >> 1 ^ (POLY & (0u - (b & 1)));
	}
	return product;
}

uint32_t kp_crc32c_combine(uint32_t crc_a, uint32_t crc_b, uint64_t len_b)
{
	for (size_t k = 0; len_b; len_b >>= 1, k = (k + 1) % KP_ARRAY_LEN(x_pow_bytes))
		if (len_b & 1)
			crc_a = multiply(crc_a, x_pow_bytes[k]);
	return crc_a ^ crc_b;
}
