/*
 * cluster_fixture.h - metadata answers in a few words, and a cluster to feed them to.
 */
#ifndef KP_TEST_CLUSTER_FIXTURE_H
#define KP_TEST_CLUSTER_FIXTURE_H

#include <stdio.h>

#include "unit/base/unit.h"

#include "base/time.h"
#include "cluster/backoff.h"
#include "cluster/cluster.h"
#include "kproducer/error.h"

#define SECOND 1000000
#define MAX_PARTITIONS 8

static const kp_cluster_config config = {.max_age_us = 300 * (int64_t)SECOND,
                                         .max_idle_us = 60 * (int64_t)SECOND,
                                         .retry_backoff_us = 100000,
                                         .retry_backoff_max_us = SECOND,
                                         .allow_auto_create = true};

typedef struct fixture {
	kp_cluster cluster;
	kp_random random;
	kp_arena arena;
	kp_metadata_request request; /* the last one built */
	char told[256];              /* names of the topics that on_topic was called for */
} fixture;

static inline void fixture_init(fixture *f)
{
	memset(f, 0, sizeof(*f));
	kp_random_init(&f->random, 1);
	kp_arena_init(&f->arena, 0);
	kp_cluster_init(&f->cluster, &config, &f->random);
}

static inline void fixture_deinit(fixture *f)
{
	kp_cluster_deinit(&f->cluster);
	kp_arena_deinit(&f->arena);
}

/* An answer: brokers 1..n_brokers and topics that follow. */
typedef struct answer {
	kp_metadata_response body;
	kp_metadata_response_broker brokers[4];
	kp_metadata_response_topic topics[4];
	kp_metadata_response_partition partitions[4][MAX_PARTITIONS];
} answer;

static inline void answer_init(answer *a, int32_t n_brokers)
{
	memset(a, 0, sizeof(*a));
	kp_wire_init(&kp_metadata_response_schema, &a->body, 1);
	for (int32_t i = 0; i < n_brokers; i++)
		a->brokers[i] = (kp_metadata_response_broker){.node_id = i + 1, .host = kp_slice_cstr("node"), .port = 9092 + i};
	a->body.brokers.items = a->brokers;
	a->body.brokers.n = n_brokers;
	a->body.cluster_id = kp_slice_cstr("cluster-of-the-test");
	a->body.controller_id = 1;
	a->body.topics.items = a->topics;
}

/* A topic whose partitions are led by `leader` at `epoch`; id_byte tells topics of one name apart. */
static inline kp_metadata_response_partition *answer_topic(answer *a, const char *name, uint8_t id_byte, int32_t n_partitions,
                                                           int32_t leader, int32_t epoch)
{
	int32_t k = a->body.topics.n++;
	kp_metadata_response_topic *t = &a->topics[k];
	kp_wire_init(&kp_metadata_response_topic_schema, t, 1);
	t->name = kp_slice_cstr(name);
	memset(&t->topic_id, id_byte, sizeof(t->topic_id));
	for (int32_t i = 0; i < n_partitions; i++)
		a->partitions[k][i] = (kp_metadata_response_partition){
			.partition_index = i, .leader_id = leader, .leader_epoch = epoch};
	t->partitions.items = a->partitions[k];
	t->partitions.n = n_partitions;
	return a->partitions[k];
}

static inline void answer_error(answer *a, const char *name, int error)
{
	answer_topic(a, name, 0, 0, -1, -1);
	a->topics[a->body.topics.n - 1].error_code = (int16_t)error;
}

static inline void told_of(void *opaque, kp_cluster_topic *t)
{
	fixture *f = opaque;
	snprintf(f->told + strlen(f->told), sizeof(f->told) - strlen(f->told), "%s ", t->name);
}

static inline int fixture_update(fixture *f, const answer *a, int64_t now_us)
{
	f->told[0] = '\0';
	return kp_cluster_update(&f->cluster, &a->body, now_us, told_of, f);
}

/* Whether a request is due; if so it is built, and is under way. */
static inline bool fixture_asks(fixture *f, int64_t now_us)
{
	int64_t next_us;
	if (!kp_cluster_wants_request(&f->cluster, now_us, &next_us))
		return false;
	kp_arena_reset(&f->arena);
	assert_true(kp_cluster_build_request(&f->cluster, 12, &f->arena, &f->request));
	return true;
}

static inline int64_t fixture_next_us(fixture *f, int64_t now_us)
{
	int64_t next_us = 0;
	assert_false(kp_cluster_wants_request(&f->cluster, now_us, &next_us));
	return next_us;
}

static inline kp_cluster_topic *fixture_topic(fixture *f, const char *name, int64_t now_us)
{
	kp_cluster_topic *t = kp_cluster_topic_get(&f->cluster, kp_slice_cstr(name), now_us);
	assert_non_null(t);
	return t;
}

#endif
