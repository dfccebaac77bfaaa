/*
 * test_transactions.c - the calls of transactions against the development broker: which call fits which state, what a time-out leaves behind,
 * to which transaction a record of another thread belongs.
 */
#include "fixture.h"

#include <sched.h>

#include <kproducer/transaction.h>

#include "devbroker/core.h"
#include "wire/messages.h"

static kp_producer *transactional(const char *id, collector *c)
{
	kp_producer *p = producer_of(broker_servers(the_broker), c, NULL, PAIRS("transactional.id", id));
	assert_non_null(p);
	return p;
}

static kp_producer *initialized(const char *id, collector *c)
{
	kp_producer *p = transactional(id, c);
	assert_int_equal(0, kp_init_transactions(p, PATIENCE_MS, NULL));
	return p;
}

static void send_value(kp_producer *p, const char *topic, const char *value, int expected)
{
	kp_topic *t = kp_topic_open(p, topic);
	kp_record r = record_of(NULL, value);
	assert_int_equal(expected, kp_send(t, &r));
}

#define GROUP ((kp_group_metadata){sizeof(kp_group_metadata), "group", -1, NULL, NULL})

static int send_offset(kp_producer *p, int timeout_ms, kp_txn_error *e)
{
	kp_group_metadata group = GROUP;
	kp_offset offset = KP_OFFSET_INIT;
	offset.topic = "offsets";
	offset.offset = 7;
	return kp_send_offsets_to_transaction(p, &group, &offset, 1, timeout_ms, e);
}

/* Calls, in the order of the table below. */
enum { INIT, BEGIN, OFFSETS, COMMIT, ABORT, N_CALLS };

static int call(kp_producer *p, int which, int timeout_ms, kp_txn_error *e)
{
	switch (which) {
	case INIT: return kp_init_transactions(p, timeout_ms, e);
	case BEGIN: return kp_begin_transaction(p, e);
	case OFFSETS: return send_offset(p, timeout_ms, e);
	case COMMIT: return kp_commit_transaction(p, timeout_ms, e);
	default: return kp_abort_transaction(p, timeout_ms, e);
	}
}

static void refuses(kp_producer *p, int which, int error, kp_txn_next next, kp_txn_state state, const char *part)
{
	kp_txn_error e = KP_TXN_ERROR_INIT;
	assert_int_equal(error, call(p, which, PATIENCE_MS, &e));
	assert_int_equal(error, e.error);
	assert_int_equal(next, e.next);
	assert_int_equal(state, e.state);
	assert_int_equal(state, kp_transaction_state(p));
	if (!strstr(e.text, part))
		fail_msg("\"%s\" does not say \"%s\"", e.text, part);
}

static void refuses_all_but(kp_producer *p, unsigned allowed, kp_txn_state state, const char *part)
{
	for (int which = 0; which < N_CALLS; which++)
		if (!(allowed & 1u << which))
			refuses(p, which, KP_ERR_BAD_STATE, KP_TXN_NEXT_OTHER_CALL, state, part);
}

static void call_that_does_not_fit_the_state_names_the_one_that_does(void **state)
{
	(void)state;
	collector c = {0};
	collector_init(&c);
	kp_producer *p = producer_of(broker_servers(the_broker), &c, NULL, NO_PAIRS);
	refuses_all_but(p, 0, KP_TXN_NONE, "set transactional.id");
	close_and_free(p);
	p = transactional("states", &c);
	refuses_all_but(p, 1u << INIT, KP_TXN_UNINITIALIZED, "call kp_init_transactions first");
	send_value(p, "states", "too early", KP_ERR_NO_TRANSACTION);
	assert_int_equal(0, kp_init_transactions(p, PATIENCE_MS, NULL));
	refuses_all_but(p, 1u << BEGIN, KP_TXN_READY, "call kp_begin_transaction");
	send_value(p, "states", "too early", KP_ERR_NO_TRANSACTION);
	assert_int_equal(0, kp_begin_transaction(p, NULL));
	refuses_all_but(p, 1u << OFFSETS | 1u << COMMIT | 1u << ABORT, KP_TXN_OPEN,
	                "call kp_commit_transaction or kp_abort_transaction");
	assert_int_equal(0, kp_commit_transaction(p, PATIENCE_MS, NULL));
	refuses_all_but(p, 1u << BEGIN, KP_TXN_READY, "call kp_begin_transaction");
	close_and_free(p);
	collector_deinit(&c);
}

