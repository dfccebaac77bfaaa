/*
 * test_held.c - requests that wait: acks=all for the high watermark, Fetch for records; leaders that step down, nodes that die, order.
 */
#include "db_test.h"

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

/* Send without taking the answer; returns the correlation id. */
static int32_t send_produce(uint64_t conn, int32_t partition, int16_t acks, int32_t timeout_ms)
{
	kp_produce_request q;
	db_produce_request(t, "t", partition, acks, simple(), &q);
	q.timeout_ms = timeout_ms;
	assert_int_equal(0, db_send(t, partition + 1, conn, KP_API_PRODUCE, 12, &q));
	return t->correlation;
}

static db_produced take_produce(uint64_t conn, int32_t correlation)
{
	kp_produce_response r;
	db_take(t, conn, correlation, KP_API_PRODUCE, 12, &r);
	return db_produced_of(&r);
}

static int32_t send_fetch(uint64_t conn, int64_t offset, int32_t min_bytes, int32_t max_wait_ms)
{
	kp_fetch_request *q = db_fetch_request(t, "t", 0, offset, 1 << 20, max_wait_ms);
	q->min_bytes = min_bytes;
	assert_int_equal(0, db_send(t, 1, conn, KP_API_FETCH, 12, q));
	return t->correlation;
}

static size_t take_fetch(uint64_t conn, int32_t correlation, int16_t code)
{
	kp_fetch_response r;
	db_take(t, conn, correlation, KP_API_FETCH, 12, &r);
	assert_int_equal(code, r.responses.items[0].partitions.items[0].error_code);
	return r.responses.items[0].partitions.items[0].records.len;
}

static void acks_all_waits_for_the_high_watermark(void **state)
{
	(void)state;
	kp_db_set_hw_delay_us(t->db, 1000);
	int32_t all = send_produce(1, 0, -1, 30000);
	db_expect_no_answer(t);
	assert_true(kp_db_conn_is_waiting(t->db, 1));
	int32_t one = send_produce(2, 0, 1, 30000);
	assert_code(NONE, take_produce(2, one)); /* acks=1 does not wait */
	assert_int_equal(0, db_fetch(t, 1, "t", 0, 0, 1 << 20).records.len);
	assert_int_equal(1000, db_pass(t, 999));
	db_expect_no_answer(t);
	db_pass(t, 1);
	assert_code(NONE, take_produce(1, all));
	assert_false(kp_db_conn_is_waiting(t->db, 1));
	assert_int_equal(1, db_fetch(t, 1, "t", 0, 0, 1 << 20).high_watermark); /* the second batch takes the next round */
	assert_int_equal(KP_TIME_NEVER, db_pass(t, 1000));
	assert_int_equal(2, db_fetch(t, 1, "t", 0, 0, 1 << 20).high_watermark);
}

static void duplicate_waits_too(void **state)
{
	(void)state;
	kp_produce_request q;
	kp_db_set_hw_delay_us(t->db, 1000);
	db_produce_request(t, "t", 0, -1, db_make_batch(t, &(db_batch){.has_producer = true, .producer_id = 1}), &q);
	assert_int_equal(0, db_send(t, 1, 1, KP_API_PRODUCE, 12, &q));
	int32_t first = t->correlation;
	assert_int_equal(0, db_send(t, 1, 2, KP_API_PRODUCE, 12, &q));
	int32_t second = t->correlation;
	db_expect_no_answer(t);
	db_pass(t, 1000);
	assert_int_equal(0, take_produce(1, first).base_offset);
	assert_int_equal(0, take_produce(2, second).base_offset);
}

static void time_out_keeps_the_offset(void **state)
{
	(void)state;
	kp_db_set_hw_delay_us(t->db, KP_TIME_NEVER);
	int32_t c = send_produce(1, 0, -1, 50);
	assert_int_equal(50000, db_pass(t, 49999));
	db_expect_no_answer(t);
	assert_int_equal(KP_TIME_NEVER, db_pass(t, 1));
	db_produced p = take_produce(1, c);
	assert_code(REQUEST_TIMED_OUT, p);
	assert_int_equal(0, p.base_offset);
	kp_db_set_hw_delay_us(t->db, 10);
	db_pass(t, 0);
	db_pass(t, 10);
	assert_int_equal(1, db_fetch(t, 1, "t", 0, 0, 1 << 20).high_watermark);
}

static void leader_that_steps_down_answers_6_after_appending(void **state)
{
	(void)state;
	kp_db_partition_info info;
	kp_db_set_hw_delay_us(t->db, 1000);
	int32_t c = send_produce(1, 0, -1, 30000);
	assert_int_equal(0, kp_db_set_leader(t->db, "t", 0, 2));
	db_pass(t, 0);
	db_produced p = take_produce(1, c);
	assert_code(NOT_LEADER_OR_FOLLOWER, p);
	assert_int_equal(2, p.leader.leader_id);
	assert_int_equal(1, p.leader.leader_epoch);
	assert_int_equal(1, p.whole.node_endpoints.n);
	assert_int_equal(0, kp_db_partition_get(t->db, "t", 0, &info));
	assert_int_equal(1, info.end_offset);
}

