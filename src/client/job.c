/*
 * job.c - work that application threads give to the loop and wait for, with a deadline that the loop cannot hold up.
 */
#include <errno.h>
#include <time.h>

#include "base/mem.h"
#include "base/time.h"
#include "client/producer_impl.h"

struct timespec kp_abs_time(int64_t mono_us)
{
	return (struct timespec){.tv_sec = mono_us / 1000000, .tv_nsec = mono_us % 1000000 * 1000};
}

int kp_producer_may_block(kp_producer *p)
{
	if (kp_runtime_is_mine(p->runtime))
		return KP_ERR_IN_CALLBACK;
	pthread_mutex_lock(&p->shared.mutex);
	bool is_closing = p->shared.is_closing;
	pthread_mutex_unlock(&p->shared.mutex);
	return is_closing ? KP_ERR_CLOSED : KP_OK;
}

static void finish(kp_producer *p, kp_job *job, int result)
{
	pthread_mutex_lock(&p->shared.mutex);
	bool is_abandoned = job->is_abandoned;
	job->result = result;
	job->is_done = true;
	pthread_cond_broadcast(&p->shared.cond);
	pthread_mutex_unlock(&p->shared.mutex);
	if (is_abandoned)
		job->free(job);
}

void kp_job_post(kp_producer *p, kp_job *job)
{
	kp_list_init(&job->link);
	pthread_mutex_lock(&p->shared.mutex);
	bool is_late = p->shared.is_leaving;
	if (!is_late)
		kp_list_push_back(&p->shared.jobs, &job->link);
	pthread_mutex_unlock(&p->shared.mutex);
	if (is_late)
		finish(p, job, KP_ERR_CLOSED);
	else
		kp_producer_wake(p);
}

/* Under the mutex: whether it was done in time. */
static bool wait_done(kp_producer *p, const kp_job *job, int64_t deadline_us)
{
	struct timespec at = kp_abs_time(deadline_us);
	while (!job->is_done)
		if (deadline_us == KP_TIME_NEVER)
			pthread_cond_wait(&p->shared.cond, &p->shared.mutex);
		else if (pthread_cond_timedwait(&p->shared.cond, &p->shared.mutex, &at) == ETIMEDOUT)
			break;
	return job->is_done;
}

bool kp_job_wait_keep(kp_producer *p, kp_job *job, int timeout_ms)
{
	int64_t deadline_us = kp_deadline_us(kp_time_mono_us(), timeout_ms);
	pthread_mutex_lock(&p->shared.mutex);
	bool is_done = wait_done(p, job, deadline_us);
	job->is_abandoned = !is_done;
	pthread_mutex_unlock(&p->shared.mutex);
	if (!is_done)
		kp_producer_wake(p);
	return is_done;
}

int kp_job_wait(kp_producer *p, kp_job *job, int timeout_ms)
{
	if (!kp_job_wait_keep(p, job, timeout_ms))
		return KP_ERR_TIMED_OUT;
	int result = job->result;
	job->free(job);
	return result;
}

bool kp_jobs_run(kp_producer *p, int64_t now_us)
{
	kp_list *next;
	bool any = false;
	pthread_mutex_lock(&p->shared.mutex);
	kp_list_splice_back(&p->loop.jobs, &p->shared.jobs);
	pthread_mutex_unlock(&p->shared.mutex);
	for (kp_list *n = p->loop.jobs.next; n != &p->loop.jobs; n = next) {
		kp_job *job = KP_CONTAINER_OF(n, kp_job, link);
		next = n->next;
		pthread_mutex_lock(&p->shared.mutex);
		bool is_abandoned = job->is_abandoned;
		pthread_mutex_unlock(&p->shared.mutex);
		if (!job->turn(p, job, now_us, is_abandoned))
			continue;
		any = true;
		next = n->next; /* a turn may have run callbacks that posted others */
		kp_list_remove(n);
		finish(p, job, job->result);
	}
	return any;
}

void kp_jobs_cancel(kp_producer *p, int64_t now_us)
{
	kp_list *n;
	pthread_mutex_lock(&p->shared.mutex);
	p->shared.is_leaving = true; /* later ones end in kp_job_post */
	kp_list_splice_back(&p->loop.jobs, &p->shared.jobs);
	pthread_mutex_unlock(&p->shared.mutex);
	while ((n = kp_list_pop_front(&p->loop.jobs))) {
		kp_job *job = KP_CONTAINER_OF(n, kp_job, link);
		bool was_done = job->is_started && job->turn(p, job, now_us, true);
		finish(p, job, was_done && job->result ? job->result : KP_ERR_CLOSED);
	}
}
