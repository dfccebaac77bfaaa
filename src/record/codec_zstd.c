/*
 * codec_zstd.c - zstd frames that carry their content size, so that a reader can decode them in one pass.
 */
#include <zstd.h>
#include <zstd_errors.h>

#include "kproducer/error.h"
#include "record/codec_impl.h"

/* What a content size in a frame header is believed at once; more is given as output comes. */
#define TRUSTED_RATIO 64

static size_t zstd_bound(size_t n)
{
	return ZSTD_compressBound(n);
}

static int error_of(size_t r)
{
	return ZSTD_getErrorCode(r) == ZSTD_error_memory_allocation ? KP_ERR_NO_MEMORY : KP_ERR_COMPRESSION;
}

static int zstd_compress(void **state, int level, kp_slice in, uint8_t *dst, size_t cap, size_t *out_len)
{
	if (!*state)
		*state = ZSTD_createCCtx();
	if (!*state)
		return KP_ERR_NO_MEMORY;
	size_t r = ZSTD_CCtx_setParameter(*state, ZSTD_c_compressionLevel, level);
	if (!ZSTD_isError(r))
		r = ZSTD_compress2(*state, dst, cap, in.ptr, in.len);
	if (ZSTD_isError(r))
		return error_of(r);
	*out_len = r;
	return 0;
}

static void zstd_free(void *state)
{
	ZSTD_freeCCtx(state);
}

static size_t first_room(kp_slice in)
{
	size_t trusted = in.len * TRUSTED_RATIO + ZSTD_DStreamOutSize();
	unsigned long long size = ZSTD_getFrameContentSize(in.ptr, in.len);
	if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR)
		return in.len * 4;
	return size < trusted ? (size_t)size : trusted;
}

/* Streams: where the first room holds the whole frame zstd decodes straight into it, otherwise through its own window. */
static int decompress_frames(ZSTD_DCtx *d, kp_slice in, kp_buf *out)
{
	ZSTD_inBuffer src = {in.ptr, in.len, 0};
	size_t room, left, want = first_room(in);
	for (;;) {
		size_t before = src.pos;
		uint8_t *p = kp_codec_room(out, want, &room);
		if (!p)
			return KP_ERR_NO_MEMORY;
		ZSTD_outBuffer dst = {p, room, 0};
		left = ZSTD_decompressStream(d, &dst, &src);
		if (ZSTD_isError(left))
			return error_of(left);
		out->len += dst.pos;
		if (left == 0 && src.pos == src.size)
			return 0;
		if (dst.pos == 0 && src.pos == before) /* cut off, or at the bound */
			return KP_ERR_COMPRESSION;
		want = ZSTD_DStreamOutSize();
	}
}

static int zstd_decompress(kp_slice in, kp_buf *out)
{
	/* The window stays bounded by zstd's default (128 MiB): Java's writer leaves the size out, so level 22 asks for that. */
	ZSTD_DCtx *d = ZSTD_createDCtx();
	if (!d)
		return KP_ERR_NO_MEMORY;
	int err = decompress_frames(d, in, out);
	ZSTD_freeDCtx(d);
	return err;
}

const kp_codec kp_codec_zstd = {
	.info = {"zstd", -131072, 22, 3}, /* ZSTD_minCLevel() to ZSTD_maxCLevel(), which are calls and not constants */
	.bound = zstd_bound,
	.compress = zstd_compress,
	.free_state = zstd_free,
	.decompress = zstd_decompress,
};
