/*
 * faults.h - the fault scripts of `kproducer broker --fault`: from files and arguments to one text, their mistakes with file and line.
 */
#ifndef KP_CLI_FAULTS_H
#define KP_CLI_FAULTS_H

#include <stddef.h>

typedef struct cli_fault_source {
	const char *name;  /* of the file; NULL: the argument itself */
	size_t start, len; /* in text */
} cli_fault_source;

typedef struct cli_faults {
	char *text; /* all scripts, a line each at least; NULL: none */
	size_t len;
	cli_fault_source *sources;
	size_t n_sources;
} cli_faults;

/* "@FILE", a readable file, or rules. CLI_GO_ON or an exit code. */
int cli_faults_take(cli_faults *f, const char *arg);
/* Each mistake is told on stderr. CLI_GO_ON or an exit code. */
int cli_faults_check(const cli_faults *f, int n_nodes);
void cli_faults_deinit(cli_faults *f);
/* A line of the broker about a fault. */
void cli_faults_say(const char *line, void *opaque);

#endif
