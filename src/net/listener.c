/*
 * listener.c - sockets that accept connections. A name such as "localhost" has several addresses: each gets a socket, all with the
 * same port.
 */
#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/os_error.h"
#include "base/time.h"
#include "net/conn_impl.h"
#include "net/local.h"

#define SOCKETS_MAX 8
/* Accepts of one event before the connections have their turn. */
#define ACCEPT_ROUNDS 64
/* Out of descriptors or memory: the waiting connection stays readable, so without a pause the loop would spin. */
#define EXHAUSTED_PAUSE_US 100000
/* Port 0: the port that the system chose for one address may be taken on another. */
#define PORT_TRIES 16

typedef struct listen_socket {
	kp_listener *owner;
	kp_watch *watch; /* NULL while shut */
	int fd;          /* -1: shut, and the port could not be kept */
	kp_address address;
	bool is_v6_only;
} listen_socket;

struct kp_listener {
	kp_grave grave;
	kp_loop *loop;
	kp_task *task; /* ends a pause */
	kp_accept *accept;
	kp_make_place *make_place; /* or NULL */
	void *opaque;
	uint16_t port;
	bool is_closed;
	bool is_paused;
	kp_local *local; /* of a Unix socket, or NULL */
	size_t n_sockets;
	listen_socket sockets[SOCKETS_MAX];
};

static void watch_all(kp_listener *s, unsigned wants)
{
	for (size_t i = 0; i < s->n_sockets; i++)
		if (s->sockets[i].watch)
			kp_watch_set(s->sockets[i].watch, wants);
}

static int64_t step(void *opaque, int64_t now_us)
{
	kp_listener *s = opaque;
	if (s->is_paused) {
		/* woken by the accept that failed: begin the pause */
		s->is_paused = false;
		return now_us + EXHAUSTED_PAUSE_US;
	}
	watch_all(s, KP_IO_READ);
	return KP_TIME_NEVER;
}

static void pause_accepting(kp_listener *s)
{
	s->is_paused = true;
	watch_all(s, 0);
	kp_task_wake(s->task);
}

/* What is wrong with the connection that would have been accepted is no reason to stop (accept(2), "Error handling"). */
static bool is_exhausted(int number)
{
	return number == EMFILE || number == ENFILE || number == ENOBUFS || number == ENOMEM;
}

/* accept(2) says that it is out of descriptors also when nobody waits. */
static bool has_waiting(int fd)
{
	struct pollfd p = {fd, POLLIN, 0};
	return poll(&p, 1, 0) > 0;
}

static void on_ready(void *opaque, unsigned seen)
{
	listen_socket *ls = opaque;
	kp_listener *s = ls->owner;
	(void)seen;
	for (int i = 0; i < ACCEPT_ROUNDS; i++) {
		struct sockaddr_storage ss;
		socklen_t len = sizeof(ss);
		kp_address peer;
		int fd = accept4(ls->fd, (struct sockaddr *)&ss, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			break;
		int number = errno;
		if (fd < 0 && is_exhausted(number)) {
			if (!has_waiting(ls->fd))
				break;
			if (s->make_place && s->make_place(s->opaque, number))
				continue;
			pause_accepting(s);
			return;
		}
		if (fd < 0)
			continue;
		if (s->local ? !kp_address_parse("127.0.0.1", 0, &peer) : !kp_address_from((struct sockaddr *)&ss, len, &peer)) {
			close(fd);
			continue;
		}
		kp_conn *c = kp_conn_adopt(s->loop, fd, &peer);
		if (!c) {
			pause_accepting(s);
			return;
		}
		s->accept(s->opaque, c);
		if (s->is_closed)
			return;
	}
	if (seen & KP_IO_BROKEN && ls->watch)
		kp_watch_set(ls->watch, KP_IO_READ);
}

static int bind_socket(const kp_address *a, bool is_v6_only, bool is_listening)
{
	int one = 1, v6_only = is_v6_only;
	int fd = socket(a->u.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0 &&
	    (a->u.any.sa_family != AF_INET6 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, sizeof(v6_only)) == 0) &&
	    bind(fd, &a->u.any, kp_address_len(a)) == 0 && (!is_listening || listen(fd, SOMAXCONN) == 0))
		return fd;
	int number = errno;
	close(fd);
	errno = number;
	return -1;
}

