/*
 * check_logs.c - what stands in the logs, and what should (I2, I3, I4): when an end of a log is lost, and when all is over.
 */
#include <kproducer/error.h>

#include <string.h>

#include "base/bytes.h"
#include "tests/sim/sim.h"

static bool same_bytes(kp_slice a, kp_slice b)
{
	return (a.ptr == NULL) == (b.ptr == NULL) && (!a.ptr || (a.len == b.len && memcmp(a.ptr, b.ptr, a.len) == 0));
}

bool sim_is_content(sim_world *w, uint32_t index, const kp_record_view *v)
{
	sim_content c;
	kp_record_header h;
	kp_slice rest = v->headers;
	sim_content_make(w, index, &c);
	if (!same_bytes(v->key, c.content.key) || !same_bytes(v->value, c.content.value) ||
	    (size_t)v->n_headers != c.content.n_headers)
		return false;
	for (size_t i = 0; i < c.content.n_headers; i++)
		if (kp_record_header_next(&rest, &h) || !same_bytes(h.name, c.headers[i].name) ||
		    !same_bytes(h.value, c.headers[i].value))
			return false;
	return true;
}

typedef struct place {
	uint8_t topic;
	int32_t partition;
	int64_t offset;
	int64_t timestamp_ms;
	int32_t *last; /* per client: index + 1 of its last record of known fate in this log */
} place;

static void check_stored(sim_world *w, const kp_record_view *v, const place *at)
{
	uint32_t index = v->value.ptr && v->value.len >= 4 ? kp_load_be32(v->value.ptr) : UINT32_MAX;
	const char *name = w->plan.topics[at->topic].name;
	if (index >= w->n_records || !w->records[index].is_accepted || w->records[index].topic != at->topic ||
	    !sim_is_content(w, index, v)) {
		sim_fail(w, "I3", "%s-%d holds at %lld a record that nobody sent", name, at->partition, (long long)at->offset);
		return;
	}
	sim_record *r = &w->records[index];
	r->n_in_log++;
	r->is_ever_in_log = true;
	r->is_found_at_offset |= r->partition == at->partition && r->offset == at->offset;
	if (r->timestamp_ms != at->timestamp_ms)
		sim_fail(w, "I3", "record #%u has another timestamp", index);
	if (r->is_tracked && r->n_reports > 0 && r->outcome == KP_NOT_PERSISTED)
		sim_fail(w, "I4", "record #%u was reported as not persisted and stands in %s-%d at %lld", index, name,
		         at->partition, (long long)at->offset);
	if (!w->plan.config.idempotent || w->is_forgetful)
		return;
	if (r->n_in_log > 1)
		sim_fail(w, "I3", "record #%u stands a second time, in %s-%d at %lld", index, name, at->partition,
		         (long long)at->offset);
	if (!r->is_tracked || r->n_reports == 0 || r->outcome == KP_UNKNOWN || w->is_disordered[at->topic])
		return;
	if ((int32_t)index < at->last[r->client])
		sim_fail(w, "I3", "record #%u stands behind #%d in %s-%d at %lld", index, at->last[r->client] - 1, name,
		         at->partition, (long long)at->offset);
	at->last[r->client] = (int32_t)index + 1;
}

typedef void on_record(sim_world *w, const kp_record_view *v, const place *at);

static void walk_log(sim_world *w, uint8_t topic, int32_t partition, int64_t offset, on_record *visit)
{
	int32_t last[SIM_CLIENTS] = {0};
	kp_slice batch, records;
	kp_buf scratch;
	kp_buf_init(&scratch, 0);
	while (kp_db_log_walk(w->db, w->plan.topics[topic].name, partition, &offset, &batch)) {
		kp_batch_header h;
		if (kp_batch_header_load(batch, &h) || kp_batch_records(batch, &scratch, &records)) {
			sim_fail(w, "I3", "a stored batch cannot be read");
			break;
		}
		if (h.attributes & KP_BATCH_CONTROL)
			continue; /* the end of a transaction: txn_check.c */
		const uint8_t *at = records.ptr, *end = records.ptr + records.len;
		kp_record_view v;
		for (int32_t i = 0; i < h.n_records && kp_record_load(&at, end, &v) == 0; i++)
			visit(w, &v, &(place){topic, partition, h.base_offset + i, h.base_timestamp + v.timestamp_delta, last});
	}
	kp_buf_deinit(&scratch);
}

static void lose(sim_world *w, const kp_record_view *v, const place *at)
{
	uint32_t index = v->value.ptr && v->value.len >= 4 ? kp_load_be32(v->value.ptr) : UINT32_MAX;
	(void)at;
	if (index >= w->n_records)
		return; /* seen by check_stored */
	w->records[index].n_in_log--;
	w->records[index].may_be_lost |= w->is_loss_allowed;
}

void sim_check_loss(sim_world *w, int32_t topic, int32_t partition, int64_t from_offset, bool may_be_lost)
{
	w->is_loss_allowed = may_be_lost;
	walk_log(w, (uint8_t)topic, partition, from_offset, check_stored);
	walk_log(w, (uint8_t)topic, partition, from_offset, lose);
}

void sim_check_end(sim_world *w)
{
	for (uint8_t t = 0; t < w->plan.n_topics; t++)
		for (int32_t i = 0; i < kp_db_n_partitions(w->db, w->plan.topics[t].name); i++)
			walk_log(w, t, i, 0, check_stored);
	for (uint32_t i = 0; i < w->n_records; i++) {
		const sim_record *r = &w->records[i];
		if (!r->is_accepted || !r->is_tracked)
			continue;
		if (r->n_reports != 1)
			sim_fail(w, "I1", "record #%u has %u reports", i, r->n_reports);
		if (r->outcome == KP_NOT_PERSISTED && r->is_ever_in_log)
			sim_fail(w, "I4", "record #%u was reported as not persisted and stood in a log for a while", i);
		if (r->outcome == KP_PERSISTED && !r->may_be_lost &&
		    (r->n_in_log == 0 || (r->offset >= 0 && !r->is_found_at_offset)))
			sim_fail(w, "I2", "record #%u was persisted at %lld and is not there", i, (long long)r->offset);
	}
	for (int i = 0; i < w->n_clients; i++) {
		const sim_client *c = w->clients[i];
		w->totals->records += c->n_accepted;
		w->totals->persisted += c->outcomes[KP_PERSISTED];
		w->totals->not_persisted += c->outcomes[KP_NOT_PERSISTED];
		w->totals->unknown += c->outcomes[KP_UNKNOWN];
	}
}
