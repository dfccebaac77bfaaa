/*
 * notify.c - how the append half tells the loop of work: a stack of partitions, and a wake-up only when the loop may be asleep.
 *
 * No wake-up is lost: the notifier pushes, then reads is_sleeping; the loop sets is_sleeping, then looks at the stack once more. Both
 * are sequentially consistent, so at least one of the two sees the other's write.
 */
#include "producer/engine_impl.h"

static void wake_if_asleep(kp_engine *e)
{
	if (atomic_load_explicit(&e->shared.is_sleeping, memory_order_seq_cst) &&
	    atomic_exchange_explicit(&e->shared.is_sleeping, false, memory_order_seq_cst))
		e->around.wake(e->around.opaque);
}

void kp_notify_partition(kp_engine *e, kp_partition *p)
{
	/* acq_rel: whoever sees the flag cleared pushes; what was written before is seen by who takes the stack */
	if (atomic_exchange_explicit(&p->shared.is_notified, true, memory_order_acq_rel))
		return;
	kp_partition *head = atomic_load_explicit(&e->shared.notified, memory_order_relaxed);
	do {
		p->shared.next_notified = head;
	} while (!atomic_compare_exchange_weak_explicit(&e->shared.notified, &head, p, memory_order_seq_cst, memory_order_relaxed));
	wake_if_asleep(e);
}

void kp_notify_news(kp_engine *e)
{
	atomic_store_explicit(&e->shared.has_news, true, memory_order_seq_cst);
	wake_if_asleep(e);
}

kp_partition *kp_notified_take(kp_engine *e)
{
	return atomic_exchange_explicit(&e->shared.notified, NULL, memory_order_acq_rel);
}
