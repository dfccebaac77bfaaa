/*
 * perf_result.c - reports into counts and latencies, and the figures of a run as text or JSON (design.md §6).
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "cli/perf.h"
#include "cli/signals.h"
#include "cli/talk.h"

/* Properties that decide what was measured, printed with the result. */
static const char *const settings[] = {
	"bootstrap.servers",  "acks",
	"enable.idempotence", "linger.ms",
	"batch.size",         "buffer.memory",
	"compression.type",   "max.in.flight.requests.per.connection",
	"max.request.size",   "delivery.timeout.ms",
	"request.timeout.ms",
};

static const struct {
	const char *name;
	double q;
} quantiles[] = {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p999", 0.999}, {"max", 1}};

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

static void add_latency(perf *run, void *opaque, int64_t now_ns)
{
	uintptr_t sent = (uintptr_t)opaque - 1, now = (uintptr_t)((now_ns - run->start_ns) / PERF_NS_PER_TICK);
	if (sent < (uintptr_t)(run->options->warmup_ms * 1000000 / PERF_NS_PER_TICK))
		return;
	/* Signed, for a record sent ahead of its due time by the clock's grain. */
	intptr_t ticks = (intptr_t)(now - sent);
	cli_histogram_add(&run->latency_ns, ticks > 0 ? (uint64_t)ticks * PERF_NS_PER_TICK : 0);
}

void perf_on_reports(kp_producer *producer, const kp_report *reports, size_t n, void *opaque)
{
	perf *run = opaque;
	uint64_t persisted = 0, unacknowledged = 0;
	int64_t now_ns = cli_now_ns();
	size_t stride = reports->struct_size;
	const char *at = (const char *)reports;
	(void)producer;
	for (size_t i = 0; i < n; i++, at += stride) {
		const kp_report *r = (const void *)at;
		if (r->opaque)
			add_latency(run, r->opaque, now_ns);
		if (r->outcome == KP_PERSISTED)
			persisted++;
		else if (r->outcome == KP_UNKNOWN && !r->error)
			unacknowledged++;
		else
			cli_tally_failure(&run->tally, r->outcome, r->error);
	}
	cli_tally_add(&run->tally, persisted, unacknowledged, now_ns);
}

static uint64_t sum_accepted(const perf *run)
{
	uint64_t n = 0;
	for (unsigned i = 0; i < run->n_started; i++)
		n += atomic_load_explicit(&run->senders[i].accepted, memory_order_relaxed);
	return n;
}

void perf_progress(void *opaque)
{
	perf *run = opaque;
	char sent[CLI_NUMBER_SIZE], ended[CLI_NUMBER_SIZE], rate[CLI_NUMBER_SIZE];
	if (!cli_progress_due(950))
		return;
	cli_counts c = cli_tally_get(&run->tally, NULL);
	double seconds = (double)(cli_now_ns() - run->start_ns) / 1e9;
	cli_progress("%.0f s: %s sent, %s delivered (%s records/s), %" PRIu64 " failed%s", seconds,
	             cli_format_count(sent, (double)sum_accepted(run)), cli_format_count(ended, (double)cli_counts_delivered(&c)),
	             cli_format_count(rate, (double)cli_counts_delivered(&c) / seconds), c.not_persisted + c.unknown,
	             cli_stop_count() ? " (stopping)" : "");
}

static perf_figures measure(perf *run)
{
	struct rusage usage;
	int64_t last_ns;
	kp_counters counters = {.struct_size = sizeof(counters)};
	cli_counts c = cli_tally_get(&run->tally, &last_ns);
	perf_figures f = {.acked = c.persisted,
	                  .failed = c.not_persisted,
	                  .unknown = c.unknown + c.unacknowledged,
	                  .unacknowledged = c.unacknowledged,
	                  .records = sum_accepted(run)};
	for (unsigned i = 0; i < run->n_started; i++) {
		f.records += run->senders[i].refused;
		f.bytes += run->senders[i].bytes;
	}
	double delivered = (double)cli_counts_delivered(&c);
	f.seconds = last_ns > run->start_ns ? (double)(last_ns - run->start_ns) / 1e9 : 0;
	if (f.seconds > 0) {
		f.records_per_second = delivered / f.seconds;
		f.mb_per_second = f.records ? (double)f.bytes * delivered / (double)f.records / f.seconds / 1e6 : 0;
	}
	getrusage(RUSAGE_SELF, &usage);
	f.cpu_seconds = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	                (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
	f.max_rss_kb = usage.ru_maxrss;
	kp_counters_get(run->session.producer, &counters);
	f.retries = counters.retries;
	return f;
}

static void print_settings(const perf *run, cli_json *j)
{
	const perf_options *o = run->options;
	char text[512];
	cli_json_open(j, "settings", '{');
	cli_json_text(j, "version", kp_version());
	cli_json_text(j, "topic", o->common.topic);
	cli_json_int(j, "partitions", run->session.n_partitions);
	if (run->payload.lines)
		cli_json_text(j, "size", "as in the payload file");
	else
		cli_json_uint(j, "size", run->payload.size);
	cli_json_text(j, "payload_file", o->payload_file);
	cli_json_real(j, "rate", o->rate, 3);
	cli_json_uint(j, "keys", o->n_keys);
	cli_json_uint(j, "threads", o->n_threads);
	cli_json_uint(j, "array", o->array);
	cli_json_real(j, "warmup_seconds", (double)o->warmup_ms / 1000, 3);
	for (size_t i = 0; i < N_OF(settings); i++)
		cli_json_text(j, settings[i], cli_session_setting(&run->session, settings[i], text, sizeof(text)));
	cli_json_close(j, '}');
}

static void print_json(const perf *run, const perf_figures *f)
{
	cli_json j = {.out = stdout};
	cli_json_open(&j, NULL, '{');
	cli_json_uint(&j, "records", f->records);
	cli_json_uint(&j, "acked", f->acked);
	cli_json_uint(&j, "failed", f->failed);
	cli_json_uint(&j, "unknown", f->unknown);
	cli_json_uint(&j, "bytes", f->bytes);
	cli_json_real(&j, "seconds", f->seconds, 6);
	cli_json_real(&j, "records_per_second", f->records_per_second, 1);
	cli_json_real(&j, "mb_per_second", f->mb_per_second, 3);
	cli_json_real(&j, "cpu_seconds", f->cpu_seconds, 6);
	cli_json_int(&j, "max_rss_kb", f->max_rss_kb);
	cli_json_open(&j, "latency_us", '{');
	for (size_t i = 0; i < N_OF(quantiles); i++)
		cli_json_real(&j, quantiles[i].name, (double)cli_histogram_quantile(&run->latency_ns, quantiles[i].q) / 1000, 1);
	cli_json_uint(&j, "timed", run->latency_ns.n);
	cli_json_close(&j, '}');
	cli_json_uint(&j, "retries", f->retries);
	cli_json_text(&j, "stopped_by", cli_stop_count() ? cli_stop_signal_name() : NULL);
	print_settings(run, &j);
	cli_tally_json(&run->tally, &j);
	cli_json_close(&j, '}');
	putchar('\n');
}

static void print_text(const perf *run, const perf_figures *f)
{
	char rate[CLI_NUMBER_SIZE], rss[CLI_NUMBER_SIZE];
	printf("%" PRIu64 " records in %.3f s: %s records/s, %.1f MB/s\n", f->records, f->seconds,
	       cli_format_count(rate, f->records_per_second), f->mb_per_second);
	printf("%" PRIu64 " acked, %" PRIu64 " failed, %" PRIu64 " unknown%s; %" PRIu64 " retries\n", f->acked, f->failed,
	       f->unknown, f->unacknowledged ? " (acks=0: written, not acknowledged)" : "", f->retries);
	printf("CPU %.3f s (%.0f ns a record), peak memory %s\n", f->cpu_seconds,
	       f->records ? f->cpu_seconds * 1e9 / (double)f->records : 0, cli_format_bytes(rss, (double)f->max_rss_kb * 1024));
	printf("latency in us, %" PRIu64 " records timed:", run->latency_ns.n);
	for (size_t i = 0; i < N_OF(quantiles); i++)
		printf(" %s %.1f", quantiles[i].name, (double)cli_histogram_quantile(&run->latency_ns, quantiles[i].q) / 1000);
	putchar('\n');
}

int perf_result(perf *run)
{
	perf_figures f = measure(run);
	uint64_t ended = f.acked + f.failed + f.unknown;
	cli_tally_say(&run->tally);
	if (ended != f.records)
		cli_error("%" PRIu64 " records were sent, %" PRIu64 " ended: a bug in this library, please report it", f.records,
		          ended);
	if (run->options->common.json)
		print_json(run, &f);
	else
		print_text(run, &f);
	if (f.failed || f.unknown != f.unacknowledged || ended != f.records)
		return CLI_FAILED;
	return cli_stop_count() ? 128 + cli_stop_signal() : CLI_OK;
}
