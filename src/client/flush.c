/*
 * flush.c - kp_flush and kp_purge: jobs for the loop.
 */
#include <kproducer/error.h>

#include "base/mem.h"
#include "client/producer_impl.h"

typedef struct flush_job {
	kp_job job;
	uint64_t serial;
} flush_job;

static bool flush_turn(kp_producer *p, kp_job *job, int64_t now_us, bool is_abandoned)
{
	flush_job *f = KP_CONTAINER_OF(job, flush_job, job);
	if (!job->is_started) {
		job->is_started = true;
		f->serial = kp_engine_flush_begin(p->engine, now_us);
	}
	if (!is_abandoned && !kp_engine_flushed(p->engine, f->serial))
		return false;
	kp_engine_flush_end(p->engine);
	return true;
}

static void flush_free(kp_job *job)
{
	kp_mem_free(KP_CONTAINER_OF(job, flush_job, job));
}

static bool is_all_delivered(kp_producer *p)
{
	kp_engine_counters c;
	/* read before the others. acquire: who sees the figure sees what the callbacks did */
	uint64_t n_delivered = atomic_load_explicit(&p->loop.n_delivered, memory_order_acquire);
	kp_engine_count(p->engine, &c);
	return n_delivered == c.accepted;
}

int kp_flush(kp_producer *p, int timeout_ms)
{
	if (kp_is_forked(p))
		return KP_ERR_FORKED;
	int err = kp_producer_may_block(p);
	if (err)
		return err;
	/* the loop could not answer within no time */
	if (timeout_ms == 0 && is_all_delivered(p))
		return KP_OK;
	flush_job *f = kp_mem_calloc(1, sizeof(*f));
	if (!f)
		return KP_ERR_NO_MEMORY;
	f->job = (kp_job){.turn = flush_turn, .free = flush_free};
	kp_job_post(p, &f->job);
	return kp_job_wait(p, &f->job, timeout_ms);
}

typedef struct purge_job {
	kp_job job;
	int what;
} purge_job;

static bool purge_turn(kp_producer *p, kp_job *job, int64_t now_us, bool is_abandoned)
{
	(void)is_abandoned;
	kp_engine_purge(p->engine, KP_CONTAINER_OF(job, purge_job, job)->what, KP_ERR_PURGED, now_us);
	return true;
}

static void purge_free(kp_job *job)
{
	kp_mem_free(KP_CONTAINER_OF(job, purge_job, job));
}

int kp_purge(kp_producer *p, int what)
{
	if (kp_is_forked(p))
		return KP_ERR_FORKED;
	if (what & ~(KP_PURGE_QUEUED | KP_PURGE_IN_FLIGHT) || what == 0)
		return KP_ERR_BAD_ARGUMENT;
	purge_job *j = kp_mem_calloc(1, sizeof(*j));
	if (!j)
		return KP_ERR_NO_MEMORY;
	/* nobody waits: the reports tell */
	j->job = (kp_job){.turn = purge_turn, .free = purge_free, .is_abandoned = true};
	j->what = what;
	kp_job_post(p, &j->job);
	return KP_OK;
}
