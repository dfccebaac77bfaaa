/*
 * brokers.c - servers and their connections: when to connect, whom to ask, what a lost connection means. Loop thread.
 *
 * A broker is connected when a partition has something for it, or a call needs anybody. For a call one server after another is tried
 * (a second and third beside it when the first is slow), never all at once.
 */
#include <kproducer/error.h>

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/time.h"
#include "cluster/backoff.h"
#include "producer/engine_impl.h"

#define CONNECTING_MOST 3
#define ACTIONS_PER_BROKER 4 /* in a turn: closed by an event, connected, closed and connected again by what is due */
#define LOOK_AGAIN_US 50000
#define IDLE_LEAST_US 10000            /* connections.max.idle.ms=0: what a connection was made for comes within that time */
#define CONNECTING_PATIENCE_US 1000000 /* a server that has not answered for that long gets company */

static void say(kp_engine *e, int level, kp_broker *b, const char *what, const char *text, int64_t now_us)
{
	KP_LOG(e->around.log, level, now_us, "%s node=%d server=%s:%u text=\"%s\"", what, b->id, b->host, b->port,
	       text ? text : "");
}

static int reserve_actions(kp_engine *e, size_t n)
{
	size_t cap = e->loop.cap_actions ? e->loop.cap_actions : 16;
	if (n <= e->loop.cap_actions)
		return 0;
	while (cap < n)
		cap *= 2;
	kp_action *more = kp_mem_realloc(e->loop.actions, cap * sizeof(*more));
	if (!more)
		return KP_ERR_NO_MEMORY;
	e->loop.actions = more;
	e->loop.cap_actions = cap;
	return 0;
}

static kp_broker *broker_new(kp_engine *e, int32_t id, const char *host, uint16_t port)
{
	if (e->loop.n_brokers == e->loop.cap_brokers) {
		size_t cap = e->loop.cap_brokers ? e->loop.cap_brokers * 2 : 8;
		kp_broker **more = kp_mem_realloc(e->loop.brokers, cap * sizeof(*more));
		if (!more)
			return NULL;
		e->loop.brokers = more;
		e->loop.cap_brokers = cap;
	}
	kp_broker *b = kp_mem_calloc(1, sizeof(*b));
	if (!b || kp_timers_room(e, 0, 1) || reserve_actions(e, (e->loop.n_brokers + 1) * ACTIONS_PER_BROKER)) {
		kp_mem_free(b);
		return NULL;
	}
	b->engine = e;
	b->id = id;
	snprintf(b->host, sizeof(b->host), "%s", host);
	b->port = port;
	b->conn = KP_NO_CONN;
	b->tried_us = -1;
	b->timer.kind = KP_TIMER_BROKER;
	atomic_init(&b->unready_since_us, -1);
	kp_list_init(&b->ready);
	kp_list_init(&b->write_link);
	kp_list_init(&b->send_link);
	kp_rpc_init(&b->rpc, &kp_engine_rpc_handler, b, e->config.client_id);
	b->index = e->loop.n_brokers;
	e->loop.brokers[e->loop.n_brokers++] = b;
	return b;
}

void kp_brokers_free(kp_engine *e)
{
	for (size_t i = 0; i < e->loop.n_brokers; i++) {
		kp_rpc_deinit(&e->loop.brokers[i]->rpc);
		kp_mem_free(e->loop.brokers[i]);
	}
	kp_mem_free(e->loop.brokers);
}

kp_broker *kp_broker_find(kp_engine *e, int32_t id)
{
	for (size_t i = 0; i < e->loop.n_brokers; i++)
		if (e->loop.brokers[i]->id == id)
			return e->loop.brokers[i];
	return NULL;
}

kp_broker *kp_broker_get(kp_engine *e, int32_t id, const char *host, uint16_t port)
{
	kp_broker *b = id >= 0 ? kp_broker_find(e, id) : NULL;
	if (!b)
		return broker_new(e, id, host, port);
	if (b->port != port || strcmp(b->host, host) != 0) {
		/* the node moved: what is connected stays until it breaks, the next connection goes to the new place */
		snprintf(b->host, sizeof(b->host), "%s", host);
		b->port = port;
		b->reconnect_us = 0;
	}
	return b;
}

