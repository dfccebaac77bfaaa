/*
 * stats.c - the counters, and the one line in which they are printed.
 */
#include "sink.h"

#include <stdio.h>
#include <sys/resource.h>
#include <time.h>

sink_stats st;

int64_t now_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

static double cpu_seconds(void)
{
	struct rusage ru;
	getrusage(RUSAGE_SELF, &ru);
	return (double)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) + (double)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1e6;
}

static void count(const char *name, uint64_t n)
{
	printf(" %s=%llu", name, (unsigned long long)n);
}

void stats_print(void)
{
	double s = (double)(st.last_ns - st.first_ns) / 1e9, cpu = cpu_seconds();
	if (s <= 0)
		s = 1e-9;
	printf("records=%llu bytes=%llu secs=%.6f rec/s=%.0f MB/s=%.2f sink_cpu=%.3f", (unsigned long long)st.records,
	       (unsigned long long)st.bytes, s, (double)st.records / s, (double)st.bytes / s / 1e6, cpu - st.cpu_before);
	count("reqs", st.requests);
	count("parts", st.partitions);
	count("batches", st.batches);
	count("max_batch", st.max_batch);
	count("max_req", st.max_request);
	count("errors", st.errors);
	if (opt.check) {
		count("crc_bad", st.crc_bad);
		count("seq_bad", st.seq_bad);
		count("dup", st.dup);
		count("rec_bad", st.rec_bad);
	}
	printf("\n");
	fflush(stdout);
	st = (sink_stats){.cpu_before = cpu};
}
