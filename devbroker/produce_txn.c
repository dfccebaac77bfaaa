/*
 * produce_txn.c - see produce_txn.h.
 */
#include "devbroker/produce_txn.h"

#include "devbroker/produce_check.h"
#include "devbroker/txns.h"
#include "kproducer/error.h"

#define ADDS_SINCE 12      /* versions that leave the adding of partitions to the broker */
#define ABORTABLE_SINCE 11 /* that know TRANSACTION_ABORTABLE */
#define UNVERIFIED_TEXT "Unable to verify the partition has been added to the transaction. Underlying error: "

/* Note who writes, and whether there is more than one. */
static void note_producer(kp_db_produce_txn *x, const kp_batch_header *h)
{
	if (x->has_producer && (x->producer_id != h->producer_id || x->epoch != h->producer_epoch))
		x->has_others = true;
	x->has_producer = true;
	x->producer_id = h->producer_id;
	x->epoch = h->producer_epoch;
}

/* One entry that counts. Its code is known, or the coordinator is to be asked. */
static int look_at(kp_db_produce_txn *x, kp_db_partition *p, kp_slice records, uint32_t entry)
{
	kp_db_ctx *ctx = x->ctx;
	kp_batch_header h;
	kp_slice batch;
	bool is_needed = false;
	if (kp_db_check_framing(records, ctx->to.api_version, &batch) || kp_batch_header_load(batch, &h) ||
	    !(h.attributes & KP_BATCH_TRANSACTIONAL) || h.producer_id < 0)
		return 0;
	note_producer(x, &h);
	if (kp_db_leader_of(&ctx->db->cluster, p) != ctx->to.conn->node)
		return 0; /* it is refused for that */
	int code = kp_db_producers_verify(&p->producers, &h, ctx->to.api_version >= ADDS_SINCE, &is_needed);
	x->codes[entry] = code == KP_ERR_NO_MEMORY ? KP_ERR_KAFKA_STORAGE_ERROR : (int16_t)code;
	if (code || !is_needed)
		return 0;
	x->keys[x->n] = kp_db_txn_partition_key(&ctx->db->arena, p);
	x->entries[x->n] = entry;
	return x->keys[x->n++].ptr ? 0 : KP_ERR_NO_MEMORY;
}

static int look_at_all(kp_db_produce_txn *x)
{
	uint32_t entry = 0;
	for (int32_t i = 0; i < x->request->topic_data.n; i++) {
		const kp_produce_request_topic *t = &x->request->topic_data.items[i];
		kp_db_topic *topic = x->topic_of(x->ctx, t);
		for (int32_t j = 0; j < t->partition_data.n; j++) {
			const kp_produce_request_partition *q = &t->partition_data.items[j];
			kp_db_partition *p = topic ? kp_db_partition_of(topic, q->index) : NULL;
			entry++;
			if (p && p->last_entry == entry && look_at(x, p, q->records, entry))
				return KP_ERR_NO_MEMORY;
		}
	}
	return 0;
}

static void ask_coordinator(kp_db_produce_txn *x)
{
	kp_db *db = x->ctx->db;
	bool is_adding = x->ctx->to.api_version >= ADDS_SINCE;
	kp_slice id = x->request->transactional_id;
	kp_db_txn_call call = {id, x->producer_id, x->epoch, is_adding ? 2 : 0};
	int16_t code = 0;
	if (id.len == 0)
		code = KP_ERR_INVALID_REQUEST;
	else if (!kp_db_coordinator_of(&db->coordinators, &db->cluster, KP_DB_COORDINATOR_TRANSACTION, id))
		code = KP_ERR_COORDINATOR_NOT_AVAILABLE;
	else if (is_adding)
		code = kp_db_txns_add(db, &call, x->keys, x->n);
	for (size_t i = 0; i < x->n; i++)
		x->codes[x->entries[i]] = code || is_adding ? code : kp_db_txns_verify(db, &call, x->keys[i]);
}

int kp_db_produce_verify(kp_db_produce_txn *x, size_t n_entries)
{
	kp_arena *arena = &x->ctx->db->arena;
	if (!x->request->transactional_id.ptr)
		return 0;
	x->codes = kp_arena_alloc(arena, (n_entries + 1) * sizeof(*x->codes));
	x->keys = kp_arena_alloc(arena, n_entries * sizeof(*x->keys));
	x->entries = kp_arena_alloc(arena, n_entries * sizeof(*x->entries));
	if (!x->codes || !x->keys || !x->entries || look_at_all(x))
		return KP_ERR_NO_MEMORY;
	if (x->n && !x->has_others)
		ask_coordinator(x);
	return 0;
}

int16_t kp_db_produce_code(const kp_db_ctx *ctx, int16_t code, kp_slice *text)
{
	bool is_adding = ctx->to.api_version >= ADDS_SINCE;
	*text = kp_slice_null();
	switch (code) {
	case KP_ERR_PRODUCER_FENCED: return KP_ERR_INVALID_PRODUCER_EPOCH;
	case KP_ERR_TRANSACTION_ABORTABLE:
		if (ctx->to.api_version >= ABORTABLE_SINCE)
			return code;
		*text = kp_slice_cstr("Partition was not added to the transaction");
		return KP_ERR_INVALID_TXN_STATE;
	case KP_ERR_CONCURRENT_TRANSACTIONS:
		if (is_adding)
			return code;
		*text = kp_slice_cstr(UNVERIFIED_TEXT "CONCURRENT_TRANSACTIONS");
		return KP_ERR_NOT_ENOUGH_REPLICAS;
	case KP_ERR_COORDINATOR_NOT_AVAILABLE:
		*text = kp_slice_cstr(UNVERIFIED_TEXT "COORDINATOR_NOT_AVAILABLE");
		return KP_ERR_NOT_ENOUGH_REPLICAS;
	default: return code;
	}
}