kp_broker *kp_broker_by_conn(kp_engine *e, uint32_t conn)
{
	size_t i = conn & 0xffff;
	return i < e->loop.n_brokers && e->loop.brokers[i]->conn == conn ? e->loop.brokers[i] : NULL;
}

void kp_broker_sendable(kp_engine *e, kp_broker *b)
{
	if (!kp_list_linked(&b->send_link))
		kp_list_push_back(&e->loop.sendable, &b->send_link);
}

void kp_broker_has_output(kp_engine *e, kp_broker *b)
{
	if (!kp_list_linked(&b->write_link))
		kp_list_push_back(&e->loop.writable, &b->write_link);
}

static void push_action(kp_engine *e, kp_action_type type, kp_broker *b)
{
	/* where events come between taking and the next turn there is always one left: the place of those taken is used again */
	if (e->loop.n_actions == e->loop.cap_actions && e->loop.action_at > 0) {
		e->loop.n_actions -= e->loop.action_at;
		memmove(e->loop.actions, e->loop.actions + e->loop.action_at, e->loop.n_actions * sizeof(*e->loop.actions));
		e->loop.action_at = 0;
	}
	if (reserve_actions(e, e->loop.n_actions + 1))
		return; /* only if the transport leaves the actions of many turns where they are */
	e->loop.actions[e->loop.n_actions++] = (kp_action){.type = type, .conn = b->conn, .host = b->host, .port = b->port};
}

/* Partitions wait, nothing is under way whose end would let them go, and no producer id either: memory was out. */
static bool is_held_up(const kp_engine *e, const kp_broker *b)
{
	return !kp_list_empty(&b->ready) && b->rpc.state == KP_RPC_READY && b->rpc.n_in_flight == 0 && !e->loop.is_asking_id;
}

/* When an open connection is closed for idleness, as things stand. */
static int64_t idle_end_us(const kp_engine *e, const kp_broker *b)
{
	int64_t idle_us = e->config.connections_max_idle_us;
	if (idle_us < 0 || b->rpc.n_in_flight > 0 || !kp_list_empty(&b->ready))
		return KP_TIME_NEVER;
	return b->used_us + (idle_us > IDLE_LEAST_US ? idle_us : IDLE_LEAST_US);
}

void kp_broker_throttle(kp_engine *e, kp_broker *b, int32_t throttle_ms)
{
	if (throttle_ms <= 0)
		return;
	KP_REACHED(BROKER_THROTTLED);
	kp_rpc_throttle(&b->rpc, e->loop.now_us, throttle_ms);
	kp_count(&e->loop.throttle_ms, (uint64_t)throttle_ms);
}

void kp_broker_touch(kp_engine *e, kp_broker *b)
{
	int64_t at = KP_TIME_NEVER;
	if (b->state == KP_BROKER_UP) {
		int64_t idle_us = idle_end_us(e, b);
		at = kp_rpc_deadline(&b->rpc);
		at = idle_us < at ? idle_us : at;
		if (!kp_list_empty(&b->ready) && b->rpc.throttled_until_us > e->loop.now_us && b->rpc.throttled_until_us < at)
			at = b->rpc.throttled_until_us;
		else if (is_held_up(e, b))
			at = e->loop.now_us + LOOK_AGAIN_US;
	} else if (b->state == KP_BROKER_DOWN && (b->is_wanted || !kp_list_empty(&b->ready))) {
		at = b->reconnect_us;
	}
	if (at == KP_TIME_NEVER)
		kp_timers_clear(&e->loop.timers, &b->timer);
	else
		kp_timers_set(&e->loop.timers, &b->timer, at);
}

