/*
 * batch.c - the batch header's bytes, its checksum and stamp, and the checks on a batch that came from elsewhere.
 */
#include "record/batch.h"

#include "base/bytes.h"
#include "base/crc32c.h"
#include "kproducer/error.h"

/* Offsets of the fields, as drawn in batch.h. */
enum {
	AT_LENGTH = 8,
	AT_LEADER_EPOCH = 12,
	AT_MAGIC = 16,
	AT_CRC = 17,
	AT_ATTRIBUTES = KP_BATCH_CRC_START,
	AT_LAST_OFFSET_DELTA = 23,
	AT_BASE_TIMESTAMP = 27,
	AT_MAX_TIMESTAMP = 35,
	AT_PRODUCER_ID = 43,
	AT_PRODUCER_EPOCH = 51,
	AT_BASE_SEQUENCE = 53,
	AT_COUNT = 57
};
#define LENGTH_END 12 /* what batchLength does not count */
#define MAGIC_V2 2

void kp_batch_header_store(uint8_t *dst, const kp_batch_header *h)
{
	kp_store_be64(dst, (uint64_t)h->base_offset);
	kp_store_be32(dst + AT_LENGTH, (uint32_t)h->batch_length);
	kp_store_be32(dst + AT_LEADER_EPOCH, (uint32_t)h->partition_leader_epoch);
	dst[AT_MAGIC] = (uint8_t)h->magic;
	kp_store_be32(dst + AT_CRC, h->crc);
	kp_store_be16(dst + AT_ATTRIBUTES, (uint16_t)h->attributes);
	kp_store_be32(dst + AT_LAST_OFFSET_DELTA, (uint32_t)h->last_offset_delta);
	kp_store_be64(dst + AT_BASE_TIMESTAMP, (uint64_t)h->base_timestamp);
	kp_store_be64(dst + AT_MAX_TIMESTAMP, (uint64_t)h->max_timestamp);
	kp_store_be64(dst + AT_PRODUCER_ID, (uint64_t)h->producer_id);
	kp_store_be16(dst + AT_PRODUCER_EPOCH, (uint16_t)h->producer_epoch);
	kp_store_be32(dst + AT_BASE_SEQUENCE, (uint32_t)h->base_sequence);
	kp_store_be32(dst + AT_COUNT, (uint32_t)h->n_records);
}

int kp_batch_header_load(kp_slice bytes, kp_batch_header *out)
{
	const uint8_t *p = bytes.ptr;
	if (!p || bytes.len < KP_BATCH_HEADER_SIZE)
		return KP_ERR_PROTOCOL;
	*out = (kp_batch_header){
		.base_offset = (int64_t)kp_load_be64(p),
		.batch_length = (int32_t)kp_load_be32(p + AT_LENGTH),
		.partition_leader_epoch = (int32_t)kp_load_be32(p + AT_LEADER_EPOCH),
		.magic = (int8_t)p[AT_MAGIC],
		.crc = kp_load_be32(p + AT_CRC),
		.attributes = (int16_t)kp_load_be16(p + AT_ATTRIBUTES),
		.last_offset_delta = (int32_t)kp_load_be32(p + AT_LAST_OFFSET_DELTA),
		.base_timestamp = (int64_t)kp_load_be64(p + AT_BASE_TIMESTAMP),
		.max_timestamp = (int64_t)kp_load_be64(p + AT_MAX_TIMESTAMP),
		.producer_id = (int64_t)kp_load_be64(p + AT_PRODUCER_ID),
		.producer_epoch = (int16_t)kp_load_be16(p + AT_PRODUCER_EPOCH),
		.base_sequence = (int32_t)kp_load_be32(p + AT_BASE_SEQUENCE),
		.n_records = (int32_t)kp_load_be32(p + AT_COUNT),
	};
	return 0;
}

uint32_t kp_batch_crc(const uint8_t *header, uint32_t records_crc, size_t records_len)
{
	uint32_t crc = kp_crc32c(header + KP_BATCH_CRC_START, KP_BATCH_HEADER_SIZE - KP_BATCH_CRC_START);
	return kp_crc32c_combine(crc, records_crc, records_len);
}

void kp_batch_stamp(uint8_t *header, int64_t producer_id, int16_t epoch, int32_t base_sequence, uint32_t records_crc,
                    size_t records_len)
{
	kp_store_be64(header + AT_PRODUCER_ID, (uint64_t)producer_id);
	kp_store_be16(header + AT_PRODUCER_EPOCH, (uint16_t)epoch);
	kp_store_be32(header + AT_BASE_SEQUENCE, (uint32_t)base_sequence);
	kp_store_be32(header + AT_CRC, kp_batch_crc(header, records_crc, records_len));
}

