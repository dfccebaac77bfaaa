/*
 * test_callbacks.c - what an application may do inside a callback: everything, and nothing of it blocks.
 */
#include "fixture.h"

#include <errno.h>
#include <time.h>

static broker *the_broker;

static int start(void **state)
{
	(void)state;
	the_broker = broker_start(1, 1);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	broker_stop(the_broker);
	return 0;
}

/* What a callback did, and what came of it; looked at after the close. */
typedef struct tried {
	kp_topic *topic;
	_Atomic int n_calls, n_batch_calls;
	int send, try_send, send_sync, flush, purge, close, close_again;
	int partitions_for, list, create, delete, add, configs;
	size_t many, batch, poll;
	bool has_topic, has_counters;
	char err[256];
	_Atomic int64_t took_ms;
} tried;

static void on_batch(kp_producer *p, const kp_batch_report *report, void *opaque)
{
	tried *t = opaque;
	(void)p, (void)report;
	t->n_batch_calls++;
}

static void try_admin(kp_producer *p, tried *t)
{
	kp_topic_info *infos;
	kp_config_entry *entries;
	size_t n;
	t->partitions_for = kp_partitions_for(p, "t", KP_FOREVER, &infos, t->err, sizeof(t->err));
	t->list = kp_topics_list(p, KP_FOREVER, &infos, &n, NULL, 0);
	t->create = kp_topic_create(p, "new", 1, 1, NULL, KP_FOREVER, NULL, 0);
	t->delete = kp_topic_delete(p, "t", KP_FOREVER, NULL, 0);
	t->add = kp_topic_add_partitions(p, "t", 7, KP_FOREVER, NULL, 0);
	t->configs = kp_topic_configs(p, "t", KP_FOREVER, &entries, &n, NULL, 0);
}

static void try_everything(kp_producer *p, tried *t)
{
	kp_record r = record_of(NULL, "from a callback");
	kp_record two[2] = {r, r};
	kp_report out = {.struct_size = sizeof(out)};
	int64_t start_ms = now_ms();
	t->has_topic = kp_topic_open(p, "another") != NULL;
	t->send = kp_send(t->topic, &r);
	t->try_send = kp_try_send(t->topic, &r);
	t->many = kp_send_many(t->topic, two, 2, NULL);
	t->batch = kp_produce_batch(t->topic, two, 2, on_batch, t, NULL);
	t->send_sync = kp_send_sync(t->topic, &r, KP_FOREVER, NULL);
	t->flush = kp_flush(p, KP_FOREVER);
	t->poll = kp_reports_poll(p, &out, 1, KP_FOREVER);
	t->has_counters = counters_of(p).struct_size == sizeof(kp_counters);
	try_admin(p, t);
	t->purge = kp_purge(p, KP_PURGE_QUEUED);
	t->took_ms = now_ms() - start_ms;
}

static void on_report_try_everything(kp_producer *p, const kp_report *reports, size_t n, void *opaque)
{
	tried *t = opaque;
	(void)reports, (void)n;
	if (t->n_calls++ == 0)
		try_everything(p, t);
}

static void assert_nothing_blocked(const tried *t)
{
	assert_in_range(t->took_ms, 0, 1000);
	assert_true(t->has_topic && t->has_counters);
	const int refused[] = {t->send_sync, t->flush, t->partitions_for, t->list, t->create, t->delete, t->add, t->configs};
	for (size_t i = 0; i < KP_ARRAY_LEN(refused); i++)
		assert_int_equal(refused[i], KP_ERR_IN_CALLBACK);
	assert_non_null(strstr(t->err, "IN_CALLBACK"));
	assert_int_equal(t->purge, 0);
	assert_int_equal(t->poll, 0);
}

static kp_producer *producer_with(const char *servers, kp_report_cb *cb, kp_error_cb *error_cb, void *opaque,
                                  const char *const *pairs)
{
	kp_config *c = config_of(servers, pairs);
	if (cb)
		kp_config_set_report_cb(c, cb, opaque);
	kp_config_set_error_cb(c, error_cb, opaque);
	kp_producer *p = kp_producer_new(c, NULL, NULL, 0);
	kp_config_free(c);
	assert_non_null(p);
	return p;
}

