/*
 * filter_tcp.c - the bottom of the stack: a non-blocking TCP socket.
 */
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/os_error.h"
#include "kproducer/error.h"
#include "net/filter.h"

typedef struct tcp_filter {
	kp_filter base;
	int fd;
	kp_address address;
	char peer[KP_ADDRESS_TEXT_MAX];
} tcp_filter;

static tcp_filter *tcp_of(kp_filter *f)
{
	return KP_CONTAINER_OF(f, tcp_filter, base);
}

static void say(kp_filter_error *e, int err, const char *what, const char *peer, int number)
{
	e->err = err;
	snprintf(e->text, sizeof(e->text), "%s %s: %s", what, peer, kp_os_error_text(number));
}

static int fail(tcp_filter *t, int err, const char *what, int number)
{
	say(t->base.error, err, what, t->peer, number);
	return KP_FILTER_ERROR;
}

/*
 * A connect to a port of the ephemeral range on this machine that nobody listens on can be given that very port as its own, and
 * then meets itself (TCP's simultaneous open): a dead local broker would look alive and echo our requests.
 */
static bool is_connected_to_itself(const tcp_filter *t)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	kp_address own;
	return getsockname(t->fd, (struct sockaddr *)&ss, &len) == 0 && kp_address_from((struct sockaddr *)&ss, len, &own) &&
	       kp_address_equal(&own, &t->address);
}

/* Calling connect again asks how far it is, and unlike SO_ERROR it cannot take "still waiting" for "connected". */
static int tcp_start(kp_filter *f)
{
	tcp_filter *t = tcp_of(f);
	int rc;
	do
		rc = connect(t->fd, &t->address.u.any, kp_address_len(&t->address));
	while (rc < 0 && errno == EINTR);
	if (rc < 0 && (errno == EINPROGRESS || errno == EALREADY))
		return KP_FILTER_AGAIN;
	if (rc < 0 && errno != EISCONN)
		return fail(t, KP_ERR_CONNECT, "connect to", errno);
	if (is_connected_to_itself(t))
		return fail(t, KP_ERR_CONNECT, "connect to", ECONNREFUSED);
	return KP_FILTER_DONE;
}

static ptrdiff_t tcp_read(kp_filter *f, uint8_t *ptr, size_t cap)
{
	tcp_filter *t = tcp_of(f);
	ssize_t n;
	do
		n = recv(t->fd, ptr, cap, 0);
	while (n < 0 && errno == EINTR);
	if (n > 0)
		return n;
	if (n == 0)
		return KP_FILTER_EOF;
	if (errno == EAGAIN || errno == EWOULDBLOCK)
		return KP_FILTER_AGAIN;
	return fail(t, KP_ERR_TRANSPORT, "read from", errno);
}

static ptrdiff_t send_pieces(tcp_filter *t, const struct iovec *iov, int n_iov)
{
	struct msghdr m = {.msg_iov = (struct iovec *)iov, .msg_iovlen = (size_t)n_iov};
	ssize_t n;
	do
		n = sendmsg(t->fd, &m, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n > 0)
		return n;
	if (n == 0 || errno == EAGAIN || errno == EWOULDBLOCK)
		return KP_FILTER_AGAIN;
	return fail(t, KP_ERR_TRANSPORT, "write to", errno);
}

/* One sendmsg takes IOV_MAX pieces at most. What is left is left because the socket is full, and so has an event to come. */
static ptrdiff_t tcp_write(kp_filter *f, const struct iovec *iov, int n_iov)
{
	size_t taken = 0, given = 0;
	while (n_iov > 0 && taken == given) {
		int n = n_iov < IOV_MAX ? n_iov : IOV_MAX;
		ptrdiff_t sent = send_pieces(tcp_of(f), iov, n);
		if (sent < 0)
			return taken ? (ptrdiff_t)taken : sent;
		taken += (size_t)sent;
		given += kp_iov_bytes(iov, n);
		iov += n;
		n_iov -= n;
	}
	return (ptrdiff_t)taken;
}

static unsigned tcp_wants(const kp_filter *f, unsigned direction)
{
	(void)f;
	return direction;
}

static void tcp_close(kp_filter *f)
{
	tcp_filter *t = tcp_of(f);
	close(t->fd);
	kp_mem_free(t);
}

static const kp_filter_ops tcp_ops = {
	.name = "tcp",
	.is_empty_after_short_read = true,
	.start = tcp_start,
	.read = tcp_read,
	.write = tcp_write,
	.wants = tcp_wants,
	.close = tcp_close,
};

static void set_int(int fd, int level, int name, int value)
{
	/* Not an error: these tune, and a connection without them still works. */
	(void)setsockopt(fd, level, name, &value, sizeof(value));
}

/* Takes fd. */
static kp_filter *wrap(int fd, const kp_address *peer, kp_filter_error *error)
{
	tcp_filter *t = kp_mem_calloc(1, sizeof(*t));
	if (!t) {
		char text[KP_ADDRESS_TEXT_MAX];
		kp_address_format(peer, text);
		say(error, KP_ERR_CONNECT, "connect to", text, ENOMEM);
		close(fd);
		return NULL;
	}
	t->base.ops = &tcp_ops;
	t->base.error = error;
	t->fd = fd;
	t->address = *peer;
	kp_address_format(peer, t->peer);
	set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1); /* requests are whole when they are written: waiting for more gains nothing */
	set_int(fd, SOL_SOCKET, SO_KEEPALIVE, 1); /* notices a peer that vanished while nothing was under way */
	return &t->base;
}

kp_filter *kp_filter_tcp_new(const kp_address *peer, const kp_tcp_options *o, kp_filter_error *error)
{
	int fd = socket(peer->u.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
	if (fd < 0) {
		int number = errno;
		char text[KP_ADDRESS_TEXT_MAX];
		kp_address_format(peer, text);
		say(error, KP_ERR_CONNECT, "connect to", text, number);
		return NULL;
	}
	/* Before connect: the window scale that the handshake fixes follows from the buffer. */
	if (o->send_buffer_bytes >= 0)
		set_int(fd, SOL_SOCKET, SO_SNDBUF, o->send_buffer_bytes);
	if (o->receive_buffer_bytes >= 0)
		set_int(fd, SOL_SOCKET, SO_RCVBUF, o->receive_buffer_bytes);
	return wrap(fd, peer, error);
}

kp_filter *kp_filter_tcp_adopt(int fd, const kp_address *peer, kp_filter_error *error)
{
	return wrap(fd, peer, error);
}

int kp_filter_tcp_fd(const kp_filter *f)
{
	const tcp_filter *t = (const tcp_filter *)(const void *)f; /* base is the first member */
	return t->fd;
}
