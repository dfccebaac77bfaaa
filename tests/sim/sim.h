/*
 * sim.h - the deterministic simulator: the real engine, a virtual clock, in-memory byte streams, the development broker's core.
 *
 *   workload ─▶ engine ─▶ actions, bytes ─▶ streams ─▶ broker's core ─▶ answers ─▶ streams ─▶ engine ─▶ ended batches ─▶ checks
 *                                              ▲ faults.c: resets, leaders, nodes, logs · judge.c: errors, throttles · stale.c
 *
 * Everything a run does comes from its seed: the plan (configuration, cluster, workload) and three random sources, for the network, the
 * faults and the application. Nothing reads a clock, so a failing seed replays exactly. The simulator plays the client's part: it steps
 * the engine only when an event came, the engine asked for a wake-up, or its deadline is there; what is lost then, hangs.
 */
#ifndef KP_TESTS_SIM_H
#define KP_TESTS_SIM_H

#include "base/buf.h"
#include "base/list.h"
#include "base/random.h"
#include "base/time.h"
#include "devbroker/core.h"
#include "producer/engine.h"
#include "wire/msg_produce.h"

#define SIM_NODES 4
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
	SIM_N_FAULTS
} sim_fault;

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
	/* network */
	int64_t latency_us, jitter_us;
	int percent_spike; /* of the deliveries take up to 50 times as long */
	int percent_partial_write, percent_chunked, percent_bytewise;
	/* faults */
	uint32_t n_faults;
	uint32_t fault_kinds; /* bit set */
	int64_t calm_us;      /* no fault from then on, everything heals */
	/* the engine's allocations, see memory.c: a share of them fails, or, at 0 percent, a row from the first on */
	bool has_alloc_failures;
	int alloc_percent;
	uint64_t alloc_first, alloc_row;
} sim_plan;

void sim_plan_scenario(sim_plan *plan, kp_random *r); /* scenario.c: what the scenario wants otherwise */
void sim_plan_make(sim_plan *plan, uint64_t seed, sim_scenario scenario);

typedef struct sim_record {
	uint8_t topic;
	bool is_accepted, is_tracked; /* tracked: it has an entry, so a report of its own */
	bool is_found_at_offset;      /* stands in the log where its report says */
	bool is_after_calm;           /* of the epilogue */
	bool is_future;               /* no broker takes it */
	bool is_ever_in_log;          /* stood in a log, though it may have been cut off since */
	bool may_be_lost;             /* what it stood in is gone, and that is allowed */
	uint8_t n_reports;
	kp_outcome outcome;
	int error;
	int32_t partition;
	uint32_t n_in_log;
	int64_t offset, accepted_us, timestamp_ms;
} sim_record;

typedef enum sim_event_kind {
	SIM_EV_APPLICATION,
	SIM_EV_FAULT,
	SIM_EV_HEAL, /* a: fault, b: node or topic << 16 | partition */
	SIM_EV_CALM,
	SIM_EV_TOPIC,     /* a: topic to create, or to grow */
	SIM_EV_CONNECTED, /* a: it was refused */
	SIM_EV_WRITABLE,
	SIM_EV_TO_BROKER, /* the connection's next chunk arrives */
	SIM_EV_TO_CLIENT,
	SIM_EV_CLIENT_CLOSED, /* the client learns that the connection is gone */
	SIM_EV_BROKER_CLOSED, /* the broker does */
	SIM_EV_RELEASE,       /* the oldest held batch is released */
	SIM_EV_RESUME,        /* a: topic, b: partition that halted */
	SIM_EV_DEADLINE,      /* a: the phase that should be over by now */
	SIM_EV_NONE           /* only so that somebody looks */
} sim_event_kind;

struct sim_conn;

typedef struct sim_event {
	int64_t at_us;
	uint64_t order; /* events of the same time come in the order in which they were made */
	sim_event_kind kind;
	int32_t a, b;
	struct sim_conn *conn;
} sim_event;

typedef struct sim_chunk {
	kp_list link;
	size_t len;
	uint8_t bytes[];
} sim_chunk;

typedef struct sim_conn {
	uint32_t id;     /* the engine's name for it */
	uint64_t serial; /* the broker's: never used twice */
	int32_t node;    /* 0: nobody listens there */
	bool is_open;    /* the engine was told, and not yet that it is closed */
	bool is_known;   /* the engine knows it: from CONNECT to CLOSE or kp_engine_on_close */
	bool is_blocked; /* the socket is full: SIM_EV_WRITABLE comes */
	bool is_cut;     /* nothing reaches the client any more; it will hear of that */
	bool is_broker_gone;
	kp_list to_broker, to_client; /* chunks under way; each has its event */
	size_t to_broker_bytes;
	int64_t to_broker_us, to_client_us; /* no chunk overtakes another */
	kp_buf inbox;                       /* the broker's: a frame that has not wholly arrived */
	int32_t n_produce;                  /* Produce requests that the broker has and has not answered */
} sim_conn;

