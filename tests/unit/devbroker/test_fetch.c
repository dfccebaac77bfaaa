/*
 * test_fetch.c - Fetch and ListOffsets: what can be read, from where, and what is answered when it cannot.
 */
#include "db_test.h"

#include "base/bytes.h"
#include "wire/msg_list_offsets.h"

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

static kp_slice fill(int n_batches, int32_t n)
{
	kp_slice b = {0};
	for (int i = 0; i < n_batches; i++) {
		b = db_make_batch(t, &(db_batch){.n = n, .timestamp = WALL_MS + i});
		assert_int_equal(i * n, db_produce(t, 0, b).base_offset);
	}
	return b;
}

static void what_was_written_is_read(void **state)
{
	(void)state;
	kp_slice b = fill(3, 10);
	kp_fetch_response_partition p = db_fetch(t, 1, "t", 0, 0, 1 << 20);
	assert_int_equal(0, p.error_code);
	assert_int_equal(30, p.high_watermark);
	assert_int_equal(30, p.last_stable_offset);
	assert_int_equal(0, p.log_start_offset);
	assert_int_equal(-1, p.aborted_transactions.n);
	assert_int_equal(3 * b.len, p.records.len);
	assert_int_equal(20, kp_load_be64(p.records.ptr + 2 * b.len));
	p = db_fetch(t, 1, "t", 0, 15, 1 << 20); /* inside a batch: the batch whole */
	assert_int_equal(2 * b.len, p.records.len);
	assert_int_equal(10, kp_load_be64(p.records.ptr));
	p = db_fetch(t, 1, "t", 0, 30, 1 << 20);
	assert_int_equal(0, p.error_code);
	assert_int_equal(0, p.records.len);
}

static void limits_cut_what_comes_but_never_the_first_batch(void **state)
{
	(void)state;
	kp_slice b = fill(3, 10);
	assert_int_equal(b.len, db_fetch(t, 1, "t", 0, 0, 1).records.len);
	assert_int_equal(3 * b.len - 1, db_fetch(t, 1, "t", 0, 0, (int32_t)(3 * b.len - 1)).records.len);
}

static void refusals(void **state)
{
	(void)state;
	fill(1, 10);
	kp_fetch_response_partition p = db_fetch(t, 1, "t", 0, 11, 100);
	assert_int_equal(KP_ERR_OFFSET_OUT_OF_RANGE, p.error_code);
	assert_int_equal(-1, p.high_watermark);
	assert_int_equal(KP_ERR_OFFSET_OUT_OF_RANGE, db_fetch(t, 1, "t", 0, -1, 100).error_code);
	assert_int_equal(KP_ERR_UNKNOWN_TOPIC_OR_PARTITION, db_fetch(t, 1, "t", 9, 0, 100).error_code);
	assert_int_equal(KP_ERR_UNKNOWN_TOPIC_OR_PARTITION, db_fetch(t, 1, "nonesuch", 0, 0, 100).error_code);
	p = db_fetch(t, 2, "t", 0, 0, 100);
	assert_int_equal(KP_ERR_NOT_LEADER_OR_FOLLOWER, p.error_code);
	assert_int_equal(1, p.current_leader.leader_id);
}

static void by_id_from_version_13(void **state)
{
	(void)state;
	fill(1, 10);
	kp_fetch_response r;
	kp_fetch_request *q = db_fetch_request(t, "t", 0, 0, 1 << 20, 0);
	db_call(t, 1, KP_API_FETCH, 18, q, &r);
	assert_int_equal(0, r.responses.items[0].partitions.items[0].error_code);
	assert_true(r.responses.items[0].partitions.items[0].records.len > 0);
	db_call(t, 2, KP_API_FETCH, 16, q, &r);
	assert_int_equal(KP_ERR_NOT_LEADER_OR_FOLLOWER, r.responses.items[0].partitions.items[0].error_code);
	assert_int_equal(1, r.node_endpoints.n);
	q = db_fetch_request(t, "nonesuch", 0, 0, 1 << 20, 0);
	db_call(t, 1, KP_API_FETCH, 13, q, &r);
	assert_int_equal(KP_ERR_UNKNOWN_TOPIC_ID, r.responses.items[0].partitions.items[0].error_code);
}

static void leader_epoch_of_the_client_is_checked(void **state)
{
	(void)state;
	kp_fetch_response r;
	assert_int_equal(0, kp_db_set_leader(t->db, "t", 0, 1));
	for (int32_t epoch = 0; epoch <= 2; epoch++) {
		static const int codes[] = {KP_ERR_FENCED_LEADER_EPOCH, 0, KP_ERR_UNKNOWN_LEADER_EPOCH};
		kp_fetch_request *q = db_fetch_request(t, "t", 0, 0, 1 << 20, 0);
		q->topics.items[0].partitions.items[0].current_leader_epoch = epoch;
		db_call(t, 1, KP_API_FETCH, 12, q, &r);
		assert_int_equal(codes[epoch], r.responses.items[0].partitions.items[0].error_code);
	}
}

static void sessions_are_not_given(void **state)
{
	(void)state;
	kp_fetch_response r;
	kp_fetch_request *q = db_fetch_request(t, "t", 0, 0, 1 << 20, 0);
	q->session_epoch = 0;
	db_call(t, 1, KP_API_FETCH, 12, q, &r);
	assert_int_equal(0, r.error_code);
	assert_int_equal(0, r.session_id);
	assert_int_equal(1, r.responses.n);
	q->session_id = 5;
	q->session_epoch = 1;
	db_call(t, 1, KP_API_FETCH, 12, q, &r);
	assert_int_equal(KP_ERR_FETCH_SESSION_ID_NOT_FOUND, r.error_code);
}

