/*
 * internal.h - what the core's handlers share: the broker, its connections, held requests, and the request under way.
 *
 * A handler gets the decoded request and either answers (kp_db_answer), holds (produce: kp_db_hold_produce; fetch: kp_db_hold_fetch), or
 * returns an error that closes the connection. Requests, answers and what they point to live in the request's arena.
 */
#ifndef KP_DEVBROKER_INTERNAL_H
#define KP_DEVBROKER_INTERNAL_H

#include "base/arena.h"
#include "base/list.h"
#include "devbroker/coordinator.h"
#include "devbroker/core.h"
#include "devbroker/judge.h"
#include "devbroker/topics.h"
#include "wire/header.h"
#include "wire/messages.h"
#include "wire/msg_produce.h"

#define KP_DB_ARENA_MAX ((size_t)64 << 20)              /* decoded request and answer */
#define KP_DB_ANSWER_MAX ((size_t)128 << 20)            /* encoded answer */
#define KP_DB_FETCH_MAX 57671680                        /* fetch.max.bytes of a broker: 55 MiB */
#define KP_DB_SCRATCH_MAX ((size_t)256 << 20)           /* a decompressed batch */
#define KP_DB_SCRATCH_KEEP ((size_t)4 << 20)            /* room for one that is kept from request to request */
#define KP_DB_BACKLOG_MAX ((size_t)2 * KP_DB_MAX_FRAME) /* frames stored behind a held request */
#define KP_DB_HELD_MAX ((size_t)256 << 20)              /* of all held requests; one that would pass it is not held */
#define KP_DB_ANSWERS_PAUSE ((size_t)64 << 20)          /* of answers not taken: held fetches wait until some have been */
#define KP_DB_PARKED_MAX ((size_t)256 << 20)            /* held back by faults; past it connections are closed */

typedef struct kp_db_conn {
	uint64_t id;
	int32_t node;
	bool is_closing;             /* nothing more is read from it */
	struct kp_db_held *held;     /* or NULL */
	struct kp_db_parked *parked; /* what a fault holds back, or NULL */
	bool has_waited;             /* the request that is carried out now was parked before */
	kp_list backlog;             /* of kp_db_frame: what came behind the held request */
	size_t backlog_bytes;
} kp_db_conn;

typedef struct kp_db_frame {
	kp_list link;
	size_t len;
	uint8_t bytes[];
} kp_db_frame;

/* Who asked what: enough to answer later. */
typedef struct kp_db_reply_to {
	kp_db_conn *conn;
	int16_t api_key, api_version;
	int32_t correlation_id;
	kp_db_fate fate;
} kp_db_reply_to;

/* A partition of a held produce: the answer is ready but for the high watermark. */
typedef struct kp_db_wait {
	kp_uuid topic_id;
	int32_t partition;
	int64_t required_offset; /* the high watermark must reach it */
	bool is_pending;
	kp_produce_response_partition *answer;
} kp_db_wait;

typedef struct kp_db_held {
	kp_list link; /* held_produces or held_fetches */
	kp_db *db;
	size_t bytes; /* counted in db->held_bytes */
	kp_db_reply_to to;
	int64_t deadline_us;
	/* produce: the answer and what it points to live here */
	kp_arena arena;
	kp_produce_response response;
	kp_db_wait *waits;
	size_t n_waits;
	/* fetch: carried out again whenever something has changed */
	kp_db_frame *frame;
} kp_db_held;

/* A request that a fault delays, an answer that leaves late or slowly, or nothing: the connection is mute. */
typedef struct kp_db_parked {
	kp_list link; /* db->parked */
	struct kp_db *db;
	kp_db_conn *conn;
	size_t n_bytes; /* of db->parked_bytes */
	int64_t due_us;
	kp_db_frame *frame;   /* the request, or NULL */
	kp_db_answer answer;  /* empty when it has left */
	size_t n_sent;        /* of it */
	int64_t drip_bytes_s; /* 0: the rest at once */
	int64_t mute_us;      /* behind the answer */
} kp_db_parked;

typedef struct kp_db_injection {
	kp_list link;
	int32_t node; /* 0: any */
	int16_t api_key, error_code;
	int32_t count;
} kp_db_injection;

