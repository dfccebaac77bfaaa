/*
 * engine_impl.h - the engine's inside, shared by the files of this folder: who may touch what stands in the halves of the structs.
 */
#ifndef KP_PRODUCER_ENGINE_IMPL_H
#define KP_PRODUCER_ENGINE_IMPL_H

#include "base/map.h"
#include "base/random.h"
#include "cluster/cluster.h"
#include "producer/engine.h"
#include "producer/partitioner.h"
#include "producer/reached.h"
#include "producer/topic.h"
#include "producer/txn.h"
#include "rpc/rpc.h"

/* What a timer belongs to (kp_timer.kind). */
#define KP_TIMER_PARTITION 0
#define KP_TIMER_BROKER 1

typedef enum kp_broker_state { KP_BROKER_DOWN, KP_BROKER_CONNECTING, KP_BROKER_UP } kp_broker_state;

/* A server to talk to: a node of the cluster, or a bootstrap server (id below 0) whose node id is not known. */
typedef struct kp_broker {
	kp_engine *engine;
	int32_t id;
	char host[256];
	uint16_t port;
	uint32_t conn; /* of the present connection; KP_NO_CONN when DOWN */
	kp_broker_state state;
	kp_rpc rpc;                /* READY only while UP */
	size_t index;              /* in the engine's array */
	kp_list ready;             /* partitions that can send */
	kp_list write_link;        /* in the engine's list of brokers with output */
	int32_t n_produce;         /* Produce requests in flight */
	bool is_produce_unwritten; /* one of them is not wholly with the kernel */
	kp_timer timer;            /* request time-out, reconnect, end of a throttle, idle */
	int n_failures;            /* to connect, in a row */
	int down_error;            /* of the last connection, 0 if it serves or nothing has failed yet ... */
	char down_text[160];       /* ... and in words */
	int64_t tried_us;          /* last attempt to connect */
	int64_t reconnect_us;      /* not before then */
	int64_t used_us;
	kp_list send_link;                /* in the engine's list of brokers that may have something to send */
	_Atomic int64_t unready_since_us; /* has partitions waiting and takes nothing; -1: it does. Relaxed: a preference */
	bool is_wanted;                   /* connect although no partition waits (a call needs it) */
} kp_broker;

/* One Produce request: which batches it carries. Recycled. */
typedef struct kp_produce_call {
	kp_list link; /* spare list */
	kp_broker *broker;
	kp_batch **batches;
	size_t n, cap;
	int64_t sent_us;
	bool is_first; /* of a transaction of KIP-890 */
} kp_produce_call;

