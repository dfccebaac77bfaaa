/*
 * streams.c - connections in memory: bytes that leave the engine arrive at the broker's core later, in pieces, or never; and back.
 */
#include <kproducer/error.h>

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "tests/sim/memory.h"
#include "tests/sim/txn.h"
#include "tests/sim/watch.h"
#include "wire/messages.h"

#define CONNECT_TIMEOUT (1 * SIM_SECOND)
#define SOCKET_BYTES 262144 /* a socket takes no more before some of it has arrived */

static int64_t delay_us(sim_world *w)
{
	int64_t us = w->plan.latency_us + (int64_t)kp_random_below(&w->network, (uint32_t)w->plan.jitter_us);
	if (!w->is_calm && sim_chance(&w->network, w->plan.percent_spike))
		us *= sim_range(&w->network, 2, 50);
	return us;
}

/* ------------------------------------------------------------------ life of a connection */

static sim_conn *conn_new(sim_world *w, const kp_action *a)
{
	sim_conn *c = sim_alloc(NULL, sizeof(*c));
	memset(c, 0, sizeof(*c));
	if (w->n_conns == w->cap_conns) {
		w->cap_conns = w->cap_conns ? w->cap_conns * 2 : 32;
		w->conns = sim_alloc(w->conns, w->cap_conns * sizeof(*w->conns));
	}
	w->conns[w->n_conns++] = c;
	c->client = w->me;
	c->id = a->conn;
	c->serial = w->n_conns;
	c->node = a->port > 9000 && a->port <= 9000 + w->plan.n_nodes ? a->port - 9000 : 0;
	c->is_known = true;
	kp_list_init(&c->to_broker);
	kp_list_init(&c->to_client);
	kp_buf_init(&c->inbox, 0);
	kp_buf_init(&c->left, 0);
	return c;
}

/* The newest come last and live; the list of a run is short. */
static sim_conn *find(sim_world *w, uint32_t id)
{
	for (size_t i = w->n_conns; i-- > 0;)
		if (w->conns[i]->is_known && w->conns[i]->client == w->me && w->conns[i]->id == id)
			return w->conns[i];
	return NULL;
}

sim_conn *sim_conn_any(sim_world *w, kp_random *r)
{
	size_t start = w->n_conns ? kp_random_below(r, (uint32_t)w->n_conns) : 0;
	for (size_t i = 0; i < w->n_conns; i++) {
		sim_conn *c = w->conns[(start + i) % w->n_conns];
		if (c->is_open)
			return c;
	}
	return NULL;
}

static void drop_chunks(kp_list *chunks)
{
	kp_list *n;
	while ((n = kp_list_pop_front(chunks)))
		free(KP_CONTAINER_OF(n, sim_chunk, link));
}

static void broker_side_gone(sim_world *w, sim_conn *c)
{
	if (c->is_broker_gone)
		return;
	c->is_broker_gone = true;
	drop_chunks(&c->to_broker);
	c->to_broker_bytes = 0;
	kp_buf_deinit(&c->inbox);
	kp_buf_init(&c->inbox, 0);
	kp_db_conn_gone(w->db, c->serial);
}

void sim_conns_free(sim_world *w)
{
	for (size_t i = 0; i < w->n_conns; i++) {
		drop_chunks(&w->conns[i]->to_broker);
		drop_chunks(&w->conns[i]->to_client);
		kp_buf_deinit(&w->conns[i]->inbox);
		kp_buf_deinit(&w->conns[i]->left);
		free(w->conns[i]);
	}
	free(w->conns);
}

void sim_conn_reset(sim_world *w, sim_conn *c, bool is_late)
{
	if (c->is_cut)
		return;
	SIM_TRACE(w, "conn %u node %d: reset by the network%s", c->id, c->node,
	          is_late ? ", what was sent arrives all the same" : "");
	c->is_cut = true;
	drop_chunks(&c->to_client);
	if (is_late)
		sim_at(w, c->to_broker_us + delay_us(w), SIM_EV_BROKER_CLOSED, c, 0, 0);
	else
		broker_side_gone(w, c);
	sim_at(w, w->now_us + (sim_chance(&w->network, 50) ? 0 : delay_us(w)), SIM_EV_CLIENT_CLOSED, c, 0, 0);
}

