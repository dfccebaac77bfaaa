/*
 * cmd_perf.c - `kproducer perf`: how fast, at which latency. Options and the order of events.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/parse.h"
#include "cli/perf.h"
#include "cli/talk.h"

#define DEFAULT_RECORDS 1000000
#define DEFAULT_SIZE 100
#define SIZE_MAX_BYTES (1u << 30)

enum { OPTION_RATE = CLI_OPTION_LONG, OPTION_DURATION, OPTION_PAYLOAD, OPTION_THREADS, OPTION_ARRAY, OPTION_WARMUP };

static const cli_option options[] = {
	{'n', "records", "N", "how many, also as 500k or 10M (1M, without limit with --duration)"},
	{'s', "size", "BYTES", "size of a value (100)"},
	{OPTION_RATE, "rate", "R", "records a second of all threads together; 0: as fast as possible (0)"},
	{OPTION_DURATION, "duration", "SECONDS", "stop sending after this time"},
	{OPTION_WARMUP, "warmup", "SECONDS", "leave records sent before out of the latencies (0)"},
	{OPTION_PAYLOAD, "payload-file", "FILE",
         "values are the lines of FILE's first MiB in rotation,\n"
         "with -s cut or padded with spaces to that size"},
	{'k', "keys", "N", "N distinct keys of 8 bytes in rotation, at most 1M (0: none)"},
	{'p', "partition", "N", "all records to this partition"},
	{'z', "compression", "CODEC", "gzip, snappy, lz4, zstd or none (compression.type)"},
	{OPTION_THREADS, "threads", "N", "threads that send (1)"},
	{OPTION_ARRAY, "array", "N", "records per call, 1 to 1024: 1 is kp_send, more is kp_send_many (1)"},
	{0, NULL, NULL, NULL},
};

static const char details[] =
	"Values are random bytes from a pool of 1 MiB. The connection and the topic's metadata come before the clock starts; seconds\n"
	"run from the first send to the last report, CPU is the whole process's. Latency is from the send to the report: with --rate\n"
	"of every record, and from the moment at which it was due; at full speed of one record in 1,024.\n"
	"\n"
	"With --json one object: records, acked, failed, unknown, bytes (keys and values), seconds, records_per_second,\n"
	"mb_per_second, cpu_seconds, max_rss_kb, latency_us {p50, p90, p99, p999, max, timed}, retries, settings, errors.\n"
	"Exit codes as for produce.\n"
	"\n"
	"Examples:\n"
	"  kproducer perf -b localhost:9092 -t bench -n 10M\n"
	"  kproducer perf -b localhost:9092 -t bench -s 1000 --rate 50k --duration 30 --warmup 2 --json\n"
	"  kproducer perf -b localhost:9092 -t bench --payload-file app.log -z zstd --keys 1000 --threads 4\n";

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

static int take(void *state, int id, char *arg)
{
	perf_options *o = state;
	uint64_t n = 0;
	int rc = CLI_GO_ON;
	switch (id) {
	case 'n': return take_number("records", arg, 1, UINT64_MAX / 2, &o->n_records);
	case 's': return take_number("size", arg, 0, SIZE_MAX_BYTES, &o->size);
	case 'k': return take_number("keys", arg, 0, CLI_PAYLOAD_KEYS_MAX, &o->n_keys);
	case 'p':
		rc = take_number("partition", arg, 0, INT32_MAX, &n);
		o->partition = (int32_t)n;
		return rc;
	case 'z': return cli_common_set(&o->common, "compression.type", arg);
	case OPTION_RATE:
		return cli_parse_rate(arg, &o->rate) ? rc : cli_usage_error(&cli_perf, "--rate wants records/s, not '%.200s'", arg);
	case OPTION_DURATION: return take_seconds("duration", arg, &o->duration_ms);
	case OPTION_WARMUP: return take_seconds("warmup", arg, &o->warmup_ms);
	case OPTION_PAYLOAD: o->payload_file = arg; return rc;
	case OPTION_THREADS: return take_number("threads", arg, 1, PERF_THREADS_MAX, &o->n_threads);
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
	if (!o->n_records)
		o->n_records = o->duration_ms ? UINT64_MAX : DEFAULT_RECORDS;
	if (o->size == SIZE_MAX && !o->payload_file)
		o->size = DEFAULT_SIZE;
	return CLI_GO_ON;
}

static int check_topic(const perf *run)
{
	int32_t n = run->session.n_partitions, wanted = run->options->partition;
	if (!n)
		cli_say("topic %s does not exist yet: the time to create it will be part of the figures",
		        run->options->common.topic);
	if (!n || wanted < n)
		return CLI_GO_ON;
	cli_error("topic %s has %d partition%s, there is no partition %d", run->options->common.topic, n, n == 1 ? "" : "s",
	          wanted);
	return CLI_USAGE;
}

static int run_session(perf *run)
{
	int rc = cli_session_open(&run->session, &run->options->common, perf_on_reports, run);
	if (rc == CLI_GO_ON)
		rc = cli_session_connect(&run->session);
	if (rc == CLI_GO_ON)
		rc = check_topic(run);
	if (rc != CLI_GO_ON)
		return rc;
	rc = perf_send(run);
	cli_session_finish(&run->session, perf_progress, run);
	cli_progress_clear();
	return rc == CLI_GO_ON ? perf_result(run) : rc;
}

static int perf_run(const perf_options *o)
{
	perf *run = calloc(1, sizeof(*run));
	if (!run) {
		cli_error("out of memory");
		return CLI_FAILED;
	}
	run->options = o;
	run->done_fd = -1;
	cli_tally_init(&run->tally);
	cli_histogram_init(&run->latency_ns);
	int rc = cli_payload_init(&run->payload, o->payload_file, (size_t)o->size, (size_t)o->n_keys);
	if (rc == CLI_GO_ON) {
		rc = run_session(run);
		cli_session_close(&run->session);
	}
	cli_payload_deinit(&run->payload);
	free(run->senders);
	if (run->done_fd >= 0)
		close(run->done_fd);
	free(run);
	return rc;
}

static int run_command(const cli_command *self, int argc, char **argv)
{
	perf_options o = {.size = SIZE_MAX, .n_threads = 1, .array = 1, .partition = KP_PARTITION_ANY};
	int rc = cli_options_parse(self, argc, argv, &o.common, take, &o);
	if (rc == CLI_GO_ON)
		rc = check(&o, argc - optind);
	if (rc == CLI_GO_ON)
		rc = perf_run(&o);
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
