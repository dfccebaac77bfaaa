/*
 * Requests that name things twice or in odd ways, and what else raw requests to Apache Kafka showed: tests/conformance/raw sends the same
 * to both.
 */
#include "db_test.h"

#include "wire/msg_delete_topics.h"
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

static kp_slice one_record(int16_t attributes, bool has_producer)
{
	return db_make_batch(t, &(db_batch){.attributes = attributes, .has_producer = has_producer, .producer_id = 5});
}

static kp_list_offsets_response list_twice(int64_t first, int64_t second)
{
	kp_list_offsets_request q;
	kp_list_offsets_response r;
	kp_list_offsets_request_topic topic = {.name = kp_slice_cstr("t")};
	kp_list_offsets_request_partition both[2] = {{.current_leader_epoch = -1, .timestamp = first},
	                                             {.current_leader_epoch = -1, .timestamp = second}};
	kp_wire_init(&kp_list_offsets_request_schema, &q, 1);
	topic.partitions.items = both;
	topic.partitions.n = 2;
	q.topics.items = &topic;
	q.topics.n = 1;
	db_call(t, 1, KP_API_LIST_OFFSETS, 8, &q, &r);
	return r;
}

static void list_offsets_refuses_a_partition_that_is_named_twice(void **state)
{
	(void)state;
	kp_list_offsets_response r = list_twice(-1, -2);
	assert_int_equal(1, r.topics.n);
	assert_int_equal(1, r.topics.items[0].partitions.n);
	assert_int_equal(KP_ERR_INVALID_REQUEST, r.topics.items[0].partitions.items[0].error_code);
}

static void fetch_takes_a_partition_as_it_is_named_last(void **state)
{
	(void)state;
	kp_fetch_response r;
	assert_int_equal(0, (db_produce(t, 0, one_record(0, false))).code);
	assert_int_equal(0, (db_produce(t, 0, one_record(0, false))).code);
	kp_fetch_request *q = db_fetch_request(t, "t", 0, 0, 1 << 20, 0);
	kp_fetch_request_partition two[2] = {q->topics.items[0].partitions.items[0], q->topics.items[0].partitions.items[0]};
	two[1].fetch_offset = 2;
	q->topics.items[0].partitions.items = two;
	q->topics.items[0].partitions.n = 2;
	db_call(t, 1, KP_API_FETCH, 12, q, &r);
	assert_int_equal(1, r.responses.items[0].partitions.n);
	assert_int_equal(0, r.responses.items[0].partitions.items[0].records.len);
}

static kp_fetch_response_partition fetch_behind(int32_t epoch, int64_t offset)
{
	kp_fetch_response r;
	kp_fetch_request *q = db_fetch_request(t, "t", 0, offset, 1 << 20, 0);
	q->topics.items[0].partitions.items[0].last_fetched_epoch = epoch;
	db_call(t, 1, KP_API_FETCH, 12, q, &r);
	return r.responses.items[0].partitions.items[0];
}

static void fetch_tells_where_the_logs_part(void **state)
{
	(void)state;
	assert_int_equal(0, (db_produce(t, 0, one_record(0, false))).code);
	assert_int_equal(0, kp_db_set_leader(t->db, "t", 0, 2));
	assert_int_equal(0, kp_db_set_leader(t->db, "t", 0, 1)); /* epoch 2 */
	assert_int_equal(0, (db_produce(t, 0, one_record(0, false))).code);
	kp_fetch_response_partition p = fetch_behind(1, 1); /* nothing was written with epoch 1 */
	assert_int_equal(0, p.error_code);
	assert_int_equal(0, p.diverging_epoch.epoch);
	assert_int_equal(1, p.diverging_epoch.end_offset);
	assert_int_equal(0, p.records.len);
	p = fetch_behind(0, 2); /* epoch 0 ended before */
	assert_int_equal(1, p.diverging_epoch.end_offset);
	p = fetch_behind(0, 1);
	assert_int_equal(-1, p.diverging_epoch.end_offset);
	assert_true(p.records.len > 0);
	assert_true(fetch_behind(2, 1).records.len > 0);
	assert_int_equal(KP_ERR_OFFSET_OUT_OF_RANGE, fetch_behind(3, 1).error_code);
}

