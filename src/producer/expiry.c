/*
 * expiry.c - which batch is the oldest: to end it at delivery.timeout.ms, or to drop it for room (queue.full.policy=drop_oldest). Loop thread.
 *
 * Within a partition batches stand in order of age. Between partitions two heaps tell: `expiries` by the first batch that has not ended,
 * `evictions` by the first that was never sent. Thousands of batches come and go before one expires, so a heap is set right only where it
 * is looked at: a partition may stand too early in it, never too late. A topic that memory was out for has no place there; what it holds
 * is looked at in each turn (age_pending in engine.c).
 */
#include <kproducer/error.h>

#include "base/time.h"
#include "producer/engine_impl.h"

int kp_timers_room(kp_engine *e, size_t n_partitions, size_t n_brokers)
{
	size_t n = atomic_load_explicit(&e->shared.n_partitions, memory_order_relaxed) + n_partitions;
	bool is_had = !kp_timers_reserve(&e->loop.timers, n + e->loop.n_brokers + n_brokers) &&
	              !kp_timers_reserve(&e->loop.expiries, n) && !kp_timers_reserve(&e->loop.evictions, n);
	return is_had ? 0 : KP_ERR_NO_MEMORY;
}

static int64_t due_us(const kp_engine *e, const kp_batch *b)
{
	return b->created_us + e->config.delivery_timeout_us;
}

/* The oldest batch that has not ended. An acknowledged one has but for its turn, whatever its age. */
static kp_batch *first_to_expire(const kp_partition *p)
{
	for (const kp_list *n = p->loop.unresolved.next; n != &p->loop.unresolved; n = n->next) {
		kp_batch *b = KP_CONTAINER_OF(n, kp_batch, link);
		if (!b->is_acked && !b->is_ended)
			return b;
	}
	const kp_list *first = p->loop.ready.next;
	return first != &p->loop.ready ? KP_CONTAINER_OF(first, kp_batch, link) : NULL;
}

static kp_batch *first_to_evict(const kp_partition *p)
{
	for (const kp_list *n = p->loop.ready.next; n != &p->loop.ready; n = n->next) {
		kp_batch *b = KP_CONTAINER_OF(n, kp_batch, link);
		if (!b->is_open_fate)
			return b;
	}
	return NULL;
}

static void set_earlier(kp_timers *t, kp_timer *timer, int64_t at_us)
{
	if (!timer->index || at_us < timer->at_us)
		kp_timers_set(t, timer, at_us);
}

void kp_expiry_look(kp_engine *e, kp_partition *p)
{
	const kp_batch *b;
	if (!p->topic->loop.meta)
		return;
	if ((b = first_to_expire(p)))
		set_earlier(&e->loop.expiries, &p->loop.expiry, due_us(e, b));
	if ((b = first_to_evict(p)))
		set_earlier(&e->loop.evictions, &p->loop.eviction, b->created_us);
}

int64_t kp_partition_expire(kp_engine *e, kp_partition *p, int64_t now_us)
{
	kp_batch *b;
	while ((b = first_to_expire(p)) && due_us(e, b) <= now_us) {
		if (!kp_batch_is_sealed(b))
			return KP_TIME_NEVER; /* its thread is about to finish, and notifies */
		kp_give_up(e, b, KP_ERR_DELIVERY_TIMEOUT, kp_stage_of(b));
		kp_partition_evaluate(e, p, now_us);
	}
	return b ? due_us(e, b) : KP_TIME_NEVER;
}

void kp_expire(kp_engine *e, int64_t now_us)
{
	kp_timer *t;
	while ((t = kp_timers_pop(&e->loop.expiries, now_us))) {
		kp_partition *p = KP_CONTAINER_OF(t, kp_partition, loop.expiry);
		int64_t next_us = kp_partition_expire(e, p, now_us);
		if (next_us == KP_TIME_NEVER)
			kp_timers_clear(&e->loop.expiries, t); /* looking at it may have set it */
		else
			kp_timers_set(&e->loop.expiries, t, next_us);
	}
}

int64_t kp_expiry_next(kp_engine *e, int64_t before_us)
{
	kp_timer *t;
	while ((t = kp_timers_first(&e->loop.expiries)) && t->at_us < before_us) {
		const kp_batch *b = first_to_expire(KP_CONTAINER_OF(t, kp_partition, loop.expiry));
		if (!b)
			kp_timers_clear(&e->loop.expiries, t);
		else if (due_us(e, b) > t->at_us)
			kp_timers_set(&e->loop.expiries, t, due_us(e, b));
		else
			return t->at_us;
	}
	return before_us;
}

/* ------------------------------------------------------------------ drop_oldest */

static bool evict(kp_engine *e, kp_batch *b)
{
	if (!b || !kp_batch_is_sealed(b))
		return false;
	kp_give_up(e, b, KP_ERR_QUEUE_EVICTED, kp_stage_of(b));
	return true;
}

static bool evict_oldest(kp_engine *e)
{
	kp_timer *t;
	while ((t = kp_timers_pop(&e->loop.evictions, KP_TIME_NEVER))) {
		kp_partition *p = KP_CONTAINER_OF(t, kp_partition, loop.eviction);
		kp_batch *b = first_to_evict(p);
		bool is_right = b && b->created_us <= t->at_us, is_gone = is_right && evict(e, b);
		if (is_gone)
			b = first_to_evict(p);
		/* one that is not sealed yet stands there again when its thread has finished */
		if (b && (is_gone || !is_right))
			kp_timers_set(&e->loop.evictions, t, b->created_us);
		if (is_gone)
			return true;
	}
	return false;
}

void kp_close_all(kp_engine *e, int64_t now_us)
{
	for (kp_list *n = e->loop.topics.next; n != &e->loop.topics; n = n->next) {
		kp_topic *t = KP_CONTAINER_OF(n, kp_topic, loop.link);
		for (int32_t i = -1; i < t->loop.n_made; i++) {
			kp_partition *p = i < 0 ? t->shared.pending : kp_topic_partition(t, i);
			kp_detach_open(p);
			kp_partition_evaluate(e, p, now_us);
		}
	}
}

bool kp_engine_drop_oldest(kp_engine *e, int64_t now_us)
{
	e->loop.now_us = now_us;
	(void)kp_metadata_adopt_topics(e, now_us); /* as in kp_engine_purge */
	if (evict_oldest(e))
		return true;
	/* nothing adopted is unsent: close the open batches and look again */
	kp_close_all(e, now_us);
	return evict_oldest(e);
}
