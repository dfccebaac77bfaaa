/*
 * test_bounds.c - what clients can make the core keep: held requests, answers nobody takes, names and values, a log searched again and again.
 */
#include "db_test.h"

#include <stdio.h>

#include "devbroker/txns.h"
#include "wire/msg_create_topics.h"
#include "wire/msg_init_producer_id.h"
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

static void forget_answers(void)
{
	kp_db_answer a;
	while (kp_db_next_answer(t->db, &a))
		kp_buf_deinit(&a.bytes);
}

/* A fetch that waits for a second is kept as it came: a megabyte of it is behind what it says. */
static void held_fetches_past_the_bound_are_answered_at_once(void **state)
{
	(void)state;
	size_t size = 1 << 20;
	kp_slice f = db_frame(t, KP_API_FETCH, 12, db_fetch_request(t, "t", 0, 0, 1 << 20, 1000));
	uint8_t *padded = test_calloc(1, size);
	memcpy(padded, f.ptr, f.len);
	uint64_t n = 20;
	size_t others = KP_DB_HELD_MAX - n * size;
	t->db->held_bytes = others;
	for (uint64_t conn = 1; conn <= n + 3; conn++) {
		assert_int_equal(0, kp_db_request(t->db, 1, conn, kp_slice_of(padded, size), 0));
		db_pass(t, 0);
		assert_int_equal(conn < n, kp_db_conn_is_waiting(t->db, conn));
		assert_true(t->db->held_bytes <= KP_DB_HELD_MAX);
	}
	forget_answers();
	for (uint64_t conn = 1; conn <= n; conn++)
		kp_db_conn_gone(t->db, conn);
	assert_int_equal(others, t->db->held_bytes);
	t->db->held_bytes = 0;
	test_free(padded);
}

static void held_produces_past_the_bound_time_out_at_once(void **state)
{
	(void)state;
	kp_produce_request q;
	kp_produce_response r;
	kp_db_set_hw_delay_us(t->db, KP_TIME_NEVER);
	t->db->held_bytes = KP_DB_HELD_MAX; /* as if others held that much */
	db_produce_request(t, "t", 0, -1, db_make_batch(t, &(db_batch){0}), &q);
	assert_int_equal(0, db_send(t, 1, CONN, KP_API_PRODUCE, 12, &q));
	db_pass(t, 0);
	db_take(t, CONN, t->correlation, KP_API_PRODUCE, 12, &r);
	assert_code(REQUEST_TIMED_OUT, db_produced_of(&r));
	assert_int_equal(0, db_produced_of(&r).base_offset); /* it is in the log */
	t->db->held_bytes -= KP_DB_HELD_MAX;
	assert_int_equal(0, t->db->held_bytes);
}

/* One batch releases two hundred fetches of a megabyte each: they are carried out as their answers are taken. */
static void released_fetches_wait_until_answers_are_taken(void **state)
{
	(void)state;
	int n = 200, n_answers = 0;
	kp_slice f = db_frame(t, KP_API_FETCH, 12, db_fetch_request(t, "t", 0, 0, 2 << 20, 1000));
	for (int i = 0; i < n; i++)
		assert_int_equal(0, kp_db_request(t->db, 1, CONN + (uint64_t)i, f, 0));
	assert_code(NONE, db_produce(t, 0, db_make_batch(t, &(db_batch){.value_size = 1000000})));
	assert_true(db_pass(t, 0) <= t->now_us); /* there is more to do */
	while (n_answers < n) {
		assert_true(t->db->answer_bytes < KP_DB_ANSWERS_PAUSE + (2 << 20));
		kp_db_answer a;
		while (kp_db_next_answer(t->db, &a)) {
			n_answers++;
			assert_true(a.bytes.len > 1000000);
			kp_buf_deinit(&a.bytes);
		}
		db_pass(t, 0);
	}
	assert_int_equal(n, n_answers);
	assert_int_equal(0, t->db->answer_bytes);
	assert_int_equal(KP_TIME_NEVER, db_pass(t, 0));
}

static void transactional_ids_are_bounded_by_their_bytes(void **state)
{
	(void)state;
	size_t size = 32000;
	char *name = test_calloc(1, size);
	kp_init_producer_id_response r;
	int16_t code = 0;
	for (size_t i = 0; i <= KP_DB_TXN_TEXT_MAX / (size - 1); i++) {
		kp_init_producer_id_request q;
		kp_wire_init(&kp_init_producer_id_request_schema, &q, 1);
		memset(name, 'x', size - 1);
		name[snprintf(name, size, "%zu", i)] = 'x';
		q.transactional_id = kp_slice_cstr(name);
		q.transaction_timeout_ms = 1000;
		assert_int_equal(0, code);
		db_call(t, kp_db_coordinator(t->db, KP_DB_COORDINATOR_TRANSACTION, name), KP_API_INIT_PRODUCER_ID, 4, &q, &r);
		code = r.error_code;
		kp_arena_reset(&t->arena);
	}
	assert_int_equal(KP_ERR_COORDINATOR_NOT_AVAILABLE, code);
	test_free(name);
}

