/*
 * commands.c - the table of commands. main.c runs by it; help, man pages and completion are made from it.
 */
#include "cli/cli.h"

#include <string.h>

const cli_command *const cli_commands[] = {&cli_produce, &cli_perf,   &cli_topics, &cli_config,
                                           &cli_errors,  &cli_broker, &cli_fault,  NULL};

const cli_command *cli_command_find(const char *name)
{
	for (const cli_command *const *c = cli_commands; *c; c++)
		if (!strcmp((*c)->name, name))
			return *c;
	return NULL;
}