/* The transaction coordinator: txns.h. */
typedef struct kp_db_txns {
	kp_map by_name;
	kp_list ongoing, ending;
	size_t n_members, members_text, text; /* of all together: members; bytes of their keys; bytes of names */
	int64_t marker_delay_us;
	int64_t deadline_us; /* not later than the first of theirs */
} kp_db_txns;

/* What groups have committed: group_offsets.h. */
typedef struct kp_db_groups {
	kp_map by_name;
	size_t n, text;   /* groups and offsets, pending ones too; bytes of names and metadata */
	int64_t sequence; /* of the last commit */
} kp_db_groups;

struct kp_db {
	kp_db_cluster cluster;
	bool is_auto_create, is_discarding;
	int16_t transaction_version;
	int64_t wall_ms_at_zero;
	kp_map conns;          /* by id */
	kp_db_conn *last_conn; /* most calls are for the same one as before */
	kp_db_answer *answers; /* a queue: [first_answer, n_answers) */
	size_t first_answer, n_answers, cap_answers;
	size_t answer_bytes; /* of those in the queue */
	kp_list held_produces, held_fetches;
	size_t held_bytes;
	int64_t produce_deadline_us, fetch_deadline_us; /* not later than the first of theirs */
	kp_list injections;
	kp_db_judge judge; /* judge.decide is NULL: nobody */
	kp_list parked;
	size_t parked_bytes;
	int64_t parked_deadline_us;
	int64_t now_us; /* of the call under way */
	kp_arena arena; /* of the request under way */
	kp_buf scratch; /* decompressed batch */
	int64_t next_producer_id;
	kp_db_txns txns;
	kp_db_groups groups;
	kp_db_coordinators coordinators;
	kp_db_stats stats;
};

/* The request under way. */
typedef struct kp_db_ctx {
	kp_db *db;
	kp_db_reply_to to;
	int64_t now_us;
	kp_slice frame; /* whole, header included */
	kp_slice client_id;
	int16_t injected;    /* error to answer with instead of carrying it out, or 0 */
	kp_db_held *held;    /* the held fetch that is being carried out again, or NULL */
	bool is_last_chance; /* its deadline has come: answer with what there is */
} kp_db_ctx;

static inline int64_t kp_db_wall_ms(const kp_db_ctx *ctx)
{
	return ctx->db->wall_ms_at_zero + ctx->now_us / 1000;
}

/* n structs of the schema with their default values, in the request's arena; NULL when its bound or memory is out. */
void *kp_db_items(kp_db_ctx *ctx, const kp_wire_struct *schema, size_t n);
/* A copy in the arena; the null slice when memory is out. */
kp_slice kp_db_copy(kp_db_ctx *ctx, kp_slice bytes);
/* Encode and queue the answer to `to`. */
KP_MUST_USE int kp_db_answer_to(kp_db *db, const kp_db_reply_to *to, int16_t version, void *response);
static inline int kp_db_reply(kp_db_ctx *ctx, void *response)
{
	return kp_db_answer_to(ctx->db, &ctx->to, ctx->to.api_version, response);
}
/* Queue an answer that only closes the connection. */
void kp_db_close(kp_db *db, kp_db_conn *conn);

/* Carry out one frame, or once more that of a held fetch. An error closes the connection. */
KP_MUST_USE int kp_db_execute(kp_db *db, kp_db_conn *conn, kp_slice frame, int64_t now_us, kp_db_held *held);

/* held.c */
/* Takes the request's arena, where response and waits live. */
KP_MUST_USE int kp_db_hold_produce(kp_db_ctx *ctx, const kp_produce_response *response, kp_db_wait *waits, size_t n_waits,
                                   int32_t timeout_ms);
