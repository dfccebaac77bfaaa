/*
 * line_file.c - see line_file.h.
 */
#include "cli/line_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#define SLICE_MS 100

/* A file that we may not read stays as it is. */
static int end_last_line(int fd, const char *path, off_t size)
{
	char last = '\n';
	int reader = size ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (reader < 0)
		return 0;
	ssize_t n = pread(reader, &last, 1, size - 1);
	close(reader);
	return n == 1 && last != '\n' && write(fd, "\n", 1) < 0 ? errno : 0;
}

int cli_line_file_open(cli_line_file *f, const char *path)
{
	struct stat st;
	f->is_ours = path != NULL;
	f->fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666) : STDOUT_FILENO;
	int error = f->fd < 0 || fstat(f->fd, &st) ? errno : 0;
	f->is_regular = !error && S_ISREG(st.st_mode);
	if (f->is_regular && f->is_ours)
		error = end_last_line(f->fd, path, st.st_size);
	if (error) {
		cli_line_file_close(f);
		f->fd = -1;
	}
	return error;
}

bool cli_line_file_is(const cli_line_file *f, const char *path)
{
	struct stat a, b;
	return f->fd >= 0 && !fstat(f->fd, &a) && !stat(path, &b) && !S_ISCHR(a.st_mode) && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

/* Until the reader takes more; false: it is not worth waiting for any longer. A regular file always takes more, or fails. */
static bool await_reader(const cli_line_file *f)
{
	struct pollfd fd = {.fd = f->fd, .events = POLLOUT};
	if (f->is_regular)
		return true;
	while (poll(&fd, 1, SLICE_MS) <= 0)
		if (f->may_wait && !f->may_wait(f->opaque))
			return false;
	return true;
}

size_t cli_line_file_write(const cli_line_file *f, const char *text, size_t len, int *error)
{
	size_t done = 0;
	*error = 0;
	while (done < len && await_reader(f)) {
		/* A pipe that can be written takes PIPE_BUF bytes at once, so no write blocks. */
		size_t most = f->is_regular || len - done < PIPE_BUF ? len - done : PIPE_BUF;
		ssize_t n = write(f->fd, text + done, most);
		if (n > 0)
			done += (size_t)n;
		else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
			*error = n < 0 ? errno : EIO;
			break;
		}
	}
	return done;
}

void cli_line_file_cut(const cli_line_file *f, size_t n)
{
	struct stat st;
	if (n && f->is_regular && !fstat(f->fd, &st) && (size_t)st.st_size >= n)
		(void)!ftruncate(f->fd, st.st_size - (off_t)n);
}

int cli_line_file_close(cli_line_file *f)
{
	int error = f->fd >= 0 && f->is_ours && close(f->fd) ? errno : 0;
	f->fd = -1;
	return error;
}
