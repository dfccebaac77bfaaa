/* test_time.c - units and direction of the clocks. */
#include "base/time.h"

#include <time.h>

#include "unit.h"

static void time_mono_runs_forward(void **state)
{
	(void)state;
	int64_t last = kp_time_mono_us();
	assert_true(last > 0);
	for (int i = 0; i < 1000; i++) {
		int64_t now = kp_time_mono_us();
		assert_true(now >= last);
		last = now;
	}
}

static void time_wall_is_in_milliseconds_since_1970(void **state)
{
	(void)state;
	int64_t before = (int64_t)time(NULL) * 1000 - 1000, now = kp_time_wall_ms(), coarse = kp_time_wall_coarse_ms();
	assert_true(now >= before && now < before + 60000);
	assert_true(coarse >= before && coarse <= kp_time_wall_ms());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(time_mono_runs_forward),
		cmocka_unit_test(time_wall_is_in_milliseconds_since_1970),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
