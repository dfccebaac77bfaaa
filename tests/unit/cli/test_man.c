/* test_man.c - docs/man is what the tables of commands and options say, and holds nothing else. */
#include "unit.h"

#include <dirent.h>

#define KP_MAN_PAGES_ONLY
#include "../../tools/gen_man.c"

#define FOLDER KP_SOURCE_DIR "/docs/man"

static char *read_page(const char *path, size_t *len)
{
	char *text = NULL;
	FILE *f = fopen(path, "rb"), *copy = open_memstream(&text, len);
	assert_non_null(copy);
	for (int c = f ? getc(f) : EOF; c != EOF; c = getc(f))
		assert_int_equal(putc(c, copy), c);
	assert_int_equal(fclose(copy), 0);
	if (f)
		assert_int_equal(fclose(f), 0);
	return text;
}

static void compare(const cli_command *command)
{
	char path[4096], *fresh = NULL;
	size_t committed_len, fresh_len = 0, same = 0;
	man_page_path(path, sizeof(path), FOLDER, command);
	char *committed = read_page(path, &committed_len);
	FILE *f = open_memstream(&fresh, &fresh_len);
	assert_non_null(f);
	print_man_page(f, command);
	assert_int_equal(fclose(f), 0);
	while (same < fresh_len && same < committed_len && fresh[same] == committed[same])
		same++;
	if (fresh_len != committed_len || same != fresh_len)
		fail_msg("%s is stale from \"%.60s\" on: run gen_man docs/man", path, fresh + same);
	free(committed);
	free(fresh);
}

static void test_man_pages_are_current(void **state)
{
	(void)state;
	compare(NULL);
	for (const cli_command *const *c = cli_commands; *c; c++)
		compare(*c);
}

static void test_man_pages_are_of_commands_that_exist(void **state)
{
	(void)state;
	size_t n_pages = 0, n_commands = 0;
	DIR *folder = opendir(FOLDER);
	assert_non_null(folder);
	for (const struct dirent *e; (e = readdir(folder));)
		n_pages += e->d_name[0] != '.';
	closedir(folder);
	while (cli_commands[n_commands])
		n_commands++;
	assert_int_equal(n_pages, n_commands + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_man_pages_are_current),
		cmocka_unit_test(test_man_pages_are_of_commands_that_exist),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
