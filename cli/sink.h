/*
 * sink.h - whole lines into a file, a pipe or standard output, written by a thread of their own: who adds them never waits for
 * whoever reads them. How much may gather is the caller's business: see cli_sink_backlog.
 *
 * A line that was written only in part (a full disk) is cut off again where the file allows it.
 */
#ifndef KP_CLI_SINK_H
#define KP_CLI_SINK_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/line_file.h"

typedef struct cli_sink_buffer {
	char *text;
	size_t len, cap;
	uint64_t n_lines;
} cli_sink_buffer;

typedef struct cli_sink {
	cli_line_file file;
	pthread_t thread;
	atomic_uint_fast64_t n_added, n_written; /* lines; relaxed: they only tell how far things are */
	atomic_int error;                        /* errno of the first failure: nothing is written after it */
	atomic_bool has_given_up;
	cli_sink_buffer writing; /* the thread's */

	pthread_mutex_t lock; /* over what follows */
	pthread_cond_t cond;
	cli_sink_buffer filling;
	bool is_ending, has_ended;
} cli_sink;

/* "-" is standard output; files are appended to. 0 or errno. */
int cli_sink_open(cli_sink *s, const char *path);

/*
 * Room for `size` bytes, with the lock held until cli_sink_commit tells how many bytes and lines were put there. Any thread.
 * NULL: a failure (also of memory), nothing more is taken, the lock is not held.
 */
char *cli_sink_reserve(cli_sink *s, size_t size);
void cli_sink_commit(cli_sink *s, size_t len, size_t n_lines);

/* Lines added and not written yet; 0 after a failure. Any thread. */
uint64_t cli_sink_backlog(cli_sink *s);
uint64_t cli_sink_written(cli_sink *s);
/* errno of what went wrong, 0: nothing. Any thread. */
int cli_sink_error(cli_sink *s);

/*
 * Write what is left, close. may_wait is asked every 100 ms: false gives up on a reader that does not read (ETIMEDOUT).
 * 0 or errno; n_written tells how many lines are there.
 */
int cli_sink_close(cli_sink *s, bool (*may_wait)(void *opaque), void *opaque);

#endif
