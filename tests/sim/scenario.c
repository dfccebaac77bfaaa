/*
 * scenario.c - what a run is about, where that differs from what a plan draws.
 */
#include "tests/sim/memory.h"
#include "tests/sim/txn.h"

const sim_scenario_info sim_scenarios[SIM_N_SCENARIOS] = {
	[SIM_ANY] = {"any", "one of the others", 0},
	[SIM_FREE] = {"free", "everything is drawn", 11},
	[SIM_IDEMPOTENT] = {"idempotent", "acks=all with idempotence", 14},
	[SIM_ACKS1] = {"acks1", "acks=1: what was not replicated may be lost", 6},
	[SIM_ACKS0] = {"acks0", "acks=0: written, and no more is known", 4},
	[SIM_LEADERS] = {"leaders", "answers are held while leaders move, batches are small and many", 4},
	[SIM_PARTITIONS] = {"partitions", "dozens of partitions", 6},
	[SIM_MEMORY] = {"memory", "room for a few batches only", 6},
	[SIM_DELETIONS] = {"deletion", "topics are deleted and created again", 5},
	[SIM_UNCLEANS] = {"unclean", "replicas that lag are elected: acknowledged records are lost", 5},
	[SIM_EXPIRIES] = {"expiry", "brokers forget producers that are idle, and in half of the runs those that are not", 10},
	[SIM_TXN_CLASSIC] = {"transactions-classic", "transactions by KIP-98: partitions are added at the coordinator", 11},
	[SIM_TXN_V2] = {"transactions-v2", "transactions by KIP-890: an epoch for each", 15},
	[SIM_ALLOCATIONS] = {"allocation", "allocations of the engine fail until the network is calm", 3},
};

static void idempotent(sim_plan *p, kp_random *r)
{
	p->config.acks = -1;
	p->config.idempotent = true;
	p->config.max_in_flight = (int32_t)sim_range(r, 1, 5);
}

static void not_idempotent(sim_plan *p, int16_t acks)
{
	p->config.acks = acks;
	p->config.idempotent = false;
}

/* Each partition has a batch with records to blame, and these batches take all memory. */
static void culprits_everywhere(sim_plan *p, kp_random *r)
{
	kp_engine_config *c = &p->config;
	p->n_topics = 1;
	p->topics[0].created_us = 0;
	p->value_max = (uint32_t)sim_spread(r, 8, 100);
	p->percent_future = (int)sim_range(r, 10, 50);
	p->percent_oversize = 0;
	p->percent_explicit = 100;
	p->percent_purge = 0;
	p->burst_max = 400;
	p->hold_reports_us = sim_spread(r, SIM_MS, 20 * SIM_MS);
	c->batch_size = (int32_t)sim_spread(r, 200, 1000);
	c->buffer_memory = 2 * KP_BUDGET_MIN_BUFFER * p->topics[0].n_partitions;
	c->linger_us = sim_spread(r, 5 * SIM_MS, 20 * SIM_MS);
	c->max_queued_records = 0;
	c->full_policy = KP_FULL_BLOCK;
}

static void many_partitions(sim_plan *p, kp_random *r)
{
	for (int32_t i = 0; i < p->n_topics; i++) {
		sim_topic_plan *t = &p->topics[i];
		if (t->created_us > 0 && p->is_auto_create)
			continue; /* it gets as many as the cluster gives */
		t->n_partitions = (int32_t)sim_range(r, 16, SIM_PARTITIONS_MAX - 4);
		t->grown_to = t->n_partitions + (t->grows_us < KP_TIME_NEVER ? 4 : 0);
	}
	if (sim_chance(r, 15))
		culprits_everywhere(p, r);
}

/* The first of five batches has no answer, those behind it have theirs from the next leader. */
static void moving_leaders(sim_plan *p, kp_random *r)
{
	kp_engine_config *c = &p->config;
	idempotent(p, r);
	c->max_in_flight = (int32_t)sim_range(r, 2, 5);
	c->retries = INT32_MAX;
	c->batch_size = (int32_t)sim_spread(r, 1, 200);
	c->buffer_memory = 32 << 20;
	c->max_queued_records = 0;
	c->linger_us = 0;
	c->request_timeout_us = 30 * SIM_SECOND;
	c->delivery_timeout_us = 60 * SIM_SECOND;
	c->metadata_max_age_us = sim_spread(r, 5 * SIM_MS, 20 * SIM_MS); /* else the others leave on the same connection */
	p->n_nodes = p->n_nodes > 1 ? p->n_nodes : 2;
	p->n_topics = 1;
	p->topics[0].n_partitions = p->topics[0].grown_to = (int32_t)sim_range(r, 1, 2);
	p->topics[0].created_us = 0;
	p->topics[0].grows_us = KP_TIME_NEVER;
	p->latency_us = sim_spread(r, 20, SIM_MS);
	p->burst_max = 1;
	p->pause_max_us = sim_spread(r, 50 * SIM_MS, 200 * SIM_MS);
	p->n_records = p->n_records < 400 ? p->n_records : 400;
	p->n_faults = (uint32_t)sim_spread(r, 4, 40);
	p->fault_kinds = UINT64_C(1) << SIM_ANSWER_HELD |
	                 (sim_chance(r, 50) ? 0 : UINT64_C(1) << SIM_LEADER_MOVE | UINT64_C(1) << SIM_STALL);
	p->calm_us = p->n_records * p->pause_max_us / 10; /* pauses are short more often than long */
}

