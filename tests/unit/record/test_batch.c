/* test_batch.c - the batch header, its checksum, and each verdict of kp_batch_check. */
#include "support.h"

#define MAX_RAW ((size_t)1 << 20)

static const kp_batch_header plain = {.partition_leader_epoch = -1, .producer_id = -1, .producer_epoch = -1, .base_sequence = -1};

/* n small records, one with headers. */
static void append_records(kp_buf *raw, int32_t n)
{
	const kp_record_header header = {TEXT("name"), TEXT("value")};
	for (int32_t i = 0; i < n; i++) {
		test_record r = {{TEXT("key"), TEXT("value"), &header, i == 1}, i * 3 - 2, i};
		append_record(raw, &r);
	}
}

static void build(kp_buf *out, kp_codec_type codec, int32_t n)
{
	kp_buf raw;
	kp_batch_header h = plain;
	kp_buf_init(&raw, 0);
	kp_buf_init(out, 0);
	append_records(&raw, n);
	h.attributes = (int16_t)codec;
	h.n_records = n;
	h.last_offset_delta = n - 1;
	seal_batch(out, &h, kp_buf_slice(&raw));
	kp_buf_deinit(&raw);
}

/* After the header was changed by hand. */
static void sum_again(kp_buf *b)
{
	kp_store_be32(b->data + 17, kp_crc32c(b->data + KP_BATCH_CRC_START, b->len - KP_BATCH_CRC_START));
}

static kp_batch_verdict check(const kp_buf *b, bool deep)
{
	kp_batch_header h;
	size_t size;
	uint8_t *copy = exact_copy(b->data, b->len);
	kp_batch_verdict v = kp_batch_check(kp_slice_of(copy, b->len), deep, MAX_RAW, &h, &size);
	free(copy);
	return v;
}

static void header_keeps_every_field(void **state)
{
	uint8_t bytes[KP_BATCH_HEADER_SIZE];
	const kp_batch_header h = {-2, 0x01020304, -5, 2, 0xdeadbeef, 0x17, 6, INT64_MIN, INT64_MAX, 1LL << 40, -1, 9, 7};
	kp_batch_header got = {0};
	(void)state;
	kp_batch_header_store(bytes, &h);
	assert_int_equal(kp_batch_header_load(kp_slice_of(bytes, sizeof(bytes)), &got), 0);
	assert_memory_equal(&got.base_offset, &h.base_offset, sizeof(h.base_offset));
	assert_int_equal(got.batch_length, h.batch_length);
	assert_int_equal(got.partition_leader_epoch, h.partition_leader_epoch);
	assert_int_equal(got.magic, h.magic);
	assert_int_equal(got.crc, h.crc);
	assert_int_equal(got.attributes, h.attributes);
	assert_int_equal(got.last_offset_delta, h.last_offset_delta);
	assert_true(got.base_timestamp == h.base_timestamp && got.max_timestamp == h.max_timestamp);
	assert_true(got.producer_id == h.producer_id);
	assert_int_equal(got.producer_epoch, h.producer_epoch);
	assert_int_equal(got.base_sequence, h.base_sequence);
	assert_int_equal(got.n_records, h.n_records);
	assert_int_equal(kp_batch_header_load(kp_slice_of(bytes, sizeof(bytes) - 1), &got), KP_ERR_PROTOCOL);
	assert_int_equal(kp_batch_header_load(kp_slice_null(), &got), KP_ERR_PROTOCOL);
}

