/*
 * disk_segment.c - segments: reserved on the disk, then mapped. See disk.h.
 *
 * The file is as long as what may be written, so no store to the mapping can fail. Behind the batches stand zeros, which a start takes for
 * what they are; an end in order cuts them off.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "devbroker/disk_impl.h"
#include "kproducer/error.h"

#define FLUSH_EACH 32 /* segments are flushed one by one at the end; when there are more, the file system as a whole */

void kp_disk_segment_name(char out[KP_DISK_PATH_SIZE], const kp_db_log_name *log, int64_t base_offset)
{
	snprintf(out, KP_DISK_PATH_SIZE, "topics/%s/%d/%020" PRId64 ".log", log->topic, (int)log->partition, base_offset);
}

static void path_of(char out[KP_DISK_PATH_SIZE], const kp_disk_segment *seg)
{
	kp_disk_segment_name(out, &seg->log, seg->segment.base_offset);
}

const char *kp_disk_segment_path(kp_db_storage *s, const kp_db_segment *seg)
{
	kp_disk *d = kp_disk_of(s);
	char path[KP_DISK_PATH_SIZE];
	kp_disk_segment_name(path, &((const kp_disk_segment *)seg)->log, seg->base_offset);
	snprintf(d->path_text, sizeof(d->path_text), "%.240s/%s", d->dir, path);
	return d->path_text;
}

static kp_disk_segment *segment_alloc(const kp_db_log_name *log, int64_t base_offset)
{
	kp_disk_segment *seg = kp_mem_calloc(1, sizeof(*seg));
	if (seg) {
		seg->log = *log;
		seg->segment.base_offset = base_offset;
	}
	return seg;
}

/* Map the file's first `size` bytes, in place of what is mapped. 0, or -1 with errno. */
static int map(kp_disk_segment *seg, int fd, size_t size)
{
	void *p = seg->segment.data;
	if (seg->mapped)
		p = mremap(p, seg->mapped, size, MREMAP_MAYMOVE);
	else if (size)
		p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return -1;
	seg->segment.data = p;
	seg->segment.cap = seg->mapped = size;
	return 0;
}

/* Make the file longer, on the disk too. What failed leaves it as it was. */
static int extend(int fd, size_t from, size_t to)
{
	int error;
	do
		error = posix_fallocate(fd, (off_t)from, (off_t)(to - from));
	while (error == EINTR);
	if (error && ftruncate(fd, (off_t)from))
		error = errno;
	errno = error;
	return error ? -1 : 0;
}

/* Room for what is wanted, or at least what is needed. 0, or -1 with errno. */
static int extend_and_map(kp_disk_segment *seg, int fd, kp_db_room room)
{
	size_t from = seg->segment.cap, to = room.want;
	if (extend(fd, from, to)) {
		to = room.need;
		if (to >= room.want || extend(fd, from, to))
			return -1;
	}
	if (!map(seg, fd, to))
		return 0;
	int error = errno;
	if (!ftruncate(fd, (off_t)from))
		errno = error;
	return -1;
}

static void say_room(kp_disk *d)
{
	if (d->is_failing)
		kp_db_storage_say(&d->storage, "%s can be written to again", d->dir);
	d->is_failing = false;
}

int kp_disk_segment_open(kp_disk *d, const kp_db_log_name *log, int64_t base_offset, kp_db_segment **out)
{
	char path[KP_DISK_PATH_SIZE];
	struct stat st;
	kp_disk_segment *seg = segment_alloc(log, base_offset);
	if (!seg)
		return KP_ERR_NO_MEMORY;
	seg->is_flushed = d->ends.n > 0;
	path_of(path, seg);
	int fd = openat(d->fd, path, O_RDWR | O_CLOEXEC);
	int err = 0;
	if (fd < 0 || fstat(fd, &st) || map(seg, fd, (size_t)st.st_size))
		err = kp_disk_error(d, "read", path);
	if (fd >= 0)
		close(fd);
	if (err)
		kp_mem_free(seg);
	else
		*out = &seg->segment;
	return err;
}

