/*
 * record_options.h - what `produce` and `perf` are both told about every record: headers, a partition.
 */
#ifndef KP_CLI_RECORD_OPTIONS_H
#define KP_CLI_RECORD_OPTIONS_H

#include <kproducer/kproducer.h>

#include "cli/cli.h"

typedef struct cli_headers {
	kp_header *list; /* point into the arguments */
	size_t n, bytes; /* bytes of names and values together */
} cli_headers;

/* -H NAME[=VALUE], which it cuts in two. CLI_GO_ON or an exit code; cli_headers_deinit in every case. */
int cli_headers_take(cli_headers *h, const cli_command *command, char *arg);
void cli_headers_deinit(cli_headers *h);

/* -p N. CLI_GO_ON or an exit code. */
int cli_partition_take(int32_t *out, const cli_command *command, const char *arg);

#endif
