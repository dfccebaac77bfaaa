/*
 * test_batch.c - a batch grows, keeps entries where they are wanted, and is sealed into what a broker accepts.
 */
#include "producer/batch.h"

#include <stdio.h>

#include "base/crc32c.h"
#include "base/random.h"
#include "kproducer/error.h"
#include "unit/base/unit.h"

#define BATCH_SIZE 100000

typedef struct bench {
	kp_budget budget;
	kp_sealers sealers;
	unit_allocator allocator;
} bench;

static void bench_init(bench *s, int64_t limit)
{
	unit_allocator_install(&s->allocator, 0);
	kp_budget_init(&s->budget, limit);
	kp_sealers_init(&s->sealers);
}

/* All memory and all of the budget must be back. */
static void bench_deinit(bench *s)
{
	assert_int_equal(kp_budget_used(&s->budget), 0);
	kp_sealers_deinit(&s->sealers);
	kp_budget_deinit(&s->budget);
	unit_allocator_remove(&s->allocator);
}

static kp_batch *new_batch(bench *s, size_t first, size_t hint)
{
	int error = 0;
	kp_batch *b = kp_batch_new(&s->budget, &(kp_batch_need){.first_size = first, .size_hint = hint}, &error);
	assert_non_null(b);
	b->base_timestamp_ms = b->max_timestamp_ms = 1700000000000;
	return b;
}

/* What append.c does with a record. */
static int put(bench *s, kp_batch *b, kp_slice value, bool wants_entry)
{
	kp_record_content c = {.value = value};
	size_t body = kp_record_body_size(&c, 0, b->n_records), size = kp_record_size(body);
	int err = kp_batch_make_room(b, &s->budget, size, wants_entry, BATCH_SIZE, false);
	if (err)
		return err;
	if (b->entries)
		b->entries[b->n_entries++] = (kp_entry){.opaque = wants_entry ? (void *)(intptr_t)(b->n_records + 1) : NULL};
	kp_record_store(b->data + b->len, &c, body, 0, b->n_records);
	b->len += size;
	b->n_records++;
	return 0;
}

static void batch_grows_by_doubling_up_to_its_bound(void **state)
{
	bench s;
	char value[90];
	(void)state;
	bench_init(&s, 1 << 20);
	kp_batch *b = new_batch(&s, 100, 0);
	memset(value, 'x', sizeof(value));
	assert_int_equal(b->cap, KP_BUDGET_MIN_BUFFER);
	while (b->len < BATCH_SIZE - 200) {
		size_t before = b->cap;
		assert_int_equal(put(&s, b, kp_slice_of(value, sizeof(value)), true), 0);
		assert_true(b->cap == before || b->cap == 2 * before);
		assert_int_equal(kp_budget_used(&s.budget), kp_batch_footprint(b));
	}
	assert_int_equal(b->cap, 131072);
	assert_int_equal(b->n_entries, b->n_records);
	for (int i = 0; i < b->n_entries; i++)
		assert_int_equal((intptr_t)b->entries[i].opaque, i + 1);
	kp_batch_free(b, &s.budget);
	bench_deinit(&s);
}

static void batch_starts_as_large_as_the_last_one_if_there_is_room(void **state)
{
	bench s;
	int error = 0;
	(void)state;
	bench_init(&s, 64 << 10);
	kp_batch *b = new_batch(&s, 100, 30000);
	assert_int_equal(b->cap, 32768);
	kp_batch *second = new_batch(&s, 100, 60000); /* not all of the hint: the record itself will do */
	assert_int_equal(second->cap, KP_BUDGET_MIN_BUFFER);
	assert_null(kp_batch_new(&s.budget, &(kp_batch_need){.first_size = 40000}, &error));
	assert_int_equal(error, KP_ERR_WOULD_BLOCK);
	kp_batch *third = kp_batch_new(&s.budget, &(kp_batch_need){.first_size = 40000, .may_exceed = true}, &error);
	assert_non_null(third);
	kp_batch_free(b, &s.budget);
	kp_batch_free(second, &s.budget);
	kp_batch_free(third, &s.budget);
	bench_deinit(&s);
}