/* Whether a whole batch of format 2 stands there; *size is set as soon as the length can be read. */
static kp_batch_verdict check_frame(kp_slice bytes, size_t *size)
{
	*size = 0;
	if (!bytes.ptr || bytes.len < LENGTH_END)
		return KP_BATCH_CUT;
	/* the formats before 2 have length and magic in the same places, so their size is known too */
	int32_t length = (int32_t)kp_load_be32(bytes.ptr + AT_LENGTH);
	if (length >= 0)
		*size = LENGTH_END + (size_t)length;
	if (bytes.len <= AT_MAGIC)
		return KP_BATCH_CUT;
	if (bytes.ptr[AT_MAGIC] != MAGIC_V2)
		return KP_BATCH_BAD_MAGIC;
	if (length < KP_BATCH_HEADER_SIZE - LENGTH_END)
		return KP_BATCH_BAD_LENGTH;
	return *size > bytes.len ? KP_BATCH_CUT : KP_BATCH_OK;
}

/* The rules of Kafka's LogValidator for what a producer sends: offsets count up from 0 without a gap. */
static kp_batch_verdict check_records(kp_slice records, int32_t n_records)
{
	const uint8_t *p = records.ptr, *end = p + records.len;
	for (int32_t i = 0; i < n_records; i++) {
		kp_record_view v;
		if (p == end)
			return KP_BATCH_BAD_COUNT;
		if (kp_record_load(&p, end, &v))
			return KP_BATCH_BAD_RECORD;
		if (v.offset_delta != i)
			return KP_BATCH_BAD_COUNT;
	}
	return p == end ? KP_BATCH_OK : KP_BATCH_BAD_LENGTH;
}

static kp_batch_verdict check_deep(kp_slice batch, size_t max_raw, int32_t n_records)
{
	kp_buf scratch;
	kp_slice records;
	kp_batch_verdict verdict;
	kp_buf_init(&scratch, max_raw > 0 ? max_raw : 1); /* to kp_buf 0 means no bound */
	int err = kp_batch_records(batch, &scratch, &records);
	if (err)
		verdict = err == KP_ERR_NO_MEMORY ? KP_BATCH_NO_MEMORY : KP_BATCH_BAD_CODEC;
	else
		verdict = check_records(records, n_records);
	kp_buf_deinit(&scratch);
	return verdict;
}

kp_batch_verdict kp_batch_check(kp_slice bytes, bool deep, size_t max_raw, kp_batch_header *header, size_t *size)
{
	kp_batch_header h;
	kp_batch_verdict verdict = check_frame(bytes, size);
	if (verdict)
		return verdict;
	if (kp_batch_header_load(bytes, &h))
		return KP_BATCH_CUT;
	*header = h;
	if (kp_crc32c(bytes.ptr + KP_BATCH_CRC_START, *size - KP_BATCH_CRC_START) != h.crc)
		return KP_BATCH_BAD_CRC;
	if ((h.attributes & KP_BATCH_CODEC_MASK) >= KP_CODEC_COUNT)
		return KP_BATCH_BAD_CODEC;
	if (h.n_records < 1 || h.last_offset_delta != h.n_records - 1)
		return KP_BATCH_BAD_COUNT;
	return deep ? check_deep(kp_slice_of(bytes.ptr, *size), max_raw, h.n_records) : KP_BATCH_OK;
}

int kp_batch_records(kp_slice batch, kp_buf *scratch, kp_slice *records)
{
	size_t size;
	if (check_frame(batch, &size))
		return KP_ERR_PROTOCOL;
	kp_slice stored = kp_slice_of(batch.ptr + KP_BATCH_HEADER_SIZE, size - KP_BATCH_HEADER_SIZE);
	kp_codec_type codec = kp_load_be16(batch.ptr + AT_ATTRIBUTES) & KP_BATCH_CODEC_MASK;
	if (codec == KP_CODEC_NONE) {
		*records = stored;
		return 0;
	}
	kp_buf_clear(scratch);
	int err = kp_decompress(codec, stored, scratch);
	if (err)
		return err;
	/* nothing came out: still a view that can be walked, not a null one */
	*records = scratch->len > 0 ? kp_buf_slice(scratch) : kp_slice_of(stored.ptr, 0);
	return 0;
}