void kp_broker_timer(kp_engine *e, kp_broker *b, int64_t now_us)
{
	if (b->state == KP_BROKER_UP && kp_rpc_deadline(&b->rpc) <= now_us) {
		kp_broker_drop(e, b, KP_ERR_REQUEST_TIMEOUT, "no answer within request.timeout.ms", now_us, true);
	} else if (b->state == KP_BROKER_UP && idle_end_us(e, b) <= now_us) {
		kp_broker_drop(e, b, KP_OK, "idle", now_us, true);
	} else if (b->state == KP_BROKER_DOWN && (b->is_wanted || !kp_list_empty(&b->ready))) {
		kp_broker_want(e, b, now_us);
	} else {
		kp_broker_sendable(e, b);
		kp_broker_touch(e, b);
	}
}

void kp_broker_want(kp_engine *e, kp_broker *b, int64_t now_us)
{
	if (b->state != KP_BROKER_DOWN)
		return;
	b->is_wanted = true;
	if (now_us >= b->reconnect_us) {
		e->loop.conn_generation = (e->loop.conn_generation + 1) & 0x7fff;
		b->conn = (uint32_t)b->index | e->loop.conn_generation << 16;
		b->state = KP_BROKER_CONNECTING;
		KP_REACHED(BROKER_CONNECTING);
		b->tried_us = now_us;
		push_action(e, KP_ACTION_CONNECT, b);
	}
	kp_broker_touch(e, b);
}

static bool is_usable(kp_engine *e, const kp_broker *b)
{
	return b->id < 0 || kp_cluster_node_find(&e->loop.cluster, b->id) != NULL;
}

/* Nobody can be reached any more: say it once per outage. As long as one has not failed, nobody knows. */
static void note_down(kp_engine *e, int64_t now_us)
{
	for (size_t i = 0; i < e->loop.n_brokers; i++) {
		const kp_broker *b = e->loop.brokers[i];
		if (b->state != KP_BROKER_DOWN || (b->n_failures == 0 && is_usable(e, b)))
			return;
	}
	if (e->loop.said_down)
		return;
	e->loop.said_down = true;
	KP_LOG(e->around.log, KP_LOG_ERROR, now_us, "all_servers_down last_error=\"%s\"", e->loop.last_error);
	e->around.on_error(e->around.opaque, KP_ERR_CONNECT, e->loop.last_error);
}

/* The leader cannot be reached: perhaps it is another by now. A broker also closes when it is not the leader and acks is 0. */
static void doubt_leader(kp_engine *e, const kp_broker *b)
{
	for (kp_list *n = e->loop.topics.next; n != &e->loop.topics; n = n->next) {
		kp_topic *t = KP_CONTAINER_OF(n, kp_topic, loop.link);
		for (int32_t i = 0; i < t->loop.n_made; i++)
			if (kp_topic_partition(t, i)->loop.leader == b) {
				kp_metadata_stale(e, t);
				break;
			}
	}
}

void kp_broker_drop(kp_engine *e, kp_broker *b, int error, const char *text, int64_t now_us, bool tell_transport)
{
	bool was_up = b->state == KP_BROKER_UP;
	if (b->state == KP_BROKER_DOWN)
		return;
	if (tell_transport)
		push_action(e, KP_ACTION_CLOSE, b);
	b->state = KP_BROKER_DOWN;
	b->conn = KP_NO_CONN;
	b->is_wanted = false;
	kp_list_remove(&b->write_link);
	bool was_ready = b->rpc.state == KP_RPC_READY;
	if (was_up)
		kp_count(&e->loop.disconnects, 1);
	b->n_failures = was_ready ? 0 : b->n_failures;
	b->reconnect_us = now_us + kp_backoff_us(e->config.reconnect_backoff_us, e->config.reconnect_backoff_max_us, b->n_failures,
	                                         &e->loop.random);
	if (error) {
		b->n_failures++;
		KP_REACHED(BROKER_BACKING_OFF);
		b->down_error = error;
		snprintf(b->down_text, sizeof(b->down_text), "%s", text ? text : kp_error_text(error));
		e->loop.last_error_code = error;
		snprintf(e->loop.last_error, sizeof(e->loop.last_error), "%s:%u: %s", b->host, b->port,
		         text ? text : kp_error_text(error));
		/* the first of a row of failures is said aloud, the others to those who debug */
		say(e,
		    was_ready            ? KP_LOG_INFO
		    : b->n_failures == 1 ? KP_LOG_WARN
		                         : KP_LOG_DEBUG,
		    b, was_ready ? "disconnected" : "connect_failed", text, now_us);
		doubt_leader(e, b);
	}
	kp_rpc_close(&b->rpc, error ? error : KP_ERR_TRANSPORT);
	b->n_produce = 0;
	b->is_produce_unwritten = false;
	if (error)
		note_down(e, now_us);
	kp_broker_touch(e, b);
}

