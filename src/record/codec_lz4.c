/*
 * codec_lz4.c - LZ4 frames as Java writes them: version 1, independent blocks of 64 KiB, no checksums (the batch has one).
 * Java's reader (KafkaLZ4BlockInputStream) refuses dependent blocks and keeps a buffer of the frame's block size, so larger
 * blocks would cost every consumer memory.
 *
 * Levels: Java has 1 to 17 with default 9, and takes the default to mean the *fast* compressor and every other level the high
 * compressor. Here 9 is fast as well; 3 to 8 and 10 to 12 are LZ4HC's levels, 13 to 17 are 12 (liblz4 has no more), and 1 and
 * 2, below LZ4HC's range, are fast.
 */
#include <lz4frame.h>
#include <lz4hc.h>

#include "kproducer/error.h"
#include "record/codec_impl.h"

#define MIN_LEVEL 1
#define MAX_LEVEL 17
#define DEFAULT_LEVEL 9
#define BLOCK_SIZE ((size_t)64 * 1024)

static LZ4F_preferences_t preferences(int level)
{
	LZ4F_preferences_t p = {0};
	p.frameInfo.blockSizeID = LZ4F_max64KB;
	p.frameInfo.blockMode = LZ4F_blockIndependent;
	p.compressionLevel = level == DEFAULT_LEVEL ? 0 : level < LZ4HC_CLEVEL_MAX ? level : LZ4HC_CLEVEL_MAX;
	p.autoFlush = 1; /* compress straight from the input instead of through a copy */
	return p;
}

static size_t lz4_bound(size_t n)
{
	LZ4F_preferences_t p = preferences(DEFAULT_LEVEL);
	return LZ4F_HEADER_SIZE_MAX + LZ4F_compressBound(n, &p);
}

static int lz4_compress(void **state, int level, kp_slice in, uint8_t *dst, size_t cap, size_t *out_len)
{
	LZ4F_preferences_t prefs = preferences(level);
	LZ4F_cctx *c = *state;
	size_t n, at;
	if (!c) {
		if (LZ4F_isError(LZ4F_createCompressionContext(&c, LZ4F_VERSION)))
			return KP_ERR_NO_MEMORY;
		*state = c;
	}
	at = LZ4F_compressBegin(c, dst, cap, &prefs);
	if (LZ4F_isError(at))
		return KP_ERR_NO_MEMORY; /* its only cause: the match tables are created here */
	n = LZ4F_compressUpdate(c, dst + at, cap - at, in.ptr, in.len, NULL);
	if (LZ4F_isError(n))
		return KP_ERR_COMPRESSION;
	at += n;
	n = LZ4F_compressEnd(c, dst + at, cap - at, NULL);
	if (LZ4F_isError(n))
		return KP_ERR_COMPRESSION;
	*out_len = at + n;
	return 0;
}

static void lz4_free(void *state)
{
	LZ4F_freeCompressionContext(state);
}

static int decompress_frames(LZ4F_dctx *d, kp_slice in, kp_buf *out)
{
	size_t hint = 1;
	while (in.len > 0 || hint != 0) {
		size_t taken = in.len, made;
		uint8_t *p = kp_codec_room(out, BLOCK_SIZE, &made);
		if (!p)
			return KP_ERR_NO_MEMORY;
		hint = LZ4F_decompress(d, p, &made, in.ptr, &taken, NULL);
		if (LZ4F_isError(hint))
			return strcmp(LZ4F_getErrorName(hint), "ERROR_allocation_failed") == 0 ? KP_ERR_NO_MEMORY
			                                                                       : KP_ERR_COMPRESSION;
		if (made == 0 && taken == 0) /* cut off, or at the bound */
			return KP_ERR_COMPRESSION;
		out->len += made;
		in = kp_slice_of(in.ptr + taken, in.len - taken);
	}
	return 0;
}

static int lz4_decompress(kp_slice in, kp_buf *out)
{
	LZ4F_dctx *d;
	int err;
	if (LZ4F_isError(LZ4F_createDecompressionContext(&d, LZ4F_VERSION)))
		return KP_ERR_NO_MEMORY;
	err = decompress_frames(d, in, out);
	LZ4F_freeDecompressionContext(d);
	return err;
}

const kp_codec kp_codec_lz4 = {
	.info = {"lz4", MIN_LEVEL, MAX_LEVEL, DEFAULT_LEVEL},
	.bound = lz4_bound,
	.compress = lz4_compress,
	.free_state = lz4_free,
	.decompress = lz4_decompress,
};
