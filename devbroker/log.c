/*
 * log.c - appending, reading and cutting; see log.h. log_chunk.c is where the chunks come from.
 */
#include "devbroker/log_impl.h"

#include <assert.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "kproducer/error.h"

int64_t kp_db_batch_end(const uint8_t *batch)
{
	return (int64_t)kp_load_be64(batch) + (int32_t)kp_load_be32(batch + 23) + 1; /* baseOffset + lastOffsetDelta + 1 */
}

size_t kp_db_batch_size(const uint8_t *batch)
{
	return 12 + (size_t)kp_load_be32(batch + 8);
}

static int64_t base_timestamp(const uint8_t *batch)
{
	return (int64_t)kp_load_be64(batch + 27);
}

static int64_t max_timestamp(const uint8_t *batch)
{
	return (int64_t)kp_load_be64(batch + 35);
}

void kp_db_log_init(kp_db_log *log, kp_db_log_pool *pool)
{
	*log = (kp_db_log){
		.pool = pool,
		.next_chunk = KP_DB_CHUNK_MIN,
		.chunk_bytes_max = SIZE_MAX,
		.chunk_ms_max = INT64_MAX,
	};
}

void kp_db_log_keep_in(kp_db_log *log, kp_db_storage *storage, const kp_db_log_name *name)
{
	log->storage = storage;
	log->name = *name;
}

static void free_chunks(kp_db_log *log, kp_db_segment_end end)
{
	for (size_t i = 0; i < log->n_chunks; i++)
		kp_db_chunk_free(log, log->chunks[i], end);
	kp_mem_free(log->chunks);
	log->chunks = NULL;
	log->n_chunks = log->cap_chunks = 0;
	log->bytes = 0;
	log->start_offset = log->end_offset;
}

void kp_db_log_deinit(kp_db_log *log)
{
	free_chunks(log, KP_DB_SEGMENT_KEEP);
}

void kp_db_log_forget(kp_db_log *log)
{
	free_chunks(log, KP_DB_SEGMENT_FORGET);
}

static int64_t chunk_end_offset(const kp_db_log *log, size_t i)
{
	return i + 1 < log->n_chunks ? log->chunks[i + 1]->base_offset : log->end_offset;
}

int kp_db_log_drop_first(kp_db_log *log)
{
	kp_db_chunk *c = log->chunks[0];
	if (log->storage && log->n_chunks == 1) {
		int err = log->storage->ops->log_emptied(log->storage, &log->name, log->end_offset);
		if (err)
			return err;
	}
	log->start_offset = chunk_end_offset(log, 0);
	log->bytes -= c->len;
	log->pool->n_dropped_bytes += c->len;
	log->n_chunks--;
	memmove(log->chunks, log->chunks + 1, log->n_chunks * sizeof(*log->chunks));
	kp_db_chunk_free(log, c, KP_DB_SEGMENT_REMOVE);
	return 0;
}

/* The oldest chunk of the pool is the first of its log, because a log's chunks were made in order. */
void kp_db_log_drop_oldest(kp_db_log_pool *pool)
{
	kp_db_chunk *c = KP_CONTAINER_OF(kp_list_first(&pool->by_age), kp_db_chunk, by_age);
	assert(c->log->n_chunks && c->log->chunks[0] == c && !c->segment);
	(void)!kp_db_log_drop_first(c->log); /* in memory it cannot fail */
}

bool kp_db_log_first(kp_db_log *log, kp_db_log_head *out)
{
	if (log->n_chunks == 0)
		return false;
	kp_db_chunk *c = log->chunks[0];
	for (; c->dated < c->len; c->dated += kp_db_batch_size(c->data + c->dated))
		if (max_timestamp(c->data + c->dated) > c->max_timestamp)
			c->max_timestamp = max_timestamp(c->data + c->dated);
	*out = (kp_db_log_head){c->len, chunk_end_offset(log, 0), c->max_timestamp};
	return true;
}

/* Chunks go as a whole, so one that covers too long a time would outlive retention.ms by far. */
static bool is_old(const kp_db_log *log, const kp_db_chunk *c, int64_t timestamp)
{
	int64_t first = base_timestamp(c->data);
	return log->chunk_ms_max != INT64_MAX && first >= 0 && timestamp > first && timestamp - first > log->chunk_ms_max;
}

