/*
 * log.c - see log.h.
 */
#include "devbroker/log.h"

#include <assert.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "kproducer/error.h"

#define CHUNK_MIN ((size_t)8 << 10)
#define CHUNK_MAX ((size_t)1 << 20)
#define MARK_EVERY 4096

typedef struct kp_db_mark {
	int64_t offset; /* base offset of the batch at pos */
	size_t pos;
} kp_db_mark;

typedef struct kp_db_chunk {
	kp_list by_age; /* in the pool */
	kp_db_log *log;
	int64_t base_offset;
	uint8_t *data; /* behind the marks, in the same allocation */
	size_t len, cap;
	size_t n_marks;
	kp_db_mark marks[]; /* cap / MARK_EVERY + 1 */
} kp_db_chunk;

int64_t kp_db_batch_end(const uint8_t *batch)
{
	return (int64_t)kp_load_be64(batch) + (int32_t)kp_load_be32(batch + 23) + 1; /* baseOffset + lastOffsetDelta + 1 */
}

size_t kp_db_batch_size(const uint8_t *batch)
{
	return 12 + (size_t)kp_load_be32(batch + 8);
}

void kp_db_log_pool_init(kp_db_log_pool *pool, size_t bytes_max)
{
	*pool = (kp_db_log_pool){.bytes_max = bytes_max};
	kp_list_init(&pool->by_age);
}

void kp_db_log_init(kp_db_log *log, kp_db_log_pool *pool)
{
	*log = (kp_db_log){.pool = pool, .next_chunk = CHUNK_MIN};
}

static size_t chunk_footprint(size_t cap)
{
	return sizeof(kp_db_chunk) + (cap / MARK_EVERY + 1) * sizeof(kp_db_mark) + cap;
}

void kp_db_log_pool_deinit(kp_db_log_pool *pool)
{
	assert(kp_list_empty(&pool->by_age));
	if (pool->spare)
		pool->bytes -= chunk_footprint(pool->spare->cap);
	kp_mem_free(pool->spare);
	pool->spare = NULL;
}

static void chunk_free(kp_db_log_pool *pool, kp_db_chunk *c)
{
	kp_list_remove(&c->by_age);
	if (c->cap == CHUNK_MAX && !pool->spare) {
		pool->spare = c;
		return;
	}
	pool->bytes -= chunk_footprint(c->cap);
	kp_mem_free(c);
}

void kp_db_log_deinit(kp_db_log *log)
{
	for (size_t i = 0; i < log->n_chunks; i++)
		chunk_free(log->pool, log->chunks[i]);
	kp_mem_free(log->chunks);
	kp_db_log_init(log, log->pool);
}

static int64_t chunk_end_offset(const kp_db_log *log, size_t i)
{
	return i + 1 < log->n_chunks ? log->chunks[i + 1]->base_offset : log->end_offset;
}

/* The oldest chunk of the pool is the first of its log, because a log's chunks were made in order. */
static void drop_oldest(kp_db_log_pool *pool)
{
	kp_db_chunk *c = KP_CONTAINER_OF(kp_list_first(&pool->by_age), kp_db_chunk, by_age);
	kp_db_log *log = c->log;
	assert(log->n_chunks && log->chunks[0] == c);
	log->start_offset = chunk_end_offset(log, 0);
	log->bytes -= c->len;
	pool->n_dropped_bytes += c->len;
	log->n_chunks--;
	memmove(log->chunks, log->chunks + 1, log->n_chunks * sizeof(*log->chunks));
	chunk_free(pool, c);
}

static kp_db_chunk *chunk_alloc(kp_db_log_pool *pool, size_t cap)
{
	kp_db_chunk *c = pool->spare;
	if (c && cap == CHUNK_MAX) {
		pool->spare = NULL;
		return c;
	}
	c = kp_mem_alloc(chunk_footprint(cap));
	if (!c)
		return NULL;
	c->cap = cap;
	c->data = (uint8_t *)(c->marks + cap / MARK_EVERY + 1);
	kp_list_init(&c->by_age);
	pool->bytes += chunk_footprint(cap);
	return c;
}

static int add_chunk(kp_db_log *log, size_t need)
{
	kp_db_log_pool *pool = log->pool;
	size_t cap = need > log->next_chunk ? need : log->next_chunk;
	while (pool->bytes + chunk_footprint(cap) > pool->bytes_max && !kp_list_empty(&pool->by_age) &&
	       !(pool->spare && cap == CHUNK_MAX))
		drop_oldest(pool);
	if (log->n_chunks == log->cap_chunks) {
		size_t grown = log->cap_chunks ? log->cap_chunks * 2 : 4;
		kp_db_chunk **chunks = kp_mem_realloc(log->chunks, grown * sizeof(*chunks));
		if (!chunks)
			return KP_ERR_NO_MEMORY;
		log->chunks = chunks;
		log->cap_chunks = grown;
	}
	kp_db_chunk *c = chunk_alloc(pool, cap);
	if (!c)
		return KP_ERR_NO_MEMORY;
	c->log = log;
	c->base_offset = log->end_offset;
	c->len = c->n_marks = 0;
	kp_list_push_back(&pool->by_age, &c->by_age);
	log->chunks[log->n_chunks++] = c;
	if (log->next_chunk < CHUNK_MAX)
		log->next_chunk *= 2;
	return 0;
}

