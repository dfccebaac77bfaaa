/*
 * test_blocked.c - a report callback that does not return holds the loop up, but neither the close's deadline nor what comes after.
 */
#include "fixture.h"

#define SLACK_MS 500   /* the loop's, to end everything */
#define MARGIN_MS 1000 /* the machine's */
#define GATE_MS 5000   /* it opens by itself then: a test that waits for the callback fails instead of hanging */

/* The callback enters and stays until the gate is opened. */
typedef struct gate {
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	bool is_open, is_entered;
	size_t n_reports;
} gate;

static void gate_init(gate *g)
{
	pthread_condattr_t attr;
	*g = (gate){0};
	pthread_mutex_init(&g->mutex, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&g->cond, &attr);
	pthread_condattr_destroy(&attr);
}

static void gate_deinit(gate *g)
{
	pthread_cond_destroy(&g->cond);
	pthread_mutex_destroy(&g->mutex);
}

static void wait_at_gate(kp_producer *p, const kp_report *reports, size_t n, void *opaque)
{
	gate *g = opaque;
	int64_t end_ms = now_ms() + GATE_MS;
	struct timespec at = {.tv_sec = end_ms / 1000, .tv_nsec = end_ms % 1000 * 1000000};
	(void)p, (void)reports;
	pthread_mutex_lock(&g->mutex);
	g->is_entered = true;
	pthread_cond_broadcast(&g->cond);
	while (!g->is_open && pthread_cond_timedwait(&g->cond, &g->mutex, &at) == 0)
		;
	g->n_reports += n;
	pthread_mutex_unlock(&g->mutex);
}

static void open_gate(gate *g)
{
	pthread_mutex_lock(&g->mutex);
	g->is_open = true;
	pthread_cond_broadcast(&g->cond);
	pthread_mutex_unlock(&g->mutex);
}

static bool is_entered(void *arg)
{
	gate *g = arg;
	pthread_mutex_lock(&g->mutex);
	bool yes = g->is_entered;
	pthread_mutex_unlock(&g->mutex);
	return yes;
}

static kp_producer *producer_with_gate(const char *servers, gate *g)
{
	char err[256] = "";
	kp_config *config = config_of(servers, PAIRS("linger.ms", "0"));
	kp_config_set_report_cb(config, wait_at_gate, g);
	kp_producer *p = kp_producer_new(config, NULL, err, sizeof(err));
	kp_config_free(config);
	assert_string_equal(err, "");
	return p;
}

/* One record's report is being delivered, and does not get through; another record is behind it. */
static kp_producer *blocked_producer(broker *b, gate *g)
{
	kp_record r = record_of(NULL, "value");
	gate_init(g);
	kp_producer *p = producer_with_gate(broker_servers(b), g);
	kp_topic *t = kp_topic_open(p, "t");
	assert_int_equal(kp_send(t, &r), 0);
	assert_true(eventually(is_entered, g));
	assert_int_equal(kp_send(t, &r), 0);
	return p;
}

static void close_returns_although_a_callback_does_not(void **state)
{
	static const int timeouts_ms[] = {0, 200};
	(void)state;
	broker *b = broker_start(1, 1);
	for (size_t i = 0; i < 2; i++) {
		gate g;
		uint64_t left = 0;
		kp_producer *p = blocked_producer(b, &g);
		int64_t start_ms = now_ms();
		assert_int_equal(kp_close(p, timeouts_ms[i], &left), KP_ERR_TIMED_OUT);
		assert_in_range(now_ms() - start_ms, timeouts_ms[i], timeouts_ms[i] + SLACK_MS + MARGIN_MS);
		assert_int_equal(left, 1); /* the other one is persisted */
		open_gate(&g);
		kp_producer_free(p);
		assert_int_equal(g.n_reports, 2); /* each accepted record was reported before free returned */
		gate_deinit(&g);
	}
	broker_stop(b);
}

static void close_may_be_waited_for_again_once_the_callback_returns(void **state)
{
	gate g;
	uint64_t left = 0;
	(void)state;
	broker *b = broker_start(1, 1);
	kp_producer *p = blocked_producer(b, &g);
	assert_int_equal(kp_close(p, 10, NULL), KP_ERR_TIMED_OUT);
	open_gate(&g);
	assert_int_equal(kp_close(p, PATIENCE_MS, &left),
	                 KP_ERR_TIMED_OUT); /* the first deadline was over: the second record was left */
	assert_int_equal(left, 1);
	assert_int_equal(g.n_reports, 2);
	kp_producer_free(p);
	gate_deinit(&g);
	broker_stop(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(close_returns_although_a_callback_does_not),
		cmocka_unit_test(close_may_be_waited_for_again_once_the_callback_returns),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