static void read_committed_has_a_list_of_aborted_transactions(void **state)
{
	(void)state;
	kp_fetch_response r;
	fill(1, 1);
	kp_fetch_request *q = db_fetch_request(t, "t", 0, 0, 1 << 20, 0);
	q->isolation_level = 1;
	db_call(t, 1, KP_API_FETCH, 12, q, &r);
	assert_int_equal(0, r.responses.items[0].partitions.items[0].aborted_transactions.n);
	assert_true(r.responses.items[0].partitions.items[0].records.len > 0);
}

static kp_list_offsets_response_partition list(int16_t version, int32_t node, const char *topic, int64_t timestamp, int32_t epoch)
{
	kp_list_offsets_request_partition qp;
	kp_list_offsets_request_topic qt;
	kp_list_offsets_request q;
	kp_list_offsets_response r;
	kp_wire_init(&kp_list_offsets_request_schema, &q, 1);
	kp_wire_init(&kp_list_offsets_request_topic_schema, &qt, 1);
	kp_wire_init(&kp_list_offsets_request_partition_schema, &qp, 1);
	qp.timestamp = timestamp;
	qp.current_leader_epoch = epoch;
	qt.name = kp_slice_cstr(topic);
	qt.partitions.items = &qp;
	qt.partitions.n = 1;
	q.replica_id = -1;
	q.topics.items = &qt;
	q.topics.n = 1;
	db_call(t, node, KP_API_LIST_OFFSETS, version, &q, &r);
	return r.topics.items[0].partitions.items[0];
}

static void assert_listed(int64_t offset, int64_t timestamp, kp_list_offsets_response_partition p)
{
	assert_int_equal(0, p.error_code);
	assert_int_equal(offset, p.offset);
	assert_int_equal(timestamp, p.timestamp);
}

static void list_offsets_finds_ends_and_times(void **state)
{
	(void)state;
	assert_listed(0, -1, list(11, 1, "t", -2, -1));
	assert_listed(0, -1, list(11, 1, "t", -1, -1));
	assert_listed(-1, -1, list(11, 1, "t", -3, -1));
	fill(5, 10); /* batch i at WALL_MS + i */
	for (int16_t version = 1; version <= 11; version++) {
		assert_listed(0, -1, list(version, 1, "t", -2, -1));
		assert_listed(50, -1, list(version, 1, "t", -1, -1));
		assert_listed(20, WALL_MS + 2, list(version, 1, "t", WALL_MS + 2, -1));
		assert_listed(0, WALL_MS, list(version, 1, "t", 0, -1));
		assert_listed(-1, -1, list(version, 1, "t", WALL_MS + 5, -1));
	}
	assert_listed(40, WALL_MS + 4, list(7, 1, "t", -3, -1));
	assert_listed(0, -1, list(8, 1, "t", -4, -1));
	assert_listed(-1, -1, list(9, 1, "t", -5, -1));
	assert_listed(-1, -1, list(11, 1, "t", -6, -1));
}

static void list_offsets_refusals(void **state)
{
	(void)state;
	assert_int_equal(KP_ERR_UNSUPPORTED_VERSION, list(6, 1, "t", -3, -1).error_code);
	assert_int_equal(KP_ERR_UNSUPPORTED_VERSION, list(7, 1, "t", -4, -1).error_code);
	assert_int_equal(KP_ERR_UNSUPPORTED_VERSION, list(8, 1, "t", -5, -1).error_code);
	assert_int_equal(KP_ERR_UNSUPPORTED_VERSION, list(10, 1, "t", -6, -1).error_code);
	assert_int_equal(KP_ERR_UNSUPPORTED_VERSION, list(11, 1, "t", -7, -1).error_code);
	assert_int_equal(KP_ERR_UNKNOWN_TOPIC_OR_PARTITION, list(11, 1, "nonesuch", -1, -1).error_code);
	assert_int_equal(KP_ERR_NOT_LEADER_OR_FOLLOWER, list(11, 2, "t", -1, -1).error_code);
	assert_int_equal(KP_ERR_UNKNOWN_LEADER_EPOCH, list(11, 1, "t", -1, 1).error_code);
	assert_int_equal(0, kp_db_set_leader(t->db, "t", 0, 1));
	assert_int_equal(KP_ERR_FENCED_LEADER_EPOCH, list(11, 1, "t", -1, 0).error_code);
}

static void time_is_found_inside_compressed_batches(void **state)
{
	(void)state;
	static const uint8_t records[] = {14, 0, 0, 0, 1, 2, 'v', 0, 14, 0, 20, 2, 1, 2, 'v', 0}; /* timestamp deltas 0 and 10 */
	uint8_t snappy[40] = {sizeof(records), (sizeof(records) - 1) << 2};
	memcpy(snappy + 2, records, sizeof(records));
	assert_int_equal(
		0, db_produce(t, 0, db_make_batch(t, &(db_batch){.n = 2, .attributes = 2, .raw = kp_slice_of(snappy, 18)})).code);
	assert_listed(1, WALL_MS + 10, list(7, 1, "t", WALL_MS + 1, -1));
	assert_listed(1, WALL_MS + 10, list(7, 1, "t", -3, -1));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_written_is_read),
		TEST(limits_cut_what_comes_but_never_the_first_batch),
		TEST(refusals),
		TEST(by_id_from_version_13),
		TEST(leader_epoch_of_the_client_is_checked),
		TEST(sessions_are_not_given),
		TEST(read_committed_has_a_list_of_aborted_transactions),
		TEST(list_offsets_finds_ends_and_times),
		TEST(list_offsets_refusals),
		TEST(time_is_found_inside_compressed_batches),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
