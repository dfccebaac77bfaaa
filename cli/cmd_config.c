/*
 * cmd_config.c - `kproducer config`: the table of properties, some of them, or a check of files; no cluster needed.
 */
#include <ctype.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <kproducer/kproducer.h>

#include "cli/json.h"
#include "cli/nearest.h"
#include "cli/options.h"
#include "cli/talk.h"
#include "cli/text.h"

static const cli_option options[] = {{0, NULL, NULL, NULL}};

static const char details[] =
	"list prints every property with its default, or those whose name, or another client's name for them, holds WORD. explain\n"
	"prints all about a property; names of librdkafka and sarama are understood, and a name that is not supported is told why.\n"
	"check reads each FILE as -F would, on top of those before, tells every mistake with its file and line, and applies the rules\n"
	"between properties.\n"
	"\n"
	"Exit code: 0 all is well, 1 no property was found, 2 there are mistakes.\n"
	"\n"
	"Examples:\n"
	"  kproducer config list\n"
	"  kproducer config list timeout\n"
	"  kproducer config explain linger.ms acks\n"
	"  kproducer config check client.properties\n";

static kp_property property_at(size_t i)
{
	kp_property p = {.struct_size = sizeof(p)};
	if (kp_property_get(i, &p))
		p.name = NULL;
	return p;
}

static void print_json(cli_json *j, const kp_property *p)
{
	cli_json_open(j, NULL, '{');
	cli_json_text(j, "name", p->name);
	cli_json_text(j, "type", p->type);
	cli_json_text(j, "default", p->default_value);
	cli_json_text(j, "range", p->range);
	cli_json_text(j, "aliases", p->aliases);
	cli_json_text(j, "importance", p->importance);
	cli_json_text(j, "doc", p->doc);
	cli_json_close(j, '}');
}

/* Whether `text` holds `word`, whatever the case of either. */
static bool holds(const char *text, const char *word)
{
	size_t len = strlen(word);
	for (; strlen(text) >= len; text++)
		if (!strncasecmp(text, word, len))
			return true;
	return false;
}

static int list(const cli_common *common, char **operands, int n)
{
	cli_json j = {.out = stdout};
	const char *word = n ? operands[0] : "";
	size_t n_found = 0;
	if (common->json)
		cli_json_open(&j, NULL, '[');
	for (size_t i = 0; i < kp_property_count(); i++) {
		kp_property p = property_at(i);
		if (!p.name || (!holds(p.name, word) && !holds(p.aliases, word)))
			continue;
		n_found++;
		if (common->json)
			print_json(&j, &p);
		else
			printf("%s=%s\n", p.name, p.default_value);
	}
	if (common->json) {
		cli_json_close(&j, ']');
		putchar('\n');
	}
	if (n_found)
		return CLI_OK;
	cli_error("no property has '%.200s' in its name", word);
	return CLI_FAILED;
}

/* Whether `name` is an item of a list like "a, b,c". */
static bool is_in_list(const char *items, const char *name)
{
	size_t len = strlen(name);
	for (const char *at = items; (at = strstr(at, name)); at++) {
		bool begins = at == items || at[-1] == ',' || at[-1] == ' ';
		if (begins && (at[len] == 0 || at[len] == ',' || at[len] == ' '))
			return true;
	}
	return false;
}

static void print_line(const char *label, const char *text)
{
	if (text && *text)
		printf("  %-11s %s\n", label, text);
}

static void print_text(const kp_property *p)
{
	printf("%s\n", p->name);
	print_line("type", p->type);
	print_line("default", *p->default_value ? p->default_value : "(none)");
	print_line("range", p->range);
	print_line("also called", p->aliases);
	print_line("importance", p->importance);
	printf("  %-11s KPRODUCER_", "environment");
	for (const char *c = p->name; *c; c++)
		putchar(isalnum((unsigned char)*c) ? toupper((unsigned char)*c) : '_');
	putchar('\n');
	putchar('\n');
	cli_text_wrap(stdout, p->doc, strlen(p->doc), 0, 0);
}

/* What the library says of a name that is in no row: the nearest one, or why it is not supported. */
static int unknown(const char *name)
{
	char err[512] = "";
	kp_config *c = kp_config_new();
	if (c)
		kp_config_set(c, name, "", err, sizeof(err));
	kp_config_free(c);
	cli_error("%s", *err ? err : "no such property");
	return CLI_USAGE;
}

static bool find(const char *name, kp_property *out)
{
	for (size_t i = 0; i < kp_property_count(); i++) {
		*out = property_at(i);
		if (out->name && (!strcmp(out->name, name) || is_in_list(out->aliases, name)))
			return true;
	}
	return false;
}

