/*
 * loop.c - the event loop: epoll, with a timerfd for deadlines in microseconds and an eventfd as the bell.
 *
 * Both are watched for edges: each ring and each expiry is an event of its own, so that neither is ever read.
 */
#include "net/loop_impl.h"

#include <assert.h>
#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/time.h"

static KP_THREAD_LOCAL const kp_loop *running_here;

bool kp_loop_runs_here(const kp_loop *l)
{
	return running_here == l;
}

bool kp_loop_is_mine(const kp_loop *l)
{
	return running_here == l || !l->is_running;
}

void kp_loop_bury(kp_loop *l, kp_grave *g, void *memory)
{
	g->memory = memory;
	g->next = l->graves;
	l->graves = g;
}

static void free_graves(kp_loop *l)
{
	while (l->graves) {
		kp_grave *g = l->graves;
		l->graves = g->next;
		kp_mem_free(g->memory);
	}
}

void kp_loop_ring(kp_loop *l)
{
	uint64_t one = 1;
	/* Nothing can happen to an eventfd but a signal: nobody rings 2^64 times. */
	while (write(l->bell_fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

static void on_bell(void *opaque, unsigned seen)
{
	(void)opaque;
	(void)seen; /* that it ended the poll is its whole work */
}

static void on_timer(void *opaque, unsigned seen)
{
	kp_loop *l = opaque;
	(void)seen;
	l->timer_armed_us = KP_TIME_NEVER;
}

/*
 * See to it that the poll ends at the deadline. A timer that fires too early is left alone: deadlines mostly move back (each
 * batch's linger is later than the last one's), and one needless turn costs less than a system call for every move.
 */
static void arm(kp_loop *l, int64_t deadline_us)
{
	if (deadline_us >= l->timer_armed_us)
		return;
	struct itimerspec at = {
		.it_value = {.tv_sec = deadline_us / 1000000, .tv_nsec = deadline_us % 1000000 * 1000},
	};
	int rc = timerfd_settime(l->timer_fd, TFD_TIMER_ABSTIME, &at, NULL);
	assert(rc == 0);
	(void)rc;
	l->timer_armed_us = deadline_us;
}

static void turn(kp_loop *l)
{
	int64_t deadline_us = kp_tasks_run(l);
	if (deadline_us > 0)
		arm(l, deadline_us);
	free_graves(l);
	kp_watches_poll(l, deadline_us > 0);
}

static bool init_descriptors(kp_loop *l)
{
	l->poll_fd = epoll_create1(EPOLL_CLOEXEC);
	l->bell_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	l->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (l->poll_fd < 0 || l->bell_fd < 0 || l->timer_fd < 0)
		return false;
	l->bell_watch = kp_watch_new(l, l->bell_fd, KP_IO_READ | KP_IO_EDGE, on_bell, l);
	l->timer_watch = kp_watch_new(l, l->timer_fd, KP_IO_READ | KP_IO_EDGE, on_timer, l);
	return l->bell_watch && l->timer_watch;
}

kp_loop *kp_loop_new(void)
{
	kp_loop *l = kp_mem_calloc(1, sizeof(*l));
	if (!l)
		return NULL;
	l->poll_fd = l->bell_fd = l->timer_fd = -1;
	l->timer_armed_us = KP_TIME_NEVER;
	kp_list_init(&l->armed);
	atomic_init(&l->watches, NULL);
	atomic_init(&l->woken, NULL);
	atomic_init(&l->is_stopped, false);
	l->read_buffer = kp_mem_alloc(KP_LOOP_READ_BUFFER_BYTES);
	if (!l->read_buffer || !init_descriptors(l)) {
		kp_loop_free(l);
		return NULL;
	}
	return l;
}

static void close_own(int fd)
{
	if (fd >= 0)
		close(fd);
}

void kp_loop_free(kp_loop *l)
{
	if (!l)
		return;
	assert(!l->is_running);
	kp_tasks_drop(l);
	kp_watch_close(l->bell_watch);
	kp_watch_close(l->timer_watch);
	assert(!atomic_load(&l->watches)); /* otherwise a connection or listener was left open */
	free_graves(l);
	close_own(l->bell_fd);
	close_own(l->timer_fd);
	close_own(l->poll_fd);
	kp_mem_free(l->dns_servers);
	kp_mem_free(l->read_buffer);
	kp_mem_free(l);
}

void kp_loop_abandon(kp_loop *l)
{
	kp_watches_abandon(l);
	close(l->poll_fd);
}

void kp_loop_run(kp_loop *l)
{
	assert(!l->is_running);
	const kp_loop *outer = running_here; /* a loop may be run from inside another one's callback */
	running_here = l;
	l->is_running = true;
	/* relaxed: stopping hands over nothing; the bell makes the loop look */
	while (!atomic_load_explicit(&l->is_stopped, memory_order_relaxed))
		turn(l);
	free_graves(l);
	l->is_running = false;
	running_here = outer;
	/* relaxed: as above. From here on the loop may be run again. */
	atomic_store_explicit(&l->is_stopped, false, memory_order_relaxed);
}

void kp_loop_stop(kp_loop *l)
{
	/* relaxed: as in kp_loop_run; the ring below is a system call after it */
	atomic_store_explicit(&l->is_stopped, true, memory_order_relaxed);
	kp_loop_ring(l);
}

int64_t kp_loop_now_us(kp_loop *l)
{
	(void)l;
	return kp_time_mono_us();
}
