#include "producer/budget.h"

#include <kproducer/error.h>

#include "base/mem.h"

/* A pooled buffer is its own list node. */
struct kp_pooled {
	struct kp_pooled *next;
};

static struct kp_pooled *pop(struct kp_pooled **list, size_t size)
{
	struct kp_pooled *p = *list;
	if (p) {
		*list = p->next;
		KP_UNPOISON(p, size);
	}
	return p;
}

static void push(struct kp_pooled **list, void *memory, size_t size)
{
	struct kp_pooled *p = memory;
	p->next = *list;
	*list = p;
	KP_POISON(p + 1, size - sizeof(*p));
}

void kp_budget_init(kp_budget *b, int64_t limit)
{
	*b = (kp_budget){.limit = limit};
	kp_lock_init(&b->lock);
}

static unsigned class_of(size_t cap)
{
	unsigned c = 0;
	while ((KP_BUDGET_MIN_BUFFER << c) < cap && c < KP_BUDGET_CLASSES - 1)
		c++;
	return c;
}

size_t kp_budget_round(size_t n)
{
	return n <= KP_BUDGET_MIN_BUFFER ? KP_BUDGET_MIN_BUFFER : (size_t)KP_BUDGET_MIN_BUFFER << class_of(n);
}

/* Give pooled buffers back to the system until `room` bytes are free beside what is used, largest first. Under the lock. */
static void shrink_pool(kp_budget *b, int64_t room)
{
	for (int c = KP_BUDGET_CLASSES - 1; c >= 0; c--)
		while (b->pool[c] && kp_budget_used(b) + b->pooled + room > b->limit) {
			b->pooled -= (int64_t)KP_BUDGET_MIN_BUFFER << c;
			kp_mem_free(pop(&b->pool[c], (size_t)KP_BUDGET_MIN_BUFFER << c));
		}
}

void kp_budget_deinit(kp_budget *b)
{
	struct kp_pooled *spare;
	shrink_pool(b, INT64_MAX / 2);
	while ((spare = pop(&b->spares, sizeof(*spare))))
		kp_mem_free_line(spare);
}

int kp_budget_reserve(kp_budget *b, size_t bytes, bool may_exceed)
{
	int64_t used = kp_budget_used(b), size = (int64_t)bytes;
	do {
		if (used + size > b->limit && !may_exceed)
			return KP_ERR_WOULD_BLOCK;
	} while (!atomic_compare_exchange_weak_explicit(&b->used, &used, used + size, memory_order_relaxed, memory_order_relaxed));
	return 0;
}

static void say_freed(kp_budget *b)
{
	/* release: a waiter that sees the new count finds the room */
	atomic_fetch_add(&b->n_freed, 1);
}

void kp_budget_unreserve(kp_budget *b, size_t bytes)
{
	atomic_fetch_sub_explicit(&b->used, (int64_t)bytes, memory_order_relaxed);
	say_freed(b);
}

int kp_budget_buffer(kp_budget *b, size_t n, void **buffer, size_t *cap)
{
	unsigned c = class_of(n);
	int64_t size = (int64_t)KP_BUDGET_MIN_BUFFER << c;
	kp_lock_acquire(&b->lock);
	struct kp_pooled *p = pop(&b->pool[c], (size_t)size);
	if (p)
		b->pooled -= size;
	else
		shrink_pool(b, 0);
	kp_lock_release(&b->lock);
	if (!p)
		p = kp_mem_alloc((size_t)size);
	if (!p)
		return KP_ERR_NO_MEMORY;
	*buffer = p;
	*cap = (size_t)size;
	return 0;
}

int kp_budget_take(kp_budget *b, size_t n, bool may_exceed, void **buffer, size_t *cap)
{
	size_t size = kp_budget_round(n);
	int err = kp_budget_reserve(b, size, may_exceed);
	if (err)
		return err;
	err = kp_budget_buffer(b, n, buffer, cap);
	if (err)
		kp_budget_unreserve(b, size);
	return err;
}

void kp_budget_give(kp_budget *b, void *buffer, size_t cap)
{
	if (!buffer)
		return;
	unsigned c = class_of(cap);
	kp_lock_acquire(&b->lock);
	atomic_fetch_sub_explicit(&b->used, (int64_t)cap, memory_order_relaxed);
	push(&b->pool[c], buffer, cap);
	b->pooled += (int64_t)cap;
	shrink_pool(b, 0);
	kp_lock_release(&b->lock);
	say_freed(b);
}

void *kp_budget_take_spare(kp_budget *b, size_t size)
{
	kp_lock_acquire(&b->lock);
	void *spare = pop(&b->spares, size);
	kp_lock_release(&b->lock);
	return spare ? spare : kp_mem_calloc_line(size);
}

void kp_budget_keep_spare(kp_budget *b, void *spare, size_t size)
{
	kp_lock_acquire(&b->lock);
	push(&b->spares, spare, size);
	kp_lock_release(&b->lock);
}
