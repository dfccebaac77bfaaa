/* test_os_error.c - what the system says went wrong, with the remedy where a limit was reached. */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>

#include "base/os_error.h"

static void a_reached_limit_is_named_with_its_remedy(void **state)
{
	struct rlimit limit;
	char expected[100];
	(void)state;
	assert_int_equal(0, getrlimit(RLIMIT_NOFILE, &limit));
	snprintf(expected, sizeof(expected), "the descriptor limit of %llu is reached: raise ulimit -n",
	         (unsigned long long)limit.rlim_cur);
	assert_string_equal(expected, kp_os_error_text(EMFILE));
	assert_string_equal("the system's descriptor limit is reached: raise fs.file-max", kp_os_error_text(ENFILE));
	assert_true(kp_os_is_out_of_descriptors(EMFILE) && kp_os_is_out_of_descriptors(ENFILE));
}

static void all_else_is_said_as_the_system_says_it(void **state)
{
	(void)state;
	assert_string_equal(strerror(ECONNREFUSED), kp_os_error_text(ECONNREFUSED));
	assert_false(kp_os_is_out_of_descriptors(ECONNREFUSED) || kp_os_is_out_of_descriptors(0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reached_limit_is_named_with_its_remedy),
		cmocka_unit_test(all_else_is_said_as_the_system_says_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
