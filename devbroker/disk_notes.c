/*
 * disk_notes.c - notes: small values by key, the last one counts, an empty one takes it away. A file that is appended to, and written anew when most of it is old.
 *
 *   length 4 | crc32c 4 | key length 2 | key | value         length: of what is behind the crc; crc: of the same
 *
 * A note is written in one piece before it counts. One that is cut off at the end was never acknowledged; any other bad one is damage.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/mem.h"
#include "devbroker/disk_impl.h"
#include "kproducer/error.h"

#define NOTES_FILE "notes"
#define HEAD 8
#define OLD_MAX ((size_t)1 << 20) /* bytes of old notes, beyond as many as there are of new ones */

typedef struct note {
	size_t key_len, value_len;
	uint8_t bytes[];
} note;

static kp_slice note_key(const note *n)
{
	return kp_slice_of(n->bytes, n->key_len);
}

static kp_slice note_value(const note *n)
{
	return kp_slice_of(n->bytes + n->key_len, n->value_len);
}

static size_t stored_size(const note *n)
{
	return HEAD + 2 + n->key_len + n->value_len;
}

static note *note_new(kp_slice key, kp_slice value)
{
	note *n = kp_mem_alloc(sizeof(*n) + key.len + value.len);
	if (!n)
		return NULL;
	n->key_len = key.len;
	n->value_len = value.len;
	memcpy(n->bytes, key.ptr, key.len);
	if (value.len)
		memcpy(n->bytes + key.len, value.ptr, value.len);
	return n;
}

static void append_note(kp_buf *b, const note *n)
{
	uint8_t head[HEAD + 2];
	size_t at = b->len;
	kp_store_be32(head, (uint32_t)(stored_size(n) - HEAD));
	kp_store_be16(head + HEAD, (uint16_t)n->key_len);
	kp_buf_append(b, head, sizeof(head));
	kp_buf_append(b, n->bytes, n->key_len + n->value_len);
	if (!b->failed)
		kp_store_be32(b->data + at + 4, kp_crc32c(b->data + at + HEAD, stored_size(n) - HEAD));
}

/* It counts from now on; an empty one takes the earlier one away. Takes the note. */
static int put(kp_disk *d, note *n)
{
	note *old = kp_map_remove(&d->notes, note_key(n));
	if (n->value_len == 0) {
		d->notes_live -= old ? stored_size(old) : 0;
		kp_mem_free(old);
		kp_mem_free(n);
		return 0;
	}
	if (kp_map_put(&d->notes, note_key(n), n)) { /* not so when there was an old one: its place is free */
		kp_mem_free(n);
		return KP_ERR_NO_MEMORY;
	}
	d->notes_live += stored_size(n) - (old ? stored_size(old) : 0);
	kp_mem_free(old);
	return 0;
}

/* Does a whole note begin here? *len: of what is behind the crc, as the bytes say. */
static bool is_whole(kp_slice bytes, size_t *len)
{
	if (bytes.len < HEAD + 2)
		return false;
	*len = kp_load_be32(bytes.ptr);
	return *len <= bytes.len - HEAD && *len >= 2 + (size_t)kp_load_be16(bytes.ptr + HEAD) &&
	       kp_crc32c(bytes.ptr + HEAD, *len) == kp_load_be32(bytes.ptr + 4);
}

/* Behind a note that is cut off there is none: a damaged length only looks like it. */
static bool finds_note(kp_slice bytes)
{
	size_t len;
	for (size_t i = 1; i < bytes.len; i++)
		if (is_whole(kp_slice_of(bytes.ptr + i, bytes.len - i), &len))
			return true;
	return false;
}

/* The next note of the file's bytes. *size 0: it is cut off, or there is none. */
static int take(kp_disk *d, kp_slice bytes, size_t *size)
{
	size_t len = 0;
	*size = 0;
	if (!is_whole(bytes, &len)) {
		bool is_cut_off = bytes.len < HEAD + 2 || len > bytes.len - HEAD;
		return is_cut_off && !finds_note(bytes) ? 0 : KP_ERR_KAFKA_STORAGE_ERROR;
	}
	size_t key_len = kp_load_be16(bytes.ptr + HEAD);
	const uint8_t *key = bytes.ptr + HEAD + 2;
	note *n = note_new(kp_slice_of(key, key_len), kp_slice_of(key + key_len, len - 2 - key_len));
	*size = HEAD + len;
	return n ? put(d, n) : KP_ERR_NO_MEMORY;
}

