/*
 * help.c - see help.h.
 */
#include "cli/help.h"

#include <string.h>

#include "cli/text.h"

#define INDENT 30
#define USAGE_SIZE 1024

static const struct {
	char letter;
	int id;
} letters[] = {{'j', CLI_OPTION_JSON}, {'c', CLI_OPTION_CONNECT_TIMEOUT}, {'f', CLI_OPTION_FLUSH_TIMEOUT}};

const cli_exit_code cli_exit_codes[] = {
	{"0", "all records were persisted (acks=0: written), the operation is done"},
	{"1", "some records were not persisted, or the operation failed"},
	{"2", "the command line, the configuration or an input file is wrong"},
	{"3", "the cluster could not be reached"},
	{"130, 143", "stopped by SIGINT or SIGTERM, with nothing lost"},
	{NULL, NULL},
};

const char cli_help_examples[] = "Examples:\n"
				 "  kproducer broker &\n"
				 "  kproducer produce -b localhost:9092 -t logs /var/log/syslog\n"
				 "  kproducer perf -b localhost:9092 -t bench -n 10M\n"
				 "  kproducer config explain linger.ms\n";

bool cli_takes_common(const cli_command *command, const cli_option *option)
{
	int letter = option->id;
	if (letter == 'h')
		return true;
	for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++)
		if (letters[i].id == letter)
			letter = letters[i].letter;
	return letter < CLI_OPTION_LONG && strchr(command->common, letter);
}

static void print_option(const cli_option *o, FILE *out)
{
	char left[128], letter[8] = "    ";
	if (o->id < CLI_OPTION_LONG)
		snprintf(letter, sizeof(letter), "-%c, ", o->id);
	snprintf(left, sizeof(left), "  %s--%s%s%s", letter, o->name, o->arg ? " " : "", o->arg ? o->arg : "");
	fprintf(out, "%-*s", INDENT, left);
	if (strlen(left) >= INDENT)
		fprintf(out, "\n%*s", INDENT, "");
	for (const char *line = o->help; *line;) {
		size_t len = strcspn(line, "\n");
		if (line != o->help)
			fprintf(out, "%*s", INDENT, "");
		cli_text_wrap(out, line, len, INDENT, INDENT);
		line += len + (line[len] == '\n');
	}
}

static void print_usage(const cli_command *command, FILE *out)
{
	const char *lead = "Usage:";
	char text[USAGE_SIZE];
	for (const char *form = command->usage; *form; lead = "      ") {
		size_t len = strcspn(form, "\n");
		int at = fprintf(out, "%s kproducer %s ", lead, command->name);
		cli_text_form(form, len, text, sizeof(text));
		cli_text_wrap(out, text, strlen(text), at, at);
		form += len + (form[len] == '\n');
	}
}

static void put_text(FILE *out, const char *text, size_t len)
{
	fwrite(text, 1, len, out);
}

static void print_verbatim(const cli_block *b, bool is_examples, FILE *out)
{
	for (const char *line = b->text, *end = b->text + b->len; line < end;) {
		size_t len = strcspn(line, "\n");
		cli_text_command(out, line, len, is_examples ? CLI_TEXT_WIDTH : SIZE_MAX, put_text);
		line += len + 1;
	}
}

static void print_details(const char *details, FILE *out)
{
	cli_block b;
	bool is_examples = false;
	putc('\n', out);
	for (bool is_first = true; cli_block_next(&details, &b); is_first = false) {
		if (b.has_gap && !is_first)
			putc('\n', out);
		if (b.is_verbatim)
			print_verbatim(&b, is_examples, out);
		else {
			is_examples = cli_block_is_heading(&b, "Examples");
			cli_text_wrap(out, b.text, b.len, 0, 0);
		}
	}
}

void cli_help_command(const cli_command *command, FILE *out)
{
	print_usage(command, out);
	fprintf(out, "\n%s\n", command->summary);
	if (command->options->name)
		fprintf(out, "\nOptions:\n");
	for (const cli_option *o = command->options; o->name; o++)
		print_option(o, out);
	fprintf(out, "\nCommon options:\n");
	for (const cli_option *o = cli_common_options; o->name; o++)
		if (cli_takes_common(command, o))
			print_option(o, out);
	print_details(command->details, out);
}

void cli_help_all(FILE *out)
{
	fprintf(out, "Usage: kproducer COMMAND [OPTION]...\n\nRecords into Apache Kafka.\n\nCommands:\n");
	for (const cli_command *const *c = cli_commands; *c; c++)
		fprintf(out, "  %-10s %s\n", (*c)->name, (*c)->summary);
	fprintf(out, "  %-10s %s\n", "help", "The help of a command: kproducer help produce.");
	fprintf(out,
	        "\nOptions:\n  -h, --help     this text\n  -V, --version  the version of the command and its library\n\nExit codes:\n");
	for (const cli_exit_code *e = cli_exit_codes; e->text; e++)
		fprintf(out, "  %-10s %s\n", e->code, e->text);
	fprintf(out, "\n%s", cli_help_examples);
}
