/*
 * marker.c - see marker.h.
 */
#include "devbroker/marker.h"

#include "base/bytes.h"
#include "base/crc32c.h"

#define RECORD_SIZE (KP_DB_MARKER_SIZE - KP_BATCH_HEADER_SIZE)
#define KEY_SIZE 4
#define VALUE_SIZE 6

enum { ABORT = 0, COMMIT = 1 }; /* ControlRecordType */

void kp_db_marker_store(uint8_t out[KP_DB_MARKER_SIZE], const kp_db_marker *m)
{
	uint8_t key[KEY_SIZE], value[VALUE_SIZE];
	kp_store_be16(kp_store_be16(key, 0), m->is_commit ? COMMIT : ABORT);
	kp_store_be32(kp_store_be16(value, 0), (uint32_t)m->coordinator_epoch);
	kp_record_content c = {kp_slice_of(key, sizeof(key)), kp_slice_of(value, sizeof(value)), NULL, 0};
	kp_batch_header h = {
		.batch_length = KP_DB_MARKER_SIZE - 12,
		.partition_leader_epoch = -1,
		.magic = 2,
		.attributes = KP_BATCH_TRANSACTIONAL | KP_BATCH_CONTROL | (m->is_log_append_time ? KP_BATCH_LOG_APPEND_TIME : 0),
		.base_timestamp = m->timestamp,
		.max_timestamp = m->timestamp,
		.producer_id = m->producer_id,
		.producer_epoch = m->producer_epoch,
		.base_sequence = -1,
		.n_records = 1,
	};
	kp_record_store(out + KP_BATCH_HEADER_SIZE, &c, kp_record_body_size(&c, 0, 0), 0, 0);
	kp_batch_header_store(out, &h);
	h.crc = kp_crc32c(out + KP_BATCH_CRC_START, KP_DB_MARKER_SIZE - KP_BATCH_CRC_START);
	kp_batch_header_store(out, &h);
}

bool kp_db_marker_load(kp_slice batch, kp_db_marker *out)
{
	kp_batch_header h;
	kp_record_view r;
	if (kp_batch_header_load(batch, &h) || !(h.attributes & KP_BATCH_CONTROL))
		return false;
	const uint8_t *p = batch.ptr + KP_BATCH_HEADER_SIZE;
	if (kp_record_load(&p, batch.ptr + batch.len, &r) || r.key.len < KEY_SIZE || r.value.len < VALUE_SIZE)
		return false;
	uint16_t type = kp_load_be16(r.key.ptr + 2);
	*out = (kp_db_marker){
		.producer_id = h.producer_id,
		.producer_epoch = h.producer_epoch,
		.coordinator_epoch = (int32_t)kp_load_be32(r.value.ptr + 2),
		.is_commit = type == COMMIT,
		.is_log_append_time = h.attributes & KP_BATCH_LOG_APPEND_TIME,
		.timestamp = h.max_timestamp,
	};
	return type == ABORT || type == COMMIT;
}
