/*
 * cmd_topics.c - `kproducer topics`: options, and create, delete, add-partitions.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/nearest.h"
#include "cli/parse.h"
#include "cli/signals.h"
#include "cli/talk.h"
#include "cli/topics.h"

#define USABLE_POLL_MS 20

enum {
	OPTION_PARTITIONS = CLI_OPTION_LONG,
	OPTION_REPLICATION,
	OPTION_CONFIG,
	OPTION_IF_EXISTS,
	OPTION_IF_NOT_EXISTS,
	OPTION_INTERNAL
};

static const cli_option options[] = {
	{OPTION_PARTITIONS, "partitions", "N",
         "create: how many (the broker's default)\n"
         "add-partitions: how many there shall be afterwards"},
	{OPTION_REPLICATION, "replication-factor", "N", "create: copies of each partition (the broker's default)"},
	{OPTION_CONFIG, "config", "NAME=VALUE", "create: a property of the topic; may be repeated"},
	{OPTION_IF_NOT_EXISTS, "if-not-exists", NULL, "create: a topic that exists already is no failure, and stays as it is"},
	{OPTION_IF_EXISTS, "if-exists", NULL, "describe, delete, add-partitions: a topic that does not exist is no failure"},
	{OPTION_INTERNAL, "internal", NULL, "list, describe: also the cluster's own topics, such as __consumer_offsets"},
	{0, NULL, NULL, NULL},
};

static const char details[] =
	"list prints a line per topic: name, partitions, replicas, separated by tabs. describe adds each partition's leader and the\n"
	"properties that are not at their defaults (--json: all); without TOPIC it describes all topics. create and add-partitions end\n"
	"when every partition has a leader.\n"
	"\n"
	"With --json the result is an array, with an object for each topic: what was asked for, or {topic, done}, or {topic, error,\n"
	"message}. One topic's failure does not keep the others from being tried.\n"
	"\n"
	"Examples:\n"
	"  kproducer topics list -b localhost:9092\n"
	"  kproducer topics create events -b localhost:9092 --partitions 6 --config retention.ms=86400000 --if-not-exists\n"
	"  kproducer topics describe events -b localhost:9092 --json\n"
	"  kproducer topics add-partitions events -b localhost:9092 --partitions 12\n"
	"  kproducer topics delete events audit -b localhost:9092 --if-exists\n";

static int take_config(topics_options *o, char *arg)
{
	char *equals = strchr(arg, '=');
	if (!equals || equals == arg)
		return cli_usage_error(&cli_topics, "--config wants NAME=VALUE, not '%.200s'", arg);
	const char **more = realloc(o->configs, (o->n_configs + 3) * sizeof(*more));
	if (!more) {
		cli_error("out of memory");
		return CLI_FAILED;
	}
	*equals = 0;
	o->configs = more;
	o->configs[o->n_configs++] = arg;
	o->configs[o->n_configs++] = equals + 1;
	o->configs[o->n_configs] = NULL;
	return CLI_GO_ON;
}

static int take_count(topics_options *o, int id, const char *arg)
{
	uint64_t n;
	if (!cli_parse_count(arg, 1, id == OPTION_PARTITIONS ? INT32_MAX : INT16_MAX, &n))
		return cli_usage_error(&cli_topics, "'%.200s' is not a number of %s", arg,
		                       id == OPTION_PARTITIONS ? "partitions" : "replicas");
	if (id == OPTION_PARTITIONS)
		o->partitions = (int32_t)n;
	else
		o->replication_factor = (int16_t)n;
	return CLI_GO_ON;
}

static unsigned bit_of(int id)
{
	return 1u << (id - CLI_OPTION_LONG);
}

static int take(void *state, int id, char *arg)
{
	topics_options *o = state;
	o->given |= bit_of(id);
	switch (id) {
	case OPTION_CONFIG: return take_config(o, arg);
	case OPTION_IF_EXISTS: o->if_exists = true; return CLI_GO_ON;
	case OPTION_IF_NOT_EXISTS: o->if_not_exists = true; return CLI_GO_ON;
	case OPTION_INTERNAL: o->internal = true; return CLI_GO_ON;
	default: return take_count(o, id, arg);
	}
}

static void print_done(topics *t, const char *topic, const char *what, int error, const char *err)
{
	cli_json_open(&t->json, NULL, '{');
	cli_json_text(&t->json, "topic", topic);
	if (error) {
		cli_json_text(&t->json, "error", kp_error_name(error));
		cli_json_text(&t->json, "message", *err ? err : kp_error_text(error));
	} else
		cli_json_text(&t->json, "done", what);
	cli_json_close(&t->json, '}');
}

int topics_done(topics *t, const char *topic, const char *what, int error, const char *err)
{
	const topics_options *o = t->options;
	if ((error == KP_ERR_TOPIC_ALREADY_EXISTS && o->if_not_exists) ||
	    (error == KP_ERR_UNKNOWN_TOPIC_OR_PARTITION && o->if_exists)) {
		what = error == KP_ERR_TOPIC_ALREADY_EXISTS ? "exists already" : "does not exist";
		error = 0;
	}
	if (o->common.json)
		print_done(t, topic, what, error, err);
	if (error)
		return cli_session_failed(&t->session, topic, error, err);
	if (!o->common.json)
		cli_say("%s: %s", topic, what);
	return CLI_OK;
}

/* Whether the topic has its partitions (0: however many they are), each with a leader. */
static bool is_usable(topics *t, const char *topic, int32_t n_partitions, int timeout_ms)
{
	kp_topic_info *info;
	if (kp_partitions_for(t->session.producer, topic, timeout_ms, &info, NULL, 0))
		return false;
	bool is_usable = info->n_partitions > 0 && info->n_partitions >= (size_t)n_partitions;
	for (size_t i = 0; i < info->n_partitions; i++)
		is_usable = is_usable && info->partitions[i].leader >= 0;
	kp_topic_infos_free(info, 1);
	return is_usable;
}

