/*
 * test_threads.c - many application threads on one producer: counts add up, order holds, no wake-up is lost. For TSan above all.
 */
#include "fixture.h"

#include <sched.h>

#include "client/producer_impl.h"

#define THREADS 8

/* ------------------------------------------------------------------ everything at once */

typedef struct worker {
	kp_producer *producer;
	kp_topic *topics[2];
	int index, n;
	uint64_t n_accepted;
	int error;
	_Atomic bool *is_over;
	pthread_t thread;
} worker;

/* A record says who sent it, and as which of its own: thread * 2^32 + number. */
static void *send_to_both(void *opaque)
{
	worker *w = opaque;
	char key[16];
	snprintf(key, sizeof(key), "key-%d", w->index); /* one partition, so that order can be told */
	kp_record r = record_of(key, "a value that compresses, compresses, compresses, compresses and compresses again");
	kp_header header = {"h", "x", 1};
	for (int i = 0; i < w->n && !w->error; i++) {
		r.opaque = (void *)(((uintptr_t)w->index << 32) + (uintptr_t)i);
		r.headers = i % 10 ? NULL : &header;
		r.n_headers = i % 10 ? 0 : 1;
		w->error = kp_send(w->topics[i % 2], &r);
		w->n_accepted += !w->error;
	}
	return NULL;
}

static void *flush_and_look(void *opaque)
{
	worker *w = opaque;
	while (!*w->is_over) {
		int err = kp_flush(w->producer, PATIENCE_MS);
		kp_counters c = counters_of(w->producer);
		if (err || c.persisted + c.not_persisted + c.unknown > c.accepted)
			w->error = err ? err : -1;
		sched_yield();
	}
	return NULL;
}

/* Per thread and topic in the order of sending: keyed records of one topic share a partition. */
static void assert_order(collector *c)
{
	intptr_t last[THREADS][2];
	memset(last, -1, sizeof(last));
	for (size_t i = 0; i < c->n; i++) {
		uintptr_t o = (uintptr_t)c->reports[i].report.opaque;
		intptr_t number = (intptr_t)(o & 0xffffffff);
		intptr_t *before = &last[o >> 32][number % 2];
		assert_true(number > *before);
		*before = number;
	}
}

static void run_everything(const char *const *pairs)
{
	enum { N = 3000 };
	collector c;
	worker w[THREADS], looker;
	_Atomic bool is_over = false;
	collector_init(&c);
	int64_t before = broker_count(the_broker, "one") + broker_count(the_broker, "two");
	kp_producer *p = producer_of(broker_servers(the_broker), &c, NULL, pairs);
	looker = (worker){.producer = p, .is_over = &is_over};
	for (int i = 0; i < THREADS; i++) {
		w[i] = (worker){.index = i, .n = N, .topics = {kp_topic_open(p, "one"), kp_topic_open(p, "two")}};
		assert_int_equal(pthread_create(&w[i].thread, NULL, send_to_both, &w[i]), 0);
	}
	assert_int_equal(pthread_create(&looker.thread, NULL, flush_and_look, &looker), 0);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(w[i].thread, NULL);
		assert_int_equal(w[i].error, 0);
	}
	is_over = true;
	pthread_join(looker.thread, NULL);
	assert_int_equal(looker.error, 0);
	assert_int_equal(kp_close(p, PATIENCE_MS, NULL), 0);
	assert_int_equal(collector_count_outcome(&c, KP_PERSISTED, 0), THREADS * N);
	assert_int_equal(counters_of(p).accepted, THREADS * N);
	assert_int_equal(counters_of(p).queued_bytes, 0);
	assert_order(&c);
	kp_producer_free(p);
	assert_int_equal(broker_count(the_broker, "one") + broker_count(the_broker, "two") - before, THREADS * N);
	collector_deinit(&c);
}

static void eight_threads_send_to_two_topics(void **state)
{
	(void)state;
	run_everything(NO_PAIRS);
}

static void eight_threads_without_linger(void **state)
{
	(void)state;
	run_everything(PAIRS("linger.ms", "0"));
}

static void eight_threads_in_a_tiny_buffer(void **state)
{
	(void)state;
	run_everything(PAIRS("buffer.memory", "60000", "batch.size", "2000"));
}

static void eight_threads_that_compress(void **state)
{
	(void)state;
	run_everything(PAIRS("compression.type", "lz4", "batch.size", "3000", "linger.ms", "0"));
}

static void eight_threads_with_a_bound_in_records(void **state)
{
	(void)state;
	run_everything(PAIRS("queue.buffering.max.messages", "100", "batch.size", "1000"));
}

static void eight_threads_one_request_at_a_time(void **state)
{
	(void)state;
	run_everything(PAIRS("max.in.flight.requests.per.connection", "1", "batch.size", "5000"));
}

/* ------------------------------------------------------------------ lost wake-ups */

static void *send_sync_each(void *opaque)
{
	worker *w = opaque;
	kp_record r = record_of(NULL, "v");
	for (int i = 0; i < w->n && !w->error; i++) {
		int64_t start_ms = now_ms();
		w->error = kp_send_sync(w->topics[0], &r, PATIENCE_MS, NULL);
		if (now_ms() - start_ms > 1000)
			w->error = KP_ERR_TIMED_OUT;
	}
	return NULL;
}

