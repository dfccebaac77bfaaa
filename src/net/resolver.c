/*
 * resolver.c - a look-up: a c-ares channel, watches for its sockets, and a task for its time-outs and its end.
 *
 * c-ares calls back from inside its own functions, where its channel must not be destroyed; so its callback only notes the result
 * and wakes the task, whose step hands it over.
 */
#define CARES_NO_DEPRECATED /* ares_process_fd is what there is in every c-ares since 1.4 */
#include "net/resolver.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include <ares.h>

#include "base/mem.h"
#include "base/os_error.h"
#include "base/time.h"
#include "kproducer/error.h"
#include "net/loop_impl.h"

/* A server is asked again after 1, 2, 4 s (c-ares doubles): three tries end within the default set-up time-out of 10 s. */
#define TRY_TIMEOUT_MS 1000
#define N_TRIES 3

typedef struct dns_socket {
	kp_grave grave;
	struct dns_socket *next;
	kp_resolve *owner;
	kp_watch *watch;
	int fd;
} dns_socket;

struct kp_resolve {
	kp_grave grave;
	kp_loop *loop;
	kp_task *task;
	kp_resolve_done *done;
	void *opaque;
	ares_channel channel;
	dns_socket *sockets;
	uint16_t port;
	bool has_answer;
	int status;   /* ARES_*, once has_answer */
	int os_error; /* no descriptor was left: EMFILE or ENFILE; c-ares says only that it did not work */
	size_t n_addresses;
	kp_address addresses[KP_RESOLVE_ADDRESSES_MAX];
};

static pthread_once_t library_once = PTHREAD_ONCE_INIT;
static int library_status;

static void init_library(void)
{
	/* Not with our allocator: it would be c-ares' for the whole process, also for channels that the application made before. */
	library_status = ares_library_init(ARES_LIB_INIT_ALL);
}

static void note_exhaustion(kp_resolve *r)
{
	if (kp_os_is_out_of_descriptors(errno))
		r->os_error = errno;
}

/* The socket calls are ours because c-ares' own would raise SIGPIPE when a DNS server closes a TCP connection. */
static ares_socket_t socket_open(int domain, int type, int protocol, void *opaque)
{
	int fd = socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
	if (fd < 0)
		note_exhaustion(opaque);
	return fd;
}

static int socket_close(ares_socket_t fd, void *opaque)
{
	(void)opaque;
	return close(fd);
}

static int socket_connect(ares_socket_t fd, const struct sockaddr *sa, ares_socklen_t len, void *opaque)
{
	(void)opaque;
	return connect(fd, sa, len);
}

static ares_ssize_t socket_recvfrom(ares_socket_t fd, void *ptr, size_t len, int flags, struct sockaddr *sa, ares_socklen_t *sa_len,
                                    void *opaque)
{
	(void)opaque;
	return recvfrom(fd, ptr, len, flags, sa, sa_len);
}

static ares_ssize_t socket_send(ares_socket_t fd, const struct iovec *iov, int n_iov, void *opaque)
{
	(void)opaque;
	struct msghdr m = {.msg_iov = (struct iovec *)iov, .msg_iovlen = (size_t)n_iov};
	return sendmsg(fd, &m, MSG_NOSIGNAL);
}

static const struct ares_socket_functions socket_functions = {
	.asocket = socket_open,
	.aclose = socket_close,
	.aconnect = socket_connect,
	.arecvfrom = socket_recvfrom,
	.asendv = socket_send,
};

static void on_socket_ready(void *opaque, unsigned seen)
{
	dns_socket *s = opaque;
	kp_resolve *r = s->owner;
	int fd = s->fd;
	if (seen & KP_IO_BROKEN)
		seen |= KP_IO_READ; /* recv has the error */
	ares_process_fd(r->channel, seen & KP_IO_READ ? fd : ARES_SOCKET_BAD, seen & KP_IO_WRITE ? fd : ARES_SOCKET_BAD);
	kp_task_wake(r->task); /* its deadline may be another one now */
}

static void remove_socket(kp_resolve *r, dns_socket **at)
{
	dns_socket *s = *at;
	*at = s->next;
	kp_watch_close(s->watch);
	kp_loop_bury(r->loop, &s->grave, s); /* on_socket_ready may be on the stack with it */
}

/* c-ares has opened a socket, wants something else of it, or is about to close it (neither to read nor to write). */
static void on_socket_state(void *opaque, ares_socket_t fd, int is_readable, int is_writable)
{
	kp_resolve *r = opaque;
	dns_socket **at = &r->sockets;
	while (*at && (*at)->fd != fd)
		at = &(*at)->next;
	if (!is_readable && !is_writable) {
		if (*at)
			remove_socket(r, at);
		return;
	}
	unsigned wants = (is_readable ? KP_IO_READ : 0u) | (is_writable ? KP_IO_WRITE : 0u);
	if (!*at) {
		dns_socket *s = kp_mem_calloc(1, sizeof(*s));
		if (!s)
			return; /* its answer is never seen: the try times out */
		s->watch = kp_watch_new(r->loop, fd, wants, on_socket_ready, s);
		if (!s->watch) {
			kp_mem_free(s);
			return;
		}
		s->owner = r;
		s->fd = fd;
		*at = s;
	}
	kp_watch_set((*at)->watch, wants);
}

