/*
 * txn_check.c - I6: who reads committed records sees each transaction whole or not at all.
 *
 * The logs are read here as a consumer would: a control batch ends the transaction of its producer in its partition. What comes out is
 * compared with what the applications were told, and with what the broker says: its last stable offset and its list of aborted ones.
 *
 *   told committed                  every record of it is visible, its offsets are committed
 *   told aborted, or never asked    nothing of it is
 *   anything else                   all of it or nothing; nothing if a newer instance had the id when the commit was asked for
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "tests/sim/txn.h"

#define OPEN_MOST 16 /* transactions of a partition that are open at a time */

typedef struct open_txn {
	int64_t producer_id, first_offset;
} open_txn;

typedef struct ended_record {
	int64_t producer_id;
	uint32_t index;
} ended_record;

/* One partition, read from its start. */
typedef struct reader {
	sim_world *w;
	int32_t topic, partition;
	bool is_end; /* all is over: what is visible is written down */
	kp_db_partition_info info;
	open_txn open[OPEN_MOST];
	int n_open;
	int64_t unstable_offset; /* of a transaction whose marker is not replicated */
	struct {
		int64_t producer_id;
		int16_t epoch;
	} last_marker[OPEN_MOST];
	int n_markers;
	ended_record *records; /* of the open ones */
	size_t n_records, cap_records;
	size_t at_aborted; /* in the broker's list */
} reader;

static const char *name_of(const reader *r)
{
	return r->w->plan.topics[r->topic].name;
}

static open_txn *find_open(reader *r, int64_t producer_id)
{
	for (int i = 0; i < r->n_open; i++)
		if (r->open[i].producer_id == producer_id)
			return &r->open[i];
	return NULL;
}

/* ------------------------------------------------------------------ records */

static void keep_record(reader *r, int64_t producer_id, uint32_t index)
{
	if (r->n_records == r->cap_records) {
		r->cap_records = r->cap_records ? r->cap_records * 2 : 64;
		r->records = sim_alloc(r->records, r->cap_records * sizeof(*r->records));
	}
	r->records[r->n_records++] = (ended_record){producer_id, index};
}

static void read_records(reader *r, const kp_batch_header *h, kp_slice batch)
{
	kp_buf scratch;
	kp_slice records;
	kp_record_view v;
	kp_buf_init(&scratch, 0);
	if (kp_batch_records(batch, &scratch, &records) == 0) {
		const uint8_t *at = records.ptr, *end = records.ptr + records.len;
		for (int32_t i = 0; i < h->n_records && kp_record_load(&at, end, &v) == 0; i++)
			if (v.value.ptr && v.value.len >= 4)
				keep_record(r, h->producer_id, kp_load_be32(v.value.ptr));
	}
	kp_buf_deinit(&scratch);
}

/* The records of the transaction that has ended leave the list, seen or not. */
static void end_records(reader *r, int64_t producer_id, bool is_commit)
{
	size_t n = 0;
	for (size_t i = 0; i < r->n_records; i++) {
		ended_record e = r->records[i];
		if (e.producer_id != producer_id) {
			r->records[n++] = e;
			continue;
		}
		if (!is_commit || e.index >= r->w->n_records || r->w->records[e.index].txn == 0)
			continue; /* of nobody: seen by check_stored */
		r->w->txns->all[r->w->records[e.index].txn - 1].n_visible++;
	}
	r->n_records = n;
}

/* ------------------------------------------------------------------ batches */

static void data_batch(reader *r, const kp_batch_header *h, kp_slice batch)
{
	for (int i = 0; i < r->n_markers; i++)
		if (r->last_marker[i].producer_id == h->producer_id && h->producer_epoch < r->last_marker[i].epoch)
			sim_fail(r->w, "I6", "%s-%d holds at %lld a batch of epoch %d behind a marker of %d", name_of(r),
			         r->partition, (long long)h->base_offset, h->producer_epoch, r->last_marker[i].epoch);
	if (!find_open(r, h->producer_id)) {
		if (r->n_open == OPEN_MOST) {
			sim_fail(r->w, "I6", "%s-%d has too many open transactions", name_of(r), r->partition);
			return;
		}
		r->open[r->n_open++] = (open_txn){h->producer_id, h->base_offset};
	}
	if (r->is_end)
		read_records(r, h, batch);
}

static void note_marker(reader *r, const kp_batch_header *h)
{
	int i = 0;
	while (i < r->n_markers && r->last_marker[i].producer_id != h->producer_id)
		i++;
	if (i == OPEN_MOST)
		return;
	if (i < r->n_markers && h->producer_epoch < r->last_marker[i].epoch)
		sim_fail(r->w, "I6", "%s-%d holds at %lld a marker of epoch %d behind one of %d", name_of(r), r->partition,
		         (long long)h->base_offset, h->producer_epoch, r->last_marker[i].epoch);
	r->n_markers += i == r->n_markers;
	r->last_marker[i].producer_id = h->producer_id;
	r->last_marker[i].epoch = h->producer_epoch;
}

/* The broker's list has it next. */
static void check_aborted(reader *r, const open_txn *t, int64_t marker_offset)
{
	kp_db_aborted said;
	if (!kp_db_aborted_walk(r->w->db, name_of(r), r->partition, &r->at_aborted, &said))
		sim_fail(r->w, "I6", "%s-%d: the transaction aborted at %lld is not listed", name_of(r), r->partition,
		         (long long)marker_offset);
	else if (said.producer_id != t->producer_id || said.first_offset != t->first_offset || said.last_offset != marker_offset)
		sim_fail(r->w, "I6", "%s-%d: %lld was aborted from %lld to %lld, listed is %lld from %lld to %lld", name_of(r),
		         r->partition, (long long)t->producer_id, (long long)t->first_offset, (long long)marker_offset,
		         (long long)said.producer_id, (long long)said.first_offset, (long long)said.last_offset);
}

