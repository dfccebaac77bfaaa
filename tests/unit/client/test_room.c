/*
 * test_room.c - what happens when there is no room: block, refuse, drop the oldest; bounds in time, bytes and records.
 */
#include "client/producer_impl.h"
#include "fixture.h"
#include "producer/engine_impl.h"

static char value[1000];

static kp_record big_record(void)
{
	kp_record r = record_of(NULL, NULL);
	r.value = value;
	r.value_len = sizeof(value);
	return r;
}

/* Send until that is refused; returns how many were accepted. */
static uint64_t fill(kp_topic *t, int error)
{
	kp_record r = big_record();
	uint64_t n = 0;
	int err;
	while ((err = kp_try_send(t, &r)) == 0)
		n++;
	assert_int_equal(err, error);
	return n;
}

static kp_producer *producer(peer *server, collector *c, const char *const *pairs)
{
	collector_init(c);
	return producer_of(peer_servers(server), c, NULL, pairs);
}

/* Everything ends with the producer, and the figures agree. */
static void end(kp_producer *p, collector *c, uint64_t accepted)
{
	uint64_t left = 0;
	(void)kp_close(p, 0, &left);
	kp_counters k = counters_of(p);
	assert_int_equal(k.accepted, accepted);
	assert_int_equal(k.persisted + k.not_persisted + k.unknown, accepted);
	assert_int_equal(k.queued_records, 0);
	assert_int_equal(k.queued_bytes, 0);
	assert_int_equal(c->n, accepted);
	kp_producer_free(p);
	collector_deinit(c);
}

static void blocking_ends_with_max_block_ms(void **state)
{
	collector c;
	(void)state;
	peer *silent = peer_start(PEER_SILENT);
	kp_producer *p = producer(silent, &c, PAIRS("buffer.memory", "50000", "batch.size", "10000", "max.block.ms", "100"));
	kp_topic *t = kp_topic_open(p, "t");
	kp_record r = big_record();
	uint64_t n = fill(t, KP_ERR_QUEUE_FULL);
	assert_true(n >= 10);
	int64_t start_ms = now_ms();
	assert_int_equal(kp_send(t, &r), KP_ERR_QUEUE_FULL);
	assert_on_time(start_ms, 100);
	assert_true(counters_of(p).queued_bytes <= 50000);
	end(p, &c, n);
	peer_stop(silent);
}

static void a_sync_sends_own_deadline_bounds_the_wait_for_room(void **state)
{
	collector c;
	(void)state;
	peer *silent = peer_start(PEER_SILENT);
	kp_producer *p = producer(silent, &c, PAIRS("buffer.memory", "50000", "batch.size", "10000"));
	kp_topic *t = kp_topic_open(p, "t");
	kp_record r = big_record();
	uint64_t n = fill(t, KP_ERR_QUEUE_FULL);
	int64_t start_ms = now_ms();
	assert_int_equal(kp_send_sync(t, &r, 100, NULL), KP_ERR_QUEUE_FULL); /* not accepted: max.block.ms is a minute */
	assert_on_time(start_ms, 100);
	end(p, &c, n);
	peer_stop(silent);
}

static void refusing_does_not_wait(void **state)
{
	static const char *const policies[][2] = {{"queue.full.policy", "refuse"}, {"max.block.ms", "0"}};
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		collector c;
		peer *silent = peer_start(PEER_SILENT);
		kp_producer *p = producer(silent, &c,
		                          PAIRS("buffer.memory", "50000", "batch.size", "10000", policies[i][0], policies[i][1]));
		kp_topic *t = kp_topic_open(p, "t");
		kp_record r = big_record();
		uint64_t n = fill(t, KP_ERR_QUEUE_FULL);
		int64_t start_ms = now_ms();
		for (int k = 0; k < 100; k++)
			n += kp_send(t, &r) == 0;
		assert_in_range(now_ms() - start_ms, 0, 250);
		end(p, &c, n);
		peer_stop(silent);
	}
}

typedef struct sender {
	kp_topic *topic;
	pthread_t thread;
	_Atomic uint64_t n_accepted;
	int n;
	int error;
	_Atomic bool is_over;
} sender;

