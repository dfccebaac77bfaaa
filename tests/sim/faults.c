/*
 * faults.c - what goes wrong with connections, nodes and leaders, and how it heals. Logs: faults_logs.c; answers: judge.c, stale.c.
 */
#include <kproducer/error.h>

#include <stdio.h>
#include <stdlib.h>

#include "tests/sim/sim.h"

const char *const sim_fault_names[SIM_N_FAULTS] = {
	[SIM_RESET] = "reset",
	[SIM_RESET_BEFORE_APPEND] = "reset before append",
	[SIM_RESET_AFTER_APPEND] = "reset after append",
	[SIM_RESET_IN_WRITE] = "reset in write",
	[SIM_LATE_BYTES] = "late bytes",
	[SIM_LEADER_MOVE] = "leader move",
	[SIM_LEADER_FLIP] = "leader flip",
	[SIM_STEP_DOWN] = "step down",
	[SIM_ANSWER_HELD] = "answer held",
	[SIM_NODE_DOWN] = "node down",
	[SIM_REFUSE] = "refuse",
	[SIM_STALL] = "stall",
	[SIM_SLOW_REPLICATION] = "slow replication",
	[SIM_LOG_CUT] = "log cut",
	[SIM_STALE_METADATA] = "stale metadata",
	[SIM_THROTTLE] = "throttle",
	[SIM_SLOW_NODE] = "slow node",
	[SIM_PARTIAL_ANSWER] = "partial answer",
	[SIM_PRODUCE_ERROR] = "Produce error",
	[SIM_PRODUCE_ERROR_AFTER] = "Produce error after append",
	[SIM_METADATA_ERROR] = "Metadata error",
	[SIM_ID_ERROR] = "InitProducerId error",
	[SIM_EXPIRY] = "expired producers",
	[SIM_GROWTH] = "new partitions",
	[SIM_DELETION] = "topic deleted",
	[SIM_UNCLEAN] = "unclean election",
	[SIM_KILL] = "producer killed",
	[SIM_ZOMBIE] = "producer replaced alive",
	[SIM_COORDINATOR_MOVE] = "coordinator move",
	[SIM_COORDINATOR_ERROR] = "coordinator's error",
	[SIM_COORDINATOR_LOST] = "coordinator's answer lost",
	[SIM_SLOW_MARKERS] = "slow markers",
	[SIM_TXN_TIMEOUT] = "transaction timed out",
};

void sim_faults_schedule(sim_world *w)
{
	/* in one clump or spread over the run */
	bool is_clump = sim_chance(&w->fate, 30);
	int64_t at = is_clump ? sim_range(&w->fate, 0, w->plan.calm_us) : 0;
	int64_t width = is_clump ? sim_spread(&w->fate, 100, 200 * SIM_MS) : w->plan.calm_us;
	for (uint32_t i = 0; i < w->plan.n_faults; i++)
		sim_at(w, at + sim_range(&w->fate, 0, width), SIM_EV_FAULT, NULL, 0, 0);
	/* a producer id is asked for at the start, and seldom again */
	if (w->plan.fault_kinds >> SIM_ID_ERROR & 1 && sim_chance(&w->fate, 30))
		w->armed[SIM_ID_ERROR] = (int32_t)sim_range(&w->fate, 1, 3);
	/* so do leaders who have yet to learn of their partitions: before they know the producer, too */
	if (w->plan.fault_kinds >> SIM_PRODUCE_ERROR & 1 && sim_chance(&w->fate, 15)) {
		w->armed[SIM_PRODUCE_ERROR] = 1;
		w->next_code = KP_ERR_NOT_ENOUGH_REPLICAS;
	}
	sim_at(w, w->plan.calm_us, SIM_EV_CALM, NULL, 0, 0);
}

bool sim_take_armed(sim_world *w, sim_fault kind)
{
	if (w->armed[kind] == 0)
		return false;
	w->armed[kind]--;
	w->totals->faults[kind]++;
	SIM_TRACE(w, "FAULT %s", sim_fault_names[kind]);
	return true;
}