void sim_conn_vanish(sim_world *w, sim_conn *c)
{
	SIM_TRACE(w, "conn %u node %d: the other end vanishes", c->id, c->node);
	drop_chunks(&c->to_client);
	broker_side_gone(w, c);
}

void sim_on_client_closed(sim_world *w, const sim_event *ev)
{
	sim_conn *c = ev->conn;
	if (!c->is_known)
		return;
	c->is_known = c->is_open = false;
	drop_chunks(&c->to_client);
	SIM_TRACE(w, "conn %u node %d: the engine learns that it is gone", c->id, c->node);
	if (w->me->engine)
		kp_engine_on_close(w->me->engine, c->id, KP_ERR_TRANSPORT, "connection reset by peer", w->now_us);
	w->me->is_woken = true;
}

void sim_on_broker_closed(sim_world *w, const sim_event *ev)
{
	broker_side_gone(w, ev->conn);
}

static void closed_by_engine(sim_world *w, sim_conn *c)
{
	SIM_TRACE(w, "conn %u node %d: closed by the engine", c->id, c->node);
	bool is_abrupt = sim_chance(&w->network, 50);
	c->is_known = c->is_open = false;
	drop_chunks(&c->to_client);
	if (is_abrupt)
		broker_side_gone(w, c);
	else
		sim_at(w, c->to_broker_us + delay_us(w), SIM_EV_BROKER_CLOSED, c, 0, 0);
}

/* The kernel closes them: behind what it still has, or, where something unread had come, at once. */
void sim_conns_orphan(sim_world *w)
{
	for (size_t i = 0; i < w->n_conns; i++)
		if (w->conns[i]->client == w->me && w->conns[i]->is_known)
			closed_by_engine(w, w->conns[i]);
}

static void connect_to(sim_world *w, const kp_action *a)
{
	sim_conn *c = conn_new(w, a);
	bool is_refused = c->node == 0 || !w->nodes[c->node].is_up || w->now_us < w->nodes[c->node].refuses_until_us;
	int64_t at = w->now_us + delay_us(w);
	if (c->node && !w->nodes[c->node].is_up && w->nodes[c->node].is_silent)
		at = w->now_us + CONNECT_TIMEOUT;
	if (c->node && at < w->nodes[c->node].stalled_until_us) {
		is_refused |= w->nodes[c->node].stalled_until_us > w->now_us + CONNECT_TIMEOUT;
		at = is_refused ? w->now_us + CONNECT_TIMEOUT : w->nodes[c->node].stalled_until_us;
	}
	SIM_TRACE(w, "conn %u node %d: connecting to %s:%u%s", c->id, c->node, a->host, a->port,
	          is_refused ? ", to be refused" : "");
	sim_at(w, at, SIM_EV_CONNECTED, c, is_refused, 0);
}

void sim_on_connected(sim_world *w, const sim_event *ev)
{
	sim_conn *c = ev->conn;
	if (!c->is_known || !w->me->engine)
		return;
	w->me->is_woken = true;
	if (ev->a || !w->nodes[c->node].is_up) {
		SIM_TRACE(w, "conn %u node %d: refused", c->id, c->node);
		c->is_known = false;
		c->is_broker_gone = true;
		kp_engine_on_close(w->me->engine, c->id, KP_ERR_CONNECT, "connection refused", w->now_us);
		return;
	}
	SIM_TRACE(w, "conn %u node %d: open", c->id, c->node);
	c->is_open = true;
	kp_engine_on_open(w->me->engine, c->id, w->now_us);
}

