/*
 * producer.c - a producer's life: made, stepped by its runtime's thread, freed. How it is flushed and closed: flush.c, close.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include <kproducer/error.h>

#include "base/mem.h"
#include "base/os_error.h"
#include "base/random.h"
#include "base/time.h"
#include "base/version.h"
#include "client/filler.h"
#include "client/producer_impl.h"
#include "client/topic_name.h"
#include "producer/partitioner.h"

#define ROUNDS_MOST 16 /* of step, write, report in one turn; then the loop looks at its sockets */

const char *kp_version(void)
{
	return KP_VERSION_TEXT;
}

uint32_t kp_murmur2(const void *key, size_t len)
{
	return kp_partitioner_murmur2(key, len);
}

void kp_producer_wake(kp_producer *p)
{
	/* the mutex keeps the task alive: the close takes it away under it */
	pthread_mutex_lock(&p->shared.mutex);
	bool is_to_ring = p->shared.task && kp_task_wake_silently(p->shared.task);
	pthread_mutex_unlock(&p->shared.mutex);
	if (is_to_ring) /* now: the loop, once awake, takes the mutex first */
		kp_loop_ring(p->runtime->loop);
}

/* ------------------------------------------------------------------ the turn */

/* One batch for each time that somebody looked for room in vain: more would drop what has room by now. */
static bool drop_if_wanted(kp_producer *p, int64_t now_us)
{
	if (p->settings.engine.full_policy != KP_FULL_DROP_OLDEST)
		return false;
	pthread_mutex_lock(&p->shared.mutex);
	bool is_wanted = p->shared.wants_drop && p->shared.n_waiting > 0;
	pthread_mutex_unlock(&p->shared.mutex);
	/* a batch that its thread is still summing cannot be dropped: then the wish stays for the turn that follows */
	if (!is_wanted || !kp_engine_drop_oldest(p->engine, now_us))
		return false;
	pthread_mutex_lock(&p->shared.mutex);
	p->shared.wants_drop = false;
	pthread_mutex_unlock(&p->shared.mutex);
	return true;
}

/* The use of buffer.memory passed a mark; each time the other one. */
static void tell_watermarks(kp_producer *p)
{
	const kp_settings *s = &p->settings;
	bool is_high;
	int64_t used;
	while (kp_engine_watermark_passed(p->engine, &is_high, &used)) {
		KP_LOG(&p->log, KP_LOG_INFO, kp_time_mono_us(), "buffer %s used_bytes=%" PRId64 " of=%" PRId64,
		       is_high ? "high" : "low", used, s->engine.buffer_memory);
		if (!s->watermark_cb)
			continue;
		s->watermark_cb(p, is_high, (uint64_t)used, s->watermark_opaque);
		kp_runtime_called_back(p->runtime);
	}
}

/* The close is done: nothing may touch the task any more. */
static void leave_loop(kp_producer *p, int64_t now_us)
{
	kp_jobs_cancel(p, now_us);
	(void)kp_failure_log_step(&p->loop.failures, now_us, true);
	tell_watermarks(p);
	kp_transport_close_all(p);
	pthread_mutex_lock(&p->shared.mutex);
	kp_task *task = p->shared.task;
	p->shared.task = NULL;
	p->shared.is_closed = true;
	pthread_cond_broadcast(&p->shared.cond);
	/* under the mutex: who sees is_closed may free the producer as soon as it opens */
	kp_task_free(task);
	pthread_mutex_unlock(&p->shared.mutex);
}

static int64_t turn(void *opaque, int64_t now_us)
{
	kp_producer *p = opaque;
	int64_t wake = KP_TIME_NEVER;
	bool progress = true;
	for (int i = 0; i < ROUNDS_MOST && progress; i++) {
		progress = false;
		kp_jobs_run(p, now_us);
		if (p->loop.is_over) {
			leave_loop(p, now_us);
			return KP_TIME_NEVER;
		}
		progress |= drop_if_wanted(p, now_us);
		wake = kp_engine_step(p->engine, now_us);
		kp_transport_step(p, &progress, now_us);
		progress |= kp_reports_deliver(p);
		/* what the step has ended, a call by its deadline, must not wait for the next event */
		progress |= !kp_list_empty(&p->loop.jobs) && kp_jobs_run(p, now_us);
		now_us = kp_time_mono_us();
	}
	tell_watermarks(p);
	if (progress)
		return now_us;
	int64_t log_us = kp_failure_log_step(&p->loop.failures, now_us, false);
	wake = log_us < wake ? log_us : wake;
	return p->loop.close_deadline_us < wake ? p->loop.close_deadline_us : wake;
}

/* ------------------------------------------------------------------ surroundings of the engine */

static int64_t clock_us(void *opaque)
{
	(void)opaque;
	return kp_time_mono_us();
}

static int64_t wall_ms(void *opaque)
{
	(void)opaque;
	return kp_time_wall_ms();
}

