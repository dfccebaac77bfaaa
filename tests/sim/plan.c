/*
 * plan.c - what a seed decides before its run begins: configuration, cluster, workload, network, faults.
 *
 * Each choice is made with a chance of being extreme, so that small buffers, short time-outs and lone records meet.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tests/sim/memory.h"

int64_t sim_spread(kp_random *r, int64_t low, int64_t high)
{
	double x = exp(log((double)low) + kp_random_unit(r) * (log((double)high + 1) - log((double)low)));
	return x < (double)low ? low : x > (double)high ? high : (int64_t)x;
}

static void plan_application(sim_plan *p, kp_random *r)
{
	p->value_min = 8;
	p->value_max = (uint32_t)sim_spread(r, 8, sim_chance(r, 15) ? 20000 : 600);
	/* about the same number of bytes in each run, so that none takes long */
	double mean = (p->value_min + p->value_max) / 2.0 + 20;
	uint32_t most = (uint32_t)(600000 / mean);
	p->n_records = (uint32_t)sim_spread(r, sim_chance(r, 10) ? 1 : 200, most > 2000 ? 2000 : most < 200 ? 200 : most);
	p->n_keys = (int32_t)sim_spread(r, 1, 50);
	p->max_headers = sim_chance(r, 30) ? (int32_t)sim_range(r, 1, 4) : 0;
	p->percent_keyed = sim_chance(r, 40) ? 0 : (int)sim_range(r, 1, 100);
	p->percent_explicit = sim_chance(r, 60) ? 0 : (int)sim_range(r, 1, 100);
	p->percent_unknown_partition = sim_chance(r, 80) ? 0 : (int)sim_range(r, 1, 10);
	p->percent_old_timestamp = sim_chance(r, 80) ? 0 : 3;
	p->percent_oversize = sim_chance(r, 90) ? 0 : 2;
	p->percent_future = sim_chance(r, 85) ? 0 : (int)sim_range(r, 1, 5);
	p->burst_max = (uint32_t)sim_spread(r, 1, 200);
	p->pause_max_us = sim_spread(r, 200, 100 * SIM_MS);
	p->max_block_us = sim_chance(r, 70) ? 60 * SIM_SECOND : sim_spread(r, 1 * SIM_MS, 500 * SIM_MS);
	p->percent_flush = sim_chance(r, 60) ? 0 : (int)sim_range(r, 1, 20);
	p->flush_blocks = sim_chance(r, 50);
	p->percent_purge = sim_chance(r, 90) ? 0 : (int)sim_range(r, 1, 5);
	p->percent_call = sim_chance(r, 70) ? 0 : (int)sim_range(r, 1, 20);
	p->hold_reports_us = sim_chance(r, 85) ? 0 : sim_spread(r, 100, 20 * SIM_MS);
}

static void plan_cluster(sim_plan *p, kp_random *r)
{
	p->n_nodes = (int32_t)sim_range(r, 1, SIM_NODES);
	p->n_topics = sim_chance(r, 50) ? 1 : (int32_t)sim_range(r, 1, SIM_TOPICS);
	p->is_auto_create = sim_chance(r, 50);
	for (int32_t i = 0; i < p->n_topics; i++) {
		sim_topic_plan *t = &p->topics[i];
		snprintf(t->name, sizeof(t->name), "topic-%d", (int)i);
		t->n_partitions = (int32_t)sim_spread(r, 1, 8);
		t->created_us = sim_chance(r, 70) ? 0 : sim_chance(r, 80) ? sim_spread(r, 100, 2 * SIM_SECOND) : KP_TIME_NEVER;
		if (t->created_us > 0 && p->is_auto_create) /* the engine's Metadata request may be first */
			t->n_partitions = SIM_DEFAULT_PARTITIONS;
		t->grows_us = KP_TIME_NEVER;
		t->grown_to = t->n_partitions;
		if (t->created_us == 0 && sim_chance(r, 10)) {
			t->grows_us = sim_spread(r, 1 * SIM_MS, 2 * SIM_SECOND);
			t->grown_to += (int32_t)sim_range(r, 1, 4);
		}
	}
	p->n_bootstrap = (int32_t)sim_range(r, 1, p->n_nodes);
	p->has_dead_server = sim_chance(r, 15);
}

