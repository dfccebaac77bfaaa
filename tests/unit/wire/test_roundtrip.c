/*
 * test_roundtrip.c - what must hold of every message in every version.
 */
#include "sample.h"

#define SEEDS 25

typedef struct fixture {
	kp_arena in, out; /* of the message that is written, and of the one that is read */
	kp_buf buf, again;
} fixture;

typedef void (*check)(fixture *f, const kp_wire_message *m, int version, const void *message);

static void clear(fixture *f)
{
	kp_arena_reset(&f->in);
	kp_arena_reset(&f->out);
	kp_buf_clear(&f->buf);
	kp_buf_clear(&f->again);
}

/* Run a check on `seeds` random messages, and the sample, of every message and version. */
static void for_all(check c, uint64_t seeds)
{
	fixture f;
	kp_arena_init(&f.in, 0);
	kp_arena_init(&f.out, 0);
	kp_buf_init(&f.buf, 0);
	kp_buf_init(&f.again, 0);
	for (const kp_wire_message *const *m = kp_wire_messages; *m; m++) {
		for (int version = (*m)->min_version; version <= (*m)->max_version; version++) {
			for (uint64_t seed = 0; seed < seeds; seed++) {
				clear(&f);
				sample_profile profile = seed ? SAMPLE_RANDOM : SAMPLE_PLAIN;
				const void *message = sample_message(*m, version, profile, seed * 1000 + (uint64_t)version, &f.in);
				assert_int_equal(kp_wire_write(*m, version, message, &f.buf, NULL), KP_OK);
				c(&f, *m, version, message);
			}
		}
	}
	kp_arena_deinit(&f.in);
	kp_arena_deinit(&f.out);
	kp_buf_deinit(&f.buf);
	kp_buf_deinit(&f.again);
}

static void *root_of(fixture *f, const kp_wire_message *m)
{
	void *root = kp_arena_alloc(&f->in, m->root->size);
	assert_non_null(root);
	memset(root, 0xa5, m->root->size);
	return root;
}

static void check_bytes_survive(fixture *f, const kp_wire_message *m, int version, const void *message)
{
	(void)message;
	kp_slice copy = sample_exact_copy(f->buf.data, f->buf.len);
	void *root = root_of(f, m);
	size_t consumed = 0;
	assert_int_equal(kp_wire_read(m, version, copy, &f->out, root, &consumed), KP_OK);
	assert_int_equal(consumed, copy.len);
	assert_int_equal(kp_wire_write(m, version, root, &f->again, NULL), KP_OK);
	assert_true(kp_slice_equal(kp_buf_slice(&f->again), copy));
	free((void *)copy.ptr);
}

static void check_trailing_bytes_are_left(fixture *f, const kp_wire_message *m, int version, const void *message)
{
	(void)message;
	size_t len = f->buf.len, consumed = 0;
	kp_buf_append(&f->buf, "\xff\xff\xff", 3);
	assert_int_equal(kp_wire_read(m, version, kp_buf_slice(&f->buf), &f->out, root_of(f, m), &consumed), KP_OK);
	assert_int_equal(consumed, len);
}

static void check_refs_give_the_same_bytes(fixture *f, const kp_wire_message *m, int version, const void *message)
{
	kp_wire_refs refs;
	kp_wire_refs_init(&refs);
	kp_buf_append(&f->again, "head", 4);
	assert_int_equal(kp_wire_write(m, version, message, &f->again, &refs), KP_OK);
	assert_int_equal(f->again.len + refs.n_bytes, 4 + f->buf.len);
	size_t from = 4, to = 0;
	for (size_t i = 0; i <= refs.n; i++) {
		size_t until = i < refs.n ? refs.items[i].pos : f->again.len;
		assert_true(until >= from);
		assert_memory_equal(f->again.data + from, f->buf.data + to, until - from);
		to += until - from;
		from = until;
		if (i < refs.n) {
			assert_memory_equal(refs.items[i].bytes.ptr, f->buf.data + to, refs.items[i].bytes.len);
			to += refs.items[i].bytes.len;
		}
	}
	assert_int_equal(to, f->buf.len);
	kp_wire_refs_deinit(&refs);
}

