/*
 * topics.h - the cluster's state: topics by name and id, their partitions, who leads them, which nodes are up.
 */
#ifndef KP_DEVBROKER_TOPICS_H
#define KP_DEVBROKER_TOPICS_H

#include "base/map.h"
#include "base/random.h"
#include "devbroker/core.h"
#include "devbroker/log.h"
#include "devbroker/producer_state.h"
#include "devbroker/topic_config.h"
#include "wire/schema.h"

#define KP_DB_PARTITIONS_PER_REQUEST 10000 /* ReplicationControlManager.MAX_PARTITIONS_PER_BATCH; over it: POLICY_VIOLATION */
#define KP_DB_PARTITIONS_MAX 200000        /* of the cluster; bounds what clients can make us allocate */
#define KP_DB_TOPIC_NAME_MAX 249
#define KP_DB_CONFIG_TEXT_MAX ((size_t)64 << 20) /* of all topics' values together; over it: POLICY_VIOLATION */

typedef struct kp_db_aborted_list {
	kp_db_aborted *items; /* in the order of their markers; 32 bytes for each marker that the log holds */
	size_t n, cap;
} kp_db_aborted_list;

typedef struct kp_db_partition {
	struct kp_db_topic *topic;
	int32_t index;
	int32_t leader; /* as elected; it may be down: see kp_db_leader_of. 0: none */
	int32_t leader_epoch;
	kp_db_log log;
	kp_db_producers producers;
	kp_db_aborted_list aborted;
	int64_t high_watermark;
	/* Replication under way: at hw_due_us the high watermark becomes hw_target. In the cluster's `replicating` list meanwhile. */
	kp_list replicating;
	int64_t hw_target, hw_due_us;
	uint32_t last_entry, n_mentions; /* which entry of the request under way counts for this partition; how many there are */
	bool is_watched;                 /* a held fetch waits for this partition's high watermark */
} kp_db_partition;

typedef struct kp_db_topic {
	kp_list in_order; /* of creation */
	char *name;
	char *metric_name; /* of its own only when the name has a '.' */
	kp_uuid id;
	kp_db_partition **partitions; /* a partition never moves */
	int32_t n_partitions;
	int16_t replication_factor;
	int32_t first_node; /* partition p is led, at first, by node 1 + (first_node + p) % n_nodes; its replicas follow */
	kp_db_topic_config config;
	uint64_t last_metadata;                /* number of the last Metadata request that named it */
	kp_list bounded;                       /* in the cluster's list of that name while one of the two below is set */
	int64_t retention_ms, retention_bytes; /* -1: no bound */
} kp_db_topic;

typedef struct kp_db_node {
	char *host;
	uint16_t port;
	bool is_up;
} kp_db_node;

typedef struct kp_db_cluster {
	kp_db_node *nodes; /* of id i + 1 */
	int32_t n_nodes;
	char id[23];
	kp_map by_name, by_id, by_metric;
	kp_list topics;
	size_t n_topics, n_partitions;
	size_t config_text; /* bytes of all topics' values */
	kp_list replicating;
	int64_t hw_delay_us;
	/* Something that held requests wait for has happened: a high watermark passed, a leader or topic went. */
	bool is_produce_dirty, is_fetch_dirty;
	kp_db_log_pool logs;
	kp_db_producer_pool producers;
	kp_random random;
	int32_t default_partitions, max_message_bytes;
	kp_list bounded;          /* topics whose logs retention looks at */
	int64_t retention_due_us; /* when */
	kp_db_storage *storage;   /* NULL: everything is in memory */
	bool is_restored;         /* what the storage holds is here, whole */
	kp_db_reserved reserved;  /* what the storage knows to be given out, at most */
	int32_t first_epoch;      /* of a partition's leaders: above all that an earlier run has given out */
} kp_db_cluster;

KP_MUST_USE int kp_db_cluster_init(kp_db_cluster *c, const kp_db_options *o);
void kp_db_cluster_deinit(kp_db_cluster *c); /* also after a failed init */

/* 0, or KP_ERR_INVALID_TOPIC_EXCEPTION with Kafka's words appended to `why` (may be NULL). */
KP_MUST_USE int kp_db_topic_name_check(kp_slice name, kp_buf *why);
kp_db_topic *kp_db_topic_by_name(const kp_db_cluster *c, kp_slice name); /* or NULL */
/* A random id. */
void kp_db_uuid_make(kp_random *r, kp_uuid *id);

