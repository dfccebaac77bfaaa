/*
 * filter.h - one layer of a connection: TCP at the bottom, TLS or a proxy above it later. Loop thread only.
 *
 *   conn ─▶ [ top ] ─▶ lower ─▶ ... ─▶ [ tcp ] ─▶ socket
 *
 * A filter never blocks and never calls up. When it cannot go on it says KP_FILTER_AGAIN, and `wants` says for which events on the
 * socket it waits, direction by direction: a TLS layer may have to write before it can read, or read before it can write.
 */
#ifndef KP_NET_FILTER_H
#define KP_NET_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/compiler.h"
#include "net/address.h"
#include "net/loop_impl.h"

enum {
	KP_FILTER_DONE = 0,   /* start: the layer is up */
	KP_FILTER_AGAIN = -1, /* not now */
	KP_FILTER_EOF = -2,   /* read: the peer has closed its half; nothing more comes */
	KP_FILTER_ERROR = -3  /* over; the error is filled in */
};

/* Why a filter failed; owned by the connection, shared by its filters. */
typedef struct kp_filter_error {
	int err;        /* KP_ERR_CONNECT, KP_ERR_TRANSPORT, ... */
	char text[400]; /* with the peer, as users see it */
} kp_filter_error;

static inline size_t kp_iov_bytes(const struct iovec *iov, int n_iov)
{
	size_t n = 0;
	for (int i = 0; i < n_iov; i++)
		n += iov[i].iov_len;
	return n;
}

typedef struct kp_filter kp_filter;

typedef struct kp_filter_ops {
	const char *name;
	/*
	 * A read that gives less than was asked for has emptied the layer, so that asking again before the next event is a wasted
	 * system call. False for layers that hand out record by record.
	 */
	bool is_empty_after_short_read;
	/* Bring the layer up, lower ones first; called again after each event it wants until DONE or ERROR. */
	int (*start)(kp_filter *f);
	/* Bytes (> 0), or AGAIN, EOF, ERROR. */
	ptrdiff_t (*read)(kp_filter *f, uint8_t *ptr, size_t cap);
	/* Bytes taken (> 0), or AGAIN, ERROR. Fewer than given only when the layer is full, so that an event follows once it is not. */
	ptrdiff_t (*write)(kp_filter *f, const struct iovec *iov, int n_iov);
	/*
	 * The events (KP_IO_READ, KP_IO_WRITE) without which nothing happens in a direction: what the next read or write waits for, for
	 * `direction` KP_IO_READ or KP_IO_WRITE.
	 */
	unsigned (*wants)(const kp_filter *f, unsigned direction);
	/* Close and free the layer and those below. The socket goes without waiting. */
	void (*close)(kp_filter *f);
} kp_filter_ops;

struct kp_filter {
	const kp_filter_ops *ops;
	kp_filter *lower; /* NULL at the bottom */
	kp_filter_error *error;
};

typedef struct kp_tcp_options {
	int send_buffer_bytes;    /* SO_SNDBUF; < 0 leaves the system's */
	int receive_buffer_bytes; /* SO_RCVBUF; < 0 leaves the system's */
} kp_tcp_options;

/* A socket that `start` will connect. NULL with *error filled in when descriptors or memory are out. */
KP_MUST_USE kp_filter *kp_filter_tcp_new(const kp_address *peer, const kp_tcp_options *o, kp_filter_error *error);
/* An accepted socket, non-blocking; taken (closed also on failure). NULL when memory is out. */
KP_MUST_USE kp_filter *kp_filter_tcp_adopt(int fd, const kp_address *peer, kp_filter_error *error);
int kp_filter_tcp_fd(const kp_filter *f);

#endif
