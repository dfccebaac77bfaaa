/*
 * txn_watch.c - what leaves a transactional producer, request by request.
 *
 *   T1 EndTxn(commit) only when every record of the transaction was persisted
 *   T2 classic: no batch before its partition's addition was answered with 0 in this transaction, no offsets before their group's
 *   T3 nothing of a transaction behind its EndTxn, nothing of the next one before that was answered
 *   T4 one producer id and epoch in all of a transaction
 *   T6 an empty transaction sends nothing
 *   T7 who is fenced sends nothing of a transaction any more
 */
#include <kproducer/error.h>

#include <string.h>

#include "base/bytes.h"
#include "producer/engine_impl.h"
#include "tests/sim/txn.h"
#include "wire/header.h"
#include "wire/messages.h"
#include "wire/msg_add_offsets_to_txn.h"
#include "wire/msg_add_partitions_to_txn.h"
#include "wire/msg_end_txn.h"
#include "wire/msg_init_producer_id.h"
#include "wire/msg_txn_offset_commit.h"
#include "wire/reader.h"

#define ARENA_MOST (64u << 20)
#define PRODUCE_IMPLICIT 12 /* from this version on the broker adds the partition itself (KIP-890) ... */
#define OFFSETS_IMPLICIT 5  /* ... from this one on the group */

/* A request that has left whole. */
typedef struct left {
	sim_world *w;
	sim_client *client;
	const sim_conn *conn;
	sim_txn *txn; /* that is open; NULL: none */
	kp_request_header header;
	int group; /* of AddOffsetsToTxn, else -1 */
	kp_slice body;
	kp_arena arena;
} left;

static bool read_body(left *l, const kp_wire_message *m, void *out)
{
	if (kp_wire_read(m, l->header.request_api_version, l->body, &l->arena, out, NULL) == 0)
		return true;
	sim_fail(l->w, "bytes", "a %s request cannot be read", m->root->name);
	return false;
}

/* KIP-890: what is late of a transaction cannot be taken for a part of the next. */
static void check_new_epoch(const left *l)
{
	const sim_world *w = l->w;
	const sim_txn *t = l->txn, *before = t;
	if (w->plan.transaction_version < 2)
		return;
	while (--before >= w->txns->all)
		if (before->client == t->client && before->producer_id == t->producer_id &&
		    before->producer_epoch >= t->producer_epoch)
			sim_fail(l->w, "T4", "client %d uses epoch %d for a second transaction", t->client, t->producer_epoch);
}

/* T4, and that it belongs to a transaction that has not ended. */
static void check_stamp(left *l, const char *what, int64_t id, int16_t epoch)
{
	sim_txn *t = l->txn;
	if (!t) {
		sim_fail(l->w, "T3", "client %d sends %s, and no transaction is open", l->client->index, what);
		return;
	}
	if (t->producer_id < 0) {
		t->producer_id = id;
		t->producer_epoch = epoch;
		check_new_epoch(l);
	}
	if (t->producer_id != id || t->producer_epoch != epoch)
		sim_fail(l->w, "T4", "client %d sends %s as %lld/%d in a transaction of %lld/%d", l->client->index, what,
		         (long long)id, epoch, (long long)t->producer_id, t->producer_epoch);
	t->has_left = true;
}

static void check_not_ended(left *l, const char *what)
{
	if (l->txn && l->txn->is_end_built)
		sim_fail(l->w, "T3", "client %d sends %s behind the EndTxn of its transaction", l->client->index, what);
}

/* The transaction of the batch's first record; -1: it cannot be told. */
static int32_t txn_of_batch(const left *l, kp_slice batch)
{
	kp_buf scratch;
	kp_slice records;
	kp_record_view v;
	uint32_t index = UINT32_MAX;
	kp_buf_init(&scratch, 0);
	if (kp_batch_records(batch, &scratch, &records) == 0) {
		const uint8_t *at = records.ptr;
		if (kp_record_load(&at, records.ptr + records.len, &v) == 0 && v.value.len >= 4)
			index = kp_load_be32(v.value.ptr);
	}
	kp_buf_deinit(&scratch);
	return index < l->w->n_records ? l->w->records[index].txn - 1 : -1;
}

