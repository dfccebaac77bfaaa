/*
 * cmd_produce.c - `kproducer produce`: lines of files or of standard input become records. Options and the order of events.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cli/parse.h"
#include "cli/produce.h"
#include "cli/talk.h"

enum { OPTION_FAILED = CLI_OPTION_LONG, OPTION_SKIP_EMPTY };

static const cli_option options[] = {
	{'K', "key-delimiter", "DELIM",
         "the key ends at the first DELIM of a line; a line without it has no key\n"
         "(\\t, \\xHH and the like are understood)"},
	{'k', "key", "KEY", "this key for every record"},
	{'H', "header", "NAME[=VALUE]", "a header for every record, without '=' with a null value; may be repeated"},
	{'p', "partition", "N", "this partition for every record"},
	{'z', "compression", "CODEC", "gzip, snappy, lz4, zstd or none (compression.type)"},
	{OPTION_SKIP_EMPTY, "skip-empty", NULL, "do not send empty lines"},
	{OPTION_FAILED, "failed", "FILE", "append records that were not persisted to FILE, to be fed in again"},
	{0, NULL, NULL, NULL},
};

static const char details[] =
	"Every line is a record: its bytes as they are, without the '\\n'. An empty line is an empty value; a last line without '\\n'\n"
	"counts; NUL and '\\r' are kept. Without FILE, or with '-', lines come from standard input. All files are opened before\n"
	"anything is sent.\n"
	"\n"
	"When the buffer is full, reading waits (max.block.ms plays no part); delivery.timeout.ms bounds what a record may take.\n"
	"SIGINT or SIGTERM stops reading, what is under way gets --flush-timeout to end, a second signal ends it at once.\n"
	"A failed record is named on standard error (\"line 12 of FILE: ...\", the first 20 of them) or appended to --failed FILE with\n"
	"its key and delimiter. UNKNOWN means that it may be in the log: sending it again may double it.\n"
	"\n"
	"Exit code: 0 every record was persisted (acks=0: written), 1 some were not, 2 usage, configuration or unreadable input,\n"
	"3 the cluster could not be reached, 130/143 stopped by SIGINT/SIGTERM with nothing lost of what was read.\n"
	"\n"
	"Examples:\n"
	"  kproducer produce -b localhost:9092 -t logs /var/log/syslog\n"
	"  tail -F app.log | kproducer produce -b localhost:9092 -t logs -z zstd\n"
	"  kproducer produce -b localhost:9092 -t users -K '\\t' -H source=import --failed users.failed users.tsv\n"
	"  kproducer produce -F client.properties -t logs -X linger.ms=50 --json < lines.txt\n";

static int take_header(produce_options *o, char *arg)
{
	char *equals = strchr(arg, '=');
	kp_header *more = realloc(o->headers, (o->n_headers + 1) * sizeof(*more));
	if (!more) {
		cli_error("out of memory");
		return CLI_FAILED;
	}
	o->headers = more;
	if (equals == arg || !*arg)
		return cli_usage_error(&cli_produce, "-H wants NAME or NAME=VALUE, not '%s'", arg);
	if (equals)
		*equals = 0;
	o->headers[o->n_headers++] = (kp_header){arg, equals ? equals + 1 : NULL, equals ? strlen(equals + 1) : 0};
	return CLI_GO_ON;
}

static int take_delimiter(produce_options *o, char *arg)
{
	o->delimiter = arg;
	if (!cli_parse_escapes(arg, &o->delimiter_len) || !o->delimiter_len)
		return cli_usage_error(&cli_produce,
		                       "-K wants at least one character, with \\t, \\0, \\xHH and the like as escapes");
	if (memchr(arg, '\n', o->delimiter_len))
		return cli_usage_error(&cli_produce, "-K cannot be a line's end: lines are records");
	return CLI_GO_ON;
}

static int take(void *state, int id, char *arg)
{
	produce_options *o = state;
	uint64_t n;
	switch (id) {
	case 'K': return take_delimiter(o, arg);
	case 'k': o->key = arg; return CLI_GO_ON;
	case 'H': return take_header(o, arg);
	case 'p':
		if (!cli_parse_count(arg, 0, INT32_MAX, &n))
			return cli_usage_error(&cli_produce, "-p wants a partition number, not '%s'", arg);
		o->partition = (int32_t)n;
		return CLI_GO_ON;
	case 'z': return cli_common_set(&o->common, "compression.type", arg);
	case OPTION_SKIP_EMPTY: o->skip_empty = true; return CLI_GO_ON;
	default: o->failed_path = arg; return CLI_GO_ON;
	}
}

static int check(const produce_options *o)
{
	if (!o->common.topic)
		return cli_usage_error(&cli_produce, "no topic: give -t TOPIC");
	if (o->key && o->delimiter_len)
		return cli_usage_error(&cli_produce, "-k and -K contradict each other");
	return CLI_GO_ON;
}

/* Inputs and --failed before the network: a misspelt path should not wait for a cluster. */
static int open_files(produce *p, char **paths, size_t n)
{
	const char *path = p->options->failed_path;
	int rc = cli_inputs_open(&p->inputs, paths, n);
	if (rc != CLI_GO_ON || !path)
		return rc;
	int error = cli_failed_open(&p->failed, path, produce_lost, p);
	if (error) {
		cli_error("cannot write %s: %s; nothing was sent", path, strerror(error));
		return CLI_USAGE;
	}
	if (cli_inputs_have(&p->inputs, p->failed.fd)) {
		cli_error("%s is an input and the --failed file at once; nothing was sent", path);
		return CLI_USAGE;
	}
	return CLI_GO_ON;
}

