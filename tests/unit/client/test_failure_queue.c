/*
 * test_failure_queue.c - failures to poll: all of them, with their content, whatever else is told of records; and what they hold.
 */
#include <poll.h>

#include "fixture.h"

static kp_producer *producer(collector *c, const char *const *pairs)
{
	return producer_with_failures(broker_servers(the_broker), c, pairs);
}

static bool is_readable(kp_producer *p)
{
	struct pollfd f = {.fd = kp_failures_fd(p), .events = POLLIN};
	return poll(&f, 1, 0) == 1 && f.revents == POLLIN;
}

static void refuse_next_batch(void)
{
	broker_inject(the_broker, 0, KP_ERR_TOPIC_AUTHORIZATION_FAILED, 1);
}

/* One batch of n records to partition 0, and its end. */
static void send_batch(kp_producer *p, const char *topic, int first, int n)
{
	kp_topic *t = kp_topic_open(p, topic);
	kp_header h = {"h", "hv", 2};
	for (int i = 0; i < n; i++) {
		kp_record r = record_of("key", "value");
		r.headers = &h;
		r.n_headers = 1;
		r.partition = 0;
		r.timestamp_ms = 1000 + first + i;
		r.opaque = (void *)(intptr_t)(first + i);
		assert_int_equal(kp_send(t, &r), 0);
	}
	assert_int_equal(kp_flush(p, PATIENCE_MS), 0);
}

static void assert_failure(const kp_report *r, const char *topic, int i)
{
	assert_int_equal(r->outcome, KP_NOT_PERSISTED);
	assert_int_equal(r->error, KP_ERR_TOPIC_AUTHORIZATION_FAILED);
	assert_int_equal(r->attempts, 1);
	assert_int_equal(r->flags, KP_REPORT_PARTITIONED);
	assert_int_equal(r->resends, 0);
	assert_int_equal(r->partition, 0);
	assert_int_equal(r->timestamp_ms, 1000 + i);
	assert_string_equal(r->topic, topic);
	assert_ptr_equal(r->opaque, (void *)(intptr_t)i);
	assert_memory_equal(r->key, "key", 3);
	assert_int_equal(r->key_len, 3);
	assert_memory_equal(r->value, "value", 5);
	assert_int_equal(r->n_headers, 1);
	assert_string_equal(r->headers[0].name, "h");
	assert_memory_equal(r->headers[0].value, "hv", 2);
}

static void failures_come_with_their_content_in_the_order_of_failing(void **state)
{
	static const char *const modes[] = {"all", "errors", "none"};
	(void)state;
	for (size_t m = 0; m < KP_ARRAY_LEN(modes); m++)
		for (int packed = 0; packed < 2; packed++) {
			collector c;
			kp_report out[3] = {{.struct_size = sizeof(kp_report)}};
			collector_init(&c);
			kp_producer *p = producer(&c, PAIRS("delivery.reports", modes[m], "linger.ms", "1000", "compression.type",
			                                    packed ? "lz4" : "none"));
			assert_false(is_readable(p));
			send_batch(p, "first", 0, 2);
			refuse_next_batch();
			send_batch(p, "second", 2, 4);
			send_batch(p, "first", 6, 1);
			refuse_next_batch();
			send_batch(p, "first", 7, 2);
			assert_int_equal(counters_of(p).failure_queue, 6);
			int expected[] = {2, 3, 4, 5, 7, 8}, at = 0;
			size_t n;
			while (is_readable(p) && (n = kp_failures_poll(p, out, 3, 0)))
				for (size_t i = 0; i < n; i++, at++)
					assert_failure(&out[i], at < 4 ? "second" : "first", expected[at]);
			assert_int_equal(at, 6);
			assert_int_equal(kp_failures_poll(p, out, 3, 0), 0);
			assert_int_equal(counters_of(p).failure_queue, 0);
			assert_int_equal(counters_of(p).queued_bytes, 0);
			assert_int_equal(c.n, m == 0 ? 9 : m == 1 ? 6 : 0);
			close_and_free(p);
			collector_deinit(&c);
		}
}

static void without_the_queue_there_is_no_failure_to_poll(void **state)
{
	kp_report out = {.struct_size = sizeof(out)};
	(void)state;
	kp_producer *p = producer_of(broker_servers(the_broker), NULL, NULL, NO_PAIRS);
	assert_int_equal(kp_failures_fd(p), -1);
	assert_int_equal(kp_failures_poll(p, &out, 1, KP_FOREVER), 0);
	close_and_free(p);
}

