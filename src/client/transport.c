/*
 * transport.c - the engine's actions made real: connections, bytes out, events in. Runtime's thread.
 */
#include <kproducer/error.h>

#include "base/mem.h"
#include "base/time.h"
#include "client/producer_impl.h"

#define IOV_MOST 256 /* pieces per sendmsg; a request of 100 batches has 201 */

static void on_open(void *opaque)
{
	kp_transport_conn *c = opaque;
	kp_engine_on_open(c->producer->engine, c->conn, kp_time_mono_us());
	kp_producer_wake(c->producer);
}

static void on_data(void *opaque, const uint8_t *ptr, size_t len)
{
	kp_transport_conn *c = opaque;
	kp_engine_on_data(c->producer->engine, c->conn, ptr, len, kp_time_mono_us());
	kp_producer_wake(c->producer);
}

/* One sendmsg. True when everything there was went out (more may have come of it), false when it has to wait or is broken. */
static bool write_once(kp_transport_conn *c, int64_t now_us)
{
	kp_engine *e = c->producer->engine;
	struct iovec iov[IOV_MOST];
	int n = kp_engine_output(e, c->conn, iov, IOV_MOST);
	size_t total = 0;
	for (int i = 0; i < n; i++)
		total += iov[i].iov_len;
	if (total == 0)
		return false;
	ptrdiff_t took = kp_conn_write(c->net, iov, n);
	if (took < 0)
		return false; /* on_close follows */
	c->is_blocked = (size_t)took < total;
	if (took > 0)
		kp_engine_written(e, c->conn, (size_t)took, now_us);
	return !c->is_blocked;
}

static void on_writable(void *opaque)
{
	kp_transport_conn *c = opaque;
	c->is_blocked = false;
	write_once(c, kp_time_mono_us());
	kp_producer_wake(c->producer);
}

static void slot_free(kp_producer *p, size_t i)
{
	if (i < p->loop.n_conns && p->loop.conns[i] && p->loop.conns[i]->net) {
		kp_conn_close(p->loop.conns[i]->net);
		p->loop.conns[i]->net = NULL;
	}
}

static void on_close(void *opaque, int err, const char *text)
{
	kp_transport_conn *c = opaque;
	kp_producer *p = c->producer;
	uint32_t conn = c->conn;
	slot_free(p, conn & 0xffff);
	kp_engine_on_close(p->engine, conn, err, text, kp_time_mono_us());
	kp_producer_wake(p);
}

static const kp_conn_events events = {on_open, on_data, on_writable, on_close};

/* Slots are addressed by the low 16 bits of the engine's name; each is allocated once, since connections keep pointers to them. */
static kp_transport_conn *slot_get(kp_producer *p, uint32_t conn)
{
	size_t i = conn & 0xffff;
	if (i >= p->loop.n_conns) {
		size_t n = i + 8;
		kp_transport_conn **more = kp_mem_realloc(p->loop.conns, n * sizeof(kp_transport_conn *));
		if (!more)
			return NULL;
		for (size_t k = p->loop.n_conns; k < n; k++)
			more[k] = NULL;
		p->loop.conns = more;
		p->loop.n_conns = n;
	}
	if (!p->loop.conns[i])
		p->loop.conns[i] = kp_mem_calloc(1, sizeof(kp_transport_conn));
	return p->loop.conns[i];
}

static void connect_to(kp_producer *p, const kp_action *a, int64_t now_us)
{
	kp_transport_conn *c = slot_get(p, a->conn);
	const kp_net_settings *s = &p->settings.net;
	kp_conn_options o = {.setup_timeout_us = s->socket_connection_setup_timeout_ms * 1000,
	                     .send_buffer_bytes = s->send_buffer_bytes > 0 ? s->send_buffer_bytes : -1,
	                     .receive_buffer_bytes = s->receive_buffer_bytes > 0 ? s->receive_buffer_bytes : -1};
	if (c) {
		slot_free(p, a->conn & 0xffff);
		*c = (kp_transport_conn){.producer = p, .conn = a->conn};
		c->net = kp_conn_open(p->runtime->loop, a->host, a->port, &o, &events, c);
	}
	if (!c || !c->net)
		kp_engine_on_close(p->engine, a->conn, KP_ERR_NO_MEMORY, "out of memory", now_us);
}

void kp_transport_step(kp_producer *p, bool *progress, int64_t now_us)
{
	kp_action a;
	uint32_t conn;
	while (kp_engine_next_action(p->engine, &a)) {
		*progress = true;
		if (a.type == KP_ACTION_CONNECT)
			connect_to(p, &a, now_us);
		else if ((a.conn & 0xffff) < p->loop.n_conns && p->loop.conns[a.conn & 0xffff] &&
		         p->loop.conns[a.conn & 0xffff]->conn == a.conn)
			slot_free(p, a.conn & 0xffff);
	}
	while ((conn = kp_engine_next_writable(p->engine)) != KP_NO_CONN) {
		kp_transport_conn *c = (conn & 0xffff) < p->loop.n_conns ? p->loop.conns[conn & 0xffff] : NULL;
		if (c && c->net && c->conn == conn && !c->is_blocked && write_once(c, now_us))
			*progress = true;
	}
}

void kp_transport_close_all(kp_producer *p)
{
	for (size_t i = 0; i < p->loop.n_conns; i++) {
		slot_free(p, i);
		kp_mem_free(p->loop.conns[i]);
	}
	kp_mem_free(p->loop.conns);
	p->loop.conns = NULL;
	p->loop.n_conns = 0;
}
