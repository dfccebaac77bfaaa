/*
 * produce_outcomes.c - --report: one JSON line for each record that was read, as its outcome becomes known.
 *
 *   {"input":"FILE","record":1,"outcome":"PERSISTED","topic":"t","partition":0,"offset":17,"timestamp":1700000000000,"attempts":1}
 *
 * Put together by hand: this runs on the runtime's thread for every record.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/json.h"
#include "cli/produce.h"
#include "cli/talk.h"
#include "cli/trail.h"
#include "cli/utf8.h"

#define FIGURES_SIZE 320 /* names of members, numbers, the outcome */
#define MESSAGE_MAX 512  /* of a text: bytes that are shown */

/* Inline, so that a literal's length is known and the copy is a few moves. */
static inline __attribute__((always_inline)) char *put_text(char *out, const char *text)
{
	size_t len = strlen(text);
	memcpy(out, text, len);
	return out + len;
}

static char *put_uint(char *out, uint64_t n)
{
	size_t len = 1;
	for (uint64_t bound = 10; len < 20 && n >= bound; len++)
		bound = len < 19 ? bound * 10 : UINT64_MAX;
	for (char *p = out + len; p > out; n /= 10)
		*--p = (char)('0' + n % 10);
	return out + len;
}

/* What is not known is -1 in a report. */
static char *put_known(char *out, int64_t n)
{
	return n < 0 ? put_text(out, "null") : put_uint(out, (uint64_t)n);
}

/* As a JSON string's inside; up to six times as long. Not UTF-8 or cut off: '?'. */
static char *put_escaped(char *out, const char *text, size_t max)
{
	for (size_t i = 0, n; i < max && text[i]; i += n) {
		unsigned char c = (unsigned char)text[i];
		n = cli_utf8_length(text + i, 4);
		if (cli_json_is_special(c))
			out += cli_json_escape(c, out);
		else if (!n) {
			*out++ = '?';
			n = 1;
		} else {
			memcpy(out, text + i, n);
			out += n;
		}
	}
	return out;
}

static size_t longest_name(const cli_inputs *in)
{
	size_t longest = 0;
	for (size_t i = 0; i < in->n; i++) {
		size_t len = strlen(in->list[i].name);
		longest = len > longest ? len : longest;
	}
	return longest;
}

int produce_outcomes_open(produce *p)
{
	/* As long as the longest name may need, once and for all. */
	p->line.prefix_room = 6 * longest_name(&p->inputs) + 64;
	p->line.prefix = malloc(p->line.prefix_room);
	if (!p->line.prefix) {
		cli_error("out of memory");
		return CLI_FAILED;
	}
	return CLI_GO_ON;
}

/* {"input":"FILE","record":N,"outcome":" */
static char *put_origin(produce *p, char *out, uint64_t ordinal)
{
	produce_line *l = &p->line;
	uint64_t number;
	const cli_input *input = cli_inputs_origin(&p->inputs, ordinal, &number);
	if (input != l->input) {
		char *end = put_text(l->prefix, "{\"input\":\"");
		end = put_escaped(end, input->name, SIZE_MAX);
		end = put_text(end, "\",\"record\":");
		l->prefix_len = (size_t)(end - l->prefix);
		l->input = input;
	}
	memcpy(out, l->prefix, l->prefix_len);
	out = put_uint(out + l->prefix_len, number);
	return put_text(out, ",\"outcome\":\"");
}

/* PERSISTED","topic":"t","partition":0,"offset": */
static char *put_middle(produce_line *l, char *out, const char *outcome, const char *topic, int32_t partition)
{
	if (outcome != l->outcome || partition != l->partition || topic != l->topic) {
		char *end = put_text(l->middle, outcome);
		end = put_text(end, "\",\"topic\":\"");
		end = put_text(end, topic);
		end = put_text(end, "\",\"partition\":");
		end = put_known(end, partition);
		end = put_text(end, ",\"offset\":");
		l->middle_len = (size_t)(end - l->middle);
		l->outcome = outcome;
		l->topic = topic;
		l->partition = partition;
	}
	memcpy(out, l->middle, l->middle_len);
	return out + l->middle_len;
}

static char *put_time(produce_line *l, char *out, int64_t timestamp_ms)
{
	if (timestamp_ms != l->timestamp_ms || !l->time_len) {
		l->time_len = (size_t)(put_known(l->time, timestamp_ms) - l->time);
		l->timestamp_ms = timestamp_ms;
	}
	memcpy(out, l->time, sizeof(l->time)); /* of a fixed length: a few moves; what is too much is overwritten */
	return out + l->time_len;
}

static char *put_message(char *out, const char *text)
{
	out = put_text(out, ",\"message\":\"");
	out = put_escaped(out, text, MESSAGE_MAX);
	return put_text(out, "\"");
}

static char *put_error(char *out, int error, const char *text)
{
	out = put_text(out, ",\"error\":\"");
	out = put_text(out, kp_error_name(error));
	out = put_text(out, "\",\"code\":");
	if (error < 0)
		*out++ = '-';
	out = put_uint(out, error < 0 ? (uint64_t) - (int64_t)error : (uint64_t)error);
	return put_message(out, text && *text ? text : kp_error_text(error));
}

