/*
 * test_faults.c - the fault engine with the core: which rule fires when, what becomes of the request, the answer and the log.
 */
#include "txn_test.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "devbroker/faults.h"
#include "wire/msg_api_versions.h"
#include "wire/msg_delete_topics.h"
#include "wire/msg_init_producer_id.h"

#define MS 1000

static db_test *t;
static kp_faults *faults;
static char told[4096]; /* "1 2 1!": rules that fired, with ! when they had no effect */

static void on_fired(void *opaque, const kp_fault_info *rule, const kp_db_asked *q, const char *error)
{
	size_t len = strlen(told);
	(void)opaque;
	(void)q;
	snprintf(told + len, sizeof(told) - len, "%s%d%s", len ? " " : "", (int)rule->id, error ? "!" : "");
}

static int setup(void **state)
{
	(void)state;
	t = db_test_new();
	told[0] = 0;
	faults = kp_faults_new(1, on_fired, NULL);
	assert_non_null(faults);
	kp_db_judge judge = kp_faults_judge(faults);
	kp_db_set_judge(t->db, &judge);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	db_test_free(t);
	kp_faults_free(faults);
	return 0;
}

static void add(const char *script)
{
	kp_list rules;
	kp_buf errors;
	kp_list_init(&rules);
	kp_buf_init(&errors, 0);
	if (!kp_fault_script_parse(kp_slice_cstr(script), 3, &rules, &errors))
		fail_msg("%s", kp_buf_cstr(&errors));
	assert_int_equal(0, kp_faults_add(faults, &rules, t->now_us, NULL));
	assert_true(kp_list_empty(&rules));
	kp_buf_deinit(&errors);
}

/* Carry out what is due now, as a server does. */
static void run_due(void)
{
	kp_fault_event e;
	while (kp_faults_due(faults, t->now_us, &e)) {
		char why[200] = "";
		int err = kp_fault_act(t->db, &e.action, why, sizeof(why));
		kp_faults_done(faults, &e, err ? why : NULL);
	}
}

static kp_fault_info info(uint64_t id)
{
	kp_fault_info i;
	assert_true(kp_faults_next(faults, id - 1, &i));
	assert_int_equal(id, i.id);
	return i;
}

/* A produce to t/0 whose answer comes at once. */
static int16_t produce_code(void)
{
	return db_produce(t, 0, db_make_batch(t, &(db_batch){0})).code;
}

static int send_produce(int32_t partition, int16_t acks)
{
	kp_produce_request q;
	db_produce_request(t, "t", partition, acks, db_make_batch(t, &(db_batch){0}), &q);
	return db_send(t, partition + 1, CONN, KP_API_PRODUCE, 8, &q);
}

static kp_produce_response take_produce(void)
{
	kp_produce_response r;
	db_take(t, CONN, t->correlation, KP_API_PRODUCE, 8, &r);
	return r;
}

static db_produced produced(void)
{
	kp_produce_response r = take_produce();
	return db_produced_of(&r);
}

static int64_t end_of(int32_t partition)
{
	kp_db_partition_info i;
	assert_int_equal(0, kp_db_partition_get(t->db, "t", partition, &i));
	return i.end_offset;
}

/* Which of n produce requests were answered with code 7, as "..x.x". */
static const char *pattern(const char *script, int n)
{
	static char marks[200];
	kp_faults_clear(faults);
	add(script);
	for (int i = 0; i < n; i++)
		marks[i] = produce_code() == 7 ? 'x' : '.';
	marks[n] = 0;
	return marks;
}

static void counts_choose_requests(void **state)
{
	(void)state;
	assert_string_equal("xxx....", pattern("on produce first=3: error 7", 7));
	assert_string_equal("...x...", pattern("on produce nth=4: error 7", 7));
	assert_string_equal("..xxx..", pattern("on produce nth=3..5: error 7", 7));
	assert_string_equal("....xxx", pattern("on produce after=4: error 7", 7));
	assert_string_equal("..xx...", pattern("on produce after=2 first=2: error 7", 7));
	assert_string_equal("..x..x.", pattern("on produce every=3: error 7", 7));
	assert_string_equal("...x.x.", pattern("on produce after=2 every=2: error 7", 7));
	assert_string_equal("..x..x...", pattern("on produce every=3 times=2: error 7", 9));
	assert_string_equal("xxxx", pattern("on any: error 7", 4));
	assert_string_equal("xxxx", pattern("on 0,fetch: error 7", 4));
	assert_string_equal("....", pattern("on fetch: error 7", 4));
}

