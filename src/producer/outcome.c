/*
 * outcome.c - how an attempt ends and what becomes of its batch: persisted, sent again as it is, stamped anew after a gap, or given up.
 *
 * Bytes, producer id, epoch and sequence of a batch are frozen from its first attempt. They may change only when every attempt was
 * answered with a code that the broker gives before it appends. A batch with an attempt of open fate ends *unknown* or persisted, never
 * *not persisted*.
 *
 * A gap is found, not guessed: when a batch is lost from the middle, the next one's OUT_OF_ORDER_SEQUENCE_NUMBER at the head of the line
 * shows it. Then the partition drains (nothing leaves until nothing is in flight), proven-rejected batches are stamped anew with the next
 * epoch (KIP-360), those of open fate end unknown, and the rest goes on.
 *
 * A batch that was too large, or of which the broker named the records to blame, is built anew (split.c), under the same condition.
 */
#include <kproducer/error.h>

#include "base/time.h"
#include "cluster/backoff.h"
#include "producer/engine_impl.h"

void kp_batch_end(kp_engine *e, kp_batch *b, int error, kp_outcome outcome, kp_stage stage)
{
	kp_partition *p = b->partition;
	b->error = error;
	b->outcome = outcome;
	b->stage = stage;
	KP_REACHED_END(outcome, stage);
	if (outcome != KP_PERSISTED) {
		kp_halt_if_lost(e, b, error);
		kp_txn_batch_lost(e, b, error);
	}
	kp_trail_end(b, e->loop.now_us);
	if (!b->is_stamped)
		atomic_fetch_sub_explicit(&p->shared.n_waiting, 1, memory_order_relaxed);
	if (b->call) {
		/* reported now; its request and its place in the sequence are still open */
		b->is_ended = true;
		KP_REACHED(BATCH_ENDED_IN_FLIGHT);
		atomic_fetch_add_explicit(&b->n_refs, 1, memory_order_relaxed);
	} else {
		kp_list_remove(&b->link);
	}
	_Atomic uint64_t *counter = outcome == KP_PERSISTED       ? &e->loop.persisted
	                            : outcome == KP_NOT_PERSISTED ? &e->loop.not_persisted
	                                                          : &e->loop.unknown;
	kp_count(counter, (uint64_t)b->n_records);
	kp_count(&e->loop.batches, 1);
	if (e->config.max_queued_records) {
		atomic_fetch_sub_explicit(&e->shared.n_queued, b->n_records, memory_order_relaxed);
		/* room came back, though perhaps no bytes (an unpolled report keeps them). release: who sees it finds the places */
		atomic_fetch_add_explicit(&e->shared.budget.n_freed, 1, memory_order_release);
	}
	kp_list_push_back(&e->loop.ended, &b->ended_link);
}

/* The attempt is over: no request carries the batch any more. True when the batch had been reported already. */
static bool attempt_over(kp_engine *e, kp_batch *b)
{
	b->call = NULL;
	kp_trail_back(b, e->loop.now_us);
	b->partition->loop.n_in_flight--;
	if (!b->is_ended)
		return false;
	KP_REACHED(BATCH_LATE_ANSWER);
	kp_list_remove(&b->link);
	kp_engine_release(e, b);
	return true;
}

/* Acknowledged batches end once all that were sent before them have: reports keep the order of sending. */
static void end_acked(kp_engine *e, kp_partition *p)
{
	kp_list *next;
	for (kp_list *n = p->loop.unresolved.next; n != &p->loop.unresolved; n = next) {
		kp_batch *b = KP_CONTAINER_OF(n, kp_batch, link);
		next = n->next;
		if (b->is_acked)
			kp_batch_end(e, b, 0, KP_PERSISTED, KP_STAGE_DONE);
		else if (!b->is_ended)
			return;
	}
}

void kp_attempt_succeeded(kp_engine *e, kp_batch *b, int64_t base_offset, int64_t log_append_time_ms, int64_t now_us)
{
	kp_partition *p = b->partition;
	if (b->producer_id == p->loop.producer_id && b->producer_epoch == p->loop.producer_epoch) {
		p->loop.is_stamp_known = true;
		p->loop.known_us = b->trail.sent_us;
	}
	p->loop.acked_us = now_us;
	p->loop.acked_node = b->last_node;
	if (!attempt_over(e, b)) {
		b->base_offset = base_offset;
		b->log_append_time_ms = log_append_time_ms;
		b->is_acked = true;
		if (p->loop.unresolved.next != &b->link)
			KP_REACHED(BATCH_ACKED_WAITING);
		size_t before = kp_batch_footprint(b);
		kp_batch_drop_data(b, &e->shared.budget);
		atomic_fetch_sub_explicit(&p->shared.bytes, (int64_t)(before - kp_batch_footprint(b)), memory_order_relaxed);
		end_acked(e, p);
	}
	p->loop.n_failures = 0;
	kp_topic_grow_batches(e, p->topic, now_us);
	if (!kp_partition_to_resend(p))
		p->loop.is_recovering = false;
	kp_partition_evaluate(e, p, now_us);
}

