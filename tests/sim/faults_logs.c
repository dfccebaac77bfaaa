/*
 * faults_logs.c - what goes wrong with logs: ends that are cut off, forgotten producers, deleted topics.
 *
 * What is lost without having been acknowledged by all replicas is lost by right. An unclean election and a deletion take acknowledged
 * records too; then brokers take any sequence of those who had state there, so the order of the topic's records is nobody's promise
 * any more (that none stands twice still is).
 */
#include "tests/sim/sim.h"

static const char *name_of(const sim_world *w, int32_t topic)
{
	return w->plan.topics[topic].name;
}

int32_t sim_any_other_node(sim_world *w, int32_t than)
{
	int32_t node = (int32_t)sim_range(&w->fate, 1, w->plan.n_nodes);
	return node == than ? 1 + node % w->plan.n_nodes : node;
}

static void truncate_log(sim_world *w, int32_t topic, int32_t partition, int64_t end_offset, bool may_be_lost)
{
	SIM_TRACE(w, "%s-%d is cut at %lld", name_of(w, topic), partition, (long long)end_offset);
	sim_check_loss(w, topic, partition, end_offset, may_be_lost);
	if (kp_db_truncate(w->db, name_of(w, topic), partition, end_offset))
		sim_fail(w, "sim", "a log cannot be cut");
}

/* ------------------------------------------------------------------ a crash with an end that was not replicated */

/* Let something gather above the high watermarks; then comes the crash. */
bool sim_log_cut_begin(sim_world *w)
{
	kp_db_set_hw_delay_us(w->db, sim_chance(&w->fate, 50) ? KP_TIME_NEVER : sim_spread(&w->fate, SIM_MS, SIM_SECOND));
	sim_at(w, w->now_us + sim_spread(&w->fate, 100, 300 * SIM_MS), SIM_EV_HEAL, NULL, SIM_LOG_CUT, 0);
	sim_at(w, w->now_us + sim_outage_us(w), SIM_EV_HEAL, NULL, SIM_SLOW_REPLICATION, 0);
	return false; /* counted when something was cut */
}

/* A leader of a partition whose end is not replicated yet; 0: there is none. */
static int32_t node_with_loose_end(sim_world *w)
{
	kp_db_partition_info info;
	for (int32_t t = 0; t < w->plan.n_topics; t++)
		for (int32_t i = 0; i < kp_db_n_partitions(w->db, name_of(w, t)); i++)
			if (!kp_db_partition_get(w->db, name_of(w, t), i, &info) && info.leader > 0 &&
			    info.end_offset > info.high_watermark && sim_chance(&w->fate, 70))
				return info.leader;
	return 0;
}

static void cut_those_of(sim_world *w, int32_t node)
{
	kp_db_partition_info info;
	bool is_replaced = w->plan.n_nodes > 1 && sim_chance(&w->fate, 60);
	for (int32_t t = 0; t < w->plan.n_topics; t++)
		for (int32_t i = 0; i < kp_db_n_partitions(w->db, name_of(w, t)); i++) {
			if (kp_db_partition_get(w->db, name_of(w, t), i, &info) || info.leader != node)
				continue;
			if (info.end_offset > info.high_watermark)
				truncate_log(w, t, i, sim_range(&w->fate, info.high_watermark, info.end_offset),
				             w->plan.config.acks != -1);
			if (is_replaced)
				sim_set_leader(w, t, i, sim_any_other_node(w, node));
		}
}

void sim_log_cut(sim_world *w)
{
	int32_t node = node_with_loose_end(w);
	if (node == 0)
		return;
	SIM_TRACE(w, "FAULT log cut, node %d", node);
	w->totals->faults[SIM_LOG_CUT]++;
	cut_those_of(w, node);
	(void)sim_node_down(w, node);
}

/* ------------------------------------------------------------------ an election of a replica that lags */

