/*
 * cluster.h - what is known of the cluster: nodes, topics with their partitions' leaders, and when to ask again.
 *
 * Stepped: answers and `now` go in, requests to send and the next deadline come out. One thread (the engine's).
 *
 * A topic is *stale* when it must be asked for soon (new, an error pointed at its metadata, it was created or grew); stale topics
 * are asked for alone, each with a back-off of its own that doubles while it stays open; all topics are asked for when metadata.max.age.ms
 * is over. A request that gets no answer makes all of them wait.
 * A leader is taken only with an epoch not older than the known one (KIP-320), unless the topic's id changed (it was created again).
 */
#ifndef KP_CLUSTER_CLUSTER_H
#define KP_CLUSTER_CLUSTER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/list.h"
#include "base/map.h"
#include "base/random.h"
#include "base/slice.h"
#include "wire/msg_metadata.h"

typedef struct kp_cluster_node {
	int32_t id;
	char host[256];
	uint16_t port;
	bool is_gone; /* not in the last full list of brokers */
} kp_cluster_node;

typedef struct kp_cluster_partition {
	int32_t leader;       /* node id, -1: none now */
	int32_t leader_epoch; /* -1: not known */
	int32_t n_replicas, n_in_sync;
} kp_cluster_partition;

typedef struct kp_cluster_topic {
	kp_list link;       /* in kp_cluster.topics */
	kp_list stale_link; /* in kp_cluster.stale while it must be asked for */
	char *name;
	kp_uuid id;
	int error; /* the last answer's error for the topic; 0 with n_partitions > 0 means known */
	bool is_internal;
	kp_cluster_partition *partitions;
	int32_t n_partitions;
	int32_t n_kept;  /* of which `partitions` knows the last epoch; at least n_partitions */
	int64_t used_us; /* last time somebody wanted it */
	bool is_idle;    /* nobody sends to it: left out when all topics are asked for (metadata.max.idle.ms) */
	int n_open;      /* answers in a row that left it open */
	int64_t next_us; /* while stale: not asked for before then */
	bool is_asked;   /* the request under way, or the last one, asks for it */
	void *user;      /* the owner's: survives updates */
} kp_cluster_topic;

typedef struct kp_cluster_config {
	int64_t max_age_us, max_idle_us;
	int64_t retry_backoff_us, retry_backoff_max_us;
	bool allow_auto_create;
} kp_cluster_config;

typedef struct kp_cluster {
	kp_cluster_config config;
	kp_cluster_node *nodes;
	size_t n_nodes, cap_nodes;
	kp_list topics, stale;
	kp_map by_name;
	int32_t controller_id; /* -1: not known */
	char cluster_id[64];
	bool is_asking;     /* a request is under way */
	bool is_full;       /* the request that is due, or under way, asks for all topics */
	int n_failures;     /* in a row: requests without an answer */
	int64_t next_us;    /* no request before then */
	int64_t updated_us; /* last complete answer; -1: never */
	kp_random *random;
} kp_cluster;

void kp_cluster_init(kp_cluster *c, const kp_cluster_config *config, kp_random *random);
void kp_cluster_deinit(kp_cluster *c);

/* The topic, made (stale) if it is not there. NULL when memory is out. */
kp_cluster_topic *kp_cluster_topic_get(kp_cluster *c, kp_slice name, int64_t now_us);
kp_cluster_topic *kp_cluster_topic_find(const kp_cluster *c, kp_slice name);
kp_cluster_topic *kp_cluster_topic_find_id(const kp_cluster *c, const kp_uuid *id); /* walks; for rare use */
void kp_cluster_mark_stale(kp_cluster *c, kp_cluster_topic *t);
void kp_cluster_unmark_stale(kp_cluster_topic *t); /* nobody waits for it any more */
kp_cluster_node *kp_cluster_node_find(const kp_cluster *c, int32_t id);

/* Whether a Metadata request is due at now; if not, *next_us says when to look again. */
bool kp_cluster_wants_request(kp_cluster *c, int64_t now_us, int64_t *next_us);
/* Build that request (stale topics, or all) for `version`; marks it as under way. False when memory is out. */
bool kp_cluster_build_request(kp_cluster *c, int version, kp_arena *arena, kp_metadata_request *out);
/* The request got no answer (connection lost, time-out). */
void kp_cluster_request_failed(kp_cluster *c, int64_t now_us);
/*
 * Take an answer. on_topic is called for each topic that the answer speaks of, after it was updated; it may look at everything and
 * change nothing but `user`, or mark the topic stale. 0, or KP_ERR_NO_MEMORY (what was taken until then stays), or the answer's
 * top-level error.
 */
KP_MUST_USE int kp_cluster_update(kp_cluster *c, const kp_metadata_response *answer, int64_t now_us,
                                  void (*on_topic)(void *opaque, kp_cluster_topic *t), void *opaque);
/* A Produce answer named a new leader (KIP-951). True when it was news. */
bool kp_cluster_leader_hint(kp_cluster *c, kp_cluster_topic *t, int32_t partition, int32_t leader, int32_t leader_epoch);
/* A node that an answer described. NULL when memory is out or the host name is too long. */
kp_cluster_node *kp_cluster_node_put(kp_cluster *c, int32_t id, kp_slice host, int32_t port);
/* Drop topics nobody used for metadata.max.idle.ms, but for those with `user` still set. */
void kp_cluster_forget_idle(kp_cluster *c, int64_t now_us);

#endif
