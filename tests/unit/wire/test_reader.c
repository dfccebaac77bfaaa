/*
 * test_reader.c - defaults, tags, nulls and bounds, one at a time.
 */
#include "sample.h"

#include "odd_message.h"
#include "wire/msg_api_versions.h"
#include "wire/msg_fetch.h"
#include "wire/msg_metadata.h"

/* The reader's answer to bytes that end where their memory ends. */
static int read_bytes(const kp_wire_message *m, int version, const char *bytes, size_t len, kp_arena *arena, void *out)
{
	kp_slice in = sample_exact_copy(bytes, len);
	size_t consumed = 0;
	int err = kp_wire_read(m, version, in, arena, out, &consumed);
	if (!err)
		assert_int_equal(consumed, len);
	free((void *)in.ptr);
	return err;
}

#define READ(m, version, bytes, arena, out) read_bytes(m, version, bytes, sizeof(bytes) - 1, arena, out)

static void reader_gives_defaults_to_fields_the_version_lacks(void **state)
{
	(void)state;
	kp_arena arena;
	kp_arena_init(&arena, 0);
	kp_metadata_request request;
	assert_int_equal(READ(&kp_metadata_request_message, 1, "\xff\xff\xff\xff", &arena, &request), KP_OK);
	assert_int_equal(request.topics.n, -1);
	assert_true(request.allow_auto_topic_creation);

	kp_fetch_request fetch;
	const kp_fetch_request *sent = sample_message(&kp_fetch_request_message, 4, SAMPLE_EMPTY, 0, &arena);
	kp_buf buf;
	kp_buf_init(&buf, 0);
	assert_int_equal(kp_wire_write(&kp_fetch_request_message, 4, sent, &buf, NULL), KP_OK);
	assert_int_equal(kp_wire_read(&kp_fetch_request_message, 4, kp_buf_slice(&buf), &arena, &fetch, NULL), KP_OK);
	assert_int_equal(fetch.session_epoch, -1);
	assert_int_equal(fetch.replica_state.replica_epoch, -1);
	assert_true(kp_slice_is_null(fetch.cluster_id));
	assert_false(kp_slice_is_null(fetch.rack_id));
	kp_buf_deinit(&buf);
	kp_arena_deinit(&arena);
}

static void reader_skips_unknown_tagged_fields(void **state)
{
	(void)state;
	kp_arena arena;
	kp_arena_init(&arena, 0);
	kp_api_versions_response r;
	assert_int_equal(READ(&kp_api_versions_response_message, 3,
	                      "\0\0\1\0\0\0\0\3\x01\x08\0\0\0\0\0\0\0\x07\x03\x01\x01\x90\x03\x02hi", &arena, &r),
	                 KP_OK);
	assert_int_equal(r.finalized_features_epoch, 7);
	assert_true(r.zk_migration_ready);
	assert_int_equal(r.finalized_features.n, 0);
	kp_arena_deinit(&arena);
}

static void reader_refuses_a_tagged_field_of_another_size(void **state)
{
	(void)state;
	kp_api_versions_response r;
#define HEAD "\0\0\1\0\0\0\0"
	assert_int_equal(READ(&kp_api_versions_response_message, 3, HEAD "\1\x01\x09\0\0\0\0\0\0\0\x07\0", NULL, &r),
	                 KP_ERR_PROTOCOL);
	assert_int_equal(READ(&kp_api_versions_response_message, 3, HEAD "\1\x01\x07\0\0\0\0\0\0\0\x07", NULL, &r),
	                 KP_ERR_PROTOCOL);
	assert_int_equal(READ(&kp_api_versions_response_message, 3, HEAD "\1\x01\x7f\0\0\0\0\0\0\0\x07", NULL, &r),
	                 KP_ERR_PROTOCOL);
	assert_int_equal(READ(&kp_api_versions_response_message, 3, HEAD "\xff\xff\xff\xff\x0f", NULL, &r), KP_ERR_PROTOCOL);
	assert_int_equal(READ(&kp_api_versions_response_message, 3, HEAD "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", NULL, &r),
	                 KP_ERR_PROTOCOL);
#undef HEAD
}

static void reader_refuses_null_where_it_may_not_be(void **state)
{
	(void)state;
	kp_arena arena;
	kp_arena_init(&arena, 0);
	kp_metadata_request r;
	assert_int_equal(READ(&kp_metadata_request_message, 0, "\xff\xff\xff\xff", &arena, &r), KP_ERR_PROTOCOL);
	assert_int_equal(READ(&kp_metadata_request_message, 1, "\xff\xff\xff\xfe", &arena, &r), KP_ERR_PROTOCOL);
	assert_int_equal(READ(&kp_metadata_request_message, 1, "\0\0\0\1\xff\xff", &arena, &r), KP_ERR_PROTOCOL);
	assert_int_equal(READ(&kp_metadata_request_message, 9, "\2\0\0\1\0\0\0", &arena, &r), KP_ERR_PROTOCOL);
	kp_arena_deinit(&arena);
}

