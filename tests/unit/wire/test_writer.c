/*
 * test_writer.c - what may be left out, what must not, and record batches that stay where they are.
 */
#include "sample.h"

#include "odd_message.h"
#include "wire/msg_api_versions.h"
#include "wire/msg_metadata.h"
#include "wire/msg_produce.h"

static odd empty_odd(void)
{
	odd o;
	kp_wire_init(&odd_schema, &o, 1);
	return o;
}

static int write_odd(int version, const odd *o, kp_buf *out, kp_wire_refs *refs)
{
	kp_buf_clear(out);
	return kp_wire_write(&odd_message, version, o, out, refs);
}

static void init_gives_every_field_its_default(void **state)
{
	(void)state;
	kp_produce_response_partition p[2];
	memset(p, 0xa5, sizeof(p));
	kp_wire_init(&kp_produce_response_partition_schema, p, 2);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(p[i].index, 0);
		assert_int_equal(p[i].log_start_offset, -1);
		assert_int_equal(p[i].current_leader.leader_epoch, -1);
		assert_true(kp_slice_is_null(p[i].error_message));
		assert_int_equal(p[i].record_errors.n, 0);
	}
}

static void writer_omits_tagged_fields_at_their_default(void **state)
{
	(void)state;
	kp_buf out;
	kp_buf_init(&out, 0);
	kp_api_versions_response r;
	kp_wire_init(&kp_api_versions_response_schema, &r, 1);
	assert_int_equal(kp_wire_write(&kp_api_versions_response_message, 3, &r, &out, NULL), KP_OK);
	assert_memory_equal(out.data, "\0\0\1\0\0\0\0\0", 8);
	kp_buf_clear(&out);
	r.finalized_features_epoch = 0;
	assert_int_equal(kp_wire_write(&kp_api_versions_response_message, 3, &r, &out, NULL), KP_OK);
	assert_int_equal(out.len, 18);
	kp_buf_deinit(&out);
}

static void writer_refuses_to_drop_what_is_not_ignorable(void **state)
{
	(void)state;
	kp_buf out;
	kp_buf_init(&out, 0);
	kp_buf_append(&out, "head", 4);
	kp_metadata_request r;
	kp_wire_init(&kp_metadata_request_schema, &r, 1);
	r.allow_auto_topic_creation = false;
	assert_int_equal(kp_wire_write(&kp_metadata_request_message, 3, &r, &out, NULL), KP_ERR_NOT_SUPPORTED);
	assert_int_equal(out.len, 4);
	assert_int_equal(kp_wire_write(&kp_metadata_request_message, 4, &r, &out, NULL), KP_OK);
	assert_int_equal(kp_wire_write(&kp_metadata_request_message, 14, &r, &out, NULL), KP_ERR_NOT_SUPPORTED);

	odd o = empty_odd();
	o.loose = 5;
	assert_int_equal(write_odd(0, &o, &out, NULL), KP_OK);
	o.strict = kp_slice_cstr("s");
	assert_int_equal(write_odd(0, &o, &out, NULL), KP_ERR_NOT_SUPPORTED);
	o = empty_odd();
	o.cursor = &(odd_cursor){.partition = 1};
	assert_int_equal(write_odd(0, &o, &out, NULL), KP_ERR_NOT_SUPPORTED);
	kp_buf_deinit(&out);
}

static void writer_refuses_null_where_it_may_not_be(void **state)
{
	(void)state;
	kp_buf out;
	kp_buf_init(&out, 0);
	kp_metadata_request_topic topic = {.name = kp_slice_null()};
	kp_metadata_request r = {.allow_auto_topic_creation = true, .topics = {&topic, 1}};
	assert_int_equal(kp_wire_write(&kp_metadata_request_message, 9, &r, &out, NULL), KP_ERR_NOT_SUPPORTED);
	assert_int_equal(kp_wire_write(&kp_metadata_request_message, 10, &r, &out, NULL), KP_OK);
	r.topics.n = -1;
	assert_int_equal(kp_wire_write(&kp_metadata_request_message, 0, &r, &out, NULL), KP_ERR_NOT_SUPPORTED);
	r.topics.n = -2;
	assert_int_equal(kp_wire_write(&kp_metadata_request_message, 1, &r, &out, NULL), KP_ERR_BAD_ARGUMENT);
	r.topics.items = NULL;
	r.topics.n = 1;
	assert_int_equal(kp_wire_write(&kp_metadata_request_message, 1, &r, &out, NULL), KP_ERR_BAD_ARGUMENT);
	kp_produce_request produce = {.topic_data = {NULL, -1}};
	assert_int_equal(kp_wire_write(&kp_produce_request_message, 9, &produce, &out, NULL), KP_ERR_BAD_ARGUMENT);
	kp_buf_deinit(&out);
}

static void writer_takes_null_for_empty_where_null_never_is(void **state)
{
	(void)state;
	kp_buf out;
	kp_buf_init(&out, 0);
	kp_api_versions_request r = {0};
	assert_int_equal(kp_wire_write(&kp_api_versions_request_message, 3, &r, &out, NULL), KP_OK);
	assert_memory_equal(out.data, "\1\1\0", 3);
	kp_buf_deinit(&out);
}

static void writer_refuses_a_string_over_32767_bytes(void **state)
{
	(void)state;
	static char text[32768];
	kp_buf out;
	kp_buf_init(&out, 0);
	kp_api_versions_request r = {kp_slice_of(text, sizeof(text)), kp_slice_cstr("")};
	assert_int_equal(kp_wire_write(&kp_api_versions_request_message, 3, &r, &out, NULL), KP_ERR_BAD_ARGUMENT);
	r.client_software_name.len--;
	assert_int_equal(kp_wire_write(&kp_api_versions_request_message, 3, &r, &out, NULL), KP_OK);
	kp_buf_deinit(&out);
}

