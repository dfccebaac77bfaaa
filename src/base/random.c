/*
 * random.c - seeding; the generator itself is inline in random.h.
 */
#include "base/random.h"

#include <errno.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/time.h"

/* Steele, Lea, Flood 2014: every state gives another output, so the four words are never all zero for a seed. */
static uint64_t splitmix64(uint64_t *x)
{
	uint64_t z = (*x += 0x9e3779b97f4a7c15u);
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

void kp_random_init(kp_random *r, uint64_t seed)
{
	for (int i = 0; i < 4; i++)
		r->s[i] = splitmix64(&seed);
}

uint64_t kp_random_os_seed(void)
{
	uint64_t seed;
	ssize_t n;
	do
		n = getrandom(&seed, sizeof(seed), 0);
	while (n < 0 && errno == EINTR);
	if (n == (ssize_t)sizeof(seed))
		return seed;
	/* Refused (an old seccomp profile): processes must still differ; nothing secret hangs on it. */
	return (uint64_t)kp_time_wall_ms() * 1000000007u + (uint64_t)kp_time_mono_us() * 31 + (uint64_t)getpid();
}
