/* An open connection: back-pressure, ends, and closing inside every event. */
#include <fcntl.h>
#include <netinet/tcp.h>

#include "net_test.h"

/* closing inside events */

static void write_text(probe *p, const char *text)
{
	struct iovec v = {(void *)text, strlen(text)};
	assert_int_equal(kp_conn_write(p->conn, &v, 1), (ptrdiff_t)v.iov_len);
}

static void connection_may_be_closed_in_on_open(void **state)
{
	(void)state;
	kp_loop *l = kp_loop_new();
	server s = {0};
	probe client = {.close_in = PROBE_OPEN};
	probe_open(&client, l, "127.0.0.1", server_start(&s, l, "127.0.0.1"), NULL);
	assert_true(run_loop(l, PATIENCE_MS));
	assert_int_equal(client.n_open, 1);
	assert_int_equal(client.n_close, 0);
	server_stop(&s);
	kp_loop_free(l);
}

static void connection_may_be_closed_in_on_data(void **state)
{
	(void)state;
	kp_loop *l = kp_loop_new();
	server s = {.peer = {.close_in = PROBE_DATA}};
	probe client = {0};
	open_pair(l, &s, &client, NULL);
	write_text(&client, "x");
	assert_true(run_loop(l, PATIENCE_MS));
	assert_int_equal(s.peer.n_data, 1);
	assert_int_equal(s.peer.n_close, 0);
	probe_close(&client);
	server_stop(&s);
	kp_loop_free(l);
}

/* Write until the kernel takes no more. */
static void fill(probe *p)
{
	static uint8_t block[256 * 1024];
	struct iovec v = {block, sizeof(block)};
	ptrdiff_t n;
	do
		n = kp_conn_write(p->conn, &v, 1);
	while (n == (ptrdiff_t)sizeof(block));
	assert_true(n >= 0);
}

static void connection_may_be_closed_in_on_writable(void **state)
{
	(void)state;
	kp_loop *l = kp_loop_new();
	server s = {0};
	probe client = {.close_in = PROBE_WRITABLE};
	open_pair(l, &s, &client, NULL);
	fill(&client);
	assert_true(run_loop(l, PATIENCE_MS));
	assert_int_equal(client.n_writable, 1);
	assert_int_equal(client.n_close, 0);
	server_stop(&s);
	kp_loop_free(l);
}

static void connection_may_be_closed_in_on_close(void **state)
{
	(void)state;
	kp_loop *l = kp_loop_new();
	server s = {0};
	probe client = {.close_in = PROBE_CLOSE};
	open_pair(l, &s, &client, NULL);
	probe_close(&s.peer);
	assert_true(run_loop(l, PATIENCE_MS));
	assert_int_equal(client.n_close, 1);
	server_stop(&s);
	kp_loop_free(l);
}

static void connection_may_be_closed_after_the_loop_has_stopped(void **state)
{
	(void)state;
	kp_loop *l = kp_loop_new();
	server s = {0};
	probe client = {0};
	open_pair(l, &s, &client, NULL);
	write_text(&client, "x");
	probe_close(&client);
	server_stop(&s);
	kp_loop_free(l); /* with handles that are still closing */
}

/* ends */

/* Lines of /proc/net/tcp in CLOSE_WAIT (08) whose remote port is this. */
static int count_close_wait(uint16_t remote_port)
{
	char line[256];
	int n = 0;
	FILE *f = fopen("/proc/net/tcp", "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		unsigned port, state;
		if (sscanf(line, "%*d: %*8x:%*4x %*8x:%4x %2x", &port, &state) == 2)
			n += port == remote_port && state == 8;
	}
	fclose(f);
	return n;
}

static void closing_by_the_peer_leaves_no_close_wait(void **state)
{
	(void)state;
	kp_loop *l = kp_loop_new();
	server s = {0};
	probe client = {.stop_in = PROBE_NEVER};
	open_pair(l, &s, &client, NULL);
	client.stop_in = PROBE_CLOSE;
	probe_close(&s.peer);
	assert_true(run_loop(l, PATIENCE_MS));
	assert_int_equal(client.err, KP_ERR_TRANSPORT);
	assert_string_equal(client.text, "connection closed by peer");
	assert_int_equal(count_close_wait(kp_listener_port(s.listener)), 0); /* although the owner has not closed yet */
	probe_close(&client);
	server_stop(&s);
	kp_loop_free(l);
}

static void bytes_before_the_end_are_delivered(void **state)
{
	(void)state;
	kp_loop *l = kp_loop_new();
	server s = {0};
	probe client = {0};
	open_pair(l, &s, &client, NULL);
	fill(&client);
	s.peer.stop_in = PROBE_CLOSE;
	kp_conn_pause(s.peer.conn, true);
	write_text(&client, ""); /* nothing to take: nothing happens */
	probe_close(&client);
	kp_conn_pause(s.peer.conn, false);
	assert_true(run_loop(l, PATIENCE_MS));
	assert_true(s.peer.n_bytes >= 256 * 1024);
	assert_string_equal(s.peer.text, "connection closed by peer");
	server_stop(&s);
	kp_loop_free(l);
}

