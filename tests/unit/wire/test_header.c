/*
 * test_header.c - which header goes with what, and its bytes.
 */
#include "sample.h"

static void header_version_follows_from_the_body(void **state)
{
	(void)state;
	assert_int_equal(kp_wire_request_header_version(KP_API_PRODUCE, 8), 1);
	assert_int_equal(kp_wire_request_header_version(KP_API_PRODUCE, 9), 2);
	assert_int_equal(kp_wire_response_header_version(KP_API_PRODUCE, 8), 0);
	assert_int_equal(kp_wire_response_header_version(KP_API_PRODUCE, 9), 1);
	assert_int_equal(kp_wire_request_header_version(KP_API_API_VERSIONS, 3), 2);
	assert_int_equal(kp_wire_request_header_version(KP_API_API_VERSIONS, 99), 2);
	assert_int_equal(kp_wire_request_header_version(12345, 0), -1);
	assert_int_equal(kp_wire_response_header_version(-1, 0), -1);
}

static void answer_to_api_versions_always_has_header_0(void **state)
{
	(void)state;
	for (int16_t version = 0; version <= 5; version++)
		assert_int_equal(kp_wire_response_header_version(KP_API_API_VERSIONS, version), 0);
}

static void request_header_has_these_bytes(void **state)
{
	(void)state;
	kp_buf out;
	kp_buf_init(&out, 0);
	assert_int_equal(kp_wire_write_request_header(&out, KP_API_METADATA, 1, 258, kp_slice_cstr("me")), KP_OK);
	assert_int_equal(out.len, 12);
	assert_memory_equal(out.data, "\0\3\0\1\0\0\1\2\0\2me", 12);
	kp_buf_clear(&out);
	/* Flexible, yet client_id keeps its two-byte length. */
	assert_int_equal(kp_wire_write_request_header(&out, KP_API_METADATA, 12, 258, kp_slice_cstr("me")), KP_OK);
	assert_int_equal(out.len, 13);
	assert_memory_equal(out.data, "\0\3\0\x0c\0\0\1\2\0\2me\0", 13);
	kp_buf_clear(&out);
	assert_int_equal(kp_wire_write_request_header(&out, KP_API_METADATA, 12, 258, kp_slice_null()), KP_OK);
	assert_memory_equal(out.data, "\0\3\0\x0c\0\0\1\2\xff\xff\0", 11);
	assert_int_equal(kp_wire_write_request_header(&out, 999, 0, 0, kp_slice_null()), KP_ERR_NOT_SUPPORTED);
	kp_buf_deinit(&out);
}

static void request_header_survives(void **state)
{
	(void)state;
	kp_buf out;
	kp_buf_init(&out, 0);
	assert_int_equal(kp_wire_write_request_header(&out, KP_API_PRODUCE, 9, -5, kp_slice_cstr("client")), KP_OK);
	size_t len = out.len, consumed = 0;
	kp_buf_append(&out, "body", 4);
	kp_request_header h;
	assert_int_equal(kp_wire_read_request_header(kp_buf_slice(&out), &h, &consumed), KP_OK);
	assert_int_equal(consumed, len);
	assert_int_equal(h.request_api_key, KP_API_PRODUCE);
	assert_int_equal(h.request_api_version, 9);
	assert_int_equal(h.correlation_id, -5);
	assert_true(kp_slice_equal(h.client_id, kp_slice_cstr("client")));
	for (size_t cut = 0; cut < len; cut++) {
		kp_slice in = sample_exact_copy(out.data, cut);
		assert_int_equal(kp_wire_read_request_header(in, &h, &consumed), KP_ERR_PROTOCOL);
		free((void *)in.ptr);
	}
	kp_buf_deinit(&out);
}

static void unknown_api_key_is_told_apart(void **state)
{
	(void)state;
	kp_request_header h;
	size_t consumed;
	assert_int_equal(kp_wire_read_request_header(kp_slice_of("\x03\xe7\0\2\0\0\0\x09\0\0", 10), &h, &consumed),
	                 KP_ERR_NOT_SUPPORTED);
	assert_int_equal(h.request_api_key, 999);
	assert_int_equal(h.request_api_version, 2);
	assert_int_equal(h.correlation_id, 9);
}

static void response_header_survives(void **state)
{
	(void)state;
	static const int16_t versions[] = {8, 9};
	for (size_t i = 0; i < KP_ARRAY_LEN(versions); i++) {
		kp_buf out;
		int32_t correlation_id = 0;
		size_t consumed = 0;
		kp_buf_init(&out, 0);
		assert_int_equal(kp_wire_write_response_header(&out, KP_API_PRODUCE, versions[i], 77), KP_OK);
		assert_int_equal(out.len, i ? 5 : 4);
		kp_slice in = kp_buf_slice(&out);
		assert_int_equal(kp_wire_read_response_header(in, KP_API_PRODUCE, versions[i], &correlation_id, &consumed), KP_OK);
		assert_int_equal(correlation_id, 77);
		assert_int_equal(consumed, out.len);
		in.len--;
		assert_int_equal(kp_wire_read_response_header(in, KP_API_PRODUCE, versions[i], &correlation_id, &consumed),
		                 KP_ERR_PROTOCOL);
		kp_buf_deinit(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(header_version_follows_from_the_body),
		cmocka_unit_test(answer_to_api_versions_always_has_header_0),
		cmocka_unit_test(request_header_has_these_bytes),
		cmocka_unit_test(request_header_survives),
		cmocka_unit_test(unknown_api_key_is_told_apart),
		cmocka_unit_test(response_header_survives),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