static void places_choose_requests(void **state)
{
	(void)state;
	assert_string_equal("xx", pattern("on produce topic=t partition=0 node=1: error 7", 2));
	assert_string_equal("xx", pattern("on any topic=?: error 7", 2));
	assert_string_equal("..", pattern("on produce topic=tt*: error 7", 2));
	assert_string_equal("..", pattern("on produce partition=1: error 7", 2));
	assert_string_equal("..", pattern("on produce node=2: error 7", 2));
	assert_string_equal("..", pattern("on produce client=nobody: error 7", 2));
	assert_string_equal("xx", pattern("on produce client=*: error 7", 2));
}

static void windows_choose_requests(void **state)
{
	(void)state;
	db_pass(t, 5000 * MS);
	add("on produce from=2s until=3s: error 7");
	assert_int_equal(0, produce_code());
	db_pass(t, 2000 * MS - 1);
	assert_int_equal(0, produce_code());
	db_pass(t, 1);
	assert_int_equal(7, produce_code());
	db_pass(t, 1000 * MS - 1);
	assert_int_equal(7, produce_code());
	db_pass(t, 1);
	assert_int_equal(0, produce_code());
	assert_int_equal(2, info(1).n_matched); /* outside of its window a rule counts nothing */
}

static void chance_replays_from_its_seed(void **state)
{
	(void)state;
	char first[200], n_fired = 0;
	snprintf(first, sizeof(first), "%s", pattern("on produce chance=30% seed=7: error 7", 100));
	for (int i = 0; i < 100; i++)
		n_fired += first[i] == 'x';
	assert_in_range(n_fired, 15, 45);
	assert_string_equal(first, pattern("on produce chance=30% seed=7: error 7", 100));
	/* whatever other rules draw */
	assert_string_equal(first, pattern("on any chance=50%: node 3 up; on produce chance=30% seed=7: error 7", 100));
	assert_string_not_equal(first, pattern("on produce chance=30% seed=8: error 7", 100));
	assert_string_equal("....................", pattern("on produce chance=0.000001%: error 7", 20));
	assert_string_equal("xxxxxxxxxxxxxxxxxxxx", pattern("on produce chance=100%: error 7", 20));
}

static void rules_without_a_seed_draw_from_the_engines(void **state)
{
	(void)state;
	char patterns[3][200];
	static const uint64_t seeds[3] = {5, 5, 6};
	for (int i = 0; i < 3; i++) {
		kp_faults_free(faults);
		faults = kp_faults_new(seeds[i], NULL, NULL);
		kp_db_judge judge = kp_faults_judge(faults);
		kp_db_set_judge(t->db, &judge);
		snprintf(patterns[i], sizeof(patterns[i]), "%s", pattern("on produce chance=50%: error 7", 50));
	}
	assert_string_equal(patterns[0], patterns[1]);
	assert_string_not_equal(patterns[0], patterns[2]);
}

static void each_rule_counts_for_itself_and_the_first_error_wins(void **state)
{
	(void)state;
	add("on produce first=1: error 7; on produce first=3: error 6; on produce: error 3");
	static const int16_t expected[] = {7, 6, 6, 3};
	for (size_t i = 0; i < KP_ARRAY_LEN(expected); i++)
		assert_int_equal(expected[i], produce_code());
	assert_int_equal(4, info(3).n_matched);
	assert_int_equal(0, end_of(0));
}

