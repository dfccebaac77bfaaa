#include "producer/batch.h"

#include <kproducer/error.h>

#include <string.h>

#include "base/crc32c.h"
#include "base/mem.h"

/* Both buffers out of one reservation. */
static int take_buffers(kp_batch *b, kp_budget *budget, size_t data_size, int32_t n_entries, const kp_batch_need *need)
{
	void *data, *entries = NULL;
	size_t entries_size = (size_t)n_entries * sizeof(kp_entry),
	       entries_bytes = need->wants_entry ? kp_budget_round(entries_size) : 0;
	size_t bytes = kp_budget_round(data_size) + entries_bytes;
	int err = kp_budget_reserve(budget, bytes, need->may_exceed);
	if (err)
		return err;
	err = kp_budget_buffer(budget, data_size, &data, &b->cap);
	if (!err && need->wants_entry) {
		err = kp_budget_buffer(budget, entries_size, &entries, &b->entries_cap_bytes);
		if (err) {
			kp_budget_give(budget, data, b->cap);
			bytes = entries_bytes;
		}
	}
	if (err) {
		kp_budget_unreserve(budget, bytes);
		return err;
	}
	b->data = data;
	b->entries = entries;
	return 0;
}

kp_batch *kp_batch_new(kp_budget *budget, const kp_batch_need *need, int *error)
{
	kp_batch *b = kp_budget_take_spare(budget, sizeof(*b));
	if (!b) {
		*error = KP_ERR_NO_MEMORY;
		return NULL;
	}
	memset(b, 0, sizeof(*b));
	size_t most = need->first_size > need->size_hint ? need->first_size : need->size_hint;
	int32_t n_entries = need->entries_hint > 1 ? need->entries_hint : 1;
	int err = take_buffers(b, budget, KP_BATCH_HEADER_SIZE + most, n_entries, need);
	if (err && (most > need->first_size || n_entries > 1))
		err = take_buffers(b, budget, KP_BATCH_HEADER_SIZE + need->first_size, 1, need);
	if (err) {
		*error = err;
		kp_budget_keep_spare(budget, b, sizeof(*b));
		return NULL;
	}
	kp_list_init(&b->link);
	kp_list_init(&b->serial_link);
	kp_list_init(&b->ended_link);
	atomic_init(&b->n_refs, 1);
	b->len = KP_BATCH_HEADER_SIZE;
	b->producer_id = -1;
	b->producer_epoch = -1;
	b->base_sequence = -1;
	b->last_node = -1;
	b->trail.sent_us = -1;
	b->base_offset = -1;
	b->log_append_time_ms = -1;
	return b;
}

/* Move to a larger buffer; the old one goes back to the pool. */
static int grow(void **buffer, size_t *cap, size_t used, size_t want, kp_budget *budget, bool may_exceed)
{
	size_t new_cap;
	void *more;
	int err = kp_budget_take(budget, want, may_exceed, &more, &new_cap);
	if (err)
		return err;
	memcpy(more, *buffer, used);
	kp_budget_give(budget, *buffer, *cap);
	*buffer = more;
	*cap = new_cap;
	return 0;
}

/* Records before the first that wants an entry get empty ones, so that entry i is record i. */
static int make_entry_room(kp_batch *b, kp_budget *budget, bool may_exceed)
{
	size_t need = (size_t)(b->n_records + 1) * sizeof(kp_entry);
	if (need > b->entries_cap_bytes) {
		void *entries = b->entries;
		int err = entries ? grow(&entries, &b->entries_cap_bytes, (size_t)b->n_entries * sizeof(kp_entry), need, budget,
		                         may_exceed)
		                  : kp_budget_take(budget, need, may_exceed, &entries, &b->entries_cap_bytes);
		if (err)
			return err;
		b->entries = entries;
	}
	if (b->n_entries < b->n_records) {
		memset(b->entries + b->n_entries, 0, (size_t)(b->n_records - b->n_entries) * sizeof(kp_entry));
		b->n_entries = b->n_records;
	}
	return 0;
}

