#include "producer/timers.h"

#include <kproducer/error.h>

#include "base/mem.h"
#include "base/time.h"

void kp_timers_init(kp_timers *t)
{
	*t = (kp_timers){0};
}

void kp_timers_deinit(kp_timers *t)
{
	kp_mem_free(t->heap);
}

int kp_timers_reserve(kp_timers *t, size_t n)
{
	if (n <= t->cap)
		return 0;
	size_t cap = t->cap ? t->cap : 64;
	while (cap < n)
		cap *= 2;
	kp_timer **more = kp_mem_realloc(t->heap, cap * sizeof(*more));
	if (!more)
		return KP_ERR_NO_MEMORY;
	t->heap = more;
	t->cap = cap;
	return 0;
}

static void place(kp_timers *t, size_t i, kp_timer *timer)
{
	t->heap[i] = timer;
	timer->index = i + 1;
}

static void sift_up(kp_timers *t, size_t i)
{
	kp_timer *timer = t->heap[i];
	while (i > 0 && t->heap[(i - 1) / 2]->at_us > timer->at_us) {
		place(t, i, t->heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	place(t, i, timer);
}

static void sift_down(kp_timers *t, size_t i)
{
	kp_timer *timer = t->heap[i];
	for (;;) {
		size_t child = 2 * i + 1;
		if (child >= t->n)
			break;
		if (child + 1 < t->n && t->heap[child + 1]->at_us < t->heap[child]->at_us)
			child++;
		if (t->heap[child]->at_us >= timer->at_us)
			break;
		place(t, i, t->heap[child]);
		i = child;
	}
	place(t, i, timer);
}

void kp_timers_set(kp_timers *t, kp_timer *timer, int64_t at_us)
{
	if (timer->index && timer->at_us == at_us)
		return;
	timer->at_us = at_us;
	if (!timer->index)
		place(t, t->n++, timer);
	sift_up(t, timer->index - 1);
	sift_down(t, timer->index - 1);
}

void kp_timers_clear(kp_timers *t, kp_timer *timer)
{
	if (!timer->index)
		return;
	size_t i = timer->index - 1;
	kp_timer *last = t->heap[--t->n];
	timer->index = 0;
	if (last == timer)
		return;
	place(t, i, last);
	sift_up(t, i);
	sift_down(t, last->index - 1);
}

kp_timer *kp_timers_pop(kp_timers *t, int64_t now_us)
{
	if (t->n == 0 || t->heap[0]->at_us > now_us)
		return NULL;
	kp_timer *first = t->heap[0];
	kp_timers_clear(t, first);
	return first;
}

kp_timer *kp_timers_first(const kp_timers *t)
{
	return t->n ? t->heap[0] : NULL;
}

int64_t kp_timers_next(const kp_timers *t)
{
	return t->n ? t->heap[0]->at_us : KP_TIME_NEVER;
}
