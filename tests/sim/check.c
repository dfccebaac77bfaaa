/*
 * check.c - the invariants of every run, as far as they hold for the plan's configuration.
 *
 *   I1 one report for each accepted record            I6 (txn_check.c) read committed: transactions whole or not at all
 *   I2 (check_logs.c) persisted is in the log there   I7 no report later than delivery.timeout.ms
 *   I3 idempotent: no record twice, in order          I8 (streams.c) requests in flight
 *   I4 not persisted is in no log                     I9 (world.c) everything ends once the faults stop
 *   I5 memory within its bound, and nothing accounted for at the end
 */
#include <kproducer/error.h>

#include <string.h>

#include "producer/engine_impl.h"
#include "tests/sim/memory.h"
#include "tests/sim/watch.h"

#define LATE_US (50 * SIM_MS) /* what a report, or the end of a flush, may be later than its deadline */

/* ------------------------------------------------------------------ reports */

/* The failure callback may read the record: it must still be there, also after it was sealed, moved and sent. */
static void check_content(sim_world *w, const kp_batch *b, int32_t i, uint32_t index)
{
	kp_record_view v;
	if (b->codec != KP_CODEC_NONE && b->data)
		return; /* compressed: the client unpacks it */
	const uint8_t *at = b->data ? b->data + KP_BATCH_HEADER_SIZE + (b->entries[i].place & KP_ENTRY_PLACE) : NULL;
	if (!at || kp_record_load(&at, b->data + b->len, &v) || !sim_is_content(w, index, &v))
		sim_fail(w, "I1", "the content of record #%u is not what was sent", index);
}

static int32_t *gap_of(sim_world *w, const kp_partition *p)
{
	for (int32_t t = 0; t < w->plan.n_topics && p->index >= 0; t++)
		if (w->me->topics[t] == p->topic)
			return &w->me->gap_behind[t][p->index];
	return NULL;
}

/* What is persisted behind a record that was not shows that the sequence goes on. */
static void note_gap(sim_world *w, const kp_batch *b, uint32_t index)
{
	int32_t *gap = gap_of(w, b->partition);
	if (gap && b->outcome != KP_PERSISTED)
		*gap = *gap > (int32_t)index + 1 ? *gap : (int32_t)index + 1;
	else if (gap && (int32_t)index >= *gap)
		*gap = 0;
}

/* What nobody wants a report of has no number here: any that were accepted until now may be the one that was lost. */
static void note_untracked_gap(sim_world *w, const kp_batch *b)
{
	int32_t *gap = gap_of(w, b->partition);
	if (gap && w->plan.config.reports == KP_REPORTS_NONE && b->attempts > 0 && b->outcome != KP_PERSISTED &&
	    *gap < (int32_t)w->n_records)
		*gap = (int32_t)w->n_records;
}

/*
 * Sent in fair weather: it has to be persisted, if there is time for a request or two that the bad weather swallowed. But when what was
 * sent before left a gap, and a stale leader refused this one with a code that does not prove anything, then the gap ends it as unknown
 * (the rules at the head of src/producer/outcome.c). In a topic that lost its logs nobody saw the gap being left.
 */
static bool is_broken_promise(sim_world *w, const kp_batch *b, const sim_record *r)
{
	const kp_engine_config *c = &w->plan.config;
	const int32_t *gap = gap_of(w, b->partition);
	bool may_be_gap = c->idempotent && ((gap && *gap > 0) || w->is_disordered[r->topic] || w->is_forgetful);
	bool is_gap = may_be_gap && b->outcome == KP_UNKNOWN &&
	              (b->error == KP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER || kp_error_get_class(b->error) == KP_CLASS_REFRESH);
	is_gap |= may_be_gap && b->error == KP_ERR_PARTITION_HALTED; /* the gap is found when the next record leaves */
	/* too large for the broker, and refused before with a code that does not prove anything: not to be split any more */
	bool is_whole = b->error == KP_ERR_MESSAGE_TOO_LARGE && b->outcome == KP_UNKNOWN && w->plan.max_message_bytes &&
	                b->attempts > 1;
	bool has_time = c->delivery_timeout_us > c->request_timeout_us + 5 * SIM_SECOND && c->retries == INT32_MAX;
	return b->outcome != KP_PERSISTED && b->error != KP_ERR_CLOSED && !is_gap && !is_whole && has_time;
}

