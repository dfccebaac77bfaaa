/*
 * codec.c - a codec alone, as the library calls it (src/record/codec.h), on the records of a full batch: what compressing cannot cost
 * less than. Encoding and summing are not in the figure.
 */
#define _GNU_SOURCE
#include <string.h>
#include <time.h>

#include "probe.h"
#include "record/codec.h"
#include "record/record.h"

#define BATCH_BYTES 1000000
#define ENOUGH_S 1.0 /* of CPU time */

static double cpu_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The file's lines of that size as the records part of a batch, from its begin on again until the batch is full; the number of records. */
static int32_t fill(const probe_options *o, uint8_t *batch, size_t *len)
{
	FILE *f = o->file ? fopen(o->file, "r") : NULL;
	if (!f)
		fail(o->file ? o->file : "-f FILE", "cannot be read");
	char *line = NULL;
	size_t room = 0;
	int32_t n = 0;
	uint8_t *p = batch;
	for (;;) {
		ssize_t got = getline(&line, &room, f);
		if (got < 0 && n == 0)
			fail(o->file, "has no line of --size bytes");
		if (got < 0) {
			rewind(f);
			continue;
		}
		if (got != o->size + 1)
			continue;
		kp_record_content c = {.value = kp_slice_of(line, (size_t)o->size)};
		size_t body = kp_record_body_size(&c, 0, n);
		if (n > 0 && kp_record_size(body) > (size_t)(batch + BATCH_BYTES - p))
			break;
		p = kp_record_store(p, &c, body, 0, n++);
	}
	free(line);
	fclose(f);
	*len = (size_t)(p - batch);
	return n;
}

void probe_codec(const probe_options *o)
{
	int type = o->codec ? kp_codec_by_name(o->codec) : -1;
	if (type <= KP_CODEC_NONE)
		fail(o->codec ? o->codec : "--codec NAME", "gzip, snappy, lz4 or zstd is wanted");
	uint8_t *batch = must(malloc(BATCH_BYTES));
	size_t len, out = 0, cap = kp_compress_bound((kp_codec_type)type, BATCH_BYTES);
	int32_t n = fill(o, batch, &len);
	uint8_t *packed = must(malloc(cap));
	kp_compressor *c = must(kp_compressor_new());
	int level = o->has_level ? (int)o->level : KP_CODEC_LEVEL_DEFAULT;
	long rounds = 0;
	ok(kp_compress(c, (kp_codec_type)type, level, kp_slice_of(batch, len), packed, cap, &out),
	   o->codec); /* makes the codec's state */
	double begin = cpu_s(), used;
	do {
		ok(kp_compress(c, (kp_codec_type)type, level, kp_slice_of(batch, len), packed, cap, &out), o->codec);
		used = cpu_s() - begin;
		rounds++;
	} while (used < ENOUGH_S);
	printf("{\"codec\": \"%s\", \"records\": %d, \"bytes\": %zu, \"ns_per_record\": %.2f, \"ratio\": %.4f}\n", o->codec, n, len,
	       1e9 * used / (double)rounds / n, (double)out / (double)len);
	kp_compressor_free(c);
	free(packed);
	free(batch);
}
