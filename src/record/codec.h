/*
 * codec.h - gzip, snappy, lz4 and zstd behind one table. The numbers are those of the batch's attributes.
 *
 * Framing as the Java client writes it: gzip (RFC 1952), snappy in xerial blocks, LZ4 frame with independent blocks, zstd frame.
 *
 *   levels   range        default
 *   gzip     1..9         -1 (= 6; libdeflate's levels)
 *   lz4      1..17        9: fast, as in Java; so are 1 and 2; else LZ4HC's level, 12 at most
 *   zstd     -131072..22  3
 */
#ifndef KP_RECORD_CODEC_H
#define KP_RECORD_CODEC_H

#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/slice.h"

typedef enum kp_codec_type {
	KP_CODEC_NONE = 0,
	KP_CODEC_GZIP = 1,
	KP_CODEC_SNAPPY = 2,
	KP_CODEC_LZ4 = 3,
	KP_CODEC_ZSTD = 4,
	KP_CODEC_COUNT
} kp_codec_type;

#define KP_CODEC_LEVEL_DEFAULT INT32_MIN

typedef struct kp_codec_info {
	const char *name;                        /* "none", "gzip", ... as compression.type spells it */
	int min_level, max_level, default_level; /* 0,0,0 where the codec has no levels */
} kp_codec_info;

const kp_codec_info *kp_codec_info_get(kp_codec_type type); /* NULL for an unknown number */
int kp_codec_by_name(const char *name);                     /* kp_codec_type, or -1 */

/* Compression contexts kept between calls: one per compressing thread. Lazily created, about the codec's own state size. */
typedef struct kp_compressor kp_compressor;
KP_MUST_USE kp_compressor *kp_compressor_new(void);
void kp_compressor_free(kp_compressor *c);

/* Most bytes that n raw bytes can become; 0 for an unknown codec. */
size_t kp_compress_bound(kp_codec_type type, size_t n);
/*
 * Compress `in` to dst (dst_cap at least kp_compress_bound). *out_len is written on success.
 * 0, KP_ERR_NO_MEMORY, KP_ERR_COMPRESSION, KP_ERR_BAD_ARGUMENT (unknown codec or level, dst too small). A level is ignored by
 * codecs without levels.
 */
KP_MUST_USE int kp_compress(kp_compressor *c, kp_codec_type type, int level, kp_slice in, uint8_t *dst, size_t dst_cap,
                            size_t *out_len);
/*
 * Decompress behind out->len; the bound is out->max. Accepts every framing that brokers store (snappy raw or xerial, lz4 with
 * checksums, several gzip members or frames). On error out->len is as before. 0, KP_ERR_COMPRESSION (not what it says, or over
 * the bound), KP_ERR_NO_MEMORY.
 */
KP_MUST_USE int kp_decompress(kp_codec_type type, kp_slice in, kp_buf *out);

#endif
