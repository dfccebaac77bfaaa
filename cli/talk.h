/*
 * talk.h - lines for people, on stderr. stdout carries data only.
 *
 * Any thread may talk. A line is one line whatever its arguments hold: control bytes are shown as '?', so that a broker's message
 * cannot steer a terminal. The progress line rewrites itself and exists only when stderr is a terminal.
 */
#ifndef KP_CLI_TALK_H
#define KP_CLI_TALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLI_PRINTF __attribute__((format(printf, 1, 2)))

/* quiet drops cli_say and cli_progress; verbosity 0, 1, 2 lets errors, notices, debug lines of the library through. */
void cli_talk_init(bool quiet, int verbosity);

void cli_error(const char *format, ...) CLI_PRINTF; /* "kproducer: …": never dropped */
void cli_say(const char *format, ...) CLI_PRINTF;
void cli_progress(const char *format, ...) CLI_PRINTF;
void cli_progress_clear(void);
/* True at most every interval_ms, and never when no progress line is shown: then the caller need not compute one. */
bool cli_progress_due(int interval_ms);
/* While held, the library's log needs -v: for steps that end with one line of our own. Any thread. */
void cli_talk_hold_log(bool is_held);
/* A kp_log_cb. */
void cli_talk_log(int level, const char *line, void *opaque);

/* 1234567 as "1.23M", bytes as "12.3 MB", nanoseconds as "12.3 us"; `out` holds the text and is returned. */
#define CLI_NUMBER_SIZE 32
const char *cli_format_count(char out[CLI_NUMBER_SIZE], double n);
const char *cli_format_bytes(char out[CLI_NUMBER_SIZE], double n);
const char *cli_format_ns(char out[CLI_NUMBER_SIZE], double n);
/* Columns of the terminal that fd is, 80 when it is none or does not say. */
int cli_columns(int fd);

int64_t cli_now_ns(void); /* CLOCK_MONOTONIC */

#endif