void sim_take_actions(sim_world *w)
{
	kp_action a;
	while (kp_engine_next_action(w->me->engine, &a)) {
		sim_conn *c = find(w, a.conn);
		if (a.type == KP_ACTION_CONNECT && c)
			sim_fail(w, "actions", "connection %u is used twice", a.conn);
		else if (a.type == KP_ACTION_CONNECT)
			connect_to(w, &a);
		else if (!c)
			sim_fail(w, "actions", "connection %u is closed, but does not exist", a.conn);
		else
			closed_by_engine(w, c);
	}
}

/* ------------------------------------------------------------------ to the broker */

static void send_chunk(sim_world *w, sim_conn *c, const struct iovec *iov, int n_iov, size_t n)
{
	if (c->client->actor)
		sim_txn_left(w, c, iov, n_iov, n);
	sim_chunk *chunk = sim_alloc(NULL, sizeof(*chunk) + n);
	kp_list_init(&chunk->link);
	chunk->len = 0;
	for (int i = 0; i < n_iov && chunk->len < n; i++) {
		size_t take = iov[i].iov_len < n - chunk->len ? iov[i].iov_len : n - chunk->len;
		memcpy(chunk->bytes + chunk->len, iov[i].iov_base, take);
		chunk->len += take;
	}
	if (c->is_cut || c->is_broker_gone) { /* the kernel takes them; the engine will hear of the reset, if anybody can tell it */
		free(chunk);
		if (!c->is_cut && w->nodes[c->node].is_up)
			sim_conn_reset(w, c, false);
		return;
	}
	int64_t at = w->now_us + delay_us(w);
	c->to_broker_us = at > c->to_broker_us ? at : c->to_broker_us;
	c->to_broker_bytes += n;
	kp_list_push_back(&c->to_broker, &chunk->link);
	sim_at(w, c->to_broker_us, SIM_EV_TO_BROKER, c, 0, 0);
}

/* Write until the engine has no more or the socket is full. True when anything was taken. */
static bool write_conn(sim_world *w, sim_conn *c)
{
	bool wrote = false;
	while (c->is_open && !c->is_blocked) {
		struct iovec iov[8];
		size_t total = 0, n;
		int n_iov = kp_engine_output(w->me->engine, c->id, iov, (int)sim_range(&w->network, 1, 8));
		for (int i = 0; i < n_iov; i++)
			total += iov[i].iov_len;
		if (total == 0) {
			c->drained_at = w->totals->turns;
			break;
		}
		n = sim_chance(&w->network, w->plan.percent_partial_write) ? (size_t)sim_spread(&w->network, 1, (int64_t)total)
		                                                           : total;
		bool is_cut = total > 1 && sim_take_armed(w, SIM_RESET_IN_WRITE);
		if (is_cut)
			n = (size_t)sim_range(&w->network, 1, (int64_t)total - 1);
		send_chunk(w, c, iov, n_iov, n);
		kp_engine_written(w->me->engine, c->id, n, w->now_us);
		wrote = true;
		if (is_cut)
			sim_conn_reset(w, c, sim_chance(&w->network, 50));
		if (n < total || c->to_broker_bytes > SOCKET_BYTES) {
			c->is_blocked = true;
			sim_at(w, w->now_us + delay_us(w), SIM_EV_WRITABLE, c, 0, 0);
		}
	}
	return wrote;
}

bool sim_write_all(sim_world *w)
{
	uint32_t id;
	bool wrote = false;
	while ((id = kp_engine_next_writable(w->me->engine)) != KP_NO_CONN) {
		sim_conn *c = find(w, id);
		if (c)
			wrote |= write_conn(w, c);
		else
			sim_fail(w, "actions", "connection %u has output, but does not exist", id);
	}
	return wrote;
}

void sim_on_writable(sim_world *w, const sim_event *ev)
{
	sim_conn *c = ev->conn;
	if (!c->is_open || !w->me->engine)
		return;
	if (w->now_us < w->nodes[c->node].stalled_until_us) {
		sim_at(w, w->nodes[c->node].stalled_until_us, SIM_EV_WRITABLE, c, 0, 0);
		return;
	}
	c->is_blocked = false;
	w->me->is_woken |= write_conn(w, c);
}

