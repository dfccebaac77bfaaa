/*
 * recovery.c - see recovery.h.
 */
#include "devbroker/recovery.h"

#include "base/bytes.h"
#include "base/crc32c.h"
#include "record/batch.h"

const char *kp_db_recover_batch(kp_slice bytes, int64_t offset, bool sums, size_t *size)
{
	kp_batch_header h;
	if (kp_batch_header_load(bytes, &h))
		return "a batch is cut off";
	if (h.magic != 2)
		return "there is no batch of format 2";
	if (h.batch_length < KP_BATCH_HEADER_SIZE - 12)
		return "a batch's length is below its header's";
	*size = 12 + (size_t)h.batch_length;
	if (*size > bytes.len)
		return "a batch is cut off";
	if (h.base_offset != offset)
		return "a batch has another offset than the one before it leaves";
	if (h.last_offset_delta < 0 || h.last_offset_delta == INT32_MAX || h.base_offset > INT64_MAX - h.last_offset_delta - 1)
		return "a batch's last offset is out of range";
	if (sums && kp_crc32c(bytes.ptr + KP_BATCH_CRC_START, *size - KP_BATCH_CRC_START) != h.crc)
		return "a batch's checksum is wrong";
	return NULL;
}

bool kp_db_recover_finds_batch(kp_slice bytes, int64_t offset)
{
	size_t size;
	for (size_t i = 0; i + KP_BATCH_HEADER_SIZE <= bytes.len; i++) {
		const uint8_t *p = bytes.ptr + i;
		if (p[16] != 2) /* magic: rules out nearly all */
			continue;
		int64_t base = (int64_t)kp_load_be64(p);
		if (base >= offset && !kp_db_recover_batch(kp_slice_of(p, bytes.len - i), base, true, &size))
			return true;
	}
	return false;
}

size_t kp_db_recover_used(kp_slice bytes)
{
	size_t n = bytes.len;
	static const uint8_t zeros[4096];
	while (n >= sizeof(zeros) && !memcmp(bytes.ptr + n - sizeof(zeros), zeros, sizeof(zeros)))
		n -= sizeof(zeros);
	while (n && !bytes.ptr[n - 1])
		n--;
	return n;
}
