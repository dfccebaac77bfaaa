/*
 * cmd_topics.c - `kproducer topics`: list, describe, create, delete, add-partitions.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/json.h"
#include "cli/options.h"
#include "cli/parse.h"
#include "cli/session.h"
#include "cli/signals.h"
#include "cli/talk.h"

enum { OPTION_PARTITIONS = CLI_OPTION_LONG, OPTION_REPLICATION, OPTION_CONFIG };

static const cli_option options[] = {
	{OPTION_PARTITIONS, "partitions", "N",
         "create: how many (the broker's default)\n"
         "add-partitions: how many there shall be afterwards"},
	{OPTION_REPLICATION, "replication-factor", "N", "create: copies of each partition (the broker's default)"},
	{OPTION_CONFIG, "config", "NAME=VALUE", "create: a property of the topic; may be repeated"},
	{0, NULL, NULL, NULL},
};

static const char details[] =
	"list prints a line per topic: name, partitions, replicas, separated by tabs. describe adds each partition's leader and the\n"
	"properties that are not at their defaults (--json: all).\n"
	"\n"
	"Examples:\n"
	"  kproducer topics list -b localhost:9092\n"
	"  kproducer topics create events -b localhost:9092 --partitions 6 --config retention.ms=86400000\n"
	"  kproducer topics describe events -b localhost:9092 --json\n"
	"  kproducer topics add-partitions events -b localhost:9092 --partitions 12\n"
	"  kproducer topics delete events -b localhost:9092\n";

typedef struct topics_options {
	cli_common common;
	int32_t partitions;
	int16_t replication_factor;
	const char **configs; /* name, value, …, NULL */
	size_t n_configs;     /* strings before the NULL */
} topics_options;

typedef struct topics {
	const topics_options *options;
	cli_session session;
	int timeout_ms;
	cli_json json;
} topics;

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

static int take(void *state, int id, char *arg)
{
	topics_options *o = state;
	uint64_t n;
	if (id == OPTION_CONFIG)
		return take_config(o, arg);
	if (!cli_parse_count(arg, 1, id == OPTION_PARTITIONS ? INT32_MAX : INT16_MAX, &n))
		return cli_usage_error(&cli_topics, "'%.200s' is not a number of %s", arg,
		                       id == OPTION_PARTITIONS ? "partitions" : "replicas");
	if (id == OPTION_PARTITIONS)
		o->partitions = (int32_t)n;
	else
		o->replication_factor = (int16_t)n;
	return CLI_GO_ON;
}

static void print_id(const uint8_t id[16], char out[37])
{
	size_t at = 0;
	for (int i = 0; i < 16; i++)
		at += (size_t)snprintf(out + at, 37 - at, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", id[i]);
}

static int list(topics *t, const char *topic)
{
	char err[512] = "";
	kp_topic_info *infos;
	size_t n;
	(void)topic;
	int error = kp_topics_list(t->session.producer, t->timeout_ms, &infos, &n, err, sizeof(err));
	if (error)
		return cli_session_failed(&t->session, "cannot list the topics", error, err);
	for (size_t i = 0; i < n; i++) {
		const kp_topic_info *info = &infos[i];
		int32_t replicas = info->n_partitions ? info->partitions[0].n_replicas : 0;
		if (!t->options->common.json) {
			printf("%s\t%zu\t%" PRId32 "\n", info->name, info->n_partitions, replicas);
			continue;
		}
		cli_json_open(&t->json, NULL, '{');
		cli_json_text(&t->json, "topic", info->name);
		cli_json_uint(&t->json, "partitions", info->n_partitions);
		cli_json_int(&t->json, "replicas", replicas);
		cli_json_bool(&t->json, "is_internal", info->is_internal);
		cli_json_close(&t->json, '}');
	}
	kp_topic_infos_free(infos, n);
	return CLI_OK;
}

static void print_partitions(topics *t, const kp_topic_info *info)
{
	for (size_t i = 0; i < info->n_partitions; i++) {
		const kp_partition_info *p = &info->partitions[i];
		if (!t->options->common.json) {
			printf("  partition %" PRId32 ": leader %" PRId32 ", epoch %" PRId32 ", replicas %" PRId32
			       ", in sync %" PRId32 "\n",
			       p->partition, p->leader, p->leader_epoch, p->n_replicas, p->n_in_sync);
			continue;
		}
		cli_json_open(&t->json, NULL, '{');
		cli_json_int(&t->json, "partition", p->partition);
		cli_json_int(&t->json, "leader", p->leader);
		cli_json_int(&t->json, "leader_epoch", p->leader_epoch);
		cli_json_int(&t->json, "replicas", p->n_replicas);
		cli_json_int(&t->json, "in_sync", p->n_in_sync);
		cli_json_close(&t->json, '}');
	}
}

static void print_configs(topics *t, const kp_config_entry *configs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (t->options->common.json)
			cli_json_text(&t->json, configs[i].name, configs[i].value);
		else if (!configs[i].is_default)
			printf("  %s=%s\n", configs[i].name, configs[i].value ? configs[i].value : "(sensitive)");
	}
}

