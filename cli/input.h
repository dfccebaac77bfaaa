/*
 * input.h - the files that `produce` reads, one after another as one stream of lines. Every line has an ordinal, counted from 1 over
 * all inputs; that is what a record carries as its opaque, and what is turned back into "line 12 of FILE" when it fails.
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
	uint64_t first_ordinal; /* of its first line; written before n_started counts it */
} cli_input;

typedef struct cli_inputs {
	cli_input *list;
	size_t n;
	atomic_size_t n_started; /* release/acquire: the report callback reads the entries below it */
} cli_inputs;

/* Open all of them before any is read; "-" and no path at all stand for standard input. CLI_GO_ON or an exit code. */
int cli_inputs_open(cli_inputs *in, char **paths, size_t n);
void cli_inputs_close(cli_inputs *in);
/* Whether one of them is the file that fd refers to. */
bool cli_inputs_have(const cli_inputs *in, int fd);
/* Input i begins with this ordinal. In order. */
void cli_inputs_start(cli_inputs *in, size_t i, uint64_t first_ordinal);
/* Where an ordinal came from. Any thread, once its input was started. */
void cli_inputs_origin(cli_inputs *in, uint64_t ordinal, const char **name, uint64_t *line);

#endif
