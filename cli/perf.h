/*
 * perf.h - the parts of `kproducer perf`: sender threads (perf_send.c), figures and their print (perf_result.c), options and the
 * order of events (cmd_perf.c).
 *
 * The time of sending travels in the record's opaque, as ticks since the start and never 0; 0 (NULL) is a record that is not timed.
 * With a rate every record is timed, from the moment at which it was due and not from when we came to send it: a stall then counts
 * for all the records that it held up (coordinated omission). At full speed one record in PERF_SAMPLE_EVERY is.
 */
#ifndef KP_CLI_PERF_H
#define KP_CLI_PERF_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "cli/histogram.h"
#include "cli/options.h"
#include "cli/payload.h"
#include "cli/session.h"
#include "cli/tally.h"

#define PERF_SAMPLE_EVERY 1024
#define PERF_THREADS_MAX 256
/* A tick is 1 ns, or 1 us where a pointer has 32 bits: differences are modular, so there a run may last longer than they do. */
#define PERF_NS_PER_TICK (UINTPTR_MAX > 0xffffffffu ? 1 : 1000)

typedef struct perf_options {
	cli_common common;
	uint64_t n_records;             /* UINT64_MAX: as many as fit the duration */
	uint64_t size;                  /* SIZE_MAX: not given */
	double rate;                    /* records/s of all threads, 0: full speed */
	int64_t duration_ms, warmup_ms; /* 0: none */
	const char *payload_file;
	uint64_t n_keys, n_threads;
	uint64_t array; /* records per call: 1 is kp_send */
	int32_t partition;
} perf_options;

typedef struct perf_sender {
	struct perf *run;
	pthread_t thread;
	unsigned index;
	uint64_t n; /* to send */
	cli_payload_cursor cursor;
	_Alignas(64) atomic_uint_fast64_t accepted; /* relaxed: only the progress line reads it while the thread runs */
	uint64_t refused, bytes;                    /* bytes: keys and values of accepted records */
	kp_record records[PERF_SAMPLE_EVERY];       /* the first `array` of them are used */
} perf_sender;

typedef struct perf {
	const perf_options *options;
	cli_session session;
	cli_payload payload;
	cli_tally tally;
	perf_sender *senders;
	unsigned n_started;
	atomic_uint n_running;
	int done_fd;              /* readable when no sender runs */
	int64_t start_ns;         /* the first record is due */
	cli_histogram latency_ns; /* the report callback's, until the producer is closed */
} perf;

typedef struct perf_figures {
	uint64_t records, acked, failed, unknown, unacknowledged, bytes, retries;
	double seconds, records_per_second, mb_per_second, cpu_seconds;
	long max_rss_kb;
} perf_figures;

void perf_on_reports(kp_producer *producer, const kp_report *reports, size_t n, void *opaque);
/* Start the threads, wait for them with a progress line. CLI_GO_ON or an exit code. */
int perf_send(perf *run);
void perf_progress(void *opaque);
/* After the last report: print, and the exit code. */
int perf_result(perf *run);

#endif
