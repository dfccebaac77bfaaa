/*
 * rdk_bench.c - librdkafka producer benchmark, written the way a user writes
 * a producer: rd_kafka_produce + delivery report callback polled in the same
 * thread, payload copied, one opaque per message.
 *
 *   rdk_bench [-b BROKERS] [-t TOPIC] [-n RECORDS] [-s SIZE] [-f PAYLOADS]
 *             [-X name=value]... [--poll-every K] [--random PARTITIONS]
 *             [--partition P] [--rate R] [--hold]
 *
 * PAYLOADS is a file of newline-separated values (each used up to SIZE bytes).
 * --rate R  paces the producer at R records/s and prints the distribution of
 *           produce() -> delivery report (log-linear histogram, 0.8 % wide
 *           buckets); delivery reports are then polled by a second thread so
 *           that the pacing sleep does not hide in the figure.  The first
 *           second is left out.
 * --random  sprays records with an explicit random partition.
 * --hold    prints thread count and RSS when all is delivered.
 *
 * Built by bench/run.
 */
#define _GNU_SOURCE
#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static uint64_t delivered, failed, bad_opaque, next_opaque = 1;
static int ordered_check;
static volatile int stop;
static uint64_t *sent_at; /* rate mode: ns, by opaque */
static uint64_t skip_before;
static uint64_t hist[64 * 128];
static uint64_t h_n, h_max;
static double h_sum;

static uint64_t now_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}
static unsigned h_idx(uint64_t v)
{
	if (v < 128)
		return (unsigned)v;
	int e = 63 - __builtin_clzll(v);
	return (unsigned)((e - 6) * 128 + ((v >> (e - 7)) & 127));
}
static double h_val(unsigned i)
{
	if (i < 128)
		return i;
	int e = (int)(i / 128) + 6;
	return ((double)(128 + i % 128) + 0.5) * (double)(1ull << (e - 7));
}
static double pct(double q)
{
	uint64_t want = (uint64_t)(q * (double)h_n + 0.5), c = 0;
	for (unsigned i = 0; i < 64 * 128; i++)
		if ((c += hist[i]) >= want && c)
			return h_val(i);
	return 0;
}

static void dr_cb(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
	(void)rk;
	(void)opaque;
	uintptr_t id = (uintptr_t)m->_private;
	if (m->err) {
		if (!failed++)
			fprintf(stderr, "delivery failed: %s\n", rd_kafka_err2str(m->err));
	} else
		delivered++;
	if (sent_at) {
		uint64_t s = sent_at[id];
		if (s >= skip_before) {
			uint64_t d = now_ns() - s;
			hist[h_idx(d)]++;
			h_n++;
			h_sum += (double)d;
			if (d > h_max)
				h_max = d;
		}
	} else if (ordered_check && id != next_opaque++)
		bad_opaque++;
}

