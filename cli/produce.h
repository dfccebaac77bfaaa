/*
 * produce.h - the parts of `kproducer produce`: its options (produce_options.c), input into records (produce_send.c,
 * produce_prepare.c), transactions (produce_txn.h), failed records sent again (produce_resend.c), reports into counts, names, --failed and an exit code (produce_report.c) and into --report
 * (produce_outcomes.c); cmd_produce.c has the order of events.
 *
 * Two threads: the main thread reads and sends, the runtime's thread reports. Both may fail a record, hence `lock`. A third one
 * writes --report (sink.h), and with --resend a fourth sends failed records again and reports their ends.
 */
#ifndef KP_CLI_PRODUCE_H
#define KP_CLI_PRODUCE_H

#include <kproducer/kproducer.h>

#include "cli/failed_record.h"
#include "cli/input.h"
#include "cli/key_from.h"
#include "cli/options.h"
#include "cli/pace.h"
#include "cli/produce_txn.h"
#include "cli/reader.h"
#include "cli/record_options.h"
#include "cli/session.h"
#include "cli/sink.h"
#include "cli/tally.h"

#define PRODUCE_ARRAY 256
#define PRODUCE_BLOCK (256 * 1024)    /* stays in the second-level cache between read(2) and kp_send_many's copy */
#define PRODUCE_PACED_BLOCK 4096      /* with --rate, from a pipe: what a stop finds read goes out at once, so let it be little */
#define PRODUCE_NAMED_MAX 20          /* failed records named on stderr one by one */
#define PRODUCE_REPORT_BACKLOG 250000 /* records sent whose line is not in --report yet: bounds the memory of a slow reader */

/* A record's opaque is its ordinal, and what the report of a failed one does not tell. */
#define PRODUCE_TAG_BITS 4
enum {
	PRODUCE_HAS_PARTITION = 1, /* it was asked for */
	PRODUCE_HAS_TIMESTAMP = 2, /* likewise */
	PRODUCE_HAS_HEADERS = 4,
	PRODUCE_HAS_BYTES = 8 /* a key or a value: when the report has neither, the library could not give them back */
};

typedef struct produce_options {
	cli_common common;
	const cli_format *format;
	const char *delimiter; /* between key and value; delimiter_len 0: none */
	size_t delimiter_len;
	const char *key; /* every record's; NULL: none */
	cli_key_from key_from;
	bool key_required;
	const char *null_text; /* keys and values that are this become null; NULL: none */
	size_t null_len;
	cli_headers headers;
	int32_t partition;
	const char *failed_path, *report_path;
	bool skip_empty;
	uint64_t max_records; /* UINT64_MAX: all */
	double rate;          /* records per second, 0: no limit */
	uint64_t resend;      /* times that a failed record is sent again */
	bool resend_unknown;
	const char *retry_count_header;   /* NULL: none */
	uint64_t records_per_transaction; /* 0: all */
} produce_options;

/* Parts of a line of --report that are mostly those of the line before. */
typedef struct produce_line {
	char *prefix; /* up to the record's number, of this input */
	size_t prefix_len, prefix_room;
	const cli_input *input;
	char middle[384]; /* from the outcome to the offset, of these: */
	size_t middle_len;
	const char *outcome, *topic;
	int32_t partition;
	char time[32];
	size_t time_len;
	int64_t timestamp_ms;
} produce_line;

