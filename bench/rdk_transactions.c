/*
 * rdk_transactions.c - transactions of librdkafka, one behind the other in one thread: rd_kafka_produce, a report callback that the
 * commit serves, the value copied. How long each commit took is timed: the call, which first sends what has gathered.
 */
#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "args.h"

#define POOL (1u << 20)
#define CALL_MS 30000

static const char usage[] =
	"usage: rdk_transactions [OPTION]...\n"
	"  -b BROKERS  -t TOPIC   where to (127.0.0.1:9092, bench)\n"
	"  -n RECORDS  -f FILE    how many; values are the file's lines, of its first MiB, in rotation (1000000; a line of 100 bytes)\n"
	"  -X NAME=VALUE          a property (repeatable); transactional.id is one\n"
	"  --size N               records of a transaction (100)\n"
	"  --random PARTITIONS    a partition is drawn for each record (librdkafka chooses)\n"
	"  --poll-every K         rd_kafka_poll after each K records (1000)\n"
	"  --warmup SECONDS       of transactions before the clock starts, up to half of the records (0)\n";

static struct {
	const char *brokers, *topic, *file;
	uint64_t n, size, poll_every, warmup_s;
	uint32_t n_partitions;
} opt = {.brokers = "127.0.0.1:9092", .topic = "bench", .n = 1000000, .size = 100, .poll_every = 1000};

static rd_kafka_t *rk;
static rd_kafka_topic_t *topic;
static uint64_t n_delivered, n_failed, n_sent;
static char pool[POOL];
static struct value {
	const char *bytes;
	size_t len;
} values[POOL];
static size_t n_values;
static uint64_t *commits_ns; /* of each timed transaction */
static size_t n_commits;

static uint64_t now_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ull + (uint64_t)ts.tv_nsec;
}

static void on_report(rd_kafka_t *client, const rd_kafka_message_t *m, void *opaque)
{
	(void)client;
	(void)opaque;
	if (!m->err)
		n_delivered++;
	else if (!n_failed++)
		fprintf(stderr, "rdk_transactions: the first failure: %s\n", rd_kafka_err2str(m->err));
}

/* -------------------------------------------------------------- options */

static void set(rd_kafka_conf_t *conf, const char *assignment)
{
	char name[256], err[512] = "it wants NAME=VALUE";
	const char *eq = strchr(assignment, '=');
	snprintf(name, sizeof(name), "%.*s", eq ? (int)(eq - assignment) : 0, assignment);
	if (!eq || rd_kafka_conf_set(conf, name, eq + 1, err, sizeof(err))) {
		fprintf(stderr, "rdk_transactions: -X %s: %s\n", assignment, err);
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
		opt.n = (uint64_t)arg_number("rdk_transactions: -n", v, 1, INT64_MAX);
	else if (!strcmp(a, "-f"))
		opt.file = v;
	else if (!strcmp(a, "-X"))
		set(conf, v);
	else if (!strcmp(a, "--size"))
		opt.size = (uint64_t)arg_number("rdk_transactions: --size", v, 1, INT64_MAX);
	else if (!strcmp(a, "--random"))
		opt.n_partitions = (uint32_t)arg_number("rdk_transactions: --random", v, 1, INT32_MAX);
	else if (!strcmp(a, "--poll-every"))
		opt.poll_every = (uint64_t)arg_number("rdk_transactions: --poll-every", v, 1, INT64_MAX);
	else if (!strcmp(a, "--warmup"))
		opt.warmup_s = (uint64_t)arg_number("rdk_transactions: --warmup", v, 0, 3600);
	else {
		fprintf(stderr, "rdk_transactions: what is '%s'?\n%s", a, usage);
		exit(2);
	}
}

static rd_kafka_conf_t *parse(int argc, char **argv)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	for (int i = 1; i < argc; i += 2) {
		if (i + 1 == argc) {
			fprintf(stderr, "rdk_transactions: what is '%s', or its value?\n%s", argv[i], usage);
			exit(2);
		}
		parse_value(conf, argv[i], argv[i + 1]);
	}
	return conf;
}

static void read_values(void)
{
	FILE *f = opt.file ? fopen(opt.file, "r") : NULL;
	size_t len = sizeof(pool);
	if (opt.file && !f) {
		fprintf(stderr, "rdk_transactions: %s: %s\n", opt.file, strerror(errno));
		exit(2);
	}
	memset(pool, 'x', sizeof(pool));
	pool[100] = '\n';
	if (f) {
		len = fread(pool, 1, sizeof(pool), f);
		fclose(f);
	}
	for (char *at = pool, *end; (end = memchr(at, '\n', (size_t)(pool + len - at))); at = end + 1)
		values[n_values++] = (struct value){at, (size_t)(end - at)};
	if (!n_values) {
		fprintf(stderr, "rdk_transactions: %s has no whole line in its first MiB\n", opt.file);
		exit(2);
	}
}

