/*
 * mem.c - the one door to malloc.
 */
#include "base/mem.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static void *libc_realloc(void *ptr, size_t size, void *opaque)
{
	(void)opaque;
	return realloc(ptr, size);
}

static void libc_free(void *ptr, void *opaque)
{
	(void)opaque;
	free(ptr);
}

static const kp_allocator libc_allocator = {libc_realloc, libc_free, NULL};
static kp_allocator current = {libc_realloc, libc_free, NULL};
static atomic_uint_fast64_t n_calls;

/* relaxed: a statistic, nothing is published by it */
static void count_call(void)
{
	atomic_fetch_add_explicit(&n_calls, 1, memory_order_relaxed);
}

void *kp_mem_realloc(void *ptr, size_t size)
{
	count_call();
	/* realloc(p, 0) may free and return NULL, which would read as "memory is out" */
	return current.realloc(ptr, size ? size : 1, current.opaque);
}

void *kp_mem_alloc(size_t size)
{
	return kp_mem_realloc(NULL, size);
}

void *kp_mem_calloc(size_t count, size_t size)
{
	if (size && count > SIZE_MAX / size)
		return NULL;
	if (current.realloc == libc_realloc) { /* fresh pages are zero already: calloc knows, memset would touch them */
		count_call();
		return count && size ? calloc(count, size) : calloc(1, 1);
	}
	void *p = kp_mem_alloc(count * size);
	if (p)
		memset(p, 0, count * size);
	return p;
}

/* Right before the line stands what is to be freed. */
void *kp_mem_calloc_line(size_t size)
{
	char *p = kp_mem_calloc(1, sizeof(p) + KP_CACHE_LINE + size);
	if (!p)
		return NULL;
	char *line = p + sizeof(p);
	line += -(uintptr_t)line % KP_CACHE_LINE;
	memcpy(line - sizeof(p), &p, sizeof(p));
	return line;
}

void kp_mem_free_line(void *ptr)
{
	void *p;
	if (!ptr)
		return;
	memcpy(&p, (char *)ptr - sizeof(p), sizeof(p));
	kp_mem_free(p);
}

char *kp_mem_strndup(const char *s, size_t len)
{
	char *copy = len < SIZE_MAX ? kp_mem_alloc(len + 1) : NULL;
	if (!copy)
		return NULL;
	if (len)
		memcpy(copy, s, len);
	copy[len] = '\0';
	return copy;
}

char *kp_mem_strdup(const char *s)
{
	return kp_mem_strndup(s, strlen(s));
}

void kp_mem_free(void *ptr)
{
	if (ptr)
		current.free(ptr, current.opaque);
}

void kp_mem_set_allocator(const kp_allocator *a)
{
	current = a ? *a : libc_allocator;
}

uint64_t kp_mem_count(void)
{
	return atomic_load_explicit(&n_calls, memory_order_relaxed);
}
