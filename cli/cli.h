/*
 * cli.h - what every subcommand of `kproducer` is made of: a row in the table of commands, a table of options, exit codes.
 *
 * The option tables drive the parser, the help texts, the man pages and the completion (options.h, help.h, complete.h); a subcommand
 * only says what an option means to it. Completion goes by what an argument is called: FILE, PATH, DIR, CODEC, TOPIC.
 */
#ifndef KP_CLI_CLI_H
#define KP_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>

/* How the process ends. Interrupted runs that lost nothing end with 128 + the signal, as a shell would say it. */
enum {
	CLI_OK = 0,          /* every record persisted (acks=0: written) */
	CLI_FAILED = 1,      /* some were not, or the operation failed */
	CLI_USAGE = 2,       /* options, configuration, input files */
	CLI_UNREACHABLE = 3, /* no answer from the cluster */
	CLI_GO_ON = -1       /* not an end: what a step of a command returns when the next step may run */
};

typedef struct cli_option {
	int id;           /* the short letter, or CLI_OPTION_LONG + i for an option without one */
	const char *name; /* without the dashes; NULL ends a table */
	const char *arg;  /* what the help calls the argument; NULL: takes none */
	const char *help; /* '\n' starts a further line */
} cli_option;

#define CLI_OPTION_LONG 256

typedef struct cli_command {
	const char *name;
	const char *summary; /* one line for the list of commands */
	const char *usage;   /* what follows "kproducer NAME", a line each for several forms; a form may begin with an action */
	const cli_option *options; /* its own, beside the common ones */
	const char *common;        /* the ids of the common options that it takes (options.h) */
	const char *details;       /* paragraphs and examples below the options (text.h) */
	int (*run)(const struct cli_command *self, int argc,
	           char **argv); /* argv[0] is the command's name; returns the exit code */
} cli_command;

extern const cli_command cli_produce, cli_perf, cli_broker, cli_topics, cli_config, cli_errors, cli_fault;
extern const cli_command *const cli_commands[];        /* all of them, then NULL */
const cli_command *cli_command_find(const char *name); /* NULL: there is none */

#endif
