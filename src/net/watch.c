/*
 * watch.c - a descriptor of ours under a uv_poll_t, whose memory outlives it until libuv's close callback.
 */
#include "net/loop_impl.h"

#include <assert.h>

#include "base/mem.h"

struct kp_watch {
	uv_poll_t poll;
	kp_loop *loop;
	kp_watch_ready *ready;
	void *opaque;
	unsigned wants;
};

kp_watch *kp_watch_new(kp_loop *l, int fd, kp_watch_ready *ready, void *opaque)
{
	kp_watch *w = kp_mem_calloc(1, sizeof(*w));
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
	w->loop->n_closing++;
	uv_close((uv_handle_t *)&w->poll, on_closed);
}
