/*
 * partition.c - what a partition does next: adopt what the append half closed, wait for linger or back-off, stand in its leader's list of
 * partitions that can send, give up its next batch. Loop thread.
 */
#include <kproducer/error.h>

#include "base/time.h"
#include "producer/engine_impl.h"

#define MAX_UNRESOLVED 5 /* what a broker remembers per producer id and partition (ProducerStateEntry.NUM_BATCHES_TO_RETAIN) */

static void adopt_list(kp_engine *e, kp_partition *p, kp_list *detached)
{
	kp_list *n;
	while ((n = kp_list_pop_front(detached))) {
		kp_batch *b = KP_CONTAINER_OF(n, kp_batch, link);
		b->serial = e->loop.next_serial++;
		b->is_adopted = true;
		if (b->is_seal_due) {
			b->is_seal_due = false;
			kp_seal_batch(e, b);
			atomic_store_explicit(&e->shared.is_seal_lent, false, memory_order_relaxed);
		}
		kp_trail_adopted(p, b);
		kp_list_push_back(&e->loop.by_serial, &b->serial_link);
		kp_list_push_back(&p->loop.ready, &b->link);
	}
	kp_expiry_look(e, p);
}

void kp_partition_adopt(kp_engine *e, kp_partition *p)
{
	kp_list detached;
	kp_list_init(&detached);
	kp_lock_acquire(&p->shared.lock);
	kp_list_splice_back(&detached, &p->shared.queue);
	p->loop.open_created_us = p->shared.open ? p->shared.open->created_us : -1;
	int64_t open_routed_us = p->shared.open ? p->shared.open->routed_us : -1;
	kp_lock_release(&p->shared.lock);
	adopt_list(e, p, &detached);
	kp_trail_open_seen(p, open_routed_us);
}

void kp_partition_stop_taking(kp_engine *e, kp_partition *p)
{
	kp_list detached;
	kp_list_init(&detached);
	kp_lock_acquire(&p->shared.lock);
	p->shared.is_halted = true;
	kp_batch *open = p->shared.open ? kp_close_open(p) : NULL;
	if (open)
		open->is_seal_due = true;
	kp_list_splice_back(&detached, &p->shared.queue);
	atomic_store_explicit(&p->shared.is_available, false, memory_order_relaxed);
	kp_lock_release(&p->shared.lock);
	p->loop.open_created_us = -1;
	adopt_list(e, p, &detached);
	kp_trail_open_seen(p, -1);
}

void kp_partition_adopt_all(kp_engine *e, kp_partition *p)
{
	kp_list detached;
	kp_list_init(&detached);
	if (p->shared.open)
		(void)kp_close_open(p); /* `pending` seals nothing */
	kp_list_splice_back(&detached, &p->shared.queue);
	p->loop.open_created_us = -1;
	adopt_list(e, p, &detached);
}

kp_batch *kp_partition_to_resend(const kp_partition *p)
{
	for (const kp_list *n = p->loop.unresolved.next; n != &p->loop.unresolved; n = n->next) {
		kp_batch *b = KP_CONTAINER_OF(n, kp_batch, link);
		if (!b->call && !b->is_acked)
			return b;
	}
	return NULL;
}

/*
 * No new batch may leave: the first unresolved one could fall out of what the broker remembers (it may have appended it, and answer its
 * next attempt with OUT_OF_ORDER_SEQUENCE_NUMBER then). Acknowledged ones count, for they lie in between.
 */
static bool window_is_full(const kp_partition *p)
{
	int n_unresolved = 0; /* more than that after a split */
	for (const kp_list *n = p->loop.unresolved.next; n != &p->loop.unresolved && n_unresolved < MAX_UNRESOLVED; n = n->next)
		n_unresolved++;
	return n_unresolved >= MAX_UNRESOLVED;
}

static bool is_hurried(kp_engine *e)
{
	/* relaxed: a wish; the loop is notified of new ones */
	return e->loop.n_flushing > 0 || e->loop.is_hurrying || !kp_list_empty(&e->loop.moving) ||
	       atomic_load_explicit(&e->shared.n_wanting_room, memory_order_relaxed) > 0 ||
	       atomic_load_explicit(&e->shared.refusal, memory_order_relaxed) != 0;
}