static int16_t create(const char *topic, kp_slice value)
{
	kp_create_topics_request q;
	kp_create_topics_request_topic qt;
	kp_create_topics_request_config qc = {kp_slice_cstr("leader.replication.throttled.replicas"), value};
	kp_create_topics_response r;
	kp_wire_init(&kp_create_topics_request_schema, &q, 1);
	kp_wire_init(&kp_create_topics_request_topic_schema, &qt, 1);
	qt.name = kp_slice_cstr(topic);
	qt.num_partitions = qt.replication_factor = 1;
	qt.configs.items = &qc;
	qt.configs.n = 1;
	q.topics.items = &qt;
	q.topics.n = 1;
	db_call(t, 1, KP_API_CREATE_TOPICS, 5, &q, &r);
	int16_t code = r.topics.items[0].error_code;
	kp_arena_reset(&t->arena);
	return code;
}

static void topic_properties_are_bounded_by_their_bytes(void **state)
{
	(void)state;
	size_t size = 31999; /* 8000 times "0:1", and the commas between */
	char *value = test_malloc(size), topic[20];
	for (size_t i = 0; i < size; i++)
		value[i] = "0:1,"[i % 4];
	int16_t code = 0;
	for (size_t i = 0; i <= KP_DB_CONFIG_TEXT_MAX / (size + 1); i++) {
		assert_int_equal(0, code);
		snprintf(topic, sizeof(topic), "topic-%zu", i);
		code = create(topic, kp_slice_of(value, size));
	}
	assert_int_equal(KP_ERR_POLICY_VIOLATION, code);
	assert_int_equal(0, kp_db_delete_topic(t->db, "topic-0"));
	assert_int_equal(0, create("again", kp_slice_of(value, size)));
	value[5] = 0; /* what is behind it would be kept, and counted by nobody */
	assert_int_equal(KP_ERR_INVALID_CONFIG, create("nul", kp_slice_of(value, size)));
	test_free(value);
}

static void partition_is_listed_once_in_a_request(void **state)
{
	(void)state;
	kp_list_offsets_request q;
	kp_list_offsets_request_topic qt;
	kp_list_offsets_request_partition qp[4];
	kp_list_offsets_response r;
	kp_wire_init(&kp_list_offsets_request_schema, &q, 1);
	kp_wire_init(&kp_list_offsets_request_topic_schema, &qt, 1);
	kp_wire_init(&kp_list_offsets_request_partition_schema, qp, 4);
	for (int i = 0; i < 4; i++) {
		qp[i].partition_index = i == 1 ? 1 : 0; /* node 1 leads partition 0 */
		qp[i].timestamp = -1;
		qp[i].current_leader_epoch = -1;
	}
	qt.name = kp_slice_cstr("t");
	qt.partitions.items = qp;
	qt.partitions.n = 4;
	q.topics.items = &qt;
	q.topics.n = 1;
	db_call(t, 1, KP_API_LIST_OFFSETS, 5, &q, &r);
	assert_int_equal(2, r.topics.items[0].partitions.n);
	assert_int_equal(KP_ERR_INVALID_REQUEST, r.topics.items[0].partitions.items[0].error_code);
	assert_int_equal(KP_ERR_NOT_LEADER_OR_FOLLOWER, r.topics.items[0].partitions.items[1].error_code);
	qt.partitions.n = 1;
	db_call(t, 1, KP_API_LIST_OFFSETS, 5, &q, &r);
	assert_int_equal(0, r.topics.items[0].partitions.items[0].error_code);
}

/* A few kilobytes that become 64 MiB: the room for it does not stay. */
static void room_for_a_bomb_is_given_back(void **state)
{
	(void)state;
	kp_slice b = db_make_batch(t, &(db_batch){.value_size = 64 << 20, .attributes = KP_CODEC_ZSTD});
	assert_true(b.len < 100000);
	assert_code(NONE, db_produce(t, 0, b));
	assert_true(t->db->scratch.cap <= KP_DB_SCRATCH_KEEP);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(held_fetches_past_the_bound_are_answered_at_once),
		TEST(held_produces_past_the_bound_time_out_at_once),
		TEST(released_fetches_wait_until_answers_are_taken),
		TEST(transactional_ids_are_bounded_by_their_bytes),
		TEST(topic_properties_are_bounded_by_their_bytes),
		TEST(partition_is_listed_once_in_a_request),
		TEST(room_for_a_bomb_is_given_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