/* What the controller has done reaches the other brokers a moment later: whoever sends next shall find it. */
static void wait_until_usable(topics *t, const char *topic, int32_t n_partitions)
{
	int64_t end_ns = cli_now_ns() + t->timeout_ms * INT64_C(1000000);
	for (int64_t left_ns; (left_ns = end_ns - cli_now_ns()) > 0;) {
		if (is_usable(t, topic, n_partitions, (int)(left_ns / 1000000)))
			return;
		cli_wait_readable(-1, USABLE_POLL_MS);
	}
	cli_say("%s: not every partition has a leader yet", topic);
}

static int create(topics *t, const char *topic)
{
	char err[512] = "";
	const topics_options *o = t->options;
	int error = kp_topic_create(t->session.producer, topic, o->partitions, o->replication_factor, o->configs, t->timeout_ms,
	                            err, sizeof(err));
	if (!error)
		wait_until_usable(t, topic, o->partitions > 0 ? o->partitions : 0);
	return topics_done(t, topic, "created", error, err);
}

static int delete_topic(topics *t, const char *topic)
{
	char err[512] = "";
	int error = kp_topic_delete(t->session.producer, topic, t->timeout_ms, err, sizeof(err));
	return topics_done(t, topic, "deleted", error, err);
}

static int add_partitions(topics *t, const char *topic)
{
	char err[512] = "";
	int32_t total = t->options->partitions;
	int error = kp_topic_add_partitions(t->session.producer, topic, total, t->timeout_ms, err, sizeof(err));
	if (!error)
		wait_until_usable(t, topic, total);
	return topics_done(t, topic, "partitions added", error, err);
}

static const struct action {
	const char *name;
	int (*run)(topics *t, const char *topic); /* NULL: takes no topic */
	int (*run_all)(topics *t);                /* without one; NULL: needs one */
	int takes[4];                             /* ids of options */
} actions[] = {
	{"list", NULL, topics_list, {OPTION_INTERNAL}},
	{"describe", topics_describe, topics_describe_all, {OPTION_IF_EXISTS, OPTION_INTERNAL}},
	{"create", create, NULL, {OPTION_PARTITIONS, OPTION_REPLICATION, OPTION_CONFIG, OPTION_IF_NOT_EXISTS}},
	{"delete", delete_topic, NULL, {OPTION_IF_EXISTS}},
	{"add-partitions", add_partitions, NULL, {OPTION_PARTITIONS, OPTION_IF_EXISTS}},
};
#define N_ACTIONS (sizeof(actions) / sizeof(actions[0]))