static void error_is_of_the_partition_that_was_named(void **state)
{
	(void)state;
	kp_produce_request q, second;
	kp_produce_response r;
	add("on produce partition=1: error 19");
	assert_int_equal(0, kp_db_set_leader(t->db, "t", 1, 1));
	kp_slice batch = db_make_batch(t, &(db_batch){0});
	db_produce_request(t, "t", 0, -1, batch, &q);
	db_produce_request(t, "t", 1, -1, batch, &second);
	kp_produce_request_partition both[] = {q.topic_data.items[0].partition_data.items[0],
	                                       second.topic_data.items[0].partition_data.items[0]};
	q.topic_data.items[0].partition_data.items = both;
	q.topic_data.items[0].partition_data.n = 2;
	db_call(t, 1, KP_API_PRODUCE, 8, &q, &r);
	assert_int_equal(0, r.responses.items[0].partition_responses.items[0].error_code);
	assert_int_equal(19, r.responses.items[0].partition_responses.items[1].error_code);
	assert_int_equal(1, end_of(0));
	assert_int_equal(0, end_of(1));
}

static void errors_of_other_apis(void **state)
{
	(void)state;
	kp_init_producer_id_request q;
	kp_init_producer_id_response r;
	add("on init_producer_id first=1: error COORDINATOR_LOAD_IN_PROGRESS; on fetch topic=t partition=0: error 1; on metadata topic=t: error 5");
	kp_wire_init(&kp_init_producer_id_request_schema, &q, 1);
	q.transactional_id = kp_slice_null();
	db_call(t, 1, KP_API_INIT_PRODUCER_ID, 4, &q, &r);
	assert_int_equal(14, r.error_code);
	db_call(t, 1, KP_API_INIT_PRODUCER_ID, 4, &q, &r);
	assert_int_equal(0, r.error_code);
	assert_int_equal(1, db_fetch(t, 1, "t", 0, 0, 1000).error_code);
	assert_int_equal(0, db_fetch(t, 2, "t", 1, 0, 1000).error_code);
	for (int is_all = 0; is_all < 2; is_all++) {
		kp_metadata_request m;
		kp_metadata_request_topic one;
		kp_metadata_response answer;
		kp_wire_init(&kp_metadata_request_schema, &m, 1);
		kp_wire_init(&kp_metadata_request_topic_schema, &one, 1);
		one.name = kp_slice_cstr("t");
		m.topics.items = &one;
		m.topics.n = is_all ? -1 : 1;
		db_call(t, 1, KP_API_METADATA, 12, &m, &answer);
		assert_int_equal(1, answer.topics.n);
		assert_int_equal(5, answer.topics.items[0].error_code);
	}
	assert_int_equal(1, info(1).n_fired);
	assert_int_equal(1, info(2).n_fired);
}

static void error_after_is_answered_once_the_batch_is_appended(void **state)
{
	(void)state;
	add("on produce first=1: error NOT_ENOUGH_REPLICAS_AFTER_APPEND after");
	db_batch b = {.has_producer = true, .producer_id = 9, .n = 3};
	db_produced p = db_produce(t, 0, db_make_batch(t, &b));
	assert_int_equal(20, p.code);
	assert_int_equal(-1, p.base_offset);
	assert_int_equal(3, end_of(0));
	p = db_produce(t, 0, db_make_batch(t, &b)); /* the retry is a duplicate */
	assert_int_equal(0, p.code);
	assert_int_equal(0, p.base_offset);
	assert_int_equal(3, end_of(0));
}

static void error_after_stays_when_replication_takes_too_long(void **state)
{
	(void)state;
	add("at 0s: replication stopped; on produce first=1: error NOT_ENOUGH_REPLICAS_AFTER_APPEND after");
	run_due();
	assert_int_equal(20, produce_code());
	assert_int_equal(1, end_of(0));
	assert_int_equal(0, send_produce(0, -1));
	db_expect_no_answer(t); /* the next one waits */
}

