/*
 * conn.c - a connection from open to close: bytes in and out, back-pressure, the end. Its set-up is in connect.c.
 */
#include "net/conn.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/time.h"
#include "kproducer/error.h"
#include "net/conn_impl.h"

/* Reads of one connection before the others have their turn: 8 x 128 KiB, unless its owner gives more room. */
#define READ_ROUNDS 8

typedef enum read_result {
	READ_EMPTY, /* nothing more before the next event */
	READ_MORE,  /* the rounds were used up */
	READ_GONE   /* ended, or closed by its owner */
} read_result;

/* True while bytes may be delivered: what every callback may have changed. */
static bool can_read(const kp_conn *c)
{
	return c->state == KP_CONN_OPEN || c->state == KP_CONN_BROKEN;
}

void kp_conn_drop_socket(kp_conn *c)
{
	kp_watch_close(c->watch); /* before its descriptor */
	c->watch = NULL;
	if (c->top)
		c->top->ops->close(c->top);
	c->top = NULL;
}

void kp_conn_end(kp_conn *c)
{
	kp_conn_drop_socket(c);
	kp_conn_set_up_clear(c);
	c->state = KP_CONN_ENDED;
	if (c->events.on_close)
		c->events.on_close(c->opaque, c->error.err, c->error.text);
}

static uint8_t *room_of(kp_conn *c, size_t *cap)
{
	uint8_t *own = c->room ? c->room(c->opaque, cap) : NULL;
	if (own && *cap)
		return own;
	*cap = KP_LOOP_READ_BUFFER_BYTES;
	return c->loop->read_buffer;
}

static read_result read_some(kp_conn *c)
{
	kp_filter *f = c->top;
	for (int i = 0; i < READ_ROUNDS; i++) {
		size_t cap;
		uint8_t *buffer = room_of(c, &cap);
		ptrdiff_t n = f->ops->read(f, buffer, cap);
		if (n == KP_FILTER_AGAIN)
			return READ_EMPTY;
		if (n == KP_FILTER_EOF) {
			c->error.err = KP_ERR_TRANSPORT;
			snprintf(c->error.text, sizeof(c->error.text), "connection closed by peer");
		}
		if (n < 0) {
			kp_conn_end(c);
			return READ_GONE;
		}
		if (c->events.on_data)
			c->events.on_data(c->opaque, buffer, (size_t)n);
		if (!can_read(c))
			return READ_GONE;
		bool is_short = f->ops->is_empty_after_short_read && (size_t)n < cap;
		if (c->is_paused || (is_short && !c->is_half_closed)) /* no event will announce an end that is there already */
			return READ_EMPTY;
	}
	return READ_MORE;
}

/* Read, and see to it that reading goes on if it stopped for fairness only. False when the connection is over. */
static bool read_turn(kp_conn *c)
{
	read_result r = read_some(c);
	if (r == READ_GONE)
		return false;
	c->must_read = r == READ_MORE;
	if (c->must_read)
		kp_task_wake(c->task);
	return true;
}

/* Takes the socket's error away; only where no read will ask for it. */
static int take_socket_error(kp_filter *f)
{
	int number = 0;
	socklen_t len = sizeof(number);
	while (f->lower)
		f = f->lower;
	getsockopt(kp_filter_tcp_fd(f), SOL_SOCKET, SO_ERROR, &number, &len);
	return number ? number : ECONNRESET;
}

/* The socket has an error that no read told: it had bytes left, or was paused. */
static void break_off(kp_conn *c)
{
	if (c->state == KP_CONN_BROKEN)
		return;
	int number = c->is_paused ? take_socket_error(c->top) : ECONNRESET;
	c->state = KP_CONN_BROKEN;
	c->error.err = KP_ERR_TRANSPORT;
	snprintf(c->error.text, sizeof(c->error.text), "connection to %s broken: %s", c->peer, strerror(number));
	kp_task_wake(c->task);
}

static void deliver_events(kp_conn *c, unsigned seen)
{
	if (seen & KP_IO_HANGUP)
		c->is_half_closed = true;
	bool is_readable = seen & (c->top->ops->wants(c->top, KP_IO_READ) | KP_IO_HANGUP | KP_IO_BROKEN);
	bool is_writable = seen & c->top->ops->wants(c->top, KP_IO_WRITE);
	if (is_readable && !c->is_paused && !read_turn(c))
		return;
	if (seen & KP_IO_BROKEN)
		break_off(c);
	if (is_writable && c->is_write_blocked && c->state == KP_CONN_OPEN) {
		c->is_write_blocked = false;
		if (c->events.on_writable)
			c->events.on_writable(c->opaque);
	}
}

static void on_ready(void *opaque, unsigned seen)
{
	kp_conn *c = opaque;
	if (c->state == KP_CONN_CONNECTING) {
		const kp_watch *attempt = c->watch;
		kp_conn_set_up_event(c);
		if (c->state != KP_CONN_OPEN || c->watch != attempt)
			return;
	}
	deliver_events(c, seen); /* what told of the connect may tell of the first bytes too */
}