/* The file of an empty log may be there: it must stay even when there is no room. */
static int create(kp_disk *d, const char *path, bool *was_there)
{
	int fd = openat(d->fd, path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	*was_there = fd < 0 && errno == EEXIST;
	return *was_there ? openat(d->fd, path, O_RDWR | O_TRUNC | O_CLOEXEC) : fd;
}

int kp_disk_segment_new(kp_db_storage *s, const kp_db_log_name *log, int64_t base_offset, kp_db_room room, kp_db_segment **out)
{
	kp_disk *d = kp_disk_of(s);
	char path[KP_DISK_PATH_SIZE];
	bool was_there;
	kp_disk_segment *seg = segment_alloc(log, base_offset);
	if (!seg)
		return KP_ERR_NO_MEMORY;
	path_of(path, seg);
	int fd = create(d, path, &was_there);
	int err = 0;
	if (fd < 0 || extend_and_map(seg, fd, room)) {
		int error = errno;
		if (fd >= 0 && !was_there)
			unlinkat(d->fd, path, 0);
		errno = error;
		err = kp_disk_error(d, "write", path);
	}
	if (fd >= 0)
		close(fd);
	if (err) {
		kp_mem_free(seg);
		return err;
	}
	say_room(d);
	*out = &seg->segment;
	return 0;
}

static int open_again(kp_disk *d, const kp_disk_segment *seg, char path[KP_DISK_PATH_SIZE])
{
	path_of(path, seg);
	return openat(d->fd, path, O_RDWR | O_CLOEXEC);
}

int kp_disk_segment_grow(kp_db_storage *s, kp_db_segment *segment, kp_db_room room)
{
	kp_disk *d = kp_disk_of(s);
	kp_disk_segment *seg = kp_disk_segment_of(segment);
	char path[KP_DISK_PATH_SIZE];
	int fd = open_again(d, seg, path), err = 0;
	if (fd < 0 || extend_and_map(seg, fd, room))
		err = kp_disk_error(d, "write", path);
	else
		say_room(d);
	if (fd >= 0)
		close(fd);
	seg->is_flushed &= err != 0;
	return err;
}

int kp_disk_segment_cut(kp_db_storage *s, kp_db_segment *segment, size_t len)
{
	kp_disk *d = kp_disk_of(s);
	kp_disk_segment *seg = kp_disk_segment_of(segment);
	char path[KP_DISK_PATH_SIZE];
	int fd = open_again(d, seg, path), err = 0;
	if (fd < 0 || ftruncate(fd, (off_t)len))
		err = kp_disk_error(d, "cut", path);
	else
		segment->cap = len;
	seg->is_flushed = false; /* also when it could not be cut: what is behind is wiped then */
	if (fd >= 0)
		close(fd);
	return err;
}

void kp_disk_segment_close(kp_db_storage *s, kp_db_segment *segment, size_t len)
{
	kp_disk *d = kp_disk_of(s);
	char path[KP_DISK_PATH_SIZE];
	int fd = open_again(d, kp_disk_segment_of(segment), path);
	if (fd < 0)
		return;
	if (!ftruncate(fd, (off_t)len))
		segment->cap = len;
	sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE); /* begin to write; to wait would hold up every connection */
	close(fd);
}

static void keep(kp_disk *d, kp_disk_segment *seg, size_t len)
{
	char path[KP_DISK_PATH_SIZE];
	if (seg->is_flushed && len == seg->segment.cap)
		return;
	int fd = open_again(d, seg, path);
	if (fd < 0 || ftruncate(fd, (off_t)len))
		(void)kp_disk_error(d, "cut", path);
	if (d->n_flushed++ >= FLUSH_EACH)
		d->is_flush_due = true;
	else if (fd >= 0 && fsync(fd))
		(void)kp_disk_error(d, "flush", path);
	if (fd >= 0)
		close(fd);
	snprintf(path, sizeof(path), "topics/%s/%d", seg->log.topic, (int)seg->log.partition);
	if (!d->is_flush_due)
		kp_disk_flush_folder(d, path);
}

void kp_disk_segment_free(kp_db_storage *s, kp_db_segment *segment, size_t len, kp_db_segment_end end)
{
	kp_disk *d = kp_disk_of(s);
	kp_disk_segment *seg = kp_disk_segment_of(segment);
	char path[KP_DISK_PATH_SIZE];
	path_of(path, seg);
	if (end == KP_DB_SEGMENT_KEEP)
		keep(d, seg, len);
	else if (end == KP_DB_SEGMENT_REMOVE && unlinkat(d->fd, path, 0) && errno != ENOENT)
		(void)kp_disk_error(d, "remove", path);
	if (seg->mapped)
		munmap(segment->data, seg->mapped);
	kp_mem_free(seg);
}

int kp_disk_log_emptied(kp_db_storage *s, const kp_db_log_name *log, int64_t end_offset)
{
	kp_disk *d = kp_disk_of(s);
	char path[KP_DISK_PATH_SIZE];
	kp_disk_segment_name(path, log, end_offset);
	int fd = openat(d->fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return kp_disk_error(d, "write", path);
	close(fd);
	return 0;
}
