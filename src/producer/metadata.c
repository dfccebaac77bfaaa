/*
 * metadata.c - between the cluster's view and the topics: asking, taking leaders over. Loop thread.
 */
#include <kproducer/error.h>

#include <string.h>

#include "base/mem.h"
#include "base/time.h"
#include "producer/engine_impl.h"
#include "wire/msg_metadata.h"
#include "wire/reader.h"

#define METADATA_VERSION_MAX 13
#define REBOOTSTRAP_PAUSE_US 1000000

/* ------------------------------------------------------------------ taking over */

static kp_broker *leader_broker(kp_engine *e, const kp_cluster_partition *p)
{
	const kp_cluster_node *n = p->leader >= 0 ? kp_cluster_node_find(&e->loop.cluster, p->leader) : NULL;
	return n ? kp_broker_get(e, n->id, n->host, n->port) : NULL;
}

static int publish(kp_engine *e, kp_topic *t, int32_t n)
{
	int32_t made = t->loop.n_made;
	if (n > made && kp_timers_room(e, (size_t)(n - made), 0))
		return KP_ERR_NO_MEMORY;
	int err = kp_topic_set_partitions(t, n);
	kp_count_partitions(e, (size_t)(t->loop.n_made - made));
	return err;
}

/* Records wait, without partitions yet or in one that has lost its leader. */
static bool has_waiting(kp_topic *t)
{
	if (atomic_load_explicit(&t->shared.pending->shared.bytes, memory_order_relaxed) > 0)
		return true;
	for (int32_t i = 0; i < t->loop.n_made; i++)
		if (atomic_load_explicit(&kp_topic_partition(t, i)->shared.bytes, memory_order_relaxed) > 0)
			return true;
	return false;
}

static void on_topic(void *opaque, kp_cluster_topic *meta)
{
	kp_engine *e = opaque;
	kp_topic *t = meta->user;
	int64_t now_us = e->loop.now_us;
	if (!t)
		return;
	KP_REACHED_CODE(metadata, meta->error);
	kp_on_metadata what = kp_error_on_metadata(meta->error);
	if (what == KP_METADATA_FAIL_TOPIC) {
		kp_fail_topic(e, t, meta->error, now_us);
		return;
	}
	if (what == KP_METADATA_REBOOTSTRAP)
		e->loop.must_rebootstrap = true;
	if (what != KP_METADATA_TAKE && !has_waiting(t))
		kp_cluster_unmark_stale(meta); /* the next record marks it again */
	if (what != KP_METADATA_TAKE || meta->n_partitions == 0)
		return;
	int32_t n = meta->n_partitions;
	if (publish(e, t, n)) {
		kp_cluster_mark_stale(&e->loop.cluster, meta); /* out of memory: asked for again after the back-off */
		return;
	}
	for (int32_t i = 0; i < t->loop.n_made; i++)
		kp_partition_set_leader(e, kp_topic_partition(t, i), i < n ? leader_broker(e, &meta->partitions[i]) : NULL, now_us);
	if (kp_topic_n_partitions(t) == 0)
		kp_pending_move(e, t, n);
	else
		atomic_store_explicit(&t->shared.n_partitions, n, memory_order_release);
}

void kp_metadata_leader_hint(kp_engine *e, kp_partition *p, int32_t leader, int32_t leader_epoch, int64_t now_us)
{
	kp_cluster_topic *meta = p->topic->loop.meta;
	bool is_news = kp_cluster_leader_hint(&e->loop.cluster, meta, p->index, leader, leader_epoch);
	if (!is_news && (!p->loop.leader || p->loop.leader->id != leader))
		return;
	/* KIP-951: the new leader is known, no need to wait; nor for the batches whose answers say the same again */
	p->loop.backoff_until_us = 0;
	KP_REACHED(PARTITION_LEADER_HINTED);
	kp_partition_set_leader(e, p, leader_broker(e, &meta->partitions[p->index]), now_us);
}

/* ------------------------------------------------------------------ asking */

static const void *build(kp_call *call, int version, kp_arena *arena)
{
	kp_engine *e = call->opaque;
	kp_metadata_request *body = kp_arena_alloc(arena, sizeof(*body));
	return body && kp_cluster_build_request(&e->loop.cluster, version, arena, body) ? body : NULL;
}

static bool done(kp_call *call, int error, const char *text, int version, kp_slice bytes)
{
	kp_engine *e = call->opaque;
	kp_metadata_response a;
	(void)text;
	if (error) {
		KP_REACHED(METADATA_FAILED);
		kp_cluster_request_failed(&e->loop.cluster, e->loop.now_us);
		return false;
	}
	kp_arena_reset(&e->loop.arena);
	error = kp_wire_read(&kp_metadata_response_message, version, bytes, &e->loop.arena, &a, NULL);
	if (error) {
		kp_cluster_request_failed(&e->loop.cluster, e->loop.now_us);
		return false;
	}
	kp_broker_throttle(e, call->broker, a.throttle_time_ms);
	/* on_topic uses no arena */
	error = kp_cluster_update(&e->loop.cluster, &a, e->loop.now_us, on_topic, e);
	e->loop.metadata_wanted_us = -1;
	if (kp_error_on_metadata(error) == KP_METADATA_REBOOTSTRAP)
		e->loop.must_rebootstrap = true;
	return false;
}

