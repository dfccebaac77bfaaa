/*
 * timers.h - a binary min-heap of deadlines; each timer knows its place, so it can be moved or removed in O(log n).
 */
#ifndef KP_PRODUCER_TIMERS_H
#define KP_PRODUCER_TIMERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

typedef struct kp_timer {
	int64_t at_us;
	size_t index; /* place in the heap + 1; 0: not set */
	uint8_t kind; /* the owner's */
} kp_timer;

typedef struct kp_timers {
	kp_timer **heap;
	size_t n, cap;
} kp_timers;

void kp_timers_init(kp_timers *t);
void kp_timers_deinit(kp_timers *t);
/* Room for n timers: kp_timers_set never fails as long as no more than that exist. 0 or KP_ERR_NO_MEMORY. */
KP_MUST_USE int kp_timers_reserve(kp_timers *t, size_t n);
void kp_timers_set(kp_timers *t, kp_timer *timer, int64_t at_us); /* sets or moves */
void kp_timers_clear(kp_timers *t, kp_timer *timer);              /* fine when not set */
/* The earliest timer if it is due at now (it is cleared), else NULL. */
kp_timer *kp_timers_pop(kp_timers *t, int64_t now_us);
int64_t kp_timers_next(const kp_timers *t);    /* KP_TIME_NEVER when none is set */
kp_timer *kp_timers_first(const kp_timers *t); /* the earliest, which stays; NULL when none is set */

#endif
