/*
 * engine.c - the engine's life and its turn: events in, everything due done, actions, output and ended batches out.
 */
#include "producer/engine.h"

#include <kproducer/error.h>

#include <stdio.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/mem.h"
#include "base/time.h"
#include "producer/engine_impl.h"

#define ADOPT_AGAIN_US 100000  /* a topic for which memory was out */
#define ARENA_MAX (256u << 20) /* a request to, or an answer about, some million partitions */

static _Atomic uint64_t next_topic_serial = 1; /* relaxed: only uniqueness matters */

kp_engine *kp_engine_new(const kp_engine_config *config, const kp_server *servers, size_t n_servers, const kp_surroundings *around)
{
	kp_engine *e = kp_mem_calloc(1, sizeof(*e));
	if (!e)
		return NULL;
	e->config = *config;
	e->max_record_size = kp_engine_max_record_size(config);
	e->around = *around;
	kp_budget_init(&e->shared.budget, config->buffer_memory);
	kp_sealers_init(&e->shared.sealers);
	kp_lock_init(&e->shared.topics_lock);
	kp_map_init(&e->shared.topics);
	kp_list_init(&e->shared.new_topics);
	kp_random_init(&e->loop.random, around->seed);
	kp_list *lists[] = {&e->loop.topics, &e->loop.lingering, &e->loop.writable, &e->loop.sendable,
	                    &e->loop.moving, &e->loop.by_serial, &e->loop.ended,    &e->loop.spare_calls};
	for (size_t i = 0; i < KP_ARRAY_LEN(lists); i++)
		kp_list_init(lists[i]);
	kp_cluster_init(&e->loop.cluster,
	                &(kp_cluster_config){.max_age_us = config->metadata_max_age_us,
	                                     .max_idle_us = config->metadata_max_idle_us,
	                                     .retry_backoff_us = config->retry_backoff_us,
	                                     .retry_backoff_max_us = config->retry_backoff_max_us,
	                                     .allow_auto_create = config->allow_auto_create},
	                &e->loop.random);
	kp_timers_init(&e->loop.timers);
	kp_timers_init(&e->loop.expiries);
	kp_timers_init(&e->loop.evictions);
	kp_arena_init(&e->loop.arena, ARENA_MAX);
	kp_calls_init(e);
	kp_metadata_init(e);
	e->loop.metadata_wanted_us = -1;
	kp_producer_id_init(e);
	e->loop.features_epoch = -1;
	kp_txn_init(e);
	for (size_t i = 0; i < n_servers; i++)
		if (!kp_broker_get(e, -1 - (int32_t)i, servers[i].host, servers[i].port)) {
			kp_engine_free(e);
			return NULL;
		}
	return e;
}

void kp_engine_free(kp_engine *e)
{
	kp_list *n;
	size_t it = 0;
	kp_topic *t;
	while ((t = kp_map_next(&e->shared.topics, &it)))
		kp_topic_free(t);
	kp_map_deinit(&e->shared.topics);
	while ((n = kp_list_pop_front(&e->loop.spare_calls))) {
		kp_produce_call *call = KP_CONTAINER_OF(n, kp_produce_call, link);
		kp_mem_free(call->batches);
		kp_mem_free(call);
	}
	kp_txn_deinit(e);
	kp_brokers_free(e);
	kp_cluster_deinit(&e->loop.cluster);
	kp_timers_deinit(&e->loop.timers);
	kp_timers_deinit(&e->loop.expiries);
	kp_timers_deinit(&e->loop.evictions);
	kp_arena_deinit(&e->loop.arena);
	kp_mem_free(e->loop.actions);
	kp_sealers_deinit(&e->shared.sealers);
	kp_budget_deinit(&e->shared.budget);
	kp_mem_free(e);
}

