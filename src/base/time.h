/*
 * time.h - clocks. Only client, net, the development broker's server and tools read them; the engine is given `now`.
 */
#ifndef KP_BASE_TIME_H
#define KP_BASE_TIME_H

#include <stdint.h>

/* A deadline that never comes. */
#define KP_TIME_NEVER INT64_MAX

int64_t kp_time_mono_us(void); /* CLOCK_MONOTONIC, microseconds */
int64_t kp_time_wall_ms(void); /* CLOCK_REALTIME, milliseconds since 1970 */
/* CLOCK_REALTIME_COARSE: a tick (1-10 ms) behind at most, about 5 ns a call; for record timestamps. */
int64_t kp_time_wall_coarse_ms(void);

#endif