static void stamp_gives_the_crc_of_a_full_sum(void **state)
{
	static uint8_t bytes[KP_BATCH_HEADER_SIZE + 70000];
	kp_random r;
	(void)state;
	kp_random_init(&r, 7);
	for (int i = 0; i < 300; i++) {
		size_t n = i < 100 ? (size_t)i : kp_random_below(&r, 70001);
		fill_random(&r, bytes, KP_BATCH_HEADER_SIZE + n);
		uint32_t records_crc = kp_crc32c(bytes + KP_BATCH_HEADER_SIZE, n);
		for (int32_t again = 0; again < 3; again++) {
			kp_batch_header h;
			kp_batch_stamp(bytes, i * 1000003LL, (int16_t)again, again - 1, records_crc, n);
			assert_int_equal(kp_batch_header_load(kp_slice_of(bytes, KP_BATCH_HEADER_SIZE), &h), 0);
			assert_int_equal(h.crc,
			                 kp_crc32c(bytes + KP_BATCH_CRC_START, KP_BATCH_HEADER_SIZE - KP_BATCH_CRC_START + n));
			assert_int_equal(h.producer_id, i * 1000003LL);
			assert_int_equal(h.producer_epoch, again);
			assert_int_equal(h.base_sequence, again - 1);
		}
	}
}

static void check_accepts_what_every_codec_wrote(void **state)
{
	(void)state;
	for (int codec = 0; codec < KP_CODEC_COUNT; codec++) {
		kp_buf b;
		kp_batch_header h;
		size_t size;
		build(&b, (kp_codec_type)codec, 5);
		size_t whole = b.len;
		kp_buf_append(&b, "the next batch", 14);
		assert_int_equal(kp_batch_check(kp_buf_slice(&b), true, MAX_RAW, &h, &size), KP_BATCH_OK);
		assert_int_equal(size, whole);
		assert_int_equal(h.n_records, 5);
		assert_int_equal(h.attributes, codec);
		kp_buf_deinit(&b);
	}
}

static void cut_at_any_byte_is_found(void **state)
{
	(void)state;
	for (int codec = 0; codec < KP_CODEC_COUNT; codec++) {
		kp_buf b;
		build(&b, (kp_codec_type)codec, 5);
		for (size_t cut = 0; cut < b.len; cut++) {
			kp_buf part = {.data = b.data, .len = cut};
			assert_int_equal(check(&part, true), KP_BATCH_CUT);
		}
		kp_buf_deinit(&b);
	}
}

/* The writer's length and crc agree with the cut here, so the walk and the codecs themselves must find it. */
static void records_cut_at_any_byte_are_found(void **state)
{
	(void)state;
	for (int codec = 0; codec < KP_CODEC_COUNT; codec++) {
		kp_buf b;
		build(&b, (kp_codec_type)codec, 5);
		while (b.len > KP_BATCH_HEADER_SIZE) {
			b.len--;
			kp_store_be32(b.data + 8, (uint32_t)b.len - 12);
			sum_again(&b);
			assert_int_not_equal(check(&b, true), KP_BATCH_OK);
			assert_int_equal(check(&b, false), KP_BATCH_OK);
		}
		kp_buf_deinit(&b);
	}
}

