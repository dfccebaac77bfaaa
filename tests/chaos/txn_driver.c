/*
 * txn_driver.c - one transaction after another until its standard input ends, or until it is fenced. Every fifth is aborted, the others are
 * committed. It may be killed at any time: what it asked and what it was told stands in a log that is written before and after each call.
 * What is visible is for another program to say (txn_checker.py).
 *
 *   txn_driver HOST:PORT TRANSACTIONAL-ID INSTANCE LOG TOPIC,TOPIC... [NAME=VALUE]...
 *
 * A line of LOG: what, the transaction's number, its records, the time (CLOCK_MONOTONIC, ms), an error. `what` is a letter, large before the
 * call, small when it worked: I init, B begin, C commit, A abort; E a call that failed; X fenced; H stuck; V the client's
 * name; Z the end.
 * A record's value: instance, transaction, index within it, records of the transaction.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "txn_driver.h"

#define MAX_RECORDS 60
#define ABORT_EVERY 5
/* Short, so that calls time out and are taken up again. */
#define CALL_TIMEOUT_MS 2000
/* A call that is made again and again for longer than this hangs. */
#define PATIENCE_MS 90000
#define RETRY_PAUSE_MS 20
#define IS_FENCED 3
#define IS_STUCK 4

static struct {
	int log, n_records;
	unsigned instance, number;
	size_t n_topics;
} d;

static long long now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static void pause_ms(int ms)
{
	poll(NULL, 0, ms);
}

/* A line is one write: there as a whole when the process is killed behind it. */
static void note(char what, const char *text)
{
	char line[800];
	int n = snprintf(line, sizeof(line) - 1, "%c %u %d %lld %s", what, d.number, d.n_records, now_ms(), text);
	if (n >= (int)sizeof(line) - 1)
		n = (int)sizeof(line) - 2;
	line[n++] = '\n';
	if (write(d.log, line, (size_t)n) != n)
		perror("txn_driver: log"), exit(1);
}

static void finish(char what, int code)
{
	note(what, txn_error());
	txn_close();
	exit(code);
}

/* Makes the call until it is told how it ended: GO_ON or ABORT. */
static enum next ask(char what, enum next (*call)(int timeout_ms))
{
	long long start = now_ms();
	note(what, "");
	for (;;) {
		enum next next = call(CALL_TIMEOUT_MS);
		if (next == GO_ON) {
			note((char)(what | 0x20), "");
			return next;
		}
		note('E', txn_error());
		if (next == FENCED)
			finish('X', IS_FENCED);
		if (next == BROKEN || now_ms() - start > PATIENCE_MS) {
			fprintf(stderr, "%c of transaction %u: %s\n", what, d.number, txn_error());
			finish('H', IS_STUCK);
		}
		if (next == ABORT && what != 'A')
			return next;
		pause_ms(RETRY_PAUSE_MS);
	}
}

static enum next send_records(void)
{
	for (int i = 0; i < d.n_records; i++) {
		char key[32], value[64];
		int key_len = snprintf(key, sizeof(key), "%d", i % 16);
		int value_len = snprintf(value, sizeof(value), "%u %u %d %d", d.instance, d.number, i, d.n_records);
		enum next next = txn_send((size_t)i % d.n_topics, key, (size_t)key_len, value, (size_t)value_len);
		if (next == FENCED)
			finish('X', IS_FENCED);
		if (next != GO_ON) {
			note('E', txn_error());
			return ABORT;
		}
		if (i % 8 == 7)
			pause_ms(4); /* so that some are in the log, and others are not, when it is killed */
	}
	return GO_ON;
}

static void run_transaction(void)
{
	d.number++;
	d.n_records = 1 + (int)((d.instance * 31 + d.number * 17) % MAX_RECORDS);
	enum next next = ask('B', txn_begin);
	if (next == GO_ON)
		next = send_records();
	if (next == GO_ON && (d.instance + d.number) % ABORT_EVERY != 0)
		next = ask('C', txn_commit);
	else
		next = ABORT;
	if (next == ABORT)
		ask('A', txn_abort);
}

int main(int argc, char **argv)
{
	const char *topics[TXN_MAX_TOPICS];
	struct pollfd input = {.fd = 0, .events = POLLIN};
	if (argc < 6) {
		fprintf(stderr, "usage: txn_driver HOST:PORT TRANSACTIONAL-ID INSTANCE LOG TOPIC,TOPIC... [NAME=VALUE]...\n");
		return 2;
	}
	d.instance = (unsigned)strtoul(argv[3], NULL, 10);
	d.log = open(argv[4], O_WRONLY | O_APPEND | O_CREAT, 0644);
	for (char *t = argv[5]; t && d.n_topics < TXN_MAX_TOPICS; d.n_topics++) {
		topics[d.n_topics] = t;
		t = strchr(t, ',');
		if (t)
			*t++ = '\0';
	}
	txn_open(argv[1], argv[2], topics, d.n_topics, (const char *const *)argv + 6, (size_t)argc - 6);
	note('V', txn_client_name());
	ask('I', txn_init);
	while (poll(&input, 1, 0) == 0)
		run_transaction();
	finish('Z', 0);
}
