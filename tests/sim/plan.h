/*
 * plan.h - what a seed decides before its run begins (plan.c, scenario.c), and the chances it is decided by.
 */
#ifndef KP_TESTS_SIM_PLAN_H
#define KP_TESTS_SIM_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/random.h"
#include "base/time.h"
#include "producer/engine.h"

#define SIM_NODES 4
#define SIM_CLIENTS 24 /* producers of a run, one after the other or at once */
#define SIM_TOPICS 3
#define SIM_PARTITIONS_MAX 64    /* of a topic */
#define SIM_DEFAULT_PARTITIONS 3 /* of topics that are created by a Metadata request */
#define SIM_MS ((int64_t)1000)
#define SIM_SECOND ((int64_t)1000000)
#define SIM_HELD_MOST_US (5 * SIM_SECOND) /* an answer is held */
#define SIM_WALL_MS_AT_ZERO INT64_C(1700000000000)

typedef enum sim_fault {
	SIM_RESET,               /* a connection breaks; what was under way in it is lost */
	SIM_RESET_BEFORE_APPEND, /* the next Produce request is lost with its connection */
	SIM_RESET_AFTER_APPEND,  /* the next Produce request is carried out, its answer is lost with the connection */
	SIM_RESET_IN_WRITE,      /* the connection breaks when a part of what is to be written is with the kernel */
	SIM_LATE_BYTES,          /* the client sees a reset, but what it sent arrives all the same, later */
	SIM_LEADER_MOVE,         /* another node, or for a while none */
	SIM_LEADER_FLIP,         /* away when the next Produce request arrives, and back behind it */
	SIM_STEP_DOWN,           /* the leader of the next Produce request moves while acks=all waits for the high watermark */
	SIM_ANSWER_HELD,         /* of the next Produce request, while the leader moves on */
	SIM_NODE_DOWN,           /* refuses or swallows connections, drops the present ones; comes back */
	SIM_REFUSE,              /* a node refuses connections for a while, the present ones live */
	SIM_STALL,               /* nothing moves to or from a node for a while */
	SIM_SLOW_REPLICATION,    /* acks=all waits for the high watermark */
	SIM_LOG_CUT,        /* a leader crashes; the log goes on without what was above some point at or over the high watermark */
	SIM_STALE_METADATA, /* a node answers Metadata as it did some time ago, for a while */
	SIM_THROTTLE,       /* an answer asks for a pause, and the broker is mute that long (KIP-219) */
	SIM_SLOW_NODE,      /* requests wait at a node for a while */
	SIM_PARTIAL_ANSWER, /* a part of an answer, then the end of the connection */
	SIM_PRODUCE_ERROR,  /* partitions of a Produce request are refused with any code */
	SIM_PRODUCE_ERROR_AFTER, /* they are appended, and answered with a code that leaves that open */
	SIM_METADATA_ERROR,      /* topics of a Metadata request are answered with any code */
	SIM_ID_ERROR,            /* so is an InitProducerId request */
	SIM_EXPIRY,              /* brokers forget idle producers (in the expiry scenario: all, at any time) */
	SIM_GROWTH,              /* a topic has more partitions; planned, not drawn */
	SIM_DELETION,            /* a topic is deleted, and created again; only in its scenario */
	SIM_UNCLEAN,             /* an acknowledged end of a log is lost; only in its scenario */
	SIM_KILL, /* a producer is gone without a word, and another takes its transactional id; as the rest only in the transactions' */
	SIM_ZOMBIE,            /* another takes the id of one that goes on */
	SIM_COORDINATOR_MOVE,  /* another node, or for a while none */
	SIM_COORDINATOR_ERROR, /* the next requests to a coordinator, or for one, are refused with any code */
	SIM_COORDINATOR_LOST,  /* the next one is carried out, its answer is lost with the connection */
	SIM_SLOW_MARKERS,      /* EndTxn is answered long before its markers are written */
	SIM_TXN_TIMEOUT,       /* the coordinator aborts a transaction for its age */
	SIM_N_FAULTS
} sim_fault;

/* Only where there are transactions. */
#define SIM_TXN_FAULTS (((UINT64_C(1) << SIM_N_FAULTS) - 1) & ~((UINT64_C(1) << SIM_KILL) - 1))

#define SIM_N_CODES 135 /* Kafka's error codes, -1 .. 133: code c has index c + 1 */

