#include "client/filler.h"

#include <kproducer/error.h>

#include "producer/topic.h"

void kp_filler_init(kp_filler *f)
{
	*f = (kp_filler){0};
	kp_arena_init(&f->arena, 0);
	kp_buf_init(&f->raw, 0);
}

void kp_filler_deinit(kp_filler *f)
{
	kp_arena_deinit(&f->arena);
	kp_buf_deinit(&f->raw);
}

static kp_slice raw_records(kp_filler *f, const kp_batch *b)
{
	kp_slice all = kp_slice_of(b->data, b->len), records;
	if (!b->data)
		return kp_slice_null();
	if (b->codec == KP_CODEC_NONE)
		return kp_slice_of(b->data + KP_BATCH_HEADER_SIZE, b->len - KP_BATCH_HEADER_SIZE);
	return kp_batch_records(all, &f->raw, &records) ? kp_slice_null() : records;
}

kp_report kp_filler_model(const kp_batch *b)
{
	return (kp_report){
		.struct_size = sizeof(kp_report),
		.topic = b->partition->topic->name,
		.offset = -1,
		.partition = b->partition->index,
		.error = b->error,
		.outcome = b->outcome,
		.stage = b->stage,
		.last_error = b->last_error,
		.node_id = b->last_node,
		.attempts = b->attempts,
		.message = b->message,
		.no_metadata_us = b->trail.no_metadata_us,
		.no_leader_us = b->trail.no_leader_us,
		.queued_us = b->trail.queued_us,
		.in_flight_us = b->trail.in_flight_us,
		.cause = b->cause ? b->cause->text : NULL,
	};
}

void kp_filler_begin(kp_filler *f, const kp_batch *b)
{
	kp_arena_reset(&f->arena);
	f->batch = b;
	f->records = b->outcome == KP_PERSISTED ? kp_slice_null() : raw_records(f, b);
	f->model = kp_filler_model(b);
}

static const void *pointer(kp_slice s)
{
	return s.ptr;
}

/* Terminated names, as kp_header has them. False: there was no memory. */
static bool fill_headers(kp_filler *f, const kp_record_view *v, kp_report *out)
{
	kp_slice rest = v->headers;
	kp_header *h = kp_arena_alloc(&f->arena, (size_t)v->n_headers * sizeof(*h));
	kp_record_header one;
	for (int32_t i = 0; h && i < v->n_headers; i++) {
		if (kp_record_header_next(&rest, &one))
			return false;
		char *name = kp_arena_alloc(&f->arena, one.name.len + 1);
		if (!name)
			return false;
		memcpy(name, one.name.ptr, one.name.len);
		h[i] = (kp_header){.name = name, .value = one.value.ptr, .value_len = one.value.len};
	}
	if (!h)
		return false;
	out->headers = h;
	out->n_headers = (size_t)v->n_headers;
	return true;
}

/* False: it is not to be had, for want of memory. */
static bool fill_content(kp_filler *f, const kp_entry *en, kp_report *out)
{
	kp_record_view v;
	if (!f->records.ptr)
		return false;
	const uint8_t *p = f->records.ptr + (en->place & KP_ENTRY_PLACE), *end = f->records.ptr + f->records.len;
	if (kp_record_load(&p, end, &v))
		return false;
	out->key = pointer(v.key);
	out->key_len = v.key.len;
	out->value = pointer(v.value);
	out->value_len = v.value.len;
	if (f->batch->partition->index == KP_PENDING_INDEX)
		out->partition = v.offset_delta - 1; /* what was asked for, see append.c */
	return v.n_headers == 0 || fill_headers(f, &v, out);
}

/* KIP-467: the broker named the culprits; the others fell with them. */
static void fill_rejection(const kp_batch *b, int32_t i, kp_report *out)
{
	for (int32_t k = 0; k < b->n_rejected; k++)
		if (b->rejected[k] == i)
			return;
	out->flags |= KP_REPORT_BYSTANDER;
	out->message = "another record of the same batch was rejected";
}

void kp_filler_one(kp_filler *f, int32_t i, kp_report *out)
{
	const kp_batch *b = f->batch;
	const kp_entry *en = &b->entries[i];
	*out = f->model;
	out->opaque = en->opaque;
	out->timestamp_ms = b->log_append_time_ms >= 0 ? b->log_append_time_ms : b->base_timestamp_ms + en->timestamp_delta;
	if (b->base_offset >= 0)
		out->offset = b->base_offset + i;
	if (en->place & KP_ENTRY_PARTITIONED)
		out->flags |= KP_REPORT_PARTITIONED;
	if (b->outcome != KP_PERSISTED && !fill_content(f, en, out))
		out->flags |= KP_REPORT_NO_CONTENT;
	if (b->n_rejected > 0)
		fill_rejection(b, i, out);
}

size_t kp_filler_fill(kp_filler *f, int32_t from, size_t n, kp_report *out)
{
	size_t k = 0;
	kp_arena_reset(&f->arena);
	for (int32_t i = from; i < from + (int32_t)n; i++)
		if (kp_filler_gives(f, &f->batch->entries[i]))
			kp_filler_one(f, i, &out[k++]);
	return k;
}