static const char *outcome_of(const kp_report *r)
{
	if (r->outcome == KP_PERSISTED)
		return "PERSISTED";
	if (r->outcome == KP_NOT_PERSISTED)
		return "NOT_PERSISTED";
	return r->error ? "UNKNOWN" : "UNACKNOWLEDGED";
}

static char *put_transaction(const produce *p, char *out)
{
	if (!p->txn.is_on)
		return out;
	out = put_text(out, ",\"transaction\":");
	return put_uint(out, atomic_load_explicit(&p->txn.number, memory_order_relaxed));
}

static char *put_report(produce *p, char *out, const kp_report *r)
{
	out = put_origin(p, out, (uint64_t)(uintptr_t)r->opaque >> PRODUCE_TAG_BITS);
	out = put_middle(&p->line, out, outcome_of(r), r->topic, r->partition);
	out = put_known(out, r->offset);
	out = put_text(out, ",\"timestamp\":");
	out = put_time(&p->line, out, r->timestamp_ms);
	out = put_text(out, ",\"attempts\":");
	out = put_uint(out, (uint64_t)r->attempts);
	out = put_transaction(p, out);
	if (r->error)
		out = cli_trail_put(r, put_text(put_error(out, r->error, r->message), ","));
	return put_text(out, "}\n");
}

static const char *report_name(const produce *p)
{
	return strcmp(p->options->report_path, "-") ? p->options->report_path : "standard output";
}

static void say_unreported(produce *p, int error)
{
	if (!p->has_said_unreported)
		cli_error("cannot write the report to %s: %s; it ends here", report_name(p), strerror(error));
	p->has_said_unreported = true;
}

/* Room for n lines, NULL: there is no report (any more). */
static char *reserve(produce *p, size_t n, bool has_messages)
{
	size_t line = p->line.prefix_room + FIGURES_SIZE + strlen(p->options->common.topic) +
	              (has_messages ? 6 * MESSAGE_MAX + 256 + CLI_TRAIL_MAX : 0);
	char *out = cli_sink_reserve(&p->report, n * line);
	if (!out)
		say_unreported(p, cli_sink_error(&p->report));
	return out;
}

void produce_outcomes_add(produce *p, const kp_report *reports, size_t n)
{
	bool has_messages = false;
	for (size_t i = 0; i < n; i++)
		has_messages |= kp_report_at(reports, i)->error != 0;
	char *out = reserve(p, n, has_messages), *end = out;
	if (!out)
		return;
	for (size_t i = 0; i < n; i++)
		end = put_report(p, end, kp_report_at(reports, i));
	cli_sink_commit(&p->report, (size_t)(end - out), n);
}

void produce_outcomes_refused(produce *p, const kp_record *record, int error, const char *text)
{
	if (p->report.file.fd < 0)
		return;
	char *out = reserve(p, 1, true), *end = out;
	if (!out)
		return;
	end = put_origin(p, end, (uint64_t)(uintptr_t)record->opaque >> PRODUCE_TAG_BITS);
	end = put_middle(&p->line, end, error ? "NOT_PERSISTED" : "MALFORMED", p->options->common.topic, record->partition);
	end = put_text(end, "null,\"timestamp\":null,\"attempts\":0");
	end = put_transaction(p, end);
	end = error ? put_error(end, error, text) : put_message(end, text);
	end = put_text(end, "}\n");
	cli_sink_commit(&p->report, (size_t)(end - out), 1);
}

/* {"transaction":3,"outcome":"COMMITTED","records":100} */
void produce_outcomes_transaction(produce *p, const char *outcome)
{
	if (p->report.file.fd < 0)
		return;
	char *out = reserve(p, 1, true), *end = out;
	if (!out)
		return;
	end = put_text(end, "{\"transaction\":");
	end = put_uint(end, atomic_load_explicit(&p->txn.number, memory_order_relaxed));
	end = put_text(end, ",\"outcome\":\"");
	end = put_text(end, outcome);
	end = put_text(end, "\",\"records\":");
	end = put_uint(end, p->txn.n);
	end = put_text(end, "}\n");
	cli_sink_commit(&p->report, (size_t)(end - out), 0);
}

static bool may_wait(void *opaque)
{
	produce *p = opaque;
	return cli_session_may_wait(&p->session);
}

bool produce_outcomes_close(produce *p)
{
	if (p->report.file.fd < 0)
		return true;
	int error = cli_sink_close(&p->report, may_wait, p);
	uint64_t n_records = p->accepted + p->refused + p->malformed, n_written = cli_sink_written(&p->report);
	free(p->line.prefix);
	p->line.prefix = NULL;
	if (!error)
		return true;
	say_unreported(p, error);
	cli_error("%s has the outcomes of %" PRIu64 " of %" PRIu64 " records", report_name(p), n_written, n_records);
	return false;
}
