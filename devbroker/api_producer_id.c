/*
 * api_producer_id.c - InitProducerId: a new id for each idempotent producer; the same id and the next epoch for a transactional one.
 */
#include "devbroker/txns.h"
#include "kproducer/error.h"
#include "wire/msg_init_producer_id.h"

#define TRANSACTION_MAX_TIMEOUT_MS 900000 /* transaction.max.timeout.ms */

static int16_t init_transactional(kp_db_ctx *ctx, const kp_init_producer_id_request *q, kp_init_producer_id_response *r)
{
	kp_db_txn_call call = {q->transactional_id, q->producer_id, q->producer_epoch, ctx->db->transaction_version};
	kp_db_txn_meta m;
	if (!kp_db_is_coordinator(ctx, KP_DB_COORDINATOR_TRANSACTION, q->transactional_id))
		return KP_ERR_NOT_COORDINATOR;
	int16_t code = kp_db_txns_init_producer(ctx->db, &call, q->transaction_timeout_ms, &m);
	if (code)
		return code;
	r->producer_id = m.producer_id;
	r->producer_epoch = m.epoch;
	return 0;
}

static int16_t init_producer(kp_db_ctx *ctx, const kp_init_producer_id_request *q, kp_init_producer_id_response *r)
{
	int16_t fault = kp_db_error_for(ctx, kp_slice_null(), -1);
	if (fault)
		return fault;
	if (q->transactional_id.ptr && q->transactional_id.len == 0)
		return KP_ERR_INVALID_REQUEST;
	if ((q->producer_id == -1) != (q->producer_epoch == -1))
		return KP_ERR_INVALID_REQUEST;
	if (!q->transactional_id.ptr) {
		if (kp_db_take_producer_id(ctx->db, &r->producer_id))
			return KP_ERR_COORDINATOR_LOAD_IN_PROGRESS; /* as Kafka without a block of ids: clients ask again */
		r->producer_epoch = 0;
		return 0;
	}
	if (q->transaction_timeout_ms <= 0 || q->transaction_timeout_ms > TRANSACTION_MAX_TIMEOUT_MS)
		return KP_ERR_INVALID_TRANSACTION_TIMEOUT;
	int16_t code = init_transactional(ctx, q, r);
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
