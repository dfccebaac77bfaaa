/*
 * loop.h - one event loop (epoll): tasks with a deadline and a wake-up, run on the thread that runs the loop.
 *
 * Threads: kp_task_wake may be called from any thread; everything else only on the loop's thread (or before it runs).
 */
#ifndef KP_NET_LOOP_H
#define KP_NET_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

typedef struct kp_loop kp_loop;
typedef struct kp_task kp_task;

/* NULL when memory or descriptors are out. */
KP_MUST_USE kp_loop *kp_loop_new(void);
void kp_loop_free(kp_loop *l); /* after kp_loop_run returned and every task, connection and listener was closed */
/*
 * In a child that fork() made, for a loop made before: closes its descriptors and those of its connections, and touches nothing else: not
 * the memory, which other threads may have been changing, nor the epoll set, which is still the parent's too. Once.
 */
void kp_loop_abandon(kp_loop *l);
/* Runs until kp_loop_stop. */
void kp_loop_run(kp_loop *l);
void kp_loop_stop(kp_loop *l);      /* any thread, also before kp_loop_run, which then returns at once */
int64_t kp_loop_now_us(kp_loop *l); /* CLOCK_MONOTONIC, read anew */

/*
 * A task is stepped when it was woken, when its deadline came, or both; never re-entered. It returns its next deadline
 * (absolute, microseconds of kp_time_mono_us; KP_TIME_NEVER for none).
 */
typedef int64_t kp_task_step(void *opaque, int64_t now_us);
KP_MUST_USE kp_task *kp_task_new(kp_loop *l, kp_task_step *step, void *opaque);
void kp_task_wake(kp_task *t); /* any thread; cheap when already pending */
/* kp_task_wake without its system call, for who holds a lock that the loop takes. True: kp_loop_ring has to follow, when it is given back. */
KP_MUST_USE bool kp_task_wake_silently(kp_task *t);
void kp_loop_ring(kp_loop *l); /* any thread: make the poll return */
void kp_task_free(kp_task *t); /* loop thread, also from its own step; step is not called again, and nobody may still wake it */

#endif
