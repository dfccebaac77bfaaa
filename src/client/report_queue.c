#include "client/report_queue.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/time.h"
#include "client/producer_impl.h"
#include "client/report_size.h"

#define RESIZED_AT_ONCE 16 /* reports for a kp_report of another size than ours */

void kp_report_queue_init(kp_report_queue *q, int which, bool is_on)
{
	*q = (kp_report_queue){.which = which, .is_on = is_on, .fd = -1};
	kp_list_init(&q->batches);
	kp_filler_init(&q->polled);
	q->polled.gives_groups = which == KP_QUEUE_FAILURES;
	if (is_on)
		q->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}

void kp_report_queue_deinit(kp_report_queue *q)
{
	kp_filler_deinit(&q->polled);
	if (q->fd >= 0)
		close(q->fd);
}

/* Under the mutex: the descriptor is readable exactly while reports wait. */
static void set_fd(kp_report_queue *q, bool on)
{
	uint64_t value = 1;
	if (on == q->fd_is_set)
		return;
	q->fd_is_set = on;
	/* an eventfd holding 0 takes a 1, and one holding 1 gives it: neither can block */
	ssize_t n = on ? write(q->fd, &value, sizeof(value)) : read(q->fd, &value, sizeof(value));
	(void)n;
}

void kp_report_queue_push(kp_producer *p, kp_report_queue *q, kp_batch *b)
{
	uint64_t n = 0;
	for (int32_t i = 0; i < b->n_entries; i++)
		n += kp_filler_gives(&q->polled, &b->entries[i]);
	if (n == 0) {
		kp_engine_release(p->engine, b);
		return;
	}
	pthread_mutex_lock(&p->shared.mutex);
	kp_list_push_back(&q->batches, &b->queued[q->which].link);
	q->n += n;
	set_fd(q, true);
	pthread_cond_broadcast(&p->shared.cond);
	pthread_mutex_unlock(&p->shared.mutex);
}

static kp_batch *first_batch(kp_report_queue *q)
{
	kp_list *n = kp_list_first(&q->batches);
	/* the places are an array: from this queue's to the first one, which is the batch's member */
	return n ? KP_CONTAINER_OF(KP_CONTAINER_OF(n, kp_queued, link) - q->which, kp_batch, queued) : NULL;
}

/* Under the mutex: the first batch with reports, after waiting for it. Nothing will come after the close. */
static kp_batch *wait_for_batch(kp_producer *p, kp_report_queue *q, int timeout_ms)
{
	int64_t deadline_us = kp_deadline_us(kp_time_mono_us(), timeout_ms);
	struct timespec at = kp_abs_time(deadline_us);
	while (kp_list_empty(&q->batches) && timeout_ms != 0 && !p->shared.is_closed)
		if (deadline_us == KP_TIME_NEVER)
			pthread_cond_wait(&p->shared.cond, &p->shared.mutex);
		else if (pthread_cond_timedwait(&p->shared.cond, &p->shared.mutex, &at) == ETIMEDOUT)
			break;
	return first_batch(q);
}

static bool is_through(const kp_report_queue *q, const kp_batch *b)
{
	return b->queued[q->which].n_given == b->n_entries;
}

/* What the last poll pointed into may go now, if that was the batch's last report. */
static void release_polled(kp_producer *p, kp_report_queue *q)
{
	const kp_batch *b = q->polled.batch;
	if (b && is_through(q, b)) {
		q->polled.batch = NULL;
		kp_engine_release(p->engine, (kp_batch *)(uintptr_t)b); /* the filler only reads it; the reference is the queue's */
		kp_announce_room(p);
	}
}

/* Up to max reports of a batch in the queue, which has at least one. Those of others are passed over, also behind the last. */
static size_t fill_from(kp_report_queue *q, kp_batch *b, kp_report *out, size_t max)
{
	size_t n = 0;
	int32_t *at = &b->queued[q->which].n_given;
	if (q->polled.batch != b)
		kp_filler_begin(&q->polled, b);
	while (n == 0) {
		size_t rest = (size_t)(b->n_entries - *at), take = rest < max ? rest : max;
		n = kp_filler_fill(&q->polled, *at, take, out);
		*at += (int32_t)take;
	}
	while (!is_through(q, b) && !kp_filler_gives(&q->polled, &b->entries[*at]))
		++*at;
	return n;
}

/* The same where the application's kp_report is another than ours. Not stretch by stretch: what a stretch points to dies with the next. */
static size_t fill_resized(kp_report_queue *q, kp_batch *b, kp_report *out, size_t max)
{
	kp_report ours[RESIZED_AT_ONCE];
	size_t n = fill_from(q, b, ours, max < RESIZED_AT_ONCE ? max : RESIZED_AT_ONCE);
	for (size_t i = 0; i < n; i++)
		kp_report_put(out, i, &ours[i]);
	return n;
}

bool kp_report_room_is_good(kp_producer *p, const char *call, const kp_report *out)
{
	if (kp_report_has_size(out))
		return true;
	KP_LOG(&p->log, KP_LOG_ERROR, kp_time_mono_us(),
	       "bad_struct_size call=%s struct_size=%zu: nothing is given, set that of the first report to sizeof(kp_report)", call,
	       out->struct_size);
	return false;
}

static size_t poll_queue(kp_producer *p, kp_report_queue *q, kp_report *out, size_t max, int timeout_ms)
{
	if (kp_is_forked(p) || !q->is_on || max == 0 ||
	    !kp_report_room_is_good(p, q->which == KP_QUEUE_FAILURES ? "kp_failures_poll" : "kp_reports_poll", out))
		return 0;
	release_polled(p, q);
	if (kp_runtime_is_mine(p->runtime))
		timeout_ms = 0; /* what it would wait for comes from this thread */
	pthread_mutex_lock(&p->shared.mutex);
	kp_batch *b = wait_for_batch(p, q, timeout_ms);
	pthread_mutex_unlock(&p->shared.mutex);
	if (!b)
		return 0;
	size_t n = out->struct_size == sizeof(*out) ? fill_from(q, b, out, max) : fill_resized(q, b, out, max);
	pthread_mutex_lock(&p->shared.mutex);
	q->n -= n;
	if (is_through(q, b))
		kp_list_remove(&b->queued[q->which].link);
	set_fd(q, q->n > 0);
	pthread_mutex_unlock(&p->shared.mutex);
	return n;
}

size_t kp_reports_poll(kp_producer *p, kp_report *out, size_t max, int timeout_ms)
{
	return poll_queue(p, &p->queues[KP_QUEUE_REPORTS], out, max, timeout_ms);
}

int kp_reports_fd(kp_producer *p)
{
	return kp_is_forked(p) ? -1 : p->queues[KP_QUEUE_REPORTS].fd;
}

size_t kp_failures_poll(kp_producer *p, kp_report *out, size_t max, int timeout_ms)
{
	return poll_queue(p, &p->queues[KP_QUEUE_FAILURES], out, max, timeout_ms);
}

int kp_failures_fd(kp_producer *p)
{
	return kp_is_forked(p) ? -1 : p->queues[KP_QUEUE_FAILURES].fd;
}

void kp_report_queue_clear(kp_producer *p, kp_report_queue *q)
{
	kp_batch *b;
	release_polled(p, q);
	while ((b = first_batch(q))) {
		kp_list_remove(&b->queued[q->which].link);
		kp_engine_release(p->engine, b);
	}
}
