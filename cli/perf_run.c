/*
 * perf_run.c - the order of events: producers and their runtimes, connected before the clock starts, the senders, the end.
 */
#include <stdlib.h>
#include <unistd.h>

#include "cli/perf.h"
#include "cli/signals.h"
#include "cli/talk.h"

static int out_of_memory(void)
{
	cli_error("out of memory");
	return CLI_FAILED;
}

/* One runtime for all, or several in turn. A single producer has its own, as any program's would. */
static int init_sinks(perf *run)
{
	const perf_options *o = run->options;
	run->sinks = calloc(o->n_runtimes, sizeof(*run->sinks));
	if (!run->sinks)
		return out_of_memory();
	for (; run->n_sinks < o->n_runtimes; run->n_sinks++) {
		perf_sink *sink = &run->sinks[run->n_sinks];
		sink->run = run;
		if (o->n_producers > 1 && !(sink->runtime = kp_runtime_new())) {
			cli_error("cannot start runtime %zu: out of memory, threads or descriptors", run->n_sinks + 1);
			return CLI_FAILED;
		}
		pthread_mutex_init(&sink->lock, NULL);
		cli_histogram_init(&sink->recent_ns);
	}
	return CLI_GO_ON;
}

static int open_sessions(perf *run, cli_common *common)
{
	const perf_options *o = run->options;
	int rc = init_sinks(run);
	run->sessions = calloc(o->n_producers, sizeof(*run->sessions));
	if (!run->sessions)
		return out_of_memory();
	while (rc == CLI_GO_ON && run->n_sessions < o->n_producers) {
		rc = perf_transactions_name(run, common);
		if (rc != CLI_GO_ON)
			return rc;
		cli_session *s = &run->sessions[run->n_sessions];
		perf_sink *sink = &run->sinks[run->n_sessions++ % o->n_runtimes];
		rc = cli_session_open_on(s, &o->common, sink->runtime, perf_on_reports, sink);
		if (rc == CLI_GO_ON)
			rc = perf_transactions_check(run);
		if (rc == CLI_GO_ON)
			rc = cli_session_connect(s);
	}
	return rc;
}

/* Wait for all that is under way. The time that a stopped run has is that of all producers together. */
static void finish(perf *run)
{
	for (size_t i = 0; i < run->n_sessions; i++) {
		if (i) {
			run->sessions[i].stop_at_ns = run->sessions[i - 1].stop_at_ns;
			run->sessions[i].has_given_up = run->sessions[i - 1].has_given_up;
		}
		cli_session_finish(&run->sessions[i], perf_progress, run);
	}
	cli_progress_clear();
	perf_take_latencies(run);
}

static int run_sessions(perf *run, perf_options *o)
{
	int rc = open_sessions(run, &o->common);
	if (rc == CLI_GO_ON)
		rc = cli_session_check_partition(&run->sessions[0], o->partition);
	if (rc != CLI_GO_ON)
		return rc;
	if (!run->sessions[0].n_partitions && o->has_random_partition) {
		cli_error(
			"-p random draws from the partitions of a topic that exists, %s does not; kproducer topics create makes it",
			o->common.topic);
		return CLI_USAGE;
	}
	if (!run->sessions[0].n_partitions)
		cli_say("topic %s does not exist yet: the time to create it will be part of the figures", o->common.topic);
	rc = perf_transactions_start(run);
	if (rc != CLI_GO_ON)
		return rc;
	rc = perf_send(run);
	finish(run);
	return rc == CLI_GO_ON ? perf_result(run) : rc;
}

static void deinit(perf *run)
{
	for (size_t i = 0; i < run->n_sessions; i++)
		cli_session_close(&run->sessions[i]);
	for (size_t i = 0; i < run->n_sinks; i++)
		if (run->sinks[i].runtime)
			kp_runtime_free(run->sinks[i].runtime);
	cli_payload_deinit(&run->payload);
	free(run->sessions);
	free(run->sinks);
	free(run->senders);
	free(run->transactions);
	if (run->done_fd >= 0)
		close(run->done_fd);
	free(run);
}

int perf_run(perf_options *o)
{
	cli_payload_options payload = {
		.file = o->payload_file,
		.size = (size_t)o->size,
		.delimiter = o->payload_delimiter,
		.delimiter_len = o->payload_delimiter_len,
		.n_keys = (size_t)o->n_keys,
	};
	perf *run = calloc(1, sizeof(*run));
	if (!run)
		return out_of_memory();
	run->options = o;
	run->done_fd = -1;
	cli_tally_init(&run->tally);
	cli_histogram_init(&run->latency_ns);
	cli_histogram_init(&run->recent_ns);
	int rc = cli_payload_init(&run->payload, &payload);
	if (rc == CLI_GO_ON)
		rc = run_sessions(run, o);
	deinit(run);
	return rc;
}
