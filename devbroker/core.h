/*
 * core.h - the development broker without an operating system: request frames and `now` go in, answers and the next deadline come out.
 *
 *   kp_db_request(frame) ─▶ handler ─▶ answer ─────────────────────────────▶ kp_db_next_answer
 *                             └─▶ held (fetch long-poll, acks=all) ─▶ kp_db_step ─▶┘
 *
 * One cluster of n_nodes nodes (ids 1..n). All nodes share one state; a partition has one log, its replicas are names. As Kafka does it,
 * a connection has at most one request under way: frames that come behind a held one wait (here, copied) until it is answered, so answers
 * leave in request order.
 *
 * No sockets, clock, thread or random source of its own: the same seed, calls and times give the same answers. `now_us` is any clock that
 * never runs backwards. Not thread-safe. Nothing blocks. Functions that name a topic take a C string.
 */
#ifndef KP_DEVBROKER_CORE_H
#define KP_DEVBROKER_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/slice.h"
#include "base/time.h"

typedef struct kp_db kp_db;
struct kp_db_storage;

#define KP_DB_MAX_FRAME 104857600 /* socket.request.max.bytes; longer frames close the connection */
#define KP_DB_MAX_NODES 1000
#define KP_DB_DEFAULT_PARTITIONS_MAX 10000

typedef struct kp_db_endpoint {
	const char *host; /* what Metadata tells clients */
	uint16_t port;
} kp_db_endpoint;

typedef struct kp_db_options {
	int32_t n_nodes;                 /* 1 .. KP_DB_MAX_NODES */
	const kp_db_endpoint *endpoints; /* n_nodes of them, node 1 first; copied. NULL: 127.0.0.1, ports 9092, 9093, ... */
	const char *cluster_id;          /* NULL: made from the seed */
	int32_t default_partitions;      /* of topics created without a count */
	bool auto_create;                /* auto.create.topics.enable */
	int32_t max_message_bytes;       /* message.max.bytes: default of the topics' max.message.bytes */
	size_t log_bytes_max;            /* all logs in memory together; past it the oldest batches go and their log starts later */
	int16_t transaction_version;     /* 0 to 2: the level of transaction.version; 2: clients may use KIP-890 */
	bool is_discarding;              /* check, count and forget: every log starts where it ends; see kp_db_check_records */
	int64_t wall_ms_at_zero;         /* milliseconds since 1970 when now_us is 0 */
	uint64_t seed;                   /* topic ids, cluster id, base of producer ids */
	struct kp_db_storage *storage; /* where topics and logs are kept (storage.h); it must outlive the broker. NULL: in memory */
} kp_db_options;

/* One node, one partition, auto-creation, 1048588 bytes a batch, 1 GiB of logs, seed 1, the wall clock starts at 1700000000000. */
void kp_db_options_init(kp_db_options *o);

/* NULL when memory is out, an option is out of its range, or what the storage holds is not sound (its `fault` says why). */
KP_MUST_USE kp_db *kp_db_new(const kp_db_options *o);
void kp_db_free(kp_db *db);

/*
 * A request arrived at `node` on connection `conn` (a number of the caller's; it exists from its first request to kp_db_conn_gone).
 * `frame` is what follows the 4-byte length; not needed after the call. 0, or KP_ERR_PROTOCOL, KP_ERR_NOT_SUPPORTED, KP_ERR_NO_MEMORY,
 * KP_ERR_CLOSED (the node is down): close the connection, once the answers already queued for it are written, and call kp_db_conn_gone.
 */
KP_MUST_USE int kp_db_request(kp_db *db, int32_t node, uint64_t conn, kp_slice frame, int64_t now_us);

typedef struct kp_db_answer {
	uint64_t conn;
	/*
	 * The caller's now: kp_buf_deinit. Starts with the 4-byte length; a fault may send it in pieces, or a part of it. Empty when there
	 * is only a close, or, without one, when a connection that a fault had made wait may go on.
	 */
	kp_buf bytes;
	bool is_close;   /* close the connection behind these bytes (a held frame was bad, acks=0 failed) */
	int16_t api_key; /* of the request, for faults and logs; -1 with an empty answer */
	int32_t correlation_id;
} kp_db_answer;

/* The oldest answer not yet taken; false when there is none. Answers appear during kp_db_request and kp_db_step. */
bool kp_db_next_answer(kp_db *db, kp_db_answer *out);

