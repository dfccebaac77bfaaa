/*
 * gen_man.c - writes the man pages from the tables of commands and options, kproducer.1 and kproducer-COMMAND.1 of each:
 *
 *   gen_man docs/man
 *
 * tests/unit/cli/test_man.c includes this file, to compare the committed pages with fresh ones.
 */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kproducer/kproducer.h>

#include "cli/help.h"
#include "cli/text.h"

#define SOURCE_WIDTH 72
#define LINE_WIDTH 72 /* of a command in an example: 80 columns without the margin */

static const char description[] =
	"kproducer sends records to Apache Kafka, measures, administrates topics, and is a development broker itself. It speaks Kafka's\n"
	"protocol through libkproducer.\n"
	"\n"
	"Each record that was accepted ends in one of three ways: persisted; not persisted, that is in no log and never to be; or unknown,\n"
	"when a request was sent and its answer never came. Sending an unknown record again may double it. The exit code is 0 only when\n"
	"every record was persisted.\n"
	"\n"
	"Data goes to standard output, everything else to standard error. Errors are one line each and say what to do.\n";

static const char configuration[] =
	"Properties have Kafka's own names; names of librdkafka and sarama are understood where they mean the same. They are taken, the\n"
	"later over the earlier, from property files (-F), from the environment, and from the command line (-X and the options that stand\n"
	"for a property), in the order given. `kproducer config list` shows all of them with their defaults, `kproducer config explain\n"
	"NAME` what one of them does.\n";

static const char environment[] =
	"sets the property NAME, written in capitals and with '_' for '.': KPRODUCER_LINGER_MS=20 is -X linger.ms=20.\n";

static const char files[] =
	"A file for -F holds properties in the format of Java's .properties files, in UTF-8. None is read unasked.\n";

static const char other_pages[] = "kcat(1)";

/* Text as it is, whatever it holds; *begins: at the start of a line, where '.' and '\'' would be requests. */
static void put_char(FILE *out, char c, bool *begins)
{
	static const struct {
		char c;
		const char *escape;
	} escapes[] = {{'\\', "\\e"},  {'-', "\\-"},   {'\'', "\\(aq"},        {'`', "\\(ga"},
	               {'^', "\\(ha"}, {'~', "\\(ti"}, {CLI_HARD_SPACE, "\\ "}};
	if (*begins && c == '.')
		fputs("\\&", out);
	*begins = c == '\n';
	for (size_t i = 0; i < sizeof(escapes) / sizeof(escapes[0]); i++)
		if (escapes[i].c == c) {
			fputs(escapes[i].escape, out);
			return;
		}
	putc(c, out);
}

/* Lines as they are. */
static void put_plain(FILE *out, const char *text, size_t len)
{
	bool begins = true;
	for (size_t i = 0; i < len; i++)
		put_char(out, text[i], &begins);
}

/* The words of text, in lines of the page's source that are short enough to compare. */
static void put_words(FILE *out, const char *text, size_t len)
{
	bool begins = true;
	size_t column = 0;
	for (const char *at = text, *end = text + len; at < end;) {
		size_t n = strcspn(at, " \n");
		n = n < (size_t)(end - at) ? n : (size_t)(end - at);
		if (n && column) {
			begins = column + n >= SOURCE_WIDTH;
			putc(begins ? '\n' : ' ', out);
			column = begins ? 0 : column + 1;
		}
		for (size_t i = 0; i < n; i++)
			put_char(out, at[i], &begins);
		column += n;
		at += n + 1;
	}
	putc('\n', out);
}

static void put_in(FILE *out, char font, const char *text, size_t len)
{
	fprintf(out, "\\f%c", font);
	bool begins = false;
	for (size_t i = 0; i < len; i++)
		put_char(out, text[i], &begins);
	fputs("\\fR", out);
}

static size_t span(const char *text, size_t len, int (*is_in)(int), const char *further)
{
	size_t n = 0;
	while (n < len && (is_in((unsigned char)text[n]) || (text[n] && strchr(further, text[n]))))
		n++;
	return n;
}

/* A form of the usage: options and actions bold, what stands for something else in italics. */
static void put_form(FILE *out, const char *form, size_t len)
{
	char text[1024];
	bool begins = false;
	cli_text_form(form, len, text, sizeof(text));
	for (size_t i = 0, n; i < strlen(text); i += n) {
		const char *at = text + i;
		bool is_word = !i || strchr(" [|\1", text[i - 1]);
		if (is_word && (n = span(at, strlen(at), islower, "-")) > 0)
			put_in(out, 'B', at, n);
		else if ((n = span(at, strlen(at), isupper, ":=_")) > 0)
			put_in(out, 'I', at, n);
		else {
			n = 1;
			put_char(out, *at, &begins);
		}
	}
	putc('\n', out);
}