struct kp_engine {
	kp_engine_config config;
	size_t max_record_size; /* kp_engine_max_record_size */
	kp_surroundings around;
	struct {
		kp_budget budget;
		kp_sealers sealers;
		_Atomic bool is_seal_lent;   /* the loop has a full batch to seal, see append.c */
		_Atomic int64_t seal_us;     /* how long sealing the last batch took; relaxed: a guess at the next */
		_Atomic size_t n_partitions; /* made, pending ones included; written by the loop. relaxed: a number */
		kp_lock topics_lock;         /* guards topics and new_topics */
		kp_map topics;
		kp_list new_topics;               /* made, not yet seen by the loop */
		_Atomic(kp_partition *) notified; /* stack: push by any thread (release), taken whole by the loop (acquire) */
		_Atomic bool is_sleeping;         /* the loop may be asleep: wake it. seq_cst with `notified`, see notify.c */
		_Atomic bool has_news;            /* a new topic or a wish for room */
		_Atomic bool wants_hurry;         /* somebody found no room and does not wait: close what lingers once */
		/* 0, or the code with which records are refused. Loop, and KP_ERR_CLOSED, which stays, by any thread. See kp_engine_refuse */
		_Atomic int refusal;
		_Atomic int txn_state;       /* kp_txn_state; written by the loop. relaxed: a figure */
		_Atomic int txn_refused;     /* a record of this transaction was refused for good with this code; 0: none was */
		_Atomic uint64_t txn_number; /* of the open transaction, or the last one; written by the loop */
		_Atomic int32_t n_wanting_room;
		_Atomic bool is_high, has_refused; /* seq_cst, see watermark.c */
		_Atomic bool is_moving;            /* records wait for room to move: who makes room wakes the loop. seq_cst */
		_Atomic int64_t n_queued;          /* records accepted and not ended; kept only with max_queued_records */
	} shared;
	struct {
		kp_random random;
		kp_cluster cluster;
		kp_list topics;
		kp_broker **brokers;
		size_t n_brokers, cap_brokers, n_bootstrap;
		int64_t now_us; /* of the present turn */
		kp_list writable, sendable;
		kp_timers timers;
		kp_timers expiries, evictions; /* of partitions, see expiry.c */
		kp_list lingering; /* partitions whose open batch waits for linger.ms and nothing else, the longest first */
		kp_list by_serial, ended, spare_calls;
		uint64_t request_serial;
		uint64_t next_serial;
		bool is_hurrying;       /* somebody found no room: open batches do not linger until some came back ... */
		uint64_t room_at_hurry; /* ... since this count */
		int64_t adopt_again_us; /* memory was out for a new topic: it is tried again, or a record of it is over */
		kp_list moving;         /* topics with records that wait for room to go to their partitions */
		uint64_t room_at_last_move;
		kp_partition *beyond; /* what became of a batch of it exceeds the budget, see split.c; NULL: nothing does */
		int n_flushing;
		uint64_t flush_upto;        /* the latest flush waits for batches below this serial */
		uint64_t flush_extended_to; /* records that waited for metadata moved to batches below this serial */
		int64_t metadata_wanted_us; /* since when an answer is wanted and does not come; -1: none is */
		bool must_rebootstrap;      /* done in the next turn: not from inside an answer */
		/* producer id */
		int64_t producer_id;
		int16_t producer_epoch;
		bool is_asking_id;
		kp_txn txn;
		int64_t features_epoch;      /* of the newest finalized features seen; -1: none were ... */
		int16_t transaction_version; /* ... and what they say */
		kp_call id_call, metadata_call;
		kp_list calls; /* waiting for a broker, or for their time */
		kp_list flying_calls;
		kp_action *actions;
		size_t n_actions, cap_actions, action_at;
		uint32_t conn_generation;
		bool said_down; /* the error callback knows that no server can be reached */
		char last_error[600];
		int last_error_code; /* of the same failure */
		kp_arena arena;      /* scratch of one request or answer */
		/* counters: written by the loop, read by any thread; relaxed, figures only */
		_Atomic uint64_t persisted, not_persisted, unknown, sent_bytes, received_bytes, requests, batches, retries,
			connects, disconnects, throttle_ms;
	} loop;
};

static inline int64_t kp_engine_clock_us(kp_engine *e)
{
	return e->around.clock_us(e->around.opaque);
}

static inline void kp_count(_Atomic uint64_t *c, uint64_t n)
{
	/* relaxed, and not a fetch_add: the loop is the only writer */
	atomic_store_explicit(c, atomic_load_explicit(c, memory_order_relaxed) + n, memory_order_relaxed);
}

static inline bool kp_is_transactional(const kp_engine *e)
{
	return e->config.transactional_id[0] != 0;
}

static inline void kp_count_partitions(kp_engine *e, size_t more)
{
	atomic_fetch_add_explicit(&e->shared.n_partitions, more, memory_order_relaxed);
}

/* notify.c: hand-over from the append half */
void kp_notify_partition(kp_engine *e, kp_partition *p); /* any thread */
void kp_notify_news(kp_engine *e);                       /* any thread */

/* watermark.c, any thread: wake the loop if a mark may have been passed */
void kp_watermark_grown(kp_engine *e);        /* a batch took room */
void kp_watermark_no_room(kp_engine *e);      /* a record found none */
void kp_watermark_freed(kp_engine *e);        /* room came back */
kp_partition *kp_notified_take(kp_engine *e); /* loop: the whole stack */

/* append.c */
/* Under the lock: the open batch goes to the queue. Returns it if it has to be sealed, outside the lock. */
kp_batch *kp_close_open(kp_partition *p);
/* Loop, with a->is_moved: a record that waited for metadata goes to its partition, beside what its partition holds. */
int kp_append_moved(kp_topic *t, const kp_append_args *a, int32_t n_partitions);
void kp_seal_batch(kp_engine *e, kp_batch *b);            /* outside the partition's lock */
void kp_detach_open(kp_partition *p);                     /* loop: the open batch, if there is one, to the queue's end, sealed */
void kp_detach_open_within(kp_partition *p, size_t room); /* the same, unless it has more than room bytes */

