/*
 * produce_resend.c - --resend: failed records go to a resender, which a thread polls; what comes out of it has ended for good.
 */
#include <string.h>

#include "cli/produce.h"
#include "cli/signals.h"
#include "cli/talk.h"

#define AT_ONCE 64

static void *poll_ends(void *opaque)
{
	produce *p = opaque;
	kp_report ends[AT_ONCE];
	size_t n = 0;
	ends[0].struct_size = sizeof(ends[0]);
	/* the flag before the look: what ended before it was set comes out of that look */
	for (bool is_over = false; !is_over || n;) {
		is_over = p->is_resend_over;
		n = kp_resender_poll(p->resender, ends, AT_ONCE, is_over ? 0 : CLI_SLICE_MS);
		if (n)
			produce_on_ends(p, ends, n);
	}
	return NULL;
}

int produce_resend_start(produce *p)
{
	const produce_options *o = p->options;
	char err[256];
	kp_resend_options options = KP_RESEND_OPTIONS_INIT;
	if (!o->resend)
		return CLI_GO_ON;
	options.max_attempts = (int)o->resend;
	options.flags = o->resend_unknown ? KP_RESEND_UNKNOWN : 0;
	options.count_header = o->retry_count_header;
	p->resender = kp_resender_new(p->session.producer, &options, err, sizeof(err));
	if (!p->resender) {
		cli_error("--resend: %s", err);
		return CLI_FAILED;
	}
	int error = pthread_create(&p->resend_thread, NULL, poll_ends, p);
	if (!error)
		return CLI_GO_ON;
	cli_error("cannot start a thread for --resend: %s", strerror(error));
	kp_resender_free(p->resender);
	p->resender = NULL;
	return CLI_FAILED;
}

bool produce_resend_takes(produce *p, const kp_report *r)
{
	if (!r->error || kp_resender_offer(p->resender, r))
		return false;
	p->n_resent++;
	return true;
}

void produce_settle(produce *p)
{
	for (;;) {
		bool has_ended = kp_flush(p->session.producer, CLI_SLICE_MS) != KP_ERR_TIMED_OUT;
		if (has_ended && !(p->resender && kp_resender_pending(p->resender)))
			return;
		if (!cli_session_may_wait(&p->session))
			return;
		if (has_ended)
			cli_wait_readable(-1, CLI_SLICE_MS);
		produce_progress(p);
	}
}

void produce_resend_end(produce *p)
{
	if (!p->resender)
		return;
	p->is_resend_over = true;
	pthread_join(p->resend_thread, NULL);
	kp_resender_free(p->resender);
	p->resender = NULL;
}