static void put_option(FILE *out, const cli_option *o)
{
	char name[64];
	fputs(".TP\n", out);
	if (o->id < CLI_OPTION_LONG) {
		snprintf(name, sizeof(name), "-%c", o->id);
		put_in(out, 'B', name, strlen(name));
		fputs(", ", out);
	}
	snprintf(name, sizeof(name), "--%s", o->name);
	put_in(out, 'B', name, strlen(name));
	if (o->arg) {
		putc(' ', out);
		put_in(out, 'I', o->arg, strlen(o->arg));
	}
	putc('\n', out);
	for (const char *line = o->help; *line;) {
		size_t len = strcspn(line, "\n");
		if (line != o->help)
			fputs(".br\n", out);
		put_words(out, line, len);
		line += len + (line[len] == '\n');
	}
}

static void put_verbatim(FILE *out, const cli_block *b)
{
	fputs(".EX\n", out);
	for (const char *line = b->text, *end = b->text + b->len; line < end;) {
		size_t len = strcspn(line, "\n"), blanks = strspn(line, " ") < 2 ? strspn(line, " ") : 2;
		cli_text_command(out, line + blanks, len - blanks, LINE_WIDTH, put_plain);
		line += len + 1;
	}
	fputs(".EE\n", out);
}

typedef enum part { PART_DESCRIPTION, PART_EXIT, PART_EXAMPLES } part;

/* Which section a block of a command's details belongs to; what follows a heading belongs to the heading's. */
static part part_of(const cli_block *b, part before)
{
	static const char exit_code[] = "Exit code";
	if (b->is_verbatim)
		return before;
	if (cli_block_is_heading(b, "Examples"))
		return PART_EXAMPLES;
	return !strncmp(b->text, exit_code, sizeof(exit_code) - 1) ? PART_EXIT : PART_DESCRIPTION;
}

/* The blocks of one part; their number. Headings of sections are left out. */
static int put_blocks(FILE *out, const char *text, part wanted)
{
	cli_block b;
	part in = PART_DESCRIPTION;
	int n = 0;
	while (cli_block_next(&text, &b)) {
		in = part_of(&b, in);
		if (in != wanted || (in == PART_EXAMPLES && !b.is_verbatim))
			continue;
		fputs(n++ ? ".P\n" : "", out);
		if (b.is_verbatim)
			put_verbatim(out, &b);
		else
			put_words(out, b.text, b.len);
	}
	return n;
}

static void put_exit_codes(FILE *out, bool talks_to_cluster)
{
	for (const cli_exit_code *e = cli_exit_codes; e->text; e++)
		if (talks_to_cluster || strcmp(e->code, "3") < 0) {
			fprintf(out, ".TP\n.B %s\n", e->code);
			put_words(out, e->text, strlen(e->text));
		}
}

static void put_environment(FILE *out)
{
	fputs(".SH ENVIRONMENT\n.TP\n\\fBKPRODUCER_\\fINAME\\fR\n", out);
	put_words(out, environment, sizeof(environment) - 1);
	fputs(".SH FILES\n", out);
	put_words(out, files, sizeof(files) - 1);
}

static void put_see_also(FILE *out, const cli_command *self)
{
	fputs(".SH SEE ALSO\n", out);
	if (self)
		fputs("\\fBkproducer\\fR(1), ", out);
	for (const cli_command *const *c = cli_commands; *c; c++)
		if (*c != self)
			fprintf(out, "\\fBkproducer\\-%s\\fR(1), ", (*c)->name);
	fprintf(out, "%s\n", other_pages);
}

static void put_head(FILE *out, const char *name, const char *summary)
{
	size_t len = strlen(summary);
	len -= len && summary[len - 1] == '.';
	fputs(".\\\" Generated by tests/tools/gen_man.c from the tables of cli/: change these, not this page.\n", out);
	fputs(".TH \"", out);
	for (const char *c = name; *c; c++)
		putc(*c == '-' ? '-' : toupper((unsigned char)*c), out);
	fprintf(out, "\" 1 \"\" \"kproducer %s\" \"User Commands\"\n.nh\n.ad l\n.SH NAME\n", kp_version());
	put_plain(out, name, strlen(name));
	fprintf(out, " \\- %c", tolower((unsigned char)summary[0]));
	put_plain(out, summary + 1, len - 1);
	putc('\n', out);
}

