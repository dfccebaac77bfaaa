/*
 * codec.c - finds the codec for a number or a name, and keeps the rules that are the same for all: levels, bounds, and that a
 * failed decompression leaves no trace.
 */
#include "record/codec.h"

#include "base/mem.h"
#include "kproducer/error.h"
#include "record/codec_impl.h"

struct kp_compressor {
	void *state[KP_CODEC_COUNT];
};

static size_t none_bound(size_t n)
{
	return n;
}

static int none_compress(void **state, int level, kp_slice in, uint8_t *dst, size_t cap, size_t *out_len)
{
	(void)state, (void)level, (void)cap;
	memcpy(dst, in.ptr, in.len);
	*out_len = in.len;
	return 0;
}

static int none_decompress(kp_slice in, kp_buf *out)
{
	if (in.len > out->max - out->len)
		return KP_ERR_COMPRESSION;
	kp_buf_append(out, in.ptr, in.len);
	return out->failed ? KP_ERR_NO_MEMORY : 0;
}

static const kp_codec codec_none = {
	.info = {"none", 0, 0, 0},
	.bound = none_bound,
	.compress = none_compress,
	.decompress = none_decompress,
};

static const kp_codec *const codecs[KP_CODEC_COUNT] = {
	[KP_CODEC_NONE] = &codec_none,  [KP_CODEC_GZIP] = &kp_codec_gzip, [KP_CODEC_SNAPPY] = &kp_codec_snappy,
	[KP_CODEC_LZ4] = &kp_codec_lz4, [KP_CODEC_ZSTD] = &kp_codec_zstd,
};

static const kp_codec *find(kp_codec_type type)
{
	return (unsigned)type < KP_CODEC_COUNT ? codecs[type] : NULL;
}

const kp_codec_info *kp_codec_info_get(kp_codec_type type)
{
	const kp_codec *codec = find(type);
	return codec ? &codec->info : NULL;
}

int kp_codec_by_name(const char *name)
{
	for (int i = 0; name && i < KP_CODEC_COUNT; i++)
		if (strcmp(codecs[i]->info.name, name) == 0)
			return i;
	return -1;
}

kp_compressor *kp_compressor_new(void)
{
	return kp_mem_calloc(1, sizeof(kp_compressor));
}

void kp_compressor_free(kp_compressor *c)
{
	if (!c)
		return;
	for (int i = 0; i < KP_CODEC_COUNT; i++)
		if (c->state[i])
			codecs[i]->free_state(c->state[i]);
	kp_mem_free(c);
}

size_t kp_compress_bound(kp_codec_type type, size_t n)
{
	const kp_codec *codec = find(type);
	return codec ? codec->bound(n) : 0;
}

/* The level a codec runs at. False when it knows no such level. */
static bool pick_level(const kp_codec_info *info, int asked, int *level)
{
	if (asked == KP_CODEC_LEVEL_DEFAULT || info->min_level == info->max_level)
		asked = info->default_level;
	*level = asked;
	/* gzip's default (-1) stands outside its range */
	return asked == info->default_level || (asked >= info->min_level && asked <= info->max_level);
}

int kp_compress(kp_compressor *c, kp_codec_type type, int level, kp_slice in, uint8_t *dst, size_t dst_cap, size_t *out_len)
{
	const kp_codec *codec = find(type);
	if (!codec || !pick_level(&codec->info, level, &level))
		return KP_ERR_BAD_ARGUMENT;
	if (!in.ptr)
		in = kp_slice_of("", 0);
	if (!dst || dst_cap < codec->bound(in.len))
		return KP_ERR_BAD_ARGUMENT;
	return codec->compress(&c->state[type], level, in, dst, dst_cap, out_len);
}

int kp_decompress(kp_codec_type type, kp_slice in, kp_buf *out)
{
	const kp_codec *codec = find(type);
	size_t before = out->len;
	if (!codec)
		return KP_ERR_COMPRESSION;
	if (!in.ptr || in.len == 0) /* no framing is empty */
		return type == KP_CODEC_NONE ? 0 : KP_ERR_COMPRESSION;
	int err = codec->decompress(in, out);
	if (err)
		out->len = before;
	return err;
}

uint8_t *kp_codec_room(kp_buf *out, size_t want, size_t *room)
{
	size_t left = out->max - out->len;
	uint8_t *p;
	if (left == 0) {
		/* a decoder may still have to read an end mark: give it a place, though no room */
		*room = 0;
		return out->data + out->len;
	}
	p = kp_buf_reserve(out, want == 0 ? 1 : want < left ? want : left);
	if (!p)
		return NULL;
	size_t have = out->cap - out->len;
	*room = have < left ? have : left;
	return p;
}