static void batch_keeps_no_entries_until_somebody_wants_one(void **state)
{
	bench s;
	(void)state;
	bench_init(&s, 1 << 20);
	kp_batch *b = new_batch(&s, 100, 0);
	for (int i = 0; i < 300; i++)
		assert_int_equal(put(&s, b, kp_slice_cstr("quiet"), false), 0);
	assert_null(b->entries);
	assert_int_equal(b->n_entries, 0);
	assert_int_equal(put(&s, b, kp_slice_cstr("group"), true), 0);
	assert_int_equal(put(&s, b, kp_slice_cstr("quiet"), false), 0);
	assert_int_equal(b->n_entries, 302);
	for (int i = 0; i < 302; i++)
		assert_int_equal((intptr_t)b->entries[i].opaque, i == 300 ? 301 : 0);
	kp_batch_free(b, &s.budget);
	bench_deinit(&s);
}

static void batch_that_cannot_grow_stays_as_it_is(void **state)
{
	bench s;
	char value[1000];
	(void)state;
	bench_init(&s, 4096);
	kp_batch *b = new_batch(&s, 100, 0);
	memset(value, 'x', sizeof(value));
	assert_int_equal(put(&s, b, kp_slice_of(value, sizeof(value)), true), 0);
	size_t len = b->len;
	assert_int_equal(put(&s, b, kp_slice_of(value, sizeof(value)), true), KP_ERR_WOULD_BLOCK);
	assert_int_equal(b->len, len);
	assert_int_equal(b->n_records, 1);
	assert_int_equal(kp_budget_used(&s.budget), 2048 + KP_BUDGET_MIN_BUFFER);
	kp_batch_free(b, &s.budget);
	bench_deinit(&s);
}

static kp_batch *full_batch(bench *s)
{
	uint8_t value[500];
	kp_batch *b = new_batch(s, 100, 0);
	for (int i = 0; i < 100; i++) {
		for (size_t k = 0; k < sizeof(value); k++)
			value[k] = (uint8_t)(k % 50 + (uint32_t)i);
		assert_int_equal(put(s, b, kp_slice_of(value, sizeof(value)), true), 0);
	}
	return b;
}

static kp_batch *random_batch(bench *s)
{
	static uint8_t value[60000];
	kp_random r;
	kp_random_init(&r, 99);
	kp_batch *b = new_batch(s, sizeof(value) + 20, 0);
	for (size_t k = 0; k < sizeof(value); k++)
		value[k] = (uint8_t)kp_random_next(&r);
	assert_int_equal(put(s, b, kp_slice_of(value, sizeof(value)), true), 0);
	return b;
}

/* Of 300,000 bytes, the same ones over and over or random. */
static kp_batch *large_batch(bench *s, bool is_random)
{
	static uint8_t value[300000];
	kp_random r;
	kp_random_init(&r, 7);
	kp_batch *b = new_batch(s, sizeof(value) + 20, 0);
	for (size_t k = 0; k < sizeof(value); k++)
		value[k] = is_random ? (uint8_t)kp_random_next(&r) : (uint8_t)(k % 90);
	assert_int_equal(put(s, b, kp_slice_of(value, sizeof(value)), true), 0);
	return b;
}

static kp_batch_header check_deep(const kp_batch *b)
{
	kp_batch_header h;
	size_t size;
	assert_int_equal(kp_batch_check(kp_slice_of(b->data, b->len), true, 1 << 20, &h, &size), KP_BATCH_OK);
	assert_int_equal(size, b->len);
	return h;
}