static void put_common_options(FILE *out, const cli_command *command)
{
	for (const cli_option *o = cli_common_options; o->name; o++)
		if (!command || cli_takes_common(command, o))
			put_option(out, o);
}

static void print_command_page(FILE *out, const cli_command *command)
{
	char name[64];
	bool talks_to_cluster = strchr(command->common, 'b');
	snprintf(name, sizeof(name), "kproducer-%s", command->name);
	put_head(out, name, command->summary);
	fputs(".SH SYNOPSIS\n", out);
	for (const char *form = command->usage; *form;) {
		size_t len = strcspn(form, "\n");
		fprintf(out, ".SY \"kproducer %s\"\n", command->name);
		put_form(out, form, len);
		fputs(".YS\n", out);
		form += len + (form[len] == '\n');
	}
	fputs(".SH DESCRIPTION\n", out);
	put_blocks(out, command->details, PART_DESCRIPTION);
	fputs(".SH OPTIONS\n", out);
	for (const cli_option *o = command->options; o->name; o++)
		put_option(out, o);
	fputs(command->options->name ? ".SS Common options\n" : "", out);
	put_common_options(out, command);
	fputs(".SH EXIT STATUS\n", out);
	if (!put_blocks(out, command->details, PART_EXIT))
		put_exit_codes(out, talks_to_cluster);
	if (strchr(command->common, 'X'))
		put_environment(out);
	fputs(".SH EXAMPLES\n", out);
	put_blocks(out, command->details, PART_EXAMPLES);
	put_see_also(out, command);
}

static void print_main_page(FILE *out)
{
	put_head(out, "kproducer", "Records into Apache Kafka");
	fputs(".SH SYNOPSIS\n\\fBkproducer\\fR \\fICOMMAND\\fR [\\fIOPTION\\fR]...\n.br\n"
	      "\\fBkproducer help\\fR [\\fICOMMAND\\fR]\n.SH DESCRIPTION\n",
	      out);
	put_blocks(out, description, PART_DESCRIPTION);
	fputs(".SH COMMANDS\n", out);
	for (const cli_command *const *c = cli_commands; *c; c++) {
		fprintf(out, ".TP\n\\fBkproducer\\-%s\\fR(1)\n", (*c)->name);
		put_words(out, (*c)->summary, strlen((*c)->summary));
	}
	fputs(".SH OPTIONS\n.TP\n\\fB\\-h\\fR, \\fB\\-\\-help\\fR\nthe list of commands\n"
	      ".TP\n\\fB\\-V\\fR, \\fB\\-\\-version\\fR\nthe version of the command and its library\n"
	      ".SS Options that most commands take\n",
	      out);
	put_common_options(out, NULL);
	fputs(".SH CONFIGURATION\n", out);
	put_blocks(out, configuration, PART_DESCRIPTION);
	fputs(".SH EXIT STATUS\n", out);
	put_exit_codes(out, true);
	put_environment(out);
	fputs(".SH EXAMPLES\n", out);
	put_blocks(out, cli_help_examples, PART_EXAMPLES);
	put_see_also(out, NULL);
}

/* command NULL: of the whole. */
static void print_man_page(FILE *out, const cli_command *command)
{
	if (command)
		print_command_page(out, command);
	else
		print_main_page(out);
}

static void man_page_path(char *out, size_t size, const char *folder, const cli_command *command)
{
	snprintf(out, size, "%s/kproducer%s%s.1", folder, command ? "-" : "", command ? command->name : "");
}

#ifndef KP_MAN_PAGES_ONLY
static int write_page(const char *folder, const cli_command *command)
{
	char path[4096];
	man_page_path(path, sizeof(path), folder, command);
	FILE *out = fopen(path, "w");
	if (!out) {
		perror(path);
		return 1;
	}
	print_man_page(out, command);
	int failed = ferror(out);
	if (fclose(out) || failed) {
		perror(path);
		return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: gen_man FOLDER\n");
		return 2;
	}
	int failed = write_page(argv[1], NULL);
	for (const cli_command *const *c = cli_commands; *c; c++)
		failed |= write_page(argv[1], *c);
	return failed;
}
#endif