static void check_outcome(sim_world *w, const kp_batch *b, uint32_t index, const sim_record *r)
{
	int16_t acks = w->plan.config.acks;
	bool is_written = acks == 0 && b->outcome == KP_UNKNOWN && b->error == 0;
	if ((b->outcome == KP_PERSISTED) != (b->error == 0) && !is_written)
		sim_fail(w, "report", "record #%u: outcome %d with error %d", index, b->outcome, b->error);
	if (acks == 0 && b->outcome == KP_PERSISTED)
		sim_fail(w, "report", "record #%u: nobody acknowledged it", index);
	if (r->is_future && b->outcome == KP_PERSISTED)
		sim_fail(w, "blame", "record #%u, which no broker takes, is persisted", index);
	bool is_given_up = w->me->actor && kp_engine_txn_state(w->me->engine) != KP_TXN_OPEN; /* not worth being taken apart */
	if (!r->is_future && b->outcome == KP_NOT_PERSISTED && b->error == KP_ERR_INVALID_TIMESTAMP && w->plan.percent_future &&
	    !sim_memory_has_failed() && !is_given_up)
		sim_fail(w, "blame", "record #%u is blamed for another's timestamp", index);
	int64_t due_us = r->accepted_us + w->plan.config.delivery_timeout_us;
	if (w->now_us > due_us + LATE_US)
		sim_fail(w, "I7", "record #%u ends %lld ms after it was accepted", index,
		         (long long)(w->now_us - r->accepted_us) / 1000);
	if (r->is_after_calm && r->txn == 0 && !is_written && is_broken_promise(w, b, r))
		sim_fail(w, "I9", "record #%u was sent in fair weather and ended with error %d", index, b->error);
}

/* With idempotence the reports of a partition come in the order of sending. */
static void check_order(sim_world *w, const kp_batch *b, uint32_t index, uint8_t topic)
{
	if (!w->plan.config.idempotent || b->outcome != KP_PERSISTED || w->is_disordered[topic] || w->is_forgetful)
		return;
	int32_t *last = &w->me->last_reported[topic][b->partition->index];
	if ((int32_t)index < *last - 1)
		sim_fail(w, "order", "record #%u of %s-%d is reported after #%d", index, w->plan.topics[topic].name,
		         b->partition->index, *last - 1);
	*last = (int32_t)index + 1;
}

static void report_record(sim_world *w, kp_batch *b, int32_t i)
{
	uintptr_t opaque = (uintptr_t)b->entries[i].opaque;
	bool is_group = b->entries[i].place & KP_ENTRY_GROUP;
	if (!is_group && w->plan.config.reports == KP_REPORTS_NONE)
		return;
	uint32_t index = (uint32_t)opaque - 1;
	sim_record *r = index < w->n_records + 1 ? &w->records[index] : NULL;
	if (!r || !r->is_accepted || w->me->topics[r->topic] != b->partition->topic ||
	    is_group != (w->plan.config.reports == KP_REPORTS_NONE)) {
		sim_fail(w, "I1", "a report for record #%u, which was not accepted", index);
		return;
	}
	if (++r->n_reports > 1)
		sim_fail(w, "I1", "record #%u has a second report", index);
	if (r->partition >= 0 && b->partition->index >= 0 && r->partition != b->partition->index)
		sim_fail(w, "report", "record #%u was sent to partition %d and is reported for %d", index, r->partition,
		         b->partition->index);
	r->partition = b->partition->index;
	r->outcome = b->outcome;
	r->error = b->error;
	r->offset = b->base_offset >= 0 ? b->base_offset + i : -1;
	w->me->n_ended++;
	check_outcome(w, b, index, r);
	note_gap(w, b, index);
	check_order(w, b, index, r->topic);
	if (b->outcome != KP_PERSISTED)
		check_content(w, b, i, index);
}

