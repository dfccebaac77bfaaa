/*
 * produce_check.c - see produce_check.h.
 */
#include "devbroker/produce_check.h"

#include <stdio.h>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "kproducer/error.h"
#include "record/record.h"

#define LOG_OVERHEAD 12        /* Records.LOG_OVERHEAD: base offset and length */
#define HEADER_UP_TO_MAGIC 17  /* Records.HEADER_SIZE_UP_TO_MAGIC */
#define MIN_RECORD_OVERHEAD 14 /* LegacyRecord.RECORD_OVERHEAD_V0 */

/* ByteBufferLogInputStream.nextBatchSize and nextBatch. */
void kp_db_peek_batch(kp_slice r, kp_db_peek *out)
{
	*out = (kp_db_peek){0};
	if (!r.ptr || r.len < LOG_OVERHEAD)
		return;
	int32_t length = (int32_t)kp_load_be32(r.ptr + 8);
	if (length < MIN_RECORD_OVERHEAD) {
		out->error = KP_ERR_CORRUPT_MESSAGE;
		snprintf(out->text, sizeof(out->text), "Record size %d is less than the minimum record overhead (14)", (int)length);
		return;
	}
	if (r.len < HEADER_UP_TO_MAGIC)
		return;
	int8_t magic = (int8_t)r.ptr[16];
	if (magic < 0 || magic > 2) {
		out->error = KP_ERR_CORRUPT_MESSAGE;
		snprintf(out->text, sizeof(out->text), "Invalid magic found in record: %d", magic);
		return;
	}
	if (length > INT32_MAX - LOG_OVERHEAD) { /* the sum overflows in Kafka, which then knows no better */
		out->error = KP_ERR_UNKNOWN_SERVER_ERROR;
		return;
	}
	size_t size = LOG_OVERHEAD + (size_t)length;
	if (r.len < size)
		return;
	out->size = size;
	out->is_transactional = magic == 2 && kp_load_be16(r.ptr + KP_BATCH_CRC_START) & KP_BATCH_TRANSACTIONAL;
}

int16_t kp_db_check_framing(kp_slice records, int16_t api_version, kp_slice *batch)
{
	kp_db_peek first, second;
	kp_db_peek_batch(records, &first);
	if (first.error)
		return first.error;
	if (first.size == 0 || records.ptr[16] != 2)
		return KP_ERR_INVALID_RECORD;
	if (api_version < 7) { /* KIP-110: zstd came with version 7 */
		int codec = kp_load_be16(records.ptr + KP_BATCH_CRC_START) & KP_BATCH_CODEC_MASK;
		if (codec == KP_CODEC_ZSTD)
			return KP_ERR_UNSUPPORTED_COMPRESSION_TYPE;
		if (codec > KP_CODEC_ZSTD)
			return KP_ERR_UNKNOWN_SERVER_ERROR;
	}
	kp_db_peek_batch(kp_slice_of(records.ptr + first.size, records.len - first.size), &second);
	if (second.error)
		return second.error;
	if (second.size)
		return KP_ERR_INVALID_RECORD;
	*batch = kp_slice_of(records.ptr, first.size);
	return 0;
}

int16_t kp_db_check_batch(kp_slice batch, int32_t max_message_bytes, kp_batch_header *h)
{
	if ((int64_t)kp_load_be64(batch.ptr) != 0)
		return KP_ERR_INVALID_RECORD;
	if (batch.len > (size_t)max_message_bytes)
		return KP_ERR_MESSAGE_TOO_LARGE;
	if (kp_batch_header_load(batch, h))
		return KP_ERR_CORRUPT_MESSAGE;
	if (kp_crc32c(batch.ptr + KP_BATCH_CRC_START, batch.len - KP_BATCH_CRC_START) != h->crc)
		return KP_ERR_CORRUPT_MESSAGE;
	if ((h->attributes & KP_BATCH_CODEC_MASK) > KP_CODEC_ZSTD)
		return KP_ERR_UNKNOWN_SERVER_ERROR;
	return 0;
}

/* LogValidator.validateBatch, for an append by a client. */
static int16_t check_header(const kp_batch_header *h)
{
	if (h->last_offset_delta < 0 || h->n_records <= 0 || h->last_offset_delta != h->n_records - 1)
		return KP_ERR_INVALID_RECORD;
	if (h->attributes & KP_BATCH_CONTROL)
		return KP_ERR_INVALID_RECORD;
	if (h->producer_id >= 0 && h->base_sequence < 0)
		return KP_ERR_INVALID_RECORD;
	return 0;
}

