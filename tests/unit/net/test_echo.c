/* 10 MB there and back, with partial writes and back-pressure on the way. */
#include "base/random.h"
#include "net_test.h"

#define ECHO_BYTES (10 * 1000 * 1000)

typedef struct echo {
	kp_loop *loop;
	kp_conn *client, *server;
	uint8_t *sent;
	size_t n_sent, n_received;
	int n_partial, n_pauses;
	/* server: what the client has not taken yet */
	uint8_t *held;
	size_t n_held, n_echoed;
} echo;

/* Many uneven pieces, so that a partial write ends anywhere in them. */
static int cut(struct iovec *iov, int cap, uint8_t *ptr, size_t len)
{
	int n = 0;
	for (size_t size = 1; n < cap && len > 0; n++, size = size * 5 % 9973 + 1) {
		size_t piece = size < len ? size : len;
		iov[n] = (struct iovec){ptr, piece};
		ptr += piece;
		len -= piece;
	}
	return n;
}

static void client_send(void *opaque)
{
	echo *e = opaque;
	while (e->n_sent < ECHO_BYTES) {
		struct iovec iov[1500]; /* more than IOV_MAX */
		int n_iov = cut(iov, 1500, e->sent + e->n_sent, ECHO_BYTES - e->n_sent);
		size_t total = 0;
		for (int i = 0; i < n_iov; i++)
			total += iov[i].iov_len;
		ptrdiff_t n = kp_conn_write(e->client, iov, n_iov);
		assert_true(n >= 0);
		e->n_sent += (size_t)n;
		if ((size_t)n < total) {
			e->n_partial++;
			return;
		}
	}
}

static void client_receive(void *opaque, const uint8_t *ptr, size_t len)
{
	echo *e = opaque;
	assert_true(e->n_received + len <= e->n_sent);
	assert_memory_equal(ptr, e->sent + e->n_received, len);
	e->n_received += len;
	if (e->n_received == ECHO_BYTES)
		kp_loop_stop(e->loop);
}

static void server_echo(void *opaque)
{
	echo *e = opaque;
	struct iovec v = {e->held + e->n_echoed, e->n_held - e->n_echoed};
	ptrdiff_t n = kp_conn_write(e->server, &v, 1);
	assert_true(n >= 0);
	e->n_echoed += (size_t)n;
	kp_conn_pause(e->server, e->n_echoed < e->n_held);
	e->n_pauses += e->n_echoed < e->n_held;
}

static void server_receive(void *opaque, const uint8_t *ptr, size_t len)
{
	echo *e = opaque;
	assert_int_equal(e->n_echoed, e->n_held); /* paused otherwise */
	memcpy(e->held + e->n_held, ptr, len);
	e->n_held += len;
	server_echo(e);
}

static void echo_on_close(void *opaque, int err, const char *text)
{
	(void)opaque;
	fail_msg("closed: %d %s", err, text);
}

static void echo_on_accept(void *opaque, kp_conn *c)
{
	static const kp_conn_events ev = {NULL, server_receive, server_echo, echo_on_close};
	echo *e = opaque;
	e->server = c;
	kp_conn_accept_events(c, &ev, e);
}

static void echo_random_bytes(const char *address, const kp_conn_options *o)
{
	static const kp_conn_events ev = {client_send, client_receive, client_send, echo_on_close};
	const char *why;
	echo e = {.loop = kp_loop_new(), .sent = malloc(ECHO_BYTES), .held = malloc(ECHO_BYTES)};
	kp_random r;
	kp_random_init(&r, 7);
	for (size_t i = 0; i < ECHO_BYTES; i++)
		e.sent[i] = (uint8_t)kp_random_next(&r);
	kp_listener *s = kp_listener_new(e.loop, address, 0, echo_on_accept, &e, &why);
	assert_non_null(s);
	e.client = kp_conn_open(e.loop, address, kp_listener_port(s), o, &ev, &e);
	assert_non_null(e.client);
	assert_true(run_loop(e.loop, PATIENCE_MS));
	assert_int_equal(e.n_received, ECHO_BYTES);
	assert_true(e.n_partial > 0);
	assert_true(e.n_pauses > 0 || o->receive_buffer_bytes < 0);
	kp_conn_close(e.client);
	kp_conn_close(e.server);
	kp_listener_free(s);
	kp_loop_free(e.loop);
	free(e.sent);
	free(e.held);
}

static void ten_megabytes_come_back_unchanged(void **state)
{
	(void)state;
	kp_conn_options o = default_options();
	echo_random_bytes("127.0.0.1", &o);
	echo_random_bytes("::1", &o);
}

static void ten_megabytes_come_back_through_small_buffers(void **state)
{
	(void)state;
	kp_conn_options o = default_options();
	o.send_buffer_bytes = 8 * 1024;
	o.receive_buffer_bytes = 8 * 1024;
	echo_random_bytes("127.0.0.1", &o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ten_megabytes_come_back_unchanged),
		cmocka_unit_test(ten_megabytes_come_back_through_small_buffers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
