/*
 * failed.c - see failed.h. Records gather in a buffer with a mark behind each, so that a short write can tell which ones are whole.
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
	if (f->error) {
		cut(f, done - whole);
		for (; i < f->n_marks; i++)
			f->lost(f->opaque, f->marks[i].ordinal);
	}
	f->len = f->n_marks = 0;
}

/* A record that does not fit the buffer goes out by itself. */
static bool write_long(cli_failed *f, const cli_slice *parts, size_t n_parts)
{
	size_t done = 0;
	for (size_t i = 0; i < n_parts && !f->error; i++)
		done += write_all(f, parts[i].ptr, parts[i].len);
	if (!f->error)
		done += write_all(f, "\n", 1);
	if (f->error)
		cut(f, done);
	else
		f->n_written++;
	return !f->error;
}

bool cli_failed_add(cli_failed *f, uint64_t ordinal, const cli_slice *parts, size_t n_parts)
{
	size_t len = 1;
	for (size_t i = 0; i < n_parts; i++)
		len += parts[i].len;
	if (len > sizeof(f->buf) - f->len || f->n_marks == CLI_FAILED_MARKS)
		cli_failed_flush(f);
	if (f->error)
		return false;
	if (len > sizeof(f->buf))
		return write_long(f, parts, n_parts);
	for (size_t i = 0; i < n_parts; i++) {
		if (parts[i].len)
			memcpy(f->buf + f->len, parts[i].ptr, parts[i].len);
		f->len += parts[i].len;
	}
	f->buf[f->len++] = '\n';
	f->marks[f->n_marks].ordinal = ordinal;
	f->marks[f->n_marks++].end = f->len;
	return true;
}

bool cli_failed_piece(cli_failed *f, uint64_t ordinal, cli_slice piece, bool is_last)
{
	if (f->ordinal != ordinal) {
		cli_failed_flush(f);
		f->ordinal = ordinal;
		f->piece_bytes = 0;
		f->is_piecewise = !f->error;
	}
	if (!f->is_piecewise)
		return false;
	f->piece_bytes += write_all(f, piece.ptr, piece.len);
	if (is_last && !f->error)
		f->piece_bytes += write_all(f, "\n", 1);
	if (f->error) {
		cut(f, f->piece_bytes);
		f->is_piecewise = false;
	} else if (is_last)
		f->n_written++;
	return f->is_piecewise;
}

int cli_failed_close(cli_failed *f)
{
	if (f->fd < 0)
		return 0;
	cli_failed_flush(f);
	/* Some file systems find out at the end that there is no room. Not every kind of file can be synced. */
	if (f->n_written && fsync(f->fd) && errno != EINVAL && errno != EROFS && errno != ENOTSUP && !f->error)
		f->error = errno;
	if (close(f->fd) && !f->error)
		f->error = errno;
	f->fd = -1;
	return f->error;
}
