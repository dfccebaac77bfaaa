/*
 * failed.c - see failed.h. The marks in the buffer tell after a short write which records are whole.
 */
#include "cli/failed.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int cli_failed_open(cli_failed *f, const char *path, cli_failed_lost *lost, void *opaque)
{
	struct stat st;
	f->path = path;
	f->lost = lost;
	f->opaque = opaque;
	f->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (f->fd < 0)
		return errno;
	f->can_cut = fstat(f->fd, &st) == 0 && S_ISREG(st.st_mode);
	return 0;
}

/* How much was written; less than len only after an error, which is left in f->error. */
static size_t write_all(cli_failed *f, const char *p, size_t len)
{
	size_t done = 0;
	while (done < len) {
		ssize_t n = write(f->fd, p + done, len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			f->error = n < 0 ? errno : EIO;
			break;
		}
		done += (size_t)n;
	}
	return done;
}

/* Take back the last n bytes: half a record is worse than none when the file is fed in again. */
static void cut(cli_failed *f, size_t n)
{
	struct stat st;
	if (!n || !f->can_cut || fstat(f->fd, &st) || (size_t)st.st_size < n)
		return;
	if (ftruncate(f->fd, st.st_size - (off_t)n))
		f->can_cut = false;
}

void cli_failed_flush(cli_failed *f)
{
	size_t whole = 0, i = 0;
	if (f->error || !f->len)
		return;
	size_t done = write_all(f, f->buf, f->len);
	for (; i < f->n_marks && f->marks[i].end <= done; i++)
		whole = f->marks[i].end;
	f->n_written += i;
	f->head_bytes = (i ? 0 : f->head_bytes) + done - whole;
	if (f->error) {
		cut(f, f->head_bytes);
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
	cut(f, f->head_bytes);
	f->head_bytes = 0;
}

bool cli_failed_is_open(const cli_failed *f, uint64_t ordinal)
{
	return f->is_open && f->open_ordinal == ordinal;
}

int cli_failed_close(cli_failed *f)
{
	if (f->fd < 0)
		return 0;
	cli_failed_abandon(f);
	cli_failed_flush(f);
	/* Some file systems find out at the end that there is no room. Not every kind of file can be synced. */
	if (f->n_written && fsync(f->fd) && errno != EINVAL && errno != EROFS && errno != ENOTSUP && !f->error)
		f->error = errno;
	if (close(f->fd) && !f->error)
		f->error = errno;
	f->fd = -1;
	return f->error;
}
