/*
 * cmd_errors.c - `kproducer errors`: what a code means, what the library does about it, and what to do; no cluster needed.
 */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kproducer/error.h>

#include "cli/json.h"
#include "cli/nearest.h"
#include "cli/options.h"
#include "cli/talk.h"
#include "cli/text.h"

static const cli_option options[] = {{0, NULL, NULL, NULL}};

static const char details[] =
	"Without an argument all codes are listed: Kafka's, and below -1000 those that the client finds by itself. A CODE is a number; an\n"
	"ERROR a name as in reports and logs, in any case, or that of the Java client's exception. Of each it says\n"
	"  class        what kind of error: retriable, usage, resource, ...\n"
	"  scope        how far it reaches: record, batch, partition, ...\n"
	"  append       never: brokers give it only before they write\n"
	"               maybe: the batch may be in the log\n"
	"  on produce   what the library does when a batch is answered so\n"
	"  on metadata  ... and when a topic's metadata says so\n"
	"and what you can do. The codes of failed records stand on standard error, in --failed files and in reports.\n"
	"\n"
	"Exit code: 0 all were found, 2 one is no code.\n"
	"\n"
	"Examples:\n"
	"  kproducer errors\n"
	"  kproducer errors 19\n"
	"  kproducer errors MESSAGE_TOO_LARGE -1003\n"
	"  kproducer errors NotLeaderOrFollowerException --json\n";

#define NAME_SIZE 64

/* A name without what differs between those who write it: case, '_', "KP_ERR_", "Exception". False: it is too long to be one. */
static bool simplify(const char *name, char out[NAME_SIZE])
{
	static const char prefix[] = "kperr", suffix[] = "exception";
	size_t n = 0;
	for (; *name; name++) {
		if (*name == '_' || *name == '-')
			continue;
		if (n == NAME_SIZE - 1)
			return false;
		out[n++] = (char)tolower((unsigned char)*name);
	}
	out[n] = 0;
	size_t n_suffix = sizeof(suffix) - 1, n_prefix = sizeof(prefix) - 1;
	if (n > n_suffix && !strcmp(out + n - n_suffix, suffix) && strcmp(out, "networkexception") &&
	    strcmp(out, "invalidtopicexception"))
		out[n -= n_suffix] = 0;
	if (!strncmp(out, prefix, n_prefix))
		memmove(out, out + n_prefix, n - n_prefix + 1);
	return true;
}

static bool is_number(const char *word)
{
	size_t sign = *word == '-' || *word == '+';
	return word[sign] && strspn(word + sign, "0123456789") == strlen(word + sign);
}

static bool find_number(const char *word, int *code)
{
	errno = 0;
	long number = strtol(word, NULL, 10);
	for (int i = 0; i < kp_error_count() && !errno; i++)
		if ((*code = kp_error_at(i)) == number)
			return true;
	return false;
}

/* The code that a word stands for; false, and said, when it stands for none. */
static bool find(const char *word, int *code)
{
	char wanted[NAME_SIZE], name[NAME_SIZE], upper[NAME_SIZE], hint[CLI_NEAREST_SIZE];
	cli_nearest nearest;
	if (is_number(word)) {
		if (find_number(word, code))
			return true;
		cli_error("%.200s is no error code: Kafka's go from -1 to 133, ours from -1001 to %d", word,
		          kp_error_at(kp_error_count() - 1));
		return false;
	}
	if (!simplify(word, wanted))
		wanted[0] = 0;
	size_t n = 0;
	for (; word[n] && n < NAME_SIZE - 1; n++)
		upper[n] = (char)(word[n] == '-' ? '_' : toupper((unsigned char)word[n]));
	upper[n] = 0;
	cli_nearest_init(&nearest, upper);
	for (int i = 0; i < kp_error_count(); i++) {
		*code = kp_error_at(i);
		if (simplify(kp_error_name(*code), name) && !strcmp(wanted, name))
			return true;
		cli_nearest_try(&nearest, kp_error_name(*code));
	}
	cli_error("'%.200s' is no error code%s", word, cli_nearest_hint(&nearest, "", hint));
	return false;
}

static const char *append_of(int code)
{
	if (code <= -1000)
		return "no answer of a broker: the report's outcome tells";
	return kp_error_may_append(code) ? "maybe" : "never";
}