static void print_topic(topics *t, const kp_topic_info *info, const kp_config_entry *configs, size_t n_configs)
{
	char id[37];
	print_id(info->id, id);
	if (!t->options->common.json) {
		printf("%s: %zu partition%s, id %s%s\n", info->name, info->n_partitions, info->n_partitions == 1 ? "" : "s", id,
		       info->is_internal ? ", internal" : "");
		print_partitions(t, info);
		print_configs(t, configs, n_configs);
		return;
	}
	cli_json_open(&t->json, NULL, '{');
	cli_json_text(&t->json, "topic", info->name);
	cli_json_text(&t->json, "id", id);
	cli_json_bool(&t->json, "is_internal", info->is_internal);
	cli_json_open(&t->json, "partitions", '[');
	print_partitions(t, info);
	cli_json_close(&t->json, ']');
	cli_json_open(&t->json, "configs", '{');
	print_configs(t, configs, n_configs);
	cli_json_close(&t->json, '}');
	cli_json_close(&t->json, '}');
}

static int describe(topics *t, const char *topic)
{
	char err[512] = "";
	kp_topic_info *info;
	kp_config_entry *configs = NULL;
	size_t n = 0;
	int error = kp_partitions_for(t->session.producer, topic, t->timeout_ms, &info, err, sizeof(err));
	if (!error && info->error) {
		error = info->error;
		kp_topic_infos_free(info, 1);
	}
	if (error)
		return cli_session_failed(&t->session, topic, error, err);
	/* Who may not read the configuration still sees the partitions. */
	error = kp_topic_configs(t->session.producer, topic, t->timeout_ms, &configs, &n, err, sizeof(err));
	if (error)
		cli_error("%s: cannot read its configuration: %s (%s)", topic, kp_error_name(error),
		          *err ? err : kp_error_text(error));
	print_topic(t, info, configs, error ? 0 : n);
	if (!error)
		kp_config_entries_free(configs, n);
	kp_topic_infos_free(info, 1);
	return CLI_OK;
}

/* What the three changing actions share: the answer, as an error or as one line. */
static int done(topics *t, const char *topic, const char *what, int error, const char *err)
{
	if (error)
		return cli_session_failed(&t->session, topic, error, err);
	if (!t->options->common.json) {
		cli_say("%s: %s", topic, what);
		return CLI_OK;
	}
	cli_json_open(&t->json, NULL, '{');
	cli_json_text(&t->json, "topic", topic);
	cli_json_text(&t->json, "done", what);
	cli_json_close(&t->json, '}');
	return CLI_OK;
}

static int create(topics *t, const char *topic)
{
	char err[512] = "";
	const topics_options *o = t->options;
	int error = kp_topic_create(t->session.producer, topic, o->partitions, o->replication_factor, o->configs, t->timeout_ms,
	                            err, sizeof(err));
	return done(t, topic, "created", error, err);
}

static int delete_topic(topics *t, const char *topic)
{
	char err[512] = "";
	int error = kp_topic_delete(t->session.producer, topic, t->timeout_ms, err, sizeof(err));
	return done(t, topic, "deleted", error, err);
}

static int add_partitions(topics *t, const char *topic)
{
	char err[512] = "";
	int error = kp_topic_add_partitions(t->session.producer, topic, t->options->partitions, t->timeout_ms, err, sizeof(err));
	return done(t, topic, "partitions added", error, err);
}

static const struct action {
	const char *name;
	int (*run)(topics *t, const char *topic);
	bool needs_topic, needs_partitions;
} actions[] = {
	{"list", list, false, false},
	{"describe", describe, true, false},
	{"create", create, true, false},
	{"delete", delete_topic, true, false},
	{"add-partitions", add_partitions, true, true},
};

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
			rc = action->run(&t, NULL);
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

static int choose(const topics_options *o, char **operands, int n)
{
	const struct action *action = NULL;
	char *topic = (char *)(uintptr_t)o->common.topic;
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]) && n; i++)
		if (!strcmp(operands[0], actions[i].name))
			action = &actions[i];
	if (!action)
		return cli_usage_error(&cli_topics,
		                       n ? "'%.200s' is no action: list, describe, create, delete or add-partitions"
		                         : "say what to do%s: list, describe, create, delete or add-partitions",
		                       n ? operands[0] : "");
	operands++;
	n--;
	if (!n && topic) {
		operands = &topic;
		n = 1;
	}
	if (action->needs_topic != (n > 0))
		return cli_usage_error(&cli_topics, action->needs_topic ? "%s needs a topic" : "%s takes no topic", action->name);
	if (action->needs_partitions && o->partitions < 1)
		return cli_usage_error(&cli_topics, "%s needs --partitions N", action->name);
	return run_action(o, action, operands, n);
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
	.usage = "list -b HOST:PORT[,...]\ndescribe TOPIC... -b HOST:PORT[,...]\n"
		 "create TOPIC... -b HOST:PORT[,...] [--partitions N] [--replication-factor N] [--config NAME=VALUE]...\n"
		 "delete TOPIC... -b HOST:PORT[,...]\nadd-partitions TOPIC... -b HOST:PORT[,...] --partitions N",
	.options = options,
	.common = "btXFcjqvh",
	.details = details,
	.run = run,
};
