/*
 * used.c - what the process used, as the kernel counts it; and what else the probes share.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "probe.h"

static double clock_s(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

double now_s(void)
{
	return clock_s(CLOCK_MONOTONIC);
}

void wait_s(double seconds)
{
	struct timespec t = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
	clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL);
}

/* Both kinds of context switches of a thread. */
static uint64_t switches_of(const char *thread)
{
	char path[300], line[256];
	uint64_t n = 0;
	unsigned long long one;
	snprintf(path, sizeof(path), "/proc/self/task/%s/status", thread);
	FILE *f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "voluntary_ctxt_switches: %llu", &one) == 1 ||
		    sscanf(line, "nonvoluntary_ctxt_switches: %llu", &one) == 1)
			n += one;
	if (f)
		fclose(f);
	return n;
}

static uint64_t switches(void)
{
	uint64_t n = 0;
	DIR *tasks = opendir("/proc/self/task");
	if (!tasks)
		fail("/proc/self/task", "cannot be read");
	for (struct dirent *e; (e = readdir(tasks));)
		if (e->d_name[0] != '.' && strtol(e->d_name, NULL, 10) != syscall(SYS_gettid))
			n += switches_of(e->d_name);
	closedir(tasks);
	return n;
}

probe_used used_now(void)
{
	return (probe_used){.wall_s = now_s(), .cpu_s = clock_s(CLOCK_PROCESS_CPUTIME_ID), .n_switches = switches()};
}

void fail(const char *what, const char *why)
{
	fprintf(stderr, "probe: %s: %s\n", what, why);
	exit(1);
}

void ok(int error, const char *what)
{
	if (error)
		fail(what, kp_error_text(error));
}

kp_producer *producer_of(const probe_options *o, kp_report_cb *cb, void *opaque)
{
	char err[256] = "";
	if (kp_config_set(o->config, "bootstrap.servers", o->servers, err, sizeof(err)))
		fail("-b", err);
	if (cb)
		kp_config_set_report_cb(o->config, cb, opaque);
	kp_producer *p = kp_producer_new(o->config, NULL, err, sizeof(err));
	if (!p)
		fail("kp_producer_new", err);
	return p;
}

kp_topic *topic_of(const probe_options *o, kp_producer *p)
{
	kp_topic *t = kp_topic_open(p, o->topic);
	if (!t)
		fail(o->topic, "is no topic name");
	return t;
}

char *value_of(const probe_options *o)
{
	char *value = must(malloc((size_t)o->size));
	memset(value, 'x', (size_t)o->size);
	return value;
}

void send_one(kp_topic *t)
{
	kp_record r = KP_RECORD_INIT;
	r.value = "probe";
	r.value_len = 5;
	ok(kp_send_sync(t, &r, PATIENCE_MS, NULL), "kp_send_sync");
}
