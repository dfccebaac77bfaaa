/* test_error_docs.c - docs/errors.md is what the error table says. */
#include "unit.h"

#define KP_ERRORS_PAGE_ONLY
#include "../../tools/gen_errors.c"
#include "unit/base/page.h"

static void error_docs_are_current(void **state)
{
	(void)state;
	page_is_current("errors.md", print_errors_page, "gen_errors");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(error_docs_are_current)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