/*
 * Records are refused with `code` from now on, 0: taken again. Whoever then takes each partition's lock knows that behind it no record comes
 * that did not see the code. A close is final.
 */
void kp_engine_refuse(kp_engine *e, int code);

/* partition.c: what a partition does next */
void kp_partition_evaluate(kp_engine *e, kp_partition *p, int64_t now_us);
void kp_partition_adopt(kp_engine *e, kp_partition *p);
void kp_partition_adopt_all(kp_engine *e, kp_partition *p); /* the open batch too; under the partition's lock; `pending` only */
/* The partition takes nothing more; what it holds is adopted. */
void kp_partition_stop_taking(kp_engine *e, kp_partition *p);
/* The batch to send next, taken out of its list and stamped; NULL when there is none now. */
kp_batch *kp_partition_next_batch(kp_engine *e, kp_partition *p, int64_t now_us, size_t room);
void kp_partition_set_leader(kp_engine *e, kp_partition *p, kp_broker *leader, int64_t now_us);
/* The first batch that has to be sent again, or NULL. */
kp_batch *kp_partition_to_resend(const kp_partition *p);
size_t kp_partition_in_flight_limit(const kp_engine *e, const kp_partition *p);

/* outcome.c: how an attempt and a batch end */
void kp_attempt_failed(kp_engine *e, kp_batch *b, int error, bool may_be_appended, int64_t now_us);
void kp_attempt_succeeded(kp_engine *e, kp_batch *b, int64_t base_offset, int64_t log_append_time_ms, int64_t now_us);
void kp_batch_end(kp_engine *e, kp_batch *b, int error, kp_outcome outcome, kp_stage stage);
/* Ends with `error`, as what no answer decided: not persisted, or unknown if an attempt may have been appended. */
void kp_give_up(kp_engine *e, kp_batch *b, int error, kp_stage stage);
kp_stage kp_stage_of(const kp_batch *b);
void kp_fail_topic(kp_engine *e, kp_topic *t, int error, int64_t now_us);
void kp_resolve_gap(kp_engine *e, kp_partition *p);

/* expiry.c */
/* Room for so many more of each in the heaps of deadlines. 0 or KP_ERR_NO_MEMORY. */
KP_MUST_USE int kp_timers_room(kp_engine *e, size_t n_partitions, size_t n_brokers);
void kp_expiry_look(kp_engine *e, kp_partition *p); /* it has batches that the heaps may not know of */
/* End what is too old in one partition. Returns when the next one will be, KP_TIME_NEVER when there is none. */
int64_t kp_partition_expire(kp_engine *e, kp_partition *p, int64_t now_us);
void kp_expire(kp_engine *e, int64_t now_us);
void kp_close_all(kp_engine *e, int64_t now_us);         /* every open batch */
int64_t kp_expiry_next(kp_engine *e, int64_t before_us); /* the earlier of before_us and the next expiry */

/* halt.c: idempotence.on.gap=halt_partition */
void kp_halt_if_lost(kp_engine *e, kp_batch *b, int error); /* b ends so, or shows that something before it was lost */
void kp_halt_step(kp_engine *e, kp_partition *p);           /* what is due: halt, then end what waits */
bool kp_halt_holds_next(const kp_partition *p);             /* the next batch to leave is one that may not */

/* trail.c: where a batch's time went, and what stood in its way */
void kp_trail_leader(kp_partition *p, bool has_leader, int64_t now_us); /* its leader is another, or is none */
void kp_trail_open_seen(kp_partition *p, int64_t routed_us);            /* of the open batch; -1: there is none */
void kp_trail_adopted(const kp_partition *p, kp_batch *b);
void kp_trail_sent(kp_batch *b, int64_t now_us);
void kp_trail_back(kp_batch *b, int64_t now_us); /* its request is through */
void kp_trail_end(kp_batch *b, int64_t now_us);  /* all four times stand and add up to its age */
/* Before the end of a batch that no broker's answer ended: last_error, node and cause, as things stand. */
void kp_trail_explain(const kp_engine *e, kp_batch *b);

/*
 * split.c: a batch that no request carries and whose every attempt was refused before the append is built anew and gone; else
 * KP_ERR_WOULD_BLOCK or KP_ERR_NO_MEMORY, and it is as it was.
 */
