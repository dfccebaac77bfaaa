/*
 * failed.c - see failed.h. The marks in the buffer tell after a short write which records are whole.
 */
#include "cli/failed.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

int cli_failed_open(cli_failed *f, const char *path, cli_failed_lost *lost, void *opaque)
{
	f->path = path;
	f->lost = lost;
	f->opaque = opaque;
	return cli_line_file_open(&f->file, path);
}

void cli_failed_flush(cli_failed *f)
{
	size_t whole = 0, i = 0;
	if (f->error || !f->len)
		return;
	size_t done = cli_line_file_write(&f->file, f->buf, f->len, &f->error);
	if (done < f->len && !f->error)
		f->error = ETIMEDOUT;
	for (; i < f->n_marks && f->marks[i].end <= done; i++)
		whole = f->marks[i].end;
	f->n_written += i;
	f->head_bytes = (i ? 0 : f->head_bytes) + done - whole;
	if (f->error) {
		cli_line_file_cut(&f->file, f->head_bytes);
		f->is_open = false;
		for (; i < f->n_marks; i++)
			f->lost(f->opaque, f->marks[i].ordinal);
	}
	f->len = f->n_marks = 0;
}

bool cli_failed_begin(cli_failed *f, uint64_t ordinal)
{
	if (f->is_open)
		cli_failed_abandon(f);
	if (f->n_marks == CLI_FAILED_MARKS)
		cli_failed_flush(f);
	f->is_open = !f->error;
	f->open_ordinal = ordinal;
	return f->is_open;
}

void cli_failed_put(cli_failed *f, const void *bytes, size_t len)
{
	const char *p = bytes;
	while (len && f->is_open) {
		size_t n = sizeof(f->buf) - f->len;
		if (n > len)
			n = len;
		memcpy(f->buf + f->len, p, n);
		f->len += n;
		p += n;
		len -= n;
		if (f->len == sizeof(f->buf))
			cli_failed_flush(f);
	}
}

bool cli_failed_end(cli_failed *f)
{
	if (!f->is_open)
		return false;
	/* There is room for it: a full buffer is written out at once. The mark first, for this may fill it. */
	f->marks[f->n_marks].ordinal = f->open_ordinal;
	f->marks[f->n_marks++].end = f->len + 1;
	f->is_open = false;
	f->buf[f->len++] = '\n';
	return true;
}

void cli_failed_abandon(cli_failed *f)
{
	if (!f->is_open)
		return;
	f->is_open = false;
	f->len = f->n_marks ? f->marks[f->n_marks - 1].end : 0;
	if (f->n_marks)
		return;
	cli_line_file_cut(&f->file, f->head_bytes);
	f->head_bytes = 0;
}

bool cli_failed_is_open(const cli_failed *f, uint64_t ordinal)
{
	return f->is_open && f->open_ordinal == ordinal;
}

int cli_failed_close(cli_failed *f)
{
	if (f->file.fd < 0)
		return 0;
	cli_failed_abandon(f);
	cli_failed_flush(f);
	/* Some file systems find out at the end that there is no room. Not every kind of file can be synced. */
	if (f->n_written && fsync(f->file.fd) && errno != EINVAL && errno != EROFS && errno != ENOTSUP && !f->error)
		f->error = errno;
	int error = cli_line_file_close(&f->file);
	if (!f->error)
		f->error = error;
	return f->error;
}