static void replicated_batch_succeeds_although_the_leader_moved(void **state)
{
	(void)state;
	kp_db_set_hw_delay_us(t->db, 1000);
	int32_t c = send_produce(1, 0, -1, 30000);
	db_pass(t, 500);
	int32_t later = send_produce(2, 0, -1, 30000);
	t->now_us += 500; /* the first is replicated when the step comes, the second is not */
	kp_db_step(t->db, t->now_us);
	assert_int_equal(0, kp_db_set_leader(t->db, "t", 0, 2));
	db_pass(t, 0);
	assert_code(NONE, take_produce(1, c));
	assert_code(NOT_LEADER_OR_FOLLOWER, take_produce(2, later));
}

static void same_leader_again_goes_on_waiting(void **state)
{
	(void)state;
	kp_db_set_hw_delay_us(t->db, 1000);
	int32_t c = send_produce(1, 0, -1, 30000);
	assert_int_equal(0, kp_db_set_leader(t->db, "t", 0, 1));
	db_pass(t, 0);
	db_expect_no_answer(t);
	db_pass(t, 1000);
	assert_code(NONE, take_produce(1, c));
}

static void truncated_batch_is_not_acknowledged_by_what_follows(void **state)
{
	(void)state;
	kp_db_set_hw_delay_us(t->db, 1000);
	int32_t lost = send_produce(1, 0, -1, 30000);
	assert_int_equal(0, kp_db_truncate(t->db, "t", 0, 0));
	int32_t other = send_produce(2, 0, -1, 30000); /* at the same offset */
	db_pass(t, 2000);
	db_pass(t, 2000);
	assert_code(NOT_LEADER_OR_FOLLOWER, take_produce(1, lost));
	assert_code(NONE, take_produce(2, other));
}

static void deleted_topic_ends_the_wait(void **state)
{
	(void)state;
	kp_db_set_hw_delay_us(t->db, 1000);
	int32_t p = send_produce(1, 0, -1, 30000), f = send_fetch(2, 0, 1, 30000);
	assert_int_equal(0, kp_db_delete_topic(t->db, "t"));
	assert_int_equal(0, kp_db_create_topic(t->db, "t", 3, 3));
	kp_db_step(t->db, t->now_us);
	assert_code(UNKNOWN_TOPIC_OR_PARTITION, take_produce(1, p));
	db_expect_no_answer(t); /* the fetch, by name, goes on with the new topic */
	db_pass(t, 30000000);
	assert_int_equal(0, take_fetch(2, f, 0));
}

static void frames_behind_a_held_one_wait_in_order(void **state)
{
	(void)state;
	kp_db_partition_info info;
	kp_metadata_request q;
	kp_metadata_response r;
	kp_db_set_hw_delay_us(t->db, 1000);
	int32_t a = send_produce(1, 0, -1, 30000), b = send_produce(1, 0, -1, 30000);
	kp_wire_init(&kp_metadata_request_schema, &q, 1);
	assert_int_equal(0, db_send(t, 1, 1, KP_API_METADATA, 12, &q));
	int32_t c = t->correlation;
	assert_int_equal(0, kp_db_partition_get(t->db, "t", 0, &info));
	assert_int_equal(1, info.end_offset); /* the second is not even carried out */
	db_expect_no_answer(t);
	db_pass(t, 1000);
	assert_code(NONE, take_produce(1, a));
	db_expect_no_answer(t);
	db_pass(t, 1000);
	assert_int_equal(1, take_produce(1, b).base_offset);
	db_take(t, 1, c, KP_API_METADATA, 12, &r);
}

static void bad_frame_behind_a_held_one_closes_when_its_turn_comes(void **state)
{
	(void)state;
	kp_db_set_hw_delay_us(t->db, 1000);
	int32_t a = send_produce(1, 0, -1, 30000);
	assert_int_equal(0, kp_db_request(t->db, 1, 1, kp_slice_of("garbage", 7), t->now_us));
	db_pass(t, 1000);
	assert_code(NONE, take_produce(1, a));
	db_expect_close(t, 1);
	kp_db_conn_gone(t->db, 1);
}

static void gone_connection_gets_nothing(void **state)
{
	(void)state;
	kp_db_partition_info info;
	kp_db_set_hw_delay_us(t->db, 1000);
	send_produce(1, 0, -1, 30000);
	send_produce(1, 0, -1, 30000);
	send_fetch(2, 0, 1, 30000);
	kp_produce_request q;
	db_produce_request(t, "t", 1, 1, simple(), &q);
	assert_int_equal(0, db_send(t, 2, 3, KP_API_PRODUCE, 12, &q));
	assert_int_equal(0, db_send(t, 2, 4, KP_API_PRODUCE, 12, &q));
	int32_t other = t->correlation;
	kp_db_conn_gone(t->db, 1);
	kp_db_conn_gone(t->db, 2);
	kp_db_conn_gone(t->db, 3);
	kp_db_conn_gone(t->db, 55);
	assert_code(NONE, take_produce(4, other));
	db_expect_no_answer(t);
	db_pass(t, 60000000);
	db_expect_no_answer(t);
	assert_int_equal(0, kp_db_partition_get(t->db, "t", 0, &info));
	assert_int_equal(1, info.end_offset); /* what was appended stays, what waited was never carried out */
}

