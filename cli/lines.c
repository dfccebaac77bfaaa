/*
 * lines.c - records that end with a byte: lines, and those of --null. All other bytes, '\r' among them, are kept. A last record
 * without the byte counts.
 */
#include <string.h>

#include "cli/reader.h"

static void take(cli_reader *r, size_t len, size_t skip, kp_record *out)
{
	out->value = r->in.buf + r->in.start;
	out->value_len = len;
	r->in.start += len + skip;
	r->n_scanned = 0;
}

static void check_long(cli_reader *r, size_t len)
{
	if (r->is_long || len <= r->max_bytes)
		return;
	r->is_long = true;
	r->long_bytes = 0;
}

/* The record's rest has come: the end byte behind len bytes (skip 1), or the input's end (skip 0). */
static cli_read_event finish(cli_reader *r, size_t len, size_t skip, kp_record *out)
{
	check_long(r, len);
	take(r, len, skip, out);
	if (!r->is_long)
		return CLI_READ_RECORD;
	r->long_bytes += len;
	r->is_long = false;
	return CLI_READ_LONG_END;
}

cli_read_event cli_lines_next(cli_reader *r, kp_record *out)
{
	const char *start = r->in.buf + r->in.start;
	size_t len = cli_window_left(&r->in);
	const char *end = memchr(start + r->n_scanned, r->format->end_byte, len - r->n_scanned);
	if (end)
		return finish(r, (size_t)(end - start), 1, out);
	r->n_scanned = len;
	if (r->in.at_end)
		return len || r->is_long ? finish(r, len, 0, out) : CLI_READ_END;
	check_long(r, len);
	if (!r->is_long || !len)
		return CLI_READ_MORE;
	r->long_bytes += len;
	take(r, len, 0, out);
	return CLI_READ_PIECE;
}