static void drop_before_and_after(void **state)
{
	(void)state;
	add("on produce nth=1: drop before; on produce nth=2: drop after");
	assert_int_equal(KP_ERR_CLOSED, send_produce(0, -1));
	db_expect_no_answer(t);
	assert_int_equal(0, end_of(0));
	kp_db_conn_gone(t->db, CONN);
	assert_int_equal(0, send_produce(0, -1));
	db_expect_close(t, CONN);
	assert_int_equal(1, end_of(0));
	assert_int_equal(KP_ERR_CLOSED, send_produce(0, -1));
	kp_db_conn_gone(t->db, CONN);
	assert_int_equal(0, send_produce(0, -1));
	assert_int_equal(1, produced().base_offset);
}

static void drop_after_of_a_request_without_answer(void **state)
{
	(void)state;
	add("on produce nth=1: drop after");
	assert_int_equal(0, send_produce(0, 0));
	db_expect_close(t, CONN);
	assert_int_equal(1, end_of(0));
}

static void delayed_answer_mutes_the_connection(void **state)
{
	(void)state;
	add("on produce nth=1: delay 100ms; on produce nth=1: delay 50ms");
	assert_int_equal(0, send_produce(0, -1));
	int32_t first = t->correlation;
	assert_int_equal(1, end_of(0));
	assert_true(kp_db_conn_is_waiting(t->db, CONN));
	assert_int_equal(0, send_produce(0, -1)); /* stored behind it */
	db_expect_no_answer(t);
	assert_int_equal(t->now_us + 1, db_pass(t, 150 * MS - 1));
	db_expect_no_answer(t);
	assert_int_equal(1, end_of(0));
	db_pass(t, 1);
	kp_produce_response r;
	db_take(t, CONN, first, KP_API_PRODUCE, 8, &r);
	assert_int_equal(0, db_produced_of(&r).base_offset);
	db_take(t, CONN, t->correlation, KP_API_PRODUCE, 8, &r);
	assert_int_equal(1, db_produced_of(&r).base_offset);
	assert_false(kp_db_conn_is_waiting(t->db, CONN));
}

static void delay_before_carries_the_request_out_later(void **state)
{
	(void)state;
	kp_db_stats before, after;
	add("on produce first=1: delay 100ms before; on produce: delay 10ms");
	assert_int_equal(0, send_produce(0, -1));
	kp_db_get_stats(t->db, &before);
	assert_int_equal(0, end_of(0));
	db_pass(t, 100 * MS);
	assert_int_equal(1, end_of(0));
	db_expect_no_answer(t);
	db_pass(t, 10 * MS);
	take_produce();
	kp_db_get_stats(t->db, &after);
	assert_int_equal(before.n_requests + 1, after.n_requests);
	assert_string_equal("1 2", told);
}

static void delay_counts_from_the_answer_of_a_held_request(void **state)
{
	(void)state;
	add("on produce: delay 100ms");
	kp_db_set_hw_delay_us(t->db, 40 * MS);
	assert_int_equal(0, send_produce(0, -1));
	db_pass(t, 100 * MS);
	db_expect_no_answer(t);
	db_pass(t, 100 * MS);
	assert_int_equal(0, produced().code);
}

static void delay_within_a_range_is_drawn(void **state)
{
	(void)state;
	int64_t least = INT64_MAX, most = 0;
	add("on produce: delay 10ms..20ms");
	for (int i = 0; i < 50; i++) {
		assert_int_equal(0, send_produce(0, -1));
		int64_t took = kp_db_step(t->db, t->now_us) - t->now_us;
		least = took < least ? took : least;
		most = took > most ? took : most;
		db_pass(t, 20 * MS);
		take_produce();
	}
	assert_in_range(least, 10 * MS, 13 * MS);
	assert_in_range(most, 17 * MS, 20 * MS);
}

static void end_of_a_mute_is_told_when_nothing_is_answered(void **state)
{
	(void)state;
	kp_db_answer a;
	add("on produce nth=1: throttle 100ms; on produce nth=2: delay 100ms; on produce nth=3: delay 100ms before");
	for (int i = 0; i < 3; i++) {
		assert_int_equal(0, send_produce(0, 0));
		db_expect_no_answer(t);
		assert_true(kp_db_conn_is_waiting(t->db, CONN));
		db_pass(t, 100 * MS);
		assert_true(kp_db_next_answer(t->db, &a));
		assert_int_equal(CONN, a.conn);
		assert_int_equal(0, a.bytes.len);
		assert_false(a.is_close);
		db_expect_no_answer(t);
		assert_false(kp_db_conn_is_waiting(t->db, CONN));
	}
	assert_int_equal(3, end_of(0));
}

