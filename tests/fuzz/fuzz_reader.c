/*
 * fuzz_reader.c - libFuzzer: any bytes as an input of `produce`, in each format. Read in one block and in small ones, the records must
 * be the same.
 */
#include <stdlib.h>

#include "cli/reader.h"

#define MAX_BYTES 64 /* small, so that overlong records come up too */
#define BLOCK 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* FNV-1a. */
static uint64_t mix(uint64_t sum, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;
	sum = (sum ^ (bytes ? n + 1 : 0)) * UINT64_C(0x100000001b3);
	for (size_t i = 0; i < n; i++)
		sum = (sum ^ p[i]) * UINT64_C(0x100000001b3);
	return sum;
}

static uint64_t mix_record(uint64_t sum, const cli_reader *r, const kp_record *record)
{
	sum = mix(sum, record->value, record->value_len);
	if (r->given & CLI_GIVEN_KEY)
		sum = mix(sum, record->key, record->key_len);
	for (size_t i = 0; r->given & CLI_GIVEN_HEADERS && i < record->n_headers; i++) {
		sum = mix(sum, record->headers[i].name, strlen(record->headers[i].name));
		sum = mix(sum, record->headers[i].value, record->headers[i].value_len);
	}
	sum = mix(sum, &record->partition, sizeof(record->partition));
	return mix(sum, &record->timestamp_ms, sizeof(record->timestamp_ms));
}

/* All events of the block; false: the input is over. Pieces depend on the blocks, so of them only the length counts. */
static bool drain(cli_reader *r, uint64_t *sum)
{
	for (;;) {
		kp_record record = KP_RECORD_INIT;
		cli_read_event event = cli_reader_next(r, &record);
		if (event == CLI_READ_MORE)
			return true;
		if (event == CLI_READ_PIECE)
			continue;
		*sum = mix(*sum, &event, sizeof(event));
		if (event == CLI_READ_RECORD || event == CLI_READ_BAD)
			*sum = mix_record(*sum, r, &record);
		if (event == CLI_READ_LONG_END)
			*sum = mix(*sum, &r->long_bytes, sizeof(r->long_bytes));
		if (event == CLI_READ_BAD || event == CLI_READ_BROKEN)
			*sum = mix(*sum, r->problem, strlen(r->problem));
		if (event == CLI_READ_BROKEN || event == CLI_READ_END)
			return false;
	}
}

static uint64_t read_all(const cli_format *format, const uint8_t *data, size_t size, size_t feed)
{
	cli_reader r;
	uint64_t sum = 0;
	if (!cli_reader_init(&r, format, BLOCK, MAX_BYTES))
		abort();
	for (size_t done = 0, n = 1; n; done += n) {
		size_t room;
		char *space = cli_reader_space(&r, &room);
		n = size - done < feed ? size - done : feed;
		if (!space || room < n)
			abort();
		if (n)
			memcpy(space, data + done, n);
		cli_reader_filled(&r, n);
		if (!drain(&r, &sum))
			break;
	}
	cli_reader_deinit(&r);
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1 || size > BLOCK)
		return 0;
	for (const cli_format *f = cli_formats; f->name; f++)
		if (read_all(f, data + 1, size - 1, BLOCK) != read_all(f, data + 1, size - 1, 1 + data[0]))
			abort();
	return 0;
}
