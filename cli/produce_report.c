/*
 * produce_report.c - what becomes of records: counted, named, kept in --failed, and in the end an exit code.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/produce.h"
#include "cli/signals.h"
#include "cli/talk.h"

static uint64_t ordinal_of(const void *opaque)
{
	return (uint64_t)(uintptr_t)opaque >> PRODUCE_TAG_BITS;
}

/* Under the lock, as all of the static functions down to keep(). */
static void name_on_stderr(produce *p, uint64_t ordinal, const char *text)
{
	uint64_t number;
	if (p->n_named == PRODUCE_NAMED_MAX) {
		p->n_unnamed++;
		return;
	}
	p->n_named++;
	const cli_input *input = cli_inputs_origin(&p->inputs, ordinal, &number);
	cli_error("%s %" PRIu64 " of %s: %s", p->options->format->noun, number, input->name, text);
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

/* What --failed says of a record; the content must be that of the input, without what the library chose. */
static cli_failed_record describe(produce *p, const kp_record *content, const char *outcome, const char *error)
{
	cli_failed_record f = {.ordinal = ordinal_of(content->opaque), .outcome = outcome, .error = error, .content = content};
	f.input = cli_inputs_origin(&p->inputs, f.ordinal, &f.number)->name;
	return f;
}

/* Into --failed, or else by name. content NULL: the library could not give it back. */
static void keep(produce *p, const kp_report *r, const kp_record *content, const char *text)
{
	if (content && p->failed.file.fd >= 0) {
		cli_failed_record f = describe(p, content, r->outcome == KP_UNKNOWN ? "UNKNOWN" : "NOT_PERSISTED",
		                               kp_error_name(r->error));
		f.report = r->struct_size ? r : NULL; /* kp_send refused it: there is no trail */
		if (cli_failed_record_add(&p->failed, &f))
			return;
	}
	say_failed_file_is_full(p);
	name_on_stderr(p, ordinal_of(r->opaque), text);
}

static bool is_complete_content(const kp_report *r, unsigned tags)
{
	return (r->key || r->value || !(tags & PRODUCE_HAS_BYTES)) && (r->n_headers || !(tags & PRODUCE_HAS_HEADERS));
}

static void on_failure(produce *p, const kp_report *r)
{
	char text[1024];
	unsigned tags = (unsigned)(uintptr_t)r->opaque;
	kp_record content = KP_RECORD_INIT;
	content.opaque = r->opaque;
	content.key = r->key;
	content.key_len = r->key_len;
	content.value = r->value;
	content.value_len = r->value_len;
	content.headers = r->headers;
	content.n_headers = r->n_headers;
	if (tags & PRODUCE_HAS_PARTITION)
		content.partition = r->partition;
	if (tags & PRODUCE_HAS_TIMESTAMP)
		content.timestamp_ms = r->timestamp_ms;
	cli_tally_failure(&p->tally, r->outcome, r->error);
	if (r->error == KP_ERR_TRANSACTION_ABORTED)
		return; /* the transaction is named */
	(void)kp_report_text(r, text, sizeof(text));
	keep(p, r, is_complete_content(r, tags) ? &content : NULL, text);
}

void produce_on_ends(produce *p, const kp_report *reports, size_t n)
{
	uint64_t persisted = 0, unacknowledged = 0;
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
	if (p->options->report_path) {
		pthread_mutex_lock(&p->lock);
		produce_outcomes_add(p, reports, n);
		pthread_mutex_unlock(&p->lock);
	}
	cli_tally_add(&p->tally, persisted, unacknowledged, cli_now_ns());
}

void produce_on_reports(kp_producer *producer, const kp_report *reports, size_t n, void *opaque)
{
	produce *p = opaque;
	size_t from = 0;
	(void)producer;
	for (size_t i = 0; p->resender && i < n; i++)
		if (produce_resend_takes(p, kp_report_at(reports, i))) {
			if (i > from)
				produce_on_ends(p, kp_report_at(reports, from), i - from);
			from = i + 1;
		}
	if (n > from)
		produce_on_ends(p, kp_report_at(reports, from), n - from);
}

static size_t size_of(const kp_record *r)
{
	size_t bytes = r->key_len + r->value_len;
	for (size_t i = 0; i < r->n_headers; i++)
		bytes += strlen(r->headers[i].name) + r->headers[i].value_len;
	return bytes;
}

void produce_refuse(produce *p, const kp_record *record, int error)
{
	char text[1024], cause[256] = "";
	kp_report r = {.opaque = record->opaque, .error = error, .outcome = KP_NOT_PERSISTED};
	if (error == KP_ERR_RECORD_TOO_LARGE)
		snprintf(cause, sizeof(cause), "key, value and headers have %zu bytes, max.request.size is %" PRIu64,
		         size_of(record), p->max_request_size);
	else if (error == KP_ERR_UNKNOWN_PARTITION)
		snprintf(cause, sizeof(cause), "the topic has no partition %" PRId32, record->partition);
	snprintf(text, sizeof(text), "NOT_PERSISTED %s (%s): %s", kp_error_name(error), *cause ? cause : kp_error_text(error),
	         kp_error_advice(error));
	cli_tally_failure(&p->tally, KP_NOT_PERSISTED, error);
	pthread_mutex_lock(&p->lock);
	keep(p, &r, record, text);
	produce_outcomes_refused(p, record, error, cause);
	pthread_mutex_unlock(&p->lock);
}

/* The first piece: everything of the record but its value, or the input's bytes as they are. */
static void begin_long(produce *p, const kp_record *piece)
{
	const produce_options *o = p->options;
	cli_failed_record f = describe(p, piece, "NOT_PERSISTED", kp_error_name(KP_ERR_RECORD_TOO_LARGE));
	f.omits_key = o->key_from.is_set && !(p->reader.given & CLI_GIVEN_KEY);
	p->long_value = (cli_base64){0};
	if (o->format->is_raw)
		cli_failed_begin(&p->failed, f.ordinal);
	else
		cli_failed_record_begin(&p->failed, &f);
}

/* false: the record will not be in the file. */
static bool keep_piece(produce *p, const kp_record *piece, bool is_last)
{
	if (!cli_failed_is_open(&p->failed, ordinal_of(piece->opaque)))
		return false;
	if (!p->options->format->is_raw)
		return cli_failed_record_piece(&p->failed, &p->long_value, piece->value, piece->value_len, is_last);
	cli_failed_put(&p->failed, piece->value, piece->value_len);
	return is_last ? cli_failed_end(&p->failed) : p->failed.is_open;
}

void produce_refuse_long(produce *p, const kp_record *piece, bool is_first, bool is_last)
{
	const int error = KP_ERR_RECORD_TOO_LARGE;
	uint64_t ordinal = ordinal_of(piece->opaque);
	char text[1024], cause[256];
	pthread_mutex_lock(&p->lock);
	if (is_first && p->failed.file.fd >= 0)
		begin_long(p, piece);
	bool is_kept = keep_piece(p, piece, is_last);
	snprintf(cause, sizeof(cause), "the %s has %" PRIu64 " bytes, max.request.size is %" PRIu64, p->options->format->noun,
	         p->reader.long_bytes, p->max_request_size);
	if (is_last && !is_kept) {
		snprintf(text, sizeof(text), "NOT_PERSISTED %s (%s): %s", kp_error_name(error), cause, kp_error_advice(error));
		say_failed_file_is_full(p);
		name_on_stderr(p, ordinal, text);
	}
	if (is_last)
		produce_outcomes_refused(p, piece, error, cause);
	pthread_mutex_unlock(&p->lock);
	if (is_last)
		cli_tally_failure(&p->tally, KP_NOT_PERSISTED, error);
}

/* To be mended by hand, so it is named in every case, and kept as it came. */
void produce_refuse_malformed(produce *p, const kp_record *record, const char *problem, bool is_raw)
{
	char text[400];
	uint64_t ordinal = ordinal_of(record->opaque);
	cli_failed_record f;
	snprintf(text, sizeof(text), "MALFORMED, not sent: %s", problem);
	pthread_mutex_lock(&p->lock);
	name_on_stderr(p, ordinal, text);
	produce_outcomes_refused(p, record, 0, problem);
	if (p->failed.file.fd >= 0 && is_raw && cli_failed_begin(&p->failed, ordinal)) {
		cli_failed_put(&p->failed, record->value, record->value_len);
		cli_failed_end(&p->failed);
	} else if (p->failed.file.fd >= 0 && !is_raw) {
		f = describe(p, record, "MALFORMED", "NO_KEY");
		cli_failed_record_add(&p->failed, &f);
	}
	say_failed_file_is_full(p);
	pthread_mutex_unlock(&p->lock);
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
	cli_json_uint(&j, "malformed", p->malformed);
	cli_json_uint(&j, "resent", p->n_resent);
	cli_json_uint(&j, "bytes", p->bytes);
	cli_json_real(&j, "seconds", seconds, 6);
	cli_json_real(&j, "records_per_second", seconds > 0 ? (double)cli_counts_delivered(c) / seconds : 0, 1);
	if (p->txn.is_on)
		produce_txn_json(p, &j);
	cli_json_text(&j, "stopped_by", cli_stop_count() ? cli_stop_signal_name() : NULL);
	cli_tally_json(&p->tally, &j);
	cli_json_close(&j, '}');
	putchar('\n');
}

/* "all persisted", or what happened to how many. */
static void describe_outcome(const produce *p, const cli_counts *c, char *out, size_t out_size)
{
	const char *good = c->unacknowledged ? "written (acks=0: not acknowledged)" : "persisted";
	char bad[96] = "", unknown[96] = "", malformed[96] = "";
	if (c->not_persisted)
		snprintf(bad, sizeof(bad), ", %" PRIu64 " not persisted", c->not_persisted);
	if (c->unknown)
		snprintf(unknown, sizeof(unknown), ", %" PRIu64 " unknown (may be in the log)", c->unknown);
	if (p->malformed)
		snprintf(malformed, sizeof(malformed), "; %" PRIu64 " malformed, not sent", p->malformed);
	if (p->accepted + p->refused == 0)
		snprintf(out, out_size, "nothing to send%s", malformed);
	else if (!*bad && !*unknown)
		snprintf(out, out_size, "all %s%s", good, malformed);
	else
		snprintf(out, out_size, "%" PRIu64 " %s%s%s%s", cli_counts_delivered(c), good, bad, unknown, malformed);
}

static void print_summary(const produce *p, const cli_counts *c, double seconds)
{
	char bytes[CLI_NUMBER_SIZE], rate[CLI_NUMBER_SIZE], outcome[420], resent[64] = "";
	if (p->txn.is_on)
		produce_txn_describe(p, outcome, sizeof(outcome));
	else
		describe_outcome(p, c, outcome, sizeof(outcome));
	uint64_t n = p->accepted + p->refused;
	if (p->n_resent)
		snprintf(resent, sizeof(resent), "; %" PRIu64 " sent again", (uint64_t)p->n_resent);
	cli_say("%" PRIu64 " record%s, %s in %.2f s (%s records/s), %s%s", n, n == 1 ? "" : "s",
	        cli_format_bytes(bytes, (double)p->bytes), seconds,
	        cli_format_count(rate, seconds > 0 ? (double)cli_counts_delivered(c) / seconds : 0), outcome, resent);
}

/* The runtime has stopped or reported all, so only this thread is left. */
static void close_failed_file(produce *p)
{
	int error = cli_failed_close(&p->failed);
	if (p->options->failed_path && p->failed.n_written)
		cli_say("%" PRIu64 " of the failed records %s in %s; --input-format json feeds %s in again", p->failed.n_written,
		        p->failed.n_written == 1 ? "is" : "are", p->failed.path, p->failed.n_written == 1 ? "it" : "them");
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
	bool is_reported = produce_outcomes_close(p);
	/* With no more failures than were named one by one, the lines above said it all. */
	if (p->n_unnamed || p->failed.n_written)
		cli_tally_say(&p->tally);
	produce_txn_say(p);
	if (!is_complete)
		cli_error("%" PRIu64 " records were accepted, %" PRIu64 " ended: a bug in this library, please report it",
		          p->accepted + p->refused, cli_counts_ended(&c));
	if (p->options->common.json)
		print_json(p, &c, seconds);
	else
		print_summary(p, &c, seconds);
	if (c.not_persisted || c.unknown || p->malformed || !is_complete || !is_reported || p->has_read_error || p->failed.error)
		return CLI_FAILED;
	if (produce_txn_has_failed(&p->txn))
		return CLI_FAILED;
	return cli_stop_count() ? 128 + cli_stop_signal() : CLI_OK;
}
