/* test_pace.c - --rate under a clock of the test's own. */
#include "cli/pace.h"

#include "unit.h"

#define SECOND INT64_C(1000000000)

/* Send for a while, in groups, with a clock that only moves by waiting; how many went. */
static uint64_t run(cli_pace *p, int64_t *now_ns, int64_t until_ns, size_t max)
{
	uint64_t n = 0;
	while (*now_ns < until_ns) {
		int64_t wait_ns = cli_pace_wait_ns(p, *now_ns);
		if (wait_ns) {
			*now_ns += wait_ns;
			continue;
		}
		size_t group = cli_pace_group(p, max);
		cli_pace_sent(p, group, *now_ns);
		n += group;
	}
	return n;
}

static void pace_holds_the_rate_from_slow_to_fast(void **state)
{
	(void)state;
	static const double rates[] = {0.5, 1, 3, 999, 1500, 1e4, 123456, 2e6};
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		cli_pace p = {.rate = rates[i]};
		int64_t now_ns = 77 * SECOND;
		double wanted = rates[i] * 100, got = (double)run(&p, &now_ns, 177 * SECOND, 256);
		assert_true(got >= wanted * 0.999 && got <= wanted * 1.001 + 256);
	}
}

static void pace_sends_what_a_millisecond_has_at_once(void **state)
{
	(void)state;
	assert_int_equal(cli_pace_group(&(cli_pace){.rate = 0}, 256), 256);
	assert_int_equal(cli_pace_group(&(cli_pace){.rate = 0.1}, 256), 1);
	assert_int_equal(cli_pace_group(&(cli_pace){.rate = 1999}, 256), 1);
	assert_int_equal(cli_pace_group(&(cli_pace){.rate = 50000}, 256), 50);
	assert_int_equal(cli_pace_group(&(cli_pace){.rate = 1e9}, 256), 256);
}

static void pace_makes_up_for_a_tenth_of_a_second_at_most(void **state)
{
	(void)state;
	cli_pace p = {.rate = 1000};
	int64_t now_ns = SECOND;
	run(&p, &now_ns, 2 * SECOND, 256);
	now_ns += 60 * SECOND;
	uint64_t n = run(&p, &now_ns, now_ns + SECOND, 256);
	assert_in_range(n, 1090, 1110);
}

static void pace_without_a_rate_never_waits(void **state)
{
	(void)state;
	cli_pace p = {0};
	cli_pace_sent(&p, 1000000, 1);
	assert_int_equal(cli_pace_wait_ns(&p, 1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pace_holds_the_rate_from_slow_to_fast),
		cmocka_unit_test(pace_sends_what_a_millisecond_has_at_once),
		cmocka_unit_test(pace_makes_up_for_a_tenth_of_a_second_at_most),
		cmocka_unit_test(pace_without_a_rate_never_waits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
