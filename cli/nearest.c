/*
 * nearest.c - see nearest.h.
 */
#include "cli/nearest.h"

#include <stdio.h>
#include <string.h>

#define LONGEST 64

static unsigned min2(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Insertions, deletions, changes and swaps of neighbours (Damerau-Levenshtein, optimal string alignment); both at most LONGEST. */
static unsigned distance(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);
	unsigned rows[3][LONGEST + 1];
	for (size_t j = 0; j <= m; j++)
		rows[0][j] = (unsigned)j;
	for (size_t i = 1; i <= n; i++) {
		unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= m; j++) {
			row[j] = min2(min2(above[j], row[j - 1]) + 1, above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = min2(row[j], two_above[j - 2] + 1);
		}
	}
	return rows[n % 3][m];
}

void cli_nearest_init(cli_nearest *n, const char *word)
{
	size_t len = strlen(word);
	*n = (cli_nearest){.word = word, .distance = (unsigned)(len < 3 ? 1 : len / 3) + 1};
}

void cli_nearest_try(cli_nearest *n, const char *candidate)
{
	if (strlen(n->word) > LONGEST || strlen(candidate) > LONGEST)
		return;
	unsigned d = distance(n->word, candidate);
	if (d >= n->distance)
		return;
	n->distance = d;
	n->best = candidate;
}

const char *cli_nearest_hint(const cli_nearest *n, const char *lead, char out[CLI_NEAREST_SIZE])
{
	out[0] = 0;
	if (n->best)
		snprintf(out, CLI_NEAREST_SIZE, ", did you mean %s%s?", lead, n->best);
	return out;
}
