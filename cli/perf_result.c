/*
 * perf_result.c - the figures of a run, as text or as one JSON object.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cli/chart.h"
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
	"request.timeout.ms", "transactional.id",
};

static const struct {
	const char *name, *json_name;
	double q;
} quantiles[] = {{"p50", "p50", 0.5},  {"p90", "p90", 0.9},      {"p95", "p95", 0.95},
                 {"p99", "p99", 0.99}, {"p99.9", "p999", 0.999}, {"max", "max", 1}};

typedef struct transaction_figures {
	uint64_t committed, aborted, unknown, committed_records;
	double commits_per_second;
	cli_histogram commits_ns;
} transaction_figures;

typedef struct figures {
	uint64_t records, acked, failed, unknown, unacknowledged, bytes, retries;
	double seconds, records_per_second, mb_per_second, cpu_seconds;
	long max_rss_kb;
	transaction_figures transactions; /* when there are any */
} figures;

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

static uint64_t sum_retries(const perf *run)
{
	uint64_t n = 0;
	for (size_t i = 0; i < run->n_sessions; i++) {
		kp_counters counters = {.struct_size = sizeof(counters)};
		kp_counters_get(run->sessions[i].producer, &counters);
		n += counters.retries;
	}
	return n;
}

static transaction_figures measure_transactions(const perf *run, double seconds)
{
	transaction_figures f = {0};
	cli_histogram_init(&f.commits_ns);
	for (size_t i = 0; i < run->n_sessions; i++) {
		const perf_transactions *t = &run->transactions[i];
		f.committed += t->n_committed;
		f.aborted += t->n_aborted;
		f.unknown += t->n_unknown;
		f.committed_records += t->committed_records;
		cli_histogram_merge(&f.commits_ns, &t->commits_ns);
	}
	f.commits_per_second = seconds > 0 ? (double)f.committed / seconds : 0;
	return f;
}

static figures measure(perf *run)
{
	struct rusage usage;
	int64_t last_ns;
	cli_counts c = cli_tally_get(&run->tally, &last_ns);
	figures f = {
		.acked = c.persisted,
		.failed = c.not_persisted,
		.unknown = c.unknown + c.unacknowledged,
		.unacknowledged = c.unacknowledged,
		.records = perf_accepted(run),
		.bytes = perf_bytes(run),
		.retries = sum_retries(run),
	};
	for (unsigned i = 0; i < run->n_started; i++) {
		f.records += run->senders[i].refused;
		if (run->transactions && last_ns < run->senders[i].end_ns)
			last_ns = run->senders[i].end_ns; /* the last commit is behind the last report */
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
	if (run->transactions)
		f.transactions = measure_transactions(run, f.seconds);
	return f;
}

static void print_settings(const perf *run, cli_json *j)
{
	const perf_options *o = run->options;
	char text[512];
	cli_json_open(j, "settings", '{');
	cli_json_text(j, "version", kp_version());
	cli_json_text(j, "topic", o->common.topic);
	cli_json_int(j, "partitions", run->sessions[0].n_partitions);
	if (run->payload.lines)
		cli_json_text(j, "size", "as in the payload file");
	else
		cli_json_uint(j, "size", run->payload.size);
	cli_json_text(j, "payload_file", o->payload_file);
	cli_json_real(j, "rate", o->rate, 3);
	cli_json_uint(j, "keys", o->n_keys);
	cli_json_bool(j, "random_keys", o->has_random_keys);
	cli_json_uint(j, "headers", o->headers.n);
	cli_json_uint(j, "producers", o->n_producers);
	cli_json_uint(j, "runtimes", o->n_runtimes);
	cli_json_uint(j, "threads", o->n_threads);
	cli_json_uint(j, "array", o->array);
	cli_json_real(j, "warmup_seconds", (double)o->warmup_ms / 1000, 3);
	for (size_t i = 0; i < N_OF(settings); i++)
		cli_json_text(j, settings[i], cli_session_setting(&run->sessions[0], settings[i], text, sizeof(text)));
	cli_json_close(j, '}');
}

/* Of each thread's own clock, from the common start to its last record: how evenly they got on. */
static void print_threads(const perf *run, cli_json *j)
{
	double slowest = 0, sum = 0;
	for (unsigned i = 0; i < run->n_started; i++) {
		const perf_sender *s = &run->senders[i];
		double ns = (double)(s->end_ns - run->start_ns);
		double rate = ns > 0 ? (double)atomic_load_explicit(&s->accepted, memory_order_relaxed) * 1e9 / ns : 0;
		slowest = i && slowest < rate ? slowest : rate;
		sum += rate;
	}
	cli_json_open(j, "threads", '{');
	cli_json_real(j, "slowest_records_per_second", slowest, 1);
	cli_json_real(j, "mean_records_per_second", run->n_started ? sum / run->n_started : 0, 1);
	cli_json_close(j, '}');
}

static void print_latencies(const cli_histogram *h, const char *name, cli_json *j)
{
	cli_json_open(j, name, '{');
	for (size_t i = 0; i < N_OF(quantiles); i++)
		cli_json_real(j, quantiles[i].json_name, (double)cli_histogram_quantile(h, quantiles[i].q) / 1000, 1);
	cli_json_uint(j, "timed", h->n);
	cli_json_close(j, '}');
}

static void print_transactions(const perf *run, const transaction_figures *f, cli_json *j)
{
	if (!run->transactions)
		return;
	cli_json_open(j, "transactions", '{');
	cli_json_uint(j, "records_per_transaction", run->transaction_size);
	cli_json_uint(j, "committed", f->committed);
	cli_json_uint(j, "aborted", f->aborted);
	cli_json_uint(j, "unknown", f->unknown);
	cli_json_uint(j, "committed_records", f->committed_records);
	cli_json_real(j, "commits_per_second", f->commits_per_second, 1);
	print_latencies(&f->commits_ns, "commit_latency_us", j);
	cli_json_close(j, '}');
}

static void print_json(const perf *run, const figures *f)
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
	print_latencies(&run->latency_ns, "latency_us", &j);
	if (run->options->wants_histogram)
		cli_chart_json(&run->latency_ns, "histogram_us", &j);
	print_transactions(run, &f->transactions, &j);
	print_threads(run, &j);
	cli_json_uint(&j, "retries", f->retries);
	cli_json_text(&j, "stopped_by", cli_stop_count() ? cli_stop_signal_name() : NULL);
	print_settings(run, &j);
	cli_tally_json(&run->tally, &j);
	cli_json_close(&j, '}');
	putchar('\n');
}