bool sim_unclean(sim_world *w)
{
	int32_t topic, partition;
	kp_db_partition_info info;
	if (w->plan.scenario != SIM_UNCLEANS || !sim_any_partition(w, &topic, &partition) ||
	    kp_db_partition_get(w->db, name_of(w, topic), partition, &info) || info.end_offset == info.start_offset)
		return false;
	w->is_disordered[topic] = true;
	truncate_log(w, topic, partition, sim_range(&w->fate, info.start_offset, info.end_offset), true);
	sim_set_leader(w, topic, partition, sim_any_other_node(w, info.leader));
	return true;
}

/* ------------------------------------------------------------------ deletion */

bool sim_delete_topic(sim_world *w)
{
	int32_t topic = (int32_t)sim_range(&w->fate, 0, w->plan.n_topics - 1);
	int32_t n = kp_db_n_partitions(w->db, name_of(w, topic));
	if (w->plan.scenario != SIM_DELETIONS || n == 0)
		return false;
	w->is_disordered[topic] = true;
	w->deleted_partitions[topic] = n;
	for (int32_t i = 0; i < n; i++)
		sim_check_loss(w, topic, i, 0, true);
	SIM_TRACE(w, "%s is deleted", name_of(w, topic));
	if (kp_db_delete_topic(w->db, name_of(w, topic)))
		sim_fail(w, "sim", "a topic cannot be deleted");
	sim_at(w, w->now_us + sim_outage_us(w), SIM_EV_HEAL, NULL, SIM_DELETION, topic);
	return true;
}

void sim_recreate_topic(sim_world *w, int32_t topic)
{
	int32_t n = w->deleted_partitions[topic];
	w->deleted_partitions[topic] = 0;
	if (n == 0 || kp_db_n_partitions(w->db, name_of(w, topic)) > 0)
		return; /* it is not deleted, or a Metadata request has created it */
	SIM_TRACE(w, "%s is created again", name_of(w, topic));
	if (kp_db_create_topic(w->db, name_of(w, topic), n, (int16_t)(w->plan.n_nodes < 3 ? w->plan.n_nodes : 3)))
		sim_fail(w, "sim", "a topic cannot be created");
}

/* ------------------------------------------------------------------ producer state */

/* Nothing is on its way to any broker: no late attempt can meet a broker that has forgotten the first. */
static bool is_quiet(const sim_world *w)
{
	for (size_t i = 0; i < w->n_conns; i++) {
		const sim_conn *c = w->conns[i];
		if (!c->is_broker_gone && (c->to_broker_bytes || c->inbox.len || kp_db_conn_is_waiting(w->db, c->serial)))
			return false;
	}
	return true;
}

static void forget(sim_world *w, int32_t topic, int32_t partition)
{
	kp_db_partition_info info;
	if (kp_db_partition_get(w->db, name_of(w, topic), partition, &info) || info.n_producers == 0)
		return;
	SIM_TRACE(w, "FAULT %s-%d forgets its producers", name_of(w, topic), partition);
	w->totals->faults[SIM_EXPIRY]++;
	w->armed[SIM_EXPIRY] = 0;
	if (kp_db_forget_producers(w->db, name_of(w, topic), partition, -1))
		sim_fail(w, "sim", "no such partition");
}

void sim_expire_producers(sim_world *w)
{
	int32_t topic, partition;
	if (w->armed[SIM_EXPIRY] == 0)
		return;
	if (w->is_forgetful) {
		if (sim_any_partition(w, &topic, &partition))
			forget(w, topic, partition);
		return;
	}
	if (!is_quiet(w))
		return;
	for (topic = 0; topic < w->plan.n_topics; topic++)
		for (partition = 0; partition < kp_db_n_partitions(w->db, name_of(w, topic)); partition++)
			if (w->now_us - w->last_produce_us[topic][partition] > w->plan.config.delivery_timeout_us)
				forget(w, topic, partition);
}
