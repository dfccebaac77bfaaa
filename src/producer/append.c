/*
 * append.c - the append half: a record goes from the caller's hands into its partition's open batch. No allocation, clock read or name
 * look-up per record; the lock is the partition's own.
 *
 * A record of "now" comes with a coarse time, which may be a tick behind. The exact clock is read once a batch, for its first record, and no
 * later record of "now" is dated before that; a batch that a record with a time of its own opened dates no other.
 */
#include <kproducer/error.h>

#include "base/time.h"
#include "producer/engine_impl.h"

#define RECORD_OVERHEAD 64 /* around key and value when there are no headers, at most */
#define SHARE_PARTS 4      /* of what is one partition's share of the budget, a new batch starts with one */
#define LEND_MOST_US 5000  /* the loop is lent no batch when sealing the last one took longer */
#define DRAWS_MOST 4       /* of another partition, because the last one's lock is held by a thread that does not run */
#define SWITCH (-2000)     /* inside: the batch is closed or the lock is not to be had, choose another partition */
#define KNOWN (-2001)      /* inside: the topic's partitions became known meanwhile */

size_t kp_engine_max_record_size(const kp_engine_config *config)
{
	/* a batch of this one record, with the one entry's buffer, must fit into an empty budget: else nobody could ever make room for it */
	size_t most = KP_BUDGET_MIN_BUFFER;
	while (most * 2 + KP_BUDGET_MIN_BUFFER <= (size_t)config->buffer_memory)
		most *= 2;
	if (most > (size_t)config->max_request_size)
		most = (size_t)config->max_request_size;
	return most > KP_BATCH_HEADER_SIZE ? most - KP_BATCH_HEADER_SIZE : 0;
}

size_t kp_engine_record_size(const kp_append_args *a)
{
	return kp_record_size(kp_record_body_size(&a->content, 0, INT32_MAX));
}

void kp_seal_batch(kp_engine *e, kp_batch *b)
{
	kp_partition *p = b->partition;
	KP_REACHED(BATCH_SEALED);
	int64_t begin_us = kp_engine_clock_us(e);
	size_t n = kp_batch_seal(b, &e->shared.sealers, &e->shared.budget, e->config.codec, e->config.codec_level);
	atomic_store_explicit(&e->shared.seal_us, kp_engine_clock_us(e) - begin_us, memory_order_relaxed);
	atomic_fetch_sub_explicit(&p->shared.bytes, (int64_t)n, memory_order_relaxed);
}

/*
 * Summing and compressing is shared: a loop that sleeps is lent a full batch, so that one thread that sends keeps two processors busy. Not
 * when it takes long, since everything else of the loop would wait. relaxed: the batch itself goes over by the partition's lock.
 */
static bool lend_to_loop(kp_engine *e)
{
	return atomic_load_explicit(&e->shared.is_sleeping, memory_order_relaxed) &&
	       atomic_load_explicit(&e->shared.seal_us, memory_order_relaxed) <= LEND_MOST_US &&
	       !atomic_load_explicit(&e->shared.is_seal_lent, memory_order_relaxed) &&
	       !atomic_exchange_explicit(&e->shared.is_seal_lent, true, memory_order_relaxed);
}

kp_batch *kp_close_open(kp_partition *p)
{
	kp_batch *b = p->shared.open;
	p->shared.open = NULL;
	p->shared.size_hint = b->len - KP_BATCH_HEADER_SIZE;
	p->shared.entries_hint = b->n_entries;
	kp_list_push_back(&p->shared.queue, &b->link);
	if (p->index == KP_PENDING_INDEX) {
		/* never sent as it is: nothing to sum, and the loop may take it as soon as the lock opens */
		b->raw_len = b->len - KP_BATCH_HEADER_SIZE;
		atomic_store_explicit(&b->is_sealed, true, memory_order_release);
		return NULL;
	}
	return b;
}

