/*
 * frames.c - records with their lengths in front: "length" (value) and "length-kv" (key, value). A length is four bytes, big-endian
 * and signed; -1 stands for null, other negative ones for nothing.
 */
#include <inttypes.h>
#include <stdio.h>

#include "cli/reader.h"

#define LENGTH_SIZE 4

static int32_t length_at(const cli_reader *r, size_t offset)
{
	const unsigned char *p = (const unsigned char *)r->in.buf + r->in.start + offset;
	return (int32_t)((uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]);
}

static size_t size_of(int32_t length)
{
	return length > 0 ? (size_t)length : 0;
}

/* The bytes at offset as a key or a value; null for -1. */
static const char *bytes_at(const cli_reader *r, size_t offset, int32_t length)
{
	return length < 0 ? NULL : r->in.buf + r->in.start + offset;
}

static cli_read_event bad_length(cli_reader *r, const char *what, size_t offset, int32_t length)
{
	snprintf(r->problem, sizeof(r->problem),
	         "the %s length at byte %" PRIu64 " is %" PRId32 "; a length is 4 bytes, big-endian, -1 for null", what,
	         cli_window_position(&r->in) + offset, length);
	return CLI_READ_BROKEN;
}

/* Wait for `needed` bytes of the record at the start, unless the input has no more. */
static cli_read_event want(cli_reader *r, uint64_t needed)
{
	size_t left = cli_window_left(&r->in);
	if (!r->in.at_end)
		return CLI_READ_MORE;
	if (!left)
		return CLI_READ_END;
	snprintf(r->problem, sizeof(r->problem),
	         "the input ends inside the record at byte %" PRIu64 ": it wants %" PRIu64 " bytes with its lengths, %zu are there",
	         cli_window_position(&r->in), needed, left);
	return CLI_READ_BROKEN;
}

/* A part of the overlong value, as much as there is. */
static cli_read_event next_piece(cli_reader *r, kp_record *out)
{
	size_t n = cli_window_left(&r->in);
	if (!n && r->in.at_end) {
		snprintf(r->problem, sizeof(r->problem),
		         "the input ends inside a record of %" PRIu64 " bytes, %" PRIu64 " of them are missing", r->long_bytes,
		         r->long_left);
		return CLI_READ_BROKEN;
	}
	if (!n)
		return CLI_READ_MORE;
	if (n > r->long_left)
		n = (size_t)r->long_left;
	out->value = r->in.buf + r->in.start;
	out->value_len = n;
	r->in.start += n;
	r->long_left -= n;
	r->is_long = r->long_left > 0;
	return r->is_long ? CLI_READ_PIECE : CLI_READ_LONG_END;
}

/* The first piece is empty: with it goes the key, which must be taken before the next block moves it. */
static cli_read_event begin_long(cli_reader *r, size_t head, int32_t value, kp_record *out)
{
	r->is_long = true;
	r->long_left = size_of(value);
	r->long_bytes = r->long_left + (r->given & CLI_GIVEN_KEY ? out->key_len : 0);
	out->value = r->in.buf + r->in.start + head;
	out->value_len = 0;
	r->in.start += head;
	return CLI_READ_PIECE;
}

static void take_value(cli_reader *r, size_t head, int32_t length, kp_record *out)
{
	out->value = bytes_at(r, head, length);
	out->value_len = size_of(length);
	r->in.start += head + out->value_len;
}

cli_read_event cli_frames_next(cli_reader *r, kp_record *out)
{
	size_t left = cli_window_left(&r->in);
	if (r->is_long)
		return next_piece(r, out);
	if (left < LENGTH_SIZE)
		return want(r, LENGTH_SIZE);
	int32_t length = length_at(r, 0);
	if (length < -1)
		return bad_length(r, "value's", 0, length);
	if (size_of(length) > r->max_bytes)
		return begin_long(r, LENGTH_SIZE, length, out);
	if (left - LENGTH_SIZE < size_of(length))
		return want(r, LENGTH_SIZE + size_of(length));
	take_value(r, LENGTH_SIZE, length, out);
	return CLI_READ_RECORD;
}

/* Nobody has keys of that size: the input is something else, and what looks like a length is none. */
static cli_read_event key_too_long(cli_reader *r, int32_t length)
{
	snprintf(r->problem, sizeof(r->problem),
	         "the key's length at byte %" PRIu64 " is %" PRId32 ", more than max.request.size (%zu)",
	         cli_window_position(&r->in), length, r->max_bytes);
	return CLI_READ_BROKEN;
}

static void take_key(cli_reader *r, int32_t length, kp_record *out)
{
	out->key = bytes_at(r, LENGTH_SIZE, length);
	out->key_len = size_of(length);
	r->given = CLI_GIVEN_KEY;
}

cli_read_event cli_frames_next_pair(cli_reader *r, kp_record *out)
{
	size_t left = cli_window_left(&r->in);
	if (r->is_long)
		return next_piece(r, out);
	if (left < LENGTH_SIZE)
		return want(r, LENGTH_SIZE);
	int32_t key = length_at(r, 0);
	if (key < -1)
		return bad_length(r, "key's", 0, key);
	if (size_of(key) > r->max_bytes)
		return key_too_long(r, key);
	size_t head = 2 * LENGTH_SIZE + size_of(key);
	if (left < head)
		return want(r, head);
	int32_t value = length_at(r, LENGTH_SIZE + size_of(key));
	if (value < -1)
		return bad_length(r, "value's", LENGTH_SIZE + size_of(key), value);
	bool is_long = size_of(key) + size_of(value) > r->max_bytes;
	if (!is_long && left - head < size_of(value))
		return want(r, head + size_of(value));
	take_key(r, key, out);
	if (is_long)
		return begin_long(r, head, value, out);
	take_value(r, head, value, out);
	return CLI_READ_RECORD;
}
