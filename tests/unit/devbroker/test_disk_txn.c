/*
 * test_disk_txn.c - transactions over restarts: what was open goes on or times out, what was decided is carried through, offsets stay.
 */
#include "disk_test.h"
#include "txn_test.h"

#include "wire/msg_txn_offset_commit.h"

static int16_t pend(txn_producer *p, int64_t offset)
{
	kp_txn_offset_commit_request_partition qp = {0, offset, -1, kp_slice_cstr("text")};
	kp_txn_offset_commit_request_topic qt = {.name = kp_slice_cstr("t")};
	kp_txn_offset_commit_request q;
	kp_txn_offset_commit_response r;
	kp_wire_init(&kp_txn_offset_commit_request_schema, &q, 1);
	q.transactional_id = kp_slice_cstr(p->name);
	q.group_id = kp_slice_cstr("g");
	q.producer_id = p->id;
	q.producer_epoch = p->epoch;
	qt.partitions.items = &qp;
	qt.partitions.n = 1;
	q.topics.items = &qt;
	q.topics.n = 1;
	db_call(p->t, kp_db_coordinator(p->t->db, KP_DB_COORDINATOR_GROUP, "g"), KP_API_TXN_OFFSET_COMMIT, 5, &q, &r);
	return r.topics.items[0].partitions.items[0].error_code;
}

static void restart(disk_test *d, txn_producer *p, bool is_sudden)
{
	(is_sudden ? disk_kill : disk_end)(d);
	disk_start(d);
	p->t = d->t;
}

static int64_t committed(const txn_producer *p, bool *is_pending)
{
	return kp_db_committed_offset(p->t->db, "g", "t", 0, is_pending);
}

static void an_open_transaction_goes_on(void **state)
{
	(void)state;
	bool is_pending;
	for (int sudden = 0; sudden < 2; sudden++) {
		disk_test *d = disk_test_with_topic(2);
		txn_producer p = {.t = d->t, .name = "tx"};
		assert_int_equal(0, txn_init(&p));
		for (int is_commit = 0; is_commit < 2; is_commit++) {
			assert_int_equal(0, txn_produce(&p, 12, 0, 0));
			assert_int_equal(0, pend(&p, 5));
			assert_int_equal(0, pend(&p, 6));
			restart(d, &p, sudden);
			assert_int_equal(KP_DB_TXN_ONGOING, txn_info(&p).state);
			assert_int_equal(1, txn_info(&p).n_partitions);
			assert_int_equal(1, txn_info(&p).n_groups);
			assert_int_equal(3 * is_commit, txn_partition(p.t, 0).last_stable_offset);
			assert_int_equal(-1, committed(&p, &is_pending));
			assert_true(is_pending);
			assert_int_equal(0, txn_produce(&p, 12, 0, 1));
			assert_int_equal(0, txn_end(&p, 5, is_commit));
			restart(d, &p, sudden);
			assert_int_equal(3 + 3 * is_commit, txn_partition(p.t, 0).last_stable_offset);
			assert_int_equal(is_commit ? 6 : -1, committed(&p, &is_pending));
			assert_false(is_pending);
		}
		size_t at = 0;
		kp_db_aborted a;
		assert_true(kp_db_aborted_walk(p.t->db, "t", 0, &at, &a));
		assert_int_equal(0, a.first_offset);
		assert_false(kp_db_aborted_walk(p.t->db, "t", 0, &at, &a));
		disk_test_free(d);
	}
}

static void what_was_decided_is_carried_through(void **state)
{
	(void)state;
	bool is_pending;
	disk_test *d = disk_test_with_topic(1);
	txn_producer p = {.t = d->t, .name = "tx"};
	assert_int_equal(0, txn_init(&p));
	kp_db_set_marker_delay_us(p.t->db, KP_TIME_NEVER / 2);
	assert_int_equal(0, txn_produce(&p, 12, 0, 0));
	assert_int_equal(0, pend(&p, 7));
	assert_int_equal(0, txn_end(&p, 5, true));
	assert_int_equal(KP_DB_TXN_PREPARE_COMMIT, txn_info(&p).state);
	restart(d, &p, true);
	assert_int_equal(KP_DB_TXN_PREPARE_COMMIT, txn_info(&p).state);
	db_pass(p.t, 0);
	assert_int_equal(KP_DB_TXN_COMPLETE_COMMIT, txn_info(&p).state);
	assert_int_equal(2, txn_partition(p.t, 0).last_stable_offset);
	assert_int_equal(7, committed(&p, &is_pending));
	assert_int_equal(0, txn_produce(&p, 12, 0, 0));
	disk_test_free(d);
}

static void time_goes_on_over_a_restart(void **state)
{
	(void)state;
	disk_test *d = disk_test_with_topic(1);
	txn_producer p = {.t = d->t, .name = "tx", .timeout_ms = 1000};
	assert_int_equal(0, txn_init(&p));
	assert_int_equal(0, txn_produce(&p, 12, 0, 0));
	disk_kill(d);
	d->options.wall_ms_at_zero += 1001;
	disk_start(d);
	p.t = d->t;
	db_pass(p.t, 0);
	assert_int_equal(KP_DB_TXN_COMPLETE_ABORT, txn_info(&p).state);
	assert_int_equal(KP_ERR_INVALID_PRODUCER_EPOCH, txn_produce(&p, 12, 0, 1));
	disk_test_free(d);
}

static void offsets_of_a_deleted_topic_do_not_come_back(void **state)
{
	(void)state;
	bool is_pending;
	disk_test *d = disk_test_with_topic(1);
	txn_producer p = {.t = d->t, .name = "tx"};
	assert_int_equal(0, txn_init(&p));
	assert_int_equal(0, pend(&p, 5));
	assert_int_equal(0, txn_end(&p, 5, true));
	assert_int_equal(0, pend(&p, 6));
	assert_int_equal(0, kp_db_delete_topic(p.t->db, "t"));
	assert_int_equal(0, kp_db_create_topic(p.t->db, "t", 1, 1));
	restart(d, &p, true);
	assert_int_equal(-1, committed(&p, &is_pending));
	assert_false(is_pending);
	assert_int_equal(0, txn_end(&p, 5, true));
	assert_int_equal(-1, committed(&p, &is_pending));
	disk_test_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_open_transaction_goes_on),
		cmocka_unit_test(what_was_decided_is_carried_through),
		cmocka_unit_test(time_goes_on_over_a_restart),
		cmocka_unit_test(offsets_of_a_deleted_topic_do_not_come_back),
	};
	return cmocka_run_group_tests_name("disk_txn", tests, NULL, NULL);
}
