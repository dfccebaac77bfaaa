/*
 * failed.h - the file of --failed: the records that were not persisted, one a line, as they could be fed in again.
 *
 * Records are appended to what is there. Nothing gets lost silently: when the file cannot take a record (a full disk), its partial
 * line is cut off again, `lost` is told of each record that is not in the file, and no more is written. One thread at a time.
 */
#ifndef KP_CLI_FAILED_H
#define KP_CLI_FAILED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "cli/lines.h"

#define CLI_FAILED_BUFFER 65536
#define CLI_FAILED_MARKS 1024

typedef void cli_failed_lost(void *opaque, uint64_t ordinal);

typedef struct cli_failed {
	const char *path;
	int fd;             /* -1: not open */
	int error;          /* errno of the first failed write, 0: none */
	bool can_cut;       /* a regular file */
	uint64_t ordinal;   /* of the record that comes in pieces */
	size_t piece_bytes; /* of it in the file */
	bool is_piecewise;  /* it is being written */
	uint64_t n_written;
	cli_failed_lost *lost;
	void *opaque;
	size_t len, n_marks;
	struct {
		uint64_t ordinal;
		size_t end; /* in buf */
	} marks[CLI_FAILED_MARKS];
	char buf[CLI_FAILED_BUFFER];
} cli_failed;

/* Open for appending, create if needed. 0 or errno. */
int cli_failed_open(cli_failed *f, const char *path, cli_failed_lost *lost, void *opaque);
/* Add a record made of parts; the '\n' is added here. false: the file takes no more, and `lost` is not told of this one. */
bool cli_failed_add(cli_failed *f, uint64_t ordinal, const cli_slice *parts, size_t n_parts);
/* The same for a record too long to have in memory: pieces as they come, the last one with is_last. */
bool cli_failed_piece(cli_failed *f, uint64_t ordinal, cli_slice piece, bool is_last);
void cli_failed_flush(cli_failed *f);
/* Flush, sync, close. 0 or errno of what could not be written. */
int cli_failed_close(cli_failed *f);

#endif
