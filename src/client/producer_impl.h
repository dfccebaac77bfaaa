/*
 * producer_impl.h - a producer's inside: the engine, the loop that steps it, and what application threads wait for.
 *
 *   application threads            │ mutex, cond          │ runtime's thread
 *   kp_send ─▶ engine's append half│                      │ task step: jobs ─▶ engine step ─▶ transport ─▶ reports
 *   kp_flush, admin: post a job ───┼─▶ jobs ──────────────┼─▶ run it every turn until it is done
 *   wait ◀─────────────────────────┼── is_done, signalled │
 */
#ifndef KP_CLIENT_PRODUCER_IMPL_H
#define KP_CLIENT_PRODUCER_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include <kproducer/kproducer.h>

#include "base/fork.h"
#include "base/list.h"
#include "base/time.h"
#include "client/failure_log.h"
#include "client/report_queue.h"
#include "client/settings.h"
#include "net/conn.h"
#include "net/loop.h"
#include "producer/engine.h"

/* Freed in a child that fork() made: its memory stays, and is reached from here, see fork.c. */
typedef struct kp_left_behind {
	struct kp_left_behind *next;
	bool is_free;
} kp_left_behind;

struct kp_runtime {
	kp_loop *loop;
	kp_task *task; /* runs posted functions */
	pthread_t thread;
	pthread_mutex_t mutex; /* guards posted */
	kp_list posted;
	bool is_stopping;
	_Atomic int32_t n_producers;
	uint32_t generation; /* base/fork.h */
	kp_left_behind left_behind;
};

/* A function to run once on the runtime's thread; the memory is the poster's until it ran. */
typedef struct kp_posted {
	kp_list link;
	void (*run)(struct kp_posted *p, int64_t now_us);
} kp_posted;

bool kp_runtime_is_mine(const kp_runtime *r); /* on the runtime's thread? */
void kp_runtime_post(kp_runtime *r, kp_posted *p);

/* Work for the loop that somebody may wait for. Lives until both the loop and the waiter are through with it. */
typedef struct kp_job {
	kp_list link;
	/* One turn; true when done, with `result` set. `is_abandoned`: nobody waits any more, clean up and return true. */
	bool (*turn)(kp_producer *p, struct kp_job *job, int64_t now_us, bool is_abandoned);
	void (*free)(struct kp_job *job);
	bool is_started; /* loop: turn was called before */
	bool is_done;    /* guarded by the producer's mutex, as is_abandoned */
	bool is_abandoned;
	int result;
} kp_job;

typedef struct kp_transport_conn {
	kp_producer *producer;
	uint32_t conn;   /* the engine's name for it */
	kp_conn *net;    /* NULL: free slot */
	bool is_blocked; /* the kernel took less than it was given: on_writable follows */
} kp_transport_conn;

struct kp_producer {
	uint32_t generation; /* base/fork.h */
	kp_left_behind left_behind;
	kp_settings settings;
	kp_logger log;
	kp_runtime *runtime;
	bool owns_runtime;
	kp_engine *engine;
	struct {
		pthread_mutex_t mutex; /* guards what follows */
		kp_task *task;         /* NULL after the close */
		pthread_cond_t cond;   /* a job is done, room came back, reports came */
		kp_list jobs;          /* posted, not yet taken by the loop */
		int n_waiting;         /* threads in kp_send that wait for room */
		bool wants_drop;       /* one of them found none since the last batch was dropped (queue.full.policy=drop_oldest) */
		bool is_closing, is_leaving, is_closed; /* refuses sends; takes no more jobs; nothing more happens */
		int64_t close_deadline_us;              /* the earliest that was asked for; KP_TIME_NEVER */
		uint64_t n_left;                        /* records that the close did not deliver */
		int close_error;                        /* how the transaction ended that was open, see kp_engine_txn_settle */
	} shared;
	kp_report_queue queues[KP_N_QUEUES]; /* reports, failures */
	struct {
		kp_list jobs;
		kp_transport_conn **conns; /* by index of the engine's name */
		size_t n_conns;
		uint64_t room_seen; /* generation of room last announced */
		struct kp_filler *filler;
		kp_failure_log failures;
		kp_job close_job;
		uint64_t close_serial;           /* what it flushes */
		int64_t close_deadline_us;       /* as the task's timer has it; KP_TIME_NEVER unless the close waits */
		bool is_ending, is_over;         /* its wait is over; the close is done: the task goes */
		_Atomic uint64_t n_delivered;    /* records whose reports were given (or queued), or that want none */
		_Atomic uint64_t slow_callbacks; /* written by the loop; relaxed */
	} loop;
};