kp_topic *kp_engine_topic(kp_engine *e, const char *name)
{
	kp_lock_acquire(&e->shared.topics_lock);
	kp_topic *t = kp_map_get(&e->shared.topics, kp_slice_cstr(name));
	bool is_new = !t;
	if (is_new) {
		uint64_t serial = atomic_fetch_add_explicit(&next_topic_serial, 1, memory_order_relaxed);
		/* by name, not by serial: the same seed makes the same choices whatever the process did before */
		t = kp_topic_new(e, name, serial, e->around.seed ^ kp_crc32c(name, strlen(name)));
		if (t && kp_map_put(&e->shared.topics, kp_slice_cstr(t->name), t)) {
			kp_topic_free(t);
			t = NULL;
		}
		if (t) {
			t->owner = e->around.opaque;
			atomic_init(&t->shared.batch_size, e->config.batch_size);
			kp_list_push_back(&e->shared.new_topics, &t->loop.link);
		}
	}
	kp_lock_release(&e->shared.topics_lock);
	if (t && is_new)
		kp_notify_news(e);
	return t;
}

/* ------------------------------------------------------------------ events */

static void on_ready(void *owner)
{
	kp_broker *b = owner;
	b->n_failures = 0;
	b->down_error = 0;
	b->used_us = b->engine->loop.now_us;
	KP_REACHED(BROKER_READY);
	/* of brokers that disagree, in the middle of an upgrade, the one that knows more is right */
	if (b->rpc.features_epoch >= b->engine->loop.features_epoch) {
		b->engine->loop.features_epoch = b->rpc.features_epoch;
		b->engine->loop.transaction_version = b->rpc.transaction_version;
	}
	b->engine->loop.said_down = false;
	kp_broker_sendable(b->engine, b);
}

static void on_written(void *owner, kp_rpc_request *r)
{
	kp_broker *b = owner;
	if (r->api_key != KP_API_PRODUCE)
		return;
	b->is_produce_unwritten = false;
	kp_broker_sendable(b->engine, b);
	if (!r->expects_answer)
		kp_produce_written(b->engine, r->opaque, b->engine->loop.now_us);
}

static void on_answer(void *owner, kp_rpc_request *r, kp_slice body)
{
	kp_broker *b = owner;
	kp_engine *e = b->engine;
	b->used_us = e->loop.now_us;
	if (r->api_key == KP_API_PRODUCE)
		kp_produce_answered(e, b, r->opaque, r->version, body, e->loop.now_us);
	else if (r->opaque) /* else the call was cancelled */
		kp_call_answered(e, r->opaque, r->version, body);
	kp_broker_sendable(e, b);
}

static void on_failed(void *owner, kp_rpc_request *r, int error)
{
	kp_broker *b = owner;
	kp_engine *e = b->engine;
	if (r->api_key == KP_API_PRODUCE)
		kp_produce_failed(e, r->opaque, error, r->written == r->total, e->loop.now_us);
	else if (r->opaque)
		kp_call_failed(e, r->opaque, error, NULL, e->loop.now_us);
}

const kp_rpc_handler kp_engine_rpc_handler = {on_ready, on_written, on_answer, on_failed};

void kp_engine_on_open(kp_engine *e, uint32_t conn, int64_t now_us)
{
	kp_broker *b = kp_broker_by_conn(e, conn);
	e->loop.now_us = now_us;
	if (!b)
		return;
	b->state = KP_BROKER_UP;
	KP_REACHED(BROKER_NEGOTIATING);
	b->is_wanted = false;
	b->used_us = now_us;
	kp_count(&e->loop.connects, 1);
	if (kp_rpc_open(&b->rpc, now_us, e->config.request_timeout_us))
		kp_broker_drop(e, b, KP_ERR_NO_MEMORY, "out of memory", now_us, true);
	else
		kp_broker_has_output(e, b);
	kp_broker_touch(e, b);
}

void kp_engine_on_data(kp_engine *e, uint32_t conn, const uint8_t *ptr, size_t len, int64_t now_us)
{
	kp_broker *b = kp_broker_by_conn(e, conn);
	e->loop.now_us = now_us;
	if (!b)
		return;
	kp_count(&e->loop.received_bytes, len);
	int err = kp_rpc_input(&b->rpc, ptr, len, now_us);
	if (err)
		kp_broker_drop(e, b, err, b->rpc.error_text, now_us, true);
	else if (kp_rpc_has_output(&b->rpc))
		kp_broker_has_output(e, b);
	kp_broker_touch(e, b);
}

void kp_engine_on_close(kp_engine *e, uint32_t conn, int err, const char *text, int64_t now_us)
{
	kp_broker *b = kp_broker_by_conn(e, conn);
	e->loop.now_us = now_us;
	if (b)
		kp_broker_drop(e, b, err ? err : KP_ERR_TRANSPORT, text, now_us, false);
}