extern const char *const sim_fault_names[SIM_N_FAULTS];

/* What a run is about; ANY draws one of the others by the seed. */
typedef enum sim_scenario {
	SIM_ANY,
	SIM_FREE, /* everything drawn */
	SIM_IDEMPOTENT,
	SIM_ACKS1,
	SIM_ACKS0,
	SIM_LEADERS,    /* that move while answers are held */
	SIM_PARTITIONS, /* many */
	SIM_MEMORY,     /* very little */
	SIM_DELETIONS,
	SIM_UNCLEANS,
	SIM_EXPIRIES,
	SIM_ALLOCATIONS,
	SIM_TXN_CLASSIC,
	SIM_TXN_V2,
	SIM_N_SCENARIOS
} sim_scenario;

typedef struct sim_scenario_info {
	const char *name, *text;
	int share; /* of the runs, when none was asked for */
} sim_scenario_info;

extern const sim_scenario_info sim_scenarios[SIM_N_SCENARIOS];

typedef struct sim_topic_plan {
	char name[24];
	int32_t n_partitions, grown_to;
	int64_t created_us; /* 0: from the start; KP_TIME_NEVER: by the engine's Metadata request, if that is allowed */
	int64_t grows_us;   /* KP_TIME_NEVER: never */
} sim_topic_plan;

/* What one seed decides before the run begins. */
typedef struct sim_plan {
	uint64_t seed;
	sim_scenario scenario;
	kp_engine_config config;
	int32_t n_nodes, n_topics, max_message_bytes; /* of a batch: a larger one is refused, and split */
	sim_topic_plan topics[SIM_TOPICS];
	bool is_auto_create;
	int32_t n_bootstrap; /* how many nodes are named as servers; the first name may be of a server that is not there */
	bool has_dead_server;
	/* application */
	uint32_t n_records;
	uint32_t value_min, value_max;
	int32_t n_keys, max_headers;
	int percent_keyed, percent_explicit, percent_unknown_partition, percent_old_timestamp, percent_oversize;
	int percent_future; /* of the records are dated so late that a broker takes all of their batch but them (KIP-467) */
	uint32_t burst_max;
	int64_t pause_max_us; /* between two bursts */
	int64_t max_block_us;
	int percent_flush, percent_purge, percent_call; /* of the application's steps */
	bool flush_blocks;                              /* no append while a flush is under way */
	int64_t hold_reports_us;                        /* ended batches are released that much later */
	int64_t close_us;                               /* the engine is closed in the middle; KP_TIME_NEVER: when all is done */
	int64_t close_timeout_us;                       /* it has so long to send what it has */
	int64_t idle_us;                                /* the application pauses once so long; 0: never */
	int64_t resume_us;                              /* until a partition that halted is told to go on, at most */
	int16_t first_epoch;                            /* of each producer id */
	bool forgets_any_time;                          /* brokers forget producers that are not idle, too */
	/* transactions */
	bool has_txns;
	int16_t transaction_version; /* of the cluster */
	int n_txn_ids;
	uint32_t most_in_txn; /* records */
	int percent_offsets, percent_short_calls, percent_close;
	/* network */
	int64_t latency_us, jitter_us;
	int percent_spike; /* of the deliveries take up to 50 times as long */
	int percent_partial_write, percent_chunked, percent_bytewise;
	/* faults */
	uint32_t n_faults;
	uint64_t fault_kinds; /* bit set */
	int64_t calm_us;      /* no fault from then on, everything heals */
	/* the engine's allocations, see memory.c: a share of them fails, or, at 0 percent, a row from the first on */
	bool has_alloc_failures;
	int alloc_percent;
	uint64_t alloc_first, alloc_row;
} sim_plan;

void sim_plan_scenario(sim_plan *plan, kp_random *r); /* scenario.c: what the scenario wants otherwise */
void sim_plan_make(sim_plan *plan, uint64_t seed, sim_scenario scenario);

static inline bool sim_chance(kp_random *r, int percent)
{
	return (int)kp_random_below(r, 100) < percent;
}

/* Uniform in low .. high, both included. */
static inline int64_t sim_range(kp_random *r, int64_t low, int64_t high)
{
	return low + (int64_t)(kp_random_unit(r) * (double)(high - low + 1));
}

/* Small numbers as often as large ones: log-uniform in low .. high, low > 0. */
int64_t sim_spread(kp_random *r, int64_t low, int64_t high);

#endif