/*
 * fork.c. Whether it was made before the fork() that made this process: then KP_ERR_FORKED, and nothing but its generation is looked at.
 * Every public function that takes a producer, a topic or a runtime asks this first.
 */
static inline bool kp_is_forked(const kp_producer *p)
{
	return kp_fork_is_inherited(&p->generation);
}
bool kp_topic_is_forked_slow(const kp_topic *t);
static inline bool kp_topic_is_forked(const kp_topic *t)
{
	return KP_UNLIKELY(kp_fork_generation() != 0) && kp_topic_is_forked_slow(t);
}
/* KP_ERR_FORKED with the words for it in err (may be NULL). */
int kp_forked(char *err, size_t err_size);
void kp_producer_leave_behind(kp_producer *p);
void kp_runtime_leave_behind(kp_runtime *r);
/* Runtime's thread, after each callback: one that forked must not come back in the child, which would go on with the parent's sockets. */
void kp_runtime_called_back(const kp_runtime *r);

/* Wake the loop. Any thread; nothing after the close. */
void kp_producer_wake(kp_producer *p);
/* Hand a job over. */
void kp_job_post(kp_producer *p, kp_job *job);
/* Wait until it is done or timeout_ms is over (then it is abandoned and KP_ERR_TIMED_OUT). Frees the job. */
int kp_job_wait(kp_producer *p, kp_job *job, int timeout_ms);
/* The same, but a job that was done stays the caller's to free. False: abandoned, it frees itself. */
bool kp_job_wait_keep(kp_producer *p, kp_job *job, int timeout_ms);
/* Loop: run all jobs once. True when one is done. */
bool kp_jobs_run(kp_producer *p, int64_t now_us);
/* Loop, at the very end: what is left ends with KP_ERR_CLOSED, and so does what comes later. */
void kp_jobs_cancel(kp_producer *p, int64_t now_us);
/* KP_OK, KP_ERR_IN_CALLBACK or KP_ERR_CLOSED: whether a blocking call may start. */
int kp_producer_may_block(kp_producer *p);
/* Absolute time of CLOCK_MONOTONIC for pthread_cond_timedwait. */
struct timespec kp_abs_time(int64_t mono_us);
static inline int64_t kp_deadline_us(int64_t now_us, int timeout_ms)
{
	return timeout_ms < 0 ? KP_TIME_NEVER : now_us + (int64_t)timeout_ms * 1000;
}

/* transport.c, loop */
void kp_transport_step(kp_producer *p, bool *progress, int64_t now_us);
void kp_transport_close_all(kp_producer *p);

/* report.c, loop: everything that ended gets its reports. Returns whether something had ended. */
bool kp_reports_deliver(kp_producer *p);
/* Room came back: whoever waits for it looks again. Any thread. */
void kp_announce_room(kp_producer *p);

/* Whom the end of a record is told instead of the application: who sent it as one of a group (group.c), or again (resender.c). */
typedef struct kp_group {
	/* Loop: one of its records ended; the group may be gone afterwards. True: nobody else is to be told. */
	bool (*record_ended)(kp_producer *p, struct kp_group *g, const kp_report *r);
	void *opaque; /* the records', for the failure queue */
} kp_group;

/* retriable.c: whether a record that ended so may succeed when it is sent again, whatever may be in the log. */
bool kp_may_succeed_later(const kp_report *r);

/* send.c */
/* Waits for room at most until until_us (0: not at all) and at most max.block.ms. */
int kp_append_record(kp_topic *t, const kp_record *r, kp_group *group, int64_t until_us);
kp_producer *kp_topic_producer(const kp_topic *t);
const kp_record *kp_record_at(const kp_record *records, size_t i); /* minds the caller's struct size */

#endif