/* ------------------------------------------------------------------ a turn */

/* `p`: the stack as it was taken before new topics were adopted, so that all of them are known. */
static void serve_notified(kp_engine *e, kp_partition *p, int64_t now_us)
{
	kp_partition *oldest_first = NULL, *next;
	for (; p; p = next) { /* the stack gives the newest first */
		next = p->shared.next_notified;
		p->shared.next_notified = oldest_first;
		oldest_first = p;
	}
	for (p = oldest_first; p; p = next) {
		next = p->shared.next_notified;
		/* release: who sets it again pushes again, after this look at the partition or before its lock */
		atomic_store_explicit(&p->shared.is_notified, false, memory_order_seq_cst);
		if (!p->topic->loop.meta)
			continue; /* out of memory: looked at when its topic is adopted after all */
		p->topic->loop.meta->used_us = now_us;
		p->topic->loop.meta->is_idle = false;
		kp_partition_evaluate(e, p, now_us);
	}
}

/* Open batches need not linger any more. */
static void hurry(kp_engine *e, int64_t now_us)
{
	kp_list lingering, *n;
	kp_list_init(&lingering);
	kp_list_splice_back(&lingering, &e->loop.lingering);
	while ((n = kp_list_pop_front(&lingering)))
		kp_partition_evaluate(e, KP_CONTAINER_OF(n, kp_partition, loop.linger_link), now_us);
}

static void close_pending(kp_engine *e, kp_partition *pending, int64_t now_us)
{
	kp_detach_open(pending);
	kp_partition_evaluate(e, pending, now_us);
}

/* Its topic was not adopted, so there is no timer for it: its records have their deadlines all the same. */
static void age_pending(kp_engine *e, kp_partition *pending, int64_t now_us)
{
	kp_partition_evaluate(e, pending, now_us);
	int64_t open_us = pending->loop.open_created_us, next_us = kp_partition_expire(e, pending, now_us);
	if (open_us >= 0 && open_us + e->config.delivery_timeout_us < next_us)
		next_us = open_us + e->config.delivery_timeout_us;
	if (next_us < e->loop.adopt_again_us)
		e->loop.adopt_again_us = next_us;
}

static void serve_news(kp_engine *e, int64_t now_us)
{
	bool has_news = atomic_exchange_explicit(&e->shared.has_news, false, memory_order_seq_cst);
	/* not only on news: a topic stands among the new ones before its maker says so */
	bool is_memory_out = kp_metadata_adopt_topics(e, now_us) != 0;
	e->loop.adopt_again_us = is_memory_out ? now_us + ADOPT_AGAIN_US : KP_TIME_NEVER;
	if (is_memory_out)
		kp_metadata_each_unseen(e, age_pending, now_us);
	/* relaxed: has_news was set after it */
	bool is_wish = atomic_exchange_explicit(&e->shared.wants_hurry, false, memory_order_relaxed);
	uint64_t room = kp_engine_room_generation(e);
	e->loop.is_hurrying = is_wish || (e->loop.is_hurrying && room == e->loop.room_at_hurry);
	e->loop.room_at_hurry = room;
	if (has_news && (is_wish || atomic_load_explicit(&e->shared.n_wanting_room, memory_order_acquire) > 0))
		hurry(e, now_us);
}

static void serve_timers(kp_engine *e, int64_t now_us)
{
	kp_timer *t;
	while ((t = kp_timers_pop(&e->loop.timers, now_us))) {
		if (t->kind == KP_TIMER_BROKER)
			kp_broker_timer(e, KP_CONTAINER_OF(t, kp_broker, timer), now_us);
		else
			kp_partition_evaluate(e, KP_CONTAINER_OF(t, kp_partition, loop.timer), now_us);
	}
}

static void serve_brokers(kp_engine *e, int64_t now_us)
{
	kp_list now_list, *n;
	kp_list_init(&now_list);
	kp_list_splice_back(&now_list, &e->loop.sendable);
	while ((n = kp_list_pop_front(&now_list))) {
		kp_broker *b = KP_CONTAINER_OF(n, kp_broker, send_link);
		kp_broker_send(e, b, now_us);
		kp_broker_touch(e, b);
	}
}