KP_MUST_USE int kp_batch_split(kp_engine *e, kp_batch *b);
/* Before anything takes more than the budget has: what did so before is over if the budget is kept now. */
void kp_split_look_at_budget(kp_engine *e);
#define KP_PIECES_MOST 31                                                        /* of one batch, at once */
#define KP_PIECE_LEAST_BYTES (2 * (KP_BUDGET_MIN_BUFFER + KP_BATCH_HEADER_SIZE)) /* of the budget, beside what its records take */
/* The rejected records in a batch of their own, for the caller to end; the others stay in line. */
KP_MUST_USE int kp_batch_expel(kp_engine *e, kp_batch *b, kp_batch **culprits);
bool kp_batch_has_innocents(const kp_batch *b);                        /* the broker named some of its records, not all */
void kp_topic_grow_batches(kp_engine *e, kp_topic *t, int64_t now_us); /* larger ones may be allowed again: try, slowly */

/* sender.c */
void kp_broker_send(kp_engine *e, kp_broker *b, int64_t now_us);
extern const kp_rpc_handler kp_engine_rpc_handler;

/* response.c */
void kp_produce_answered(kp_engine *e, kp_broker *b, kp_produce_call *call, int version, kp_slice body, int64_t now_us);
void kp_produce_failed(kp_engine *e, kp_produce_call *call, int error, bool was_written, int64_t now_us);
void kp_produce_written(kp_engine *e, kp_produce_call *call, int64_t now_us); /* acks=0 */
void kp_produce_call_free(kp_engine *e, kp_produce_call *call);

/* brokers.c */
kp_broker *kp_broker_get(kp_engine *e, int32_t id, const char *host, uint16_t port); /* NULL: no memory */
kp_broker *kp_broker_find(kp_engine *e, int32_t id);
kp_broker *kp_broker_by_conn(kp_engine *e, uint32_t conn);
void kp_broker_want(kp_engine *e, kp_broker *b, int64_t now_us); /* connect if it is time */
void kp_broker_drop(kp_engine *e, kp_broker *b, int error, const char *text, int64_t now_us, bool tell_transport);
void kp_broker_has_output(kp_engine *e, kp_broker *b);
/* Any broker that can take a call now; else one is being connected and NULL is returned. */
kp_broker *kp_broker_any(kp_engine *e, int64_t now_us);
void kp_broker_touch(kp_engine *e, kp_broker *b); /* something changed: set its timer anew */
void kp_broker_timer(kp_engine *e, kp_broker *b, int64_t now_us);
void kp_broker_sendable(kp_engine *e, kp_broker *b); /* look at it in this turn */
/* An answer asks for a pause, when that is above 0 (KIP-219). */
void kp_broker_throttle(kp_engine *e, kp_broker *b, int32_t throttle_ms);
void kp_brokers_forget_nodes(kp_engine *e, int64_t now_us); /* re-bootstrap */
void kp_brokers_free(kp_engine *e);

/* calls.c */
int64_t kp_calls_step(kp_engine *e, int64_t now_us);
void kp_calls_init(kp_engine *e);
void kp_call_answered(kp_engine *e, kp_call *call, int version, kp_slice body);
void kp_call_failed(kp_engine *e, kp_call *call, int error, const char *text, int64_t now_us);

/* pending.c: records that waited for metadata */
/* The topic's partitions are known: move what there is room for, publish their number when all has moved. */
void kp_pending_move(kp_engine *e, kp_topic *t, int32_t n_partitions);
void kp_pending_step(kp_engine *e); /* go on where room was missing */

/* metadata.c, producer_id.c */
int64_t kp_metadata_step(kp_engine *e, int64_t now_us);
void kp_metadata_stale(kp_engine *e, kp_topic *t);
int kp_metadata_adopt_topics(kp_engine *e, int64_t now_us);
/* What waits in each topic that memory was out for when it was to be adopted. */
typedef void kp_unseen_visit(kp_engine *e, kp_partition *pending, int64_t arg);
void kp_metadata_each_unseen(kp_engine *e, kp_unseen_visit *visit, int64_t arg);
void kp_metadata_leader_hint(kp_engine *e, kp_partition *p, int32_t leader, int32_t leader_epoch, int64_t now_us);
void kp_metadata_init(kp_engine *e);
void kp_producer_id_init(kp_engine *e);
bool kp_producer_id_for(kp_engine *e, kp_partition *p); /* false: wait; it is being asked for */

#endif
