/*
 * map.h - hash map from bytes to a pointer (open addressing, linear probing, tombstone-free deletion).
 * Keys are not copied: the slice must stay valid as long as the entry (usually it points into the value).
 */
#ifndef KP_BASE_MAP_H
#define KP_BASE_MAP_H

#include "base/compiler.h"
#include "base/slice.h"

typedef struct kp_map_slot {
	kp_slice key;
	void *value; /* NULL: free slot */
	uint64_t hash;
} kp_map_slot;

typedef struct kp_map {
	kp_map_slot *slots;
	size_t n;   /* entries */
	size_t cap; /* slots, a power of two, or 0 */
} kp_map;

void kp_map_init(kp_map *m);                     /* allocates nothing */
void kp_map_deinit(kp_map *m);                   /* frees the table, not the values */
void *kp_map_get(const kp_map *m, kp_slice key); /* NULL when absent */
/* Insert or replace; value must not be NULL. 0, or KP_ERR_NO_MEMORY with the map unchanged. */
KP_MUST_USE int kp_map_put(kp_map *m, kp_slice key, void *value);
void *kp_map_remove(kp_map *m, kp_slice key); /* what stood there, or NULL */
/* Walk: start with *it = 0; returns the next value or NULL. The map must not change meanwhile. */
void *kp_map_next(const kp_map *m, size_t *it);

#endif
