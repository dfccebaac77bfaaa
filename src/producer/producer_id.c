/*
 * producer_id.c - the idempotent producer's id (KIP-98): asked for when the first batch is about to leave, and anew when it is used up.
 *
 * Each partition keeps its own (id, epoch, next sequence): a broker checks them per partition, so a gap in one partition moves only its
 * own epoch. Epochs are bumped locally (KIP-360); an id whose epochs are used up, or that somebody else moved, is replaced.
 */
#include <kproducer/error.h>

#include "base/time.h"
#include "producer/engine_impl.h"
#include "wire/msg_init_producer_id.h"
#include "wire/reader.h"

#define INIT_PRODUCER_ID_VERSION_MAX 5

static const void *build(kp_call *call, int version, kp_arena *arena)
{
	(void)call;
	(void)version;
	kp_init_producer_id_request *body = kp_arena_alloc(arena, sizeof(*body));
	if (!body)
		return NULL;
	kp_wire_init(&kp_init_producer_id_request_schema, body, 1);
	body->transactional_id = kp_slice_null();
	body->transaction_timeout_ms = INT32_MAX;
	return body;
}

/* Everybody who waited for the id may have something to send now. */
static void wake_brokers(kp_engine *e)
{
	for (size_t i = 0; i < e->loop.n_brokers; i++)
		if (!kp_list_empty(&e->loop.brokers[i]->ready))
			kp_broker_sendable(e, e->loop.brokers[i]);
}

static bool done(kp_call *call, int error, const char *text, int version, kp_slice bytes)
{
	kp_engine *e = call->opaque;
	kp_init_producer_id_response a = {0};
	kp_arena_reset(&e->loop.arena);
	if (!error)
		error = kp_wire_read(&kp_init_producer_id_response_message, version, bytes, &e->loop.arena, &a, NULL);
	if (!error) {
		kp_broker_throttle(e, call->broker, a.throttle_time_ms);
		error = a.error_code;
	}
	call->last_error = error;
	if (error == KP_ERR_CLOSED) {
		e->loop.is_asking_id = false;
		return false;
	}
	if (error) {
		KP_REACHED(ID_REFUSED);
		/* never fatal: records wait for it and reach their own deadlines; once it is repaired on the broker, they flow */
		int level = kp_error_is_retriable(error) ? KP_LOG_INFO : KP_LOG_ERROR;
		KP_LOG(e->around.log, level, e->loop.now_us, "producer_id_refused error=%s text=\"%s\" advice=\"%s\"",
		       kp_error_name(error), text ? text : "", kp_error_advice(error));
		if (!kp_error_is_retriable(error))
			e->around.on_error(e->around.opaque, error, kp_error_text(error));
		return true;
	}
	e->loop.is_asking_id = false;
	KP_REACHED(ID_KNOWN);
	e->loop.producer_id = a.producer_id;
	e->loop.producer_epoch = a.producer_epoch;
	wake_brokers(e);
	return false;
}

void kp_producer_id_init(kp_engine *e)
{
	e->loop.producer_id = -1;
	e->loop.id_call = (kp_call){.api_key = KP_API_INIT_PRODUCER_ID,
	                            .max_version = INIT_PRODUCER_ID_VERSION_MAX,
	                            .min_version = 0,
	                            .deadline_us = KP_TIME_NEVER,
	                            .build = build,
	                            .done = done,
	                            .opaque = e};
}

/* Its id and epoch are the coordinator's; a new epoch begins at 0. No batch leaves before they are known. */
static void use_transactions_epoch(const kp_engine *e, kp_partition *p)
{
	if (p->loop.producer_id == e->loop.producer_id && p->loop.producer_epoch == e->loop.producer_epoch)
		return;
	/* a broker that has state of the id takes nothing but 0 with a new epoch: several batches may be on their way then */
	p->loop.is_stamp_known = p->loop.is_stamp_known && p->loop.producer_id == e->loop.producer_id;
	p->loop.producer_id = e->loop.producer_id;
	p->loop.producer_epoch = e->loop.producer_epoch;
	p->loop.next_sequence = 0;
	p->loop.backoff_until_us = 0; /* of a transaction that is over */
}

bool kp_producer_id_for(kp_engine *e, kp_partition *p)
{
	if (!e->config.idempotent)
		return true;
	if (kp_is_transactional(e)) {
		use_transactions_epoch(e, p);
		return true;
	}
	if (p->loop.producer_id >= 0 && p->loop.producer_id != p->loop.banned_producer_id)
		return true;
	if (e->loop.producer_id >= 0 && e->loop.producer_id != p->loop.banned_producer_id) {
		p->loop.producer_id = e->loop.producer_id;
		p->loop.producer_epoch = e->loop.producer_epoch;
		p->loop.next_sequence = e->config.first_sequence;
		p->loop.is_stamp_known = false;
		return true;
	}
	if (!e->loop.is_asking_id) {
		KP_REACHED(ID_ASKED);
		e->loop.is_asking_id = true;
		kp_engine_call(e, &e->loop.id_call);
	}
	return false;
}
