/* test_config_docs.c - docs/configuration.md is what the property table says. */
#include "config_support.h"

#define KP_CONFIGURATION_PAGE_ONLY
#include "../../tools/gen_configuration.c"
#include "unit/base/page.h"

static void test_config_docs_are_current(void **state)
{
	(void)state;
	page_is_current("configuration.md", print_configuration_page, "gen_configuration");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_config_docs_are_current)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