static void note_error(kp_db_record_check *k, int32_t index, const char *text)
{
	size_t len = strlen(text);
	if (k->errors) {
		uint8_t *copy = kp_arena_alloc(k->arena, len);
		if (copy)
			memcpy(copy, text, len);
		k->errors[k->n_errors] = (kp_produce_response_record_error){index, kp_slice_of(copy, copy ? len : 0)};
	}
	k->n_errors++;
}

/* LogValidator.validateTimestamp. False when it is refused. */
static bool timestamp_is_fine(kp_db_record_check *k, const kp_batch_header *h, const kp_record_view *r, int32_t index,
                              int64_t timestamp)
{
	char text[240];
	if (k->config->is_log_append_time) {
		bool is_compressed = (h->attributes & KP_BATCH_CODEC_MASK) != KP_CODEC_NONE;
		ptrdiff_t null_size = is_compressed ? -1 : 0; /* the two print it differently */
		if (!(h->attributes & KP_BATCH_LOG_APPEND_TIME))
			return true;
		snprintf(text, sizeof(text),
		         "Invalid timestamp type in message %s(offset=%d, timestamp=%lld, key=%td bytes, value=%td bytes). "
		         "Producer should not set timestamp type to LogAppendTime.",
		         is_compressed ? "PartialDefaultRecord" : "DefaultRecord", (int)r->offset_delta, (long long)timestamp,
		         r->key.ptr ? (ptrdiff_t)r->key.len : null_size, r->value.ptr ? (ptrdiff_t)r->value.len : null_size);
		note_error(k, index, text);
		return false;
	}
	uint64_t before = (uint64_t)k->config->timestamp_before_max_ms, after = (uint64_t)k->config->timestamp_after_max_ms;
	/* distances in unsigned arithmetic: no timestamp of a stranger's can overflow them */
	bool is_past = timestamp < k->wall_ms && (uint64_t)k->wall_ms - (uint64_t)timestamp > before;
	bool is_future = timestamp > k->wall_ms && (uint64_t)timestamp - (uint64_t)k->wall_ms > after;
	if (timestamp == -1 || (!is_past && !is_future))
		return true;
	snprintf(text, sizeof(text),
	         "Timestamp %lld of message with offset %d is out of range. The timestamp should be within [%lld, %lld]",
	         (long long)timestamp, (int)r->offset_delta, (long long)((uint64_t)k->wall_ms - before),
	         (long long)((uint64_t)k->wall_ms + after));
	note_error(k, index, text);
	return false;
}

/* A varint of at most three bytes, which the caller has seen to be there; NULL when it is longer. */
static inline const uint8_t *short_varint(const uint8_t *p, int64_t *v)
{
	uint32_t u = p[0] & 0x7fu;
	if (p[0] & 0x80) {
		u |= (p[1] & 0x7fu) << 7;
		if (p[1] & 0x80) {
			if (p[2] & 0x80)
				return NULL;
			u |= (uint32_t)p[2] << 14;
			p++;
		}
		p++;
	}
	*v = kp_unzigzag(u);
	return p + 1;
}

/*
 * A record as most are: short varints, no headers. Returns the byte behind it, or NULL: then kp_record_load has the last word. This
 * walk is what Produce spends its time on; nearly half of it is saved here.
 */
static inline const uint8_t *usual_record(const uint8_t *p, const uint8_t *end, kp_record_view *r)
{
	int64_t length, timestamp, offset, key, value;
	if (end - p < 32) /* all varints in front of the key fit in */
		return NULL;
	p = short_varint(p, &length);
	if (!p || length < 6 || length > end - p)
		return NULL;
	const uint8_t *stop = p + length;
	p = short_varint(p + 1, &timestamp);
	p = p ? short_varint(p, &offset) : NULL;
	p = p ? short_varint(p, &key) : NULL;
	if (!p || key < -1 || key > stop - p - 2)
		return NULL;
	r->key = key < 0 ? kp_slice_null() : kp_slice_of(p, (size_t)key);
	p += key < 0 ? 0 : key;
	if (end - p < 4)
		return NULL;
	p = short_varint(p, &value);
	if (!p || value < -1 || (value < 0 ? 0 : value) != stop - p - 1 || stop[-1] != 0)
		return NULL;
	r->value = value < 0 ? kp_slice_null() : kp_slice_of(p, (size_t)value);
	r->timestamp_delta = timestamp;
	r->offset_delta = (int32_t)offset;
	return stop;
}

