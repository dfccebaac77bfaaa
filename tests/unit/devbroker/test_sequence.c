/*
 * test_sequence.c - idempotence: sequences, epochs, duplicates, and what truncation and expiry do to them. Checked against Apache Kafka
 * 4.3.1 by raw requests.
 */
#include "db_test.h"

#include "devbroker/producer_state.h"

static db_test *t;
static const int64_t id = 4000;

static int setup(void **state)
{
	(void)state;
	t = db_test_new();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	db_test_free(t);
	return 0;
}

static db_produced put(int64_t producer, int16_t epoch, int32_t sequence, int32_t n)
{
	db_batch b = {.n = n, .has_producer = true, .producer_id = producer, .epoch = epoch, .sequence = sequence};
	return db_produce(t, 0, db_make_batch(t, &b));
}

static int64_t end_offset(void)
{
	kp_db_partition_info info;
	assert_int_equal(0, kp_db_partition_get(t->db, "t", 0, &info));
	return info.end_offset;
}

static void assert_put(int64_t offset, int16_t epoch, int32_t sequence, int32_t n)
{
	db_produced p = put(id, epoch, sequence, n);
	assert_code(NONE, p);
	assert_int_equal(offset, p.base_offset);
	assert_int_equal(-1, p.log_append_time_ms);
	assert_int_equal(offset + n, end_offset());
}

static void assert_refused(int16_t code, int16_t epoch, int32_t sequence, int32_t n)
{
	int64_t before = end_offset();
	db_produced p = put(id, epoch, sequence, n);
	assert_int_equal(code, p.code);
	assert_int_equal(-1, p.base_offset);
	assert_int_equal(before, end_offset());
}

/* Answered as success with the first one's offset; its timestamp is told as LogAppendTimeMs, as Kafka does it. */
static void assert_duplicate(int64_t offset, int16_t epoch, int32_t sequence, int32_t n)
{
	int64_t before = end_offset();
	db_produced p = put(id, epoch, sequence, n);
	assert_code(NONE, p);
	assert_int_equal(offset, p.base_offset);
	assert_int_equal(WALL_MS, p.log_append_time_ms);
	assert_int_equal(before, end_offset());
}

static void without_state_any_sequence_goes(void **state)
{
	(void)state;
	assert_put(0, 3, 17, 2);
	assert_put(2, 3, 19, 1);
	assert_code(NONE, put(id + 1, 0, 99, 1));
}

static void gap_and_overlap_are_out_of_order(void **state)
{
	(void)state;
	assert_put(0, 0, 0, 3);
	for (int32_t s = 1; s < 10; s++)
		if (s != 3)
			assert_refused(KP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, 0, s, 1);
	assert_refused(KP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, 0, 0, 2); /* same first, other last */
	assert_refused(KP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, 0, 1, 2);
	assert_put(3, 0, 3, 1);
}

static void last_five_batches_are_duplicates(void **state)
{
	(void)state;
	for (int32_t s = 0; s < 8; s++)
		assert_put(s * 2, 0, s * 2, 2);
	for (int32_t s = 0; s < 3; s++)
		assert_refused(KP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, 0, s * 2, 2);
	for (int32_t s = 3; s < 8; s++)
		assert_duplicate(s * 2, 0, s * 2, 2);
	assert_put(16, 0, 16, 1);
	assert_refused(KP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, 0, 6, 2);
	kp_db_stats stats;
	kp_db_get_stats(t->db, &stats);
	assert_int_equal(5, stats.n_duplicates);
}

static void new_epoch_starts_at_0(void **state)
{
	(void)state;
	assert_put(0, 1, 0, 1);
	assert_refused(KP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, 2, 1, 1);
	assert_put(1, 2, 0, 1);
	assert_refused(KP_ERR_INVALID_PRODUCER_EPOCH, 1, 1, 1);
	assert_refused(KP_ERR_INVALID_PRODUCER_EPOCH, 1, 0, 1); /* would be a duplicate, were its epoch not old */
	assert_put(2, 2, 1, 1);
	assert_put(3, 30000, 0, 1);
	assert_duplicate(3, 30000, 0, 1);
}

static void sequences_wrap_to_0(void **state)
{
	(void)state;
	assert_put(0, 0, INT32_MAX - 2, 2);
	assert_put(2, 0, INT32_MAX, 1);
	assert_put(3, 0, 0, 1);
	assert_duplicate(2, 0, INT32_MAX, 1);
	assert_put(4, 0, 1, 1);
	assert_refused(KP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, 0, 3, 1);
}

static void batch_may_wrap_inside(void **state)
{
	(void)state;
	for (int32_t before = 0; before < 4; before++) { /* so many of its four sequences lie before the wrap */
		assert_int_equal(0, kp_db_forget_producers(t->db, "t", 0, -1));
		int64_t at = end_offset();
		int32_t first = before ? INT32_MAX - before + 1 : 0;
		assert_put(at, 0, first, 4);
		assert_duplicate(at, 0, first, 4);
		assert_put(at + 4, 0, 4 - before, 1);
	}
	assert_int_equal(0, kp_db_sequence_add(INT32_MAX, 1));
	assert_int_equal(INT32_MAX, kp_db_sequence_add(INT32_MAX - 1, 1));
	assert_int_equal(INT32_MAX - 1, kp_db_sequence_add(INT32_MAX, INT32_MAX));
}