static void *send_all(void *opaque)
{
	sender *s = opaque;
	kp_record r = big_record();
	for (int i = 0; i < s->n && s->error == 0; i++) {
		s->error = kp_send(s->topic, &r);
		s->n_accepted += s->error == 0;
	}
	s->is_over = true;
	return NULL;
}

static void start_sender(sender *s, kp_topic *t, int n)
{
	*s = (sender){.topic = t, .n = n};
	assert_int_equal(pthread_create(&s->thread, NULL, send_all, s), 0);
}

static void a_blocked_sender_goes_on_when_room_comes_back(void **state)
{
	collector c;
	sender s;
	(void)state;
	broker *b = broker_start(1, 1);
	collector_init(&c);
	kp_producer *p = producer_of(broker_servers(b), &c, NULL, PAIRS("buffer.memory", "50000", "batch.size", "10000"));
	broker_hold_answers(b, true);
	start_sender(&s, kp_topic_open(p, "t"), 1000);
	assert_true(eventually(is_sender_blocked, p));
	assert_false(s.is_over);
	broker_hold_answers(b, false);
	pthread_join(s.thread, NULL);
	assert_int_equal(s.error, 0);
	close_and_free(p);
	assert_int_equal(collector_count_outcome(&c, KP_PERSISTED, 0), 1000);
	assert_int_equal(broker_count(b, "t"), 1000);
	collector_deinit(&c);
	broker_stop(b);
}

static void a_blocked_sender_goes_on_after_a_purge(void **state)
{
	static const char *const bounds[][2] = {{"buffer.memory", "50000"}, {"queue.buffering.max.messages", "20"}};
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		collector c;
		sender s;
		peer *silent = peer_start(PEER_SILENT);
		kp_producer *p = producer(silent, &c, PAIRS("batch.size", "10000", bounds[i][0], bounds[i][1]));
		kp_topic *t = kp_topic_open(p, "t");
		uint64_t n = fill(t, KP_ERR_QUEUE_FULL);
		start_sender(&s, t, 1);
		assert_true(eventually(is_sender_blocked, p));
		assert_int_equal(kp_purge(p, KP_PURGE_QUEUED), 0);
		pthread_join(s.thread, NULL);
		assert_int_equal(s.error, 0);
		end(p, &c, n + 1);
		peer_stop(silent);
	}
}

static void a_place_comes_back_with_the_records_end_not_with_its_report(void **state)
{
	sender s;
	kp_report out[32] = {{.struct_size = sizeof(kp_report)}};
	(void)state;
	peer *silent = peer_start(PEER_SILENT);
	kp_producer *p = producer_of(peer_servers(silent), NULL, NULL, PAIRS("queue.buffering.max.messages", "20", QUEUE_MODE, ""));
	kp_topic *t = kp_topic_open(p, "t");
	assert_int_equal(fill(t, KP_ERR_QUEUE_FULL), 20);
	start_sender(&s, t, 1);
	assert_true(eventually(is_sender_blocked, p));
	assert_int_equal(kp_purge(p, KP_PURGE_QUEUED), 0);
	pthread_join(s.thread, NULL); /* the reports are not polled yet */
	assert_int_equal(s.error, 0);
	(void)kp_close(p, 0, NULL);
	assert_int_equal(kp_reports_poll(p, out, 32, 0), 20);
	assert_int_equal(kp_reports_poll(p, out, 32, 0), 1);
	kp_producer_free(p);
	peer_stop(silent);
}

static void the_bound_in_records_holds(void **state)
{
	collector c;
	(void)state;
	broker *b = broker_start(1, 3);
	collector_init(&c);
	kp_producer *p = producer_of(broker_servers(b), &c, NULL, PAIRS("queue.buffering.max.messages", "10", "linger.ms", "1000"));
	kp_topic *t = kp_topic_open(p, "t");
	broker_hold_answers(b, true);
	assert_int_equal(fill(t, KP_ERR_QUEUE_FULL), 10);
	assert_int_equal(counters_of(p).queued_records, 10);
	broker_hold_answers(b, false);
	assert_int_equal(kp_flush(p, PATIENCE_MS), 0);
	assert_int_equal(fill(t, KP_ERR_QUEUE_FULL), 10);
	close_and_free(p);
	assert_int_equal(collector_count_outcome(&c, KP_PERSISTED, 0), 20);
	collector_deinit(&c);
	broker_stop(b);
}

