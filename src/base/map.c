/*
 * map.c - see map.h. At most 3/4 full, so a probe always ends at a free slot.
 */
#include "base/map.h"

#include "base/mem.h"
#include "kproducer/error.h"

#define FIRST_CAP 16

/* Multiply and fold, eight bytes a step (the idea of wyhash and murmur's finisher). Not for keys of an attacker's choice. */
static uint64_t hash_of(kp_slice key)
{
	const uint64_t k = 0x9e3779b97f4a7c15u;
	size_t len = key.ptr ? key.len : 0;
	uint64_t h = k ^ len, w;
	const uint8_t *p = key.ptr;
	for (; len >= 8; len -= 8, p += 8) {
		memcpy(&w, p, 8);
		h = (h ^ w) * k;
		h ^= h >> 32;
	}
	if (len) {
		w = 0;
		memcpy(&w, p, len);
		h = (h ^ w) * k;
	}
	h = (h ^ h >> 33) * 0xff51afd7ed558ccdu;
	return h ^ h >> 33;
}

void kp_map_init(kp_map *m)
{
	*m = (kp_map){0};
}

void kp_map_deinit(kp_map *m)
{
	kp_mem_free(m->slots);
	*m = (kp_map){0};
}

/* The slot that holds the key, or the free slot where it would go. The table must have slots. */
static kp_map_slot *find(const kp_map *m, kp_slice key, uint64_t hash)
{
	size_t mask = m->cap - 1, i = hash & mask;
	while (m->slots[i].value && !(m->slots[i].hash == hash && kp_slice_equal(m->slots[i].key, key)))
		i = (i + 1) & mask;
	return &m->slots[i];
}

void *kp_map_get(const kp_map *m, kp_slice key)
{
	return m->n ? find(m, key, hash_of(key))->value : NULL;
}

static int grow(kp_map *m)
{
	kp_map bigger = {.cap = m->cap ? m->cap * 2 : FIRST_CAP};
	bigger.slots = kp_mem_calloc(bigger.cap, sizeof(kp_map_slot));
	if (!bigger.slots)
		return KP_ERR_NO_MEMORY;
	for (size_t i = 0; i < m->cap; i++)
		if (m->slots[i].value)
			*find(&bigger, m->slots[i].key, m->slots[i].hash) = m->slots[i];
	bigger.n = m->n;
	kp_mem_free(m->slots);
	*m = bigger;
	return KP_OK;
}

int kp_map_put(kp_map *m, kp_slice key, void *value)
{
	uint64_t hash = hash_of(key);
	kp_map_slot *s = m->cap ? find(m, key, hash) : NULL;
	if (s && s->value) {
		s->key = key; /* the old key may live in the value that leaves */
		s->value = value;
		return KP_OK;
	}
	if ((m->n + 1) * 4 > m->cap * 3) {
		int err = grow(m);
		if (err)
			return err;
		s = find(m, key, hash);
	}
	*s = (kp_map_slot){key, value, hash};
	m->n++;
	return KP_OK;
}

/*
 * Free slot `hole` and close the gap: an entry further on moves back when its home is not between the hole and itself,
 * because a probe from its home would now stop at the hole.
 */
static void close_gap(kp_map *m, size_t hole)
{
	size_t mask = m->cap - 1;
	for (size_t i = (hole + 1) & mask; m->slots[i].value; i = (i + 1) & mask) {
		size_t from_home = (i - m->slots[i].hash) & mask, from_hole = (i - hole) & mask;
		if (from_home >= from_hole) {
			m->slots[hole] = m->slots[i];
			hole = i;
		}
	}
	m->slots[hole] = (kp_map_slot){0};
}

void *kp_map_remove(kp_map *m, kp_slice key)
{
	if (!m->n)
		return NULL;
	kp_map_slot *s = find(m, key, hash_of(key));
	void *value = s->value;
	if (value) {
		close_gap(m, (size_t)(s - m->slots));
		m->n--;
	}
	return value;
}

void *kp_map_next(const kp_map *m, size_t *it)
{
	while (*it < m->cap) {
		void *value = m->slots[(*it)++].value;
		if (value)
			return value;
	}
	return NULL;
}
