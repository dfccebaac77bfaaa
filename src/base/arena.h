/*
 * arena.h - a bump allocator for things that die together (a decoded message). Freed as a whole.
 *
 *   head ──▶ [ chunk: used ▓▓▓▓░░░ ] ──▶ [ older chunk, full ] ──▶ NULL
 */
#ifndef KP_BASE_ARENA_H
#define KP_BASE_ARENA_H

#include <stddef.h>

#include "base/compiler.h"

typedef struct kp_arena_chunk kp_arena_chunk;

typedef struct kp_arena {
	kp_arena_chunk *head;
	size_t total; /* bytes handed out since init or reset, each piece rounded up to the alignment (16) */
	size_t max;   /* handing out past this gives NULL: bounds what a hostile peer can make us allocate */
} kp_arena;

void kp_arena_init(kp_arena *a, size_t max); /* allocates nothing; max 0 means no bound */
void kp_arena_deinit(kp_arena *a);
void kp_arena_reset(kp_arena *a);             /* forget everything, keep one chunk for reuse */
size_t kp_arena_footprint(const kp_arena *a); /* bytes allocated, of pieces that were handed out and of room for more */
/* Zeroed memory aligned for any type; NULL when memory or the bound is out. size 0 gives a valid pointer. */
KP_MUST_USE void *kp_arena_alloc(kp_arena *a, size_t size);

#endif
