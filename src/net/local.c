/*
 * local.c - see local.h.
 */
#include "net/local.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"

struct kp_local {
	dev_t device; /* what we bound: another program may have put its own there since */
	ino_t inode;
	char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
};

static int local_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/* Remove a socket that nobody listens on. NULL when the path is free. */
static const char *clear_path(const struct sockaddr_un *a)
{
	struct stat st;
	if (lstat(a->sun_path, &st) != 0)
		return errno == ENOENT ? NULL : strerror(errno);
	if (!S_ISSOCK(st.st_mode))
		return "there is a file that is no socket";
	int fd = local_socket();
	if (fd < 0)
		return strerror(errno);
	bool is_dead = connect(fd, (const struct sockaddr *)a, sizeof(*a)) != 0 && errno == ECONNREFUSED;
	close(fd);
	if (!is_dead)
		return "another program listens there";
	return unlink(a->sun_path) == 0 ? NULL : strerror(errno);
}

static const char *bind_path(int fd, const struct sockaddr_un *a, kp_local *out)
{
	struct stat st;
	if (fd < 0 || fchmod(fd, 0600) != 0) /* Linux gives the path the socket's mode: it is never open to others */
		return strerror(errno);
	const char *why = clear_path(a);
	if (why)
		return why;
	if (bind(fd, (const struct sockaddr *)a, sizeof(*a)) != 0 || chmod(a->sun_path, 0600) != 0 || listen(fd, SOMAXCONN) != 0 ||
	    lstat(a->sun_path, &st) != 0)
		return strerror(errno);
	out->device = st.st_dev;
	out->inode = st.st_ino;
	memcpy(out->path, a->sun_path, sizeof(out->path));
	return NULL;
}

int kp_local_listen(const char *path, kp_local **out, const char **why)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	size_t len = strlen(path);
	if (len == 0 || len >= sizeof(a.sun_path)) {
		*why = len ? "the path of a socket has at most 107 bytes" : "the path is empty";
		return -1;
	}
	memcpy(a.sun_path, path, len);
	kp_local *p = kp_mem_calloc(1, sizeof(*p));
	int fd = p ? local_socket() : -1;
	*why = p ? bind_path(fd, &a, p) : "out of memory";
	if (!*why) {
		*out = p;
		return fd;
	}
	if (fd >= 0)
		close(fd);
	kp_mem_free(p);
	return -1;
}

void kp_local_free(kp_local *p)
{
	struct stat st;
	if (p && lstat(p->path, &st) == 0 && st.st_dev == p->device && st.st_ino == p->inode)
		unlink(p->path);
	kp_mem_free(p);
}
