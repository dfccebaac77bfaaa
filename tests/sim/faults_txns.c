/*
 * faults_txns.c - what goes wrong with coordinators and with producers themselves. Their answers: judge.c; their connections: faults.c.
 */
#include "tests/sim/txn.h"

#include <stdio.h>

/* A transactional id or one of its groups. */
static int8_t any_key(sim_world *w, char *key, size_t size)
{
	int id = (int)kp_random_below(&w->fate, (uint32_t)w->plan.n_txn_ids);
	if (sim_chance(&w->fate, 30)) {
		sim_group_name(id, (int)kp_random_below(&w->fate, SIM_GROUPS), key, size);
		return KP_DB_COORDINATOR_GROUP;
	}
	snprintf(key, size, "%s", w->txns->ids[id].name);
	return KP_DB_COORDINATOR_TRANSACTION;
}

static void set_coordinator(sim_world *w, int8_t type, const char *key, int32_t node)
{
	SIM_TRACE(w, "%s is coordinated by node %d", key, node);
	if (kp_db_set_coordinator(w->db, type, key, node))
		sim_fail(w, "sim", "no such coordinator");
}

static bool move_coordinator(sim_world *w)
{
	char key[32];
	int8_t type = any_key(w, key, sizeof(key));
	int32_t to = sim_chance(&w->fate, 30) ? 0 : (int32_t)sim_range(&w->fate, 1, w->plan.n_nodes);
	if (to == kp_db_coordinator(w->db, type, key))
		return false;
	set_coordinator(w, type, key, to);
	if (to == 0)
		sim_at(w, w->now_us + sim_outage_us(w), SIM_EV_HEAL, NULL, SIM_COORDINATOR_MOVE, 0);
	return true;
}

void sim_coordinators_heal(sim_world *w)
{
	char group[32];
	if (!w->txns)
		return;
	for (int id = 0; id < w->plan.n_txn_ids; id++) {
		if (kp_db_coordinator(w->db, KP_DB_COORDINATOR_TRANSACTION, w->txns->ids[id].name) == 0)
			set_coordinator(w, KP_DB_COORDINATOR_TRANSACTION, w->txns->ids[id].name, KP_DB_COORDINATOR_BY_HASH);
		for (int g = 0; g < SIM_GROUPS; g++) {
			sim_group_name(id, g, group, sizeof(group));
			if (kp_db_coordinator(w->db, KP_DB_COORDINATOR_GROUP, group) == 0)
				set_coordinator(w, KP_DB_COORDINATOR_GROUP, group, KP_DB_COORDINATOR_BY_HASH);
		}
	}
}

static bool slow_markers(sim_world *w)
{
	int64_t delay_us = sim_spread(&w->fate, 100, 2 * SIM_SECOND);
	SIM_TRACE(w, "markers are written %lld us late", (long long)delay_us);
	kp_db_set_marker_delay_us(w->db, delay_us);
	sim_at(w, w->now_us + sim_outage_us(w), SIM_EV_HEAL, NULL, SIM_SLOW_MARKERS, 0);
	return true;
}

static bool time_out(sim_world *w)
{
	const char *id = w->txns->ids[kp_random_below(&w->fate, (uint32_t)w->plan.n_txn_ids)].name;
	SIM_TRACE(w, "the coordinator ends the transaction of %s", id);
	return kp_db_expire_txn(w->db, id, w->now_us) == 0;
}

bool sim_strike_txns(sim_world *w, sim_fault kind)
{
	if (!w->txns)
		return false;
	if ((kind == SIM_KILL || kind == SIM_ZOMBIE) && sim_chance(&w->fate, 50)) {
		w->armed[kind]++; /* when a transaction is being ended */
		return false;
	}
	switch (kind) {
	case SIM_KILL: return sim_kill_any(w);
	case SIM_ZOMBIE: return sim_zombie_any(w);
	case SIM_COORDINATOR_MOVE: return move_coordinator(w);
	case SIM_SLOW_MARKERS: return slow_markers(w);
	case SIM_TXN_TIMEOUT: return time_out(w);
	default: return false;
	}
}