static void partitions_and_producers_are_apart(void **state)
{
	(void)state;
	assert_put(0, 0, 0, 1);
	db_batch b = {.has_producer = true, .producer_id = id, .sequence = 7};
	assert_code(NONE, db_produce(t, 1, db_make_batch(t, &b)));
	assert_code(NONE, put(id + 1, 0, 7, 1));
	assert_put(2, 0, 1, 1);
}

static void refused_batch_leaves_no_trace(void **state)
{
	(void)state;
	db_batch bad = {.has_producer = true, .producer_id = id, .sequence = 0, .crc_xor = 1};
	assert_code(CORRUPT_MESSAGE, db_produce(t, 0, db_make_batch(t, &bad)));
	assert_put(0, 0, 5, 1);
}

static void truncation_rebuilds_state(void **state)
{
	(void)state;
	for (int32_t s = 0; s < 8; s++)
		assert_put(s, 0, s, 1);
	assert_code(NONE, put(id + 1, 0, 0, 1));
	assert_int_equal(0, kp_db_truncate(t->db, "t", 0, 4));
	assert_int_equal(4, end_offset());
	for (int32_t s = 0; s < 4; s++) /* 0 and 1 had been forgotten; they are among the last five again */
		assert_duplicate(s, 0, s, 1);
	assert_refused(KP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, 0, 8, 1);
	assert_put(4, 0, 4, 1);
	assert_code(NONE, put(id + 1, 0, 55, 1)); /* its only batch was cut off */
	assert_int_equal(0, kp_db_truncate(t->db, "t", 0, 0));
	assert_put(0, 0, 77, 1);
}

static void expired_state_is_no_state(void **state)
{
	(void)state;
	assert_put(0, 5, 0, 1);
	assert_code(NONE, put(id + 1, 0, 0, 1));
	assert_int_equal(0, kp_db_forget_producers(t->db, "t", 0, id));
	assert_put(2, 0, 9, 1); /* even an older epoch */
	assert_code(OUT_OF_ORDER_SEQUENCE_NUMBER, put(id + 1, 0, 5, 1));
	assert_int_equal(0, kp_db_forget_producers(t->db, "t", 0, -1));
	assert_code(NONE, put(id + 1, 0, 5, 1));
}

static void longest_unused_producer_goes_first(void **state)
{
	(void)state;
	kp_db_producer_pool pool;
	kp_db_producers a, b;
	kp_db_producer_pool_init(&pool, 3);
	kp_db_producers_init(&a, &pool);
	kp_db_producers_init(&b, &pool);
	assert_int_equal(0, kp_db_producers_reserve(&a, 1));
	assert_int_equal(0, kp_db_producers_reserve(&b, 1));
	assert_int_equal(0, kp_db_producers_reserve(&a, 2));
	assert_int_equal(0, kp_db_producers_reserve(&a, 1)); /* used again */
	assert_int_equal(0, kp_db_producers_reserve(&a, 3));
	assert_int_equal(3, a.by_id.n);
	assert_int_equal(0, b.by_id.n);
	assert_int_equal(3, pool.n);
	kp_db_producers_deinit(&a);
	kp_db_producers_deinit(&b);
	assert_int_equal(0, pool.n);
}

/* Every short history against a model that keeps everything. */
static void random_histories_agree_with_a_model(void **state)
{
	(void)state;
	struct {
		int32_t first, last;
		int64_t offset;
	} kept[5];
	int n_kept = 0;
	int16_t epoch = 0;
	int32_t next = 0;
	uint64_t seed = 88172645463325252u;
	for (int i = 0; i < 3000; i++) {
		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		int32_t n = 1 + (int32_t)(seed % 3), s = next + (int32_t)(seed >> 8) % 9 - 6;
		int16_t e = (int16_t)(epoch + ((seed >> 20) % 16 == 0) - ((seed >> 24) % 16 == 0));
		s = (seed >> 30) % 2 ? next : s < 0 ? 0 : s;
		int expected = 0;
		int64_t offset = end_offset();
		bool is_duplicate = false;
		if (n_kept && e < epoch) {
			expected = KP_ERR_INVALID_PRODUCER_EPOCH;
		} else if (n_kept && e > epoch) {
			expected = s == 0 ? 0 : KP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER;
		} else if (n_kept && s != next) {
			expected = KP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER;
			for (int k = 0; k < n_kept; k++)
				if (kept[k].first == s && kept[k].last == s + n - 1) {
					expected = 0;
					offset = kept[k].offset;
					is_duplicate = true;
				}
		}
		db_produced p = put(id, e, s, n);
		assert_int_equal(expected, p.code);
		assert_int_equal(expected ? -1 : offset, p.base_offset);
		if (expected || is_duplicate)
			continue;
		if (e != epoch)
			n_kept = 0;
		if (n_kept == 5)
			memmove(kept, kept + 1, (size_t)--n_kept * sizeof(kept[0]));
		kept[n_kept].first = s;
		kept[n_kept].last = s + n - 1;
		kept[n_kept++].offset = offset;
		epoch = e;
		next = s + n;
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_state_any_sequence_goes),
		TEST(gap_and_overlap_are_out_of_order),
		TEST(last_five_batches_are_duplicates),
		TEST(new_epoch_starts_at_0),
		TEST(sequences_wrap_to_0),
		TEST(batch_may_wrap_inside),
		TEST(partitions_and_producers_are_apart),
		TEST(refused_batch_leaves_no_trace),
		TEST(truncation_rebuilds_state),
		TEST(expired_state_is_no_state),
		TEST(longest_unused_producer_goes_first),
		TEST(random_histories_agree_with_a_model),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
