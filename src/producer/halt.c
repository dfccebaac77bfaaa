/*
 * halt.c - idempotence.on.gap=halt_partition: after a lost record its partition takes nothing more until the application says so.
 *
 *   a batch is lost ─▶ halt_error ─ next look at the partition ─▶ is_halted: appends are refused
 *                                                                 halted_below: what came before the halt leaves no more
 *                                                                 is_draining: what is in flight ends as it is answered
 *
 * What waits below halted_below ends *not persisted*; so does what the drain proves rejected. A resume lifts is_halted alone: records from
 * then on have higher serials, and leave once the drain is over, with a new epoch.
 */
#include <kproducer/error.h>

#include "producer/engine_impl.h"

/* Ends that the application asked for, or that follow from a halt, are no loss. */
static bool is_loss(int error)
{
	return error != KP_OK && error != KP_ERR_PURGED && error != KP_ERR_CLOSED && error != KP_ERR_QUEUE_EVICTED &&
	       error != KP_ERR_PARTITION_HALTED;
}

void kp_halt_if_lost(kp_engine *e, kp_batch *b, int error)
{
	kp_partition *p = b->partition;
	if (e->config.on_gap != KP_GAP_HALT || p->index == KP_PENDING_INDEX || b->serial < p->loop.halted_below || !is_loss(error))
		return;
	/* callers go through the partition's lists: the halt itself waits for the look at the partition that follows */
	if (!p->loop.halt_error)
		p->loop.halt_error = error;
}

static void halt(kp_engine *e, kp_partition *p)
{
	p->loop.halted_by = p->loop.halt_error;
	p->loop.halt_error = KP_OK;
	kp_partition_stop_taking(e, p);
	KP_REACHED(PARTITION_HALTED);
	p->loop.halted_below = e->loop.next_serial;
	p->loop.is_draining = true;
	/* what is given up from here on has another cause than what was in this turn */
	kp_cause_unref(p->loop.cause);
	p->loop.cause = NULL;
	KP_LOG(e->around.log, KP_LOG_ERROR, e->loop.now_us,
	       "partition_halted topic=%s partition=%d error=%s: it takes no records until kp_topic_resume is called",
	       p->topic->name, p->index, kp_error_name(p->loop.halted_by));
}

void kp_halt_step(kp_engine *e, kp_partition *p)
{
	if (p->loop.halt_error)
		halt(e, p);
	kp_list *next;
	for (kp_list *n = p->loop.ready.next; n != &p->loop.ready; n = next) {
		kp_batch *b = KP_CONTAINER_OF(n, kp_batch, link);
		next = n->next;
		if (b->serial >= p->loop.halted_below)
			return;
		if (!kp_batch_is_sealed(b))
			continue; /* its thread is about to finish, and notifies */
		kp_trail_explain(e, b);
		kp_batch_end(e, b, KP_ERR_PARTITION_HALTED, KP_NOT_PERSISTED,
		             p->loop.leader ? KP_STAGE_QUEUED : KP_STAGE_NO_LEADER);
	}
}

bool kp_halt_holds_next(const kp_partition *p)
{
	const kp_list *first = p->loop.ready.next;
	return first != &p->loop.ready && KP_CONTAINER_OF(first, kp_batch, link)->serial < p->loop.halted_below;
}

int kp_engine_resume(kp_topic *t, int32_t partition)
{
	/* acquire: the partitions made so far, also of a topic that has fewer by now */
	if (partition < 0 || partition >= atomic_load_explicit(&t->shared.n_ever, memory_order_acquire))
		return KP_ERR_UNKNOWN_PARTITION;
	kp_partition *p = kp_topic_partition(t, partition);
	kp_lock_acquire(&p->shared.lock);
	if (p->shared.is_halted)
		KP_REACHED(PARTITION_HALT_OVER);
	p->shared.is_halted = false;
	bool has_leader = atomic_load_explicit(&p->shared.leader, memory_order_relaxed) != NULL;
	atomic_store_explicit(&p->shared.is_available, has_leader, memory_order_relaxed);
	kp_lock_release(&p->shared.lock);
	return KP_OK;
}