void kp_detach_open_within(kp_partition *p, size_t room)
{
	kp_lock_acquire(&p->shared.lock);
	kp_batch *b = p->shared.open && p->shared.open->len <= room ? kp_close_open(p) : NULL;
	kp_lock_release(&p->shared.lock);
	if (b)
		kp_seal_batch(p->topic->engine, b);
}

void kp_detach_open(kp_partition *p)
{
	kp_detach_open_within(p, SIZE_MAX);
}

static inline int64_t timestamp_delta(const kp_batch *b, const kp_append_args *a)
{
	int64_t delta = a->timestamp_ms - b->base_timestamp_ms;
	return delta < 0 && a->is_now && b->is_dated_now ? 0 : delta;
}

/* Never before its first record, whose room is reckoned with no delta: the clock may have been set back since the caller read it. */
static int64_t opening_time(const kp_engine *e, const kp_append_args *a)
{
	int64_t exact_ms = a->is_now ? e->around.wall_ms(e->around.opaque) : a->timestamp_ms;
	return exact_ms > a->timestamp_ms ? exact_ms : a->timestamp_ms;
}

static bool wants_entry(const kp_engine *e, const kp_append_args *a)
{
	return a->is_group || e->config.reports != KP_REPORTS_NONE;
}

/*
 * Under the lock: as large as the last batch, so that it need not grow; but beyond the budget no more than the record itself takes, and
 * when half of the budget is in use no more than a part of a partition's share, or open batches would hold it all with little in them.
 */
static void hint_at_size(kp_engine *e, const kp_partition *p, kp_batch_need *need)
{
	int64_t limit = e->config.buffer_memory;
	size_t n = atomic_load_explicit(&e->shared.n_partitions, memory_order_relaxed);
	size_t share = (size_t)limit / SHARE_PARTS / (n > 0 ? n : 1), size = p->shared.size_hint;
	if (need->may_exceed)
		return;
	need->size_hint = size;
	need->entries_hint = p->shared.entries_hint;
	if (size <= share || kp_budget_free(&e->shared.budget) >= limit / 2)
		return;
	need->size_hint = share;
	need->entries_hint = (int32_t)((size_t)need->entries_hint * share / size);
}

/* Under the lock: a new open batch. A partition may hold no more than what is free for the others (but always one batch). */
static int open_batch(kp_engine *e, kp_partition *p, const kp_append_args *a, size_t size)
{
	if (p->shared.is_halted)
		return KP_ERR_PARTITION_HALTED;
	int64_t held = atomic_load_explicit(&p->shared.bytes, memory_order_relaxed);
	if (held > 0 && held > kp_budget_free(&e->shared.budget) && !a->is_moved)
		return KP_ERR_WOULD_BLOCK;
	int err = KP_ERR_NO_MEMORY;
	kp_batch_need need = {.first_size = size, .wants_entry = wants_entry(e, a), .may_exceed = a->may_exceed};
	hint_at_size(e, p, &need);
	kp_batch *b = kp_batch_new(&e->shared.budget, &need, &err);
	if (!b)
		return err;
	b->partition = p;
	b->base_timestamp_ms = b->max_timestamp_ms = opening_time(e, a);
	b->is_dated_now = a->is_now;
	b->is_transactional = kp_is_transactional(e);
	b->routed_us = a->is_moved ? e->loop.now_us : kp_engine_clock_us(e);
	b->created_us = a->is_moved ? a->created_us : b->routed_us;
	p->shared.open = b;
	KP_REACHED(BATCH_OPEN);
	atomic_fetch_add_explicit(&p->shared.bytes, (int64_t)kp_batch_footprint(b), memory_order_relaxed);
	atomic_fetch_add_explicit(&p->shared.n_waiting, 1, memory_order_relaxed);
	return 0;
}

