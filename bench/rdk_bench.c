/*
 * rdk_bench.c - librdkafka, the way a user writes a producer: rd_kafka_produce and a report callback polled in the same thread,
 * the value copied, one opaque per message. The driver runs it on Debian's library and on the newest.
 */
#define _GNU_SOURCE
#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "args.h"

#define POOL (1u << 20)

static const char usage[] =
	"usage: rdk_bench [OPTION]...\n"
	"  -b BROKERS  -t TOPIC   where to (127.0.0.1:9092, bench)\n"
	"  -n RECORDS  -s SIZE    how many, of how many bytes (5000000, 100)\n"
	"  -f FILE                values are the file's lines, cut or padded with spaces to SIZE, at most 1 MiB of them (random bytes)\n"
	"  -X NAME=VALUE          a property (repeatable)\n"
	"  --poll-every K         rd_kafka_poll after each K records (1000)\n"
	"  --partition P, --random PARTITIONS   to this partition (and look at the reports' order), to a random one (librdkafka chooses)\n"
	"  --rate R               records/s, and the distribution of produce() to report; reports are then polled by a thread of their\n"
	"                         own, so that the pacing sleep does not hide in the figures; the first second is left out\n"
	"  --hold                 prints the number of threads and the memory when all is delivered\n";

static struct {
	const char *brokers, *topic, *file;
	uint64_t n, poll_every, rate;
	size_t size;
	int random_partitions, partition;
	bool hold;
} opt = {.brokers = "127.0.0.1:9092",
         .topic = "bench",
         .n = 5000000,
         .poll_every = 1000,
         .size = 100,
         .partition = RD_KAFKA_PARTITION_UA};

static uint64_t n_delivered, n_failed, n_bad_opaque, next_opaque = 1, n_full;
static char *pool;
static size_t n_values;
static volatile bool stop;

/* With a rate: when each record was sent, by opaque, and a log-linear histogram whose buckets are 0.8 % wide. */
static uint64_t *sent_at, skip_before;
static uint64_t hist[64 * 128], h_n, h_max;
static double h_sum;

static uint64_t now_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ull + (uint64_t)ts.tv_nsec;
}

static unsigned hist_index(uint64_t v)
{
	if (v < 128)
		return (unsigned)v;
	int e = 63 - __builtin_clzll(v);
	return (unsigned)((e - 6) * 128) + (unsigned)((v >> (e - 7)) & 127);
}

static double hist_value(unsigned i)
{
	if (i < 128)
		return i;
	int e = (int)(i / 128) + 6;
	return ((double)(128 + i % 128) + 0.5) * (double)(1ull << (e - 7));
}

static double percentile_us(double q)
{
	uint64_t want = (uint64_t)(q * (double)h_n + 0.5), c = 0;
	for (unsigned i = 0; i < 64 * 128; i++)
		if ((c += hist[i]) >= want && c)
			return hist_value(i) / 1e3;
	return 0;
}

static void take_latency(uint64_t sent)
{
	if (sent < skip_before)
		return;
	uint64_t d = now_ns() - sent;
	hist[hist_index(d)]++;
	h_n++;
	h_sum += (double)d;
	if (d > h_max)
		h_max = d;
}

static void on_report(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
	uintptr_t id = (uintptr_t)m->_private;
	(void)rk;
	(void)opaque;
	if (!m->err)
		n_delivered++;
	else if (!n_failed++)
		fprintf(stderr, "rdk_bench: the first failure: %s\n", rd_kafka_err2str(m->err));
	if (sent_at)
		take_latency(sent_at[id]);
	else if (opt.partition != RD_KAFKA_PARTITION_UA && id != next_opaque++)
		n_bad_opaque++;
}

static void *poll_reports(void *rk)
{
	while (!stop)
		rd_kafka_poll(rk, 100);
	return NULL;
}

static void show_process(const char *what)
{
	char l[256];
	FILE *f = fopen("/proc/self/status", "r");
	printf("%s:", what);
	while (f && fgets(l, sizeof(l), f))
		if (!strncmp(l, "VmRSS", 5) || !strncmp(l, "Threads", 7) || !strncmp(l, "VmHWM", 5)) {
			l[strcspn(l, "\n")] = 0;
			printf(" %s", l);
		}
	printf("\n");
	fflush(stdout);
	if (f)
		fclose(f);
}

