/*
 * produce_txn.h - transactions of `kproducer produce`: the records of the input, or each N of them, become visible together or not at all.
 *
 * A transaction begins with its first record and is committed behind its last. A record that fails dooms it: it is aborted at once, its other
 * records are read and dropped, and the next N begin another. A commit whose answer does not come ends the run, its records are unknown.
 * Nothing here is done unless is_on. The main thread's, but for `number`.
 */
#ifndef KP_CLI_PRODUCE_TXN_H
#define KP_CLI_PRODUCE_TXN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kproducer/kproducer.h>

#include "cli/json.h"

#define PRODUCE_TXN_NAMED_MAX 20 /* transactions without success that are named on stderr one by one */
#define PRODUCE_RANGES_MAX 1000  /* ranges of records that were not committed, of --json */

struct produce;

typedef enum produce_txn_end { PRODUCE_TXN_COMMITTED, PRODUCE_TXN_ABORTED, PRODUCE_TXN_UNKNOWN, PRODUCE_TXN_ENDS } produce_txn_end;

typedef struct produce_range {
	uint64_t first, last; /* ordinals */
	produce_txn_end end;
} produce_range;

typedef struct produce_txn {
	bool is_on;           /* transactional.id is set */
	bool is_open;         /* for the library */
	bool is_doomed;       /* a record of it failed */
	bool has_warned;      /* that it is open for long */
	bool is_over;         /* there will be no other one */
	bool is_last;         /* the input is at its end */
	bool is_cut;          /* it was not read to its end: the only transaction was doomed before */
	bool was_uncommitted; /* the one before */
	_Atomic uint_fast64_t
		number;       /* of the one that records belong to, from 1; relaxed: it changes only while none is under way */
	uint64_t size;        /* records of one; UINT64_MAX: all */
	uint64_t n;           /* its records so far, those that failed too */
	uint64_t first, last; /* their ordinals */
	int64_t began_ns, timeout_ns; /* transaction.timeout.ms */
	int64_t patience_ns;          /* delivery.timeout.ms: how long a commit or an abort is repeated */
	char cause[640];              /* why it is doomed */
	uint64_t n_ended[PRODUCE_TXN_ENDS], n_records[PRODUCE_TXN_ENDS];
	size_t n_ranges;
	produce_range ranges[PRODUCE_RANGES_MAX]; /* what was not committed; neighbours are one */
	uint64_t n_unranged;                      /* records beyond them */
} produce_txn;

/* Reads the settings and initialises the transactional id. CLI_GO_ON or an exit code. */
int produce_txn_start(struct produce *p);
/* Not all that was read is committed, or the transactional id was lost. */
static inline bool produce_txn_has_failed(const produce_txn *t)
{
	return t->is_over || t->n_ended[PRODUCE_TXN_ABORTED] || t->n_ended[PRODUCE_TXN_UNKNOWN];
}
/* How many records may still be sent before the transaction is full. */
static inline uint64_t produce_txn_left(const produce_txn *t)
{
	return t->size - t->n;
}
/* Before records are sent: there is a transaction for them, unless it is doomed. */
void produce_txn_begin(struct produce *p);
/* These n records, by their ordinals, belong to it now: sent, failed or malformed. The last one of a full transaction ends it. */
void produce_txn_count(struct produce *p, uint64_t first, uint64_t last, uint64_t n);
/* A record failed, or the input did. */
void produce_txn_doom(struct produce *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* kp_send refused a record with this code: dooms, and true when it was for the transaction's sake, not the record's. */
bool produce_txn_refused(struct produce *p, const kp_record *r, int error);
/* A record of a doomed transaction, which is not sent. */
void produce_txn_drop(struct produce *p, const kp_record *r);
/* Now and then: one that is open for too long is doomed. */
void produce_txn_watch(struct produce *p);
/* The input is over: what is left of it is committed, or aborted after a stop. */
void produce_txn_finish(struct produce *p);

/* produce_txn_report.c. The transaction has ended so: counted, named, and a line in --report. */
void produce_txn_ended(struct produce *p, produce_txn_end end);
/* "line 12 of FILE", "lines 12 to 20 of FILE", "line 12 of FILE to line 3 of ANOTHER" */
const char *produce_txn_place(struct produce *p, uint64_t first, uint64_t last, char *out, size_t out_size);
/* What was not committed, on stderr; for the summary; as "transactions": {...}. */
void produce_txn_say(struct produce *p);
void produce_txn_describe(const struct produce *p, char *out, size_t out_size);
void produce_txn_json(struct produce *p, cli_json *j);

#endif
