/*
 * codec_impl.h - what one codec provides. Private to this folder: the rest of the library sees codec.h.
 */
#ifndef KP_RECORD_CODEC_IMPL_H
#define KP_RECORD_CODEC_IMPL_H

#include "record/codec.h"

typedef struct kp_codec {
	kp_codec_info info;
	size_t (*bound)(size_t n);
	/*
	 * *state is the codec's kept context: NULL before the first call, the codec's to create. The level is within the
	 * codec's range or its default, in.ptr is not NULL, cap is at least bound(in.len). NULL where nothing is kept.
	 */
	int (*compress)(void **state, int level, kp_slice in, uint8_t *dst, size_t cap, size_t *out_len);
	void (*free_state)(void *state);
	/* Appends to out; `in` is not empty. On error whatever was appended is dropped by the caller. */
	int (*decompress)(kp_slice in, kp_buf *out);
} kp_codec;

extern const kp_codec kp_codec_gzip, kp_codec_snappy, kp_codec_lz4, kp_codec_zstd;

/*
 * Room to decompress into, behind out->len: `want` bytes or what memory out already has if that is more, but never past
 * out->max, so *room is 0 once the bound is reached. NULL only when memory is out. Does not change out->len.
 */
KP_MUST_USE uint8_t *kp_codec_room(kp_buf *out, size_t want, size_t *room);

#endif
