/*
 * split.c - a batch that the broker refused for sure is built anew as several: smaller ones when it was too large (KIP-126), without the
 * culprits when some of its records were to blame (KIP-467). Loop thread.
 *
 * What replaces a batch stands where it stood: in the partition's order, by age, by serial (a flush waits for all of it), with the
 * sequence numbers that the batch had. They are free, since every attempt was proven to be before the append, and those stamped behind it
 * were refused with OUT_OF_ORDER_SEQUENCE_NUMBER or will be. When records were taken out, the numbers behind show a gap at the head of
 * the line, as outcome.c has it.
 *
 * Memory: the new batches live beside the old one for a moment. They may exceed the budget, but for one batch at a time: until its
 * partition holds nothing any more, only its pieces are split further, each when it is the first in line, for what would make room may
 * wait behind it. (The budget may stay exceeded after that: by records that waited for metadata, see pending.c.) Buffers are powers of
 * two, so the pieces of R bytes of records (before compression) and E bytes of entries hold less than 2 R + 2 E together and
 * KP_PIECE_LEAST_BYTES each, of KP_PIECES_MOST a split. So much may be in use beyond buffer.memory until the old batch is gone, which is at
 * once; then it is less by what that held: R + E at least if it was not compressed.
 */
#include <kproducer/error.h>

#include <string.h>

#include "base/mem.h"
#include "producer/engine_impl.h"

/* A batch is cut about so often at once, and what is still too large again. Two pieces in a row hold more than one may. */
#define PIECES_ABOUT ((KP_PIECES_MOST + 1) / 2)

/* Walks the records of a batch and hands them out to new ones. */
typedef struct rebuild {
	kp_engine *engine;
	kp_batch *from;
	kp_buf scratch; /* the records, if they had to be decompressed */
	const uint8_t *at, *end;
	int32_t next; /* index of the record at `at` */
	bool may_exceed;
} rebuild;

void kp_split_look_at_budget(kp_engine *e)
{
	const kp_partition *p = e->loop.beyond;
	/* acquire: what held nothing any more has given its memory back (kp_engine_release) */
	if (p && (atomic_load_explicit(&p->shared.bytes, memory_order_acquire) == 0 || kp_budget_free(&e->shared.budget) >= 0))
		e->loop.beyond = NULL;
}

static bool may_exceed(kp_engine *e, const kp_batch *b)
{
	const kp_partition *p = b->partition;
	kp_split_look_at_budget(e);
	return !e->loop.beyond || (e->loop.beyond == p && p->loop.unresolved.next == &b->link);
}

static int rebuild_init(rebuild *w, kp_engine *e, kp_batch *b)
{
	kp_slice records;
	*w = (rebuild){.engine = e, .from = b, .may_exceed = may_exceed(e, b)};
	kp_buf_init(&w->scratch, b->raw_len);
	int err = kp_batch_records(kp_slice_of(b->data, b->len), &w->scratch, &records);
	w->at = records.ptr;
	w->end = err ? w->at : records.ptr + records.len;
	return err;
}

/* Encoded size of the record at `at`; 0 when there is none. */
static size_t size_at(const rebuild *w, const uint8_t *at)
{
	int64_t body;
	const uint8_t *p = kp_load_varint(at, w->end, &body);
	return p && body > 0 && body <= w->end - p ? (size_t)(p - at) + (size_t)body : 0;
}

/* The same of the next record. */
static size_t next_size(const rebuild *w)
{
	return w->next < w->from->n_records ? size_at(w, w->at) : 0;
}

/* Bytes of the next records that go into one piece: at least one record, no more than `most` otherwise. */
static size_t next_run(const rebuild *w, size_t most)
{
	size_t run = next_size(w), size;
	while ((size = size_at(w, w->at + run)) > 0 && run + size <= most)
		run += size;
	return run;
}

static kp_batch *open_piece(rebuild *w, size_t first_size, size_t size_hint, int *err)
{
	const kp_batch *from = w->from;
	kp_batch_need need = {first_size, size_hint, 1, from->entries != NULL, w->may_exceed};
	kp_batch *b = kp_batch_new(&w->engine->shared.budget, &need, err);
	if (!b)
		return NULL;
	b->partition = from->partition;
	b->base_timestamp_ms = from->base_timestamp_ms;
	b->max_timestamp_ms = INT64_MIN;
	b->is_dated_now = from->is_dated_now;
	b->is_transactional = from->is_transactional;
	b->created_us = from->created_us;
	b->routed_us = from->routed_us;
	b->trail = from->trail;
	b->serial = from->serial;
	b->is_adopted = true;
	b->last_error = from->last_error;
	b->last_node = from->last_node;
	return b;
}

