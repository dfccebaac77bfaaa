/*
 * names.c - see names.h.
 */
#include "devbroker/names.h"

#include "kproducer/error.h"

#define TAKEN UINT32_MAX

int kp_db_names_init(kp_db_names *s, kp_arena *arena, const void *items, int32_t n, size_t stride, size_t offset)
{
	kp_map_init(&s->uses);
	uint32_t *counts = kp_arena_alloc(arena, n > 0 ? (size_t)n * sizeof(*counts) : 0);
	if (!counts)
		return KP_ERR_NO_MEMORY;
	for (int32_t i = 0; i < n; i++) {
		kp_slice name;
		memcpy(&name, (const char *)items + (size_t)i * stride + offset, sizeof(name));
		uint32_t *count = name.ptr ? kp_map_get(&s->uses, name) : NULL;
		if (count) {
			++*count;
		} else if (name.ptr) {
			counts[i] = 1;
			if (kp_map_put(&s->uses, name, &counts[i])) {
				kp_map_deinit(&s->uses);
				return KP_ERR_NO_MEMORY;
			}
		}
	}
	return 0;
}

void kp_db_names_deinit(kp_db_names *s)
{
	kp_map_deinit(&s->uses);
}

bool kp_db_names_has(const kp_db_names *s, kp_slice name)
{
	return kp_map_get(&s->uses, name) != NULL;
}

kp_db_mention kp_db_names_take(kp_db_names *s, kp_slice name)
{
	uint32_t *count = name.ptr ? kp_map_get(&s->uses, name) : NULL;
	if (!count)
		return KP_DB_ONCE;
	uint32_t n = *count;
	*count = TAKEN;
	return n == TAKEN ? KP_DB_ANSWERED : n > 1 ? KP_DB_REPEATED : KP_DB_ONCE;
}
