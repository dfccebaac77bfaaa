/*
 * filler.h - turns an ended batch into kp_reports, a stretch at a time; failures carry their content, decompressed if need be.
 *
 * What a report points to lives in the batch, or in the filler until it is begun on another stretch. One thread at a time.
 */
#ifndef KP_CLIENT_FILLER_H
#define KP_CLIENT_FILLER_H

#include <kproducer/kproducer.h>

#include "base/arena.h"
#include "base/buf.h"
#include "producer/batch.h"

typedef struct kp_filler {
	kp_arena arena; /* headers of the present stretch */
	kp_buf raw;     /* decompressed records of the present batch */
	const kp_batch *batch;
	kp_slice records;  /* null: content is not to be had */
	kp_report model;   /* what all reports of the batch share */
	bool gives_groups; /* records of groups too, but for those that were taken (the failure queue) */
} kp_filler;

void kp_filler_init(kp_filler *f);
void kp_filler_deinit(kp_filler *f);
/* What all reports of the batch share. Any thread that may read the batch. */
kp_report kp_filler_model(const kp_batch *b);
void kp_filler_begin(kp_filler *f, const kp_batch *b);
static inline bool kp_filler_gives(const kp_filler *f, const kp_entry *en)
{
	return f->gives_groups ? en->place != KP_ENTRY_TAKEN : !(en->place & KP_ENTRY_GROUP);
}
/* Reports of records [from, from + n) of the batch, of those that this filler gives, into out[]; returns how many were written. */
size_t kp_filler_fill(kp_filler *f, int32_t from, size_t n, kp_report *out);
/* One record's report. */
void kp_filler_one(kp_filler *f, int32_t i, kp_report *out);

#endif