/* Nobody waits, so nobody is heard of: the refusal itself has to set lingering batches going. */
static void what_lingers_leaves_when_a_record_was_refused(void **state)
{
	static const char *const ways[][2] = {
		{"queue.full.policy", "block"}, {"queue.full.policy", "refuse"}, {"max.block.ms", "0"}};
	(void)state;
	broker *b = broker_start(1, 1);
	for (size_t i = 0; i < 3; i++) {
		collector c;
		uint64_t n = 0;
		collector_init(&c);
		kp_producer *p = producer_of(
			broker_servers(b), &c, NULL,
			PAIRS("buffer.memory", "50000", "batch.size", "40000", "linger.ms", "60000", ways[i][0], ways[i][1]));
		kp_topic *t = kp_topic_open(p, "t");
		kp_record r = big_record();
		r.value_len = 0; /* one of a thousand bytes might not find room any more */
		assert_int_equal(kp_send(t, &r), 0);
		assert_int_equal(kp_flush(p, PATIENCE_MS), 0); /* metadata is there */
		if (i == 0)
			n = fill(t, KP_ERR_QUEUE_FULL);
		for (r = big_record(); i > 0 && kp_send(t, &r) == 0; n++)
			;
		assert_in_range(n, 10, 39); /* no batch is full */
		assert_true(collector_wait(&c, n + 1));
		assert_int_equal(collector_count_outcome(&c, KP_PERSISTED, 0), n + 1);
		close_and_free(p);
		collector_deinit(&c);
	}
	broker_stop(b);
}

/* ------------------------------------------------------------------ room that others take */

typedef struct crowd {
	kp_producer *producer;
	pthread_t thread;
	unsigned n;
	_Atomic bool is_over;
} crowd;

static void *announce_room_again_and_again(void *opaque)
{
	crowd *c = opaque;
	while (!c->is_over) {
		atomic_fetch_add(&c->producer->engine->shared.budget.n_freed, 1);
		if (++c->n % 1000 == 0)
			kp_announce_room(c->producer);
	}
	return NULL;
}

/* As for a sender whom others outrun time and again: each time it looks, the room that came back is taken. */
static void the_deadline_holds_though_room_comes_and_goes(void **state)
{
	collector c;
	(void)state;
	peer *silent = peer_start(PEER_SILENT);
	kp_producer *p = producer(silent, &c, PAIRS("buffer.memory", "50000", "batch.size", "10000", "max.block.ms", "50"));
	kp_topic *t = kp_topic_open(p, "t");
	kp_record r = big_record();
	uint64_t n = fill(t, KP_ERR_QUEUE_FULL);
	crowd others = {.producer = p};
	assert_int_equal(pthread_create(&others.thread, NULL, announce_room_again_and_again, &others), 0);
	for (int i = 0; i < 10; i++) {
		int64_t start_ms = now_ms();
		assert_int_equal(kp_send(t, &r), KP_ERR_QUEUE_FULL);
		assert_in_range(now_ms() - start_ms, 49, 500);
	}
	others.is_over = true;
	pthread_join(others.thread, NULL);
	end(p, &c, n);
	peer_stop(silent);
}

/* ------------------------------------------------------------------ drop_oldest */

