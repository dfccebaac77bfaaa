/*
 * pending.c - records that came before their topic's partitions were known: they wait in the topic's `pending` partition, and move, in
 * order and before later ones, when the metadata is there. Loop thread.
 *
 * Moving keeps to the budget: it goes as far as there is room, and on when room came back; the partitions' batches go without linger
 * meanwhile. Until the last record has moved the number of partitions is not published, so that later records queue up behind.
 *
 *   a batch that is half moved:   entries [ refused | still to move ]   data [ header | moved_bytes, done with | still to move ]
 */
#include <kproducer/error.h>

#include <string.h>

#include "base/mem.h"
#include "producer/engine_impl.h"

#define HEADERS_AT_ONCE 64 /* kept on the stack while a record is moved */

/* Views of a stored record's headers; `small` serves most, a larger array is allocated into *large. */
static int load_headers(const kp_record_view *v, kp_record_header *small, kp_record_header **large, kp_record_content *c)
{
	kp_slice rest = v->headers;
	kp_record_header *h = small;
	if (v->n_headers > HEADERS_AT_ONCE)
		h = *large = kp_mem_calloc((size_t)v->n_headers, sizeof(*h));
	if (!h)
		return KP_ERR_NO_MEMORY;
	for (int32_t i = 0; i < v->n_headers; i++) {
		int err = kp_record_header_next(&rest, &h[i]);
		if (err)
			return err;
	}
	c->headers = h;
	c->n_headers = (size_t)v->n_headers;
	return 0;
}

static int append_moved(kp_topic *t, kp_append_args *a, int32_t n_partitions);

static int move_record(kp_topic *t, const kp_batch *from, int32_t i, const kp_record_view *v, int32_t n_partitions)
{
	kp_record_header small[HEADERS_AT_ONCE], *large = NULL;
	kp_append_args a = {
		.content = {.key = v->key, .value = v->value},
		.timestamp_ms = from->base_timestamp_ms + v->timestamp_delta,
		.partition = v->offset_delta - 1, /* see append.c, store() */
		.is_moved = true,
		.created_us = from->created_us,
	};
	if (from->entries) {
		a.opaque = from->entries[i].opaque;
		a.is_group = from->entries[i].place & KP_ENTRY_GROUP;
	}
	int err = load_headers(v, small, &large, &a.content);
	if (!err)
		err = append_moved(t, &a, n_partitions);
	kp_mem_free(large);
	return err;
}

/* None of the topic's partitions holds a batch whose end would make room. */
static bool holds_nothing(kp_topic *t)
{
	for (int32_t i = 0; i < t->loop.n_made; i++)
		if (atomic_load_explicit(&kp_topic_partition(t, i)->shared.bytes, memory_order_relaxed) > 0)
			return false;
	return true;
}

/* When waiting records fill the whole budget, the first of a topic may exceed it by one batch: else nobody would ever make room. */
static int append_moved(kp_topic *t, kp_append_args *a, int32_t n_partitions)
{
	int err = kp_append_moved(t, a, n_partitions);
	if (err != KP_ERR_WOULD_BLOCK || !holds_nothing(t))
		return err;
	kp_split_look_at_budget(t->engine);
	a->may_exceed = true;
	return kp_append_moved(t, a, n_partitions);
}

/* Take the first n records that are not refused out of the batch's count. */
static void forget_moved(kp_batch *b, int32_t next, const uint8_t *at)
{
	int32_t n_left = b->n_records - next;
	if (b->entries)
		memmove(b->entries + b->n_refused, b->entries + next, (size_t)n_left * sizeof(kp_entry));
	b->n_records = b->n_refused + n_left;
	b->n_entries = b->entries ? b->n_records : 0;
	b->moved_bytes = (size_t)(at - b->data) - KP_BATCH_HEADER_SIZE;
}