/* The next record, of that size, goes to `to`: all of it but the offset delta is copied. */
static int move_record(rebuild *w, kp_batch *to, size_t size)
{
	int64_t body, timestamp_delta, offset_delta;
	const uint8_t *record_end = w->at + size, *p = kp_load_varint(w->at, record_end, &body);
	p = p ? kp_load_varint(p + 1, record_end, &timestamp_delta) : NULL; /* behind the attributes */
	p = p ? kp_load_varint(p, record_end, &offset_delta) : NULL;
	if (!p)
		return KP_ERR_PROTOCOL;
	/* the delta only shrinks: no more room than before is wanted */
	int err = kp_batch_make_room(to, &w->engine->shared.budget, size, to->entries != NULL, SIZE_MAX / 4, w->may_exceed);
	if (err)
		return err;
	size_t rest = (size_t)(record_end - p);
	uint8_t *start = to->data + to->len, *q = start;
	q = kp_record_varint_store(
		q, (int64_t)(1 + kp_record_varint_size(timestamp_delta) + kp_record_varint_size(to->n_records) + rest));
	*q++ = 0;
	q = kp_record_varint_store(q, timestamp_delta);
	q = kp_record_varint_store(q, to->n_records);
	memcpy(q, p, rest);
	if (to->entries) {
		kp_entry *en = &to->entries[to->n_entries++];
		*en = w->from->entries[w->next];
		en->place = (uint32_t)(to->len - KP_BATCH_HEADER_SIZE) | (en->place & KP_ENTRY_GROUP);
	}
	to->len += (size_t)(q + rest - start);
	to->n_records++;
	int64_t timestamp_ms = to->base_timestamp_ms + timestamp_delta;
	to->max_timestamp_ms = timestamp_ms > to->max_timestamp_ms ? timestamp_ms : to->max_timestamp_ms;
	w->at = record_end;
	w->next++;
	return 0;
}

static void free_pieces(kp_engine *e, kp_list *pieces)
{
	kp_list *n;
	while ((n = kp_list_pop_front(pieces)))
		kp_batch_free(KP_CONTAINER_OF(n, kp_batch, link), &e->shared.budget);
}

/* Seal the piece and give it a place right before the batch that it comes from, with the sequence numbers from `sequence` on. */
static void place_piece(kp_engine *e, kp_batch *from, kp_batch *b, int32_t sequence)
{
	kp_partition *p = from->partition;
	(void)kp_batch_seal(b, &e->shared.sealers, &e->shared.budget, e->config.codec, e->config.codec_level);
	atomic_fetch_add_explicit(&p->shared.bytes, (int64_t)kp_batch_footprint(b), memory_order_relaxed);
	b->is_stamped = true;
	kp_batch_set_stamp(b, from->producer_id, from->producer_epoch, sequence);
	kp_list_insert_before(&from->link, &b->link);
	kp_list_insert_before(&from->serial_link, &b->serial_link);
}

/* The pieces take the batch's place, in their order; it is gone. */
static void replace(kp_engine *e, kp_batch *from, kp_list *pieces)
{
	kp_partition *p = from->partition;
	int32_t sequence = from->base_sequence;
	kp_list *n;
	while ((n = kp_list_pop_front(pieces))) {
		kp_batch *b = KP_CONTAINER_OF(n, kp_batch, link);
		place_piece(e, from, b, sequence);
		if (from->producer_id >= 0)
			sequence = kp_sequence_after(sequence, b->n_records);
	}
	kp_list_remove(&from->link);
	kp_list_remove(&from->serial_link);
	kp_engine_release(e, from);
	if (kp_budget_free(&e->shared.budget) < 0)
		e->loop.beyond = p;
}

/* Bytes of records in a piece: at most half of the batch, so that there are two. */
static size_t piece_size(const kp_batch *b)
{
	size_t half = b->raw_len / 2, floor = KP_BUDGET_MIN_BUFFER - KP_BATCH_HEADER_SIZE;
	size_t size = (size_t)kp_topic_batch_size(b->partition->topic);
	if (size < b->raw_len / PIECES_ABOUT)
		size = b->raw_len / PIECES_ABOUT;
	if (size < floor)
		size = floor;
	return size < half ? size : half;
}

