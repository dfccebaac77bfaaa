/* test_record.c - one record: what is written is read back, and what is broken is refused. */
#include "support.h"

static void assert_slice_equal(kp_slice a, kp_slice b)
{
	assert_true(kp_slice_equal(a, b));
}

static void assert_round_trip(const test_record *r)
{
	kp_buf buf;
	kp_record_view v;
	kp_buf_init(&buf, 0);
	append_record(&buf, r);
	uint8_t *copy = exact_copy(buf.data, buf.len);
	const uint8_t *p = copy;
	assert_int_equal(kp_record_load(&p, copy + buf.len, &v), 0);
	assert_ptr_equal(p, copy + buf.len);
	assert_int_equal(v.timestamp_delta, r->timestamp_delta);
	assert_int_equal(v.offset_delta, r->offset_delta);
	assert_slice_equal(v.key, r->content.key);
	assert_slice_equal(v.value, r->content.value);
	assert_int_equal(v.n_headers, r->content.n_headers);
	for (int32_t i = 0; i < v.n_headers; i++) {
		kp_record_header h;
		assert_int_equal(kp_record_header_next(&v.headers, &h), 0);
		assert_slice_equal(h.name, r->content.headers[i].name);
		assert_slice_equal(h.value, r->content.headers[i].value);
	}
	assert_int_equal(v.headers.len, 0);
	for (size_t cut = 0; cut < buf.len; cut++) {
		uint8_t *part = exact_copy(buf.data, cut);
		p = part;
		assert_int_equal(kp_record_load(&p, part + cut, &v), KP_ERR_PROTOCOL);
		assert_ptr_equal(p, part);
		free(part);
	}
	free(copy);
	kp_buf_deinit(&buf);
}

static void record_keeps_null_and_empty_apart(void **state)
{
	const kp_slice ways[] = {kp_slice_null(), TEXT(""), TEXT("x")};
	(void)state;
	for (size_t k = 0; k < 3; k++)
		for (size_t v = 0; v < 3; v++)
			assert_round_trip(&(test_record){.content = {.key = ways[k], .value = ways[v]}});
}

static void record_keeps_headers_with_null_and_repeated_names(void **state)
{
	const kp_record_header headers[] = {
		{TEXT("trace"), TEXT("\x00\xff")},
		{TEXT("null"), kp_slice_null()},
		{TEXT(""), TEXT("")},
		{TEXT("trace"), TEXT("2")},
	};
	(void)state;
	for (size_t n = 0; n <= KP_ARRAY_LEN(headers); n++)
		assert_round_trip(&(test_record){.content = {TEXT("k"), TEXT("v"), headers, n}});
}

static void record_keeps_many_headers(void **state)
{
	kp_record_header headers[200];
	(void)state;
	for (size_t i = 0; i < KP_ARRAY_LEN(headers); i++)
		headers[i] = (kp_record_header){TEXT("n"), TEXT("v")};
	assert_round_trip(&(test_record){.content = {TEXT("k"), TEXT("v"), headers, KP_ARRAY_LEN(headers)}});
}

static void record_keeps_every_delta(void **state)
{
	const int64_t deltas[] = {0, -1, 1, 63, 64, -64, -65, 8191, 8192, -86400000, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN};
	const int32_t offsets[] = {0, 1, 63, 64, 8191, 8192, 1 << 20, INT32_MAX, -1, INT32_MIN};
	(void)state;
	for (size_t i = 0; i < KP_ARRAY_LEN(deltas); i++)
		for (size_t k = 0; k < KP_ARRAY_LEN(offsets); k++)
			assert_round_trip(&(test_record){{TEXT("k"), TEXT("v"), NULL, 0}, deltas[i], offsets[k]});
}

static void record_keeps_values_at_the_edges_of_varint_sizes(void **state)
{
	static uint8_t bytes[70000];
	const size_t sizes[] = {62, 63, 64, 65, 127, 128, 8190, 8191, 8192};
	(void)state;
	for (size_t i = 0; i < KP_ARRAY_LEN(sizes); i++)
		assert_round_trip(&(test_record){.content = {kp_slice_of(bytes, sizes[i]), kp_slice_of(bytes, 9), NULL, 0}});
	test_record large = {.content = {kp_slice_null(), kp_slice_of(bytes, sizeof(bytes)), NULL, 0}};
	size_t body = kp_record_body_size(&large.content, 0, 0);
	assert_int_equal(body, 1 + 1 + 1 + 1 + 3 + sizeof(bytes) + 1);
}

