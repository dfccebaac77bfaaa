/*
 * resender.c - failed records (resend.h) are kept, and sent again when their delay is over.
 *
 *   offer ─▶ waiting[times sent], by due time ─ poll ─▶ under way ─ loop: record_ended ─▶ ended ─ poll ─▶ given ─ next poll ─▶ freed
 *                 ▲                                                      │
 *                 └──────────────────── failed, and may go again ────────┘
 *
 * The delay depends on how often a record was sent, so each of the lists is in order of due time by itself. A record under way is in no
 * list: its group belongs to the engine until the loop tells its end.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include <kproducer/error.h>

#include "base/mem.h"
#include "client/producer_impl.h"
#include "client/report_size.h"
#include "client/resend.h"

#define LEVELS 32             /* 1 ms doubled so often is beyond any delay: the last list takes all later ones */
#define NO_ROOM_REST_US 10000 /* before the next look when there was no room */
#define DELAY_MOST_MS 86400000
#define MAX_BYTES_LEAST 1024

struct kp_resender {
	kp_producer *producer;
	kp_resend_options options; /* constant */
	char *count_header;        /* a copy, or NULL */
	/* guarded by the producer's mutex; its condition is signalled when a record comes or ends */
	kp_list waiting[LEVELS], ended;
	size_t n_held, bytes;
	size_t n_under_way;
	bool is_orphan; /* freed: the last of those under way takes it along */
	kp_list given;  /* what the last poll pointed into; the polling thread's */
};

static bool record_ended(kp_producer *p, kp_group *group, const kp_report *r);

/* ------------------------------------------------------------------ made and freed */

static bool refuse(char *err, size_t err_size, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	if (err)
		vsnprintf(err, err_size, format, args);
	va_end(args);
	return false;
}

static bool check(const kp_resend_options *o, char *err, size_t err_size)
{
	if (o->max_attempts < 1 || o->max_attempts > 1000)
		return refuse(err, err_size, "max_attempts is %d: 1 .. 1000 are allowed", o->max_attempts);
	if (o->delay_ms < 1 || o->delay_ms > DELAY_MOST_MS)
		return refuse(err, err_size, "delay_ms is %d: 1 .. %d are allowed", o->delay_ms, DELAY_MOST_MS);
	if (o->delay_max_ms < o->delay_ms || o->delay_max_ms > DELAY_MOST_MS)
		return refuse(err, err_size, "delay_max_ms is %d: %d (delay_ms) .. %d are allowed", o->delay_max_ms, o->delay_ms,
		              DELAY_MOST_MS);
	if (o->flags & ~KP_RESEND_UNKNOWN)
		return refuse(err, err_size, "flags is 0x%x: only KP_RESEND_UNKNOWN (0x1) is known", (unsigned)o->flags);
	if (o->count_header && !*o->count_header)
		return refuse(err, err_size, "count_header is empty: give it a name, or NULL for none");
	if (o->max_bytes < MAX_BYTES_LEAST)
		return refuse(err, err_size, "max_bytes is %zu: %d or more are needed", o->max_bytes, MAX_BYTES_LEAST);
	return true;
}

kp_resender *kp_resender_new(kp_producer *p, const kp_resend_options *o, char *err, size_t err_size)
{
	kp_resend_options all = KP_RESEND_OPTIONS_INIT;
	if (kp_is_forked(p)) {
		(void)kp_forked(err, err_size);
		return NULL;
	}
	if (o)
		memcpy(&all, o, o->struct_size < sizeof(all) ? o->struct_size : sizeof(all));
	if (!check(&all, err, err_size))
		return NULL;
	if (p->settings.engine.transactional_id[0]) {
		(void)refuse(
			err, err_size,
			"a transactional producer has no resender: abort, begin again, and send the transaction's records again");
		return NULL;
	}
	size_t name_size = all.count_header ? strlen(all.count_header) + 1 : 0;
	kp_resender *r = kp_mem_calloc(1, sizeof(*r) + name_size);
	if (!r) {
		(void)refuse(err, err_size, "out of memory");
		return NULL;
	}
	r->producer = p;
	r->options = all;
	if (name_size)
		r->count_header = memcpy(r + 1, all.count_header, name_size);
	for (int i = 0; i < LEVELS; i++)
		kp_list_init(&r->waiting[i]);
	kp_list_init(&r->ended);
	kp_list_init(&r->given);
	return r;
}

static void free_all(kp_list *list)
{
	kp_list *n;
	while ((n = kp_list_pop_front(list)))
		kp_resend_free(KP_CONTAINER_OF(n, kp_resend, link));
}

