/*
 * names.h - which names does a request mention more than once? Admin requests answer each name once, and refuse the repeated ones.
 */
#ifndef KP_DEVBROKER_NAMES_H
#define KP_DEVBROKER_NAMES_H

#include "base/arena.h"
#include "base/map.h"

typedef struct kp_db_names {
	kp_map uses; /* name to how often it stands in the request */
} kp_db_names;

typedef enum kp_db_mention { KP_DB_ONCE, KP_DB_REPEATED, KP_DB_ANSWERED } kp_db_mention;

/* n structs of `stride` bytes, each with its name (a kp_slice) at `offset`; null names are not counted. */
KP_MUST_USE int kp_db_names_init(kp_db_names *s, kp_arena *arena, const void *items, int32_t n, size_t stride, size_t offset);
void kp_db_names_deinit(kp_db_names *s);
bool kp_db_names_has(const kp_db_names *s, kp_slice name);
/* The first mention of a name: ONCE, or REPEATED when there are more; those are ANSWERED. */
kp_db_mention kp_db_names_take(kp_db_names *s, kp_slice name);

#endif
