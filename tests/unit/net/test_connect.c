/* Setting a connection up: refusals, silence, several addresses, no descriptors, closing half-way. */
#include <arpa/inet.h>
#include <errno.h>

#include "dns_server.h"

/* A port where nobody listens, held by a socket so that nobody else gets it. */
static uint16_t refusing_port(int *fd)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	*fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(*fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(getsockname(*fd, (struct sockaddr *)&a, &len), 0);
	return ntohs(a.sin_port);
}

static void refused_connection_names_address_and_reason(void **state)
{
	(void)state;
	kp_loop *l = kp_loop_new();
	probe p = {.stop_in = PROBE_CLOSE};
	char expected[100];
	int fd;
	uint16_t port = refusing_port(&fd);
	probe_open(&p, l, "127.0.0.1", port, NULL);
	assert_true(run_loop(l, PATIENCE_MS));
	snprintf(expected, sizeof(expected), "connect to 127.0.0.1:%u: Connection refused", port);
	assert_int_equal(p.err, KP_ERR_CONNECT);
	assert_string_equal(p.text, expected);
	assert_int_equal(p.n_open, 0);
	assert_int_equal(p.n_close, 1);
	close(fd);
	probe_close(&p);
	kp_loop_free(l);
}

static void next_address_is_tried_when_the_first_refuses(void **state)
{
	(void)state;
	kp_loop *l = kp_loop_new();
	server s = {0};
	dns_server dns = {.has_name = true, .addresses = {"::1", "127.0.0.2", "127.0.0.1"}};
	probe p = {.stop_in = PROBE_OPEN};
	char expected[100];
	dns_start(&dns, l);
	uint16_t port = server_start(&s, l, "127.0.0.1");
	probe_open(&p, l, "broker.test", port, NULL);
	snprintf(expected, sizeof(expected), "broker.test:%u", port);
	assert_string_equal(kp_conn_peer(p.conn), expected);
	assert_true(run_loop(l, PATIENCE_MS));
	assert_int_equal(p.n_open, 1);
	snprintf(expected, sizeof(expected), "127.0.0.1:%u", port);
	assert_string_equal(kp_conn_peer(p.conn), expected);
	probe_close(&p);
	server_stop(&s);
	dns_stop(&dns);
	kp_loop_free(l);
}

static void last_address_gives_the_reason_when_all_refuse(void **state)
{
	(void)state;
	kp_loop *l = kp_loop_new();
	dns_server dns = {.has_name = true, .addresses = {"127.0.0.1", "127.0.0.2"}};
	probe p = {.stop_in = PROBE_CLOSE};
	int fd;
	dns_start(&dns, l);
	probe_open(&p, l, "broker.test", refusing_port(&fd), NULL);
	assert_true(run_loop(l, PATIENCE_MS));
	assert_int_equal(p.err, KP_ERR_CONNECT);
	assert_non_null(strstr(p.text, ": Connection refused (last of 2 addresses of broker.test)"));
	close(fd);
	probe_close(&p);
	dns_stop(&dns);
	kp_loop_free(l);
}

static void only_the_first_address_is_tried_when_told_so(void **state)
{
	(void)state;
	kp_loop *l = kp_loop_new();
	dns_server dns = {.has_name = true, .addresses = {"127.0.0.1", "127.0.0.2"}};
	probe p = {.stop_in = PROBE_CLOSE};
	kp_conn_options o = default_options();
	int fd;
	o.use_first_ip_only = true;
	dns_start(&dns, l);
	probe_open(&p, l, "broker.test", refusing_port(&fd), &o);
	assert_true(run_loop(l, PATIENCE_MS));
	assert_int_equal(p.err, KP_ERR_CONNECT);
	assert_null(strstr(p.text, "last of"));
	close(fd);
	probe_close(&p);
	dns_stop(&dns);
	kp_loop_free(l);
}

/* A listener of ours whose queue is full: further SYNs are dropped, so that a connect gets no answer at all. */
typedef struct blackhole {
	int listener;
	int fillers[64];
	int n;
	uint16_t port;
} blackhole;

static void blackhole_open(blackhole *b)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	b->port = refusing_port(&b->listener);
	a.sin_port = htons(b->port);
	assert_int_equal(listen(b->listener, 0), 0);
	/* Over loopback an accepted SYN is answered inside connect; the one that is still under way met a full queue. */
	for (int waiting = 0; b->n < 64 && waiting < 2; b->n++) {
		b->fillers[b->n] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		connect(b->fillers[b->n], (struct sockaddr *)&a, sizeof(a));
		waiting += connect(b->fillers[b->n], (struct sockaddr *)&a, sizeof(a)) < 0 && errno == EALREADY;
	}
}

static void blackhole_close(blackhole *b)
{
	for (int i = 0; i < b->n; i++)
		close(b->fillers[i]);
	close(b->listener);
}

static void silent_address_ends_at_the_set_up_timeout(void **state)
{
	(void)state;
	kp_loop *l = kp_loop_new();
	blackhole b = {0};
	probe p = {.stop_in = PROBE_CLOSE};
	kp_conn_options o = default_options();
	o.setup_timeout_us = 150 * MS;
	blackhole_open(&b);
	int64_t started_us = kp_time_mono_us();
	probe_open(&p, l, "127.0.0.1", b.port, &o);
	assert_true(run_loop(l, PATIENCE_MS));
	assert_in_range(kp_time_mono_us() - started_us, 150 * MS, 250 * MS);
	assert_int_equal(p.err, KP_ERR_TIMED_OUT);
	assert_non_null(strstr(p.text, ": no answer within 1"));
	probe_close(&p);
	blackhole_close(&b);
	kp_loop_free(l);
}