typedef struct kp_db_walk {
	bool is_compressed;
	bool has_bad_time; /* some timestamp was refused */
} kp_db_walk;

/* Every record of the batch. 0: all can be read; what is wrong with single ones is counted, and noted when k->errors is there. */
static int16_t walk_records(kp_db_record_check *k, const kp_batch_header *h, kp_slice raw, kp_db_walk *w)
{
	const uint8_t *p = raw.ptr, *end = raw.ptr + raw.len;
	bool needs_key = k->config->is_compacted;
	k->n_errors = 0;
	k->max_timestamp = -1;
	for (int32_t i = 0; i < h->n_records; i++) {
		kp_record_view r;
		const uint8_t *next = usual_record(p, end, &r);
		if (next)
			p = next;
		else if (kp_record_load(&p, end, &r))
			return KP_ERR_INVALID_RECORD;
		if (w->is_compressed && r.offset_delta != i)
			return KP_ERR_UNKNOWN_SERVER_ERROR;
		int64_t timestamp = (int64_t)((uint64_t)h->base_timestamp + (uint64_t)r.timestamp_delta);
		if (h->attributes & KP_BATCH_LOG_APPEND_TIME)
			timestamp = h->max_timestamp;
		if (timestamp > k->max_timestamp)
			k->max_timestamp = timestamp;
		if (needs_key && !r.key.ptr) {
			char text[320];
			snprintf(text, sizeof(text), "Compacted topic cannot accept message without key in topic partition %s-%d",
			         k->topic, (int)k->partition);
			note_error(k, i, text);
		} else if (!timestamp_is_fine(k, h, &r, i, timestamp)) {
			w->has_bad_time = true;
		}
	}
	return p == end ? 0 : KP_ERR_INVALID_RECORD;
}

/* LogValidator.processRecordErrors' message. */
static void describe_errors(kp_db_record_check *k, bool has_bad_time)
{
	kp_buf b;
	kp_buf_init(&b, 4096);
	if (has_bad_time) {
		kp_buf_printf(&b, "One or more records have been rejected due to invalid timestamp");
	} else {
		kp_buf_printf(&b,
		              "One or more records have been rejected due to %d record errors in total, "
		              "and only showing the first three errors at most: [",
		              (int)k->n_errors);
		for (int32_t i = 0; i < k->n_errors && i < 3; i++) {
			kp_slice m = k->errors[i].batch_index_error_message;
			kp_buf_printf(&b, "%sRecordError(batchIndex=%d, message='%.*s')", i ? ", " : "",
			              (int)k->errors[i].batch_index, (int)m.len, (const char *)m.ptr);
		}
		kp_buf_printf(&b, "]");
	}
	uint8_t *copy = b.len ? kp_arena_alloc(k->arena, b.len) : NULL;
	if (copy)
		memcpy(copy, b.data, b.len);
	k->text = kp_slice_of(copy, b.len);
	kp_buf_deinit(&b);
}

int16_t kp_db_check_records(kp_db_record_check *k, kp_slice batch, const kp_batch_header *h)
{
	kp_slice raw = kp_slice_of(batch.ptr + KP_BATCH_HEADER_SIZE, batch.len - KP_BATCH_HEADER_SIZE);
	kp_db_walk w = {.is_compressed = (h->attributes & KP_BATCH_CODEC_MASK) != KP_CODEC_NONE};
	int16_t code = check_header(h);
	if (code)
		return code;
	if (k->is_header_only) {
		k->max_timestamp = h->max_timestamp;
		return 0;
	}
	if (w.is_compressed) {
		if ((h->attributes & KP_BATCH_CODEC_MASK) == KP_CODEC_ZSTD && raw.len == 0)
			return KP_ERR_INVALID_RECORD; /* nothing is a whole zstd stream, of no records */
		kp_buf_clear(k->scratch);
		if (kp_batch_records(batch, k->scratch, &raw))
			return KP_ERR_UNKNOWN_SERVER_ERROR; /* Kafka: KafkaException, which has no code of its own */
	}
	code = walk_records(k, h, raw, &w);
	if (code || k->n_errors == 0)
		return code;
	k->errors = kp_arena_alloc(k->arena, (size_t)k->n_errors * sizeof(*k->errors));
	if (!k->errors)
		return KP_ERR_INVALID_RECORD;
	code = walk_records(k, h, raw, &w);
	describe_errors(k, w.has_bad_time);
	return w.has_bad_time ? KP_ERR_INVALID_TIMESTAMP : KP_ERR_INVALID_RECORD;
}
