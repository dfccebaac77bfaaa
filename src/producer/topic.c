#include "producer/topic.h"

#include <kproducer/error.h>

#include <string.h>

#include "base/mem.h"

static kp_partition *partition_new(kp_topic *t, int32_t index)
{
	kp_partition *p = kp_mem_calloc_line(sizeof(*p));
	if (!p)
		return NULL;
	p->topic = t;
	p->index = index;
	kp_lock_init(&p->shared.lock);
	kp_list_init(&p->shared.queue);
	kp_list_init(&p->loop.ready);
	kp_list_init(&p->loop.unresolved);
	kp_list_init(&p->loop.ready_link);
	kp_list_init(&p->loop.linger_link);
	kp_list_init(&p->loop.txn_link);
	p->loop.open_created_us = -1;
	p->loop.leaderless_since_us = -1;
	p->loop.open_routed_us = -1;
	p->loop.producer_id = -1;
	p->loop.banned_producer_id = -1;
	p->loop.acked_us = -1;
	return p;
}

static void partition_free(kp_partition *p)
{
	if (p)
		kp_cause_unref(p->loop.cause);
	kp_mem_free_line(p);
}

kp_topic *kp_topic_new(struct kp_engine *e, const char *name, uint64_t serial, uint64_t seed)
{
	kp_topic *t = kp_mem_calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	t->engine = e;
	t->serial = serial;
	kp_list_init(&t->loop.link);
	kp_list_init(&t->loop.moving_link);
	kp_lock_init(&t->shared.lock);
	kp_random_init(&t->shared.random, seed);
	t->name = kp_mem_strdup(name);
	t->shared.pending = partition_new(t, KP_PENDING_INDEX);
	if (!t->name || !t->shared.pending) {
		kp_topic_free(t);
		return NULL;
	}
	return t;
}

void kp_topic_free(kp_topic *t)
{
	kp_partition **partitions = atomic_load_explicit(&t->shared.partitions, memory_order_relaxed);
	for (int32_t i = 0; i < t->loop.n_made; i++)
		partition_free(partitions[i]);
	kp_mem_free(partitions);
	for (size_t i = 0; i < t->loop.n_retired; i++)
		kp_mem_free(t->loop.retired[i]);
	kp_mem_free(t->loop.retired);
	kp_mem_free(t->shared.weights);
	kp_mem_free(t->shared.candidates);
	partition_free(t->shared.pending);
	kp_mem_free(t->name);
	kp_mem_free(t);
}

/* A larger array with the same content; the old one stays for readers that hold it. */
static int grow_array(kp_topic *t, int32_t n)
{
	kp_partition **old = atomic_load_explicit(&t->shared.partitions, memory_order_relaxed);
	int32_t cap = t->loop.cap_partitions ? t->loop.cap_partitions * 2 : 16;
	if (cap < n)
		cap = n;
	kp_partition **more = kp_mem_calloc((size_t)cap, sizeof(*more));
	kp_partition ***retired = kp_mem_realloc(t->loop.retired, (t->loop.n_retired + 1) * sizeof(*retired));
	if (retired)
		t->loop.retired = retired;
	if (!more || !retired) {
		kp_mem_free(more);
		return KP_ERR_NO_MEMORY;
	}
	if (old)
		memcpy(more, old, (size_t)t->loop.n_made * sizeof(*more));
	t->loop.retired[t->loop.n_retired++] = old;
	t->loop.cap_partitions = cap;
	/* release: who sees the new array sees its content */
	atomic_store_explicit(&t->shared.partitions, more, memory_order_release);
	return 0;
}

int kp_topic_set_partitions(kp_topic *t, int32_t n)
{
	if (n > t->loop.cap_partitions) {
		int err = grow_array(t, n);
		if (err)
			return err;
	}
	kp_partition **partitions = atomic_load_explicit(&t->shared.partitions, memory_order_relaxed);
	while (t->loop.n_made < n) {
		kp_partition *p = partition_new(t, t->loop.n_made);
		if (!p)
			return KP_ERR_NO_MEMORY;
		partitions[t->loop.n_made++] = p;
		atomic_store_explicit(&t->shared.n_ever, t->loop.n_made, memory_order_release);
	}
	return 0;
}
