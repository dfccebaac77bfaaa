/*
 * world.c - a run: the queue of events on the virtual clock, the turns of the engine's loop, and the phases from load to silence.
 */
#include <kproducer/error.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tests/sim/memory.h"
#include "tests/sim/txn.h"
#include "tests/sim/watch.h"

#define TXNS_PATIENCE_US (60 * SIM_SECOND)
#define MOST_EVENTS 3000000u /* a run beyond that goes round in circles */

void *sim_alloc(void *old, size_t size)
{
	void *p = size <= PTRDIFF_MAX ? realloc(old, size) : NULL;
	if (!p) {
		fprintf(stderr, "sim: out of memory\n");
		exit(2);
	}
	return p;
}

void sim_fail(sim_world *w, const char *invariant, const char *fmt, ...)
{
	if (w->failure[0])
		return;
	int n = snprintf(w->failure, sizeof(w->failure), "%s at %.3f ms: ", invariant, (double)w->now_us / 1000);
	va_list args;
	va_start(args, fmt);
	vsnprintf(w->failure + n, sizeof(w->failure) - (size_t)n, fmt, args);
	va_end(args);
	SIM_TRACE(w, "FAILED %s", w->failure);
}

/* ------------------------------------------------------------------ events */

static bool is_before(const sim_event *a, const sim_event *b)
{
	return a->at_us < b->at_us || (a->at_us == b->at_us && a->order < b->order);
}

void sim_at(sim_world *w, int64_t at_us, sim_event_kind kind, sim_conn *conn, int32_t a, int32_t b)
{
	if (w->n_events == w->cap_events) {
		w->cap_events = w->cap_events ? w->cap_events * 2 : 256;
		w->events = sim_alloc(w->events, w->cap_events * sizeof(*w->events));
	}
	sim_event ev = {at_us < w->now_us ? w->now_us : at_us, w->next_order++, kind, a, b, conn, w->me};
	size_t i = w->n_events++;
	for (; i > 0 && is_before(&ev, &w->events[(i - 1) / 2]); i = (i - 1) / 2)
		w->events[i] = w->events[(i - 1) / 2];
	w->events[i] = ev;
}

static sim_event pop_event(sim_world *w)
{
	sim_event first = w->events[0], last = w->events[--w->n_events];
	size_t i = 0;
	for (;;) {
		size_t child = 2 * i + 1;
		if (child + 1 < w->n_events && is_before(&w->events[child + 1], &w->events[child]))
			child++;
		if (child >= w->n_events || !is_before(&w->events[child], &last))
			break;
		w->events[i] = w->events[child];
		i = child;
	}
	if (w->n_events)
		w->events[i] = last;
	return first;
}

/* Time within which everything pending ends once the network is calm: what one lost request may cost, and then some. */
static int64_t patience_us(const sim_plan *p)
{
	int64_t lost = 2 * p->config.request_timeout_us + 10 * p->config.retry_backoff_max_us +
	               10 * p->config.reconnect_backoff_max_us;
	int64_t us = lost + 100 * (p->latency_us + p->jitter_us) * 50 + 10 * SIM_SECOND;
	us = us < p->config.delivery_timeout_us ? us : p->config.delivery_timeout_us + SIM_SECOND;
	return us + SIM_HELD_MOST_US; /* answers of the bad weather are waited for, too */
}

static void on_topic(sim_world *w, int32_t i)
{
	sim_topic_plan *t = &w->plan.topics[i];
	int32_t n = kp_db_n_partitions(w->db, t->name);
	int err = 0;
	if (n == 0 && w->deleted_partitions[i] == 0)
		err = kp_db_create_topic(w->db, t->name, t->n_partitions, (int16_t)(w->plan.n_nodes < 3 ? w->plan.n_nodes : 3));
	else if (t->grown_to > n)
		err = kp_db_add_partitions(w->db, t->name, t->grown_to);
	w->totals->faults[SIM_GROWTH] += n > 0 && kp_db_n_partitions(w->db, t->name) > n;
	SIM_TRACE(w, "topic %s has %d partitions now (error %d)", t->name, kp_db_n_partitions(w->db, t->name), err);
}

static uint32_t n_open_records(const sim_world *w)
{
	uint32_t n = 0;
	for (int i = 0; i < w->n_clients; i++)
		n += w->clients[i]->n_tracked - w->clients[i]->n_ended;
	return n;
}

static bool is_any_alive(const sim_world *w)
{
	for (int i = 0; i < w->n_clients; i++)
		if (w->clients[i]->engine)
			return true;
	return false;
}

static void on_deadline(sim_world *w, int32_t phase)
{
	if (w->txns)
		sim_on_txn_deadline(w);
	else if (is_any_alive(w) && (int32_t)w->phase == phase)
		sim_fail(w, "I9", "%u records have not ended although the faults stopped long ago", n_open_records(w));
}

static void on_calm(sim_world *w)
{
	sim_on_calm(w);
	if (!w->txns)
		return;
	sim_txns_calm(w);
	sim_at(w, w->now_us + TXNS_PATIENCE_US + 4 * patience_us(&w->plan), SIM_EV_DEADLINE, NULL, SIM_LOAD, 0);
}

