/*
 * disk_impl.h - what the disk_*.c share. Paths are relative to the folder.
 */
#ifndef KP_DEVBROKER_DISK_IMPL_H
#define KP_DEVBROKER_DISK_IMPL_H

#include "base/buf.h"
#include "base/map.h"
#include "devbroker/disk.h"

#define KP_DISK_PATH_SIZE 400 /* topics/, a name of 249, a partition, an offset, .log.NNN.damaged */
#define KP_DISK_FORMAT 1

typedef struct kp_disk_names {
	char **items; /* ascending */
	size_t n;
} kp_disk_names;

typedef struct kp_disk {
	kp_db_storage storage;
	char *dir;
	int fd, lock_fd; /* -1: not open */
	bool is_new, is_started;
	char cluster_id[KP_DB_CLUSTER_ID_SIZE];
	kp_db_reserved reserved;
	kp_disk_names topics; /* at the start */
	size_t next_topic;
	kp_map ends;                  /* of DIR/stopped: name of a log to kp_disk_end */
	kp_buf ending;                /* what DIR/stopped will be */
	kp_map notes;                 /* those that count, by key */
	size_t notes_live, notes_len; /* bytes of those, and of the file */
	size_t next_note;             /* at the start */
	size_t n_flushed;
	bool is_flush_due;                       /* more segments wait for being flushed than were flushed one by one */
	bool is_failing;                         /* the last append found no room; so it was said at failed_us */
	int64_t failed_us;                       /* of the monotonic clock */
	int failed_errno;                        /* why */
	char path_text[KP_DISK_PATH_SIZE + 256]; /* kp_db_storage_ops.segment_path */
} kp_disk;

static inline kp_disk *kp_disk_of(kp_db_storage *s)
{
	return (kp_disk *)s; /* its first member */
}

/* disk_file.c */
/* "cannot VERB DIR/path: the text of errno", as the fault of the start or, not too often, said. Returns KP_ERR_KAFKA_STORAGE_ERROR. */
int kp_disk_error(kp_disk *d, const char *verb, const char *path);
KP_MUST_USE int kp_disk_write_all(int fd, const void *bytes, size_t len); /* 0, or -1 with errno */
/* Replace a file as a whole: written beside, flushed, renamed. */
KP_MUST_USE int kp_disk_write_file(kp_disk *d, const char *path, kp_slice content);
/* The whole file, its end marked by a zero byte that is not counted. *found: false when there is none. */
KP_MUST_USE int kp_disk_read_file(kp_disk *d, const char *path, kp_buf *out, bool *found);
void kp_disk_flush_folder(const kp_disk *d, const char *path);
KP_MUST_USE int kp_disk_make_folder(kp_disk *d, const char *path); /* it may be there already */
KP_MUST_USE int kp_disk_remove_tree(kp_disk *d, const char *path); /* it may be gone already */
/* The names in a folder. KP_ERR_NO_MEMORY, the storage's error; *found: false when there is no such folder. */
KP_MUST_USE int kp_disk_list(kp_disk *d, const char *path, kp_disk_names *out, bool *found);
void kp_disk_names_free(kp_disk_names *names);
/* The next line "key=value" of a text, cut into two strings in place; false at the end. A line without '=' has no value (NULL). */
bool kp_disk_next_line(char **text, char **key, char **value);
/* A whole number from min to max. */
bool kp_disk_number(const char *text, int64_t min, int64_t max, int64_t *out);

/* disk_state.c: kproducer-broker, reserved, stopped */
KP_MUST_USE int kp_disk_version_load(kp_disk *d);
KP_MUST_USE int kp_disk_state_load(kp_disk *d); /* the version and, unless the folder is new, the rest */
KP_MUST_USE int kp_disk_version_write(kp_disk *d);
void kp_disk_ends_free(kp_disk *d);
bool kp_disk_log_was(kp_db_storage *s, const kp_db_log_name *log, kp_db_log_end *out);
int kp_disk_reserve(kp_db_storage *s, const kp_db_reserved *below);
void kp_disk_log_end(kp_db_storage *s, const kp_db_log_name *log, const kp_db_log_end *end);
KP_MUST_USE int kp_disk_ends_write(kp_disk *d);
KP_MUST_USE int kp_disk_ends_remove(kp_disk *d);

/* disk_notes.c */
KP_MUST_USE int kp_disk_notes_load(kp_disk *d);
KP_MUST_USE int kp_disk_notes_begin(kp_disk *d); /* from here on notes may be added */
void kp_disk_notes_free(kp_disk *d);
int kp_disk_note_next(kp_db_storage *s, kp_slice *key, kp_slice *value);
int kp_disk_note(kp_db_storage *s, kp_slice key, kp_slice value);

/* disk_topic.c */
int kp_disk_topic_next(kp_db_storage *s, kp_db_topic_record *out);
int kp_disk_topic_create(kp_db_storage *s, const kp_db_topic_record *topic);
int kp_disk_topic_grow(kp_db_storage *s, const kp_db_topic_record *topic);
int kp_disk_topic_delete(kp_db_storage *s, const kp_db_topic_record *topic);

/* disk_load.c */
int kp_disk_partition_load(kp_db_storage *s, const kp_db_log_name *log, kp_db_segment ***segments, size_t *n);
int kp_disk_segment_set_aside(kp_db_storage *s, kp_db_segment *seg, size_t pos);

/* disk_segment.c */
typedef struct kp_disk_segment {
	kp_db_segment segment;
	kp_db_log_name log;
	size_t mapped;   /* bytes; 0: data is NULL */
	bool is_flushed; /* an end in order has left it, and it was not written to since */
} kp_disk_segment;

static inline kp_disk_segment *kp_disk_segment_of(kp_db_segment *seg)
{
	return (kp_disk_segment *)seg; /* its first member */
}

void kp_disk_segment_name(char out[KP_DISK_PATH_SIZE], const kp_db_log_name *log, int64_t base_offset);
/* A segment that is there, mapped. */
KP_MUST_USE int kp_disk_segment_open(kp_disk *d, const kp_db_log_name *log, int64_t base_offset, kp_db_segment **out);
int kp_disk_segment_new(kp_db_storage *s, const kp_db_log_name *log, int64_t base_offset, kp_db_room room, kp_db_segment **out);
int kp_disk_segment_grow(kp_db_storage *s, kp_db_segment *seg, kp_db_room room);
int kp_disk_segment_cut(kp_db_storage *s, kp_db_segment *seg, size_t len);
void kp_disk_segment_close(kp_db_storage *s, kp_db_segment *seg, size_t len);
void kp_disk_segment_free(kp_db_storage *s, kp_db_segment *seg, size_t len, kp_db_segment_end end);
int kp_disk_log_emptied(kp_db_storage *s, const kp_db_log_name *log, int64_t end_offset);
const char *kp_disk_segment_path(kp_db_storage *s, const kp_db_segment *seg);

#endif
