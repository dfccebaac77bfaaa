/*
 * perf_report.c - reports into counts and latencies, and the progress that is made of them while the run goes on.
 */
#include <inttypes.h>
#include <stdio.h>

#include "cli/perf.h"
#include "cli/signals.h"
#include "cli/talk.h"

static void add_latency(perf_sink *sink, void *opaque, int64_t now_ns)
{
	const perf *run = sink->run;
	uintptr_t sent = (uintptr_t)opaque - 1, now = (uintptr_t)((now_ns - run->start_ns) / PERF_NS_PER_TICK);
	if (sent < (uintptr_t)(run->options->warmup_ms * 1000000 / PERF_NS_PER_TICK))
		return;
	/* Signed, for a record sent ahead of its due time by the clock's grain. */
	intptr_t ticks = (intptr_t)(now - sent);
	cli_histogram_add(&sink->recent_ns, ticks > 0 ? (uint64_t)ticks * PERF_NS_PER_TICK : 0);
}

void perf_on_reports(kp_producer *producer, const kp_report *reports, size_t n, void *opaque)
{
	perf_sink *sink = opaque;
	cli_tally *tally = &sink->run->tally;
	uint64_t persisted = 0, unacknowledged = 0;
	int64_t now_ns = cli_now_ns();
	(void)producer;
	pthread_mutex_lock(&sink->lock);
	for (size_t i = 0; i < n; i++) {
		const kp_report *r = kp_report_at(reports, i);
		if (r->opaque)
			add_latency(sink, r->opaque, now_ns);
		if (r->outcome == KP_PERSISTED)
			persisted++;
		else if (r->outcome == KP_UNKNOWN && !r->error)
			unacknowledged++;
		else
			cli_tally_failure(tally, r->outcome, r->error);
	}
	pthread_mutex_unlock(&sink->lock);
	cli_tally_add(tally, persisted, unacknowledged, now_ns);
}

void perf_take_latencies(perf *run)
{
	for (size_t i = 0; i < run->n_sinks; i++) {
		perf_sink *sink = &run->sinks[i];
		pthread_mutex_lock(&sink->lock);
		if (sink->recent_ns.n) {
			cli_histogram_merge(&run->latency_ns, &sink->recent_ns);
			cli_histogram_merge(&run->recent_ns, &sink->recent_ns);
			cli_histogram_init(&sink->recent_ns);
		}
		pthread_mutex_unlock(&sink->lock);
	}
}

uint64_t perf_accepted(const perf *run)
{
	uint64_t n = 0;
	for (unsigned i = 0; i < run->n_started; i++)
		n += atomic_load_explicit(&run->senders[i].accepted, memory_order_relaxed);
	return n;
}

uint64_t perf_bytes(const perf *run)
{
	uint64_t n = 0;
	for (unsigned i = 0; i < run->n_started; i++)
		n += atomic_load_explicit(&run->senders[i].bytes, memory_order_relaxed);
	return n;
}

/* Three figures, and never an exponent. */
static const char *format_ms(char out[CLI_NUMBER_SIZE], uint64_t ns)
{
	double ms = (double)ns / 1e6;
	snprintf(out, CLI_NUMBER_SIZE, ms < 999.5 ? "%.3g" : "%.0f", ms);
	return out;
}

/* ", p50 1.2 p99 3.4 max 5.6 ms", of the records timed since the last line; "" when there are none. */
static void format_latencies(const cli_histogram *h, char *out, size_t out_size)
{
	char p50[CLI_NUMBER_SIZE], p99[CLI_NUMBER_SIZE], most[CLI_NUMBER_SIZE];
	out[0] = 0;
	if (h->n)
		snprintf(out, out_size, ", p50 %s p99 %s max %s ms", format_ms(p50, cli_histogram_quantile(h, 0.5)),
		         format_ms(p99, cli_histogram_quantile(h, 0.99)), format_ms(most, h->max));
}

static void show_progress(perf *run, int64_t now_ns)
{
	char rate[CLI_NUMBER_SIZE], bytes[CLI_NUMBER_SIZE], flying[CLI_NUMBER_SIZE], latencies[128], failed[64] = "", line[512];
	cli_counts c = cli_tally_get(&run->tally, NULL);
	uint64_t delivered = cli_counts_delivered(&c), accepted = perf_accepted(run), ended = cli_counts_ended(&c);
	double per_second = (double)(delivered - run->progress_delivered) * 1e9 / (double)(now_ns - run->progress_ns);
	double record_bytes = accepted ? (double)perf_bytes(run) / (double)accepted : 0;
	perf_take_latencies(run);
	format_latencies(&run->recent_ns, latencies, sizeof(latencies));
	if (c.not_persisted + c.unknown)
		snprintf(failed, sizeof(failed), ", %" PRIu64 " failed", c.not_persisted + c.unknown);
	/* A record may end before its sender has counted it. */
	snprintf(line, sizeof(line), "%.1f s: %s records/s, %s/s, %s in flight%s%s%s", (double)(now_ns - run->start_ns) / 1e9,
	         cli_format_count(rate, per_second), cli_format_bytes(bytes, per_second * record_bytes),
	         cli_format_count(flying, accepted > ended ? (double)(accepted - ended) : 0), failed, latencies,
	         cli_stop_count() ? " (stopping)" : "");
	if (run->options->progress_interval_ms)
		cli_say("%s", line);
	else
		cli_progress("%s", line);
	run->progress_ns = now_ns;
	run->progress_delivered = delivered;
	cli_histogram_init(&run->recent_ns);
}

void perf_progress(void *opaque)
{
	perf *run = opaque;
	int64_t now_ns = cli_now_ns(), interval_ns = run->options->progress_interval_ms * 1000000;
	if (interval_ns ? now_ns - run->progress_ns >= interval_ns : cli_progress_due(950))
		show_progress(run, now_ns);
}