static void log_line(int level, const char *line, void *opaque)
{
	kp_producer *p = opaque;
	p->settings.log_cb(level, line, p->settings.log_opaque);
	kp_runtime_called_back(p->runtime);
}

static void wake(void *opaque)
{
	kp_producer_wake(opaque);
}

static void on_error(void *opaque, int error, const char *text)
{
	kp_producer *p = opaque;
	if (!p->settings.error_cb)
		return;
	p->settings.error_cb(p, error, text, p->settings.error_opaque);
	kp_runtime_called_back(p->runtime);
}

/* ------------------------------------------------------------------ new and free */

typedef struct attach {
	kp_posted posted;
	kp_producer *producer;
	bool is_done, ok; /* guarded by the producer's mutex */
} attach;

static void attach_run(kp_posted *posted, int64_t now_us)
{
	attach *a = KP_CONTAINER_OF(posted, attach, posted);
	kp_producer *p = a->producer;
	(void)now_us;
	kp_task *task = kp_task_new(p->runtime->loop, turn, p);
	pthread_mutex_lock(&p->shared.mutex);
	p->shared.task = task;
	if (task)
		kp_task_wake(task); /* the append half wakes only an engine that went to sleep: it has to take its first turn */
	a->ok = task != NULL;
	a->is_done = true;
	pthread_cond_broadcast(&p->shared.cond);
	pthread_mutex_unlock(&p->shared.mutex);
}

static bool attach_to_runtime(kp_producer *p)
{
	attach a = {.posted = {.run = attach_run}, .producer = p};
	if (kp_runtime_is_mine(p->runtime)) {
		attach_run(&a.posted, 0);
		return a.ok;
	}
	kp_runtime_post(p->runtime, &a.posted);
	pthread_mutex_lock(&p->shared.mutex);
	while (!a.is_done)
		pthread_cond_wait(&p->shared.cond, &p->shared.mutex);
	pthread_mutex_unlock(&p->shared.mutex);
	return a.ok;
}

static void init_shared(kp_producer *p)
{
	pthread_condattr_t attr;
	pthread_mutex_init(&p->shared.mutex, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&p->shared.cond, &attr);
	pthread_condattr_destroy(&attr);
	kp_list_init(&p->shared.jobs);
	kp_list_init(&p->loop.jobs);
	kp_report_queue_init(&p->queues[KP_QUEUE_REPORTS], KP_QUEUE_REPORTS, p->settings.use_report_queue);
	kp_report_queue_init(&p->queues[KP_QUEUE_FAILURES], KP_QUEUE_FAILURES, p->settings.use_failure_queue);
	p->shared.close_deadline_us = p->loop.close_deadline_us = KP_TIME_NEVER;
}

static kp_filler *filler_new(void)
{
	kp_filler *f = kp_mem_alloc(sizeof(*f));
	if (f)
		kp_filler_init(f);
	return f;
}

static void filler_free(kp_filler *f)
{
	if (f)
		kp_filler_deinit(f);
	kp_mem_free(f);
}

/* Everything but the settings and the runtime; false when memory or descriptors are out. */
static bool make_parts(kp_producer *p)
{
	const kp_settings *s = &p->settings;
	kp_server *servers = kp_mem_calloc(s->n_bootstrap, sizeof(*servers));
	kp_surroundings around = {clock_us, wall_ms, wake, on_error, &p->log, p, kp_random_os_seed()};
	for (size_t i = 0; servers && i < s->n_bootstrap; i++) {
		snprintf(servers[i].host, sizeof(servers[i].host), "%s", s->bootstrap[i].host);
		servers[i].port = s->bootstrap[i].port;
	}
	if (servers)
		p->engine = kp_engine_new(&s->engine, servers, s->n_bootstrap, &around);
	kp_mem_free(servers);
	p->loop.filler = filler_new();
	bool is_good = p->engine && p->loop.filler;
	for (int i = 0; i < KP_N_QUEUES; i++)
		is_good &= !p->queues[i].is_on || p->queues[i].fd >= 0;
	return is_good;
}

/* After the engine ended everything and the task is gone (or never was). */
static void free_parts(kp_producer *p)
{
	if (p->engine) {
		for (int i = 0; i < KP_N_QUEUES; i++)
			kp_report_queue_clear(p, &p->queues[i]);
		kp_engine_free(p->engine);
	}
	filler_free(p->loop.filler);
	for (int i = 0; i < KP_N_QUEUES; i++)
		kp_report_queue_deinit(&p->queues[i]);
	if (p->owns_runtime)
		kp_runtime_free(p->runtime);
	kp_settings_deinit(&p->settings);
	pthread_cond_destroy(&p->shared.cond);
	pthread_mutex_destroy(&p->shared.mutex);
	kp_mem_free(p);
}

