/*
 * fuzz_wire.c - libFuzzer target: the first byte chooses the message, the second its version, the third whether the arena is
 * small; the rest is read. What could be read must survive being written and read again.
 */
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "kproducer/error.h"
#include "wire/messages.h"
#include "wire/reader.h"
#include "wire/writer.h"

static const kp_wire_message *choose(uint8_t byte)
{
	size_t n = 0;
	while (kp_wire_messages[n])
		n++;
	return kp_wire_messages[byte % n];
}

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void check_again(const kp_wire_message *m, int version, const void *message, void *scratch)
{
	kp_arena arena;
	kp_buf first, second;
	size_t consumed = 0;
	kp_arena_init(&arena, 0);
	kp_buf_init(&first, 0);
	kp_buf_init(&second, 0);
	must(kp_wire_write(m, version, message, &first, NULL) == KP_OK);
	must(kp_wire_read(m, version, kp_buf_slice(&first), &arena, scratch, &consumed) == KP_OK);
	must(consumed == first.len);
	must(kp_wire_write(m, version, scratch, &second, NULL) == KP_OK);
	must(first.len == second.len && (first.len == 0 || memcmp(first.data, second.data, first.len) == 0));
	kp_arena_deinit(&arena);
	kp_buf_deinit(&first);
	kp_buf_deinit(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 3)
		return 0;
	const kp_wire_message *m = choose(data[0]);
	int version = m->min_version + data[1] % (m->max_version - m->min_version + 1);
	kp_arena arena;
	kp_arena_init(&arena, data[2] & 1 ? 256 : 0);
	void *message = malloc(m->root->size), *scratch = malloc(m->root->size);
	must(message && scratch);
	size_t consumed = 0;
	if (kp_wire_read(m, version, kp_slice_of(data + 3, size - 3), &arena, message, &consumed) == KP_OK) {
		must(consumed <= size - 3);
		check_again(m, version, message, scratch);
	}
	free(message);
	free(scratch);
	kp_arena_deinit(&arena);
	return 0;
}
