/*
 * produce_report.c - what becomes of records: counted, named, kept in --failed, and in the end an exit code.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/produce.h"
#include "cli/signals.h"
#include "cli/talk.h"

/* Under the lock, as all of the static functions down to keep(). */
static void name_on_stderr(produce *p, uint64_t ordinal, const char *text)
{
	const char *name;
	uint64_t line;
	if (p->n_named == PRODUCE_NAMED_MAX) {
		p->n_unnamed++;
		return;
	}
	p->n_named++;
	cli_inputs_origin(&p->inputs, ordinal, &name, &line);
	cli_error("line %" PRIu64 " of %s: %s", line, name, text);
}

static void say_failed_file_is_full(produce *p)
{
	if (!p->failed.error || p->has_said_full)
		return;
	p->has_said_full = true;
	cli_error("cannot write %s: %s; failed records are named here from now on", p->failed.path, strerror(p->failed.error));
}

void produce_lost(void *opaque, uint64_t ordinal)
{
	produce *p = opaque;
	say_failed_file_is_full(p);
	name_on_stderr(p, ordinal, "failed, and is not in the --failed file");
}

/* Into --failed, or else by name. content NULL: the library could not give it back. */
static void keep(produce *p, uint64_t ordinal, const kp_record *content, const char *text)
{
	const produce_options *o = p->options;
	cli_slice parts[3];
	size_t n = 0;
	if (content && o->delimiter_len && content->key) {
		parts[n++] = (cli_slice){content->key, content->key_len};
		parts[n++] = (cli_slice){o->delimiter, o->delimiter_len};
	}
	if (content)
		parts[n++] = (cli_slice){content->value, content->value_len};
	if (content && p->failed.fd >= 0 && cli_failed_add(&p->failed, ordinal, parts, n))
		return;
	say_failed_file_is_full(p);
	name_on_stderr(p, ordinal, text);
}

static void on_failure(produce *p, const kp_report *r)
{
	char text[1024];
	kp_record content = KP_RECORD_INIT;
	content.key = r->key;
	content.key_len = r->key_len;
	content.value = r->value;
	content.value_len = r->value_len;
	cli_tally_failure(&p->tally, r->outcome, r->error);
	cli_failure_text(r, text, sizeof(text));
	keep(p, (uint64_t)(uintptr_t)r->opaque, r->value ? &content : NULL, text);
}

void produce_on_reports(kp_producer *producer, const kp_report *reports, size_t n, void *opaque)
{
	produce *p = opaque;
	uint64_t persisted = 0, unacknowledged = 0;
	(void)producer;
	for (size_t i = 0; i < n; i++) {
		const kp_report *r = kp_report_at(reports, i);
		if (r->outcome == KP_PERSISTED)
			persisted++;
		else if (r->outcome == KP_UNKNOWN && !r->error)
			unacknowledged++;
		else {
			pthread_mutex_lock(&p->lock);
			on_failure(p, r);
			pthread_mutex_unlock(&p->lock);
		}
	}
	cli_tally_add(&p->tally, persisted, unacknowledged, cli_now_ns());
}

void produce_refuse(produce *p, const kp_record *record, int error)
{
	char text[1024], cause[256] = "";
	size_t bytes = record->key_len + record->value_len;
	for (size_t i = 0; i < record->n_headers; i++)
		bytes += strlen(record->headers[i].name) + record->headers[i].value_len;
	if (error == KP_ERR_RECORD_TOO_LARGE)
		snprintf(cause, sizeof(cause), "key, value and headers have %zu bytes, max.request.size is %" PRIu64, bytes,
		         p->max_request_size);
	snprintf(text, sizeof(text), "NOT_PERSISTED %s (%s): %s", kp_error_name(error), *cause ? cause : kp_error_text(error),
	         kp_error_advice(error));
	cli_tally_failure(&p->tally, KP_NOT_PERSISTED, error);
	pthread_mutex_lock(&p->lock);
	keep(p, (uint64_t)(uintptr_t)record->opaque, record, text);
	pthread_mutex_unlock(&p->lock);
}

void produce_refuse_long(produce *p, cli_slice piece, bool is_last, uint64_t line_bytes)
{
	char text[1024];
	pthread_mutex_lock(&p->lock);
	bool is_kept = p->failed.fd >= 0 && cli_failed_piece(&p->failed, p->ordinal, piece, is_last);
	if (is_last && !is_kept) {
		snprintf(text, sizeof(text),
		         "NOT_PERSISTED %s (the line has %" PRIu64 " bytes, max.request.size is %" PRIu64 "): %s",
		         kp_error_name(KP_ERR_RECORD_TOO_LARGE), line_bytes, p->max_request_size,
		         kp_error_advice(KP_ERR_RECORD_TOO_LARGE));
		say_failed_file_is_full(p);
		name_on_stderr(p, p->ordinal, text);
	}
	pthread_mutex_unlock(&p->lock);
	if (is_last)
		cli_tally_failure(&p->tally, KP_NOT_PERSISTED, KP_ERR_RECORD_TOO_LARGE);
}