static void refused_record_fails_its_transaction(void **state)
{
	(void)state;
	collector c = {0};
	collector_init(&c);
	kp_producer *p = producer_of(broker_servers(the_broker), &c, NULL,
	                             PAIRS("transactional.id", "refused", "max.request.size", "1000"));
	char large[2000];
	memset(large, 'x', sizeof(large) - 1);
	large[sizeof(large) - 1] = 0;
	assert_int_equal(0, kp_init_transactions(p, PATIENCE_MS, NULL));
	assert_int_equal(0, kp_begin_transaction(p, NULL));
	send_value(p, "refused", "small", 0);
	send_value(p, "refused", large, KP_ERR_RECORD_TOO_LARGE);
	refuses(p, COMMIT, KP_ERR_TRANSACTION_ABORTABLE, KP_TXN_NEXT_ABORT, KP_TXN_MUST_ABORT, "RECORD_TOO_LARGE");
	for (int which = INIT + 1; which < ABORT; which++)
		refuses(p, which, KP_ERR_TRANSACTION_ABORTABLE, KP_TXN_NEXT_ABORT, KP_TXN_MUST_ABORT, "call kp_abort_transaction");
	send_value(p, "refused", "small", KP_ERR_TRANSACTION_ABORTABLE);
	assert_int_equal(0, kp_abort_transaction(p, PATIENCE_MS, NULL));
	assert_int_equal(0, kp_begin_transaction(p, NULL));
	send_value(p, "refused", "small", 0);
	assert_int_equal(0, kp_commit_transaction(p, PATIENCE_MS, NULL));
	close_and_free(p);
	collector_deinit(&c);
}

static void record_that_failed_fails_its_transaction(void **state)
{
	(void)state;
	collector c = {0};
	collector_init(&c);
	kp_producer *p = initialized("failed", &c);
	assert_int_equal(0, kp_begin_transaction(p, NULL));
	broker_inject(the_broker, KP_API_PRODUCE, KP_ERR_TOPIC_AUTHORIZATION_FAILED, 1);
	send_value(p, "failed", "a", 0);
	refuses(p, COMMIT, KP_ERR_TRANSACTION_ABORTABLE, KP_TXN_NEXT_ABORT, KP_TXN_MUST_ABORT, "TOPIC_AUTHORIZATION_FAILED");
	assert_int_equal(0, kp_abort_transaction(p, PATIENCE_MS, NULL));
	assert_int_equal(1, collector_count_outcome(&c, KP_NOT_PERSISTED, KP_ERR_TOPIC_AUTHORIZATION_FAILED));
	close_and_free(p);
	collector_deinit(&c);
}

static void commit_that_timed_out_is_resumed_by_the_same_call(void **state)
{
	(void)state;
	collector c = {0};
	collector_init(&c);
	kp_producer *p = initialized("resumed", &c);
	kp_txn_error e = KP_TXN_ERROR_INIT;
	assert_int_equal(0, kp_begin_transaction(p, NULL));
	send_value(p, "resumed", "a", 0);
	broker_hold_answers(the_broker, true);
	int64_t start_ms = now_ms();
	assert_int_equal(KP_ERR_TIMED_OUT, kp_commit_transaction(p, 50, &e));
	assert_on_time(start_ms, 50);
	assert_int_equal(KP_TXN_NEXT_RETRY, e.next);
	assert_int_equal(KP_TXN_COMMITTING, e.state);
	assert_non_null(strstr(e.text, "call it again"));
	for (int which = INIT; which <= OFFSETS; which++)
		refuses(p, which, KP_ERR_BAD_STATE, KP_TXN_NEXT_OTHER_CALL, KP_TXN_COMMITTING, "call kp_commit_transaction again");
	send_value(p, "resumed", "b", KP_ERR_NO_TRANSACTION);
	broker_hold_answers(the_broker, false);
	assert_true(collector_wait(&c, 1));
	assert_int_equal(0, kp_commit_transaction(p, PATIENCE_MS, &e));
	assert_int_equal(KP_TXN_READY, e.state);
	close_and_free(p);
	collector_deinit(&c);
}

