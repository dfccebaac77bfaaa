/*
 * api_producer_id.c - InitProducerId: a new id for each idempotent producer; the same id and the next epoch for a transactional one.
 */
#include "base/mem.h"
#include "devbroker/internal.h"
#include "kproducer/error.h"
#include "wire/msg_init_producer_id.h"

#define TRANSACTION_MAX_TIMEOUT_MS 900000 /* transaction.max.timeout.ms */
#define LAST_EPOCH (INT16_MAX - 1)        /* TransactionMetadata.isEpochExhausted */

static kp_db_transactional_id *transactional_id_new(kp_db *db, kp_slice name)
{
	if (db->transactional_ids.n >= KP_DB_TXN_IDS_MAX || db->transactional_text + name.len > KP_DB_TXN_TEXT_MAX)
		return NULL;
	kp_db_transactional_id *t = kp_mem_alloc(sizeof(*t) + name.len);
	if (!t)
		return NULL;
	t->producer_id = db->next_producer_id++;
	t->epoch = 0;
	t->len = name.len;
	memcpy(t->name, name.ptr, name.len);
	if (kp_map_put(&db->transactional_ids, kp_slice_of(t->name, t->len), t)) {
		kp_mem_free(t);
		return NULL;
	}
	db->transactional_text += name.len;
	return t;
}

/* KIP-360: a producer that names its id and epoch must be the present one. */
static int16_t init_transactional(kp_db *db, const kp_init_producer_id_request *q, kp_init_producer_id_response *r)
{
	kp_db_transactional_id *t = kp_map_get(&db->transactional_ids, q->transactional_id);
	if (t) {
		if (q->producer_id >= 0 && (q->producer_id != t->producer_id || q->producer_epoch != t->epoch))
			return KP_ERR_PRODUCER_FENCED;
		if (++t->epoch >= LAST_EPOCH) {
			t->producer_id = db->next_producer_id++;
			t->epoch = 0;
		}
	} else {
		t = transactional_id_new(db, q->transactional_id);
		if (!t)
			return KP_ERR_COORDINATOR_NOT_AVAILABLE;
	}
	r->producer_id = t->producer_id;
	r->producer_epoch = t->epoch;
	return 0;
}

static int16_t init_producer(kp_db_ctx *ctx, const kp_init_producer_id_request *q, kp_init_producer_id_response *r)
{
	if (ctx->injected)
		return ctx->injected;
	if (q->transactional_id.ptr && q->transactional_id.len == 0)
		return KP_ERR_INVALID_REQUEST;
	if ((q->producer_id == -1) != (q->producer_epoch == -1))
		return KP_ERR_INVALID_REQUEST;
	if (!q->transactional_id.ptr) {
		r->producer_id = ctx->db->next_producer_id++;
		r->producer_epoch = 0;
		return 0;
	}
	if (q->transaction_timeout_ms <= 0 || q->transaction_timeout_ms > TRANSACTION_MAX_TIMEOUT_MS)
		return KP_ERR_INVALID_TRANSACTION_TIMEOUT;
	int16_t code = init_transactional(ctx->db, q, r);
	/* PRODUCER_FENCED is known from version 4 on. */
	return code == KP_ERR_PRODUCER_FENCED && ctx->to.api_version < 4 ? KP_ERR_INVALID_PRODUCER_EPOCH : code;
}

int kp_db_api_init_producer_id(kp_db_ctx *ctx, const void *request)
{
	kp_init_producer_id_response r;
	kp_wire_init(&kp_init_producer_id_response_schema, &r, 1);
	r.producer_id = r.producer_epoch = -1;
	r.error_code = init_producer(ctx, request, &r);
	return kp_db_reply(ctx, &r);
}
