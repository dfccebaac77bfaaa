/*
 * log.h - a partition's log in memory: whole batches, back to back, in chunks; and the memory that all logs share.
 *
 *   log:   [chunk offsets 0..99][chunk 100..250][chunk 251..   ]      a batch never crosses a chunk, so it is one slice
 *                                   │ every 4 KiB: {offset, position}
 *   pool:  every chunk of every log by age; past `bytes_max` the oldest goes, whose ever it is
 *
 * Chunks of a log double from 8 KiB to 1 MiB, so ten thousand quiet partitions cost little. One freed chunk of full size is kept: a broker
 * at its bound turns over memory that the kernel has already mapped.
 */
#ifndef KP_DEVBROKER_LOG_H
#define KP_DEVBROKER_LOG_H

#include "base/compiler.h"
#include "base/list.h"
#include "base/slice.h"
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
	size_t next_chunk;                /* capacity of the next chunk */
} kp_db_log;

void kp_db_log_pool_init(kp_db_log_pool *pool, size_t bytes_max);
void kp_db_log_pool_deinit(kp_db_log_pool *pool); /* after the deinit of every log */

void kp_db_log_init(kp_db_log *log, kp_db_log_pool *pool);
void kp_db_log_deinit(kp_db_log *log);

/*
 * Append one whole, checked batch of n_records offsets; base offset and leader epoch are written into the copy (they stand outside the
 * crc), which is at *stored until the log changes. 0 or KP_ERR_NO_MEMORY. Old batches, also of other logs, may be dropped.
 */
KP_MUST_USE int kp_db_log_append(kp_db_log *log, kp_slice batch, int32_t n_records, int32_t leader_epoch, uint8_t **stored);

/* n_records offsets are given away and nothing is kept: the log, which must be empty, starts where it ends. */
void kp_db_log_skip(kp_db_log *log, int32_t n_records);

/*
 * Batches from the one that contains `offset` on, in one piece: at most max_bytes, but at least one batch when at_least_one; none that
 * begins at or behind `limit`. The last one may be cut, as in Kafka, but not the first. Empty when there is nothing.
 */
kp_slice kp_db_log_read(const kp_db_log *log, int64_t offset, int64_t limit, size_t max_bytes, bool at_least_one);

/* The batch that contains *offset, which moves behind it. False at the end. An offset below the start counts as the start. */
bool kp_db_log_next(const kp_db_log *log, int64_t *offset, kp_slice *batch);

/* Drop every batch that ends behind `end_offset`. */
void kp_db_log_truncate(kp_db_log *log, int64_t end_offset);

/* First offset behind a stored batch, and its whole size. */
int64_t kp_db_batch_end(const uint8_t *batch);
size_t kp_db_batch_size(const uint8_t *batch);

#endif