/* Whose records have no answer yet may be given up. */
static void commit_that_waits_for_records_gives_way_to_an_abort(void **state)
{
	(void)state;
	collector c = {0};
	collector_init(&c);
	kp_producer *p = initialized("gives-way", &c);
	assert_int_equal(0, kp_begin_transaction(p, NULL));
	send_value(p, "gives-way", "a", 0);
	broker_hold_answers(the_broker, true);
	assert_int_equal(KP_ERR_TIMED_OUT, kp_commit_transaction(p, 50, NULL));
	assert_int_equal(KP_ERR_TIMED_OUT, kp_abort_transaction(p, 50, NULL));
	broker_hold_answers(the_broker, false);
	assert_int_equal(0, kp_abort_transaction(p, PATIENCE_MS, NULL));
	assert_int_equal(0, kp_begin_transaction(p, NULL));
	assert_int_equal(0, kp_commit_transaction(p, PATIENCE_MS, NULL));
	close_and_free(p);
	collector_deinit(&c);
}

static void arguments_of_offsets_are_checked(void **state)
{
	(void)state;
	collector c = {0};
	collector_init(&c);
	kp_producer *p = initialized("arguments", &c);
	kp_group_metadata group = GROUP, nameless = KP_GROUP_METADATA_INIT;
	kp_offset good = {sizeof(good), "t", 0, 0, -1, NULL}, bad[] = {good, good, good, good};
	kp_txn_error e = KP_TXN_ERROR_INIT;
	bad[0].topic = "";
	bad[1].partition = -1;
	bad[2].offset = -1;
	bad[3].struct_size = 0;
	assert_int_equal(0, kp_begin_transaction(p, NULL));
	for (size_t i = 0; i < KP_ARRAY_LEN(bad); i++) {
		assert_int_equal(KP_ERR_BAD_ARGUMENT, kp_send_offsets_to_transaction(p, &group, &bad[i], 1, PATIENCE_MS, &e));
		assert_int_equal(KP_TXN_NEXT_OTHER_CALL, e.next);
		assert_int_equal(KP_TXN_OPEN, e.state);
	}
	assert_int_equal(KP_ERR_BAD_ARGUMENT, kp_send_offsets_to_transaction(p, &nameless, &good, 1, PATIENCE_MS, &e));
	assert_int_equal(KP_ERR_BAD_ARGUMENT, kp_send_offsets_to_transaction(p, NULL, &good, 1, PATIENCE_MS, &e));
	assert_int_equal(0, kp_send_offsets_to_transaction(p, &group, NULL, 0, PATIENCE_MS, &e));
	assert_int_equal(0, kp_commit_transaction(p, PATIENCE_MS, NULL));
	close_and_free(p);
	collector_deinit(&c);
}

static void closing_with_an_open_transaction_says_that_it_was_aborted(void **state)
{
	(void)state;
	collector c = {0};
	collector_init(&c);
	kp_producer *p = initialized("closing", &c);
	kp_txn_error e = KP_TXN_ERROR_INIT;
	assert_int_equal(0, kp_begin_transaction(p, NULL));
	send_value(p, "closing", "a", 0);
	assert_int_equal(KP_ERR_TRANSACTION_ABORTED, kp_close(p, PATIENCE_MS, NULL));
	assert_int_equal(KP_ERR_CLOSED, kp_commit_transaction(p, PATIENCE_MS, &e));
	assert_int_equal(KP_TXN_NEXT_NEW_INSTANCE, e.next);
	assert_true(collector_wait(&c, 1));
	kp_producer_free(p);
	collector_deinit(&c);
}

static void on_report_call(kp_producer *p, const kp_report *reports, size_t n, void *opaque)
{
	(void)reports, (void)n;
	kp_txn_error e = KP_TXN_ERROR_INIT;
	atomic_store((_Atomic int *)opaque, kp_commit_transaction(p, 0, &e));
}