static void handle(sim_world *w, const sim_event *ev)
{
	w->me = ev->conn ? ev->conn->client : ev->client ? ev->client : w->clients[0]; /* NULL: planned before there was any */
	switch (ev->kind) {
	case SIM_EV_APPLICATION: sim_on_application(w); break;
	case SIM_EV_FAULT: sim_on_fault(w); break;
	case SIM_EV_HEAL: sim_on_heal(w, ev); break;
	case SIM_EV_CALM: on_calm(w); break;
	case SIM_EV_TOPIC: on_topic(w, ev->a); break;
	case SIM_EV_CONNECTED: sim_on_connected(w, ev); break;
	case SIM_EV_WRITABLE: sim_on_writable(w, ev); break;
	case SIM_EV_TO_BROKER: sim_on_to_broker(w, ev); break;
	case SIM_EV_TO_CLIENT: sim_on_to_client(w, ev); break;
	case SIM_EV_CLIENT_CLOSED: sim_on_client_closed(w, ev); break;
	case SIM_EV_BROKER_CLOSED: sim_on_broker_closed(w, ev); break;
	case SIM_EV_RELEASE: sim_on_release(w); break;
	case SIM_EV_RESUME: sim_on_resume(w, ev); break;
	case SIM_EV_DEADLINE: on_deadline(w, ev->a); break;
	case SIM_EV_ACTOR: sim_on_actor(w, ev); break;
	case SIM_EV_SUCCESSOR: sim_on_successor(w, ev); break;
	case SIM_EV_NONE: break;
	}
}

/* ------------------------------------------------------------------ turns */

void sim_step_db(sim_world *w)
{
	w->db_us = kp_db_step(w->db, w->now_us);
	sim_deliver_answers(w);
}

static int64_t next_time(const sim_world *w)
{
	int64_t at = w->n_events ? w->events[0].at_us : KP_TIME_NEVER;
	for (int i = 0; i < w->n_clients; i++) {
		const sim_client *c = w->clients[i];
		int64_t due_us = !c->engine ? KP_TIME_NEVER : c->is_woken ? w->now_us : c->engine_us;
		at = due_us < at ? due_us : at;
	}
	return w->db_us < at ? w->db_us : at;
}

/* One event, or one deadline of the engine's or the broker's. False when nothing will ever happen again. */
static bool advance(sim_world *w)
{
	int64_t at = next_time(w);
	if (at == KP_TIME_NEVER)
		return false;
	w->now_us = at > w->now_us ? at : w->now_us;
	if (w->n_events && w->events[0].at_us <= w->now_us) {
		sim_event ev = pop_event(w);
		handle(w, &ev);
	}
	sim_step_db(w);
	for (int i = 0; i < w->n_clients; i++)
		if (w->clients[i]->engine && (w->clients[i]->is_woken || w->clients[i]->engine_us <= w->now_us))
			sim_client_turn(w, w->clients[i]);
	w->totals->events++;
	if (++w->n_advances > MOST_EVENTS)
		sim_fail(w, "I9", "no end after %u events", MOST_EVENTS);
	return true;
}

/* ------------------------------------------------------------------ phases */

static bool is_idle(const sim_world *w)
{
	for (int i = 0; i < w->n_clients; i++)
		if (!sim_client_is_idle(w->clients[i]))
			return false;
	return w->is_calm && sim_workload_is_done(w);
}

/* An answer of the bad weather may still be on its way, and fail records that are sent in the good one. */
static bool has_answers_under_way(const sim_world *w)
{
	for (size_t i = 0; i < w->n_conns; i++)
		if (w->conns[i]->is_known && !kp_list_empty(&w->conns[i]->to_client))
			return true;
	return false;
}

static void enter(sim_world *w, sim_phase phase)
{
	w->phase = phase;
	sim_at(w, w->now_us + patience_us(&w->plan), SIM_EV_DEADLINE, NULL, (int32_t)phase, 0);
}

static void go_on_when_done(sim_world *w)
{
	if (w->txns) {
		w->phase = sim_txns_are_over(w) ? SIM_OVER : SIM_LOAD;
		return;
	}
	if (w->phase == SIM_LOAD && w->is_calm && sim_workload_is_done(w))
		enter(w, SIM_DRAIN);
	if (w->phase == SIM_DRAIN && is_idle(w) && !has_answers_under_way(w)) {
		SIM_TRACE(w, "epilogue");
		enter(w, SIM_EPILOGUE);
		sim_epilogue(w);
	}
	if (w->phase == SIM_EPILOGUE && is_idle(w))
		w->phase = SIM_OVER;
}

