/*
 * time.c - clock_gettime(2), which cannot fail for these clocks.
 */
#include "base/time.h"

#include <time.h>

static struct timespec now(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return t;
}

static int64_t to_ms(struct timespec t)
{
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t kp_time_mono_us(void)
{
	struct timespec t = now(CLOCK_MONOTONIC);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t kp_time_wall_ms(void)
{
	return to_ms(now(CLOCK_REALTIME));
}

int64_t kp_time_wall_coarse_ms(void)
{
	return to_ms(now(CLOCK_REALTIME_COARSE));
}
