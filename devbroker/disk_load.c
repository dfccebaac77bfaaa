/*
 * disk_load.c - a partition's folder at the start: its segments in order; and what a repair keeps aside. See disk.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "devbroker/disk_impl.h"
#include "kproducer/error.h"

#define OFFSET_DIGITS 20
#define COPIES_MAX 1000

/* "00000000000000000042.log" */
static bool is_segment(const char *name, int64_t *base_offset)
{
	char digits[OFFSET_DIGITS + 1];
	if (strspn(name, "0123456789") != OFFSET_DIGITS || strcmp(name + OFFSET_DIGITS, ".log") != 0)
		return false;
	memcpy(digits, name, OFFSET_DIGITS);
	digits[OFFSET_DIGITS] = 0;
	return kp_disk_number(digits, 0, INT64_MAX, base_offset);
}

static bool is_set_aside(const char *name)
{
	size_t len = strlen(name);
	return len > 8 && !strcmp(name + len - 8, ".damaged");
}

static int foreign(kp_disk *d, const char *folder, const char *name)
{
	if (!d->storage.is_repairing)
		return kp_db_storage_fault(
			&d->storage,
			"%s/%s/%.100s does not belong there: move it away, or start once with --repair, which leaves it alone",
			d->dir, folder, name);
	kp_db_storage_say(&d->storage, "%s/%s/%.100s does not belong there: left alone", d->dir, folder, name);
	return 0;
}

static int missing(kp_disk *d, const char *folder)
{
	if (!d->storage.is_repairing)
		return kp_db_storage_fault(
			&d->storage,
			"%s/%s is missing: bring it back, or start once with --repair, which begins that partition anew", d->dir,
			folder);
	kp_db_storage_say(&d->storage, "%s/%s was missing: the partition begins anew", d->dir, folder);
	return kp_disk_make_folder(d, folder);
}

static int open_all(kp_disk *d, const kp_db_log_name *log, const kp_disk_names *names, kp_db_segment **segments, size_t *n)
{
	char folder[KP_DISK_PATH_SIZE];
	int err = 0;
	snprintf(folder, sizeof(folder), "topics/%s/%d", log->topic, (int)log->partition);
	for (size_t i = 0; i < names->n && !err; i++) {
		int64_t base_offset;
		if (is_segment(names->items[i], &base_offset)) {
			err = kp_disk_segment_open(d, log, base_offset, &segments[*n]);
			*n += !err;
		} else if (!is_set_aside(names->items[i])) {
			err = foreign(d, folder, names->items[i]);
		}
	}
	return err;
}

int kp_disk_partition_load(kp_db_storage *s, const kp_db_log_name *log, kp_db_segment ***segments, size_t *n)
{
	kp_disk *d = kp_disk_of(s);
	char folder[KP_DISK_PATH_SIZE];
	kp_disk_names names;
	bool found;
	*segments = NULL;
	*n = 0;
	snprintf(folder, sizeof(folder), "topics/%s/%d", log->topic, (int)log->partition);
	int err = kp_disk_list(d, folder, &names, &found);
	if (err)
		return err;
	if (!found)
		return missing(d, folder);
	kp_db_segment **all = kp_mem_calloc(names.n + 1, sizeof(*all)); /* names are in the order of their offsets */
	err = all ? open_all(d, log, &names, all, n) : KP_ERR_NO_MEMORY;
	kp_disk_names_free(&names);
	if (!err) {
		*segments = all;
		return 0;
	}
	while (*n)
		kp_disk_segment_free(s, all[--*n], 0, KP_DB_SEGMENT_FORGET);
	kp_mem_free(all);
	return err;
}

/* A name beside the segment that is free. */
static int free_name(kp_disk *d, const char *path, char out[KP_DISK_PATH_SIZE])
{
	for (int i = 0; i < COPIES_MAX; i++) {
		if (i)
			snprintf(out, KP_DISK_PATH_SIZE, "%.370s.%d.damaged", path, i);
		else
			snprintf(out, KP_DISK_PATH_SIZE, "%.370s.damaged", path);
		if (faccessat(d->fd, out, F_OK, 0))
			return 0;
	}
	errno = EEXIST;
	return kp_disk_error(d, "keep", path);
}

static int copy(kp_disk *d, const char *path, kp_slice bytes)
{
	int fd = openat(d->fd, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	int err = 0;
	if (fd < 0 || kp_disk_write_all(fd, bytes.ptr, bytes.len) || fsync(fd))
		err = kp_disk_error(d, "write", path);
	if (fd >= 0)
		close(fd);
	if (err)
		unlinkat(d->fd, path, 0);
	return err;
}

int kp_disk_segment_set_aside(kp_db_storage *s, kp_db_segment *seg, size_t pos)
{
	kp_disk *d = kp_disk_of(s);
	char path[KP_DISK_PATH_SIZE], aside[KP_DISK_PATH_SIZE];
	kp_disk_segment_name(path, &kp_disk_segment_of(seg)->log, seg->base_offset);
	int err = free_name(d, path, aside);
	if (err)
		return err;
	if (pos == 0)
		return renameat(d->fd, path, d->fd, aside) ? kp_disk_error(d, "rename", path) : 0;
	err = copy(d, aside, kp_slice_of(seg->data + pos, seg->cap - pos));
	return err ? err : kp_disk_segment_cut(s, seg, pos);
}