/* The sequence numbers of a batch that was certainly not appended are free again if nothing was stamped behind it. */
static void take_sequence_back(kp_engine *e, kp_partition *p, const kp_batch *b)
{
	bool is_last = p->loop.unresolved.prev == &b->link;
	if (e->config.idempotent && b->is_stamped && !b->call && !b->is_open_fate && is_last &&
	    b->producer_id == p->loop.producer_id && b->producer_epoch == p->loop.producer_epoch &&
	    kp_sequence_after(b->base_sequence, b->n_records) == p->loop.next_sequence) {
		KP_REACHED(BATCH_SEQUENCE_BACK);
		p->loop.next_sequence = b->base_sequence;
	}
}

void kp_give_up(kp_engine *e, kp_batch *b, int error, kp_stage stage)
{
	if (stage != KP_STAGE_DONE)
		kp_trail_explain(e, b);
	take_sequence_back(e, b->partition, b);
	kp_batch_end(e, b, error, b->is_open_fate || b->call ? KP_UNKNOWN : KP_NOT_PERSISTED, stage);
	end_acked(e, b->partition);
}

static void send_again(kp_engine *e, kp_partition *p, const kp_batch *b, int64_t now_us)
{
	int64_t pause = b->last_error == KP_ERR_CONCURRENT_TRANSACTIONS && kp_is_transactional(e)
	                        ? kp_txn_pause_us(b->attempts - 1)
	                        : kp_backoff_us(e->config.retry_backoff_us, e->config.retry_backoff_max_us, b->attempts - 1,
	                                        &e->loop.random);
	KP_REACHED(BATCH_TO_RESEND);
	if (!p->loop.is_recovering)
		KP_REACHED(PARTITION_RECOVERING);
	p->loop.is_recovering = true;
	p->loop.n_failures++;
	/* a shorter pause, of a batch behind, does not end a longer one */
	if (p->loop.backoff_until_us < now_us + pause)
		p->loop.backoff_until_us = now_us + pause;
	kp_count(&e->loop.retries, 1);
}

/* The records that the broker named end; the others keep the first of the batch's sequence numbers. */
static int expel(kp_engine *e, kp_partition *p, kp_batch *b, int error)
{
	kp_batch *culprits;
	int32_t next = p->loop.next_sequence, n_records = b->n_records;
	take_sequence_back(e, p, b);
	bool was_last = p->loop.next_sequence != next;
	int err = kp_batch_expel(e, b, &culprits);
	if (err) {
		p->loop.next_sequence = next;
		return err;
	}
	if (was_last)
		p->loop.next_sequence = kp_sequence_after(p->loop.next_sequence, n_records - culprits->n_records);
	kp_batch_end(e, culprits, error, KP_NOT_PERSISTED, KP_STAGE_DONE);
	return 0;
}

/* The batch was built anew, or could not be. */
static void rebuilt(kp_engine *e, kp_partition *p, kp_batch *b, int err, int64_t now_us)
{
	if (err == KP_ERR_WOULD_BLOCK || err == KP_ERR_NO_MEMORY)
		send_again(e, p, b, now_us); /* it is refused again, and built anew once there is memory */
	else if (err)
		kp_give_up(e, b, b->last_error, KP_STAGE_DONE);
	else
		p->loop.is_recovering = true; /* what has come of it goes one by one, ahead of the rest */
}

/* Another node has acknowledged an earlier batch since this attempt left, perhaps after this one's had looked at it. */
static bool is_overtaken(const kp_partition *p, const kp_batch *b, int64_t sent_us)
{
	return p->loop.acked_us >= sent_us && p->loop.acked_node != b->last_node;
}

