/*
 * watch.c - a descriptor of ours under a uv_poll_t, whose memory outlives it until libuv's close callback.
 */
#include "net/loop_impl.h"

#include <assert.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

struct kp_watch {
	uv_poll_t poll;
	kp_loop *loop;
	int fd;
	dev_t device; /* with the inode: which socket it is */
	ino_t inode;
	_Atomic(kp_watch *) next; /* in the loop's list; see kp_watches_abandon */
	_Atomic(kp_watch *) *at;  /* what points here */
	kp_watch_ready *ready;
	void *opaque;
	unsigned wants;
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

kp_watch *kp_watch_new(kp_loop *l, int fd, kp_watch_ready *ready, void *opaque)
{
	struct stat s;
	kp_watch *w = fstat(fd, &s) == 0 ? kp_mem_calloc(1, sizeof(*w)) : NULL;
	if (!w)
		return NULL;
	if (uv_poll_init(&l->uv, &w->poll, fd) != 0) {
		kp_mem_free(w);
		return NULL;
	}
	w->poll.data = w;
	w->loop = l;
	w->ready = ready;
	w->opaque = opaque;
	w->fd = fd;
	w->device = s.st_dev;
	w->inode = s.st_ino;
	link_in(l, w);
	return w;
}

static void on_poll(uv_poll_t *h, int status, int events)
{
	kp_watch *w = h->data;
	unsigned seen = 0;
	if (status < 0) {
		w->wants = 0; /* libuv stopped the handle */
		seen = KP_IO_BROKEN;
	}
	if (events & UV_READABLE)
		seen |= KP_IO_READ;
	if (events & UV_WRITABLE)
		seen |= KP_IO_WRITE;
	if (events & UV_DISCONNECT)
		seen |= KP_IO_HANGUP;
	w->ready(w->opaque, seen);
}

void kp_watch_set(kp_watch *w, unsigned wants)
{
	if (w->wants == wants)
		return; /* libuv would take the descriptor out of the poll and put it back: two system calls */
	w->wants = wants;
	int events = 0;
	if (wants & KP_IO_READ)
		events |= UV_READABLE;
	if (wants & KP_IO_WRITE)
		events |= UV_WRITABLE;
	if (wants & KP_IO_HANGUP)
		events |= UV_DISCONNECT;
	int rc = events ? uv_poll_start(&w->poll, events, on_poll) : uv_poll_stop(&w->poll);
	assert(rc == 0); /* it can only fail for a descriptor that another handle watches */
	(void)rc;
}

static void on_closed(uv_handle_t *h)
{
	kp_watch *w = h->data;
	w->loop->n_closing--;
	kp_mem_free(w);
}

void kp_watch_close(kp_watch *w)
{
	if (!w)
		return;
	unlink_it(w);
	w->loop->n_closing++;
	uv_close((uv_handle_t *)&w->poll, on_closed);
}
