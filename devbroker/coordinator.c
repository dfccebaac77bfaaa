/*
 * coordinator.c - see coordinator.h.
 */
#include "devbroker/coordinator.h"

#include "base/mem.h"
#include "kproducer/error.h"

#define INTERNAL_PARTITIONS 50 /* of __consumer_offsets and __transaction_state */

typedef struct given {
	int32_t node;
	size_t len;
	uint8_t name[]; /* key type, key */
} given;

void kp_db_coordinators_init(kp_db_coordinators *k)
{
	*k = (kp_db_coordinators){0};
	kp_map_init(&k->given);
}

void kp_db_coordinators_deinit(kp_db_coordinators *k)
{
	size_t it = 0;
	for (void *g; (g = kp_map_next(&k->given, &it));)
		kp_mem_free(g);
	kp_map_deinit(&k->given);
}

static given *given_new(int8_t key_type, kp_slice key, int32_t node)
{
	given *g = kp_mem_alloc(sizeof(*g) + 1 + key.len);
	if (!g)
		return NULL;
	g->node = node;
	g->len = 1 + key.len;
	g->name[0] = (uint8_t)key_type;
	memcpy(g->name + 1, key.ptr, key.len);
	return g;
}

int kp_db_coordinator_give(kp_db_coordinators *k, int8_t key_type, kp_slice key, int32_t node)
{
	given *g = given_new(key_type, key, node);
	if (!g)
		return KP_ERR_NO_MEMORY;
	kp_slice name = kp_slice_of(g->name, g->len);
	given *old = kp_map_remove(&k->given, name);
	kp_mem_free(old);
	k->epoch++;
	if (node != KP_DB_COORDINATOR_BY_HASH && !kp_map_put(&k->given, name, g))
		return 0;
	kp_mem_free(g);
	return node == KP_DB_COORDINATOR_BY_HASH ? 0 : KP_ERR_NO_MEMORY;
}

/* The partition of Kafka's internal topic that holds the key: Utils.abs(key.hashCode()) % 50. */
static int32_t partition_of(kp_slice key)
{
	uint32_t h = 0;
	for (size_t i = 0; i < key.len; i++)
		h = 31 * h + key.ptr[i];
	return (int32_t)(h & INT32_MAX) % INTERNAL_PARTITIONS;
}

static const given *find_given(const kp_db_coordinators *k, int8_t key_type, kp_slice key)
{
	if (k->given.n == 0)
		return NULL;
	given *name = given_new(key_type, key, 0);
	const given *g = name ? kp_map_get(&k->given, kp_slice_of(name->name, name->len)) : NULL;
	kp_mem_free(name);
	return g;
}

int32_t kp_db_coordinator_of(const kp_db_coordinators *k, const kp_db_cluster *c, int8_t key_type, kp_slice key)
{
	const given *g = find_given(k, key_type, key);
	if (g)
		return g->node && c->nodes[g->node - 1].is_up ? g->node : 0;
	for (int32_t i = 0; i < c->n_nodes; i++) {
		int32_t at = (partition_of(key) + i) % c->n_nodes;
		if (c->nodes[at].is_up)
			return at + 1;
	}
	return 0;
}
