/*
 * log_impl.h - what log.c and log_chunk.c share.
 */
#ifndef KP_DEVBROKER_LOG_IMPL_H
#define KP_DEVBROKER_LOG_IMPL_H

#include "devbroker/log.h"

#define KP_DB_CHUNK_MIN ((size_t)8 << 10)
#define KP_DB_CHUNK_MAX ((size_t)1 << 20)

typedef struct kp_db_mark {
	int64_t offset; /* base offset of the batch at pos */
	size_t pos;
} kp_db_mark;

typedef struct kp_db_chunk {
	kp_list by_age; /* in the pool */
	kp_db_log *log;
	kp_db_segment *segment; /* NULL: in memory */
	int64_t base_offset;
	uint8_t *data; /* in memory: behind the marks, in the same allocation */
	size_t len, cap;
	size_t dated;          /* how far the newest time has been looked for */
	int64_t max_timestamp; /* of the batches up to there */
	kp_db_mark *marks;
	size_t n_marks, cap_marks;
	kp_db_mark own_marks[]; /* in memory */
} kp_db_chunk;

/* What a chunk that a storage keeps grows to. */
size_t kp_db_chunk_bytes_max(const kp_db_log *log);
/* A new, empty chunk at the log's end with room for a batch of `need` bytes. 0 or an error, with the log unchanged. */
KP_MUST_USE int kp_db_chunk_add(kp_db_log *log, size_t need);
/* Make room for `need` more bytes in a chunk that a storage keeps. */
KP_MUST_USE int kp_db_chunk_grow(kp_db_log *log, kp_db_chunk *c, size_t need);
/* A chunk over a segment that was found; it holds nothing yet. Takes the segment on success. */
KP_MUST_USE int kp_db_chunk_adopt(kp_db_log *log, kp_db_segment *seg);
/* Room for one more mark, so that noting it cannot fail. */
KP_MUST_USE int kp_db_chunk_reserve_mark(kp_db_log *log, kp_db_chunk *c);
/* A batch of `size` bytes stands at the chunk's end. The mark must be reserved. */
void kp_db_chunk_note(kp_db_log *log, kp_db_chunk *c, int64_t offset, size_t size);
/* How an empty segment at the log's end goes: the only one stays, since its name says where the log goes on. */
kp_db_segment_end kp_db_chunk_leaves(const kp_db_log *log);
/* It has left the log's array. */
void kp_db_chunk_free(kp_db_log *log, kp_db_chunk *c, kp_db_segment_end end);

#endif
