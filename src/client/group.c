/*
 * group.c - records whose end is told together: kp_produce_batch (one call of its own) and kp_send_sync (a thread that waits).
 *
 * n_open counts the records that have not ended, plus one for the sender until it has handed all of them over; who takes it to zero
 * finishes the group. The tallies are written by the loop alone, before it counts down.
 */
#include <errno.h>

#include <kproducer/error.h>

#include "base/mem.h"
#include "base/time.h"
#include "client/producer_impl.h"
#include "client/report_size.h"

typedef struct gathering {
	kp_group group;
	kp_producer *producer;
	_Atomic int64_t n_open; /* acq_rel: who takes it to zero sees every tally */
	kp_batch_report tally;
	kp_batch_cb *cb;            /* NULL: somebody waits instead */
	kp_report last;             /* of the only record, for who waits */
	kp_job job;                 /* brings cb to the runtime's thread when the sender is the last */
	bool is_done, is_abandoned; /* guarded by the producer's mutex */
} gathering;

static void call_back(gathering *g)
{
	g->cb(g->producer, &g->tally, g->tally.opaque);
	kp_runtime_called_back(g->producer->runtime);
	kp_mem_free(g);
}

static bool job_turn(kp_producer *p, kp_job *job, int64_t now_us, bool is_abandoned)
{
	(void)p, (void)job, (void)now_us, (void)is_abandoned;
	return true;
}

static void job_free(kp_job *job)
{
	call_back(KP_CONTAINER_OF(job, gathering, job));
}

static void wake_waiter(gathering *g)
{
	kp_producer *p = g->producer;
	pthread_mutex_lock(&p->shared.mutex);
	bool is_abandoned = g->is_abandoned;
	g->is_done = true;
	pthread_cond_broadcast(&p->shared.cond);
	pthread_mutex_unlock(&p->shared.mutex);
	if (is_abandoned)
		kp_mem_free(g);
}

/* n of them are over; true when these were the last. */
static bool count_down(gathering *g, int64_t n)
{
	return atomic_fetch_sub_explicit(&g->n_open, n, memory_order_acq_rel) == n;
}

static bool record_ended(kp_producer *p, kp_group *group, const kp_report *r)
{
	gathering *g = KP_CONTAINER_OF(group, gathering, group);
	(void)p;
	if (r->outcome == KP_PERSISTED)
		g->tally.n_persisted++;
	else if (r->outcome == KP_NOT_PERSISTED)
		g->tally.n_not_persisted++;
	else
		g->tally.n_unknown++;
	if (r->error && !g->tally.first_error)
		g->tally.first_error = r->error;
	g->last = *r;
	if (!count_down(g, 1))
		return false;
	if (g->cb)
		call_back(g);
	else
		wake_waiter(g);
	return false;
}

static gathering *gathering_new(kp_producer *p, size_t n, kp_batch_cb *cb, void *opaque)
{
	gathering *g = kp_mem_calloc(1, sizeof(*g));
	if (!g)
		return NULL;
	g->group = (kp_group){record_ended, opaque};
	g->producer = p;
	g->cb = cb;
	g->tally.struct_size = sizeof(g->tally);
	g->tally.opaque = opaque;
	g->job = (kp_job){.turn = job_turn, .free = job_free, .is_abandoned = true};
	atomic_init(&g->n_open, (int64_t)n + 1);
	return g;
}

size_t kp_produce_batch(kp_topic *t, const kp_record *records, size_t n, kp_batch_cb *cb, void *opaque, int *error)
{
	size_t accepted = 0;
	int err = KP_OK;
	if (kp_topic_is_forked(t)) {
		if (error)
			*error = KP_ERR_FORKED;
		return 0;
	}
	kp_producer *p = kp_topic_producer(t);
	bool is_good = cb && (records || n == 0);
	gathering *g = is_good && n > 0 ? gathering_new(p, n, cb, opaque) : NULL;
	if (!is_good)
		err = KP_ERR_BAD_ARGUMENT;
	else if (!g && n > 0)
		err = KP_ERR_NO_MEMORY;
	while (g && accepted < n && !err) {
		err = kp_append_record(t, kp_record_at(records, accepted), &g->group, KP_TIME_NEVER);
		accepted += !err;
	}
	if (error)
		*error = err;
	if (!g)
		return 0;
	if (accepted == 0)
		kp_mem_free(g);
	else if (count_down(g, (int64_t)(n - accepted) + 1))
		kp_job_post(
			p, &g->job); /* all ended while they were handed over: the callback still belongs to the runtime's thread */
	return accepted;
}

/* Under the mutex: whether the record ended in time. */
static bool wait_done(gathering *g, int64_t deadline_us)
{
	kp_producer *p = g->producer;
	struct timespec at = kp_abs_time(deadline_us);
	while (!g->is_done)
		if (deadline_us == KP_TIME_NEVER)
			pthread_cond_wait(&p->shared.cond, &p->shared.mutex);
		else if (pthread_cond_timedwait(&p->shared.cond, &p->shared.mutex, &at) == ETIMEDOUT)
			break;
	return g->is_done;
}

static int wait_for(gathering *g, int64_t deadline_us, kp_report *out)
{
	kp_producer *p = g->producer;
	pthread_mutex_lock(&p->shared.mutex);
	bool is_done = wait_done(g, deadline_us);
	g->is_abandoned = !is_done;
	pthread_mutex_unlock(&p->shared.mutex);
	if (!is_done)
		return KP_ERR_TIMED_OUT;
	int err = g->last.error;
	if (out) {
		kp_report last = g->last;
		last.opaque = g->tally.opaque;
		last.key = last.value = NULL;
		last.headers = NULL;
		last.message = last.cause = NULL;
		last.key_len = last.value_len = last.n_headers = 0;
		kp_report_put(out, 0, &last);
	}
	kp_mem_free(g);
	return err;
}

int kp_send_sync(kp_topic *t, const kp_record *r, int timeout_ms, kp_report *out)
{
	if (kp_topic_is_forked(t))
		return KP_ERR_FORKED;
	if (out && !kp_report_has_size(out))
		return KP_ERR_BAD_ARGUMENT;
	kp_producer *p = kp_topic_producer(t);
	int64_t deadline_us = kp_deadline_us(kp_time_mono_us(), timeout_ms);
	int err = kp_producer_may_block(p);
	if (err)
		return err;
	gathering *g = gathering_new(p, 1, NULL, r->opaque);
	if (!g)
		return KP_ERR_NO_MEMORY;
	atomic_init(&g->n_open, 1); /* one record, and the sender does not count */
	err = kp_append_record(t, r, &g->group, deadline_us);
	if (err) {
		kp_mem_free(g);
		return err;
	}
	return wait_for(g, deadline_us, out);
}
