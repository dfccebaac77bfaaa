/* test_codec.c - round trips of each codec and level, and that hostile input ends in an error at the bound. */
#include <lz4frame.h>
#include <snappy-c.h>
#include <zstd.h>

#include "support.h"

#define MIB ((size_t)1 << 20)

static const size_t sizes[] = {0, 1, 100, 32767, 32768, 32769, 65535, 65536, 65537, MIB};
static uint8_t noise[MIB], words[MIB];

static int set_up(void **state)
{
	kp_random r;
	install_failing_allocator(state);
	kp_random_init(&r, 42);
	fill_random(&r, noise, sizeof(noise));
	fill_words(&r, words, sizeof(words));
	return 0;
}

/* Compress into exactly the bound. Returns what free() takes. */
static uint8_t *compressed(kp_compressor *c, kp_codec_type type, int level, kp_slice in, size_t *n)
{
	size_t bound = kp_compress_bound(type, in.len);
	uint8_t *dst = malloc(bound ? bound : 1);
	assert_non_null(dst);
	assert_int_equal(kp_compress(c, type, level, in, dst, bound, n), 0);
	assert_true(*n <= bound);
	return dst;
}

static void assert_decompresses(kp_codec_type type, kp_slice in, kp_slice expected, size_t max)
{
	kp_buf out;
	uint8_t *copy = exact_copy(in.ptr, in.len);
	kp_buf_init(&out, max ? max : 1);
	assert_int_equal(kp_decompress(type, kp_slice_of(copy, in.len), &out), 0);
	assert_int_equal(out.len, expected.len);
	if (out.len)
		assert_memory_equal(out.data, expected.ptr, out.len);
	free(copy);
	kp_buf_deinit(&out);
}

static void assert_broken(kp_codec_type type, kp_slice in, size_t max)
{
	kp_buf out;
	uint8_t *copy = exact_copy(in.ptr, in.len);
	kp_buf_init(&out, max);
	assert_int_equal(kp_decompress(type, kp_slice_of(copy, in.len), &out), KP_ERR_COMPRESSION);
	assert_int_equal(out.len, 0);
	free(copy);
	kp_buf_deinit(&out);
}

static void round_trip(kp_compressor *c, kp_codec_type type, int level, kp_slice in)
{
	size_t n;
	uint8_t *z = compressed(c, type, level, in, &n);
	assert_decompresses(type, kp_slice_of(z, n), in, in.len); /* the bound fits exactly */
	if (in.len > 1 && type != KP_CODEC_NONE)
		assert_broken(type, kp_slice_of(z, n), in.len - 1);
	free(z);
}

static void every_codec_and_size_comes_back(void **state)
{
	kp_compressor *c = kp_compressor_new();
	(void)state;
	assert_non_null(c);
	for (int type = 0; type < KP_CODEC_COUNT; type++) {
		for (size_t i = 0; i < KP_ARRAY_LEN(sizes); i++) {
			round_trip(c, (kp_codec_type)type, KP_CODEC_LEVEL_DEFAULT, kp_slice_of(noise, sizes[i]));
			round_trip(c, (kp_codec_type)type, KP_CODEC_LEVEL_DEFAULT, kp_slice_of(words, sizes[i]));
		}
		round_trip(c, (kp_codec_type)type, KP_CODEC_LEVEL_DEFAULT, kp_slice_null());
	}
	kp_compressor_free(c);
}

static void every_level_comes_back(void **state)
{
	const int zstd_levels[] = {-131072, -7, -1, 0, 1, 3, 9, 19, 22};
	kp_compressor *c = kp_compressor_new();
	(void)state;
	assert_non_null(c);
	for (size_t i = 0; i < KP_ARRAY_LEN(sizes) - 1; i++) {
		kp_slice in = kp_slice_of(words, sizes[i]);
		round_trip(c, KP_CODEC_GZIP, -1, in);
		for (int level = 1; level <= 9; level++)
			round_trip(c, KP_CODEC_GZIP, level, in);
		for (int level = 1; level <= 17; level++)
			round_trip(c, KP_CODEC_LZ4, level, in);
		for (size_t k = 0; k < KP_ARRAY_LEN(zstd_levels); k++)
			round_trip(c, KP_CODEC_ZSTD, zstd_levels[k], in);
	}
	kp_compressor_free(c);
}