static void throttle_is_told_and_mutes(void **state)
{
	(void)state;
	add("on produce first=1: throttle 300ms");
	assert_int_equal(0, send_produce(0, -1));
	db_pass(t, 0);
	assert_int_equal(300, take_produce().throttle_time_ms);
	assert_true(kp_db_conn_is_waiting(t->db, CONN));
	assert_int_equal(0, send_produce(0, -1));
	db_pass(t, 300 * MS - 1);
	db_expect_no_answer(t);
	db_pass(t, 1);
	assert_int_equal(0, take_produce().throttle_time_ms);
}

/* All bytes of answers that are there, and whether the last one closes. */
static kp_slice take_bytes(bool *is_close)
{
	kp_slice all = kp_slice_of("", 0);
	kp_db_answer a;
	*is_close = false;
	while (kp_db_next_answer(t->db, &a)) {
		all = db_join(t, all, kp_buf_slice(&a.bytes));
		kp_buf_deinit(&a.bytes);
		*is_close = a.is_close;
	}
	return all;
}

static void partial_answer_then_close(void **state)
{
	(void)state;
	bool is_close;
	add("on produce nth=1: partial 10; on produce nth=2: partial 1k");
	assert_int_equal(0, send_produce(0, -1));
	kp_slice bytes = take_bytes(&is_close);
	assert_int_equal(10, bytes.len);
	assert_true(is_close);
	assert_int_equal(KP_ERR_CLOSED, send_produce(0, -1));
	kp_db_conn_gone(t->db, CONN);
	assert_int_equal(0, send_produce(0, -1));
	bytes = take_bytes(&is_close);
	assert_int_equal(4 + kp_load_be32(bytes.ptr), bytes.len);
	assert_true(is_close);
}

static void dripping_answer_comes_in_pieces(void **state)
{
	(void)state;
	bool is_close;
	add("on produce nth=1: drip 100/s; on produce nth=2: drip 10/s; on produce nth=2: partial 3");
	assert_int_equal(0, send_produce(0, -1));
	db_pass(t, 0);
	kp_slice bytes = take_bytes(&is_close);
	assert_int_equal(5, bytes.len);
	size_t whole = 4 + kp_load_be32(bytes.ptr), n = 5;
	for (; n < whole; n += bytes.len) {
		assert_int_equal(0, take_bytes(&is_close).len);
		assert_true(kp_db_conn_is_waiting(t->db, CONN));
		db_pass(t, 50 * MS);
		bytes = take_bytes(&is_close);
		assert_in_range(bytes.len, 1, 5);
		assert_false(is_close);
	}
	assert_int_equal(whole, n);
	assert_false(kp_db_conn_is_waiting(t->db, CONN));
	assert_int_equal(0, send_produce(0, -1));
	for (int i = 0; i < 3; i++) {
		db_pass(t, i ? 100 * MS : 0);
		assert_int_equal(1, take_bytes(&is_close).len);
		assert_int_equal(i == 2, is_close);
	}
	assert_int_equal(KP_TIME_NEVER, db_pass(t, 0));
}

static void what_is_held_back_goes_with_its_connection(void **state)
{
	(void)state;
	add("on produce nth=1: delay 1s; on produce nth=2: delay 1s before; on produce nth=3: delay 1s");
	for (int i = 0; i < 3; i++) {
		assert_int_equal(0, send_produce(0, -1));
		if (i == 2)
			assert_int_equal(0, kp_db_node_set_up(t->db, 1, false));
		kp_db_conn_gone(t->db, CONN);
	}
	assert_int_equal(2, end_of(0));
	db_pass(t, 2000 * MS);
	db_expect_no_answer(t);
	assert_int_equal(2, end_of(0));
}