static void log_start(kp_producer *p, const kp_settings_notes *notes)
{
	int64_t now_us = kp_time_mono_us();
	for (size_t i = 0; i < notes->n; i++)
		KP_LOG(&p->log, KP_LOG_WARN, now_us, "configuration %s", notes->line[i]);
	KP_LOG(&p->log, KP_LOG_INFO, now_us, "started version=%s", KP_VERSION_TEXT);
}

kp_producer *kp_producer_new(const kp_config *c, kp_runtime *runtime, char *err, size_t err_size)
{
	kp_settings_notes notes = {0};
	if (runtime && kp_fork_is_inherited(&runtime->generation)) {
		(void)kp_forked(err, err_size);
		return NULL;
	}
	kp_producer *p = kp_mem_calloc(1, sizeof(*p));
	if (!p || kp_settings_resolve(c, &p->settings, err, err_size, &notes)) {
		if (!p && err)
			snprintf(err, err_size, "out of memory");
		kp_mem_free(p);
		return NULL;
	}
	p->generation = kp_fork_generation();
	errno = 0;
	init_shared(p);
	kp_logger_init(&p->log, p->settings.log_level, p->settings.log_cb ? log_line : NULL, p, p->settings.engine.client_id);
	kp_failure_log_init(&p->loop.failures, &p->log);
	p->owns_runtime = !runtime;
	p->runtime = runtime ? runtime : kp_runtime_new();
	if (!p->runtime || !make_parts(p) || !attach_to_runtime(p)) {
		if (err)
			snprintf(err, err_size, "%s",
			         kp_os_is_out_of_descriptors(errno) ? kp_os_error_text(errno)
			                                            : "out of memory, threads or file descriptors");
		p->owns_runtime = p->owns_runtime && p->runtime;
		free_parts(p);
		return NULL;
	}
	log_start(p, &notes);
	return p;
}

/* On its runtime's thread a producer that lives cannot be freed: it would wait for itself. */
static bool must_refuse_free(kp_producer *p)
{
	if (!kp_runtime_is_mine(p->runtime))
		return false;
	pthread_mutex_lock(&p->shared.mutex);
	bool is_closed = p->shared.is_closed;
	pthread_mutex_unlock(&p->shared.mutex);
	if (!is_closed)
		KP_LOG(&p->log, KP_LOG_ERROR, kp_time_mono_us(),
		       "free_refused: kp_producer_free in a callback would wait for itself; call kp_close there, and free on another thread");
	return !is_closed;
}

void kp_producer_free(kp_producer *p)
{
	if (!p)
		return;
	if (kp_is_forked(p)) {
		kp_producer_leave_behind(p);
		return;
	}
	if (must_refuse_free(p))
		return;
	kp_close(p, 0, NULL);
	pthread_mutex_lock(&p->shared.mutex);
	while (!p->shared.is_closed)
		pthread_cond_wait(&p->shared.cond, &p->shared.mutex);
	pthread_mutex_unlock(&p->shared.mutex);
	free_parts(p);
}

kp_topic *kp_topic_open(kp_producer *p, const char *name)
{
	if (kp_is_forked(p))
		return NULL;
	return kp_topic_name_is_valid(name) ? kp_engine_topic(p->engine, name) : NULL;
}

/* ------------------------------------------------------------------ figures */

void kp_counters_get(kp_producer *p, kp_counters *out)
{
	kp_engine_counters c;
	size_t size = out->struct_size < sizeof(*out) ? out->struct_size : sizeof(*out);
	if (kp_is_forked(p)) {
		memcpy(out, &(kp_counters){.struct_size = out->struct_size}, size);
		return;
	}
	kp_engine_count(p->engine, &c);
	pthread_mutex_lock(&p->shared.mutex);
	uint64_t n_reports = p->queues[KP_QUEUE_REPORTS].n, n_failures = p->queues[KP_QUEUE_FAILURES].n;
	pthread_mutex_unlock(&p->shared.mutex);
	uint64_t ended = c.persisted + c.not_persisted + c.unknown;
	kp_counters all = {.struct_size = out->struct_size,
	                   .accepted = c.accepted,
	                   .persisted = c.persisted,
	                   .not_persisted = c.not_persisted,
	                   .unknown = c.unknown,
	                   .accepted_bytes = c.accepted_bytes,
	                   .sent_bytes = c.sent_bytes,
	                   .received_bytes = c.received_bytes,
	                   .requests = c.requests,
	                   .batches = c.batches,
	                   .retries = c.retries,
	                   .connects = c.connects,
	                   .disconnects = c.disconnects,
	                   .queued_records = c.accepted > ended ? c.accepted - ended : 0,
	                   .queued_bytes = (uint64_t)c.budget_used,
	                   .slow_callbacks = atomic_load_explicit(&p->loop.slow_callbacks, memory_order_relaxed),
	                   .report_queue = n_reports,
	                   .throttle_ms = c.throttle_ms,
	                   .failure_queue = n_failures};
	memcpy(out, &all, size);
}