static size_t size_at(kp_compressor *c, kp_codec_type type, int level)
{
	size_t n;
	free(compressed(c, type, level, kp_slice_of(words, 1 << 16), &n));
	return n;
}

static void levels_mean_what_java_means(void **state)
{
	kp_compressor *c = kp_compressor_new();
	(void)state;
	assert_true(size_at(c, KP_CODEC_GZIP, 9) < size_at(c, KP_CODEC_GZIP, 1));
	assert_int_equal(size_at(c, KP_CODEC_GZIP, -1), size_at(c, KP_CODEC_GZIP, 6));
	assert_true(size_at(c, KP_CODEC_LZ4, 8) < size_at(c, KP_CODEC_LZ4, 9)); /* 9, the default, is the fast compressor */
	assert_int_equal(size_at(c, KP_CODEC_LZ4, 9), size_at(c, KP_CODEC_LZ4, KP_CODEC_LEVEL_DEFAULT));
	assert_int_equal(size_at(c, KP_CODEC_LZ4, 12), size_at(c, KP_CODEC_LZ4, 17));
	assert_int_equal(size_at(c, KP_CODEC_ZSTD, 3), size_at(c, KP_CODEC_ZSTD, KP_CODEC_LEVEL_DEFAULT));
	assert_true(size_at(c, KP_CODEC_ZSTD, 19) < size_at(c, KP_CODEC_ZSTD, -7));
	assert_int_equal(size_at(c, KP_CODEC_SNAPPY, 99), size_at(c, KP_CODEC_SNAPPY, 0)); /* has none */
	kp_compressor_free(c);
}

static void wrong_arguments_are_refused(void **state)
{
	const struct {
		kp_codec_type type;
		int level;
	} bad[] = {{KP_CODEC_GZIP, 0},  {KP_CODEC_GZIP, 10},      {KP_CODEC_LZ4, 0},  {KP_CODEC_LZ4, 18},
	           {KP_CODEC_ZSTD, 23}, {KP_CODEC_ZSTD, -131073}, {KP_CODEC_COUNT, 1}};
	uint8_t dst[4096];
	size_t n = 77;
	kp_compressor *c = kp_compressor_new();
	(void)state;
	for (size_t i = 0; i < KP_ARRAY_LEN(bad); i++)
		assert_int_equal(kp_compress(c, bad[i].type, bad[i].level, TEXT("abc"), dst, sizeof(dst), &n), KP_ERR_BAD_ARGUMENT);
	for (int type = 0; type < KP_CODEC_COUNT; type++)
		assert_int_equal(kp_compress(c, (kp_codec_type)type, KP_CODEC_LEVEL_DEFAULT, TEXT("abc"), dst,
		                             kp_compress_bound((kp_codec_type)type, 3) - 1, &n),
		                 KP_ERR_BAD_ARGUMENT);
	assert_int_equal(n, 77);
	kp_compressor_free(c);
	kp_compressor_free(NULL);
}

static void names_are_those_of_compression_type(void **state)
{
	const char *names[] = {"none", "gzip", "snappy", "lz4", "zstd"};
	(void)state;
	for (int i = 0; i < KP_CODEC_COUNT; i++) {
		assert_string_equal(kp_codec_info_get((kp_codec_type)i)->name, names[i]);
		assert_int_equal(kp_codec_by_name(names[i]), i);
	}
	assert_int_equal(kp_codec_by_name("ZSTD"), -1);
	assert_int_equal(kp_codec_by_name(""), -1);
	assert_int_equal(kp_codec_by_name(NULL), -1);
	assert_null(kp_codec_info_get(KP_CODEC_COUNT));
	assert_int_equal(kp_compress_bound(KP_CODEC_COUNT, 1), 0);
	assert_int_equal(kp_codec_info_get(KP_CODEC_ZSTD)->min_level, ZSTD_minCLevel());
	assert_int_equal(kp_codec_info_get(KP_CODEC_ZSTD)->max_level, ZSTD_maxCLevel());
}

