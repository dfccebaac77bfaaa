/* test_random.c - the generator against its reference, bounds and seeds. */
#include "base/random.h"

#include "unit.h"

static void random_follows_the_reference_sequence(void **state)
{
	(void)state;
	/* xoshiro256** from the state {1, 2, 3, 4}: the values that the reference implementation prints */
	static const uint64_t expected[] = {11520, 0, 1509978240, 1215971899390074240, 1216172134540287360, 607988272756665600};
	kp_random r = {{1, 2, 3, 4}};
	for (int i = 0; i < 6; i++)
		assert_true(kp_random_next(&r) == expected[i]);
}

static void random_seed_replays_and_seeds_differ(void **state)
{
	(void)state;
	kp_random a, b, c;
	int same = 0;
	kp_random_init(&a, 0);
	kp_random_init(&b, 0);
	kp_random_init(&c, 1);
	assert_true(a.s[0] == 0xe220a8397b1dcdaf); /* splitmix64's first output from 0 */
	for (int i = 0; i < 1000; i++) {
		uint64_t v = kp_random_next(&a);
		assert_true(v == kp_random_next(&b));
		same += v == kp_random_next(&c);
	}
	assert_int_equal(same, 0);
	assert_true(kp_random_os_seed() != kp_random_os_seed());
}

static void random_below_is_even_and_in_bounds(void **state)
{
	(void)state;
	kp_random r;
	int n[10] = {0};
	kp_random_init(&r, 5);
	for (int i = 0; i < 100000; i++)
		n[kp_random_below(&r, 10)]++;
	for (int i = 0; i < 10; i++)
		assert_in_range(n[i], 9600, 10400); /* four standard deviations */
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(kp_random_below(&r, 1), 0);
		assert_true(kp_random_below(&r, UINT32_MAX) < UINT32_MAX);
	}
}

static void random_unit_stays_below_one(void **state)
{
	(void)state;
	kp_random r;
	double sum = 0;
	kp_random_init(&r, 6);
	for (int i = 0; i < 100000; i++) {
		double v = kp_random_unit(&r);
		assert_true(v >= 0 && v < 1);
		sum += v;
	}
	assert_true(sum > 49600 && sum < 50400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_follows_the_reference_sequence),
		cmocka_unit_test(random_seed_replays_and_seeds_differ),
		cmocka_unit_test(random_below_is_even_and_in_bounds),
		cmocka_unit_test(random_unit_stays_below_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