static void make_cluster(sim_world *w)
{
	kp_db_options o;
	kp_db_endpoint endpoints[SIM_NODES];
	for (uint16_t i = 0; i < SIM_NODES; i++)
		endpoints[i] = (kp_db_endpoint){"node", (uint16_t)(9001 + i)};
	kp_db_options_init(&o);
	o.n_nodes = w->plan.n_nodes;
	o.endpoints = endpoints;
	o.max_message_bytes = w->plan.max_message_bytes ? w->plan.max_message_bytes : o.max_message_bytes;
	o.default_partitions = SIM_DEFAULT_PARTITIONS;
	o.transaction_version = w->plan.transaction_version;
	o.auto_create = w->plan.is_auto_create;
	o.wall_ms_at_zero = SIM_WALL_MS_AT_ZERO;
	o.seed = w->plan.seed ^ 0xdb;
	w->db = kp_db_new(&o);
	if (!w->db)
		sim_alloc(NULL, SIZE_MAX);
	w->db_us = KP_TIME_NEVER;
	sim_judge_init(w);
	for (int32_t i = 1; i <= w->plan.n_nodes; i++)
		w->nodes[i].is_up = true;
	for (int32_t i = 0; i < w->plan.n_topics; i++) {
		const sim_topic_plan *t = &w->plan.topics[i];
		if (t->created_us == 0)
			on_topic(w, i);
		if (t->created_us > 0 && t->created_us < KP_TIME_NEVER)
			sim_at(w, t->created_us, SIM_EV_TOPIC, NULL, i, 0);
		if (t->grows_us < KP_TIME_NEVER)
			sim_at(w, t->grows_us, SIM_EV_TOPIC, NULL, i, 0);
	}
}

/* As kp_close does: no more records, those accepted have until the deadline. */
static void finish_sending(sim_world *w)
{
	int64_t until_us = w->now_us + w->plan.close_timeout_us;
	SIM_TRACE(w, "close within %.3f ms", (double)w->plan.close_timeout_us / 1000);
	sim_client_stop(w);
	sim_at(w, until_us, SIM_EV_NONE, NULL, 0, 0);
	while (!w->failure[0] && w->now_us < until_us && n_open_records(w) > 0 && advance(w))
		;
	if (w->now_us > until_us + 50 * SIM_MS)
		sim_fail(w, "I7", "close ends %lld ms after its deadline", (long long)(w->now_us - until_us) / 1000);
}

static void make_clients(sim_world *w)
{
	size_t most = w->plan.n_records + (w->plan.has_txns ? SIM_FINAL_RECORDS : SIM_EPILOGUE_RECORDS * SIM_TOPICS);
	w->records = sim_alloc(NULL, most * sizeof(*w->records));
	if (w->plan.has_txns) {
		sim_txns_begin(w);
		return;
	}
	(void)sim_client_new(w, &w->plan.config);
	sim_at(w, 0, SIM_EV_APPLICATION, NULL, 0, 0);
}

static void close_client(sim_world *w)
{
	w->me = w->clients[0];
	finish_sending(w);
	w->me = w->clients[0];
	if (!w->failure[0])
		sim_client_close(w);
}

static void play(sim_world *w)
{
	make_cluster(w);
	make_clients(w);
	sim_faults_schedule(w);
	while (!w->failure[0] && w->phase != SIM_OVER && w->now_us < w->plan.close_us && advance(w))
		go_on_when_done(w);
	if (!w->failure[0] && w->phase != SIM_OVER && w->plan.close_us == KP_TIME_NEVER)
		sim_fail(w, "I9", "nothing will happen any more, and %u records have not ended", n_open_records(w));
	if (w->failure[0])
		return;
	if (!w->txns)
		close_client(w);
	if (w->failure[0])
		return;
	/* what is still under way arrives: a record reported as not persisted must not turn up */
	sim_on_calm(w);
	while (!w->failure[0] && advance(w))
		;
	sim_check_end(w);
	if (w->txns)
		sim_txn_check_end(w);
}

void sim_run(const sim_plan *plan, bool is_traced, sim_totals *totals, char *failure, size_t failure_size)
{
	sim_world *w = sim_alloc(NULL, sizeof(*w));
	memset(w, 0, sizeof(*w));
	w->plan = *plan;
	w->is_traced = is_traced;
	w->is_forgetful = plan->forgets_any_time;
	w->totals = totals;
	kp_list_init(&w->views);
	kp_list_init(&w->asked);
	kp_random_init(&w->network, plan->seed ^ 0x6e6574);
	kp_random_init(&w->fate, plan->seed ^ 0x66617465);
	kp_random_init(&w->application, plan->seed ^ 0x617070);
	kp_logger_init(&w->log, is_traced ? KP_LOG_DEBUG : -1, sim_trace_log, w, "sim");
	sim_memory_begin(w);
	play(w);
	sim_memory_end();
	snprintf(failure, failure_size, "%s", w->failure);
	totals->runs++;
	totals->virtual_us += w->now_us;
	/* after a failure the engine may be in any state: its memory is left to the end of the program */
	if (!w->failure[0]) {
		kp_db_stats stats;
		kp_db_get_stats(w->db, &stats);
		totals->duplicates += stats.n_duplicates;
		sim_conns_free(w);
		sim_stale_free(w);
		kp_db_free(w->db);
		free(w->events);
		free(w->records);
		sim_txns_free(w);
		sim_clients_free(w);
		free(w->value);
		free(w);
	}
}
