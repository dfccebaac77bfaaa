/*
 * batch.h - the 61 bytes in front of a RecordBatch v2, its checksum, and checking a batch that came from elsewhere.
 *
 *   0 baseOffset 8 | 8 batchLength 4 | 12 partitionLeaderEpoch 4 | 16 magic 1 | 17 crc 4 | 21 attributes 2 |
 *   23 lastOffsetDelta 4 | 27 baseTimestamp 8 | 35 maxTimestamp 8 | 43 producerId 8 | 51 producerEpoch 2 |
 *   53 baseSequence 4 | 57 count 4 | 61 records (compressed as a whole when attributes say so)
 *
 * The crc covers everything from `attributes` on. So the records' part is summed once, when the batch is closed, and the
 * header's 40 bytes are combined with it whenever the stamp (producer id, epoch, sequence) changes.
 */
#ifndef KP_RECORD_BATCH_H
#define KP_RECORD_BATCH_H

#include "base/buf.h"
#include "base/compiler.h"
#include "base/slice.h"
#include "record/codec.h"
#include "record/record.h"

#define KP_BATCH_HEADER_SIZE 61
#define KP_BATCH_CRC_START 21 /* the crc covers from here */

#define KP_BATCH_CODEC_MASK 0x07
#define KP_BATCH_LOG_APPEND_TIME 0x08
#define KP_BATCH_TRANSACTIONAL 0x10
#define KP_BATCH_CONTROL 0x20

typedef struct kp_batch_header {
	int64_t base_offset;
	int32_t batch_length; /* bytes behind this field: whole size - 12 */
	int32_t partition_leader_epoch;
	int8_t magic; /* 2 */
	uint32_t crc;
	int16_t attributes;
	int32_t last_offset_delta;
	int64_t base_timestamp, max_timestamp; /* ms */
	int64_t producer_id;                   /* -1: not idempotent */
	int16_t producer_epoch;
	int32_t base_sequence;
	int32_t n_records;
} kp_batch_header;

/* Store all 61 bytes, with h->crc as it stands. */
void kp_batch_header_store(uint8_t *dst, const kp_batch_header *h);
/* 0, or KP_ERR_PROTOCOL when fewer than 61 bytes are there. Checks nothing else. */
KP_MUST_USE int kp_batch_header_load(kp_slice bytes, kp_batch_header *out);
/* The crc of a batch whose stored header is at `header` and whose records part (as sent) has crc records_crc and records_len bytes. */
uint32_t kp_batch_crc(const uint8_t *header, uint32_t records_crc, size_t records_len);
/* Write the stamp and the crc into a stored header. */
void kp_batch_stamp(uint8_t *header, int64_t producer_id, int16_t epoch, int32_t base_sequence, uint32_t records_crc,
                    size_t records_len);

/* What kp_batch_check looked at and found. */
typedef enum kp_batch_verdict {
	KP_BATCH_OK = 0,
	KP_BATCH_CUT,        /* fewer bytes than batch_length says */
	KP_BATCH_BAD_MAGIC,  /* not format 2 */
	KP_BATCH_BAD_LENGTH, /* batch_length below the header's size, or bytes behind the last record */
	KP_BATCH_BAD_CRC,
	KP_BATCH_BAD_CODEC,  /* unknown codec number, or the records part does not decompress */
	KP_BATCH_BAD_COUNT,  /* count, lastOffsetDelta, offset deltas disagree, or count < 1 */
	KP_BATCH_BAD_RECORD, /* a record is cut off or contradicts itself */
	KP_BATCH_NO_MEMORY   /* not the batch's fault: it could not be decompressed here and now */
} kp_batch_verdict;

/*
 * Check the batch at the start of `bytes` (more may follow; *size is its whole size when that is known, otherwise 0). `deep`
 * also decompresses (at most max_raw bytes) and walks every record. The rules are those for what a producer sends: a
 * compacted batch with gaps is KP_BATCH_BAD_COUNT. *header is written once format 2's bytes are all there, so not with
 * KP_BATCH_CUT, KP_BATCH_BAD_MAGIC, and KP_BATCH_BAD_LENGTH of the header itself. Any thread; allocates only when deep.
 */
kp_batch_verdict kp_batch_check(kp_slice bytes, bool deep, size_t max_raw, kp_batch_header *header, size_t *size);

/*
 * The raw (decompressed) records of a batch: a view into the batch, or into `scratch` (cleared first, bounded by its max) when
 * it was compressed. Does not look at the crc. 0, KP_ERR_PROTOCOL (no whole batch), KP_ERR_COMPRESSION, KP_ERR_NO_MEMORY.
 */
KP_MUST_USE int kp_batch_records(kp_slice batch, kp_buf *scratch, kp_slice *records);

#endif