static void output_goes_behind_what_is_there(void **state)
{
	kp_compressor *c = kp_compressor_new();
	(void)state;
	for (int type = 0; type < KP_CODEC_COUNT; type++) {
		kp_buf out;
		size_t n;
		uint8_t *z = compressed(c, (kp_codec_type)type, KP_CODEC_LEVEL_DEFAULT, TEXT("records"), &n);
		kp_buf_init(&out, 10);
		kp_buf_append(&out, "abc", 3);
		assert_int_equal(kp_decompress((kp_codec_type)type, kp_slice_of(z, n), &out), 0);
		assert_int_equal(out.len, 10);
		assert_memory_equal(out.data, "abcrecords", 10);
		assert_int_equal(kp_decompress((kp_codec_type)type, kp_slice_of(z, n), &out), KP_ERR_COMPRESSION);
		assert_int_equal(out.len, 10);
		assert_memory_equal(out.data, "abcrecords", 10);
		kp_buf_deinit(&out);
		free(z);
	}
	kp_compressor_free(c);
}

static void bomb_ends_at_the_bound(void **state)
{
	const size_t raw = 64 * MIB, max = MIB;
	kp_compressor *c = kp_compressor_new();
	uint8_t *zeros = calloc(1, raw);
	(void)state;
	assert_non_null(zeros);
	for (int type = 1; type < KP_CODEC_COUNT; type++) {
		kp_buf out;
		size_t n;
		uint8_t *z = compressed(c, (kp_codec_type)type, KP_CODEC_LEVEL_DEFAULT, kp_slice_of(zeros, raw), &n);
		kp_buf_init(&out, max);
		assert_int_equal(kp_decompress((kp_codec_type)type, kp_slice_of(z, n), &out), KP_ERR_COMPRESSION);
		assert_true(out.cap <= max + 1);
		kp_buf_deinit(&out);
		assert_decompresses((kp_codec_type)type, kp_slice_of(z, n), kp_slice_of(zeros, raw), raw);
		free(z);
	}
	free(zeros);
	kp_compressor_free(c);
}

/* A few bytes that promise gigabytes get no memory to speak of. */
static void promised_size_is_not_believed(void **state)
{
	const uint8_t snappy_4g[] = {0xff, 0xff, 0xff, 0xff, 0x0f, 0x00, 'x'};
	const uint8_t zstd_1g[] = {0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0, 0x40, 0x01, 0, 0};
	const uint8_t gzip_4g[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff};
	const struct {
		kp_codec_type type;
		kp_slice in;
	} lies[] = {{KP_CODEC_SNAPPY, {snappy_4g, sizeof(snappy_4g)}},
	            {KP_CODEC_ZSTD, {zstd_1g, sizeof(zstd_1g)}},
	            {KP_CODEC_GZIP, {gzip_4g, sizeof(gzip_4g)}}};
	(void)state;
	for (size_t i = 0; i < KP_ARRAY_LEN(lies); i++) {
		kp_buf out;
		kp_buf_init(&out, 0);
		assert_int_equal(kp_decompress(lies[i].type, lies[i].in, &out), KP_ERR_COMPRESSION);
		assert_true(out.cap <= MIB);
		kp_buf_deinit(&out);
	}
}

