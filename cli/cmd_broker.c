/*
 * cmd_broker.c - `kproducer broker`: the development broker of devbroker/, from the command line.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/faults.h"
#include "cli/options.h"
#include "cli/parse.h"
#include "cli/signals.h"
#include "cli/talk.h"
#include "devbroker/devbroker.h"

enum {
	OPTION_LISTEN = CLI_OPTION_LONG,
	OPTION_ADVERTISED_HOST,
	OPTION_NODES,
	OPTION_PARTITIONS,
	OPTION_NO_AUTO_CREATE,
	OPTION_MAX_MESSAGE_BYTES,
	OPTION_TRANSACTION_VERSION,
	OPTION_MEMORY,
	OPTION_DISCARD,
	OPTION_I_KNOW,
	OPTION_SEED,
	OPTION_DIR,
	OPTION_REPAIR,
	OPTION_FAULT,
	OPTION_CONTROL
};

static const cli_option options[] = {
	{OPTION_LISTEN, "listen", "HOST:PORT",
         "address of the first node, further ones take the ports behind it;\n"
         "port 0: free ports (127.0.0.1:9092)"},
	{OPTION_ADVERTISED_HOST, "advertised-host", "HOST", "what clients are told to connect to (the host of --listen)"},
	{OPTION_NODES, "nodes", "N", "brokers of the cluster, all in this process (1)"},
	{OPTION_PARTITIONS, "partitions", "P", "partitions of a topic that does not say how many (1)"},
	{OPTION_NO_AUTO_CREATE, "no-auto-create", NULL, "do not create topics on first use"},
	{OPTION_MAX_MESSAGE_BYTES, "max-message-bytes", "BYTES", "largest batch (1048588)"},
	{OPTION_TRANSACTION_VERSION, "transaction-version", "N",
         "finalized level of transaction.version: 0 and 1 have clients use the classic requests, 2 those of KIP-890 (2)"},
	{OPTION_MEMORY, "memory", "BYTES", "of all logs, also as 500M or 4G; beyond it the oldest batches go (1 GiB)"},
	{OPTION_DISCARD, "discard", NULL, "check and count batches, keep none: for measuring producers"},
	{OPTION_I_KNOW, "i-know", NULL, "listen on an address that other machines can reach: there is no security"},
	{OPTION_SEED, "seed", "N", "make topic ids, producer ids and faults by chance repeatable"},
	{OPTION_DIR, "dir", "DIR",
         "keep topics and logs in this folder and go on with what is there, also after kill -9; not --memory bounds them then, but "
         "retention.bytes and retention.ms where a topic sets them"},
	{OPTION_REPAIR, "repair", NULL, "cut damaged logs in --dir; what is cut is kept as *.damaged"},
	{OPTION_FAULT, "fault", "FILE|TEXT", "misbehave as a fault script says: a file, or the rules themselves; may be repeated"},
	{OPTION_CONTROL, "control", "PATH", "a Unix socket for `kproducer fault`: rules and faults while the broker runs"},
	{0, NULL, NULL, NULL},
};

static const char details[] =
	"A Kafka cluster for development and tests: no security, no replication, everything in memory or in --dir. When it is ready, one line\n"
	"on standard output says so, \"ready HOST:PORT[,HOST:PORT...]\", in the form that -b takes. SIGINT or SIGTERM ends it.\n"
	"\n"
	"Exit code: 0 ended by SIGINT or SIGTERM, 1 it cannot listen, or use --dir, 2 usage or a mistake in a fault script.\n"
	"\n"
	"Examples:\n"
	"  kproducer broker\n"
	"  kproducer broker --listen 127.0.0.1:19092 --nodes 3 --partitions 6\n"
	"  kproducer broker --dir data\n"
	"  kproducer broker --discard\n"
	"  kproducer broker --fault 'on produce every=10: drop after'\n"
	"  kproducer broker --nodes 3 --fault chaos.fault --control /tmp/b.ctl\n"
	"\n"
	"A fault script is described in docs/fault-script.md:\n"
	"  on produce topic=orders first=3: error NOT_LEADER_OR_FOLLOWER\n"
	"  on any chance=1%: delay 200ms..500ms\n"
	"  at 5s every 20s: node 2 down for 4s\n";

typedef struct broker_options {
	cli_common common;
	kp_devbroker_options broker;
	char host[256]; /* what broker.host points to */
	bool is_known;  /* --i-know */
	cli_faults faults;
} broker_options;

