/*
 * sender.c - one Produce request after another for a broker: all its partitions that can send, up to max.request.size, one batch each.
 */
#include <kproducer/error.h>

#include <string.h>

#include "base/mem.h"
#include "base/time.h"
#include "producer/engine_impl.h"
#include "wire/msg_produce.h"

#define PRODUCE_VERSION_CLASSIC 11 /* the last one that leaves adding partitions to a transaction to the client (KIP-890) */
#define PRODUCE_VERSION_BY_NAME 12 /* the last version that names topics; 13 and later give their ids (KIP-516) */
#define PARTITION_OVERHEAD 16      /* bytes around a batch in a request, and what the request itself takes */
#define REQUEST_OVERHEAD 512
#define MISFITS_MOST 8

static kp_produce_call *call_get(kp_engine *e)
{
	kp_list *n = kp_list_pop_front(&e->loop.spare_calls);
	kp_produce_call *call = n ? KP_CONTAINER_OF(n, kp_produce_call, link) : kp_mem_calloc(1, sizeof(*call));
	if (!call)
		return NULL;
	kp_list_init(&call->link);
	call->n = 0;
	return call;
}

void kp_produce_call_free(kp_engine *e, kp_produce_call *call)
{
	kp_list_push_front(&e->loop.spare_calls, &call->link);
}

static bool call_reserve(kp_produce_call *call)
{
	if (call->n < call->cap)
		return true;
	size_t cap = call->cap ? call->cap * 2 : 16;
	kp_batch **more = kp_mem_realloc(call->batches, cap * sizeof(*more));
	if (!more)
		return false;
	call->batches = more;
	call->cap = cap;
	return true;
}

/*
 * Collect batches from the broker's list of partitions, starting where the last request stopped. A partition that is recovering travels
 * alone, so that waiting for it does not hold back the answers of the others.
 */
static void collect(kp_engine *e, kp_broker *b, kp_produce_call *call, int64_t now_us)
{
	size_t room = (size_t)e->config.max_request_size > REQUEST_OVERHEAD ? (size_t)e->config.max_request_size - REQUEST_OVERHEAD
	                                                                    : 0;
	int n_misfits = 0; /* the list may be long: it is not walked to its end for a request that is nearly full */
	kp_list later;
	kp_list *n;
	kp_list_init(&later);
	/* the first batch always goes, however small max.request.size is */
	while ((room > 0 || call->n == 0) && n_misfits < MISFITS_MOST && call_reserve(call) && (n = kp_list_pop_front(&b->ready))) {
		kp_partition *p = KP_CONTAINER_OF(n, kp_partition, loop.ready_link);
		if (p->loop.is_recovering && call->n > 0) {
			kp_list_push_back(&later, n);
			continue;
		}
		kp_batch *batch = kp_partition_next_batch(e, p, now_us, call->n == 0 ? SIZE_MAX : room);
		if (!batch) {
			/* it does not fit this request, or something has changed: the partition finds its place anew below */
			n_misfits += call->n > 0;
			kp_list_push_back(&later, n);
			continue;
		}
		batch->call = call;
		batch->attempts++;
		KP_REACHED(BATCH_IN_FLIGHT);
		kp_trail_sent(batch, now_us);
		batch->last_node = b->id;
		p->loop.n_in_flight++;
		call->batches[call->n++] = batch;
		size_t used = batch->len + PARTITION_OVERHEAD;
		room = used < room && !p->loop.is_recovering ? room - used : 0;
	}
	while ((n = kp_list_pop_front(&later)))
		kp_partition_evaluate(e, KP_CONTAINER_OF(n, kp_partition, loop.ready_link), now_us);
}

