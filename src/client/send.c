/*
 * send.c - from the caller's record to the engine's append half, and the wait when there is no room.
 */
#include <errno.h>

#include <kproducer/error.h>

#include "base/mem.h"
#include "base/time.h"
#include "client/producer_impl.h"
#include "producer/topic.h"

#define HEADERS_AT_ONCE 32 /* kept on the stack; more are allocated */

kp_producer *kp_topic_producer(const kp_topic *t)
{
	return t->owner;
}

static bool is_valid(const kp_record *r)
{
	return r->struct_size == sizeof(*r) && (r->key || r->key_len == 0) && (r->value || r->value_len == 0) &&
	       (r->headers || r->n_headers == 0) && r->partition >= KP_PARTITION_ANY && r->timestamp_ms >= KP_TIMESTAMP_NOW;
}

/* How long a call may wait for room, beside max.block.ms: until a time of the monotonic clock, or one of these. */
#define NOT_AT_ALL INT64_C(0)
#define AS_CONFIGURED KP_TIME_NEVER

static int wait_for_room(kp_topic *t, const kp_append_args *a, int64_t until_us);

static int append_or_wait(kp_topic *t, const kp_append_args *a, int64_t until_us)
{
	int err = kp_engine_append(t, a);
	if (KP_LIKELY(err != KP_ERR_WOULD_BLOCK))
		return err;
	if (until_us != NOT_AT_ALL)
		return wait_for_room(t, a, until_us);
	kp_engine_hurry(t->engine);
	return KP_ERR_QUEUE_FULL;
}

static KP_NOINLINE int append_with_headers(kp_topic *t, const kp_record *r, kp_append_args *a, int64_t until_us)
{
	kp_record_header small[HEADERS_AT_ONCE], *h = small;
	if (r->n_headers > HEADERS_AT_ONCE)
		h = kp_mem_calloc(r->n_headers, sizeof(*h));
	if (!h)
		return KP_ERR_NO_MEMORY;
	int err = KP_OK;
	for (size_t i = 0; i < r->n_headers && !err; i++) {
		h[i] = (kp_record_header){kp_slice_cstr(r->headers[i].name),
		                          kp_slice_of(r->headers[i].value, r->headers[i].value_len)};
		if (!r->headers[i].name)
			err = KP_ERR_BAD_ARGUMENT;
	}
	a->content.headers = h;
	a->content.n_headers = r->n_headers;
	if (!err)
		err = append_or_wait(t, a, until_us);
	if (h != small)
		kp_mem_free(h);
	return err;
}

/* Nothing that is done again would have it accepted: whoever overlooks the code must not commit a part of what he meant to. */
static KP_NOINLINE int refused(kp_topic *t, int err)
{
	if (err == KP_ERR_RECORD_TOO_LARGE || err == KP_ERR_UNKNOWN_PARTITION || err == KP_ERR_BAD_ARGUMENT)
		kp_engine_txn_refused(t->engine, err);
	return err;
}

static inline int append_record(kp_topic *t, const kp_record *r, kp_group *group, int64_t until_us, int64_t now_ms)
{
	if (KP_UNLIKELY(!is_valid(r)))
		return refused(t, KP_ERR_BAD_ARGUMENT);
	kp_append_args a = {
		.content = {.key = kp_slice_of(r->key, r->key_len), .value = kp_slice_of(r->value, r->value_len)},
		.timestamp_ms = r->timestamp_ms == KP_TIMESTAMP_NOW ? now_ms : r->timestamp_ms,
		.partition = r->partition,
		.is_group = group != NULL,
		.is_now = r->timestamp_ms == KP_TIMESTAMP_NOW,
		.opaque = group ? (void *)group : r->opaque,
	};
	int err = KP_UNLIKELY(r->n_headers > 0) ? append_with_headers(t, r, &a, until_us) : append_or_wait(t, &a, until_us);
	return KP_UNLIKELY(err != 0) ? refused(t, err) : 0;
}

int kp_append_record(kp_topic *t, const kp_record *r, kp_group *group, int64_t until_us)
{
	return append_record(t, r, group, until_us, kp_time_wall_coarse_ms());
}