static int64_t open_due_us(kp_engine *e, const kp_partition *p)
{
	if (p->loop.open_created_us < 0)
		return KP_TIME_NEVER;
	return is_hurried(e) ? p->loop.open_created_us : p->loop.open_created_us + e->config.linger_us;
}

/* Something could be sent at now, as far as the batches are concerned. */
static bool has_sendable(kp_engine *e, kp_partition *p, int64_t now_us)
{
	if (kp_partition_to_resend(p))
		return true;
	kp_list *first = kp_list_first(&p->loop.ready);
	if (first)
		return kp_batch_is_sealed(KP_CONTAINER_OF(first, kp_batch, link));
	return open_due_us(e, p) <= now_us;
}

size_t kp_partition_in_flight_limit(const kp_engine *e, const kp_partition *p)
{
	/*
	 * A broker without state for the id takes any sequence (ProducerAppendInfo.checkSequence). Were the first batch refused, as by a
	 * leader that has yet to learn of a new partition, the second would be taken and the first never again.
	 */
	if (p->loop.is_recovering || (e->config.idempotent && !p->loop.is_stamp_known))
		return 1;
	return e->config.max_in_flight < MAX_UNRESOLVED ? (size_t)e->config.max_in_flight : MAX_UNRESOLVED;
}

/* Something else has to happen before anything may leave, and evaluates again. */
static bool must_wait(kp_engine *e, kp_partition *p)
{
	if (p->index == KP_PENDING_INDEX || p->loop.is_draining || kp_halt_holds_next(p) ||
	    (size_t)p->loop.n_in_flight >= kp_partition_in_flight_limit(e, p) || kp_txn_holds(e, p))
		return true;
	bool is_window_full = window_is_full(p) && !kp_partition_to_resend(p);
	if (is_window_full)
		KP_REACHED(PARTITION_WINDOW_FULL);
	return is_window_full;
}

static void leave_ready_list(kp_partition *p)
{
	kp_broker *b = p->loop.leader;
	kp_list_remove(&p->loop.ready_link);
	/* with nothing waiting nobody can say that it takes nothing (partitioner.availability.timeout.ms) */
	if (b && kp_list_empty(&b->ready))
		atomic_store_explicit(&b->unready_since_us, -1, memory_order_relaxed);
}

static void enter_ready_list(kp_engine *e, kp_partition *p)
{
	kp_broker *b = p->loop.leader;
	if (!kp_list_linked(&p->loop.ready_link))
		kp_list_push_back(&b->ready, &p->loop.ready_link);
	if (!kp_list_linked(&b->send_link))
		kp_list_push_back(&e->loop.sendable, &b->send_link);
}

/* An open batch that nothing lets go grows too old like any other: then it is closed, and the engine's expiry finds it. */
static void close_if_expired(kp_engine *e, kp_partition *p, int64_t now_us)
{
	if (p->loop.open_created_us < 0 || now_us - p->loop.open_created_us < e->config.delivery_timeout_us)
		return;
	kp_detach_open(p);
	kp_partition_adopt(e, p);
}

/* The end of the pauses of its own and of the transaction. */
static int64_t pause_end_us(const kp_engine *e, const kp_partition *p)
{
	int64_t own = p->loop.backoff_until_us, of_all = e->loop.txn.pace.until_us;
	return own > of_all ? own : of_all;
}

