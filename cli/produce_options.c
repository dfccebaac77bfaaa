/*
 * produce_options.c - the options of `kproducer produce`, and which of them contradict each other.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/parse.h"
#include "cli/produce.h"
#include "cli/talk.h"

enum {
	OPTION_FAILED = CLI_OPTION_LONG,
	OPTION_SKIP_EMPTY,
	OPTION_INPUT_FORMAT,
	OPTION_KEY_FROM,
	OPTION_KEY_REQUIRED,
	OPTION_NULL_VALUE,
	OPTION_REPORT,
	OPTION_RATE,
	OPTION_RESEND,
	OPTION_RESEND_UNKNOWN,
	OPTION_RETRY_COUNT_HEADER,
	OPTION_TRANSACTIONAL_ID,
	OPTION_RECORDS_PER_TRANSACTION,
};

const cli_option produce_option_table[] = {
	{OPTION_INPUT_FORMAT, "input-format", "FORMAT", "lines, nul, length, length-kv or json: see below (lines)"},
	{'0', "null", NULL, "records end with a NUL byte: --input-format nul"},
	{'K', "key-delimiter", "DELIM",
         "the key ends at the first DELIM of a line; a line without it has no key (\\t, \\xHH and the like are understood)"},
	{OPTION_KEY_FROM, "key-from", "REGEX",
         "the key is what the first group of this POSIX extended expression finds in the value, or all that matches; no "
         "match: no key"},
	{'k', "key", "KEY", "this key for every record"},
	{OPTION_KEY_REQUIRED, "key-required", NULL, "do not send records without a key: they count as malformed"},
	{'H', "header", "NAME[=VALUE]", "a header for every record, without '=' with a null value; may be repeated"},
	{'p', "partition", "N", "this partition for every record"},
	{'Z', "tombstone", NULL, "empty values, and empty keys before DELIM, become null: --null-value ''"},
	{OPTION_NULL_VALUE, "null-value", "TEXT", "values, and keys before DELIM, that are TEXT become null"},
	{'z', "compression", "CODEC", "gzip, snappy, lz4, zstd or none (compression.type)"},
	{'c', "count", "N", "stop after N records (k, M, G)"},
	{OPTION_RATE, "rate", "R", "at most R records per second (k, M; 0.5 is one in two seconds)"},
	{OPTION_SKIP_EMPTY, "skip-empty", NULL, "do not send empty lines"},
	{OPTION_RESEND, "resend", "N", "send records that were not persisted again, up to N times (1 .. 1000)"},
	{OPTION_RESEND_UNKNOWN, "resend-unknown", NULL, "with --resend: those of unknown outcome too; may write the record twice"},
	{OPTION_RETRY_COUNT_HEADER, "retry-count-header", "NAME",
         "with --resend: a header NAME that tells how often the record was sent again, in the place of one of that name"},
	{OPTION_TRANSACTIONAL_ID, "transactional-id", "ID",
         "all records become visible together or none does: one transaction (transactional.id)"},
	{OPTION_RECORDS_PER_TRANSACTION, "records-per-transaction", "N",
         "with --transactional-id: a transaction for each N records (k, M, G)"},
	{OPTION_FAILED, "failed", "FILE",
         "append records that were not persisted to FILE, to be fed in again with --input-format json"},
	{OPTION_REPORT, "report", "FILE",
         "append the outcome of every record to FILE, a JSON object a line; '-' is standard output"},
	{0, NULL, NULL, NULL},
};

static int take_delimiter(produce_options *o, char *arg)
{
	o->delimiter = arg;
	if (!cli_parse_escapes(arg, &o->delimiter_len) || !o->delimiter_len)
		return cli_usage_error(&cli_produce,
		                       "-K wants at least one character, with \\t, \\0, \\xHH and the like as escapes");
	return CLI_GO_ON;
}

static int take_key_from(produce_options *o, const char *arg)
{
	char why[200] = "it is empty";
	cli_key_from_deinit(&o->key_from);
	if (!*arg || !cli_key_from_init(&o->key_from, arg, why, sizeof(why)))
		return cli_usage_error(&cli_produce, "--key-from: '%.200s' is no extended regular expression: %s", arg, why);
	return CLI_GO_ON;
}

static int take_null_text(produce_options *o, char *arg)
{
	o->null_text = arg;
	if (!cli_parse_escapes(arg, &o->null_len))
		return cli_usage_error(&cli_produce, "--null-value wants text, with \\t, \\0, \\xHH and the like as escapes");
	return CLI_GO_ON;
}

static int take_format(produce_options *o, const char *arg)
{
	for (const cli_format *f = cli_formats; f->name; f++)
		if (!strcmp(f->name, arg)) {
			o->format = f;
			return CLI_GO_ON;
		}
	return cli_usage_error(&cli_produce, "--input-format is lines, nul, length, length-kv or json, not '%.200s'", arg);
}

static int take_limits(produce_options *o, int id, const char *arg)
{
	if (id == 'c' && !cli_parse_count(arg, 1, UINT64_MAX - 1, &o->max_records))
		return cli_usage_error(&cli_produce, "-c wants a number of records from 1 on, not '%.200s'", arg);
	if (id == OPTION_RATE && (!cli_parse_rate(arg, &o->rate) || o->rate <= 0))
		return cli_usage_error(&cli_produce, "--rate wants records per second, from 0.000001 to 1G, not '%.200s'", arg);
	if (id == OPTION_RECORDS_PER_TRANSACTION && !cli_parse_count(arg, 1, UINT64_MAX - 1, &o->records_per_transaction))
		return cli_usage_error(&cli_produce, "--records-per-transaction wants a number of records from 1 on, not '%.200s'",
		                       arg);
	if (id == OPTION_RESEND && !cli_parse_count(arg, 1, 1000, &o->resend))
		return cli_usage_error(&cli_produce, "--resend wants how often at most, from 1 to 1000, not '%.200s'", arg);
	return CLI_GO_ON;
}

static int take_header_name(produce_options *o, const char *arg)
{
	o->retry_count_header = arg;
	if (!*arg)
		return cli_usage_error(&cli_produce, "--retry-count-header wants a name");
	return CLI_GO_ON;
}

static int take_transactional_id(produce_options *o, const char *arg)
{
	if (!*arg)
		return cli_usage_error(&cli_produce, "--transactional-id wants an id that no other producer has");
	return cli_common_set(&o->common, "transactional.id", arg);
}

static int take(void *state, int id, char *arg)
{
	static char nothing[] = "";
	produce_options *o = state;
	switch (id) {
	case OPTION_INPUT_FORMAT: return take_format(o, arg);
	case '0': return take_format(o, "nul");
	case 'K': return take_delimiter(o, arg);
	case OPTION_KEY_FROM: return take_key_from(o, arg);
	case 'k': o->key = arg; return CLI_GO_ON;
	case OPTION_KEY_REQUIRED: o->key_required = true; return CLI_GO_ON;
	case 'H': return cli_headers_take(&o->headers, &cli_produce, arg);
	case 'p': return cli_partition_take(&o->partition, &cli_produce, arg);
	case 'Z': return take_null_text(o, nothing);
	case OPTION_NULL_VALUE: return take_null_text(o, arg);
	case 'z': return cli_common_set(&o->common, "compression.type", arg);
	case OPTION_SKIP_EMPTY: o->skip_empty = true; return CLI_GO_ON;
	case OPTION_RESEND_UNKNOWN: o->resend_unknown = true; return CLI_GO_ON;
	case OPTION_RETRY_COUNT_HEADER: return take_header_name(o, arg);
	case OPTION_TRANSACTIONAL_ID: return take_transactional_id(o, arg);
	case OPTION_FAILED: o->failed_path = arg; return CLI_GO_ON;
	case OPTION_REPORT: o->report_path = arg; return CLI_GO_ON;
	default: return take_limits(o, id, arg);
	}
}

/* The options that look for something in a record's bytes. */
static const char *text_option(const produce_options *o)
{
	return o->delimiter_len ? "-K" : o->null_text ? "-Z and --null-value" : o->skip_empty ? "--skip-empty" : NULL;
}

