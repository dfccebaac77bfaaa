/*
 * test_flush.c - kp_flush: waits for the reports of what came before it, and for no longer than it may.
 */
#include "fixture.h"

static void send_n(kp_topic *t, int n)
{
	kp_record r = record_of(NULL, "value");
	for (int i = 0; i < n; i++)
		assert_int_equal(kp_send(t, &r), 0);
}

static void flush_waits_for_the_reports(void **state)
{
	collector c;
	(void)state;
	broker *b = broker_start(1, 3);
	collector_init(&c);
	kp_producer *p = producer_of(broker_servers(b), &c, NULL, PAIRS("linger.ms", "60000", "delivery.timeout.ms", "120000"));
	kp_topic *t = kp_topic_open(p, "t"), *u = kp_topic_open(p, "u");
	for (int i = 1; i <= 5; i++) {
		send_n(t, 50);
		send_n(u, 50);
		assert_int_equal(kp_flush(p, PATIENCE_MS), 0); /* without lingering */
		assert_int_equal(c.n, i * 100);
	}
	close_and_free(p);
	collector_deinit(&c);
	broker_stop(b);
}

static void flush_of_nothing_needs_no_time(void **state)
{
	collector c;
	(void)state;
	broker *b = broker_start(1, 1);
	collector_init(&c);
	kp_producer *p = producer_of(broker_servers(b), &c, NULL, NO_PAIRS);
	assert_int_equal(kp_flush(p, 0), 0);
	assert_int_equal(kp_flush(p, KP_FOREVER), 0);
	broker_hold_answers(b, true);
	send_n(kp_topic_open(p, "t"), 1);
	assert_int_equal(kp_flush(p, 0), KP_ERR_TIMED_OUT);
	broker_hold_answers(b, false);
	assert_int_equal(kp_flush(p, PATIENCE_MS), 0);
	assert_int_equal(kp_flush(p, 0), 0);
	close_and_free(p);
	collector_deinit(&c);
	broker_stop(b);
}

/* What is accepted while a flush waits is none of its business. */
typedef struct stream {
	kp_topic *topic;
	_Atomic bool stop;
	uint64_t n;
} stream;

static void *send_on(void *opaque)
{
	stream *s = opaque;
	kp_record r = record_of(NULL, "value");
	while (!s->stop)
		s->n += kp_send(s->topic, &r) == 0;
	return NULL;
}

static void flush_ends_while_others_go_on_sending(void **state)
{
	collector c;
	pthread_t thread;
	(void)state;
	broker *b = broker_start(1, 2);
	collector_init(&c);
	kp_producer *p = producer_of(broker_servers(b), &c, NULL, PAIRS("batch.size", "2000", "buffer.memory", "1000000"));
	stream s = {.topic = kp_topic_open(p, "t")};
	assert_int_equal(pthread_create(&thread, NULL, send_on, &s), 0);
	for (int i = 0; i < 20; i++)
		assert_int_equal(kp_flush(p, PATIENCE_MS), 0);
	s.stop = true;
	pthread_join(thread, NULL);
	close_and_free(p);
	assert_int_equal(collector_count_outcome(&c, KP_PERSISTED, 0), s.n);
	collector_deinit(&c);
	broker_stop(b);
}

static void an_abandoned_flush_ends_in_time_and_does_no_harm(void **state)
{
	collector c;
	(void)state;
	peer *silent = peer_start(PEER_SILENT);
	collector_init(&c);
	kp_producer *p = producer_of(peer_servers(silent), &c, NULL, NO_PAIRS);
	send_n(kp_topic_open(p, "t"), 10);
	int64_t best_ms = INT64_MAX;
	for (int i = 0; i < 5; i++) {
		int64_t start_ms = now_ms();
		assert_int_equal(kp_flush(p, 100), KP_ERR_TIMED_OUT);
		assert_on_time(start_ms, 100);
		best_ms = now_ms() - start_ms < best_ms ? now_ms() - start_ms : best_ms;
	}
	assert_in_range(best_ms, 99, 150); /* what is late sometimes is the machine */
	assert_int_equal(c.n, 0);
	uint64_t left = 0;
	assert_int_equal(kp_close(p, 100, &left), KP_ERR_TIMED_OUT);
	assert_int_equal(left, 10);
	assert_int_equal(c.n, 10);
	kp_producer_free(p);
	collector_deinit(&c);
	peer_stop(silent);
}

static void lingering_is_back_after_an_abandoned_flush(void **state)
{
	collector c;
	(void)state;
	broker *b = broker_start(1, 1);
	collector_init(&c);
	kp_producer *p = producer_of(broker_servers(b), &c, NULL, PAIRS("linger.ms", "300"));
	kp_topic *t = kp_topic_open(p, "t");
	broker_hold_answers(b, true);
	send_n(t, 1);
	assert_int_equal(kp_flush(p, 20), KP_ERR_TIMED_OUT);
	broker_hold_answers(b, false);
	assert_true(collector_wait(&c, 1));
	int64_t start_ms = now_ms();
	send_n(t, 1);
	assert_true(collector_wait(&c, 2));
	assert_true(now_ms() - start_ms >= 250);
	close_and_free(p);
	collector_deinit(&c);
	broker_stop(b);
}

static void *flush_with_patience(void *opaque)
{
	return (void *)(intptr_t)kp_flush(opaque, PATIENCE_MS);
}

static void several_threads_may_flush_at_once(void **state)
{
	enum { THREADS = 6 };
	pthread_t threads[THREADS];
	(void)state;
	broker *b = broker_start(1, 1);
	kp_producer *p = producer_of(broker_servers(b), NULL, NULL, PAIRS("linger.ms", "60000"));
	send_n(kp_topic_open(p, "t"), 10);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, flush_with_patience, p), 0);
	for (int i = 0; i < THREADS; i++) {
		void *result;
		pthread_join(threads[i], &result);
		assert_null(result);
	}
	assert_int_equal(counters_of(p).persisted, 10);
	close_and_free(p);
	broker_stop(b);
}

/* A request of many more pieces than one sendmsg takes. */
static void a_request_of_many_partitions_goes_out_whole(void **state)
{
	enum { PARTITIONS = 1000 };
	collector c;
	kp_record r = record_of(NULL, "value");
	(void)state;
	broker *b = broker_start(1, PARTITIONS);
	collector_init(&c);
	kp_producer *p = producer_of(broker_servers(b), &c, NULL, PAIRS("linger.ms", "60000"));
	kp_topic *t = kp_topic_open(p, "wide");
	for (int32_t i = 0; i < PARTITIONS; i++) {
		r.partition = i;
		assert_int_equal(kp_send(t, &r), 0);
	}
	assert_int_equal(kp_flush(p, PATIENCE_MS), 0);
	assert_int_equal(collector_count_outcome(&c, KP_PERSISTED, 0), PARTITIONS);
	close_and_free(p);
	collector_deinit(&c);
	broker_stop(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flush_waits_for_the_reports),
		cmocka_unit_test(flush_of_nothing_needs_no_time),
		cmocka_unit_test(flush_ends_while_others_go_on_sending),
		cmocka_unit_test(an_abandoned_flush_ends_in_time_and_does_no_harm),
		cmocka_unit_test(lingering_is_back_after_an_abandoned_flush),
		cmocka_unit_test(several_threads_may_flush_at_once),
		cmocka_unit_test(a_request_of_many_partitions_goes_out_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
