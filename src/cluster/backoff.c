#include "cluster/backoff.h"

#define JITTER 0.2

int64_t kp_backoff_us(int64_t initial_us, int64_t max_us, int n_failures, kp_random *random)
{
	double us = (double)initial_us;
	for (int i = 0; i < n_failures && us < (double)max_us; i++)
		us *= 2;
	if (us > (double)max_us)
		us = (double)max_us;
	return (int64_t)(us * (1 - JITTER + 2 * JITTER * kp_random_unit(random)));
}