typedef struct sim_totals {
	uint64_t runs, records, refused, persisted, not_persisted, unknown, blocked, reports_held, faults[SIM_N_FAULTS], turns,
		events;
	uint64_t produce_codes[SIM_N_CODES], metadata_codes[SIM_N_CODES], id_codes[SIM_N_CODES]; /* answered by faults */
	uint64_t requests, retries, connects, duplicates, calls, calls_failed;
	int64_t virtual_us;
	double most_memory; /* of buffer.memory that was in use */
} sim_totals;

typedef enum sim_phase { SIM_LOAD, SIM_DRAIN, SIM_EPILOGUE, SIM_OVER } sim_phase;

typedef struct sim_world {
	sim_plan plan;
	bool is_traced;
	int64_t now_us;
	sim_phase phase;
	kp_random network, fate, application;
	sim_event *events; /* a heap */
	size_t n_events, cap_events;
	uint64_t next_order, n_advances;
	/* the engine and its loop */
	kp_engine *engine; /* NULL once it is closed */
	kp_logger log;
	int64_t engine_us;
	bool is_woken; /* it asked for a turn, or an event came */
	/* the cluster */
	kp_db *db;
	int64_t db_us;
	struct {
		bool is_up, is_silent; /* silent: connections to it while it is down hang instead of being refused */
		int64_t refuses_until_us, stalled_until_us, slow_until_us, stale_until_us;
	} nodes[SIM_NODES + 1];
	sim_conn **conns;
	size_t n_conns, cap_conns;
	int32_t armed[SIM_N_FAULTS]; /* faults that wait for their moment */
	int16_t code, code_after;    /* of the request under way: what its partitions or topics are answered with; 0: nothing */
	int16_t next_code;           /* what the next Produce request that is refused is answered with; 0: anything */
	int64_t held_us;             /* so late the answer of the Produce request under way leaves */
	uint64_t *codes;             /* where they are counted */
	int64_t last_produce_us[SIM_TOPICS][SIM_PARTITIONS_MAX]; /* when a request for the partition arrived */
	kp_list views, asked; /* stale.c: Metadata answers kept, and requests that have no answer yet */
	bool is_calm, is_closing;
	bool has_idled;
	/* the application */
	kp_topic *topics[SIM_TOPICS];
	sim_record *records;
	uint32_t n_records, n_ended; /* offered so far; of the accepted and tracked ones reported */
	uint32_t first_open;         /* all records before it have ended */
	uint32_t n_accepted, n_tracked;
	bool is_blocked; /* the last record waits for room */
	int64_t blocked_until_us;
	uint64_t room_generation;
	bool is_flushing;
	uint64_t flush_serial;
	int64_t flush_until_us; /* all that was accepted before it has its deadline by then */
	uint32_t flush_upto;    /* records before this one must have ended when the flush has */
	kp_list calls, ended_calls;
	kp_batch **held; /* ended batches whose reports were not taken yet: a queue */
	size_t n_held, first_held, cap_held;
	uint64_t n_batches_out;
	int32_t last_reported[SIM_TOPICS][SIM_PARTITIONS_MAX]; /* per partition, of the persisted ones */
	int32_t gap_behind[SIM_TOPICS]
			  [SIM_PARTITIONS_MAX]; /* number + 1 of the last record that was not persisted; 0: all since were */
	bool is_disordered[SIM_TOPICS];         /* its logs lost what brokers know of producers: nobody can keep the order */
	int32_t deleted_partitions[SIM_TOPICS]; /* how many a deleted topic had; 0: it is there */
	bool is_loss_allowed;                   /* of the loss under way */
	bool is_forgetful;                      /* and at any time: nor can anybody tell a second attempt */
	uint64_t outcomes[3], n_closed;         /* records by outcome; ended by the close */
	/* memory that may exceed buffer.memory, see memory_bound() */
	size_t largest_batch;        /* bytes of records, of those with several that left; ... */
	int32_t longest_batch;       /* ... records */
	uint64_t n_rebuilt;          /* batches that were taken apart, as counted last ... */
	bool has_rebuilt;            /* ... one of them since buffer.memory was kept */
	bool is_settled[SIM_TOPICS]; /* its partitions were known after the last turn */
	bool has_moved[SIM_TOPICS];  /* records to them since buffer.memory was kept, perhaps */
	sim_totals *totals;
	/* scratch: the content of one record */
	uint8_t *value;
	struct sim_watch *watch; /* watch.h */
	char failure[600];       /* "" while all is well */
} sim_world;

/* world.c: time and turns */
void sim_run(const sim_plan *plan, bool is_traced, sim_totals *totals, char *failure, size_t failure_size);
void sim_at(sim_world *w, int64_t at_us, sim_event_kind kind, sim_conn *conn, int32_t a, int32_t b);
void sim_step_db(sim_world *w); /* after anything that changed the cluster */
void sim_fail(sim_world *w, const char *invariant, const char *fmt, ...) KP_PRINTF(3, 4); /* the first failure counts */
void *sim_alloc(void *old, size_t size); /* aborts the program when memory is out */

