/*
 * failed.h - the file of --failed: the records that were not persisted, one a line, as they can be fed in again.
 *
 * Records are appended to what is there. Nothing gets lost silently: when the file cannot take a record (a full disk), its partial
 * line is cut off again, `lost` is told of each record that is not in the file, and no more is written. One thread at a time.
 *
 *   buf:  [ whole lines, a mark behind each | the open record .. len | free ]
 */
#ifndef KP_CLI_FAILED_H
#define KP_CLI_FAILED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/line_file.h"

#define CLI_FAILED_BUFFER 65536
#define CLI_FAILED_MARKS 1024

typedef void cli_failed_lost(void *opaque, uint64_t ordinal);

typedef struct cli_failed {
	const char *path;
	cli_line_file file;
	int error;             /* errno of the first failed write, 0: none */
	bool is_open;          /* a record is being written */
	uint64_t open_ordinal; /* of it */
	size_t head_bytes;     /* in the file already of the record that stands first in buf */
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

/* As cli_line_file_open. */
int cli_failed_open(cli_failed *f, const char *path, cli_failed_lost *lost, void *opaque);

/*
 * A record is begun, put in pieces of any size, and ended, which adds the '\n'. false: it is not in the file and will not be, and
 * `lost` is not told of it. One that is open when another begins is taken back.
 */
bool cli_failed_begin(cli_failed *f, uint64_t ordinal);
void cli_failed_put(cli_failed *f, const void *bytes, size_t len);
bool cli_failed_end(cli_failed *f);
/* Take back the open record. */
void cli_failed_abandon(cli_failed *f);
bool cli_failed_is_open(const cli_failed *f, uint64_t ordinal);

void cli_failed_flush(cli_failed *f);
/* Flush, sync, close. 0 or errno of what could not be written. */
int cli_failed_close(cli_failed *f);

#endif