/* -------------------------------------------------------------- options */

static void set(rd_kafka_conf_t *conf, const char *assignment)
{
	char name[256], err[512];
	const char *eq = strchr(assignment, '=');
	if (!eq) {
		fprintf(stderr, "rdk_bench: -X wants NAME=VALUE, not '%s'\n", assignment);
		exit(2);
	}
	snprintf(name, sizeof(name), "%.*s", (int)(eq - assignment), assignment);
	if (rd_kafka_conf_set(conf, name, eq + 1, err, sizeof(err))) {
		fprintf(stderr, "rdk_bench: %s\n", err);
		exit(2);
	}
}

static void parse_value(rd_kafka_conf_t *conf, const char *a, const char *v)
{
	if (!strcmp(a, "-b"))
		opt.brokers = v;
	else if (!strcmp(a, "-t"))
		opt.topic = v;
	else if (!strcmp(a, "-n"))
		opt.n = (uint64_t)arg_number("rdk_bench: -n", v, 1, INT64_MAX);
	else if (!strcmp(a, "-s"))
		opt.size = (size_t)arg_number("rdk_bench: -s", v, 1, POOL);
	else if (!strcmp(a, "-f"))
		opt.file = v;
	else if (!strcmp(a, "-X"))
		set(conf, v);
	else if (!strcmp(a, "--poll-every"))
		opt.poll_every = (uint64_t)arg_number("rdk_bench: --poll-every", v, 1, INT64_MAX);
	else if (!strcmp(a, "--partition"))
		opt.partition = (int)arg_number("rdk_bench: --partition", v, 0, INT32_MAX);
	else if (!strcmp(a, "--random"))
		opt.random_partitions = (int)arg_number("rdk_bench: --random", v, 1, INT32_MAX);
	else if (!strcmp(a, "--rate"))
		opt.rate = (uint64_t)arg_number("rdk_bench: --rate", v, 1, 1000000000);
	else {
		fprintf(stderr, "rdk_bench: what is '%s'?\n%s", a, usage);
		exit(2);
	}
}

static rd_kafka_conf_t *parse(int argc, char **argv)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--hold")) {
			opt.hold = true;
			continue;
		}
		if (i + 1 == argc) {
			fprintf(stderr, "rdk_bench: what is '%s', or its value?\n%s", argv[i], usage);
			exit(2);
		}
		parse_value(conf, argv[i], argv[i + 1]);
		i++;
	}
	return conf;
}

static void fill_pool(void)
{
	pool = must(malloc(POOL));
	if (!opt.file) {
		n_values = POOL / opt.size;
		for (size_t i = 0; i < POOL; i++)
			pool[i] = (char)(random() >> 8);
		return;
	}
	FILE *f = fopen(opt.file, "r");
	char *line = NULL;
	size_t room = 0;
	if (!f) {
		fprintf(stderr, "rdk_bench: %s: %s\n", opt.file, strerror(errno));
		exit(2);
	}
	memset(pool, ' ', POOL);
	for (ssize_t n; (n = getline(&line, &room, f)) > 0 && (n_values + 1) * opt.size <= POOL; n_values++) {
		size_t len = (size_t)n - (line[n - 1] == '\n');
		memcpy(pool + n_values * opt.size, line, len < opt.size ? len : opt.size);
	}
	free(line);
	fclose(f);
	if (!n_values) {
		fprintf(stderr, "rdk_bench: %s has no line\n", opt.file);
		exit(2);
	}
}

/* -------------------------------------------------------------- sending */

static void wait_until(uint64_t due_ns)
{
	struct timespec ts = {(time_t)(due_ns / 1000000000), (long)(due_ns % 1000000000)};
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

static inline int32_t choose_partition(void)
{
	static uint64_t seed = 88172645463325252ull;
	if (!opt.random_partitions)
		return opt.partition;
	seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
	return (int32_t)((seed >> 20) % (unsigned)opt.random_partitions);
}

static void produce_one(rd_kafka_t *rk, rd_kafka_topic_t *topic, uint64_t i)
{
	const char *value = pool + i % n_values * opt.size;
	int32_t p = choose_partition();
	while (rd_kafka_produce(topic, p, RD_KAFKA_MSG_F_COPY, (void *)value, opt.size, NULL, 0, (void *)(uintptr_t)i)) {
		if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
			fprintf(stderr, "rdk_bench: produce: %s\n", rd_kafka_err2str(rd_kafka_last_error()));
			exit(1);
		}
		n_full++;
		rd_kafka_poll(rk, 10);
	}
}