static void *poller(void *a)
{
	while (!stop)
		rd_kafka_poll(a, 100);
	return NULL;
}
static void show_proc(const char *what)
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
static double cpu(void)
{
	struct rusage ru;
	getrusage(RUSAGE_SELF, &ru);
	return ru.ru_utime.tv_sec + ru.ru_stime.tv_sec + (ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1e6;
}

int main(int argc, char **argv)
{
	const char *brokers = "127.0.0.1:9092", *topic = "bench", *file = NULL;
	uint64_t n = 5000000, poll_every = 1000;
	size_t size = 100;
	int random_parts = 0, part = RD_KAFKA_PARTITION_UA, hold = 0;
	double rate = 0;
	char err[512];
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	const char *base[][2] = {{"queue.buffering.max.messages", "1000000"},
	                         {"queue.buffering.max.kbytes", "1048576"},
	                         {"batch.size", "1000000"},
	                         {"batch.num.messages", "100000"}};
	for (int i = 0; i < 4; i++)
		rd_kafka_conf_set(conf, base[i][0], base[i][1], NULL, 0);
	for (int i = 1; i < argc; i++) {
		const char *a = argv[i], *v = i + 1 < argc ? argv[i + 1] : "";
		if (!strcmp(a, "--hold")) {
			hold = 1;
			continue;
		}
		i++;
		if (!strcmp(a, "-b"))
			brokers = v;
		else if (!strcmp(a, "-t"))
			topic = v;
		else if (!strcmp(a, "-n"))
			n = strtoull(v, NULL, 10);
		else if (!strcmp(a, "-s"))
			size = strtoul(v, NULL, 10);
		else if (!strcmp(a, "-f"))
			file = v;
		else if (!strcmp(a, "--poll-every"))
			poll_every = strtoull(v, NULL, 10);
		else if (!strcmp(a, "--random"))
			random_parts = atoi(v);
		else if (!strcmp(a, "--partition"))
			part = atoi(v), ordered_check = 1;
		else if (!strcmp(a, "--rate"))
			rate = atof(v);
		else if (!strcmp(a, "-X")) {
			char k[256];
			const char *eq = strchr(v, '=');
			snprintf(k, sizeof(k), "%.*s", (int)(eq - v), v);
			if (rd_kafka_conf_set(conf, k, eq + 1, err, sizeof(err))) {
				fprintf(stderr, "%s\n", err);
				return 2;
			}
		} else {
			fprintf(stderr, "unknown option %s\n", a);
			return 2;
		}
	}
	rd_kafka_conf_set(conf, "bootstrap.servers", brokers, NULL, 0);
	rd_kafka_conf_set_dr_msg_cb(conf, dr_cb);

	size_t npay = 0, cap = 1 << 20;
	char *pool = malloc(cap + size);
	if (file) {
		FILE *f = fopen(file, "r");
		char *line = NULL;
		size_t lc = 0;
		if (!f) {
			perror(file);
			return 1;
		}
		while (getline(&line, &lc, f) > 0 && (npay + 1) * size <= cap) {
			memset(pool + npay * size, ' ', size);
			memcpy(pool + npay * size, line, strnlen(line, size));
			npay++;
		}
		fclose(f);
	} else {
		npay = cap / size;
		for (size_t i = 0; i < cap; i++)
			pool[i] = (char)(random() >> 8);
	}

	rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, err, sizeof(err));
	if (!rk) {
		fprintf(stderr, "%s\n", err);
		return 1;
	}
	rd_kafka_topic_t *rkt = rd_kafka_topic_new(rk, topic, NULL);
	/* connect and learn the metadata before the clock starts */
	const struct rd_kafka_metadata *md;
	if (rd_kafka_metadata(rk, 0, rkt, &md, 10000)) {
		fprintf(stderr, "no metadata\n");
		return 1;
	}
	rd_kafka_metadata_destroy(md);
	if (hold)
		show_proc("after metadata");

	uint64_t full = 0, seed = 88172645463325252ull;
	uint64_t t0 = now_ns();
	pthread_t th;
	if (rate > 0) {
		prctl(PR_SET_TIMERSLACK, 1);
		sent_at = calloc(n + 2, sizeof(*sent_at));
		skip_before = t0 + 1000000000ull;
		pthread_create(&th, NULL, poller, rk);
	}
	size_t pi = 0;
	for (uint64_t i = 1; i <= n; i++) {
		int32_t p = part;
		if (random_parts) {
			seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
			p = (int32_t)((seed >> 20) % (unsigned)random_parts);
		}
		if (rate > 0) {
			uint64_t due = t0 + (uint64_t)((double)i * 1e9 / rate);
			struct timespec ts = {due / 1000000000, due % 1000000000};
			clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
			sent_at[i] = now_ns();
		}
		while (rd_kafka_produce(rkt, p, RD_KAFKA_MSG_F_COPY, pool + pi * size, size, NULL, 0, (void *)(uintptr_t)i) == -1) {
			if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
				fprintf(stderr, "produce: %s\n", rd_kafka_err2str(rd_kafka_last_error()));
				return 1;
			}
			full++;
			rd_kafka_poll(rk, 10);
		}
		if (++pi == npay)
			pi = 0;
		if (rate <= 0 && i % poll_every == 0)
			rd_kafka_poll(rk, 0);
	}
	uint64_t t1 = now_ns();
	if (rate > 0)
		while (delivered + failed < n)
			usleep(1000);
	else
		while (delivered + failed < n)
			rd_kafka_poll(rk, 100);
	double s = (double)(now_ns() - t0) / 1e9;
	double c = cpu();
	if (hold)
		show_proc("all delivered");
	if (rate > 0) {
		stop = 1;
		pthread_join(th, NULL);
	}
	struct rusage ru;
	getrusage(RUSAGE_SELF, &ru);
	printf("librdkafka %s records=%llu failed=%llu bad_opaque=%llu "
	       "secs=%.3f rec/s=%.0f MB/s=%.2f produce_secs=%.3f full=%llu "
	       "cpu=%.3f ns/rec=%.1f rss_kb=%ld\n",
	       rd_kafka_version_str(), (unsigned long long)delivered, (unsigned long long)failed, (unsigned long long)bad_opaque, s,
	       (double)delivered / s, (double)delivered * (double)size / s / 1e6, (double)(t1 - t0) / 1e9, (unsigned long long)full,
	       c, c * 1e9 / (double)(delivered ? delivered : 1), ru.ru_maxrss);
	if (rate > 0)
		printf("latency_us n=%llu mean=%.1f p50=%.1f p90=%.1f p99=%.1f "
		       "p99.9=%.1f max=%.1f\n",
		       (unsigned long long)h_n, h_sum / (double)h_n / 1e3, pct(.5) / 1e3, pct(.9) / 1e3, pct(.99) / 1e3,
		       pct(.999) / 1e3, (double)h_max / 1e3);
	fflush(stdout);
	rd_kafka_topic_destroy(rkt);
	rd_kafka_destroy(rk);
	return failed != 0;
}
