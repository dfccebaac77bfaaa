/*
 * test_queue.c - the report queue and its descriptor, and delivery.reports = all | errors | none.
 */
#include <poll.h>

#include "fixture.h"

static kp_producer *producer(const char *const *pairs)
{
	return producer_of(broker_servers(the_broker), NULL, NULL, pairs);
}

static bool is_readable(kp_producer *p, int timeout_ms)
{
	struct pollfd f = {.fd = kp_reports_fd(p), .events = POLLIN};
	return poll(&f, 1, timeout_ms) == 1 && f.revents == POLLIN;
}

static void send_n(kp_topic *t, int n)
{
	kp_record r = record_of("k", "v");
	for (int i = 0; i < n; i++) {
		r.opaque = (void *)(intptr_t)(i + 1);
		assert_int_equal(kp_send(t, &r), 0);
	}
}

static void the_descriptor_is_readable_while_reports_wait(void **state)
{
	kp_report out[4] = {{.struct_size = sizeof(kp_report)}};
	(void)state;
	kp_producer *p = producer(PAIRS(QUEUE_MODE, ""));
	assert_true(kp_reports_fd(p) >= 0);
	assert_false(is_readable(p, 0));
	assert_int_equal(kp_reports_poll(p, out, 4, 0), 0);
	send_n(kp_topic_open(p, "fd"), 10);
	assert_true(is_readable(p, PATIENCE_MS));
	assert_int_equal(kp_flush(p, PATIENCE_MS), 0);
	assert_int_equal(counters_of(p).report_queue, 10);
	for (int at = 0; at < 10;) {
		assert_true(is_readable(p, 0));
		size_t n = kp_reports_poll(p, out, 4, 0);
		assert_in_range(n, 1, 4);
		for (size_t i = 0; i < n; i++, at++) {
			assert_int_equal(out[i].offset, at);
			assert_ptr_equal(out[i].opaque, (void *)(intptr_t)(at + 1));
			assert_string_equal(out[i].topic, "fd");
		}
	}
	assert_false(is_readable(p, 0));
	assert_int_equal(counters_of(p).report_queue, 0);
	assert_int_equal(kp_reports_poll(p, out, 4, 0), 0);
	assert_int_equal(kp_reports_poll(p, out, 0, 0), 0);
	close_and_free(p);
}

static void without_a_queue_there_is_no_descriptor(void **state)
{
	kp_report out = {.struct_size = sizeof(out)};
	(void)state;
	kp_producer *p = producer(NO_PAIRS);
	assert_int_equal(kp_reports_fd(p), -1);
	assert_int_equal(kp_reports_poll(p, &out, 1, KP_FOREVER), 0);
	close_and_free(p);
}

static void poll_waits_for_the_first_report(void **state)
{
	kp_report out = {.struct_size = sizeof(out)};
	(void)state;
	kp_producer *p = producer(PAIRS(QUEUE_MODE, ""));
	int64_t start_ms = now_ms();
	assert_int_equal(kp_reports_poll(p, &out, 1, 60), 0);
	assert_on_time(start_ms, 60);
	send_n(kp_topic_open(p, "wait"), 1);
	assert_int_equal(kp_reports_poll(p, &out, 1, KP_FOREVER), 1);
	assert_int_equal(out.error, 0);
	close_and_free(p);
}

static void nop(kp_producer *p, const kp_batch_report *report, void *opaque)
{
	(void)p, (void)report, (void)opaque;
}