int64_t sim_outage_us(sim_world *w)
{
	return sim_spread(&w->fate, 1 * SIM_MS, 5 * SIM_SECOND);
}

static int32_t any_node(sim_world *w)
{
	return (int32_t)sim_range(&w->fate, 1, w->plan.n_nodes);
}

bool sim_any_partition(sim_world *w, int32_t *topic, int32_t *partition)
{
	*topic = (int32_t)sim_range(&w->fate, 0, w->plan.n_topics - 1);
	int32_t n = kp_db_n_partitions(w->db, w->plan.topics[*topic].name);
	if (n > 0)
		*partition = (int32_t)sim_range(&w->fate, 0, n - 1);
	return n > 0;
}

void sim_set_leader(sim_world *w, int32_t topic, int32_t partition, int32_t node)
{
	if (partition >= kp_db_n_partitions(w->db, w->plan.topics[topic].name))
		return; /* the topic was deleted meanwhile */
	SIM_TRACE(w, "%s-%d is led by node %d", w->plan.topics[topic].name, partition, node);
	if (kp_db_set_leader(w->db, w->plan.topics[topic].name, partition, node))
		sim_fail(w, "sim", "no such partition");
}

static bool move_leader(sim_world *w)
{
	int32_t topic, partition;
	if (!sim_any_partition(w, &topic, &partition))
		return false;
	int32_t to = sim_chance(&w->fate, 20) ? 0 : any_node(w);
	sim_set_leader(w, topic, partition, to);
	if (to == 0)
		sim_at(w, w->now_us + sim_outage_us(w), SIM_EV_HEAL, NULL, SIM_LEADER_MOVE, topic << 16 | partition);
	else if (sim_chance(&w->fate, 30)) /* and somewhere else soon: the election was not the last */
		sim_at(w, w->now_us + sim_spread(&w->fate, 10, 20 * SIM_MS), SIM_EV_HEAL, NULL, SIM_LEADER_MOVE,
		       topic << 16 | partition);
	return true;
}

/* Returns the one that it was, 0 if there was none. */
static int32_t move_to_other(sim_world *w, int32_t topic, int32_t partition)
{
	kp_db_partition_info info;
	if (kp_db_partition_get(w->db, w->plan.topics[topic].name, partition, &info))
		return 0;
	sim_set_leader(w, topic, partition, sim_any_other_node(w, info.leader));
	return info.leader;
}

/* Another node's connection breaks, so that the engine asks who leads now. It may ask anyhow. */
static void reset_not_of(sim_world *w, int32_t node)
{
	for (size_t i = w->n_conns; i-- > 0 && w->plan.config.metadata_max_age_us > SIM_SECOND;)
		if (w->conns[i]->is_open && w->conns[i]->node != node) {
			sim_conn_reset(w, w->conns[i], false);
			return;
		}
}

/* While an answer is held the leader moves on. Perhaps it did before: then the answer names a leader who is none any more. */
static void hold_answer(sim_world *w, const sim_strike *s)
{
	w->held_us = sim_spread(&w->fate, 100 * SIM_MS, SIM_HELD_MOST_US);
	if (sim_chance(&w->fate, 50))
		(void)move_to_other(w, s->topic, s->partition);
}

void sim_before_produce(sim_world *w, kp_slice frame, sim_strike *s)
{
	kp_db_partition_info info;
	if (w->armed[SIM_LEADER_FLIP] + w->armed[SIM_STEP_DOWN] + w->armed[SIM_ANSWER_HELD] == 0 ||
	    !sim_produce_partition(w, frame, &s->topic, &s->partition) ||
	    kp_db_partition_get(w->db, w->plan.topics[s->topic].name, s->partition, &info))
		return;
	s->leader = info.leader;
	s->is_flip = sim_take_armed(w, SIM_LEADER_FLIP);
	s->is_step_down = !s->is_flip && sim_take_armed(w, SIM_STEP_DOWN);
	s->is_held = !s->is_flip && !s->is_step_down && sim_take_armed(w, SIM_ANSWER_HELD);
	if (s->is_flip)
		sim_set_leader(w, s->topic, s->partition, 0);
	if (s->is_step_down)
		kp_db_set_hw_delay_us(w->db, sim_outage_us(w));
	if (s->is_held)
		hold_answer(w, s);
}

