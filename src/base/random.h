/*
 * random.h - xoshiro256** (Blackman, Vigna 2018). Every user owns its state, so a seed replays a run exactly.
 */
#ifndef KP_BASE_RANDOM_H
#define KP_BASE_RANDOM_H

#include <stdint.h>

typedef struct kp_random {
	uint64_t s[4];
} kp_random;

void kp_random_init(kp_random *r, uint64_t seed); /* splitmix64 spreads the seed */
uint64_t kp_random_os_seed(void);                 /* from getrandom(2) */

static inline uint64_t kp_random_next(kp_random *r)
{
	uint64_t x = r->s[1] * 5, result = ((x << 7) | (x >> 57)) * 9, t = r->s[1] << 17;
	r->s[2] ^= r->s[0];
	r->s[3] ^= r->s[1];
	r->s[1] ^= r->s[2];
	r->s[0] ^= r->s[3];
	r->s[2] ^= t;
	r->s[3] = (r->s[3] << 45) | (r->s[3] >> 19);
	return result;
}

/* Uniform in [0, n); n > 0. Multiply-shift (Lemire); the bias of 2^-32 is of no matter here. */
static inline uint32_t kp_random_below(kp_random *r, uint32_t n)
{
	return (uint32_t)(((kp_random_next(r) >> 32) * n) >> 32);
}

/* Uniform in [0, 1). */
static inline double kp_random_unit(kp_random *r)
{
	return (double)(kp_random_next(r) >> 11) * 0x1.0p-53;
}

#endif
