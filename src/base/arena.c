/*
 * arena.c - see arena.h.
 */
#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"

#define ALIGN _Alignof(max_align_t)
#define FIRST_CHUNK 4096u
#define MAX_CHUNK (64u * 1024) /* chunks double up to this; a larger allocation gets a chunk of its own */

struct kp_arena_chunk {
	kp_arena_chunk *next;
	size_t used, cap; /* of data */
	_Alignas(max_align_t) unsigned char data[];
};

void kp_arena_init(kp_arena *a, size_t max)
{
	*a = (kp_arena){.max = max && max < PTRDIFF_MAX ? max : PTRDIFF_MAX}; /* no object may be larger anyway */
}

static void free_chain(kp_arena_chunk *c)
{
	while (c) {
		kp_arena_chunk *next = c->next;
		kp_mem_free(c);
		c = next;
	}
}

void kp_arena_deinit(kp_arena *a)
{
	free_chain(a->head);
	a->head = NULL;
	a->total = 0;
}

void kp_arena_reset(kp_arena *a)
{
	kp_arena_chunk *keep = a->head;
	a->total = 0;
	if (!keep)
		return;
	free_chain(keep->next);
	keep->next = NULL;
	keep->used = 0;
	if (keep->cap > MAX_CHUNK) { /* one huge message must not pin its memory for the arena's life */
		kp_mem_free(keep);
		a->head = NULL;
	}
}

size_t kp_arena_footprint(const kp_arena *a)
{
	size_t n = 0;
	for (const kp_arena_chunk *c = a->head; c; c = c->next)
		n += sizeof(*c) + c->cap;
	return n;
}

/* A chunk with room for `size`, linked in; NULL when memory is out. */
static kp_arena_chunk *add_chunk(kp_arena *a, size_t size)
{
	size_t cap = a->head ? a->head->cap * 2 : FIRST_CHUNK;
	if (cap > MAX_CHUNK)
		cap = MAX_CHUNK;
	bool is_own = a->head && size > cap / 2;
	if (is_own || cap < size)
		cap = size;
	kp_arena_chunk *c = kp_mem_alloc(sizeof(*c) + cap);
	if (!c)
		return NULL;
	c->used = 0;
	c->cap = cap;
	if (is_own) { /* behind the head, whose free room stays in use */
		c->next = a->head->next;
		a->head->next = c;
	} else {
		c->next = a->head;
		a->head = c;
	}
	return c;
}

void *kp_arena_alloc(kp_arena *a, size_t size)
{
	if (size > SIZE_MAX - ALIGN)
		return NULL;
	/* rounded before it is counted: many tiny pieces must not slip past the bound */
	size = size ? (size + ALIGN - 1) / ALIGN * ALIGN : ALIGN;
	if (size > a->max - a->total)
		return NULL;
	kp_arena_chunk *c = a->head;
	if (!c || size > c->cap - c->used)
		c = add_chunk(a, size);
	if (!c)
		return NULL;
	void *p = c->data + c->used;
	c->used += size;
	a->total += size;
	return memset(p, 0, size);
}