static void report(sim_world *w, kp_batch *b)
{
	SIM_TRACE(w, "ended: %s-%d, %d records from #%d, outcome %d, error %s, last error %s, attempts %d, offset %lld",
	          b->partition->topic->name, b->partition->index, b->n_records,
	          b->n_entries ? (int)(uintptr_t)b->entries[0].opaque - 1 : -1, b->outcome, kp_error_name(b->error),
	          kp_error_name(b->last_error), b->attempts, (long long)b->base_offset);
	w->me->outcomes[b->outcome] += (uint64_t)b->n_records;
	w->me->n_closed += b->error == KP_ERR_CLOSED ? (uint64_t)b->n_records : 0;
	for (uint8_t t = 0; t < w->plan.n_topics; t++)
		if (w->me->topics[t] == b->partition->topic)
			sim_watch_report(w, b, t);
	if (b->n_entries != b->n_records && (b->n_entries != 0 || w->plan.config.reports != KP_REPORTS_NONE))
		sim_fail(w, "I1", "a batch of %d records has %d entries", b->n_records, b->n_entries);
	for (int32_t i = 0; i < b->n_entries; i++)
		report_record(w, b, i);
	note_untracked_gap(w, b);
}

void sim_take_ended(sim_world *w)
{
	kp_batch *b;
	while ((b = kp_engine_next_ended(w->me->engine))) {
		report(w, b);
		if (w->plan.hold_reports_us == 0) {
			kp_engine_release(w->me->engine, b);
			continue;
		}
		if (w->me->first_held + w->me->n_held == w->me->cap_held) {
			w->me->cap_held = w->me->cap_held ? w->me->cap_held * 2 : 64;
			w->me->held = sim_alloc(w->me->held, w->me->cap_held * sizeof(*w->me->held));
		}
		w->me->held[w->me->first_held + w->me->n_held++] = b;
		w->totals->reports_held++;
		sim_at(w, w->now_us + w->plan.hold_reports_us, SIM_EV_RELEASE, NULL, 0, 0);
	}
}

void sim_on_release(sim_world *w)
{
	if (!w->me->engine || w->me->n_held == 0)
		return;
	kp_engine_release(w->me->engine, w->me->held[w->me->first_held++]);
	w->me->n_held--;
	w->me->is_woken = true; /* as the client does: somebody may wait for the room */
}

/* ------------------------------------------------------------------ deadlines */

/* I7, also of what never ends. Records are accepted in the order of their deadlines. */
void sim_check_deadlines(sim_world *w)
{
	for (; w->first_open < w->n_records; w->first_open++) {
		const sim_record *r = &w->records[w->first_open];
		if (!r->is_tracked || r->n_reports > 0)
			continue;
		if (w->now_us - r->accepted_us > w->plan.config.delivery_timeout_us + LATE_US)
			sim_fail(w, "I7", "record #%u has not ended %lld ms after it was accepted", w->first_open,
			         (long long)(w->now_us - r->accepted_us) / 1000);
		break;
	}
	if (w->me->is_flushing && w->now_us > w->me->flush_until_us + LATE_US)
		sim_fail(w, "I7", "a flush has not ended %lld ms after all that it waits for should have",
		         (long long)(w->now_us - w->me->flush_until_us) / 1000);
}

/* ------------------------------------------------------------------ memory */

#define RECORD_LEAST 15 /* bytes as encoded: a value of 8 and seven bytes around it */

