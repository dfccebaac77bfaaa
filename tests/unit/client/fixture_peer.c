/*
 * fixture_peer.c - servers that are not Kafka, each on a thread with plain sockets.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fixture.h"

#define CONNECTIONS_MOST 64

struct peer {
	peer_kind kind;
	int listen_fd, stop_fds[2];
	pthread_t thread;
	char servers[64];
	_Atomic int n_accepted;
	struct pollfd fds[2 + CONNECTIONS_MOST]; /* stop, listen, connections */
	int n_fds;
};

typedef struct said {
	const void *ptr;
	size_t len;
} said;

static said answer_of(peer_kind kind)
{
	static const char http[] = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
	static const unsigned char alert[] = {0x15, 3, 3, 0, 2, 2, 40}; /* fatal, handshake_failure */
	static const unsigned char garbage[] = {0, 0, 0, 12, 0xde, 0xad, 0xbe, 0xef, 1, 2, 3, 4, 5, 6, 7, 8};
	static const unsigned char huge[] = {0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0};
	static const unsigned char half[] = {0, 0, 1, 0, 0, 0, 0, 0, 0};
	switch (kind) {
	case PEER_HTTP: return (said){http, sizeof(http) - 1};
	case PEER_TLS_ALERT: return (said){alert, sizeof(alert)};
	case PEER_GARBAGE: return (said){garbage, sizeof(garbage)};
	case PEER_HUGE_LENGTH: return (said){huge, sizeof(huge)};
	case PEER_CLOSES_HALFWAY: return (said){half, sizeof(half)};
	default: return (said){NULL, 0};
	}
}

static void accept_one(peer *p)
{
	int fd = accept4(p->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0)
		return;
	p->n_accepted++;
	if (p->kind == PEER_CLOSES || p->n_fds == 2 + CONNECTIONS_MOST) {
		close(fd);
		return;
	}
	p->fds[p->n_fds++] = (struct pollfd){.fd = fd, .events = POLLIN};
}

static void drop(peer *p, int i)
{
	close(p->fds[i].fd);
	p->fds[i] = p->fds[--p->n_fds];
}

/* False: the connection is gone. */
static bool serve(peer *p, int i)
{
	char bytes[4096];
	ssize_t n = recv(p->fds[i].fd, bytes, sizeof(bytes), 0);
	said s = answer_of(p->kind);
	if (n > 0 && s.len > 0)
		n = send(p->fds[i].fd, s.ptr, s.len, MSG_NOSIGNAL);
	if (n > 0 && p->kind != PEER_CLOSES_HALFWAY)
		return true;
	drop(p, i);
	return false;
}

static void *thread_main(void *opaque)
{
	peer *p = opaque;
	for (;;) {
		poll(p->fds, (nfds_t)p->n_fds, -1);
		if (p->fds[0].revents)
			return NULL;
		for (int i = 2; i < p->n_fds;)
			i += p->fds[i].revents == 0 || serve(p, i);
		if (p->fds[1].revents)
			accept_one(p);
	}
}

peer *peer_start(peer_kind kind)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	peer *p = calloc(1, sizeof(*p));
	assert_non_null(p);
	p->kind = kind;
	p->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(p->listen_fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(p->listen_fd, 16), 0);
	assert_int_equal(getsockname(p->listen_fd, (struct sockaddr *)&a, &len), 0);
	assert_int_equal(pipe(p->stop_fds), 0);
	snprintf(p->servers, sizeof(p->servers), "127.0.0.1:%d", ntohs(a.sin_port));
	p->fds[0] = (struct pollfd){.fd = p->stop_fds[0], .events = POLLIN};
	p->fds[1] = (struct pollfd){.fd = p->listen_fd, .events = POLLIN};
	p->n_fds = 2;
	assert_int_equal(pthread_create(&p->thread, NULL, thread_main, p), 0);
	return p;
}

void peer_stop(peer *p)
{
	close(p->stop_fds[1]);
	pthread_join(p->thread, NULL);
	while (p->n_fds > 2)
		drop(p, 2);
	close(p->stop_fds[0]);
	close(p->listen_fd);
	free(p);
}

const char *peer_servers(const peer *p)
{
	return p->servers;
}

int peer_accepted(peer *p)
{
	return p->n_accepted;
}