int64_t kp_engine_step(kp_engine *e, int64_t now_us)
{
	int64_t next_us;
	e->loop.now_us = now_us;
	atomic_store_explicit(&e->shared.is_sleeping, false, memory_order_relaxed);
	e->loop.n_actions = e->loop.action_at < e->loop.n_actions ? e->loop.n_actions : 0;
	if (e->loop.n_actions == 0)
		e->loop.action_at = 0;
	if (e->loop.must_rebootstrap) {
		e->loop.must_rebootstrap = false;
		kp_brokers_forget_nodes(e, now_us);
	}
	kp_partition *notified = kp_notified_take(e);
	serve_news(e, now_us);
	kp_pending_step(e);
	serve_notified(e, notified, now_us);
	serve_timers(e, now_us);
	kp_expire(e, now_us);
	kp_txn_step(e, now_us);
	int64_t wake = kp_metadata_step(e, now_us);
	next_us = kp_calls_step(e, now_us);
	wake = next_us < wake ? next_us : wake;
	serve_brokers(e, now_us);
	/* again: an open batch may have been adopted that then found no producer id, and is the oldest now */
	kp_expire(e, now_us);
	/* a request that is to leave may wait for metadata or an id that was asked for just now */
	next_us = kp_calls_step(e, now_us);
	wake = next_us < wake ? next_us : wake;
	next_us = kp_timers_next(&e->loop.timers);
	wake = next_us < wake ? next_us : wake;
	/* a request for metadata that could not leave, or a topic that became stale in this turn */
	if (kp_cluster_wants_request(&e->loop.cluster, now_us, &next_us))
		next_us = now_us;
	wake = next_us < wake ? next_us : wake;
	wake = e->loop.adopt_again_us < wake ? e->loop.adopt_again_us : wake;
	wake = kp_expiry_next(e, wake);
	/* seq_cst: see notify.c */
	atomic_store_explicit(&e->shared.is_sleeping, true, memory_order_seq_cst);
	if (atomic_load_explicit(&e->shared.notified, memory_order_seq_cst) ||
	    atomic_load_explicit(&e->shared.has_news, memory_order_seq_cst))
		return now_us;
	return wake;
}

bool kp_engine_next_action(kp_engine *e, kp_action *out)
{
	if (e->loop.action_at >= e->loop.n_actions)
		return false;
	*out = e->loop.actions[e->loop.action_at++];
	return true;
}

uint32_t kp_engine_next_writable(kp_engine *e)
{
	kp_list *n = kp_list_pop_front(&e->loop.writable);
	return n ? KP_CONTAINER_OF(n, kp_broker, write_link)->conn : KP_NO_CONN;
}

int kp_engine_output(kp_engine *e, uint32_t conn, struct iovec *iov, int max)
{
	kp_broker *b = kp_broker_by_conn(e, conn);
	return b && b->state == KP_BROKER_UP ? kp_rpc_output(&b->rpc, iov, max) : 0;
}

void kp_engine_written(kp_engine *e, uint32_t conn, size_t n, int64_t now_us)
{
	kp_broker *b = kp_broker_by_conn(e, conn);
	e->loop.now_us = now_us;
	if (!b)
		return;
	kp_count(&e->loop.sent_bytes, n);
	kp_rpc_written(&b->rpc, n);
	if (kp_rpc_has_output(&b->rpc))
		kp_broker_has_output(e, b); /* one call of kp_engine_output need not give all there is */
	else
		kp_broker_sendable(e, b);
	kp_broker_touch(e, b);
}

/* ------------------------------------------------------------------ ends */

kp_batch *kp_engine_next_ended(kp_engine *e)
{
	kp_list *n = kp_list_pop_front(&e->loop.ended);
	if (!n)
		return NULL;
	kp_batch *b = KP_CONTAINER_OF(n, kp_batch, ended_link);
	kp_list_remove(&b->serial_link);
	return b;
}

void kp_engine_retain(kp_batch *b)
{
	/* relaxed: whoever calls holds a reference */
	atomic_fetch_add_explicit(&b->n_refs, 1, memory_order_relaxed);
}

