/*
 * help.h - help texts, made from the tables of commands and options; on stdout.
 */
#ifndef KP_CLI_HELP_H
#define KP_CLI_HELP_H

#include <stdio.h>

#include "cli/cli.h"
#include "cli/options.h"

/* Whether a command takes this common option. */
bool cli_takes_common(const cli_command *command, const cli_option *option);
void cli_help_command(const cli_command *command);
/* commands ends with NULL. */
void cli_help_all(const cli_command *const *commands, FILE *out);

#endif
