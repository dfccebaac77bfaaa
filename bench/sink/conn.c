/*
 * conn.c - the connections: frames out of a buffer that fits the frame under way, answers, and answers held back (--delay-us).
 *
 * A read asks for what is missing of the current frame and no more, so that a frame of 1 MB is read in few calls and parsed where
 * it was put.
 */
#define _GNU_SOURCE
#include "sink.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define FRAME_MAX (256u << 20)
#define READS_A_TURN 64

typedef struct conn {
	int fd;
	bool is_dead, wants_out;
	uint8_t *in;
	size_t start, end, cap;
	wr out;
	size_t out_sent;
} conn;

/* An answer that is held back. They fall due in the order in which they came. */
typedef struct held {
	struct held *next;
	int64_t due_ns;
	conn *c; /* NULL: it ended meanwhile */
	size_t n;
	uint8_t bytes[];
} held;

static held *first_held, **held_end = &first_held;
static int epoll_fd, timer_fd, n_conns;

void conn_init(int fd)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = NULL};
	epoll_fd = fd;
	timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	epoll_ctl(epoll_fd, EPOLL_CTL_ADD, timer_fd, &ev);
}

static void watch_out(conn *c, bool on)
{
	struct epoll_event ev = {.events = EPOLLIN | (on ? EPOLLOUT : 0), .data.ptr = c};
	if (c->wants_out != on)
		epoll_ctl(epoll_fd, EPOLL_CTL_MOD, c->fd, &ev);
	c->wants_out = on;
}

static void flush(conn *c)
{
	while (c->out_sent < c->out.n) {
		ssize_t n = write(c->fd, c->out.b + c->out_sent, c->out.n - c->out_sent);
		if (n < 0) {
			if (errno == EAGAIN)
				watch_out(c, true);
			else
				c->is_dead = true;
			return;
		}
		c->out_sent += (size_t)n;
	}
	c->out.n = c->out_sent = 0;
	watch_out(c, false);
}

/* ------------------------------------------------------ held-back answers */

static void arm_timer(void)
{
	struct itimerspec it = {{0, 0}, {0, 0}};
	if (first_held) {
		it.it_value.tv_sec = first_held->due_ns / 1000000000;
		it.it_value.tv_nsec = first_held->due_ns % 1000000000;
	}
	timerfd_settime(timer_fd, TFD_TIMER_ABSTIME, &it, NULL);
}

static void hold(conn *c, const wr *w)
{
	held *h = must(malloc(sizeof(*h) + w->n));
	h->next = NULL;
	h->due_ns = now_ns() + opt.delay_ns;
	h->c = c;
	h->n = w->n;
	memcpy(h->bytes, w->b, w->n);
	bool is_first = !first_held;
	*held_end = h;
	held_end = &h->next;
	if (is_first)
		arm_timer();
}

static void let_go(void)
{
	uint64_t n_expired;
	ssize_t got = read(timer_fd, &n_expired, sizeof(n_expired));
	(void)got; /* it may be a spurious wake-up */
	for (int64_t now = now_ns(); first_held && first_held->due_ns <= now;) {
		held *h = first_held;
		first_held = h->next;
		if (!first_held)
			held_end = &first_held;
		if (h->c) {
			wraw(&h->c->out, h->bytes, h->n);
			flush(h->c);
		}
		free(h);
	}
	arm_timer();
}

/* ---------------------------------------------------------------- frames */

static void one_frame(conn *c, const uint8_t *p, size_t n, int64_t arrived_ns)
{
	static wr w;
	verdict said = answer(&w, p, n, arrived_ns);
	if (said == HANG_UP)
		c->is_dead = true;
	else if (said == ANSWER && opt.delay_ns && p[0] == 0 && p[1] == API_PRODUCE)
		hold(c, &w);
	else if (said == ANSWER)
		wraw(&c->out, w.b, w.n);
}

/* How many bytes to ask for. Makes room for them. */
static size_t make_room(conn *c)
{
	size_t have = c->end - c->start, want = 65536 - have;
	if (have >= 4)
		want = (size_t)be32(c->in + c->start) + 4 - have;
	if (c->end + want <= c->cap)
		return want;
	memmove(c->in, c->in + c->start, have);
	c->start = 0;
	c->end = have;
	if (have + want > c->cap) {
		c->cap = (have + want) * 2;
		c->in = must(realloc(c->in, c->cap));
	}
	return want;
}

static void take_frames(conn *c, int64_t arrived_ns)
{
	while (c->end - c->start >= 4 && !c->is_dead) {
		size_t l = be32(c->in + c->start);
		if (l > FRAME_MAX)
			c->is_dead = true;
		if (c->end - c->start < l + 4)
			break;
		one_frame(c, c->in + c->start + 4, l, arrived_ns);
		c->start += l + 4;
	}
	if (c->start == c->end)
		c->start = c->end = 0;
}

static void read_some(conn *c)
{
	for (int i = 0; i < READS_A_TURN && !c->is_dead; i++) {
		size_t want = make_room(c);
		ssize_t n = read(c->fd, c->in + c->end, want);
		if (n <= 0) {
			c->is_dead = n == 0 || errno != EAGAIN;
			return;
		}
		c->end += (size_t)n;
		take_frames(c, now_ns());
		if (c->out.n)
			flush(c);
		if ((size_t)n < want)
			return;
	}
}

static void conn_free(conn *c)
{
	close(c->fd);
	for (held *h = first_held; h; h = h->next)
		if (h->c == c)
			h->c = NULL;
	free(c->in);
	free(c->out.b);
	free(c);
	if (--n_conns == 0 && st.requests)
		stats_print();
}

void conn_accept(int listener_fd)
{
	int one = 1, fd = accept4(listener_fd, NULL, NULL, SOCK_NONBLOCK);
	if (fd < 0)
		return;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	conn *c = must(calloc(1, sizeof(*c)));
	c->fd = fd;
	c->cap = 128 << 10;
	c->in = must(malloc(c->cap));
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = c};
	epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &ev);
	n_conns++;
}

void conn_event(void *p, uint32_t events)
{
	conn *c = p;
	if (!c) {
		let_go();
		return;
	}
	if (events & EPOLLOUT)
		flush(c);
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		read_some(c);
	if (c->is_dead)
		conn_free(c);
}
