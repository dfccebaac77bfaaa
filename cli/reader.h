/*
 * reader.h - blocks of an input into records, in the formats of --input-format. Pure: no file, no clock.
 *
 *   while (the input gives n bytes into cli_reader_space()) {
 *           cli_reader_filled(&r, n);                 (n = 0: the input's end)
 *           while ((event = cli_reader_next(&r, &record)) != CLI_READ_MORE) …
 *   }
 *
 * Records point into the block that was read; nothing is copied or allocated per record but the array of a JSON record's headers.
 * A record of more than max_bytes is not kept: its value comes in pieces as they are read (CLI_READ_PIECE, the last one
 * CLI_READ_LONG_END), so that memory stays bounded by max_bytes plus a block.
 */
#ifndef KP_CLI_READER_H
#define KP_CLI_READER_H

#include <string.h>

#include <kproducer/kproducer.h>

#include "cli/json_record.h"
#include "cli/window.h"

typedef enum cli_read_event {
	CLI_READ_MORE,   /* fill again */
	CLI_READ_RECORD, /* a record */
	CLI_READ_BLANK,  /* a line without anything between JSON objects */
	CLI_READ_PIECE,  /* a part of an overlong record's value, more of it follows; may be empty. With the first comes the key */
	CLI_READ_LONG_END, /* its last part, may be empty; long_bytes is the record's length */
	CLI_READ_BAD,      /* malformed: `problem` says why, the record's value are its bytes; the next one is not concerned */
	CLI_READ_BROKEN,   /* where the next record begins cannot be told: the rest of this input is lost; `problem` */
	CLI_READ_END       /* the input's end */
} cli_read_event;

/* Members that a record brought itself: cli_reader.given. Of formats without key and value of their own, none is set. */
enum { CLI_GIVEN_KEY = 1, CLI_GIVEN_HEADERS = 2, CLI_GIVEN_PARTITION = 4, CLI_GIVEN_TIMESTAMP = 8 };

typedef struct cli_reader cli_reader;

typedef struct cli_format {
	const char *name;
	const char *noun; /* what messages call a record of it */
	char end_byte;    /* of lines and nul */
	bool is_text;     /* a record is nothing but its bytes: keys and nulls are found in them by options */
	bool is_raw;      /* an overlong record's pieces are the input's own bytes, not its value */
	cli_read_event (*next)(cli_reader *r, kp_record *out);
} cli_format;

extern const cli_format cli_formats[]; /* ends with a NULL name; the first is the default */

struct cli_reader {
	const cli_format *format;
	cli_window in;
	size_t max_bytes;
	size_t n_scanned;    /* bytes of the unfinished line known to hold no end_byte */
	bool is_long;        /* an overlong record is open */
	uint64_t long_bytes; /* its length; of a line, as far as it was read */
	uint64_t long_left;  /* of a frame, not read yet */
	unsigned given;
	cli_json_parser json;
	char problem[256];
};

/* max_bytes: of key and value together. false: out of memory. */
bool cli_reader_init(cli_reader *r, const cli_format *format, size_t block, size_t max_bytes);
void cli_reader_deinit(cli_reader *r);
void cli_reader_restart(cli_reader *r); /* for the next input */

/* As cli_window_space: what was given out before becomes invalid. */
char *cli_reader_space(cli_reader *r, size_t *room);
void cli_reader_filled(cli_reader *r, size_t n);

/*
 * Writes value and value_len, and of formats that are not is_text the members that `given` then names: the caller puts defaults
 * into *out before.
 */
static inline cli_read_event cli_reader_next(cli_reader *r, kp_record *out)
{
	return r->format->next(r, out);
}

/* Bytes of an unfinished record: what a stop between two blocks leaves behind. */
uint64_t cli_reader_pending(const cli_reader *r);

/* What mostly comes of lines and nul: a whole record in the block. false: ask cli_reader_next. */
static inline bool cli_reader_next_plain(cli_reader *r, kp_record *out)
{
	const char *start = r->in.buf + r->in.start;
	size_t left = cli_window_left(&r->in);
	const char *end = r->is_long ? NULL : memchr(start + r->n_scanned, r->format->end_byte, left - r->n_scanned);
	size_t len = end ? (size_t)(end - start) : SIZE_MAX;
	if (len > r->max_bytes)
		return false;
	out->value = start;
	out->value_len = len;
	r->in.start += len + 1;
	r->n_scanned = 0;
	return true;
}

/* The formats' next(). */
cli_read_event cli_lines_next(cli_reader *r, kp_record *out);
cli_read_event cli_frames_next(cli_reader *r, kp_record *out);
cli_read_event cli_frames_next_pair(cli_reader *r, kp_record *out);
cli_read_event cli_json_next(cli_reader *r, kp_record *out);

#endif
