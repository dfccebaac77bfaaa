/*
 * input.c - see input.h.
 */
#include "cli/input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/talk.h"

/*
 * A named pipe must not wait here for its writer, who may be busy with a pipe that we read later: O_NONBLOCK opens it at once, and
 * poll(2), which comes before each read, waits until a writer has been there.
 */
static int open_path(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd >= 0 && fcntl(fd, F_SETFL, 0) < 0) {
		int error = errno;
		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

static int say_unreadable(const char *name, int error, size_t n_inputs)
{
	struct rlimit limit;
	if (error == EMFILE && getrlimit(RLIMIT_NOFILE, &limit) == 0)
		cli_error(
			"cannot open %zu inputs at once, the limit is %llu open files: raise it (ulimit -n) or send in parts (xargs); "
			"nothing was sent",
			n_inputs, (unsigned long long)limit.rlim_cur);
	else
		cli_error("cannot read %s: %s; nothing was sent", name, strerror(error));
	return CLI_USAGE;
}

static int open_one(cli_input *input, const char *path, size_t n_inputs)
{
	struct stat st;
	bool is_stdin = !strcmp(path, "-");
	input->name = is_stdin ? "standard input" : path;
	input->fd = is_stdin ? STDIN_FILENO : open_path(path);
	int error = input->fd < 0 || fstat(input->fd, &st) ? errno : 0;
	if (!error && S_ISDIR(st.st_mode))
		error = EISDIR;
	/* Standard input may be closed, or open for writing only. */
	if (!error && (fcntl(input->fd, F_GETFL) & O_ACCMODE) == O_WRONLY)
		error = EBADF;
	if (error)
		return say_unreadable(input->name, error, n_inputs);
	input->is_regular = S_ISREG(st.st_mode);
	return CLI_GO_ON;
}

/* All inputs are open at once; the usual soft limit of 1024 is far below what the system allows. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int cli_inputs_open(cli_inputs *in, char **paths, size_t n)
{
	char dash[] = "-", *standard[] = {dash};
	int rc = CLI_GO_ON;
	if (!n) {
		paths = standard;
		n = 1;
	}
	in->list = calloc(n, sizeof(*in->list));
	if (!in->list) {
		cli_error("out of memory");
		return CLI_FAILED;
	}
	if (n > 200)
		raise_descriptor_limit();
	while (in->n < n && rc == CLI_GO_ON) {
		rc = open_one(&in->list[in->n], paths[in->n], n);
		in->n++;
	}
	return rc;
}

void cli_inputs_close(cli_inputs *in)
{
	for (size_t i = 0; i < in->n; i++)
		if (in->list[i].fd > STDERR_FILENO)
			close(in->list[i].fd);
	free(in->list);
	in->list = NULL;
	in->n = 0;
}

bool cli_inputs_have(const cli_inputs *in, const char *path)
{
	struct stat wanted, st;
	if ((path ? stat(path, &wanted) : fstat(STDOUT_FILENO, &wanted)) || !S_ISREG(wanted.st_mode))
		return false;
	for (size_t i = 0; i < in->n; i++)
		if (!fstat(in->list[i].fd, &st) && st.st_dev == wanted.st_dev && st.st_ino == wanted.st_ino)
			return true;
	return false;
}

void cli_inputs_start(cli_inputs *in, size_t i, uint64_t first_ordinal)
{
	in->list[i].first_ordinal = first_ordinal;
	atomic_store_explicit(&in->n_started, i + 1, memory_order_release);
}

const cli_input *cli_inputs_origin(cli_inputs *in, uint64_t ordinal, uint64_t *number)
{
	size_t low = 0, high = atomic_load_explicit(&in->n_started, memory_order_acquire);
	/* The last input that begins at or before the ordinal. */
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;
		if (in->list[middle].first_ordinal <= ordinal)
			low = middle;
		else
			high = middle;
	}
	*number = ordinal - in->list[low].first_ordinal + 1;
	return &in->list[low];
}
