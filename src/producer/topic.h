/*
 * topic.h - topics and partitions: the fields any thread may touch, and the fields of the loop thread.
 *
 *   kp_topic ── partitions[0..n) ──▶ kp_partition: open batch, queue of sealed ones (shared) | unresolved batches, stamp (loop)
 *           └── pending: a partition with index -1 that keeps records, in order, until the topic's partitions are known
 *
 * Partitions are made when metadata names them and live as long as their topic, which lives as long as its engine. The array of
 * pointers only grows; outgrown ones are kept until the topic goes, so readers need no lock.
 */
#ifndef KP_PRODUCER_TOPIC_H
#define KP_PRODUCER_TOPIC_H

#include <stdatomic.h>

#include "base/list.h"
#include "base/lock.h"
#include "cluster/cluster.h"
#include "producer/batch.h"
#include "producer/timers.h"

struct kp_engine;
struct kp_broker;

#define KP_PENDING_INDEX (-1)

/* At the start of a cache line: up to appended_bytes is all that appending a record touches. */
typedef struct kp_partition {
	kp_topic *topic;
	int32_t index;
	struct {
		kp_lock lock; /* guards open, queue, n_appended, appended_bytes, is_halted, the hints */
		kp_batch *open;
		kp_list queue; /* detached batches that the loop has not adopted, oldest first */
		uint64_t n_appended, appended_bytes;
		bool is_halted;                     /* takes nothing: a record was lost (halt.c) */
		size_t size_hint;                   /* bytes of records in the last batch that went: the next one starts as large */
		int32_t entries_hint;               /* its entries, likewise */
		_Atomic int64_t bytes;              /* of the budget, all batches of this partition; relaxed: a bound */
		_Atomic int32_t n_waiting;          /* batches not yet in a request, the open one included; relaxed: a weight */
		_Atomic bool is_available;          /* has a leader, is not halted; relaxed: a preference */
		_Atomic(struct kp_broker *) leader; /* the same as loop.leader, for the availability timeout; relaxed */
		_Atomic bool is_notified;           /* stands in the engine's stack of notified partitions */
		struct kp_partition *next_notified;
	} shared;
	struct {
		kp_list ready;      /* adopted batches without a request yet, oldest first */
		kp_list unresolved; /* batches with a stamp, or in flight, in order of sequence */
		int32_t n_in_flight;
		struct kp_broker *leader;
		kp_list ready_link;        /* in the leader's list of partitions that can send */
		kp_list linger_link;       /* in the engine's list of those that linger */
		kp_timer timer;            /* linger, back-off or expiry of an open batch */
		kp_timer expiry, eviction; /* see expiry.c */
		int64_t backoff_until_us;
		int64_t open_created_us; /* of the open batch as last seen; -1: none */
		int64_t leaderless_us,
			leaderless_since_us; /* how long it had no leader, and since when it has none; -1: it has one */
		int64_t open_routed_us, open_leaderless_us; /* of the open batch last seen, and the count when it came */
		kp_cause *cause;                            /* of what was given up in the turn of cause_us, or NULL */
		int64_t cause_us;
		bool is_recovering;    /* travels alone until what it has to send again is through */
		bool is_draining;      /* a real gap: nothing leaves until nothing is in flight */
		int halt_error;        /* a record was lost by it, and on_gap says to halt: done at the next look; else 0 */
		uint64_t halted_below; /* batches of lower serials came before the halt, and leave no more */
		int halted_by;         /* the error of the last halt */
		int n_failures;        /* in a row, for the back-off */
		int64_t producer_id;
		int64_t banned_producer_id; /* an id that this partition must not use any more; -1: none */
		int16_t producer_epoch;
		int32_t next_sequence;
		bool is_stamp_known; /* a broker has acknowledged a batch of this id and epoch; until then batches go one by one */
		uint64_t txn_number; /* the last transaction that it was added to (classic) */
		kp_list txn_link;    /* waits to be added */
		int64_t known_us;    /* when the last one of them was sent */
		int64_t acked_us;    /* when the last batch was acknowledged; -1: none was ... */
		int32_t acked_node;  /* ... and by whom */
	} loop;
} kp_partition;

struct kp_topic {
	struct kp_engine *engine;
	void *owner;     /* the surroundings' opaque */
	uint64_t serial; /* never used twice: the key of per-thread sticky choices */
	char *name;
	struct {
		_Atomic(kp_partition **) partitions; /* release by the loop before n_partitions, acquire by readers */
		_Atomic int32_t n_partitions;        /* 0: not known yet; release/acquire: the array and what it points to */
		_Atomic int32_t
			n_ever; /* partitions made so far: a topic that was created anew may have fewer. release/acquire, as above */
		kp_partition *pending;
		_Atomic int32_t
			batch_size; /* bytes of records in a batch: batch.size, or less once larger ones were refused; relaxed */
		kp_lock lock;       /* guards the weights */
		uint32_t *weights;  /* cumulative, over candidates[] */
		int32_t *candidates;
		int32_t n_candidates, cap_candidates;
		bool is_weighted;
		int64_t weighed_us;
		kp_random random;
	} shared;
	struct {
		kp_list link;
		int32_t moving_to;   /* the number of partitions it had when moving began */
		kp_list moving_link; /* in the engine's list of topics whose records wait for room to move */
		kp_cluster_topic *meta;
		kp_partition ***retired; /* outgrown arrays */
		size_t n_retired;
		int32_t cap_partitions, n_made; /* room in the array, partitions made so far */
		int64_t batch_size_us;          /* when batch_size changed */
		uint64_t request;               /* serial of the Produce request being built ... */
		int32_t slot;                   /* ... and the topic's place in it */
	} loop;
};

/* NULL when memory is out. Any thread. */
KP_MUST_USE kp_topic *kp_topic_new(struct kp_engine *e, const char *name, uint64_t serial, uint64_t seed);
void kp_topic_free(kp_topic *t); /* its batches must be gone */
/* Make partitions up to n and publish n. Loop. 0 or KP_ERR_NO_MEMORY with what was published before. */
KP_MUST_USE int kp_topic_set_partitions(kp_topic *t, int32_t n);

static inline int32_t kp_topic_batch_size(kp_topic *t)
{
	return atomic_load_explicit(&t->shared.batch_size, memory_order_relaxed);
}

static inline int32_t kp_topic_n_partitions(kp_topic *t)
{
	return atomic_load_explicit(&t->shared.n_partitions, memory_order_acquire);
}

static inline kp_partition *kp_topic_partition(kp_topic *t, int32_t index)
{
	return atomic_load_explicit(&t->shared.partitions, memory_order_acquire)[index];
}

#endif