static void batch_sealed_with_each_codec_checks_deeply(void **state)
{
	(void)state;
	for (int codec = KP_CODEC_NONE; codec < KP_CODEC_COUNT; codec++) {
		bench s;
		bench_init(&s, 1 << 20);
		kp_batch *b = full_batch(&s);
		size_t raw_len = b->len - KP_BATCH_HEADER_SIZE;
		assert_false(kp_batch_is_sealed(b));
		kp_batch_seal(b, &s.sealers, &s.budget, (kp_codec_type)codec, KP_CODEC_LEVEL_DEFAULT);
		assert_true(kp_batch_is_sealed(b));
		assert_int_equal(b->codec, codec);
		assert_int_equal(b->raw_len, raw_len);
		assert_true(codec == KP_CODEC_NONE ? b->len == raw_len + KP_BATCH_HEADER_SIZE : b->len < raw_len / 2);
		assert_int_equal(b->cap, kp_budget_round(b->len)); /* in a buffer of its new size */
		assert_int_equal(kp_budget_used(&s.budget), kp_batch_footprint(b));
		kp_batch_set_stamp(b, 77, 3, 123456);
		kp_batch_header h = check_deep(b);
		assert_int_equal(h.attributes & KP_BATCH_CODEC_MASK, codec);
		assert_int_equal(h.n_records, 100);
		assert_int_equal(h.last_offset_delta, 99);
		assert_int_equal(h.producer_id, 77);
		assert_int_equal(h.producer_epoch, 3);
		assert_int_equal(h.base_sequence, 123456);
		kp_batch_set_stamp(b, 78, 0, 0); /* a new stamp, a new crc, the same records */
		assert_int_equal(check_deep(b).producer_id, 78);
		kp_batch_free(b, &s.budget);
		bench_deinit(&s);
	}
}

static void batch_that_does_not_compress_stays_raw(void **state)
{
	(void)state;
	for (int codec = KP_CODEC_GZIP; codec < KP_CODEC_COUNT; codec++) {
		bench s;
		bench_init(&s, 1 << 20);
		kp_batch *b = random_batch(&s);
		size_t len = b->len;
		kp_batch_seal(b, &s.sealers, &s.budget, (kp_codec_type)codec, KP_CODEC_LEVEL_DEFAULT);
		assert_int_equal(b->codec, KP_CODEC_NONE);
		assert_int_equal(b->len, len);
		kp_batch_set_stamp(b, -1, -1, -1);
		assert_int_equal(check_deep(b).attributes, 0);
		kp_batch_free(b, &s.budget);
		bench_deinit(&s);
	}
}

/* The guess after data that does not compress is made anew with every batch. */
static void large_batches_are_compressed_again_when_they_can_be(void **state)
{
	static const bool is_random[] = {false, true, true, false, true, false};
	(void)state;
	for (int codec = KP_CODEC_GZIP; codec < KP_CODEC_COUNT; codec++) {
		bench s;
		bench_init(&s, 4 << 20);
		for (size_t i = 0; i < KP_ARRAY_LEN(is_random); i++) {
			kp_batch *b = large_batch(&s, is_random[i]);
			kp_batch_seal(b, &s.sealers, &s.budget, (kp_codec_type)codec, KP_CODEC_LEVEL_DEFAULT);
			assert_int_equal(b->codec, is_random[i] ? KP_CODEC_NONE : codec);
			assert_int_equal(s.sealers.is_in_vain, is_random[i]);
			kp_batch_set_stamp(b, -1, -1, -1);
			check_deep(b);
			kp_batch_free(b, &s.budget);
		}
		bench_deinit(&s);
	}
}

/* No room for a second buffer beside the first: the compressed bytes go where the raw ones were. */
static void batch_is_compressed_in_place_when_the_budget_is_gone(void **state)
{
	bench s;
	(void)state;
	bench_init(&s, 1 << 20);
	kp_batch *b = full_batch(&s);
	size_t cap = b->cap;
	s.budget.limit = kp_budget_used(&s.budget);
	kp_batch_seal(b, &s.sealers, &s.budget, KP_CODEC_ZSTD, KP_CODEC_LEVEL_DEFAULT);
	assert_int_equal(b->codec, KP_CODEC_ZSTD);
	assert_int_equal(b->cap, cap);
	kp_batch_set_stamp(b, 1, 0, 0);
	check_deep(b);
	kp_batch_free(b, &s.budget);
	bench_deinit(&s);
}

static void batch_is_sent_raw_when_memory_is_out(void **state)
{
	bool is_packed = false;
	(void)state;
	for (int fail_at = 1; !is_packed; fail_at++) {
		bench s;
		bench_init(&s, 1 << 20);
		kp_batch *b = full_batch(&s);
		s.allocator.n = 0;
		s.allocator.fail_at = fail_at;
		kp_batch_seal(b, &s.sealers, &s.budget, KP_CODEC_ZSTD, KP_CODEC_LEVEL_DEFAULT);
		s.allocator.fail_at = 0;
		is_packed = b->codec == KP_CODEC_ZSTD && b->cap == kp_budget_round(b->len);
		kp_batch_set_stamp(b, 1, 0, 0);
		check_deep(b);
		kp_batch_free(b, &s.budget);
		bench_deinit(&s);
		assert_true(fail_at < 100);
	}
}