static void both_queues_give_a_failure_each_at_its_own_pace(void **state)
{
	kp_report out[8] = {{.struct_size = sizeof(kp_report)}};
	(void)state;
	for (int reports_first = 0; reports_first < 2; reports_first++) {
		kp_producer *p = producer(NULL, PAIRS(QUEUE_MODE, ""));
		refuse_next_batch();
		send_batch(p, "both", 0, 3);
		assert_int_equal((reports_first ? kp_reports_poll : kp_failures_poll)(p, out, 2, 0), 2);
		assert_int_equal((reports_first ? kp_failures_poll : kp_reports_poll)(p, out, 8, 0), 3);
		for (int i = 0; i < 3; i++)
			assert_failure(&out[i], "both", i);
		assert_true(counters_of(p).queued_bytes > 0);
		assert_int_equal((reports_first ? kp_reports_poll : kp_failures_poll)(p, out, 8, 0), 1);
		assert_failure(&out[0], "both", 2);
		assert_int_equal(kp_reports_poll(p, out, 8, 0) + kp_failures_poll(p, out, 8, 0), 0);
		assert_int_equal(counters_of(p).queued_bytes, 0);
		close_and_free(p);
	}
}

static void on_batch(kp_producer *p, const kp_batch_report *report, void *opaque)
{
	(void)p;
	*(size_t *)opaque += report->n_not_persisted;
}

static void records_of_groups_and_of_synchronous_sends_are_there(void **state)
{
	kp_record r[3] = {record_of("a", "1"), record_of("b", "2"), record_of("c", "3")};
	kp_report out[8] = {{.struct_size = sizeof(kp_report)}};
	size_t n_refused = 0;
	int error, tag;
	(void)state;
	kp_producer *p = producer(NULL, PAIRS("delivery.reports", "none", "linger.ms", "1000"));
	kp_topic *t = kp_topic_open(p, "groups");
	for (int i = 0; i < 3; i++)
		r[i].partition = 1;
	refuse_next_batch();
	assert_int_equal(kp_produce_batch(t, r, 3, on_batch, &n_refused, &error), 3);
	assert_int_equal(kp_flush(p, PATIENCE_MS), 0);
	assert_int_equal(n_refused, 3);
	refuse_next_batch();
	r[1].opaque = &tag;
	assert_int_equal(kp_send_sync(t, &r[1], PATIENCE_MS, NULL), KP_ERR_TOPIC_AUTHORIZATION_FAILED);
	assert_int_equal(kp_failures_poll(p, out, 8, PATIENCE_MS), 3);
	for (int i = 0; i < 3; i++) {
		assert_ptr_equal(out[i].opaque, &n_refused);
		assert_memory_equal(out[i].key, r[i].key, 1);
	}
	assert_int_equal(kp_failures_poll(p, out, 8, PATIENCE_MS), 1);
	assert_ptr_equal(out[0].opaque, &tag);
	assert_memory_equal(out[0].key, "b", 1);
	close_and_free(p);
}

static void unacknowledged_records_are_no_failures(void **state)
{
	kp_report out = {.struct_size = sizeof(out)};
	(void)state;
	kp_producer *p = producer(NULL, PAIRS("acks", "0"));
	send_batch(p, "acks0", 0, 3);
	assert_int_equal(kp_close(p, PATIENCE_MS, NULL), 0);
	assert_int_equal(kp_failures_poll(p, &out, 1, KP_FOREVER), 0);
	kp_producer_free(p);
}

static void what_the_close_ends_can_be_polled_after_it(void **state)
{
	kp_report out[8] = {{.struct_size = sizeof(kp_report)}};
	kp_record r = record_of("k", "v");
	uint64_t left;
	(void)state;
	peer *silent = peer_start(PEER_SILENT);
	kp_producer *p = producer_with_failures(peer_servers(silent), NULL, NO_PAIRS);
	for (int i = 0; i < 3; i++)
		assert_int_equal(kp_send(kp_topic_open(p, "t"), &r), 0);
	assert_int_equal(kp_close(p, 0, &left), KP_ERR_TIMED_OUT);
	assert_true(is_readable(p));
	assert_int_equal(kp_failures_poll(p, out, 8, KP_FOREVER), 3);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(out[i].error, KP_ERR_CLOSED);
		assert_int_equal(out[i].partition, -1);
		assert_int_equal(out[i].flags, 0);
		assert_memory_equal(out[i].value, "v", 1);
	}
	assert_int_equal(kp_failures_poll(p, out, 8, KP_FOREVER), 0); /* nothing will come: it does not wait */
	kp_producer_free(p);
	peer_stop(silent);
}

