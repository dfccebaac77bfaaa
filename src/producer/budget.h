/*
 * budget.h - buffer.memory: what batches may hold, and the pool their buffers come from and go back to.
 *
 *   used + pooled <= limit      used: buffers of live batches (reserved before they are allocated)
 *                               pooled: buffers kept for reuse, by size class; given up when somebody needs the room
 *
 * Buffers come in powers of two from KP_BUDGET_MIN_BUFFER up, so that a batch doubles while it grows. Any thread; the lock is
 * taken once per growth of a batch, not per record.
 */
#ifndef KP_PRODUCER_BUDGET_H
#define KP_PRODUCER_BUDGET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/lock.h"

#define KP_BUDGET_MIN_BUFFER 256u
#define KP_BUDGET_CLASSES 25 /* 256 bytes .. 4 GiB */

typedef struct kp_budget {
	int64_t limit;
	_Atomic int64_t used; /* relaxed: a bound and a figure, orders nothing */
	kp_lock lock;         /* guards the pool */
	int64_t pooled;
	struct kp_pooled *pool[KP_BUDGET_CLASSES];
	struct kp_pooled *spares; /* structs of batches, beside the limit */
	_Atomic uint64_t n_freed; /* grows when room came back; waiters look at it */
} kp_budget;

void kp_budget_init(kp_budget *b, int64_t limit);
void kp_budget_deinit(kp_budget *b); /* frees the pool */

/* Capacity of the buffer that holds n bytes. */
size_t kp_budget_round(size_t n);
/*
 * A buffer of kp_budget_round(n) bytes out of the budget, and its size. KP_ERR_WOULD_BLOCK when the budget is out (`may_exceed` ignores
 * it, for moving records that were counted already), KP_ERR_NO_MEMORY.
 */
KP_MUST_USE int kp_budget_take(kp_budget *b, size_t n, bool may_exceed, void **buffer, size_t *cap);
void kp_budget_give(kp_budget *b, void *buffer, size_t cap); /* NULL is fine */
/*
 * The same in two steps, for who needs several buffers or none: a reservation that fails has changed nothing, so it wakes nobody who
 * waits for room. `bytes` is a sum of kp_budget_round(n).
 */
KP_MUST_USE int kp_budget_reserve(kp_budget *b, size_t bytes, bool may_exceed);
void kp_budget_unreserve(kp_budget *b, size_t bytes);
/* A buffer whose bytes are reserved; KP_ERR_NO_MEMORY leaves them so. */
KP_MUST_USE int kp_budget_buffer(kp_budget *b, size_t n, void **buffer, size_t *cap);

/* Memory of one size for all calls, at the start of a cache line, with any content; NULL: memory is out. As much is kept as was ever used at once. */
KP_MUST_USE void *kp_budget_take_spare(kp_budget *b, size_t size);
void kp_budget_keep_spare(kp_budget *b, void *spare, size_t size);

static inline int64_t kp_budget_used(kp_budget *b)
{
	return atomic_load_explicit(&b->used, memory_order_relaxed);
}

static inline int64_t kp_budget_free(kp_budget *b)
{
	return b->limit - kp_budget_used(b);
}

#endif
