/*
 * codec_gzip.c - gzip by libdeflate, which works on whole buffers: that is all a batch needs, and about twice zlib's speed.
 *
 * Levels are Java's (1 to 9, and -1 for the default); libdeflate's 10 to 12 need 9 MB of state and are not offered.
 */
#include <libdeflate.h>

#include "base/mem.h"
#include "kproducer/error.h"
#include "record/codec_impl.h"

#define MAX_LEVEL 9
#define DEFAULT_LEVEL 6 /* what -1 means, in zlib too */
#define MAX_RATIO 1032  /* deflate cannot do better: 258 bytes from two bits */
#define MIN_MEMBER 18   /* header 10, crc 4, ISIZE 4 */

/* A libdeflate compressor has its level for life. */
typedef struct gzip_state {
	struct libdeflate_compressor *by_level[MAX_LEVEL + 1];
} gzip_state;

static size_t gzip_bound(size_t n)
{
	return libdeflate_gzip_compress_bound(NULL, n);
}

static struct libdeflate_compressor *compressor_for(void **state, int level)
{
	gzip_state *s = *state;
	if (!s)
		*state = s = kp_mem_calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	if (!s->by_level[level])
		s->by_level[level] = libdeflate_alloc_compressor(level);
	return s->by_level[level];
}

static int gzip_compress(void **state, int level, kp_slice in, uint8_t *dst, size_t cap, size_t *out_len)
{
	struct libdeflate_compressor *c = compressor_for(state, level < 0 ? DEFAULT_LEVEL : level);
	if (!c)
		return KP_ERR_NO_MEMORY;
	size_t n = libdeflate_gzip_compress(c, in.ptr, in.len, dst, cap);
	if (n == 0)
		return KP_ERR_COMPRESSION;
	*out_len = n;
	return 0;
}

static void gzip_free(void *state)
{
	gzip_state *s = state;
	for (int i = 0; i <= MAX_LEVEL; i++)
		libdeflate_free_compressor(s->by_level[i]);
	kp_mem_free(s);
}

/*
 * The last four bytes (ISIZE) give the size when there is one member: usually the first try fits exactly. They are only a
 * guess, so that a lie costs a retry or a bounded allocation, no more.
 */
static size_t guess_size(kp_slice in)
{
	if (in.len < MIN_MEMBER)
		return in.len;
	const uint8_t *p = in.ptr + in.len - 4;
	size_t isize = (size_t)p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16 | (size_t)p[3] << 24;
	return isize / MAX_RATIO > in.len ? in.len * 4 : isize;
}

/* One member; *used is how much of the input it took. */
static int gunzip_member(struct libdeflate_decompressor *d, kp_slice in, kp_buf *out, size_t *used)
{
	size_t room, made, want = guess_size(in);
	for (;;) {
		uint8_t *p = kp_codec_room(out, want, &room);
		if (!p)
			return KP_ERR_NO_MEMORY;
		enum libdeflate_result r = libdeflate_gzip_decompress_ex(d, in.ptr, in.len, p, room, used, &made);
		if (r == LIBDEFLATE_SUCCESS) {
			out->len += made;
			return 0;
		}
		if (r != LIBDEFLATE_INSUFFICIENT_SPACE || room == out->max - out->len)
			return KP_ERR_COMPRESSION;
		want = room < SIZE_MAX / 4 ? room * 2 : out->max;
	}
}

static int gzip_decompress(kp_slice in, kp_buf *out)
{
	struct libdeflate_decompressor *d = libdeflate_alloc_decompressor();
	int err = 0;
	if (!d)
		return KP_ERR_NO_MEMORY;
	while (!err && in.len > 0) {
		size_t used = 0;
		err = gunzip_member(d, in, out, &used);
		in = kp_slice_of(in.ptr + used, in.len - used);
	}
	libdeflate_free_decompressor(d);
	return err;
}

const kp_codec kp_codec_gzip = {
	.info = {"gzip", 1, MAX_LEVEL, -1},
	.bound = gzip_bound,
	.compress = gzip_compress,
	.free_state = gzip_free,
	.decompress = gzip_decompress,
};