KP_MUST_USE int kp_db_hold_fetch(kp_db_ctx *ctx, int32_t max_wait_ms);
void kp_db_held_free(kp_db_held *h);
/* Held produces whose batch on this partition ends behind `from_offset` are to be answered with `code`. */
void kp_db_fail_waits(kp_db *db, const kp_db_partition *p, int64_t from_offset, int16_t code);
/* Does the connection's node coordinate the group or transactional id? */
bool kp_db_is_coordinator(const kp_db_ctx *ctx, int8_t key_type, kp_slice key);
void kp_db_conn_free(kp_db_conn *conn); /* it must have left db->conns */
/* Say in an answer of version 10 or later who leads the partition now, and where that node is (KIP-951). */
KP_MUST_USE int kp_db_name_leader(const kp_db_cluster *c, const kp_db_partition *p, kp_arena *arena, kp_produce_response *response,
                                  kp_produce_response_leader *leader);

/* judge.c */
/* Ask the judge. 0: go on; or an error that closes. *is_parked: it is to be carried out later. */
KP_MUST_USE int kp_db_judge_request(kp_db_ctx *ctx, const void *request, bool *is_parked);
/* Give the answer, which stands at the end of the queue but is not counted there, its fate. 0 or KP_ERR_NO_MEMORY, and it is freed. */
KP_MUST_USE int kp_db_judge_answer(kp_db *db, const kp_db_reply_to *to, kp_db_answer *a);
/* The request has no answer (acks=0). */
KP_MUST_USE int kp_db_end_unanswered(kp_db_ctx *ctx, bool has_error);
/* The error that is to be answered for this place, or 0. is_after: carried out nevertheless. Null name, -1: the request as a whole. */
int16_t kp_db_error_for(const kp_db_ctx *ctx, kp_slice topic, int32_t partition);
int16_t kp_db_error_after(const kp_db_ctx *ctx, kp_slice topic, int32_t partition);
void kp_db_parked_free(kp_db_parked *k);
size_t kp_db_step_parked(kp_db *db, int64_t now_us); /* returns how many moved on */
static inline bool kp_db_is_busy(const kp_db_conn *conn)
{
	return conn->held || conn->parked;
}

/* core.c, held.c: for judge.c */
KP_MUST_USE int kp_db_queue_answer(kp_db *db, const kp_db_answer *a);
void kp_db_drain_backlog(kp_db *db, kp_db_conn *conn, int64_t now_us);

/* The APIs. `request` is the decoded body. */
int kp_db_api_produce(kp_db_ctx *ctx, const void *request);
int kp_db_api_fetch(kp_db_ctx *ctx, const void *request);
int kp_db_api_list_offsets(kp_db_ctx *ctx, const void *request);
int kp_db_api_metadata(kp_db_ctx *ctx, const void *request);
int kp_db_api_find_coordinator(kp_db_ctx *ctx, const void *request);
int kp_db_api_api_versions(kp_db_ctx *ctx, const void *request);
int kp_db_api_create_topics(kp_db_ctx *ctx, const void *request);
int kp_db_api_delete_topics(kp_db_ctx *ctx, const void *request);
int kp_db_api_init_producer_id(kp_db_ctx *ctx, const void *request);
int kp_db_api_describe_configs(kp_db_ctx *ctx, const void *request);
int kp_db_api_create_partitions(kp_db_ctx *ctx, const void *request);
int kp_db_api_add_partitions_to_txn(kp_db_ctx *ctx, const void *request);
int kp_db_api_add_offsets_to_txn(kp_db_ctx *ctx, const void *request);
int kp_db_api_end_txn(kp_db_ctx *ctx, const void *request);
int kp_db_api_txn_offset_commit(kp_db_ctx *ctx, const void *request);
int kp_db_api_offset_commit(kp_db_ctx *ctx, const void *request);
int kp_db_api_offset_fetch(kp_db_ctx *ctx, const void *request);
int kp_db_api_describe_cluster(kp_db_ctx *ctx, const void *request);

/* What this broker offers: the ranges of Apache Kafka 4.3.1. min_served is above min where Kafka lists versions that it then refuses. */
typedef struct kp_db_api {
	int16_t key, min, max, min_served;
	int (*handle)(kp_db_ctx *ctx, const void *request);
} kp_db_api;
extern const kp_db_api kp_db_apis[];
extern const size_t kp_db_n_apis;
/* ApiVersions in a version we do not have: answered in version 0 with error 35 (KIP-511). */
KP_MUST_USE int kp_db_refuse_api_versions(kp_db_ctx *ctx);

#endif