void kp_resender_free(kp_resender *r)
{
	if (!r || kp_is_forked(r->producer)) /* the memory stays, as all of the producer's: fork.c */
		return;
	kp_producer *p = r->producer;
	pthread_mutex_lock(&p->shared.mutex);
	for (int i = 0; i < LEVELS; i++)
		free_all(&r->waiting[i]);
	free_all(&r->ended);
	r->is_orphan = true;
	bool is_last = r->n_under_way == 0;
	pthread_mutex_unlock(&p->shared.mutex);
	free_all(&r->given);
	if (is_last)
		kp_mem_free(r);
}

size_t kp_resender_pending(kp_resender *r)
{
	if (kp_is_forked(r->producer))
		return 0;
	pthread_mutex_lock(&r->producer->shared.mutex);
	size_t n = r->n_held;
	pthread_mutex_unlock(&r->producer->shared.mutex);
	return n;
}

/* ------------------------------------------------------------------ offered */

static int refusal(const kp_resender *r, const kp_report *report)
{
	if (report->outcome == KP_PERSISTED || !report->error)
		return KP_ERR_BAD_ARGUMENT;
	if (report->outcome == KP_UNKNOWN && !(r->options.flags & KP_RESEND_UNKNOWN))
		return KP_ERR_MAY_DOUBLE;
	if (!kp_may_succeed_later(report))
		return KP_ERR_NOT_RETRIABLE;
	return report->flags & KP_REPORT_NO_CONTENT ? KP_ERR_NO_MEMORY : KP_OK;
}

/* Under the mutex. */
static void wait_for_turn(kp_resend *e, int64_t now_us)
{
	const kp_resend_options *o = &e->resender->options;
	int level = e->n_sent < LEVELS ? e->n_sent : LEVELS - 1;
	int64_t delay_ms = (int64_t)o->delay_ms << level;
	if (delay_ms > o->delay_max_ms)
		delay_ms = o->delay_max_ms;
	e->due_us = now_us + delay_ms * 1000;
	kp_list_push_back(&e->resender->waiting[level], &e->link);
}

/* Under the mutex: KP_OK, and the bytes count. */
static int take_bytes(kp_resender *r, size_t bytes)
{
	if (r->producer->shared.is_closing)
		return KP_ERR_CLOSED;
	if (bytes > r->options.max_bytes - r->bytes)
		return KP_ERR_RESENDER_FULL;
	r->bytes += bytes;
	r->n_held++;
	return KP_OK;
}

static void give_bytes(kp_resender *r, size_t bytes)
{
	r->bytes -= bytes;
	r->n_held--;
}

int kp_resender_offer(kp_resender *r, const kp_report *report)
{
	kp_producer *p = r->producer;
	if (kp_is_forked(p))
		return KP_ERR_FORKED;
	if (!report || !kp_report_has_size(report))
		return KP_ERR_BAD_ARGUMENT;
	const kp_report whole = kp_report_whole(report);
	int err = refusal(r, &whole);
	if (err)
		return err;
	kp_topic *topic = kp_topic_open(p, whole.topic);
	if (!topic)
		return KP_ERR_NO_MEMORY;
	size_t bytes = kp_resend_size(&whole, r->count_header);
	pthread_mutex_lock(&p->shared.mutex);
	err = take_bytes(r, bytes);
	pthread_mutex_unlock(&p->shared.mutex);
	if (err)
		return err;
	kp_resend *e = kp_resend_new(&whole, bytes, r->count_header);
	if (e) {
		e->resender = r;
		e->topic = topic;
		e->group = (kp_group){record_ended, whole.opaque};
	}
	pthread_mutex_lock(&p->shared.mutex);
	if (e)
		wait_for_turn(e, kp_time_mono_us());
	else
		give_bytes(r, bytes);
	pthread_cond_broadcast(&p->shared.cond);
	pthread_mutex_unlock(&p->shared.mutex);
	return e ? KP_OK : KP_ERR_NO_MEMORY;
}

/* ------------------------------------------------------------------ sent and ended */

/* Under the mutex. */
static void settle(kp_resend *e, const kp_report *last)
{
	kp_resender *r = e->resender;
	bool may_go_on = e->n_sent < r->options.max_attempts && !r->producer->shared.is_closing && refusal(r, &e->report) == KP_OK;
	if (may_go_on) {
		wait_for_turn(e, kp_time_mono_us());
		return;
	}
	kp_resend_keep_words(e, last);
	kp_list_push_back(&r->ended, &e->link);
}

