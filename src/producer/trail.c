/*
 * trail.c - where a batch spent its time, and what stood in its way when it was given up. Loop thread.
 *
 *   opened ─── no metadata ───▶ routed ─── queued, or no leader ───▶ sent ─── in flight ───▶ back ─▶ … ─▶ ended
 *
 * The four times add up to the batch's age, which is that of its oldest record. A partition counts how long it had no leader; a batch notes
 * the count when it begins to wait and when the wait is over. So a change of leader costs the same however many batches wait.
 */
#include <kproducer/error.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "producer/engine_impl.h"

/* ------------------------------------------------------------------ times */

/* For how long the partition had no leader up to at_us. */
static int64_t leaderless_us(const kp_partition *p, int64_t at_us)
{
	int64_t since_us = p->loop.leaderless_since_us;
	return p->loop.leaderless_us + (since_us >= 0 && at_us > since_us ? at_us - since_us : 0);
}

void kp_trail_leader(kp_partition *p, bool has_leader, int64_t now_us)
{
	if (has_leader) {
		p->loop.leaderless_us = leaderless_us(p, now_us);
		p->loop.leaderless_since_us = -1;
	} else if (p->loop.leaderless_since_us < 0) {
		p->loop.leaderless_since_us = now_us;
	}
}

void kp_trail_open_seen(kp_partition *p, int64_t routed_us)
{
	if (routed_us == p->loop.open_routed_us)
		return;
	p->loop.open_routed_us = routed_us;
	p->loop.open_leaderless_us = leaderless_us(p, routed_us);
}

void kp_trail_adopted(const kp_partition *p, kp_batch *b)
{
	bool was_seen = b->routed_us == p->loop.open_routed_us;
	b->trail.leaderless_mark_us = was_seen ? p->loop.open_leaderless_us : leaderless_us(p, b->routed_us);
}

void kp_trail_sent(kp_batch *b, int64_t now_us)
{
	b->trail.no_leader_us += leaderless_us(b->partition, now_us) - b->trail.leaderless_mark_us;
	b->trail.sent_us = now_us;
}

void kp_trail_back(kp_batch *b, int64_t now_us)
{
	if (b->trail.sent_us < 0)
		return;
	b->trail.in_flight_us += now_us - b->trail.sent_us;
	b->trail.leaderless_mark_us = leaderless_us(b->partition, now_us);
	b->trail.sent_us = -1;
}

/* At most what is left of the age; takes it from there. */
static int64_t take(int64_t *left_us, int64_t want_us)
{
	int64_t took_us = want_us < 0 ? 0 : want_us < *left_us ? want_us : *left_us;
	*left_us -= took_us;
	return took_us;
}

void kp_trail_end(kp_batch *b, int64_t now_us)
{
	kp_trail *t = &b->trail;
	/* its opener's clock may be ahead of the turn's */
	int64_t left_us = now_us > b->created_us ? now_us - b->created_us : 0;
	bool is_pending = b->partition->index == KP_PENDING_INDEX;
	t->no_metadata_us = take(&left_us, is_pending ? left_us : b->routed_us - b->created_us);
	if (t->sent_us < 0)
		t->no_leader_us += leaderless_us(b->partition, now_us) - t->leaderless_mark_us;
	kp_trail_back(b, now_us);
	t->in_flight_us = take(&left_us, t->in_flight_us);
	t->no_leader_us = take(&left_us, t->no_leader_us);
	t->queued_us = left_us;
}

/* ------------------------------------------------------------------ what stood in the way */

/* Being put together: a code and a line. */
typedef struct cause {
	int error;
	char text[256];
} cause;

KP_PRINTF(3, 4)
static void blame(cause *c, int error, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(c->text, sizeof(c->text), format, args);
	va_end(args);
	c->error = error;
}

static bool is_ready(const kp_broker *b)
{
	return b->state == KP_BROKER_UP && b->rpc.state == KP_RPC_READY;
}

