/*
 * conn_impl.h - the inside of a connection, for conn.c (open: bytes), connect.c (set-up) and listener.c.
 *
 *   NEW ──▶ RESOLVING ──▶ CONNECTING ──▶ OPEN ──▶ BROKEN ──▶ ENDED        kp_conn_close from any of them ──▶ CLOSED
 *     └──── numeric ────────▲  │ ▲        │ ▲        │         ▲
 *                              └─┘ next   │ accepted │         │
 *                              address    └──────────┴─────────┘ on_close, also from RESOLVING and CONNECTING
 *
 * BROKEN: a write failed, so nothing more goes out, but what the peer sent before (often the reason) is still read.
 * The connection's task does what may not be done inside a caller's call, and keeps the set-up's deadline.
 */
#ifndef KP_NET_CONN_IMPL_H
#define KP_NET_CONN_IMPL_H

#include "net/conn.h"
#include "net/filter.h"
#include "net/loop_impl.h"
#include "net/resolver.h"

typedef enum kp_conn_state {
	KP_CONN_NEW,
	KP_CONN_RESOLVING,
	KP_CONN_CONNECTING,
	KP_CONN_OPEN,
	KP_CONN_BROKEN,
	KP_CONN_ENDED, /* on_close was called; waits for kp_conn_close */
	KP_CONN_CLOSED /* buried */
} kp_conn_state;

struct kp_conn {
	kp_grave grave;
	kp_loop *loop;
	kp_task *task;
	kp_conn_events events;
	void *opaque;
	kp_conn_room *room; /* or NULL */
	kp_conn_state state;

	/* set-up; nothing here after OPEN */
	kp_conn_options options;
	char *host; /* NULL: accepted */
	uint16_t port;
	int64_t deadline_us;         /* of the whole set-up */
	int64_t attempt_deadline_us; /* of the address being tried */
	int64_t attempt_started_us;
	kp_resolve *resolve;
	kp_address *addresses;
	size_t n_addresses;
	size_t n_tried;

	/* from CONNECTING on */
	kp_filter *top;
	kp_watch *watch;
	bool is_paused;
	bool is_half_closed;   /* the peer's end of stream is there, behind what is still to be read */
	bool is_write_blocked; /* on_writable is due */
	bool must_read;        /* there may be bytes that no event announces */

	kp_filter_error error;
	char peer[300];
};

/* connect.c: begin the set-up, or go on with it, from the task; deadline for the task. */
KP_MUST_USE int64_t kp_conn_set_up_step(kp_conn *c, int64_t now_us);
/* connect.c: an event on the socket of the address being tried. */
void kp_conn_set_up_event(kp_conn *c);
/* connect.c: let go of what only the set-up needs. */
void kp_conn_set_up_clear(kp_conn *c);

/* conn.c: put the socket of a new filter under watch; false when memory is out. */
KP_MUST_USE bool kp_conn_watch(kp_conn *c, int fd);
/* conn.c: the filters are up. Calls on_open; the connection may be closed afterwards. */
void kp_conn_opened(kp_conn *c);
/* conn.c: close the socket and the filters (an attempt's, or for good). */
void kp_conn_drop_socket(kp_conn *c);
/* conn.c: the end: drops everything and calls on_close with c->error. */
void kp_conn_end(kp_conn *c);
/* conn.c: an accepted socket, which is taken (closed on failure). NULL when memory or descriptors are out. */
KP_MUST_USE kp_conn *kp_conn_adopt(kp_loop *l, int fd, const kp_address *peer);

#endif