int kp_send(kp_topic *t, const kp_record *r)
{
	if (kp_topic_is_forked(t))
		return KP_ERR_FORKED;
	return append_record(t, r, NULL, AS_CONFIGURED, kp_time_wall_coarse_ms());
}

int kp_try_send(kp_topic *t, const kp_record *r)
{
	if (kp_topic_is_forked(t))
		return KP_ERR_FORKED;
	return append_record(t, r, NULL, NOT_AT_ALL, kp_time_wall_coarse_ms());
}

const kp_record *kp_record_at(const kp_record *records, size_t i)
{
	return (const kp_record *)(const void *)((const char *)records + i * records->struct_size);
}

size_t kp_send_many(kp_topic *t, const kp_record *records, size_t n, int *error)
{
	int err = kp_topic_is_forked(t) ? KP_ERR_FORKED : KP_OK;
	size_t i = 0;
	int64_t now_ms = kp_time_wall_coarse_ms();
	for (; i < n && !err; i++) {
		err = append_record(t, kp_record_at(records, i), NULL, AS_CONFIGURED, now_ms);
		if (KP_UNLIKELY(err))
			break;
	}
	if (error)
		*error = err;
	return i;
}

/* ------------------------------------------------------------------ no room */

/* Under the mutex: sleep until room came back since `seen`, or the deadline. */
static bool sleep_for_room(kp_producer *p, uint64_t seen, int64_t deadline_us)
{
	struct timespec at = kp_abs_time(deadline_us);
	int err = 0;
	while (kp_engine_room_generation(p->engine) == seen && !p->shared.is_closing && err != ETIMEDOUT)
		err = deadline_us == KP_TIME_NEVER ? pthread_cond_wait(&p->shared.cond, &p->shared.mutex)
		                                   : pthread_cond_timedwait(&p->shared.cond, &p->shared.mutex, &at);
	return err != ETIMEDOUT;
}

/* Under the mutex: with drop_oldest, have the loop drop a batch, unless room came back already. */
static void wish_for_drop(kp_producer *p, uint64_t seen)
{
	if (p->settings.engine.full_policy != KP_FULL_DROP_OLDEST || kp_engine_room_generation(p->engine) != seen)
		return;
	p->shared.wants_drop = true;
	if (p->shared.task)
		kp_task_wake(p->shared.task);
}

static int retry_until(kp_producer *p, kp_topic *t, const kp_append_args *a, int64_t deadline_us)
{
	uint64_t transaction = kp_engine_txn_number(p->engine);
	for (;;) {
		uint64_t seen = kp_engine_room_generation(p->engine);
		/* it was meant for the transaction that was open then */
		int err = kp_engine_txn_number(p->engine) == transaction ? kp_engine_append(t, a) : KP_ERR_NO_TRANSACTION;
		if (err != KP_ERR_WOULD_BLOCK)
			return err;
		pthread_mutex_lock(&p->shared.mutex);
		p->shared.n_waiting++;
		wish_for_drop(p, seen);
		bool is_in_time = sleep_for_room(p, seen, deadline_us);
		p->shared.n_waiting--;
		bool is_closing = p->shared.is_closing;
		pthread_mutex_unlock(&p->shared.mutex);
		if (is_closing)
			return KP_ERR_CLOSED;
		/* also when room came back, but others were quicker time and again */
		if (!is_in_time || kp_time_mono_us() >= deadline_us)
			return KP_ERR_QUEUE_FULL;
	}
}

static KP_NOINLINE int wait_for_room(kp_topic *t, const kp_append_args *a, int64_t until_us)
{
	kp_producer *p = kp_topic_producer(t);
	if (p->settings.engine.full_policy == KP_FULL_REFUSE || p->settings.max_block_ms == 0 || kp_runtime_is_mine(p->runtime)) {
		kp_engine_hurry(t->engine);
		return KP_ERR_QUEUE_FULL;
	}
	/* the wish closes open batches without linger */
	kp_engine_wants_room(p->engine, 1);
	int64_t deadline_us = kp_time_mono_us() + p->settings.max_block_ms * 1000;
	kp_append_args late = *a;
	late.is_now = false; /* the time of the call, not of the room */
	int err = retry_until(p, t, &late, deadline_us < until_us ? deadline_us : until_us);
	kp_engine_wants_room(p->engine, -1);
	return err;
}