static void batch_left(left *l, int32_t topic, const kp_produce_request_partition *p)
{
	sim_world *w = l->w;
	kp_batch_header h;
	if (kp_batch_header_load(p->records, &h))
		return; /* seen by sim_watch_frame */
	if (!(h.attributes & KP_BATCH_TRANSACTIONAL))
		sim_fail(w, "T4", "a batch of a transaction does not say so");
	check_stamp(l, "a batch", h.producer_id, h.producer_epoch);
	check_not_ended(l, "a batch");
	if (l->conn->drained_at >= l->client->actor->failed_at)
		sim_fail(w, "T3", "client %d sends a batch of a transaction that has failed", l->client->index);
	if (!l->txn)
		return;
	int32_t of = txn_of_batch(l, p->records);
	if (of >= 0 && of != l->client->actor->txn)
		sim_fail(w, "T3", "a batch of transaction %d leaves in transaction %d", of, l->client->actor->txn);
	bool is_added = topic < 0 || p->index >= SIM_PARTITIONS_MAX || l->txn->added[topic] >> p->index & 1;
	if (l->header.request_api_version < PRODUCE_IMPLICIT && !is_added)
		sim_fail(w, "T2", "a batch leaves for %s-%d, which is not part of the transaction", w->plan.topics[topic].name,
		         p->index);
}

static void produce_left(left *l, kp_slice frame)
{
	kp_produce_request body;
	if (!sim_produce_read(frame, &l->arena, &body))
		return;
	bool is_ours = kp_slice_equal(body.transactional_id, kp_slice_cstr(l->w->txns->ids[l->client->actor->id].name));
	if (!is_ours)
		sim_fail(l->w, "T4", "a Produce request without its transactional id");
	for (int32_t i = 0; i < body.topic_data.n; i++) {
		const kp_produce_request_topic *t = &body.topic_data.items[i];
		int32_t topic = sim_topic_find(l->w, t->name);
		for (int32_t j = 0; j < t->partition_data.n; j++)
			batch_left(l, topic, &t->partition_data.items[j]);
	}
}

static void end_left(left *l)
{
	kp_end_txn_request body;
	sim_txn *t = l->txn;
	if (!read_body(l, &kp_end_txn_request_message, &body))
		return;
	if (t && t->n_records == 0 && !t->has_asked_offsets)
		sim_fail(l->w, "T6", "client %d ends an empty transaction at its coordinator", l->client->index);
	check_stamp(l, "EndTxn", body.producer_id, body.producer_epoch);
	if (!t)
		return;
	uint32_t lost = body.committed ? sim_txn_unpersisted(l->w, t) : 0;
	if (lost)
		sim_fail(l->w, "T1", "client %d commits before record #%u is persisted", l->client->index, lost - 1);
	if (t->is_commit_built && !t->is_commit_refused && !body.committed)
		sim_fail(l->w, "T3", "client %d aborts what it asked to commit", l->client->index);
	if (body.committed && l->client->actor->op == KP_TXN_OP_OFFSETS)
		sim_fail(l->w, "T1", "client %d commits before its offsets are taken", l->client->index);
	if (body.committed && t->commit_us < 0)
		sim_fail(l->w, "T1", "client %d commits, and was not asked to", l->client->index);
	t->is_end_built = true;
	t->n_ends++;
	t->is_commit_built |= body.committed;
}

static void ask(left *l)
{
	sim_txns *s = l->w->txns;
	if (s->n_asked == s->cap_asked) {
		s->cap_asked = s->cap_asked ? s->cap_asked * 2 : 64;
		s->asked = sim_alloc(s->asked, s->cap_asked * sizeof(*s->asked));
	}
	s->asked[s->n_asked++] = (sim_asked_txn){.conn = l->conn->serial,
	                                         .correlation_id = l->header.correlation_id,
	                                         .txn = l->client->actor->txn,
	                                         .group = l->group,
	                                         .api_key = l->header.request_api_key,
	                                         .version = l->header.request_api_version};
}

