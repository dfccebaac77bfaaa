/*
 * test_close.c - kp_close and kp_producer_free: every accepted record is reported before they return, in time, whoever calls them.
 */
#include "fixture.h"

#include <sched.h>

#include "client/producer_impl.h"

static kp_producer *producer(const char *servers, collector *c)
{
	collector_init(c);
	return producer_of(servers, c, NULL, NO_PAIRS);
}

static void send_n(kp_topic *t, int n)
{
	kp_record r = record_of(NULL, "value");
	for (int i = 0; i < n; i++)
		assert_int_equal(kp_send(t, &r), 0);
}

static void close_delivers_everything_first(void **state)
{
	collector c;
	uint64_t left = 9;
	(void)state;
	broker *b = broker_start(1, 3);
	kp_producer *p = producer(broker_servers(b), &c);
	send_n(kp_topic_open(p, "t"), 1000);
	assert_int_equal(kp_close(p, PATIENCE_MS, &left), 0);
	assert_int_equal(left, 0);
	assert_int_equal(collector_count_outcome(&c, KP_PERSISTED, 0), 1000);
	kp_producer_free(p);
	collector_deinit(&c);
	broker_stop(b);
}

static void close_returns_what_is_left_in_time(void **state)
{
	static const int timeouts_ms[] = {0, 100};
	(void)state;
	peer *silent = peer_start(PEER_SILENT);
	for (size_t i = 0; i < 2; i++) {
		collector c;
		uint64_t left = 0;
		kp_producer *p = producer(peer_servers(silent), &c);
		send_n(kp_topic_open(p, "t"), 25);
		int64_t start_ms = now_ms();
		assert_int_equal(kp_close(p, timeouts_ms[i], &left), KP_ERR_TIMED_OUT);
		assert_on_time(start_ms, timeouts_ms[i]);
		assert_int_equal(left, 25);
		assert_int_equal(collector_count_outcome(&c, KP_NOT_PERSISTED, KP_ERR_CLOSED), 25);
		kp_producer_free(p);
		collector_deinit(&c);
	}
	peer_stop(silent);
}

static bool has_sent(void *arg)
{
	return counters_of(arg).requests > 0;
}

static void what_was_in_flight_ends_unknown(void **state)
{
	collector c;
	uint64_t left = 0;
	(void)state;
	broker *b = broker_start(1, 1);
	kp_producer *p = producer(broker_servers(b), &c);
	broker_hold_answers(b, true);
	send_n(kp_topic_open(p, "t"), 3);
	assert_true(eventually(has_sent, p));
	assert_int_equal(kp_close(p, 50, &left), KP_ERR_TIMED_OUT);
	assert_int_equal(left, 3);
	assert_int_equal(collector_count_outcome(&c, KP_UNKNOWN, KP_ERR_CLOSED), 3);
	kp_producer_free(p);
	collector_deinit(&c);
	broker_stop(b);
}

static void close_can_be_called_again(void **state)
{
	collector c;
	uint64_t left = 0;
	(void)state;
	peer *silent = peer_start(PEER_SILENT);
	kp_producer *p = producer(peer_servers(silent), &c);
	send_n(kp_topic_open(p, "t"), 2);
	for (int i = 0; i < 3; i++, left = 0) {
		assert_int_equal(kp_close(p, 10, &left), KP_ERR_TIMED_OUT);
		assert_int_equal(left, 2);
	}
	assert_int_equal(kp_close(p, 10, NULL), KP_ERR_TIMED_OUT);
	assert_int_equal(c.n, 2);
	kp_producer_free(p);
	collector_deinit(&c);
	peer_stop(silent);
}

static void a_closed_producer_refuses_everything(void **state)
{
	collector c;
	kp_topic_info *info;
	kp_config_entry *entries;
	char err[256];
	size_t n;
	(void)state;
	broker *b = broker_start(1, 1);
	kp_producer *p = producer(broker_servers(b), &c);
	kp_topic *t = kp_topic_open(p, "t");
	kp_record r = record_of(NULL, "v");
	send_n(t, 1);
	assert_int_equal(kp_close(p, PATIENCE_MS, NULL), 0);
	assert_int_equal(kp_send(t, &r), KP_ERR_CLOSED);
	assert_int_equal(kp_try_send(t, &r), KP_ERR_CLOSED);
	assert_int_equal(kp_send_sync(t, &r, 1000, NULL), KP_ERR_CLOSED);
	assert_int_equal(kp_send(kp_topic_open(p, "another"), &r), KP_ERR_CLOSED);
	assert_int_equal(kp_flush(p, 1000), KP_ERR_CLOSED);
	assert_int_equal(kp_purge(p, KP_PURGE_QUEUED), 0);
	assert_int_equal(kp_partitions_for(p, "t", 1000, &info, err, sizeof(err)), KP_ERR_CLOSED);
	assert_int_equal(kp_topics_list(p, 1000, &info, &n, err, sizeof(err)), KP_ERR_CLOSED);
	assert_int_equal(kp_topic_create(p, "t", 1, 1, NULL, 1000, err, sizeof(err)), KP_ERR_CLOSED);
	assert_int_equal(kp_topic_configs(p, "t", 1000, &entries, &n, err, sizeof(err)), KP_ERR_CLOSED);
	assert_non_null(strstr(err, "CLOSED"));
	assert_int_equal(counters_of(p).persisted, 1);
	kp_producer_free(p);
	collector_deinit(&c);
	broker_stop(b);
}