/* -------------------------------------------------------------- transactions */

static void check(const char *call, rd_kafka_error_t *error)
{
	if (!error)
		return;
	fprintf(stderr, "rdk_transactions: %s: %s\n", call, rd_kafka_error_string(error));
	exit(1);
}

static int32_t choose_partition(void)
{
	static uint64_t state = 88172645463325252ull;
	if (!opt.n_partitions)
		return RD_KAFKA_PARTITION_UA;
	state ^= state << 13, state ^= state >> 7, state ^= state << 17;
	return (int32_t)((state >> 20) % opt.n_partitions);
}

static void produce_one(void)
{
	const struct value *v = &values[n_sent % n_values];
	int32_t partition = choose_partition();
	while (rd_kafka_produce(topic, partition, RD_KAFKA_MSG_F_COPY, (void *)v->bytes, v->len, NULL, 0, NULL)) {
		if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
			fprintf(stderr, "rdk_transactions: produce: %s\n", rd_kafka_err2str(rd_kafka_last_error()));
			exit(1);
		}
		rd_kafka_poll(rk, 10);
	}
	if (++n_sent % opt.poll_every == 0)
		rd_kafka_poll(rk, 0);
}

/* One of at most so many records; what its commit took. */
static uint64_t transaction(uint64_t most)
{
	check("begin", rd_kafka_begin_transaction(rk));
	for (uint64_t n = opt.size < most ? opt.size : most; n; n--)
		produce_one();
	uint64_t begin = now_ns();
	check("commit", rd_kafka_commit_transaction(rk, CALL_MS));
	return now_ns() - begin;
}

static void warm_up(void)
{
	uint64_t end = now_ns() + opt.warmup_s * 1000000000ull, most = opt.n / 2;
	while (n_sent < most && now_ns() < end)
		transaction(most - n_sent);
}

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

static double percentile_us(double q)
{
	size_t at = (size_t)(q * (double)n_commits + 0.5);
	return (double)commits_ns[at < n_commits ? at : n_commits - 1] / 1e3;
}

static void print_result(uint64_t n_timed, double seconds)
{
	double sum = 0;
	for (size_t i = 0; i < n_commits; i++)
		sum += (double)commits_ns[i];
	qsort(commits_ns, n_commits, sizeof(*commits_ns), by_size);
	printf("librdkafka %s records=%llu failed=%llu timed=%llu transactions=%zu secs=%.6f\n", rd_kafka_version_str(),
	       (unsigned long long)n_delivered, (unsigned long long)n_failed, (unsigned long long)n_timed, n_commits, seconds);
	printf("latency_us n=%zu mean=%.1f p50=%.1f p90=%.1f p99=%.1f p99.9=%.1f max=%.1f\n", n_commits,
	       sum / (double)n_commits / 1e3, percentile_us(.5), percentile_us(.9), percentile_us(.99), percentile_us(.999),
	       percentile_us(1));
}

static void measure(void)
{
	uint64_t before = n_sent, begin = now_ns();
	commits_ns = must(calloc((opt.n - before) / opt.size + 2, sizeof(*commits_ns)));
	while (n_sent < opt.n)
		commits_ns[n_commits++] = transaction(opt.n - n_sent);
	double seconds = (double)(now_ns() - begin) / 1e9;
	rd_kafka_flush(rk, CALL_MS); /* the last reports */
	print_result(opt.n - before, seconds);
}

int main(int argc, char **argv)
{
	char err[512];
	rd_kafka_conf_t *conf = parse(argc, argv);
	read_values();
	rd_kafka_conf_set(conf, "bootstrap.servers", opt.brokers, NULL, 0);
	rd_kafka_conf_set_dr_msg_cb(conf, on_report);
	rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, err, sizeof(err));
	if (!rk) {
		fprintf(stderr, "rdk_transactions: %s\n", err);
		return 2;
	}
	topic = rd_kafka_topic_new(rk, opt.topic, NULL);
	check("init", rd_kafka_init_transactions(rk, CALL_MS));
	warm_up();
	measure();
	rd_kafka_topic_destroy(topic);
	rd_kafka_destroy(rk);
	free(commits_ns);
	return n_failed != 0;
}