static void a_report_callback_may_call_everything(void **state)
{
	tried t = {0};
	kp_record r = record_of(NULL, "v");
	(void)state;
	kp_producer *p = producer_with(broker_servers(the_broker), on_report_try_everything, NULL, &t, NO_PAIRS);
	t.topic = kp_topic_open(p, "t");
	assert_int_equal(kp_send(t.topic, &r), 0);
	assert_int_equal(kp_flush(p, PATIENCE_MS), 0);
	close_and_free(p);
	assert_nothing_blocked(&t);
	assert_int_equal(t.send | t.try_send, 0);
	assert_int_equal(t.many, 2);
	assert_int_equal(t.batch, 2);
	assert_int_equal(t.n_batch_calls, 1);
}

static void on_error_try_everything(kp_producer *p, int error, const char *text, void *opaque)
{
	tried *t = opaque;
	(void)error, (void)text;
	if (t->n_calls++ > 0)
		return;
	t->topic = kp_topic_open(p, "t");
	try_everything(p, t);
}

static bool was_called(void *arg)
{
	return ((tried *)arg)->n_calls > 0 && ((tried *)arg)->took_ms >= 0;
}

static void an_error_callback_may_call_everything(void **state)
{
	static const char *const modes[] = {"linger.ms", QUEUE_MODE};
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		tried t = {.took_ms = -1};
		peer *closes = peer_start(PEER_CLOSES);
		kp_producer *p = producer_with(peer_servers(closes), NULL, on_error_try_everything, &t, PAIRS(modes[i], "5"));
		assert_non_null(kp_topic_open(p, "t")); /* whose partitions it asks for, in vain */
		assert_true(eventually(was_called, &t));
		(void)kp_close(p, 0, NULL);
		kp_producer_free(p);
		assert_nothing_blocked(&t);
		assert_int_equal(t.n_batch_calls, 1);
		peer_stop(closes);
	}
}

/* ------------------------------------------------------------------ sending on */

static void on_report_send_until_full(kp_producer *p, const kp_report *reports, size_t n, void *opaque)
{
	tried *t = opaque;
	kp_record r = record_of(NULL, "again");
	int64_t start_ms = now_ms();
	(void)p, (void)reports, (void)n;
	if (t->n_calls++ == 0)
		while ((t->send = kp_send(t->topic, &r)) == 0)
			t->many++;
	t->took_ms += now_ms() - start_ms;
}

static void a_callback_that_finds_no_room_is_told_at_once(void **state)
{
	tried t = {0};
	kp_record r = record_of(NULL, "v");
	(void)state;
	kp_producer *p = producer_with(broker_servers(the_broker), on_report_send_until_full, NULL, &t,
	                               PAIRS("buffer.memory", "20000", "batch.size", "1000"));
	t.topic = kp_topic_open(p, "t");
	assert_int_equal(kp_send_sync(t.topic, &r, PATIENCE_MS, NULL), 0);
	assert_int_equal(kp_send(t.topic, &r), 0);
	assert_int_equal(kp_flush(p, PATIENCE_MS), 0);
	assert_int_equal(t.send, KP_ERR_QUEUE_FULL);
	assert_true(t.many > 10);
	assert_in_range(t.took_ms, 0, 5000);
	close_and_free(p);
}

static void on_report_send_one(kp_producer *p, const kp_report *reports, size_t n, void *opaque)
{
	tried *t = opaque;
	kp_record r = record_of(NULL, "next");
	(void)p, (void)reports;
	t->many += n;
	if (t->many < 500)
		t->send |= kp_send(t->topic, &r);
	else
		t->n_calls = 1;
}

static void a_chain_of_sends_from_callbacks_does_not_stop(void **state)
{
	tried t = {0};
	kp_record r = record_of(NULL, "first");
	(void)state;
	kp_producer *p = producer_with(broker_servers(the_broker), on_report_send_one, NULL, &t, PAIRS("linger.ms", "0"));
	t.topic = kp_topic_open(p, "chain");
	assert_int_equal(kp_send(t.topic, &r), 0);
	assert_true(eventually(was_called, &t));
	close_and_free(p);
	assert_int_equal(t.send, 0);
	assert_int_equal(t.many, 500);
}