/* A batch that begins, or ends, with records of a group: a poll must neither give them nor come back empty because of them. */
static void records_of_groups_do_not_show_in_the_queue(void **state)
{
	kp_record r[3] = {record_of("k", "v"), record_of("k", "v"), record_of("k", "v")};
	kp_report out = {.struct_size = sizeof(out)};
	(void)state;
	kp_producer *p = producer(PAIRS(QUEUE_MODE, "", "linger.ms", "1000"));
	kp_topic *t = kp_topic_open(p, "groups");
	kp_record own = record_of("own", "v");
	assert_int_equal(kp_produce_batch(t, r, 3, nop, NULL, NULL), 3);
	assert_int_equal(kp_send(t, &own), 0);
	assert_int_equal(kp_produce_batch(t, r, 3, nop, NULL, NULL), 3);
	assert_int_equal(kp_flush(p, PATIENCE_MS), 0);
	assert_int_equal(kp_reports_poll(p, &out, 1, 0), 1);
	assert_int_equal(out.offset, 3);
	assert_false(is_readable(p, 0));
	/* the next one comes from a later batch: whoever waits for it must not be sent away */
	assert_int_equal(kp_send(t, &own), 0);
	assert_int_equal(kp_reports_poll(p, &out, 1, PATIENCE_MS), 1);
	assert_int_equal(out.offset, 7);
	close_and_free(p);
}

static void reports_can_be_polled_after_the_close(void **state)
{
	kp_report out[8] = {{.struct_size = sizeof(kp_report)}};
	(void)state;
	kp_producer *p = producer(PAIRS(QUEUE_MODE, ""));
	send_n(kp_topic_open(p, "after"), 5);
	assert_int_equal(kp_close(p, PATIENCE_MS, NULL), 0);
	assert_true(is_readable(p, 0));
	assert_int_equal(kp_reports_poll(p, out, 8, KP_FOREVER), 5);
	assert_int_equal(kp_reports_poll(p, out, 8, KP_FOREVER), 0); /* nothing will come: it does not wait */
	kp_producer_free(p);
}

static void *poll_for_ever(void *opaque)
{
	kp_report out = {.struct_size = sizeof(out)};
	return (void *)(uintptr_t)kp_reports_poll(opaque, &out, 1, KP_FOREVER);
}

static void the_close_ends_a_poll_that_waits(void **state)
{
	pthread_t thread;
	void *n;
	(void)state;
	kp_producer *p = producer(PAIRS(QUEUE_MODE, ""));
	assert_int_equal(pthread_create(&thread, NULL, poll_for_ever, p), 0);
	assert_int_equal(kp_close(p, PATIENCE_MS, NULL), 0);
	pthread_join(thread, &n);
	assert_null(n);
	kp_producer_free(p);
}

static void unpolled_reports_go_with_the_producer(void **state)
{
	(void)state;
	kp_producer *p = producer(PAIRS(QUEUE_MODE, ""));
	send_n(kp_topic_open(p, "unpolled"), 5);
	close_and_free(p);
}

/* ------------------------------------------------------------------ memory */

typedef struct sender {
	kp_topic *topic;
	int n;
	_Atomic int n_sent;
	int last_error;
} sender;

static void *send_all(void *opaque)
{
	sender *s = opaque;
	kp_record r = record_of("k", "some value, fifty bytes long more or less, no more");
	while (s->n_sent < s->n && (s->last_error = kp_send(s->topic, &r)) == 0)
		s->n_sent++;
	return NULL;
}

static bool has_stopped(void *arg)
{
	/* two looks at the same figure, a flush between them */
	sender *s = ((void **)arg)[0];
	kp_producer *p = ((void **)arg)[1];
	int before = s->n_sent;
	(void)kp_flush(p, PATIENCE_MS);
	return before > 0 && s->n_sent == before && before < s->n;
}

static void unpolled_reports_hold_memory_until_they_are_polled(void **state)
{
	enum { N = 20000 };
	static kp_report out[1000] = {{.struct_size = sizeof(kp_report)}};
	pthread_t thread;
	(void)state;
	kp_producer *p = producer(PAIRS(QUEUE_MODE, "", "buffer.memory", "100000", "batch.size", "4000"));
	sender s = {.topic = kp_topic_open(p, "memory"), .n = N};
	assert_int_equal(pthread_create(&thread, NULL, send_all, &s), 0);
	assert_true(eventually(has_stopped, (void *[]){&s, p}));
	assert_true(counters_of(p).queued_bytes <= 100000);
	size_t n = 0;
	while (n < N) {
		size_t got = kp_reports_poll(p, out, 1000, PATIENCE_MS);
		assert_true(got > 0);
		n += got;
	}
	pthread_join(thread, NULL);
	assert_int_equal(s.n_sent, N);
	close_and_free(p);
}

