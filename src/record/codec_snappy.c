/*
 * codec_snappy.c - snappy in the blocks of xerial's SnappyOutputStream, which is what Kafka calls snappy:
 *
 *   0x82 'S' 'N' 'A' 'P' 'P' 'Y' 0x00 | version 1 (int32) | compatible with 1 (int32) | { length (int32) | raw block }*
 *
 * Reading also takes a bare raw block (old clients) and streams written behind one another, as SnappyInputStream does.
 * Keeps no state: snappy's C interface offers none.
 */
#include <snappy-c.h>

#include "base/bytes.h"
#include "kproducer/error.h"
#include "record/codec_impl.h"

#define BLOCK_SIZE ((size_t)32 * 1024) /* as Java's */
#define MAX_RATIO 22                   /* a 3-byte copy gives at most 64 bytes */

static const uint8_t stream_header[16] = {0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0, 0, 0, 0, 1, 0, 0, 0, 1};
#define MAGIC_SIZE 8

static size_t snappy_bound(size_t n)
{
	return sizeof(stream_header) + n / BLOCK_SIZE * (4 + snappy_max_compressed_length(BLOCK_SIZE)) + 4 +
	       snappy_max_compressed_length(n % BLOCK_SIZE);
}

static int snappy_compress_stream(void **state, int level, kp_slice in, uint8_t *dst, size_t cap, size_t *out_len)
{
	size_t at = sizeof(stream_header), block;
	(void)state, (void)level;
	memcpy(dst, stream_header, sizeof(stream_header));
	for (size_t done = 0; done < in.len; done += block) {
		block = in.len - done < BLOCK_SIZE ? in.len - done : BLOCK_SIZE;
		size_t n = cap - at - 4;
		if (snappy_compress((const char *)in.ptr + done, block, (char *)dst + at + 4, &n) != SNAPPY_OK)
			return KP_ERR_COMPRESSION;
		kp_store_be32(dst + at, (uint32_t)n);
		at += 4 + n;
	}
	*out_len = at;
	return 0;
}

static int decompress_block(kp_slice in, kp_buf *out)
{
	size_t n, room;
	if (snappy_uncompressed_length((const char *)in.ptr, in.len, &n) != SNAPPY_OK)
		return KP_ERR_COMPRESSION;
	if (n > out->max - out->len || n / MAX_RATIO > in.len)
		return KP_ERR_COMPRESSION;
	uint8_t *p = kp_codec_room(out, n, &room);
	if (!p)
		return KP_ERR_NO_MEMORY;
	if (snappy_uncompress((const char *)in.ptr, in.len, (char *)p, &room) != SNAPPY_OK)
		return KP_ERR_COMPRESSION;
	out->len += n;
	return 0;
}

static bool starts_stream(kp_slice in)
{
	return in.len >= sizeof(stream_header) && memcmp(in.ptr, stream_header, MAGIC_SIZE) == 0;
}

static int snappy_decompress(kp_slice in, kp_buf *out)
{
	int err = 0;
	if (!starts_stream(in))
		return decompress_block(in, out);
	while (!err && in.len > 0) {
		if (starts_stream(in)) {
			in = kp_slice_of(in.ptr + sizeof(stream_header), in.len - sizeof(stream_header));
			continue;
		}
		size_t n = in.len < 4 ? 0 : kp_load_be32(in.ptr);
		if (n == 0 || n > in.len - 4)
			return KP_ERR_COMPRESSION;
		err = decompress_block(kp_slice_of(in.ptr + 4, n), out);
		in = kp_slice_of(in.ptr + 4 + n, in.len - 4 - n);
	}
	return err;
}

const kp_codec kp_codec_snappy = {
	.info = {"snappy", 0, 0, 0},
	.bound = snappy_bound,
	.compress = snappy_compress_stream,
	.decompress = snappy_decompress,
};