void kp_partition_evaluate(kp_engine *e, kp_partition *p, int64_t now_us)
{
	kp_partition_adopt(e, p);
	close_if_expired(e, p, now_us);
	if (!p->topic->loop.meta)
		return; /* memory was out for its topic, which has no timer then: looked at in each turn, until it is adopted */
	kp_halt_step(e, p);
	if (p->loop.is_draining && p->loop.n_in_flight == 0) {
		kp_resolve_gap(e, p);
		kp_halt_step(e, p);
	}
	int64_t expiry = p->loop.open_created_us < 0 ? KP_TIME_NEVER : p->loop.open_created_us + e->config.delivery_timeout_us;
	int64_t wake = expiry;
	bool can_send = false, is_lingering = false;
	if (p->index == KP_PENDING_INDEX && !kp_list_linked(&p->topic->loop.moving_link) &&
	    (p->loop.open_created_us >= 0 || !kp_list_empty(&p->loop.ready)))
		kp_metadata_stale(e, p->topic); /* also when the last answer about the topic was a refusal */
	if (must_wait(e, p)) {
		/* what it waits for evaluates again */
	} else if (!has_sendable(e, p, now_us)) {
		int64_t due = open_due_us(e, p);
		is_lingering = due < expiry && kp_list_empty(&p->loop.ready);
		wake = is_lingering ? due : expiry;
	} else if (now_us < pause_end_us(e, p)) {
		wake = pause_end_us(e, p) < expiry ? pause_end_us(e, p) : expiry;
	} else if (!p->loop.leader) {
		kp_metadata_stale(e, p->topic);
	} else {
		can_send = true;
	}
	if (can_send)
		enter_ready_list(e, p);
	else
		leave_ready_list(p);
	if (!is_lingering)
		kp_list_remove(&p->loop.linger_link);
	else if (!kp_list_linked(&p->loop.linger_link))
		kp_list_push_back(&e->loop.lingering, &p->loop.linger_link);
	if (wake == KP_TIME_NEVER)
		kp_timers_clear(&e->loop.timers, &p->loop.timer);
	else
		kp_timers_set(&e->loop.timers, &p->loop.timer, wake);
}

void kp_partition_set_leader(kp_engine *e, kp_partition *p, kp_broker *leader, int64_t now_us)
{
	if (p->loop.leader != leader) {
		if (!leader)
			KP_REACHED(PARTITION_LEADER_LOST);
		else if (!p->loop.leader)
			KP_REACHED(PARTITION_LEADER_FOUND);
		else
			KP_REACHED(PARTITION_LEADER_MOVED);
		leave_ready_list(p);
	}
	p->loop.leader = leader;
	kp_trail_leader(p, leader != NULL, now_us);
	atomic_store_explicit(&p->shared.leader, leader, memory_order_relaxed);
	kp_lock_acquire(&p->shared.lock);
	atomic_store_explicit(&p->shared.is_available, leader && !p->shared.is_halted, memory_order_relaxed);
	kp_lock_release(&p->shared.lock);
	kp_partition_evaluate(e, p, now_us);
}

static void stamp(kp_engine *e, kp_partition *p, kp_batch *b)
{
	b->is_stamped = true;
	if (!e->config.idempotent) {
		kp_batch_set_stamp(b, -1, -1, -1);
		return;
	}
	kp_batch_set_stamp(b, p->loop.producer_id, p->loop.producer_epoch, p->loop.next_sequence);
	p->loop.next_sequence = kp_sequence_after(p->loop.next_sequence, b->n_records);
}

kp_batch *kp_partition_next_batch(kp_engine *e, kp_partition *p, int64_t now_us, size_t room)
{
	kp_batch *b = kp_partition_to_resend(p);
	if (b)
		return b->len <= room ? b : NULL;
	if (kp_list_empty(&p->loop.ready) && open_due_us(e, p) <= now_us) {
		kp_detach_open_within(p, room); /* one that does not fit goes on growing until the next request */
		kp_partition_adopt(e, p);
	}
	kp_list *first = kp_list_first(&p->loop.ready);
	if (!first)
		return NULL;
	b = KP_CONTAINER_OF(first, kp_batch, link);
	if (!kp_batch_is_sealed(b) || b->len > room || !kp_producer_id_for(e, p))
		return NULL;
	/* the broker may have forgotten an idle producer (producer.id.expiration.ms): as with a new id, see kp_partition_in_flight_limit */
	if (kp_list_empty(&p->loop.unresolved) && now_us - p->loop.known_us >= e->config.delivery_timeout_us)
		p->loop.is_stamp_known = false;
	stamp(e, p, b);
	atomic_fetch_sub_explicit(&p->shared.n_waiting, 1, memory_order_relaxed);
	kp_list_remove(&b->link);
	kp_list_push_back(&p->loop.unresolved, &b->link);
	return b;
}