/*
 * Time went on: release what is due, as far as the queue of answers has room for it (take them and step again). Returns the next deadline,
 * KP_TIME_NEVER for none. Cheap when nothing is due.
 */
int64_t kp_db_step(kp_db *db, int64_t now_us);

/* A request of this connection is held: further frames would only be stored. A server stops reading then. */
bool kp_db_conn_is_waiting(const kp_db *db, uint64_t conn);
/* The connection is gone: its held request, stored frames and untaken answers are dropped (what was appended stays). */
void kp_db_conn_gone(kp_db *db, uint64_t conn);

/* Where nodes can be reached, when the ports are known only after kp_db_new. 0, KP_ERR_BAD_ARGUMENT, KP_ERR_NO_MEMORY. */
KP_MUST_USE int kp_db_set_endpoint(kp_db *db, int32_t node, const char *host, uint16_t port);

/*
 * The hand of fate: what a simulator or a fault script does to the cluster. They return 0, KP_ERR_UNKNOWN_TOPIC_OR_PARTITION,
 * KP_ERR_BAD_ARGUMENT, KP_ERR_NO_MEMORY, or (creation) the code that CreateTopics would answer.
 */
KP_MUST_USE int kp_db_create_topic(kp_db *db, const char *topic, int32_t n_partitions, int16_t replication_factor);
KP_MUST_USE int kp_db_delete_topic(kp_db *db, const char *topic);
KP_MUST_USE int kp_db_add_partitions(kp_db *db, const char *topic, int32_t n_partitions_total);
/*
 * A new leader (0: none), leader epoch + 1. The old one answers NOT_LEADER_OR_FOLLOWER from now on, also to acks=all requests that it has
 * appended and that still wait for the high watermark (released by the next kp_db_step).
 */
KP_MUST_USE int kp_db_set_leader(kp_db *db, const char *topic, int32_t partition, int32_t node);
/*
 * Down: Metadata omits the node, its partitions have no leader (error 5, epoch + 1), its held requests are dropped, requests to it return
 * KP_ERR_CLOSED. Up again: it leads what it led (epoch + 1) unless kp_db_set_leader moved it.
 */
KP_MUST_USE int kp_db_node_set_up(kp_db *db, int32_t node, bool is_up);
bool kp_db_node_is_up(const kp_db *db, int32_t node);
/*
 * How long replication takes: an append is below the high watermark, and so answered to acks=all and seen by Fetch, at least this much
 * later and at most twice this. 0 (default): at once. KP_TIME_NEVER: not before the delay is lowered again.
 */
void kp_db_set_hw_delay_us(kp_db *db, int64_t delay_us);
/*
 * Cut the log to `end_offset` (the batch that contains it goes as a whole), leader epoch + 1; producer state is rebuilt from what is left.
 * The high watermark is lowered if it must (that is an unclean election: the caller's responsibility).
 */
KP_MUST_USE int kp_db_truncate(kp_db *db, const char *topic, int32_t partition, int64_t end_offset);
/* Producer state expires: producer_id -1 forgets all. */
KP_MUST_USE int kp_db_forget_producers(kp_db *db, const char *topic, int32_t partition, int64_t producer_id);
/*
 * Who coordinates: a key (a group's name, a transactional id) belongs to a node by its hash, or the next one that is up. It can be given
 * to a node; to none (0), so that FindCoordinator answers COORDINATOR_NOT_AVAILABLE and every node NOT_COORDINATOR; or back to its hash
 * (KP_DB_COORDINATOR_BY_HASH). Nothing that was decided is lost by it.
 */
enum { KP_DB_COORDINATOR_GROUP = 0, KP_DB_COORDINATOR_TRANSACTION = 1 }; /* FindCoordinator's key types */
#define KP_DB_COORDINATOR_BY_HASH (-1)
KP_MUST_USE int kp_db_set_coordinator(kp_db *db, int8_t key_type, const char *key, int32_t node);
int32_t kp_db_coordinator(const kp_db *db, int8_t key_type, const char *key); /* 0: nobody now */
/* How long after EndTxn was answered (or a transaction timed out) its markers are written; until then CONCURRENT_TRANSACTIONS. */
void kp_db_set_marker_delay_us(kp_db *db, int64_t delay_us);
/* The transaction's time is over now: it is aborted, its producer fenced. KP_ERR_BAD_ARGUMENT: none is ongoing. */
KP_MUST_USE int kp_db_expire_txn(kp_db *db, const char *transactional_id, int64_t now_us);
/*
 * The next `count` requests of api_key at `node` (0: any) are answered with error_code, without being carried out: per partition for
 * Produce, Fetch, ListOffsets; per topic for Metadata and admin; at the top for the rest. Injections of one API queue up.
 */
