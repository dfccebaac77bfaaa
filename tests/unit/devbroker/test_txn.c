/*
 * test_txn.c - transactions from end to end: what is appended, decided, stable and aborted; both protocols; fencing; time.
 */
#include "txn_test.h"

#include "devbroker/producer_state.h"

static db_test *t;
static txn_producer p;

static int setup(void **state)
{
	(void)state;
	t = db_test_new();
	p = (txn_producer){.t = t, .name = "tx"};
	assert_int_equal(0, txn_init(&p));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	db_test_free(t);
	return 0;
}

static kp_db_marker marker_at(int32_t partition, int64_t offset)
{
	kp_slice batch;
	kp_db_marker m;
	assert_true(kp_db_log_walk(t->db, "t", partition, &offset, &batch));
	assert_true(kp_db_marker_load(batch, &m));
	assert_int_equal(KP_DB_MARKER_SIZE, batch.len);
	return m;
}

static void assert_log(int32_t partition, int64_t stable, int64_t end)
{
	assert_int_equal(stable, txn_partition(t, partition).last_stable_offset);
	assert_int_equal(end, txn_partition(t, partition).end_offset);
}

static void a_classic_transaction_is_stable_when_it_ends(void **state)
{
	(void)state;
	for (int is_commit = 0; is_commit < 2; is_commit++) {
		int64_t first = is_commit * 3;
		assert_int_equal(KP_ERR_TRANSACTION_ABORTABLE, txn_produce(&p, 11, 0, is_commit * 2));
		assert_int_equal(0, txn_add(&p, "t", 0));
		assert_int_equal(0, txn_add(&p, "t", 1));
		assert_int_equal(2, txn_info(&p).n_partitions);
		assert_int_equal(0, txn_produce(&p, 11, 0, is_commit * 2));
		assert_int_equal(0, txn_produce(&p, 11, 0, is_commit * 2 + 1));
		assert_log(0, first, first + 2);
		assert_int_equal(KP_DB_TXN_ONGOING, txn_info(&p).state);
		assert_int_equal(0, txn_end(&p, 4, is_commit));
		assert_log(0, first + 3, first + 3);
		assert_log(1, is_commit + 1, is_commit + 1);
		kp_db_marker m = marker_at(0, first + 2);
		assert_int_equal(is_commit, m.is_commit);
		assert_int_equal(0, m.producer_epoch);
		assert_int_equal(p.id, m.producer_id);
		assert_int_equal(is_commit ? KP_DB_TXN_COMPLETE_COMMIT : KP_DB_TXN_COMPLETE_ABORT, txn_info(&p).state);
		assert_int_equal(0, txn_info(&p).n_partitions);
	}
	size_t at = 0;
	kp_db_aborted a;
	assert_true(kp_db_aborted_walk(t->db, "t", 0, &at, &a));
	assert_int_equal(p.id, a.producer_id);
	assert_int_equal(0, a.first_offset);
	assert_int_equal(2, a.last_offset);
	assert_int_equal(3, a.last_stable_offset);
	assert_false(kp_db_aborted_walk(t->db, "t", 0, &at, &a));
}

static void kip_890_adds_by_producing_and_raises_the_epoch(void **state)
{
	(void)state;
	for (int16_t epoch = 0; epoch < 4; epoch++) {
		assert_int_equal(epoch, p.epoch);
		assert_int_equal(KP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, txn_produce(&p, 12, 1, 1));
		assert_int_equal(0, txn_produce(&p, 12, 1, 0));
		assert_int_equal(0, txn_produce(&p, 12, 1, 1));
		txn_producer old = p;
		assert_int_equal(0, txn_end(&p, 5, epoch % 2));
		assert_int_equal(epoch + 1, marker_at(1, 3 * epoch + 2).producer_epoch);
		assert_int_equal(KP_ERR_INVALID_PRODUCER_EPOCH, txn_produce(&old, 12, 1, 2));
		/* asked again: the same answer; the opposite: never */
		txn_producer again = old;
		assert_int_equal(KP_ERR_INVALID_TXN_STATE, txn_end(&old, 5, !(epoch % 2)));
		assert_int_equal(0, txn_end(&again, 5, epoch % 2));
		assert_int_equal(epoch + 1, again.epoch);
	}
	assert_log(1, 12, 12);
}