static void calls_in_a_callback_are_refused(void **state)
{
	(void)state;
	_Atomic int result = 0;
	kp_config *config = config_of(broker_servers(the_broker), PAIRS("transactional.id", "callback"));
	kp_config_set_report_cb(config, on_report_call, &result);
	kp_producer *p = kp_producer_new(config, NULL, NULL, 0);
	assert_int_equal(0, kp_init_transactions(p, PATIENCE_MS, NULL));
	assert_int_equal(0, kp_begin_transaction(p, NULL));
	send_value(p, "callback", "a", 0);
	assert_int_equal(0, kp_commit_transaction(p, PATIENCE_MS, NULL));
	assert_int_equal(KP_ERR_IN_CALLBACK, atomic_load(&result));
	close_and_free(p);
	kp_config_free(config);
}

static void transactional_producer_has_no_resender(void **state)
{
	(void)state;
	char err[200];
	collector c = {0};
	collector_init(&c);
	kp_producer *p = transactional("resender", &c);
	assert_null(kp_resender_new(p, NULL, err, sizeof(err)));
	assert_non_null(strstr(err, "transactional"));
	close_and_free(p);
	collector_deinit(&c);
}

/* Threads that send whenever they may, while transactions come and go. */
typedef struct sender {
	kp_producer *producer;
	_Atomic bool is_over;
	_Atomic size_t n_accepted;
} sender;

static void *send_on(void *arg)
{
	sender *s = arg;
	kp_topic *t = kp_topic_open(s->producer, "threads");
	kp_record r = record_of(NULL, "a record of a thread");
	while (!atomic_load(&s->is_over))
		if (kp_try_send(t, &r) == 0)
			atomic_fetch_add(&s->n_accepted, 1);
		else
			sched_yield();
	return NULL;
}

static void every_record_of_other_threads_belongs_to_one_transaction(void **state)
{
	(void)state;
	collector c = {0};
	collector_init(&c);
	kp_producer *p = initialized("threads", &c);
	sender s = {.producer = p};
	pthread_t threads[3];
	for (size_t i = 0; i < KP_ARRAY_LEN(threads); i++)
		assert_int_equal(0, pthread_create(&threads[i], NULL, send_on, &s));
	for (int i = 0; i < 60; i++) {
		assert_int_equal(0, kp_begin_transaction(p, NULL));
		size_t n = atomic_load(&s.n_accepted);
		while (atomic_load(&s.n_accepted) < n + 20)
			sched_yield();
		assert_int_equal(0,
		                 i % 3 ? kp_commit_transaction(p, PATIENCE_MS, NULL) : kp_abort_transaction(p, PATIENCE_MS, NULL));
		/* nothing of it is left: what it accepted has ended, and a sender gets nothing in before the next begin */
		kp_counters now = counters_of(p);
		assert_int_equal(now.accepted, now.persisted + now.not_persisted + now.unknown);
	}
	atomic_store(&s.is_over, true);
	for (size_t i = 0; i < KP_ARRAY_LEN(threads); i++)
		pthread_join(threads[i], NULL);
	assert_true(collector_wait(&c, atomic_load(&s.n_accepted)));
	assert_int_equal(0, collector_count_outcome(&c, KP_UNKNOWN, 0));
	close_and_free(p);
	collector_deinit(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(call_that_does_not_fit_the_state_names_the_one_that_does),
		cmocka_unit_test(refused_record_fails_its_transaction),
		cmocka_unit_test(record_that_failed_fails_its_transaction),
		cmocka_unit_test(commit_that_timed_out_is_resumed_by_the_same_call),
		cmocka_unit_test(commit_that_waits_for_records_gives_way_to_an_abort),
		cmocka_unit_test(arguments_of_offsets_are_checked),
		cmocka_unit_test(closing_with_an_open_transaction_says_that_it_was_aborted),
		cmocka_unit_test(calls_in_a_callback_are_refused),
		cmocka_unit_test(transactional_producer_has_no_resender),
		cmocka_unit_test(every_record_of_other_threads_belongs_to_one_transaction),
	};
	return RUN_WITH_BROKER(tests, 2, 2);
}