/* ------------------------------------------------------------------ anybody */

/* A node that was dropped by a re-bootstrap serves as a last resort: better than nobody. */
static kp_broker *least_loaded(kp_engine *e)
{
	kp_broker *best = NULL;
	bool best_known = false;
	size_t n = e->loop.n_brokers, start = n ? kp_random_below(&e->loop.random, (uint32_t)n) : 0;
	for (size_t k = 0; k < n; k++) {
		kp_broker *b = e->loop.brokers[(start + k) % n];
		bool is_known = is_usable(e, b);
		if (b->state != KP_BROKER_UP || b->rpc.state != KP_RPC_READY || (best && best_known && !is_known))
			continue;
		if (!best || (is_known && !best_known) || b->rpc.n_in_flight < best->rpc.n_in_flight) {
			best = b;
			best_known = is_known;
		}
	}
	return best;
}

/* Whom to connect to next: a node before a bootstrap server, unless it failed; among equals the one tried longest ago. */
static kp_broker *next_candidate(kp_engine *e, int64_t now_us)
{
	kp_broker *best = NULL;
	size_t n = e->loop.n_brokers, start = n ? kp_random_below(&e->loop.random, (uint32_t)n) : 0;
	for (size_t k = 0; k < n; k++) {
		kp_broker *b = e->loop.brokers[(start + k) % n];
		if (b->state != KP_BROKER_DOWN || b->reconnect_us > now_us || !is_usable(e, b))
			continue;
		bool b_node = b->id >= 0 && b->n_failures == 0, best_node = best && best->id >= 0 && best->n_failures == 0;
		if (!best || (b_node && !best_node) || (b_node == best_node && b->tried_us < best->tried_us))
			best = b;
	}
	return best;
}

kp_broker *kp_broker_any(kp_engine *e, int64_t now_us)
{
	kp_broker *b = least_loaded(e);
	if (b)
		return b;
	int n_connecting = 0;
	int64_t last_try = INT64_MIN;
	for (size_t i = 0; i < e->loop.n_brokers; i++) {
		const kp_broker *c = e->loop.brokers[i];
		bool is_negotiating = c->state == KP_BROKER_UP && c->rpc.state == KP_RPC_NEGOTIATING;
		if (c->state == KP_BROKER_CONNECTING || is_negotiating) {
			n_connecting++;
			last_try = c->tried_us > last_try ? c->tried_us : last_try;
		}
	}
	if (n_connecting < CONNECTING_MOST && (n_connecting == 0 || now_us - last_try >= CONNECTING_PATIENCE_US)) {
		b = next_candidate(e, now_us);
		if (b)
			kp_broker_want(e, b, now_us);
	}
	return NULL;
}

void kp_brokers_forget_nodes(kp_engine *e, int64_t now_us)
{
	if (!e->config.rebootstrap)
		return;
	KP_REACHED(METADATA_REBOOTSTRAP);
	KP_LOG(e->around.log, KP_LOG_WARN, now_us, "rebootstrap: asking bootstrap.servers again");
	for (size_t i = 0; i < e->loop.cluster.n_nodes; i++)
		e->loop.cluster.nodes[i].is_gone = true;
	for (size_t i = 0; i < e->loop.n_brokers; i++)
		if (e->loop.brokers[i]->id >= 0)
			kp_broker_drop(e, e->loop.brokers[i], KP_ERR_TRANSPORT, "re-bootstrap", now_us, true);
}
