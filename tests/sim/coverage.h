/*
 * coverage.h - what the runs reached: faults, error codes, the engine's transitions.
 */
#ifndef KP_TESTS_SIM_COVERAGE_H
#define KP_TESTS_SIM_COVERAGE_H

#include "tests/sim/sim.h"

#define SIM_COVERAGE_RUNS 10000 /* from so many runs on each row has to be reached */

void sim_coverage_run(const sim_totals *totals); /* after each run */
/* Print the table. False when there were enough runs and a row was not reached, or the runs were too easy. */
bool sim_coverage_print(const sim_totals *totals);

#endif
