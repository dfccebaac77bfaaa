/*
 * disk_topic.c - topics as folders: made beside and renamed into place, renamed away and removed. See disk.h.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "devbroker/disk_impl.h"
#include "devbroker/topics.h"
#include "kproducer/error.h"

#define PROPERTIES "topic.properties"
#define ID_TEXT_SIZE 33

static void id_text(const kp_uuid *id, char out[ID_TEXT_SIZE])
{
	for (int i = 0; i < 16; i++)
		snprintf(out + 2 * i, 3, "%02x", id->bytes[i]);
}

static bool id_parse(const char *text, kp_uuid *out)
{
	if (strlen(text) != ID_TEXT_SIZE - 1 || strspn(text, "0123456789abcdef") != ID_TEXT_SIZE - 1)
		return false;
	for (int i = 0; i < 16; i++) {
		static const char digits[] = "0123456789abcdef";
		out->bytes[i] = (uint8_t)((strchr(digits, text[2 * i]) - digits) << 4 | (strchr(digits, text[2 * i + 1]) - digits));
	}
	return true;
}

/* A property may hold any text; a line may not. */
static void append_escaped(kp_buf *b, const char *text)
{
	for (; *text; text++) {
		if (*text == '\\')
			kp_buf_printf(b, "\\\\");
		else if (*text == '\n')
			kp_buf_printf(b, "\\n");
		else
			kp_buf_append_u8(b, (uint8_t)*text);
	}
}

static void unescape(char *text)
{
	char *to = text;
	for (const char *p = text; *p; p++) {
		if (*p == '\\' && p[1])
			*to++ = *++p == 'n' ? '\n' : *p;
		else
			*to++ = *p;
	}
	*to = 0;
}

static int write_properties(kp_disk *d, const char *folder, const kp_db_topic_record *t)
{
	char path[KP_DISK_PATH_SIZE], id[ID_TEXT_SIZE];
	kp_buf b;
	kp_buf_init(&b, 0);
	id_text(&t->id, id);
	kp_buf_printf(&b, "id=%s\npartitions=%d\nreplication.factor=%d\nfirst.node=%d\n", id, (int)t->n_partitions,
	              t->replication_factor, (int)t->first_node);
	for (int i = 0; i < KP_DB_N_CONFIGS; i++) {
		if (!t->config->values[i])
			continue;
		kp_buf_printf(&b, "config.%s=", kp_db_config_infos[i].name);
		append_escaped(&b, t->config->values[i]);
		kp_buf_append_u8(&b, '\n');
	}
	snprintf(path, sizeof(path), "%s/" PROPERTIES, folder);
	int err = b.failed ? KP_ERR_NO_MEMORY : kp_disk_write_file(d, path, kp_buf_slice(&b));
	kp_buf_deinit(&b);
	return err;
}

static int take_config(kp_db_topic_config *config, const char *name, char *value)
{
	kp_buf why;
	kp_buf_init(&why, 4096);
	unescape(value);
	int err = kp_db_topic_config_set(config, kp_slice_cstr(name), kp_slice_cstr(value), &why);
	kp_buf_deinit(&why);
	return err;
}

/* 0, KP_ERR_NO_MEMORY, or another error: not a line of ours. */
static int take_property(kp_db_topic_record *out, const char *key, char *value)
{
	int64_t n;
	if (!value)
		return KP_ERR_INVALID_CONFIG;
	if (!strncmp(key, "config.", 7))
		return take_config(out->config, key + 7, value);
	if (!strcmp(key, "id"))
		return id_parse(value, &out->id) ? 0 : KP_ERR_INVALID_CONFIG;
	if (!kp_disk_number(value, 0, INT32_MAX, &n))
		return KP_ERR_INVALID_CONFIG;
	if (!strcmp(key, "partitions"))
		out->n_partitions = (int32_t)n;
	else if (!strcmp(key, "replication.factor") && n <= INT16_MAX)
		out->replication_factor = (int16_t)n;
	else if (!strcmp(key, "first.node") && n < KP_DB_MAX_NODES)
		out->first_node = (int32_t)n;
	else
		return KP_ERR_INVALID_CONFIG;
	return 0;
}

