/*
 * options.c - see options.h.
 */
#include "cli/options.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/help.h"
#include "cli/nearest.h"
#include "cli/parse.h"
#include "cli/talk.h"

#define MAX_OPTIONS 64

const cli_option cli_common_options[] = {
	{'b', "bootstrap-server", "HOST:PORT[,...]", "servers to start from (bootstrap.servers)"},
	{'t', "topic", "TOPIC", "the topic"},
	{'X', "property", "NAME=VALUE", "set a property; may be repeated; see kproducer config list"},
	{'F', "properties-file", "FILE", "read properties from a Java .properties file; may be repeated"},
	{CLI_OPTION_CONNECT_TIMEOUT, "connect-timeout", "SECONDS",
         "give up, exit 3, when the cluster has not answered by then (30)"},
	{CLI_OPTION_FLUSH_TIMEOUT, "flush-timeout", "SECONDS", "how long SIGINT or SIGTERM lets records under way finish (10)"},
	{CLI_OPTION_JSON, "json", NULL, "the result as one JSON object on standard output"},
	{'q', "quiet", NULL, "errors only: no progress, no summary"},
	{'v', "verbose", NULL, "more of the library's log; -vv for all of it"},
	{'h', "help", NULL, "this text"},
	{0, NULL, NULL, NULL},
};

typedef struct parser {
	const cli_command *command;
	struct option longs[MAX_OPTIONS + 1];
	char shorts[2 * MAX_OPTIONS + 2];
	size_t n, n_shorts;
} parser;

static void add_option(parser *p, const cli_option *o)
{
	if (p->n == MAX_OPTIONS)
		abort(); /* a table of ours has outgrown the parser */
	p->longs[p->n++] = (struct option){o->name, o->arg ? required_argument : no_argument, NULL, o->id};
	if (o->id < CLI_OPTION_LONG) {
		p->shorts[p->n_shorts++] = (char)o->id;
		if (o->arg)
			p->shorts[p->n_shorts++] = ':';
	}
}

static void parser_init(parser *p, const cli_command *command)
{
	*p = (parser){.command = command, .n_shorts = 1};
	p->shorts[0] = ':'; /* a missing argument is told from an unknown option */
	for (const cli_option *o = command->options; o->name; o++)
		add_option(p, o);
	for (const cli_option *o = cli_common_options; o->name; o++)
		if (cli_takes_common(command, o))
			add_option(p, o);
}

int cli_usage_error(const cli_command *command, const char *format, ...)
{
	char text[1024];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	cli_error("%s: %s (try: kproducer %s --help)", command->name, text, command->name);
	return CLI_USAGE;
}

/* A long option that getopt_long did not take: it begins several, or it is near one, or neither. */
static int bad_long_option(const parser *p, const char *word)
{
	char name[64], hint[CLI_NEAREST_SIZE];
	cli_nearest nearest;
	size_t n_begin = 0;
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(word + 2, "="), word + 2);
	cli_nearest_init(&nearest, name);
	for (size_t i = 0; i < p->n; i++) {
		n_begin += !strncmp(p->longs[i].name, name, strlen(name));
		cli_nearest_try(&nearest, p->longs[i].name);
	}
	if (n_begin > 1)
		return cli_usage_error(p->command, "%.200s is short for more than one option", word);
	return cli_usage_error(p->command, "%.200s is not an option of this command%s", word,
	                       cli_nearest_hint(&nearest, "--", hint));
}

/*
 * Whether `word` is the long option that optopt is about. It is not when a letter within the next word is at fault: getopt_long has
 * not moved on then.
 */
static bool is_at_fault(const parser *p, const char *word)
{
	size_t len = strncmp(word, "--", 2) ? 0 : strcspn(word + 2, "=");
	bool is = len && !optopt;
	for (size_t i = 0; i < p->n && len; i++)
		is = is || (p->longs[i].val == optopt && !strncmp(p->longs[i].name, word + 2, len));
	return is;
}

/* What getopt_long complained about, as the user typed it. */
static int bad_option(const parser *p, int result, char **argv)
{
	const char *word = argv[optind - 1];
	bool is_long = is_at_fault(p, word);
	const char *problem = result == ':' ? "needs an argument" : "is not an option of this command";
	for (size_t i = 0; i < p->n && result == '?' && is_long; i++)
		if (p->longs[i].val == optopt && !p->longs[i].has_arg)
			problem = "takes no argument";
	if (result == '?' && is_long && !optopt)
		return bad_long_option(p, word);
	if (is_long)
		return cli_usage_error(p->command, "%.200s %s", word, problem);
	return cli_usage_error(p->command, "-%c %s", optopt, problem);
}

int cli_common_set(cli_common *common, const char *name, const char *value)
{
	size_t name_size = strlen(name) + 1, value_size = strlen(value) + 1;
	cli_setting *more = realloc(common->settings, (common->n_settings + 1) * sizeof(*more));
	if (more)
		common->settings = more;
	char *text = malloc(name_size + value_size);
	if (!more || !text) {
		free(text);
		cli_error("out of memory");
		return CLI_FAILED;
	}
	memcpy(text, name, name_size);
	memcpy(text + name_size, value, value_size);
	common->settings[common->n_settings++] = (cli_setting){text, text + name_size};
	return CLI_GO_ON;
}

