/*
 * config_names.c - names: finding them, and guessing what was meant.
 */
#include "client/config_names.h"

#include <ctype.h>

#define LONGEST_GUESSED 96 /* bytes; every known name is shorter */

static bool next_of_rows(kp_name_walk *w)
{
	while (w->next_row < KP_PROP_COUNT) {
		const kp_property_row *row = &kp_property_rows[w->next_row];
		size_t i = w->next_alias++;
		const kp_alias *alias = i && i <= KP_MAX_ALIASES && row->aliases[i - 1].name ? &row->aliases[i - 1] : NULL;
		if (i && !alias) {
			w->next_row++;
			w->next_alias = 0;
			continue;
		}
		w->row = row;
		w->alias = alias;
		w->name = kp_slice_cstr(alias ? alias->name : row->name);
		return true;
	}
	return false;
}

static bool next_of_groups(kp_name_walk *w)
{
	kp_slice word = kp_slice_null();
	w->row = NULL;
	w->alias = NULL;
	while (!w->words || !kp_words_next(&w->words, &word)) {
		if (w->next_group == kp_n_known_groups)
			return false;
		w->group = &kp_known_groups[w->next_group++];
		w->words = w->group->names;
	}
	const uint8_t *equals = memchr(word.ptr, '=', word.len);
	size_t len = equals ? (size_t)(equals - word.ptr) : word.len;
	w->name = kp_slice_of(word.ptr, len);
	w->accepted = equals ? kp_slice_of(equals + 1, word.len - len - 1) : kp_slice_null();
	return true;
}

bool kp_name_next(kp_name_walk *w)
{
	return next_of_rows(w) || next_of_groups(w);
}

bool kp_name_find(const char *name, kp_name_walk *w)
{
	kp_slice wanted = kp_slice_cstr(name);
	*w = (kp_name_walk){0};
	while (kp_name_next(w))
		if (kp_slice_equal(w->name, wanted))
			return true;
	return false;
}

/* Case and the separator are the commonest slips of all: they count for nothing. */
static void fold(kp_slice s, char *out)
{
	for (size_t i = 0; i < s.len; i++) {
		int c = s.ptr[i];
		out[i] = c == '_' || c == '-' ? '.' : (char)tolower(c);
	}
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Insertions, deletions, substitutions and swaps of neighbours ("optimal string alignment"). Lengths below LONGEST_GUESSED. */
static unsigned distance(const char *a, size_t n, const char *b, size_t m)
{
	unsigned rows[3][LONGEST_GUESSED + 1]; /* of the matrix, in turn: two back, one back, this one */
	for (size_t j = 0; j <= m; j++)
		rows[0][j] = (unsigned)j;
	for (size_t i = 1; i <= n; i++) {
		unsigned *row = rows[i % 3], *up = rows[(i - 1) % 3];
		const unsigned *up2 = rows[(i + 1) % 3];
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= m; j++) {
			row[j] = least(least(up[j] + 1, row[j - 1] + 1), up[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], up2[j - 2] + 1);
		}
	}
	return rows[n % 3][m];
}

kp_slice kp_name_nearest(const char *name)
{
	char wanted[LONGEST_GUESSED + 1], candidate[LONGEST_GUESSED + 1];
	kp_slice s = kp_slice_cstr(name), nearest = kp_slice_null();
	kp_name_walk w = {0};
	if (!s.len || s.len >= LONGEST_GUESSED)
		return nearest;
	fold(s, wanted);
	unsigned best = (unsigned)(s.len / 3 + 2); /* further away it would be another name, not a slip */
	while (kp_name_next(&w)) {
		if (w.name.len >= LONGEST_GUESSED)
			continue;
		fold(w.name, candidate);
		/* the first words of a name: as near as one slip */
		bool is_beginning = w.name.len > s.len && memcmp(candidate, wanted, s.len) == 0 && candidate[s.len] == '.';
		unsigned d = is_beginning ? 1 : distance(wanted, s.len, candidate, w.name.len);
		if (d < best) {
			best = d;
			nearest = w.name;
		}
	}
	return nearest;
}

int kp_name_refuse_known(const kp_name_walk *w, const char *value, kp_err_line err)
{
	kp_slice given = kp_slice_trim(kp_slice_cstr(value));
	bool has_accepted = !kp_slice_is_null(w->accepted);
	if (has_accepted && given.len == w->accepted.len) {
		bool equal = true;
		for (size_t i = 0; i < given.len; i++)
			equal &= tolower(given.ptr[i]) == tolower(w->accepted.ptr[i]);
		if (equal)
			return 0;
	}
	return kp_config_refuse(err, "%.*s is known, not supported here: %s%s%.*s%s", (int)w->name.len, (const char *)w->name.ptr,
	                        w->group->reason, has_accepted ? " (only " : "", has_accepted ? (int)w->accepted.len : 0,
	                        has_accepted ? (const char *)w->accepted.ptr : "", has_accepted ? " is accepted)" : "");
}
