/* test_bytes.c - big-endian integers and varints: round trip, truncation, overlong. */
#include "base/bytes.h"

#include "base/random.h"
#include "unit.h"

static void bytes_are_big_endian(void **state)
{
	(void)state;
	uint8_t b[8];
	assert_ptr_equal(kp_store_be16(b, 0x8102), b + 2);
	assert_memory_equal(b, "\x81\x02", 2);
	assert_int_equal(kp_load_be16(b), 0x8102);
	assert_ptr_equal(kp_store_be32(b, 0x81020304), b + 4);
	assert_memory_equal(b, "\x81\x02\x03\x04", 4);
	assert_int_equal(kp_load_be32(b), 0x81020304);
	assert_ptr_equal(kp_store_be64(b, 0x8102030405060708), b + 8);
	assert_memory_equal(b, "\x81\x02\x03\x04\x05\x06\x07\x08", 8);
	assert_true(kp_load_be64(b) == 0x8102030405060708);
}

/* Store, check the size, read back, and see each truncation refused with the out-parameter untouched. */
static void check_uvarint(uint64_t v)
{
	uint8_t b[KP_VARINT64_MAX];
	size_t n = (size_t)(kp_store_uvarint(b, v) - b);
	uint64_t got = ~v;
	assert_int_equal(n, kp_uvarint_size(v));
	assert_true(n >= 1 && n <= KP_VARINT64_MAX);
	for (size_t cut = 0; cut < n; cut++) {
		assert_null(kp_load_uvarint(b, b + cut, &got));
		assert_true(got == ~v);
	}
	assert_ptr_equal(kp_load_uvarint(b, b + sizeof(b), &got), b + n);
	assert_true(got == v);
}

static void check_varint(int64_t v)
{
	uint8_t b[KP_VARINT64_MAX];
	size_t n = (size_t)(kp_store_varint(b, v) - b);
	int64_t got = ~v;
	assert_int_equal(n, kp_varint_size(v));
	assert_true(kp_unzigzag(kp_zigzag(v)) == v);
	for (size_t cut = 0; cut < n; cut++) {
		assert_null(kp_load_varint(b, b + cut, &got));
		assert_true(got == ~v);
	}
	assert_ptr_equal(kp_load_varint(b, b + n, &got), b + n);
	assert_true(got == v);
}

static void varint_round_trips_and_refuses_truncation(void **state)
{
	(void)state;
	kp_random r;
	kp_random_init(&r, 3);
	for (int bit = 0; bit < 64; bit++)
		for (int d = -1; d <= 1; d++) {
			uint64_t v = ((uint64_t)1 << bit) + (uint64_t)d;
			check_uvarint(v);
			check_varint((int64_t)v);
			check_varint((int64_t)~v);
		}
	check_varint(INT64_MIN);
	check_varint(INT64_MAX);
	for (int i = 0; i < 20000; i++) {
		uint64_t v = kp_random_next(&r) >> kp_random_below(&r, 64);
		check_uvarint(v);
		check_varint((int64_t)v);
		check_varint(-(int64_t)(v >> 1));
	}
}

static void varint_matches_known_bytes(void **state)
{
	(void)state;
	static const struct {
		int64_t v;
		const char *bytes;
		size_t n;
	} known[] = {
		{0, "\x00", 1},
		{-1, "\x01", 1},
		{1, "\x02", 1},
		{63, "\x7e", 1},
		{-64, "\x7f", 1},
		{64, "\x80\x01", 2},
		{-65, "\x81\x01", 2},
		{INT32_MAX, "\xfe\xff\xff\xff\x0f", 5},
		{INT32_MIN, "\xff\xff\xff\xff\x0f", 5},
		{INT64_MIN, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10},
	};
	for (size_t i = 0; i < KP_VARINT64_MAX; i++) {
		uint8_t b[KP_VARINT64_MAX];
		assert_int_equal(kp_store_varint(b, known[i].v) - b, known[i].n);
		assert_memory_equal(b, known[i].bytes, known[i].n);
	}
}

static void varint_refuses_more_than_64_bits(void **state)
{
	(void)state;
	uint8_t b[20];
	uint64_t v = 77;
	memset(b, 0xff, sizeof(b));
	b[9] = 0x01; /* the largest that is allowed */
	assert_ptr_equal(kp_load_uvarint(b, b + sizeof(b), &v), b + 10);
	assert_true(v == UINT64_MAX);
	v = 77;
	for (unsigned last = 2; last <= 0xff; last++) { /* bit 64 and up, or an eleventh byte */
		b[9] = (uint8_t)last;
		assert_null(kp_load_uvarint(b, b + sizeof(b), &v));
	}
	memset(b, 0x80, sizeof(b));
	assert_null(kp_load_uvarint(b, b + sizeof(b), &v));
	assert_int_equal(v, 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_are_big_endian),
		cmocka_unit_test(varint_round_trips_and_refuses_truncation),
		cmocka_unit_test(varint_matches_known_bytes),
		cmocka_unit_test(varint_refuses_more_than_64_bits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
