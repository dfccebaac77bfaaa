/*
 * api_txn.c - AddPartitionsToTxn, AddOffsetsToTxn, EndTxn: what a transactional producer asks its coordinator.
 */
#include "devbroker/txns.h"
#include "kproducer/error.h"
#include "wire/msg_add_offsets_to_txn.h"
#include "wire/msg_add_partitions_to_txn.h"
#include "wire/msg_end_txn.h"

#define FENCED_SINCE 2 /* versions below do not know PRODUCER_FENCED */

typedef kp_add_partitions_to_txn_request_topic request_topic;
typedef kp_add_partitions_to_txn_request_transaction request_transaction;
typedef kp_add_partitions_to_txn_response_topic response_topic;

static int16_t known_code(const kp_db_ctx *ctx, int16_t code)
{
	bool is_old = code == KP_ERR_PRODUCER_FENCED && ctx->to.api_version < FENCED_SINCE;
	return is_old ? KP_ERR_INVALID_PRODUCER_EPOCH : code;
}

/* What any of the requests is refused with before the transaction is looked at, or 0. */
static int16_t check_call(const kp_db_ctx *ctx, kp_slice transactional_id)
{
	if (transactional_id.len == 0)
		return KP_ERR_INVALID_REQUEST;
	return kp_db_is_coordinator(ctx, KP_DB_COORDINATOR_TRANSACTION, transactional_id) ? 0 : KP_ERR_NOT_COORDINATOR;
}

/* What a fault script has to say of a request as a whole: instead of carrying it out, and behind it. */
static int16_t before(const kp_db_ctx *ctx, kp_slice transactional_id)
{
	int16_t fault = kp_db_error_for(ctx, kp_slice_null(), -1);
	return fault ? fault : check_call(ctx, transactional_id);
}

static int16_t after(const kp_db_ctx *ctx, int16_t code)
{
	return code ? code : kp_db_error_after(ctx, kp_slice_null(), -1);
}

/* An answer to every partition that the transaction names. */
static int make_answers(kp_db_ctx *ctx, const request_transaction *q, response_topic **out)
{
	response_topic *topics = kp_db_items(ctx, &kp_add_partitions_to_txn_response_topic_schema, (size_t)q->topics.n);
	if (!topics)
		return KP_ERR_NO_MEMORY;
	for (int32_t i = 0; i < q->topics.n; i++) {
		const request_topic *from = &q->topics.items[i];
		size_t n = (size_t)from->partitions.n;
		topics[i].name = from->name;
		topics[i].results_by_partition.n = from->partitions.n;
		topics[i].results_by_partition.items = kp_db_items(ctx, &kp_add_partitions_to_txn_response_partition_schema, n);
		if (!topics[i].results_by_partition.items)
			return KP_ERR_NO_MEMORY;
		for (size_t j = 0; j < n; j++)
			topics[i].results_by_partition.items[j].partition_index = from->partitions.items[j];
	}
	*out = topics;
	return 0;
}

/* One transaction of a request. */
typedef struct adding {
	kp_db_ctx *ctx;
	const request_transaction *request;
	response_topic *answers;
	kp_slice *keys; /* of the partitions, as they are named */
	size_t n;
	bool has_refused; /* one of them */
} adding;

static int16_t *code_of(adding *a, int32_t topic, int32_t i)
{
	return &a->answers[topic].results_by_partition.items[i].partition_error_code;
}

/* One that does not exist, or that a fault script names, keeps the others from being attempted. */
static int find_partitions(adding *a)
{
	const request_transaction *q = a->request;
	kp_db_ctx *ctx = a->ctx;
	size_t n_named = 0;
	for (int32_t i = 0; i < q->topics.n; i++)
		n_named += (size_t)q->topics.items[i].partitions.n;
	a->keys = kp_arena_alloc(&ctx->db->arena, n_named * sizeof(*a->keys));
	if (!a->keys)
		return KP_ERR_NO_MEMORY;
	for (int32_t i = 0; i < q->topics.n; i++) {
		const request_topic *named = &q->topics.items[i];
		const kp_db_topic *t = kp_db_topic_by_name(&ctx->db->cluster, named->name);
		for (int32_t j = 0; j < named->partitions.n; j++) {
			const kp_db_partition *p = t ? kp_db_partition_of(t, named->partitions.items[j]) : NULL;
			int16_t code = kp_db_error_for(ctx, named->name, named->partitions.items[j]);
			if (!code && !p)
				code = KP_ERR_UNKNOWN_TOPIC_OR_PARTITION;
			a->has_refused |= code != 0;
			*code_of(a, i, j) = code ? code : KP_ERR_OPERATION_NOT_ATTEMPTED;
			if (p && !(a->keys[a->n++] = kp_db_txn_partition_key(&ctx->db->arena, p)).ptr)
				return KP_ERR_NO_MEMORY;
		}
	}
	return 0;
}