static void cut_or_changed_input_is_an_error_or_bounded(void **state)
{
	const size_t max = 4096;
	kp_compressor *c = kp_compressor_new();
	(void)state;
	for (int type = 1; type < KP_CODEC_COUNT; type++) {
		size_t n;
		uint8_t *z = compressed(c, (kp_codec_type)type, KP_CODEC_LEVEL_DEFAULT, kp_slice_of(words, 1000), &n);
		/* xerial's snappy stream has no end: cut behind its header it is an empty one */
		for (size_t cut = 0; cut < n; cut++)
			if (type != KP_CODEC_SNAPPY || cut != 16)
				assert_broken((kp_codec_type)type, kp_slice_of(z, cut), max);
		for (size_t bit = 0; bit < n * 8; bit++) {
			kp_buf out;
			z[bit / 8] ^= (uint8_t)(1 << bit % 8);
			uint8_t *copy = exact_copy(z, n);
			kp_buf_init(&out, max);
			int err = kp_decompress((kp_codec_type)type, kp_slice_of(copy, n), &out);
			assert_true(err == KP_ERR_COMPRESSION || (err == 0 && out.len <= max));
			kp_buf_deinit(&out);
			free(copy);
			z[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		free(z);
	}
	kp_compressor_free(c);
}

static void noise_and_nothing_are_refused(void **state)
{
	kp_random r;
	(void)state;
	kp_random_init(&r, 3);
	for (int type = 1; type < KP_CODEC_COUNT; type++) {
		assert_broken((kp_codec_type)type, TEXT(""), 100);
		assert_broken((kp_codec_type)type, TEXT("not compressed at all, whatever the attributes say"), 100);
		for (int i = 0; i < 500; i++) {
			size_t at = kp_random_below(&r, MIB - 64);
			kp_buf out;
			kp_buf_init(&out, 1000);
			int err = kp_decompress((kp_codec_type)type, kp_slice_of(noise + at, 64), &out);
			assert_true(err == KP_ERR_COMPRESSION || (type == KP_CODEC_SNAPPY && err == 0));
			kp_buf_deinit(&out);
		}
	}
	kp_buf out;
	kp_buf_init(&out, 0);
	assert_int_equal(kp_decompress(KP_CODEC_COUNT, TEXT("abc"), &out), KP_ERR_COMPRESSION);
	assert_int_equal(kp_decompress(KP_CODEC_NONE, TEXT(""), &out), 0);
}

/* Two compressed texts behind one another read as one: members, frames, streams. */
static void concatenated_input_is_read_whole(void **state)
{
	kp_compressor *c = kp_compressor_new();
	(void)state;
	for (int type = 1; type < KP_CODEC_COUNT; type++) {
		kp_buf both;
		kp_buf_init(&both, 0);
		for (size_t at = 0; at < 200000; at += 100000) {
			size_t n;
			uint8_t *z = compressed(c, (kp_codec_type)type, KP_CODEC_LEVEL_DEFAULT, kp_slice_of(words + at, 100000),
			                        &n);
			kp_buf_append(&both, z, n);
			free(z);
		}
		assert_decompresses((kp_codec_type)type, kp_buf_slice(&both), kp_slice_of(words, 200000), 200000);
		kp_buf_append(&both, "junk", 4);
		assert_broken((kp_codec_type)type, kp_buf_slice(&both), MIB);
		kp_buf_deinit(&both);
	}
	kp_compressor_free(c);
}

static void snappy_without_framing_is_read(void **state)
{
	char z[200000];
	size_t n = sizeof(z);
	(void)state;
	assert_int_equal(snappy_compress((const char *)words, 100000, z, &n), SNAPPY_OK);
	assert_decompresses(KP_CODEC_SNAPPY, kp_slice_of(z, n), kp_slice_of(words, 100000), 100000);
}

static void lz4_with_checksums_and_linked_blocks_is_read(void **state)
{
	const LZ4F_preferences_t prefs = {.frameInfo = {.blockSizeID = LZ4F_max256KB,
	                                                .blockMode = LZ4F_blockLinked,
	                                                .contentSize = 600000,
	                                                .contentChecksumFlag = LZ4F_contentChecksumEnabled,
	                                                .blockChecksumFlag = LZ4F_blockChecksumEnabled}};
	static uint8_t z[700000];
	(void)state;
	size_t n = LZ4F_compressFrame(z, sizeof(z), words, 600000, &prefs);
	assert_false(LZ4F_isError(n));
	assert_decompresses(KP_CODEC_LZ4, kp_slice_of(z, n), kp_slice_of(words, 600000), 600000);
	z[n - 1] ^= 1;
	assert_broken(KP_CODEC_LZ4, kp_slice_of(z, n), 600000);
}

/* What Java's reader asks of a frame: version 1, independent blocks, and no content size or checksum it would have to skip. */
static void lz4_frame_is_as_java_writes_it(void **state)
{
	kp_compressor *c = kp_compressor_new();
	size_t n;
	(void)state;
	uint8_t *z = compressed(c, KP_CODEC_LZ4, KP_CODEC_LEVEL_DEFAULT, TEXT("abcabcabcabcabcabc"), &n);
	const uint8_t header[] = {0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82}; /* the last is the descriptor's checksum */
	assert_memory_equal(z, header, sizeof(header));
	free(z);
	kp_compressor_free(c);
}

static void zstd_streamed_without_content_size_is_read(void **state)
{
	static uint8_t z[MIB];
	ZSTD_CCtx *c = ZSTD_createCCtx();
	ZSTD_outBuffer dst = {z, sizeof(z), 0};
	ZSTD_inBuffer first = {words, 100, 0}, rest = {words + 100, 299900, 0};
	(void)state;
	assert_false(ZSTD_isError(ZSTD_CCtx_setParameter(c, ZSTD_c_compressionLevel, 19)));
	assert_false(ZSTD_isError(ZSTD_compressStream2(c, &dst, &first, ZSTD_e_flush)));
	assert_int_equal(ZSTD_compressStream2(c, &dst, &rest, ZSTD_e_end), 0);
	ZSTD_freeCCtx(c);
	assert_decompresses(KP_CODEC_ZSTD, kp_slice_of(z, dst.pos), kp_slice_of(words, 300000), 300000);
	assert_broken(KP_CODEC_ZSTD, kp_slice_of(z, dst.pos), 299999);
}

static void running_out_of_memory_is_reported(void **state)
{
	kp_compressor *c = kp_compressor_new();
	(void)state;
	for (int type = 0; type < KP_CODEC_COUNT; type++) {
		uint8_t *z;
		size_t n;
		kp_buf out;
		if (type == KP_CODEC_GZIP) { /* the only codec whose own state comes from kp_mem */
			uint8_t dst[4096];
			memory_is_out = true;
			assert_int_equal(kp_compress(c, KP_CODEC_GZIP, 6, TEXT("abc"), dst, sizeof(dst), &n), KP_ERR_NO_MEMORY);
			memory_is_out = false;
		}
		z = compressed(c, (kp_codec_type)type, KP_CODEC_LEVEL_DEFAULT, kp_slice_of(words, 100000), &n);
		kp_buf_init(&out, MIB);
		memory_is_out = true;
		assert_int_equal(kp_decompress((kp_codec_type)type, kp_slice_of(z, n), &out), KP_ERR_NO_MEMORY);
		memory_is_out = false;
		assert_int_equal(out.len, 0);
		kp_buf_deinit(&out);
		free(z);
	}
	memory_is_out = true;
	assert_null(kp_compressor_new());
	memory_is_out = false;
	kp_compressor_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_codec_and_size_comes_back),
		cmocka_unit_test(every_level_comes_back),
		cmocka_unit_test(levels_mean_what_java_means),
		cmocka_unit_test(wrong_arguments_are_refused),
		cmocka_unit_test(names_are_those_of_compression_type),
		cmocka_unit_test(output_goes_behind_what_is_there),
		cmocka_unit_test(bomb_ends_at_the_bound),
		cmocka_unit_test(promised_size_is_not_believed),
		cmocka_unit_test(cut_or_changed_input_is_an_error_or_bounded),
		cmocka_unit_test(noise_and_nothing_are_refused),
		cmocka_unit_test(concatenated_input_is_read_whole),
		cmocka_unit_test(snappy_without_framing_is_read),
		cmocka_unit_test(lz4_with_checksums_and_linked_blocks_is_read),
		cmocka_unit_test(lz4_frame_is_as_java_writes_it),
		cmocka_unit_test(zstd_streamed_without_content_size_is_read),
		cmocka_unit_test(running_out_of_memory_is_reported),
	};
	return cmocka_run_group_tests_name("codec", tests, set_up, NULL);
}
