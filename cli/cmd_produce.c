/*
 * cmd_produce.c - `kproducer produce`: records from files or standard input. Help, and the order of events.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cli/produce.h"
#include "cli/signals.h"
#include "cli/talk.h"

static const char details[] =
	"Records come from the files in their order, or without FILE, or where it is '-', from standard input. All files are opened before\n"
	"anything is sent.\n"
	"\n"
	"Input formats:\n"
	"  lines      a line each, without its '\\n'\n"
	"  nul        ended by a NUL byte each, as find -print0 writes them\n"
	"  length     the value's length, the value\n"
	"  length-kv  the key's length, the key, the value's length, the value\n"
	"  json       an object a line\n"
	"\n"
	"lines and nul: the bytes as they are, '\\r' too; nothing is an empty value; a last record without its end counts.\n"
	"\n"
	"A length is 4 bytes, big-endian; -1 (ff ff ff ff) stands for null.\n"
	"\n"
	"A JSON record:\n"
	"  {\"key\": \"k\", \"value\": \"v\", \"headers\": [{\"key\": \"h\", \"value\": \"1\"}],\n"
	"   \"partition\": 2, \"timestamp\": 1700000000000}\n"
	"\n"
	"It stands on one line. value must be there, null for a null one; a key that is null is none. Bytes that are not UTF-8 go into\n"
	"key_base64 and value_base64. headers may also be {\"h\": \"1\"}; timestamp is milliseconds since 1970. -k, -H, -p and --key-from fill in\n"
	"for a member that is missing. What --failed adds (outcome, error, input, record, the trail), topic and offset are passed over; any\n"
	"other member is a mistake.\n"
	"To send JSON as a value: jq -c '{value: tojson}'\n"
	"\n"
	"A line that is no such object, or a record without a key under --key-required, is malformed: it is named, counted and not sent; the\n"
	"rest is. When lengths make no sense, the rest of that input cannot be read, and the next one is.\n"
	"\n"
	"When the buffer is full, reading waits (max.block.ms plays no part); delivery.timeout.ms bounds what a record may take. SIGINT or\n"
	"SIGTERM stops reading, what is under way gets --flush-timeout to end, a second signal ends it at once. With --rate, files stop\n"
	"after the record sent last; what was read ahead from a pipe (4 kB) goes out at once.\n"
	"\n"
	"A failed record is named on standard error (\"line 12 of FILE: ...\", the first 20 of them) or appended to --failed FILE as a JSON\n"
	"record, with key, value and headers to the byte, and partition and timestamp when they had been asked for, in the order in which\n"
	"records failed. Its trail stands with it: attempts, stage (NO_METADATA, NO_LEADER, QUEUED, IN_FLIGHT, DONE), last_error, node, cause\n"
	"(what stood in the way), and the microseconds spent in each stage: no_metadata_us, no_leader_us, queued_us, in_flight_us.\n"
	"UNKNOWN means that it may be in the log: sending it again may double it. To leave those out:\n"
	" grep -v '^{\"outcome\":\"UNKNOWN\"' FILE\n"
	"\n"
	"--resend N sends a failed record again, up to N times, when it ended not persisted for a reason that may pass: 100 ms later, then 200 ms,\n"
	"up to 10 s. It comes behind the records that were sent meanwhile. Only its last outcome is named, kept or reported. 32 MiB of\n"
	"records can wait; what finds no room there has failed. What may be in the log already is not sent again without --resend-unknown.\n"
	"\n"
	"With --transactional-id what is sent is a transaction, or one for each --records-per-transaction: consumers that read committed\n"
	"records (isolation.level=read_committed) see all of it or nothing. A record that fails, is too large or malformed has its transaction\n"
	"aborted; the others of it are not sent any more, and the next transaction begins behind them. When all is one transaction, reading\n"
	"ends there. Transactions that were not committed are named by their records, to be sent again; the exit code is then 1. What is left\n"
	"at the end of the input is committed. SIGINT or SIGTERM aborts what is open. A commit is repeated until it is answered, up to\n"
	"delivery.timeout.ms; then its records are unknown, and the run ends. A transaction that is not at its end within\n"
	"transaction.timeout.ms is aborted, so give a slow input --records-per-transaction. A second command with the same id ends the first.\n"
	"--failed and --resend cannot be had with it.\n"
	"\n"
	"--report has a line for every record, as its outcome comes: input, record (its number there), outcome (PERSISTED, NOT_PERSISTED,\n"
	"UNKNOWN, UNACKNOWLEDGED with acks=0, MALFORMED), topic, partition, offset, timestamp, attempts, and if it failed error, code,\n"
	"message and its trail. Sending waits for a reader that does not keep up. In a transaction PERSISTED says that the record is in the log,\n"
	"and the line has the transaction's number; when that ends a line follows with transaction, outcome (COMMITTED, ABORTED, UNKNOWN) and\n"
	"records.\n"
	"\n"
	"Exit code: 0 every record was persisted (acks=0: written), 1 some were not, were malformed or not reported, 2 usage, configuration or\n"
	"unreadable input, 3 the cluster could not be reached, 130/143 stopped by SIGINT/SIGTERM with nothing lost of what was read.\n"
	"\n"
	"Examples:\n"
	"  kproducer produce -b localhost:9092 -t logs /var/log/syslog\n"
	"  tail -F app.log | kproducer produce -b localhost:9092 -t logs -z zstd\n"
	"  kproducer produce -b localhost:9092 -t users -K '\\t' -H source=import --failed users.failed users.tsv\n"
	"  kproducer produce -b localhost:9092 -t users --input-format json users.failed\n"
	"  kproducer produce -b localhost:9092 -t orders --input-format json --report outcomes orders.jsonl\n"
	"  kproducer produce -b localhost:9092 -t access --key-from '^([0-9.]+) ' --rate 5k access.log\n"
	"  kproducer produce -b localhost:9092 -t orders --resend 5 --retry-count-header retry_count --failed orders.failed orders.txt\n"
	"  kproducer produce -b localhost:9092 -t orders --transactional-id import orders.txt\n"
	"  find . -name '*.xml' -print0 | kproducer produce -b localhost:9092 -t paths -0\n"
	"  printf '42:\\n' | kproducer produce -b localhost:9092 -t users -K : -Z\n"
	"  kproducer produce -F client.properties -t logs -X linger.ms=50 --json < lines.txt\n";

/* That an output is read too would be seen when it is too late: what it has, or as an input that does not end. */
static int check_outputs(const produce *p)
{
	const char *report = p->options->report_path, *failed = p->options->failed_path;
	bool is_report = report && cli_inputs_have(&p->inputs, strcmp(report, "-") ? report : NULL);
	if (!is_report && !(failed && cli_inputs_have(&p->inputs, failed)))
		return CLI_GO_ON;
	cli_error("%s is an input and the %s at once; nothing was sent", is_report ? report : failed,
	          is_report ? "--report" : "--failed file");
	return CLI_USAGE;
}