void sim_after_produce(sim_world *w, const sim_strike *s)
{
	w->held_us = 0;
	if (s->is_flip)
		sim_set_leader(w, s->topic, s->partition, s->leader);
	if (s->is_held)
		sim_at(w, w->now_us + sim_spread(&w->fate, 1, 20 * SIM_MS), SIM_EV_HEAL, NULL, SIM_ANSWER_HELD,
		       s->topic << 16 | s->partition);
	if (!s->is_step_down)
		return;
	sim_at(w, w->now_us + sim_spread(&w->fate, 1, 20 * SIM_MS), SIM_EV_HEAL, NULL, SIM_LEADER_MOVE,
	       s->topic << 16 | s->partition);
	sim_at(w, w->now_us + sim_outage_us(w), SIM_EV_HEAL, NULL, SIM_SLOW_REPLICATION, 0);
}

static void node_up(sim_world *w, int32_t node)
{
	if (w->nodes[node].is_up)
		return;
	SIM_TRACE(w, "node %d is up", node);
	w->nodes[node].is_up = true;
	if (kp_db_node_set_up(w->db, node, true))
		sim_fail(w, "sim", "no such node");
}

bool sim_node_down(sim_world *w, int32_t node)
{
	if (!w->nodes[node].is_up)
		return false;
	SIM_TRACE(w, "node %d is down", node);
	w->nodes[node].is_up = false;
	w->nodes[node].is_silent = sim_chance(&w->fate, 30);
	if (kp_db_node_set_up(w->db, node, false))
		sim_fail(w, "sim", "no such node");
	for (size_t i = 0; i < w->n_conns; i++)
		if (w->conns[i]->node == node && w->conns[i]->is_open && w->nodes[node].is_silent)
			sim_conn_vanish(w, w->conns[i]);
		else if (w->conns[i]->node == node && w->conns[i]->is_open)
			sim_conn_reset(w, w->conns[i], false);
	sim_at(w, w->now_us + sim_outage_us(w), SIM_EV_HEAL, NULL, SIM_NODE_DOWN, node);
	return true;
}

static bool reset_some(sim_world *w, bool is_late)
{
	sim_conn *c = sim_conn_any(w, &w->fate);
	if (c)
		sim_conn_reset(w, c, is_late);
	return c != NULL;
}

static bool slow_replication(sim_world *w)
{
	int64_t delay = sim_chance(&w->fate, 20) ? KP_TIME_NEVER : sim_spread(&w->fate, 100, 2 * SIM_SECOND);
	SIM_TRACE(w, "replication takes %lld us", (long long)delay);
	kp_db_set_hw_delay_us(w->db, delay);
	sim_at(w, w->now_us + sim_outage_us(w), SIM_EV_HEAL, NULL, SIM_SLOW_REPLICATION, 0);
	return true;
}