static int check_keys(const produce_options *o)
{
	bool has_key = o->key != NULL, has_delimiter = o->delimiter_len > 0, has_regex = o->key_from.is_set;
	const char *for_text = text_option(o);
	if (has_key + has_delimiter + has_regex > 1)
		return cli_usage_error(&cli_produce, "%s and %s contradict each other", has_key ? "-k" : "-K",
		                       has_regex ? "--key-from" : "-K");
	if (for_text && !o->format->is_text)
		return cli_usage_error(&cli_produce, "%s: only with --input-format lines or nul; %s says it in its own way",
		                       for_text, o->format->name);
	if (has_delimiter && memchr(o->delimiter, o->format->end_byte, o->delimiter_len))
		return cli_usage_error(&cli_produce, "-K cannot hold a %s's end", o->format->noun);
	return CLI_GO_ON;
}

static int check(const produce_options *o)
{
	if (!o->common.topic)
		return cli_usage_error(&cli_produce, "no topic: give -t TOPIC");
	if (o->report_path && !strcmp(o->report_path, "-") && o->common.json)
		return cli_usage_error(&cli_produce, "--report - and --json both want standard output: give --report a FILE");
	if (o->report_path && o->failed_path && !strcmp(o->report_path, o->failed_path))
		return cli_usage_error(&cli_produce, "--report and --failed want files of their own");
	if (!o->resend && (o->resend_unknown || o->retry_count_header))
		return cli_usage_error(&cli_produce, "%s says something about --resend, which is not given",
		                       o->resend_unknown ? "--resend-unknown" : "--retry-count-header");
	return check_keys(o);
}

int produce_options_parse(produce_options *o, int argc, char **argv)
{
	*o = (produce_options){.partition = KP_PARTITION_ANY, .format = cli_formats, .max_records = UINT64_MAX};
	int rc = cli_options_parse(&cli_produce, argc, argv, &o->common, take, o);
	return rc == CLI_GO_ON ? check(o) : rc;
}

void produce_options_deinit(produce_options *o)
{
	cli_headers_deinit(&o->headers);
	cli_key_from_deinit(&o->key_from);
	cli_common_deinit(&o->common);
}