kp_db_topic *kp_db_topic_by_id(const kp_db_cluster *c, const kp_uuid *id);
/* The topic whose name would make the same metric name ('.' and '_' count as equal), or NULL. */
kp_db_topic *kp_db_topic_collision(const kp_db_cluster *c, kp_slice name);
kp_db_partition *kp_db_partition_of(const kp_db_topic *t, int32_t index); /* NULL when out of range */

/*
 * Counts must be in range, the name valid and free. Takes *config (empty afterwards) on success. 0, KP_ERR_POLICY_VIOLATION,
 * KP_ERR_NO_MEMORY, or the storage's error, as do growing and deleting.
 */
KP_MUST_USE int kp_db_topic_create(kp_db_cluster *c, kp_slice name, int32_t n_partitions, int16_t replication_factor,
                                   kp_db_topic_config *config, kp_db_topic **out);
/* The same for a topic that the storage has kept; its logs are empty still. */
KP_MUST_USE int kp_db_topic_restore(kp_db_cluster *c, const kp_db_topic_record *record, kp_db_topic **out);
KP_MUST_USE int kp_db_topic_delete(kp_db_cluster *c, kp_db_topic *t);
KP_MUST_USE int kp_db_topic_grow(kp_db_cluster *c, kp_db_topic *t, int32_t n_partitions);

bool kp_db_is_node(const kp_db_cluster *c, int32_t node); /* 1..n */
/* The leader, when it is up; else 0. */
int32_t kp_db_leader_of(const kp_db_cluster *c, const kp_db_partition *p);
/* Node of replica i; a leader that was not among them stands for the first, as after a reassignment. */
int32_t kp_db_replica(const kp_db_cluster *c, const kp_db_partition *p, int i);
/* What consumers may read up to: never below the log's start, also when memory ran out before replication was done. */
int64_t kp_db_readable_end(const kp_db_partition *p);
int32_t kp_db_n_insync(const kp_db_cluster *c, const kp_db_partition *p);
bool kp_db_has_enough_insync(const kp_db_cluster *c, const kp_db_partition *p); /* min.insync.replicas, or all that there are */
int16_t kp_db_default_replication(const kp_db_cluster *c); /* of topics created without a factor: 3, or all nodes */
int32_t kp_db_controller(const kp_db_cluster *c);          /* the first node that is up, or 0 */
void kp_db_elect(kp_db_cluster *c, kp_db_partition *p, int32_t node);
void kp_db_node_change(kp_db_cluster *c, int32_t node, bool is_up);
void kp_db_raise_epoch(kp_db_cluster *c, kp_db_partition *p);
/* Note in the storage, if there is one, that all below may be given out from now on. */
KP_MUST_USE int kp_db_reserve(kp_db_cluster *c, const kp_db_reserved *below);

/* retention.c: what its retention.bytes and retention.ms, where set, mean for the topic's logs. Again when it has grown. */
void kp_db_retention_apply(kp_db_cluster *c, kp_db_topic *t);
/* Drop what is past its topic's bounds. Returns when to come again, or KP_TIME_NEVER. Cheap before that time. */
int64_t kp_db_retention_step(kp_db_cluster *c, int64_t wall_ms, int64_t now_us);
/* The partition's log grew. */
void kp_db_retention_note(kp_db_cluster *c, const kp_db_topic *t, int64_t now_us);

/* The partition's log grew: now or later the high watermark follows. */
void kp_db_replicate(kp_db_cluster *c, kp_db_partition *p, int64_t now_us);
/* Raise the high watermarks that are due. Returns the next time one is, or KP_TIME_NEVER. */
int64_t kp_db_replication_step(kp_db_cluster *c, int64_t now_us);
void kp_db_set_delay(kp_db_cluster *c, int64_t delay_us);
/* Cut the log and rebuild the producer state from what is left. KP_ERR_NO_MEMORY: the state is incomplete. */
KP_MUST_USE int kp_db_partition_truncate(kp_db_cluster *c, kp_db_partition *p, int64_t end_offset);

#endif