/*
 * KIP-98 cannot tell a request to a coordinator that comes behind its connection's end from another attempt of it in the same transaction:
 * it may undo what came between them. In a later transaction it comes with an epoch that is over.
 */
static bool is_overdue(const sim_world *w, const sim_conn *c, int16_t api_key, kp_slice frame)
{
	return w->plan.has_txns && w->plan.transaction_version < 2 && (!c->is_known || c->is_cut) && c->client->engine &&
	       api_key != KP_API_INIT_PRODUCER_ID && sim_is_coordinated(api_key) && !sim_txn_is_of_earlier(w, c, frame);
}

/* One whole request at the broker, with the faults that wait for one. */
static void serve_frame(sim_world *w, sim_conn *c, kp_slice frame)
{
	int16_t api_key = frame.len >= 2 ? (int16_t)kp_load_be16(frame.ptr) : -1;
	bool is_produce = api_key == KP_API_PRODUCE;
	if (w->is_traced)
		sim_trace_frame(w, c, frame);
	if (is_produce && sim_take_armed(w, SIM_RESET_BEFORE_APPEND)) {
		sim_conn_reset(w, c, false);
		return;
	}
	if (is_overdue(w, c, api_key, frame)) {
		SIM_TRACE(w, "conn %u node %d: it comes too late", c->id, c->node);
		broker_side_gone(w, c);
		return;
	}
	if (api_key == KP_API_END_TXN && sim_txn_kill_at_end(w) && c->is_broker_gone)
		return;
	sim_strike strike = {0};
	sim_stale_asked(w, c, frame);
	if (is_produce)
		sim_watch_frame(w, frame);
	if (is_produce)
		sim_before_produce(w, frame, &strike);
	int err = kp_db_request(w->db, c->node, c->serial, frame, w->now_us);
	sim_after_produce(w, &strike);
	if (is_produce && w->plan.config.acks != 0 && ++c->n_produce > w->plan.config.max_in_flight)
		sim_fail(w, "I8", "%d Produce requests are under way on a connection", c->n_produce);
	if (err) {
		SIM_TRACE(w, "conn %u node %d: the broker closes (%s)", c->id, c->node, kp_error_name(err));
		if (err == KP_ERR_PROTOCOL || err == KP_ERR_NOT_SUPPORTED)
			sim_fail(w, "I8", "a request that the broker cannot read");
		broker_side_gone(w, c);
		sim_at(w, c->to_client_us + delay_us(w), SIM_EV_CLIENT_CLOSED, c, 0, 0);
	} else if ((is_produce && sim_take_armed(w, SIM_RESET_AFTER_APPEND)) ||
	           (sim_is_coordinated(api_key) && sim_take_armed(w, SIM_COORDINATOR_LOST))) {
		sim_conn_reset(w, c, false);
	}
}

static void cut_frames(sim_world *w, sim_conn *c)
{
	while (!c->is_broker_gone && c->inbox.len >= 4) {
		size_t len = kp_load_be32(c->inbox.data);
		if (c->inbox.len - 4 < len)
			return;
		/* a copy: a reset empties the inbox meanwhile */
		uint8_t *frame = sim_alloc(NULL, len + 1);
		memcpy(frame, c->inbox.data + 4, len);
		kp_buf_consume(&c->inbox, 4 + len);
		serve_frame(w, c, kp_slice_of(frame, len));
		free(frame);
	}
}

void sim_on_to_broker(sim_world *w, const sim_event *ev)
{
	sim_conn *c = ev->conn;
	if (kp_list_empty(&c->to_broker))
		return;
	if (w->now_us < w->nodes[c->node].stalled_until_us) {
		int64_t at = w->nodes[c->node].stalled_until_us;
		c->to_broker_us = at > c->to_broker_us ? at : c->to_broker_us;
		sim_at(w, at, SIM_EV_TO_BROKER, c, 0, 0);
		return;
	}
	sim_chunk *chunk = KP_CONTAINER_OF(kp_list_pop_front(&c->to_broker), sim_chunk, link);
	c->to_broker_bytes -= chunk->len;
	kp_buf_append(&c->inbox, chunk->bytes, chunk->len);
	free(chunk);
	cut_frames(w, c);
}