KP_MUST_USE int kp_db_inject_error(kp_db *db, int32_t node, int16_t api_key, int16_t error_code, int32_t count);

/* Looking inside, for tests, checkers and the command. */
typedef struct kp_db_partition_info {
	int32_t leader; /* node, 0: none */
	int32_t leader_epoch;
	int64_t start_offset; /* of the first batch still kept */
	int64_t end_offset;   /* of the next record */
	int64_t high_watermark;
	int64_t last_stable_offset; /* of the first record of the first transaction that is not decided, or the high watermark */
	size_t n_bytes;             /* of the batches still kept */
	int32_t n_producers;        /* with state */
} kp_db_partition_info;

KP_MUST_USE int kp_db_partition_get(const kp_db *db, const char *topic, int32_t partition, kp_db_partition_info *out);
/* Topics in order of creation: the one behind `topic`, the first one for NULL; NULL at the end. Valid until a topic is deleted. */
const char *kp_db_next_topic(const kp_db *db, const char *topic);
int32_t kp_db_n_partitions(const kp_db *db, const char *topic); /* 0: no such topic */
/*
 * Walk a log: start with *offset at or behind the log's start; the batch that contains *offset goes to `batch` (view, valid until the next
 * call that changes anything; base offset and leader epoch as stored), and *offset moves behind it. False at the end.
 */
bool kp_db_log_walk(const kp_db *db, const char *topic, int32_t partition, int64_t *offset, kp_slice *batch);

/* Transactions that ended in an abort, as this partition's read_committed Fetch tells them, in the order of their markers. */
typedef struct kp_db_aborted {
	int64_t producer_id;
	int64_t first_offset, last_offset; /* of its first record here, of its marker */
	int64_t last_stable_offset;        /* behind the marker */
} kp_db_aborted;
/* Start with *at = 0. False at the end. Those whose marker is below the log's start may be missing. */
bool kp_db_aborted_walk(const kp_db *db, const char *topic, int32_t partition, size_t *at, kp_db_aborted *out);

typedef enum kp_db_txn_state {
	KP_DB_TXN_EMPTY, /* the id was initialised, and no transaction begun */
	KP_DB_TXN_ONGOING,
	KP_DB_TXN_PREPARE_COMMIT, /* decided; markers are not all written and replicated */
	KP_DB_TXN_PREPARE_ABORT,
	KP_DB_TXN_COMPLETE_COMMIT,
	KP_DB_TXN_COMPLETE_ABORT
} kp_db_txn_state;
const char *kp_db_txn_state_name(kp_db_txn_state s); /* as Kafka writes it: "PrepareCommit" */

typedef struct kp_db_txn_info {
	kp_db_txn_state state;
	int64_t producer_id;
	int16_t epoch;
	int32_t timeout_ms;
	int32_t n_partitions; /* of the transaction under way, or whose markers are still to be written */
	int32_t n_groups;     /* with offsets of it */
} kp_db_txn_info;
/* KP_ERR_BAD_ARGUMENT: there is no such transactional id. */
KP_MUST_USE int kp_db_txn_get(const kp_db *db, const char *transactional_id, kp_db_txn_info *out);
/* The offset that the group has committed, -1: none. Pending: a transaction that is not decided holds one for this partition. */
int64_t kp_db_committed_offset(const kp_db *db, const char *group, const char *topic, int32_t partition, bool *is_pending);

typedef struct kp_db_stats {
	uint64_t n_requests;                                            /* carried out or refused, all APIs */
	uint64_t n_produce_batches, n_produce_records, n_produce_bytes; /* appended */
	uint64_t n_produce_errors;                                      /* partitions answered with an error */
	uint64_t n_duplicates;                                          /* answered from producer state */
	uint64_t n_dropped_bytes; /* of batches, dropped because of log_bytes_max or retention */
	size_t log_bytes;         /* memory of all logs now */
} kp_db_stats;
void kp_db_get_stats(const kp_db *db, kp_db_stats *out);

#endif