int kp_batch_make_room(kp_batch *b, kp_budget *budget, size_t size, bool wants_entry, size_t batch_size, bool may_exceed)
{
	if (b->len + size > b->cap) {
		size_t most = KP_BATCH_HEADER_SIZE + batch_size, want = b->cap * 2;
		if (want > most)
			want = most;
		if (want < b->len + size)
			want = b->len + size;
		void *data = b->data;
		int err = grow(&data, &b->cap, b->len, want, budget, may_exceed);
		if (err)
			return err;
		b->data = data;
	}
	return wants_entry || b->entries ? make_entry_room(b, budget, may_exceed) : 0;
}

void kp_batch_drop_data(kp_batch *b, kp_budget *budget)
{
	kp_budget_give(budget, b->data, b->cap);
	b->data = NULL;
	b->cap = 0;
}

void kp_batch_free(kp_batch *b, kp_budget *budget)
{
	kp_batch_drop_data(b, budget);
	kp_budget_give(budget, b->entries, b->entries_cap_bytes);
	kp_mem_free(b->message);
	kp_cause_unref(b->cause);
	kp_mem_free(b->rejected);
	kp_budget_keep_spare(budget, b, sizeof(*b));
}

size_t kp_batch_footprint(const kp_batch *b)
{
	return b->cap + (b->entries ? b->entries_cap_bytes : 0);
}

/* ------------------------------------------------------------------ sealing */

#define N_SAMPLES 3
#define SAMPLE_BYTES 16384
#define SAMPLED_LEAST_BYTES 262144 /* a sample is less than a fifth */

typedef struct kp_sealer {
	struct kp_sealer *next;
	kp_compressor *compressor;
	uint8_t *scratch;
	size_t scratch_cap;
} kp_sealer;

void kp_sealers_init(kp_sealers *s)
{
	kp_lock_init(&s->lock);
	s->spare = NULL;
	atomic_init(&s->is_in_vain, false);
}

static void sealer_free(kp_sealer *s)
{
	kp_compressor_free(s->compressor);
	kp_mem_free(s->scratch);
	kp_mem_free(s);
}

void kp_sealers_deinit(kp_sealers *s)
{
	while (s->spare) {
		kp_sealer *next = s->spare->next;
		sealer_free(s->spare);
		s->spare = next;
	}
}

static kp_sealer *sealer_get(kp_sealers *s)
{
	kp_lock_acquire(&s->lock);
	kp_sealer *one = s->spare;
	if (one)
		s->spare = one->next;
	kp_lock_release(&s->lock);
	if (one)
		return one;
	one = kp_mem_calloc(1, sizeof(*one));
	if (!one)
		return NULL;
	one->compressor = kp_compressor_new();
	if (!one->compressor) {
		kp_mem_free(one);
		return NULL;
	}
	return one;
}

static void sealer_put(kp_sealers *s, kp_sealer *one)
{
	kp_lock_acquire(&s->lock);
	one->next = s->spare;
	s->spare = one;
	kp_lock_release(&s->lock);
}

static bool scratch_reserve(kp_sealer *s, size_t n)
{
	if (n <= s->scratch_cap)
		return true;
	kp_mem_free(s->scratch);
	s->scratch = kp_mem_alloc(n);
	s->scratch_cap = s->scratch ? n : 0;
	return s->scratch != NULL;
}

/*
 * The n compressed bytes that stand in the scratch buffer, behind room for a header, take the place of the raw ones: in a smaller buffer if
 * one is to be had; else the two buffers change places if they are of one size.
 */
static void replace_records(kp_batch *b, kp_sealer *s, size_t n, kp_budget *budget)
{
	size_t want = KP_BATCH_HEADER_SIZE + n, cap;
	void *smaller;
	if (kp_budget_round(want) < b->cap && kp_budget_take(budget, want, false, &smaller, &cap) == 0) {
		kp_budget_give(budget, b->data, b->cap);
		b->data = smaller;
		b->cap = cap;
	} else if (s->scratch_cap == b->cap) {
		uint8_t *raw = b->data;
		b->data = s->scratch;
		s->scratch = raw;
		b->len = want;
		return;
	}
	memcpy(b->data + KP_BATCH_HEADER_SIZE, s->scratch + KP_BATCH_HEADER_SIZE, n);
	b->len = want;
}

