/*
 * disk_file.c - small files written as a whole, folders, and what to say when something fails. See disk_impl.h.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/os_error.h"
#include "base/time.h"
#include "devbroker/disk_impl.h"
#include "kproducer/error.h"

#define SAY_AGAIN_US 10000000
#define FILE_MAX ((size_t)256 << 20)

int kp_disk_error(kp_disk *d, const char *verb, const char *path)
{
	int error = errno;
	if (!d->is_started)
		return kp_db_storage_fault(&d->storage, "cannot %s %s/%s: %s", verb, d->dir, path, kp_os_error_text(error));
	int64_t now_us = kp_time_mono_us();
	bool is_said = d->is_failing && d->failed_errno == error && now_us - d->failed_us < SAY_AGAIN_US;
	if (!is_said) {
		d->failed_us = now_us;
		kp_db_storage_say(&d->storage, "cannot %s %s/%s: %s: answered with KAFKA_STORAGE_ERROR until that is mended", verb,
		                  d->dir, path, kp_os_error_text(error));
	}
	d->is_failing = true;
	d->failed_errno = error;
	return KP_ERR_KAFKA_STORAGE_ERROR;
}

int kp_disk_write_all(int fd, const void *bytes, size_t len)
{
	for (const uint8_t *p = bytes; len;) {
		ssize_t n = write(fd, p, len);
		if (n < 0 && errno != EINTR)
			return -1;
		if (n > 0) {
			p += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

/* The folder that holds a path. */
static void parent_of(char out[KP_DISK_PATH_SIZE], const char *path)
{
	const char *slash = strrchr(path, '/');
	snprintf(out, KP_DISK_PATH_SIZE, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
}

int kp_disk_write_file(kp_disk *d, const char *path, kp_slice content)
{
	char beside[KP_DISK_PATH_SIZE + 4], parent[KP_DISK_PATH_SIZE];
	snprintf(beside, sizeof(beside), "%s.tmp", path);
	int fd = openat(d->fd, beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return kp_disk_error(d, "write", path);
	bool is_written = !kp_disk_write_all(fd, content.ptr, content.len) && !fsync(fd);
	int error = errno;
	close(fd);
	errno = error;
	if (is_written && !renameat(d->fd, beside, d->fd, path)) {
		parent_of(parent, path);
		kp_disk_flush_folder(d, parent);
		return 0;
	}
	error = errno;
	unlinkat(d->fd, beside, 0);
	errno = error;
	return kp_disk_error(d, "write", path);
}

int kp_disk_read_file(kp_disk *d, const char *path, kp_buf *out, bool *found)
{
	int fd = openat(d->fd, path, O_RDONLY | O_CLOEXEC);
	*found = fd >= 0;
	if (fd < 0)
		return errno == ENOENT ? 0 : kp_disk_error(d, "read", path);
	kp_buf_init(out, FILE_MAX);
	ssize_t n = 1;
	while (n > 0) {
		uint8_t *p = kp_buf_reserve(out, 65536);
		n = p ? read(fd, p, 65536) : 0;
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n > 0)
			out->len += (size_t)n;
	}
	int err = n < 0 ? kp_disk_error(d, "read", path) : !kp_buf_cstr(out) ? KP_ERR_NO_MEMORY : 0;
	close(fd);
	if (err)
		kp_buf_deinit(out);
	return err;
}

void kp_disk_flush_folder(const kp_disk *d, const char *path)
{
	int fd = openat(d->fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	fsync(fd);
	close(fd);
}

int kp_disk_make_folder(kp_disk *d, const char *path)
{
	return mkdirat(d->fd, path, 0755) && errno != EEXIST ? kp_disk_error(d, "make", path) : 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int read_names(DIR *folder, kp_disk_names *out)
{
	size_t cap = 0;
	for (struct dirent *e; (e = readdir(folder));) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		if (out->n == cap) {
			size_t grown = cap ? cap * 2 : 16;
			char **items = kp_mem_realloc(out->items, grown * sizeof(*items));
			if (!items)
				return KP_ERR_NO_MEMORY;
			out->items = items;
			cap = grown;
		}
		if (!(out->items[out->n] = kp_mem_strdup(e->d_name)))
			return KP_ERR_NO_MEMORY;
		out->n++;
	}
	if (out->n)
		qsort(out->items, out->n, sizeof(*out->items), compare_names);
	return 0;
}

int kp_disk_list(kp_disk *d, const char *path, kp_disk_names *out, bool *found)
{
	*out = (kp_disk_names){0};
	int fd = openat(d->fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	*found = folder != NULL;
	if (!folder) {
		int err = errno == ENOENT ? 0 : kp_disk_error(d, "read", path);
		if (fd >= 0)
			close(fd);
		return err;
	}
	int err = read_names(folder, out);
	closedir(folder);
	if (err)
		kp_disk_names_free(out);
	return err;
}

void kp_disk_names_free(kp_disk_names *names)
{
	for (size_t i = 0; i < names->n; i++)
		kp_mem_free(names->items[i]);
	kp_mem_free(names->items);
	*names = (kp_disk_names){0};
}

/* Topics are three folders deep; deeper ones are not ours, and stay. */
static int remove_tree(kp_disk *d, const char *path, int depth)
{
	if (!unlinkat(d->fd, path, 0) || errno == ENOENT)
		return 0;
	kp_disk_names names;
	bool found;
	int err = depth ? kp_disk_list(d, path, &names, &found) : kp_disk_error(d, "remove", path);
	if (err)
		return err;
	for (size_t i = 0; i < names.n && !err; i++) {
		char inner[KP_DISK_PATH_SIZE];
		if ((size_t)snprintf(inner, sizeof(inner), "%s/%s", path, names.items[i]) < sizeof(inner))
			err = remove_tree(d, inner, depth - 1);
	}
	kp_disk_names_free(&names);
	if (err)
		return err;
	return unlinkat(d->fd, path, AT_REMOVEDIR) && errno != ENOENT ? kp_disk_error(d, "remove", path) : 0;
}

int kp_disk_remove_tree(kp_disk *d, const char *path)
{
	return remove_tree(d, path, 4);
}

bool kp_disk_next_line(char **text, char **key, char **value)
{
	char *line = *text;
	if (!*line)
		return false;
	size_t len = strcspn(line, "\n");
	*text = line + len + (line[len] == '\n');
	line[len] = 0;
	*key = line;
	*value = strchr(line, '=');
	if (*value)
		*(*value)++ = 0;
	return true;
}

bool kp_disk_number(const char *text, int64_t min, int64_t max, int64_t *out)
{
	char *end;
	errno = 0;
	long long n = strtoll(text, &end, 10);
	if (errno || end == text || *end || n < min || n > max)
		return false;
	*out = n;
	return true;
}
