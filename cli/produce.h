/*
 * produce.h - the parts of `kproducer produce`: lines into records (produce_send.c), reports into names, files and an exit code
 * (produce_report.c), options and order of events (cmd_produce.c).
 *
 * Two threads: the main thread reads and sends, the runtime's thread reports. Both may fail a record, hence `lock`.
 */
#ifndef KP_CLI_PRODUCE_H
#define KP_CLI_PRODUCE_H

#include <kproducer/kproducer.h>

#include "cli/failed.h"
#include "cli/input.h"
#include "cli/lines.h"
#include "cli/options.h"
#include "cli/session.h"
#include "cli/tally.h"

#define PRODUCE_ARRAY 256
#define PRODUCE_BLOCK (256 * 1024) /* stays in the second-level cache between read(2) and kp_send_many's copy */
#define PRODUCE_NAMED_MAX 20       /* failed records named on stderr one by one */

typedef struct produce_options {
	cli_common common;
	const char *delimiter; /* between key and value; delimiter_len 0: none */
	size_t delimiter_len;
	const char *key; /* every record's; NULL: none */
	kp_header *headers;
	size_t n_headers;
	int32_t partition;
	const char *failed_path;
	bool skip_empty;
} produce_options;

typedef struct produce {
	const produce_options *options;
	cli_session session;
	cli_inputs inputs;
	cli_tally tally;

	/* the main thread's */
	cli_lines lines;
	kp_record records[PRODUCE_ARRAY];
	size_t n;                                   /* records waiting in the array */
	uint64_t ordinal;                           /* of the line read last */
	uint64_t accepted, refused, skipped, bytes; /* bytes: keys and values of accepted records */
	uint64_t max_request_size;
	int64_t first_send_ns;
	bool has_read_error;
	bool has_given_up; /* stopped, and its time is up: what is still in the block is refused without a try */

	/* behind the lock */
	pthread_mutex_t lock;
	cli_failed failed;
	bool has_said_full;          /* that --failed cannot be written */
	uint64_t n_named, n_unnamed; /* failed records that are in no file: on stderr, and beyond the cap */
} produce;

/* A kp_report_cb; opaque is the produce. */
void produce_on_reports(kp_producer *producer, const kp_report *reports, size_t n, void *opaque);
/* The main thread's record that kp_send refused, or a piece of a line that is too long to try (piece not NULL). */
void produce_refuse(produce *p, const kp_record *record, int error);
void produce_refuse_long(produce *p, cli_slice piece, bool is_last, uint64_t line_bytes);
/* A cli_failed_lost. */
void produce_lost(void *opaque, uint64_t ordinal);
/* After the last report: the summary, and the exit code. */
int produce_result(produce *p);

/* Read all inputs and send their lines; returns early when stopped. CLI_GO_ON or an exit code. */
int produce_send_inputs(produce *p);
void produce_progress(void *opaque);

#endif
