/*
 * parse.c - see parse.h.
 */
#include "cli/parse.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* 1, 1000, … for "", "k", …; 0 for anything else. */
static uint64_t multiplier_of(const char *suffix)
{
	static const char letters[] = "kMG";
	uint64_t m = 1;
	if (!*suffix)
		return 1;
	for (const char *l = letters; *l; l++) {
		m *= 1000;
		if (suffix[0] == *l && !suffix[1])
			return m;
	}
	return 0;
}

bool cli_parse_count(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
	char *end;
	/* strtoull would take blanks and a minus sign. */
	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	uint64_t n = strtoull(text, &end, 10), m = multiplier_of(end);
	if (errno || !m || n > UINT64_MAX / m || n * m < min || n * m > max)
		return false;
	*out = n * m;
	return true;
}

/* A plain decimal: strtod alone would take "inf", "0x1p3" and leading blanks. */
static bool parse_decimal(const char *text, double *out, const char **rest)
{
	size_t len = strspn(text, "0123456789.");
	char *end;
	if (!len || len > 20)
		return false;
	*out = strtod(text, &end);
	*rest = end;
	return end == text + len;
}

bool cli_parse_duration_ms(const char *text, int64_t max_ms, int64_t *out_ms)
{
	static const struct {
		const char *name;
		double ms;
	} units[] = {{"", 1000}, {"s", 1000}, {"ms", 1}, {"m", 60000}, {"h", 3600000}};
	const char *rest;
	double n;
	if (!parse_decimal(text, &n, &rest))
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (!strcmp(rest, units[i].name) && n * units[i].ms <= (double)max_ms) {
			*out_ms = (int64_t)(n * units[i].ms + 0.5);
			return true;
		}
	return false;
}

bool cli_parse_rate(const char *text, double *out)
{
	const char *rest;
	double n;
	if (!parse_decimal(text, &n, &rest))
		return false;
	uint64_t m = multiplier_of(rest);
	n *= (double)m;
	/* Below a record in eleven days it is a slip, and the time of the next one no figure any more. */
	if (!m || n > 1e9 || (n > 0 && n < 1e-6))
		return false;
	*out = n;
	return true;
}

/* The byte that the escape at p (behind the backslash) stands for, -1 when there is none; *used: characters behind the backslash. */
static int unescape(const char *p, size_t *used)
{
	static const char from[] = "trn0\\", to[] = "\t\r\n\0\\";
	const char *at = *p ? strchr(from, *p) : NULL;
	*used = 1;
	if (at)
		return (unsigned char)to[at - from];
	if (p[0] == 'x' && isxdigit((unsigned char)p[1]) && isxdigit((unsigned char)p[2])) {
		char hex[3] = {p[1], p[2], 0};
		*used = 3;
		return (int)strtol(hex, NULL, 16);
	}
	return -1;
}

bool cli_parse_escapes(char *text, size_t *len)
{
	char *out = text;
	for (const char *in = text; *in; in++) {
		if (*in != '\\') {
			*out++ = *in;
			continue;
		}
		size_t used;
		int byte = unescape(in + 1, &used);
		if (byte < 0)
			return false;
		*out++ = (char)byte;
		in += used;
	}
	*len = (size_t)(out - text);
	return true;
}
