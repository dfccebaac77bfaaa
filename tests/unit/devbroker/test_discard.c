/*
 * test_discard.c - a broker that keeps nothing: batches are checked and counted, offsets and sequences move on, logs stay empty.
 */
#include "db_test.h"

#include "wire/msg_list_offsets.h"

static db_test *t;

static int setup(void **state)
{
	kp_db_options o;
	(void)state;
	kp_db_options_init(&o);
	o.n_nodes = 3;
	o.wall_ms_at_zero = WALL_MS;
	o.is_discarding = true;
	t = db_test_new_with(&o);
	assert_int_equal(0, kp_db_create_topic(t->db, "t", 3, 3));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	db_test_free(t);
	return 0;
}

static kp_slice numbered(int32_t sequence, int16_t epoch)
{
	return db_make_batch(t, &(db_batch){.n = 2, .has_producer = true, .producer_id = 5, .epoch = epoch, .sequence = sequence});
}

static int64_t listed(int64_t timestamp)
{
	kp_list_offsets_request_partition qp;
	kp_list_offsets_request_topic qt;
	kp_list_offsets_request q;
	kp_list_offsets_response r;
	kp_wire_init(&kp_list_offsets_request_schema, &q, 1);
	kp_wire_init(&kp_list_offsets_request_topic_schema, &qt, 1);
	kp_wire_init(&kp_list_offsets_request_partition_schema, &qp, 1);
	qp.timestamp = timestamp;
	qp.current_leader_epoch = -1;
	qt.name = kp_slice_cstr("t");
	qt.partitions.items = &qp;
	qt.partitions.n = 1;
	q.replica_id = -1;
	q.topics.items = &qt;
	q.topics.n = 1;
	db_call(t, 1, KP_API_LIST_OFFSETS, 11, &q, &r);
	assert_int_equal(0, r.topics.items[0].partitions.items[0].error_code);
	return r.topics.items[0].partitions.items[0].offset;
}

static void batches_are_counted_and_forgotten(void **state)
{
	(void)state;
	kp_db_stats stats;
	kp_db_partition_info p;
	for (int i = 0; i < 1000; i++) {
		db_produced a = db_produce(t, 0, db_make_batch(t, &(db_batch){.n = 3, .value_size = 1000}));
		assert_code(NONE, a);
		assert_int_equal(3 * i, a.base_offset);
		kp_arena_reset(&t->arena);
	}
	kp_db_get_stats(t->db, &stats);
	assert_int_equal(1000, stats.n_produce_batches);
	assert_int_equal(3000, stats.n_produce_records);
	assert_true(stats.n_produce_bytes > 3000000);
	assert_int_equal(0, stats.log_bytes);
	assert_int_equal(0, kp_db_partition_get(t->db, "t", 0, &p));
	assert_int_equal(3000, p.start_offset);
	assert_int_equal(3000, p.end_offset);
	assert_int_equal(3000, p.high_watermark);
	assert_int_equal(0, p.n_bytes);
}

static void fetch_and_list_offsets_find_an_empty_log(void **state)
{
	(void)state;
	db_produce(t, 0, db_make_batch(t, &(db_batch){.n = 7}));
	kp_fetch_response_partition f = db_fetch(t, 1, "t", 0, 7, 1 << 20);
	assert_int_equal(0, f.error_code);
	assert_int_equal(0, f.records.len);
	assert_int_equal(7, f.log_start_offset);
	assert_int_equal(KP_ERR_OFFSET_OUT_OF_RANGE, db_fetch(t, 1, "t", 0, 0, 1 << 20).error_code);
	assert_int_equal(7, listed(-1));
	assert_int_equal(7, listed(-2));
	assert_int_equal(-1, listed(-3)); /* no newest record */
	assert_int_equal(-1, listed(WALL_MS));
}

static void sequences_are_checked(void **state)
{
	(void)state;
	assert_int_equal(0, db_produce(t, 0, numbered(0, 0)).base_offset);
	assert_int_equal(2, db_produce(t, 0, numbered(2, 0)).base_offset);
	db_produced again = db_produce(t, 0, numbered(0, 0));
	assert_code(NONE, again);
	assert_int_equal(0, again.base_offset); /* the first answer once more */
	assert_code(OUT_OF_ORDER_SEQUENCE_NUMBER, db_produce(t, 0, numbered(6, 0)));
	assert_code(NONE, db_produce(t, 0, numbered(0, 1)));
	assert_code(INVALID_PRODUCER_EPOCH, db_produce(t, 0, numbered(4, 0)));
}

static void headers_are_checked_and_records_are_not(void **state)
{
	(void)state;
	assert_code(CORRUPT_MESSAGE, db_produce(t, 0, db_make_batch(t, &(db_batch){.crc_xor = 1})));
	assert_code(INVALID_RECORD, db_produce(t, 0, db_make_batch(t, &(db_batch){.n = 2, .last_offset_delta = 5})));
	assert_code(INVALID_RECORD, db_produce(t, 0, db_make_batch(t, &(db_batch){.base_offset = 4})));
	assert_code(MESSAGE_TOO_LARGE, db_produce(t, 0, db_make_batch(t, &(db_batch){.value_size = 1100000})));
	kp_slice noise = kp_slice_of("noise, yet its checksum is right", 32);
	assert_code(NONE, db_produce(t, 0, db_make_batch(t, &(db_batch){.n = 2, .raw = noise})));
	assert_code(NONE, db_produce(t, 0, db_make_batch(t, &(db_batch){.n = 2, .raw = noise, .attributes = 4})));
}

static void acks_all_waits_for_the_high_watermark(void **state)
{
	(void)state;
	kp_produce_request q;
	kp_produce_response r;
	kp_db_set_hw_delay_us(t->db, 1000);
	db_produce_request(t, "t", 0, -1, db_make_batch(t, &(db_batch){0}), &q);
	assert_int_equal(0, db_send(t, 1, CONN, KP_API_PRODUCE, 12, &q));
	db_pass(t, 999);
	db_expect_no_answer(t);
	db_pass(t, 1);
	db_take(t, CONN, t->correlation, KP_API_PRODUCE, 12, &r);
	assert_code(NONE, db_produced_of(&r));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(batches_are_counted_and_forgotten),
		TEST(fetch_and_list_offsets_find_an_empty_log),
		TEST(sequences_are_checked),
		TEST(headers_are_checked_and_records_are_not),
		TEST(acks_all_waits_for_the_high_watermark),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
