/*
 * engine_fixture.h - an engine between a scripted clock and scripted brokers.
 *
 *   fx_send ─▶ engine ─▶ frames ─▶ brokers of the fixture: ApiVersions, Metadata and InitProducerId are answered at once by what the
 *   test set up; Produce too, with the next code of fx.codes (else 0), or kept in fx.requests when fx.hold is set, for fx_answer.
 *
 * Each record carries a number (its opaque and the start of its value); fx.reports[number] says how it ended and how often, a topic's
 * log says which numbers an answer of 0 put where. Time moves in fx_advance only, and stops at every moment the engine asked for.
 */
#ifndef KP_TEST_PRODUCER_ENGINE_FIXTURE_H
#define KP_TEST_PRODUCER_ENGINE_FIXTURE_H

#include <stdatomic.h>
#include <stdio.h>

#include "unit/base/unit.h"

#include "base/time.h"
#include "kproducer/error.h"
#include "kproducer/kproducer.h"
#include "producer/engine_impl.h"
#include "record/batch.h"
#include "wire/msg_produce.h"

#define FX_TOPICS 4
#define FX_PARTITIONS 16
#define FX_NODES 8               /* nodes 1 .. 7 */
#define FX_PLACES (2 * FX_NODES) /* bootstrap server i is place FX_NODES + i */
#define FX_RECORDS 20000
#define FX_LOG 20000
#define FX_REQUESTS 1024
#define FX_MS 1000
#define FX_SECOND 1000000
#define FX_WALL_MS_AT_ZERO INT64_C(1700000000000)

typedef struct fx_topic {
	char name[32];
	kp_uuid id, former_id; /* former: of the topic of that name that was deleted */
	int32_t n_partitions;
	int error; /* of its metadata */
	int32_t leader[FX_PARTITIONS], leader_epoch[FX_PARTITIONS];
	int *log[FX_PARTITIONS]; /* numbers of the records appended */
	int n_log[FX_PARTITIONS];
} fx_topic;

/* Where a server stands. */
typedef struct fx_place {
	bool is_refusing; /* connections fail at once */
	bool is_silent;   /* connections neither open nor fail */
	bool is_mute;     /* answers nothing */
	int n_connects;
	int64_t last_connect_us;
} fx_place;

typedef struct fx_conn {
	uint32_t id;
	int place;
	bool is_open, is_blocked; /* blocked: fx.write_budget was spent while it had more to write */
	kp_buf in;                /* bytes of the engine that are no whole frame yet */
} fx_conn;

typedef struct fx_part {
	char topic[32];
	kp_uuid id; /* as the request gives it */
	int32_t index;
	kp_batch_header header;
	uint8_t *bytes;
	size_t len;
} fx_part;

/* A Produce request that arrived. */
typedef struct fx_request {
	uint32_t conn;
	int place;
	int16_t version, acks;
	int32_t correlation_id;
	int64_t at_us;
	size_t frame_len;
	fx_part *parts;
	int n_parts;
	bool is_answered;
} fx_request;

/* What a broker says about one partition. */
typedef struct fx_reply {
	int error;
	int32_t leader, leader_epoch; /* KIP-951; leader 0: no hint */
	const char *message;
	bool is_left_out;   /* the answer does not mention the partition */
	bool names_culprit; /* KIP-467: says that the batch's record 1 was to blame */
} fx_reply;

typedef struct fx_report {
	int n; /* reports; must end as 1 */
	kp_outcome outcome;
	int error, last_error;
	kp_stage stage;
	int32_t partition, attempts, node;
	int64_t offset, at_us;
	uint64_t order; /* of all reports */
	kp_trail trail;
	char cause[256]; /* "" when there is none */
} fx_report;

typedef struct fx {
	kp_engine_config config;
	kp_engine *engine;
	kp_logger log;
	_Atomic int64_t now_us; /* senders on other threads read it */
	int64_t next_us;        /* what the last step asked for */
	int n_servers, n_nodes;
	void (*on_wake)(void *opaque); /* may be NULL; any thread */
	void *wake_opaque;
	int n_errors, last_error; /* of the error callback */
	fx_topic topics[FX_TOPICS];
	int n_topics;
	fx_place places[FX_PLACES];
	fx_conn conns[256];
	int n_conns;
	fx_request requests[FX_REQUESTS];
	int n_requests;
	/* the script */
	bool hold;       /* keep Produce requests for fx_answer */
	bool hold_ended; /* leave ended batches with the engine */
	bool metadata_is_mute, id_is_mute;
	int metadata_error, id_error;
	int codes[64], n_codes;    /* for the next Produce requests, when not held */
	size_t write_budget;       /* bytes the transport takes before it blocks; SIZE_MAX: never */
	int32_t throttle_ms;       /* of Produce answers */
	int32_t other_throttle_ms; /* of Metadata and InitProducerId answers */
	int moved_to;              /* the place where metadata says that node 1 is; 0: at home */
	int32_t endpoint;          /* a node that Produce answers describe (KIP-951); 0: none */
	int16_t produce_version;   /* highest one offered */
	int16_t first_epoch;
	/* what happened */
	int n_metadata, n_metadata_topics, n_id, n_other, other_place;
	int64_t next_producer_id;
	fx_report reports[FX_RECORDS + 1];
	int n_sent; /* numbers given so far */
	uint64_t n_reported;
	kp_arena arena;
} fx;

/* Set while the fixture itself works: a failing allocator leaves it alone. */
extern bool fx_is_at_work;

kp_engine_config fx_config(void);
/* One bootstrap server and two nodes, changed before fx_start by the test. */
fx *fx_new(const kp_engine_config *config);
bool fx_start(fx *f); /* false: no memory */
/*
 * Send one record to each partition and forget it: metadata, producer id and stamps are known then, each next sequence is 1, and the
 * numbers and logs begin anew.
 */
void fx_warm(fx *f);
/* Topic "events" of n partitions, all led by node 1, warm. */
fx *fx_with_topic(const kp_engine_config *config, int32_t n_partitions);
/* Ends everything, checks that each accepted record was reported exactly once and that no budget is left in use. */
void fx_free(fx *f);

fx_topic *fx_add_topic(fx *f, const char *name, int32_t n_partitions);
/* The number of the record (above 0), or the error (below 0). */
int fx_send(fx *f, const char *topic, int32_t partition, const char *key, size_t value_len);
int fx_send_args(fx *f, const char *topic, kp_append_args *args);
kp_partition *fx_partition(fx *f, const char *topic, int32_t index);

bool fx_turn(fx *f);                /* one turn; whether anything moved */
void fx_run(fx *f);                 /* turns until nothing moves, without moving the time */
void fx_advance(fx *f, int64_t us); /* the same, moving it */
fx_request *fx_held(fx *f, int i);  /* the i-th request without answer; NULL: there is none */
int fx_n_held(fx *f);
void fx_answer(fx *f, fx_request *r, int error);
void fx_reply_each(fx *f, fx_request *r, const fx_reply *replies);
void fx_append(fx *f, const fx_request *r); /* into the logs, without an answer */
void fx_break(fx *f, int place, int error);
void fx_unblock(fx *f, size_t budget);
kp_engine_counters fx_count(fx *f);

/* How the record ended; fails when it has not. */
const fx_report *fx_report_of(fx *f, int number);
void fx_check(fx *f, int number, kp_outcome outcome, int error);
/* The log of a partition is exactly these numbers. */
void fx_check_log(fx *f, const char *topic, int32_t index, const int *numbers, int n);
bool fx_take_ended(fx *f); /* whether there were any */

#endif
