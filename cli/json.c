/*
 * json.c - see json.h.
 */
#include "cli/json.h"

#include <inttypes.h>
#include <string.h>

#include "cli/utf8.h"

size_t cli_json_escape(unsigned char c, char out[CLI_JSON_ESCAPE_MAX])
{
	static const char from[] = "\"\\\n\r\t", to[] = "\"\\nrt", hex[] = "0123456789abcdef";
	const char *at = memchr(from, c, sizeof(from) - 1);
	out[0] = '\\';
	if (at) {
		out[1] = to[at - from];
		return 2;
	}
	memcpy(out + 1, "u00", 3);
	out[4] = hex[c >> 4];
	out[5] = hex[c & 15];
	return 6;
}

static void put_string(FILE *out, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	char escape[CLI_JSON_ESCAPE_MAX];
	putc('"', out);
	while (*s) {
		size_t n = cli_utf8_length(s, 4); /* the terminator ends what is cut short */
		if (!n) {
			fputs("\\ufffd", out);
			n = 1;
		} else if (cli_json_is_special(*s))
			fwrite(escape, 1, cli_json_escape(*s, escape), out);
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