/* BROKEN: read what is left, then say why the connection broke. */
static void step_broken(kp_conn *c)
{
	if (!c->is_paused) {
		read_result r = read_some(c);
		if (r == READ_GONE)
			return;
		if (r == READ_MORE) {
			kp_task_wake(c->task);
			return;
		}
	}
	kp_conn_end(c);
}

static int64_t step(void *opaque, int64_t now_us)
{
	kp_conn *c = opaque;
	switch (c->state) {
	case KP_CONN_NEW:
	case KP_CONN_RESOLVING:
	case KP_CONN_CONNECTING: return kp_conn_set_up_step(c, now_us);
	case KP_CONN_OPEN:
		if (c->must_read && !c->is_paused)
			(void)read_turn(c);
		break;
	case KP_CONN_BROKEN: step_broken(c); break;
	case KP_CONN_ENDED:
	case KP_CONN_CLOSED: break;
	}
	return KP_TIME_NEVER;
}

bool kp_conn_watch(kp_conn *c, int fd)
{
	c->watch = kp_watch_new(c->loop, fd, KP_IO_READ | KP_IO_WRITE | KP_IO_HANGUP | KP_IO_EDGE, on_ready, c);
	return c->watch != NULL;
}

void kp_conn_opened(kp_conn *c)
{
	kp_conn_set_up_clear(c);
	c->state = KP_CONN_OPEN;
	if (c->events.on_open)
		c->events.on_open(c->opaque);
}

static kp_conn *conn_new(kp_loop *l)
{
	kp_conn *c = kp_mem_calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->loop = l;
	c->deadline_us = KP_TIME_NEVER;
	c->attempt_deadline_us = KP_TIME_NEVER;
	c->task = kp_task_new(l, step, c);
	if (!c->task) {
		kp_mem_free(c);
		return NULL;
	}
	return c;
}

kp_conn *kp_conn_open(kp_loop *l, const char *host, uint16_t port, const kp_conn_options *o, const kp_conn_events *ev, void *opaque)
{
	assert(kp_loop_is_mine(l));
	kp_conn *c = conn_new(l);
	if (!c)
		return NULL;
	c->host = kp_mem_strdup(host);
	if (!c->host) {
		kp_conn_close(c);
		return NULL;
	}
	c->port = port;
	c->options = *o;
	c->events = *ev;
	c->opaque = opaque;
	snprintf(c->peer, sizeof(c->peer), "%s:%u", host, port);
	if (o->setup_timeout_us > 0)
		c->deadline_us = kp_time_mono_us() + o->setup_timeout_us;
	kp_task_wake(c->task); /* everything else from there: no event comes from inside this call */
	return c;
}

kp_conn *kp_conn_adopt(kp_loop *l, int fd, const kp_address *peer)
{
	kp_conn *c = conn_new(l);
	if (!c) {
		close(fd);
		return NULL;
	}
	kp_address_format(peer, c->peer);
	c->top = kp_filter_tcp_adopt(fd, peer, &c->error);
	if (c->top)
		c->state = KP_CONN_OPEN;
	if (!c->top || !kp_conn_watch(c, fd)) {
		kp_conn_close(c);
		return NULL;
	}
	return c;
}

void kp_conn_accept_events(kp_conn *c, const kp_conn_events *ev, void *opaque)
{
	c->events = *ev;
	c->opaque = opaque;
}

void kp_conn_set_room(kp_conn *c, kp_conn_room *room)
{
	c->room = room;
}

ptrdiff_t kp_conn_write(kp_conn *c, const struct iovec *iov, int n_iov)
{
	assert(kp_loop_is_mine(c->loop));
	if (c->state == KP_CONN_BROKEN || c->state == KP_CONN_ENDED)
		return -1;
	size_t total = kp_iov_bytes(iov, n_iov);
	if (c->state != KP_CONN_OPEN || total == 0) {
		c->is_write_blocked = total > 0; /* not open yet: on_writable follows on_open */
		return 0;
	}
	ptrdiff_t n = c->top->ops->write(c->top, iov, n_iov);
	if (n == KP_FILTER_ERROR) {
		c->state = KP_CONN_BROKEN;
		kp_task_wake(c->task);
		return -1;
	}
	if (n < 0)
		n = 0;
	c->is_write_blocked = (size_t)n < total;
	return n;
}

void kp_conn_pause(kp_conn *c, bool paused)
{
	assert(kp_loop_is_mine(c->loop));
	if (c->is_paused == paused)
		return;
	c->is_paused = paused;
	if (!paused && can_read(c)) {
		c->must_read = true; /* what arrived before or during the pause is not announced again */
		kp_task_wake(c->task);
	}
}

const char *kp_conn_peer(const kp_conn *c)
{
	return c->peer;
}

void kp_conn_close(kp_conn *c)
{
	if (!c)
		return;
	assert(kp_loop_is_mine(c->loop) && c->state != KP_CONN_CLOSED);
	kp_conn_drop_socket(c);
	kp_conn_set_up_clear(c);
	kp_mem_free(c->host);
	c->host = NULL;
	kp_task_free(c->task);
	c->state = KP_CONN_CLOSED;
	kp_loop_bury(c->loop, &c->grave, c); /* the caller may be one of our events */
}