/* "127.0.0.1:9092", "localhost:0", "[::1]:9092". */
static int take_listen(broker_options *o, const char *arg)
{
	const char *colon = strrchr(arg, ':');
	uint64_t port;
	size_t len = colon ? (size_t)(colon - arg) : 0;
	if (len >= 2 && arg[0] == '[' && arg[len - 1] == ']') {
		arg++;
		len -= 2;
	}
	if (!len || len >= sizeof(o->host) || !cli_parse_count(colon + 1, 0, UINT16_MAX, &port))
		return cli_usage_error(&cli_broker, "--listen wants HOST:PORT, not '%.200s'", arg);
	memcpy(o->host, arg, len);
	o->host[len] = 0;
	o->broker.host = o->host;
	o->broker.port = (uint16_t)port;
	return CLI_GO_ON;
}

static int take_number(const char *name, const char *arg, uint64_t min, uint64_t max, uint64_t *out)
{
	if (!cli_parse_count(arg, min, max, out))
		return cli_usage_error(&cli_broker, "--%s wants a number from %" PRIu64 " to %" PRIu64 ", not '%.200s'", name, min,
		                       max, arg);
	return CLI_GO_ON;
}

static int take(void *state, int id, char *arg)
{
	broker_options *o = state;
	uint64_t n = 0;
	int rc = CLI_GO_ON;
	switch (id) {
	case OPTION_LISTEN: return take_listen(o, arg);
	case OPTION_ADVERTISED_HOST: o->broker.advertised_host = arg; return CLI_GO_ON;
	case OPTION_NODES:
		rc = take_number("nodes", arg, 1, KP_DEVBROKER_NODES_MAX, &n);
		o->broker.n_nodes = (int32_t)n;
		return rc;
	case OPTION_PARTITIONS:
		rc = take_number("partitions", arg, 1, KP_DEVBROKER_PARTITIONS_MAX, &n);
		o->broker.default_partitions = (int32_t)n;
		return rc;
	case OPTION_DISCARD: o->broker.is_discarding = 1; return CLI_GO_ON;
	case OPTION_I_KNOW: o->is_known = true; return CLI_GO_ON;
	case OPTION_NO_AUTO_CREATE: o->broker.auto_create = 0; return CLI_GO_ON;
	case OPTION_MAX_MESSAGE_BYTES:
		rc = take_number("max-message-bytes", arg, 1, INT32_MAX, &n);
		o->broker.max_message_bytes = (int32_t)n;
		return rc;
	case OPTION_TRANSACTION_VERSION:
		rc = take_number("transaction-version", arg, 0, 2, &n);
		o->broker.transaction_version = (int)n;
		return rc;
	case OPTION_MEMORY:
		rc = take_number("memory", arg, 1, SIZE_MAX / 2, &n);
		o->broker.log_bytes_max = (size_t)n;
		return rc;
	case OPTION_DIR: o->broker.dir = arg; return CLI_GO_ON;
	case OPTION_REPAIR: o->broker.repair_dir = 1; return CLI_GO_ON;
	case OPTION_FAULT: return cli_faults_take(&o->faults, arg);
	case OPTION_CONTROL: o->broker.control_path = arg; return CLI_GO_ON;
	default: return take_number("seed", arg, 1, UINT64_MAX, &o->broker.seed);
	}
}

static void stop(void *broker)
{
	kp_devbroker_stop(broker);
}

/* Options that do not go together. CLI_GO_ON or an exit code. */
static int check_storage(const broker_options *o)
{
	if (o->broker.repair_dir && !o->broker.dir)
		return cli_usage_error(&cli_broker, "--repair wants --dir: there is nothing to repair in memory");
	if (o->broker.dir && !*o->broker.dir)
		return cli_usage_error(&cli_broker, "--dir wants a folder, not ''");
	if (o->broker.dir && o->broker.is_discarding)
		return cli_usage_error(&cli_broker, "--discard keeps nothing and --dir keeps everything: give one of them");
	return CLI_GO_ON;
}

