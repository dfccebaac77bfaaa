/*
 * log_chunk.c - a log's chunks come and go: allocated from the memory that all logs share, or segments of a storage. See log.h.
 */
#include "devbroker/log_impl.h"

#include <assert.h>

#include "base/mem.h"
#include "kproducer/error.h"

#define MARK_EVERY 4096
#define MARK_EVERY_STORED 32768 /* logs that a storage keeps are longer, and memory is not */

void kp_db_log_pool_init(kp_db_log_pool *pool, size_t bytes_max)
{
	*pool = (kp_db_log_pool){.bytes_max = bytes_max};
	kp_list_init(&pool->by_age);
}

static size_t marks_for(size_t cap)
{
	return cap / MARK_EVERY + 1;
}

static size_t chunk_footprint(size_t cap)
{
	return sizeof(kp_db_chunk) + marks_for(cap) * sizeof(kp_db_mark) + cap;
}

void kp_db_log_pool_deinit(kp_db_log_pool *pool)
{
	assert(kp_list_empty(&pool->by_age));
	if (pool->spare)
		pool->bytes -= chunk_footprint(pool->spare->cap);
	kp_mem_free(pool->spare);
	pool->spare = NULL;
}

static void free_stored(kp_db_log *log, kp_db_chunk *c, kp_db_segment_end end)
{
	log->storage->ops->segment_free(log->storage, c->segment, c->len, end);
	log->pool->bytes -= sizeof(*c) + c->cap_marks * sizeof(*c->marks);
	kp_mem_free(c->marks);
	kp_mem_free(c);
}

void kp_db_chunk_free(kp_db_log *log, kp_db_chunk *c, kp_db_segment_end end)
{
	kp_db_log_pool *pool = log->pool;
	kp_list_remove(&c->by_age);
	if (c->segment) {
		free_stored(log, c, end);
		return;
	}
	if (c->cap == KP_DB_CHUNK_MAX && !pool->spare) {
		pool->spare = c;
		return;
	}
	pool->bytes -= chunk_footprint(c->cap);
	kp_mem_free(c);
}

static kp_db_chunk *chunk_alloc(kp_db_log_pool *pool, size_t cap)
{
	kp_db_chunk *c = pool->spare;
	if (c && cap == KP_DB_CHUNK_MAX) {
		pool->spare = NULL;
		return c;
	}
	c = kp_mem_alloc(chunk_footprint(cap));
	if (!c)
		return NULL;
	*c = (kp_db_chunk){.cap = cap, .cap_marks = marks_for(cap)};
	c->marks = c->own_marks;
	c->data = (uint8_t *)(c->own_marks + c->cap_marks);
	kp_list_init(&c->by_age);
	pool->bytes += chunk_footprint(cap);
	return c;
}

static int reserve_slot(kp_db_log *log)
{
	if (log->n_chunks < log->cap_chunks)
		return 0;
	size_t grown = log->cap_chunks ? log->cap_chunks * 2 : 4;
	kp_db_chunk **chunks = kp_mem_realloc(log->chunks, grown * sizeof(*chunks));
	if (!chunks)
		return KP_ERR_NO_MEMORY;
	log->chunks = chunks;
	log->cap_chunks = grown;
	return 0;
}

static void push_chunk(kp_db_log *log, kp_db_chunk *c, int64_t base_offset)
{
	c->log = log;
	c->base_offset = base_offset;
	c->len = c->n_marks = c->dated = 0;
	c->max_timestamp = INT64_MIN;
	kp_list_push_back(&log->pool->by_age, &c->by_age);
	log->chunks[log->n_chunks++] = c;
}

static int add_in_memory(kp_db_log *log, size_t need)
{
	kp_db_log_pool *pool = log->pool;
	const kp_db_chunk *last = log->n_chunks ? log->chunks[log->n_chunks - 1] : NULL;
	if (last && last->len < last->cap / 4 && log->next_chunk >= 4 * KP_DB_CHUNK_MIN)
		log->next_chunk /= 4; /* retention.ms ended it early: the next one would stay as empty */
	size_t cap = need > log->next_chunk ? need : log->next_chunk;
	while (pool->bytes + chunk_footprint(cap) > pool->bytes_max && !kp_list_empty(&pool->by_age) &&
	       !(pool->spare && cap == KP_DB_CHUNK_MAX))
		kp_db_log_drop_oldest(pool);
	kp_db_chunk *c = chunk_alloc(pool, cap);
	if (!c)
		return KP_ERR_NO_MEMORY;
	push_chunk(log, c, log->end_offset);
	if (log->next_chunk < KP_DB_CHUNK_MAX && log->next_chunk < log->chunk_bytes_max)
		log->next_chunk *= 2;
	return 0;
}