/* ------------------------------------------------------------------ other threads */

typedef struct closer {
	kp_producer *producer;
	int timeout_ms, result;
	uint64_t left;
	pthread_t thread;
} closer;

static void *close_it(void *opaque)
{
	closer *c = opaque;
	c->result = kp_close(c->producer, c->timeout_ms, &c->left);
	return NULL;
}

static void two_threads_may_close_at_once(void **state)
{
	(void)state;
	broker *b = broker_start(1, 1);
	for (int i = 0; i < 20; i++) {
		collector c;
		closer closers[2];
		kp_producer *p = producer(broker_servers(b), &c);
		send_n(kp_topic_open(p, "t"), 10);
		for (int k = 0; k < 2; k++) {
			closers[k] = (closer){.producer = p, .timeout_ms = PATIENCE_MS};
			assert_int_equal(pthread_create(&closers[k].thread, NULL, close_it, &closers[k]), 0);
		}
		for (int k = 0; k < 2; k++) {
			pthread_join(closers[k].thread, NULL);
			assert_int_equal(closers[k].result, 0);
			assert_int_equal(closers[k].left, 0);
		}
		assert_int_equal(c.n, 10);
		kp_producer_free(p);
		collector_deinit(&c);
	}
	broker_stop(b);
}

static bool is_refused(void *arg)
{
	kp_record r = record_of(NULL, "v");
	return kp_try_send(arg, &r) == KP_ERR_CLOSED;
}

static void the_shortest_deadline_counts(void **state)
{
	collector c;
	(void)state;
	peer *silent = peer_start(PEER_SILENT);
	kp_producer *p = producer(peer_servers(silent), &c);
	kp_topic *t = kp_topic_open(p, "t");
	send_n(t, 1);
	closer patient = {.producer = p, .timeout_ms = PATIENCE_MS};
	assert_int_equal(pthread_create(&patient.thread, NULL, close_it, &patient), 0);
	assert_true(eventually(is_refused, t)); /* the patient one came first */
	int64_t start_ms = now_ms();
	assert_int_equal(kp_close(p, 50, NULL), KP_ERR_TIMED_OUT);
	pthread_join(patient.thread, NULL);
	assert_on_time(start_ms, 50);
	assert_int_equal(patient.result, KP_ERR_TIMED_OUT);
	kp_producer_free(p);
	collector_deinit(&c);
	peer_stop(silent);
}

typedef struct sender {
	kp_topic *topic;
	uint64_t n_accepted;
	int error;
	pthread_t thread;
} sender;

static void *send_until_closed(void *opaque)
{
	sender *s = opaque;
	kp_record r = record_of(NULL, "some value");
	while ((s->error = kp_send(s->topic, &r)) == 0)
		s->n_accepted++;
	return NULL;
}

static bool is_busy(void *arg)
{
	return counters_of(arg).accepted > 2000;
}

/* Every report was given. */
static bool is_closed(kp_producer *p)
{
	pthread_mutex_lock(&p->shared.mutex);
	bool is_closed = p->shared.is_closed;
	pthread_mutex_unlock(&p->shared.mutex);
	return is_closed;
}

/* Once with room for all, once with senders that are blocked when the close comes. Nothing is asserted before the threads are gone. */
static void threads_that_send_meanwhile_are_told_and_counts_add_up(void **state)
{
	enum { THREADS = 4 };
	static const char *const memory[] = {"33554432", "30000"};
	(void)state;
	broker *b = broker_start(1, 3);
	for (int i = 0; i < 10; i++) {
		collector c;
		sender s[THREADS] = {0};
		uint64_t n = 0, left = 0;
		int n_closed = 0;
		collector_init(&c);
		kp_producer *p = producer_of(broker_servers(b), &c, NULL,
		                             PAIRS("buffer.memory", memory[i % 2], "batch.size", "1000"));
		for (int k = 0; k < THREADS; k++) {
			s[k].topic = kp_topic_open(p, "busy");
			assert_int_equal(pthread_create(&s[k].thread, NULL, send_until_closed, &s[k]), 0);
		}
		bool was_busy = eventually(is_busy, p);
		int timeout_ms = i % 3 ? PATIENCE_MS : 0;
		(void)kp_close(p, timeout_ms, NULL);
		/* close(0) gives the loop half a second to end everything, which a machine with other work may not give it */
		bool was_closed = is_closed(p);
		size_t n_reports = collector_count(&c);
		(void)kp_close(p, PATIENCE_MS, &left);
		bool is_closed_now = is_closed(p);
		for (int k = 0; k < THREADS; k++) {
			pthread_join(s[k].thread, NULL);
			n_closed += s[k].error == KP_ERR_CLOSED;
			n += s[k].n_accepted;
		}
		assert_true(was_busy && is_closed_now);
		assert_int_equal(n_closed, THREADS);
		assert_true(was_closed || timeout_ms == 0);
		if (was_closed)
			assert_int_equal(n_reports, n);
		assert_int_equal(c.n, n);
		assert_int_equal(collector_count_outcome(&c, KP_PERSISTED, 0) + left, n);
		assert_int_equal(counters_of(p).accepted, n);
		kp_producer_free(p);
		collector_deinit(&c);
	}
	broker_stop(b);
}