static void print_json(cli_json *j, int code)
{
	bool is_local = code <= -1000;
	cli_json_open(j, NULL, '{');
	cli_json_int(j, "code", code);
	cli_json_text(j, "name", kp_error_name(code));
	cli_json_text(j, "class", kp_error_class_name(kp_error_get_class(code)));
	cli_json_bool(j, "retriable", kp_error_is_retriable(code));
	cli_json_text(j, "scope", kp_error_scope_name(kp_error_get_scope(code)));
	cli_json_text(j, "append", is_local ? NULL : append_of(code));
	cli_json_text(j, "on_produce", is_local ? NULL : kp_error_on_produce_text(code));
	cli_json_text(j, "on_metadata", is_local ? NULL : kp_error_on_metadata_text(code));
	cli_json_text(j, "text", kp_error_text(code));
	cli_json_text(j, "advice", kp_error_advice(code));
	cli_json_close(j, '}');
}

static void print_text(int code)
{
	printf("%s (%d)\n", kp_error_name(code), code);
	printf("  %-11s %s\n", "meaning", kp_error_text(code));
	printf("  %-11s %s\n", "class", kp_error_class_name(kp_error_get_class(code)));
	printf("  %-11s %s\n", "scope", kp_error_scope_name(kp_error_get_scope(code)));
	printf("  %-11s %s\n", "append", append_of(code));
	if (code > -1000) {
		printf("  %-11s %s\n", "on produce", kp_error_on_produce_text(code));
		printf("  %-11s %s\n", "on metadata", kp_error_on_metadata_text(code));
	}
	putchar('\n');
	cli_text_wrap(stdout, kp_error_advice(code), strlen(kp_error_advice(code)), 0, 0);
}

static int list(const cli_common *common)
{
	cli_json j = {.out = stdout};
	if (common->json)
		cli_json_open(&j, NULL, '[');
	for (int i = 0; i < kp_error_count(); i++) {
		int code = kp_error_at(i);
		if (common->json)
			print_json(&j, code);
		else
			printf("%5d %-37s %-9s  %s\n", code, kp_error_name(code), kp_error_class_name(kp_error_get_class(code)),
			       kp_error_text(code));
	}
	if (common->json) {
		cli_json_close(&j, ']');
		putchar('\n');
	}
	return CLI_OK;
}

static int explain(const cli_common *common, char **words, int n)
{
	cli_json j = {.out = stdout};
	int rc = CLI_OK, code;
	const char *gap = "";
	bool is_array = common->json && n > 1;
	if (is_array)
		cli_json_open(&j, NULL, '[');
	for (int i = 0; i < n; i++) {
		if (!find(words[i], &code)) {
			rc = CLI_USAGE;
			continue;
		}
		if (common->json) {
			print_json(&j, code);
			continue;
		}
		printf("%s", gap);
		gap = "\n";
		print_text(code);
	}
	if (is_array)
		cli_json_close(&j, ']');
	if (j.needs_comma) /* something is there */
		putchar('\n');
	return rc;
}

static int take(void *state, int id, char *arg)
{
	(void)state;
	(void)id;
	(void)arg;
	return CLI_GO_ON;
}

/* The same words, options first, then "--" and the operands, so that -1 is a number. No option of this command takes an argument. */
static void set_numbers_apart(int argc, char **argv, char **out)
{
	static char separator[] = "--";
	int n = 0;
	for (int pass = 0; pass < 2; pass++) {
		bool are_operands = false;
		if (pass)
			out[n++] = separator;
		for (int i = 0; i < argc; i++) {
			bool is_separator = i && !are_operands && !strcmp(argv[i], separator);
			bool is_operand = are_operands || (i && (argv[i][0] != '-' || is_number(argv[i])));
			are_operands |= is_separator;
			if (!is_separator && is_operand == (pass == 1))
				out[n++] = argv[i];
		}
	}
	out[n] = NULL;
}

static int run(const cli_command *self, int argc, char **argv)
{
	cli_common common;
	char **words = malloc(((size_t)argc + 2) * sizeof(*words));
	if (!words) {
		cli_error("out of memory");
		return CLI_FAILED;
	}
	set_numbers_apart(argc, argv, words);
	for (argc = 0; words[argc];)
		argc++;
	int rc = cli_options_parse(self, argc, words, &common, take, NULL);
	if (rc == CLI_GO_ON)
		rc = optind < argc ? explain(&common, words + optind, argc - optind) : list(&common);
	cli_common_deinit(&common);
	free(words);
	return rc;
}

const cli_command cli_errors = {
	.name = "errors",
	.summary = "Explain error codes.",
	.usage = "[CODE|ERROR]...",
	.options = options,
	.common = "jqvh",
	.details = details,
	.run = run,
};