static int damaged(kp_disk *d, size_t pos)
{
	if (d->storage.is_repairing) {
		kp_db_storage_say(&d->storage, "%s/" NOTES_FILE ": repaired: what was behind byte %zu is dropped", d->dir, pos);
		return 0;
	}
	return kp_db_storage_fault(&d->storage,
	                           "%s/" NOTES_FILE
	                           " is damaged at byte %zu: bring it back from a copy, or start once with --repair, which "
	                           "drops what is behind: transactional ids get new producer ids then",
	                           d->dir, pos);
}

/* All that count, written anew. */
static int rewrite(kp_disk *d)
{
	kp_buf b;
	size_t it = 0;
	kp_buf_init(&b, 0);
	for (const note *n; (n = kp_map_next(&d->notes, &it));)
		append_note(&b, n);
	int err = b.failed ? KP_ERR_NO_MEMORY : kp_disk_write_file(d, NOTES_FILE, kp_buf_slice(&b));
	if (!err)
		d->notes_len = b.len;
	kp_buf_deinit(&b);
	return err;
}

int kp_disk_notes_load(kp_disk *d)
{
	kp_buf file;
	bool found;
	int err = kp_disk_read_file(d, NOTES_FILE, &file, &found);
	if (err || !found)
		return err;
	size_t pos = 0, size = 1;
	while (!err && size && pos < file.len) {
		err = take(d, kp_slice_of(file.data + pos, file.len - pos), &size);
		pos += err ? 0 : size;
	}
	if (err == KP_ERR_KAFKA_STORAGE_ERROR)
		err = damaged(d, pos);
	kp_buf_deinit(&file);
	return err;
}

int kp_disk_notes_begin(kp_disk *d)
{
	return d->notes.n || !d->is_new ? rewrite(d) : 0;
}

int kp_disk_note_next(kp_db_storage *s, kp_slice *key, kp_slice *value)
{
	kp_disk *d = kp_disk_of(s);
	const note *n = kp_map_next(&d->notes, &d->next_note);
	*key = n ? note_key(n) : kp_slice_null();
	*value = n ? note_value(n) : kp_slice_null();
	return 0;
}

/* Behind what is there; a piece that was written when it failed is cut off again. */
static int append(kp_disk *d, kp_slice bytes)
{
	int fd = openat(d->fd, NOTES_FILE, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		return kp_disk_error(d, "write", NOTES_FILE);
	bool is_written = lseek(fd, (off_t)d->notes_len, SEEK_SET) >= 0 && !kp_disk_write_all(fd, bytes.ptr, bytes.len);
	int error = errno;
	if (!is_written && ftruncate(fd, (off_t)d->notes_len))
		error = errno;
	close(fd);
	errno = error;
	if (!is_written)
		return kp_disk_error(d, "write", NOTES_FILE);
	d->notes_len += bytes.len;
	return 0;
}

int kp_disk_note(kp_db_storage *s, kp_slice key, kp_slice value)
{
	kp_disk *d = kp_disk_of(s);
	kp_buf b;
	note *n = note_new(key, value);
	if (!n)
		return KP_ERR_NO_MEMORY;
	kp_buf_init(&b, 0);
	append_note(&b, n);
	int err = b.failed ? KP_ERR_NO_MEMORY : append(d, kp_buf_slice(&b));
	kp_buf_deinit(&b);
	if (err) {
		kp_mem_free(n);
		return err;
	}
	err = put(d, n);
	if (!err && d->notes_len > 2 * d->notes_live + OLD_MAX)
		(void)!rewrite(d); /* the old file holds the same */
	return err;
}

void kp_disk_notes_free(kp_disk *d)
{
	size_t it = 0;
	for (void *n; (n = kp_map_next(&d->notes, &it));)
		kp_mem_free(n);
	kp_map_deinit(&d->notes);
}