/* Move what there is room for. True when nothing is left to move; refused records stay. */
static bool move_records(kp_topic *t, kp_batch *b, int32_t n_partitions)
{
	const uint8_t *p = b->data + KP_BATCH_HEADER_SIZE + b->moved_bytes, *end = b->data + b->len;
	kp_record_view v;
	int32_t i = b->n_refused;
	bool has_room = true;
	while (i < b->n_records && has_room) {
		const uint8_t *at = p;
		int err = kp_record_load(&p, end, &v);
		if (!err)
			err = move_record(t, b, i, &v, n_partitions);
		has_room = err != KP_ERR_WOULD_BLOCK;
		if (!has_room) {
			p = at;
			continue;
		}
		if (err) {
			if (b->entries)
				b->entries[b->n_refused] = b->entries[i];
			b->n_refused++;
			b->error = err;
		}
		i++;
	}
	forget_moved(b, i, p);
	return has_room;
}

/* True when the batch is gone: moved, or ended with the records that had no place to go. */
static bool move_batch(kp_engine *e, kp_topic *t, kp_batch *b, int32_t n_partitions)
{
	if (!move_records(t, b, n_partitions))
		return false;
	if (b->n_records > 0) {
		kp_batch_end(e, b, b->error, KP_NOT_PERSISTED, KP_STAGE_NO_METADATA);
		return true;
	}
	kp_list_remove(&b->link);
	kp_list_remove(&b->serial_link);
	atomic_fetch_sub_explicit(&t->shared.pending->shared.bytes, (int64_t)kp_batch_footprint(b), memory_order_relaxed);
	kp_batch_free(b, &e->shared.budget);
	return true;
}

/* A flush that waited for the moved batches waits for those that have their records now. */
static void extend_flush(kp_engine *e, kp_topic *t, int32_t n_partitions)
{
	for (int32_t i = 0; i < n_partitions && e->loop.n_flushing > 0; i++) {
		kp_detach_open(kp_topic_partition(t, i));
		kp_partition_evaluate(e, kp_topic_partition(t, i), e->loop.now_us);
	}
	e->loop.flush_extended_to = e->loop.next_serial;
}

void kp_pending_move(kp_engine *e, kp_topic *t, int32_t n_partitions)
{
	kp_partition *pending = t->shared.pending;
	kp_list *n;
	kp_lock_acquire(&pending->shared.lock);
	kp_partition_adopt_all(e, pending);
	bool is_awaited = false;
	while ((n = kp_list_first(&pending->loop.ready))) {
		kp_batch *b = KP_CONTAINER_OF(n, kp_batch, link);
		is_awaited |= b->serial < e->loop.flush_upto;
		if (!move_batch(e, t, b, n_partitions))
			break;
	}
	bool is_done = !n;
	t->loop.moving_to = n_partitions;
	/* under the lock: whoever comes now finds the partitions, behind everything that waited */
	if (is_done)
		atomic_store_explicit(&t->shared.n_partitions, n_partitions, memory_order_release);
	kp_lock_release(&pending->shared.lock);
	if (is_done)
		kp_list_remove(&t->loop.moving_link);
	else if (!kp_list_linked(&t->loop.moving_link))
		kp_list_push_back(&e->loop.moving, &t->loop.moving_link);
	atomic_store(&e->shared.is_moving, !kp_list_empty(&e->loop.moving));
	kp_partition_evaluate(e, pending, e->loop.now_us);
	if (is_awaited) /* else whoever keeps the buffer full would keep a flush from ending */
		extend_flush(e, t, n_partitions);
}

void kp_pending_step(kp_engine *e)
{
	uint64_t room = kp_engine_room_generation(e);
	kp_list *next;
	if (room == e->loop.room_at_last_move)
		return;
	e->loop.room_at_last_move = room;
	for (kp_list *n = e->loop.moving.next; n != &e->loop.moving; n = next) {
		kp_topic *t = KP_CONTAINER_OF(n, kp_topic, loop.moving_link);
		next = n->next;
		kp_pending_move(e, t, t->loop.moving_to);
	}
}
