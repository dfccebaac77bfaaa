/*
 * test_group.c - kp_produce_batch: one report for records sent together.
 */
#include "fixture.h"

/* Notes what the batch callback is told. */
typedef struct told {
	_Atomic int n_calls;
	kp_batch_report report;
	kp_producer *producer;
	pthread_t thread;
	void *opaque;
} told;

static void on_batch(kp_producer *p, const kp_batch_report *report, void *opaque)
{
	told *t = opaque;
	t->report = *report;
	t->producer = p;
	t->thread = pthread_self();
	t->opaque = report->opaque;
	t->n_calls++;
}

static void fill(kp_record *r, size_t n)
{
	for (size_t i = 0; i < n; i++)
		r[i] = record_of("key", "value");
}

static void a_batch_is_told_once_when_all_of_it_ended(void **state)
{
	enum { N = 500 };
	kp_record r[N];
	collector c;
	told t = {0};
	int error = -1;
	(void)state;
	collector_init(&c);
	kp_producer *p = producer_of(broker_servers(the_broker), &c, NULL, PAIRS("batch.size", "300"));
	fill(r, N);
	for (int i = 0; i < N; i++)
		r[i].key = NULL, r[i].key_len = 0;
	assert_int_equal(kp_produce_batch(kp_topic_open(p, "batch"), r, N, on_batch, &t, &error), N);
	assert_int_equal(error, 0);
	assert_int_equal(kp_flush(p, PATIENCE_MS), 0);
	assert_int_equal(t.n_calls, 1);
	assert_int_equal(t.report.struct_size, sizeof(t.report));
	assert_int_equal(t.report.n_persisted, N);
	assert_int_equal(t.report.n_not_persisted + t.report.n_unknown, 0);
	assert_int_equal(t.report.first_error, 0);
	assert_ptr_equal(t.opaque, &t);
	assert_ptr_equal(t.producer, p);
	assert_false(pthread_equal(t.thread, pthread_self()));
	close_and_free(p);
	assert_int_equal(c.n, 0); /* no reports of their own */
	assert_int_equal(broker_count(the_broker, "batch"), N);
	collector_deinit(&c);
}

static void a_batch_is_told_of_what_was_accepted_only(void **state)
{
	kp_record r[4];
	told t = {0};
	int error = 0;
	(void)state;
	kp_producer *p = producer_of(broker_servers(the_broker), NULL, NULL, NO_PAIRS);
	kp_topic *topic = kp_topic_open(p, "some");
	fill(r, 4);
	r[2].partition = -5;
	assert_int_equal(kp_produce_batch(topic, r, 4, on_batch, &t, &error), 2);
	assert_int_equal(error, KP_ERR_BAD_ARGUMENT);
	assert_int_equal(kp_produce_batch(topic, r + 2, 2, on_batch, &t, &error), 0);
	assert_int_equal(error, KP_ERR_BAD_ARGUMENT);
	assert_int_equal(kp_produce_batch(topic, r, 0, on_batch, &t, &error), 0);
	assert_int_equal(error, 0);
	assert_int_equal(kp_produce_batch(topic, r, 1, NULL, &t, &error), 0);
	assert_int_equal(error, KP_ERR_BAD_ARGUMENT);
	close_and_free(p);
	assert_int_equal(t.n_calls, 1);
	assert_int_equal(t.report.n_persisted, 2);
}

static void a_batch_names_the_first_error(void **state)
{
	kp_record r[2];
	told t = {0};
	(void)state;
	kp_producer *p = producer_of(broker_servers(the_broker), NULL, NULL, NO_PAIRS);
	kp_topic *topic = kp_topic_open(p, "batch-error");
	fill(r, 2);
	assert_int_equal(kp_send_sync(topic, r, PATIENCE_MS, NULL), 0); /* the partitions are known from here on */
	broker_inject(the_broker, 0, KP_ERR_TOPIC_AUTHORIZATION_FAILED, 1);
	assert_int_equal(kp_produce_batch(topic, r, 2, on_batch, &t, NULL), 2);
	close_and_free(p);
	assert_int_equal(t.n_calls, 1);
	assert_int_equal(t.report.n_not_persisted, 2);
	assert_int_equal(t.report.first_error, KP_ERR_TOPIC_AUTHORIZATION_FAILED);
}

static void a_batch_is_told_whatever_reports_are_wanted(void **state)
{
	static const char *const modes[] = {"all", "errors", "none"};
	kp_record r[3];
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		told t = {0};
		kp_producer *p = producer_of(broker_servers(the_broker), NULL, NULL, PAIRS("delivery.reports", modes[i]));
		kp_topic *topic = kp_topic_open(p, "modes");
		fill(r, 3);
		for (int k = 0; k < 5; k++)
			assert_int_equal(kp_send(topic, r), 0); /* in the same batch, before and behind */
		assert_int_equal(kp_produce_batch(topic, r, 3, on_batch, &t, NULL), 3);
		assert_int_equal(kp_send(topic, r), 0);
		close_and_free(p);
		assert_int_equal(t.n_calls, 1);
		assert_int_equal(t.report.n_persisted, 3);
	}
}

static void a_batch_ends_with_its_producer(void **state)
{
	kp_record r[3];
	told t = {0};
	uint64_t left = 0;
	(void)state;
	peer *silent = peer_start(PEER_SILENT);
	kp_producer *p = producer_of(peer_servers(silent), NULL, NULL, NO_PAIRS);
	fill(r, 3);
	assert_int_equal(kp_produce_batch(kp_topic_open(p, "t"), r, 3, on_batch, &t, NULL), 3);
	assert_int_equal(kp_close(p, 0, &left), KP_ERR_TIMED_OUT);
	assert_int_equal(left, 3);
	assert_int_equal(t.n_calls, 1);
	assert_int_equal(t.report.n_not_persisted, 3);
	assert_int_equal(t.report.first_error, KP_ERR_CLOSED);
	kp_producer_free(p);
	peer_stop(silent);
}

/* The sender hands over slower than the broker answers: the last one to count down may be either of them. */
typedef struct batch_sender {
	kp_topic *topic;
	told told;
	int n_sent;
} batch_sender;

static void *send_batches(void *opaque)
{
	batch_sender *s = opaque;
	kp_record r[2];
	fill(r, 2);
	for (int i = 0; i < 300; i++)
		s->n_sent += (int)kp_produce_batch(s->topic, r, 2, on_batch, &s->told, NULL);
	return NULL;
}

static void small_batches_from_many_threads_are_each_told_once(void **state)
{
	enum { THREADS = 4 };
	batch_sender s[THREADS] = {0};
	pthread_t threads[THREADS];
	(void)state;
	kp_producer *p = producer_of(broker_servers(the_broker), NULL, NULL, PAIRS("linger.ms", "0"));
	for (int i = 0; i < THREADS; i++) {
		s[i].topic = kp_topic_open(p, "small");
		assert_int_equal(pthread_create(&threads[i], NULL, send_batches, &s[i]), 0);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	close_and_free(p);
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(s[i].n_sent, 600);
		assert_int_equal(s[i].told.n_calls, 300);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_batch_is_told_once_when_all_of_it_ended),
		cmocka_unit_test(a_batch_is_told_of_what_was_accepted_only),
		cmocka_unit_test(a_batch_names_the_first_error),
		cmocka_unit_test(a_batch_is_told_whatever_reports_are_wanted),
		cmocka_unit_test(a_batch_ends_with_its_producer),
		cmocka_unit_test(small_batches_from_many_threads_are_each_told_once),
	};
	return RUN_WITH_BROKER(tests, 1, 3);
}
