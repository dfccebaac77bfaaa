/*
 * test_callback_calls.c - every kind of callback, on a runtime of its own and on a shared one, calls every public function: each returns at
 * once and as the header says, nothing deadlocks.
 */
#include "fixture.h"

/* What a callback did, and what came of it; looked at after the close. */
typedef struct tried {
	kp_producer *producer;
	kp_topic *topic;
	kp_runtime *runtime; /* the shared one, or NULL */
	pthread_t outside;   /* the test's thread: log lines written there are passed over */
	_Atomic bool is_ready, is_begun, is_done;
	_Atomic int n_batch_calls, n_refused_frees;
	int send, try_send, send_sync, flush, purge, close;
	int partitions_for, list, create, delete, add, configs;
	size_t many, batch, poll, poll_failures;
	bool has_topic, has_counters, has_resender;
	char err[256];
	int64_t took_ms;
} tried;

static void on_batch(kp_producer *p, const kp_batch_report *report, void *opaque)
{
	tried *t = opaque;
	(void)p, (void)report;
	t->n_batch_calls++;
}

static void try_sends(tried *t)
{
	kp_record r = record_of(NULL, "from a callback");
	kp_record two[2] = {r, r};
	t->send = kp_send(t->topic, &r);
	t->try_send = kp_try_send(t->topic, &r);
	t->many = kp_send_many(t->topic, two, 2, NULL);
	t->batch = kp_produce_batch(t->topic, two, 2, on_batch, t, NULL);
	t->send_sync = kp_send_sync(t->topic, &r, KP_FOREVER, NULL);
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

static bool try_resender(kp_producer *p)
{
	kp_report out = {.struct_size = sizeof(out)};
	kp_resender *r = kp_resender_new(p, NULL, NULL, 0);
	if (!r)
		return false;
	bool is_empty = kp_resender_poll(r, &out, 1, KP_FOREVER) == 0 && kp_resender_pending(r) == 0;
	kp_resender_free(r);
	return is_empty;
}

/* The first time only: what it sends has callbacks of its own. */
static void try_everything(tried *t)
{
	kp_producer *p = t->producer;
	kp_report out = {.struct_size = sizeof(out)};
	if (!t->is_ready || atomic_exchange(&t->is_begun, true))
		return;
	int64_t start_ms = now_ms();
	t->topic = kp_topic_open(p, "t");
	t->has_topic = kp_topic_open(p, "another") != NULL;
	try_sends(t);
	t->flush = kp_flush(p, KP_FOREVER);
	t->poll = kp_reports_poll(p, &out, 1, KP_FOREVER);
	t->poll_failures = kp_failures_poll(p, &out, 1, KP_FOREVER);
	t->has_counters = counters_of(p).struct_size == sizeof(kp_counters);
	try_admin(p, t);
	t->has_resender = try_resender(p);
	t->purge = kp_purge(p, KP_PURGE_QUEUED);
	kp_producer_free(p);
	if (t->runtime)
		kp_runtime_free(t->runtime);
	t->close = kp_close(p, KP_FOREVER, NULL);
	kp_producer_free(p); /* not yet closed: the close goes on when the callback has returned */
	t->took_ms = now_ms() - start_ms;
	t->is_done = true;
}

static void on_report(kp_producer *p, const kp_report *reports, size_t n, void *opaque)
{
	(void)p, (void)reports, (void)n;
	try_everything(opaque);
}

static void on_error(kp_producer *p, int error, const char *text, void *opaque)
{
	(void)p, (void)error, (void)text;
	try_everything(opaque);
}

static void on_log(int level, const char *line, void *opaque)
{
	tried *t = opaque;
	if (strstr(line, "free_refused") && level == 3)
		t->n_refused_frees++;
	else if (!pthread_equal(pthread_self(), t->outside))
		try_everything(t);
}

static void count_refusals(int level, const char *line, void *opaque)
{
	tried *t = opaque;
	t->n_refused_frees += strstr(line, "free_refused") && level == 3;
}

static void on_own_batch(kp_producer *p, const kp_batch_report *report, void *opaque)
{
	(void)p, (void)report;
	try_everything(opaque);
}

static bool is_done(void *arg)
{
	return ((tried *)arg)->is_done;
}

static void assert_as_the_header_says(const tried *t)
{
	assert_in_range(t->took_ms, 0, 1000);
	assert_true(t->has_topic && t->has_counters && t->has_resender);
	const int refused[] = {t->send_sync, t->flush, t->partitions_for, t->list, t->create, t->delete, t->add, t->configs};
	for (size_t i = 0; i < KP_ARRAY_LEN(refused); i++)
		assert_int_equal(refused[i], KP_ERR_IN_CALLBACK);
	assert_non_null(strstr(t->err, "IN_CALLBACK"));
	assert_int_equal(t->send | t->try_send | t->purge | t->close, 0);
	assert_int_equal(t->many, 2);
	assert_int_equal(t->batch, 2);
	assert_int_equal(t->n_batch_calls, 1);
	assert_int_equal(t->poll + t->poll_failures, 0);
	assert_int_equal(t->n_refused_frees, 2);
}

typedef enum kind { REPORT, ERROR, LOG, BATCH, N_KINDS } kind;

static kp_config *config_for(kind k, const char *servers, tried *t)
{
	kp_config *c = config_of(servers, NO_PAIRS);
	kp_config_set_log_cb(c, k == LOG ? on_log : count_refusals, t);
	if (k == REPORT)
		kp_config_set_report_cb(c, on_report, t);
	if (k == ERROR)
		kp_config_set_error_cb(c, on_error, t);
	return c;
}

/* What makes the callback come: a record that ends, or brokers that are all down. */
static void try_kind(kind k, kp_runtime *shared, const char *servers)
{
	tried t = {.runtime = shared, .outside = pthread_self()};
	kp_record r = record_of(NULL, "v");
	kp_config *c = config_for(k, servers, &t);
	t.producer = kp_producer_new(c, shared, NULL, 0);
	kp_config_free(c);
	assert_non_null(t.producer);
	t.is_ready = true; /* before the topic: what asks for it may be what calls back, and may do so once only */
	kp_topic *topic = kp_topic_open(t.producer, "t");
	if (k == BATCH)
		assert_int_equal(kp_produce_batch(topic, &r, 1, on_own_batch, &t, NULL), 1);
	else if (k == REPORT) /* the others come of asking for the topic, and may have closed by now */
		assert_int_equal(kp_send(topic, &r), 0);
	assert_true(eventually(is_done, &t));
	(void)kp_close(t.producer, PATIENCE_MS, NULL);
	kp_producer_free(t.producer);
	assert_as_the_header_says(&t);
}

static void every_callback_may_call_everything(void **state)
{
	(void)state;
	peer *closes = peer_start(PEER_CLOSES);
	for (int k = 0; k < N_KINDS; k++) {
		const char *servers = k == REPORT || k == BATCH ? broker_servers(the_broker) : peer_servers(closes);
		kp_runtime *shared = kp_runtime_new();
		try_kind((kind)k, NULL, servers);
		try_kind((kind)k, shared, servers);
		kp_runtime_free(shared);
	}
	peer_stop(closes);
}

/* ------------------------------------------------------------------ another producer of the runtime */

typedef struct other {
	kp_producer *_Atomic producer;
	_Atomic int n_freed;
} other;

static void on_report_free_the_other(kp_producer *p, const kp_report *reports, size_t n, void *opaque)
{
	other *o = opaque;
	(void)p, (void)reports, (void)n;
	kp_producer_free(o->producer);
	o->n_freed++;
}

static void a_callback_may_free_another_producer_once_it_is_closed(void **state)
{
	other o = {0};
	kp_record r = record_of(NULL, "v");
	(void)state;
	kp_runtime *shared = kp_runtime_new();
	o.producer = producer_of(broker_servers(the_broker), NULL, shared, NO_PAIRS);
	assert_int_equal(kp_close(o.producer, PATIENCE_MS, NULL), 0);
	kp_config *c = config_of(broker_servers(the_broker), NO_PAIRS);
	kp_config_set_report_cb(c, on_report_free_the_other, &o);
	kp_producer *p = kp_producer_new(c, shared, NULL, 0);
	kp_config_free(c);
	assert_int_equal(kp_send(kp_topic_open(p, "t"), &r), 0);
	close_and_free(p);
	kp_runtime_free(shared);
	assert_int_equal(o.n_freed, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_callback_may_call_everything),
		cmocka_unit_test(a_callback_may_free_another_producer_once_it_is_closed),
	};
	return RUN_WITH_BROKER(tests, 1, 1);
}
