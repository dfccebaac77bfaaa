/*
 * mem.h - every allocation of the library goes through here, so that it can be replaced, counted and made to fail.
 */
#ifndef KP_BASE_MEM_H
#define KP_BASE_MEM_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/* All return NULL when memory is out; none aborts. Any thread. */
KP_MUST_USE void *kp_mem_alloc(size_t size);
KP_MUST_USE void *kp_mem_calloc(size_t count, size_t size); /* NULL on overflow of count * size too */
/* Zeroed, at the start of a cache line. Given back by kp_mem_free_line. */
KP_MUST_USE void *kp_mem_calloc_line(size_t size);
void kp_mem_free_line(void *ptr); /* NULL is fine */
KP_MUST_USE void *kp_mem_realloc(void *ptr, size_t size);
KP_MUST_USE char *kp_mem_strndup(const char *s, size_t len); /* adds a terminator */
KP_MUST_USE char *kp_mem_strdup(const char *s);
void kp_mem_free(void *ptr); /* NULL is fine */

typedef struct kp_allocator {
	void *(*realloc)(void *ptr, size_t size, void *opaque); /* ptr NULL allocates */
	void (*free)(void *ptr, void *opaque);
	void *opaque;
} kp_allocator;

/* Replace the allocator; only before the first allocation. NULL restores malloc. */
void kp_mem_set_allocator(const kp_allocator *a);

/* Allocation calls made since the start of the process (alloc, calloc, realloc): for budgets in tests. */
uint64_t kp_mem_count(void);

#endif
