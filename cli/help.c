/*
 * help.c - see help.h.
 */
#include "cli/help.h"

#include <string.h>

#define INDENT 34

static const struct {
	char letter;
	int id;
} letters[] = {{'j', CLI_OPTION_JSON}, {'c', CLI_OPTION_CONNECT_TIMEOUT}, {'f', CLI_OPTION_FLUSH_TIMEOUT}};

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

static void print_option(const cli_option *o)
{
	char left[128], letter[8] = "    ";
	if (o->id < CLI_OPTION_LONG)
		snprintf(letter, sizeof(letter), "-%c, ", o->id);
	snprintf(left, sizeof(left), "  %s--%s%s%s", letter, o->name, o->arg ? " " : "", o->arg ? o->arg : "");
	printf("%-*s", INDENT, left);
	if (strlen(left) >= INDENT)
		printf("\n%*s", INDENT, "");
	for (const char *c = o->help; *c; c++) {
		putchar(*c);
		if (*c == '\n')
			printf("%*s", INDENT, "");
	}
	putchar('\n');
}

static void print_usage(const cli_command *command)
{
	const char *line = command->usage, *end;
	const char *lead = "Usage:";
	for (; line; line = end ? end + 1 : NULL, lead = "      ") {
		end = strchr(line, '\n');
		printf("%s kproducer %s %.*s\n", lead, command->name, end ? (int)(end - line) : (int)strlen(line), line);
	}
}

void cli_help_command(const cli_command *command)
{
	print_usage(command);
	printf("\n%s\n", command->summary);
	if (command->options->name)
		printf("\nOptions:\n");
	for (const cli_option *o = command->options; o->name; o++)
		print_option(o);
	printf("\nCommon options:\n");
	for (const cli_option *o = cli_common_options; o->name; o++)
		if (cli_takes_common(command, o))
			print_option(o);
	printf("\n%s", command->details);
}

void cli_help_all(const cli_command *const *commands, FILE *out)
{
	fprintf(out, "Usage: kproducer COMMAND [OPTION]...\n\nRecords into Apache Kafka.\n\nCommands:\n");
	for (; *commands; commands++)
		fprintf(out, "  %-10s %s\n", (*commands)->name, (*commands)->summary);
	fprintf(out, "  %-10s %s\n", "help", "the help of a command: kproducer help produce");
	fprintf(out, "\nOptions:\n  -h, --help     this text\n  -V, --version  the version of the command and its library\n\n"
	             "Exit codes: 0 every record persisted, 1 some were not or the operation failed, 2 usage or configuration,\n"
	             "3 the cluster could not be reached, 130/143 stopped by SIGINT/SIGTERM with nothing lost.\n");
}
