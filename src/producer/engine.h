/*
 * engine.h - the producer engine: records go in on any thread, bytes, events and `now` go in on one; out come connections to make,
 * bytes to write and batches that ended. It owns no socket, clock, thread or random source.
 *
 * Append half (any thread): kp_engine_topic, kp_engine_append, kp_engine_wait_room hints. Never blocks for longer than a short lock.
 * Loop half (one thread, the *loop*): everything else. The order of a turn: events, kp_engine_step, then actions, output, ended batches.
 */
#ifndef KP_PRODUCER_ENGINE_H
#define KP_PRODUCER_ENGINE_H

#include <kproducer/transaction.h>

#include <stdint.h>
#include <sys/uio.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/slice.h"
#include "producer/batch.h"
#include "producer/config.h"

typedef struct kp_engine kp_engine;

typedef struct kp_server {
	char host[256];
	uint16_t port;
} kp_server;

/* What the engine asks of its surroundings; called from the append half too, so any thread. */
typedef struct kp_surroundings {
	int64_t (*clock_us)(void *opaque); /* monotonic */
	int64_t (*wall_ms)(void *opaque);  /* since 1970; dates a new batch */
	void (*wake)(void *opaque);        /* let the loop take a turn soon */
	/* Loop: an error that belongs to no record (all servers down, a producer id refused). */
	void (*on_error)(void *opaque, int error, const char *text);
	kp_logger *log;
	void *opaque;
	uint64_t seed;
} kp_surroundings;

/* NULL when memory is out. Servers are copied. */
KP_MUST_USE kp_engine *kp_engine_new(const kp_engine_config *config, const kp_server *servers, size_t n_servers,
                                     const kp_surroundings *around);
/* After kp_engine_end_all, and after every ended batch was taken and released. */
void kp_engine_free(kp_engine *e);

/* ------------------------------------------------------------------ append half */

typedef struct kp_append_args {
	kp_record_content content;
	int64_t timestamp_ms;
	int32_t partition; /* KP_PARTITION_ANY */
	bool is_group;     /* opaque is a kp_group: always reported */
	bool is_now; /* timestamp_ms was read a moment ago from a clock that may be behind: never date the record before a batch of now */
	void *opaque;
	/* the engine's own: a record that is moved was counted already, and keeps the age of the batch it comes from */
	bool is_moved;
	bool may_exceed; /* the budget */
	int64_t created_us;
} kp_append_args;

/* The topic of that name, made on first use. NULL: memory is out. The name was checked by the caller. */
KP_MUST_USE kp_topic *kp_engine_topic(kp_engine *e, const char *name);
/*
 * Put a record into its batch. 0: accepted. KP_ERR_WOULD_BLOCK: no room now (see kp_engine_wants_room), KP_ERR_RECORD_TOO_LARGE,
 * KP_ERR_UNKNOWN_PARTITION, KP_ERR_PARTITION_HALTED, KP_ERR_CLOSED, KP_ERR_NO_MEMORY.
 */
KP_MUST_USE int kp_engine_append(kp_topic *t, const kp_append_args *a);
/* Largest encoded record that is accepted (max.request.size and buffer.memory bound it), and what this one would take. */
size_t kp_engine_max_record_size(const kp_engine_config *config);
size_t kp_engine_record_size(const kp_append_args *a);
/* A partition that halted at a gap takes records again. Any thread. 0, or KP_ERR_UNKNOWN_PARTITION. */
KP_MUST_USE int kp_engine_resume(kp_topic *t, int32_t partition);
/* Somebody waits for room: open batches go without linger while the count is above 0. delta is +1 or -1. */
void kp_engine_wants_room(kp_engine *e, int delta);
/* Somebody found no room and does not wait: what lingers goes now. */
void kp_engine_hurry(kp_engine *e);
/* Grows when room came back: read it before kp_engine_append, and wait for it to change after KP_ERR_WOULD_BLOCK. */
uint64_t kp_engine_room_generation(kp_engine *e);

/* ------------------------------------------------------------------ loop half */

/* True when the use of buffer.memory has passed the other mark since the last time; to be asked again until it has not, once a turn. */
bool kp_engine_watermark_passed(kp_engine *e, bool *is_high, int64_t *used);

/* Everything that is due at now. Returns when to call again at the latest. */
int64_t kp_engine_step(kp_engine *e, int64_t now_us);

typedef enum kp_action_type { KP_ACTION_CONNECT, KP_ACTION_CLOSE } kp_action_type;

typedef struct kp_action {
	kp_action_type type;
	uint32_t conn; /* names the connection from CONNECT to CLOSE or kp_engine_on_close; never reused within 2^16 connections */
	const char *host; /* CONNECT: valid until the next step */
	uint16_t port;
} kp_action;

/* The next thing to do about connections; false when there is none. After CLOSE no event of that connection may come. */
bool kp_engine_next_action(kp_engine *e, kp_action *out);

void kp_engine_on_open(kp_engine *e, uint32_t conn, int64_t now_us);
void kp_engine_on_data(kp_engine *e, uint32_t conn, const uint8_t *ptr, size_t len, int64_t now_us);
/* The transport is gone (err as in net/conn.h); never after CLOSE. */
void kp_engine_on_close(kp_engine *e, uint32_t conn, int err, const char *text, int64_t now_us);

/* A connection that has something to write, or -1 (as uint32_t) when none has; each is named once per call of kp_engine_step. */
#define KP_NO_CONN UINT32_MAX
uint32_t kp_engine_next_writable(kp_engine *e);
int kp_engine_output(kp_engine *e, uint32_t conn, struct iovec *iov, int max);
void kp_engine_written(kp_engine *e, uint32_t conn, size_t n, int64_t now_us);