/* Pieces from the beginning, the middle and the end, compressed each by itself. */
static bool may_shrink(kp_sealer *s, kp_codec_type codec, int level, kp_slice raw)
{
	size_t packed = 0, n;
	for (size_t i = 0; i < N_SAMPLES; i++) {
		kp_slice piece = kp_slice_of(raw.ptr + i * (raw.len - SAMPLE_BYTES) / (N_SAMPLES - 1), SAMPLE_BYTES);
		if (kp_compress(s->compressor, codec, level, piece, s->scratch, s->scratch_cap, &n) != 0)
			return true;
		packed += n;
	}
	return packed < N_SAMPLES * (SAMPLE_BYTES - SAMPLE_BYTES / 64);
}

static void compress(kp_batch *b, kp_sealers *sealers, kp_budget *budget, kp_codec_type codec, int level)
{
	kp_slice raw = kp_slice_of(b->data + KP_BATCH_HEADER_SIZE, b->raw_len);
	size_t bound = kp_compress_bound(codec, raw.len), n;
	bool is_large = raw.len >= SAMPLED_LEAST_BYTES;
	kp_sealer *s = sealer_get(sealers);
	if (!s)
		return;
	if (scratch_reserve(s, kp_budget_round(KP_BATCH_HEADER_SIZE + bound)) &&
	    (!is_large || !atomic_load_explicit(&sealers->is_in_vain, memory_order_relaxed) || may_shrink(s, codec, level, raw)) &&
	    kp_compress(s->compressor, codec, level, raw, s->scratch + KP_BATCH_HEADER_SIZE, bound, &n) == 0 && n < raw.len) {
		replace_records(b, s, n, budget);
		b->codec = codec;
	}
	if (is_large)
		atomic_store_explicit(&sealers->is_in_vain, b->codec == KP_CODEC_NONE, memory_order_relaxed);
	sealer_put(sealers, s);
}

size_t kp_batch_seal(kp_batch *b, kp_sealers *sealers, kp_budget *budget, kp_codec_type codec, int level)
{
	size_t before = kp_batch_footprint(b);
	b->raw_len = b->len - KP_BATCH_HEADER_SIZE;
	b->codec = KP_CODEC_NONE;
	if (codec != KP_CODEC_NONE)
		compress(b, sealers, budget, codec, level);
	b->records_crc = kp_crc32c(b->data + KP_BATCH_HEADER_SIZE, b->len - KP_BATCH_HEADER_SIZE);
	kp_batch_header_store(b->data,
	                      &(kp_batch_header){
				      .base_offset = 0,
				      .batch_length = (int32_t)(b->len - 12),
				      .partition_leader_epoch = -1,
				      .magic = 2,
				      .attributes = (int16_t)((int)b->codec | (b->is_transactional ? KP_BATCH_TRANSACTIONAL : 0)),
				      .last_offset_delta = b->n_records - 1,
				      .base_timestamp = b->base_timestamp_ms,
				      .max_timestamp = b->max_timestamp_ms,
				      .producer_id = -1,
				      .producer_epoch = -1,
				      .base_sequence = -1,
				      .n_records = b->n_records,
			      });
	size_t n = before - kp_batch_footprint(b);
	atomic_store_explicit(&b->is_sealed, true, memory_order_release);
	return n;
}

void kp_batch_set_stamp(kp_batch *b, int64_t producer_id, int16_t epoch, int32_t base_sequence)
{
	b->producer_id = producer_id;
	b->producer_epoch = epoch;
	b->base_sequence = base_sequence;
	kp_batch_stamp(b->data, producer_id, epoch, base_sequence, b->records_crc, b->len - KP_BATCH_HEADER_SIZE);
}
