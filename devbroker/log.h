/*
 * log.h - a partition's log: whole batches, back to back, in chunks of memory or of a storage; and the memory that all logs share.
 *
 *   log:   [chunk offsets 0..99][chunk 100..250][chunk 251..   ]      a batch never crosses a chunk, so it is one slice
 *                                   │ every 4 KiB: {offset, position}
 *   pool:  every chunk of every log by age; past `bytes_max` the oldest goes, whose ever it is
 *
 * Chunks of a log double from 8 KiB to 1 MiB, so ten thousand quiet partitions cost little. One freed chunk of full size is kept: a broker
 * at its bound turns over memory that the kernel has already mapped.
 *
 * With a storage a chunk is a segment of it, which doubles in place up to segment_max. The pool then bounds nothing: what is kept is up to
 * the topic's retention.
 */
#ifndef KP_DEVBROKER_LOG_H
#define KP_DEVBROKER_LOG_H

#include "base/compiler.h"
#include "base/list.h"
#include "base/slice.h"
#include "devbroker/storage.h"
#include "record/batch.h"

typedef struct kp_db_log_pool {
	kp_list by_age;
	size_t bytes, bytes_max; /* allocated for chunks, the spare one included */
	struct kp_db_chunk *spare;
	uint64_t n_dropped_bytes; /* of batches, since the start */
} kp_db_log_pool;

typedef struct kp_db_log {
	kp_db_log_pool *pool;
	struct kp_db_chunk **chunks; /* ascending, none empty */
	size_t n_chunks, cap_chunks;
	int64_t start_offset, end_offset; /* of the first record kept, of the next record */
	size_t bytes;                     /* of the batches kept */
	size_t next_chunk;                /* capacity of the next chunk, in memory */
	/* A chunk is not to grow past these, so that retention, which drops whole ones, is not too coarse. */
	size_t chunk_bytes_max;
	int64_t chunk_ms_max;
	kp_db_storage *storage; /* NULL: in memory */
	kp_db_log_name name;
} kp_db_log;

/* The first chunk, what retention looks at. */
typedef struct kp_db_log_head {
	size_t bytes;
	int64_t end_offset;    /* behind it */
	int64_t max_timestamp; /* of its batches, ms */
} kp_db_log_head;

void kp_db_log_pool_init(kp_db_log_pool *pool, size_t bytes_max);
void kp_db_log_pool_deinit(kp_db_log_pool *pool); /* after the deinit of every log */

void kp_db_log_init(kp_db_log *log, kp_db_log_pool *pool);
/* Right after the init: its chunks are segments of the storage. */
void kp_db_log_keep_in(kp_db_log *log, kp_db_storage *storage, const kp_db_log_name *name);
void kp_db_log_deinit(kp_db_log *log); /* what a storage keeps stays there */
void kp_db_log_forget(kp_db_log *log); /* everything goes, and the storage has removed it already */

/*
 * Append one whole, checked batch of n_records offsets; base offset and leader epoch are written into the copy (they stand outside the
 * crc), which is at *stored until the log changes. 0, KP_ERR_NO_MEMORY, or the storage's error. Old batches, also of other logs, may be
 * dropped.
 */
KP_MUST_USE int kp_db_log_append(kp_db_log *log, kp_slice batch, int32_t n_records, int32_t leader_epoch, uint8_t **stored);

/* n_records offsets are given away and nothing is kept: the log, which must be empty, starts where it ends. */
void kp_db_log_skip(kp_db_log *log, int32_t n_records);

/*
 * Batches from the one that contains `offset` on, in one piece: at most max_bytes, but at least one batch when at_least_one; none that
 * begins at or behind `limit`. The last one may be cut, as in Kafka, but not the first. Empty when there is nothing.
 */
kp_slice kp_db_log_read(const kp_db_log *log, int64_t offset, int64_t limit, size_t max_bytes, bool at_least_one);

/* Where a read of `size` bytes from `offset` on ends, at the latest; the log must hold the offset. */
int64_t kp_db_log_read_end(const kp_db_log *log, int64_t offset, size_t size);

/* The batch that contains *offset, which moves behind it. False at the end. An offset below the start counts as the start. */
bool kp_db_log_next(const kp_db_log *log, int64_t *offset, kp_slice *batch);

/* Drop every batch that ends behind `end_offset`. */
void kp_db_log_truncate(kp_db_log *log, int64_t end_offset);

/* False: there is no chunk. Cheap: a batch is looked at once. */
bool kp_db_log_first(kp_db_log *log, kp_db_log_head *out);
/* Drop the first chunk, which there must be. 0 or the storage's error, with nothing dropped. */
KP_MUST_USE int kp_db_log_drop_first(kp_db_log *log);
void kp_db_log_drop_oldest(kp_db_log_pool *pool); /* of all logs; there must be one */

/*
 * A log that a storage has kept, put together again: its next segment (taken on success), then the size of each batch in it, which was
 * checked. A segment must not stay without a batch.
 */
KP_MUST_USE int kp_db_log_found_segment(kp_db_log *log, kp_db_segment *seg);
KP_MUST_USE int kp_db_log_found_batch(kp_db_log *log, size_t size);
void kp_db_log_found_end(kp_db_log *log); /* of the segment, which may have been cut there */

/* First offset behind a stored batch, and its whole size. */
int64_t kp_db_batch_end(const uint8_t *batch);
size_t kp_db_batch_size(const uint8_t *batch);

#endif