static void batch_new_leaves_nothing_behind_when_memory_is_out(void **state)
{
	(void)state;
	for (int fail_at = 1; fail_at <= 3; fail_at++) {
		bench s;
		int error = 0;
		bench_init(&s, 1 << 20);
		s.allocator.fail_at = fail_at;
		assert_null(kp_batch_new(&s.budget, &(kp_batch_need){.first_size = 10, .wants_entry = true}, &error));
		assert_int_equal(error, KP_ERR_NO_MEMORY);
		assert_int_equal(kp_budget_used(&s.budget), 0);
		bench_deinit(&s);
	}
}

/* Else a sender that waits for room would wake itself with every attempt. */
static void batch_that_finds_no_room_wakes_nobody(void **state)
{
	bench s;
	int error = 0;
	(void)state;
	bench_init(&s, 3 * KP_BUDGET_MIN_BUFFER);
	kp_batch *b = new_batch(&s, 10, 0);
	kp_batch *c = new_batch(&s, 10, 0);
	uint64_t before = atomic_load(&s.budget.n_freed);
	assert_null(kp_batch_new(&s.budget, &(kp_batch_need){.first_size = 10, .wants_entry = true}, &error));
	assert_int_equal(error, KP_ERR_WOULD_BLOCK);
	assert_int_equal(atomic_load(&s.budget.n_freed), before);
	assert_int_equal(kp_budget_used(&s.budget), 2 * KP_BUDGET_MIN_BUFFER);
	kp_batch_free(b, &s.budget);
	kp_batch_free(c, &s.budget);
	bench_deinit(&s);
}

static void batch_gives_up_its_hint_for_its_entry(void **state)
{
	bench s;
	int error = 0;
	(void)state;
	bench_init(&s, 2 * KP_BUDGET_MIN_BUFFER);
	kp_batch_need need = {.first_size = 10, .size_hint = 2 * KP_BUDGET_MIN_BUFFER - KP_BATCH_HEADER_SIZE, .wants_entry = true};
	kp_batch *b = kp_batch_new(&s.budget, &need, &error);
	assert_non_null(b);
	assert_int_equal(b->cap, KP_BUDGET_MIN_BUFFER);
	assert_non_null(b->entries);
	kp_batch_free(b, &s.budget);
	bench_deinit(&s);
}

static void sealers_are_kept_for_the_next_batch(void **state)
{
	bench s;
	(void)state;
	bench_init(&s, 1 << 20);
	for (int i = 0; i < 3; i++) {
		kp_batch *b = full_batch(&s);
		int before = s.allocator.n;
		kp_batch_seal(b, &s.sealers, &s.budget, KP_CODEC_LZ4, KP_CODEC_LEVEL_DEFAULT);
		if (i > 0)
			assert_int_equal(s.allocator.n, before); /* its buffer comes from the pool, too */
		kp_batch_free(b, &s.budget);
	}
	bench_deinit(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(batch_grows_by_doubling_up_to_its_bound),
		cmocka_unit_test(batch_starts_as_large_as_the_last_one_if_there_is_room),
		cmocka_unit_test(batch_keeps_no_entries_until_somebody_wants_one),
		cmocka_unit_test(batch_that_cannot_grow_stays_as_it_is),
		cmocka_unit_test(batch_sealed_with_each_codec_checks_deeply),
		cmocka_unit_test(batch_that_does_not_compress_stays_raw),
		cmocka_unit_test(batch_is_compressed_in_place_when_the_budget_is_gone),
		cmocka_unit_test(batch_is_sent_raw_when_memory_is_out),
		cmocka_unit_test(batch_new_leaves_nothing_behind_when_memory_is_out),
		cmocka_unit_test(batch_that_finds_no_room_wakes_nobody),
		cmocka_unit_test(batch_gives_up_its_hint_for_its_entry),
		cmocka_unit_test(sealers_are_kept_for_the_next_batch),
		cmocka_unit_test(large_batches_are_compressed_again_when_they_can_be),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
