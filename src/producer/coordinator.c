/*
 * coordinator.c - see coordinator.h. A node that cannot be connected to is asked about again, with the back-off of retries: by then it may
 * be another.
 */
#include "producer/coordinator.h"

#include <kproducer/error.h>

#include <string.h>

#include "base/time.h"
#include "cluster/backoff.h"
#include "producer/engine_impl.h"
#include "wire/msg_find_coordinator.h"
#include "wire/reader.h"

#define VERSION_MAX 6
#define VERSION_OF_LISTS 4 /* from here on a request names several keys (KIP-699) */

static const void *build(kp_call *call, int version, kp_arena *arena)
{
	const kp_coordinator *c = call->opaque;
	kp_find_coordinator_request *body = kp_arena_alloc(arena, sizeof(*body));
	kp_slice *keys = kp_arena_alloc(arena, sizeof(*keys));
	if (!body || !keys)
		return NULL;
	kp_wire_init(&kp_find_coordinator_request_schema, body, 1);
	*keys = kp_slice_cstr(c->key);
	body->key_type = c->type;
	if (version < VERSION_OF_LISTS)
		body->key = *keys;
	else
		body->coordinator_keys.items = keys, body->coordinator_keys.n = 1;
	return body;
}

static int take(kp_coordinator *c, const kp_find_coordinator_response *a, int version)
{
	kp_engine *e = c->engine;
	kp_find_coordinator_response_coordinator one = {
		.node_id = a->node_id, .host = a->host, .port = a->port, .error_code = a->error_code};
	if (version >= VERSION_OF_LISTS) {
		if (a->coordinators.n < 1)
			return KP_ERR_PROTOCOL;
		one = a->coordinators.items[0];
	}
	if (one.error_code)
		return one.error_code;
	char host[256];
	if (one.node_id < 0 || one.port < 1 || one.port > UINT16_MAX || one.host.len == 0 || one.host.len >= sizeof(host))
		return KP_ERR_PROTOCOL;
	memcpy(host, one.host.ptr, one.host.len);
	host[one.host.len] = 0;
	(void)kp_cluster_node_put(&e->loop.cluster, one.node_id, one.host, one.port);
	const kp_broker *b = kp_broker_get(e, one.node_id, host, (uint16_t)one.port);
	if (!b)
		return KP_ERR_NO_MEMORY;
	c->node = one.node_id;
	c->failures_seen = b->n_failures;
	return 0;
}

static bool done(kp_call *call, int error, const char *text, int version, kp_slice bytes)
{
	kp_coordinator *c = call->opaque;
	kp_engine *e = c->engine;
	kp_find_coordinator_response a;
	(void)text;
	if (!error) {
		kp_arena_reset(&e->loop.arena);
		error = kp_wire_read(&kp_find_coordinator_response_message, version, bytes, &e->loop.arena, &a, NULL);
	}
	if (!error) {
		kp_broker_throttle(e, call->broker, a.throttle_time_ms);
		error = take(c, &a, version);
	}
	if (c->is_renamed)
		error = KP_ERR_COORDINATOR_NOT_AVAILABLE; /* it speaks of another */
	c->is_renamed = false;
	call->last_error = error;
	if (error == KP_ERR_NO_MEMORY || kp_error_is_retriable(error)) {
		KP_REACHED(TXN_COORDINATOR_UNKNOWN);
		return true;
	}
	if (!error)
		KP_REACHED(TXN_COORDINATOR_FOUND);
	c->is_asking = false;
	c->error = error;
	return false;
}

void kp_coordinator_init(kp_coordinator *c, kp_engine *e, int8_t type, const char *key)
{
	*c = (kp_coordinator){.engine = e, .type = type, .key = key, .node = -1};
	c->find = (kp_call){.api_key = KP_API_FIND_COORDINATOR,
	                    .max_version = VERSION_MAX,
	                    .min_version = type == KP_COORDINATES_GROUP ? 0 : 1,
	                    .deadline_us = KP_TIME_NEVER,
	                    .build = build,
	                    .done = done,
	                    .opaque = c};
}

void kp_coordinator_rename(kp_coordinator *c, const char *key)
{
	c->key = key;
	c->is_renamed = c->is_asking;
	c->node = -1;
	c->error = 0;
	c->n_lost = 0;
	c->not_before_us = 0;
}

kp_broker *kp_coordinator_broker(kp_coordinator *c, int64_t now_us)
{
	kp_engine *e = c->engine;
	kp_broker *b = c->node >= 0 ? kp_broker_find(e, c->node) : NULL;
	if (b && b->state == KP_BROKER_DOWN && b->n_failures > c->failures_seen) {
		kp_coordinator_lost(c, now_us);
		b = NULL;
	}
	if (b && b->state == KP_BROKER_UP && b->rpc.state == KP_RPC_READY) {
		c->failures_seen = 0;
		return b;
	}
	if (b) {
		kp_broker_want(e, b, now_us);
	} else if (!c->is_asking && !c->error && now_us >= c->not_before_us) {
		c->is_asking = true;
		kp_engine_call(e, &c->find);
	}
	return NULL;
}

void kp_coordinator_lost(kp_coordinator *c, int64_t now_us)
{
	const kp_engine_config *config = &c->engine->config;
	if (c->node < 0)
		return;
	KP_REACHED(TXN_COORDINATOR_LOST);
	c->node = -1;
	c->not_before_us = now_us + kp_backoff_us(config->retry_backoff_us, config->retry_backoff_max_us, c->n_lost++,
	                                          &c->engine->loop.random);
}
