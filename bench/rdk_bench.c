/*
 * rdk_bench.c - librdkafka, the way a user writes a producer: rd_kafka_produce and a report callback polled in the same thread,
 * the value copied, one opaque per message. With several threads one of their own polls, as with a rate. The driver runs it on
 * Debian's library and on the newest.
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
#define THREADS_MAX 256

static const char usage[] =
	"usage: rdk_bench [OPTION]...\n"
	"  -b BROKERS  -t TOPIC   where to (127.0.0.1:9092, bench)\n"
	"  -n RECORDS  -s SIZE    how many, of how many bytes (5000000, 100)\n"
	"  -f FILE                values are the file's lines, cut or padded with spaces to SIZE, at most 1 MiB of them (random bytes)\n"
	"  -X NAME=VALUE          a property (repeatable)\n"
	"  --poll-every K         rd_kafka_poll after each K records (1000)\n"
	"  --partition P, --random PARTITIONS   to this partition (and look at the reports' order), to a random one (librdkafka chooses)\n"
	"  --threads T            so many threads send, and one more polls (1: one does both)\n"
	"  --rate R               records/s, and the distribution of the time from when a record was due to its report; reports are\n"
	"                         polled by a thread of their own, so that the pacing sleep does not hide in the figures; the first\n"
	"                         second is left out\n"
	"  --hold                 prints the number of threads and the memory when all is delivered\n";

static struct {
	const char *brokers, *topic, *file;
	uint64_t n, poll_every, rate;
	size_t size;
	int random_partitions, partition, n_threads;
	bool hold;
} opt = {.brokers = "127.0.0.1:9092",
         .topic = "bench",
         .n = 5000000,
         .poll_every = 1000,
         .size = 100,
         .partition = RD_KAFKA_PARTITION_UA,
         .n_threads = 1};

static rd_kafka_t *rk;
static rd_kafka_topic_t *topic;
static uint64_t n_delivered, n_failed, n_bad_opaque, next_opaque = 1, begin_ns;
static _Atomic uint64_t n_full;
static _Thread_local uint64_t random_state = 88172645463325252ull;
static char *pool;
static size_t n_values;
static volatile bool stop;

/* With a rate: when each record was due, by opaque, and a log-linear histogram whose buckets are 0.8 % wide. */
static uint64_t *due_at, skip_before;
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

static void take_latency(uint64_t due)
{
	if (due < skip_before)
		return;
	uint64_t d = now_ns() - due;
	hist[hist_index(d)]++;
	h_n++;
	h_sum += (double)d;
	if (d > h_max)
		h_max = d;
}

static void on_report(rd_kafka_t *client, const rd_kafka_message_t *m, void *opaque)
{
	uintptr_t id = (uintptr_t)m->_private;
	(void)client;
	(void)opaque;
	if (!m->err)
		n_delivered++;
	else if (!n_failed++)
		fprintf(stderr, "rdk_bench: the first failure: %s\n", rd_kafka_err2str(m->err));
	if (due_at)
		take_latency(due_at[id]);
	else if (opt.partition != RD_KAFKA_PARTITION_UA && id != next_opaque++)
		n_bad_opaque++;
}

static bool has_poller(void)
{
	return opt.rate || opt.n_threads > 1;
}

static void *poll_reports(void *unused)
{
	(void)unused;
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
	else if (!strcmp(a, "--threads"))
		opt.n_threads = (int)arg_number("rdk_bench: --threads", v, 1, THREADS_MAX);
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
	if (opt.n_threads > 1 && (opt.rate || opt.partition != RD_KAFKA_PARTITION_UA)) {
		fprintf(stderr, "rdk_bench: --threads goes with neither --rate nor --partition\n");
		exit(2);
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
	if (!opt.random_partitions)
		return opt.partition;
	random_state ^= random_state << 13, random_state ^= random_state >> 7, random_state ^= random_state << 17;
	return (int32_t)((random_state >> 20) % (unsigned)opt.random_partitions);
}

static void produce_one(uint64_t i)
{
	const char *value = pool + i % n_values * opt.size;
	int32_t p = choose_partition();
	while (rd_kafka_produce(topic, p, RD_KAFKA_MSG_F_COPY, (void *)value, opt.size, NULL, 0, (void *)(uintptr_t)i)) {
		if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
			fprintf(stderr, "rdk_bench: produce: %s\n", rd_kafka_err2str(rd_kafka_last_error()));
			exit(1);
		}
		n_full++;
		if (has_poller()) /* only that one counts reports */
			usleep(1000);
		else
			rd_kafka_poll(rk, 10);
	}
}

/* Records of numbers from `i` up to `end`. */
static void produce_range(uint64_t i, uint64_t end)
{
	for (; i < end; i++) {
		produce_one(i);
		if (!has_poller() && i % opt.poll_every == 0)
			rd_kafka_poll(rk, 0);
	}
}

static void produce_at_rate(uint64_t t0)
{
	for (uint64_t i = 2; i <= opt.n; i++) {
		/* When late, what is due goes in one burst, each timed from when it was due. */
		due_at[i] = t0 + (uint64_t)((double)i * 1e9 / (double)opt.rate);
		if (due_at[i] > now_ns())
			wait_until(due_at[i]);
		produce_one(i);
	}
}

