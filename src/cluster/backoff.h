/*
 * backoff.h - exponential back-off with jitter (KIP-580): initial * 2^failures, capped, then +- 20 %.
 */
#ifndef KP_CLUSTER_BACKOFF_H
#define KP_CLUSTER_BACKOFF_H

#include <stdint.h>

#include "base/random.h"

/* n_failures counts those before this one: 0 gives the initial value. */
int64_t kp_backoff_us(int64_t initial_us, int64_t max_us, int n_failures, kp_random *random);

#endif
