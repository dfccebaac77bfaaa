/*
 * test_produce.c - what Produce accepts and refuses. Codes, offsets and texts are what Apache Kafka 4.3.1 gave to the same bytes.
 */
#include "db_test.h"

#include "base/bytes.h"
#include "base/crc32c.h"

static db_test *t;

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

static kp_slice simple(void)
{
	return db_make_batch(t, &(db_batch){0});
}

/* Refused, and nothing appended. */
static void assert_refused(int16_t code, int64_t log_start, kp_slice records)
{
	kp_db_partition_info before, after;
	assert_int_equal(0, kp_db_partition_get(t->db, "t", 0, &before));
	db_produced p = db_produce(t, 0, records);
	assert_int_equal(code, p.code);
	assert_int_equal(-1, p.base_offset);
	assert_int_equal(-1, p.log_append_time_ms);
	assert_int_equal(log_start, p.log_start_offset);
	assert_int_equal(0, kp_db_partition_get(t->db, "t", 0, &after));
	assert_int_equal(before.end_offset, after.end_offset);
}

static void batch_gets_offset_and_leader_epoch(void **state)
{
	(void)state;
	assert_int_equal(0, db_produce(t, 0, db_make_batch(t, &(db_batch){.n = 3})).base_offset);
	assert_int_equal(0, kp_db_set_leader(t->db, "t", 0, 2));
	assert_int_equal(0, kp_db_set_leader(t->db, "t", 0, 1));
	db_produced p = db_produce(t, 0, simple());
	assert_code(NONE, p);
	assert_int_equal(3, p.base_offset);
	assert_int_equal(-1, p.log_append_time_ms);
	assert_int_equal(0, p.log_start_offset);
	int64_t offset = 0;
	kp_slice batch;
	kp_batch_header h;
	size_t size;
	assert_true(kp_db_log_walk(t->db, "t", 0, &offset, &batch));
	assert_int_equal(3, offset);
	assert_true(kp_db_log_walk(t->db, "t", 0, &offset, &batch));
	assert_int_equal(KP_BATCH_OK, kp_batch_check(batch, true, 1 << 20, &h, &size));
	assert_int_equal(3, h.base_offset);
	assert_int_equal(2, h.partition_leader_epoch);
	assert_false(kp_db_log_walk(t->db, "t", 0, &offset, &batch));
}

static void every_codec_is_accepted(void **state)
{
	(void)state;
	for (int16_t codec = 0; codec <= 4; codec++)
		assert_int_equal(10 * codec,
		                 db_produce(t, 0, db_make_batch(t, &(db_batch){.n = 10, .attributes = codec})).base_offset);
}

static void zstd_needs_version_7(void **state)
{
	(void)state;
	kp_slice zstd = db_make_batch(t, &(db_batch){.attributes = KP_CODEC_ZSTD});
	assert_code(UNSUPPORTED_COMPRESSION_TYPE, db_produce_at(t, 1, 6, -1, "t", 0, zstd));
	assert_code(NONE, db_produce_at(t, 1, 7, -1, "t", 0, zstd));
}

