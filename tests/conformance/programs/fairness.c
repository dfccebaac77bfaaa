/*
 * fairness HOST:PORT TOPIC SECONDS MODE: sends to six partitions, twice for SECONDS; between the two it says "ready" and waits for a line.
 * Prints a line for each time: the records persisted in it by partition. Modes:
 *
 *   explicit, keyless                      paced kp_try_send from one thread
 *   saturated explicit, saturated keyless  as fast as it goes: kp_send from a thread for each partition, or from as many without keys
 */
#include <kproducer/kproducer.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PARTITIONS 6
#define PER_TICK 5     /* records for each partition in a millisecond */
#define SETTLE_MS 2000 /* until a dead partition has taken of a full buffer what it gets */

static _Atomic unsigned long persisted[PARTITIONS];
static char value[1000];
static kp_topic *topic;
static int is_keyless;
static _Atomic int is_over;

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

static kp_record record_for(int partition)
{
	kp_record r = KP_RECORD_INIT;
	r.value = value;
	r.value_len = sizeof(value);
	r.partition = is_keyless ? KP_PARTITION_ANY : partition;
	return r;
}

static void send_paced(long ms)
{
	for (long start = now_ms(), tick = 0; tick < ms; tick++) {
		for (int i = 0; i < PER_TICK * PARTITIONS; i++) {
			kp_record r = record_for(i % PARTITIONS);
			(void)kp_try_send(topic, &r);
		}
		while (now_ms() < start + tick)
			nanosleep(&(struct timespec){0, 200000}, NULL);
	}
}

static void *send_flat_out(void *partition)
{
	kp_record r = record_for(*(int *)partition);
	while (!is_over)
		(void)kp_send(topic, &r);
	return NULL;
}

static void rest(long ms)
{
	nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

static void count_for(long ms, int is_paced)
{
	unsigned long before[PARTITIONS];
	for (int i = 0; i < PARTITIONS; i++)
		before[i] = persisted[i];
	if (is_paced)
		send_paced(ms);
	else
		rest(ms);
	for (int i = 0; i < PARTITIONS; i++)
		printf("%lu%c", persisted[i] - before[i], i == PARTITIONS - 1 ? '\n' : ' ');
	fflush(stdout);
}

static int count_twice(long ms, int is_paced)
{
	char line[16];
	count_for(1000, is_paced); /* metadata, connections */
	count_for(ms, is_paced);
	puts("ready");
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		return 2;
	if (!is_paced)
		rest(SETTLE_MS);
	count_for(ms, is_paced);
	return 0;
}

static int run(long ms, int is_paced)
{
	pthread_t threads[PARTITIONS];
	int partitions[PARTITIONS], n = 0;
	for (; n < PARTITIONS && !is_paced; n++) {
		partitions[n] = n;
		if (pthread_create(&threads[n], NULL, send_flat_out, &partitions[n]))
			return 2;
	}
	int code = count_twice(ms, is_paced);
	is_over = 1;
	while (n > 0)
		pthread_join(threads[--n], NULL);
	return code;
}

int main(int argc, char **argv)
{
	char err[256] = "usage";
	kp_config *c = kp_config_new();
	if (argc != 5 || kp_config_set(c, "bootstrap.servers", argv[1], err, sizeof(err)) ||
	    kp_config_set(c, "max.block.ms", "1000", err, sizeof(err)))
		return fprintf(stderr, "%s\n", err), 2;
	kp_config_set_report_cb(c, on_reports, NULL);
	kp_producer *p = kp_producer_new(c, NULL, err, sizeof(err));
	topic = p ? kp_topic_open(p, argv[2]) : NULL;
	if (!topic)
		return fprintf(stderr, "%s\n", err), 2;
	is_keyless = strstr(argv[4], "keyless") != NULL;
	int code = run(strtol(argv[3], NULL, 10) * 1000, strncmp(argv[4], "saturated", 9) != 0);
	kp_producer_free(p);
	kp_config_free(c);
	return code;
}