/* ------------------------------------------------------------------ modes */

static void send_good_and_bad(kp_producer *p)
{
	kp_topic *t = kp_topic_open(p, "modes");
	send_n(t, 3);
	assert_int_equal(kp_flush(p, PATIENCE_MS), 0);
	broker_inject(the_broker, 0, KP_ERR_TOPIC_AUTHORIZATION_FAILED, 1);
	send_n(t, 2);
	assert_int_equal(kp_flush(p, PATIENCE_MS), 0);
	send_n(t, 1);
}

static void modes_choose_what_is_reported(void **state)
{
	static const struct {
		const char *name;
		size_t n, n_bad;
	} modes[] = {{"all", 6, 2}, {"errors", 2, 2}, {"none", 0, 0}};
	(void)state;
	for (size_t i = 0; i < KP_ARRAY_LEN(modes); i++) {
		collector c;
		kp_report out[8] = {{.struct_size = sizeof(kp_report)}};
		collector_init(&c);
		kp_producer *p = producer_of(broker_servers(the_broker), &c, NULL, PAIRS("delivery.reports", modes[i].name));
		send_good_and_bad(p);
		close_and_free(p);
		assert_int_equal(c.n, modes[i].n);
		assert_int_equal(collector_count_outcome(&c, KP_NOT_PERSISTED, KP_ERR_TOPIC_AUTHORIZATION_FAILED), modes[i].n_bad);
		collector_deinit(&c);

		p = producer(PAIRS("delivery.reports", modes[i].name, QUEUE_MODE, ""));
		send_good_and_bad(p);
		assert_int_equal(kp_close(p, PATIENCE_MS, NULL), 0);
		size_t n = 0, got;
		while ((got = kp_reports_poll(p, out, 8, KP_FOREVER)))
			n += got;
		assert_int_equal(n, modes[i].n);
		kp_counters k = counters_of(p);
		assert_int_equal(k.accepted, 6);
		assert_int_equal(k.persisted, 4);
		assert_int_equal(k.not_persisted, 2);
		kp_producer_free(p);
	}
}

static void unacknowledged_records_end_unknown_without_error(void **state)
{
	collector c;
	(void)state;
	collector_init(&c);
	kp_producer *p = producer_of(broker_servers(the_broker), &c, NULL, PAIRS("acks", "0"));
	send_n(kp_topic_open(p, "acks0"), 3);
	close_and_free(p);
	assert_int_equal(c.n, 3);
	for (size_t i = 0; i < c.n; i++) {
		assert_int_equal(c.reports[i].report.outcome, KP_UNKNOWN);
		assert_int_equal(c.reports[i].report.error, 0);
		assert_int_equal(c.reports[i].report.offset, -1);
	}
	collector_deinit(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_descriptor_is_readable_while_reports_wait),
		cmocka_unit_test(without_a_queue_there_is_no_descriptor),
		cmocka_unit_test(poll_waits_for_the_first_report),
		cmocka_unit_test(records_of_groups_do_not_show_in_the_queue),
		cmocka_unit_test(reports_can_be_polled_after_the_close),
		cmocka_unit_test(the_close_ends_a_poll_that_waits),
		cmocka_unit_test(unpolled_reports_go_with_the_producer),
		cmocka_unit_test(unpolled_reports_hold_memory_until_they_are_polled),
		cmocka_unit_test(modes_choose_what_is_reported),
		cmocka_unit_test(unacknowledged_records_end_unknown_without_error),
	};
	return RUN_WITH_BROKER(tests, 1, 1);
}
