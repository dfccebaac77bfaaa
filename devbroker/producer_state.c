/*
 * producer_state.c - see producer_state.h.
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
	kp_map_init(&s->by_id);
	s->pool = pool;
}

static kp_slice key_of(const int64_t *id)
{
	return kp_slice_of(id, sizeof(*id));
}

static void producer_free(kp_db_producer *p)
{
	kp_list_remove(&p->by_use);
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

void kp_db_producers_forget(kp_db_producers *s, int64_t producer_id)
{
	if (producer_id < 0) {
		kp_db_producers_deinit(s);
		kp_map_init(&s->by_id);
		return;
	}
	kp_db_producer *p = kp_map_remove(&s->by_id, key_of(&producer_id));
	if (p)
		producer_free(p);
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

int kp_db_producers_check(const kp_db_producers *s, const kp_batch_header *h, const kp_db_producer_batch **duplicate)
{
	const kp_db_producer *p = kp_map_get(&s->by_id, key_of(&h->producer_id));
	if (!p || p->n_batches == 0)
		return h->producer_epoch < -1 ? KP_ERR_INVALID_PRODUCER_EPOCH : 0; /* Kafka starts from NO_PRODUCER_EPOCH */
	if (h->producer_epoch < p->epoch)
		return KP_ERR_INVALID_PRODUCER_EPOCH;
	if (h->producer_epoch > p->epoch)
		return h->base_sequence == 0 ? 0 : KP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER;
	const kp_db_producer_batch *same = find_duplicate(p, h);
	if (same) {
		*duplicate = same;
		return KP_ERR_DUPLICATE_SEQUENCE_NUMBER;
	}
	int32_t next = kp_db_sequence_add(p->batches[p->n_batches - 1].last_sequence, 1);
	return h->base_sequence == next ? 0 : KP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER;
}

int kp_db_producers_reserve(kp_db_producers *s, int64_t producer_id)
{
	kp_db_producer_pool *pool = s->pool;
	kp_db_producer *p = kp_map_get(&s->by_id, key_of(&producer_id));
	if (p) {
		kp_list_remove(&p->by_use);
		kp_list_push_back(&pool->by_use, &p->by_use);
		return 0;
	}
	while (pool->n >= pool->max) {
		kp_db_producer *old = KP_CONTAINER_OF(kp_list_first(&pool->by_use), kp_db_producer, by_use);
		kp_db_producers_forget(old->owner, old->id);
	}
	p = kp_mem_calloc(1, sizeof(*p));
	if (!p)
		return KP_ERR_NO_MEMORY;
	p->id = producer_id;
	p->owner = s;
	if (kp_map_put(&s->by_id, key_of(&p->id), p)) {
		kp_mem_free(p);
		return KP_ERR_NO_MEMORY;
	}
	kp_list_push_back(&pool->by_use, &p->by_use);
	pool->n++;
	return 0;
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
}