static void silent_address_leaves_time_for_the_next(void **state)
{
	(void)state;
	kp_loop *l = kp_loop_new();
	blackhole b = {0};
	const char *why = NULL;
	dns_server dns = {.has_name = true, .addresses = {"127.0.0.1", "127.0.0.2"}};
	server s = {.peer = {.loop = l}};
	probe p = {.stop_in = PROBE_OPEN};
	kp_conn_options o = default_options();
	o.setup_timeout_us = 400 * MS;
	blackhole_open(&b);
	s.listener = kp_listener_new(l, "127.0.0.2", b.port, server_on_accept, &s, &why);
	assert_non_null(s.listener);
	dns_start(&dns, l);
	int64_t started_us = kp_time_mono_us();
	probe_open(&p, l, "broker.test", b.port, &o);
	assert_true(run_loop(l, PATIENCE_MS));
	assert_int_equal(p.n_open, 1);
	assert_in_range(kp_time_mono_us() - started_us, 0, 400 * MS);
	probe_close(&p);
	server_stop(&s);
	dns_stop(&dns);
	blackhole_close(&b);
	kp_loop_free(l);
}

static void connection_is_closed_while_connecting(void **state)
{
	(void)state;
	kp_loop *l = kp_loop_new();
	blackhole b = {0};
	probe p = {0};
	blackhole_open(&b);
	probe_open(&p, l, "127.0.0.1", b.port, NULL);
	assert_false(run_loop(l, 20));
	probe_close(&p);
	assert_int_equal(p.n_open + p.n_close, 0);
	blackhole_close(&b);
	kp_loop_free(l);
}

static void connection_is_closed_before_the_loop_runs(void **state)
{
	(void)state;
	kp_loop *l = kp_loop_new();
	probe p = {0};
	probe_open(&p, l, "127.0.0.1", 9, NULL);
	probe_close(&p);
	assert_false(run_loop(l, 20));
	assert_int_equal(p.n_open + p.n_close, 0);
	kp_loop_free(l);
}

static void connection_may_be_closed_when_connecting_fails(void **state)
{
	(void)state;
	kp_loop *l = kp_loop_new();
	probe p = {.close_in = PROBE_CLOSE};
	int fd;
	probe_open(&p, l, "127.0.0.1", refusing_port(&fd), NULL);
	assert_true(run_loop(l, PATIENCE_MS));
	assert_int_equal(p.n_close, 1);
	close(fd);
	kp_loop_free(l);
}

static void no_descriptor_is_a_failed_connect_and_not_the_end(void **state)
{
	(void)state;
	kp_loop *l = kp_loop_new();
	server s = {0};
	probe p = {.stop_in = PROBE_CLOSE}, again = {.stop_in = PROBE_OPEN};
	uint16_t port = server_start(&s, l, "127.0.0.1");
	rlim_t before = exhaust_descriptors();
	probe_open(&p, l, "127.0.0.1", port, NULL);
	bool is_told = run_loop(l, PATIENCE_MS);
	restore_descriptors(before);
	assert_true(is_told);
	assert_int_equal(p.err, KP_ERR_CONNECT);
	assert_non_null(strstr(p.text, "raise ulimit -n"));
	probe_open(&again, l, "127.0.0.1", port, NULL);
	assert_true(run_loop(l, PATIENCE_MS));
	probe_close(&p);
	probe_close(&again);
	server_stop(&s);
	kp_loop_free(l);
}

/* TCP lets a socket connect to itself when its own port is the one it asks for. */
static void connection_to_itself_counts_as_refused(void **state)
{
	(void)state;
	kp_filter_error error;
	kp_tcp_options o = {-1, -1};
	kp_address a;
	int holder;
	assert_true(kp_address_parse("127.0.0.1", refusing_port(&holder), &a));
	close(holder);
	kp_filter *f = kp_filter_tcp_new(&a, &o, &error);
	assert_non_null(f);
	assert_int_equal(bind(kp_filter_tcp_fd(f), &a.u.any, kp_address_len(&a)), 0);
	int rc = f->ops->start(f);
	if (rc == KP_FILTER_AGAIN) /* its SYN has met itself by now: loopback delivers inside the call */
		rc = f->ops->start(f);
	assert_int_equal(rc, KP_FILTER_ERROR);
	assert_int_equal(error.err, KP_ERR_CONNECT);
	assert_non_null(strstr(error.text, "Connection refused"));
	f->ops->close(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused_connection_names_address_and_reason),
		cmocka_unit_test(next_address_is_tried_when_the_first_refuses),
		cmocka_unit_test(last_address_gives_the_reason_when_all_refuse),
		cmocka_unit_test(only_the_first_address_is_tried_when_told_so),
		cmocka_unit_test(silent_address_ends_at_the_set_up_timeout),
		cmocka_unit_test(silent_address_leaves_time_for_the_next),
		cmocka_unit_test(connection_is_closed_while_connecting),
		cmocka_unit_test(connection_is_closed_before_the_loop_runs),
		cmocka_unit_test(connection_may_be_closed_when_connecting_fails),
		cmocka_unit_test(no_descriptor_is_a_failed_connect_and_not_the_end),
		cmocka_unit_test(connection_to_itself_counts_as_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