static void no_wake_up_is_lost(void **state)
{
	enum { SENDERS = 4 };
	worker w[SENDERS];
	(void)state;
	kp_producer *p = producer_of(broker_servers(the_broker), NULL, NULL, PAIRS("linger.ms", "0"));
	for (int i = 0; i < SENDERS; i++) {
		w[i] = (worker){.n = 1500, .topics = {kp_topic_open(p, "sync")}};
		assert_int_equal(pthread_create(&w[i].thread, NULL, send_sync_each, &w[i]), 0);
	}
	for (int i = 0; i < SENDERS; i++) {
		pthread_join(w[i].thread, NULL);
		assert_int_equal(w[i].error, 0);
	}
	close_and_free(p);
}

/* ------------------------------------------------------------------ the queue */

static void *poll_all(void *opaque)
{
	worker *w = opaque;
	kp_report out[32] = {{.struct_size = sizeof(kp_report)}};
	while (w->n_accepted < (uint64_t)w->n) {
		size_t n = kp_reports_poll(w->producer, out, 32, PATIENCE_MS);
		for (size_t i = 0; i < n; i++)
			w->error |= out[i].error;
		if (n == 0)
			w->error = -1;
		w->n_accepted += w->error ? (uint64_t)w->n : n;
	}
	return NULL;
}

static void one_thread_polls_what_eight_send(void **state)
{
	enum { N = 2000 };
	worker w[THREADS];
	(void)state;
	kp_producer *p = producer_of(broker_servers(the_broker), NULL, NULL,
	                             PAIRS(QUEUE_MODE, "", "buffer.memory", "100000", "batch.size", "2000"));
	worker poller = {.producer = p, .n = THREADS * N};
	assert_int_equal(pthread_create(&poller.thread, NULL, poll_all, &poller), 0);
	for (int i = 0; i < THREADS; i++) {
		w[i] = (worker){.index = i, .n = N, .topics = {kp_topic_open(p, "one"), kp_topic_open(p, "two")}};
		assert_int_equal(pthread_create(&w[i].thread, NULL, send_to_both, &w[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(w[i].thread, NULL);
		assert_int_equal(w[i].error, 0);
	}
	pthread_join(poller.thread, NULL);
	assert_int_equal(poller.error, 0);
	assert_int_equal(poller.n_accepted, THREADS * N);
	close_and_free(p);
}

/* ------------------------------------------------------------------ topics and lives */

static void *open_topics(void *opaque)
{
	worker *w = opaque;
	char name[32];
	kp_record r = record_of(NULL, "v");
	for (int i = 0; i < w->n && !w->error; i++) {
		snprintf(name, sizeof(name), "topic-%d", i); /* the same names in every thread */
		kp_topic *t = kp_topic_open(w->producer, name);
		w->error = t ? kp_send(t, &r) : KP_ERR_NO_MEMORY;
	}
	return NULL;
}

static void threads_open_the_same_topics_at_once(void **state)
{
	collector c;
	worker w[THREADS];
	(void)state;
	collector_init(&c);
	kp_producer *p = producer_of(broker_servers(the_broker), &c, NULL, NO_PAIRS);
	for (int i = 0; i < THREADS; i++) {
		w[i] = (worker){.producer = p, .n = 40};
		assert_int_equal(pthread_create(&w[i].thread, NULL, open_topics, &w[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(w[i].thread, NULL);
		assert_int_equal(w[i].error, 0);
	}
	close_and_free(p);
	assert_int_equal(collector_count_outcome(&c, KP_PERSISTED, 0), THREADS * 40);
	collector_deinit(&c);
}

static void *live_and_die(void *opaque)
{
	worker *w = opaque;
	kp_record r = record_of(NULL, "v");
	for (int i = 0; i < w->n; i++) {
		kp_config *c = kp_config_new();
		w->error |= kp_config_set(c, "bootstrap.servers", broker_servers(the_broker), NULL, 0);
		kp_producer *p = kp_producer_new(c, i % 2 ? w->producer->runtime : NULL, NULL, 0);
		kp_config_free(c);
		w->error |= kp_send(kp_topic_open(p, "lives"), &r);
		w->error |= kp_close(p, PATIENCE_MS, NULL);
		kp_producer_free(p);
	}
	return NULL;
}

static void producers_live_and_die_on_a_shared_runtime_from_several_threads(void **state)
{
	enum { LIVES = 4 };
	worker w[LIVES];
	(void)state;
	kp_runtime *r = kp_runtime_new();
	kp_producer *p = producer_of(broker_servers(the_broker), NULL, r, NO_PAIRS);
	for (int i = 0; i < LIVES; i++) {
		w[i] = (worker){.producer = p, .n = 20};
		assert_int_equal(pthread_create(&w[i].thread, NULL, live_and_die, &w[i]), 0);
	}
	for (int i = 0; i < LIVES; i++) {
		pthread_join(w[i].thread, NULL);
		assert_int_equal(w[i].error, 0);
	}
	close_and_free(p);
	kp_runtime_free(r);
	assert_int_equal(broker_count(the_broker, "lives"), LIVES * 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(eight_threads_send_to_two_topics),
		cmocka_unit_test(eight_threads_without_linger),
		cmocka_unit_test(eight_threads_in_a_tiny_buffer),
		cmocka_unit_test(eight_threads_that_compress),
		cmocka_unit_test(eight_threads_with_a_bound_in_records),
		cmocka_unit_test(eight_threads_one_request_at_a_time),
		cmocka_unit_test(no_wake_up_is_lost),
		cmocka_unit_test(one_thread_polls_what_eight_send),
		cmocka_unit_test(threads_open_the_same_topics_at_once),
		cmocka_unit_test(producers_live_and_die_on_a_shared_runtime_from_several_threads),
	};
	return RUN_WITH_BROKER(tests, 3, 4);
}