static void node_that_dies_takes_its_requests_with_it(void **state)
{
	(void)state;
	kp_metadata_request q;
	kp_metadata_response r;
	kp_db_set_hw_delay_us(t->db, 1000);
	send_produce(1, 0, -1, 30000);
	assert_int_equal(0, kp_db_node_set_up(t->db, 1, false));
	kp_wire_init(&kp_metadata_request_schema, &q, 1);
	assert_int_equal(KP_ERR_CLOSED, db_send(t, 1, 9, KP_API_METADATA, 12, &q));
	db_pass(t, 5000);
	db_expect_no_answer(t);
	q.topics.n = -1;
	db_call(t, 2, KP_API_METADATA, 12, &q, &r);
	assert_int_equal(2, r.brokers.n);
	assert_int_equal(2, r.controller_id);
	kp_metadata_response_partition *p = &r.topics.items[0].partitions.items[0];
	assert_int_equal(KP_ERR_LEADER_NOT_AVAILABLE, p->error_code);
	assert_int_equal(-1, p->leader_id);
	assert_int_equal(1, p->leader_epoch);
	assert_int_equal(3, p->replica_nodes.n);
	assert_int_equal(2, p->isr_nodes.n);
	assert_int_equal(1, p->offline_replicas.n);
	assert_int_equal(0, kp_db_node_set_up(t->db, 1, true));
	db_call(t, 1, KP_API_METADATA, 12, &q, &r);
	p = &r.topics.items[0].partitions.items[0];
	assert_int_equal(1, p->leader_id);
	assert_int_equal(2, p->leader_epoch);
}

static void fetch_waits_for_records(void **state)
{
	(void)state;
	int32_t f = send_fetch(1, 0, 1, 500);
	db_expect_no_answer(t);
	assert_int_equal(500000, db_pass(t, 1000));
	int32_t p = send_produce(2, 0, -1, 1000);
	db_pass(t, 0);
	assert_code(NONE, take_produce(2, p));
	assert_true(take_fetch(1, f, 0) > 0);
	assert_int_equal(KP_TIME_NEVER, db_pass(t, 0));
}

static void fetch_waits_for_min_bytes_and_then_no_longer(void **state)
{
	(void)state;
	size_t size = simple().len;
	int32_t f = send_fetch(1, 0, (int32_t)(2 * size), 500);
	take_produce(2, send_produce(2, 0, -1, 1000));
	db_pass(t, 0);
	db_expect_no_answer(t);
	take_produce(2, send_produce(2, 0, -1, 1000));
	db_pass(t, 0);
	assert_int_equal(2 * size, take_fetch(1, f, 0));
	f = send_fetch(1, 0, 1 << 20, 500);
	db_pass(t, 499999);
	db_expect_no_answer(t);
	db_pass(t, 1);
	assert_int_equal(2 * size, take_fetch(1, f, 0));
}

static void fetch_of_an_old_leader_ends(void **state)
{
	(void)state;
	int32_t f = send_fetch(1, 0, 1, 500);
	assert_int_equal(0, kp_db_set_leader(t->db, "t", 0, 2));
	db_pass(t, 0);
	assert_int_equal(0, take_fetch(1, f, KP_ERR_NOT_LEADER_OR_FOLLOWER));
}

static void freeing_with_everything_pending_leaks_nothing(void **state)
{
	(void)state;
	kp_db_set_hw_delay_us(t->db, KP_TIME_NEVER);
	send_produce(1, 0, -1, 30000);
	send_produce(1, 0, -1, 30000);
	send_fetch(2, 0, 1, 30000);
	send_produce(3, 1, 1, 30000); /* its answer is not taken */
	assert_int_equal(0, kp_db_inject_error(t->db, 0, KP_API_FETCH, 3, 3));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(acks_all_waits_for_the_high_watermark),
		TEST(duplicate_waits_too),
		TEST(time_out_keeps_the_offset),
		TEST(leader_that_steps_down_answers_6_after_appending),
		TEST(replicated_batch_succeeds_although_the_leader_moved),
		TEST(same_leader_again_goes_on_waiting),
		TEST(truncated_batch_is_not_acknowledged_by_what_follows),
		TEST(deleted_topic_ends_the_wait),
		TEST(frames_behind_a_held_one_wait_in_order),
		TEST(bad_frame_behind_a_held_one_closes_when_its_turn_comes),
		TEST(gone_connection_gets_nothing),
		TEST(node_that_dies_takes_its_requests_with_it),
		TEST(fetch_waits_for_records),
		TEST(fetch_waits_for_min_bytes_and_then_no_longer),
		TEST(fetch_of_an_old_leader_ends),
		TEST(freeing_with_everything_pending_leaks_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