static void a_marker_waits_for_its_time_and_for_replication(void **state)
{
	(void)state;
	kp_db_set_marker_delay_us(t->db, 5000);
	assert_int_equal(0, txn_produce(&p, 12, 0, 0));
	txn_producer old = p;
	assert_int_equal(0, txn_end(&p, 5, true));
	assert_int_equal(KP_DB_TXN_PREPARE_COMMIT, txn_info(&p).state);
	assert_int_equal(KP_ERR_CONCURRENT_TRANSACTIONS, txn_produce(&p, 12, 0, 0));
	assert_int_equal(KP_ERR_CONCURRENT_TRANSACTIONS, txn_end(&old, 5, true));
	assert_int_equal(KP_ERR_CONCURRENT_TRANSACTIONS, txn_init(&p));
	kp_db_set_hw_delay_us(t->db, 1000);
	assert_int_equal(t->now_us + 5000, db_pass(t, 0));
	db_pass(t, 5000);
	assert_log(0, 0, 2);
	assert_int_equal(KP_DB_TXN_PREPARE_COMMIT, txn_info(&p).state);
	db_pass(t, 1000);
	assert_log(0, 2, 2);
	assert_int_equal(KP_DB_TXN_COMPLETE_COMMIT, txn_info(&p).state);
	kp_db_set_hw_delay_us(t->db, 0);
	assert_int_equal(0, txn_produce(&p, 12, 0, 0));
}

static void a_marker_that_a_new_leader_has_lost_is_written_again(void **state)
{
	(void)state;
	assert_int_equal(0, txn_produce(&p, 12, 0, 0));
	kp_db_set_hw_delay_us(t->db, KP_TIME_NEVER);
	assert_int_equal(0, txn_end(&p, 5, false));
	assert_log(0, 0, 2);
	assert_int_equal(0, kp_db_truncate(t->db, "t", 0, 1));
	assert_int_equal(0, kp_db_set_leader(t->db, "t", 0, 0));
	kp_db_set_hw_delay_us(t->db, 0);
	db_pass(t, 0);
	assert_log(0, 0, 1);
	assert_int_equal(KP_DB_TXN_PREPARE_ABORT, txn_info(&p).state);
	assert_int_equal(0, kp_db_set_leader(t->db, "t", 0, 2));
	db_pass(t, 0);
	assert_log(0, 2, 2);
	assert_false(marker_at(0, 1).is_commit);
	assert_int_equal(KP_DB_TXN_COMPLETE_ABORT, txn_info(&p).state);
}

static void a_deleted_partition_holds_nothing_up(void **state)
{
	(void)state;
	assert_int_equal(0, kp_db_create_topic(t->db, "gone", 1, 1));
	assert_int_equal(0, txn_add(&p, "gone", 0));
	assert_int_equal(0, kp_db_delete_topic(t->db, "gone"));
	assert_int_equal(0, txn_end(&p, 4, true));
	assert_int_equal(KP_DB_TXN_COMPLETE_COMMIT, txn_info(&p).state);
	assert_int_equal(KP_ERR_UNKNOWN_TOPIC_OR_PARTITION, txn_add(&p, "gone", 0));
	assert_int_equal(KP_ERR_UNKNOWN_TOPIC_OR_PARTITION, txn_add(&p, "t", 3));
}

static void who_initialises_fences_who_was_there(void **state)
{
	(void)state;
	for (int16_t version = 0; version <= 2; version += 2) {
		t->options.transaction_version = version;
		db_test *own = db_test_new_with(&t->options);
		assert_int_equal(0, kp_db_create_topic(own->db, "t", 1, 1));
		txn_producer zombie = {.t = own, .name = "tx"}, next = zombie;
		assert_int_equal(0, txn_init(&zombie));
		assert_int_equal(0, txn_add(&zombie, "t", 0));
		assert_int_equal(0, txn_produce(&zombie, 11, 0, 0));
		assert_int_equal(KP_ERR_CONCURRENT_TRANSACTIONS, txn_init(&next));
		assert_int_equal(0, txn_init(&next));
		assert_int_equal(zombie.epoch + 2, next.epoch);
		assert_int_equal(2, txn_partition(own, 0).last_stable_offset);
		assert_int_equal(KP_ERR_INVALID_PRODUCER_EPOCH, txn_produce(&zombie, 11, 0, 1));
		assert_int_equal(KP_ERR_PRODUCER_FENCED, txn_add(&zombie, "t", 0));
		assert_int_equal(KP_ERR_PRODUCER_FENCED, txn_end(&zombie, 4, true));
		assert_int_equal(KP_ERR_PRODUCER_FENCED, txn_end(&zombie, 5, true));
		assert_int_equal(KP_ERR_PRODUCER_FENCED, txn_init_again(&zombie));
		assert_int_equal(2, txn_partition(own, 0).end_offset);
		db_test_free(own);
	}
}