static void print_json(produce *p, const cli_counts *c, double seconds)
{
	cli_json j = {.out = stdout};
	cli_json_open(&j, NULL, '{');
	cli_json_uint(&j, "records", p->accepted + p->refused);
	cli_json_uint(&j, "persisted", c->persisted);
	cli_json_uint(&j, "not_persisted", c->not_persisted);
	cli_json_uint(&j, "unknown", c->unknown + c->unacknowledged);
	cli_json_uint(&j, "unacknowledged", c->unacknowledged); /* of the unknown ones: written with acks=0 */
	cli_json_uint(&j, "skipped", p->skipped);
	cli_json_uint(&j, "bytes", p->bytes);
	cli_json_real(&j, "seconds", seconds, 6);
	cli_json_real(&j, "records_per_second", seconds > 0 ? (double)cli_counts_delivered(c) / seconds : 0, 1);
	cli_json_text(&j, "stopped_by", cli_stop_count() ? cli_stop_signal_name() : NULL);
	cli_tally_json(&p->tally, &j);
	cli_json_close(&j, '}');
	putchar('\n');
}

/* "all persisted", or what happened to how many. */
static void describe_outcome(const produce *p, const cli_counts *c, char *out, size_t out_size)
{
	const char *good = c->unacknowledged ? "written (acks=0: not acknowledged)" : "persisted";
	char bad[96] = "", unknown[96] = "";
	if (c->not_persisted)
		snprintf(bad, sizeof(bad), ", %" PRIu64 " not persisted", c->not_persisted);
	if (c->unknown)
		snprintf(unknown, sizeof(unknown), ", %" PRIu64 " unknown (may be in the log)", c->unknown);
	if (p->accepted + p->refused == 0)
		snprintf(out, out_size, "nothing to send");
	else if (!*bad && !*unknown)
		snprintf(out, out_size, "all %s", good);
	else
		snprintf(out, out_size, "%" PRIu64 " %s%s%s", cli_counts_delivered(c), good, bad, unknown);
}

static void print_summary(const produce *p, const cli_counts *c, double seconds)
{
	char bytes[CLI_NUMBER_SIZE], rate[CLI_NUMBER_SIZE], outcome[320];
	describe_outcome(p, c, outcome, sizeof(outcome));
	uint64_t n = p->accepted + p->refused;
	cli_say("%" PRIu64 " record%s, %s in %.2f s (%s records/s), %s", n, n == 1 ? "" : "s",
	        cli_format_bytes(bytes, (double)p->bytes), seconds,
	        cli_format_count(rate, seconds > 0 ? (double)cli_counts_delivered(c) / seconds : 0), outcome);
}

/* The runtime has stopped or reported all, so only this thread is left. */
static void close_failed_file(produce *p)
{
	int error = cli_failed_close(&p->failed);
	if (p->options->failed_path && p->failed.n_written)
		cli_say("%" PRIu64 " of the failed records %s in %s", p->failed.n_written, p->failed.n_written == 1 ? "is" : "are",
		        p->failed.path);
	if (error && !p->has_said_full)
		cli_error("cannot write %s: %s", p->failed.path, strerror(error));
	if (p->n_unnamed)
		cli_error("and %" PRIu64 " more", p->n_unnamed);
}

int produce_result(produce *p)
{
	int64_t last_ns;
	cli_counts c = cli_tally_get(&p->tally, &last_ns);
	double seconds = p->first_send_ns && last_ns > p->first_send_ns ? (double)(last_ns - p->first_send_ns) / 1e9 : 0;
	bool is_complete = cli_counts_ended(&c) == p->accepted + p->refused;
	close_failed_file(p);
	/* With no more failures than were named one by one, the lines above said it all. */
	if (p->n_unnamed || p->failed.n_written)
		cli_tally_say(&p->tally);
	if (!is_complete)
		cli_error("%" PRIu64 " records were accepted, %" PRIu64 " ended: a bug in this library, please report it",
		          p->accepted + p->refused, cli_counts_ended(&c));
	if (p->options->common.json)
		print_json(p, &c, seconds);
	else
		print_summary(p, &c, seconds);
	if (c.not_persisted || c.unknown || !is_complete || p->has_read_error || p->failed.error)
		return CLI_FAILED;
	return cli_stop_count() ? 128 + cli_stop_signal() : CLI_OK;
}
