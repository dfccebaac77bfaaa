/*
 * lines.c - see lines.h.
 */
#include "cli/lines.h"

#include <stdlib.h>
#include <string.h>

bool cli_lines_init(cli_lines *l, size_t block, size_t max_line)
{
	*l = (cli_lines){.block = block, .max_line = max_line, .cap = 2 * block};
	l->buf = malloc(l->cap);
	return l->buf != NULL;
}

void cli_lines_deinit(cli_lines *l)
{
	free(l->buf);
	*l = (cli_lines){0};
}

void cli_lines_restart(cli_lines *l)
{
	l->start = l->scanned = l->end = 0;
	l->long_bytes = 0;
	l->is_long = l->at_end = false;
}

char *cli_lines_space(cli_lines *l, size_t *room)
{
	/* Only the unfinished line moves; with short lines that is next to nothing. */
	if (l->start) {
		memmove(l->buf, l->buf + l->start, l->end - l->start);
		l->scanned -= l->start;
		l->end -= l->start;
		l->start = 0;
	}
	if (l->cap - l->end < l->block) {
		char *bigger = realloc(l->buf, l->cap * 2);
		if (!bigger)
			return NULL;
		l->buf = bigger;
		l->cap *= 2;
	}
	*room = l->block;
	return l->buf + l->end;
}

void cli_lines_filled(cli_lines *l, size_t n)
{
	l->end += n;
	l->at_end = n == 0;
}

static cli_slice take(cli_lines *l, size_t len, size_t skip)
{
	cli_slice s = {l->buf + l->start, len};
	l->start += len + skip;
	l->scanned = l->start;
	return s;
}

/* The line's rest has come: a '\n' behind len bytes, or the input's end (no_newline). */
static cli_lines_event finish(cli_lines *l, size_t len, bool no_newline, cli_slice *out)
{
	if (!l->is_long && len > l->max_line) {
		l->is_long = true;
		l->long_bytes = 0;
	}
	*out = take(l, len, !no_newline);
	if (!l->is_long)
		return CLI_LINES_LINE;
	l->long_bytes += len;
	l->is_long = false;
	return CLI_LINES_LONG_END;
}

cli_lines_event cli_lines_next(cli_lines *l, cli_slice *out)
{
	const char *newline = memchr(l->buf + l->scanned, '\n', l->end - l->scanned);
	if (newline)
		return finish(l, (size_t)(newline - l->buf) - l->start, false, out);
	l->scanned = l->end;
	size_t len = l->end - l->start;
	if (l->at_end)
		return len || l->is_long ? finish(l, len, true, out) : CLI_LINES_END;
	if (!l->is_long && len > l->max_line) {
		l->is_long = true;
		l->long_bytes = 0;
	}
	if (!l->is_long || !len)
		return CLI_LINES_MORE;
	l->long_bytes += len;
	*out = take(l, len, 0);
	return CLI_LINES_PIECE;
}

uint64_t cli_lines_pending(const cli_lines *l)
{
	return l->end - l->start + (l->is_long ? l->long_bytes : 0);
}
