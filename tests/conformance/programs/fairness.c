/*
 * fairness HOST:PORT TOPIC SECONDS keyless|explicit: paced kp_try_send over six partitions, twice for SECONDS; between the two it says
 * "ready" and waits for a line. Prints a line for each time: the records persisted in it by partition.
 */
#include <kproducer/kproducer.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PARTITIONS 6
#define PER_TICK 5 /* records for each partition in a millisecond */

static _Atomic unsigned long persisted[PARTITIONS];

static void on_reports(kp_producer *p, const kp_report *reports, size_t n, void *opaque)
{
	(void)p;
	(void)opaque;
	for (size_t i = 0; i < n; i++) {
		const kp_report *r = kp_report_at(reports, i);
		if (r->outcome == KP_PERSISTED && r->partition >= 0 && r->partition < PARTITIONS)
			persisted[r->partition]++;
	}
}

static long now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void send_for(kp_topic *t, long ms, int is_keyless)
{
	static char value[1000];
	kp_record r = KP_RECORD_INIT;
	unsigned long before[PARTITIONS];
	r.value = value;
	r.value_len = sizeof(value);
	for (int i = 0; i < PARTITIONS; i++)
		before[i] = persisted[i];
	for (long start = now_ms(), tick = 0; tick < ms; tick++) {
		for (int i = 0; i < PER_TICK * PARTITIONS; i++) {
			r.partition = is_keyless ? KP_PARTITION_ANY : i % PARTITIONS;
			(void)kp_try_send(t, &r);
		}
		while (now_ms() < start + tick)
			nanosleep(&(struct timespec){0, 200000}, NULL);
	}
	for (int i = 0; i < PARTITIONS; i++)
		printf("%lu%c", persisted[i] - before[i], i == PARTITIONS - 1 ? '\n' : ' ');
	fflush(stdout);
}

int main(int argc, char **argv)
{
	char err[256] = "usage", line[16];
	kp_config *c = kp_config_new();
	if (argc != 5 || kp_config_set(c, "bootstrap.servers", argv[1], err, sizeof(err)))
		return fprintf(stderr, "%s\n", err), 2;
	kp_config_set_report_cb(c, on_reports, NULL);
	kp_producer *p = kp_producer_new(c, NULL, err, sizeof(err));
	kp_topic *t = p ? kp_topic_open(p, argv[2]) : NULL;
	if (!t)
		return fprintf(stderr, "%s\n", err), 2;
	long ms = strtol(argv[3], NULL, 10) * 1000;
	int is_keyless = strcmp(argv[4], "keyless") == 0;
	send_for(t, 1000, is_keyless); /* metadata, connections */
	send_for(t, ms, is_keyless);
	puts("ready");
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		return 2;
	send_for(t, ms, is_keyless);
	kp_producer_free(p);
	kp_config_free(c);
	return 0;
}
