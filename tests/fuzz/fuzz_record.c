/*
 * fuzz_record.c - libFuzzer: any bytes through kp_batch_check and the walk over records and headers. Seeds: tests/golden/records.
 *
 * The crc would end nearly every run, so the input is tried twice: as it is, and as a batch whose length and crc are right.
 */
#include <stdlib.h>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "record/batch.h"

#define MAX_RAW ((size_t)1 << 16)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(kp_slice batch, const kp_batch_header *h, bool was_ok)
{
	kp_buf scratch;
	kp_slice records;
	kp_record_view v;
	kp_buf_init(&scratch, MAX_RAW);
	if (kp_batch_records(batch, &scratch, &records) == 0) {
		const uint8_t *p = records.ptr, *end = p + records.len;
		int32_t n = 0;
		for (; n < h->n_records && kp_record_load(&p, end, &v) == 0; n++)
			for (int32_t i = 0; i < v.n_headers; i++) {
				kp_record_header header;
				if (kp_record_header_next(&v.headers, &header))
					abort(); /* load promised that the headers are whole */
			}
		if (was_ok && (n != h->n_records || p != end))
			abort();
	} else if (was_ok) {
		abort();
	}
	kp_buf_deinit(&scratch);
}

static void check(const uint8_t *data, size_t n)
{
	kp_batch_header h;
	size_t size;
	kp_batch_verdict verdict = kp_batch_check(kp_slice_of(data, n), true, MAX_RAW, &h, &size);
	if (verdict == KP_BATCH_OK && size > n)
		abort();
	if (kp_batch_header_load(kp_slice_of(data, n), &h) == 0)
		walk(kp_slice_of(data, n), &h, verdict == KP_BATCH_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check(data, size);
	if (size < KP_BATCH_HEADER_SIZE)
		return 0;
	uint8_t *copy = malloc(size);
	if (!copy)
		return 0;
	memcpy(copy, data, size);
	kp_store_be32(copy + 8, (uint32_t)size - 12);
	copy[16] = 2;
	kp_store_be32(copy + 17, kp_crc32c(copy + KP_BATCH_CRC_START, size - KP_BATCH_CRC_START));
	check(copy, size);
	free(copy);
	return 0;
}
