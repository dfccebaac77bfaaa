/*
 * report_queue.c - reports for those who poll: ended batches wait in a queue, an eventfd says when there are some.
 */
#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/time.h"
#include "client/filler.h"
#include "client/producer_impl.h"

/* Under the mutex: the descriptor is readable exactly while reports wait. */
static void set_fd(kp_producer *p, bool on)
{
	uint64_t value = 1;
	if (on == p->shared.fd_is_set)
		return;
	p->shared.fd_is_set = on;
	/* an eventfd holding 0 takes a 1, and one holding 1 gives it: neither can block */
	ssize_t n = on ? write(p->report_fd, &value, sizeof(value)) : read(p->report_fd, &value, sizeof(value));
	(void)n;
}

static uint64_t n_own(const kp_batch *b)
{
	uint64_t n = 0;
	for (int32_t i = 0; i < b->n_entries; i++)
		n += !(b->entries[i].place & KP_ENTRY_GROUP);
	return n;
}

void kp_report_queue_push(kp_producer *p, kp_batch *b)
{
	uint64_t n = n_own(b);
	if (n == 0) {
		kp_engine_release(p->engine, b);
		return;
	}
	pthread_mutex_lock(&p->shared.mutex);
	kp_list_push_back(&p->shared.reports, &b->ended_link);
	p->shared.n_reports += n;
	set_fd(p, true);
	pthread_cond_broadcast(&p->shared.cond);
	pthread_mutex_unlock(&p->shared.mutex);
}

/* Under the mutex: the first batch with reports, after waiting for it. Nothing will come after the close. */
static kp_batch *wait_for_batch(kp_producer *p, int timeout_ms)
{
	int64_t deadline_us = kp_deadline_us(kp_time_mono_us(), timeout_ms);
	struct timespec at = kp_abs_time(deadline_us);
	while (kp_list_empty(&p->shared.reports) && timeout_ms != 0 && !p->shared.is_closed)
		if (deadline_us == KP_TIME_NEVER)
			pthread_cond_wait(&p->shared.cond, &p->shared.mutex);
		else if (pthread_cond_timedwait(&p->shared.cond, &p->shared.mutex, &at) == ETIMEDOUT)
			break;
	kp_list *n = kp_list_first(&p->shared.reports);
	return n ? KP_CONTAINER_OF(n, kp_batch, ended_link) : NULL;
}

static bool is_through(const kp_batch *b)
{
	return b->n_reported == b->n_entries;
}

/* What the last poll pointed into may go now, if that was the batch's last report. */
static void release_polled(kp_producer *p)
{
	const kp_batch *b = p->polled->batch;
	if (b && is_through(b)) {
		p->polled->batch = NULL;
		kp_engine_release(p->engine, (kp_batch *)(uintptr_t)b); /* the filler only reads it; it is this thread's */
		kp_announce_room(p);
	}
}

/* Up to max reports of a batch in the queue, which has at least one. Records of groups are passed over, also those behind the last. */
static size_t fill_from(kp_producer *p, kp_batch *b, kp_report *out, size_t max)
{
	size_t n = 0;
	if (p->polled->batch != b)
		kp_filler_begin(p->polled, b);
	while (n == 0) {
		size_t rest = (size_t)(b->n_entries - b->n_reported), take = rest < max ? rest : max;
		n = kp_filler_fill(p->polled, b->n_reported, take, out);
		b->n_reported += (int32_t)take;
	}
	while (!is_through(b) && b->entries[b->n_reported].place & KP_ENTRY_GROUP)
		b->n_reported++;
	return n;
}

size_t kp_reports_poll(kp_producer *p, kp_report *out, size_t max, int timeout_ms)
{
	if (!p->settings.use_report_queue || max == 0)
		return 0;
	release_polled(p);
	if (kp_runtime_is_mine(p->runtime))
		timeout_ms = 0; /* what it would wait for comes from this thread */
	pthread_mutex_lock(&p->shared.mutex);
	kp_batch *b = wait_for_batch(p, timeout_ms);
	pthread_mutex_unlock(&p->shared.mutex);
	if (!b)
		return 0;
	size_t n = fill_from(p, b, out, max);
	pthread_mutex_lock(&p->shared.mutex);
	p->shared.n_reports -= n;
	if (is_through(b))
		kp_list_remove(&b->ended_link);
	set_fd(p, p->shared.n_reports > 0);
	pthread_mutex_unlock(&p->shared.mutex);
	return n;
}

int kp_reports_fd(kp_producer *p)
{
	return p->report_fd;
}

void kp_report_queue_free(kp_producer *p)
{
	kp_list *n;
	if (!p->settings.use_report_queue || !p->polled)
		return; /* there is none, or it was never wholly made */
	release_polled(p);
	while ((n = kp_list_pop_front(&p->shared.reports)))
		kp_engine_release(p->engine, KP_CONTAINER_OF(n, kp_batch, ended_link));
}