static void control_batch(reader *r, const kp_batch_header *h, kp_slice batch)
{
	const uint8_t *at = batch.ptr + KP_BATCH_HEADER_SIZE;
	kp_record_view v;
	if (kp_record_load(&at, batch.ptr + batch.len, &v) || v.key.len < 4) {
		sim_fail(r->w, "I6", "%s-%d holds at %lld a marker that cannot be read", name_of(r), r->partition,
		         (long long)h->base_offset);
		return;
	}
	bool is_commit = kp_load_be16(v.key.ptr + 2) == 1;
	open_txn *t = find_open(r, h->producer_id);
	note_marker(r, h);
	if (!t)
		return; /* a partition that was added, and into which nothing came */
	if (!is_commit)
		check_aborted(r, t, h->base_offset);
	if (h->base_offset >= r->info.high_watermark && t->first_offset < r->unstable_offset)
		r->unstable_offset = t->first_offset;
	if (r->is_end)
		end_records(r, h->producer_id, is_commit);
	*t = r->open[--r->n_open];
}

static void read_partition(reader *r)
{
	int64_t offset = 0;
	kp_slice batch;
	kp_batch_header h;
	r->unstable_offset = INT64_MAX;
	while (kp_db_log_walk(r->w->db, name_of(r), r->partition, &offset, &batch) && kp_batch_header_load(batch, &h) == 0)
		if (h.attributes & KP_BATCH_CONTROL)
			control_batch(r, &h, batch);
		else if (h.attributes & KP_BATCH_TRANSACTIONAL)
			data_batch(r, &h, batch);
}

static void check_stable(reader *r)
{
	int64_t stable = r->info.high_watermark;
	kp_db_aborted more;
	for (int i = 0; i < r->n_open; i++)
		stable = r->open[i].first_offset < stable ? r->open[i].first_offset : stable;
	stable = r->unstable_offset < stable ? r->unstable_offset : stable;
	if (r->info.last_stable_offset != stable)
		sim_fail(r->w, "I6", "%s-%d: the last stable offset is %lld, the log says %lld", name_of(r), r->partition,
		         (long long)r->info.last_stable_offset, (long long)stable);
	if (kp_db_aborted_walk(r->w->db, name_of(r), r->partition, &r->at_aborted, &more))
		sim_fail(r->w, "I6", "%s-%d: a transaction is listed as aborted that was not, from %lld to %lld", name_of(r),
		         r->partition, (long long)more.first_offset, (long long)more.last_offset);
}

/* Each partition; nothing of that producer may be open. */
static void read_all(sim_world *w, bool is_end, int64_t producer_id)
{
	reader r = {.w = w, .is_end = is_end};
	for (int32_t t = 0; t < w->plan.n_topics; t++)
		for (int32_t i = 0; i < kp_db_n_partitions(w->db, w->plan.topics[t].name); i++) {
			r = (reader){.w = w,
			             .topic = t,
			             .partition = i,
			             .is_end = is_end,
			             .records = r.records,
			             .cap_records = r.cap_records};
			if (kp_db_partition_get(w->db, w->plan.topics[t].name, i, &r.info))
				continue;
			read_partition(&r);
			check_stable(&r);
			if (find_open(&r, producer_id) || (is_end && r.n_open))
				sim_fail(w, "I6", "%s-%d holds from %lld on records of a transaction that is not ended",
				         name_of(&r), i, (long long)r.open[0].first_offset);
		}
	free(r.records);
}

void sim_txn_check_owner(sim_world *w, int64_t producer_id)
{
	read_all(w, false, producer_id);
}

/* ------------------------------------------------------------------ at the end */

static void check_txn(sim_world *w, const sim_txn *t)
{
	int n = (int)(t - w->txns->all);
	const char *id = w->txns->ids[t->id].name;
	if (t->n_visible != 0 && t->n_visible != t->n_records)
		sim_fail(w, "I6", "%u of the %u records of transaction %d (%s) are visible", t->n_visible, t->n_records, n, id);
	if (t->told == SIM_TOLD_COMMITTED && t->n_visible != t->n_records)
		sim_fail(w, "I6", "transaction %d (%s) is committed, and %u of its %u records are visible", n, id, t->n_visible,
		         t->n_records);
	if (t->told != SIM_TOLD_COMMITTED && t->n_visible && !t->is_commit_built)
		sim_fail(w, "I6", "records of transaction %d (%s) are visible, and nobody asked for its commit", n, id);
	if (t->told == SIM_TOLD_ABORTED && t->n_visible)
		sim_fail(w, "I6", "transaction %d (%s) is aborted, and its records are visible", n, id);
	if (t->n_visible && sim_txn_is_zombie(w, t))
		sim_fail(w, "I6", "records of transaction %d (%s) are visible, which an instance committed that was replaced", n,
		         id);
	bool is_unknown = t->told == SIM_TOLD_NOTHING && t->is_commit_built;
	w->totals->unknown_txns += is_unknown;
	w->totals->unknown_committed += is_unknown && t->n_visible;
}

void sim_txn_check_end(sim_world *w)
{
	read_all(w, true, -1);
	for (size_t i = 0; i < w->txns->n; i++)
		check_txn(w, &w->txns->all[i]);
	sim_txn_check_offsets(w);
	w->totals->txns += w->txns->n;
}
