/*
 * partition_txn.c - see partition_txn.h.
 */
#include "devbroker/partition_txn.h"

#include "base/mem.h"
#include "kproducer/error.h"

#define ABORTED_MIN 8

/* Those that ended below the log's start are of no use to anybody. */
static void forget_old(kp_db_aborted_list *a, int64_t start_offset)
{
	size_t n = 0;
	while (n < a->n && a->items[n].last_offset < start_offset)
		n++;
	a->n -= n;
	memmove(a->items, a->items + n, a->n * sizeof(*a->items));
}

static int reserve_aborted(kp_db_aborted_list *a, int64_t start_offset)
{
	if (a->n < a->cap)
		return 0;
	if (a->n)
		forget_old(a, start_offset);
	if (a->n <= a->cap / 2 && a->cap)
		return 0;
	size_t cap = a->cap ? 2 * a->cap : ABORTED_MIN;
	kp_db_aborted *grown = kp_mem_realloc(a->items, cap * sizeof(*grown));
	if (!grown)
		return KP_ERR_NO_MEMORY;
	a->items = grown;
	a->cap = cap;
	return 0;
}

int kp_db_partition_reserve(kp_db_partition *p, int64_t producer_id)
{
	int err = kp_db_producers_reserve(&p->producers, producer_id);
	/* Only who has an open transaction can abort one. */
	return err || kp_list_empty(&p->producers.unstable) ? err : reserve_aborted(&p->aborted, p->log.start_offset);
}

static void note_marker(kp_db_partition *p, const kp_db_marker *m, int64_t offset)
{
	int64_t first = kp_db_producers_end(&p->producers, m, offset);
	if (first < 0 || m->is_commit || offset < p->log.start_offset)
		return;
	int64_t stable = kp_db_producers_first_open_of_others(&p->producers, m->producer_id);
	p->aborted.items[p->aborted.n++] = (kp_db_aborted){
		.producer_id = m->producer_id,
		.first_offset = first,
		.last_offset = offset,
		.last_stable_offset = stable == INT64_MAX ? offset + 1 : stable,
	};
}

void kp_db_partition_note(kp_db_partition *p, kp_slice batch, const kp_batch_header *h)
{
	kp_db_marker m;
	if (!(h->attributes & KP_BATCH_CONTROL))
		kp_db_producers_note(&p->producers, h);
	else if (kp_db_marker_load(batch, &m))
		note_marker(p, &m, h->base_offset);
}

int kp_db_partition_rebuild(kp_db_partition *p)
{
	int64_t offset = p->log.start_offset;
	kp_slice batch;
	kp_db_producer_pool *pool = p->producers.pool;
	kp_db_producers_deinit(&p->producers);
	kp_db_producers_init(&p->producers, pool);
	p->aborted.n = 0;
	while (kp_db_log_next(&p->log, &offset, &batch)) {
		kp_batch_header h;
		if (kp_batch_header_load(batch, &h) || h.producer_id < 0)
			continue;
		if (kp_db_partition_reserve(p, h.producer_id))
			return KP_ERR_NO_MEMORY;
		kp_db_partition_note(p, batch, &h);
		kp_db_producers_replicated(&p->producers, p->high_watermark);
	}
	return 0;
}

int64_t kp_db_last_stable(const kp_db_partition *p)
{
	int64_t end = kp_db_readable_end(p), unstable = kp_db_producers_first_unstable(&p->producers);
	if (unstable >= end)
		return end;
	return unstable > p->log.start_offset ? unstable : p->log.start_offset;
}

int64_t kp_db_readable_by(const kp_db_partition *p, int8_t isolation_level)
{
	return isolation_level ? kp_db_last_stable(p) : kp_db_readable_end(p);
}

void kp_db_aborted_deinit(kp_db_aborted_list *a)
{
	kp_mem_free(a->items);
	*a = (kp_db_aborted_list){0};
}

/* The first that ends at or behind the offset. */
static size_t first_behind(const kp_db_aborted_list *a, int64_t offset)
{
	size_t low = 0, high = a->n;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (a->items[mid].last_offset < offset)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

const kp_db_aborted *kp_db_aborted_next(const kp_db_aborted_list *a, int64_t offset, int64_t limit, size_t *at)
{
	size_t i = *at ? *at : first_behind(a, offset);
	/* What was decided below the limit is whole once this one has been: none behind it can matter. */
	for (; i < a->n && (i == 0 || a->items[i - 1].last_stable_offset < limit); i++) {
		*at = i + 1;
		if (a->items[i].last_offset >= offset && a->items[i].first_offset < limit)
			return &a->items[i];
	}
	*at = a->n + 1;
	return NULL;
}
