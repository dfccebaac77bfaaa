/*
 * limit.c - the physical limit of producing to Kafka from one thread and one
 * connection, without any client library.
 *
 *   limit [-h HOST] [-p PORT] [-t TOPIC] [-n RECORDS] [-s SIZE] [-b BATCH]
 *         [-P PARTITIONS] [-i INFLIGHT] [-v PRODUCE_VERSION (3..8)]
 *         [--nosend] [--nocrc] [--crc avx512|pclmul|sse42]
 *
 * Per record: encode a RecordBatch v2 record (varints + memcpy of the value
 * from a rotating 1 MiB random pool) into a batch buffer.  Per batch: CRC32C
 * and one Produce request with sendmsg, acks=-1, at most INFLIGHT requests
 * unanswered.  The batch goes round-robin over PARTITIONS partitions.
 *
 * Built by bench/run.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <immintrin.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define POOL (1u << 20)

/* -------------------------------------------------------------- CRC32C */

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

/* --------------------------------------------------------------- encode */

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
static uint8_t *p16(uint8_t *p, int v)
{
	uint16_t x = __builtin_bswap16((uint16_t)v);
	memcpy(p, &x, 2);
	return p + 2;
}
static uint8_t *p32(uint8_t *p, uint32_t v)
{
	v = __builtin_bswap32(v);
	memcpy(p, &v, 4);
	return p + 4;
}
static uint8_t *p64(uint8_t *p, uint64_t v)
{
	v = __builtin_bswap64(v);
	memcpy(p, &v, 8);
	return p + 8;
}
static double now(clockid_t c)
{
	struct timespec ts;
	clock_gettime(c, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}
static int64_t wall_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME_COARSE, &ts);
	return ts.tv_sec * 1000ll + ts.tv_nsec / 1000000;
}

static int fd;
static uint64_t errors, responses;

static void rd_full(void *b, size_t n)
{
	for (size_t o = 0; o < n;) {
		ssize_t r = read(fd, (char *)b + o, n - o);
		if (r <= 0) {
			perror("read");
			exit(1);
		}
		o += r;
	}
}
static void read_response(int topic_len)
{
	uint8_t b[4096];
	rd_full(b, 4);
	uint32_t l = (uint32_t)b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3];
	if (l > sizeof(b)) {
		fprintf(stderr, "response of %u bytes\n", l);
		exit(1);
	}
	rd_full(b, l);
	/* corr, 1 topic, name, 1 partition, index, error */
	const uint8_t *e = b + 4 + 4 + 2 + topic_len + 4 + 4;
	int err = (int16_t)(e[0] << 8 | e[1]);
	if (err) {
		if (!errors++)
			fprintf(stderr, "produce error %d\n", err);
	}
	responses++;
}

