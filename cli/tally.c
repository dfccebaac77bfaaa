/*
 * tally.c - see tally.h.
 */
#include "cli/tally.h"

#include <inttypes.h>
#include <stdio.h>

#include "cli/talk.h"

void cli_tally_init(cli_tally *t)
{
	*t = (cli_tally){.lock = PTHREAD_MUTEX_INITIALIZER};
}

void cli_tally_add(cli_tally *t, uint64_t persisted, uint64_t unacknowledged, int64_t now_ns)
{
	pthread_mutex_lock(&t->lock);
	t->counts.persisted += persisted;
	t->counts.unacknowledged += unacknowledged;
	t->last_report_ns = now_ns;
	pthread_mutex_unlock(&t->lock);
}

/* Under the lock. */
static cli_code_count *slot_of(cli_tally *t, int error)
{
	size_t i = 0;
	while (i < t->n_codes && t->codes[i].code != error && i < CLI_TALLY_CODES - 1)
		i++;
	if (i == t->n_codes)
		t->codes[t->n_codes++] = (cli_code_count){.code = error};
	return &t->codes[i];
}

void cli_tally_failure(cli_tally *t, kp_outcome outcome, int error)
{
	pthread_mutex_lock(&t->lock);
	cli_code_count *slot = slot_of(t, error);
	if (outcome == KP_UNKNOWN) {
		t->counts.unknown++;
		slot->n_unknown++;
	} else {
		t->counts.not_persisted++;
		slot->n_not_persisted++;
	}
	pthread_mutex_unlock(&t->lock);
}

cli_counts cli_tally_get(cli_tally *t, int64_t *last_report_ns)
{
	pthread_mutex_lock(&t->lock);
	cli_counts counts = t->counts;
	if (last_report_ns)
		*last_report_ns = t->last_report_ns;
	pthread_mutex_unlock(&t->lock);
	return counts;
}

void cli_tally_say(const cli_tally *t)
{
	for (size_t i = 0; i < t->n_codes; i++) {
		const cli_code_count *c = &t->codes[i];
		if (c->n_not_persisted)
			cli_error("%" PRIu64 " not persisted: %s (%s): %s", c->n_not_persisted, kp_error_name(c->code),
			          kp_error_text(c->code), kp_error_advice(c->code));
		if (c->n_unknown)
			cli_error("%" PRIu64 " unknown (they may be in the log): %s (%s): %s", c->n_unknown, kp_error_name(c->code),
			          kp_error_text(c->code), kp_error_advice(c->code));
	}
}

void cli_tally_json(const cli_tally *t, cli_json *j)
{
	cli_json_open(j, "errors", '[');
	for (size_t i = 0; i < t->n_codes; i++) {
		const cli_code_count *c = &t->codes[i];
		cli_json_open(j, NULL, '{');
		cli_json_int(j, "code", c->code);
		cli_json_text(j, "name", kp_error_name(c->code));
		cli_json_uint(j, "count", c->n_not_persisted + c->n_unknown);
		cli_json_uint(j, "not_persisted", c->n_not_persisted);
		cli_json_uint(j, "unknown", c->n_unknown);
		cli_json_text(j, "advice", kp_error_advice(c->code));
		cli_json_close(j, '}');
	}
	cli_json_close(j, ']');
}