static void plan_network(sim_plan *p, kp_random *r)
{
	p->latency_us = sim_spread(r, 20, 5 * SIM_MS);
	p->jitter_us = sim_spread(r, 1, 2 * p->latency_us);
	p->percent_spike = sim_chance(r, 50) ? 0 : (int)sim_range(r, 1, 5);
	p->percent_partial_write = sim_chance(r, 40) ? 0 : (int)sim_range(r, 1, 60);
	p->percent_chunked = sim_chance(r, 40) ? 0 : (int)sim_range(r, 1, 60);
	p->percent_bytewise = sim_chance(r, 90) ? 0 : 5;
}

static void plan_faults(sim_plan *p, kp_random *r)
{
	p->n_faults = sim_chance(r, 10) ? 0 : (uint32_t)sim_spread(r, 1, 60);
	/* half of the runs are about a few kinds, so that each kind meets itself */
	p->fault_kinds = (sim_chance(r, 50) ? ~UINT64_C(0) : kp_random_next(r)) &
	                 ~(UINT64_C(1) << SIM_GROWTH | UINT64_C(1) << SIM_DELETION | UINT64_C(1) << SIM_UNCLEAN | SIM_TXN_FAULTS);
	int64_t expected = (int64_t)(p->n_records / (p->burst_max / 2 + 1) + 1) * p->pause_max_us / 2;
	p->calm_us = expected + sim_spread(r, 50 * SIM_MS, 3 * SIM_SECOND);
	if (p->calm_us > 20 * SIM_SECOND)
		p->calm_us = 20 * SIM_SECOND;
	p->close_us = sim_chance(r, 88) ? KP_TIME_NEVER : sim_range(r, 0, p->calm_us);
	p->close_timeout_us = sim_chance(r, 50) ? 0 : sim_spread(r, SIM_MS, 5 * SIM_SECOND);
}

static void config_delivery(sim_plan *p, kp_engine_config *c, kp_random *r)
{
	c->acks = (int16_t)(sim_chance(r, 70) ? -1 : sim_chance(r, 60) ? 1 : 0);
	c->idempotent = c->acks == -1 && sim_chance(r, 85);
	c->max_in_flight = (int32_t)sim_range(r, 1, c->idempotent ? 5 : 8);
	c->retries = sim_chance(r, 90) ? INT32_MAX : (int32_t)sim_range(r, 0, 3);
	c->retry_backoff_us = sim_spread(r, 1 * SIM_MS, 100 * SIM_MS);
	c->retry_backoff_max_us = c->retry_backoff_us * sim_range(r, 1, 10);
	c->request_timeout_us = sim_chance(r, 60) ? sim_spread(r, 100 * SIM_MS, 3 * SIM_SECOND) : 30 * SIM_SECOND;
	c->delivery_timeout_us = c->request_timeout_us + c->linger_us +
	                         (sim_chance(r, 30) ? sim_spread(r, 1 * SIM_MS, 500 * SIM_MS) : 60 * SIM_SECOND);
	for (int32_t i = 0; i < p->n_topics && !p->is_auto_create; i++) {
		if (p->topics[i].created_us < KP_TIME_NEVER)
			continue;
		/* a topic that never comes into being keeps its records, and the engine asking for it, that long */
		c->request_timeout_us = 300 * SIM_MS;
		c->delivery_timeout_us = 2 * SIM_SECOND;
		c->retry_backoff_max_us = SIM_SECOND;
	}
}

static void config_batching(const sim_plan *p, kp_engine_config *c, kp_random *r)
{
	size_t record = p->value_max + 200, one = kp_budget_round(record + KP_BATCH_HEADER_SIZE) + KP_BUDGET_MIN_BUFFER;
	c->linger_us = sim_chance(r, 30) ? 0 : sim_spread(r, 100, 20 * SIM_MS);
	c->batch_size = (int32_t)(sim_chance(r, 20) ? 1000000 : sim_spread(r, 1, 50000));
	c->buffer_memory = sim_chance(r, 50) ? 32 << 20 : (int64_t)one + sim_spread(r, 1, 64 * (int64_t)one);
	c->max_request_size = sim_chance(r, 60) ? 1 << 20 : (int32_t)record + (int32_t)sim_spread(r, 100, 50000);
	c->max_queued_records = sim_chance(r, 90) ? 0 : sim_spread(r, 20, 200);
	c->full_policy = sim_chance(r, 80) ? KP_FULL_BLOCK : sim_chance(r, 50) ? KP_FULL_REFUSE : KP_FULL_DROP_OLDEST;
	c->codec = sim_chance(r, 85) ? KP_CODEC_NONE : (kp_codec_type)sim_range(r, 1, KP_CODEC_COUNT - 1);
	c->codec_level = KP_CODEC_LEVEL_DEFAULT;
	c->reports = sim_chance(r, 85) ? KP_REPORTS_ALL : sim_chance(r, 50) ? KP_REPORTS_ERRORS : KP_REPORTS_NONE;
}