/* The next ended batch, in order of ending (per partition: of sending); the caller reports it and releases it. NULL: none. */
kp_batch *kp_engine_next_ended(kp_engine *e);
/* One more of who holds it: each releases it. Any thread. */
void kp_engine_retain(kp_batch *b);
/* Its bytes and entries go back to the budget with the last. Any thread. */
void kp_engine_release(kp_engine *e, kp_batch *b);

/*
 * Start a flush: what was accepted before goes without linger. Returns a serial; done when kp_engine_flushed says so, which is after
 * the last of those batches was released or taken as ended.
 */
uint64_t kp_engine_flush_begin(kp_engine *e, int64_t now_us);
bool kp_engine_flushed(kp_engine *e, uint64_t serial);
void kp_engine_flush_end(kp_engine *e);
/* End what no request carries (KP_PURGE_QUEUED), what one does (KP_PURGE_IN_FLIGHT), with `error`. */
void kp_engine_purge(kp_engine *e, int what, int error, int64_t now_us);
/* Refuse appends from now on. Any thread. */
void kp_engine_stop_accepting(kp_engine *e);
/* After kp_engine_stop_accepting: end everything with `error`, close every connection. */
void kp_engine_end_all(kp_engine *e, int error, int64_t now_us);
/* Drop the oldest unsent batch (queue.full.policy=drop_oldest). False when nothing is unsent. */
bool kp_engine_drop_oldest(kp_engine *e, int64_t now_us);

/*
 * Transactions. Start the operation, or go on with it. False: it is under way, call again in a later turn (kp_engine_txn_is_under_way tells
 * whether it is worth it). True: *out tells how it ended, once. An operation goes on without being asked after, and any other is refused
 * meanwhile; but ABORT takes the place of OFFSETS. *offsets (OFFSETS only) is taken, and NULL then, when the operation starts.
 */
typedef enum kp_txn_op {
	KP_TXN_OP_NONE,
	KP_TXN_OP_INIT,
	KP_TXN_OP_BEGIN,
	KP_TXN_OP_OFFSETS,
	KP_TXN_OP_COMMIT,
	KP_TXN_OP_ABORT
} kp_txn_op;
typedef struct kp_txn_offsets kp_txn_offsets; /* txn_offsets.h */
bool kp_engine_txn(kp_engine *e, kp_txn_op op, kp_txn_offsets **offsets, int64_t now_us, kp_txn_error *out);
const char *kp_txn_op_name(kp_txn_op op); /* of the call: "kp_commit_transaction" */
/* An operation runs and has no result yet. */
bool kp_engine_txn_is_under_way(const kp_engine *e);
/* The caller of `op` waits no longer, with KP_ERR_TIMED_OUT or KP_ERR_CLOSED: what is missing, whether a commit is in doubt. */
void kp_engine_txn_left(kp_engine *e, kp_txn_op op, int error, kp_txn_error *out);
/*
 * For a close, each turn: what is open is aborted, a commit under way goes on. True when there is nothing (more) to wait for; *error then says
 * how it ended: 0, KP_ERR_TRANSACTION_ABORTED, or why it could not be ended.
 */
bool kp_engine_txn_settle(kp_engine *e, int64_t now_us, int *error);
kp_txn_state kp_engine_txn_state(const kp_engine *e); /* any thread */
/* Any thread: which transaction is open, counted; and a record was refused for good with `error`, so that it cannot be committed. */
uint64_t kp_engine_txn_number(kp_engine *e);
void kp_engine_txn_refused(kp_engine *e, int error);

/* A request of the client's own (admin, metadata). All fields are the caller's; the engine keeps a pointer until done is called. */
typedef struct kp_call {
	kp_list link; /* the engine's */
	int16_t api_key;
	int max_version, min_version; /* what the caller can speak */
	bool to_controller;
	struct kp_coordinator *coordinator; /* whom it goes to; NULL: to_controller, or anybody */
	int64_t deadline_us;
	/* Fill the body for that version into arena memory; NULL when memory is out. */
	const void *(*build)(struct kp_call *call, int version, kp_arena *arena);
	/* error 0: `body` is the answer in `version`; else why there is none (its text may be NULL). Returns true when it is to be tried again. */
	bool (*done)(struct kp_call *call, int error, const char *text, int version, kp_slice body);
	void *opaque;
	/* the engine's */
	struct kp_broker *broker;
	int64_t next_us;
	int64_t pause_us; /* set by done: how long until it is tried again; 0: the usual back-off */
	int n_failures, last_error;
	bool is_lost; /* an attempt ended without an answer */
} kp_call;

void kp_engine_call(kp_engine *e, kp_call *call);
/* End all calls with `error`. */
void kp_engine_cancel_calls(kp_engine *e, int error);

typedef struct kp_engine_counters {
	uint64_t accepted, accepted_bytes, persisted, not_persisted, unknown;
	uint64_t sent_bytes, received_bytes, requests, batches, retries, connects, disconnects, throttle_ms;
	int64_t budget_used;
} kp_engine_counters;
/* Any thread: figures of slightly different moments. */
void kp_engine_count(kp_engine *e, kp_engine_counters *out);
/* The cluster as known (loop). */
const struct kp_cluster *kp_engine_cluster(const kp_engine *e);
/* What went wrong last with a connection, for error texts (loop); "" if nothing did. */
const char *kp_engine_last_connection_error(const kp_engine *e);

#endif
