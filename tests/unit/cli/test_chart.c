/* test_chart.c - the rows of a histogram: edges, counts, the ends; their text and JSON. */
#include "cli/chart.h"

#include "unit.h"

static cli_histogram *with(const uint64_t *values, size_t n)
{
	cli_histogram *h = malloc(sizeof(*h));
	cli_histogram_init(h);
	for (size_t i = 0; i < n; i++)
		cli_histogram_add(h, values[i]);
	return h;
}

/* The rows of these values are these. */
static void has_rows(const uint64_t *values, size_t n, const cli_chart_row *expected, size_t n_expected)
{
	cli_chart_row rows[CLI_CHART_ROWS];
	cli_histogram *h = with(values, n);
	assert_int_equal(cli_chart_rows(h, rows), n_expected);
	for (size_t i = 0; i < n_expected; i++)
		assert_memory_equal(&rows[i], &expected[i], sizeof(rows[i]));
	free(h);
}

static void chart_of_nothing_has_no_rows(void **state)
{
	(void)state;
	has_rows(NULL, 0, NULL, 0);
}

static void chart_goes_from_the_first_value_to_the_last(void **state)
{
	(void)state;
	has_rows((uint64_t[]){3}, 1, (cli_chart_row[]){{2, 5, 1}}, 1);
	has_rows((uint64_t[]){0, 0, 1}, 3, (cli_chart_row[]){{0, 1, 2}, {1, 2, 1}}, 2);
	has_rows((uint64_t[]){7, 70, 71}, 3, (cli_chart_row[]){{5, 10, 1}, {10, 20, 0}, {20, 50, 0}, {50, 100, 2}}, 4);
}

static void chart_takes_every_value_once(void **state)
{
	(void)state;
	uint64_t seed = 3, values[4000], extremes[] = {0, UINT64_MAX};
	cli_chart_row rows[CLI_CHART_ROWS];
	for (size_t i = 0; i < 4000; i++)
		values[i] = unit_random(&seed) >> (unit_random(&seed) % 64);
	cli_histogram *h = with(values, 4000), *ends = with(extremes, 2);
	uint64_t sum = 0;
	size_t n = cli_chart_rows(h, rows);
	for (size_t i = 0; i < n; i++) {
		sum += rows[i].n;
		assert_true(rows[i].from < rows[i].to && (!i || rows[i].from == rows[i - 1].to));
	}
	assert_int_equal(sum, 4000);
	n = cli_chart_rows(ends, rows);
	assert_true(n <= CLI_CHART_ROWS && rows[0].n == 1 && rows[n - 1].n == 1 && rows[n - 1].to == UINT64_MAX);
	free(h);
	free(ends);
}

static void chart_text_fits_the_width_and_shows_every_value(void **state)
{
	(void)state;
	static const char expected[] = "latency                records      % up to %\n"
				       "2.00 us - 5.00 us            1  10.00  10.000  ####\n"
				       "5.00 us - 10.0 us            0   0.00  10.000\n"
				       "10.0 us - 20.0 us            9  90.00 100.000  ################################\n";
	uint64_t values[10] = {3000};
	char *text = NULL;
	size_t len = 0;
	for (size_t i = 1; i < 10; i++)
		values[i] = 12000;
	cli_histogram *h = with(values, 10);
	FILE *out = open_memstream(&text, &len);
	cli_chart_print(h, 79, out);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(text, expected);
	for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
		assert_true(strcspn(line, "\n") <= 79);
	free(text);
	free(h);
}

static void chart_json_is_in_microseconds(void **state)
{
	(void)state;
	char *text = NULL;
	size_t len = 0;
	cli_histogram *h = with((uint64_t[]){3000, 300}, 2);
	FILE *out = open_memstream(&text, &len);
	cli_json j = {.out = out};
	cli_chart_json(h, NULL, &j);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(text,
	                    "[{\"from\": 0.200, \"to\": 0.500, \"count\": 1}, {\"from\": 0.500, \"to\": 1.000, \"count\": 0}, "
	                    "{\"from\": 1.000, \"to\": 2.000, \"count\": 0}, {\"from\": 2.000, \"to\": 5.000, \"count\": 1}]");
	free(text);
	free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chart_of_nothing_has_no_rows),  cmocka_unit_test(chart_goes_from_the_first_value_to_the_last),
		cmocka_unit_test(chart_takes_every_value_once),  cmocka_unit_test(chart_text_fits_the_width_and_shows_every_value),
		cmocka_unit_test(chart_json_is_in_microseconds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