/* T2, of a group's offsets. */
static void check_group(left *l, int group)
{
	bool is_added = l->txn && group >= 0 && l->txn->groups >> group & 1;
	if (l->header.request_api_version < OFFSETS_IMPLICIT && !is_added)
		sim_fail(l->w, "T2", "client %d sends offsets of group %d, which is not part of the transaction", l->client->index,
		         group);
}

static void coordinator_left(left *l)
{
	kp_add_partitions_to_txn_request partitions;
	kp_add_offsets_to_txn_request group;
	kp_txn_offset_commit_request offsets;
	switch (l->header.request_api_key) {
	case KP_API_ADD_PARTITIONS_TO_TXN:
		if (read_body(l, &kp_add_partitions_to_txn_request_message, &partitions))
			check_stamp(l, "AddPartitionsToTxn", partitions.v3_and_below_producer_id,
			            partitions.v3_and_below_producer_epoch);
		break;
	case KP_API_ADD_OFFSETS_TO_TXN:
		if (read_body(l, &kp_add_offsets_to_txn_request_message, &group))
			check_stamp(l, "AddOffsetsToTxn", group.producer_id, group.producer_epoch);
		l->group = sim_group_find(l->client->actor->id, group.group_id);
		break;
	case KP_API_TXN_OFFSET_COMMIT:
		if (!read_body(l, &kp_txn_offset_commit_request_message, &offsets))
			break;
		check_stamp(l, "TxnOffsetCommit", offsets.producer_id, offsets.producer_epoch);
		check_group(l, sim_group_find(l->client->actor->id, offsets.group_id));
		break;
	default: end_left(l); return;
	}
	check_not_ended(l, "an addition");
}

/* An id that was had once is never asked for as by a new instance: that would fence whoever has it now (KIP-360). */
static void init_left(left *l)
{
	kp_init_producer_id_request body;
	const sim_client *c = l->client;
	if (!read_body(l, &kp_init_producer_id_request_message, &body))
		return;
	bool is_owner = c->actor->owned_us >= 0;
	bool is_its_own = c->engine && body.producer_id == c->engine->loop.producer_id &&
	                  body.producer_epoch == c->engine->loop.producer_epoch;
	if (is_owner ? !is_its_own : body.producer_id >= 0)
		sim_fail(l->w, "T4", "client %d asks for the epoch behind %lld/%d", c->index, (long long)body.producer_id,
		         body.producer_epoch);
}

static bool is_of_transaction(int16_t api_key)
{
	return api_key == KP_API_PRODUCE || api_key == KP_API_INIT_PRODUCER_ID || api_key == KP_API_ADD_PARTITIONS_TO_TXN ||
	       api_key == KP_API_ADD_OFFSETS_TO_TXN || api_key == KP_API_TXN_OFFSET_COMMIT || api_key == KP_API_END_TXN;
}

static void frame_left(sim_world *w, sim_conn *c, kp_slice frame)
{
	size_t used;
	left l = {.w = w, .client = c->client, .conn = c, .txn = sim_txn_of(w, c->client), .group = -1};
	if (kp_wire_read_request_header(frame, &l.header, &used) || !is_of_transaction(l.header.request_api_key))
		return;
	l.body = kp_slice_of(frame.ptr + used, frame.len - used);
	kp_arena_init(&l.arena, ARENA_MOST);
	if (c->drained_at >= c->client->actor->fenced_at)
		sim_fail(w, "T7", "client %d is fenced and sends a request (api %d)", c->client->index, l.header.request_api_key);
	if (l.header.request_api_key == KP_API_PRODUCE) {
		produce_left(&l, frame);
	} else if (l.header.request_api_key == KP_API_INIT_PRODUCER_ID) {
		init_left(&l);
	} else {
		coordinator_left(&l);
		ask(&l);
	}
	kp_arena_deinit(&l.arena);
}

