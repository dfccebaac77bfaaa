/*
 * line_file.h - what --failed and --report share: a file of whole lines that is appended to, or a pipe, for whose reader we wait only
 * as long as we are told to.
 */
#ifndef KP_CLI_LINE_FILE_H
#define KP_CLI_LINE_FILE_H

#include <stdbool.h>
#include <stddef.h>

typedef struct cli_line_file {
	int fd; /* -1: not open */
	bool is_regular, is_ours;
	bool (*may_wait)(
		void *opaque); /* asked every 100 ms in which a pipe takes nothing; NULL: as long as it takes. The caller's */
	void *opaque;
} cli_line_file;

/*
 * Open for appending, create if needed; NULL is standard output. A last line that is not ended, as a kill leaves it, is ended, so that
 * ours does not go on with it. 0 or errno; EINTR when a signal ended the wait for a named pipe's reader.
 */
int cli_line_file_open(cli_line_file *f, const char *path);
/* Whether this is the same file, or pipe, as the one at the path; devices are never. */
bool cli_line_file_is(const cli_line_file *f, const char *path);
/* How much was written. Less than len: *error is errno, or 0 when may_wait said no. */
size_t cli_line_file_write(const cli_line_file *f, const char *text, size_t len, int *error);
/* Take back the last n bytes: half a line is worse than none. Where the file does not allow it they stay. */
void cli_line_file_cut(const cli_line_file *f, size_t n);
/* 0 or errno. */
int cli_line_file_close(cli_line_file *f);

#endif