/* Under the lock: the record does not fit as things stand. Grow the batch, or close it and open another. */
static int make_room(kp_engine *e, kp_partition *p, const kp_append_args *a, size_t size, bool may_switch, kp_batch **closed)
{
	kp_batch *b = p->shared.open;
	if (b) {
		int64_t delta = timestamp_delta(b, a);
		bool is_full = b->len - KP_BATCH_HEADER_SIZE + size > (size_t)kp_topic_batch_size(p->topic);
		if (is_full || delta > INT32_MAX || delta < INT32_MIN || b->n_records == INT32_MAX) {
			*closed = kp_close_open(p);
			/* moved: senders wait for the lock of `pending` */
			if (*closed && (a->is_moved || lend_to_loop(e))) {
				(*closed)->is_seal_due = true;
				*closed = NULL;
			}
			b = NULL;
		}
	}
	if (!b)
		return may_switch ? SWITCH : open_batch(e, p, a, size);
	size_t before = kp_batch_footprint(b);
	int err = kp_batch_make_room(b, &e->shared.budget, size, wants_entry(e, a), (size_t)kp_topic_batch_size(p->topic),
	                             a->may_exceed);
	atomic_fetch_add_explicit(&p->shared.bytes, (int64_t)kp_batch_footprint(b) - (int64_t)before, memory_order_relaxed);
	return err;
}

static inline void store(kp_partition *p, kp_batch *b, const kp_append_args *a, size_t body, size_t size)
{
	int64_t delta = timestamp_delta(b, a);
	if (b->entries) {
		/* Before the loop's reports, entry i is record i. */
		kp_entry *en = &b->entries[b->n_entries++];
		en->opaque = a->opaque;
		en->timestamp_delta = (int32_t)delta;
		en->place = (uint32_t)(b->len - KP_BATCH_HEADER_SIZE) | (a->is_group ? KP_ENTRY_GROUP : 0) |
		            (a->partition >= 0 ? KP_ENTRY_PARTITIONED : 0);
	}
	/* In a batch without a partition the place of the offset delta keeps the partition that was asked for, plus one. */
	int32_t offset_delta = KP_UNLIKELY(p->index == KP_PENDING_INDEX) ? a->partition + 1 : b->n_records;
	kp_record_store(b->data + b->len, &a->content, body, delta, offset_delta);
	b->len += size;
	b->n_records++;
	if (b->base_timestamp_ms + delta > b->max_timestamp_ms)
		b->max_timestamp_ms = b->base_timestamp_ms + delta;
	if (KP_LIKELY(!a->is_moved)) { /* else it was counted when it came */
		p->shared.n_appended++;
		p->shared.appended_bytes += size;
	}
}

static inline size_t body_size(const kp_partition *p, const kp_batch *b, const kp_append_args *a)
{
	int64_t delta = b ? timestamp_delta(b, a) : 0;
	int32_t offset_delta = KP_UNLIKELY(p->index == KP_PENDING_INDEX) ? a->partition + 1 : b ? b->n_records : 0;
	return kp_record_body_size(&a->content, delta, offset_delta);
}

static inline bool fits(kp_topic *t, const kp_batch *b, const kp_append_args *a, size_t size)
{
	const kp_engine *e = t->engine;
	int64_t delta = timestamp_delta(b, a);
	return b->len + size <= b->cap && b->len - KP_BATCH_HEADER_SIZE + size <= (size_t)kp_topic_batch_size(t) &&
	       delta == (int32_t)delta &&
	       ((!b->entries && !wants_entry(e, a)) ||
	        (b->entries && (size_t)(b->n_entries + 1) * sizeof(kp_entry) <= b->entries_cap_bytes));
}

/* Bits of `how`: the caller has other partitions to choose from, when a batch is full, or when the lock would be long in coming. */
#define MAY_SWITCH 1u
#define ELSEWHERE 2u