static int cut(rebuild *w, size_t most, kp_list *pieces)
{
	kp_batch *piece = NULL;
	int err = 0;
	size_t size, run = 0; /* run: what is still to come into the piece */
	while (!err && (size = next_size(w)) > 0) {
		if (run == 0) {
			run = next_run(w, most);
			piece = open_piece(w, size, run, &err);
			if (!piece)
				return err;
			kp_list_push_back(pieces, &piece->link);
		}
		run -= size;
		err = move_record(w, piece, size);
	}
	return !err && w->next < w->from->n_records ? KP_ERR_PROTOCOL : err;
}

static void shrink_batches(kp_topic *t, size_t most, int64_t now_us)
{
	if (most < 1)
		most = 1;
	if (most < (size_t)kp_topic_batch_size(t))
		atomic_store_explicit(&t->shared.batch_size, (int32_t)most, memory_order_relaxed);
	t->loop.batch_size_us = now_us;
}

void kp_topic_grow_batches(kp_engine *e, kp_topic *t, int64_t now_us)
{
	int32_t size = kp_topic_batch_size(t), most = e->config.batch_size;
	if (size >= most || now_us - t->loop.batch_size_us < e->config.metadata_max_age_us)
		return;
	atomic_store_explicit(&t->shared.batch_size, size < most / 2 ? size * 2 : most, memory_order_relaxed);
	t->loop.batch_size_us = now_us;
}

int kp_batch_split(kp_engine *e, kp_batch *b)
{
	rebuild w;
	kp_list pieces;
	kp_list_init(&pieces);
	shrink_batches(b->partition->topic, b->raw_len / 2, e->loop.now_us);
	int err = rebuild_init(&w, e, b);
	if (!err)
		err = cut(&w, piece_size(b), &pieces);
	kp_buf_deinit(&w.scratch);
	if (err) {
		free_pieces(e, &pieces);
		return err;
	}
	KP_LOG(e->around.log, KP_LOG_INFO, e->loop.now_us,
	       "batch_split topic=%s partition=%d records=%d bytes=%zu error=%s: the next ones close at %d bytes",
	       b->partition->topic->name, b->partition->index, b->n_records, b->len, kp_error_name(b->last_error),
	       kp_topic_batch_size(b->partition->topic));
	replace(e, b, &pieces);
	KP_REACHED(BATCH_SPLIT);
	return 0;
}

static bool is_rejected(const kp_batch *b, int32_t i)
{
	for (int32_t k = 0; k < b->n_rejected; k++)
		if (b->rejected[k] == i)
			return true;
	return false;
}

bool kp_batch_has_innocents(const kp_batch *b)
{
	int32_t n = 0;
	for (int32_t i = 0; i < b->n_records && b->n_rejected > 0; i++)
		n += is_rejected(b, i);
	return n > 0 && n < b->n_records;
}

/* The records in two: those that were rejected, and the others. */
static int sort_out(rebuild *w, kp_batch **culprits, kp_batch **others)
{
	int err = 0;
	size_t size;
	while (!err && (size = next_size(w)) > 0) {
		kp_batch **to = is_rejected(w->from, w->next) ? culprits : others;
		if (!*to)
			*to = open_piece(w, size, 0, &err);
		if (*to)
			err = move_record(w, *to, size);
	}
	return !err && w->next < w->from->n_records ? KP_ERR_PROTOCOL : err;
}

int kp_batch_expel(kp_engine *e, kp_batch *b, kp_batch **culprits)
{
	rebuild w;
	kp_batch *others = NULL;
	kp_list pieces;
	kp_list_init(&pieces);
	*culprits = NULL;
	int err = rebuild_init(&w, e, b);
	if (!err)
		err = sort_out(&w, culprits, &others);
	kp_buf_deinit(&w.scratch);
	if (*culprits)
		kp_list_push_back(&pieces, &(*culprits)->link);
	if (others)
		kp_list_push_back(&pieces, &others->link);
	if (err) {
		free_pieces(e, &pieces);
		return err;
	}
	(*culprits)->attempts = b->attempts;
	(*culprits)->message = b->message;
	b->message = NULL;
	/* no number is spent on the culprits: what stays begins where the batch began */
	kp_list_remove(&(*culprits)->link);
	place_piece(e, b, *culprits, -1);
	replace(e, b, &pieces);
	KP_REACHED(BATCH_EXPELLED);
	return 0;
}
