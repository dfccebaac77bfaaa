/* Listening: addresses, ports, failures, no descriptors, and closing inside the accept. */
#include "net_test.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

static void connect_once(kp_loop *l, const char *host, uint16_t port)
{
	probe p = {.stop_in = PROBE_OPEN};
	probe_open(&p, l, host, port, NULL);
	assert_true(run_loop(l, PATIENCE_MS));
	assert_int_equal(p.n_open, 1);
	probe_close(&p);
}

static void name_is_listened_on_at_all_its_addresses(void **state)
{
	(void)state;
	kp_loop *l = kp_loop_new();
	server s = {0};
	uint16_t port = server_start(&s, l, "localhost");
	connect_once(l, "localhost", port);
	connect_once(l, "127.0.0.1", port);
	server_stop(&s);
	kp_loop_free(l);
}

static void wildcard_takes_both_families(void **state)
{
	(void)state;
	static const char *const wildcards[] = {"::", "", NULL};
	for (size_t i = 0; i < KP_ARRAY_LEN(wildcards); i++) {
		kp_loop *l = kp_loop_new();
		server s = {0};
		uint16_t port = server_start(&s, l, wildcards[i]);
		connect_once(l, "127.0.0.1", port);
		connect_once(l, "::1", port);
		server_stop(&s);
		kp_loop_free(l);
	}
}

static void port_is_free_again_after_the_listener_is_gone(void **state)
{
	(void)state;
	kp_loop *l = kp_loop_new();
	server s = {0};
	const char *why = NULL;
	uint16_t port = server_start(&s, l, "127.0.0.1");
	connect_once(l, "127.0.0.1", port);
	server_stop(&s); /* the server's side closes first: its port stays in TIME_WAIT */
	s.listener = kp_listener_new(l, "127.0.0.1", port, server_on_accept, &s, &why);
	assert_non_null(s.listener);
	assert_int_equal(kp_listener_port(s.listener), port);
	server_stop(&s);
	kp_loop_free(l);
}

static void refused_once(kp_loop *l, uint16_t port)
{
	probe p = {.stop_in = PROBE_CLOSE};
	probe_open(&p, l, "127.0.0.1", port, NULL);
	assert_true(run_loop(l, PATIENCE_MS));
	assert_int_equal(p.n_open, 0);
	probe_close(&p);
}

static void shut_listener_refuses_and_keeps_its_port(void **state)
{
	(void)state;
	kp_loop *l = kp_loop_new();
	server s = {0};
	const char *why = NULL;
	uint16_t port = server_start(&s, l, "127.0.0.1");
	for (int round = 0; round < 3; round++) {
		connect_once(l, "127.0.0.1", port);
		kp_listener_shut(s.listener);
		kp_listener_shut(s.listener);
		refused_once(l, port);
		assert_int_equal(kp_listener_port(s.listener), port);
		assert_int_equal(0, kp_listener_open(s.listener));
		assert_int_equal(0, kp_listener_open(s.listener));
	}
	connect_once(l, "127.0.0.1", port);
	assert_null(kp_listener_new(l, "127.0.0.1", port, server_on_accept, &s, &why));
	kp_listener_shut(s.listener);
	server_stop(&s); /* it may end while it is shut */
	s.listener = kp_listener_new(l, "127.0.0.1", port, server_on_accept, &s, &why);
	assert_non_null(s.listener);
	server_stop(&s);
	kp_loop_free(l);
}

static void local_socket_is_its_owners(void **state)
{
	(void)state;
	char folder[] = "/tmp/kp-listener-XXXXXX", path[64];
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	struct stat st;
	const char *why = NULL;
	kp_loop *l = kp_loop_new();
	server s = {0};
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/socket", folder);
	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	s.peer.loop = l;
	s.listener = kp_listener_new_local(l, path, server_on_accept, &s, &why);
	assert_non_null(s.listener);
	assert_int_equal(0, stat(path, &st));
	assert_int_equal(0600, st.st_mode & 0777);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_int_equal(0, connect(fd, (struct sockaddr *)&a, sizeof(a)));
	s.stops_on_accept = true;
	assert_true(run_loop(l, PATIENCE_MS));
	assert_int_equal(1, s.n_accepted);
	assert_null(kp_listener_new_local(l, path, server_on_accept, &s, &why));
	assert_non_null(strstr(why, "another program listens there"));
	close(fd);
	server_stop(&s);
	assert_int_not_equal(0, stat(path, &st));
	assert_null(kp_listener_new_local(l, "", server_on_accept, &s, &why));
	assert_string_equal("listen on : the path is empty", why);
	assert_int_equal(0, rmdir(folder));
	kp_loop_free(l);
}

static void failures_name_address_and_reason(void **state)
{
	(void)state;
	kp_loop *l = kp_loop_new();
	server s = {0};
	const char *why = NULL;
	char expected[100];
	uint16_t port = server_start(&s, l, "127.0.0.1");
	assert_null(kp_listener_new(l, "127.0.0.1", port, server_on_accept, &s, &why));
	snprintf(expected, sizeof(expected), "listen on 127.0.0.1:%u: Address already in use", port);
	assert_string_equal(why, expected);
	assert_null(kp_listener_new(l, "192.0.2.200", 0, server_on_accept, &s, &why));
	assert_string_equal(why, "listen on 192.0.2.200:0: Cannot assign requested address");
	server_stop(&s);
	kp_loop_free(l);
}