static int append(kp_topic *t, kp_partition *p, const kp_append_args *a, unsigned how)
{
	kp_engine *e = t->engine;
	kp_batch *closed = NULL;
	int err = 0;
	if (!(how & ELSEWHERE))
		kp_lock_acquire(&p->shared.lock);
	else if (!kp_lock_acquire_soon(&p->shared.lock))
		return SWITCH;
	/* relaxed: the loop sets it before it takes this lock to detach what is open */
	int refusal = atomic_load_explicit(&e->shared.refusal, memory_order_relaxed);
	if (KP_UNLIKELY(refusal != 0) && !a->is_moved) {
		kp_lock_release(&p->shared.lock);
		return refusal;
	}
	if (KP_UNLIKELY(p->index == KP_PENDING_INDEX) && kp_topic_n_partitions(t) > 0) {
		kp_lock_release(&p->shared.lock);
		return KNOWN;
	}
	kp_batch *b = p->shared.open;
	size_t body = body_size(p, b, a), size = kp_record_size(body);
	bool is_news = false, is_grown = false;
	if (KP_UNLIKELY(!b || !fits(t, b, a, size))) {
		err = make_room(e, p, a, size, how & MAY_SWITCH, &closed);
		is_news = closed || p->shared.open != b;
		is_grown = !err;
		b = p->shared.open;
		if (!err) {
			/* a new batch counts from other bases */
			body = body_size(p, b, a);
			size = kp_record_size(body);
			if (a->is_moved && a->created_us < b->created_us)
				b->created_us = a->created_us;
		}
	}
	if (KP_LIKELY(!err))
		store(p, b, a, body, size);
	kp_lock_release(&p->shared.lock);
	if (KP_UNLIKELY(closed != NULL))
		kp_seal_batch(e, closed);
	if (KP_UNLIKELY(is_news))
		kp_notify_partition(e, p);
	if (KP_UNLIKELY(is_grown))
		kp_watermark_grown(e);
	return err;
}

/* The partition drawn holds its share already, as one does whose leader takes nothing. Any other that does not will do. */
static int append_anywhere(kp_topic *t, const kp_append_args *a, int32_t n, kp_sticky *s)
{
	kp_engine *e = t->engine;
	int err = KP_ERR_WOULD_BLOCK;
	for (int32_t k = 1; k < n && err == KP_ERR_WOULD_BLOCK; k++) {
		int64_t room = kp_budget_free(&e->shared.budget);
		int32_t i = (s->partition + k) % n;
		kp_partition *p = kp_topic_partition(t, i);
		if (room < (int64_t)(2 * KP_BUDGET_MIN_BUFFER))
			return err;
		if (atomic_load_explicit(&p->shared.bytes, memory_order_relaxed) > room ||
		    !atomic_load_explicit(&p->shared.is_available, memory_order_relaxed))
			continue;
		err = append(t, p, a, 0);
		if (!err) {
			s->partition = i;
			s->bytes = 0;
		}
	}
	return err;
}

/* The partition drawn is halted, as are perhaps others that the weights do not know of yet. */
static int append_unhalted(kp_topic *t, const kp_append_args *a, int32_t n, kp_sticky *s)
{
	int err = KP_ERR_PARTITION_HALTED;
	kp_partitioner_switch(t, s, n);
	for (int32_t k = 0; k < n && err == KP_ERR_PARTITION_HALTED; k++) {
		int32_t i = (s->partition + k) % n;
		err = append(t, kp_topic_partition(t, i), a, 0);
		if (!err)
			s->partition = i;
	}
	return err;
}

static int append_sticky(kp_topic *t, const kp_append_args *a, int32_t n)
{
	kp_sticky *s = kp_partitioner_sticky(t, n);
	if (s->bytes >= (uint32_t)kp_topic_batch_size(t))
		kp_partitioner_switch(t, s, n);
	int err = append(t, kp_topic_partition(t, s->partition), a,
	                 (s->bytes >= KP_STICKY_MIN ? MAY_SWITCH : 0) | (n > 1 ? ELSEWHERE : 0));
	for (int k = 1; KP_UNLIKELY(err == SWITCH); k++) {
		kp_partitioner_switch(t, s, n);
		err = append(t, kp_topic_partition(t, s->partition), a, k < DRAWS_MOST ? ELSEWHERE : 0);
	}
	if (KP_UNLIKELY(err == KP_ERR_PARTITION_HALTED))
		err = append_unhalted(t, a, n, s);
	if (KP_UNLIKELY(err == KP_ERR_WOULD_BLOCK))
		err = append_anywhere(t, a, n, s);
	if (KP_LIKELY(!err))
		s->bytes += (uint32_t)(a->content.key.len + a->content.value.len + 8);
	return err;
}

