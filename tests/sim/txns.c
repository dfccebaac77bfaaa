/*
 * txns.c - transactional ids and their instances, which are killed, replaced and doubled; and the book of all transactions.
 */
#include "tests/sim/txn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INSTANCES_AT_CALM 3 /* of each id, kept back until then */

void sim_group_name(int id, int group, char *out, size_t size)
{
	snprintf(out, size, "group-%d-%d", id, group);
}

int sim_group_find(int id, kp_slice name)
{
	char group[32];
	for (int g = 0; g < SIM_GROUPS; g++) {
		sim_group_name(id, g, group, sizeof(group));
		if (kp_slice_equal(name, kp_slice_cstr(group)))
			return g;
	}
	return -1;
}

/* ------------------------------------------------------------------ instances */

static bool may_make(const sim_world *w)
{
	return w->n_clients < SIM_CLIENTS - (w->is_calm ? 0 : INSTANCES_AT_CALM * w->plan.n_txn_ids);
}

static void make_instance(sim_world *w, int id)
{
	sim_txn_id *t = &w->txns->ids[id];
	kp_engine_config config = w->plan.config;
	snprintf(config.transactional_id, sizeof(config.transactional_id), "%s", t->name);
	if (w->is_calm) /* what the bad weather let pass is no reason any more */
		config.transaction_timeout_ms = SIM_CALM_TIMEOUT_MS;
	t->newest = w->n_clients;
	(void)sim_client_new(w, &config);
	SIM_TRACE(w, "client %d is an instance of %s", w->me->index, t->name);
	sim_actor_begin(w, id);
}

static void plan_successor(sim_world *w, int id)
{
	sim_at(w, w->now_us + sim_spread(&w->application, 1, SIM_SECOND), SIM_EV_SUCCESSOR, NULL, id, 0);
}

void sim_on_successor(sim_world *w, const sim_event *ev)
{
	sim_txn_id *t = &w->txns->ids[ev->a];
	if (w->clients[t->newest]->engine || t->is_over)
		return;
	if (may_make(w))
		make_instance(w, ev->a);
	else if (w->is_calm)
		sim_fail(w, "I9", "%s: one instance after the other ends although the faults stopped long ago", t->name);
}

void sim_txn_died(sim_world *w)
{
	const sim_actor *a = w->me->actor;
	if (w->txns->ids[a->id].newest == w->me->index && !w->txns->ids[a->id].is_over)
		plan_successor(w, a->id);
}

static sim_client *any_alive(sim_world *w)
{
	uint32_t start = kp_random_below(&w->fate, (uint32_t)w->n_clients);
	for (int i = 0; i < w->n_clients; i++) {
		sim_client *c = w->clients[((int)start + i) % w->n_clients];
		if (c->engine && !c->actor->is_leaving)
			return c;
	}
	return NULL;
}

bool sim_kill_any(sim_world *w)
{
	sim_client *victim = w->txns ? any_alive(w) : NULL;
	if (!victim)
		return false;
	w->me = victim;
	sim_client_kill(w);
	sim_txn_died(w);
	return true;
}

/* The one at work is killed, or replaced, while it ends its transaction, if either waits for that. True: it is dead. */
bool sim_txn_kill_at_end(sim_world *w)
{
	sim_client *c = w->me;
	if (!c->engine || c->actor->is_leaving)
		return false;
	bool is_newest = w->txns->ids[c->actor->id].newest == c->index;
	if (is_newest && may_make(w) && sim_take_armed(w, SIM_ZOMBIE))
		make_instance(w, c->actor->id);
	w->me = c;
	if (!sim_take_armed(w, SIM_KILL))
		return false;
	sim_client_kill(w);
	sim_txn_died(w);
	return true;
}

bool sim_zombie_any(sim_world *w)
{
	sim_client *old = w->txns && may_make(w) ? any_alive(w) : NULL;
	if (!old || w->txns->ids[old->actor->id].newest != old->index)
		return false;
	make_instance(w, old->actor->id);
	return true;
}

/* ------------------------------------------------------------------ the run */

