/*
 * lines.h - blocks of bytes into lines, without a copy and without an allocation per line. Pure: no file, no clock.
 *
 *   while (the input gives n bytes into cli_lines_space()) {
 *           cli_lines_filled(&l, n);                 (n = 0: the input's end)
 *           while ((event = cli_lines_next(&l, &line)) != CLI_LINES_MORE) …
 *   }
 *
 * A line is its bytes without the '\n'; all other bytes, NUL and '\r' among them, are kept. A last line without '\n' counts. A line
 * of more than max_line bytes is not kept: it comes in pieces as it is read (CLI_LINES_PIECE, the last one CLI_LINES_LONG_END), so
 * that memory stays bounded by max_line plus a block.
 *
 *   buf:  [ given out | start .. scanned .. end | free ]
 */
#ifndef KP_CLI_LINES_H
#define KP_CLI_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct cli_slice {
	const char *ptr;
	size_t len;
} cli_slice;

typedef enum cli_lines_event {
	CLI_LINES_MORE,     /* fill again */
	CLI_LINES_LINE,     /* a line */
	CLI_LINES_PIECE,    /* a part of an overlong line, more of it follows */
	CLI_LINES_LONG_END, /* its last part, may be empty; l->long_bytes is the line's length */
	CLI_LINES_END       /* the input's end */
} cli_lines_event;

typedef struct cli_lines {
	char *buf;
	size_t cap, block, max_line;
	size_t start, scanned, end; /* indexes into buf; there is no '\n' in [start, scanned) */
	uint64_t long_bytes;        /* of the overlong line so far, 0: none is open */
	bool is_long, at_end;
} cli_lines;

/* block: how many bytes cli_lines_space offers. false: out of memory. */
bool cli_lines_init(cli_lines *l, size_t block, size_t max_line);
void cli_lines_deinit(cli_lines *l);
void cli_lines_restart(cli_lines *l); /* for the next input */

/* Where the next block goes. Slices given out before become invalid. NULL: out of memory. */
char *cli_lines_space(cli_lines *l, size_t *room);
void cli_lines_filled(cli_lines *l, size_t n);                /* 0: the input's end */
cli_lines_event cli_lines_next(cli_lines *l, cli_slice *out); /* out is valid until cli_lines_space */
/* Bytes of an unfinished line in the buffer: what a stop between two blocks leaves behind. */
uint64_t cli_lines_pending(const cli_lines *l);

#endif