/* All but the first. */
static void produce_all(rd_kafka_t *rk, rd_kafka_topic_t *topic, uint64_t t0)
{
	for (uint64_t i = 2; i <= opt.n; i++) {
		if (opt.rate) {
			wait_until(t0 + (uint64_t)((double)i * 1e9 / (double)opt.rate));
			sent_at[i] = now_ns();
		}
		produce_one(rk, topic, i);
		if (!opt.rate && i % opt.poll_every == 0)
			rd_kafka_poll(rk, 0);
	}
}

/* Until `n` reports are there. */
static void drain(rd_kafka_t *rk, uint64_t n)
{
	while (n_delivered + n_failed < n)
		if (opt.rate && n > 1)
			usleep(1000);
		else
			rd_kafka_poll(rk, 100);
}

/* Connects and learns the metadata before the clock starts. */
static rd_kafka_topic_t *open_topic(rd_kafka_t *rk)
{
	const struct rd_kafka_metadata *md;
	rd_kafka_topic_t *topic = rd_kafka_topic_new(rk, opt.topic, NULL);
	rd_kafka_resp_err_t err = rd_kafka_metadata(rk, 0, topic, &md, 10000);
	if (err) {
		fprintf(stderr, "rdk_bench: no metadata from %s: %s\n", opt.brokers, rd_kafka_err2str(err));
		exit(1);
	}
	rd_kafka_metadata_destroy(md);
	return topic;
}

static void result(uint64_t t0, uint64_t t1)
{
	double s = (double)(now_ns() - t0) / 1e9;
	printf("librdkafka %s records=%llu failed=%llu bad_opaque=%llu secs=%.6f rec/s=%.0f MB/s=%.2f produce_secs=%.3f full=%llu\n",
	       rd_kafka_version_str(), (unsigned long long)n_delivered, (unsigned long long)n_failed,
	       (unsigned long long)n_bad_opaque, s, (double)n_delivered / s, (double)n_delivered * (double)opt.size / s / 1e6,
	       (double)(t1 - t0) / 1e9, (unsigned long long)n_full);
	if (opt.rate)
		printf("latency_us n=%llu mean=%.1f p50=%.1f p90=%.1f p99=%.1f p99.9=%.1f max=%.1f\n", (unsigned long long)h_n,
		       h_sum / (double)h_n / 1e3, percentile_us(.5), percentile_us(.9), percentile_us(.99), percentile_us(.999),
		       (double)h_max / 1e3);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	char err[512];
	pthread_t poller;
	rd_kafka_conf_t *conf = parse(argc, argv);
	rd_kafka_conf_set(conf, "bootstrap.servers", opt.brokers, NULL, 0);
	rd_kafka_conf_set_dr_msg_cb(conf, on_report);
	fill_pool();
	rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, err, sizeof(err));
	if (!rk) {
		fprintf(stderr, "rdk_bench: %s\n", err);
		return 2;
	}
	rd_kafka_topic_t *topic = open_topic(rk);
	if (opt.hold)
		show_process("after metadata");

	if (opt.rate)
		sent_at = must(calloc(opt.n + 2, sizeof(*sent_at)));
	/* The first record goes before the clock starts: an idempotent librdkafka may wait half a second for its producer id. */
	skip_before = UINT64_MAX;
	produce_one(rk, topic, 1);
	drain(rk, 1);

	uint64_t t0 = now_ns();
	if (opt.rate) {
		prctl(PR_SET_TIMERSLACK, 1);
		skip_before = t0 + 1000000000ull;
		pthread_create(&poller, NULL, poll_reports, rk);
	}
	produce_all(rk, topic, t0);
	uint64_t t1 = now_ns();
	drain(rk, opt.n);
	result(t0, t1);
	if (opt.hold)
		show_process("all delivered");
	if (opt.rate) {
		stop = true;
		pthread_join(poller, NULL);
	}
	rd_kafka_topic_destroy(topic);
	rd_kafka_destroy(rk);
	return n_failed || n_bad_opaque;
}