void sim_txns_begin(sim_world *w)
{
	w->txns = sim_alloc(NULL, sizeof(*w->txns));
	memset(w->txns, 0, sizeof(*w->txns));
	for (int i = 0; i < w->plan.n_txn_ids; i++) {
		snprintf(w->txns->ids[i].name, sizeof(w->txns->ids[i].name), "payments-%d", i);
		make_instance(w, i);
	}
}

void sim_txns_free(sim_world *w)
{
	if (!w->txns)
		return;
	free(w->txns->all);
	free(w->txns->asked);
	free(w->txns);
	for (int i = 0; i < w->n_clients; i++)
		free(w->clients[i]->actor);
}

bool sim_txns_are_over(const sim_world *w)
{
	for (int i = 0; i < w->plan.n_txn_ids; i++)
		if (!w->txns->ids[i].is_over)
			return false;
	for (int i = 0; i < w->n_clients; i++)
		if (w->clients[i]->engine)
			return false;
	return w->is_calm;
}

void sim_txns_calm(sim_world *w)
{
	if (!w->txns)
		return;
	for (int i = 0; i < w->n_clients; i++)
		if (w->clients[i]->engine && sim_actor_is_idle(w->clients[i]->actor)) {
			w->me = w->clients[i];
			sim_actor_wake(w, 0);
		}
	for (int i = 0; i < w->plan.n_txn_ids; i++)
		plan_successor(w, i);
}

void sim_on_txn_deadline(sim_world *w)
{
	for (int i = 0; i < w->plan.n_txn_ids; i++)
		if (!w->txns->ids[i].is_over)
			sim_fail(w, "I9", "%s commits no transaction although the faults stopped long ago", w->txns->ids[i].name);
	for (int i = 0; i < w->n_clients; i++)
		if (w->clients[i]->engine)
			sim_fail(w, "I9", "client %d does not come to its end although the faults stopped long ago", i);
}

/* ------------------------------------------------------------------ the book */

sim_txn *sim_txn_new(sim_world *w, int id)
{
	sim_txns *s = w->txns;
	if (s->n == s->cap) {
		s->cap = s->cap ? s->cap * 2 : 64;
		s->all = sim_alloc(s->all, s->cap * sizeof(*s->all));
	}
	sim_txn *t = &s->all[s->n++];
	*t = (sim_txn){.client = w->me->index, .id = id, .first_record = w->n_records, .commit_us = -1, .producer_id = -1};
	return t;
}

sim_txn *sim_txn_of(const sim_world *w, const sim_client *c)
{
	return c->actor && c->actor->txn >= 0 ? &w->txns->all[c->actor->txn] : NULL;
}

void sim_txn_accepted(sim_world *w, uint32_t index)
{
	sim_txn *t = sim_txn_of(w, w->me);
	if (!t || kp_engine_txn_state(w->me->engine) != KP_TXN_OPEN) {
		sim_fail(w, "txn", "record #%u was accepted outside a transaction", index);
		return;
	}
	w->records[index].txn = w->me->actor->txn + 1;
	t->n_records++;
}

uint32_t sim_txn_unpersisted(const sim_world *w, const sim_txn *t)
{
	int32_t number = (int32_t)(t - w->txns->all) + 1;
	for (uint32_t i = t->first_record, n = 0; i < w->n_records && n < t->n_records; i++) {
		const sim_record *r = &w->records[i];
		if (r->txn != number)
			continue;
		n++;
		if (r->is_tracked && (r->n_reports == 0 || r->outcome != KP_PERSISTED))
			return i + 1;
	}
	return 0;
}

bool sim_txn_is_overtaken(const sim_world *w, const sim_actor *a, int16_t epoch, int64_t at_us)
{
	for (int i = 0; i < w->n_clients; i++) {
		const sim_actor *other = w->clients[i]->actor;
		if (other != a && other->id == a->id && other->owned_us >= 0 && other->owned_us <= at_us &&
		    other->owned_epoch > epoch)
			return true;
	}
	return false;
}

bool sim_txn_is_zombie(const sim_world *w, const sim_txn *t)
{
	return t->producer_id >= 0 && sim_txn_is_overtaken(w, w->clients[t->client]->actor, t->producer_epoch, t->commit_us);
}
