/*
 * watch.c - the poll (epoll), and the descriptors in it. A watch's memory lasts until the turn's end: events that came with the one being
 * told may still point to it.
 */
#include "net/loop_impl.h"

#include <assert.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

#define EVENTS_MOST 256 /* of one poll; who has to wait is first in the next */

struct kp_watch {
	kp_grave grave;
	kp_loop *loop;
	int fd;
	dev_t device; /* with the inode: which socket it is */
	ino_t inode;
	_Atomic(kp_watch *) next; /* in the loop's list; see kp_watches_abandon */
	_Atomic(kp_watch *) *at;  /* what points here */
	kp_watch_ready *ready;
	void *opaque;
	unsigned wants;
	bool is_closed;
};

/*
 * A forked child may find the list between any two stores: whoever follows `next` finds each watch that is in it, because a watch is
 * linked by one store and unlinked by one store, and its memory stays until later. release: the compiler keeps the stores in order.
 */
static void link_in(kp_loop *l, kp_watch *w)
{
	kp_watch *first = atomic_load_explicit(&l->watches, memory_order_relaxed);
	atomic_init(&w->next, first);
	w->at = &l->watches;
	if (first)
		first->at = &w->next;
	atomic_store_explicit(&l->watches, w, memory_order_release);
}

static void unlink_it(kp_watch *w)
{
	kp_watch *next = atomic_load_explicit(&w->next, memory_order_relaxed);
	if (next)
		next->at = w->at;
	atomic_store_explicit(w->at, next, memory_order_release);
}

/* fork() copies the descriptors before the memory: a socket opened in between is not here, and its number may be another's by now. */
static bool is_still_it(const kp_watch *w)
{
	struct stat s;
	return fstat(w->fd, &s) == 0 && s.st_dev == w->device && s.st_ino == w->inode;
}

void kp_watches_abandon(kp_loop *l)
{
	for (const kp_watch *w = atomic_load(&l->watches); w; w = atomic_load(&w->next))
		if (is_still_it(w))
			close(w->fd);
}

/* Errors come in any case; where nothing is wanted only once each. */
static struct epoll_event wish_of(kp_watch *w)
{
	uint32_t events = w->wants == 0 || w->wants & KP_IO_EDGE ? EPOLLET : 0;
	if (w->wants & KP_IO_READ)
		events |= EPOLLIN;
	if (w->wants & KP_IO_WRITE)
		events |= EPOLLOUT;
	if (w->wants & KP_IO_HANGUP)
		events |= EPOLLRDHUP;
	return (struct epoll_event){.events = events, .data.ptr = w};
}

kp_watch *kp_watch_new(kp_loop *l, int fd, unsigned wants, kp_watch_ready *ready, void *opaque)
{
	struct stat s;
	kp_watch *w = fstat(fd, &s) == 0 ? kp_mem_calloc(1, sizeof(*w)) : NULL;
	if (!w)
		return NULL;
	w->loop = l;
	w->ready = ready;
	w->opaque = opaque;
	w->fd = fd;
	w->device = s.st_dev;
	w->inode = s.st_ino;
	w->wants = wants;
	struct epoll_event e = wish_of(w);
	if (epoll_ctl(l->poll_fd, EPOLL_CTL_ADD, fd, &e) != 0) {
		kp_mem_free(w);
		return NULL;
	}
	link_in(l, w);
	return w;
}

void kp_watch_set(kp_watch *w, unsigned wants)
{
	if (w->wants == wants)
		return;
	w->wants = wants;
	struct epoll_event e = wish_of(w);
	int rc = epoll_ctl(w->loop->poll_fd, EPOLL_CTL_MOD, w->fd, &e);
	assert(rc == 0); /* it needs no memory */
	(void)rc;
}

void kp_watch_close(kp_watch *w)
{
	if (!w)
		return;
	unlink_it(w);
	w->is_closed = true;
	/* closing the descriptor would do, were it not a forked child's too */
	int rc = epoll_ctl(w->loop->poll_fd, EPOLL_CTL_DEL, w->fd, NULL);
	assert(rc == 0);
	(void)rc;
	kp_loop_bury(w->loop, &w->grave, w);
}

static unsigned seen_of(const kp_watch *w, uint32_t events)
{
	unsigned seen = 0;
	if (events & EPOLLIN)
		seen |= KP_IO_READ;
	if (events & EPOLLOUT)
		seen |= KP_IO_WRITE;
	if (events & EPOLLRDHUP)
		seen |= KP_IO_HANGUP;
	if (events & EPOLLHUP)
		seen |= KP_IO_READ | KP_IO_WRITE; /* the next call says what the matter is */
	seen &= w->wants;                         /* also what an earlier callback of this turn has changed */
	return events & EPOLLERR ? seen | KP_IO_BROKEN : seen;
}

static void tell(kp_watch *w, uint32_t events)
{
	if (w->is_closed || w->wants == 0)
		return;
	unsigned seen = seen_of(w, events);
	if (seen & KP_IO_BROKEN && !(w->wants & KP_IO_EDGE))
		kp_watch_set(w, 0);
	if (seen)
		w->ready(w->opaque, seen);
}

void kp_watches_poll(kp_loop *l, bool may_wait)
{
	struct epoll_event events[EVENTS_MOST];
	int n = epoll_wait(l->poll_fd, events, EVENTS_MOST, may_wait ? -1 : 0); /* < 0: a signal */
	for (int i = 0; i < n; i++)
		tell(events[i].data.ptr, events[i].events);
}