/* The addresses as -b takes them; an IPv6 host in brackets. */
static void print_ready(const broker_options *o, const kp_devbroker *broker)
{
	bool is_v6 = strchr(o->broker.host, ':') != NULL;
	for (int32_t i = 1; i <= o->broker.n_nodes; i++)
		printf("%s%s%s%s:%u", i == 1 ? "ready " : ",", is_v6 ? "[" : "", o->broker.host, is_v6 ? "]" : "",
		       kp_devbroker_port(broker, i));
	putchar('\n');
	fflush(stdout);
}

static void say_what_it_is(const broker_options *o, uint16_t port)
{
	char bytes[CLI_NUMBER_SIZE], keeps[240];
	if (o->broker.is_discarding)
		snprintf(keeps, sizeof(keeps), "discards what it is sent");
	else if (o->broker.dir)
		snprintf(keeps, sizeof(keeps), "keeps everything in %.200s", o->broker.dir);
	else
		snprintf(keeps, sizeof(keeps), "keeps %s in memory", cli_format_bytes(bytes, (double)o->broker.log_bytes_max));
	bool is_v6 = strchr(o->broker.host, ':') != NULL;
	cli_say("development broker on %s%s%s:%u (%d node%s): for development, no security; %s", is_v6 ? "[" : "", o->broker.host,
	        is_v6 ? "]" : "", port, o->broker.n_nodes, o->broker.n_nodes == 1 ? "" : "s", keeps);
}

static void say(const char *line, void *opaque)
{
	(void)opaque;
	cli_error("%s", line);
}

/* Nobody shall open a broker without security to the world by mistake. */
static int check_listen(const broker_options *o)
{
	if (o->is_known || kp_devbroker_is_loopback(o->broker.host))
		return CLI_GO_ON;
	return cli_usage_error(&cli_broker,
	                       "'%s' can be reached from other machines, and this broker has no security and no replication; "
	                       "listen on 127.0.0.1, or say --i-know",
	                       o->broker.host);
}

static int serve(const broker_options *o)
{
	char err[1024] = "";
	kp_devbroker_stats stats;
	kp_devbroker *broker = kp_devbroker_new(&o->broker, err, sizeof(err));
	if (!broker) {
		cli_error("%s", *err ? err : "cannot start the broker");
		return CLI_FAILED;
	}
	say_what_it_is(o, kp_devbroker_port(broker, 1));
	print_ready(o, broker);
	cli_on_stop(stop, broker);
	int rc = kp_devbroker_run(broker);
	cli_on_stop(NULL, NULL);
	kp_devbroker_get_stats(broker, &stats);
	cli_say("%" PRIu64 " connections, %" PRIu64 " requests, %" PRIu64 " records, %" PRIu64 " bytes", stats.n_connections,
	        stats.n_requests, stats.n_records, stats.n_bytes);
	kp_devbroker_tell_faults(broker, cli_faults_say, NULL);
	kp_devbroker_free(broker);
	return rc ? CLI_FAILED : CLI_OK;
}

static int run(const cli_command *self, int argc, char **argv)
{
	broker_options o = {0};
	kp_devbroker_options_init(&o.broker);
	o.broker.say = say;
	int rc = cli_options_parse(self, argc, argv, &o.common, take, &o);
	if (rc == CLI_GO_ON && optind < argc)
		rc = cli_usage_error(self, "takes no operands");
	if (rc == CLI_GO_ON && o.broker.port && o.broker.port + (o.broker.n_nodes - 1) > UINT16_MAX)
		rc = cli_usage_error(self, "there are no %d ports from %u on", o.broker.n_nodes, o.broker.port);
	if (rc == CLI_GO_ON)
		rc = check_listen(&o);
	if (rc == CLI_GO_ON)
		rc = check_storage(&o);
	if (rc == CLI_GO_ON)
		rc = cli_faults_check(&o.faults, o.broker.n_nodes);
	if (rc == CLI_GO_ON) {
		o.broker.fault_script = o.faults.text;
		o.broker.say_fault = cli_faults_say;
		rc = serve(&o);
	}
	cli_faults_deinit(&o.faults);
	cli_common_deinit(&o.common);
	return rc;
}

const cli_command cli_broker = {
	.name = "broker",
	.summary = "Run a small Kafka cluster in one process, for development.",
	.usage = "[--listen HOST:PORT] [OPTION]...",
	.options = options,
	.common = "qvh",
	.details = details,
	.run = run,
};
