/*
 * net_test.h - what the tests of net share: running a loop with a deadline, a connection that notes its events, a DNS server.
 */
#ifndef KP_TEST_NET_TEST_H
#define KP_TEST_NET_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sys/resource.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/time.h"
#include "kproducer/error.h"
#include "net/conn.h"
#include "net/conn_impl.h"
#include "net/loop.h"
#include "net/resolver.h"

#define MS 1000
#define PATIENCE_MS 30000 /* far beyond what any test needs, also under valgrind */

typedef struct watchdog {
	kp_loop *loop;
	int64_t deadline_us;
	bool has_barked;
} watchdog;

static inline int64_t watchdog_step(void *opaque, int64_t now_us)
{
	watchdog *w = opaque;
	if (now_us < w->deadline_us)
		return w->deadline_us;
	w->has_barked = true;
	kp_loop_stop(w->loop);
	return KP_TIME_NEVER;
}

/* Run until somebody stops the loop; false when nobody did for that long. */
static inline bool run_loop(kp_loop *l, int ms)
{
	watchdog w = {l, kp_time_mono_us() + ms * MS, false};
	kp_task *t = kp_task_new(l, watchdog_step, &w);
	assert_non_null(t);
	kp_task_wake(t);
	kp_loop_run(l);
	kp_task_free(t);
	return !w.has_barked;
}

/* A connection that notes what happens to it, and closes itself where the test says so. */
typedef enum probe_event { PROBE_NEVER, PROBE_OPEN, PROBE_DATA, PROBE_WRITABLE, PROBE_CLOSE } probe_event;

typedef struct probe {
	kp_loop *loop;
	kp_conn *conn;
	int n_open, n_data, n_writable, n_close;
	size_t n_bytes;
	int err;
	char text[400];
	probe_event close_in; /* close, and stop the loop */
	probe_event stop_in;  /* only stop the loop */
} probe;

static inline void probe_note(probe *p, probe_event e)
{
	if (p->close_in == e) {
		kp_conn_close(p->conn);
		p->conn = NULL;
	}
	if (p->close_in == e || p->stop_in == e)
		kp_loop_stop(p->loop);
}

static inline void probe_on_open(void *opaque)
{
	probe *p = opaque;
	p->n_open++;
	probe_note(p, PROBE_OPEN);
}

static inline void probe_on_data(void *opaque, const uint8_t *ptr, size_t len)
{
	probe *p = opaque;
	(void)ptr;
	p->n_data++;
	p->n_bytes += len;
	probe_note(p, PROBE_DATA);
}

static inline void probe_on_writable(void *opaque)
{
	probe *p = opaque;
	p->n_writable++;
	probe_note(p, PROBE_WRITABLE);
}

static inline void probe_on_close(void *opaque, int err, const char *text)
{
	probe *p = opaque;
	p->n_close++;
	p->err = err;
	snprintf(p->text, sizeof(p->text), "%s", text);
	probe_note(p, PROBE_CLOSE);
}

static inline const kp_conn_events *probe_events(void)
{
	static const kp_conn_events ev = {probe_on_open, probe_on_data, probe_on_writable, probe_on_close};
	return &ev;
}

static inline kp_conn_options default_options(void)
{
	return (kp_conn_options){.setup_timeout_us = 10 * 1000 * MS,
	                         .send_buffer_bytes = -1,
	                         .receive_buffer_bytes = -1,
	                         .use_first_ip_only = false};
}

/* Returns without running the loop: no event may have come yet. */
static inline void probe_open(probe *p, kp_loop *l, const char *host, uint16_t port, const kp_conn_options *o)
{
	kp_conn_options d = default_options();
	p->loop = l;
	p->conn = kp_conn_open(l, host, port, o ? o : &d, probe_events(), p);
	assert_non_null(p->conn);
	assert_int_equal(p->n_open + p->n_close, 0);
}

static inline void probe_close(probe *p)
{
	if (p->conn)
		kp_conn_close(p->conn);
	p->conn = NULL;
}

/* A listener whose one connection becomes a probe. */
typedef struct server {
	kp_listener *listener;
	probe peer;
	int n_accepted;
	bool stops_on_accept;
} server;

static inline void server_on_accept(void *opaque, kp_conn *c)
{
	server *s = opaque;
	s->n_accepted++;
	if (s->peer.conn) {
		kp_conn_close(c);
		return;
	}
	s->peer.conn = c;
	kp_conn_accept_events(c, probe_events(), &s->peer);
	if (s->stops_on_accept)
		kp_loop_stop(s->peer.loop);
}

static inline uint16_t server_start(server *s, kp_loop *l, const char *address)
{
	const char *why = NULL;
	s->peer.loop = l;
	s->listener = kp_listener_new(l, address, 0, server_on_accept, s, &why);
	if (!s->listener)
		fail_msg("%s", why);
	assert_int_not_equal(kp_listener_port(s->listener), 0);
	return kp_listener_port(s->listener);
}

static inline void server_stop(server *s)
{
	probe_close(&s->peer);
	kp_listener_free(s->listener);
}

/* A client and its server's end, both open. */
static inline void open_pair(kp_loop *l, server *s, probe *client, const kp_conn_options *o)
{
	uint16_t port = server_start(s, l, "127.0.0.1");
	client->stop_in = PROBE_OPEN;
	probe_open(client, l, "127.0.0.1", port, o);
	assert_true(run_loop(l, PATIENCE_MS));
	if (!s->peer.conn) {
		s->stops_on_accept = true;
		assert_true(run_loop(l, PATIENCE_MS));
		s->stops_on_accept = false;
	}
	client->stop_in = PROBE_NEVER;
}

/* Let no descriptor be opened any more; returns the limit to give back to restore_descriptors. */
static inline rlim_t exhaust_descriptors(void)
{
	struct rlimit r;
	int lowest_free = dup(0);
	assert_true(lowest_free >= 0);
	close(lowest_free);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &r), 0);
	rlim_t before = r.rlim_cur;
	r.rlim_cur = (rlim_t)lowest_free;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &r), 0);
	return before;
}

static inline void restore_descriptors(rlim_t before)
{
	struct rlimit r;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &r), 0);
	r.rlim_cur = before;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &r), 0);
}

#endif