/* The peer vanishes with a reset instead of an end of stream. */
static void reset(probe *p)
{
	struct linger at_once = {.l_onoff = 1, .l_linger = 0};
	int fd = kp_filter_tcp_fd(p->conn->top);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)), 0);
	probe_close(p);
}

static void reset_is_told_with_the_peer(void **state)
{
	(void)state;
	kp_loop *l = kp_loop_new();
	server s = {0};
	probe client = {0};
	char expected[100];
	open_pair(l, &s, &client, NULL);
	client.stop_in = PROBE_CLOSE;
	reset(&s.peer);
	assert_true(run_loop(l, PATIENCE_MS));
	snprintf(expected, sizeof(expected), "read from 127.0.0.1:%u: Connection reset by peer", kp_listener_port(s.listener));
	assert_int_equal(client.err, KP_ERR_TRANSPORT);
	assert_string_equal(client.text, expected);
	probe_close(&client);
	server_stop(&s);
	kp_loop_free(l);
}

static void reset_ends_a_paused_connection(void **state)
{
	(void)state;
	kp_loop *l = kp_loop_new();
	server s = {0};
	probe client = {0};
	open_pair(l, &s, &client, NULL);
	client.stop_in = PROBE_CLOSE;
	kp_conn_pause(client.conn, true);
	reset(&s.peer);
	assert_true(run_loop(l, PATIENCE_MS));
	assert_int_equal(client.err, KP_ERR_TRANSPORT);
	assert_non_null(strstr(client.text, ": Connection reset by peer"));
	probe_close(&client);
	server_stop(&s);
	kp_loop_free(l);
}

static void write_to_a_broken_connection_fails_without_a_signal(void **state)
{
	(void)state;
	kp_loop *l = kp_loop_new();
	server s = {0};
	probe client = {.stop_in = PROBE_CLOSE};
	struct iovec v = {(void *)"x", 1};
	open_pair(l, &s, &client, NULL);
	client.stop_in = PROBE_CLOSE;
	reset(&s.peer); /* loopback: the reset has arrived when this returns */
	assert_int_equal(kp_conn_write(client.conn, &v, 1), -1);
	assert_int_equal(kp_conn_write(client.conn, &v, 1), -1);
	assert_int_equal(client.n_close, 0); /* never from inside a call */
	assert_true(run_loop(l, PATIENCE_MS));
	assert_int_equal(client.n_close, 1);
	assert_int_equal(client.err, KP_ERR_TRANSPORT);
	assert_int_equal(kp_conn_write(client.conn, &v, 1), -1);
	probe_close(&client);
	server_stop(&s);
	kp_loop_free(l);
}

/* What a peer said before it hung up is often the reason. */
static void bytes_before_a_failed_write_are_delivered(void **state)
{
	(void)state;
	kp_loop *l = kp_loop_new();
	server s = {0};
	probe client = {0};
	open_pair(l, &s, &client, NULL);
	client.stop_in = PROBE_CLOSE;
	write_text(&s.peer, "go away");
	write_text(&client, "x"); /* unread by the server: its close sends a reset */
	probe_close(&s.peer);
	struct iovec v = {(void *)"y", 1};
	assert_int_equal(kp_conn_write(client.conn, &v, 1), -1);
	assert_true(run_loop(l, PATIENCE_MS));
	assert_int_equal(client.n_bytes, 7);
	assert_int_equal(client.n_close, 1);
	probe_close(&client);
	server_stop(&s);
	kp_loop_free(l);
}

/* back-pressure */

static void paused_connection_delivers_nothing_until_resumed(void **state)
{
	(void)state;
	kp_loop *l = kp_loop_new();
	server s = {0};
	probe client = {0};
	open_pair(l, &s, &client, NULL);
	kp_conn_pause(s.peer.conn, true);
	fill(&client);
	s.peer.stop_in = PROBE_DATA;
	assert_false(run_loop(l, 50));
	assert_int_equal(s.peer.n_data, 0);
	kp_conn_pause(s.peer.conn, false);
	assert_true(run_loop(l, PATIENCE_MS));
	probe_close(&client);
	server_stop(&s);
	kp_loop_free(l);
}

static void paused_connection_whose_peer_has_closed_does_not_spin(void **state)
{
	(void)state;
	kp_loop *l = kp_loop_new();
	server s = {0};
	probe client = {0};
	struct rusage before, after;
	open_pair(l, &s, &client, NULL);
	write_text(&client, "last words");
	kp_conn_pause(s.peer.conn, true);
	probe_close(&client);
	getrusage(RUSAGE_SELF, &before);
	assert_false(run_loop(l, 200));
	getrusage(RUSAGE_SELF, &after);
	int64_t cpu_us = (after.ru_utime.tv_sec - before.ru_utime.tv_sec + after.ru_stime.tv_sec - before.ru_stime.tv_sec) *
	                         1000000 +
	                 after.ru_utime.tv_usec - before.ru_utime.tv_usec + after.ru_stime.tv_usec - before.ru_stime.tv_usec;
	assert_in_range(cpu_us, 0, 100 * MS);
	s.peer.stop_in = PROBE_CLOSE;
	kp_conn_pause(s.peer.conn, false);
	assert_true(run_loop(l, PATIENCE_MS));
	assert_int_equal(s.peer.n_bytes, 10);
	server_stop(&s);
	kp_loop_free(l);
}