static int check_partition(const produce *p)
{
	int32_t n = p->session.n_partitions, wanted = p->options->partition;
	if (!n || wanted < n)
		return CLI_GO_ON;
	cli_error("topic %s has %d partition%s, there is no partition %d; nothing was sent", p->options->common.topic, n,
	          n == 1 ? "" : "s", wanted);
	return CLI_USAGE;
}

static int run_session(produce *p)
{
	char text[32];
	int rc = cli_session_open(&p->session, &p->options->common, produce_on_reports, p);
	if (rc == CLI_GO_ON)
		rc = cli_session_connect(&p->session);
	if (rc == CLI_GO_ON)
		rc = check_partition(p);
	if (rc != CLI_GO_ON)
		return rc;
	p->max_request_size = strtoull(cli_session_setting(&p->session, "max.request.size", text, sizeof(text)), NULL, 10);
	rc = produce_send_inputs(p);
	cli_session_finish(&p->session, produce_progress, p);
	cli_progress_clear();
	return rc == CLI_GO_ON ? produce_result(p) : rc;
}

static int produce_run(const produce_options *o, char **paths, size_t n_paths)
{
	produce *p = calloc(1, sizeof(*p));
	if (!p) {
		cli_error("out of memory");
		return CLI_FAILED;
	}
	p->options = o;
	p->failed.fd = -1;
	pthread_mutex_init(&p->lock, NULL);
	cli_tally_init(&p->tally);
	int rc = open_files(p, paths, n_paths);
	if (rc == CLI_GO_ON) {
		rc = run_session(p);
		cli_session_close(&p->session);
	}
	cli_failed_close(&p->failed);
	cli_inputs_close(&p->inputs);
	free(p);
	return rc;
}

static int run(const cli_command *self, int argc, char **argv)
{
	produce_options o = {.partition = KP_PARTITION_ANY};
	int rc = cli_options_parse(self, argc, argv, &o.common, take, &o);
	if (rc == CLI_GO_ON)
		rc = check(&o);
	if (rc == CLI_GO_ON)
		rc = produce_run(&o, argv + optind, (size_t)(argc - optind));
	free(o.headers);
	cli_common_deinit(&o.common);
	return rc;
}

const cli_command cli_produce = {
	.name = "produce",
	.summary = "Send the lines of files or of standard input to a topic.",
	.usage = "-b HOST:PORT[,...] -t TOPIC [OPTION]... [FILE]...",
	.options = options,
	.common = "btXFcfjqvh",
	.details = details,
	.run = run,
};