static void writer_leaves_the_buffer_as_it_was_when_it_is_full(void **state)
{
	(void)state;
	kp_arena arena;
	kp_arena_init(&arena, 0);
	const void *message = sample_message(&kp_metadata_response_message, 13, SAMPLE_PLAIN, 0, &arena);
	for (size_t max = 4; max < 60; max++) {
		kp_buf out;
		kp_buf_init(&out, max);
		kp_buf_append(&out, "head", 4);
		assert_int_equal(kp_wire_write(&kp_metadata_response_message, 13, message, &out, NULL), KP_ERR_NO_MEMORY);
		assert_int_equal(out.len, 4);
		kp_buf_deinit(&out);
	}
	kp_arena_deinit(&arena);
}

static void writer_refers_to_records_in_place(void **state)
{
	(void)state;
	kp_buf out;
	kp_wire_refs refs;
	kp_buf_init(&out, 0);
	kp_wire_refs_init(&refs);
	kp_produce_request_partition partitions[3] = {
		{.index = 0, .records = kp_slice_of("first", 5)}, {.index = 1}, {.index = 2, .records = kp_slice_of("second", 6)}};
	kp_produce_request_topic topic = {.name = kp_slice_cstr("t"), .partition_data = {partitions, 3}};
	kp_produce_request r = {.acks = 1, .topic_data = {&topic, 1}};
	for (int round = 0; round < 2; round++) {
		kp_buf_clear(&out);
		kp_wire_refs_clear(&refs);
		assert_int_equal(kp_wire_write(&kp_produce_request_message, 9, &r, &out, &refs), KP_OK);
		assert_int_equal(refs.n, 2);
		assert_int_equal(refs.n_bytes, 11);
		assert_ptr_equal(refs.items[0].bytes.ptr, partitions[0].records.ptr);
		/* 00 0001 00000000 02 0274 04 00000000 06 | 00 00000001 00 00 00000002 07 | 00 00 00 */
		assert_int_equal(refs.items[0].pos, 16);
		assert_int_equal(refs.items[1].pos, 28);
		assert_int_equal(out.len, 31);
	}
	size_t cap = refs.cap;
	topic.name = kp_slice_null();
	topic.partition_data.n = -1;
	assert_int_equal(kp_wire_write(&kp_produce_request_message, 9, &r, &out, &refs), KP_ERR_BAD_ARGUMENT);
	assert_int_equal(refs.n, 2);
	assert_int_equal(refs.cap, cap);
	kp_wire_refs_deinit(&refs);
	kp_buf_deinit(&out);
}

/* The size in front of a tagged value counts the bytes that stay elsewhere, and may itself need more than one byte. */
static void writer_counts_records_within_a_tagged_field(void **state)
{
	(void)state;
	static uint8_t records[500];
	kp_buf copied, out;
	kp_wire_refs refs;
	kp_buf_init(&copied, 0);
	kp_buf_init(&out, 0);
	kp_wire_refs_init(&refs);
	odd o = empty_odd();
	o.records = kp_slice_of(records, sizeof(records));
	o.late = kp_slice_cstr("z");
	assert_int_equal(write_odd(1, &o, &copied, NULL), KP_OK);
	assert_int_equal(write_odd(1, &o, &out, &refs), KP_OK);
	assert_int_equal(refs.n, 1);
	assert_int_equal(out.len + 500, copied.len);
	assert_memory_equal(out.data, copied.data, refs.items[0].pos);
	assert_memory_equal(out.data + refs.items[0].pos, copied.data + refs.items[0].pos + 500, out.len - refs.items[0].pos);
	/* ..., 2 tags: 1 (size 502: length 501 and the bytes), then 3 */
	assert_memory_equal(out.data + refs.items[0].pos - 6, "\2\1\xf6\3\xf5\3", 6);
	assert_memory_equal(out.data + refs.items[0].pos, "\3\2\2z", 4);
	kp_wire_refs_deinit(&refs);
	kp_buf_deinit(&copied);
	kp_buf_deinit(&out);
}

static void writer_marks_a_nullable_struct(void **state)
{
	(void)state;
	kp_buf out;
	kp_buf_init(&out, 0);
	odd o = empty_odd();
	assert_int_equal(write_odd(1, &o, &out, NULL), KP_OK);
	assert_memory_equal(out.data + 14, "\xff\1\1\0\0\0\0\0", 8); /* null, no blobs, strict, loose, no tags */
	odd_cursor cursor = {kp_slice_cstr("t"), 3};
	o.cursor = o.tagged_cursor = &cursor;
	assert_int_equal(write_odd(1, &o, &out, NULL), KP_OK);
	assert_memory_equal(out.data + 14, "\1\2t\0\0\0\3\0\1\1\0\0\0\0\1\2\x08\1\2t\0\0\0\3\0", 25);
	kp_buf_deinit(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(init_gives_every_field_its_default),
		cmocka_unit_test(writer_omits_tagged_fields_at_their_default),
		cmocka_unit_test(writer_refuses_to_drop_what_is_not_ignorable),
		cmocka_unit_test(writer_refuses_null_where_it_may_not_be),
		cmocka_unit_test(writer_takes_null_for_empty_where_null_never_is),
		cmocka_unit_test(writer_refuses_a_string_over_32767_bytes),
		cmocka_unit_test(writer_leaves_the_buffer_as_it_was_when_it_is_full),
		cmocka_unit_test(writer_refers_to_records_in_place),
		cmocka_unit_test(writer_counts_records_within_a_tagged_field),
		cmocka_unit_test(writer_marks_a_nullable_struct),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
