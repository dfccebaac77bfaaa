/*
 * watch.h - what holds in every moment of a run: see watch.c for the invariants.
 */
#ifndef KP_TESTS_SIM_WATCH_H
#define KP_TESTS_SIM_WATCH_H

#include "tests/sim/sim.h"

void sim_watch_begin(sim_world *w);
void sim_watch_end(sim_world *w);
void sim_watch_turn(sim_world *w);                                     /* after each turn of the engine */
void sim_watch_report(sim_world *w, const kp_batch *b, uint8_t topic); /* each ended batch */
void sim_watch_frame(sim_world *w, kp_slice frame);                    /* each Produce request that reached its node whole */

/* That partition, or with -1 any of the topic's, halted and was not resumed. */
bool sim_watch_is_halted(const sim_world *w, uint8_t topic, int32_t partition);
void sim_watch_resumed(sim_world *w, int32_t topic, int32_t partition);

#endif