static void reader_refuses_a_string_over_32767_bytes(void **state)
{
	(void)state;
	static char bytes[3 + 32768 + 3] = "\x81\x80\x02"; /* compact length 32768 */
	kp_api_versions_request r;
	assert_int_equal(read_bytes(&kp_api_versions_request_message, 3, bytes, sizeof(bytes), NULL, &r), KP_ERR_PROTOCOL);
	bytes[0] = '\x80'; /* 32767 */
	assert_int_equal(read_bytes(&kp_api_versions_request_message, 3, bytes, 3 + 32767 + 1, NULL, &r), KP_ERR_PROTOCOL);
	bytes[3 + 32767] = 1;
	assert_int_equal(read_bytes(&kp_api_versions_request_message, 3, bytes, 3 + 32767 + 2, NULL, &r), KP_OK);
	assert_int_equal(r.client_software_name.len, 32767);
}

static void reader_allocates_nothing_for_a_count_that_cannot_be(void **state)
{
	(void)state;
	kp_arena arena;
	kp_arena_init(&arena, 0);
	kp_metadata_response r;
	assert_int_equal(READ(&kp_metadata_response_message, 0, "\x7f\xff\xff\xffrest of the bytes", &arena, &r), KP_ERR_PROTOCOL);
	/* A broker of version 0 takes at least 10 bytes: two of them do not fit 19. */
	assert_int_equal(READ(&kp_metadata_response_message, 0, "\0\0\0\2nineteen bytes here", &arena, &r), KP_ERR_PROTOCOL);
	assert_int_equal(arena.total, 0);
	kp_arena_deinit(&arena);
}

static void reader_stays_within_the_arenas_bound(void **state)
{
	(void)state;
	kp_arena arena;
	kp_arena_init(&arena, 64);
	kp_metadata_request r;
	assert_int_equal(READ(&kp_metadata_request_message, 1, "\0\0\0\1\0\1a", &arena, &r), KP_OK);
	assert_int_equal(READ(&kp_metadata_request_message, 1, "\0\0\0\3\0\1a\0\1b\0\1c", &arena, &r), KP_ERR_NO_MEMORY);
	assert_int_equal(READ(&kp_metadata_request_message, 1, "\0\0\0\1\0\1a", NULL, &r), KP_ERR_NO_MEMORY);
	assert_null(r.topics.items);
	kp_arena_deinit(&arena);
}

static void reader_refuses_a_version_without_table(void **state)
{
	(void)state;
	kp_metadata_request r;
	assert_int_equal(READ(&kp_metadata_request_message, 14, "\0\0\0\0", NULL, &r), KP_ERR_NOT_SUPPORTED);
	assert_int_equal(READ(&kp_metadata_request_message, -1, "\0\0\0\0", NULL, &r), KP_ERR_NOT_SUPPORTED);
	assert_int_equal(kp_wire_read(&kp_metadata_request_message, 1, kp_slice_null(), NULL, &r, NULL), KP_ERR_PROTOCOL);
}

static void reader_views_the_input(void **state)
{
	(void)state;
	kp_slice in = kp_slice_of("\0\0\0\1\0\3abc", 9);
	kp_arena arena;
	kp_arena_init(&arena, 0);
	kp_metadata_request r;
	assert_int_equal(kp_wire_read(&kp_metadata_request_message, 1, in, &arena, &r, NULL), KP_OK);
	assert_ptr_equal(r.topics.items[0].name.ptr, in.ptr + 6);
	kp_arena_deinit(&arena);
}

static void odd_types_survive(void **state)
{
	(void)state;
	static const sample_profile profiles[] = {SAMPLE_PLAIN, SAMPLE_NULLS, SAMPLE_EMPTY, SAMPLE_LONG, SAMPLE_RANDOM};
	for (int version = 0; version <= 2; version++) {
		for (size_t i = 0; i < KP_ARRAY_LEN(profiles); i++) {
			kp_arena arena;
			kp_buf first, second;
			kp_arena_init(&arena, 0);
			kp_buf_init(&first, 0);
			kp_buf_init(&second, 0);
			odd got, *sent = sample_message(&odd_message, version, profiles[i], 1, &arena);
			assert_int_equal(kp_wire_write(&odd_message, version, sent, &first, NULL), KP_OK);
			assert_int_equal(kp_wire_read(&odd_message, version, kp_buf_slice(&first), &arena, &got, NULL), KP_OK);
			assert_int_equal(kp_wire_write(&odd_message, version, &got, &second, NULL), KP_OK);
			assert_true(kp_slice_equal(kp_buf_slice(&first), kp_buf_slice(&second)));
			assert_true(got.ratio == sent->ratio && got.port == sent->port && got.size == sent->size);
			assert_int_equal(got.cursor != NULL, sent->cursor != NULL);
			kp_arena_deinit(&arena);
			kp_buf_deinit(&first);
			kp_buf_deinit(&second);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reader_gives_defaults_to_fields_the_version_lacks),
		cmocka_unit_test(reader_skips_unknown_tagged_fields),
		cmocka_unit_test(reader_refuses_a_tagged_field_of_another_size),
		cmocka_unit_test(reader_refuses_null_where_it_may_not_be),
		cmocka_unit_test(reader_refuses_a_string_over_32767_bytes),
		cmocka_unit_test(reader_allocates_nothing_for_a_count_that_cannot_be),
		cmocka_unit_test(reader_stays_within_the_arenas_bound),
		cmocka_unit_test(reader_refuses_a_version_without_table),
		cmocka_unit_test(reader_views_the_input),
		cmocka_unit_test(odd_types_survive),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