int kp_db_log_append(kp_db_log *log, kp_slice batch, int32_t n_records, int32_t leader_epoch, uint8_t **stored)
{
	kp_db_chunk *c = log->n_chunks ? log->chunks[log->n_chunks - 1] : NULL;
	if (!c || c->cap - c->len < batch.len) {
		if (add_chunk(log, batch.len))
			return KP_ERR_NO_MEMORY;
		c = log->chunks[log->n_chunks - 1];
	}
	uint8_t *p = c->data + c->len;
	memcpy(p, batch.ptr, batch.len);
	kp_store_be64(p, (uint64_t)log->end_offset);
	kp_store_be32(p + 12, (uint32_t)leader_epoch);
	if (c->n_marks == 0 || c->len - c->marks[c->n_marks - 1].pos >= MARK_EVERY)
		c->marks[c->n_marks++] = (kp_db_mark){log->end_offset, c->len};
	c->len += batch.len;
	log->bytes += batch.len;
	log->end_offset += n_records;
	*stored = p;
	return 0;
}

void kp_db_log_skip(kp_db_log *log, int32_t n_records)
{
	assert(log->n_chunks == 0);
	log->end_offset += n_records;
	log->start_offset = log->end_offset;
}

/* Index of the last chunk whose base offset is not above `offset`; the log must hold the offset. */
static size_t chunk_index(const kp_db_log *log, int64_t offset)
{
	size_t low = 0, high = log->n_chunks;
	if (offset >= log->chunks[high - 1]->base_offset)
		return high - 1;
	while (high - low > 1) {
		size_t mid = (low + high) / 2;
		if (log->chunks[mid]->base_offset <= offset)
			low = mid;
		else
			high = mid;
	}
	return low;
}

/* Position of the batch that contains `offset`, which the chunk must hold. */
static size_t batch_position(const kp_db_chunk *c, int64_t offset)
{
	size_t low = 0, high = c->n_marks;
	while (high - low > 1) {
		size_t mid = (low + high) / 2;
		if (c->marks[mid].offset <= offset)
			low = mid;
		else
			high = mid;
	}
	size_t pos = c->marks[low].pos;
	while (kp_db_batch_end(c->data + pos) <= offset)
		pos += kp_db_batch_size(c->data + pos);
	return pos;
}

kp_slice kp_db_log_read(const kp_db_log *log, int64_t offset, int64_t limit, size_t max_bytes, bool at_least_one)
{
	if (offset < log->start_offset || offset >= log->end_offset || offset >= limit)
		return kp_slice_of("", 0);
	size_t i = chunk_index(log, offset);
	const kp_db_chunk *c = log->chunks[i];
	size_t from = batch_position(c, offset), to = from, first = kp_db_batch_size(c->data + from);
	if (max_bytes < first)
		return at_least_one ? kp_slice_of(c->data + from, first) : kp_slice_of("", 0);
	if (limit >= chunk_end_offset(log, i))
		to = c->len;
	while (to - from < max_bytes && to < c->len && (int64_t)kp_load_be64(c->data + to) < limit)
		to += kp_db_batch_size(c->data + to);
	return kp_slice_of(c->data + from, to - from < max_bytes ? to - from : max_bytes);
}

bool kp_db_log_next(const kp_db_log *log, int64_t *offset, kp_slice *batch)
{
	int64_t at = *offset < log->start_offset ? log->start_offset : *offset;
	if (at >= log->end_offset)
		return false;
	const kp_db_chunk *c = log->chunks[chunk_index(log, at)];
	const uint8_t *p = c->data + batch_position(c, at);
	*batch = kp_slice_of(p, kp_db_batch_size(p));
	*offset = kp_db_batch_end(p);
	return true;
}

/* Cut a chunk at a position, which then is its end. */
static void cut_chunk(kp_db_log *log, kp_db_chunk *c, size_t pos)
{
	log->bytes -= c->len - pos;
	c->len = pos;
	while (c->n_marks && c->marks[c->n_marks - 1].pos >= pos)
		c->n_marks--;
}

void kp_db_log_truncate(kp_db_log *log, int64_t end_offset)
{
	if (end_offset < log->start_offset)
		end_offset = log->start_offset;
	while (log->n_chunks && log->end_offset > end_offset) {
		kp_db_chunk *c = log->chunks[log->n_chunks - 1];
		size_t pos = c->base_offset < end_offset ? batch_position(c, end_offset) : 0;
		log->end_offset = (int64_t)kp_load_be64(c->data + pos);
		cut_chunk(log, c, pos);
		if (c->len == 0) {
			log->n_chunks--;
			chunk_free(log->pool, c);
		}
	}
}
