/*
 * producer_txn.c - the end of transactions in a partition's producer state, and what is stable. See producer_state.h.
 */
#include <assert.h>

#include "devbroker/producer_state.h"
#include "kproducer/error.h"

static kp_db_producer *find(const kp_db_producers *s, int64_t producer_id)
{
	return kp_map_get(&s->by_id, kp_slice_of(&producer_id, sizeof(producer_id)));
}

static kp_db_producer *unstable_of(const kp_list *n)
{
	return KP_CONTAINER_OF((kp_list *)(uintptr_t)n, kp_db_producer, unstable);
}

/* ProducerAppendInfo.checkProducerEpoch and checkCoordinatorEpoch. With KIP-890 the marker's epoch is above that of the records. */
int kp_db_producers_check_marker(const kp_db_producers *s, const kp_db_marker *m, int16_t version)
{
	const kp_db_producer *p = find(s, m->producer_id);
	if (!p)
		return 0;
	bool is_again = m->producer_epoch == p->epoch && (!p->is_open || p->epoch == INT16_MAX);
	if (version >= 2 ? m->producer_epoch <= p->epoch && !is_again : m->producer_epoch < p->epoch)
		return KP_ERR_INVALID_PRODUCER_EPOCH;
	return p->coordinator_epoch > m->coordinator_epoch ? KP_ERR_TRANSACTION_COORDINATOR_FENCED : 0;
}

int64_t kp_db_producers_end(kp_db_producers *s, const kp_db_marker *m, int64_t offset)
{
	kp_db_producer *p = find(s, m->producer_id);
	assert(p);
	bool is_next_waiting = p->verification.is_adding && p->verification.epoch == m->producer_epoch;
	if (!is_next_waiting)
		p->verification.is_open = false;
	if (p->epoch != m->producer_epoch)
		p->n_batches = 0;
	p->epoch = m->producer_epoch;
	p->coordinator_epoch = m->coordinator_epoch;
	if (!p->is_open)
		return -1;
	p->is_open = false;
	p->txn_last = offset;
	s->n_loose_ends += !p->has_loose_end;
	p->has_loose_end = true;
	return p->txn_first;
}

int64_t kp_db_producers_first_unstable(const kp_db_producers *s)
{
	return kp_list_empty(&s->unstable) ? INT64_MAX : unstable_of(s->unstable.next)->unstable_first;
}

int64_t kp_db_producers_first_open_of_others(const kp_db_producers *s, int64_t producer_id)
{
	int64_t first = INT64_MAX;
	for (const kp_list *n = s->unstable.next; n != &s->unstable; n = n->next) {
		const kp_db_producer *p = unstable_of(n);
		if (p->is_open && p->id != producer_id && p->txn_first < first)
			first = p->txn_first;
	}
	return first;
}

/* Only its open transaction is left to wait for. */
static void insert_unstable(kp_db_producers *s, kp_db_producer *p)
{
	kp_list *n = s->unstable.next;
	p->unstable_first = p->txn_first;
	while (n != &s->unstable && unstable_of(n)->unstable_first < p->unstable_first)
		n = n->next;
	kp_list_insert_before(n, &p->unstable);
}

static void become_stable(kp_db_producers *s, kp_db_producer *p)
{
	s->pool->n_unstable--;
	kp_list_push_back(&s->pool->by_use, &p->by_use);
}

void kp_db_producers_replicated(kp_db_producers *s, int64_t high_watermark)
{
	kp_list *next = s->unstable.next;
	while (s->n_loose_ends && next != &s->unstable) {
		kp_db_producer *p = unstable_of(next);
		next = next->next;
		if (!p->has_loose_end || p->txn_last >= high_watermark)
			continue;
		p->has_loose_end = false;
		s->n_loose_ends--;
		kp_list_remove(&p->unstable);
		if (p->is_open)
			insert_unstable(s, p);
		else
			become_stable(s, p);
	}
}