static void time_aborts_a_transaction(void **state)
{
	(void)state;
	p.timeout_ms = 1000;
	assert_int_equal(0, txn_init(&p));
	int16_t epoch = p.epoch;
	assert_int_equal(KP_TIME_NEVER, db_pass(t, 5000000)); /* an empty one has all the time */
	assert_int_equal(0, txn_produce(&p, 12, 0, 0));
	assert_int_equal(t->now_us + 1001000, db_pass(t, 0));
	db_pass(t, 1000000);
	assert_int_equal(KP_DB_TXN_ONGOING, txn_info(&p).state);
	db_pass(t, 1000);
	assert_int_equal(KP_DB_TXN_COMPLETE_ABORT, txn_info(&p).state);
	assert_int_equal(epoch + 1, txn_info(&p).epoch);
	assert_log(0, 2, 2);
	assert_int_equal(KP_ERR_INVALID_PRODUCER_EPOCH, txn_produce(&p, 12, 0, 1));
	assert_int_equal(KP_ERR_INVALID_TXN_STATE, txn_end(&p, 5, true));
	assert_int_equal(0, txn_init_again(&p)); /* KIP-890: the epoch that the fence raised is its */
	assert_int_equal(epoch + 1, p.epoch);
	assert_int_equal(0, txn_produce(&p, 12, 0, 0));
	assert_int_equal(0, kp_db_expire_txn(t->db, "tx", t->now_us));
	assert_int_equal(KP_DB_TXN_COMPLETE_ABORT, txn_info(&p).state);
	assert_int_equal(KP_ERR_BAD_ARGUMENT, kp_db_expire_txn(t->db, "tx", t->now_us));
}

static void a_moved_coordinator_goes_on(void **state)
{
	(void)state;
	int32_t home = txn_coordinator(&p), other = home % 3 + 1;
	kp_db_set_marker_delay_us(t->db, 1000);
	assert_int_equal(0, txn_produce(&p, 12, 0, 0));
	assert_int_equal(0, txn_end(&p, 5, true));
	assert_int_equal(0, kp_db_set_coordinator(t->db, KP_DB_COORDINATOR_TRANSACTION, "tx", 0));
	assert_int_equal(0, txn_coordinator(&p));
	db_pass(t, 1000);
	assert_int_equal(KP_DB_TXN_PREPARE_COMMIT, txn_info(&p).state);
	assert_int_equal(KP_ERR_NOT_ENOUGH_REPLICAS, txn_produce(&p, 12, 1, 0));
	assert_int_equal(0, kp_db_set_coordinator(t->db, KP_DB_COORDINATOR_TRANSACTION, "tx", other));
	assert_int_equal(other, txn_coordinator(&p));
	db_pass(t, 0);
	assert_int_equal(KP_DB_TXN_COMPLETE_COMMIT, txn_info(&p).state);
	assert_int_equal(2, marker_at(0, 1).coordinator_epoch);
	assert_int_equal(0, kp_db_set_coordinator(t->db, KP_DB_COORDINATOR_TRANSACTION, "tx", KP_DB_COORDINATOR_BY_HASH));
	assert_int_equal(home, txn_coordinator(&p));
	assert_int_equal(0, kp_db_node_set_up(t->db, home, false));
	assert_int_not_equal(home, txn_coordinator(&p));
	assert_int_equal(0, kp_db_node_set_up(t->db, home, true));
	assert_int_equal(home, txn_coordinator(&p));
	assert_int_equal(KP_ERR_BAD_ARGUMENT, kp_db_set_coordinator(t->db, 2, "tx", 1));
	assert_int_equal(KP_ERR_BAD_ARGUMENT, kp_db_set_coordinator(t->db, KP_DB_COORDINATOR_GROUP, "tx", 4));
}

static void epochs_run_out_and_a_new_id_is_given(void **state)
{
	(void)state;
	while (p.epoch < INT16_MAX - 1)
		assert_int_equal(0, txn_end(&p, 5, false));
	assert_int_equal(0, txn_produce(&p, 12, 0, 0));
	txn_producer old = p, again = p;
	assert_int_equal(0, txn_end(&p, 5, true));
	assert_int_not_equal(old.id, p.id);
	assert_int_equal(0, p.epoch);
	assert_int_equal(INT16_MAX, marker_at(0, 1).producer_epoch);
	assert_int_equal(0, txn_end(&again, 5, true));
	assert_int_equal(p.id, again.id);
	assert_int_equal(0, again.epoch);
	assert_int_equal(0, txn_produce(&p, 12, 0, 0));
	assert_int_equal(KP_ERR_INVALID_PRODUCER_EPOCH, txn_produce(&old, 12, 0, 1));
}