/* False: some server can be asked. */
static bool blame_all_servers(const kp_engine *e, cause *c)
{
	size_t n_failing = 0;
	for (size_t i = 0; i < e->loop.n_brokers; i++) {
		if (is_ready(e->loop.brokers[i]))
			return false;
		n_failing += e->loop.brokers[i]->down_error != 0;
	}
	if (n_failing == 0)
		blame(c, KP_ERR_CONNECT, "no server has answered yet");
	else
		blame(c, e->loop.last_error_code, "no server can be reached (%zu of %zu failed); last %s", n_failing,
		      e->loop.n_brokers, e->loop.last_error);
	return true;
}

static void blame_metadata(const kp_engine *e, const kp_topic *t, cause *c)
{
	const kp_cluster_topic *meta = t->loop.meta;
	int error = meta ? meta->error : 0, last = e->loop.metadata_call.last_error;
	if (error)
		blame(c, error, "metadata of topic %s: %s", t->name, kp_error_text(error));
	else if (kp_list_linked(&t->loop.moving_link))
		blame(c, KP_ERR_QUEUE_FULL, "waiting for room in buffer.memory to move to its partition");
	else if (!blame_all_servers(e, c))
		blame(c, last ? last : KP_ERR_REQUEST_TIMEOUT, "no answer about the metadata of topic %s: %s", t->name,
		      last ? kp_error_text(last) : "asked for, and waiting");
}

static void blame_no_leader(const kp_engine *e, const kp_partition *p, cause *c)
{
	const kp_cluster_topic *meta = p->topic->loop.meta;
	bool is_listed = meta && p->index < meta->n_partitions;
	int32_t leader = is_listed ? meta->partitions[p->index].leader : -1;
	if (meta && meta->error)
		blame_metadata(e, p->topic, c);
	else if (blame_all_servers(e, c))
		return;
	else if (!is_listed)
		blame(c, KP_ERR_UNKNOWN_TOPIC_OR_PARTITION, "topic %s has no partition %d any more", p->topic->name, p->index);
	else if (leader < 0)
		blame(c, KP_ERR_LEADER_NOT_AVAILABLE, "partition %d of topic %s has no leader", p->index, p->topic->name);
	else
		blame(c, KP_ERR_LEADER_NOT_AVAILABLE, "the leader, node %d, is not among the cluster's brokers", leader);
}

static void blame_connection(const kp_broker *b, int64_t now_us, cause *c)
{
	if (b->down_error)
		blame(c, b->down_error, "node %d (%s:%u) cannot be reached: %s", b->id, b->host, b->port, b->down_text);
	else if (b->state == KP_BROKER_DOWN)
		blame(c, KP_ERR_CONNECT, "node %d (%s:%u) is not connected yet", b->id, b->host, b->port);
	else
		blame(c, KP_ERR_CONNECT, "node %d (%s:%u) has not completed the connection for %.3f s", b->id, b->host, b->port,
		      (double)(now_us - b->tried_us) / 1e6);
}

static void blame_in_flight(const kp_broker *b, const kp_batch *first, int64_t now_us, cause *c)
{
	blame(c, KP_ERR_REQUEST_TIMEOUT, "no answer from node %d (%s:%u) for %.3f s", b->id, b->host, b->port,
	      (double)(now_us - first->trail.sent_us) / 1e6);
}

/* The first batch of the partition that has failed before and is to be sent again, or is in flight, holds up those behind it. */
static void blame_queue(const kp_partition *p, const kp_batch *b, int64_t now_us, cause *c)
{
	const kp_broker *leader = p->loop.leader;
	const kp_batch *again = kp_partition_to_resend(p);
	const kp_list *n = p->loop.unresolved.next;
	const kp_batch *first = n == &p->loop.unresolved ? NULL : KP_CONTAINER_OF(n, kp_batch, link);
	int error = b->last_error ? b->last_error : again ? again->last_error : 0;
	if (error)
		blame(c, error, "%s after %s from node %d (%s:%u)",
		      p->loop.is_draining                 ? "draining"
		      : p->loop.backoff_until_us > now_us ? "backing off"
		                                          : "to be sent again",
		      kp_error_name(error), b->last_node >= 0 ? b->last_node : leader->id, leader->host, leader->port);
	else if (first && first->call)
		blame_in_flight(first->call->broker, first, now_us, c);
	else
		blame(c, 0, "it was not its turn yet at node %d (%s:%u)", leader->id, leader->host, leader->port);
}

