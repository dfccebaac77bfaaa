/*
 * memory.h - allocations of the engine that fail. Include it instead of sim.h where the engine is called: its calls go through here, so
 * that neither the broker's nor the simulator's own allocations are hit.
 */
#ifndef KP_TESTS_SIM_MEMORY_H
#define KP_TESTS_SIM_MEMORY_H

#include "tests/sim/sim.h"

void sim_memory_init(void); /* once, before the first allocation */
void sim_memory_plan(sim_plan *plan, kp_random *r);
void sim_memory_begin(const sim_world *w);
void sim_memory_end(void);
bool sim_memory_has_failed(void);   /* in this run */
uint64_t sim_memory_failures(void); /* in all runs */
uint64_t sim_memory_runs(void);     /* in which an allocation failed */
/* Around what the simulator does inside a callback of the engine. */
bool sim_memory_pause(void);
void sim_memory_resume(bool was_on);

int64_t sim_engine_step(kp_engine *e, int64_t now_us);
void sim_engine_on_open(kp_engine *e, uint32_t conn, int64_t now_us);
void sim_engine_on_data(kp_engine *e, uint32_t conn, const uint8_t *ptr, size_t len, int64_t now_us);
void sim_engine_on_close(kp_engine *e, uint32_t conn, int err, const char *text, int64_t now_us);
void sim_engine_written(kp_engine *e, uint32_t conn, size_t n, int64_t now_us);
int sim_engine_append(kp_topic *t, const kp_append_args *a);
kp_topic *sim_engine_topic(kp_engine *e, const char *name);
uint64_t sim_engine_flush_begin(kp_engine *e, int64_t now_us);
void sim_engine_purge(kp_engine *e, int what, int error, int64_t now_us);
bool sim_engine_drop_oldest(kp_engine *e, int64_t now_us);
void sim_engine_end_all(kp_engine *e, int error, int64_t now_us);

#ifndef SIM_MEMORY_IMPLEMENTATION
#define kp_engine_step sim_engine_step
#define kp_engine_on_open sim_engine_on_open
#define kp_engine_on_data sim_engine_on_data
#define kp_engine_on_close sim_engine_on_close
#define kp_engine_written sim_engine_written
#define kp_engine_append sim_engine_append
#define kp_engine_topic sim_engine_topic
#define kp_engine_flush_begin sim_engine_flush_begin
#define kp_engine_purge sim_engine_purge
#define kp_engine_drop_oldest sim_engine_drop_oldest
#define kp_engine_end_all sim_engine_end_all
#endif

#endif
