/*
 * test_callbacks.c - callbacks that send on, close, take long, make producers. That they may call everything: test_callback_calls.c.
 */
#include "fixture.h"

#include <errno.h>
#include <time.h>

/* What a callback did, and what came of it; looked at after the close. */
typedef struct tried {
	kp_topic *topic;
	_Atomic int n_calls;
	int send, close, close_again;
	size_t many;
	_Atomic int64_t took_ms;
} tried;

static kp_producer *producer_with(kp_report_cb *cb, void *opaque, const char *const *pairs)
{
	kp_config *c = config_of(broker_servers(the_broker), pairs);
	kp_config_set_report_cb(c, cb, opaque);
	kp_producer *p = kp_producer_new(c, NULL, NULL, 0);
	kp_config_free(c);
	assert_non_null(p);
	return p;
}

static bool was_called(void *arg)
{
	return ((tried *)arg)->n_calls > 0;
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
	kp_producer *p = producer_with(on_report_send_until_full, &t, PAIRS("buffer.memory", "20000", "batch.size", "1000"));
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
	kp_producer *p = producer_with(on_report_send_one, &t, PAIRS("linger.ms", "0"));
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
	kp_producer *p = producer_with(on_report_close, &t, PAIRS("linger.ms", "0"));
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
	kp_producer *p = producer_with(on_report_dawdle, NULL, NO_PAIRS);
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
		cmocka_unit_test(a_callback_that_finds_no_room_is_told_at_once),
		cmocka_unit_test(a_chain_of_sends_from_callbacks_does_not_stop),
		cmocka_unit_test(close_in_a_callback_ends_the_producer_at_once),
		cmocka_unit_test(slow_callbacks_are_counted),
		cmocka_unit_test(a_callback_may_make_a_producer_on_its_own_runtime),
	};
	return RUN_WITH_BROKER(tests, 1, 1);
}