static void config_cluster(kp_engine_config *c, kp_random *r)
{
	c->ignore_keys = sim_chance(r, 10);
	c->adaptive = sim_chance(r, 80);
	c->availability_timeout_us = sim_chance(r, 70) ? 0 : sim_spread(r, 1 * SIM_MS, 500 * SIM_MS);
	c->allow_auto_create = true;
	c->metadata_max_age_us = sim_chance(r, 45) ? 300 * SIM_SECOND : sim_spread(r, 20 * SIM_MS, 5 * SIM_SECOND);
	c->metadata_max_idle_us = 300 * SIM_SECOND;
	c->rebootstrap = sim_chance(r, 90);
	c->rebootstrap_trigger_us = sim_chance(r, 60) ? 300 * SIM_SECOND : sim_spread(r, 100 * SIM_MS, 10 * SIM_SECOND);
	c->reconnect_backoff_us = sim_spread(r, 1 * SIM_MS, 50 * SIM_MS);
	c->reconnect_backoff_max_us = c->reconnect_backoff_us * sim_range(r, 1, 20);
	c->connections_max_idle_us = sim_chance(r, 60) ? -1 : sim_spread(r, 10 * SIM_MS, 10 * SIM_SECOND);
	snprintf(c->client_id, sizeof(c->client_id), "sim");
}

/* Batches are larger than the broker takes, each record alone is not. */
static void plan_message_limit(sim_plan *p, kp_random *r)
{
	bool is_little_memory = p->scenario == SIM_MEMORY;
	if (sim_chance(r, is_little_memory ? 40 : 15) && p->percent_oversize == 0)
		p->max_message_bytes = (int32_t)p->value_max + 700 + (int32_t)sim_spread(r, 1, 20000);
}

/* What only a producer with idempotence has: a partition that halts, epochs that come to their end. */
static void plan_sequences(sim_plan *p, kp_random *r)
{
	bool is_halting = sim_chance(r, 20), is_late = sim_chance(r, 15);
	p->resume_us = sim_spread(r, SIM_MS, SIM_SECOND);
	if (sim_chance(r, 30))
		p->config.first_sequence = INT32_MAX - (int32_t)sim_spread(r, 1, 500);
	if (is_late)
		p->first_epoch = (int16_t)(INT16_MAX - sim_range(r, 0, 2));
	if (is_halting && p->config.idempotent)
		p->config.on_gap = KP_GAP_HALT;
}

static sim_scenario draw_scenario(kp_random *r)
{
	int at = (int)kp_random_below(r, 100), i = SIM_FREE;
	while (i < SIM_N_SCENARIOS - 1 && (at -= sim_scenarios[i].share) >= 0)
		i++;
	return (sim_scenario)i;
}

void sim_plan_make(sim_plan *p, uint64_t seed, sim_scenario scenario)
{
	kp_random r;
	memset(p, 0, sizeof(*p));
	p->seed = seed;
	kp_random_init(&r, seed);
	sim_scenario drawn = draw_scenario(&r); /* also when it is not wanted: the rest is the same then */
	p->scenario = scenario == SIM_ANY ? drawn : scenario;
	plan_application(p, &r);
	plan_cluster(p, &r);
	plan_network(p, &r);
	plan_faults(p, &r);
	config_batching(p, &p->config, &r);
	config_delivery(p, &p->config, &r);
	config_cluster(&p->config, &r);
	if (sim_chance(&r, 2))
		sim_memory_plan(p, &r);
	plan_message_limit(p, &r);
	sim_plan_scenario(p, &r);
	plan_sequences(p, &r);
	if (p->has_txns) {
		p->first_epoch = 0; /* ids and epochs are the coordinator's */
		p->config.first_sequence = 0;
		p->config.on_gap = KP_GAP_CONTINUE;
	}
	if (p->percent_bytewise && p->scenario == SIM_PARTITIONS)
		p->config.metadata_max_age_us = 300 * SIM_SECOND; /* an event a byte: large answers must not come all the time */
}