typedef struct once {
	kp_loop *loop;
	kp_listener *listener;
	int n;
} once;

static void free_listener(void *opaque, kp_conn *c)
{
	once *o = opaque;
	o->n++;
	kp_conn_close(c);
	kp_listener_free(o->listener);
	kp_loop_stop(o->loop);
}

static void listener_may_be_freed_in_its_accept(void **state)
{
	(void)state;
	const char *why = NULL;
	once o = {.loop = kp_loop_new()};
	probe a = {0}, b = {0};
	o.listener = kp_listener_new(o.loop, "127.0.0.1", 0, free_listener, &o, &why);
	assert_non_null(o.listener);
	probe_open(&a, o.loop, "127.0.0.1", kp_listener_port(o.listener), NULL);
	probe_open(&b, o.loop, "127.0.0.1", kp_listener_port(o.listener), NULL);
	assert_true(run_loop(o.loop, PATIENCE_MS));
	assert_int_equal(o.n, 1);
	probe_close(&a);
	probe_close(&b);
	kp_loop_free(o.loop);
}

static int64_t cpu_us(void)
{
	struct rusage r;
	getrusage(RUSAGE_SELF, &r);
	return (r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1000000LL + r.ru_utime.tv_usec + r.ru_stime.tv_usec;
}

static void accepting_pauses_without_descriptors_and_goes_on_with_them(void **state)
{
	(void)state;
	kp_loop *l = kp_loop_new();
	server s = {.stops_on_accept = true};
	uint16_t port = server_start(&s, l, "127.0.0.1");
	kp_address a;
	assert_true(kp_address_parse("127.0.0.1", port, &a));
	int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	rlim_t before = exhaust_descriptors();
	int connected = connect(client, &a.u.any, kp_address_len(&a));
	int64_t cpu_before_us = cpu_us();
	bool has_accepted = run_loop(l, 250);
	int64_t used_us = cpu_us() - cpu_before_us;
	restore_descriptors(before);
	assert_int_equal(connected, 0);
	assert_false(has_accepted);
	assert_in_range(used_us, 0, 100 * MS);
	/* A second one, because valgrind's accept takes the first from the queue before it says EMFILE. */
	int second = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(second, &a.u.any, kp_address_len(&a)), 0);
	assert_true(run_loop(l, PATIENCE_MS));
	assert_true(s.n_accepted >= 1);
	close(client);
	close(second);
	server_stop(&s);
	kp_loop_free(l);
}

static bool close_the_one(void *opaque, int number)
{
	server *s = opaque;
	bool has_one = s->peer.conn != NULL;
	probe_close(&s->peer);
	return number == EMFILE && has_one;
}

static void owner_makes_place_when_descriptors_are_out(void **state)
{
	(void)state;
	kp_loop *l = kp_loop_new();
	server s = {.stops_on_accept = true};
	probe first = {.stop_in = PROBE_OPEN};
	uint16_t port = server_start(&s, l, "127.0.0.1");
	kp_listener_set_make_place(s.listener, close_the_one);
	probe_open(&first, l, "127.0.0.1", port, NULL);
	for (int i = 0; i < 2 && !s.n_accepted; i++)
		assert_true(run_loop(l, PATIENCE_MS));
	kp_address a;
	assert_true(kp_address_parse("127.0.0.1", port, &a));
	int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	rlim_t before = exhaust_descriptors();
	int connected = connect(client, &a.u.any, kp_address_len(&a));
	bool has_accepted = run_loop(l, PATIENCE_MS);
	restore_descriptors(before);
	assert_int_equal(connected, 0);
	assert_true(has_accepted);
	assert_int_equal(s.n_accepted, 2);
	assert_non_null(s.peer.conn);
	close(client);
	probe_close(&first);
	server_stop(&s);
	kp_loop_free(l);
}

static void many_connections_at_once_are_all_accepted(void **state)
{
	(void)state;
	enum { N = 200 };
	kp_loop *l = kp_loop_new();
	server s = {0};
	static probe p[N];
	uint16_t port = server_start(&s, l, "127.0.0.1");
	for (int i = 0; i < N; i++) {
		p[i] = (probe){.stop_in = PROBE_OPEN};
		probe_open(&p[i], l, "127.0.0.1", port, NULL);
	}
	s.stops_on_accept = true;
	for (int n = 0; n < N || s.n_accepted < N;) {
		assert_true(run_loop(l, 200) || s.n_accepted == N);
		n = 0;
		for (int i = 0; i < N; i++)
			n += p[i].n_open;
	}
	for (int i = 0; i < N; i++)
		probe_close(&p[i]);
	server_stop(&s);
	kp_loop_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(name_is_listened_on_at_all_its_addresses),
		cmocka_unit_test(wildcard_takes_both_families),
		cmocka_unit_test(port_is_free_again_after_the_listener_is_gone),
		cmocka_unit_test(shut_listener_refuses_and_keeps_its_port),
		cmocka_unit_test(local_socket_is_its_owners),
		cmocka_unit_test(failures_name_address_and_reason),
		cmocka_unit_test(listener_may_be_freed_in_its_accept),
		cmocka_unit_test(accepting_pauses_without_descriptors_and_goes_on_with_them),
		cmocka_unit_test(owner_makes_place_when_descriptors_are_out),
		cmocka_unit_test(many_connections_at_once_are_all_accepted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
