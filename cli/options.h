/*
 * options.h - the command line of a subcommand: its own table of options together with the common ones, and the configuration that
 * comes out of it. Precedence: property file, then KPRODUCER_ environment, then -X and the options, in the order given.
 */
#ifndef KP_CLI_OPTIONS_H
#define KP_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kproducer/kproducer.h>

#include "cli/cli.h"

/* Ids of common options without a letter. */
enum { CLI_OPTION_JSON = 1000, CLI_OPTION_CONNECT_TIMEOUT, CLI_OPTION_FLUSH_TIMEOUT };
extern const cli_option cli_common_options[];

typedef struct cli_setting {
	const char *name, *value; /* of -X; both on the heap in one piece, at `name` */
} cli_setting;

typedef struct cli_common {
	const char *topic;  /* NULL: not given */
	const char **files; /* -F, in order */
	size_t n_files;
	cli_setting *settings; /* -X and the options that stand for a property, in order */
	size_t n_settings;
	int64_t connect_timeout_ms, flush_timeout_ms;
	bool json, quiet;
	int verbosity;
} cli_common;

/* Take one of the command's own options. arg is NULL when it takes none; it lives in argv and may be changed. CLI_GO_ON, or an exit code after a cli_error. */
typedef int cli_take_option(void *state, int id, char *arg);

/*
 * Parse argv for a command; optind is then the first operand. --help is served here. CLI_GO_ON or an exit code.
 * `common` is initialised; give it back to cli_common_deinit in every case.
 */
int cli_options_parse(const cli_command *command, int argc, char **argv, cli_common *common, cli_take_option *take, void *state);
void cli_common_deinit(cli_common *common);

/* As if -X name=value had been given. An exit code or CLI_GO_ON. */
int cli_common_set(cli_common *common, const char *name, const char *value);
/* As if -F path had been given; path must stay. */
int cli_common_add_file(cli_common *common, const char *path);
/* The configuration; *out belongs to the caller. needs_servers: an empty bootstrap.servers is a mistake. */
int cli_config_build(const cli_common *common, bool needs_servers, kp_config **out);

/* One line: what is wrong and where help is. Returns CLI_USAGE. */
int cli_usage_error(const cli_command *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
