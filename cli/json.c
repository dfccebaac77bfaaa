/*
 * json.c - see json.h.
 */
#include "cli/json.h"

#include <inttypes.h>
#include <stddef.h>

/* The length of the UTF-8 sequence at s (RFC 3629: no surrogates, nothing overlong), 0 when it is none. */
static size_t utf8_length(const unsigned char *s)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t n = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0;
	if (s[0] == 0xe0)
		low = 0xa0;
	else if (s[0] == 0xed)
		high = 0x9f;
	else if (s[0] == 0xf0)
		low = 0x90;
	else if (s[0] == 0xf4)
		high = 0x8f;
	for (size_t i = 1; i < n; i++, low = 0x80, high = 0xbf)
		if (s[i] < low || s[i] > high)
			return 0;
	return n;
}

static void put_string(FILE *out, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	putc('"', out);
	while (*s) {
		size_t n = utf8_length(s);
		if (!n) {
			fputs("\\ufffd", out);
			n = 1;
		} else if (*s == '"' || *s == '\\')
			fprintf(out, "\\%c", *s);
		else if (*s < 0x20)
			fprintf(out, "\\u%04x", *s);
		else
			fwrite(s, 1, n, out);
		s += n;
	}
	putc('"', out);
}

static void put_name(cli_json *j, const char *name)
{
	if (j->needs_comma)
		fputs(", ", j->out);
	j->needs_comma = true;
	if (name) {
		put_string(j->out, name);
		fputs(": ", j->out);
	}
}

void cli_json_open(cli_json *j, const char *name, char bracket)
{
	put_name(j, name);
	putc(bracket, j->out);
	j->needs_comma = false;
}

void cli_json_close(cli_json *j, char bracket)
{
	putc(bracket, j->out);
	j->needs_comma = true;
}

void cli_json_text(cli_json *j, const char *name, const char *value)
{
	put_name(j, name);
	if (value)
		put_string(j->out, value);
	else
		fputs("null", j->out);
}

void cli_json_uint(cli_json *j, const char *name, uint64_t value)
{
	put_name(j, name);
	fprintf(j->out, "%" PRIu64, value);
}

void cli_json_int(cli_json *j, const char *name, int64_t value)
{
	put_name(j, name);
	fprintf(j->out, "%" PRId64, value);
}

void cli_json_real(cli_json *j, const char *name, double value, int decimals)
{
	put_name(j, name);
	fprintf(j->out, "%.*f", decimals, __builtin_isfinite(value) ? value : 0.0);
}

void cli_json_bool(cli_json *j, const char *name, bool value)
{
	put_name(j, name);
	fputs(value ? "true" : "false", j->out);
}
