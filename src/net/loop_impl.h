/*
 * loop_impl.h - the inside of a loop, for the files of net only: watched descriptors, late frees, the shared read buffer.
 *
 * One turn of the loop:
 *
 *   poll ──▶ I/O callbacks ──▶ step tasks, set the timer ──▶ free the graves ──▶ poll ...
 *
 * Everything that must not run inside a caller's call (results that are known at once, errors of a write) is put into a task's
 * step, and everything that may still stand on the stack is freed between the steps and the poll, where no callback is running.
 */
#ifndef KP_NET_LOOP_IMPL_H
#define KP_NET_LOOP_IMPL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/list.h"
#include "net/loop.h"

/* What a descriptor is watched for, and what was seen on it. */
enum {
	KP_IO_READ = 1,
	KP_IO_WRITE = 2,
	KP_IO_HANGUP = 4, /* the peer closed its half */
	/* seen only: EPOLLERR, the error is the next recv's or send's. The watch has stopped, unless it is for edges */
	KP_IO_BROKEN = 8,
	/* watched for only: tell changes, not states. What was told must be read or written until there is no more */
	KP_IO_EDGE = 16
};

typedef struct kp_watch kp_watch;
typedef void kp_watch_ready(void *opaque, unsigned seen);

/*
 * A descriptor in a loop's poll. `wants`: KP_IO_READ, KP_IO_WRITE, KP_IO_HANGUP, KP_IO_EDGE; 0: nothing yet. What is there already is told
 * by the next poll, also with KP_IO_EDGE. NULL when memory is out.
 */
KP_MUST_USE kp_watch *kp_watch_new(kp_loop *l, int fd, unsigned wants, kp_watch_ready *ready, void *opaque);
/* Watch for something else; 0 stops. A system call, unless the wants stay the same. */
void kp_watch_set(kp_watch *w, unsigned wants);
/* Before the descriptor is closed; the memory goes later, by itself. NULL is fine. */
void kp_watch_close(kp_watch *w);

/* Wait for events, if that is wanted, and tell them. */
void kp_watches_poll(kp_loop *l, bool may_wait);

/* In a forked child: close every watched descriptor, and nothing else. */
void kp_watches_abandon(kp_loop *l);

/* First member of what is freed late; `memory` is the allocation. */
typedef struct kp_grave {
	struct kp_grave *next;
	void *memory;
} kp_grave;

/* Free `memory` (where `g` lies) once nothing of the loop's thread can stand on its stack with it. */
void kp_loop_bury(kp_loop *l, kp_grave *g, void *memory);

#define KP_LOOP_READ_BUFFER_BYTES (128 * 1024)

struct kp_task {
	kp_grave grave;
	kp_loop *loop;
	/* loop */
	kp_task_step *step;
	void *opaque;
	kp_list link; /* in the loop's `armed`, or in the list of a turn's steps, or in none */
	int64_t deadline_us;
	bool is_dead;
	/* shared */
	atomic_bool is_woken; /* stands in (or is about to enter) the loop's `woken` */
	kp_task *next_woken;  /* the waker's until the task is in `woken`, then the loop's */
};

struct kp_loop {
	/* loop: the thread inside kp_loop_run, or the only user while nobody runs it */
	int poll_fd; /* epoll */
	kp_watch *bell_watch;
	kp_watch *timer_watch;
	_Atomic(kp_watch *) watches; /* all there are: read by a forked child */
	int timer_fd;                /* timerfd: epoll_wait knows milliseconds only */
	int64_t timer_armed_us;      /* when timer_fd fires; KP_TIME_NEVER: not set */
	kp_list armed;               /* tasks with a deadline, in no order: they are few */
	kp_grave *graves;
	size_t n_tasks;
	bool is_running;
	char *dns_servers;    /* kp_resolver_set_servers; NULL: the system's */
	uint8_t *read_buffer; /* KP_LOOP_READ_BUFFER_BYTES, of use only within one callback */

	char shared_line[KP_CACHE_LINE]; /* what other threads write to stands in a cache line of its own */
	/* shared */
	_Atomic(kp_task *) woken; /* stack of woken tasks: any thread pushes, the loop takes all */
	atomic_bool is_stopped;
	int bell_fd; /* eventfd; never changes */
};

/* True on the thread that is inside kp_loop_run(l). Any thread. */
bool kp_loop_runs_here(const kp_loop *l);
/* For assertions: the caller runs the loop, or nobody does: what every call but wake and stop requires. */
bool kp_loop_is_mine(const kp_loop *l);

/* task.c, for loop.c: step what was woken or is due; returns when the earliest deadline is (0: there is more to do now). */
KP_MUST_USE int64_t kp_tasks_run(kp_loop *l);
/* Let go of the tasks that died while they were woken; only when no thread can wake any more. */
void kp_tasks_drop(kp_loop *l);

#endif
