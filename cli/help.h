/*
 * help.h - help texts, made from the tables of commands and options.
 */
#ifndef KP_CLI_HELP_H
#define KP_CLI_HELP_H

#include <stdio.h>

#include "cli/cli.h"
#include "cli/options.h"

/* What each exit code means, for help and man pages; text NULL ends it. */
typedef struct cli_exit_code {
	const char *code, *text;
} cli_exit_code;
extern const cli_exit_code cli_exit_codes[];
extern const char cli_help_examples[]; /* of the command as a whole; a heading and verbatim lines */

/* Whether a command takes this common option. */
bool cli_takes_common(const cli_command *command, const cli_option *option);
void cli_help_command(const cli_command *command, FILE *out);
void cli_help_all(FILE *out);

#endif
