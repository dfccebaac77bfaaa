/*
 * micro_record.c - what a record costs in this layer: encoding 100-byte values into a 1 MB batch, the crc, the stamp, codecs.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/crc32c.h"
#include "base/random.h"
#include "base/time.h"
#include "record/batch.h"

#define BATCH_BYTES 1000000
#define VALUE_BYTES 100
#define ROUNDS 300

static uint8_t batch[BATCH_BYTES + 256], packed[2 * BATCH_BYTES];
static kp_record_content contents[4096];

static void make_contents(const uint8_t *key)
{
	static char values[KP_ARRAY_LEN(contents)][VALUE_BYTES + 60];
	kp_random r;
	kp_random_init(&r, 1);
	for (size_t i = 0; i < KP_ARRAY_LEN(contents); i++) {
		unsigned a = kp_random_below(&r, 1000000), b = kp_random_below(&r, 1000), c = kp_random_below(&r, 100);
		snprintf(values[i], sizeof(values[i]),
		         "{\"sensor\":%06u,\"room\":\"floor-%03u\",\"celsius\":%02u.%03u,\"note\":\"%-60u", a, b, c, a % 1000,
		         b * a);
		contents[i] = (kp_record_content){.key = kp_slice_of(key, 8), .value = kp_slice_of(values[i], VALUE_BYTES)};
	}
}

/* Fills the batch; returns the number of records. */
static KP_NOINLINE int32_t encode(size_t *len)
{
	uint8_t *p = batch + KP_BATCH_HEADER_SIZE, *end = batch + BATCH_BYTES;
	int32_t n = 0;
	for (;; n++) {
		int64_t delta = n / 100; /* a hundred records a millisecond */
		const kp_record_content *c = &contents[(size_t)n % KP_ARRAY_LEN(contents)];
		size_t body = kp_record_body_size(c, delta, n);
		if (kp_record_size(body) > (size_t)(end - p))
			break;
		p = kp_record_store(p, c, body, delta, n);
	}
	*len = (size_t)(p - batch) - KP_BATCH_HEADER_SIZE;
	return n;
}

static void bench_codecs(size_t len)
{
	kp_compressor *c = kp_compressor_new();
	for (int type = 1; c && type < KP_CODEC_COUNT; type++) {
		size_t out = 0;
		int64_t t = kp_time_mono_us();
		for (int i = 0; i < 20; i++)
			if (kp_compress(c, (kp_codec_type)type, KP_CODEC_LEVEL_DEFAULT,
			                kp_slice_of(batch + KP_BATCH_HEADER_SIZE, len), packed, sizeof(packed), &out))
				exit(1);
		t = kp_time_mono_us() - t;
		printf("%-8s %8.1f MB/s, ratio %.2f\n", kp_codec_info_get((kp_codec_type)type)->name,
		       20.0 * (double)len / (double)t, (double)len / (double)out);
	}
	kp_compressor_free(c);
}

/* Stamping by combination against summing the whole batch, at one size of the records part. */
static void bench_stamp(size_t len)
{
	const int n = 200000;
	volatile uint32_t sink = 0;
	uint32_t crc = kp_crc32c(batch + KP_BATCH_HEADER_SIZE, len);
	int64_t t = kp_time_mono_us();
	for (int i = 0; i < n; i++) {
		kp_batch_stamp(batch, 4711, 3, i, crc, len);
		sink = sink + batch[20];
	}
	int64_t combined = kp_time_mono_us() - t;
	t = kp_time_mono_us();
	for (int i = 0; i < n; i++) {
		batch[53] = (uint8_t)i;
		sink = sink + kp_crc32c(batch + KP_BATCH_CRC_START, KP_BATCH_HEADER_SIZE - KP_BATCH_CRC_START + len);
	}
	t = kp_time_mono_us() - t;
	printf("stamp %7zu bytes: combined %6.1f ns, summed again %8.1f ns\n", len, 1e3 * (double)combined / n,
	       1e3 * (double)t / n);
}

/* ns of encoding and of summing, the best of many rounds. */
static size_t bench_encode(const char *name)
{
	size_t len = 0;
	int64_t best = INT64_MAX, best_crc = INT64_MAX;
	int32_t n = 0;
	volatile uint32_t sink = 0;
	for (int i = 0; i < ROUNDS; i++) {
		int64_t t0 = kp_time_mono_us();
		n = encode(&len);
		int64_t t1 = kp_time_mono_us();
		sink = sink + kp_crc32c(batch + KP_BATCH_HEADER_SIZE, len);
		int64_t t2 = kp_time_mono_us();
		best = t1 - t0 < best ? t1 - t0 : best;
		best_crc = t2 - t1 < best_crc ? t2 - t1 : best_crc;
	}
	printf("%s: %d records, %zu bytes: encode %.2f ns a record; crc %.2f ns a record, %.1f GB/s\n", name, n, len,
	       1e3 * (double)best / n, 1e3 * (double)best_crc / n, 1e-3 * (double)len / (double)best_crc);
	return len;
}

int main(void)
{
	const size_t sizes[] = {100, 200, 500, 1000, 2000, 4000, 16000, 100000};
	make_contents((const uint8_t *)"device-7");
	bench_encode("8-byte key");
	make_contents(NULL);
	size_t len = bench_encode("null key");
	for (size_t i = 0; i < KP_ARRAY_LEN(sizes); i++)
		bench_stamp(sizes[i]);
	bench_codecs(len);
	return 0;
}
