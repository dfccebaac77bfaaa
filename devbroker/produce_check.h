/*
 * produce_check.h - is what stands in a partition's `records` fit for the log? Kafka's checks in Kafka's order:
 *
 *   kp_db_peek_batch       RequestUtils.hasTransactionalRecords: a broken first batch anywhere fails the whole request
 *   kp_db_check_framing    ProduceRequest.validateRecords: one batch, of format 2
 *   kp_db_check_batch      UnifiedLog.analyzeAndValidateRecords: base offset, size, crc
 *   kp_db_check_records    LogValidator: counts, every record, timestamps
 *
 * Codes and texts are those that Apache Kafka 4.3.1 gave to the same bytes.
 */
#ifndef KP_DEVBROKER_PRODUCE_CHECK_H
#define KP_DEVBROKER_PRODUCE_CHECK_H

#include "devbroker/topic_config.h"
#include "record/batch.h"
#include "wire/msg_produce.h"
#include "base/arena.h"

typedef struct kp_db_peek {
	size_t size; /* of the first batch, 0: there is none (cut off, or no bytes) */
	bool is_transactional;
	int16_t error; /* 0, CORRUPT_MESSAGE, UNKNOWN_SERVER_ERROR */
	char text[80]; /* of the error; may be empty */
} kp_db_peek;

void kp_db_peek_batch(kp_slice records, kp_db_peek *out);

/* 0 with the batch (bytes that are too few for another header are ignored), or an error code. */
KP_MUST_USE int16_t kp_db_check_framing(kp_slice records, int16_t api_version, kp_slice *batch);
KP_MUST_USE int16_t kp_db_check_batch(kp_slice batch, int32_t max_message_bytes, kp_batch_header *header);

/* Where the records are checked, and what is wrong with them. */
typedef struct kp_db_record_check {
	const kp_db_topic_config *config;
	const char *topic; /* for texts */
	int32_t partition;
	int64_t wall_ms;
	kp_arena *arena;     /* for errors */
	kp_buf *scratch;     /* for decompressed records */
	bool is_header_only; /* the records are not looked at: nobody will ever read them */
	/* results */
	int64_t max_timestamp; /* of the records; -1: none has one */
	kp_produce_response_record_error *errors;
	int32_t n_errors;
	kp_slice text; /* null, or the message that goes with the code */
} kp_db_record_check;

/* 0, or the code to answer with; the batch has passed kp_db_check_batch. */
KP_MUST_USE int16_t kp_db_check_records(kp_db_record_check *k, kp_slice batch, const kp_batch_header *h);

#endif
