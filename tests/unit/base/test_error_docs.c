/* test_error_docs.c - docs/errors.md is what the error table says. */
#include "unit.h"

#define KP_ERRORS_PAGE_ONLY
#include "../../tools/gen_errors.c"

static char *read_page(size_t *len)
{
	FILE *f = fopen(KP_SOURCE_DIR "/docs/errors.md", "rb");
	char *text = NULL;
	*len = 0;
	if (!f)
		fail_msg("%s/docs/errors.md cannot be read", KP_SOURCE_DIR);
	FILE *copy = open_memstream(&text, len);
	assert_non_null(copy);
	for (int c = getc(f); c != EOF; c = getc(f))
		assert_int_equal(putc(c, copy), c);
	assert_int_equal(fclose(copy), 0);
	assert_int_equal(fclose(f), 0);
	return text;
}

static void error_docs_are_current(void **state)
{
	(void)state;
	size_t committed_len, fresh_len = 0;
	char *committed = read_page(&committed_len), *fresh = NULL;
	FILE *f = open_memstream(&fresh, &fresh_len);
	assert_non_null(f);
	print_errors_page(f);
	assert_int_equal(fclose(f), 0);
	size_t same = 0;
	while (same < fresh_len && same < committed_len && fresh[same] == committed[same])
		same++;
	if (fresh_len != committed_len || same != fresh_len)
		fail_msg("docs/errors.md is stale from \"%.60s\" on: run gen_errors > docs/errors.md", fresh + same);
	free(committed);
	free(fresh);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(error_docs_are_current)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