/* False: it could not be done now. */
static bool strike(sim_world *w, sim_fault kind)
{
	int32_t node = any_node(w);
	switch (kind) {
	case SIM_RESET: return reset_some(w, false);
	case SIM_LATE_BYTES: return reset_some(w, true);
	case SIM_LEADER_MOVE: return move_leader(w);
	case SIM_NODE_DOWN: return sim_node_down(w, node);
	case SIM_SLOW_REPLICATION: return slow_replication(w);
	case SIM_REFUSE: w->nodes[node].refuses_until_us = w->now_us + sim_outage_us(w); return true;
	case SIM_STALL: w->nodes[node].stalled_until_us = w->now_us + sim_outage_us(w); return true;
	case SIM_SLOW_NODE: w->nodes[node].slow_until_us = w->now_us + sim_outage_us(w); return true;
	case SIM_STALE_METADATA:
		w->nodes[node].stale_until_us = w->now_us + sim_outage_us(w);
		return false; /* counted by stale.c */
	case SIM_LOG_CUT: return sim_log_cut_begin(w);
	case SIM_UNCLEAN: return sim_unclean(w);
	case SIM_DELETION: return sim_delete_topic(w);
	case SIM_KILL:
	case SIM_ZOMBIE:
	case SIM_COORDINATOR_MOVE:
	case SIM_SLOW_MARKERS:
	case SIM_TXN_TIMEOUT: return sim_strike_txns(w, kind);
	case SIM_COORDINATOR_ERROR:
	case SIM_PRODUCE_ERROR:
	case SIM_METADATA_ERROR:
	case SIM_PRODUCE_ERROR_AFTER:
		w->armed[kind] += (int32_t)sim_range(&w->fate, 1, 4); /* in a row: what is sent again meets the next one */
		return false;
	default: w->armed[kind]++; return false; /* counted when its moment has come */
	}
}

void sim_on_fault(sim_world *w)
{
	uint64_t kinds = w->plan.fault_kinds & ((UINT64_C(1) << SIM_N_FAULTS) - 1);
	if (w->is_calm || kinds == 0)
		return;
	sim_fault kind;
	do
		kind = (sim_fault)kp_random_below(&w->fate, SIM_N_FAULTS);
	while (!(kinds >> kind & 1));
	SIM_TRACE(w, "fault: %s", sim_fault_names[kind]);
	w->totals->faults[kind] += strike(w, kind);
}

void sim_on_heal(sim_world *w, const sim_event *ev)
{
	if (w->is_calm)
		return;
	if (ev->a == SIM_NODE_DOWN)
		node_up(w, ev->b);
	else if (ev->a == SIM_LOG_CUT)
		sim_log_cut(w);
	else if (ev->a == SIM_COORDINATOR_MOVE)
		sim_coordinators_heal(w);
	else if (ev->a == SIM_SLOW_MARKERS)
		kp_db_set_marker_delay_us(w->db, 0);
	else if (ev->a == SIM_DELETION)
		sim_recreate_topic(w, ev->b);
	else if (ev->a == SIM_ANSWER_HELD)
		reset_not_of(w, move_to_other(w, ev->b >> 16, ev->b & 0xffff));
	else if (ev->a == SIM_SLOW_REPLICATION)
		kp_db_set_hw_delay_us(w->db, 0);
	else
		sim_set_leader(w, ev->b >> 16, ev->b & 0xffff, any_node(w));
}

void sim_on_calm(sim_world *w)
{
	if (w->is_calm)
		return;
	SIM_TRACE(w, "calm: everything heals");
	w->is_calm = true;
	kp_db_set_hw_delay_us(w->db, 0);
	kp_db_set_marker_delay_us(w->db, 0);
	sim_coordinators_heal(w);
	for (int k = 0; k < SIM_N_FAULTS; k++)
		w->armed[k] = 0;
	for (int32_t i = 1; i <= w->plan.n_nodes; i++) {
		node_up(w, i);
		w->nodes[i].refuses_until_us = w->nodes[i].slow_until_us = w->nodes[i].stale_until_us = 0;
		if (w->nodes[i].stalled_until_us > w->now_us)
			w->nodes[i].stalled_until_us = w->now_us;
	}
	for (int32_t t = 0; t < w->plan.n_topics; t++) {
		kp_db_partition_info info;
		sim_recreate_topic(w, t);
		int32_t n = kp_db_n_partitions(w->db, w->plan.topics[t].name);
		for (int32_t i = 0; i < n; i++)
			if (kp_db_partition_get(w->db, w->plan.topics[t].name, i, &info) == 0 && info.leader == 0)
				sim_set_leader(w, t, i, any_node(w));
	}
}