/* ------------------------------------------------------------------ close */

static void on_report_close(kp_producer *p, const kp_report *reports, size_t n, void *opaque)
{
	tried *t = opaque;
	uint64_t left;
	(void)reports;
	if (t->n_calls++ == 0) {
		t->close = kp_close(p, KP_FOREVER, &left);
		t->close_again = kp_close(p, KP_FOREVER, NULL);
	}
	t->many += n;
}

static void close_in_a_callback_ends_the_producer_at_once(void **state)
{
	tried t = {0};
	kp_record r = record_of(NULL, "v");
	size_t n = 0;
	(void)state;
	kp_producer *p = producer_with(broker_servers(the_broker), on_report_close, NULL, &t, PAIRS("linger.ms", "0"));
	kp_topic *topic = kp_topic_open(p, "close");
	while (kp_send(topic, &r) == 0)
		n++;
	(void)kp_close(p, KP_FOREVER, NULL); /* waits for the end */
	assert_int_equal(t.close, 0);
	assert_int_equal(t.close_again, 0);
	assert_int_equal(t.many, n);
	kp_producer_free(p);
}

/* ------------------------------------------------------------------ slow ones, new ones */

static void on_report_dawdle(kp_producer *p, const kp_report *reports, size_t n, void *opaque)
{
	(void)p, (void)reports, (void)n, (void)opaque;
	nanosleep(&(struct timespec){.tv_nsec = 120 * 1000000}, NULL); /* what is tested: a callback that takes too long */
}

static void slow_callbacks_are_counted(void **state)
{
	kp_record r = record_of(NULL, "v");
	(void)state;
	kp_producer *p = producer_with(broker_servers(the_broker), on_report_dawdle, NULL, NULL, NO_PAIRS);
	assert_int_equal(kp_send(kp_topic_open(p, "slow"), &r), 0);
	assert_int_equal(kp_flush(p, PATIENCE_MS), 0);
	assert_int_equal(counters_of(p).slow_callbacks, 1);
	close_and_free(p);
}

typedef struct nested {
	kp_runtime *runtime;
	_Atomic(kp_producer *) inner;
	int send;
} nested;

static void on_report_open_another(kp_producer *p, const kp_report *reports, size_t n, void *opaque)
{
	nested *x = opaque;
	kp_record r = record_of(NULL, "inner");
	(void)p, (void)reports, (void)n;
	if (x->inner)
		return;
	kp_config *c = config_of(broker_servers(the_broker), NO_PAIRS);
	kp_producer *inner = kp_producer_new(c, x->runtime, NULL, 0);
	kp_config_free(c);
	x->send = inner ? kp_send(kp_topic_open(inner, "nested"), &r) : -1;
	x->inner = inner;
}

static bool has_inner(void *arg)
{
	return ((nested *)arg)->inner != NULL;
}

static void a_callback_may_make_a_producer_on_its_own_runtime(void **state)
{
	nested x = {.runtime = kp_runtime_new()};
	kp_record r = record_of(NULL, "v");
	(void)state;
	kp_config *c = config_of(broker_servers(the_broker), NO_PAIRS);
	kp_config_set_report_cb(c, on_report_open_another, &x);
	kp_producer *p = kp_producer_new(c, x.runtime, NULL, 0);
	kp_config_free(c);
	assert_int_equal(kp_send(kp_topic_open(p, "outer"), &r), 0);
	assert_true(eventually(has_inner, &x));
	assert_int_equal(x.send, 0);
	close_and_free(x.inner);
	close_and_free(p);
	kp_runtime_free(x.runtime);
	assert_int_equal(broker_count(the_broker, "nested"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_report_callback_may_call_everything),
		cmocka_unit_test(an_error_callback_may_call_everything),
		cmocka_unit_test(a_callback_that_finds_no_room_is_told_at_once),
		cmocka_unit_test(a_chain_of_sends_from_callbacks_does_not_stop),
		cmocka_unit_test(close_in_a_callback_ends_the_producer_at_once),
		cmocka_unit_test(slow_callbacks_are_counted),
		cmocka_unit_test(a_callback_may_make_a_producer_on_its_own_runtime),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