static void print_quantiles(const cli_histogram *h)
{
	for (size_t i = 0; i < N_OF(quantiles); i++)
		printf(" %s %.1f", quantiles[i].name, (double)cli_histogram_quantile(h, quantiles[i].q) / 1000);
	putchar('\n');
}

static void print_commits(const transaction_figures *f)
{
	printf("%" PRIu64 " transactions of %" PRIu64 " records committed, %" PRIu64 " aborted, %" PRIu64
	       " unknown: %.1f commits/s\n",
	       f->committed, f->committed_records, f->aborted, f->unknown, f->commits_per_second);
	if (!f->commits_ns.n)
		return;
	printf("commits in us, %" PRIu64 " timed:", f->commits_ns.n);
	print_quantiles(&f->commits_ns);
}

static void print_text(const perf *run, const figures *f)
{
	char rate[CLI_NUMBER_SIZE], rss[CLI_NUMBER_SIZE];
	printf("%" PRIu64 " records in %.3f s: %s records/s, %.1f MB/s\n", f->records, f->seconds,
	       cli_format_count(rate, f->records_per_second), f->mb_per_second);
	printf("%" PRIu64 " acked, %" PRIu64 " failed, %" PRIu64 " unknown%s; %" PRIu64 " retries\n", f->acked, f->failed,
	       f->unknown, f->unacknowledged ? " (acks=0: written, not acknowledged)" : "", f->retries);
	printf("CPU %.3f s (%.0f ns a record), peak memory %s\n", f->cpu_seconds,
	       f->records ? f->cpu_seconds * 1e9 / (double)f->records : 0, cli_format_bytes(rss, (double)f->max_rss_kb * 1024));
	if (run->transactions)
		print_commits(&f->transactions);
	if (!run->latency_ns.n) {
		printf("no record's latency was timed%s\n", run->options->warmup_ms ? ": all were sent during --warmup" : "");
		return;
	}
	printf("latency in us, %" PRIu64 " records timed:", run->latency_ns.n);
	print_quantiles(&run->latency_ns);
	if (run->options->wants_histogram)
		cli_chart_print(&run->latency_ns, cli_columns(STDOUT_FILENO), stdout);
}

int perf_result(perf *run)
{
	figures f = measure(run);
	uint64_t ended = f.acked + f.failed + f.unknown;
	cli_tally_say(&run->tally);
	if (ended != f.records)
		cli_error("%" PRIu64 " records were sent, %" PRIu64 " ended: a bug in this library, please report it", f.records,
		          ended);
	if (run->options->common.json)
		print_json(run, &f);
	else
		print_text(run, &f);
	if (f.failed || f.unknown != f.unacknowledged || ended != f.records || f.transactions.aborted + f.transactions.unknown)
		return CLI_FAILED;
	return cli_stop_count() ? 128 + cli_stop_signal() : CLI_OK;
}