static void one_flipped_bit_is_found(void **state)
{
	(void)state;
	for (int codec = 0; codec < KP_CODEC_COUNT; codec++) {
		kp_buf b;
		build(&b, (kp_codec_type)codec, 5);
		for (size_t bit = 17 * 8; bit < b.len * 8; bit++) {
			b.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
			assert_int_equal(check(&b, true), KP_BATCH_BAD_CRC);
			b.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		kp_buf_deinit(&b);
	}
}

static void flipped_bit_with_a_good_crc_reads_within_bounds(void **state)
{
	(void)state;
	for (int codec = 0; codec < KP_CODEC_COUNT; codec++) {
		kp_buf b;
		build(&b, (kp_codec_type)codec, 5);
		for (size_t bit = 21 * 8; bit < b.len * 8; bit++) {
			b.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
			sum_again(&b);
			(void)check(&b, true); /* any verdict: a changed value is still a value */
			b.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		kp_buf_deinit(&b);
	}
}

/* Change one field of a good batch, sum again, and check. */
static kp_batch_verdict verdict_with(void (*change)(kp_buf *b), bool deep)
{
	kp_buf b;
	build(&b, KP_CODEC_NONE, 5);
	change(&b);
	sum_again(&b);
	kp_batch_verdict v = check(&b, deep);
	kp_buf_deinit(&b);
	return v;
}

static void old_magic(kp_buf *b)
{
	b->data[16] = 1;
}
static void length_below_header(kp_buf *b)
{
	kp_store_be32(b->data + 8, 48);
}
static void negative_length(kp_buf *b)
{
	kp_store_be32(b->data + 8, 0xffffffff);
}
static void length_beyond_bytes(kp_buf *b)
{
	kp_store_be32(b->data + 8, 0x7fffffff);
}
static void codec_5(kp_buf *b)
{
	b->data[22] = 5;
}
static void codec_gzip_but_plain(kp_buf *b)
{
	b->data[22] = KP_CODEC_GZIP;
}
static void count_0(kp_buf *b)
{
	kp_store_be32(b->data + 57, 0);
	kp_store_be32(b->data + 23, 0xffffffff);
}
static void count_negative(kp_buf *b)
{
	kp_store_be32(b->data + 57, 0x80000000);
	kp_store_be32(b->data + 23, 0x7fffffff);
}
static void last_offset_delta_off(kp_buf *b)
{
	kp_store_be32(b->data + 23, 5);
}
static void count_6(kp_buf *b)
{
	kp_store_be32(b->data + 57, 6);
	kp_store_be32(b->data + 23, 5);
}
static void count_4(kp_buf *b)
{
	kp_store_be32(b->data + 57, 4);
	kp_store_be32(b->data + 23, 3);
}
static void offset_delta_off(kp_buf *b)
{
	b->data[64] = 2;
}
static void record_too_long(kp_buf *b)
{
	b->data[61] = 0x7e;
}

static void each_verdict_is_reached(void **state)
{
	(void)state;
	assert_int_equal(verdict_with(old_magic, false), KP_BATCH_BAD_MAGIC);
	assert_int_equal(verdict_with(length_below_header, false), KP_BATCH_BAD_LENGTH);
	assert_int_equal(verdict_with(negative_length, false), KP_BATCH_BAD_LENGTH);
	assert_int_equal(verdict_with(length_beyond_bytes, false), KP_BATCH_CUT);
	assert_int_equal(verdict_with(codec_5, false), KP_BATCH_BAD_CODEC);
	assert_int_equal(verdict_with(codec_gzip_but_plain, true), KP_BATCH_BAD_CODEC);
	assert_int_equal(verdict_with(count_0, false), KP_BATCH_BAD_COUNT);
	assert_int_equal(verdict_with(count_negative, false), KP_BATCH_BAD_COUNT);
	assert_int_equal(verdict_with(last_offset_delta_off, false), KP_BATCH_BAD_COUNT);
	assert_int_equal(verdict_with(count_6, true), KP_BATCH_BAD_COUNT);
	assert_int_equal(verdict_with(count_4, true), KP_BATCH_BAD_LENGTH);
	assert_int_equal(verdict_with(offset_delta_off, true), KP_BATCH_BAD_COUNT);
	assert_int_equal(verdict_with(record_too_long, true), KP_BATCH_BAD_RECORD);
}

static void size_is_given_as_soon_as_it_is_known(void **state)
{
	kp_buf b;
	kp_batch_header h;
	size_t size = 1;
	(void)state;
	build(&b, KP_CODEC_NONE, 5);
	assert_int_equal(kp_batch_check(kp_slice_of(b.data, 11), false, 0, &h, &size), KP_BATCH_CUT);
	assert_int_equal(size, 0);
	assert_int_equal(kp_batch_check(kp_slice_of(b.data, 12), false, 0, &h, &size), KP_BATCH_CUT);
	assert_int_equal(size, b.len);
	old_magic(&b);
	assert_int_equal(kp_batch_check(kp_buf_slice(&b), false, 0, &h, &size), KP_BATCH_BAD_MAGIC);
	assert_int_equal(size, b.len);
	assert_int_equal(kp_batch_check(kp_slice_null(), true, 0, &h, &size), KP_BATCH_CUT);
	kp_buf_deinit(&b);
}

static void decompression_ends_at_max_raw(void **state)
{
	(void)state;
	for (int codec = 1; codec < KP_CODEC_COUNT; codec++) {
		kp_buf b, raw;
		kp_batch_header h;
		size_t size;
		kp_buf_init(&raw, 0);
		append_records(&raw, 5);
		build(&b, (kp_codec_type)codec, 5);
		assert_int_equal(kp_batch_check(kp_buf_slice(&b), true, raw.len, &h, &size), KP_BATCH_OK);
		assert_int_equal(kp_batch_check(kp_buf_slice(&b), true, raw.len - 1, &h, &size), KP_BATCH_BAD_CODEC);
		assert_int_equal(kp_batch_check(kp_buf_slice(&b), true, 0, &h, &size), KP_BATCH_BAD_CODEC);
		kp_buf_deinit(&b);
		kp_buf_deinit(&raw);
	}
}

static void raw_records_are_a_view_or_in_scratch(void **state)
{
	kp_buf raw, scratch;
	(void)state;
	kp_buf_init(&raw, 0);
	kp_buf_init(&scratch, MAX_RAW);
	append_records(&raw, 5);
	for (int codec = 0; codec < KP_CODEC_COUNT; codec++) {
		kp_buf b;
		kp_slice records;
		build(&b, (kp_codec_type)codec, 5);
		assert_int_equal(kp_batch_records(kp_buf_slice(&b), &scratch, &records), 0);
		assert_true(kp_slice_equal(records, kp_buf_slice(&raw)));
		assert_ptr_equal(records.ptr, codec == KP_CODEC_NONE ? b.data + KP_BATCH_HEADER_SIZE : scratch.data);
		assert_int_equal(kp_batch_records(kp_slice_of(b.data, b.len - 1), &scratch, &records), KP_ERR_PROTOCOL);
		kp_buf_deinit(&b);
	}
	kp_buf_deinit(&scratch);
	kp_buf_deinit(&raw);
}

static void compressed_nothing_has_a_bad_count(void **state)
{
	(void)state;
	for (int codec = 0; codec < KP_CODEC_COUNT; codec++) {
		kp_buf b;
		kp_batch_header h = plain;
		kp_buf_init(&b, 0);
		h.attributes = (int16_t)codec;
		h.n_records = 1;
		seal_batch(&b, &h, kp_slice_of("", 0));
		assert_int_equal(check(&b, true), KP_BATCH_BAD_COUNT);
		kp_buf_deinit(&b);
	}
}

static void running_out_of_memory_is_not_the_batches_fault(void **state)
{
	(void)state;
	for (int codec = 1; codec < KP_CODEC_COUNT; codec++) {
		kp_buf b;
		build(&b, (kp_codec_type)codec, 5);
		memory_is_out = true;
		kp_batch_verdict verdict = check(&b, true);
		memory_is_out = false;
		assert_int_equal(verdict, KP_BATCH_NO_MEMORY);
		assert_int_equal(check(&b, true), KP_BATCH_OK);
		kp_buf_deinit(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(header_keeps_every_field),
		cmocka_unit_test(stamp_gives_the_crc_of_a_full_sum),
		cmocka_unit_test(check_accepts_what_every_codec_wrote),
		cmocka_unit_test(cut_at_any_byte_is_found),
		cmocka_unit_test(records_cut_at_any_byte_are_found),
		cmocka_unit_test(one_flipped_bit_is_found),
		cmocka_unit_test(flipped_bit_with_a_good_crc_reads_within_bounds),
		cmocka_unit_test(each_verdict_is_reached),
		cmocka_unit_test(size_is_given_as_soon_as_it_is_known),
		cmocka_unit_test(decompression_ends_at_max_raw),
		cmocka_unit_test(raw_records_are_a_view_or_in_scratch),
		cmocka_unit_test(compressed_nothing_has_a_bad_count),
		cmocka_unit_test(running_out_of_memory_is_not_the_batches_fault),
	};
	return cmocka_run_group_tests_name("batch", tests, install_failing_allocator, NULL);
}