int main(int argc, char **argv)
{
	const char *host = "127.0.0.1", *topic = "limit";
	int port = 9092, ver = 7, nparts = 6, maxinf = 5, nosend = 0, nocrc = 0;
	uint64_t n = 10000000;
	size_t size = 100, bsz = 1000000;
	for (int i = 1; i < argc; i++) {
		const char *a = argv[i], *v = i + 1 < argc ? argv[i + 1] : "0";
		if (!strcmp(a, "--nosend"))
			nosend = 1;
		else if (!strcmp(a, "--nocrc"))
			nocrc = 1;
		else if (i++, !strcmp(a, "--crc")) {
			crc_name = v;
			if (!strcmp(v, "sse42"))
				crc_fn = crc_sse42;
			else if (!strcmp(v, "pclmul"))
				crc_fn = crc_pclmul;
		} else if (!strcmp(a, "-h"))
			host = v;
		else if (!strcmp(a, "-p"))
			port = atoi(v);
		else if (!strcmp(a, "-t"))
			topic = v;
		else if (!strcmp(a, "-n"))
			n = strtoull(v, NULL, 10);
		else if (!strcmp(a, "-s"))
			size = strtoul(v, NULL, 10);
		else if (!strcmp(a, "-b"))
			bsz = strtoul(v, NULL, 10);
		else if (!strcmp(a, "-P"))
			nparts = atoi(v);
		else if (!strcmp(a, "-i"))
			maxinf = atoi(v);
		else if (!strcmp(a, "-v"))
			ver = atoi(v);
		else {
			fprintf(stderr, "unknown option %s\n", a);
			return 2;
		}
	}
	crc_init();

	uint8_t *pool = malloc(POOL + size);
	uint64_t x = 88172645463325252ull;
	for (size_t i = 0; i + 8 <= POOL + size; i += 8) {
		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		memcpy(pool + i, &x, 8);
	}
	{ /* self-test of the fast CRC */
		for (size_t l = 0; l < 5000; l += 37)
			if (crc_fn(~0u, pool + l, l) != crc_sse42(~0u, pool + l, l)) {
				fprintf(stderr, "crc self-test failed at %zu\n", l);
				return 1;
			}
	}

	if (!nosend) {
		int one = 1;
		struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
		inet_pton(AF_INET, host, &a.sin_addr);
		fd = socket(AF_INET, SOCK_STREAM, 0);
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		if (connect(fd, (void *)&a, sizeof(a))) {
			perror("connect");
			return 1;
		}
	}

	uint8_t *buf = aligned_alloc(4096, (bsz + size + 8192) & ~4095ul);
	int tl = strlen(topic);
	uint64_t done = 0, bytes = 0, reqs = 0;
	size_t pos = 0;
	int inflight = 0;
	uint32_t sum = 0;
	double t0 = now(CLOCK_MONOTONIC);

	while (done < n) {
		/* the batch */
		uint8_t *b = buf, *p = buf + 61, *end = buf + bsz;
		uint32_t cnt = 0;
		int64_t base_ts = wall_ms();
		while (done + cnt < n) {
			int body = 1 + 1 + vlen(cnt) + 1 + vlen(size) + (int)size + 1;
			if (p + body + 5 > end && cnt)
				break;
			p = pv(p, body);
			*p++ = 0;        /* attributes */
			p = pv(p, 0);    /* timestamp delta */
			p = pv(p, cnt);  /* offset delta */
			p = pv(p, -1);   /* null key */
			p = pv(p, size); /* value */
			memcpy(p, pool + pos, size);
			p += size;
			*p++ = 0; /* no headers */
			pos = (pos + size) & (POOL - 1);
			cnt++;
		}
		size_t bl = p - b;
		uint8_t *h = p64(b, 0);
		h = p32(h, bl - 12);
		h = p32(h, (uint32_t)-1);
		*h++ = 2;
		h += 4; /* crc */
		h = p16(h, 0);
		h = p32(h, cnt - 1);
		h = p64(h, base_ts);
		h = p64(h, base_ts);
		h = p64(h, (uint64_t)-1);
		h = p16(h, -1);
		h = p32(h, (uint32_t)-1);
		p32(h, cnt);
		uint32_t crc = nocrc ? 0 : crc32c(b + 21, bl - 21);
		p32(b + 17, crc);
		sum ^= crc;
		done += cnt;
		bytes += bl;

		if (nosend) {
			__asm__ volatile("" ::"r"(buf) : "memory");
			reqs++;
			continue;
		}

		/* the request */
		uint8_t hd[512], *q = hd + 4;
		q = p16(q, 0);
		q = p16(q, ver);
		q = p32(q, reqs);
		q = p16(q, 5);
		memcpy(q, "limit", 5), q += 5;
		q = p16(q, -1); /* transactional id */
		q = p16(q, -1); /* acks */
		q = p32(q, 30000);
		q = p32(q, 1);
		q = p16(q, tl);
		memcpy(q, topic, tl), q += tl;
		q = p32(q, 1);
		q = p32(q, reqs % nparts);
		q = p32(q, bl);
		p32(hd, (q - hd - 4) + bl);

		if (inflight == maxinf) {
			read_response(tl);
			inflight--;
		}
		struct iovec iov[2] = {{hd, q - hd}, {buf, bl}};
		struct msghdr m = {.msg_iov = iov, .msg_iovlen = 2};
		while (m.msg_iovlen) {
			ssize_t w = sendmsg(fd, &m, MSG_NOSIGNAL);
			if (w < 0) {
				perror("sendmsg");
				return 1;
			}
			while (m.msg_iovlen && (size_t)w >= m.msg_iov->iov_len) {
				w -= m.msg_iov->iov_len;
				m.msg_iov++;
				m.msg_iovlen--;
			}
			if (m.msg_iovlen) {
				m.msg_iov->iov_base = (char *)m.msg_iov->iov_base + w;
				m.msg_iov->iov_len -= w;
			}
		}
		reqs++;
		inflight++;
	}
	while (inflight--)
		read_response(tl);

	double t = now(CLOCK_MONOTONIC) - t0;
	struct rusage ru;
	getrusage(RUSAGE_SELF, &ru);
	double us = ru.ru_utime.tv_sec + ru.ru_utime.tv_usec / 1e6, sy = ru.ru_stime.tv_sec + ru.ru_stime.tv_usec / 1e6;
	printf("records=%llu size=%zu secs=%.3f rec/s=%.0f MB/s=%.1f "
	       "wireMB/s=%.1f cpu=%.3f user=%.3f sys=%.3f ns/rec=%.2f reqs=%llu "
	       "errors=%llu rss_kb=%ld crc=%s(%08x)\n",
	       (unsigned long long)done, size, t, done / t, done * (double)size / t / 1e6, bytes / t / 1e6, us + sy, us, sy,
	       (us + sy) * 1e9 / done, (unsigned long long)reqs, (unsigned long long)errors, ru.ru_maxrss, nocrc ? "off" : crc_name,
	       sum);
	return errors != 0;
}
