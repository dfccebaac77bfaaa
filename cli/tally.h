/*
 * tally.h - how the records of a run ended: counts by outcome and by error, and the words for a record that failed.
 * Any thread: the report callback and the sender add at the same time.
 */
#ifndef KP_CLI_TALLY_H
#define KP_CLI_TALLY_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include <kproducer/kproducer.h>

#include "cli/json.h"

#define CLI_TALLY_CODES 256 /* more than the error table has rows; the last slot takes the rest */

typedef struct cli_counts {
	uint64_t persisted, not_persisted;
	uint64_t unknown;        /* may be in the log */
	uint64_t unacknowledged; /* acks=0: written, nobody answers */
} cli_counts;

typedef struct cli_code_count {
	int code;
	uint64_t n_not_persisted, n_unknown;
} cli_code_count;

typedef struct cli_tally {
	pthread_mutex_t lock; /* over all that follows */
	cli_counts counts;
	int64_t last_report_ns; /* 0: none yet */
	size_t n_codes;
	cli_code_count codes[CLI_TALLY_CODES];
} cli_tally;

void cli_tally_init(cli_tally *t);
void cli_tally_add(cli_tally *t, uint64_t persisted, uint64_t unacknowledged, int64_t now_ns);
void cli_tally_failure(cli_tally *t, kp_outcome outcome, int error);
cli_counts cli_tally_get(cli_tally *t, int64_t *last_report_ns); /* last_report_ns may be NULL */

/* Persisted or, with acks=0, written. */
static inline uint64_t cli_counts_delivered(const cli_counts *c)
{
	return c->persisted + c->unacknowledged;
}
static inline uint64_t cli_counts_ended(const cli_counts *c)
{
	return c->persisted + c->not_persisted + c->unknown + c->unacknowledged;
}

/* One line on stderr for each error code: how often, and what to do. After the last report. */
void cli_tally_say(const cli_tally *t);
/* "errors": [{"code", "name", "count", "not_persisted", "unknown", "advice"}]. After the last report. */
void cli_tally_json(const cli_tally *t, cli_json *j);

#endif