/* The batches grouped by topic; topics stand in order of first appearance. NULL: no memory. */
static const kp_produce_request *build(kp_engine *e, const kp_produce_call *call, int *version_cap)
{
	static const kp_uuid no_id;
	uint64_t serial = ++e->loop.request_serial;
	kp_arena *arena = &e->loop.arena;
	kp_produce_request *body = kp_arena_alloc(arena, sizeof(*body));
	kp_produce_request_topic *topics = kp_arena_alloc(arena, call->n * sizeof(*topics));
	kp_produce_request_partition *partitions = kp_arena_alloc(arena, call->n * sizeof(*partitions));
	if (!body || !topics || !partitions)
		return NULL;
	kp_wire_init(&kp_produce_request_schema, body, 1);
	int32_t n_topics = 0;
	for (size_t i = 0; i < call->n; i++) {
		kp_topic *t = call->batches[i]->partition->topic;
		if (t->loop.request != serial) {
			t->loop.request = serial;
			t->loop.slot = n_topics++;
			topics[t->loop.slot] = (kp_produce_request_topic){.name = kp_slice_cstr(t->name),
			                                                  .topic_id = t->loop.meta->id};
			if (memcmp(&t->loop.meta->id, &no_id, sizeof(no_id)) == 0)
				*version_cap = PRODUCE_VERSION_BY_NAME;
		}
		topics[t->loop.slot].partition_data.n++;
	}
	for (int32_t i = 0, at = 0; i < n_topics; i++) {
		topics[i].partition_data.items = partitions + at;
		at += topics[i].partition_data.n;
		topics[i].partition_data.n = 0;
	}
	for (size_t i = 0; i < call->n; i++) {
		kp_batch *b = call->batches[i];
		b->sent_topic_id = b->partition->topic->loop.meta->id;
		kp_produce_request_topic *t = &topics[b->partition->topic->loop.slot];
		t->partition_data.items[t->partition_data.n++] = (kp_produce_request_partition){
			.index = b->partition->index, .records = kp_slice_of(b->data, b->len)};
	}
	body->transactional_id = kp_is_transactional(e) ? kp_slice_cstr(e->config.transactional_id) : kp_slice_null();
	if (kp_is_transactional(e) && !e->loop.txn.is_v2)
		*version_cap = PRODUCE_VERSION_CLASSIC;
	body->acks = e->config.acks;
	body->timeout_ms = (int32_t)(e->config.request_timeout_us / 1000);
	body->topic_data.items = topics;
	body->topic_data.n = n_topics;
	return body;
}

/* Encode and queue the request; an error that keeps it from ever leaving ends the attempts. */
static int submit(kp_engine *e, kp_broker *b, kp_produce_call *call, int64_t now_us)
{
	int cap = INT16_MAX, error = KP_ERR_NO_MEMORY;
	kp_arena_reset(&e->loop.arena);
	const kp_produce_request *body = build(e, call, &cap);
	if (!body)
		return error;
	int version = kp_rpc_version(&b->rpc, KP_API_PRODUCE, cap);
	if (version < 0 || (e->loop.txn.is_v2 && version <= PRODUCE_VERSION_CLASSIC))
		return KP_ERR_UNSUPPORTED_VERSION;
	call->is_first = e->loop.txn.is_v2 && !e->loop.txn.is_on_broker;
	e->loop.txn.is_on_broker = true;
	call->broker = b;
	call->sent_us = now_us;
	if (!kp_rpc_call(&b->rpc, KP_API_PRODUCE, version, body, e->config.acks != 0, call, now_us, e->config.request_timeout_us,
	                 &error))
		return error;
	b->n_produce++;
	b->is_produce_unwritten = true;
	b->used_us = now_us;
	kp_count(&e->loop.requests, 1);
	kp_broker_has_output(e, b);
	return 0;
}

static bool send_one(kp_engine *e, kp_broker *b, int64_t now_us)
{
	kp_produce_call *call = call_get(e);
	if (!call)
		return false;
	collect(e, b, call, now_us);
	if (call->n == 0) {
		kp_produce_call_free(e, call);
		return false;
	}
	int err = submit(e, b, call, now_us);
	if (err) {
		kp_produce_failed(e, call, err, false, now_us);
		return false;
	}
	/* those that have more to send stand behind the others now */
	for (size_t i = 0; i < call->n; i++)
		kp_partition_evaluate(e, call->batches[i]->partition, now_us);
	return true;
}

static void note_readiness(kp_broker *b, int64_t now_us)
{
	bool is_stuck = !kp_list_empty(&b->ready);
	int64_t since = atomic_load_explicit(&b->unready_since_us, memory_order_relaxed);
	if (is_stuck && since < 0)
		atomic_store_explicit(&b->unready_since_us, now_us, memory_order_relaxed);
	else if (!is_stuck && since >= 0)
		atomic_store_explicit(&b->unready_since_us, -1, memory_order_relaxed);
}

void kp_broker_send(kp_engine *e, kp_broker *b, int64_t now_us)
{
	bool went = false;
	if (!kp_list_empty(&b->ready) && b->state != KP_BROKER_UP)
		kp_broker_want(e, b, now_us);
	/*
	 * The next request is built when the last one is wholly with the kernel: until then batches fill. Other requests that wait for a full
	 * socket do not count: as long as an application asks faster than the broker answers there are always some.
	 */
	while (b->state == KP_BROKER_UP && b->rpc.state == KP_RPC_READY && !b->is_produce_unwritten &&
	       b->n_produce < e->config.max_in_flight && now_us >= b->rpc.throttled_until_us && !kp_list_empty(&b->ready) &&
	       send_one(e, b, now_us))
		went = true;
	if (went)
		atomic_store_explicit(&b->unready_since_us, -1, memory_order_relaxed);
	else
		note_readiness(b, now_us);
}