static void timed_actions(void **state)
{
	(void)state;
	kp_db_partition_info i;
	for (int n = 0; n < 5; n++)
		assert_int_equal(0, produce_code());
	db_pass(t, 1000 * MS);
	add("at 3s: leader t/0 = 3; at 1s every 2s times 2: cut t/0 by 2; at 2s: leader t/1 = none; at 2s: node 2 down; at 4s: node 2 up;"
	    "at 2s: cut nope/0 by 1; at 2s: cut t/9 by 1; at 2s: leader t/2 = next");
	assert_int_equal(2000 * MS, kp_faults_deadline(faults));
	run_due();
	assert_int_equal(5, end_of(0));
	t->now_us += 1000 * MS;
	run_due();
	assert_int_equal(3, end_of(0));
	t->now_us += 3000 * MS; /* late: in order of time, then of the script */
	run_due();
	assert_string_equal("2 3 4 6! 7! 8 1 2 5", told);
	assert_int_equal(1, end_of(0));
	assert_int_equal(0, kp_db_partition_get(t->db, "t", 0, &i));
	assert_int_equal(3, i.leader);
	assert_int_equal(0, kp_db_partition_get(t->db, "t", 1, &i));
	assert_int_equal(0, i.leader);
	assert_int_equal(0, kp_db_partition_get(t->db, "t", 2, &i));
	assert_int_equal(1, i.leader);
	assert_int_equal(KP_TIME_NEVER, kp_faults_deadline(faults));
	assert_int_equal(2, info(2).n_fired);
	assert_int_equal(0, info(6).n_fired);
}

static void times_that_were_slept_through_are_not_made_up_for(void **state)
{
	(void)state;
	add("at 1s every 1s: replication 0s");
	t->now_us += 10500 * MS;
	run_due();
	assert_int_equal(1, info(1).n_fired);
	assert_int_equal(11000 * MS, kp_faults_deadline(faults));
	t->now_us = 11000 * MS;
	run_due();
	assert_int_equal(2, info(1).n_fired);
}

static void leader_next_goes_round_the_nodes_that_are_up(void **state)
{
	(void)state;
	kp_db_partition_info i;
	assert_int_equal(0, kp_db_node_set_up(t->db, 2, false));
	add("at 0s every 1s: leader t/0 = next");
	static const int32_t leaders[] = {3, 1, 3};
	for (size_t n = 0; n < KP_ARRAY_LEN(leaders); n++) {
		run_due();
		assert_int_equal(0, kp_db_partition_get(t->db, "t", 0, &i));
		assert_int_equal(leaders[n], i.leader);
		t->now_us += 1000 * MS;
	}
}

static void forgotten_producers_may_start_anywhere(void **state)
{
	(void)state;
	db_batch b = {.has_producer = true, .producer_id = 9, .sequence = 0};
	assert_int_equal(0, db_produce(t, 0, db_make_batch(t, &b)).code);
	b.sequence = 77;
	assert_code(OUT_OF_ORDER_SEQUENCE_NUMBER, db_produce(t, 0, db_make_batch(t, &b)));
	add("at 0s: forget producers t/*");
	run_due();
	assert_int_equal(0, db_produce(t, 0, db_make_batch(t, &b)).code);
}

