/*
 * unit.h - what the tests of `base` share: cmocka's includes, and an allocator that fails where a test wants it to.
 */
#ifndef KP_TEST_BASE_UNIT_H
#define KP_TEST_BASE_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

/* Fails allocation number fail_at (1 is the next one) and all behind it; 0 fails none. Counts what is alive. */
typedef struct unit_allocator {
	int n, fail_at, live;
} unit_allocator;

static inline void *unit_realloc(void *ptr, size_t size, void *opaque)
{
	unit_allocator *u = opaque;
	if (++u->n >= u->fail_at && u->fail_at)
		return NULL;
	u->live += ptr == NULL;
	return realloc(ptr, size);
}

static inline void unit_free(void *ptr, void *opaque)
{
	unit_allocator *u = opaque;
	u->live--;
	free(ptr);
}

static inline void unit_allocator_install(unit_allocator *u, int fail_at)
{
	*u = (unit_allocator){.fail_at = fail_at};
	kp_mem_set_allocator(&(kp_allocator){unit_realloc, unit_free, u});
}

/* Back to malloc; everything taken meanwhile must have been given back. */
static inline void unit_allocator_remove(unit_allocator *u)
{
	kp_mem_set_allocator(NULL);
	assert_int_equal(u->live, 0);
}

#endif