static bool waits_for_id(const kp_engine *e, const kp_partition *p)
{
	return e->config.idempotent && e->loop.is_asking_id &&
	       (p->loop.producer_id < 0 || p->loop.producer_id == p->loop.banned_producer_id);
}

static void find_cause(const kp_engine *e, const kp_batch *b, int64_t now_us, cause *c)
{
	const kp_partition *p = b->partition;
	const kp_broker *leader = p->loop.leader;
	int id_error = e->loop.id_call.last_error;
	if (b->call)
		blame_in_flight(b->call->broker, b, now_us, c);
	else if (b->serial < p->loop.halted_below)
		blame(c, p->loop.halted_by, "the partition is halted: a record before this one was lost (%s)",
		      kp_error_name(p->loop.halted_by));
	else if (p->index == KP_PENDING_INDEX)
		blame_metadata(e, p->topic, c);
	else if (!leader)
		blame_no_leader(e, p, c);
	else if (!is_ready(leader))
		blame_connection(leader, now_us, c);
	else if (leader->rpc.throttled_until_us > now_us)
		blame(c, KP_ERR_THROTTLING_QUOTA_EXCEEDED, "node %d (%s:%u) throttles this client for another %.3f s", leader->id,
		      leader->host, leader->port, (double)(leader->rpc.throttled_until_us - now_us) / 1e6);
	else if (waits_for_id(e, p))
		blame(c, id_error ? id_error : KP_ERR_REQUEST_TIMEOUT, "waiting for a producer id: %s",
		      id_error ? kp_error_text(id_error) : "asked for, no answer yet");
	else
		blame_queue(p, b, now_us, c);
}

void kp_cause_unref(kp_cause *c)
{
	/* acq_rel: the last one sees that the others are through with it */
	if (c && atomic_fetch_sub_explicit(&c->n_refs, 1, memory_order_acq_rel) == 1)
		kp_mem_free(c);
}

/* NULL when memory is out: the codes alone have to do. */
static kp_cause *cause_new(const kp_engine *e, const kp_batch *b)
{
	cause found;
	find_cause(e, b, e->loop.now_us, &found);
	size_t size = strlen(found.text) + 1;
	kp_cause *c = kp_mem_alloc(sizeof(*c) + size);
	if (!c)
		return NULL;
	atomic_init(&c->n_refs, 1);
	c->error = found.error;
	memcpy(c->text, found.text, size);
	return c;
}

/* The cause of a batch that was never sent: in one turn the same for all of its partition, of which there may be thousands. */
static kp_cause *shared_cause(const kp_engine *e, kp_partition *p, const kp_batch *b)
{
	if (!p->loop.cause || p->loop.cause_us != e->loop.now_us) {
		kp_cause_unref(p->loop.cause);
		p->loop.cause = cause_new(e, b);
		p->loop.cause_us = e->loop.now_us;
	}
	if (p->loop.cause)
		atomic_fetch_add_explicit(&p->loop.cause->n_refs, 1, memory_order_relaxed);
	return p->loop.cause;
}

void kp_trail_explain(const kp_engine *e, kp_batch *b)
{
	kp_partition *p = b->partition;
	kp_cause *c = b->attempts > 0 ? cause_new(e, b) : shared_cause(e, p, b);
	if (!b->last_error && c)
		b->last_error = c->error;
	if (b->last_node < 0 && p->loop.leader)
		b->last_node = p->loop.leader->id;
	kp_cause_unref(b->cause);
	b->cause = c;
}
