/*
 * lock.c - the sleeping halves of the lock.
 *
 * No wake-up is lost. Who wants to sleep sets has_sleepers, has a barrier run in every thread, then tries the lock once more. A holder
 * whose release comes before its barrier has made is_held 0 visible: the try succeeds, or another holds the lock by then. A holder whose
 * release comes behind its barrier sees has_sleepers. The sleep is on has_sleepers: one that was cleared meanwhile ends it at once, and it
 * starts over. (Where that barrier is refused after all, the sleep is short.)
 */
#include "base/lock.h"

#include <linux/futex.h>
#include <linux/membarrier.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define TRIES 24 /* of some 50 ns: the lock is held for less, unless its holder was taken off the processor */

#define UNSURE_NS 1000000

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

/* False: the kernel had the call once and refuses it now, as behind a seccomp filter. Then nobody can be sure of a wake-up. */
static bool barrier_everywhere(void)
{
	if (atomic_load_explicit(&kp_lock_needs_barrier, memory_order_relaxed) || membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) == 0)
		return true;
	announce_barriers(); /* should a fork have forgotten it */
	return membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) == 0;
}

static void sleep_on(kp_lock *l, bool is_woken_for_sure)
{
	const struct timespec a_while = {.tv_nsec = UNSURE_NS};
	syscall(SYS_futex, &l->has_sleepers, FUTEX_WAIT_PRIVATE, 1, is_woken_for_sure ? NULL : &a_while, NULL, 0);
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
		bool is_sure = barrier_everywhere();
		if (kp_lock_try(l))
			return;
		sleep_on(l, is_sure);
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
