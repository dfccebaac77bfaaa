/*
 * page.h - a generated page of docs/ is what its generator prints now.
 */
#ifndef KP_TEST_BASE_PAGE_H
#define KP_TEST_BASE_PAGE_H

#include <stdio.h>
#include <stdlib.h>

#include "unit/base/unit.h"

static inline char *page_read(const char *name, size_t *len)
{
	char path[4096], *text = NULL;
	snprintf(path, sizeof(path), "%s/docs/%s", KP_SOURCE_DIR, name);
	FILE *f = fopen(path, "rb");
	*len = 0;
	if (!f)
		fail_msg("%s cannot be read", path);
	FILE *copy = open_memstream(&text, len);
	assert_non_null(copy);
	for (int c = getc(f); c != EOF; c = getc(f))
		assert_int_equal(putc(c, copy), c);
	assert_int_equal(fclose(copy), 0);
	assert_int_equal(fclose(f), 0);
	return text;
}

static inline void page_is_current(const char *name, void (*print)(FILE *out), const char *generator)
{
	size_t committed_len, fresh_len = 0;
	char *committed = page_read(name, &committed_len), *fresh = NULL;
	FILE *f = open_memstream(&fresh, &fresh_len);
	assert_non_null(f);
	print(f);
	assert_int_equal(fclose(f), 0);
	size_t same = 0;
	while (same < fresh_len && same < committed_len && fresh[same] == committed[same])
		same++;
	if (fresh_len != committed_len || same != fresh_len)
		fail_msg("docs/%s is stale from \"%.60s\" on: run %s > docs/%s", name, fresh + same, generator, name);
	free(committed);
	free(fresh);
}

#endif
