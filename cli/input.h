/*
 * input.h - the files that `produce` reads, one after another as one stream of records. Every record has an ordinal, counted from 1
 * over all inputs; that is what it carries in its opaque, and what is turned back into "line 12 of FILE" when it fails.
 */
#ifndef KP_CLI_INPUT_H
#define KP_CLI_INPUT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct cli_input {
	const char *name;
	int fd;
	uint64_t first_ordinal; /* of its first record; written before n_started counts it */
	bool is_regular;        /* can be read again, as opposed to a pipe */
} cli_input;

typedef struct cli_inputs {
	cli_input *list;
	size_t n;
	atomic_size_t n_started; /* release/acquire: the report callback reads the entries below it */
} cli_inputs;

/* Open all of them before any is read; "-" and no path at all stand for standard input. CLI_GO_ON or an exit code. */
int cli_inputs_open(cli_inputs *in, char **paths, size_t n);
void cli_inputs_close(cli_inputs *in);
/* Whether one of them is the regular file at this path; NULL: that is standard output. */
bool cli_inputs_have(const cli_inputs *in, const char *path);
/* Input i begins with this ordinal. In order. */
void cli_inputs_start(cli_inputs *in, size_t i, uint64_t first_ordinal);
/* The input that an ordinal came from, and which record of it it was, from 1. Any thread, once that input was started. */
const cli_input *cli_inputs_origin(cli_inputs *in, uint64_t ordinal, uint64_t *number);

#endif