static void write_before_open_takes_nothing_and_on_writable_follows(void **state)
{
	(void)state;
	kp_loop *l = kp_loop_new();
	server s = {0};
	probe client = {.stop_in = PROBE_WRITABLE};
	struct iovec v = {(void *)"x", 1};
	probe_open(&client, l, "127.0.0.1", server_start(&s, l, "127.0.0.1"), NULL);
	assert_int_equal(kp_conn_write(client.conn, &v, 1), 0);
	assert_true(run_loop(l, PATIENCE_MS));
	assert_int_equal(client.n_open, 1);
	write_text(&client, "x");
	probe_close(&client);
	server_stop(&s);
	kp_loop_free(l);
}

/* options */

static int option_of(const probe *p, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);
	assert_int_equal(getsockopt(kp_filter_tcp_fd(p->conn->top), level, name, &value, &len), 0);
	return value;
}

static void check_socket(const probe *p)
{
	int fd = kp_filter_tcp_fd(p->conn->top);
	assert_int_equal(option_of(p, IPPROTO_TCP, TCP_NODELAY), 1);
	assert_int_equal(option_of(p, SOL_SOCKET, SO_KEEPALIVE), 1);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
}

static void sockets_have_their_options(void **state)
{
	(void)state;
	kp_loop *l = kp_loop_new();
	server s = {0};
	probe client = {0};
	kp_conn_options o = default_options();
	o.send_buffer_bytes = 30000;
	o.receive_buffer_bytes = 40000;
	open_pair(l, &s, &client, &o);
	check_socket(&client);
	check_socket(&s.peer);
	assert_int_equal(option_of(&client, SOL_SOCKET, SO_SNDBUF), 60000); /* socket(7): the kernel doubles it */
	assert_int_equal(option_of(&client, SOL_SOCKET, SO_RCVBUF), 80000);
	probe_close(&client);
	server_stop(&s);
	kp_loop_free(l);
}

/* Room for four bytes at a time, and none every third time. */
typedef struct roomy {
	kp_loop *loop;
	uint8_t own[4];
	int n_asked;
	char text[100];
	size_t len;
	int n_in_own;
} roomy;

static uint8_t *room_for_four(void *opaque, size_t *cap)
{
	roomy *r = opaque;
	*cap = sizeof(r->own);
	return ++r->n_asked % 3 ? r->own : NULL;
}

static void keep_text(void *opaque, const uint8_t *ptr, size_t len)
{
	roomy *r = opaque;
	r->n_in_own += ptr == r->own;
	assert_true(ptr != r->own || len <= sizeof(r->own));
	memcpy(r->text + r->len, ptr, len);
	r->len += len;
	if (r->len == strlen("as long as it takes"))
		kp_loop_stop(r->loop);
}

static void bytes_go_where_the_owner_has_room(void **state)
{
	(void)state;
	static const kp_conn_events events = {.on_data = keep_text};
	kp_loop *l = kp_loop_new();
	server s = {0};
	probe client = {0};
	roomy r = {.loop = l};
	open_pair(l, &s, &client, NULL);
	kp_conn_accept_events(s.peer.conn, &events, &r);
	kp_conn_set_room(s.peer.conn, room_for_four);
	write_text(&client, "as long as it takes");
	assert_true(run_loop(l, PATIENCE_MS));
	assert_string_equal(r.text, "as long as it takes");
	assert_int_equal(2, r.n_in_own); /* the third read took the rest */
	probe_close(&client);
	server_stop(&s);
	kp_loop_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connection_may_be_closed_in_on_open),
		cmocka_unit_test(connection_may_be_closed_in_on_data),
		cmocka_unit_test(connection_may_be_closed_in_on_writable),
		cmocka_unit_test(connection_may_be_closed_in_on_close),
		cmocka_unit_test(connection_may_be_closed_after_the_loop_has_stopped),
		cmocka_unit_test(closing_by_the_peer_leaves_no_close_wait),
		cmocka_unit_test(bytes_before_the_end_are_delivered),
		cmocka_unit_test(reset_is_told_with_the_peer),
		cmocka_unit_test(reset_ends_a_paused_connection),
		cmocka_unit_test(write_to_a_broken_connection_fails_without_a_signal),
		cmocka_unit_test(bytes_before_a_failed_write_are_delivered),
		cmocka_unit_test(paused_connection_delivers_nothing_until_resumed),
		cmocka_unit_test(paused_connection_whose_peer_has_closed_does_not_spin),
		cmocka_unit_test(write_before_open_takes_nothing_and_on_writable_follows),
		cmocka_unit_test(sockets_have_their_options),
		cmocka_unit_test(bytes_go_where_the_owner_has_room),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