int kp_db_chunk_adopt(kp_db_log *log, kp_db_segment *seg)
{
	kp_db_chunk *c = reserve_slot(log) ? NULL : kp_mem_calloc(1, sizeof(*c));
	if (!c)
		return KP_ERR_NO_MEMORY;
	c->segment = seg;
	c->data = seg->data;
	c->cap = seg->cap;
	kp_list_init(&c->by_age);
	log->pool->bytes += sizeof(*c);
	push_chunk(log, c, seg->base_offset);
	return 0;
}

size_t kp_db_chunk_bytes_max(const kp_db_log *log)
{
	size_t max = log->storage->segment_max;
	return log->chunk_bytes_max < max ? log->chunk_bytes_max : max;
}

/* From `cap` bytes on, doubled until `need` fit, but not past the bound without need. */
static kp_db_room room_for(const kp_db_log *log, size_t cap, size_t need)
{
	size_t max = kp_db_chunk_bytes_max(log);
	while (cap < need)
		cap *= 2;
	if (cap > max)
		cap = max > need ? max : need;
	return (kp_db_room){cap, need};
}

kp_db_segment_end kp_db_chunk_leaves(const kp_db_log *log)
{
	return log->n_chunks ? KP_DB_SEGMENT_REMOVE : KP_DB_SEGMENT_KEEP;
}

/* A segment begins with an eighth of what the one before it came to, so that a busy log is not long in growing. */
static int add_stored(kp_db_log *log, size_t need)
{
	kp_db_storage *s = log->storage;
	kp_db_segment *seg;
	size_t cap = s->segment_min;
	if (log->n_chunks) {
		kp_db_chunk *last = log->chunks[log->n_chunks - 1];
		s->ops->segment_close(s, last->segment, last->len);
		last->cap = last->segment->cap;
		while (cap < last->len / 8)
			cap *= 2;
	}
	int err = s->ops->segment_new(s, &log->name, log->end_offset, room_for(log, cap, need), &seg);
	if (err)
		return err;
	err = kp_db_chunk_adopt(log, seg);
	if (err)
		s->ops->segment_free(s, seg, 0, kp_db_chunk_leaves(log));
	return err;
}

int kp_db_chunk_add(kp_db_log *log, size_t need)
{
	if (reserve_slot(log))
		return KP_ERR_NO_MEMORY;
	return log->storage ? add_stored(log, need) : add_in_memory(log, need);
}

int kp_db_chunk_grow(kp_db_log *log, kp_db_chunk *c, size_t need)
{
	kp_db_storage *s = log->storage;
	size_t cap = c->cap < s->segment_min ? s->segment_min : c->cap;
	int err = s->ops->segment_grow(s, c->segment, room_for(log, cap, c->len + need));
	c->data = c->segment->data;
	c->cap = c->segment->cap;
	return err;
}

static size_t mark_every(const kp_db_chunk *c)
{
	return c->segment ? MARK_EVERY_STORED : MARK_EVERY;
}

static bool needs_mark(const kp_db_chunk *c)
{
	return c->n_marks == 0 || c->len - c->marks[c->n_marks - 1].pos >= mark_every(c);
}

int kp_db_chunk_reserve_mark(kp_db_log *log, kp_db_chunk *c)
{
	if (c->n_marks < c->cap_marks || !needs_mark(c))
		return 0;
	size_t grown = c->cap_marks ? c->cap_marks * 2 : 2;
	kp_db_mark *marks = kp_mem_realloc(c->marks, grown * sizeof(*marks));
	if (!marks)
		return KP_ERR_NO_MEMORY;
	log->pool->bytes += (grown - c->cap_marks) * sizeof(*marks);
	c->marks = marks;
	c->cap_marks = grown;
	return 0;
}

void kp_db_chunk_note(kp_db_log *log, kp_db_chunk *c, int64_t offset, size_t size)
{
	if (needs_mark(c))
		c->marks[c->n_marks++] = (kp_db_mark){offset, c->len};
	c->len += size;
	log->bytes += size;
}
