#include "producer/partitioner.h"

#include "base/mem.h"
#include "producer/engine_impl.h"

#define STICKY_SLOTS 8      /* topics a thread can be sticky on at once, by serial */
#define WEIGHTS_AGE_US 5000 /* weights are drawn from for this long before they are worked out again */

uint32_t kp_partitioner_murmur2(const uint8_t *key, size_t len)
{
	const uint32_t m = 0x5bd1e995;
	uint32_t h = 0x9747b28c ^ (uint32_t)len;
	for (; len >= 4; key += 4, len -= 4) {
		uint32_t k = (uint32_t)key[0] | (uint32_t)key[1] << 8 | (uint32_t)key[2] << 16 | (uint32_t)key[3] << 24;
		k *= m;
		k ^= k >> 24;
		k *= m;
		h = h * m ^ k;
	}
	if (len > 2)
		h ^= (uint32_t)key[2] << 16;
	if (len > 1)
		h ^= (uint32_t)key[1] << 8;
	if (len > 0)
		h = (h ^ key[0]) * m;
	h ^= h >> 13;
	h *= m;
	return h ^ h >> 15;
}

static bool reserve_candidates(kp_topic *t, int32_t n)
{
	if (n <= t->shared.cap_candidates)
		return true;
	uint32_t *weights = kp_mem_realloc(t->shared.weights, (size_t)n * sizeof(*weights));
	if (weights)
		t->shared.weights = weights;
	int32_t *candidates = kp_mem_realloc(t->shared.candidates, (size_t)n * sizeof(*candidates));
	if (candidates)
		t->shared.candidates = candidates;
	if (!weights || !candidates)
		return false;
	t->shared.cap_candidates = n;
	return true;
}

static int32_t waiting(kp_topic *t, int32_t i)
{
	return atomic_load_explicit(&kp_topic_partition(t, i)->shared.n_waiting, memory_order_relaxed);
}

/* partitioner.availability.timeout.ms: the leader takes nothing for longer than that. */
static bool is_candidate(kp_topic *t, kp_partition *p, int64_t now_us)
{
	int64_t timeout = t->engine->config.availability_timeout_us;
	if (!atomic_load_explicit(&p->shared.is_available, memory_order_relaxed))
		return false;
	kp_broker *leader = timeout > 0 ? atomic_load_explicit(&p->shared.leader, memory_order_relaxed) : NULL;
	int64_t since = leader ? atomic_load_explicit(&leader->unready_since_us, memory_order_relaxed) : -1;
	return since < 0 || now_us - since <= timeout;
}

/* Candidates: the partitions with a reachable leader, or all if there is none. Weights: most waiting + 1 - own waiting (KIP-794). */
static void weigh(kp_topic *t, int32_t n, bool adaptive, int64_t now_us)
{
	int32_t k = 0, most = 0, least = INT32_MAX;
	for (int pass = 0; pass < 2 && k == 0; pass++)
		for (int32_t i = 0; i < n; i++)
			if (pass == 1 || is_candidate(t, kp_topic_partition(t, i), now_us))
				t->shared.candidates[k++] = i;
	t->shared.n_candidates = k;
	for (int32_t i = 0; i < k && adaptive; i++) {
		int32_t w = waiting(t, t->shared.candidates[i]);
		most = w > most ? w : most;
		least = w < least ? w : least;
	}
	t->shared.is_weighted = adaptive && most != least;
	uint32_t sum = 0;
	for (int32_t i = 0; i < k && t->shared.is_weighted; i++) {
		int32_t w = most + 1 - waiting(t, t->shared.candidates[i]);
		sum += (uint32_t)(w > 1 ? w : 1); /* the queue may have grown since */
		t->shared.weights[i] = sum;
	}
}

/* First candidate whose cumulative weight is above x. */
static int32_t find_weight(const kp_topic *t, uint32_t x)
{
	int32_t low = 0, high = t->shared.n_candidates - 1;
	while (low < high) {
		int32_t mid = (low + high) / 2;
		if (t->shared.weights[mid] > x)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

void kp_partitioner_switch(kp_topic *t, kp_sticky *s, int32_t n_partitions)
{
	int64_t now_us = kp_engine_clock_us(t->engine);
	int32_t i, n;
	kp_lock_acquire(&t->shared.lock);
	if (!reserve_candidates(t, n_partitions)) {
		/* no memory for the table: any partition will do */
		s->partition = (int32_t)kp_random_below(&t->shared.random, (uint32_t)n_partitions);
	} else {
		if (t->shared.n_candidates == 0 || now_us - t->shared.weighed_us >= WEIGHTS_AGE_US) {
			weigh(t, n_partitions, t->engine->config.adaptive, now_us);
			t->shared.weighed_us = now_us;
		}
		n = t->shared.n_candidates;
		if (t->shared.is_weighted)
			i = find_weight(t, kp_random_below(&t->shared.random, t->shared.weights[n - 1]));
		else
			i = (int32_t)kp_random_below(&t->shared.random, (uint32_t)n);
		s->partition = t->shared.candidates[i];
	}
	kp_lock_release(&t->shared.lock);
	s->bytes = 0;
}

kp_sticky *kp_partitioner_sticky(kp_topic *t, int32_t n_partitions)
{
	static KP_THREAD_LOCAL_HOT kp_sticky slots[STICKY_SLOTS];
	kp_sticky *s = &slots[t->serial % STICKY_SLOTS];
	if (KP_UNLIKELY(s->topic != t->serial || s->partition >= n_partitions)) {
		s->topic = t->serial;
		kp_partitioner_switch(t, s, n_partitions);
	}
	return s;
}
