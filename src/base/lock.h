/*
 * lock.h - a four-byte futex lock (Drepper, "Futexes Are Tricky", mutex 3): never spins, sleeps when contended.
 *   0 free, 1 held, 2 held and somebody may be asleep.
 */
#ifndef KP_BASE_LOCK_H
#define KP_BASE_LOCK_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/compiler.h"

typedef struct kp_lock {
	_Atomic uint32_t state;
} kp_lock;

void kp_lock_wait(kp_lock *l); /* slow half of acquire */
void kp_lock_wake(kp_lock *l); /* slow half of release */

static inline void kp_lock_init(kp_lock *l)
{
	atomic_init(&l->state, 0);
}

static inline void kp_lock_acquire(kp_lock *l)
{
	uint32_t free_state = 0;
	/* acquire: what the last holder wrote is seen */
	if (KP_UNLIKELY(!atomic_compare_exchange_strong_explicit(&l->state, &free_state, 1, memory_order_acquire,
	                                                         memory_order_relaxed)))
		kp_lock_wait(l);
}

static inline void kp_lock_release(kp_lock *l)
{
	/* release: what was written under the lock is seen by the next holder */
	if (KP_UNLIKELY(atomic_exchange_explicit(&l->state, 0, memory_order_release) == 2))
		kp_lock_wake(l);
}

#endif
