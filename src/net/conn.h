/*
 * conn.h - a connection to HOST:PORT as a stack of filters (today: TCP), non-blocking, and a listener for servers.
 *
 *   kp_conn ──▶ [ filter: tcp ] ──▶ socket          later: [ tls ] ──▶ [ tcp ], [ tls ] ──▶ [ proxy ] ──▶ [ tcp ]
 *
 * Opening resolves the name (c-ares on the loop, cancellable), then tries each address in turn. All calls and events are on the
 * loop's thread. No event comes after kp_conn_close, nor from inside kp_conn_open; on_close is the last event of a connection, and
 * the owner still calls kp_conn_close afterwards to give the memory back.
 */
#ifndef KP_NET_CONN_H
#define KP_NET_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/compiler.h"
#include "net/loop.h"

typedef struct kp_conn kp_conn;

typedef struct kp_conn_events {
	void (*on_open)(void *opaque);
	/* Bytes that arrived; valid during the call. The callee may close the connection. */
	void (*on_data)(void *opaque, const uint8_t *ptr, size_t len);
	void (*on_writable)(void *opaque); /* room again after kp_conn_write took less than it was given */
	/* err: KP_ERR_RESOLVE, KP_ERR_CONNECT, KP_ERR_TIMED_OUT (set-up), KP_ERR_TRANSPORT; text says which address and why. */
	void (*on_close)(void *opaque, int err, const char *text);
} kp_conn_events;

typedef struct kp_conn_options {
	int64_t setup_timeout_us; /* for resolving and connecting to all addresses together; 0: none */
	int send_buffer_bytes;    /* SO_SNDBUF; -1 leaves the system's */
	int receive_buffer_bytes; /* SO_RCVBUF; -1 leaves the system's */
	bool use_first_ip_only;   /* client.dns.lookup other than use_all_dns_ips */
} kp_conn_options;

/* NULL when memory is out. Failures to connect come as on_close. `host` is copied. */
KP_MUST_USE kp_conn *kp_conn_open(kp_loop *l, const char *host, uint16_t port, const kp_conn_options *o, const kp_conn_events *ev,
                                  void *opaque);
/*
 * Write what the kernel takes now (sendmsg, MSG_NOSIGNAL). Bytes taken (0: none now), or -1 when the connection is broken
 * (on_close follows from the loop). When less than everything was taken, on_writable follows once there is room (before on_open
 * nothing is taken).
 */
KP_MUST_USE ptrdiff_t kp_conn_write(kp_conn *c, const struct iovec *iov, int n_iov);
/*
 * Where the next bytes shall go, and in *cap how many at most: an owner that knows how much is missing to something has it put where it
 * belongs, without a copy. on_data then gets them there. NULL: into the loop's buffer, as without such a function. It must not close
 * the connection.
 */
typedef uint8_t *kp_conn_room(void *opaque, size_t *cap);
void kp_conn_set_room(kp_conn *c, kp_conn_room *room);
/* Stop or resume reading (back-pressure of a server). */
void kp_conn_pause(kp_conn *c, bool paused);
const char *kp_conn_peer(const kp_conn *c); /* "127.0.0.1:9092", or "host:port" before an address was chosen */
void kp_conn_close(kp_conn *c);

typedef struct kp_listener kp_listener;
/*
 * Called for each accepted connection, which is open already (no on_open comes): give it events with kp_conn_accept_events before
 * returning, or kp_conn_close it. The listener may be freed inside.
 */
typedef void kp_accept(void *opaque, kp_conn *c);
/*
 * A numeric address, a name (looked up by the system, which may block; one socket for each of its addresses), or NULL or "" for
 * every address of the machine. Port 0 picks a free one. Out of descriptors it stops accepting for 100 ms. NULL with *err_text set
 * (static or in a thread-local buffer) when binding fails.
 */
KP_MUST_USE kp_listener *kp_listener_new(kp_loop *l, const char *address, uint16_t port, kp_accept *accept, void *opaque,
                                         const char **err_text);
uint16_t kp_listener_port(const kp_listener *s);
/*
 * What is asked, with the listener's opaque and the errno, when descriptors or memory are out: true when it has closed a connection and
 * accepting may go on.
 */
typedef bool kp_make_place(void *opaque, int number);
void kp_listener_set_make_place(kp_listener *s, kp_make_place *make_place);
/* Would listening on this address keep to this machine? True also when the name has no address. The look-up may block. */
KP_MUST_USE bool kp_listener_is_loopback(const char *address);
/*
 * Shut: connections are refused, the port stays ours (those that were accepted stay open). 0, or errno with the listener left or
 * become shut. Opening again fails only when another program took the port while it could not be kept.
 */
KP_MUST_USE int kp_listener_open(kp_listener *s);
void kp_listener_shut(kp_listener *s);
void kp_listener_free(kp_listener *s);
/*
 * The same on a Unix socket that only its owner may use (mode 0600). A socket that a dead program left at the path is replaced. The path
 * goes with the listener. Its connections are like others; kp_conn_peer tells nothing of them, kp_listener_port is 0.
 */
KP_MUST_USE kp_listener *kp_listener_new_local(kp_loop *l, const char *path, kp_accept *accept, void *opaque,
                                               const char **err_text);
void kp_conn_accept_events(kp_conn *c, const kp_conn_events *ev, void *opaque);

#endif