/* 0 from errno: go on. */
static int opened(const char *path, int error)
{
	if (error == EINTR && cli_stop_count()) {
		cli_error("stopped by %s before %s had a reader; nothing was sent", cli_stop_signal_name(), path);
		return 128 + cli_stop_signal();
	}
	if (error)
		cli_error("cannot write %s: %s; nothing was sent", path, strerror(error));
	return error ? CLI_USAGE : CLI_GO_ON;
}

static int open_failed(produce *p)
{
	const char *path = p->options->failed_path;
	if (cli_line_file_is(&p->report.file, path)) {
		cli_error("%s and %s are one file, --report and --failed want their own; nothing was sent", p->options->report_path,
		          path);
		return CLI_USAGE;
	}
	return opened(path, cli_failed_open(&p->failed, path, produce_lost, p));
}

/* Inputs, --report and --failed before the network: a misspelt path should not wait for a cluster. */
static int open_files(produce *p, char **paths, size_t n)
{
	const produce_options *o = p->options;
	int rc = cli_inputs_open(&p->inputs, paths, n);
	if (rc == CLI_GO_ON)
		rc = check_outputs(p);
	if (rc == CLI_GO_ON && o->report_path)
		rc = opened(o->report_path, cli_sink_open(&p->report, o->report_path));
	if (rc == CLI_GO_ON && o->report_path)
		rc = produce_outcomes_open(p);
	return rc == CLI_GO_ON && o->failed_path ? open_failed(p) : rc;
}

/* A cli_line_file.may_wait for the reader of --failed, any thread: the second signal ends it at once. */
static bool may_wait_for_reader(void *opaque)
{
	(void)opaque;
	return cli_stop_count() < 2;
}

static int run_session(produce *p)
{
	char text[32];
	int rc = cli_session_open(&p->session, &p->options->common, produce_on_reports, p);
	if (rc == CLI_GO_ON)
		rc = cli_session_connect(&p->session);
	if (rc == CLI_GO_ON)
		rc = cli_session_check_partition(&p->session, p->options->partition);
	if (rc != CLI_GO_ON)
		return rc;
	p->max_request_size = strtoull(cli_session_setting(&p->session, "max.request.size", text, sizeof(text)), NULL, 10);
	rc = produce_txn_start(p);
	if (rc == CLI_GO_ON)
		rc = produce_resend_start(p);
	if (rc != CLI_GO_ON)
		return rc;
	rc = produce_send_inputs(p);
	if (p->resender)
		produce_settle(p);
	cli_session_finish(&p->session, produce_progress, p);
	produce_resend_end(p);
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
	p->failed.file = (cli_line_file){.fd = -1, .may_wait = may_wait_for_reader};
	p->report.file.fd = -1;
	pthread_mutex_init(&p->lock, NULL);
	cli_tally_init(&p->tally);
	int rc = open_files(p, paths, n_paths);
	if (rc == CLI_GO_ON) {
		rc = run_session(p);
		cli_session_close(&p->session);
	}
	produce_outcomes_close(p);
	cli_failed_close(&p->failed);
	cli_inputs_close(&p->inputs);
	free(p);
	return rc;
}

static int run(const cli_command *self, int argc, char **argv)
{
	produce_options o;
	(void)self;
	int rc = produce_options_parse(&o, argc, argv);
	if (rc == CLI_GO_ON)
		rc = produce_run(&o, argv + optind, (size_t)(argc - optind));
	produce_options_deinit(&o);
	return rc;
}

const cli_command cli_produce = {
	.name = "produce",
	.summary = "Send the lines or records of files or of standard input to a topic.",
	.usage = "-b HOST:PORT[,...] -t TOPIC [OPTION]... [FILE]...",
	.options = produce_option_table,
	.common = "btXFcfjqvh",
	.details = details,
	.run = run,
};