static int append_known(kp_topic *t, const kp_append_args *a, int32_t n)
{
	kp_engine *e = t->engine;
	if (a->partition != KP_PARTITION_ANY) {
		if (a->partition < 0 || a->partition >= n)
			return KP_ERR_UNKNOWN_PARTITION;
		return append(t, kp_topic_partition(t, a->partition), a, 0);
	}
	if (a->content.key.ptr && !e->config.ignore_keys)
		return append(t, kp_topic_partition(t, kp_partitioner_by_key(a->content.key, n)), a, 0);
	return append_sticky(t, a, n);
}

int kp_append_moved(kp_topic *t, const kp_append_args *a, int32_t n_partitions)
{
	return append_known(t, a, n_partitions);
}

/* queue.buffering.max.messages: counted only when it is set, since all threads share the counter. */
static bool take_a_place(kp_engine *e)
{
	int64_t most = e->config.max_queued_records;
	/* relaxed: a bound, orders nothing */
	if (most == 0 || atomic_fetch_add_explicit(&e->shared.n_queued, 1, memory_order_relaxed) < most)
		return true;
	atomic_fetch_sub_explicit(&e->shared.n_queued, 1, memory_order_relaxed);
	return false;
}

int kp_engine_append(kp_topic *t, const kp_append_args *a)
{
	kp_engine *e = t->engine;
	size_t payload = a->content.key.len + a->content.value.len;
	if (KP_UNLIKELY(payload + RECORD_OVERHEAD > e->max_record_size || a->content.n_headers) &&
	    kp_engine_record_size(a) > e->max_record_size)
		return KP_ERR_RECORD_TOO_LARGE;
	if (!take_a_place(e))
		return KP_ERR_WOULD_BLOCK;
	int32_t n = kp_topic_n_partitions(t);
	int err = KP_LIKELY(n > 0) ? append_known(t, a, n) : append(t, t->shared.pending, a, 0);
	if (KP_UNLIKELY(err == KNOWN))
		err = append_known(t, a, kp_topic_n_partitions(t));
	if (KP_UNLIKELY(err) && e->config.max_queued_records)
		atomic_fetch_sub_explicit(&e->shared.n_queued, 1, memory_order_relaxed);
	if (KP_UNLIKELY(err == KP_ERR_WOULD_BLOCK))
		kp_watermark_no_room(e);
	return err;
}

void kp_engine_wants_room(kp_engine *e, int delta)
{
	/* release: the loop that sees the wish sees what was appended before */
	atomic_fetch_add_explicit(&e->shared.n_wanting_room, delta, memory_order_release);
	if (delta > 0)
		kp_notify_news(e);
}

uint64_t kp_engine_room_generation(kp_engine *e)
{
	return atomic_load(&e->shared.budget.n_freed); /* seq_cst: see kp_pending_step and kp_engine_release */
}

void kp_engine_hurry(kp_engine *e)
{
	/* relaxed: has_news, set behind it, carries it over */
	atomic_store_explicit(&e->shared.wants_hurry, true, memory_order_relaxed);
	kp_notify_news(e);
}

void kp_engine_stop_accepting(kp_engine *e)
{
	kp_engine_refuse(e, KP_ERR_CLOSED);
	kp_notify_news(e); /* the next turn of the loop sees it */
}

void kp_engine_refuse(kp_engine *e, int code)
{
	int was = atomic_load(&e->shared.refusal);
	while (was != KP_ERR_CLOSED && !atomic_compare_exchange_weak(&e->shared.refusal, &was, code))
		;
	/* who waits for room looks again */
	atomic_fetch_add(&e->shared.budget.n_freed, 1);
}
