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
#include "devbroker/core.h"
#include "tests/sim/client.h"
#include "wire/msg_produce.h"

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
	SIM_EV_ACTOR,         /* a: serial of the step of a transactional client */
	SIM_EV_SUCCESSOR,     /* a: transactional id that has no instance */
	SIM_EV_NONE           /* only so that somebody looks */
} sim_event_kind;

struct sim_conn;

typedef struct sim_event {
	int64_t at_us;
	uint64_t order; /* events of the same time come in the order in which they were made */
	sim_event_kind kind;
	int32_t a, b;
	struct sim_conn *conn;
	sim_client *client; /* whose it is where it has no connection: who was at work when it was made */
} sim_event;

typedef struct sim_chunk {
	kp_list link;
	size_t len;
	uint8_t bytes[];
} sim_chunk;

typedef struct sim_conn {
	sim_client *client;
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
	kp_buf left;                        /* transactions: the part of a request that was written */
	uint64_t drained_at;                /* turn in which the engine had nothing more to write */
	int32_t n_produce;                  /* Produce requests that the broker has and has not answered */
} sim_conn;

typedef struct sim_totals {
	uint64_t runs, records, refused, persisted, not_persisted, unknown, blocked, reports_held, faults[SIM_N_FAULTS], turns,
		events;
	uint64_t produce_codes[SIM_N_CODES], metadata_codes[SIM_N_CODES], id_codes[SIM_N_CODES]; /* answered by faults */
	uint64_t coordinator_codes[SIM_N_CODES];
	uint64_t requests, retries, connects, duplicates, calls, calls_failed;
	uint64_t txns, committed, aborted, unknown_txns, unknown_committed, offset_txns,
		timed_out_calls;                                            /* transactions; calls of theirs */
	uint64_t txn_ends[KP_TXN_OP_ABORT + 1][KP_TXN_NEXT_OTHER_CALL + 1]; /* calls by what to do next */
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
	/* the producers */
	sim_client *clients[SIM_CLIENTS];
	int n_clients;
	sim_client *me; /* the one that is at work */
	kp_logger log;
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
	const sim_client *asking;    /* whose request it is that arrives */
	int16_t code, code_after;    /* of the request under way: what its partitions or topics are answered with; 0: nothing */
	int16_t next_code;           /* what the next Produce request that is refused is answered with; 0: anything */
	int64_t held_us;             /* so late the answer of the Produce request under way leaves */
	uint64_t *codes;             /* where they are counted */
	int64_t last_produce_us[SIM_TOPICS][SIM_PARTITIONS_MAX]; /* when a request for the partition arrived */
	kp_list views, asked; /* stale.c: Metadata answers kept, and requests that have no answer yet */
	bool is_calm, has_idled;
	/* the application */
	sim_record *records;
	uint32_t n_records;                     /* offered so far */
	uint32_t first_open;                    /* all records before it have ended */
	bool is_disordered[SIM_TOPICS];         /* its logs lost what brokers know of producers: nobody can keep the order */
	int32_t deleted_partitions[SIM_TOPICS]; /* how many a deleted topic had; 0: it is there */
	bool is_loss_allowed;                   /* of the loss under way */
	bool is_forgetful;                      /* and at any time: nor can anybody tell a second attempt */
	sim_totals *totals;
	struct sim_txns *txns; /* txn.h; NULL: no transactions in this run */
	/* scratch: the content of one record */
	uint8_t *value;
	char failure[600]; /* "" while all is well */
} sim_world;

/* world.c: time and turns */
void sim_run(const sim_plan *plan, bool is_traced, sim_totals *totals, char *failure, size_t failure_size);
void sim_at(sim_world *w, int64_t at_us, sim_event_kind kind, sim_conn *conn, int32_t a, int32_t b);
void sim_step_db(sim_world *w); /* after anything that changed the cluster */
void sim_fail(sim_world *w, const char *invariant, const char *fmt, ...) KP_PRINTF(3, 4); /* the first failure counts */
void *sim_alloc(void *old, size_t size); /* aborts the program when memory is out */

/* clients.c */
sim_client *sim_client_new(sim_world *w, const kp_engine_config *config); /* it is at work then */
void sim_client_turn(sim_world *w, sim_client *c);
bool sim_client_is_idle(const sim_client *c);
/* Of the one at work: no more records; everything ends, and the engine with it; the engine is gone without a word. */
void sim_client_stop(sim_world *w);
void sim_client_close(sim_world *w);
void sim_client_kill(sim_world *w);
void sim_clients_free(sim_world *w);

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
void sim_conns_orphan(sim_world *w);                /* their client is dead: what it has sent arrives all the same, or some of it */
sim_conn *sim_conn_any(sim_world *w, kp_random *r); /* an open one, or NULL */
void sim_conns_free(sim_world *w);

/* judge.c: what is wrong with a request's answer */
void sim_judge_init(sim_world *w);
bool sim_is_coordinated(int16_t api_key); /* a request to a coordinator, or for one */

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
bool sim_strike_txns(sim_world *w, sim_fault kind); /* faults_txns.c */
void sim_coordinators_heal(sim_world *w);
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

#define SIM_EPILOGUE_RECORDS 4 /* for each topic: sent when the network is calm */
#define SIM_FINAL_RECORDS 1000 /* with transactions, which may be tried again */

/* workload.c: what the application does */
void sim_on_application(sim_world *w);
void sim_on_resume(sim_world *w, const sim_event *ev);
void sim_after_turn(sim_world *w);
void sim_epilogue(sim_world *w);
bool sim_workload_is_done(const sim_world *w);
/* Record `index` is accepted, or refused for good; KP_ERR_WOULD_BLOCK: there is no room now. */
int sim_offer(sim_world *w, uint32_t index);
void sim_flush_begin(sim_world *w);
void sim_purge(sim_world *w);
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
/* check_logs.c */
bool sim_is_content(sim_world *w, uint32_t index, const kp_record_view *v); /* does it say what record `index` said? */
void sim_check_end(sim_world *w);                                           /* the engine is gone, nothing is under way */
/* The log from there on is about to go. may_be_lost: also what was acknowledged. */
void sim_check_loss(sim_world *w, int32_t topic, int32_t partition, int64_t from_offset, bool may_be_lost);

/* frames.c */
/* Decode a Produce request; what it points to lives in the arena and the frame. False: it is none. */
bool sim_produce_read(kp_slice frame, kp_arena *arena, kp_produce_request *out);
/* The first partition that it names, as topic of the plan and number. */
int32_t sim_topic_find(const sim_world *w, kp_slice name); /* in the plan; -1: nobody's */
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

#endif
