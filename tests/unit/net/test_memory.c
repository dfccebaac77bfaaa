/* Every allocation of a connection's life fails in turn: there is an error or an end, never a crash, a hang or a leak. */
#include "dns_server.h"

static long n_until_failure; /* < 0: none fails */
static bool is_alone;        /* those behind it do not fail */
static int n_failed;

static void *failing_realloc(void *ptr, size_t size, void *opaque)
{
	(void)opaque;
	if (n_until_failure == 0) {
		n_failed++;
		n_until_failure -= is_alone;
		return NULL;
	}
	if (n_until_failure > 0)
		n_until_failure--;
	return realloc(ptr, size);
}

static void plain_free(void *ptr, void *opaque)
{
	(void)opaque;
	free(ptr);
}

static void accept_probe(void *opaque, kp_conn *c)
{
	server *s = opaque;
	s->peer.conn = c;
	kp_conn_accept_events(c, probe_events(), &s->peer);
}

/* run_loop, but with memory for the test's own task. */
static bool run_loop_failing(kp_loop *l, int ms)
{
	watchdog w = {l, kp_time_mono_us() + ms * MS, false};
	long kept = n_until_failure;
	n_until_failure = -1;
	kp_task *t = kp_task_new(l, watchdog_step, &w);
	n_until_failure = kept;
	kp_task_wake(t);
	kp_loop_run(l);
	kp_task_free(t);
	return !w.has_barked;
}

/* Opens by name, sends one byte; true when it arrived. */
static bool meet(kp_loop *l, kp_listener *listener, server *s, long fail_at)
{
	kp_conn_options o = default_options();
	probe client = {.loop = l};
	struct iovec v = {(void *)"x", 1};
	o.setup_timeout_us = 200 * MS; /* a look-up that cannot watch its socket ends by this */
	n_until_failure = fail_at;
	client.conn = kp_conn_open(l, "broker.test", kp_listener_port(listener), &o, probe_events(), &client);
	while (client.conn && client.n_open + client.n_close == 0)
		run_loop_failing(l, 10);
	n_until_failure = -1;
	if (!client.conn)
		return false;
	assert_true(client.n_open <= 1 && client.n_close <= 1);
	bool has_arrived = false;
	if (!client.n_close) { /* open then closed: the server's end had no memory */
		client.stop_in = PROBE_CLOSE;
		s->peer.stop_in = PROBE_DATA;
		has_arrived = kp_conn_write(client.conn, &v, 1) == 1 && run_loop(l, PATIENCE_MS) && s->peer.n_data == 1;
	}
	kp_conn_close(client.conn);
	return has_arrived;
}

static void fail_each_of_a_connection(void)
{
	kp_loop *l = kp_loop_new();
	dns_server dns = {.has_name = true, .addresses = {"::1", "127.0.0.1"}};
	const char *why = NULL;
	dns_start(&dns, l);
	bool has_arrived = false;
	long n = 0;
	for (n_failed = 1; n < 200 && n_failed > 0; n++) {
		server s = {.peer = {.loop = l}};
		kp_listener *listener = kp_listener_new(l, "127.0.0.1", 0, accept_probe, &s, &why);
		assert_non_null(listener);
		n_failed = 0;
		has_arrived = meet(l, listener, &s, n);
		probe_close(&s.peer);
		kp_listener_free(listener);
	}
	assert_true(has_arrived);
	assert_true(n > 10);
	dns_stop(&dns);
	kp_loop_free(l);
}

static void each_failing_allocation_of_a_connection_is_an_error(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		is_alone = i;
		fail_each_of_a_connection();
	}
}

static void fail_each_of_loop_and_listener(void)
{
	kp_listener *listener = NULL;
	server s = {0};
	const char *why = NULL;
	long n = 0;
	for (n_failed = 1; n < 100 && n_failed > 0; n++) {
		n_until_failure = n;
		n_failed = 0;
		kp_loop *l = kp_loop_new();
		listener = l ? kp_listener_new(l, "127.0.0.1", 0, server_on_accept, &s, &why) : NULL;
		n_until_failure = -1;
		if (l && !listener)
			assert_non_null(why);
		kp_listener_free(listener);
		kp_loop_free(l);
	}
	assert_true(n > 5 && listener != NULL);
}

static void each_failing_allocation_of_loop_and_listener_is_an_error(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		is_alone = i;
		fail_each_of_loop_and_listener();
	}
}

int main(void)
{
	static const kp_allocator failing = {failing_realloc, plain_free, NULL};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_failing_allocation_of_a_connection_is_an_error),
		cmocka_unit_test(each_failing_allocation_of_loop_and_listener_is_an_error),
	};
	n_until_failure = -1;
	kp_mem_set_allocator(&failing);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