static void close_sockets(kp_listener *s)
{
	for (size_t i = 0; i < s->n_sockets; i++) {
		kp_watch_close(s->sockets[i].watch);
		if (s->sockets[i].fd >= 0)
			close(s->sockets[i].fd);
	}
	s->n_sockets = 0;
}

/* Takes fd. */
static bool add_socket(kp_listener *s, int fd, bool is_v6_only)
{
	listen_socket *ls = &s->sockets[s->n_sockets];
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	kp_address own;
	ls->owner = s;
	ls->fd = fd;
	ls->watch = kp_watch_new(s->loop, fd, KP_IO_READ, on_ready, ls);
	if (!ls->watch || getsockname(fd, (struct sockaddr *)&ss, &len) != 0 ||
	    !kp_address_from((struct sockaddr *)&ss, len, &own)) {
		kp_watch_close(ls->watch);
		close(fd);
		errno = ENOMEM;
		return false;
	}
	ls->address = own;
	ls->is_v6_only = is_v6_only;
	s->port = kp_address_port(&own);
	s->n_sockets++;
	return true;
}

/* This machine lacks the address or its whole family: the name's others will do. */
static bool is_missing(int number)
{
	return number == EADDRNOTAVAIL || number == EAFNOSUPPORT;
}

/* One socket for each address, all with one port. 0, or errno with no socket left open. */
static int bind_all(kp_listener *s, const kp_address *addresses, size_t n, uint16_t port)
{
	int missing = EADDRNOTAVAIL;
	s->port = port;
	for (size_t i = 0; i < n && s->n_sockets < SOCKETS_MAX; i++) {
		kp_address a = addresses[i];
		kp_address_set_port(&a, s->port);
		bool is_any = a.u.any.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&a.u.v6.sin6_addr);
		int fd = bind_socket(&a, !is_any, true); /* "::" takes IPv4 too; a name brings its IPv4 addresses itself */
		if (fd < 0 && is_missing(errno)) {
			missing = errno;
			continue;
		}
		if (fd < 0 || !add_socket(s, fd, !is_any)) {
			int number = errno;
			close_sockets(s);
			return number;
		}
	}
	return s->n_sockets ? 0 : missing;
}

/* Numeric, or a name by the system's resolver, which blocks: only servers listen, and only when they start. */
static size_t find_addresses(const char *host, kp_address out[SOCKETS_MAX], const char **why)
{
	if (kp_address_parse(host, 0, &out[0]))
		return 1;
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
	struct addrinfo *found = NULL;
	int rc = getaddrinfo(host, NULL, &hints, &found);
	if (rc != 0) {
		*why = rc == EAI_SYSTEM ? strerror(errno) : gai_strerror(rc);
		return 0;
	}
	size_t n = 0;
	for (struct addrinfo *a = found; a && n < SOCKETS_MAX; a = a->ai_next) {
		size_t same = 0;
		if (!kp_address_from(a->ai_addr, a->ai_addrlen, &out[n]))
			continue;
		while (!kp_address_equal(&out[same], &out[n]))
			same++;
		if (same == n)
			n++;
	}
	freeaddrinfo(found);
	*why = "no IPv4 or IPv6 address";
	return n;
}

static const char *host_of(const char *address)
{
	return address && *address ? address : "::";
}

bool kp_listener_is_loopback(const char *address)
{
	kp_address addresses[SOCKETS_MAX];
	const char *why;
	size_t n = find_addresses(host_of(address), addresses, &why);
	for (size_t i = 0; i < n; i++)
		if (!kp_address_is_loopback(&addresses[i]))
			return false;
	return true;
}

static const char *bind_host(kp_listener *s, const char *host, uint16_t port)
{
	kp_address addresses[SOCKETS_MAX];
	const char *why = NULL;
	size_t n = find_addresses(host, addresses, &why);
	if (n == 0)
		return why;
	int number = bind_all(s, addresses, n, port);
	for (int i = 1; port == 0 && number == EADDRINUSE && i < PORT_TRIES; i++)
		number = bind_all(s, addresses, n, 0);
	return number ? kp_os_error_text(number) : NULL;
}