static void coordinators_and_transactions_are_acted_on(void **state)
{
	(void)state;
	txn_producer p = {.t = t, .name = "tx"};
	assert_int_equal(0, txn_init(&p));
	int32_t home = txn_coordinator(&p);
	add("at 0s: coordinator transaction tx = next; at 1s: coordinator transaction tx = none; at 2s: coordinator transaction tx = hash");
	run_due();
	assert_int_equal(home % 3 + 1, txn_coordinator(&p));
	t->now_us += 1000 * MS;
	run_due();
	assert_int_equal(0, txn_coordinator(&p));
	t->now_us += 1000 * MS;
	run_due();
	assert_int_equal(home, txn_coordinator(&p));
	add("at 0s: markers 1s; at 0s: expire transaction tx");
	run_due(); /* it has nothing open */
	assert_int_equal(0, txn_produce(&p, 12, 0, 0));
	add("at 0s: expire transaction tx");
	run_due();
	assert_int_equal(KP_DB_TXN_PREPARE_ABORT, txn_info(&p).state);
	db_pass(t, 1000 * MS);
	assert_int_equal(KP_DB_TXN_COMPLETE_ABORT, txn_info(&p).state);
	assert_int_equal(0, txn_init_again(&p));
	add("on end_txn first=1: error CONCURRENT_TRANSACTIONS after; on add_partitions_to_txn topic=t partition=1: error 53");
	assert_int_equal(0, txn_add(&p, "t", 0));
	assert_int_equal(KP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED, txn_add(&p, "t", 1));
	assert_int_equal(KP_ERR_CONCURRENT_TRANSACTIONS, txn_end(&p, 4, true));
	assert_int_equal(KP_DB_TXN_PREPARE_COMMIT, txn_info(&p).state);
}

static void replication_is_stopped_and_goes_on(void **state)
{
	(void)state;
	add("at 0s: replication stopped; at 1s: replication 0s");
	run_due();
	assert_int_equal(0, send_produce(0, -1));
	db_pass(t, 900 * MS);
	db_expect_no_answer(t);
	t->now_us += 100 * MS;
	run_due();
	db_pass(t, 0);
	assert_int_equal(0, produced().code);
}

static void requests_can_bring_about_what_happens_to_the_cluster(void **state)
{
	(void)state;
	kp_db_partition_info i;
	add("on produce nth=2: leader t/0 = 2");
	assert_int_equal(0, produce_code());
	assert_false(kp_faults_is_due(faults));
	assert_int_equal(0, produce_code()); /* the request itself is carried out */
	assert_true(kp_faults_is_due(faults));
	run_due();
	assert_false(kp_faults_is_due(faults));
	assert_int_equal(0, kp_db_partition_get(t->db, "t", 0, &i));
	assert_int_equal(2, i.leader);
	assert_int_equal(2, i.end_offset);
	assert_int_equal(1, info(1).n_fired);
}

static void nodes_come_up_by_themselves(void **state)
{
	(void)state;
	kp_fault_event e;
	assert_int_equal(0, kp_faults_up_at(faults, 2, 300));
	assert_int_equal(0, kp_faults_up_at(faults, 1, 200));
	assert_int_equal(0, kp_faults_up_at(faults, 2, 400)); /* instead */
	assert_int_equal(0, kp_faults_up_at(faults, 3, 100));
	assert_int_equal(0, kp_faults_up_at(faults, 3, KP_TIME_NEVER));
	assert_int_equal(200, kp_faults_deadline(faults));
	assert_false(kp_faults_due(faults, 199, &e));
	assert_true(kp_faults_due(faults, 400, &e));
	assert_int_equal(1, e.action.node);
	assert_int_equal(KP_FAULT_NODE_UP, e.action.kind);
	assert_true(kp_faults_due(faults, 400, &e));
	assert_int_equal(2, e.action.node);
	assert_false(kp_faults_due(faults, 1000, &e));
}

static void rules_are_removed_one_by_one_or_all(void **state)
{
	(void)state;
	kp_fault_info i;
	add("on produce: error 7; on produce: error 6; at 1s: node 1 down");
	assert_true(kp_faults_has_requests(faults));
	assert_false(kp_faults_remove(faults, 9));
	assert_true(kp_faults_remove(faults, 1));
	assert_false(kp_faults_remove(faults, 1));
	assert_int_equal(6, produce_code());
	kp_faults_clear(faults);
	assert_false(kp_faults_has_requests(faults));
	assert_false(kp_faults_next(faults, 0, &i));
	assert_int_equal(0, produce_code());
	add("on produce: error 7");
	assert_true(kp_faults_next(faults, 0, &i));
	assert_int_equal(4, i.id); /* numbers are not used again */
}

static int failing_at;

static void *failing_realloc(void *ptr, size_t size, void *opaque)
{
	(void)opaque;
	return failing_at-- == 0 ? NULL : realloc(ptr, size);
}