static kp_delete_topics_response delete_both(kp_delete_topics_request_topic a, kp_delete_topics_request_topic b)
{
	kp_delete_topics_request q;
	kp_delete_topics_response r;
	kp_delete_topics_request_topic both[2] = {a, b};
	kp_wire_init(&kp_delete_topics_request_schema, &q, 1);
	q.topics.items = both;
	q.topics.n = 2;
	db_call(t, 1, KP_API_DELETE_TOPICS, 6, &q, &r);
	return r;
}

static void delete_refuses_a_topic_that_is_named_twice(void **state)
{
	(void)state;
	kp_delete_topics_request_topic by_id = {kp_slice_null(), db_topic_id(t, "t")}, by_name = {.name = kp_slice_cstr("t")};
	kp_delete_topics_response r = delete_both(by_id, by_id);
	assert_int_equal(1, r.responses.n);
	assert_int_equal(KP_ERR_INVALID_REQUEST, r.responses.items[0].error_code);
	r = delete_both(by_name, by_id);
	assert_int_equal(1, r.responses.n);
	assert_int_equal(KP_ERR_INVALID_REQUEST, r.responses.items[0].error_code);
	assert_int_equal(3, kp_db_n_partitions(t->db, "t"));
}

static void metadata_by_id_is_refused_before_version_12(void **state)
{
	(void)state;
	kp_metadata_request q;
	kp_metadata_response r;
	kp_metadata_request_topic topic = {db_topic_id(t, "t"), kp_slice_cstr("t")};
	kp_wire_init(&kp_metadata_request_schema, &q, 1);
	q.topics.items = &topic;
	q.topics.n = 1;
	db_call(t, 1, KP_API_METADATA, 11, &q, &r);
	assert_int_equal(KP_ERR_INVALID_REQUEST, r.topics.items[0].error_code);
	assert_int_equal(0, r.brokers.n);
	db_call(t, 1, KP_API_METADATA, 12, &q, &r);
	assert_int_equal(0, r.topics.items[0].error_code);
	assert_int_equal(3, r.brokers.n);
}

static void transactional_batch_of_an_unknown_id_is_refused(void **state)
{
	(void)state;
	kp_produce_request q;
	kp_produce_response r;
	db_produce_request(t, "t", 0, -1, one_record(KP_BATCH_TRANSACTIONAL, true), &q);
	q.transactional_id = kp_slice_cstr("x");
	for (int16_t version = 10; version <= 12; version++) {
		db_call(t, 1, KP_API_PRODUCE, version, &q, &r);
		assert_code(INVALID_PRODUCER_ID_MAPPING, db_produced_of(&r));
	}
	db_produce_request(t, "t", 0, -1, one_record(KP_BATCH_TRANSACTIONAL, false), &q);
	q.transactional_id = kp_slice_cstr("x");
	db_call(t, 1, KP_API_PRODUCE, 11, &q, &r);
	assert_int_equal(0, (db_produced_of(&r)).code); /* without a producer id there is nothing to check */
}

static void epochs_below_none_are_old(void **state)
{
	(void)state;
	kp_slice batch = db_make_batch(t, &(db_batch){.has_producer = true, .producer_id = 5, .epoch = -2});
	assert_code(INVALID_PRODUCER_EPOCH, db_produce(t, 0, batch));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(list_offsets_refuses_a_partition_that_is_named_twice),
		TEST(fetch_takes_a_partition_as_it_is_named_last),
		TEST(fetch_tells_where_the_logs_part),
		TEST(delete_refuses_a_topic_that_is_named_twice),
		TEST(metadata_by_id_is_refused_before_version_12),
		TEST(transactional_batch_of_an_unknown_id_is_refused),
		TEST(epochs_below_none_are_old),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