static kp_listener *listener_new(kp_loop *l, kp_accept *accept, void *opaque)
{
	kp_listener *s = kp_mem_calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->loop = l;
	s->accept = accept;
	s->opaque = opaque;
	s->task = kp_task_new(l, step, s);
	if (!s->task) {
		kp_mem_free(s);
		return NULL;
	}
	return s;
}

kp_listener *kp_listener_new(kp_loop *l, const char *address, uint16_t port, kp_accept *accept, void *opaque, const char **err_text)
{
	static KP_THREAD_LOCAL char text[300];
	assert(kp_loop_is_mine(l));
	const char *host = host_of(address);
	const char *why = "out of memory";
	kp_listener *s = listener_new(l, accept, opaque);
	if (s) {
		why = bind_host(s, host, port);
		if (why && host != address)
			why = bind_host(s, "0.0.0.0", port); /* a machine without IPv6 */
	}
	if (why) {
		snprintf(text, sizeof(text), "listen on %s:%u: %s", host, port, why);
		*err_text = text;
		kp_listener_free(s);
		return NULL;
	}
	return s;
}

void kp_listener_set_make_place(kp_listener *s, kp_make_place *make_place)
{
	s->make_place = make_place;
}

/* Bound but not listening: connections are refused, and nobody else is given the port. */
void kp_listener_shut(kp_listener *s)
{
	assert(kp_loop_is_mine(s->loop) && !s->is_closed);
	for (size_t i = 0; i < s->n_sockets; i++) {
		listen_socket *ls = &s->sockets[i];
		if (!ls->watch)
			continue;
		kp_watch_close(ls->watch);
		ls->watch = NULL;
		close(ls->fd);
		ls->fd = bind_socket(&ls->address, ls->is_v6_only, false);
	}
}

int kp_listener_open(kp_listener *s)
{
	assert(kp_loop_is_mine(s->loop) && !s->is_closed);
	for (size_t i = 0; i < s->n_sockets; i++) {
		listen_socket *ls = &s->sockets[i];
		if (ls->watch)
			continue;
		if (ls->fd < 0)
			ls->fd = bind_socket(&ls->address, ls->is_v6_only, false);
		if (ls->fd < 0 || listen(ls->fd, SOMAXCONN) != 0) {
			int number = errno;
			kp_listener_shut(s);
			return number;
		}
		ls->watch = kp_watch_new(s->loop, ls->fd, KP_IO_READ, on_ready, ls);
		if (!ls->watch) {
			close(ls->fd);
			ls->fd = -1;
			kp_listener_shut(s);
			return ENOMEM;
		}
	}
	return 0;
}

kp_listener *kp_listener_new_local(kp_loop *l, const char *path, kp_accept *accept, void *opaque, const char **err_text)
{
	static KP_THREAD_LOCAL char text[400];
	assert(kp_loop_is_mine(l));
	const char *why = "out of memory";
	kp_listener *s = listener_new(l, accept, opaque);
	int fd = -1;
	if (s) {
		fd = kp_local_listen(path, &s->local, &why);
		listen_socket *ls = &s->sockets[0];
		*ls = (listen_socket){.owner = s, .fd = fd};
		ls->watch = fd >= 0 ? kp_watch_new(l, fd, KP_IO_READ, on_ready, ls) : NULL;
		s->n_sockets = fd >= 0;
		if (ls->watch)
			return s;
	}
	snprintf(text, sizeof(text), "listen on %.200s: %s", path, fd >= 0 ? "out of memory" : why);
	*err_text = text;
	kp_listener_free(s);
	return NULL;
}

uint16_t kp_listener_port(const kp_listener *s)
{
	return s->port;
}

void kp_listener_free(kp_listener *s)
{
	if (!s)
		return;
	assert(kp_loop_is_mine(s->loop) && !s->is_closed);
	close_sockets(s);
	kp_local_free(s->local);
	kp_task_free(s->task);
	s->is_closed = true;
	kp_loop_bury(s->loop, &s->grave, s); /* on_ready may be on the stack */
}