static int run_action(const topics_options *o, const struct action *action, char **names, int n_names)
{
	topics t = {.options = o, .timeout_ms = (int)o->common.connect_timeout_ms, .json = {.out = stdout}};
	/* Nothing needs to be put in order when one of these calls is interrupted. */
	cli_signals_default();
	int rc = cli_session_open(&t.session, &o->common, NULL, NULL);
	if (rc == CLI_GO_ON) {
		rc = CLI_OK;
		if (o->common.json)
			cli_json_open(&t.json, NULL, '[');
		if (!n_names)
			rc = action->run_all(&t);
		for (int i = 0; i < n_names && rc != CLI_UNREACHABLE; i++) {
			int one = action->run(&t, names[i]);
			rc = one == CLI_OK ? rc : one;
		}
		if (o->common.json) {
			cli_json_close(&t.json, ']');
			putchar('\n');
		}
	}
	cli_session_close(&t.session);
	return rc;
}

static const struct action *find_action(const char *name)
{
	for (size_t i = 0; i < N_ACTIONS; i++)
		if (!strcmp(name, actions[i].name))
			return &actions[i];
	return NULL;
}

static int unknown_action(const char *name)
{
	char hint[CLI_NEAREST_SIZE];
	cli_nearest nearest;
	cli_nearest_init(&nearest, name);
	for (size_t i = 0; i < N_ACTIONS; i++)
		cli_nearest_try(&nearest, actions[i].name);
	return cli_usage_error(&cli_topics, "'%.200s' is no action: list, describe, create, delete or add-partitions%s", name,
	                       cli_nearest_hint(&nearest, "", hint));
}

/* An option that an action has no use for was meant for another one. */
static int check_options(const topics_options *o, const struct action *action)
{
	unsigned useless = o->given;
	for (size_t i = 0; i < sizeof(action->takes) / sizeof(action->takes[0]) && action->takes[i]; i++)
		useless &= ~bit_of(action->takes[i]);
	for (const cli_option *option = options; option->name; option++)
		if (useless & bit_of(option->id))
			return cli_usage_error(&cli_topics, "%s takes no --%s", action->name, option->name);
	if (action->run == add_partitions && o->partitions < 1)
		return cli_usage_error(&cli_topics, "%s needs --partitions N", action->name);
	return CLI_GO_ON;
}

static int choose(const topics_options *o, char **operands, int n)
{
	char *topic = (char *)(uintptr_t)o->common.topic;
	if (!n)
		return cli_usage_error(&cli_topics, "say what to do: list, describe, create, delete or add-partitions");
	const struct action *action = find_action(operands[0]);
	if (!action)
		return unknown_action(operands[0]);
	operands++;
	n--;
	if (topic && n)
		return cli_usage_error(&cli_topics, "name topics as operands or with -t, not both");
	if (topic) {
		operands = &topic;
		n = 1;
	}
	if (n ? !action->run : !action->run_all)
		return cli_usage_error(&cli_topics, n ? "%s takes no topic" : "%s needs a topic", action->name);
	int rc = check_options(o, action);
	return rc == CLI_GO_ON ? run_action(o, action, operands, n) : rc;
}

static int run(const cli_command *self, int argc, char **argv)
{
	topics_options o = {.partitions = -1, .replication_factor = -1};
	int rc = cli_options_parse(self, argc, argv, &o.common, take, &o);
	if (rc == CLI_GO_ON)
		rc = choose(&o, argv + optind, argc - optind);
	free(o.configs);
	cli_common_deinit(&o.common);
	return rc;
}

const cli_command cli_topics = {
	.name = "topics",
	.summary = "List, describe, create, delete topics, add partitions.",
	.usage =
		"list -b HOST:PORT[,...] [--internal]\n"
		"describe [TOPIC]... -b HOST:PORT[,...] [--if-exists] [--internal]\n"
		"create TOPIC... -b HOST:PORT[,...] [--partitions N] [--replication-factor N] [--config NAME=VALUE]... [--if-not-exists]\n"
		"delete TOPIC... -b HOST:PORT[,...] [--if-exists]\n"
		"add-partitions TOPIC... -b HOST:PORT[,...] --partitions N [--if-exists]",
	.options = options,
	.common = "btXFcjqvh",
	.details = details,
	.run = run,
};
