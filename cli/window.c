/*
 * window.c - see window.h.
 */
#include "cli/window.h"

#include <stdlib.h>
#include <string.h>

bool cli_window_init(cli_window *w, size_t block)
{
	*w = (cli_window){.block = block, .cap = 2 * block};
	w->buf = malloc(w->cap);
	return w->buf != NULL;
}

void cli_window_deinit(cli_window *w)
{
	free(w->buf);
	*w = (cli_window){0};
}

void cli_window_restart(cli_window *w)
{
	w->start = w->end = 0;
	w->base = 0;
	w->at_end = false;
}

char *cli_window_space(cli_window *w, size_t *room)
{
	/* Only the unfinished record moves; with short ones that is next to nothing. */
	if (w->start) {
		memmove(w->buf, w->buf + w->start, w->end - w->start);
		w->base += w->start;
		w->end -= w->start;
		w->start = 0;
	}
	if (w->cap - w->end < w->block) {
		char *bigger = realloc(w->buf, w->cap * 2);
		if (!bigger)
			return NULL;
		w->buf = bigger;
		w->cap *= 2;
	}
	*room = w->block;
	return w->buf + w->end;
}

void cli_window_filled(cli_window *w, size_t n)
{
	w->end += n;
	w->at_end = n == 0;
}
