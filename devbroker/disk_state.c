/*
 * disk_state.c - the small files of the folder itself: kproducer-broker, reserved, stopped. See disk.h.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "devbroker/disk_impl.h"
#include "kproducer/error.h"

#define VERSION_FILE "kproducer-broker"
#define RESERVED_FILE "reserved"
#define STOPPED_FILE "stopped"

typedef struct kp_disk_end {
	kp_db_log_end end;
	size_t len;
	char name[]; /* "topic partition" */
} kp_disk_end;

static int bad_file(kp_disk *d, const char *path, const char *line)
{
	return kp_db_storage_fault(
		&d->storage,
		"%s/%s is damaged: '%.100s' is nothing that this broker writes: bring the file back from a copy, or "
		"choose another folder",
		d->dir, path, line);
}

int kp_disk_version_load(kp_disk *d)
{
	kp_buf text;
	bool found;
	int err = kp_disk_read_file(d, VERSION_FILE, &text, &found);
	d->is_new = !err && !found;
	if (err || !found)
		return err;
	int64_t format = 0;
	char *key, *value;
	for (char *at = (char *)text.data; !err && kp_disk_next_line(&at, &key, &value);) {
		if (value && !strcmp(key, "format") && kp_disk_number(value, 0, INT64_MAX, &format) && format != KP_DISK_FORMAT)
			err = kp_db_storage_fault(&d->storage,
			                          "%s is of format %" PRId64
			                          ", this kproducer reads format %d: use the version that wrote "
			                          "it, or another folder",
			                          d->dir, format, KP_DISK_FORMAT);
		else if (value && !strcmp(key, "cluster.id") && strlen(value) < sizeof(d->cluster_id))
			memcpy(d->cluster_id, value, strlen(value) + 1);
		else if (!value || strcmp(key, "format") != 0)
			err = bad_file(d, VERSION_FILE, key);
	}
	kp_buf_deinit(&text);
	if (!err && (!format || !*d->cluster_id))
		err = bad_file(d, VERSION_FILE, "");
	return err;
}

static int load_reserved(kp_disk *d)
{
	kp_buf text;
	bool found;
	int err = kp_disk_read_file(d, RESERVED_FILE, &text, &found);
	if (err)
		return err;
	if (!found)
		return kp_db_storage_fault(&d->storage,
		                           "%s/" RESERVED_FILE
		                           " is missing: without it producer ids could be given out twice: bring it back "
		                           "from a copy, or choose another folder",
		                           d->dir);
	int64_t n;
	char *key, *value;
	for (char *at = (char *)text.data; !err && kp_disk_next_line(&at, &key, &value);) {
		if (value && !strcmp(key, "producer.id") && kp_disk_number(value, 0, INT64_MAX - INT32_MAX, &n))
			d->reserved.producer_id = n;
		else if (value && !strcmp(key, "leader.epoch") && kp_disk_number(value, 0, INT32_MAX - 1000000, &n))
			d->reserved.leader_epoch = (int32_t)n;
		else
			err = bad_file(d, RESERVED_FILE, key);
	}
	kp_buf_deinit(&text);
	return err;
}

static kp_slice end_key(const kp_disk_end *e)
{
	return kp_slice_of(e->name, e->len);
}

/* "topic partition=start end" */
static int add_end(kp_disk *d, const char *name, char *value)
{
	int64_t start, end;
	char *space = value ? strchr(value, ' ') : NULL;
	if (space)
		*space = 0;
	if (!space || !kp_disk_number(value, 0, INT64_MAX, &start) || !kp_disk_number(space + 1, start, INT64_MAX, &end))
		return bad_file(d, STOPPED_FILE, name);
	size_t len = strlen(name);
	kp_disk_end *e = kp_mem_alloc(sizeof(*e) + len);
	if (!e)
		return KP_ERR_NO_MEMORY;
	e->end = (kp_db_log_end){start, end};
	e->len = len;
	memcpy(e->name, name, len);
	kp_mem_free(kp_map_remove(&d->ends, end_key(e)));
	if (kp_map_put(&d->ends, end_key(e), e)) {
		kp_mem_free(e);
		return KP_ERR_NO_MEMORY;
	}
	return 0;
}

static int load_stopped(kp_disk *d)
{
	kp_buf text;
	bool found;
	int err = kp_disk_read_file(d, STOPPED_FILE, &text, &found);
	if (err || !found)
		return err;
	char *key, *value;
	for (char *at = (char *)text.data; !err && kp_disk_next_line(&at, &key, &value);)
		err = add_end(d, key, value);
	kp_buf_deinit(&text);
	return err;
}

int kp_disk_state_load(kp_disk *d)
{
	int err = kp_disk_version_load(d); /* again: before the folder was ours it could change */
	if (err || d->is_new)
		return err;
	err = load_reserved(d);
	if (!err)
		err = kp_disk_notes_load(d);
	return err ? err : load_stopped(d);
}

int kp_disk_version_write(kp_disk *d)
{
	char text[100];
	int n = snprintf(text, sizeof(text), "format=%d\ncluster.id=%s\n", KP_DISK_FORMAT, d->cluster_id);
	return kp_disk_write_file(d, VERSION_FILE, kp_slice_of(text, (size_t)n));
}

void kp_disk_ends_free(kp_disk *d)
{
	size_t it = 0;
	for (void *e; (e = kp_map_next(&d->ends, &it));)
		kp_mem_free(e);
	kp_map_deinit(&d->ends);
	kp_map_init(&d->ends);
}

bool kp_disk_log_was(kp_db_storage *s, const kp_db_log_name *log, kp_db_log_end *out)
{
	char name[KP_DISK_PATH_SIZE];
	int len = snprintf(name, sizeof(name), "%s %d", log->topic, (int)log->partition);
	const kp_disk_end *e = kp_map_get(&kp_disk_of(s)->ends, kp_slice_of(name, (size_t)len));
	if (e)
		*out = e->end;
	return e != NULL;
}

int kp_disk_reserve(kp_db_storage *s, const kp_db_reserved *below)
{
	char text[100];
	int n = snprintf(text, sizeof(text), "producer.id=%" PRId64 "\nleader.epoch=%d\n", below->producer_id,
	                 (int)below->leader_epoch);
	return kp_disk_write_file(kp_disk_of(s), RESERVED_FILE, kp_slice_of(text, (size_t)n));
}

void kp_disk_log_end(kp_db_storage *s, const kp_db_log_name *log, const kp_db_log_end *end)
{
	kp_buf_printf(&kp_disk_of(s)->ending, "%s %d=%" PRId64 " %" PRId64 "\n", log->topic, (int)log->partition, end->start_offset,
	              end->end_offset);
}

int kp_disk_ends_write(kp_disk *d)
{
	return d->ending.failed ? KP_ERR_NO_MEMORY : kp_disk_write_file(d, STOPPED_FILE, kp_buf_slice(&d->ending));
}

int kp_disk_ends_remove(kp_disk *d)
{
	return unlinkat(d->fd, STOPPED_FILE, 0) && errno != ENOENT ? kp_disk_error(d, "remove", STOPPED_FILE) : 0;
}