/* A chunk at the end with room for the batch. */
static int make_room(kp_db_log *log, kp_slice batch)
{
	kp_db_chunk *c = log->n_chunks ? log->chunks[log->n_chunks - 1] : NULL;
	if (!c || is_old(log, c, max_timestamp(batch.ptr)))
		return kp_db_chunk_add(log, batch.len);
	if (c->cap - c->len >= batch.len)
		return 0;
	if (!log->storage || c->len + batch.len > kp_db_chunk_bytes_max(log))
		return kp_db_chunk_add(log, batch.len);
	return kp_db_chunk_grow(log, c, batch.len);
}

/* The last chunk, which is empty. */
static void remove_last_chunk(kp_db_log *log)
{
	kp_db_chunk *c = log->chunks[--log->n_chunks];
	kp_db_chunk_free(log, c, kp_db_chunk_leaves(log));
}

int kp_db_log_append(kp_db_log *log, kp_slice batch, int32_t n_records, int32_t leader_epoch, uint8_t **stored)
{
	int err = make_room(log, batch);
	if (err)
		return err;
	kp_db_chunk *c = log->chunks[log->n_chunks - 1];
	if (kp_db_chunk_reserve_mark(log, c)) {
		if (c->len == 0)
			remove_last_chunk(log);
		return KP_ERR_NO_MEMORY;
	}
	uint8_t *p = c->data + c->len;
	/* A batch that a sudden end leaves here half written must not pass for a whole one with its sender's offset. */
	kp_store_be64(p, (uint64_t)log->end_offset);
	memcpy(p + 8, batch.ptr + 8, 4);
	kp_store_be32(p + 12, (uint32_t)leader_epoch);
	memcpy(p + 16, batch.ptr + 16, batch.len - 16);
	kp_db_chunk_note(log, c, log->end_offset, batch.len);
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

int kp_db_log_found_segment(kp_db_log *log, kp_db_segment *seg)
{
	if (log->n_chunks == 0)
		log->start_offset = log->end_offset = seg->base_offset;
	return kp_db_chunk_adopt(log, seg);
}

int kp_db_log_found_batch(kp_db_log *log, size_t size)
{
	kp_db_chunk *c = log->chunks[log->n_chunks - 1];
	if (kp_db_chunk_reserve_mark(log, c))
		return KP_ERR_NO_MEMORY;
	const uint8_t *batch = c->data + c->len;
	kp_db_chunk_note(log, c, log->end_offset, size);
	log->end_offset = kp_db_batch_end(batch);
	return 0;
}

void kp_db_log_found_end(kp_db_log *log)
{
	kp_db_chunk *c = log->chunks[log->n_chunks - 1];
	c->cap = c->segment->cap;
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

int64_t kp_db_log_read_end(const kp_db_log *log, int64_t offset, size_t size)
{
	size_t i = chunk_index(log, offset);
	const kp_db_chunk *c = log->chunks[i];
	size_t end = batch_position(c, offset) + size, low = 0, high = c->n_marks;
	while (low < high) {
		size_t mid = (low + high) / 2;
		if (c->marks[mid].pos < end)
			low = mid + 1;
		else
			high = mid;
	}
	return low < c->n_marks ? c->marks[low].offset : chunk_end_offset(log, i);
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

/* Cut a chunk at a position, which then is its end. What cannot be cut off must not come back as batches: then it is wiped. */
static void cut_chunk(kp_db_log *log, kp_db_chunk *c, size_t pos)
{
	log->bytes -= c->len - pos;
	c->len = pos;
	while (c->n_marks && c->marks[c->n_marks - 1].pos >= pos)
		c->n_marks--;
	c->dated = 0;
	c->max_timestamp = INT64_MIN;
	if (!c->segment)
		return;
	if (log->storage->ops->segment_cut(log->storage, c->segment, pos))
		memset(c->data + pos, 0, c->cap - pos);
	c->cap = c->segment->cap;
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
		if (c->len == 0)
			remove_last_chunk(log);
	}
}