/* /etc/hosts may say the same twice; a second attempt at an address would only take time from the others. */
static void add_address(kp_resolve *r, const struct ares_addrinfo_node *n)
{
	kp_address a;
	if (r->n_addresses == KP_RESOLVE_ADDRESSES_MAX || !kp_address_from(n->ai_addr, n->ai_addrlen, &a))
		return;
	kp_address_set_port(&a, r->port);
	for (size_t i = 0; i < r->n_addresses; i++) {
		if (kp_address_equal(&r->addresses[i], &a))
			return;
	}
	r->addresses[r->n_addresses++] = a;
}

static void on_answer(void *opaque, int status, int n_timeouts, struct ares_addrinfo *result)
{
	kp_resolve *r = opaque;
	(void)n_timeouts;
	r->has_answer = true;
	r->status = status;
	for (struct ares_addrinfo_node *n = result ? result->nodes : NULL; n; n = n->ai_next)
		add_address(r, n);
	if (result)
		ares_freeaddrinfo(result);
	kp_task_wake(r->task);
}

/* Also on_answer's, with ARES_EDESTRUCTION, when there was no answer yet. */
static void release(kp_resolve *r)
{
	if (r->channel)
		ares_destroy(r->channel);
	while (r->sockets)
		remove_socket(r, &r->sockets);
	kp_task_free(r->task);
	kp_loop_bury(r->loop, &r->grave, r);
}

static void deliver(kp_resolve *r)
{
	int status = r->status, os_error = r->os_error;
	release(r); /* before `done`, which may close what it was for; the memory lasts until the end of the turn */
	if (status == ARES_SUCCESS && r->n_addresses > 0)
		r->done(r->opaque, 0, "", r->addresses, r->n_addresses);
	else if (status == ARES_ENOMEM)
		r->done(r->opaque, KP_ERR_NO_MEMORY, ares_strerror(status), NULL, 0);
	else if (os_error)
		r->done(r->opaque, KP_ERR_RESOLVE, kp_os_error_text(os_error), NULL, 0);
	else if (status == ARES_SUCCESS)
		r->done(r->opaque, KP_ERR_RESOLVE, "the name has no address", NULL, 0);
	else
		r->done(r->opaque, KP_ERR_RESOLVE, ares_strerror(status), NULL, 0);
}

static int64_t step(void *opaque, int64_t now_us)
{
	kp_resolve *r = opaque;
	if (!r->has_answer)
		ares_process_fd(r->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD); /* what has timed out */
	if (r->has_answer) {
		deliver(r);
		return KP_TIME_NEVER;
	}
	struct timeval tv;
	if (!ares_timeout(r->channel, NULL, &tv))
		return KP_TIME_NEVER;
	return now_us + (int64_t)tv.tv_sec * 1000000 + tv.tv_usec + 1000; /* c-ares cuts down to whole ms: do not come too early */
}

static int open_channel(kp_resolve *r)
{
	pthread_once(&library_once, init_library);
	if (library_status != ARES_SUCCESS)
		return library_status;
	struct ares_options o = {
		.timeout = TRY_TIMEOUT_MS,
		.tries = N_TRIES,
		.lookups = (char *)"fb", /* files before DNS, whatever nsswitch.conf says of modules that we do not have */
		.sock_state_cb = on_socket_state,
		.sock_state_cb_data = r,
	};
	int mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB;
	int status = ares_init_options(&r->channel, &o, mask);
	if (status != ARES_SUCCESS) {
		r->channel = NULL;
		return status;
	}
	ares_set_socket_functions(r->channel, &socket_functions, r);
	return r->loop->dns_servers ? ares_set_servers_ports_csv(r->channel, r->loop->dns_servers) : ARES_SUCCESS;
}

kp_resolve *kp_resolve_start(kp_loop *l, const char *host, uint16_t port, kp_resolve_done *done, void *opaque)
{
	assert(kp_loop_is_mine(l));
	kp_resolve *r = kp_mem_calloc(1, sizeof(*r));
	if (!r)
		return NULL;
	r->task = kp_task_new(l, step, r);
	if (!r->task) {
		kp_mem_free(r);
		return NULL;
	}
	r->loop = l;
	r->port = port;
	r->done = done;
	r->opaque = opaque;
	errno = 0;
	int status = open_channel(r);
	if (status == ARES_SUCCESS) {
		struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
		ares_getaddrinfo(r->channel, host, NULL, &hints, on_answer, r);
	} else {
		on_answer(r, status, 0, NULL);
	}
	note_exhaustion(r); /* also of the files that c-ares reads */
	kp_task_wake(r->task);
	return r;
}

void kp_resolve_cancel(kp_resolve *r)
{
	if (!r)
		return;
	assert(kp_loop_is_mine(r->loop));
	release(r);
}

int kp_resolver_set_servers(kp_loop *l, const char *servers)
{
	assert(kp_loop_is_mine(l));
	char *copy = NULL;
	if (servers) {
		copy = kp_mem_strdup(servers);
		if (!copy)
			return KP_ERR_NO_MEMORY;
	}
	kp_mem_free(l->dns_servers);
	l->dns_servers = copy;
	return 0;
}