void sim_txn_left(sim_world *w, sim_conn *c, const struct iovec *iov, int n_iov, size_t n)
{
	for (int i = 0; i < n_iov && n > 0; i++) {
		size_t take = iov[i].iov_len < n ? iov[i].iov_len : n;
		kp_buf_append(&c->left, iov[i].iov_base, take);
		n -= take;
	}
	size_t at = 0;
	while (c->left.len - at >= 4 && c->left.len - at - 4 >= kp_load_be32(c->left.data + at)) {
		size_t len = kp_load_be32(c->left.data + at);
		frame_left(w, c, kp_slice_of(c->left.data + at + 4, len));
		at += 4 + len;
	}
	kp_buf_consume(&c->left, at);
}

/* ------------------------------------------------------------------ answers */

static void partitions_added(sim_world *w, sim_txn *t, const kp_add_partitions_to_txn_response *a)
{
	for (int32_t i = 0; i < a->results_by_topic_v3_and_below.n; i++) {
		const kp_add_partitions_to_txn_response_topic *r = &a->results_by_topic_v3_and_below.items[i];
		int32_t topic = sim_topic_find(w, r->name);
		for (int32_t j = 0; topic >= 0 && j < r->results_by_partition.n; j++) {
			const kp_add_partitions_to_txn_response_partition *p = &r->results_by_partition.items[j];
			if (p->partition_error_code == 0 && p->partition_index >= 0 && p->partition_index < SIM_PARTITIONS_MAX)
				t->added[topic] |= UINT64_C(1) << p->partition_index;
		}
	}
}

/* Those two say that there is nothing to commit; after any other the commit may still come. */
static void end_answered(sim_txn *t, int16_t code)
{
	t->is_answered |= code == 0;
	t->is_commit_refused |= code == KP_ERR_INVALID_TXN_STATE || code == KP_ERR_TRANSACTION_ABORTABLE;
}

static bool take_asked(sim_world *w, const kp_db_answer *a, sim_asked_txn *out)
{
	sim_txns *s = w->txns;
	for (size_t i = 0; i < s->n_asked; i++)
		if (s->asked[i].conn == a->conn && s->asked[i].correlation_id == a->correlation_id) {
			*out = s->asked[i];
			s->asked[i] = s->asked[--s->n_asked];
			return true;
		}
	return false;
}

bool sim_txn_is_of_earlier(const sim_world *w, const sim_conn *c, kp_slice frame)
{
	int32_t correlation_id = frame.len >= 8 ? (int32_t)kp_load_be32(frame.ptr + 4) : -1;
	for (size_t i = 0; i < w->txns->n_asked; i++)
		if (w->txns->asked[i].conn == c->serial && w->txns->asked[i].correlation_id == correlation_id)
			return w->txns->asked[i].txn != c->client->actor->txn;
	return false;
}

void sim_txn_answered(sim_world *w, const kp_db_answer *a)
{
	sim_asked_txn asked;
	size_t used;
	int32_t correlation_id;
	if (a->bytes.len < 8 || a->api_key < 0 || !take_asked(w, a, &asked) || asked.txn < 0)
		return;
	kp_slice frame = kp_slice_of(a->bytes.data + 4, a->bytes.len - 4);
	if (kp_wire_read_response_header(frame, asked.api_key, asked.version, &correlation_id, &used))
		return;
	kp_arena arena;
	kp_slice rest = kp_slice_of(frame.ptr + used, frame.len - used);
	sim_txn *t = &w->txns->all[asked.txn];
	kp_add_partitions_to_txn_response partitions;
	kp_end_txn_response end;
	kp_add_offsets_to_txn_response group;
	kp_arena_init(&arena, ARENA_MOST);
	if (asked.api_key == KP_API_ADD_PARTITIONS_TO_TXN &&
	    kp_wire_read(&kp_add_partitions_to_txn_response_message, asked.version, rest, &arena, &partitions, NULL) == 0)
		partitions_added(w, t, &partitions);
	if (asked.group >= 0 &&
	    kp_wire_read(&kp_add_offsets_to_txn_response_message, asked.version, rest, &arena, &group, NULL) == 0 &&
	    group.error_code == 0)
		t->groups |= 1u << asked.group;
	if (asked.api_key == KP_API_END_TXN &&
	    kp_wire_read(&kp_end_txn_response_message, asked.version, rest, &arena, &end, NULL) == 0)
		end_answered(t, end.error_code);
	kp_arena_deinit(&arena);
}