/* sent_us: when the attempt left. */
static void sequence_refused(kp_engine *e, kp_batch *b, int error, int64_t sent_us, int64_t now_us)
{
	kp_partition *p = b->partition;
	if (p->loop.unresolved.next != &b->link || is_overtaken(p, b, sent_us)) {
		KP_REACHED(PARTITION_EARLIER_OPEN);
		/* an earlier batch is or was unresolved: it explains the refusal, and the same stamp will do once that one is through */
		send_again(e, p, b, now_us);
		return;
	}
	if (kp_is_transactional(e)) {
		kp_give_up(e, b, error, KP_STAGE_DONE); /* its epochs are the coordinator's to give */
		return;
	}
	KP_LOG(e->around.log, KP_LOG_WARN, now_us,
	       "sequence_gap topic=%s partition=%d error=%s producer_id=%lld epoch=%d sequence=%d: draining, before anything leaves with a new epoch",
	       p->topic->name, p->index, kp_error_name(error), (long long)b->producer_id, b->producer_epoch, b->base_sequence);
	p->loop.is_draining = true;
	kp_halt_if_lost(e, b, error);
	KP_REACHED(PARTITION_DRAINING);
	if (kp_error_on_produce(error) == KP_PRODUCE_NEW_ID) {
		KP_REACHED(ID_BANNED);
		p->loop.banned_producer_id = b->producer_id; /* somebody is ahead of us under this id: bumping may not be enough */
	}
}

static bool asks_for_metadata(int error)
{
	kp_on_produce what = kp_error_on_produce(error);
	return what == KP_PRODUCE_REFRESH || what == KP_PRODUCE_LEADER;
}

/* The table's word, as far as this batch and this producer allow it. */
static kp_on_produce what_to_do(const kp_engine *e, const kp_batch *b, int error)
{
	kp_on_produce what = kp_error_on_produce(error);
	if (kp_txn_is_giving_up(e))
		return KP_PRODUCE_FAIL;
	switch (what) {
	case KP_PRODUCE_SEQUENCE:
	case KP_PRODUCE_NEW_ID: return e->config.idempotent ? what : KP_PRODUCE_FAIL;
	case KP_PRODUCE_RETRY:
	case KP_PRODUCE_REFRESH:
	case KP_PRODUCE_LEADER: return b->attempts <= e->config.retries ? KP_PRODUCE_RETRY : KP_PRODUCE_FAIL;
	case KP_PRODUCE_SPLIT: return !b->is_open_fate && b->n_records > 1 ? what : KP_PRODUCE_FAIL;
	case KP_PRODUCE_RECORDS: return !b->is_open_fate && kp_batch_has_innocents(b) ? what : KP_PRODUCE_FAIL;
	default: return what;
	}
}

void kp_attempt_failed(kp_engine *e, kp_batch *b, int error, bool may_be_appended, int64_t now_us)
{
	kp_partition *p = b->partition;
	int64_t sent_us = b->trail.sent_us;
	if (attempt_over(e, b)) {
		kp_partition_evaluate(e, p, now_us);
		return;
	}
	b->last_error = error;
	if (may_be_appended && !b->is_open_fate)
		KP_REACHED(BATCH_OPEN_FATE);
	b->is_open_fate |= may_be_appended;
	if (asks_for_metadata(error))
		kp_metadata_stale(e, p->topic); /* also when this batch is given up: the next ones want the right leader */
	switch (what_to_do(e, b, error)) {
	case KP_PRODUCE_SEQUENCE:
	case KP_PRODUCE_NEW_ID: sequence_refused(e, b, error, sent_us, now_us); break;
	case KP_PRODUCE_RETRY: send_again(e, p, b, now_us); break;
	case KP_PRODUCE_SPLIT: rebuilt(e, p, b, kp_batch_split(e, b), now_us); break;
	case KP_PRODUCE_RECORDS: rebuilt(e, p, b, expel(e, p, b, error), now_us); break;
	default: kp_give_up(e, b, error, KP_STAGE_DONE); break;
	}
	if (!kp_partition_to_resend(p))
		p->loop.is_recovering = false;
	kp_partition_evaluate(e, p, now_us);
}

void kp_resolve_gap(kp_engine *e, kp_partition *p)
{
	kp_list again;
	kp_list *n;
	kp_list_init(&again);
	while ((n = kp_list_pop_front(&p->loop.unresolved))) {
		kp_batch *b = KP_CONTAINER_OF(n, kp_batch, link);
		if (b->is_acked || b->is_open_fate) {
			kp_batch_end(e, b, b->is_acked ? 0 : b->last_error, b->is_acked ? KP_PERSISTED : KP_UNKNOWN, KP_STAGE_DONE);
			continue;
		}
		b->is_stamped = false;
		KP_REACHED(BATCH_STAMPED_ANEW);
		atomic_fetch_add_explicit(&p->shared.n_waiting, 1, memory_order_relaxed);
		kp_list_push_back(&again, &b->link);
	}
	kp_list_splice_back(&again, &p->loop.ready);
	kp_list_splice_back(&p->loop.ready, &again);
	if (p->loop.producer_epoch == INT16_MAX) {
		KP_REACHED(ID_USED_UP);
		p->loop.banned_producer_id = p->loop.producer_id;
	}
	p->loop.producer_epoch = (int16_t)(p->loop.producer_epoch == INT16_MAX ? 0 : p->loop.producer_epoch + 1);
	p->loop.next_sequence = 0;
	p->loop.is_stamp_known = false;
	KP_REACHED(PARTITION_GAP_RESOLVED);
	p->loop.is_draining = false;
	p->loop.is_recovering = false;
	p->loop.backoff_until_us = 0;
}