/* ------------------------------------------------------------------ free */

static void a_producer_may_be_freed_at_any_time(void **state)
{
	(void)state;
	int n_threads = count_threads();
	for (int i = 0; i < 30; i++)
		kp_producer_free(producer_of("127.0.0.1:1", NULL, NULL, NO_PAIRS)); /* right after new; nobody listens there */
	broker *b = broker_start(1, 1);
	collector c;
	kp_producer *p = producer(broker_servers(b), &c);
	send_n(kp_topic_open(p, "t"), 100);
	kp_producer_free(p); /* without close: every record is reported all the same */
	assert_int_equal(c.n, 100);
	collector_deinit(&c);
	broker_stop(b);
	kp_producer_free(NULL);
	assert_true(threads_are_back_to(n_threads));
}

/* ------------------------------------------------------------------ callbacks that do not return */

typedef struct gate {
	_Atomic bool is_inside, is_open;
} gate;

static void on_report_wait(kp_producer *p, const kp_report *reports, size_t n, void *opaque)
{
	gate *g = opaque;
	(void)p, (void)reports, (void)n;
	g->is_inside = true;
	while (!g->is_open)
		sched_yield();
}

static bool is_inside(void *arg)
{
	return ((gate *)arg)->is_inside;
}

static void a_callback_that_does_not_return_does_not_hold_the_close(void **state)
{
	gate g = {0};
	uint64_t left = 9;
	(void)state;
	broker *b = broker_start(1, 1);
	kp_config *config = config_of(broker_servers(b), NO_PAIRS);
	kp_config_set_report_cb(config, on_report_wait, &g);
	kp_producer *p = kp_producer_new(config, NULL, NULL, 0);
	kp_config_free(config);
	assert_non_null(p);
	send_n(kp_topic_open(p, "t"), 1);
	assert_true(eventually(is_inside, &g));
	int64_t start_ms = now_ms();
	assert_int_equal(kp_close(p, 50, &left), KP_ERR_TIMED_OUT);
	assert_in_range(now_ms() - start_ms, 49, 2000);
	g.is_open = true;
	assert_int_equal(kp_close(p, PATIENCE_MS, &left), 0);
	assert_int_equal(left, 0);
	kp_producer_free(p);
	broker_stop(b);
}

/* ------------------------------------------------------------------ odd clusters */

static bool has_three_ends(void *arg)
{
	kp_counters k = counters_of(arg);
	return k.persisted + k.not_persisted + k.unknown == k.accepted;
}

static void a_topic_that_shrank_does_not_keep_the_close_from_ending(void **state)
{
	collector c;
	kp_record r = record_of(NULL, "v");
	(void)state;
	broker *b = broker_start(1, 0);
	broker_create_topic(b, "shrinks", 6);
	collector_init(&c);
	kp_producer *p = producer_of(broker_servers(b), &c, NULL, PAIRS("metadata.max.age.ms", "20", "linger.ms", "0"));
	kp_topic *t = kp_topic_open(p, "shrinks");
	for (r.partition = 0; r.partition < 6; r.partition++)
		assert_int_equal(kp_send_sync(t, &r, PATIENCE_MS, NULL), 0);
	broker_delete_topic(b, "shrinks");
	broker_create_topic(b, "shrinks", 1);
	r.partition = 5;
	int64_t end_ms = now_ms() + PATIENCE_MS;
	while (kp_send(t, &r) == 0) /* until the metadata says that there is one partition */
		assert_true(now_ms() < end_ms);
	(void)kp_purge(p, KP_PURGE_QUEUED | KP_PURGE_IN_FLIGHT);
	assert_true(eventually(has_three_ends, p));
	assert_true(counters_of(p).accepted > 6);
	close_and_free(p);
	collector_deinit(&c);
	broker_stop(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(close_delivers_everything_first),
		cmocka_unit_test(close_returns_what_is_left_in_time),
		cmocka_unit_test(what_was_in_flight_ends_unknown),
		cmocka_unit_test(close_can_be_called_again),
		cmocka_unit_test(a_closed_producer_refuses_everything),
		cmocka_unit_test(two_threads_may_close_at_once),
		cmocka_unit_test(the_shortest_deadline_counts),
		cmocka_unit_test(threads_that_send_meanwhile_are_told_and_counts_add_up),
		cmocka_unit_test(a_producer_may_be_freed_at_any_time),
		cmocka_unit_test(a_callback_that_does_not_return_does_not_hold_the_close),
		cmocka_unit_test(a_topic_that_shrank_does_not_keep_the_close_from_ending),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
