/*
 * fork.h - whether an object was made before the fork() that made this process. Its threads stayed behind, its locks may be held by
 * them, and its descriptors are the parent's too: such an object must not be used.
 *
 * A generation is counted up in each child, so that it names a process among its ancestors; an object keeps the one it was made in.
 */
#ifndef KP_BASE_FORK_H
#define KP_BASE_FORK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

extern _Atomic uint32_t kp_fork_generation_now; /* 0 in a process that no fork() made since kp_fork_watch */

/* Count from now on; before the first object is made. 0 or KP_ERR_NO_MEMORY. Any thread. */
KP_MUST_USE int kp_fork_watch(void);

static inline uint32_t kp_fork_generation(void)
{
	/* relaxed: written in a child only, while it has one thread */
	return atomic_load_explicit(&kp_fork_generation_now, memory_order_relaxed);
}

/* `made`: where the object keeps its generation; not looked at in a process without a fork() behind it. */
static inline bool kp_fork_is_inherited(const uint32_t *made)
{
	uint32_t now = kp_fork_generation();
	return KP_UNLIKELY(now != 0) && now != *made;
}

#endif
