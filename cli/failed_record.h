/*
 * failed_record.h - a record as a line of the --failed file, in the form that --input-format json reads (json_record.h).
 *
 *   {"outcome":"NOT_PERSISTED","error":"MESSAGE_TOO_LARGE","input":"FILE","record":12,"key":null,"headers":[],"value":"v"}
 *
 * Key and headers are always named, so that feeding in again takes no defaults in their place; partition and timestamp are named
 * when they had been asked for. The outcome stands first, so that grep can tell the records that may be in the log. A record that had
 * been accepted has its attempts and its trail (trail.h) behind its number.
 */
#ifndef KP_CLI_FAILED_RECORD_H
#define KP_CLI_FAILED_RECORD_H

#include <kproducer/kproducer.h>

#include "cli/base64.h"
#include "cli/failed.h"

typedef struct cli_failed_record {
	uint64_t ordinal;
	const char *outcome, *error; /* error may be NULL */
	const char *input;           /* where it came from, and which one of it it was */
	uint64_t number;
	const kp_record *content; /* partition and timestamp_ms: only what was asked for */
	const kp_report *report;  /* how it ended; NULL: it was never accepted */
	bool omits_key;           /* whoever feeds it in again finds the key in the value again */
} cli_failed_record;

/* false: the file takes no more. */
bool cli_failed_record_add(cli_failed *f, const cli_failed_record *r);
/* The same without the value, which follows in pieces: cli_failed_record_piece for each, the last one ends the record. */
bool cli_failed_record_begin(cli_failed *f, const cli_failed_record *r);
bool cli_failed_record_piece(cli_failed *f, cli_base64 *b, const void *piece, size_t len, bool is_last);

#endif