/* The records below are hostile: each contradicts itself in one way. */
static void assert_refused(const char *bytes, size_t n)
{
	uint8_t *copy = exact_copy((const uint8_t *)bytes, n);
	const uint8_t *p = copy;
	kp_record_view v;
	assert_int_equal(kp_record_load(&p, copy + n, &v), KP_ERR_PROTOCOL);
	free(copy);
}
#define ASSERT_REFUSED(s) assert_refused(s, sizeof(s) - 1)

static void record_that_contradicts_itself_is_refused(void **state)
{
	kp_record_view v;
	const uint8_t good[] = {12, 0, 0, 0, 1, 1, 0}, *p = good;
	(void)state;
	assert_int_equal(kp_record_load(&p, good + sizeof(good), &v), 0);
	ASSERT_REFUSED("\x0e\x00\x00\x00\x01\x01\x00\x00");                                 /* a byte behind the headers */
	ASSERT_REFUSED("\x00");                                                             /* length 0: no attributes */
	ASSERT_REFUSED("\x01\x00\x00\x00\x01\x01\x00");                                     /* length -1 */
	ASSERT_REFUSED("\x0c\x00\x00\x00\x03\x01\x00");                                     /* key length -2 */
	ASSERT_REFUSED("\x0c\x00\x00\x00\x01\x03\x00");                                     /* value length -2 */
	ASSERT_REFUSED("\x0c\x00\x00\x00\x08\x01\x00");                                     /* key longer than the record */
	ASSERT_REFUSED("\x0c\x00\x00\x00\x01\x01\x01");                                     /* -1 headers */
	ASSERT_REFUSED("\x0c\x00\x00\x00\x01\x01\x02");                                     /* one header, none there */
	ASSERT_REFUSED("\x10\x00\x00\x00\x01\x01\x02\x01\x01");                             /* header with a null name */
	ASSERT_REFUSED("\x10\x00\x00\x00\x01\x01\x02\x00\x03");                             /* header value length -2 */
	ASSERT_REFUSED("\x14\x00\x00\x00\x01\x01\xfe\xff\xff\xff\x0f");                     /* 2^31 - 1 headers */
	ASSERT_REFUSED("\xfe\xff\xff\xff\x0f\x00\x00\x00\x01\x01\x00");                     /* length 2^31 - 1 */
	ASSERT_REFUSED("\x16\x00\x00\x80\x80\x80\x80\x80\x00\x01\x01\x00");                 /* offsetDelta in six bytes */
	ASSERT_REFUSED("\x14\x00\x00\x80\x80\x80\x80\x10\x01\x01\x00");                     /* offsetDelta beyond 32 bits */
	ASSERT_REFUSED("\x1e\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02\x00\x01\x01\x00"); /* timestampDelta beyond 64 */
}

static void header_walk_ends_with_an_error(void **state)
{
	kp_slice none = TEXT("");
	kp_record_header h = {TEXT("untouched"), kp_slice_null()};
	(void)state;
	assert_int_equal(kp_record_header_next(&none, &h), KP_ERR_PROTOCOL);
	assert_slice_equal(h.name, TEXT("untouched"));
}

static void random_bytes_never_read_past_the_end(void **state)
{
	kp_random r;
	(void)state;
	kp_random_init(&r, 1);
	for (int i = 0; i < 20000; i++) {
		uint8_t bytes[48];
		size_t n = kp_random_below(&r, sizeof(bytes) + 1);
		fill_random(&r, bytes, n);
		for (size_t k = 0; k < n; k += 2)
			bytes[k] &= 0x1f; /* small numbers get further */
		uint8_t *copy = exact_copy(bytes, n);
		const uint8_t *p = copy;
		kp_record_view v;
		if (kp_record_load(&p, copy + n, &v) == 0)
			assert_true(p > copy && p <= copy + n);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(record_keeps_null_and_empty_apart),
		cmocka_unit_test(record_keeps_headers_with_null_and_repeated_names),
		cmocka_unit_test(record_keeps_many_headers),
		cmocka_unit_test(record_keeps_every_delta),
		cmocka_unit_test(record_keeps_values_at_the_edges_of_varint_sizes),
		cmocka_unit_test(record_that_contradicts_itself_is_refused),
		cmocka_unit_test(header_walk_ends_with_an_error),
		cmocka_unit_test(random_bytes_never_read_past_the_end),
	};
	return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