static void truncation_opens_what_its_marker_had_closed(void **state)
{
	(void)state;
	assert_int_equal(0, txn_produce(&p, 12, 0, 0));
	assert_int_equal(0, txn_end(&p, 5, false));
	assert_int_equal(0, txn_produce(&p, 12, 0, 0));
	assert_log(0, 2, 3);
	assert_int_equal(0, kp_db_truncate(t->db, "t", 0, 2));
	assert_log(0, 2, 2);
	assert_int_equal(0, kp_db_truncate(t->db, "t", 0, 1));
	assert_log(0, 0, 1);
	size_t at = 0;
	kp_db_aborted a;
	assert_false(kp_db_aborted_walk(t->db, "t", 0, &at, &a));
	assert_int_equal(0, kp_db_forget_producers(t->db, "t", 0, -1)); /* an open one stays */
	assert_log(0, 0, 1);
}

static void an_abort_is_told_from_its_own_first_record_on(void **state)
{
	(void)state;
	kp_db_aborted a;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(0, txn_produce(&p, 12, 0, 0));
		assert_int_equal(0, txn_end(&p, 5, true));
	}
	assert_int_equal(0, txn_produce(&p, 12, 0, 0));
	assert_int_equal(0, txn_end(&p, 5, false));
	for (int rebuilt = 0; rebuilt < 2; rebuilt++) {
		size_t at = 0;
		assert_true(kp_db_aborted_walk(t->db, "t", 0, &at, &a));
		assert_int_equal(6, a.first_offset);
		assert_int_equal(7, a.last_offset);
		assert_false(kp_db_aborted_walk(t->db, "t", 0, &at, &a));
		assert_log(0, 8, 8);
		assert_int_equal(0, kp_db_truncate(t->db, "t", 0, 8));
	}
}

static void transactions_do_not_keep_other_producers_out(void **state)
{
	(void)state;
	kp_db_producer_pool pool;
	kp_db_producers producers;
	bool is_needed;
	kp_db_producer_pool_init(&pool, 20);
	kp_db_producers_init(&producers, &pool);
	for (int64_t id = 0; id < 20; id++) {
		kp_batch_header h = {.producer_id = id, .attributes = KP_BATCH_TRANSACTIONAL, .base_offset = id};
		int code = kp_db_producers_verify(&producers, &h, true, &is_needed);
		assert_int_equal(id < 18 ? 0 : KP_ERR_NO_MEMORY, code);
		if (!code)
			kp_db_producers_note(&producers, &h);
	}
	for (int64_t id = 100; id < 110; id++)
		assert_int_equal(0, kp_db_producers_reserve(&producers, id));
	assert_int_equal(20, pool.n);
	assert_int_equal(18, pool.n_unstable);
	kp_db_marker m = {.producer_id = 0, .producer_epoch = 1};
	assert_int_equal(0, kp_db_producers_end(&producers, &m, 20));
	kp_db_producers_replicated(&producers, 21);
	assert_int_equal(17, pool.n_unstable);
	kp_db_producers_deinit(&producers);
	assert_int_equal(0, pool.n_unstable);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_classic_transaction_is_stable_when_it_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(kip_890_adds_by_producing_and_raises_the_epoch, setup, teardown),
		cmocka_unit_test_setup_teardown(a_marker_waits_for_its_time_and_for_replication, setup, teardown),
		cmocka_unit_test_setup_teardown(a_marker_that_a_new_leader_has_lost_is_written_again, setup, teardown),
		cmocka_unit_test_setup_teardown(a_deleted_partition_holds_nothing_up, setup, teardown),
		cmocka_unit_test_setup_teardown(who_initialises_fences_who_was_there, setup, teardown),
		cmocka_unit_test_setup_teardown(time_aborts_a_transaction, setup, teardown),
		cmocka_unit_test_setup_teardown(a_moved_coordinator_goes_on, setup, teardown),
		cmocka_unit_test_setup_teardown(epochs_run_out_and_a_new_id_is_given, setup, teardown),
		cmocka_unit_test_setup_teardown(an_abort_is_told_from_its_own_first_record_on, setup, teardown),
		cmocka_unit_test_setup_teardown(transactions_do_not_keep_other_producers_out, setup, teardown),
		cmocka_unit_test_setup_teardown(truncation_opens_what_its_marker_had_closed, setup, teardown),
	};
	return cmocka_run_group_tests_name("txn", tests, NULL, NULL);
}
