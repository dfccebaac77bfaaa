/*
 * producer_state.c - see producer_state.h. What ends transactions is in producer_txn.c.
 */
#include "devbroker/producer_state.h"

#include <assert.h>

#include "base/mem.h"
#include "kproducer/error.h"

void kp_db_producer_pool_init(kp_db_producer_pool *pool, size_t max)
{
	*pool = (kp_db_producer_pool){.max = max};
	kp_list_init(&pool->by_use);
}

void kp_db_producers_init(kp_db_producers *s, kp_db_producer_pool *pool)
{
	*s = (kp_db_producers){.pool = pool};
	kp_map_init(&s->by_id);
	kp_list_init(&s->unstable);
}

static kp_slice key_of(const int64_t *id)
{
	return kp_slice_of(id, sizeof(*id));
}

static void producer_free(kp_db_producer *p)
{
	p->owner->pool->n_unstable -= kp_list_linked(&p->unstable);
	kp_list_remove(&p->by_use);
	kp_list_remove(&p->unstable);
	p->owner->pool->n--;
	kp_mem_free(p);
}

void kp_db_producers_deinit(kp_db_producers *s)
{
	size_t it = 0;
	for (kp_db_producer *p; (p = kp_map_next(&s->by_id, &it));)
		producer_free(p);
	kp_map_deinit(&s->by_id);
}

static void forget(kp_db_producers *s, kp_db_producer *p)
{
	kp_map_remove(&s->by_id, key_of(&p->id));
	producer_free(p);
}

void kp_db_producers_forget(kp_db_producers *s, int64_t producer_id)
{
	kp_db_producer *p = kp_map_get(&s->by_id, key_of(&producer_id));
	if (p && !kp_list_linked(&p->unstable))
		forget(s, p);
	if (producer_id >= 0)
		return;
	if (kp_list_empty(&s->unstable)) {
		kp_db_producers_deinit(s);
		kp_map_init(&s->by_id);
		return;
	}
	size_t it = 0;
	while ((p = kp_map_next(&s->by_id, &it))) {
		if (kp_list_linked(&p->unstable))
			continue;
		forget(s, p);
		it = 0; /* the map has changed */
	}
}

int32_t kp_db_sequence_add(int32_t sequence, int32_t n)
{
	return (int32_t)(((uint32_t)sequence + (uint32_t)n) & INT32_MAX);
}

static const kp_db_producer_batch *find_duplicate(const kp_db_producer *p, const kp_batch_header *h)
{
	int32_t last = kp_db_sequence_add(h->base_sequence, h->last_offset_delta);
	for (int i = 0; i < p->n_batches; i++)
		if (p->batches[i].first_sequence == h->base_sequence && p->batches[i].last_sequence == last)
			return &p->batches[i];
	return NULL;
}

/* ProducerAppendInfo.checkSequence. */
static int check_sequence(const kp_db_producer *p, const kp_batch_header *h)
{
	const kp_db_verification *v = &p->verification;
	if (v->is_open && v->is_adding && h->base_sequence != 0 && p->n_batches == 0)
		return KP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER;
	if (v->is_open && h->base_sequence > v->lowest_sequence)
		return KP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER;
	if (p->epoch == -1)
		return 0;
	if (h->producer_epoch > p->epoch)
		return h->base_sequence == 0 ? 0 : KP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER;
	int32_t next = p->n_batches ? kp_db_sequence_add(p->batches[p->n_batches - 1].last_sequence, 1) : 0;
	return h->base_sequence == next ? 0 : KP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER;
}

int kp_db_producers_check(const kp_db_producers *s, const kp_batch_header *h, const kp_db_producer_batch **duplicate)
{
	const kp_db_producer *p = kp_map_get(&s->by_id, key_of(&h->producer_id));
	if (!p)
		return h->producer_epoch < -1 ? KP_ERR_INVALID_PRODUCER_EPOCH : 0; /* Kafka starts from NO_PRODUCER_EPOCH */
	if (h->producer_epoch < p->epoch)
		return KP_ERR_INVALID_PRODUCER_EPOCH;
	const kp_db_producer_batch *same = h->producer_epoch == p->epoch ? find_duplicate(p, h) : NULL;
	if (same) {
		*duplicate = same;
		return KP_ERR_DUPLICATE_SEQUENCE_NUMBER;
	}
	int code = check_sequence(p, h);
	if (!code && p->is_open && !(h->attributes & KP_BATCH_TRANSACTIONAL))
		code = KP_ERR_INVALID_TXN_STATE;
	return code;
}

