#include "client/failure_log.h"

#include <inttypes.h>
#include <stdio.h>

#include <kproducer/error.h>

#include "base/time.h"
#include "client/filler.h"
#include "producer/topic.h"

void kp_failure_log_init(kp_failure_log *f, kp_logger *log)
{
	*f = (kp_failure_log){.log = log};
}

/* The first of its kind in this window? */
static bool is_new_kind(kp_failure_log *f, const kp_batch *b)
{
	for (int i = 0; i < f->n_kinds; i++)
		if (f->kinds[i].error == b->error && f->kinds[i].last_error == b->last_error)
			return false;
	if (f->n_kinds == KP_FAILURE_KINDS)
		return false;
	f->kinds[f->n_kinds].error = b->error;
	f->kinds[f->n_kinds].last_error = b->last_error;
	f->n_kinds++;
	return true;
}

static void say(const kp_failure_log *f, const kp_batch *b, int64_t now_us)
{
	char text[1024];
	kp_report r = kp_filler_model(b);
	(void)kp_report_text(&r, text, sizeof(text));
	KP_LOG(f->log, KP_LOG_WARN, now_us, "batch_failed topic=%s partition=%d records=%d error=%s last_error=%s node=%d: %s",
	       r.topic, r.partition, b->n_records, kp_error_name(b->error), b->last_error ? kp_error_name(b->last_error) : "none",
	       r.node_id, text);
}

int64_t kp_failure_log_step(kp_failure_log *f, int64_t now_us, bool is_last)
{
	if (f->n_held_batches == 0)
		return KP_TIME_NEVER;
	if (now_us < f->window_end_us && !is_last)
		return f->window_end_us;
	KP_LOG(f->log, KP_LOG_WARN, now_us,
	       "batches_failed_too batches=%" PRIu64 " records=%" PRIu64 " since the lines above; the last: %s", f->n_held_batches,
	       f->n_held_records, f->held_text);
	f->n_held_batches = f->n_held_records = 0;
	return KP_TIME_NEVER;
}

void kp_failure_log_add(kp_failure_log *f, const kp_batch *b, int64_t now_us)
{
	if (b->error == KP_OK || b->error == KP_ERR_CLOSED || b->error == KP_ERR_PURGED || b->error == KP_ERR_TRANSACTION_ABORTED)
		return;
	if (now_us >= f->window_end_us) {
		(void)kp_failure_log_step(f, now_us, true);
		f->window_end_us = now_us + KP_FAILURES_WINDOW_US;
		f->n_said = f->n_kinds = 0;
	}
	bool is_new = is_new_kind(f, b);
	if (is_new || f->n_said < KP_FAILURES_SAID) {
		f->n_said++;
		say(f, b, now_us);
		return;
	}
	kp_report r = kp_filler_model(b);
	f->n_held_batches++;
	f->n_held_records += (uint64_t)b->n_records;
	(void)kp_report_text(&r, f->held_text, sizeof(f->held_text));
}
