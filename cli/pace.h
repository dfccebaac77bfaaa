/*
 * pace.h - --rate: when the next records may go. Pure.
 *
 * The rate is a ceiling: after a stretch in which nothing came, at most PACE_ARREARS of it is made up for.
 */
#ifndef KP_CLI_PACE_H
#define KP_CLI_PACE_H

#include <stddef.h>
#include <stdint.h>

#define PACE_ARREARS_NS 100000000

typedef struct cli_pace {
	double rate;   /* records per second, 0: no limit */
	double due_ns; /* when the next record may go */
} cli_pace;

/* How many records to hand over at once, so that they flow smoothly: those of a millisecond, 1 to max. */
size_t cli_pace_group(const cli_pace *p, size_t max);
/* How long to wait before the next records may go, 0: not at all. */
int64_t cli_pace_wait_ns(const cli_pace *p, int64_t now_ns);
/* n records went. */
void cli_pace_sent(cli_pace *p, size_t n, int64_t now_ns);

#endif