static void unpolled_failures_go_with_the_producer(void **state)
{
	kp_report out = {.struct_size = sizeof(out)};
	(void)state;
	kp_producer *p = producer(NULL, PAIRS(QUEUE_MODE, ""));
	refuse_next_batch();
	send_batch(p, "unpolled", 0, 3);
	refuse_next_batch();
	send_batch(p, "unpolled", 3, 3);
	assert_int_equal(kp_failures_poll(p, &out, 1, 0), 1);
	close_and_free(p);
}

/* ------------------------------------------------------------------ memory, threads */

typedef struct sender {
	kp_producer *producer;
	kp_topic *topic;
	int n, error;
} sender;

static void *send_all(void *opaque)
{
	sender *s = opaque;
	kp_record r = record_of("k", "some value, fifty bytes long more or less, no more");
	for (int i = 0; i < s->n && !s->error; i++)
		s->error = kp_send(s->topic, &r);
	return NULL;
}

static void forget_injections(void)
{
	broker_stop(the_broker);
	the_broker = broker_start(1, 2);
}

/* The budget is held by failures, and the sender waits for their poll. */
static void unpolled_failures_hold_memory_until_they_are_polled(void **state)
{
	enum { N = 10000 };
	static kp_report out[1000] = {{.struct_size = sizeof(kp_report)}};
	pthread_t thread;
	(void)state;
	kp_producer *p = producer(NULL, PAIRS("delivery.reports", "none", "buffer.memory", "100000", "batch.size", "4000"));
	broker_inject(the_broker, 0, KP_ERR_TOPIC_AUTHORIZATION_FAILED, N);
	sender s = {.topic = kp_topic_open(p, "memory"), .n = N};
	assert_int_equal(pthread_create(&thread, NULL, send_all, &s), 0);
	assert_true(eventually(is_sender_blocked, p));
	assert_true(counters_of(p).queued_bytes <= 100000);
	size_t n = 0;
	while (n < N) {
		size_t got = kp_failures_poll(p, out, 1000, PATIENCE_MS);
		assert_true(got > 0);
		n += got;
	}
	pthread_join(thread, NULL);
	assert_int_equal(s.error, 0);
	assert_int_equal(n, N);
	close_and_free(p);
	forget_injections();
}

static void *poll_failures(void *opaque)
{
	sender *s = opaque;
	kp_report out[16] = {{.struct_size = sizeof(kp_report)}};
	while (s->n > 0) {
		size_t n = kp_failures_poll(s->producer, out, 16, PATIENCE_MS);
		if (n == 0)
			break;
		s->n -= (int)n;
	}
	return NULL;
}

static void two_threads_poll_the_two_queues_while_others_send(void **state)
{
	enum { SENDERS = 4, N = 1000 };
	kp_report out[16] = {{.struct_size = sizeof(kp_report)}};
	pthread_t threads[SENDERS], poller;
	sender s[SENDERS];
	(void)state;
	kp_producer *p = producer(NULL, PAIRS(QUEUE_MODE, "", "batch.size", "2000", "linger.ms", "0"));
	broker_inject(the_broker, 0, KP_ERR_TOPIC_AUTHORIZATION_FAILED, SENDERS * N);
	sender failures = {.producer = p, .n = SENDERS * N};
	assert_int_equal(pthread_create(&poller, NULL, poll_failures, &failures), 0);
	for (int i = 0; i < SENDERS; i++) {
		s[i] = (sender){.topic = kp_topic_open(p, "threads"), .n = N};
		assert_int_equal(pthread_create(&threads[i], NULL, send_all, &s[i]), 0);
	}
	size_t n = 0, got;
	while (n < SENDERS * N && (got = kp_reports_poll(p, out, 16, PATIENCE_MS)))
		n += got;
	assert_int_equal(n, SENDERS * N);
	for (int i = 0; i < SENDERS; i++)
		pthread_join(threads[i], NULL);
	pthread_join(poller, NULL);
	assert_int_equal(failures.n, 0);
	close_and_free(p);
	forget_injections();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(failures_come_with_their_content_in_the_order_of_failing),
		cmocka_unit_test(without_the_queue_there_is_no_failure_to_poll),
		cmocka_unit_test(both_queues_give_a_failure_each_at_its_own_pace),
		cmocka_unit_test(records_of_groups_and_of_synchronous_sends_are_there),
		cmocka_unit_test(unacknowledged_records_are_no_failures),
		cmocka_unit_test(what_the_close_ends_can_be_polled_after_it),
		cmocka_unit_test(unpolled_failures_go_with_the_producer),
		cmocka_unit_test(unpolled_failures_hold_memory_until_they_are_polled),
		cmocka_unit_test(two_threads_poll_the_two_queues_while_others_send),
	};
	return RUN_WITH_BROKER(tests, 1, 2);
}