/* All were found. `code` is the answer to each, or, when it is 0 and the brokers ask among themselves, whether it was added. */
static void set_codes(adding *a, const kp_db_txn_call *call, int16_t code)
{
	size_t k = 0;
	for (int32_t i = 0; i < a->request->topics.n; i++) {
		const request_topic *named = &a->request->topics.items[i];
		for (int32_t j = 0; j < named->partitions.n; j++, k++) {
			int16_t own = code;
			if (!own && a->request->verify_only)
				own = kp_db_txns_verify(a->ctx->db, call, a->keys[k]);
			if (!own)
				own = kp_db_error_after(a->ctx, named->name, named->partitions.items[j]);
			*code_of(a, i, j) = own;
		}
	}
}

static int add_partitions(kp_db_ctx *ctx, const request_transaction *q, response_topic **answers)
{
	int16_t version = ctx->to.api_version > 3 ? 2 : 0; /* TransactionVersion.transactionVersionForAddPartitionsToTxn */
	kp_db_txn_call call = {q->transactional_id, q->producer_id, q->producer_epoch, version};
	adding a = {.ctx = ctx, .request = q};
	int err = make_answers(ctx, q, answers);
	a.answers = *answers;
	if (!err)
		err = find_partitions(&a);
	if (err || a.has_refused)
		return err;
	int16_t code = check_call(ctx, q->transactional_id);
	if (!code && !q->verify_only)
		code = kp_db_txns_add(ctx->db, &call, a.keys, a.n);
	set_codes(&a, &call, known_code(ctx, code));
	return 0;
}

int kp_db_api_add_partitions_to_txn(kp_db_ctx *ctx, const void *request)
{
	const kp_add_partitions_to_txn_request *q = request;
	kp_add_partitions_to_txn_response r;
	kp_wire_init(&kp_add_partitions_to_txn_response_schema, &r, 1);
	if (ctx->to.api_version < 4) {
		request_transaction t = {.transactional_id = q->v3_and_below_transactional_id,
		                         .producer_id = q->v3_and_below_producer_id,
		                         .producer_epoch = q->v3_and_below_producer_epoch};
		t.topics.items = q->v3_and_below_topics.items;
		t.topics.n = q->v3_and_below_topics.n;
		if (add_partitions(ctx, &t, &r.results_by_topic_v3_and_below.items))
			return KP_ERR_NO_MEMORY;
		r.results_by_topic_v3_and_below.n = t.topics.n;
		return kp_db_reply(ctx, &r);
	}
	size_t n = (size_t)q->transactions.n;
	r.results_by_transaction.items = kp_db_items(ctx, &kp_add_partitions_to_txn_response_transaction_schema, n);
	if (!r.results_by_transaction.items)
		return KP_ERR_NO_MEMORY;
	for (size_t i = 0; i < n; i++) {
		const request_transaction *t = &q->transactions.items[i];
		r.results_by_transaction.items[i].transactional_id = t->transactional_id;
		if (add_partitions(ctx, t, &r.results_by_transaction.items[i].topic_results.items))
			return KP_ERR_NO_MEMORY;
		r.results_by_transaction.items[i].topic_results.n = t->topics.n;
	}
	r.results_by_transaction.n = q->transactions.n;
	return kp_db_reply(ctx, &r);
}

int kp_db_api_add_offsets_to_txn(kp_db_ctx *ctx, const void *request)
{
	const kp_add_offsets_to_txn_request *q = request;
	kp_add_offsets_to_txn_response r;
	kp_db_txn_call call = {q->transactional_id, q->producer_id, q->producer_epoch, 0};
	kp_wire_init(&kp_add_offsets_to_txn_response_schema, &r, 1);
	kp_slice key = kp_db_txn_group_key(&ctx->db->arena, q->group_id);
	if (!key.ptr)
		return KP_ERR_NO_MEMORY;
	int16_t code = before(ctx, q->transactional_id);
	if (!code)
		code = after(ctx, kp_db_txns_add(ctx->db, &call, &key, 1));
	r.error_code = known_code(ctx, code);
	return kp_db_reply(ctx, &r);
}

int kp_db_api_end_txn(kp_db_ctx *ctx, const void *request)
{
	const kp_end_txn_request *q = request;
	kp_end_txn_response r;
	kp_db_txn_meta next;
	int16_t version = ctx->to.api_version > 4 ? 2 : 0; /* TransactionVersion.transactionVersionForEndTxn */
	kp_db_txn_call call = {q->transactional_id, q->producer_id, q->producer_epoch, version};
	kp_wire_init(&kp_end_txn_response_schema, &r, 1);
	r.producer_id = r.producer_epoch = -1;
	int16_t code = before(ctx, q->transactional_id);
	if (!code)
		code = after(ctx, kp_db_txns_end(ctx->db, &call, q->committed, &next));
	r.error_code = known_code(ctx, code);
	if (!code && version >= 2) {
		r.producer_id = next.producer_id;
		r.producer_epoch = next.epoch;
	}
	return kp_db_reply(ctx, &r);
}