/* streams.c: connections and what moves in them */
void sim_take_actions(sim_world *w);
bool sim_write_all(sim_world *w); /* true when something was written */
void sim_deliver_answers(sim_world *w);
void sim_on_connected(sim_world *w, const sim_event *ev);
void sim_on_writable(sim_world *w, const sim_event *ev);
void sim_on_to_broker(sim_world *w, const sim_event *ev);
void sim_on_to_client(sim_world *w, const sim_event *ev);
void sim_on_client_closed(sim_world *w, const sim_event *ev);
void sim_on_broker_closed(sim_world *w, const sim_event *ev);
/* The network's end of a connection: is_late lets what the client sent arrive nevertheless. */
void sim_conn_reset(sim_world *w, sim_conn *c, bool is_late);
/* The node is gone without a word: nobody tells the client until it writes to the node's next life. */
void sim_conn_vanish(sim_world *w, sim_conn *c);
sim_conn *sim_conn_any(sim_world *w, kp_random *r); /* an open one, or NULL */
void sim_conns_free(sim_world *w);

/* judge.c: what is wrong with a request's answer */
void sim_judge_init(sim_world *w);

/* stale.c: Metadata answers of yesterday */
void sim_stale_asked(sim_world *w, const sim_conn *c, kp_slice frame);
void sim_stale_answered(sim_world *w, kp_db_answer *a); /* it may be an older one afterwards */
void sim_stale_free(sim_world *w);

/* faults.c, faults_logs.c */
void sim_faults_schedule(sim_world *w);
void sim_on_fault(sim_world *w);
void sim_on_heal(sim_world *w, const sim_event *ev);
void sim_on_calm(sim_world *w);
int64_t sim_outage_us(sim_world *w);
bool sim_any_partition(sim_world *w, int32_t *topic, int32_t *partition); /* of a topic that exists; false if there is none */
int32_t sim_any_other_node(sim_world *w, int32_t than);                   /* the same where there is one only */
bool sim_node_down(sim_world *w, int32_t node);
void sim_set_leader(sim_world *w, int32_t topic, int32_t partition, int32_t node);
bool sim_log_cut_begin(sim_world *w);
void sim_log_cut(sim_world *w);
bool sim_unclean(sim_world *w);
bool sim_delete_topic(sim_world *w);
void sim_recreate_topic(sim_world *w, int32_t topic);
void sim_expire_producers(sim_world *w); /* those that are idle, when that fault waits */
bool sim_take_armed(sim_world *w, sim_fault kind);
/* A Produce request is about to be carried out, and has been: what waits for one strikes. */
typedef struct sim_strike {
	bool is_flip, is_step_down, is_held;
	int32_t topic, partition, leader;
} sim_strike;
void sim_before_produce(sim_world *w, kp_slice frame, sim_strike *s);
void sim_after_produce(sim_world *w, const sim_strike *s);

/* workload.c: what the application does */
void sim_on_application(sim_world *w);
void sim_on_resume(sim_world *w, const sim_event *ev);
void sim_after_turn(sim_world *w);
void sim_epilogue(sim_world *w);
bool sim_workload_is_done(const sim_world *w);
/* The content of record `index`, the same whenever it is asked for; slices are valid until the next call. */
typedef struct sim_content {
	kp_record_content content;
	kp_record_header headers[4];
	int32_t partition;
	uint8_t topic;
	bool is_old, is_future;
	uint8_t key[16];
} sim_content;
void sim_content_make(sim_world *w, uint32_t index, sim_content *out);

/* calls.c: requests of the client's own */
void sim_call_begin(sim_world *w);
void sim_calls_free(sim_world *w);

/* check.c: invariants */
void sim_take_ended(sim_world *w);
void sim_on_release(sim_world *w);
void sim_check_memory(sim_world *w);
void sim_check_deadlines(sim_world *w);
void sim_check_end(sim_world *w); /* the engine is gone, nothing is under way */
/* The log from there on is about to go. may_be_lost: also what was acknowledged. */
void sim_check_loss(sim_world *w, int32_t topic, int32_t partition, int64_t from_offset, bool may_be_lost);

/* frames.c */
/* Decode a Produce request; what it points to lives in the arena and the frame. False: it is none. */
bool sim_produce_read(kp_slice frame, kp_arena *arena, kp_produce_request *out);
/* The first partition that it names, as topic of the plan and number. */
bool sim_produce_partition(const sim_world *w, kp_slice frame, int32_t *topic, int32_t *partition);

/* trace.c */
#define SIM_TRACE(w, ...)                                 \
	do {                                              \
		if ((w)->is_traced)                       \
			sim_trace_line((w), __VA_ARGS__); \
	} while (0)
void sim_trace_line(const sim_world *w, const char *fmt, ...) KP_PRINTF(2, 3);
void sim_trace_frame(const sim_world *w, const sim_conn *c, kp_slice frame);
void sim_trace_log(int level, const char *line, void *opaque);
void sim_trace_plan(const sim_plan *plan);

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