static int damaged(kp_disk *d, const char *path, int line)
{
	return kp_db_storage_fault(
		&d->storage, "%s/%s is damaged or missing (line %d): bring it back from a copy, or move the topic's folder away",
		d->dir, path, line);
}

static int read_properties(kp_disk *d, const char *name, kp_db_topic_record *out)
{
	char path[KP_DISK_PATH_SIZE];
	kp_buf text;
	bool found;
	snprintf(path, sizeof(path), "topics/%s/" PROPERTIES, name);
	int err = kp_disk_read_file(d, path, &text, &found);
	if (err)
		return err;
	if (!found)
		return damaged(d, path, 0);
	int line = 0;
	char *key, *value;
	for (char *at = (char *)text.data; !err && kp_disk_next_line(&at, &key, &value); line++)
		err = take_property(out, key, value);
	kp_buf_deinit(&text);
	if (!err && (out->n_partitions < 1 || out->replication_factor < 1))
		err = KP_ERR_INVALID_CONFIG;
	return err && err != KP_ERR_NO_MEMORY ? damaged(d, path, line) : err;
}

int kp_disk_topic_next(kp_db_storage *s, kp_db_topic_record *out)
{
	kp_disk *d = kp_disk_of(s);
	out->name = NULL;
	if (d->next_topic == d->topics.n)
		return 0;
	const char *name = d->topics.items[d->next_topic++];
	if (kp_db_topic_name_check(kp_slice_cstr(name), NULL))
		return kp_db_storage_fault(s, "%s/topics/%.250s does not belong there: move it away", d->dir, name);
	int err = read_properties(d, name, out);
	if (!err)
		out->name = name;
	return err;
}

static int make_partitions(kp_disk *d, const char *folder, int32_t n)
{
	char path[KP_DISK_PATH_SIZE];
	int err = 0;
	for (int32_t i = 0; i < n && !err; i++) {
		snprintf(path, sizeof(path), "%.300s/%d", folder, (int)i);
		err = kp_disk_make_folder(d, path);
	}
	return err;
}

int kp_disk_topic_create(kp_db_storage *s, const kp_db_topic_record *topic)
{
	kp_disk *d = kp_disk_of(s);
	char folder[KP_DISK_PATH_SIZE];
	snprintf(folder, sizeof(folder), "topics/%s", topic->name);
	int err = kp_disk_remove_tree(d, "new");
	if (!err)
		err = kp_disk_make_folder(d, "new");
	if (!err)
		err = make_partitions(d, "new", topic->n_partitions);
	if (!err)
		err = write_properties(d, "new", topic);
	if (!err && renameat(d->fd, "new", d->fd, folder))
		err = kp_disk_error(d, "make", folder);
	if (err)
		(void)!kp_disk_remove_tree(d, "new");
	else
		kp_disk_flush_folder(d, "topics");
	return err;
}

/* Folders of more partitions than the properties tell of are empty, and used by the next attempt. */
int kp_disk_topic_grow(kp_db_storage *s, const kp_db_topic_record *topic)
{
	kp_disk *d = kp_disk_of(s);
	char folder[KP_DISK_PATH_SIZE];
	snprintf(folder, sizeof(folder), "topics/%s", topic->name);
	int err = make_partitions(d, folder, topic->n_partitions);
	return err ? err : write_properties(d, folder, topic);
}

int kp_disk_topic_delete(kp_db_storage *s, const kp_db_topic_record *topic)
{
	kp_disk *d = kp_disk_of(s);
	char folder[KP_DISK_PATH_SIZE], grave[KP_DISK_PATH_SIZE], id[ID_TEXT_SIZE];
	id_text(&topic->id, id);
	snprintf(folder, sizeof(folder), "topics/%s", topic->name);
	snprintf(grave, sizeof(grave), "deleted/%s", id);
	if (renameat(d->fd, folder, d->fd, grave))
		return kp_disk_error(d, "delete", folder);
	kp_disk_flush_folder(d, "topics");
	(void)!kp_disk_remove_tree(d, grave); /* what is left the next start removes */
	return 0;
}
