/*
 * perf.h - the parts of `kproducer perf`: options (cmd_perf.c), the order of events (perf_run.c), sender threads (perf_send.c), their
 * transactions (perf_transaction.c), reports into counts and latencies (perf_report.c), figures and their print (perf_result.c).
 *
 * The time of sending travels in the record's opaque, as ticks since the start and never 0; 0 (NULL) is a record that is not timed.
 * With a rate every record is timed, from the moment at which it was due and not from when we came to send it: a stall then counts
 * for all the records that it held up (coordinated omission). At full speed one record in PERF_SAMPLE_EVERY is.
 *
 *   senders ─▶ producers (senders in turn) ─▶ runtimes (producers in turn) ─▶ a sink each ─▶ main thread: progress, result
 */
#ifndef KP_CLI_PERF_H
#define KP_CLI_PERF_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "cli/histogram.h"
#include "cli/options.h"
#include "cli/payload.h"
#include "cli/record_options.h"
#include "cli/session.h"
#include "cli/tally.h"

#define PERF_SAMPLE_EVERY 1024
#define PERF_THREADS_MAX 256
#define PERF_PRODUCERS_MAX 256
#define PERF_TRANSACTION_SIZE 1000
/* A tick is 1 ns, or 1 us where a pointer has 32 bits: differences are modular, so there a run may last longer than they do. */
#define PERF_NS_PER_TICK (UINTPTR_MAX > 0xffffffffu ? 1 : 1000)

typedef struct perf_options {
	cli_common common;
	uint64_t n_records;             /* UINT64_MAX: as many as fit the duration */
	uint64_t size;                  /* SIZE_MAX: not given */
	double rate;                    /* records/s of all threads, 0: full speed */
	int64_t duration_ms, warmup_ms; /* 0: none */
	int64_t progress_interval_ms;   /* 0: a line that rewrites itself, on a terminal */
	const char *payload_file, *payload_delimiter;
	size_t payload_delimiter_len;
	uint64_t n_keys;
	uint64_t n_threads, n_producers, n_runtimes; /* n_threads 0: not given */
	uint64_t array;                              /* records per call: 1 is kp_send */
	const char *transactional_id;                /* NULL: not given */
	uint64_t records_per_transaction;            /* 0: not given */
	cli_headers headers;
	int32_t partition;
	bool has_random_keys, has_random_partition, wants_histogram;
} perf_options;

/* Where the reports of one runtime go. */
typedef struct perf_sink {
	struct perf *run;
	kp_runtime *runtime; /* NULL: the producer's own */
	pthread_mutex_t lock;
	cli_histogram recent_ns; /* behind the lock: since the main thread took it last */
} perf_sink;

/* Of one producer, and the only sender that it has: its thread's, until that is gone. */
typedef struct perf_transactions {
	bool is_open, is_over;    /* over: the producer does no more of them */
	uint64_t left;            /* records until the open one is full */
	uint64_t accepted_before; /* records of the earlier ones */
	int64_t began_ns;
	uint64_t n_committed, n_aborted, n_unknown, committed_records;
	cli_histogram commits_ns; /* how long the commits took */
} perf_transactions;

typedef struct perf_sender {
	struct perf *run;
	kp_topic *topic; /* of the producer that it sends through */
	pthread_t thread;
	unsigned index;
	uint64_t n;               /* to send */
	uint64_t partition_state; /* of the generator that draws partitions */
	uint32_t n_partitions;    /* to draw from; 0: as the record says */
	cli_payload_cursor cursor;
	perf_transactions *transactions;            /* NULL: none */
	_Alignas(64) atomic_uint_fast64_t accepted; /* relaxed: only the progress line reads it while the thread runs */
	atomic_uint_fast64_t bytes;                 /* likewise: keys, values and headers of accepted records */
	uint64_t refused;
	int64_t end_ns;                       /* all sent */
	kp_record records[PERF_SAMPLE_EVERY]; /* the first `array` of them are used */
} perf_sender;

typedef struct perf {
	const perf_options *options;
	cli_payload payload;
	cli_tally tally;
	cli_session *sessions; /* one a producer */
	size_t n_sessions;     /* opened */
	perf_sink *sinks;
	size_t n_sinks;
	perf_sender *senders;
	perf_transactions *transactions; /* one a producer; NULL: none */
	uint64_t transaction_size;
	int64_t patience_ns; /* how long a call of transactions is repeated */
	unsigned n_started;
	atomic_uint n_running;
	atomic_bool is_cancelled; /* relaxed: senders see it soon enough */
	int done_fd;              /* readable when no sender runs */
	int64_t start_ns;         /* the first record is due */
	/* The main thread's: */
	cli_histogram latency_ns, recent_ns; /* of the whole run, and since the last progress line */
	int64_t progress_ns;                 /* when that was */
	uint64_t progress_delivered;         /* records by then */
} perf;

/* Everything behind the options; an exit code. */
int perf_run(perf_options *options);

/* Before a session is opened: its transactional id. CLI_GO_ON or an exit code, as the next two. */
int perf_transactions_name(perf *run, cli_common *common);
/* When the first one is open: whether its settings and the options go together. */
int perf_transactions_check(const perf *run);
/* Before the clock starts, behind the connection: transactional ids are initialised. */
int perf_transactions_start(perf *run);
/*
 * The sender's thread: before records are sent, one is opened when none is; behind n of them, no more than are left, one that is full is
 * committed; at the end what is open is. True when there are no transactions. False: the run is over, which was said.
 */
bool perf_transaction_begin(perf_sender *s);
bool perf_transaction_sent(perf_sender *s, uint64_t n);
bool perf_transaction_end(perf_sender *s);

/* A kp_report_cb, whose opaque is a perf_sink. */
void perf_on_reports(kp_producer *producer, const kp_report *reports, size_t n, void *opaque);
/* Take what the sinks have into latency_ns and recent_ns. */
void perf_take_latencies(perf *run);
uint64_t perf_accepted(const perf *run);
uint64_t perf_bytes(const perf *run);
/* Show how it goes, when that is due; opaque is the perf. */
void perf_progress(void *opaque);

/* Start the threads, wait for them with progress. CLI_GO_ON or an exit code. */
int perf_send(perf *run);
/* After the last report: print, and the exit code. */
int perf_result(perf *run);

#endif
