/*
 * clients.c - the producers of a run: made, stepped as the client's loop does it, closed, or killed with their bytes still under way.
 */
#include <kproducer/error.h>

#include <stdlib.h>
#include <string.h>

#include "producer/reached.h"
#include "tests/sim/memory.h"
#include "tests/sim/txn.h"
#include "tests/sim/watch.h"

#define MOST_ROUNDS 10000 /* turns without time going on */

/* ------------------------------------------------------------------ birth */

static int64_t clock_us(void *opaque)
{
	return ((sim_client *)opaque)->w->now_us;
}

static int64_t wall_ms(void *opaque)
{
	return SIM_WALL_MS_AT_ZERO + ((sim_client *)opaque)->w->now_us / 1000;
}

static void wake(void *opaque)
{
	((sim_client *)opaque)->is_woken = true;
}

static void on_error(void *opaque, int error, const char *text)
{
	sim_world *w = ((sim_client *)opaque)->w;
	SIM_TRACE(w, "error callback: %s %s", kp_error_name(error), text);
}

static void make_engine(sim_world *w, sim_client *c, const kp_engine_config *config)
{
	kp_server servers[SIM_NODES + 1];
	size_t n = 0;
	if (w->plan.has_dead_server)
		servers[n++] = (kp_server){"nowhere", 1};
	for (int32_t i = 0; i < w->plan.n_bootstrap; i++)
		servers[n++] = (kp_server){"node", (uint16_t)(9001 + i)};
	kp_surroundings around = {clock_us, wall_ms, wake, on_error, &w->log, c, w->plan.seed ^ 0x5eed ^ (uint64_t)c->index << 32};
	c->engine = kp_engine_new(config, servers, n, &around);
	if (!c->engine)
		sim_alloc(NULL, SIZE_MAX);
}

sim_client *sim_client_new(sim_world *w, const kp_engine_config *config)
{
	sim_client *c = sim_alloc(NULL, sizeof(*c));
	memset(c, 0, sizeof(*c));
	c->w = w;
	c->index = w->n_clients;
	w->clients[w->n_clients++] = c;
	w->me = c;
	kp_list_init(&c->calls);
	kp_list_init(&c->ended_calls);
	c->n_rebuilt = kp_reached.names[KP_REACHED_BATCH_SPLIT] + kp_reached.names[KP_REACHED_BATCH_EXPELLED];
	sim_watch_begin(w);
	make_engine(w, c, config);
	c->is_woken = true;
	return c;
}

void sim_clients_free(sim_world *w)
{
	for (int i = 0; i < w->n_clients; i++) {
		w->me = w->clients[i];
		sim_calls_free(w);
		sim_watch_end(w);
		free(w->me->held);
		free(w->me);
	}
}

/* ------------------------------------------------------------------ life */

void sim_client_turn(sim_world *w, sim_client *c)
{
	int n_rounds = 0;
	bool wrote;
	w->me = c;
	do {
		c->is_woken = false;
		c->engine_us = kp_engine_step(c->engine, w->now_us);
		w->totals->turns++;
		if (c->actor)
			sim_actor_stepped(w);
		sim_take_actions(w);
		if (c->actor)
			sim_take_ended(w); /* what has ended is known before what leaves is looked at (T1) */
		wrote = sim_write_all(w);
		sim_take_ended(w);
		sim_after_turn(w);
		sim_watch_turn(w);
		if (++n_rounds > MOST_ROUNDS)
			sim_fail(w, "I9", "the engine wants turn after turn at the same time");
	} while ((wrote || c->is_woken || c->engine_us <= w->now_us) && !w->failure[0]);
}

bool sim_client_is_idle(const sim_client *c)
{
	return c->n_ended == c->n_tracked && c->n_held == 0 && kp_list_empty(&c->calls);
}

/* ------------------------------------------------------------------ the end */

static void count_engine(sim_world *w)
{
	const sim_client *me = w->me;
	kp_engine_counters c;
	kp_engine_count(me->engine, &c);
	w->totals->requests += c.requests;
	w->totals->retries += c.retries;
	w->totals->connects += c.connects;
	if (c.accepted != me->n_accepted)
		sim_fail(w, "I1", "the engine counts %llu accepted records, the application %u", (unsigned long long)c.accepted,
		         me->n_accepted);
	if (c.persisted != me->outcomes[KP_PERSISTED] || c.not_persisted != me->outcomes[KP_NOT_PERSISTED] ||
	    c.unknown != me->outcomes[KP_UNKNOWN])
		sim_fail(w, "I1", "the engine's counters by outcome are not those of its ended batches");
	if (c.persisted + c.not_persisted + c.unknown != c.accepted)
		sim_fail(w, "I1", "%llu records were accepted, %llu ended", (unsigned long long)c.accepted,
		         (unsigned long long)(c.persisted + c.not_persisted + c.unknown));
	if (c.budget_used != 0)
		sim_fail(w, "I5", "%lld bytes are accounted for although everything was released", (long long)c.budget_used);
}

void sim_client_stop(sim_world *w)
{
	w->me->is_closing = true;
	kp_engine_stop_accepting(w->me->engine);
	w->me->is_woken = true;
}

/* What kp_close says is left ends in the same moment: as closed, or as persisted where only its turn to be reported was missing. */
static void end_rest(sim_world *w)
{
	sim_client *me = w->me;
	kp_engine_counters c;
	kp_engine_count(me->engine, &c);
	uint64_t left = c.accepted - c.persisted - c.not_persisted - c.unknown;
	sim_take_ended(w);
	uint64_t persisted = me->outcomes[KP_PERSISTED];
	kp_engine_end_all(me->engine, KP_ERR_CLOSED, w->now_us);
	sim_take_actions(w);
	sim_take_ended(w);
	uint64_t ended = me->n_closed + me->outcomes[KP_PERSISTED] - persisted;
	if (ended != left)
		sim_fail(w, "close", "%llu records were left at the deadline, and %llu end", (unsigned long long)left,
		         (unsigned long long)ended);
}

void sim_client_close(sim_world *w)
{
	if (w->me->topics[0]) {
		kp_append_args a = {.content = {.value = kp_slice_cstr("late")}, .partition = KP_PARTITION_ANY};
		if (kp_engine_append(w->me->topics[0], &a) == 0)
			sim_fail(w, "close", "a closed engine accepted a record");
	}
	end_rest(w);
	while (w->me->n_held)
		sim_on_release(w);
	if (!kp_list_empty(&w->me->calls))
		sim_fail(w, "call", "a call has not ended with the engine");
	count_engine(w);
	kp_engine_free(w->me->engine);
	w->me->engine = NULL;
}

void sim_client_kill(sim_world *w)
{
	sim_client *me = w->me;
	kp_batch *b;
	SIM_TRACE(w, "client %d is killed", me->index);
	sim_conns_orphan(w);
	for (uint32_t i = 0; i < w->n_records; i++)
		if (w->records[i].client == me->index && w->records[i].n_reports == 0)
			w->records[i].is_tracked = false; /* nobody is left to report to */
	kp_engine_stop_accepting(me->engine);
	kp_engine_end_all(me->engine, KP_ERR_CLOSED, w->now_us);
	while (me->n_held) {
		kp_engine_release(me->engine, me->held[me->first_held++]);
		me->n_held--;
	}
	while ((b = kp_engine_next_ended(me->engine)))
		kp_engine_release(me->engine, b);
	me->n_ended = me->n_tracked;
	kp_engine_free(me->engine);
	me->engine = NULL;
}