static void framing_must_be_one_whole_batch(void **state)
{
	(void)state;
	kp_slice b = simple();
	assert_refused(KP_ERR_INVALID_RECORD, -1, kp_slice_of("", 0));
	assert_refused(KP_ERR_INVALID_RECORD, -1, kp_slice_null());
	assert_refused(KP_ERR_INVALID_RECORD, -1, kp_slice_of(b.ptr, 11));
	assert_refused(KP_ERR_INVALID_RECORD, -1, kp_slice_of(b.ptr, b.len - 1));
	assert_refused(KP_ERR_INVALID_RECORD, -1, db_join(t, b, b));
	assert_refused(KP_ERR_CORRUPT_MESSAGE, -1, db_join(t, b, kp_slice_of("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 18)));
	assert_code(NONE, db_produce(t, 0, db_join(t, b, kp_slice_of("abcde", 5)))); /* too few bytes for a header are ignored */
}

static void broken_header_fails_the_whole_request(void **state)
{
	(void)state;
	struct {
		size_t at;
		const char *bytes;
		size_t n;
		int16_t code;
		const char *text;
	} cases[] = {
		{16, "\x03", 1, KP_ERR_CORRUPT_MESSAGE, "Invalid magic found in record: 3"},
		{16, "\xff", 1, KP_ERR_CORRUPT_MESSAGE, "Invalid magic found in record: -1"},
		{8, "\0\0\0\x0d", 4, KP_ERR_CORRUPT_MESSAGE, "Record size 13 is less than the minimum record overhead (14)"},
		{8, "\xff\xff\xff\xff", 4, KP_ERR_CORRUPT_MESSAGE, "Record size -1 is less than the minimum record overhead (14)"},
		{8, "\x7f\xff\xff\xff", 4, KP_ERR_UNKNOWN_SERVER_ERROR, NULL},
		{16, "\x01", 1, KP_ERR_INVALID_RECORD, NULL},
		{16, "\x00", 1, KP_ERR_INVALID_RECORD, NULL},
		{8, "\0\0\0\x14", 4, KP_ERR_CORRUPT_MESSAGE, NULL},
		{8, "\0\0\0\x30", 4, KP_ERR_CORRUPT_MESSAGE, NULL},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		kp_slice b = simple();
		memcpy((uint8_t *)b.ptr + cases[i].at, cases[i].bytes, cases[i].n);
		db_produced p = db_produce(t, 0, b);
		assert_int_equal(cases[i].code, p.code);
		if (cases[i].text)
			assert_true(kp_slice_equal(kp_slice_cstr(cases[i].text), p.message));
		else
			assert_null(p.message.ptr);
	}
}

static void contents_are_checked(void **state)
{
	(void)state;
	assert_refused(KP_ERR_INVALID_RECORD, 0, db_make_batch(t, &(db_batch){.base_offset = 5}));
	assert_refused(KP_ERR_CORRUPT_MESSAGE, -1, db_make_batch(t, &(db_batch){.crc_xor = 1}));
	assert_refused(KP_ERR_INVALID_RECORD, 0, db_make_batch(t, &(db_batch){.crc_xor = 1, .base_offset = 5}));
	assert_refused(KP_ERR_UNKNOWN_SERVER_ERROR, 0, db_make_batch(t, &(db_batch){.attributes = 5, .raw = kp_slice_of("x", 1)}));
	assert_refused(KP_ERR_INVALID_RECORD, 0, db_make_batch(t, &(db_batch){.attributes = KP_BATCH_CONTROL}));
	assert_refused(KP_ERR_INVALID_RECORD, 0, db_make_batch(t, &(db_batch){.count = -1000}));
	assert_refused(KP_ERR_INVALID_RECORD, 0, db_make_batch(t, &(db_batch){.count = 2}));
	assert_refused(KP_ERR_INVALID_RECORD, 0, db_make_batch(t, &(db_batch){.count = 2, .last_offset_delta = 1}));
	assert_refused(KP_ERR_INVALID_RECORD, 0, db_make_batch(t, &(db_batch){.n = 2, .count = 1, .last_offset_delta = -1000}));
	assert_refused(KP_ERR_INVALID_RECORD, 0, db_make_batch(t, &(db_batch){.last_offset_delta = -1}));
	assert_refused(KP_ERR_INVALID_RECORD, 0, db_make_batch(t, &(db_batch){.raw = kp_slice_of("", 0)}));
	assert_refused(KP_ERR_INVALID_RECORD, 0, db_make_batch(t, &(db_batch){.raw = kp_slice_of("\0", 1)}));
	assert_refused(KP_ERR_INVALID_RECORD, 0,
	               db_make_batch(t, &(db_batch){.has_producer = true, .producer_id = 5, .sequence = -1}));
	for (int16_t codec = 1; codec <= 4; codec++)
		assert_refused(KP_ERR_UNKNOWN_SERVER_ERROR, 0,
		               db_make_batch(t, &(db_batch){.attributes = codec, .raw = kp_slice_of("not compressed", 14)}));
}

static void offset_deltas_matter_only_in_compressed_batches(void **state)
{
	(void)state;
	static const uint8_t records[] = {14, 0, 0, 0, 1, 2, 'v', 0, 14, 0, 0, 10, 1, 2, 'v', 0}; /* deltas 0 and 5 */
	uint8_t snappy[40] = {sizeof(records), (sizeof(records) - 1) << 2};                       /* one literal */
	memcpy(snappy + 2, records, sizeof(records));
	assert_int_equal(
		0, db_produce(t, 0, db_make_batch(t, &(db_batch){.n = 2, .raw = kp_slice_of(records, sizeof(records))})).code);
	assert_refused(KP_ERR_UNKNOWN_SERVER_ERROR, 0,
	               db_make_batch(t, &(db_batch){.n = 2, .attributes = 2, .raw = kp_slice_of(snappy, 2 + sizeof(records))}));
}

static void too_large_is_told_before_the_crc(void **state)
{
	(void)state;
	assert_refused(KP_ERR_MESSAGE_TOO_LARGE, -1, db_make_batch(t, &(db_batch){.value_size = 1048588, .crc_xor = 1}));
	kp_slice fits = db_make_batch(t, &(db_batch){.value_size = 1048588 - 61 - 11});
	assert_int_equal(1048588, fits.len);
	assert_code(NONE, db_produce(t, 0, fits));
	assert_refused(KP_ERR_MESSAGE_TOO_LARGE, -1, db_make_batch(t, &(db_batch){.value_size = 1048588 - 61 - 10}));
}

static void timestamps_out_of_range_name_their_records(void **state)
{
	(void)state;
	db_produced p = db_produce(t, 0, db_make_batch(t, &(db_batch){.n = 2, .timestamp = WALL_MS + 3600001}));
	assert_code(INVALID_TIMESTAMP, p);
	assert_int_equal(2, p.n_record_errors);
	const kp_produce_response_record_error *e = p.whole.responses.items[0].partition_responses.items[0].record_errors.items;
	assert_int_equal(1, e[1].batch_index);
	assert_true(kp_slice_equal(
		kp_slice_cstr("Timestamp 1700003600001 of message with offset 1 is out of range. The timestamp should be "
	                      "within [-9223370336854775807, 1700003600000]"),
		e[1].batch_index_error_message));
	assert_true(kp_slice_equal(kp_slice_cstr("One or more records have been rejected due to invalid timestamp"), p.message));
	assert_code(NONE, db_produce(t, 0, db_make_batch(t, &(db_batch){.timestamp = WALL_MS + 3600000})));
	assert_code(NONE, db_produce(t, 0, db_make_batch(t, &(db_batch){.timestamp = -1})));
	assert_code(NONE, db_produce(t, 0, db_make_batch(t, &(db_batch){.timestamp = -5})));
	assert_code(INVALID_TIMESTAMP, db_produce(t, 0, db_make_batch(t, &(db_batch){.timestamp = INT64_MAX})));
}

static void stored_maximum_timestamp_is_the_records(void **state)
{
	(void)state;
	kp_slice b = simple();
	uint8_t *p = (uint8_t *)b.ptr;
	kp_batch_header h;
	kp_store_be64(p + 35, 12345);
	kp_store_be32(p + 17, kp_crc32c(p + 21, b.len - 21));
	assert_code(NONE, db_produce(t, 0, b));
	int64_t offset = 0;
	size_t size;
	assert_true(kp_db_log_walk(t->db, "t", 0, &offset, &b));
	assert_int_equal(KP_BATCH_OK, kp_batch_check(b, true, 1 << 20, &h, &size));
	assert_int_equal(WALL_MS, h.max_timestamp);
}

static void places_that_do_not_exist(void **state)
{
	(void)state;
	assert_code(UNKNOWN_TOPIC_OR_PARTITION, db_produce_at(t, 1, 12, -1, "nonesuch", 0, simple()));
	assert_code(UNKNOWN_TOPIC_OR_PARTITION, db_produce_at(t, 1, 12, -1, "t", 3, simple()));
	assert_code(UNKNOWN_TOPIC_OR_PARTITION, db_produce_at(t, 1, 12, -1, "t", -1, simple()));
	assert_code(UNKNOWN_TOPIC_OR_PARTITION, db_produce_at(t, 1, 13, -1, "t", 3, simple()));
	assert_code(UNKNOWN_TOPIC_ID, db_produce_at(t, 1, 13, -1, "nonesuch", 0, simple()));
	assert_code(NONE, db_produce_at(t, 1, 13, -1, "t", 0, simple()));
}

static void wrong_leader_is_told_the_right_one(void **state)
{
	(void)state;
	db_produced p = db_produce_at(t, 2, 10, -1, "t", 0, simple());
	assert_code(NOT_LEADER_OR_FOLLOWER, p);
	assert_int_equal(1, p.leader.leader_id);
	assert_int_equal(0, p.leader.leader_epoch);
	assert_int_equal(1, p.whole.node_endpoints.n);
	assert_int_equal(1, p.whole.node_endpoints.items[0].node_id);
	assert_int_equal(9092, p.whole.node_endpoints.items[0].port);
	p = db_produce_at(t, 2, 9, -1, "t", 0, simple());
	assert_code(NOT_LEADER_OR_FOLLOWER, p);
	assert_int_equal(0, p.whole.node_endpoints.n);
	assert_int_equal(0, kp_db_set_leader(t->db, "t", 0, 0));
	p = db_produce_at(t, 1, 10, -1, "t", 0, simple());
	assert_code(NOT_LEADER_OR_FOLLOWER, p);
	assert_int_equal(-1, p.leader.leader_id);
	assert_int_equal(1, p.leader.leader_epoch);
}

static void acks_must_be_known(void **state)
{
	(void)state;
	assert_code(INVALID_REQUIRED_ACKS, db_produce_at(t, 1, 12, 2, "t", 0, simple()));
	assert_code(INVALID_REQUIRED_ACKS, db_produce_at(t, 1, 12, -2, "t", 0, simple()));
	assert_code(NONE, db_produce_at(t, 1, 12, 1, "t", 0, simple()));
}

static void acks_0_is_not_answered_and_an_error_closes(void **state)
{
	(void)state;
	kp_produce_request q;
	kp_db_partition_info info;
	db_produce_request(t, "t", 0, 0, simple(), &q);
	assert_int_equal(0, db_send(t, 1, CONN, KP_API_PRODUCE, 12, &q));
	db_expect_no_answer(t);
	assert_int_equal(0, kp_db_partition_get(t->db, "t", 0, &info));
	assert_int_equal(1, info.end_offset);
	db_produce_request(t, "t", 1, 0, simple(), &q);
	assert_int_equal(0, db_send(t, 1, CONN, KP_API_PRODUCE, 12, &q));
	db_expect_close(t, CONN);
	assert_int_equal(KP_ERR_CLOSED, db_send(t, 1, CONN, KP_API_PRODUCE, 12, &q));
}

static void partition_named_twice_counts_as_named_last(void **state)
{
	(void)state;
	kp_produce_request q;
	kp_produce_response r;
	kp_db_partition_info info;
	kp_produce_request_partition two[] = {{0, simple()}, {0, db_make_batch(t, &(db_batch){.n = 2})}};
	db_produce_request(t, "t", 0, -1, kp_slice_null(), &q);
	q.topic_data.items[0].partition_data.items = two;
	q.topic_data.items[0].partition_data.n = 2;
	db_call(t, 1, KP_API_PRODUCE, 12, &q, &r);
	assert_code(NONE, db_produced_of(&r));
	assert_int_equal(0, kp_db_partition_get(t->db, "t", 0, &info));
	assert_int_equal(2, info.end_offset);
}

static void partitions_fail_alone(void **state)
{
	(void)state;
	kp_produce_request q;
	kp_produce_response r;
	assert_int_equal(0, kp_db_set_leader(t->db, "t", 1, 1));
	kp_produce_request_partition two[] = {{0, simple()}, {1, db_make_batch(t, &(db_batch){.crc_xor = 1})}};
	db_produce_request(t, "t", 0, -1, kp_slice_null(), &q);
	q.topic_data.items[0].partition_data.items = two;
	q.topic_data.items[0].partition_data.n = 2;
	db_call(t, 1, KP_API_PRODUCE, 12, &q, &r);
	assert_int_equal(0, r.responses.items[0].partition_responses.items[0].error_code);
	assert_int_equal(KP_ERR_CORRUPT_MESSAGE, r.responses.items[0].partition_responses.items[1].error_code);
}

static void transactional_batch_needs_its_id(void **state)
{
	(void)state;
	kp_slice b = db_make_batch(t, &(db_batch){.attributes = KP_BATCH_TRANSACTIONAL, .has_producer = true});
	assert_code(TRANSACTIONAL_ID_AUTHORIZATION_FAILED, db_produce(t, 0, b));
	kp_produce_request q;
	kp_produce_response r;
	db_produce_request(t, "t", 0, -1, b, &q);
	q.transactional_id = kp_slice_cstr("tx");
	db_call(t, 1, KP_API_PRODUCE, 12, &q, &r);
	assert_code(INVALID_PRODUCER_ID_MAPPING, db_produced_of(&r));
}

static void too_few_replicas_refuse_acks_all(void **state)
{
	(void)state;
	assert_int_equal(0, kp_db_node_set_up(t->db, 2, false));
	assert_int_equal(0, kp_db_node_set_up(t->db, 3, false));
	assert_code(NONE, db_produce(t, 0, simple())); /* min.insync.replicas is 1; see test_topics.c for 2 */
}

static void injected_error_appends_nothing(void **state)
{
	(void)state;
	kp_db_partition_info info;
	assert_int_equal(0, kp_db_inject_error(t->db, 0, KP_API_PRODUCE, KP_ERR_KAFKA_STORAGE_ERROR, 2));
	assert_int_equal(0, kp_db_inject_error(t->db, 2, KP_API_PRODUCE, KP_ERR_REQUEST_TIMED_OUT, 1));
	assert_code(KAFKA_STORAGE_ERROR, db_produce(t, 0, simple()));
	assert_code(KAFKA_STORAGE_ERROR, db_produce(t, 1, simple()));
	assert_code(NONE, db_produce(t, 0, simple()));
	assert_code(REQUEST_TIMED_OUT, db_produce(t, 1, simple()));
	assert_code(NONE, db_produce(t, 1, simple()));
	assert_int_equal(0, kp_db_partition_get(t->db, "t", 1, &info));
	assert_int_equal(1, info.end_offset);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(batch_gets_offset_and_leader_epoch),
		TEST(every_codec_is_accepted),
		TEST(zstd_needs_version_7),
		TEST(framing_must_be_one_whole_batch),
		TEST(broken_header_fails_the_whole_request),
		TEST(contents_are_checked),
		TEST(offset_deltas_matter_only_in_compressed_batches),
		TEST(too_large_is_told_before_the_crc),
		TEST(timestamps_out_of_range_name_their_records),
		TEST(stored_maximum_timestamp_is_the_records),
		TEST(places_that_do_not_exist),
		TEST(wrong_leader_is_told_the_right_one),
		TEST(acks_must_be_known),
		TEST(acks_0_is_not_answered_and_an_error_closes),
		TEST(partition_named_twice_counts_as_named_last),
		TEST(partitions_fail_alone),
		TEST(transactional_batch_needs_its_id),
		TEST(too_few_replicas_refuse_acks_all),
		TEST(injected_error_appends_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
