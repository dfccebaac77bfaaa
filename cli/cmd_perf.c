/*
 * cmd_perf.c - `kproducer perf`: how fast, at which latency. Options.
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cli/parse.h"
#include "cli/perf.h"
#include "cli/talk.h"

#define DEFAULT_RECORDS 1000000
#define DEFAULT_SIZE 100
#define SIZE_MAX_BYTES (1u << 30)

enum {
	OPTION_RATE = CLI_OPTION_LONG,
	OPTION_DURATION,
	OPTION_PAYLOAD,
	OPTION_PAYLOAD_DELIMITER,
	OPTION_RANDOM_KEYS,
	OPTION_THREADS,
	OPTION_PRODUCERS,
	OPTION_RUNTIMES,
	OPTION_ARRAY,
	OPTION_TRANSACTIONAL_ID,
	OPTION_RECORDS_PER_TRANSACTION,
	OPTION_WARMUP,
	OPTION_PROGRESS_INTERVAL,
	OPTION_HISTOGRAM
};

static const cli_option options[] = {
	{'n', "records", "N", "how many, also as 500k or 10M (1M, without limit with --duration)"},
	{'s', "size", "BYTES", "size of a value (100)"},
	{OPTION_RATE, "rate", "R", "records a second of all threads together; 0: as fast as possible (0)"},
	{OPTION_DURATION, "duration", "SECONDS", "stop sending after this time"},
	{OPTION_WARMUP, "warmup", "SECONDS", "leave records sent before out of the latencies (0)"},
	{OPTION_PAYLOAD, "payload-file", "FILE",
         "values are the lines of FILE's first MiB in rotation, with -s cut or padded with spaces to that size"},
	{OPTION_PAYLOAD_DELIMITER, "payload-delimiter", "DELIM",
         "what ends a line of the payload file, with \\n, \\t, \\0, \\xHH and the like as escapes (\\n)"},
	{'k', "keys", "N", "N distinct keys of 8 bytes in rotation, at most 1M (0: none)"},
	{OPTION_RANDOM_KEYS, "random-keys", NULL, "draw the keys at random instead"},
	{'H', "header", "NAME[=VALUE]", "a header for every record, without '=' with a null value; may be repeated"},
	{'p', "partition", "N", "all records to this partition; random: one of the topic's, drawn for each record"},
	{'z', "compression", "CODEC", "gzip, snappy, lz4, zstd or none (compression.type)"},
	{OPTION_THREADS, "threads", "N", "threads that send, which take the producers in turn (one a producer)"},
	{OPTION_PRODUCERS, "producers", "N", "producers, each with buffers and connections of its own (1)"},
	{OPTION_RUNTIMES, "runtimes", "N", "threads that serve the producers' connections, which take the producers in turn (1)"},
	{OPTION_ARRAY, "array", "N", "records per call, 1 to 1024: 1 is kp_send, more is kp_send_many (1)"},
	{OPTION_TRANSACTIONAL_ID, "transactional-id", "ID",
         "send in transactions, one behind the other; of several producers each has ID-1, ID-2 and so on (transactional.id)"},
	{OPTION_RECORDS_PER_TRANSACTION, "records-per-transaction", "N",
         "with --transactional-id: commit after each N records (1000)"},
	{OPTION_PROGRESS_INTERVAL, "progress-interval", "SECONDS",
         "a line on standard error this often, also when that is no terminal"},
	{OPTION_HISTOGRAM, "histogram", NULL, "the latencies' distribution too"},
	{0, NULL, NULL, NULL},
};

static const char details[] =
	"Values are random bytes from a pool of 1 MiB. The connection and the topic's metadata come before the clock starts; seconds\n"
	"run from the first send to the last report, CPU is the whole process's. Latency is from the send to the report: with --rate\n"
	"of every record, and from the moment at which it was due; at full speed of one record in 1,024.\n"
	"\n"
	"With --transactional-id every --records-per-transaction records are committed, and the next transaction begins behind the commit, of\n"
	"which the time is taken: of the whole call, which first sends what has gathered. A record that fails has its transaction aborted; the\n"
	"exit code is then 1. At the end of --duration, and when stopped, what is open is committed. A thread needs a producer of its own.\n"
	"\n"
	"While it runs, a line on a terminal shows the last second: records and bytes delivered, records in flight, latencies.\n"
	"\n"
	"With --json one object: records, acked, failed, unknown, bytes (keys, values and headers), seconds, records_per_second,\n"
	"mb_per_second, cpu_seconds, max_rss_kb, latency_us {p50, p90, p95, p99, p999, max, timed}, threads\n"
	"{slowest_records_per_second, mean_records_per_second}, retries, settings, errors; with --histogram also histogram_us, an array of\n"
	"{from, to, count}; with --transactional-id also transactions {records_per_transaction, committed, aborted, unknown, committed_records,\n"
	"commits_per_second, commit_latency_us {as latency_us}}.\n"
	"\n"
	"Examples:\n"
	"  kproducer perf -b localhost:9092 -t bench -n 10M\n"
	"  kproducer perf -b localhost:9092 -t bench -s 1000 --rate 50k --duration 30 --warmup 2 --histogram\n"
	"  kproducer perf -b localhost:9092 -t bench --payload-file app.log -z zstd --keys 1000 --random-keys --threads 4\n"
	"  kproducer perf -b localhost:9092 -t bench --transactional-id bench --records-per-transaction 100\n"
	"  kproducer perf -b localhost:9092 -t bench --duration 3600 --producers 8 --runtimes 2 --progress-interval 10 --json\n";

static int take_number(const char *name, const char *arg, uint64_t min, uint64_t max, uint64_t *out)
{
	if (!cli_parse_count(arg, min, max, out))
		return cli_usage_error(&cli_perf, "--%s wants a number from %llu to %llu, not '%.200s'", name,
		                       (unsigned long long)min, (unsigned long long)max, arg);
	return CLI_GO_ON;
}

static int take_seconds(const char *name, const char *arg, int64_t *out_ms)
{
	if (!cli_parse_duration_ms(arg, INT64_C(31536000000), out_ms))
		return cli_usage_error(&cli_perf, "--%s wants seconds, not '%.200s'", name, arg);
	return CLI_GO_ON;
}

static int take_delimiter(perf_options *o, char *arg)
{
	o->payload_delimiter = arg;
	if (!cli_parse_escapes(arg, &o->payload_delimiter_len) || !o->payload_delimiter_len)
		return cli_usage_error(&cli_perf,
		                       "--payload-delimiter wants at least one character, with \\n, \\t, \\0, \\xHH and the "
		                       "like as escapes");
	return CLI_GO_ON;
}

static int take_interval(const char *arg, int64_t *out_ms)
{
	int rc = take_seconds("progress-interval", arg, out_ms);
	return rc == CLI_GO_ON && !*out_ms ? cli_usage_error(&cli_perf, "--progress-interval wants more than 0 seconds") : rc;
}

static int take_rate(const char *arg, double *out)
{
	return cli_parse_rate(arg, out)
	               ? CLI_GO_ON
	               : cli_usage_error(&cli_perf, "--rate wants records per second, from 0.000001 to 1G or 0, not '%.200s'", arg);
}

static int take_partition(perf_options *o, const char *arg)
{
	o->has_random_partition = !strcmp(arg, "random");
	o->partition = KP_PARTITION_ANY;
	return o->has_random_partition ? CLI_GO_ON : cli_partition_take(&o->partition, &cli_perf, arg);
}

static int take_transactional_id(perf_options *o, const char *arg)
{
	o->transactional_id = arg;
	return *arg ? CLI_GO_ON : cli_usage_error(&cli_perf, "--transactional-id wants an id that no other producer has");
}

static int take(void *state, int id, char *arg)
{
	perf_options *o = state;
	switch (id) {
	case 'n': return take_number("records", arg, 1, UINT64_MAX / 2, &o->n_records);
	case 's': return take_number("size", arg, 0, SIZE_MAX_BYTES, &o->size);
	case 'k': return take_number("keys", arg, 0, CLI_PAYLOAD_KEYS_MAX, &o->n_keys);
	case 'H': return cli_headers_take(&o->headers, &cli_perf, arg);
	case 'p': return take_partition(o, arg);
	case 'z': return cli_common_set(&o->common, "compression.type", arg);
	case OPTION_RATE: return take_rate(arg, &o->rate);
	case OPTION_DURATION: return take_seconds("duration", arg, &o->duration_ms);
	case OPTION_WARMUP: return take_seconds("warmup", arg, &o->warmup_ms);
	case OPTION_PAYLOAD: o->payload_file = arg; return CLI_GO_ON;
	case OPTION_PAYLOAD_DELIMITER: return take_delimiter(o, arg);
	case OPTION_RANDOM_KEYS: o->has_random_keys = true; return CLI_GO_ON;
	case OPTION_THREADS: return take_number("threads", arg, 1, PERF_THREADS_MAX, &o->n_threads);
	case OPTION_PRODUCERS: return take_number("producers", arg, 1, PERF_PRODUCERS_MAX, &o->n_producers);
	case OPTION_RUNTIMES: return take_number("runtimes", arg, 1, PERF_PRODUCERS_MAX, &o->n_runtimes);
	case OPTION_PROGRESS_INTERVAL: return take_interval(arg, &o->progress_interval_ms);
	case OPTION_TRANSACTIONAL_ID: return take_transactional_id(o, arg);
	case OPTION_RECORDS_PER_TRANSACTION:
		return take_number("records-per-transaction", arg, 1, UINT64_MAX / 2, &o->records_per_transaction);
	case OPTION_HISTOGRAM: o->wants_histogram = true; return CLI_GO_ON;
	default: return take_number("array", arg, 1, PERF_SAMPLE_EVERY, &o->array);
	}
}

static int check(perf_options *o, int n_operands)
{
	if (n_operands)
		return cli_usage_error(&cli_perf, "takes no operands");
	if (!o->common.topic)
		return cli_usage_error(&cli_perf, "no topic: give -t TOPIC");
	if (o->array > 1 && o->rate > 0)
		return cli_usage_error(&cli_perf, "--array and --rate contradict each other: a rate paces single records");
	if (o->payload_delimiter && !o->payload_file)
		return cli_usage_error(&cli_perf, "--payload-delimiter needs --payload-file FILE");
	if (o->has_random_keys && !o->n_keys)
		return cli_usage_error(&cli_perf, "--random-keys needs --keys N: how many there are to draw from");
	if (!o->n_threads)
		o->n_threads = o->n_producers;
	if (o->n_threads < o->n_producers)
		return cli_usage_error(&cli_perf, "%llu producers need as many --threads, not %llu",
		                       (unsigned long long)o->n_producers, (unsigned long long)o->n_threads);
	if (o->n_runtimes > o->n_producers)
		return cli_usage_error(&cli_perf, "%llu runtimes need as many --producers, not %llu",
		                       (unsigned long long)o->n_runtimes, (unsigned long long)o->n_producers);
	if (!o->n_records)
		o->n_records = o->duration_ms ? UINT64_MAX : DEFAULT_RECORDS;
	if (o->size == SIZE_MAX && !o->payload_file)
		o->size = DEFAULT_SIZE;
	return CLI_GO_ON;
}

static int run_command(const cli_command *self, int argc, char **argv)
{
	perf_options o = {.size = SIZE_MAX, .n_producers = 1, .n_runtimes = 1, .array = 1, .partition = KP_PARTITION_ANY};
	int rc = cli_options_parse(self, argc, argv, &o.common, take, &o);
	if (rc == CLI_GO_ON)
		rc = check(&o, argc - optind);
	if (rc == CLI_GO_ON)
		rc = perf_run(&o);
	cli_headers_deinit(&o.headers);
	cli_common_deinit(&o.common);
	return rc;
}

const cli_command cli_perf = {
	.name = "perf",
	.summary = "Measure throughput and latency of sending to a topic.",
	.usage = "-b HOST:PORT[,...] -t TOPIC [OPTION]...",
	.options = options,
	.common = "btXFcfjqvh",
	.details = details,
	.run = run_command,
};
