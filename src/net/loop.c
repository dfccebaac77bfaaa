/*
 * loop.c - the event loop: libuv's poll, with a timerfd for deadlines in microseconds and an eventfd as the bell.
 *
 * The eventfd is what uv_async_send would write to; we ring it ourselves because kp_task_wake already knows that nobody else has,
 * and because a system call per ring leaves no flag of libuv's whose memory order would have to be trusted.
 */
#include "net/loop_impl.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
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
	/* EAGAIN: the counter is full, so the bell rings already. Nothing else can happen to an eventfd but a signal. */
	while (write(l->bell_fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

/* Read a counter descriptor (eventfd, timerfd) back to silence. */
static void silence(int fd)
{
	uint64_t count;
	while (read(fd, &count, sizeof(count)) < 0 && errno == EINTR)
		;
}

static void on_bell(void *opaque, unsigned seen)
{
	kp_loop *l = opaque;
	(void)seen;
	silence(l->bell_fd); /* before prepare takes the stack: a ring after this wakes the next poll */
}

static void on_timer(void *opaque, unsigned seen)
{
	kp_loop *l = opaque;
	(void)seen;
	silence(l->timer_fd);
	l->timer_armed_us = KP_TIME_NEVER;
}

static void on_idle(uv_idle_t *h)
{
	(void)h; /* that it is active is its whole work: the poll does not wait */
}

/*
 * See to it that the poll ends at the deadline. A timer that fires too early is left alone: deadlines mostly move back (each
 * batch's linger is later than the last one's), and one needless turn costs less than a system call for every move.
 */
static void arm(kp_loop *l, int64_t deadline_us)
{
	if (deadline_us == 0) {
		uv_idle_start(&l->idle, on_idle);
		return;
	}
	uv_idle_stop(&l->idle);
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

static void on_prepare(uv_prepare_t *h)
{
	kp_loop *l = h->data;
	/* relaxed: stopping hands over nothing; the bell makes the loop look */
	if (atomic_load_explicit(&l->is_stopped, memory_order_relaxed))
		uv_stop(&l->uv);
	else
		arm(l, kp_tasks_run(l));
	free_graves(l);
}

static bool init_descriptors(kp_loop *l)
{
	l->bell_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	l->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (l->bell_fd < 0 || l->timer_fd < 0)
		return false;
	l->bell_watch = kp_watch_new(l, l->bell_fd, on_bell, l);
	l->timer_watch = kp_watch_new(l, l->timer_fd, on_timer, l);
	if (!l->bell_watch || !l->timer_watch)
		return false;
	kp_watch_set(l->bell_watch, KP_IO_READ);
	kp_watch_set(l->timer_watch, KP_IO_READ);
	return true;
}

kp_loop *kp_loop_new(void)
{
	kp_loop *l = kp_mem_calloc(1, sizeof(*l));
	if (!l)
		return NULL;
	l->bell_fd = l->timer_fd = -1;
	l->timer_armed_us = KP_TIME_NEVER;
	kp_list_init(&l->armed);
	atomic_init(&l->watches, NULL);
	atomic_init(&l->woken, NULL);
	atomic_init(&l->is_stopped, false);
	if (uv_loop_init(&l->uv) != 0) {
		kp_mem_free(l);
		return NULL;
	}
	uv_prepare_init(&l->uv, &l->prepare);
	uv_idle_init(&l->uv, &l->idle);
	l->prepare.data = l;
	uv_prepare_start(&l->prepare, on_prepare);
	l->read_buffer = kp_mem_alloc(KP_LOOP_READ_BUFFER_BYTES);
	if (!l->read_buffer || !init_descriptors(l)) {
		kp_loop_free(l);
		return NULL;
	}
	return l;
}

void kp_loop_free(kp_loop *l)
{
	if (!l)
		return;
	assert(!l->is_running);
	kp_tasks_drop(l);
	kp_watch_close(l->bell_watch);
	kp_watch_close(l->timer_watch);
	uv_close((uv_handle_t *)&l->prepare, NULL);
	uv_close((uv_handle_t *)&l->idle, NULL);
	do
		uv_run(&l->uv, UV_RUN_NOWAIT);
	while (l->n_closing > 0);
	int rc = uv_loop_close(&l->uv);
	assert(rc == 0 && l->n_closing == 0); /* otherwise a connection or listener was left open */
	(void)rc;
	free_graves(l);
	if (l->bell_fd >= 0)
		close(l->bell_fd);
	if (l->timer_fd >= 0)
		close(l->timer_fd);
	kp_mem_free(l->dns_servers);
	kp_mem_free(l->read_buffer);
	kp_mem_free(l);
}

void kp_loop_abandon(kp_loop *l)
{
	/* libuv's own; what it has not opened is -1 */
	const int own[] = {l->uv.backend_fd, l->uv.async_io_watcher.fd, l->uv.async_wfd,
	                   l->uv.emfile_fd,  l->uv.signal_pipefd[0],    l->uv.signal_pipefd[1]};
	kp_watches_abandon(l);
	for (size_t i = 0; i < KP_ARRAY_LEN(own); i++)
		if (own[i] >= 0)
			close(own[i]);
}

void kp_loop_run(kp_loop *l)
{
	assert(!l->is_running);
	const kp_loop *outer = running_here; /* a loop may be run from inside another one's callback */
	running_here = l;
	l->is_running = true;
	uv_run(&l->uv, UV_RUN_DEFAULT);
	while (l->n_closing > 0)
		uv_run(&l->uv, UV_RUN_NOWAIT);
	l->is_running = false;
	running_here = outer;
	/* relaxed: as in on_prepare. From here on the loop may be run again. */
	atomic_store_explicit(&l->is_stopped, false, memory_order_relaxed);
}

void kp_loop_stop(kp_loop *l)
{
	/* relaxed: as in on_prepare; the ring below is a system call after it */
	atomic_store_explicit(&l->is_stopped, true, memory_order_relaxed);
	kp_loop_ring(l);
}

int64_t kp_loop_now_us(kp_loop *l)
{
	(void)l;
	return kp_time_mono_us();
}