static void *sender_main(void *number)
{
	uint64_t k = (uint64_t)(uintptr_t)number, n = opt.n - 1, n_threads = (uint64_t)opt.n_threads;
	random_state += k * 0x9e3779b97f4a7c15ull;
	produce_range(2 + n * k / n_threads, 2 + n * (k + 1) / n_threads);
	return NULL;
}

static void produce_in_threads(void)
{
	pthread_t senders[THREADS_MAX];
	for (int k = 0; k < opt.n_threads; k++)
		if (pthread_create(&senders[k], NULL, sender_main, (void *)(uintptr_t)k)) {
			fprintf(stderr, "rdk_bench: cannot start thread %d of %d\n", k + 1, opt.n_threads);
			exit(1);
		}
	for (int k = 0; k < opt.n_threads; k++)
		pthread_join(senders[k], NULL);
}

/* All but the first. */
static void produce_all(uint64_t t0)
{
	if (opt.rate)
		produce_at_rate(t0);
	else if (opt.n_threads > 1)
		produce_in_threads();
	else
		produce_range(2, opt.n + 1);
}

/* Until `n` reports are there. */
static void drain(uint64_t n)
{
	while (n_delivered + n_failed < n)
		if (has_poller() && n > 1)
			usleep(100);
		else
			rd_kafka_poll(rk, 100);
}

/* Connects and learns the metadata before the clock starts. */
static void open_topic(void)
{
	const struct rd_kafka_metadata *md;
	topic = rd_kafka_topic_new(rk, opt.topic, NULL);
	rd_kafka_resp_err_t err = rd_kafka_metadata(rk, 0, topic, &md, 10000);
	if (err) {
		fprintf(stderr, "rdk_bench: no metadata from %s: %s\n", opt.brokers, rd_kafka_err2str(err));
		exit(1);
	}
	rd_kafka_metadata_destroy(md);
}

static void result(uint64_t t0, uint64_t t1, double first_ms)
{
	double s = (double)(now_ns() - t0) / 1e9;
	printf("librdkafka %s records=%llu failed=%llu bad_opaque=%llu secs=%.6f rec/s=%.0f MB/s=%.2f produce_secs=%.3f full=%llu "
	       "first_ms=%.3f\n",
	       rd_kafka_version_str(), (unsigned long long)n_delivered, (unsigned long long)n_failed,
	       (unsigned long long)n_bad_opaque, s, (double)n_delivered / s, (double)n_delivered * (double)opt.size / s / 1e6,
	       (double)(t1 - t0) / 1e9, (unsigned long long)n_full, first_ms);
	if (opt.rate)
		printf("latency_us n=%llu mean=%.1f p50=%.1f p90=%.1f p99=%.1f p99.9=%.1f max=%.1f\n", (unsigned long long)h_n,
		       h_n ? h_sum / (double)h_n / 1e3 : 0, percentile_us(.5), percentile_us(.9), percentile_us(.99),
		       percentile_us(.999), (double)h_max / 1e3);
	fflush(stdout);
}

/* The first record goes before the clock starts: an idempotent librdkafka may wait half a second for its producer id. How long it was
 * from creating the producer to the report of that record. */
static double send_first(void)
{
	skip_before = UINT64_MAX;
	produce_one(1);
	drain(1);
	return (double)(now_ns() - begin_ns) / 1e6;
}

static rd_kafka_t *create(rd_kafka_conf_t *conf)
{
	char err[512];
	rd_kafka_conf_set(conf, "bootstrap.servers", opt.brokers, NULL, 0);
	rd_kafka_conf_set_dr_msg_cb(conf, on_report);
	begin_ns = now_ns();
	rd_kafka_t *made = rd_kafka_new(RD_KAFKA_PRODUCER, conf, err, sizeof(err));
	if (!made) {
		fprintf(stderr, "rdk_bench: %s\n", err);
		exit(2);
	}
	return made;
}

static void start_poller(pthread_t *poller)
{
	if (pthread_create(poller, NULL, poll_reports, NULL)) {
		fprintf(stderr, "rdk_bench: cannot start the thread that polls\n");
		exit(1);
	}
}

int main(int argc, char **argv)
{
	pthread_t poller;
	rd_kafka_conf_t *conf = parse(argc, argv);
	fill_pool();
	rk = create(conf);
	open_topic();
	if (opt.hold)
		show_process("after metadata");

	if (opt.rate)
		due_at = must(calloc(opt.n + 2, sizeof(*due_at)));
	double first_ms = send_first();
	uint64_t t0 = now_ns();
	if (opt.rate) {
		prctl(PR_SET_TIMERSLACK, 1);
		skip_before = t0 + 1000000000ull;
	}
	if (has_poller())
		start_poller(&poller);
	produce_all(t0);
	uint64_t t1 = now_ns();
	drain(opt.n);
	result(t0, t1, first_ms);
	if (opt.hold)
		show_process("all delivered");
	if (has_poller()) {
		stop = true;
		pthread_join(poller, NULL);
	}
	rd_kafka_topic_destroy(topic);
	rd_kafka_destroy(rk);
	return n_failed || n_bad_opaque;
}
