/*
 * transfer.c - money from one account to another: two records in two topics, in one transaction, so that nobody who reads committed records
 * ever sees one without the other.
 *
 *   transfer HOST:PORT TRANSACTIONAL_ID DEBITS CREDITS <FILE
 *
 * DEBITS and CREDITS are topics; a line of FILE is "FROM TO AMOUNT". What to do about an error is err.next, whatever the error is.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kproducer/kproducer.h>

#define WAIT_MS 10000
#define MAX_TRIES 10

typedef struct bank {
	kp_producer *producer;
	kp_topic *debits, *credits;
} bank;

typedef int call(kp_producer *producer, int timeout_ms, kp_txn_error *err);

/* The same call again, as long as that is what helps. */
static int persist(const bank *b, call *what, kp_txn_error *err)
{
	int failed = what(b->producer, WAIT_MS, err);
	for (int i = 1; i < MAX_TRIES && failed && err->next == KP_TXN_NEXT_RETRY; i++)
		failed = what(b->producer, WAIT_MS, err);
	return failed;
}

static int book(kp_topic *topic, const char *account, const char *sign, const char *amount)
{
	char value[64];
	kp_record record = KP_RECORD_INIT;
	record.key = account;
	record.key_len = strlen(account);
	record.value = value;
	record.value_len = (size_t)snprintf(value, sizeof(value), "%s%s", sign, amount);
	return kp_send(topic, &record);
}

static int attempt(const bank *b, const char *from, const char *to, const char *amount, kp_txn_error *err)
{
	int failed = kp_begin_transaction(b->producer, err);
	if (failed)
		return failed;
	/* Should one not be taken, the other must not be committed. */
	failed = book(b->debits, from, "-", amount);
	if (!failed)
		failed = book(b->credits, to, "+", amount);
	if (!failed)
		return persist(b, kp_commit_transaction, err);
	snprintf(err->text, sizeof(err->text), "a record was not taken: %s", kp_error_text(failed));
	err->next = KP_TXN_NEXT_ABORT;
	return failed;
}

/* 0: it was made, once and whole. Else *err tells why not, or that it cannot be known yet, and what is left to do. */
static int transfer(const bank *b, const char *from, const char *to, const char *amount, kp_txn_error *err)
{
	int failed = 1;
	for (int i = 0; i < MAX_TRIES && failed; i++) {
		failed = attempt(b, from, to, amount, err);
		if (!failed || err->next != KP_TXN_NEXT_ABORT)
			return failed;
		fprintf(stderr, "%s to %s, again: %s\n", from, to, err->text);
		if (persist(b, kp_abort_transaction, err))
			return 1;
	}
	return failed;
}

static int transfer_lines(const bank *b)
{
	char *line = NULL, from[64], to[64], amount[32], extra;
	size_t room = 0;
	kp_txn_error err = KP_TXN_ERROR_INIT;
	int n = 0, n_lines = 0, n_bad = 0, failed = persist(b, kp_init_transactions, &err);
	while (!failed && getline(&line, &room, stdin) > 0) {
		n_lines++;
		if (sscanf(line, "%63s %63s %31s %c", from, to, amount, &extra) != 3) {
			fprintf(stderr, "not FROM TO AMOUNT: %s", line);
			n_bad++;
			continue;
		}
		failed = transfer(b, from, to, amount, &err);
		n += !failed;
	}
	free(line);
	printf("%d transfers\n", n);
	if (!failed)
		return n_bad;
	fprintf(stderr, "%s\n", err.text);
	/* a call that has not ended may still commit it, and so may one whose answer was lost */
	if (n_lines && (err.in_doubt || err.next == KP_TXN_NEXT_RETRY))
		fprintf(stderr, "line %d may have been made: look before you make it again, and go on behind it\n", n_lines);
	else if (n_lines)
		fprintf(stderr, "go on from line %d%s\n", n_lines,
		        err.next == KP_TXN_NEXT_NEW_INSTANCE ? ", unless another one has taken my place" : "");
	return failed;
}

int main(int argc, char **argv)
{
	char err[256] = "usage: transfer HOST:PORT TRANSACTIONAL_ID DEBITS CREDITS <FILE";
	kp_config *config = kp_config_new();
	bank b = {NULL, NULL, NULL};
	if (config && argc == 5 && !kp_config_set(config, "bootstrap.servers", argv[1], err, sizeof(err)) &&
	    !kp_config_set(config, "transactional.id", argv[2], err, sizeof(err)))
		b.producer = kp_producer_new(config, NULL, err, sizeof(err));
	kp_config_free(config);
	if (!b.producer) {
		fprintf(stderr, "%s\n", err);
		return 2;
	}
	b.debits = kp_topic_open(b.producer, argv[3]);
	b.credits = kp_topic_open(b.producer, argv[4]);
	if (!b.debits || !b.credits)
		fprintf(stderr, "these are no topic names\n");
	int failed = !b.debits || !b.credits || transfer_lines(&b);
	kp_close(b.producer, WAIT_MS, NULL);
	kp_producer_free(b.producer);
	return failed ? 1 : 0;
}