/* Loop. */
static bool record_ended(kp_producer *p, kp_group *group, const kp_report *report)
{
	kp_resend *e = KP_CONTAINER_OF(group, kp_resend, group);
	kp_resender *r = e->resender;
	pthread_mutex_lock(&p->shared.mutex);
	r->n_under_way--;
	kp_resend_add_end(e, report);
	bool is_orphan = r->is_orphan, is_last = is_orphan && r->n_under_way == 0;
	if (!is_orphan)
		settle(e, report);
	pthread_cond_broadcast(&p->shared.cond);
	pthread_mutex_unlock(&p->shared.mutex);
	if (is_orphan)
		kp_resend_free(e);
	if (is_last)
		kp_mem_free(r);
	return true;
}

/* Under the mutex: the record that is to be sent next, or NULL. */
static kp_resend *next_waiting(kp_resender *r)
{
	kp_resend *next = NULL;
	for (int i = 0; i < LEVELS; i++) {
		kp_list *n = kp_list_first(&r->waiting[i]);
		kp_resend *e = n ? KP_CONTAINER_OF(n, kp_resend, link) : NULL;
		if (e && (!next || e->due_us < next->due_us))
			next = e;
	}
	return next;
}

/* Under the mutex, which opens meanwhile. False: there was no room, and the record waits as before. */
static bool send_one(kp_resender *r, kp_resend *e, int64_t until_us)
{
	kp_producer *p = r->producer;
	int level = e->n_sent < LEVELS ? e->n_sent : LEVELS - 1;
	kp_list_remove(&e->link);
	e->n_sent++;
	r->n_under_way++;
	kp_resend_count(e);
	pthread_mutex_unlock(&p->shared.mutex);
	int err = kp_append_record(e->topic, &e->record, &e->group, until_us);
	pthread_mutex_lock(&p->shared.mutex);
	if (!err)
		return true; /* the loop may have seen its end by now */
	r->n_under_way--;
	e->n_sent--;
	if (err == KP_ERR_QUEUE_FULL || err == KP_ERR_NO_MEMORY) {
		kp_list_push_front(&r->waiting[level], &e->link);
		return false;
	}
	e->report.error = err;
	kp_list_push_back(&r->ended, &e->link);
	return true;
}

/* Under the mutex: send what is due. Returns when to look again. */
static int64_t send_due(kp_resender *r, int64_t until_us)
{
	kp_resend *e;
	while ((e = next_waiting(r))) {
		int64_t now_us = kp_time_mono_us();
		/* after the close nothing is sent any more: all that waits hears of it now */
		if (e->due_us > now_us && !r->producer->shared.is_closing)
			return e->due_us;
		/* who has something to give does not wait for room */
		if (!send_one(r, e, kp_list_empty(&r->ended) ? until_us : 0))
			return kp_time_mono_us() + NO_ROOM_REST_US;
	}
	return KP_TIME_NEVER;
}

/* Under the mutex. */
static size_t give_ended(kp_resender *r, kp_report *out, size_t max)
{
	kp_list *n;
	size_t k = 0;
	while (k < max && (n = kp_list_pop_front(&r->ended))) {
		kp_report_put(out, k++, &KP_CONTAINER_OF(n, kp_resend, link)->report);
		kp_list_push_back(&r->given, n);
	}
	return k;
}

/* Under the mutex: what the last poll gave goes. */
static void free_given(kp_resender *r)
{
	kp_list *n;
	while ((n = kp_list_pop_front(&r->given))) {
		kp_resend *e = KP_CONTAINER_OF(n, kp_resend, link);
		r->bytes -= e->bytes;
		kp_resend_free(e);
	}
}

static void sleep_until(kp_producer *p, int64_t at_us)
{
	struct timespec at = kp_abs_time(at_us);
	if (at_us == KP_TIME_NEVER)
		pthread_cond_wait(&p->shared.cond, &p->shared.mutex);
	else
		pthread_cond_timedwait(&p->shared.cond, &p->shared.mutex, &at);
}

size_t kp_resender_poll(kp_resender *r, kp_report *out, size_t max, int timeout_ms)
{
	kp_producer *p = r->producer;
	size_t n;
	if (kp_is_forked(p) || max == 0 || !kp_report_room_is_good(p, "kp_resender_poll", out))
		return 0;
	if (kp_runtime_is_mine(p->runtime))
		timeout_ms = 0; /* what it would wait for comes from this thread */
	int64_t deadline_us = timeout_ms == 0 ? 0 : kp_deadline_us(kp_time_mono_us(), timeout_ms);
	pthread_mutex_lock(&p->shared.mutex);
	free_given(r);
	for (;;) {
		int64_t next_us = send_due(r, deadline_us);
		n = give_ended(r, out, max);
		r->n_held -= n;
		if (n > 0 || timeout_ms == 0 || kp_time_mono_us() >= deadline_us || (p->shared.is_closed && r->n_held == 0))
			break;
		sleep_until(p, next_us < deadline_us ? next_us : deadline_us);
	}
	pthread_mutex_unlock(&p->shared.mutex);
	return n;
}