static void check_cut_is_an_error(fixture *f, const kp_wire_message *m, int version, const void *message)
{
	(void)message;
	void *root = root_of(f, m);
	for (size_t len = 0; len < f->buf.len; len++) {
		kp_slice cut = sample_exact_copy(f->buf.data, len);
		kp_arena_reset(&f->out);
		assert_int_equal(kp_wire_read(m, version, cut, &f->out, root, NULL), KP_ERR_PROTOCOL);
		for (size_t i = 0; i < m->root->size; i++)
			assert_int_equal(((uint8_t *)root)[i], 0);
		free((void *)cut.ptr);
	}
}

/* Whatever is read can be written and read again. */
static void read_damaged(fixture *f, const kp_wire_message *m, int version, kp_slice in, void *root)
{
	kp_arena_reset(&f->out);
	int err = kp_wire_read(m, version, in, &f->out, root, NULL);
	assert_true(err == KP_OK || err == KP_ERR_PROTOCOL);
	/* The largest element struct over the fewest bytes one can take, and padding: a count alone gets no memory. */
	assert_true(f->out.total <= 512 * in.len);
	if (err)
		return;
	kp_buf_clear(&f->again);
	assert_int_equal(kp_wire_write(m, version, root, &f->again, NULL), KP_OK);
	assert_int_equal(kp_wire_read(m, version, kp_buf_slice(&f->again), &f->out, root, NULL), KP_OK);
}

static void check_one_wrong_byte_is_harmless(fixture *f, const kp_wire_message *m, int version, const void *message)
{
	(void)message;
	static const uint8_t masks[] = {0x01, 0x02, 0x80, 0x7f, 0xff};
	void *root = root_of(f, m);
	kp_slice copy = sample_exact_copy(f->buf.data, f->buf.len);
	uint8_t *bytes = (uint8_t *)copy.ptr;
	for (size_t i = 0; i < copy.len; i++) {
		for (size_t k = 0; k < sizeof(masks); k++) {
			bytes[i] ^= masks[k];
			read_damaged(f, m, version, copy, root);
			bytes[i] ^= masks[k];
		}
	}
	free(bytes);
}

static void check_huge_count_is_harmless(fixture *f, const kp_wire_message *m, int version, const void *message)
{
	(void)message;
	static const char *const counts[] = {"\x7f\xff\xff\xff", "\x80\x80\x80\x80\x08", "\xff\xff\xff\xff\x0f",
	                                     "\x80\x00\x00\x00"};
	static const size_t sizes[] = {4, 5, 5, 4};
	void *root = root_of(f, m);
	kp_slice copy = sample_exact_copy(f->buf.data, f->buf.len);
	uint8_t *bytes = (uint8_t *)copy.ptr;
	for (size_t i = 0; i < copy.len; i++) {
		for (size_t k = 0; k < KP_ARRAY_LEN(sizes); k++) {
			size_t n = sizes[k] < copy.len - i ? sizes[k] : copy.len - i;
			memcpy(bytes + i, counts[k], n);
			read_damaged(f, m, version, copy, root);
			memcpy(bytes + i, f->buf.data + i, n);
		}
	}
	free(bytes);
}

static void message_survives_write_and_read(void **state)
{
	(void)state;
	for_all(check_bytes_survive, SEEDS);
}

static void reader_leaves_trailing_bytes(void **state)
{
	(void)state;
	for_all(check_trailing_bytes_are_left, 3);
}

static void writer_with_refs_gives_the_same_bytes(void **state)
{
	(void)state;
	for_all(check_refs_give_the_same_bytes, SEEDS);
}

static void reader_refuses_a_message_cut_anywhere(void **state)
{
	(void)state;
	for_all(check_cut_is_an_error, 3);
}

static void reader_survives_one_wrong_byte(void **state)
{
	(void)state;
	for_all(check_one_wrong_byte_is_harmless, 2);
}

static void reader_allocates_nothing_for_a_hostile_count(void **state)
{
	(void)state;
	for_all(check_huge_count_is_harmless, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(message_survives_write_and_read),
		cmocka_unit_test(reader_leaves_trailing_bytes),
		cmocka_unit_test(writer_with_refs_gives_the_same_bytes),
		cmocka_unit_test(reader_refuses_a_message_cut_anywhere),
		cmocka_unit_test(reader_survives_one_wrong_byte),
		cmocka_unit_test(reader_allocates_nothing_for_a_hostile_count),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