static int take_property(const cli_command *command, cli_common *common, const char *arg)
{
	char name[256];
	const char *equals = strchr(arg, '=');
	if (!equals || equals == arg || (size_t)(equals - arg) >= sizeof(name))
		return cli_usage_error(command, "-X wants NAME=VALUE, not '%.200s'", arg);
	memcpy(name, arg, (size_t)(equals - arg));
	name[equals - arg] = 0;
	return cli_common_set(common, name, equals + 1);
}

int cli_common_add_file(cli_common *common, const char *path)
{
	const char **more = realloc(common->files, (common->n_files + 1) * sizeof(*more));
	if (!more) {
		cli_error("out of memory");
		return CLI_FAILED;
	}
	common->files = more;
	common->files[common->n_files++] = path;
	return CLI_GO_ON;
}

static int take_timeout(const cli_command *command, const char *name, const char *arg, int64_t *out_ms)
{
	if (!cli_parse_duration_ms(arg, INT32_MAX, out_ms))
		return cli_usage_error(command, "--%s wants seconds, not '%.200s'", name, arg);
	return CLI_GO_ON;
}

/* CLI_GO_ON, an exit code, or CLI_NOT_COMMON. */
#define CLI_NOT_COMMON (-2)
static int take_common(const cli_command *command, cli_common *common, int id, const char *arg)
{
	if (!cli_takes_common(command, &(cli_option){.id = id}))
		return CLI_NOT_COMMON;
	switch (id) {
	case 'b': return cli_common_set(common, "bootstrap.servers", arg);
	case 't': common->topic = arg; return CLI_GO_ON;
	case 'X': return take_property(command, common, arg);
	case 'F': return cli_common_add_file(common, arg);
	case CLI_OPTION_CONNECT_TIMEOUT: return take_timeout(command, "connect-timeout", arg, &common->connect_timeout_ms);
	case CLI_OPTION_FLUSH_TIMEOUT: return take_timeout(command, "flush-timeout", arg, &common->flush_timeout_ms);
	case CLI_OPTION_JSON: common->json = true; return CLI_GO_ON;
	case 'q': common->quiet = true; return CLI_GO_ON;
	case 'v': common->verbosity++; return cli_common_set(common, "log_level", common->verbosity > 1 ? "7" : "6");
	case 'h': cli_help_command(command, stdout); return CLI_OK;
	default: return CLI_NOT_COMMON;
	}
}

int cli_options_parse(const cli_command *command, int argc, char **argv, cli_common *common, cli_take_option *take, void *state)
{
	parser p;
	int id, rc = CLI_GO_ON;
	*common = (cli_common){.connect_timeout_ms = 30000, .flush_timeout_ms = 10000};
	parser_init(&p, command);
	opterr = 0;
	optind = 0; /* 0, not 1: glibc starts afresh */
	while (rc == CLI_GO_ON && (id = getopt_long(argc, argv, p.shorts, p.longs, NULL)) != -1) {
		if (id == '?' || id == ':')
			return bad_option(&p, id, argv);
		rc = take_common(command, common, id, optarg);
		if (rc == CLI_NOT_COMMON)
			rc = take(state, id, optarg);
	}
	cli_talk_init(common->quiet, common->verbosity);
	return rc;
}

void cli_common_deinit(cli_common *common)
{
	for (size_t i = 0; i < common->n_settings; i++)
		free((void *)(uintptr_t)common->settings[i].name);
	free(common->settings);
	free(common->files);
	*common = (cli_common){0};
}

static int apply(const cli_common *common, kp_config *config, char *err, size_t err_size)
{
	int rc = 0;
	for (size_t i = 0; i < common->n_files && !rc; i++)
		rc = kp_config_load_file(config, common->files[i], err, err_size);
	if (!rc)
		rc = kp_config_load_env(config, err, err_size);
	for (size_t i = 0; i < common->n_settings && !rc; i++)
		rc = kp_config_set(config, common->settings[i].name, common->settings[i].value, err, err_size);
	return rc;
}

int cli_config_build(const cli_common *common, bool needs_servers, kp_config **out)
{
	char err[512] = "", servers[2];
	kp_config *config = kp_config_new();
	if (!config) {
		cli_error("out of memory");
		return CLI_FAILED;
	}
	if (apply(common, config, err, sizeof(err)) || kp_config_check(config, err, sizeof(err))) {
		cli_error("%s", err);
		kp_config_free(config);
		return CLI_USAGE;
	}
	size_t needed = 0;
	if (needs_servers && (kp_config_get(config, "bootstrap.servers", servers, sizeof(servers), &needed) || needed <= 1)) {
		cli_error("no servers: give -b HOST:PORT, bootstrap.servers in a file with -F, or KPRODUCER_BOOTSTRAP_SERVERS");
		kp_config_free(config);
		return CLI_USAGE;
	}
	*out = config;
	return CLI_GO_ON;
}
