/*
 * crc_fast.h - CRC32C as fast as this machine can: folding with 512-bit or 128-bit carry-less multiplication, or the plain
 * instruction. Included by one program, compiled with -march=native.
 */
#ifndef BENCH_CRC_FAST_H
#define BENCH_CRC_FAST_H

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

static uint32_t crc_sse42(uint32_t c, const uint8_t *p, size_t n)
{
	uint64_t x = c;
	for (; n >= 8; n -= 8, p += 8) {
		uint64_t v;
		memcpy(&v, p, 8);
		x = _mm_crc32_u64(x, v);
	}
	for (; n; n--)
		x = _mm_crc32_u8((uint32_t)x, *p++);
	return (uint32_t)x;
}

/* x^n mod P, P = 0x11EDC6F41, not reflected */
static uint32_t xpow(unsigned n)
{
	uint32_t r = 1;
	while (n--)
		r = (r << 1) ^ ((r >> 31) ? 0x1EDC6F41u : 0);
	return r;
}
static uint64_t fold_k(unsigned n)
{
	uint32_t v = xpow(n), r = 0;
	for (int i = 0; i < 32; i++)
		if (v >> i & 1)
			r |= 1u << (31 - i);
	return (uint64_t)r << 1;
}
static uint64_t k128[2], k512[2], k1024[2], k2048[2];

static void crc_init(void)
{
	k128[0] = fold_k(128 + 32), k128[1] = fold_k(128 - 32);
	k512[0] = fold_k(512 + 32), k512[1] = fold_k(512 - 32);
	k1024[0] = fold_k(1024 + 32), k1024[1] = fold_k(1024 - 32);
	k2048[0] = fold_k(2048 + 32), k2048[1] = fold_k(2048 - 32);
}

#define LD(p) _mm_loadu_si128((const __m128i *)(p))
static inline __m128i fold(__m128i a, __m128i k, __m128i d)
{
	return _mm_xor_si128(_mm_xor_si128(_mm_clmulepi64_si128(a, k, 0x00), _mm_clmulepi64_si128(a, k, 0x11)), d);
}
static uint32_t fin128(__m128i a)
{
	uint64_t c = _mm_crc32_u64(0, (uint64_t)_mm_extract_epi64(a, 0));
	return (uint32_t)_mm_crc32_u64(c, (uint64_t)_mm_extract_epi64(a, 1));
}

/* 8 x 128-bit accumulators */
static uint32_t crc_pclmul(uint32_t c, const uint8_t *p, size_t n)
{
	if (n < 256)
		return crc_sse42(c, p, n);
	__m128i a[8], k = LD(k1024);
	for (int i = 0; i < 8; i++)
		a[i] = LD(p + 16 * i);
	a[0] = _mm_xor_si128(a[0], _mm_cvtsi32_si128((int)c));
	for (p += 128, n -= 128; n >= 128; p += 128, n -= 128) {
#pragma GCC unroll 8
		for (int i = 0; i < 8; i++)
			a[i] = fold(a[i], k, LD(p + 16 * i));
	}
	k = LD(k128);
	for (int i = 1; i < 8; i++)
		a[i] = fold(a[i - 1], k, a[i]);
	return crc_sse42(fin128(a[7]), p, n);
}

#if defined(__VPCLMULQDQ__) && defined(__AVX512F__)
#define HAVE_AVX512 1
static inline __m512i fold5(__m512i a, __m512i k, __m512i d)
{
	return _mm512_ternarylogic_epi64(_mm512_clmulepi64_epi128(a, k, 0x00), _mm512_clmulepi64_epi128(a, k, 0x11), d, 0x96);
}
/* 4 x 512-bit accumulators */
static uint32_t crc_avx512(uint32_t c, const uint8_t *p, size_t n)
{
	if (n < 512)
		return crc_pclmul(c, p, n);
	__m512i a0 = _mm512_loadu_si512(p), a1 = _mm512_loadu_si512(p + 64), a2 = _mm512_loadu_si512(p + 128),
		a3 = _mm512_loadu_si512(p + 192);
	__m512i k = _mm512_broadcast_i32x4(LD(k2048));
	a0 = _mm512_xor_si512(a0, _mm512_zextsi128_si512(_mm_cvtsi32_si128((int)c)));
	for (p += 256, n -= 256; n >= 256; p += 256, n -= 256) {
		a0 = fold5(a0, k, _mm512_loadu_si512(p));
		a1 = fold5(a1, k, _mm512_loadu_si512(p + 64));
		a2 = fold5(a2, k, _mm512_loadu_si512(p + 128));
		a3 = fold5(a3, k, _mm512_loadu_si512(p + 192));
	}
	k = _mm512_broadcast_i32x4(LD(k512));
	a1 = fold5(a0, k, a1);
	a2 = fold5(a1, k, a2);
	a3 = fold5(a2, k, a3);
	__m128i q = LD(k128);
	__m128i x = _mm512_extracti32x4_epi32(a3, 0);
	x = fold(x, q, _mm512_extracti32x4_epi32(a3, 1));
	x = fold(x, q, _mm512_extracti32x4_epi32(a3, 2));
	x = fold(x, q, _mm512_extracti32x4_epi32(a3, 3));
	return crc_sse42(fin128(x), p, n);
}
static uint32_t (*crc_fn)(uint32_t, const uint8_t *, size_t) = crc_avx512;
static const char *crc_name = "avx512";
#else
static uint32_t (*crc_fn)(uint32_t, const uint8_t *, size_t) = crc_pclmul;
static const char *crc_name = "pclmul";
#endif

static uint32_t crc32c(const uint8_t *p, size_t n)
{
	return ~crc_fn(0xffffffffu, p, n);
}

#endif