int kp_db_producers_verify(kp_db_producers *s, const kp_batch_header *h, bool is_adding, bool *is_needed)
{
	kp_db_producer *p = kp_map_get(&s->by_id, key_of(&h->producer_id));
	if (p && h->producer_epoch < p->epoch)
		return KP_ERR_INVALID_PRODUCER_EPOCH;
	*is_needed = !(p && p->is_open && p->epoch == h->producer_epoch);
	if (!*is_needed)
		return 0;
	if (s->pool->n_unstable >= s->pool->max - s->pool->max / 10 || kp_db_producers_reserve(s, h->producer_id))
		return KP_ERR_NO_MEMORY;
	p = kp_map_get(&s->by_id, key_of(&h->producer_id));
	kp_db_verification *v = &p->verification;
	if (!v->is_open || h->producer_epoch > v->epoch) {
		v->is_adding = v->is_open ? v->is_adding : is_adding;
		v->is_open = true;
		v->epoch = h->producer_epoch;
		v->lowest_sequence = h->base_sequence;
	} else if (h->producer_epoch == v->epoch && h->base_sequence < v->lowest_sequence) {
		v->lowest_sequence = h->base_sequence;
	}
	return 0;
}

/* Room for one more. 0 or KP_ERR_NO_MEMORY: all that are there have open transactions. */
static int make_room(kp_db_producer_pool *pool)
{
	while (pool->n >= pool->max) {
		kp_list *n = kp_list_first(&pool->by_use);
		if (!n)
			return KP_ERR_NO_MEMORY;
		kp_db_producer *old = KP_CONTAINER_OF(n, kp_db_producer, by_use);
		forget(old->owner, old);
	}
	return 0;
}

int kp_db_producers_reserve(kp_db_producers *s, int64_t producer_id)
{
	kp_db_producer_pool *pool = s->pool;
	kp_db_producer *p = kp_map_get(&s->by_id, key_of(&producer_id));
	if (p) {
		if (kp_list_linked(&p->unstable))
			return 0;
		kp_list_remove(&p->by_use);
		kp_list_push_back(&pool->by_use, &p->by_use);
		return 0;
	}
	if (make_room(pool))
		return KP_ERR_NO_MEMORY;
	p = kp_mem_calloc(1, sizeof(*p));
	if (!p)
		return KP_ERR_NO_MEMORY;
	p->id = producer_id;
	p->owner = s;
	p->epoch = -1;
	p->coordinator_epoch = -1;
	kp_list_init(&p->unstable);
	if (kp_map_put(&s->by_id, key_of(&p->id), p)) {
		kp_mem_free(p);
		return KP_ERR_NO_MEMORY;
	}
	kp_list_push_back(&pool->by_use, &p->by_use);
	pool->n++;
	return 0;
}

/* The transaction's first batch. */
static void open_transaction(kp_db_producers *s, kp_db_producer *p, int64_t offset)
{
	p->is_open = true;
	p->txn_first = offset;
	if (kp_list_linked(&p->unstable))
		return; /* as the end of the one before is not replicated */
	p->unstable_first = offset;
	s->pool->n_unstable++;
	kp_list_remove(&p->by_use);
	kp_list_push_back(&s->unstable, &p->unstable);
}

void kp_db_producers_note(kp_db_producers *s, const kp_batch_header *h)
{
	kp_db_producer *p = kp_map_get(&s->by_id, key_of(&h->producer_id));
	assert(p);
	if (p->epoch != h->producer_epoch)
		p->n_batches = 0;
	p->epoch = h->producer_epoch;
	if (p->n_batches == KP_DB_BATCHES_KEPT) {
		memmove(p->batches, p->batches + 1, (KP_DB_BATCHES_KEPT - 1) * sizeof(p->batches[0]));
		p->n_batches--;
	}
	p->batches[p->n_batches++] = (kp_db_producer_batch){
		.first_sequence = h->base_sequence,
		.last_sequence = kp_db_sequence_add(h->base_sequence, h->last_offset_delta),
		.base_offset = h->base_offset,
		.timestamp = h->max_timestamp,
	};
	if (!(h->attributes & KP_BATCH_TRANSACTIONAL))
		return;
	p->verification.is_open = false;
	if (!p->is_open)
		open_transaction(s, p, h->base_offset);
}
