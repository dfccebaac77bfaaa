/*
 * driver.c - sends numbered, keyed records at a fixed rate until its standard input ends, then one record more per key, and writes how
 * each ended. What is in the log is for another program to say (checker.py).
 *
 *   driver HOST:PORT TOPIC RATE OUTPUT [NAME=VALUE]...
 *
 * OUTPUT gets a line for each record sent: number, outcome, partition, offset, time of sending and of its end (CLOCK_MONOTONIC, ms), error.
 * Standard output gets one JSON object. Record n has the key n % N_KEYS, so that a key's numbers ascend.
 */
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "driver.h"

#define N_KEYS 64
#define VALUE_SIZE 100
#define MAX_RECORDS 4000000
#define CLOSE_TIMEOUT_MS 180000
#define TICK_MS 2

struct record {
	int64_t sent_ms, ended_ms, offset;
	const char *error; /* static */
	int32_t partition;
	_Atomic char outcome; /* 0: not ended; written last, by the client's thread */
};

/* Told by the client's thread; read when it has been closed. */
static struct {
	int64_t last_ack_ms, longest_stall_ms;
	uint64_t n_twice;
} ends;

static struct record *records;
static uint64_t n_sent, n_refused;

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

void driver_end(uint64_t seq, enum outcome outcome, const char *error, int32_t partition, int64_t offset)
{
	struct record *r = &records[seq];
	int64_t now = now_ms();
	if (atomic_load(&r->outcome)) {
		ends.n_twice++;
		return;
	}
	if (outcome == PERSISTED || outcome == WRITTEN) {
		if (ends.last_ack_ms && now - ends.last_ack_ms > ends.longest_stall_ms)
			ends.longest_stall_ms = now - ends.last_ack_ms;
		ends.last_ack_ms = now;
	}
	r->ended_ms = now;
	r->error = error;
	r->partition = partition;
	r->offset = offset;
	atomic_store(&r->outcome, (char)outcome);
}

static void send_one(void)
{
	char key[32], value[VALUE_SIZE + 1];
	uint64_t seq = n_sent;
	int key_len = snprintf(key, sizeof(key), "%llu", (unsigned long long)(seq % N_KEYS));
	snprintf(value, sizeof(value), "%-*llu", VALUE_SIZE, (unsigned long long)seq);
	if (seq == MAX_RECORDS) {
		fprintf(stderr, "driver: no room for more than %d records\n", MAX_RECORDS);
		exit(1);
	}
	records[seq].sent_ms = now_ms();
	if (client_send(key, (size_t)key_len, value, VALUE_SIZE, seq) == 0)
		n_sent++;
	else
		n_refused++;
}

/* Sends what is due at `rate` records a second, until standard input ends. */
static void send_at_rate(uint64_t rate)
{
	struct pollfd input = {.fd = 0, .events = POLLIN};
	int64_t start = now_ms();
	uint64_t due = 0;
	char c;
	while (poll(&input, 1, TICK_MS) == 0 || fread(&c, 1, 1, stdin) == 1) {
		uint64_t until = (uint64_t)(now_ms() - start) * rate / 1000;
		for (; due < until; due++)
			send_one();
	}
}

static void write_records(const char *path)
{
	FILE *f = fopen(path, "w");
	for (uint64_t i = 0; f && i < n_sent; i++) {
		const struct record *r = &records[i];
		char outcome = atomic_load(&r->outcome);
		fprintf(f, "%llu\t%c\t%d\t%lld\t%lld\t%lld\t%s\n", (unsigned long long)i, outcome ? outcome : '-', r->partition,
		        (long long)r->offset, (long long)r->sent_ms, (long long)r->ended_ms, r->error ? r->error : "");
	}
	if (!f || fclose(f) != 0) {
		perror(path);
		exit(1);
	}
}

int main(int argc, char **argv)
{
	if (argc < 5) {
		fprintf(stderr, "usage: driver HOST:PORT TOPIC RATE OUTPUT [NAME=VALUE]...\n");
		return 2;
	}
	records = calloc(MAX_RECORDS, sizeof(*records));
	if (!records) {
		fprintf(stderr, "driver: no memory\n");
		return 1;
	}
	client_open(argv[1], argv[2], (const char *const *)argv + 5, (size_t)argc - 5);
	send_at_rate(strtoull(argv[3], NULL, 10));
	/* Is it alive? One record for each key, which the reader will look for. */
	uint64_t first_last = n_sent;
	for (int i = 0; i < N_KEYS; i++)
		send_one();
	uint64_t last_persisted = 0;
	client_close(CLOSE_TIMEOUT_MS);
	for (uint64_t i = first_last; i < n_sent; i++) {
		char outcome = atomic_load(&records[i].outcome);
		last_persisted += outcome == PERSISTED || outcome == WRITTEN;
	}
	write_records(argv[4]);
	printf("{\"client\": \"%s\", \"sent\": %llu, \"refused\": %llu, \"twice\": %llu, \"stall_ms\": %lld, \"alive\": %s, "
	       "\"throttle_ms\": %lld}\n",
	       client_name(), (unsigned long long)n_sent, (unsigned long long)n_refused, (unsigned long long)ends.n_twice,
	       (long long)ends.longest_stall_ms, last_persisted == N_KEYS ? "true" : "false", (long long)client_throttle_ms());
	free(records);
	return 0;
}