static void the_oldest_make_room_for_the_newest(void **state)
{
	enum { N = 500 };
	collector c;
	bool seen[N + 1] = {false};
	kp_record r = big_record();
	(void)state;
	peer *silent = peer_start(PEER_SILENT);
	kp_producer *p = producer(silent, &c,
	                          PAIRS("buffer.memory", "100000", "batch.size", "5000", "queue.full.policy", "drop_oldest"));
	kp_topic *t = kp_topic_open(p, "t");
	for (intptr_t i = 1; i <= N; i++) {
		r.opaque = (void *)i;
		assert_int_equal(kp_send(t, &r), 0);
	}
	(void)kp_close(p, 0, NULL);
	size_t n_evicted = collector_count_outcome(&c, KP_NOT_PERSISTED, KP_ERR_QUEUE_EVICTED);
	/* a partition may hold half of the memory: five batches of four records, with the entries for their reports */
	assert_in_range(N - n_evicted, 15, 30);
	for (size_t i = 0; i < c.n; i++) {
		intptr_t k = (intptr_t)c.reports[i].report.opaque;
		assert_false(seen[k]);
		seen[k] = true;
		assert_true((c.reports[i].report.error == KP_ERR_QUEUE_EVICTED) == ((size_t)k <= n_evicted));
	}
	end(p, &c, N);
	peer_stop(silent);
}

static void accepted_are_persisted_or_evicted(void **state)
{
	enum { THREADS = 3, N = 2000 };
	collector c;
	sender s[THREADS];
	(void)state;
	broker *b = broker_start(1, 2);
	collector_init(&c);
	kp_producer *p = producer_of(broker_servers(b), &c, NULL,
	                             PAIRS("buffer.memory", "100000", "batch.size", "5000", "queue.full.policy", "drop_oldest"));
	for (int i = 0; i < THREADS; i++)
		start_sender(&s[i], kp_topic_open(p, "t"), N);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(s[i].thread, NULL);
		assert_int_equal(s[i].error, 0);
		assert_int_equal(s[i].n_accepted, N);
	}
	close_and_free(p);
	size_t n_persisted = collector_count_outcome(&c, KP_PERSISTED, 0);
	assert_int_equal(n_persisted + collector_count_outcome(&c, KP_NOT_PERSISTED, KP_ERR_QUEUE_EVICTED), THREADS * N);
	assert_int_equal(broker_count(b, "t"), n_persisted);
	collector_deinit(&c);
	broker_stop(b);
}

/* Evicting frees nothing while the reports hold the memory: then it must not go on until nothing is left. */
static void unpolled_reports_do_not_make_everything_be_evicted(void **state)
{
	kp_report out[64] = {{.struct_size = sizeof(kp_report)}};
	kp_record r = big_record();
	(void)state;
	peer *silent = peer_start(PEER_SILENT);
	kp_producer *p = producer_of(peer_servers(silent), NULL, NULL,
	                             PAIRS("buffer.memory", "100000", "batch.size", "5000", "queue.full.policy", "drop_oldest",
	                                   "max.block.ms", "100", QUEUE_MODE, ""));
	kp_topic *t = kp_topic_open(p, "t");
	uint64_t n = fill(t, KP_ERR_QUEUE_FULL);
	assert_int_equal(kp_send(t, &r), KP_ERR_QUEUE_FULL);
	assert_in_range(counters_of(p).not_persisted, 1, n / 2);
	while (kp_reports_poll(p, out, 64, 0))
		;
	assert_int_equal(kp_send(t, &r), 0);
	(void)kp_close(p, 0, NULL);
	kp_producer_free(p);
	peer_stop(silent);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocking_ends_with_max_block_ms),
		cmocka_unit_test(a_sync_sends_own_deadline_bounds_the_wait_for_room),
		cmocka_unit_test(refusing_does_not_wait),
		cmocka_unit_test(a_blocked_sender_goes_on_when_room_comes_back),
		cmocka_unit_test(a_blocked_sender_goes_on_after_a_purge),
		cmocka_unit_test(a_place_comes_back_with_the_records_end_not_with_its_report),
		cmocka_unit_test(the_bound_in_records_holds),
		cmocka_unit_test(what_lingers_leaves_when_a_record_was_refused),
		cmocka_unit_test(the_deadline_holds_though_room_comes_and_goes),
		cmocka_unit_test(the_oldest_make_room_for_the_newest),
		cmocka_unit_test(accepted_are_persisted_or_evicted),
		cmocka_unit_test(unpolled_reports_do_not_make_everything_be_evicted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
