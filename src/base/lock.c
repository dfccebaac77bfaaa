/*
 * lock.c - the sleeping halves of the lock.
 */
#include "base/lock.h"

#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

static void futex(kp_lock *l, int op, uint32_t value)
{
	syscall(SYS_futex, &l->state, op, value, NULL, NULL, 0);
}

void kp_lock_wait(kp_lock *l)
{
	/*
	 * Whoever comes from here holds the lock as 2, although nobody else may wait: one needless wake-up is the price of never
	 * losing one. acquire: as in kp_lock_acquire. The wait returns at once when the state is not 2 any more, and spuriously.
	 */
	while (atomic_exchange_explicit(&l->state, 2, memory_order_acquire) != 0)
		futex(l, FUTEX_WAIT_PRIVATE, 2);
}

void kp_lock_wake(kp_lock *l)
{
	futex(l, FUTEX_WAKE_PRIVATE, 1);
}
