/* test_histogram.c - quantiles against sorted values, bounds, extremes, merging. */
#include "cli/histogram.h"

#include "unit.h"

#define N 20000

static const double quantiles[] = {0, 0.001, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 0.9999, 1};

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

/* Each quantile within 1 % of the exact value of the same rank. */
static void compare(uint64_t *values, size_t n)
{
	cli_histogram *h = malloc(sizeof(*h));
	cli_histogram_init(h);
	for (size_t i = 0; i < n; i++)
		cli_histogram_add(h, values[i]);
	qsort(values, n, sizeof(*values), by_value);
	for (size_t i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++) {
		size_t rank = (size_t)(quantiles[i] * (double)n);
		rank += (double)rank < quantiles[i] * (double)n;
		uint64_t exact = values[rank ? rank - 1 : 0], got = cli_histogram_quantile(h, quantiles[i]);
		if ((double)(got > exact ? got - exact : exact - got) > 0.01 * (double)exact)
			fail_msg("q %g: %llu, exact %llu", quantiles[i], (unsigned long long)got, (unsigned long long)exact);
	}
	assert_int_equal(h->n, n);
	assert_int_equal(h->min, values[0]);
	assert_int_equal(h->max, values[n - 1]);
	free(h);
}

static void histogram_is_within_one_percent_of_sorted_values(void **state)
{
	(void)state;
	uint64_t seed = 1, *values = malloc(N * sizeof(*values));
	for (int spread = 1; spread <= 64; spread++) {
		for (size_t i = 0; i < N; i++)
			values[i] = unit_random(&seed) >> (64 - spread);
		compare(values, N);
	}
	/* A long tail, as latencies have: uniform in the exponent. */
	for (size_t i = 0; i < N; i++)
		values[i] = unit_random(&seed) >> (unit_random(&seed) % 64);
	compare(values, N);
	for (size_t n = 1; n <= 12; n++) {
		for (size_t i = 0; i < n; i++)
			values[i] = unit_random(&seed) % 1000000;
		compare(values, n);
	}
	free(values);
}

static void histogram_is_exact_below_128(void **state)
{
	(void)state;
	cli_histogram *h = malloc(sizeof(*h));
	cli_histogram_init(h);
	for (uint64_t v = 0; v < 128; v++)
		cli_histogram_add(h, v);
	for (uint64_t v = 0; v < 128; v++)
		assert_int_equal(cli_histogram_quantile(h, (double)(v + 1) / 128), v);
	free(h);
}

static void histogram_takes_extremes_and_powers_of_two(void **state)
{
	(void)state;
	cli_histogram *h = malloc(sizeof(*h));
	cli_histogram_init(h);
	assert_int_equal(cli_histogram_quantile(h, 0.5), 0);
	cli_histogram_add(h, 0);
	cli_histogram_add(h, UINT64_MAX);
	assert_int_equal(cli_histogram_quantile(h, 0), 0);
	assert_true(cli_histogram_quantile(h, 1) == UINT64_MAX);
	for (int bit = 0; bit < 64; bit++) {
		uint64_t around[3] = {((uint64_t)1 << bit) - 1, (uint64_t)1 << bit, ((uint64_t)1 << bit) + 1};
		compare(around, 3);
	}
	free(h);
}

static void histogram_merge_equals_adding_to_one(void **state)
{
	(void)state;
	uint64_t seed = 2;
	cli_histogram *all = malloc(sizeof(*all)), *part[2] = {malloc(sizeof(*all)), malloc(sizeof(*all))};
	cli_histogram_init(all);
	cli_histogram_init(part[0]);
	cli_histogram_init(part[1]);
	for (int i = 0; i < 1000; i++) {
		uint64_t v = unit_random(&seed) >> 30;
		cli_histogram_add(all, v);
		cli_histogram_add(part[i % 2], v);
	}
	cli_histogram_merge(part[0], part[1]);
	assert_memory_equal(part[0], all, sizeof(*all));
	free(all);
	free(part[0]);
	free(part[1]);
}

static void histogram_counts_below_a_limit(void **state)
{
	(void)state;
	cli_histogram *h = malloc(sizeof(*h));
	cli_histogram_init(h);
	assert_int_equal(cli_histogram_count_below(h, UINT64_MAX), 0);
	for (uint64_t v = 0; v < 100000; v++)
		cli_histogram_add(h, v);
	assert_int_equal(cli_histogram_count_below(h, 0), 0);
	for (uint64_t limit = 1; limit < 128; limit++)
		assert_int_equal(cli_histogram_count_below(h, limit), limit);
	for (uint64_t limit = 128; limit < 100000; limit = limit * 3 / 2)
		assert_in_range(cli_histogram_count_below(h, limit), limit - limit / 128, limit + limit / 128);
	assert_int_equal(cli_histogram_count_below(h, UINT64_MAX), 100000);
	free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(histogram_is_within_one_percent_of_sorted_values),
		cmocka_unit_test(histogram_is_exact_below_128),
		cmocka_unit_test(histogram_takes_extremes_and_powers_of_two),
		cmocka_unit_test(histogram_merge_equals_adding_to_one),
		cmocka_unit_test(histogram_counts_below_a_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