void kp_engine_release(kp_engine *e, kp_batch *b)
{
	/* acq_rel: the last one sees all that the others did to it */
	if (atomic_fetch_sub_explicit(&b->n_refs, 1, memory_order_acq_rel) != 1)
		return;
	kp_partition *p = b->partition;
	int64_t n = (int64_t)kp_batch_footprint(b);
	kp_batch_free(b, &e->shared.budget);
	/* release: who finds nothing held finds it free (split.c) */
	atomic_fetch_sub_explicit(&p->shared.bytes, n, memory_order_release);
	/* the release of the last reference made room; the loop looked at the figure before it slept, or is woken now */
	if (atomic_load(&e->shared.is_moving))
		kp_notify_news(e);
	kp_watermark_freed(e);
}

uint64_t kp_engine_flush_begin(kp_engine *e, int64_t now_us)
{
	e->loop.now_us = now_us;
	e->loop.n_flushing++;
	serve_news(e, now_us);
	/* close what is open, so that it has a serial; what waits for metadata counts too */
	kp_close_all(e, now_us);
	kp_metadata_each_unseen(e, close_pending, now_us);
	e->loop.flush_upto = e->loop.next_serial;
	return e->loop.flush_upto;
}

bool kp_engine_flushed(kp_engine *e, uint64_t serial)
{
	kp_list *first = kp_list_first(&e->loop.by_serial);
	if (serial < e->loop.flush_extended_to)
		serial = e->loop.flush_extended_to;
	return !first || KP_CONTAINER_OF(first, kp_batch, serial_link)->serial >= serial;
}

void kp_engine_flush_end(kp_engine *e)
{
	e->loop.n_flushing--;
}

void kp_engine_end_all(kp_engine *e, int error, int64_t now_us)
{
	e->loop.now_us = now_us;
	serve_news(e, now_us);
	kp_engine_purge(e, KP_PURGE_QUEUED | KP_PURGE_IN_FLIGHT, error, now_us);
	kp_engine_cancel_calls(e, KP_ERR_CLOSED);
	for (size_t i = 0; i < e->loop.n_brokers; i++)
		kp_broker_drop(e, e->loop.brokers[i], KP_OK, "closed", now_us, true);
	kp_engine_cancel_calls(e, KP_ERR_CLOSED);
}

const kp_cluster *kp_engine_cluster(const kp_engine *e)
{
	return &e->loop.cluster;
}

const char *kp_engine_last_connection_error(const kp_engine *e)
{
	return e->loop.last_error;
}

static void count_partition(kp_partition *p, kp_engine_counters *out)
{
	kp_lock_acquire(&p->shared.lock);
	out->accepted += p->shared.n_appended;
	out->accepted_bytes += p->shared.appended_bytes;
	kp_lock_release(&p->shared.lock);
}

static uint64_t figure(const _Atomic uint64_t *c)
{
	return atomic_load_explicit((_Atomic uint64_t *)(uintptr_t)c, memory_order_relaxed);
}

void kp_engine_count(kp_engine *e, kp_engine_counters *out)
{
	size_t it = 0;
	kp_topic *t;
	*out = (kp_engine_counters){.persisted = figure(&e->loop.persisted),
	                            .not_persisted = figure(&e->loop.not_persisted),
	                            .unknown = figure(&e->loop.unknown),
	                            .sent_bytes = figure(&e->loop.sent_bytes),
	                            .received_bytes = figure(&e->loop.received_bytes),
	                            .requests = figure(&e->loop.requests),
	                            .batches = figure(&e->loop.batches),
	                            .retries = figure(&e->loop.retries),
	                            .connects = figure(&e->loop.connects),
	                            .disconnects = figure(&e->loop.disconnects),
	                            .throttle_ms = figure(&e->loop.throttle_ms),
	                            .budget_used = kp_budget_used(&e->shared.budget)};
	kp_lock_acquire(&e->shared.topics_lock);
	while ((t = kp_map_next(&e->shared.topics, &it))) {
		count_partition(t->shared.pending, out);
		int32_t n = atomic_load_explicit(&t->shared.n_ever, memory_order_acquire);
		for (int32_t i = 0; i < n; i++)
			count_partition(kp_topic_partition(t, i), out);
	}
	kp_lock_release(&e->shared.topics_lock);
}
