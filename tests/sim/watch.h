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

#endif
