/*
 * client.h - one producer of a run: its engine, what its application did, and what the checks remember of it.
 */
#ifndef KP_TESTS_SIM_CLIENT_H
#define KP_TESTS_SIM_CLIENT_H

#include "base/list.h"
#include "tests/sim/plan.h"

struct sim_world;

typedef struct sim_record {
	uint8_t topic, client;
	bool is_accepted, is_tracked; /* tracked: it has an entry, so a report of its own */
	bool is_found_at_offset;      /* stands in the log where its report says */
	bool is_after_calm;           /* of the epilogue */
	bool is_future;               /* no broker takes it */
	bool is_ever_in_log;          /* stood in a log, though it may have been cut off since */
	bool may_be_lost;             /* what it stood in is gone, and that is allowed */
	uint8_t n_reports;
	kp_outcome outcome;
	int error;
	int32_t partition, txn; /* txn: number + 1 in the book of txn.h; 0: none */
	uint32_t n_in_log;
	int64_t offset, accepted_us, timestamp_ms;
} sim_record;

typedef struct sim_client {
	struct sim_world *w;
	int index;
	/* the engine and its loop */
	kp_engine *engine; /* NULL once it is closed */
	int64_t engine_us;
	bool is_woken; /* it asked for a turn, or an event came */
	kp_topic *topics[SIM_TOPICS];
	uint32_t n_accepted, n_tracked, n_ended; /* records; tracked: a report of its own is due; ended: it came */
	bool is_closing;
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
	int32_t last_reported[SIM_TOPICS][SIM_PARTITIONS_MAX]; /* per partition, of the persisted ones */
	int32_t gap_behind[SIM_TOPICS]
			  [SIM_PARTITIONS_MAX]; /* number + 1 of the last record that was not persisted; 0: all since were */
	uint64_t outcomes[3], n_closed;         /* records by outcome; ended by the close */
	/* memory that may exceed buffer.memory, see memory_bound() */
	size_t largest_batch;        /* bytes of records, of those with several that left; ... */
	int32_t longest_batch;       /* ... records */
	uint64_t n_rebuilt;          /* batches that were taken apart, as counted last ... */
	bool has_rebuilt;            /* ... one of them since buffer.memory was kept */
	bool is_settled[SIM_TOPICS]; /* its partitions were known after the last turn */
	bool has_moved[SIM_TOPICS];  /* records to them since buffer.memory was kept, perhaps */
	struct sim_watch *watch;     /* watch.h */
	struct sim_actor *actor;     /* txn.h; NULL: workload.c is its application */
} sim_client;

#endif
