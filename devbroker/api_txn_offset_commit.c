/*
 * api_txn_offset_commit.c - TxnOffsetCommit: offsets of a group that count when a transaction is committed. Up to version 4 the group must
 * have been added to it (AddOffsetsToTxn), from 5 on the request adds it (KIP-890).
 */
#include "devbroker/offset_items.h"
#include "kproducer/error.h"
#include "wire/msg_txn_offset_commit.h"

#define ADDS_SINCE 5
#define ABORTABLE_SINCE 4 /* versions that know TRANSACTION_ABORTABLE */

typedef kp_txn_offset_commit_request request_t;

static int collect(kp_db_ctx *ctx, const request_t *q, kp_db_offset_items *l)
{
	size_t n = 0;
	for (int32_t i = 0; i < q->topics.n; i++)
		n += (size_t)q->topics.items[i].partitions.n;
	if (kp_db_offset_items_init(l, ctx, n))
		return KP_ERR_NO_MEMORY;
	for (int32_t i = 0; i < q->topics.n; i++) {
		const kp_txn_offset_commit_request_topic *t = &q->topics.items[i];
		for (int32_t j = 0; j < t->partitions.n; j++) {
			const kp_txn_offset_commit_request_partition *p = &t->partitions.items[j];
			kp_db_offset_item item = {.topic_name = t->name, .topic = i, .index = p->partition_index};
			item.value = (kp_db_offset_value){
				.offset = p->committed_offset,
				.leader_epoch = ctx->to.api_version >= 2 ? p->committed_leader_epoch : -1,
				.metadata = p->committed_metadata,
			};
			kp_db_offset_item_add(l, kp_db_topic_by_name(&ctx->db->cluster, t->name), &item,
			                      KP_ERR_UNKNOWN_TOPIC_OR_PARTITION);
		}
	}
	return 0;
}

/* What the coordinator of the transaction says, as this version knows it. */
static int16_t ask_coordinator(kp_db_ctx *ctx, const request_t *q, kp_slice key)
{
	kp_db *db = ctx->db;
	bool is_adding = ctx->to.api_version >= ADDS_SINCE;
	kp_db_txn_call call = {q->transactional_id, q->producer_id, q->producer_epoch, is_adding ? 2 : 0};
	if (q->transactional_id.len == 0)
		return KP_ERR_INVALID_REQUEST;
	if (!kp_db_coordinator_of(&db->coordinators, &db->cluster, KP_DB_COORDINATOR_TRANSACTION, q->transactional_id))
		return KP_ERR_COORDINATOR_NOT_AVAILABLE;
	int16_t code = is_adding ? kp_db_txns_add(db, &call, &key, 1) : kp_db_txns_verify(db, &call, key);
	if (code == KP_ERR_PRODUCER_FENCED)
		return KP_ERR_INVALID_PRODUCER_EPOCH;
	bool is_unknown = code == KP_ERR_TRANSACTION_ABORTABLE && ctx->to.api_version < ABORTABLE_SINCE;
	return is_unknown ? KP_ERR_INVALID_TXN_STATE : code;
}

static int16_t commit(kp_db_offset_items *l, const request_t *q)
{
	kp_db_ctx *ctx = l->ctx;
	kp_db *db = ctx->db;
	if (q->group_id.len == 0)
		return KP_ERR_INVALID_GROUP_ID;
	if (!kp_db_is_coordinator(ctx, KP_DB_COORDINATOR_GROUP, q->group_id))
		return KP_ERR_NOT_COORDINATOR;
	kp_db_group *g = kp_db_group_find(db, q->group_id);
	/* Once it has written here the coordinator is not asked again, nor the name looked at. */
	kp_db_txn *t = g ? kp_db_offsets_txn_of(g, q->producer_id, q->producer_epoch) : NULL;
	if (!t) {
		kp_slice key = kp_db_txn_group_key(&db->arena, q->group_id);
		int16_t code = key.ptr ? ask_coordinator(ctx, q, key) : KP_ERR_COORDINATOR_NOT_AVAILABLE;
		if (code)
			return code;
		t = kp_db_txn_find(db, q->transactional_id);
	}
	if (ctx->to.api_version >= 3 && q->generation_id >= 0) /* nobody is a member here */
		return g ? KP_ERR_UNKNOWN_MEMBER_ID : KP_ERR_ILLEGAL_GENERATION;
	g = kp_db_group_get(db, q->group_id);
	return g ? kp_db_offset_items_commit(l, g, t) : KP_ERR_INVALID_COMMIT_OFFSET_SIZE;
}

/* Into the answer of the topic that the item belongs to, which begins with its first one. `places`: of the request's topics, or -1. */
static int answer_item(kp_db_ctx *ctx, const request_t *q, const kp_db_offset_item *i, int32_t *places,
                       kp_txn_offset_commit_response *r)
{
	int32_t *place = &places[i->topic];
	if (*place < 0) {
		size_t n = (size_t)q->topics.items[i->topic].partitions.n;
		*place = r->topics.n++;
		kp_txn_offset_commit_response_topic *t = &r->topics.items[*place];
		t->name = i->topic_name;
		t->partitions.items = kp_db_items(ctx, &kp_txn_offset_commit_response_partition_schema, n);
		if (!t->partitions.items)
			return KP_ERR_NO_MEMORY;
	}
	kp_txn_offset_commit_response_topic *t = &r->topics.items[*place];
	t->partitions.items[t->partitions.n++] = (kp_txn_offset_commit_response_partition){i->index, i->code};
	return 0;
}

static int answer(const kp_db_offset_items *l, const request_t *q, kp_txn_offset_commit_response *r)
{
	size_t n = (size_t)q->topics.n;
	int32_t *places = kp_arena_alloc(&l->ctx->db->arena, n * sizeof(*places));
	r->topics.items = kp_db_items(l->ctx, &kp_txn_offset_commit_response_topic_schema, n);
	if (!places || !r->topics.items)
		return KP_ERR_NO_MEMORY;
	for (size_t i = 0; i < n; i++)
		places[i] = -1;
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < l->n; i++)
			if (l->all[i].is_refused == (pass == 0) && answer_item(l->ctx, q, &l->all[i], places, r))
				return KP_ERR_NO_MEMORY;
	return kp_db_reply(l->ctx, r);
}

int kp_db_api_txn_offset_commit(kp_db_ctx *ctx, const void *request)
{
	kp_txn_offset_commit_response r;
	kp_db_offset_items l;
	kp_wire_init(&kp_txn_offset_commit_response_schema, &r, 1);
	if (collect(ctx, request, &l))
		return KP_ERR_NO_MEMORY;
	int16_t code = l.n_open ? commit(&l, request) : 0;
	if (code)
		kp_db_offset_items_fail(&l, code);
	return answer(&l, request, &r);
}
