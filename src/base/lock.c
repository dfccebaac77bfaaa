/*
 * lock.c - the sleeping halves of the lock.
 *
 * No wake-up is lost. Who wants to sleep sets has_sleepers, has a barrier run in every thread, then tries the lock once more. A holder
 * whose release comes before its barrier has made is_held 0 visible: the try succeeds, or another holds the lock by then. A holder whose
 * release comes behind its barrier sees has_sleepers. The sleep is on has_sleepers: one that was cleared meanwhile ends it at once, and it
 * starts over.
 */
#include "base/lock.h"

#include <linux/futex.h>
#include <linux/membarrier.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TRIES 24 /* of some 50 ns: the lock is held for less, unless its holder was taken off the processor */

_Atomic bool kp_lock_needs_barrier = true;

static long membarrier(int command)
{
	return syscall(SYS_membarrier, command, 0, 0);
}

/* When the library is loaded: in a process that has threads the kernel takes some milliseconds for it. */
static KP_CONSTRUCTOR void announce_barriers(void)
{
	if (membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) == 0)
		atomic_store_explicit(&kp_lock_needs_barrier, false, memory_order_relaxed);
}

static void barrier_everywhere(void)
{
	if (atomic_load_explicit(&kp_lock_needs_barrier, memory_order_relaxed))
		return;
	while (membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) != 0)
		announce_barriers(); /* should a fork have forgotten it */
}

bool kp_lock_try_some(kp_lock *l)
{
	for (int i = 0; i < TRIES; i++) {
		KP_PAUSE();
		if (!atomic_load_explicit(&l->is_held, memory_order_relaxed) && kp_lock_try(l))
			return true;
	}
	return false;
}

void kp_lock_wait(kp_lock *l)
{
	if (kp_lock_try_some(l))
		return;
	do {
		atomic_exchange_explicit(&l->has_sleepers, 1, memory_order_seq_cst);
		barrier_everywhere();
		if (kp_lock_try(l))
			return;
		syscall(SYS_futex, &l->has_sleepers, FUTEX_WAIT_PRIVATE, 1, NULL, NULL, 0);
	} while (!kp_lock_try_some(l));
	/* others may sleep, of whom nobody knows now: perhaps one needless wake-up */
	atomic_store_explicit(&l->has_sleepers, 1, memory_order_relaxed);
}

void kp_lock_wake(kp_lock *l)
{
	/* cleared before the wake-up: who wakes and does not get the lock sets it again */
	atomic_store_explicit(&l->has_sleepers, 0, memory_order_relaxed);
	syscall(SYS_futex, &l->has_sleepers, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}
