/*
 * coverage.c - the table at the end: in how many runs each fault struck, which error codes were answered, which of the engine's
 * transitions were reached (src/producer/reached.h). A simulator that reaches a thing in no run proves nothing about it.
 */
#include "tests/sim/coverage.h"

#include <kproducer/error.h>

#include <stdio.h>
#include <string.h>

#include "producer/batch.h"
#include "producer/reached.h"
#include "tests/sim/memory.h"

#define FAULT_LEAST_PERCENT 1.0 /* of the runs, each fault */
#define RECORDS_LEAST 500.0     /* a run, on average */
#define FAULTS_LEAST 5.0

kp_reached_counts kp_reached;

static uint64_t faults_before[SIM_N_FAULTS], fault_runs[SIM_N_FAULTS];

static const char *const outcomes[] = {"persisted", "not persisted", "unknown"};
static const char *const stages[] = {"without metadata", "without leader", "queued", "in flight", "answered"};

/* The ends that there are: what was answered alone is persisted; in flight nothing is proven, without metadata everything is. */
static const bool can_end[3][5] = {
	[KP_PERSISTED] = {[KP_STAGE_DONE] = true},
	[KP_NOT_PERSISTED] =
		{[KP_STAGE_NO_METADATA] = true, [KP_STAGE_NO_LEADER] = true, [KP_STAGE_QUEUED] = true, [KP_STAGE_DONE] = true},
	[KP_UNKNOWN] = {[KP_STAGE_NO_LEADER] = true, [KP_STAGE_QUEUED] = true, [KP_STAGE_IN_FLIGHT] = true, [KP_STAGE_DONE] = true},
};

void sim_coverage_run(const sim_totals *totals)
{
	for (int k = 0; k < SIM_N_FAULTS; k++)
		fault_runs[k] += totals->faults[k] != faults_before[k];
	memcpy(faults_before, totals->faults, sizeof(faults_before));
}

static int print_row(const char *text, uint64_t n)
{
	printf("  %-44s %12llu%s\n", text, (unsigned long long)n, n ? "" : "  NOT REACHED");
	return n == 0;
}

static int print_faults(double runs)
{
	int n_missing = 0;
	printf("faults (runs in which they struck)\n");
	for (int k = 0; k < SIM_N_FAULTS; k++) {
		double percent = 100 * (double)fault_runs[k] / runs;
		bool is_rare = percent < FAULT_LEAST_PERCENT;
		printf("  %-44s %12llu  %5.1f %%%s\n", sim_fault_names[k], (unsigned long long)fault_runs[k], percent,
		       is_rare ? "  TOO RARE" : "");
		n_missing += is_rare;
	}
	return n_missing;
}

static int print_codes(const char *what, const uint64_t *codes)
{
	int n_missing = 0, n_all = 0;
	for (int code = -1; code + 1 < KP_REACHED_CODES; code++)
		n_all += kp_error_name(code) != NULL;
	for (int i = 0; i < KP_REACHED_CODES; i++)
		n_missing += codes[i] == 0;
	printf("  %-44s %8d of %d%s", what, n_all - n_missing, n_all, n_missing ? "  NOT REACHED:" : "");
	for (int i = 0; i < KP_REACHED_CODES && n_missing; i++)
		if (codes[i] == 0)
			printf(" %d", i - 1);
	printf("\n");
	return n_missing;
}