/* Room for one batch, and the broker takes so little that a batch's pieces need several times as much as it does. */
static void splits_without_room(sim_plan *p, kp_random *r)
{
	kp_engine_config *c = &p->config;
	p->value_max = (uint32_t)sim_spread(r, 8, 20);
	p->max_message_bytes = (int32_t)p->value_max + 280;
	p->percent_oversize = 0;
	p->burst_max = 400;
	/* a full batch just fits its buffer, its halves do not fit one of half the size */
	int32_t full = 1 << sim_range(r, 10, 13);
	c->batch_size = full - KP_BATCH_HEADER_SIZE;
	c->buffer_memory = 2 * full; /* or it could not grow so far */
	c->linger_us = 20 * SIM_MS;
	c->max_queued_records = 0;
	c->full_policy = KP_FULL_BLOCK;
}

static void little_memory(sim_plan *p, kp_random *r)
{
	kp_engine_config *c = &p->config;
	int64_t one = (int64_t)kp_budget_round((size_t)p->value_max + 200 + KP_BATCH_HEADER_SIZE) + KP_BUDGET_MIN_BUFFER;
	c->buffer_memory = one + sim_spread(r, 1, 4 * one);
	p->hold_reports_us = sim_chance(r, 50) ? 0 : sim_spread(r, 100, 20 * SIM_MS);
	if (sim_chance(r, 20))
		splits_without_room(p, r);
}

/* The application pauses for longer than a record may take. */
static void idle_producers(sim_plan *p, kp_random *r)
{
	kp_engine_config *c = &p->config;
	idempotent(p, r);
	c->request_timeout_us = sim_spread(r, 100 * SIM_MS, 500 * SIM_MS);
	c->delivery_timeout_us = c->request_timeout_us + c->linger_us + sim_spread(r, SIM_MS, 500 * SIM_MS);
	p->idle_us = c->delivery_timeout_us + sim_spread(r, SIM_MS, SIM_SECOND);
	p->calm_us += p->idle_us;
	p->fault_kinds |= UINT64_C(1) << SIM_EXPIRY;
	p->forgets_any_time = sim_chance(r, 50);
}

static void deletions(sim_plan *p)
{
	p->fault_kinds |= UINT64_C(1) << SIM_DELETION;
	for (int32_t i = 0; i < p->n_topics && p->is_auto_create; i++) {
		/* a Metadata request may create the topic again: as many partitions as before */
		p->topics[i].n_partitions = p->topics[i].grown_to = SIM_DEFAULT_PARTITIONS;
		p->topics[i].grows_us = KP_TIME_NEVER;
	}
}

/* Short transactions and long ones; several producers, some of which die, and some of which do not know that they are replaced. */
static void transactions(sim_plan *p, kp_random *r, int16_t version)
{
	kp_engine_config *c = &p->config;
	idempotent(p, r);
	p->has_txns = true;
	p->transaction_version = version;
	p->n_txn_ids = sim_chance(r, 60) ? 1 : (int)sim_range(r, 1, 3);
	p->most_in_txn = (uint32_t)sim_spread(r, 3, 200);
	p->percent_offsets = sim_chance(r, 40) ? 0 : (int)sim_range(r, 5, 80);
	p->percent_short_calls = sim_chance(r, 40) ? 0 : (int)sim_range(r, 1, 60);
	p->percent_close = sim_chance(r, 70) ? 0 : (int)sim_range(r, 1, 3);
	p->n_records = p->n_records < 600 ? p->n_records : 600;
	p->pause_max_us = p->pause_max_us < 20 * SIM_MS ? p->pause_max_us : 20 * SIM_MS;
	p->close_us = KP_TIME_NEVER;
	p->fault_kinds &= ~(UINT64_C(1) << SIM_EXPIRY);
	if (sim_chance(r, 85))
		p->fault_kinds |= SIM_TXN_FAULTS & (sim_chance(r, 50) ? ~UINT64_C(0) : kp_random_next(r));
	for (int32_t i = 0; i < p->n_topics; i++)
		if (i == 0 || p->topics[i].created_us == KP_TIME_NEVER)
			p->topics[i].created_us = 0;
	c->transaction_timeout_ms = sim_chance(r, 85) ? SIM_CALM_TIMEOUT_MS : (int32_t)sim_spread(r, 100, 2000);
	c->retries = c->retries > 0 ? c->retries : 1;
	c->full_policy = KP_FULL_BLOCK;
}

void sim_plan_scenario(sim_plan *p, kp_random *r)
{
	switch (p->scenario) {
	case SIM_IDEMPOTENT: idempotent(p, r); break;
	case SIM_ACKS1: not_idempotent(p, 1); break;
	case SIM_ACKS0: not_idempotent(p, 0); break;
	case SIM_LEADERS: moving_leaders(p, r); break;
	case SIM_PARTITIONS: many_partitions(p, r); break;
	case SIM_MEMORY: little_memory(p, r); break;
	case SIM_DELETIONS: deletions(p); break;
	case SIM_UNCLEANS: p->fault_kinds |= UINT64_C(1) << SIM_UNCLEAN; break;
	case SIM_EXPIRIES: idle_producers(p, r); break;
	case SIM_ALLOCATIONS: sim_memory_plan(p, r); break;
	case SIM_TXN_CLASSIC: transactions(p, r, (int16_t)sim_range(r, 0, 1)); break;
	case SIM_TXN_V2: transactions(p, r, 2); break;
	default: break;
	}
}
