/*
 * lock.h - an eight-byte futex lock that is given back without a locked instruction.
 *
 * A lock that says "somebody sleeps" in its own word (Drepper, "Futexes Are Tricky", mutex 3) is given back by an exchange, which waits
 * until all that was written under the lock has left the processor: a third of what appending a 100-byte record cost. Here the holder
 * stores 0, then looks at a flag of its own; the order of those two is secured by whoever is about to sleep, with a barrier in every
 * running thread (membarrier(2), asymmetric Dekker). Where the kernel has no such call the holder has the barrier.
 * A release looks at the lock once more when another may hold it already: who frees its memory waits for all users, not for the lock.
 */
#ifndef KP_BASE_LOCK_H
#define KP_BASE_LOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

typedef struct kp_lock {
	_Atomic uint32_t is_held, has_sleepers; /* 0 or 1 */
} kp_lock;

extern _Atomic bool kp_lock_needs_barrier; /* relaxed: both ways are right */

void kp_lock_wait(kp_lock *l);     /* slow half of acquire */
bool kp_lock_try_some(kp_lock *l); /* for about a microsecond: fails when the holder was taken off its processor */
void kp_lock_wake(kp_lock *l);     /* slow half of release */

static inline void kp_lock_init(kp_lock *l)
{
	atomic_init(&l->is_held, 0);
	atomic_init(&l->has_sleepers, 0);
}

static inline bool kp_lock_try(kp_lock *l)
{
	uint32_t is_held = 0;
	/* acquire: what the last holder wrote is seen */
	return atomic_compare_exchange_strong_explicit(&l->is_held, &is_held, 1, memory_order_acquire, memory_order_relaxed);
}

static inline void kp_lock_acquire(kp_lock *l)
{
	if (KP_UNLIKELY(!kp_lock_try(l)))
		kp_lock_wait(l);
}

/* False: it will be long, do something else meanwhile. */
static inline bool kp_lock_acquire_soon(kp_lock *l)
{
	return KP_LIKELY(kp_lock_try(l)) || kp_lock_try_some(l);
}

static inline void kp_lock_release(kp_lock *l)
{
	/* release: what was written under the lock is seen by the next holder */
	if (KP_UNLIKELY(atomic_load_explicit(&kp_lock_needs_barrier, memory_order_relaxed)))
		atomic_exchange_explicit(&l->is_held, 0, memory_order_seq_cst);
	else
		atomic_store_explicit(&l->is_held, 0, memory_order_release);
	atomic_signal_fence(memory_order_seq_cst);
	if (KP_UNLIKELY(atomic_load_explicit(&l->has_sleepers, memory_order_relaxed)))
		kp_lock_wake(l);
}

#endif