static int print_txns(const sim_totals *t)
{
	static const struct {
		kp_txn_op op;
		kp_txn_next next;
		const char *text;
	} rows[] = {
		{KP_TXN_OP_INIT, KP_TXN_NEXT_NOTHING, "init: done"},
		{KP_TXN_OP_INIT, KP_TXN_NEXT_RETRY, "init: refused, again"},
		{KP_TXN_OP_INIT, KP_TXN_NEXT_NEW_INSTANCE, "init: fenced"},
		{KP_TXN_OP_OFFSETS, KP_TXN_NEXT_NOTHING, "offsets: taken"},
		{KP_TXN_OP_OFFSETS, KP_TXN_NEXT_ABORT, "offsets: failed"},
		{KP_TXN_OP_OFFSETS, KP_TXN_NEXT_NEW_INSTANCE, "offsets: fenced"},
		{KP_TXN_OP_COMMIT, KP_TXN_NEXT_NOTHING, "commit: done"},
		{KP_TXN_OP_COMMIT, KP_TXN_NEXT_RETRY, "commit: refused, again"},
		{KP_TXN_OP_COMMIT, KP_TXN_NEXT_ABORT, "commit: failed"},
		{KP_TXN_OP_COMMIT, KP_TXN_NEXT_NEW_INSTANCE, "commit: fenced"},
		{KP_TXN_OP_ABORT, KP_TXN_NEXT_NOTHING, "abort: done"},
		{KP_TXN_OP_ABORT, KP_TXN_NEXT_RETRY, "abort: refused, again"},
		{KP_TXN_OP_ABORT, KP_TXN_NEXT_NEW_INSTANCE, "abort: fenced"},
		{KP_TXN_OP_ABORT, KP_TXN_NEXT_OTHER_CALL, "abort: too late for a commit that timed out"},
	};
	int n_missing = 0;
	printf("transactions\n");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		n_missing += print_row(rows[i].text, t->txn_ends[rows[i].op][rows[i].next]);
	n_missing += print_row("a call timed out", t->timed_out_calls);
	n_missing += print_row("a commit's result was told to nobody", t->unknown_txns);
	n_missing += print_row("... and it was committed", t->unknown_committed);
	return n_missing;
}

static int print_engine(void)
{
	int n_missing = 0;
	static const char *const texts[] = {
#define X(name, text) text,
		KP_REACHED_LIST(X)
#undef X
	};
	printf("the engine's transitions\n");
	for (int i = 0; i < KP_N_REACHED; i++)
		n_missing += print_row(texts[i], kp_reached.names[i]);
	for (int o = 0; o < 3; o++)
		for (int s = 0; s < 5; s++) {
			char text[64];
			snprintf(text, sizeof(text), "end: %s, %s", outcomes[o], stages[s]);
			if (can_end[o][s])
				n_missing += print_row(text, kp_reached.ends[o][s]);
		}
	return n_missing;
}

bool sim_coverage_print(const sim_totals *t)
{
	double runs = t->runs ? (double)t->runs : 1, n_faults = 0;
	for (int k = 0; k < SIM_N_FAULTS; k++)
		n_faults += (double)t->faults[k];
	int n_missing = print_faults(runs);
	double no_memory = 100 * (double)sim_memory_runs() / runs;
	bool is_rare = no_memory < FAULT_LEAST_PERCENT;
	printf("  %-44s %12llu  %5.1f %%%s\n", "the engine's allocations fail", (unsigned long long)sim_memory_runs(), no_memory,
	       is_rare ? "  TOO RARE" : "");
	n_missing += is_rare;
	printf("error codes\n");
	n_missing += print_codes("answered to Produce", kp_reached.produce_codes);
	n_missing += print_codes("answered to Metadata, of a topic", kp_reached.metadata_codes);
	n_missing += print_codes("answered to what goes to coordinators", kp_reached.txn_codes);
	n_missing += print_txns(t);
	n_missing += print_engine();
	bool is_easy = (double)t->records / runs < RECORDS_LEAST || n_faults / runs < FAULTS_LEAST;
	if (is_easy)
		printf("TOO EASY: %.0f records and %.1f faults a run; at least %.0f and %.0f are wanted\n",
		       (double)t->records / runs, n_faults / runs, RECORDS_LEAST, FAULTS_LEAST);
	return t->runs < SIM_COVERAGE_RUNS || (n_missing == 0 && !is_easy);
}
