/*
 * calls.c - requests that are not Produce: metadata, producer id, the client's admin calls. They wait for a broker, are tried again when
 * a connection breaks, and end by their deadline.
 */
#include <kproducer/error.h>

#include <stdio.h>

#include "base/time.h"
#include "cluster/backoff.h"
#include "producer/engine_impl.h"

#define LOOK_AGAIN_US 50000 /* while no broker can take a call: connections are being made */

void kp_calls_init(kp_engine *e)
{
	kp_list_init(&e->loop.calls);
	kp_list_init(&e->loop.flying_calls);
}

void kp_engine_call(kp_engine *e, kp_call *call)
{
	call->broker = NULL;
	call->next_us = 0;
	call->pause_us = 0;
	call->n_failures = 0;
	call->last_error = 0;
	call->is_lost = false;
	kp_list_init(&call->link);
	kp_list_push_back(&e->loop.calls, &call->link);
}

static void try_later(kp_engine *e, kp_call *call, int64_t now_us)
{
	int64_t pause_us = call->pause_us ? call->pause_us
	                                  : kp_backoff_us(e->config.retry_backoff_us, e->config.retry_backoff_max_us,
	                                                  call->n_failures++, &e->loop.random);
	call->pause_us = 0;
	call->broker = NULL;
	call->next_us = now_us + pause_us;
	kp_list_push_back(&e->loop.calls, &call->link);
}

void kp_call_answered(kp_engine *e, kp_call *call, int version, kp_slice body)
{
	kp_list_remove(&call->link);
	if (call->done(call, 0, NULL, version, body))
		try_later(e, call, e->loop.now_us);
}

void kp_call_failed(kp_engine *e, kp_call *call, int error, const char *text, int64_t now_us)
{
	kp_list_remove(&call->link);
	call->last_error = error;
	call->is_lost |= call->broker != NULL;
	if (call->coordinator && call->broker)
		kp_coordinator_lost(call->coordinator, now_us);
	/* a lost connection is no answer: another broker, or the same one later, will give it */
	if (kp_error_is_retriable(error) && now_us < call->deadline_us && error != KP_ERR_TIMED_OUT)
		try_later(e, call, now_us);
	else if (call->done(call, error, text, 0, kp_slice_null()))
		try_later(e, call, now_us);
}

void kp_engine_cancel_calls(kp_engine *e, int error)
{
	kp_list *lists[] = {&e->loop.calls, &e->loop.flying_calls}, *n;
	for (size_t i = 0; i < KP_ARRAY_LEN(lists); i++)
		while ((n = kp_list_pop_front(lists[i]))) {
			kp_call *call = KP_CONTAINER_OF(n, kp_call, link);
			if (call->broker)
				kp_rpc_disown(&call->broker->rpc, call);
			(void)call->done(call, error, NULL, 0, kp_slice_null());
		}
}

static kp_broker *target(kp_engine *e, const kp_call *call, int64_t now_us)
{
	if (call->coordinator)
		return kp_coordinator_broker(call->coordinator, now_us);
	kp_broker *b = call->to_controller ? kp_broker_find(e, e->loop.cluster.controller_id) : NULL;
	if (!b || b->n_failures > 0)
		return kp_broker_any(e, now_us); /* in KRaft every broker passes admin requests on */
	if (b->state == KP_BROKER_UP && b->rpc.state == KP_RPC_READY)
		return b;
	kp_broker_want(e, b, now_us);
	return NULL;
}

/* False: it must wait for a broker. Otherwise the call is in flight, or over. */
static bool start(kp_engine *e, kp_call *call, int64_t now_us)
{
	int error = KP_ERR_NO_MEMORY;
	kp_broker *b = target(e, call, now_us);
	if (!b && call->coordinator && call->coordinator->error) {
		error = call->coordinator->error;
		call->coordinator->error = 0;
		kp_call_failed(e, call, error, NULL, now_us);
		return true;
	}
	if (!b)
		return false;
	int version = kp_rpc_version(&b->rpc, call->api_key, call->max_version);
	if (version < call->min_version) {
		kp_call_failed(e, call, KP_ERR_NOT_SUPPORTED, "the broker is too old for this request", now_us);
		return true;
	}
	kp_arena_reset(&e->loop.arena);
	const void *body = call->build(call, version, &e->loop.arena);
	/* the connection's patience is its own: a call in a hurry must not cost the others their connection */
	int64_t timeout_us = e->config.request_timeout_us;
	if (!body || !kp_rpc_call(&b->rpc, call->api_key, version, body, true, call, now_us, timeout_us, &error)) {
		kp_call_failed(e, call, error, NULL, now_us);
		return true;
	}
	call->broker = b;
	b->used_us = now_us;
	kp_list_remove(&call->link);
	kp_list_push_back(&e->loop.flying_calls, &call->link);
	kp_broker_has_output(e, b);
	kp_broker_touch(e, b);
	return true;
}

static void time_out(kp_engine *e, kp_call *call)
{
	char text[700];
	snprintf(text, sizeof(text), "no answer in time; last connection error: %s",
	         e->loop.last_error[0] ? e->loop.last_error : "none");
	kp_list_remove(&call->link);
	if (call->broker)
		kp_rpc_disown(&call->broker->rpc, call);
	(void)call->done(call, KP_ERR_TIMED_OUT, text, 0, kp_slice_null());
}

/* Those under way whose time is over. Returns the next deadline. */
static int64_t end_late(kp_engine *e, int64_t now_us)
{
	int64_t wake = KP_TIME_NEVER;
	kp_list *next;
	for (kp_list *n = e->loop.flying_calls.next; n != &e->loop.flying_calls; n = next) {
		kp_call *call = KP_CONTAINER_OF(n, kp_call, link);
		next = n->next;
		if (call->deadline_us <= now_us)
			time_out(e, call);
		else if (call->deadline_us < wake)
			wake = call->deadline_us;
	}
	return wake;
}

int64_t kp_calls_step(kp_engine *e, int64_t now_us)
{
	int64_t wake = end_late(e, now_us);
	kp_list *next, waiting;
	kp_list_init(&waiting);
	kp_list_splice_back(&waiting, &e->loop.calls);
	for (kp_list *n = waiting.next; n != &waiting; n = next) {
		kp_call *call = KP_CONTAINER_OF(n, kp_call, link);
		next = n->next;
		int64_t at = call->deadline_us;
		if (call->deadline_us <= now_us) {
			time_out(e, call);
			continue;
		}
		if (call->next_us > now_us)
			at = call->next_us < at ? call->next_us : at;
		else if (start(e, call, now_us))
			continue;
		else
			at = now_us + LOOK_AGAIN_US < at ? now_us + LOOK_AGAIN_US : at;
		wake = at < wake ? at : wake;
	}
	/* those that wait keep their order before those that came to wait meanwhile */
	kp_list_splice_back(&waiting, &e->loop.calls);
	kp_list_splice_back(&e->loop.calls, &waiting);
	if (!kp_list_empty(&e->loop.calls) && wake == KP_TIME_NEVER)
		wake = now_us + LOOK_AGAIN_US;
	return wake;
}