/* ------------------------------------------------------------------ to the client */

static void answer_chunk(sim_world *w, sim_conn *c, const uint8_t *ptr, size_t n)
{
	sim_chunk *chunk = sim_alloc(NULL, sizeof(*chunk) + n);
	kp_list_init(&chunk->link);
	chunk->len = n;
	memcpy(chunk->bytes, ptr, n);
	int64_t at = w->now_us + delay_us(w);
	c->to_client_us = at > c->to_client_us ? at : c->to_client_us;
	kp_list_push_back(&c->to_client, &chunk->link);
	sim_at(w, c->to_client_us, SIM_EV_TO_CLIENT, c, 0, 0);
}

static void send_answer(sim_world *w, sim_conn *c, kp_slice bytes)
{
	bool is_bytewise = sim_chance(&w->network, w->plan.percent_bytewise);
	bool is_chunked = is_bytewise || sim_chance(&w->network, w->plan.percent_chunked);
	for (size_t at = 0, n; at < bytes.len; at += n) {
		n = is_bytewise ? 1 : is_chunked ? (size_t)sim_spread(&w->network, 1, (int64_t)(bytes.len - at)) : bytes.len - at;
		answer_chunk(w, c, bytes.ptr + at, n);
	}
}

#define ID_ANSWER_BYTES 24    /* of InitProducerId up to version 1, with its length, which ends with the epoch ... */
#define ID_ANSWER_BYTES_V2 26 /* ... and since (KIP-482), with a tag behind it and one in the header */

/* A producer id that is nearly used up: who is to see that would have to run for long. */
static void set_first_epoch(const sim_world *w, kp_db_answer *a)
{
	bool is_flexible = a->bytes.len == ID_ANSWER_BYTES_V2;
	if (w->plan.first_epoch == 0 || (a->bytes.len != ID_ANSWER_BYTES && !is_flexible))
		return;
	uint8_t *epoch = a->bytes.data + a->bytes.len - (is_flexible ? 3 : 2);
	if (kp_load_be16(epoch) == 0)
		kp_store_be16(epoch, (uint16_t)w->plan.first_epoch);
}

void sim_deliver_answers(sim_world *w)
{
	kp_db_answer a;
	while (kp_db_next_answer(w->db, &a)) {
		sim_conn *c = w->conns[a.conn - 1];
		if (a.api_key == KP_API_PRODUCE)
			c->n_produce--;
		if (a.api_key == KP_API_INIT_PRODUCER_ID)
			set_first_epoch(w, &a);
		sim_stale_answered(w, &a);
		if (w->txns)
			sim_txn_answered(w, &a);
		if (c->is_open && !c->is_cut)
			send_answer(w, c, kp_buf_slice(&a.bytes));
		if (a.is_close) {
			SIM_TRACE(w, "conn %u node %d: closed by the broker", c->id, c->node);
			sim_at(w, c->to_client_us, SIM_EV_CLIENT_CLOSED, c, 0, 0);
			broker_side_gone(w, c);
		}
		kp_buf_deinit(&a.bytes);
	}
}

void sim_on_to_client(sim_world *w, const sim_event *ev)
{
	sim_conn *c = ev->conn;
	if (kp_list_empty(&c->to_client))
		return;
	if (w->now_us < w->nodes[c->node].stalled_until_us) {
		int64_t at = w->nodes[c->node].stalled_until_us;
		c->to_client_us = at > c->to_client_us ? at : c->to_client_us;
		sim_at(w, at, SIM_EV_TO_CLIENT, c, 0, 0);
		return;
	}
	sim_chunk *chunk = KP_CONTAINER_OF(kp_list_pop_front(&c->to_client), sim_chunk, link);
	if (w->me->engine && c->is_open) {
		kp_engine_on_data(w->me->engine, c->id, chunk->bytes, chunk->len, w->now_us);
		w->me->is_woken = true;
	}
	free(chunk);
}