void kp_metadata_init(kp_engine *e)
{
	e->loop.metadata_call = (kp_call){.api_key = KP_API_METADATA,
	                                  .max_version = METADATA_VERSION_MAX,
	                                  .min_version = 0,
	                                  .deadline_us = KP_TIME_NEVER,
	                                  .build = build,
	                                  .done = done,
	                                  .opaque = e};
}

/* A topic to which nothing was sent since the last look, and for which nothing waits. */
static void note_idle(kp_engine *e)
{
	for (kp_list *n = e->loop.topics.next; n != &e->loop.topics; n = n->next) {
		kp_topic *t = KP_CONTAINER_OF(n, kp_topic, loop.link);
		if (t->loop.meta)
			t->loop.meta->is_idle = e->loop.now_us - t->loop.meta->used_us > e->config.metadata_max_idle_us;
	}
}

/* metadata.recovery.rebootstrap.trigger.ms: the nodes known do not answer for that long. */
static int64_t watch_for_rebootstrap(kp_engine *e, int64_t now_us)
{
	/* a connection must have its chance: not oftener than one may be tried again */
	int64_t pause_us = e->config.rebootstrap_trigger_us > REBOOTSTRAP_PAUSE_US ? e->config.rebootstrap_trigger_us
	                                                                           : REBOOTSTRAP_PAUSE_US;
	int64_t at = e->loop.metadata_wanted_us + pause_us;
	if (e->loop.metadata_wanted_us < 0 || !e->config.rebootstrap)
		return KP_TIME_NEVER;
	if (now_us < at)
		return at;
	e->loop.must_rebootstrap = true;
	e->loop.metadata_wanted_us = now_us;
	return now_us;
}

int64_t kp_metadata_step(kp_engine *e, int64_t now_us)
{
	int64_t next_us;
	if (e->loop.cluster.is_asking)
		return watch_for_rebootstrap(e, now_us);
	if (!kp_cluster_wants_request(&e->loop.cluster, now_us, &next_us))
		return next_us;
	note_idle(e);
	KP_REACHED(METADATA_ASKED);
	e->loop.cluster.is_asking = true;
	if (e->loop.metadata_wanted_us < 0)
		e->loop.metadata_wanted_us = now_us;
	kp_engine_call(e, &e->loop.metadata_call);
	return watch_for_rebootstrap(e, now_us);
}

void kp_metadata_stale(kp_engine *e, kp_topic *t)
{
	if (t->loop.meta)
		kp_cluster_mark_stale(&e->loop.cluster, t->loop.meta);
}

int kp_metadata_adopt_topics(kp_engine *e, int64_t now_us)
{
	kp_list fresh, *n;
	int err = 0;
	kp_list_init(&fresh);
	kp_lock_acquire(&e->shared.topics_lock);
	kp_list_splice_back(&fresh, &e->shared.new_topics);
	kp_lock_release(&e->shared.topics_lock);
	while ((n = kp_list_pop_front(&fresh))) {
		kp_topic *t = KP_CONTAINER_OF(n, kp_topic, loop.link);
		t->loop.meta = kp_timers_room(e, 1, 0) ? NULL
		                                       : kp_cluster_topic_get(&e->loop.cluster, kp_slice_cstr(t->name), now_us);
		if (!t->loop.meta) {
			/* out of memory: tried again in a later turn */
			kp_lock_acquire(&e->shared.topics_lock);
			kp_list_push_back(&e->shared.new_topics, n);
			kp_lock_release(&e->shared.topics_lock);
			err = KP_ERR_NO_MEMORY;
			break;
		}
		t->loop.meta->user = t;
		kp_count_partitions(e, 1);
		kp_list_push_back(&e->loop.topics, n);
		kp_partition_evaluate(e, t->shared.pending, now_us); /* what came while memory was out has its deadline, too */
	}
	if (!kp_list_empty(&fresh)) {
		kp_lock_acquire(&e->shared.topics_lock);
		kp_list_splice_back(&e->shared.new_topics, &fresh);
		kp_lock_release(&e->shared.topics_lock);
	}
	return err;
}

void kp_metadata_each_unseen(kp_engine *e, kp_unseen_visit *visit, int64_t arg)
{
	kp_list unseen;
	kp_list_init(&unseen);
	kp_lock_acquire(&e->shared.topics_lock);
	kp_list_splice_back(&unseen, &e->shared.new_topics);
	kp_lock_release(&e->shared.topics_lock);
	for (kp_list *n = unseen.next; n != &unseen; n = n->next)
		visit(e, KP_CONTAINER_OF(n, kp_topic, loop.link)->shared.pending, arg);
	kp_lock_acquire(&e->shared.topics_lock);
	kp_list_splice_back(&unseen, &e->shared.new_topics);
	kp_list_splice_back(&e->shared.new_topics, &unseen);
	kp_lock_release(&e->shared.topics_lock);
}
