/*
 * close.c - kp_close: one job per producer, whoever asks for it and how often; the shortest of the deadlines counts.
 */
#include <errno.h>

#include <kproducer/error.h>

#include "base/time.h"
#include "client/producer_impl.h"

#define SLACK_US 500000 /* for the loop to end everything once the deadline is over */

static uint64_t n_pending(kp_producer *p)
{
	kp_engine_counters c;
	kp_engine_count(p->engine, &c);
	return c.accepted - c.persisted - c.not_persisted - c.unknown;
}

/* An open transaction was aborted, a commit under way is over. */
static bool is_settled(kp_producer *p, int64_t now_us)
{
	int error;
	bool is_done = kp_engine_txn_settle(p->engine, now_us, &error);
	pthread_mutex_lock(&p->shared.mutex);
	p->shared.close_error = is_done ? error : KP_ERR_TIMED_OUT;
	pthread_mutex_unlock(&p->shared.mutex);
	return is_done;
}

static void begin(kp_producer *p, int64_t now_us)
{
	kp_engine_stop_accepting(p->engine);
	(void)is_settled(p, now_us); /* what an abort would make invisible need not be sent */
	p->loop.close_serial = kp_engine_flush_begin(p->engine, now_us);
}

static bool must_wait(kp_producer *p, int64_t now_us)
{
	pthread_mutex_lock(&p->shared.mutex);
	p->loop.close_deadline_us = p->shared.close_deadline_us;
	pthread_mutex_unlock(&p->shared.mutex);
	bool is_done = is_settled(p, now_us) && kp_engine_flushed(p->engine, p->loop.close_serial);
	return now_us < p->loop.close_deadline_us && !is_done;
}

static bool turn(kp_producer *p, kp_job *job, int64_t now_us, bool is_abandoned)
{
	(void)is_abandoned;
	if (!job->is_started) {
		job->is_started = true;
		begin(p, now_us);
	}
	if (!p->loop.is_ending) {
		if (must_wait(p, now_us))
			return false;
		p->loop.is_ending = true;
		pthread_mutex_lock(&p->shared.mutex);
		p->shared.n_left = n_pending(p);
		pthread_mutex_unlock(&p->shared.mutex);
	}
	kp_engine_end_all(p->engine, KP_ERR_CLOSED, now_us);
	kp_reports_deliver(p);
	/* a batch that its thread is still summing ends in a later turn: that thread wakes the loop */
	p->loop.close_deadline_us = KP_TIME_NEVER;
	p->loop.is_over = n_pending(p) == 0;
	return p->loop.is_over;
}

/* Any thread. The job is a part of the producer: closing must not fail for want of memory. */
static void ask_for_close(kp_producer *p, int64_t deadline_us)
{
	pthread_mutex_lock(&p->shared.mutex);
	bool is_first = !p->shared.is_closing;
	p->shared.is_closing = true;
	if (deadline_us < p->shared.close_deadline_us)
		p->shared.close_deadline_us = deadline_us;
	pthread_cond_broadcast(&p->shared.cond);
	pthread_mutex_unlock(&p->shared.mutex);
	if (!is_first) {
		kp_producer_wake(p);
		return;
	}
	p->loop.close_job = (kp_job){.turn = turn};
	kp_job_post(p, &p->loop.close_job);
}

/* The loop ends everything at the deadline; only a callback that does not return can keep it from that. */
static bool wait_closed(kp_producer *p, int timeout_ms)
{
	int64_t until_us = timeout_ms < 0 ? KP_TIME_NEVER : kp_deadline_us(kp_time_mono_us(), timeout_ms) + SLACK_US;
	struct timespec at = kp_abs_time(until_us);
	int err = 0;
	pthread_mutex_lock(&p->shared.mutex);
	while (!p->shared.is_closed && err != ETIMEDOUT)
		err = until_us == KP_TIME_NEVER ? pthread_cond_wait(&p->shared.cond, &p->shared.mutex)
		                                : pthread_cond_timedwait(&p->shared.cond, &p->shared.mutex, &at);
	bool is_closed = p->shared.is_closed;
	pthread_mutex_unlock(&p->shared.mutex);
	return is_closed;
}

static int result(kp_producer *p, uint64_t *n_left)
{
	pthread_mutex_lock(&p->shared.mutex);
	*n_left = p->shared.n_left;
	int error = p->shared.close_error;
	pthread_mutex_unlock(&p->shared.mutex);
	return error;
}

int kp_close(kp_producer *p, int timeout_ms, uint64_t *left)
{
	if (kp_is_forked(p))
		return KP_ERR_FORKED;
	bool is_mine = kp_runtime_is_mine(p->runtime);
	ask_for_close(p, is_mine ? 0 : kp_deadline_us(kp_time_mono_us(), timeout_ms));
	if (is_mine)
		return KP_OK;
	bool is_closed = wait_closed(p, timeout_ms);
	uint64_t n_left;
	int error = result(p, &n_left);
	if (!is_closed)
		n_left = n_pending(p);
	if (left)
		*left = n_left;
	return is_closed && n_left == 0 ? error : KP_ERR_TIMED_OUT;
}
