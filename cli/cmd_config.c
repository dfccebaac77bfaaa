/*
 * cmd_config.c - `kproducer config`: the table of properties, one property, or a check of a file; no cluster needed.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include <kproducer/kproducer.h>

#include "cli/json.h"
#include "cli/options.h"
#include "cli/talk.h"

static const cli_option options[] = {{0, NULL, NULL, NULL}};

static const char details[] =
	"list prints every property with its default. explain prints all about one; names of librdkafka and sarama are understood.\n"
	"check reads FILE as -F would and applies the rules between properties: exit code 0, or 2 with the first mistake.\n"
	"\n"
	"Examples:\n"
	"  kproducer config list\n"
	"  kproducer config explain linger.ms\n"
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

static int list(const cli_common *common)
{
	cli_json j = {.out = stdout};
	if (common->json)
		cli_json_open(&j, NULL, '[');
	for (size_t i = 0; i < kp_property_count(); i++) {
		kp_property p = property_at(i);
		if (!p.name)
			continue;
		if (common->json)
			print_json(&j, &p);
		else
			printf("%s=%s\n", p.name, p.default_value);
	}
	if (common->json) {
		cli_json_close(&j, ']');
		putchar('\n');
	}
	return CLI_OK;
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
	printf("\n%s\n", p->doc);
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

static int explain(const cli_common *common, const char *name)
{
	for (size_t i = 0; i < kp_property_count(); i++) {
		kp_property p = property_at(i);
		if (!p.name || (strcmp(p.name, name) && !is_in_list(p.aliases, name)))
			continue;
		if (common->json) {
			cli_json j = {.out = stdout};
			print_json(&j, &p);
			putchar('\n');
		} else
			print_text(&p);
		return CLI_OK;
	}
	return unknown(name);
}

static int check(const char *path)
{
	char err[512] = "";
	kp_config *c = kp_config_new();
	if (!c) {
		cli_error("out of memory");
		return CLI_FAILED;
	}
	int error = kp_config_load_file(c, path, err, sizeof(err));
	bool is_loaded = !error;
	if (is_loaded)
		error = kp_config_check(c, err, sizeof(err));
	kp_config_free(c);
	if (!error) {
		cli_say("%s: no mistakes", path);
		return CLI_OK;
	}
	cli_error("%s%s%s", is_loaded ? path : "", is_loaded ? ": " : "", err);
	return CLI_USAGE;
}

static int take(void *state, int id, char *arg)
{
	(void)state;
	(void)id;
	(void)arg;
	return CLI_GO_ON;
}

static int choose(const cli_command *self, const cli_common *common, char **operands, int n)
{
	const char *action = n ? operands[0] : "";
	if (!strcmp(action, "list"))
		return n == 1 ? list(common) : cli_usage_error(self, "list takes no operands");
	if (!strcmp(action, "explain"))
		return n == 2 ? explain(common, operands[1]) : cli_usage_error(self, "explain wants one NAME");
	if (!strcmp(action, "check"))
		return n == 2 ? check(operands[1]) : cli_usage_error(self, "check wants one FILE");
	return cli_usage_error(self, "say what to do: list, explain NAME or check FILE");
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
	.usage = "list\nexplain NAME\ncheck FILE",
	.options = options,
	.common = "jqvh",
	.details = details,
	.run = run,
};