/* What a topic's first record takes that moves to its partition (src/producer/pending.c). */
static int64_t moved_most(const sim_plan *p)
{
	size_t record = p->value_max + sizeof(((sim_content *)0)->key) + 200; /* with headers, and what is around them */
	if (p->percent_oversize)
		record = kp_engine_max_record_size(&p->config);
	return (int64_t)kp_budget_round(KP_BATCH_HEADER_SIZE + record) + KP_BUDGET_MIN_BUFFER;
}

/* What the pieces of one batch hold beyond what it held (src/producer/split.c). */
static int64_t pieces_most(const sim_world *w)
{
	int64_t records = (int64_t)w->me->largest_batch, entries = w->me->longest_batch * (int64_t)sizeof(kp_entry), pieces = 0;
	/* the first is split again, and so on: each is half of what it comes from at most */
	for (int64_t size = records; size > RECORD_LEAST; size /= 2) {
		int64_t n = 2 * size / KP_BUDGET_MIN_BUFFER + 3;
		pieces += n < KP_PIECES_MOST ? n : KP_PIECES_MOST;
	}
	int n_times = w->plan.config.codec == KP_CODEC_NONE ? 1 : 2;
	return n_times * (records + entries) + pieces * KP_PIECE_LEAST_BYTES;
}

/*
 * buffer.memory is the bound. Where records that wait for metadata fill all of it, the first of each topic to move may exceed it, and so may
 * the pieces of one batch, if nothing exceeds it when that is taken apart. What did so is forgotten when the bound is kept again.
 */
static int64_t memory_bound(sim_world *w)
{
	int64_t bound = w->plan.config.buffer_memory;
	uint64_t n_rebuilt = kp_reached.names[KP_REACHED_BATCH_SPLIT] + kp_reached.names[KP_REACHED_BATCH_EXPELLED];
	w->me->has_rebuilt |= n_rebuilt != w->me->n_rebuilt;
	w->me->n_rebuilt = n_rebuilt;
	for (int32_t t = 0; t < w->plan.n_topics; t++) {
		w->me->has_moved[t] |= !w->me->is_settled[t];
		w->me->is_settled[t] = w->me->topics[t] && kp_topic_n_partitions(w->me->topics[t]) > 0;
		bound += w->me->has_moved[t] ? moved_most(&w->plan) : 0;
	}
	return bound + (w->me->has_rebuilt ? pieces_most(w) : 0);
}

static bool has_unresolved(const sim_world *w)
{
	for (int32_t t = 0; t < w->plan.n_topics; t++)
		for (int32_t i = 0; w->me->topics[t] && i < w->me->topics[t]->loop.n_made; i++)
			if (!kp_list_empty(&kp_topic_partition(w->me->topics[t], i)->loop.unresolved))
				return true;
	return false;
}

/* I5, after each turn. Of what has ended nothing is kept but what its reports need, or a request that has no answer yet. */
void sim_check_memory(sim_world *w)
{
	kp_engine_counters c;
	kp_engine_count(w->me->engine, &c);
	int64_t limit = w->plan.config.buffer_memory, bound = memory_bound(w);
	double part = (double)c.budget_used / (double)limit;
	if (part > w->totals->most_memory)
		w->totals->most_memory = part;
	if (c.budget_used < 0 || c.budget_used > bound)
		sim_fail(w, "I5", "%lld bytes are in use, %lld of %lld may be", (long long)c.budget_used, (long long)bound,
		         (long long)limit);
	if (c.budget_used <= limit) {
		w->me->has_rebuilt = false;
		memset(w->me->has_moved, 0, sizeof(w->me->has_moved));
	}
	bool has_ended = c.persisted + c.not_persisted + c.unknown == c.accepted && w->me->n_held == 0 &&
	                 kp_list_empty(&w->me->engine->loop.ended);
	if (has_ended && c.budget_used != 0 && !has_unresolved(w))
		sim_fail(w, "I5", "all records have ended, and %lld bytes are in use", (long long)c.budget_used);
}
