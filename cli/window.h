/*
 * window.h - the part of an input that is in memory: blocks go in at its end, records are taken from its start, and only what is
 * unfinished moves when the next block needs room. Pure: no file, no clock.
 *
 *   buf:  [ given out | start .. end | room ]          byte `base` of the input stands at buf[0]
 */
#ifndef KP_CLI_WINDOW_H
#define KP_CLI_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct cli_window {
	char *buf;
	size_t cap, block;
	size_t start, end;
	uint64_t base;
	bool at_end; /* the input has no more */
} cli_window;

/* block: how many bytes cli_window_space offers. false: out of memory. */
bool cli_window_init(cli_window *w, size_t block);
void cli_window_deinit(cli_window *w);
void cli_window_restart(cli_window *w); /* for the next input */

/* Where the next block goes. What was given out before becomes invalid. NULL: out of memory. */
char *cli_window_space(cli_window *w, size_t *room);
void cli_window_filled(cli_window *w, size_t n); /* 0: the input's end */

static inline size_t cli_window_left(const cli_window *w)
{
	return w->end - w->start;
}
/* Which byte of the input stands at the start. */
static inline uint64_t cli_window_position(const cli_window *w)
{
	return w->base + w->start;
}

#endif