kp_stage kp_stage_of(const kp_batch *b)
{
	if (b->call)
		return KP_STAGE_IN_FLIGHT;
	if (b->partition->index == KP_PENDING_INDEX)
		return KP_STAGE_NO_METADATA;
	return b->partition->loop.leader ? KP_STAGE_QUEUED : KP_STAGE_NO_LEADER;
}

static void end_ready(kp_engine *e, kp_partition *p, int error, bool is_last_error)
{
	kp_list *next;
	for (kp_list *n = p->loop.ready.next; n != &p->loop.ready; n = next) {
		kp_batch *b = KP_CONTAINER_OF(n, kp_batch, link);
		next = n->next;
		if (!kp_batch_is_sealed(b))
			continue;
		if (is_last_error)
			b->last_error = error;
		kp_give_up(e, b, error, kp_stage_of(b));
	}
}

/* End everything of a partition that no request carries. */
static void fail_waiting(kp_engine *e, kp_partition *p, int error, int64_t now_us, bool is_last_error)
{
	kp_batch *unresolved;
	kp_detach_open(p);
	kp_partition_adopt(e, p);
	while ((unresolved = kp_partition_to_resend(p))) {
		if (is_last_error)
			unresolved->last_error = error;
		kp_give_up(e, unresolved, error, kp_stage_of(unresolved));
	}
	end_ready(e, p, error, is_last_error);
	if (!kp_partition_to_resend(p))
		p->loop.is_recovering = false;
	kp_partition_evaluate(e, p, now_us);
}

void kp_fail_topic(kp_engine *e, kp_topic *t, int error, int64_t now_us)
{
	fail_waiting(e, t->shared.pending, error, now_us, true);
	for (int32_t i = 0; i < t->loop.n_made; i++)
		fail_waiting(e, kp_topic_partition(t, i), error, now_us, true);
}

static void purge_in_flight(kp_engine *e, kp_partition *p, int error)
{
	/* from the start again each time: others may end with the one that was given up */
	for (kp_list *n = p->loop.unresolved.next; n != &p->loop.unresolved;) {
		kp_batch *b = KP_CONTAINER_OF(n, kp_batch, link);
		bool is_to_end = b->call && !b->is_ended;
		if (is_to_end)
			kp_give_up(e, b, error, KP_STAGE_IN_FLIGHT);
		n = is_to_end ? p->loop.unresolved.next : n->next;
	}
}

static void purge_partition(kp_engine *e, kp_partition *p, int what, int error, int64_t now_us)
{
	if (what & KP_PURGE_IN_FLIGHT) {
		purge_in_flight(e, p, error);
		kp_partition_evaluate(e, p, now_us);
	}
	if (what & KP_PURGE_QUEUED)
		fail_waiting(e, p, error, now_us, false);
}

static void purge_unseen(kp_engine *e, kp_partition *pending, int64_t error)
{
	kp_detach_open(pending);
	kp_partition_adopt(e, pending);
	end_ready(e, pending, (int)error, false);
}

void kp_engine_purge(kp_engine *e, int what, int error, int64_t now_us)
{
	e->loop.now_us = now_us;
	/* records of a topic that no turn has seen yet count too */
	if (kp_metadata_adopt_topics(e, now_us) && what & KP_PURGE_QUEUED)
		kp_metadata_each_unseen(e, purge_unseen, error); /* a close must not wait until there is memory */
	for (kp_list *n = e->loop.topics.next; n != &e->loop.topics; n = n->next) {
		kp_topic *t = KP_CONTAINER_OF(n, kp_topic, loop.link);
		purge_partition(e, t->shared.pending, what, error, now_us);
		for (int32_t i = 0; i < t->loop.n_made; i++)
			purge_partition(e, kp_topic_partition(t, i), what, error, now_us);
	}
}
