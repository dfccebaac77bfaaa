/*
 * main.c - sim: runs the simulator over a range of seeds.
 *
 *   sim --seed S --runs N [--scenario NAME] [--trace] [-v]     run i has seed S + i; exit 1 and the seed when an invariant does not hold
 *   The table at the end says what the runs reached; from 10000 runs on a row that was not is an error too.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "tests/sim/coverage.h"
#include "tests/sim/memory.h"

typedef struct options {
	uint64_t seed, n_runs;
	sim_scenario scenario;
	bool is_traced, is_verbose, is_help;
} options;

static int usage(FILE *to, int code)
{
	fprintf(to,
	        "usage: sim [--seed S] [--runs N] [--scenario NAME] [--trace] [-v]\n"
	        "Runs the producer's engine against the development broker under a virtual clock, with faults; run i has seed S + i (1),\n"
	        "N is 1000. Exit 1 when an invariant does not hold: it is named, with the command that replays the run.\n"
	        "  --trace  what happens, line by line      -v  each run's plan\n"
	        "Scenarios (without --scenario each seed draws one; in brackets its share):\n");
	for (int i = SIM_FREE; i < SIM_N_SCENARIOS; i++)
		fprintf(to, "  %-11s %s (%d %%)\n", sim_scenarios[i].name, sim_scenarios[i].text, sim_scenarios[i].share);
	fprintf(to,
	        "The table at the end says what the runs reached. From %d runs on it must be complete, or the exit code is 1: no row\n"
	        "NOT REACHED, none TOO RARE (a fault that struck in less than 1 %% of the runs), and the runs not TOO EASY.\n",
	        SIM_COVERAGE_RUNS);
	return code;
}

static bool take_scenario(const char *name, sim_scenario *out)
{
	for (int i = SIM_FREE; i < SIM_N_SCENARIOS; i++)
		if (strcmp(name, sim_scenarios[i].name) == 0) {
			*out = (sim_scenario)i;
			return true;
		}
	return false;
}

static bool take_number(const char *text, uint64_t *out)
{
	char *end;
	errno = 0;
	*out = strtoull(text, &end, 0);
	return *text && !*end && errno == 0 && *text != '-';
}

static bool parse(int argc, char **argv, options *o)
{
	for (int i = 1; i < argc; i++) {
		bool has_value = i + 1 < argc;
		if (strcmp(argv[i], "--seed") == 0 && has_value && take_number(argv[i + 1], &o->seed))
			i++;
		else if (strcmp(argv[i], "--runs") == 0 && has_value && take_number(argv[i + 1], &o->n_runs))
			i++;
		else if (strcmp(argv[i], "--scenario") == 0 && has_value && take_scenario(argv[i + 1], &o->scenario))
			i++;
		else if (strcmp(argv[i], "--help") == 0)
			o->is_help = true;
		else if (strcmp(argv[i], "--trace") == 0)
			o->is_traced = true;
		else if (strcmp(argv[i], "-v") == 0)
			o->is_verbose = true;
		else
			return false;
	}
	return true;
}

static void summarize(const options *o, const sim_totals *t, double seconds)
{
	double runs = t->runs ? (double)t->runs : 1;
	printf("sim: %llu runs from seed %llu in %.1f s (%.2f ms each), %.0f virtual seconds\n", (unsigned long long)t->runs,
	       (unsigned long long)o->seed, seconds, 1000 * seconds / runs, (double)t->virtual_us / SIM_SECOND);
	printf("records   %llu accepted (%.0f a run): %llu persisted, %llu not persisted, %llu unknown; %llu refused\n",
	       (unsigned long long)t->records, (double)t->records / runs, (unsigned long long)t->persisted,
	       (unsigned long long)t->not_persisted, (unsigned long long)t->unknown, (unsigned long long)t->refused);
	uint64_t n_faults = 0;
	for (int k = 0; k < SIM_N_FAULTS; k++)
		n_faults += t->faults[k];
	printf("faults    %llu (%.1f a run):", (unsigned long long)n_faults, (double)n_faults / runs);
	for (int k = 0; k < SIM_N_FAULTS; k++)
		printf("%s %llu %s", k ? "," : "", (unsigned long long)t->faults[k], sim_fault_names[k]);
	printf("\nengine    %llu requests, %llu retries, %llu connects, %llu turns; %llu duplicates refused by the broker\n",
	       (unsigned long long)t->requests, (unsigned long long)t->retries, (unsigned long long)t->connects,
	       (unsigned long long)t->turns, (unsigned long long)t->duplicates);
	printf("calls     %llu, of which %llu failed\n", (unsigned long long)t->calls, (unsigned long long)t->calls_failed);
	printf("txns      %llu begun: %llu told committed, %llu told aborted, %llu commits of unknown result (%llu were)\n",
	       (unsigned long long)t->txns, (unsigned long long)t->committed, (unsigned long long)t->aborted,
	       (unsigned long long)t->unknown_txns, (unsigned long long)t->unknown_committed);
	printf("memory    at most %.2f of buffer.memory; %llu waits for room\n", t->most_memory, (unsigned long long)t->blocked);
}

/* ------------------------------------------------------------------ a run that does not come back */

#define RUN_CPU_SECONDS 120 /* a run takes milliseconds, one of the most events ten seconds */

static char endless[200]; /* what is said then: made before, for a signal handler may not */

static void on_alarm(int signal_number)
{
	(void)signal_number;
	ssize_t n = write(STDOUT_FILENO, endless, strlen(endless));
	_exit(n < 0 ? 2 : 1);
}

/* The engine may go round in circles inside one call, where no count of events sees it. */
static void watch_cpu(uint64_t seed, const char *scenario)
{
	struct itimerval limit = {.it_value = {.tv_sec = RUN_CPU_SECONDS}};
	snprintf(endless, sizeof(endless),
	         "sim: seed %llu broke I9: no end within %d s of CPU\nreplay: sim --seed %llu --runs 1%s%s --trace\n",
	         (unsigned long long)seed, RUN_CPU_SECONDS, (unsigned long long)seed, scenario ? " --scenario " : "",
	         scenario ? scenario : "");
	signal(SIGVTALRM, on_alarm);
	setitimer(ITIMER_VIRTUAL, &limit, NULL);
}

static double seconds_now(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	options o = {.seed = 1, .n_runs = 1000};
	sim_totals totals = {0};
	sim_plan plan;
	char failure[600] = "";
	if (!parse(argc, argv, &o))
		return usage(stderr, 2);
	if (o.is_help)
		return usage(stdout, 0);
	sim_memory_init();
	double start = seconds_now();
	uint64_t i;
	for (i = 0; i < o.n_runs && !failure[0]; i++) {
		sim_plan_make(&plan, o.seed + i, o.scenario);
		if (o.is_traced || o.is_verbose)
			sim_trace_plan(&plan);
		watch_cpu(plan.seed, o.scenario ? sim_scenarios[o.scenario].name : NULL);
		sim_run(&plan, o.is_traced, &totals, failure, sizeof(failure));
		sim_coverage_run(&totals);
	}
	if (failure[0]) {
		printf("sim: seed %llu broke %s\n", (unsigned long long)plan.seed, failure);
		printf("replay: sim --seed %llu --runs 1%s%s --trace\n", (unsigned long long)plan.seed,
		       o.scenario ? " --scenario " : "", o.scenario ? sim_scenarios[o.scenario].name : "");
	}
	summarize(&o, &totals, seconds_now() - start);
	bool is_covered = failure[0] || sim_coverage_print(&totals);
	return failure[0] || !is_covered ? 1 : 0;
}