static void failing_free(void *ptr, void *opaque)
{
	(void)opaque;
	free(ptr);
}

/* Each allocation in turn fails: a rule is added or still the caller's, a request is answered in time or its connection closed. */
static void memory_that_is_out_loses_no_rule_and_no_request_silently(void **state)
{
	(void)state;
	static const kp_allocator failing = {failing_realloc, failing_free, NULL};
	int n = 0;
	for (int err = -1; err && n < 50; n++) {
		kp_list rules;
		kp_buf errors;
		kp_list_init(&rules);
		kp_buf_init(&errors, 0);
		kp_faults_clear(faults);
		assert_true(kp_fault_script_parse(kp_slice_cstr("on produce: drip 1k/s; on produce nth=2: delay 1ms before"), 3,
		                                  &rules, &errors));
		failing_at = n;
		kp_mem_set_allocator(&failing);
		err = kp_faults_add(faults, &rules, t->now_us, NULL);
		kp_mem_set_allocator(NULL);
		assert_int_equal(err == 0, kp_list_empty(&rules));
		for (kp_list *l; (l = kp_list_first(&rules));)
			kp_fault_rule_free(KP_CONTAINER_OF(l, kp_fault_rule, link));
	}
	assert_true(n > 1 && n < 50);
	int n_lost = 0;
	for (n = 0; n < 40; n++) {
		kp_produce_request q;
		kp_db_answer a;
		bool is_answered = false, is_closed = false;
		db_produce_request(t, "t", 0, -1, db_make_batch(t, &(db_batch){0}), &q);
		kp_slice frame = db_frame(t, KP_API_PRODUCE, 8, &q);
		failing_at = n;
		kp_mem_set_allocator(&failing);
		is_closed = kp_db_request(t->db, 1, CONN, frame, t->now_us) != 0;
		for (int i = 0; i < 20; i++)
			kp_db_step(t->db, t->now_us += 50 * MS);
		kp_mem_set_allocator(NULL);
		while (kp_db_next_answer(t->db, &a)) {
			is_answered |= a.bytes.len > 0;
			is_closed |= a.is_close;
			kp_buf_deinit(&a.bytes);
		}
		kp_db_conn_gone(t->db, CONN);
		n_lost += !is_answered && !is_closed;
	}
	assert_int_equal(0, n_lost);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(counts_choose_requests),
		TEST(places_choose_requests),
		TEST(windows_choose_requests),
		TEST(chance_replays_from_its_seed),
		TEST(rules_without_a_seed_draw_from_the_engines),
		TEST(each_rule_counts_for_itself_and_the_first_error_wins),
		TEST(error_is_of_the_partition_that_was_named),
		TEST(errors_of_other_apis),
		TEST(error_after_is_answered_once_the_batch_is_appended),
		TEST(error_after_stays_when_replication_takes_too_long),
		TEST(drop_before_and_after),
		TEST(drop_after_of_a_request_without_answer),
		TEST(delayed_answer_mutes_the_connection),
		TEST(delay_before_carries_the_request_out_later),
		TEST(delay_counts_from_the_answer_of_a_held_request),
		TEST(delay_within_a_range_is_drawn),
		TEST(end_of_a_mute_is_told_when_nothing_is_answered),
		TEST(throttle_is_told_and_mutes),
		TEST(partial_answer_then_close),
		TEST(dripping_answer_comes_in_pieces),
		TEST(what_is_held_back_goes_with_its_connection),
		TEST(timed_actions),
		TEST(times_that_were_slept_through_are_not_made_up_for),
		TEST(memory_that_is_out_loses_no_rule_and_no_request_silently),
		TEST(leader_next_goes_round_the_nodes_that_are_up),
		TEST(forgotten_producers_may_start_anywhere),
		TEST(coordinators_and_transactions_are_acted_on),
		TEST(replication_is_stopped_and_goes_on),
		TEST(requests_can_bring_about_what_happens_to_the_cluster),
		TEST(nodes_come_up_by_themselves),
		TEST(rules_are_removed_one_by_one_or_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
