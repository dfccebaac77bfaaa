/* test_crc32c.c - RFC 3720 appendix B.4's vectors, a bitwise model, and combine against direct sums. */
#include "base/crc32c.h"

#include <sys/mman.h>

#include "base/random.h"
#include "unit.h"

static uint32_t bitwise(const uint8_t *p, size_t n)
{
	uint32_t crc = ~0u;
	for (size_t i = 0; i < n; i++) {
		crc ^= p[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0x82f63b78u : crc >> 1;
	}
	return ~crc;
}

static void crc32c_gives_the_vectors_of_rfc_3720(void **state)
{
	(void)state;
	uint8_t b[32];
	/* an iSCSI SCSI Read (10) command PDU */
	static const uint8_t pdu[48] = {0x01, 0xc0, 0, 0, 0, 0, 0,    0, 0,    0, 0, 0,    0, 0, 0, 0,
	                                0x14, 0,    0, 0, 0, 0, 0x04, 0, 0,    0, 0, 0x14, 0, 0, 0, 0x18,
	                                0x28, 0,    0, 0, 0, 0, 0,    0, 0x02, 0, 0, 0,    0, 0, 0, 0};
	assert_int_equal(kp_crc32c("123456789", 9), 0xE3069283);
	assert_int_equal(kp_crc32c("", 0), 0);
	memset(b, 0, 32);
	assert_int_equal(kp_crc32c(b, 32), 0x8A9136AA);
	memset(b, 0xff, 32);
	assert_int_equal(kp_crc32c(b, 32), 0x62A8AB43);
	for (unsigned i = 0; i < 32; i++)
		b[i] = (uint8_t)i;
	assert_int_equal(kp_crc32c(b, 32), 0x46DD794E);
	for (unsigned i = 0; i < 32; i++)
		b[i] = (uint8_t)(31 - i);
	assert_int_equal(kp_crc32c(b, 32), 0x113FDB5C);
	assert_int_equal(kp_crc32c(pdu, 48), 0xD9963A56);
}

static void crc32c_agrees_with_the_bitwise_sum_at_any_length_and_alignment(void **state)
{
	(void)state;
	uint8_t b[700];
	kp_random r;
	kp_random_init(&r, 7);
	for (size_t i = 0; i < sizeof(b); i++)
		b[i] = (uint8_t)kp_random_next(&r);
	for (size_t n = 0; n < 600; n++)
		assert_int_equal(kp_crc32c(b + n % 17, n), bitwise(b + n % 17, n));
}

static void crc32c_of_random_splits_extends_and_combines(void **state)
{
	(void)state;
	static uint8_t b[300000];
	kp_random r;
	kp_random_init(&r, 8);
	for (size_t i = 0; i < sizeof(b); i++)
		b[i] = (uint8_t)kp_random_next(&r);
	for (int i = 0; i < 2000; i++) {
		size_t n = kp_random_below(&r, i % 2 ? 200 : sizeof(b) + 1), cut = kp_random_below(&r, (uint32_t)n + 1);
		uint32_t whole = kp_crc32c(b, n), head = kp_crc32c(b, cut), tail = kp_crc32c(b + cut, n - cut);
		assert_int_equal(kp_crc32c_combine(head, tail, n - cut), whole);
		assert_int_equal(kp_crc32c_extend(head, b + cut, n - cut), whole);
	}
}

/* Lengths no buffer has: appending B twice must be the same as appending BB, for every power of two up to 2^63. */
static void crc32c_combine_is_right_for_every_power_of_two(void **state)
{
	(void)state;
	uint32_t crc_b = kp_crc32c("x", 1), crc_a = kp_crc32c("head", 4);
	for (int k = 0; k < 63; k++) {
		uint64_t len = (uint64_t)1 << k;
		uint32_t twice = kp_crc32c_combine(crc_b, crc_b, len);
		uint32_t stepwise = kp_crc32c_combine(kp_crc32c_combine(crc_a, crc_b, len), crc_b, len);
		assert_int_equal(kp_crc32c_combine(crc_a, twice, len * 2), stepwise);
		crc_b = twice;
	}
}

static void crc32c_sums_more_than_two_gib(void **state)
{
	(void)state;
	/* Read-only anonymous memory is the kernel's zero page over and over: it costs page tables only. */
	size_t n = ((size_t)5 << 29) + 12345;
	void *p = mmap(NULL, n, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert_true(p != MAP_FAILED);
	uint32_t sum = kp_crc32c(p, 12345), block = kp_crc32c(p, 1 << 29);
	for (int i = 0; i < 5; i++)
		sum = kp_crc32c_combine(sum, block, 1 << 29);
	assert_int_equal(kp_crc32c(p, n), sum);
	munmap(p, n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crc32c_gives_the_vectors_of_rfc_3720),
		cmocka_unit_test(crc32c_agrees_with_the_bitwise_sum_at_any_length_and_alignment),
		cmocka_unit_test(crc32c_of_random_splits_extends_and_combines),
		cmocka_unit_test(crc32c_combine_is_right_for_every_power_of_two),
		cmocka_unit_test(crc32c_sums_more_than_two_gib),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