typedef struct produce {
	const produce_options *options;
	cli_session session;
	cli_inputs inputs;
	cli_tally tally;

	/* the main thread's */
	cli_reader reader;
	cli_pace pace;
	kp_record model; /* of every record: the defaults */
	kp_record records[PRODUCE_ARRAY];
	size_t n, limit;  /* records waiting in the array; how many make it full */
	unsigned tags;    /* of every record */
	bool is_plain;    /* a record is its bytes and the model: nothing is looked for in it */
	bool is_done;     /* --count is reached, or a stop came between two records: read no more */
	uint64_t ordinal; /* of the record read last */
	uint64_t accepted, refused, skipped, malformed, bytes; /* bytes: keys and values of accepted records */
	uint64_t max_request_size;
	int64_t first_send_ns;
	bool has_read_error;
	bool has_given_up;     /* stopped, and its time is up: what is still in the block is refused without a try */
	bool is_in_long;       /* an overlong record comes in pieces */
	cli_base64 long_value; /* of it, on its way into --failed */

	char transactional_id[256]; /* "": none */
	produce_txn txn;

	kp_resender *resender; /* NULL without --resend; polled by a thread of its own */
	pthread_t resend_thread;
	_Atomic bool is_resend_over;
	_Atomic uint64_t n_resent; /* records sent again, each counted once */

	/* behind the lock */
	pthread_mutex_t lock;
	cli_failed failed;
	bool has_said_full;          /* that --failed cannot be written */
	uint64_t n_named, n_unnamed; /* failed records that are in no file: on stderr, and beyond the cap */
	cli_sink report;             /* file.fd -1: none */
	bool has_said_unreported;    /* that --report cannot be written */
	produce_line line;
} produce;

/* produce_options.c. CLI_GO_ON or an exit code; produce_options_deinit in every case. */
extern const cli_option produce_option_table[];
int produce_options_parse(produce_options *o, int argc, char **argv);
void produce_options_deinit(produce_options *o);

typedef enum produce_prepared { PRODUCE_SEND, PRODUCE_SKIP, PRODUCE_MALFORMED } produce_prepared;
/* produce_prepare.c. Of a record that is more than its bytes. What is not to be sent was counted, and named if it is malformed. */
produce_prepared produce_prepare(produce *p, kp_record *r);
/* kcat's rule: a line without the delimiter is a value without a key. */
void produce_split_key(const produce_options *o, kp_record *r);

static inline void *produce_opaque(uint64_t ordinal, unsigned tags)
{
	return (void *)(uintptr_t)(ordinal << PRODUCE_TAG_BITS | tags);
}

/* A kp_report_cb; opaque is the produce. */
void produce_on_reports(kp_producer *producer, const kp_report *reports, size_t n, void *opaque);
/* Records that ended for good. Any thread. */
void produce_on_ends(produce *p, const kp_report *reports, size_t n);
/* The main thread's record that kp_send refused, */
void produce_refuse(produce *p, const kp_record *record, int error);
/* one that is too long to try, in pieces; the first one comes with the record's other members, */
void produce_refuse_long(produce *p, const kp_record *piece, bool is_first, bool is_last);
/* and one that is none: `text` tells why. is_raw: the value are the bytes of the input. */
void produce_refuse_malformed(produce *p, const kp_record *record, const char *text, bool is_raw);
/* A cli_failed_lost. */
void produce_lost(void *opaque, uint64_t ordinal);
/* After the last report: the summary, and the exit code. */
int produce_result(produce *p);

/* produce_outcomes.c: lines for --report. Under the lock; nothing is done without --report. */
int produce_outcomes_open(produce *p); /* p->report is open. CLI_GO_ON or an exit code */
void produce_outcomes_add(produce *p, const kp_report *reports, size_t n);
/* A record that the library did not take: its opaque and the partition it asked for; error 0: it was malformed, `text` tells why. */
void produce_outcomes_refused(produce *p, const kp_record *record, int error, const char *text);
/* The transaction has ended so. */
void produce_outcomes_transaction(produce *p, const char *outcome);
/* After the last report. false: the report is not complete, which was told. */
bool produce_outcomes_close(produce *p);

/* produce_resend.c: --resend. CLI_GO_ON or an exit code; nothing is done without it. */
int produce_resend_start(produce *p);
/* A failed record: true, it is sent again. The runtime's thread. */
bool produce_resend_takes(produce *p, const kp_report *r);
/* Until all that was sent has ended for good, or may not be waited for any longer. */
void produce_settle(produce *p);
/* After the close: what is left has ended. */
void produce_resend_end(produce *p);

/* Read all inputs and send their records; returns early when stopped. CLI_GO_ON or an exit code. */
int produce_send_inputs(produce *p);
void produce_progress(void *opaque);

#endif
