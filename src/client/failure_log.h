/*
 * failure_log.h - failed batches in the log: the first of a kind at once, a handful in a window of time, and one line for the rest.
 *
 *   window of 10 s:  [ line | line | … KP_FAILURES_SAID ]  further ones are counted  ─▶ batches_failed_too batches=9995 records=…
 *
 * A kind is an error with its last error: the first of each is said even when the window's lines are spent. Runtime's thread.
 */
#ifndef KP_CLIENT_FAILURE_LOG_H
#define KP_CLIENT_FAILURE_LOG_H

#include "base/log.h"
#include "producer/batch.h"

#define KP_FAILURES_SAID 5
#define KP_FAILURES_WINDOW_US 10000000
#define KP_FAILURE_KINDS 8

typedef struct kp_failure_log {
	kp_logger *log;
	int64_t window_end_us; /* of the present window; 0: none was opened yet */
	int n_said, n_kinds;   /* in it */
	struct {
		int error, last_error;
	} kinds[KP_FAILURE_KINDS];
	uint64_t n_held_batches, n_held_records; /* counted, not said */
	char held_text[512];                     /* of the last of them */
} kp_failure_log;

void kp_failure_log_init(kp_failure_log *f, kp_logger *log);
/* A batch ended with an error. Does nothing for one that was purged, or ended by the close, as was asked for. */
void kp_failure_log_add(kp_failure_log *f, const kp_batch *b, int64_t now_us);
/* What is held back is said if its window is over, or with is_last. Returns when to call again at the latest; KP_TIME_NEVER. */
int64_t kp_failure_log_step(kp_failure_log *f, int64_t now_us, bool is_last);

#endif
