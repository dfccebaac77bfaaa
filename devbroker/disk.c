/*
 * disk.c - the folder as a whole: taken, looked into, begun, given back. See disk.h.
 */
#include "devbroker/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "devbroker/disk_impl.h"
#include "kproducer/error.h"

static int begin(kp_db_storage *s, char cluster_id[KP_DB_CLUSTER_ID_SIZE], kp_db_reserved *reserved)
{
	kp_disk *d = kp_disk_of(s);
	if (d->is_new) {
		snprintf(d->cluster_id, sizeof(d->cluster_id), "%s", cluster_id);
		return kp_disk_make_folder(d, "topics");
	}
	snprintf(cluster_id, KP_DB_CLUSTER_ID_SIZE, "%s", d->cluster_id);
	*reserved = d->reserved;
	bool found;
	int err = kp_disk_list(d, "topics", &d->topics, &found);
	if (!err && !found)
		return kp_db_storage_fault(s, "%s/topics is missing: bring it back from a copy, or choose another folder", d->dir);
	return err;
}

static int started(kp_db_storage *s)
{
	kp_disk *d = kp_disk_of(s);
	int err = kp_disk_remove_tree(d, "new");
	if (!err)
		err = kp_disk_remove_tree(d, "deleted");
	if (!err)
		err = kp_disk_make_folder(d, "deleted");
	if (!err)
		err = kp_disk_notes_begin(d);
	if (!err)
		err = kp_disk_ends_remove(d);
	if (!err && d->is_new)
		err = kp_disk_version_write(d);
	d->is_started = !err;
	kp_disk_ends_free(d);
	kp_disk_names_free(&d->topics);
	return err;
}

/* Everything is to be on the disk before it is said to be. */
static void finish(kp_db_storage *s)
{
	kp_disk *d = kp_disk_of(s);
	if (d->is_flush_due && syncfs(d->fd))
		(void)kp_disk_error(d, "flush", "");
	else
		(void)!kp_disk_ends_write(d);
}

static const kp_db_storage_ops disk_ops = {
	.begin = begin,
	.topic_next = kp_disk_topic_next,
	.note_next = kp_disk_note_next,
	.partition_load = kp_disk_partition_load,
	.log_was = kp_disk_log_was,
	.segment_set_aside = kp_disk_segment_set_aside,
	.started = started,
	.topic_create = kp_disk_topic_create,
	.topic_grow = kp_disk_topic_grow,
	.topic_delete = kp_disk_topic_delete,
	.segment_new = kp_disk_segment_new,
	.segment_grow = kp_disk_segment_grow,
	.segment_cut = kp_disk_segment_cut,
	.segment_close = kp_disk_segment_close,
	.segment_free = kp_disk_segment_free,
	.log_emptied = kp_disk_log_emptied,
	.reserve = kp_disk_reserve,
	.note = kp_disk_note,
	.log_end = kp_disk_log_end,
	.finish = finish,
	.segment_path = kp_disk_segment_path,
};

static int take_lock(kp_disk *d)
{
	char text[24] = "";
	d->lock_fd = openat(d->fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (d->lock_fd < 0)
		return kp_disk_error(d, "write", "lock");
	if (flock(d->lock_fd, LOCK_EX | LOCK_NB)) {
		if (errno != EWOULDBLOCK)
			return kp_disk_error(d, "lock", "lock");
		ssize_t n = pread(d->lock_fd, text, sizeof(text) - 1, 0);
		text[n > 0 ? n : 0] = 0;
		text[strspn(text, "0123456789")] = 0;
		return kp_db_storage_fault(&d->storage, "%s is in use by process %s: stop that one, or choose another folder",
		                           d->dir, *text ? text : "of another broker");
	}
	int n = snprintf(text, sizeof(text), "%d\n", (int)getpid());
	if (ftruncate(d->lock_fd, 0) || pwrite(d->lock_fd, text, (size_t)n, 0) != n)
		errno = 0; /* a full disk, say: the lock is what counts */
	return 0;
}

/* What a start that was cut short may leave, or the system puts there. */
static bool is_leftover(kp_disk *d, const char *name)
{
	static const char *const files[] = {"lock", "lost+found", "reserved", "reserved.tmp", "kproducer-broker.tmp"};
	for (size_t i = 0; i < KP_ARRAY_LEN(files); i++)
		if (!strcmp(name, files[i]))
			return true;
	kp_disk_names inner;
	bool found;
	if ((strcmp(name, "topics") && strcmp(name, "deleted")) || kp_disk_list(d, name, &inner, &found))
		return false;
	bool is_empty = inner.n == 0;
	kp_disk_names_free(&inner);
	return is_empty;
}

/* A folder that is none of ours must be empty. */
static int check_empty(kp_disk *d)
{
	kp_disk_names names;
	bool found;
	int err = kp_disk_list(d, ".", &names, &found);
	for (size_t i = 0; !err && i < names.n; i++)
		if (!is_leftover(d, names.items[i]))
			err = kp_db_storage_fault(
				&d->storage, "%s is not empty and holds no broker's data (there is %.100s): choose an empty folder",
				d->dir, names.items[i]);
	if (found)
		kp_disk_names_free(&names);
	return err;
}

static int take_folder(kp_disk *d)
{
	if (mkdir(d->dir, 0755) && errno != EEXIST)
		return kp_db_storage_fault(&d->storage, "cannot make %s: %s", d->dir, strerror(errno));
	d->fd = open(d->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->fd < 0)
		return kp_db_storage_fault(&d->storage, "cannot open %s: %s", d->dir, strerror(errno));
	int err = kp_disk_version_load(d);
	if (!err && d->is_new)
		err = check_empty(d);
	if (!err)
		err = take_lock(d);
	return err ? err : kp_disk_state_load(d);
}

kp_db_storage *kp_disk_open(const kp_disk_options *o, char *err, size_t err_size)
{
	kp_disk *d = kp_mem_calloc(1, sizeof(*d));
	if (d)
		d->dir = kp_mem_strdup(o->dir);
	if (!d || !d->dir) {
		kp_mem_free(d);
		snprintf(err, err_size, "out of memory");
		return NULL;
	}
	d->fd = d->lock_fd = -1;
	d->storage = (kp_db_storage){
		.ops = &disk_ops,
		.segment_min = KP_DISK_SEGMENT_MIN,
		.segment_max = KP_DISK_SEGMENT_MAX,
		.is_repairing = o->is_repairing,
		.say = o->say,
		.opaque = o->opaque,
		.fault = "out of memory",
	};
	kp_map_init(&d->ends);
	kp_map_init(&d->notes);
	kp_buf_init(&d->ending, 0);
	if (take_folder(d)) {
		snprintf(err, err_size, "%s", d->storage.fault);
		kp_disk_close(&d->storage);
		return NULL;
	}
	return &d->storage;
}

void kp_disk_close(kp_db_storage *s)
{
	if (!s)
		return;
	kp_disk *d = kp_disk_of(s);
	kp_disk_ends_free(d);
	kp_disk_names_free(&d->topics);
	kp_disk_notes_free(d);
	kp_buf_deinit(&d->ending);
	if (d->lock_fd >= 0)
		close(d->lock_fd);
	if (d->fd >= 0)
		close(d->fd);
	kp_mem_free(d->dir);
	kp_mem_free(d);
}