static int explain(const cli_common *common, char **names, int n)
{
	cli_json j = {.out = stdout};
	int rc = CLI_OK;
	if (common->json && n > 1)
		cli_json_open(&j, NULL, '[');
	for (int i = 0; i < n; i++) {
		kp_property p;
		if (!find(names[i], &p)) {
			rc = unknown(names[i]);
			continue;
		}
		if (common->json)
			print_json(&j, &p);
		else {
			printf("%s", i ? "\n" : "");
			print_text(&p);
		}
	}
	if (common->json && n > 1)
		cli_json_close(&j, ']');
	if (j.needs_comma) /* something is there */
		putchar('\n');
	return rc;
}

typedef struct mistakes {
	size_t n;
	cli_json *json; /* NULL: not wanted */
} mistakes;

static void on_mistake(const char *text, void *opaque)
{
	mistakes *m = opaque;
	m->n++;
	cli_error("%s", text);
	if (m->json)
		cli_json_text(m->json, NULL, text);
}

static bool has_servers(const kp_config *c)
{
	char servers[2];
	size_t needed = 0;
	return !kp_config_get(c, "bootstrap.servers", servers, sizeof(servers), &needed) && needed > 1;
}

/* The rules between properties. Servers may come from elsewhere: that a file has none is no mistake of its own. */
static void check_rules(kp_config *c, mistakes *m)
{
	char err[512] = "";
	if (!has_servers(c) && kp_config_set(c, "bootstrap.servers", "localhost:9092", err, sizeof(err)))
		on_mistake(err, m);
	else if (kp_config_check(c, err, sizeof(err)))
		on_mistake(err, m);
}

static int check(const cli_common *common, char **paths, int n)
{
	cli_json j = {.out = stdout};
	mistakes m = {.json = common->json ? &j : NULL};
	kp_config *c = kp_config_new();
	if (!c) {
		cli_error("out of memory");
		return CLI_FAILED;
	}
	if (common->json) {
		cli_json_open(&j, NULL, '{');
		cli_json_open(&j, "mistakes", '[');
	}
	bool is_read = true;
	for (int i = 0; i < n; i++)
		is_read = kp_config_check_file(c, paths[i], on_mistake, &m) != KP_ERR_IO && is_read;
	bool are_servers_missing = !has_servers(c);
	if (is_read)
		check_rules(c, &m);
	kp_config_free(c);
	if (common->json) {
		cli_json_close(&j, ']');
		cli_json_close(&j, '}');
		putchar('\n');
	}
	if (m.n)
		return CLI_USAGE;
	cli_say("%s%s: no mistakes%s", paths[0], n > 1 ? " and the files on top of it" : "",
	        are_servers_missing ? "; servers are to be given with -b" : "");
	return CLI_OK;
}

static int take(void *state, int id, char *arg)
{
	(void)state;
	(void)id;
	(void)arg;
	return CLI_GO_ON;
}

static int unknown_action(const cli_command *self, const char *name)
{
	char hint[CLI_NEAREST_SIZE];
	cli_nearest nearest;
	cli_nearest_init(&nearest, name);
	cli_nearest_try(&nearest, "list");
	cli_nearest_try(&nearest, "explain");
	cli_nearest_try(&nearest, "check");
	return cli_usage_error(self, "'%.200s' is no action: list, explain or check%s", name, cli_nearest_hint(&nearest, "", hint));
}

static int choose(const cli_command *self, const cli_common *common, char **operands, int n)
{
	if (!n)
		return cli_usage_error(self, "say what to do: list, explain PROPERTY or check FILE");
	const char *action = *operands++;
	n--;
	if (!strcmp(action, "list"))
		return n < 2 ? list(common, operands, n) : cli_usage_error(self, "list wants one WORD at most");
	if (!strcmp(action, "explain"))
		return n ? explain(common, operands, n) : cli_usage_error(self, "explain wants a PROPERTY");
	if (!strcmp(action, "check"))
		return n ? check(common, operands, n) : cli_usage_error(self, "check wants a FILE");
	return unknown_action(self, action);
}

static int run(const cli_command *self, int argc, char **argv)
{
	cli_common common;
	int rc = cli_options_parse(self, argc, argv, &common, take, NULL);
	if (rc == CLI_GO_ON)
		rc = choose(self, &common, argv + optind, argc - optind);
	cli_common_deinit(&common);
	return rc;
}

const cli_command cli_config = {
	.name = "config",
	.summary = "Show and check configuration properties.",
	.usage = "list [WORD]\nexplain PROPERTY...\ncheck FILE...",
	.options = options,
	.common = "jqvh",
	.details = details,
	.run = run,
};
