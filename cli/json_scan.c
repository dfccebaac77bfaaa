/*
 * json_scan.c - see json_scan.h.
 */
#include "cli/json_scan.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/utf8.h"

void cli_json_scan_init(cli_json_scan *s, char *line, size_t len)
{
	*s = (cli_json_scan){.begin = line, .p = line, .end = line + len};
}

bool cli_json_fail(cli_json_scan *s, const char *at, const char *problem)
{
	if (!s->problem) {
		s->problem = problem;
		s->problem_at = (size_t)(at - s->begin);
	}
	return false;
}

static void skip_blanks(cli_json_scan *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\r' || *s->p == '\n'))
		s->p++;
}

bool cli_json_take(cli_json_scan *s, char c)
{
	skip_blanks(s);
	if (s->problem || s->p == s->end || *s->p != c)
		return false;
	s->p++;
	return true;
}

bool cli_json_want(cli_json_scan *s, char c, const char *problem)
{
	return cli_json_take(s, c) || cli_json_fail(s, s->p, problem);
}

bool cli_json_at_end(cli_json_scan *s)
{
	skip_blanks(s);
	return s->p == s->end;
}

static bool take_word(cli_json_scan *s, const char *word)
{
	size_t len = strlen(word);
	skip_blanks(s);
	if (s->problem || (size_t)(s->end - s->p) < len || memcmp(s->p, word, len))
		return false;
	s->p += len;
	return true;
}

bool cli_json_null(cli_json_scan *s)
{
	return take_word(s, "null");
}

static int hex_of(unsigned char c)
{
	return isdigit(c) ? c - '0' : isxdigit(c) ? (c | 0x20) - 'a' + 10 : -1;
}

/* The four digits behind "\u", -1 when they are not there. */
static int code_unit(const char *p, const char *end)
{
	int unit = 0;
	if (end - p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		int digit = hex_of((unsigned char)p[i]);
		if (digit < 0)
			return -1;
		unit = unit << 4 | digit;
	}
	return unit;
}

/* The code point at "\u", which may need two of them; *len is what it takes. -1: none. */
static int code_point(const char *p, const char *end, size_t *len)
{
	int high = code_unit(p + 2, end), low;
	*len = 6;
	if (high < 0xd800 || high > 0xdfff)
		return high;
	if (high > 0xdbff || end - p < 12 || p[6] != '\\' || p[7] != 'u')
		return -1;
	low = code_unit(p + 8, end);
	*len = 12;
	return low < 0xdc00 || low > 0xdfff ? -1 : 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
}

static const char escapes[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";

/* Over the escape or the character at p; NULL: it is none. */
static char *step(cli_json_scan *s, char *p)
{
	size_t len = 2;
	if ((unsigned char)*p >= 0x80) {
		len = cli_utf8_length(p, (size_t)(s->end - p));
		if (len)
			return p + len;
		cli_json_fail(s, p, "not UTF-8 (bytes that are no text go into value_base64, key_base64)");
		return NULL;
	}
	if (*p != '\\') {
		cli_json_fail(s, p, "a control character in a string, write it as \\u00XX");
		return NULL;
	}
	if (s->end - p >= 2 && p[1] == 'u') {
		if (code_point(p, s->end, &len) >= 0)
			return p + len;
		cli_json_fail(s, p, "\\u wants four hexadecimal digits, of a surrogate pair both halves");
		return NULL;
	}
	if (s->end - p >= 2 && p[1] && strchr(escapes, p[1]))
		return p + 2;
	cli_json_fail(s, p, "an unknown escape in a string");
	return NULL;
}

/* Over ASCII that stands for itself; eight bytes at a time as long as none of them is special (the high bits tell). */
static char *skip_plain(char *p, const char *end)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), high = ones * 0x80;
	for (uint64_t w; end - p >= 8; p += 8) {
		memcpy(&w, p, 8);
		uint64_t quote = w ^ (ones * '"'), backslash = w ^ (ones * '\\');
		if (((w - ones * 0x20) | (quote - ones) | (backslash - ones) | w) & high)
			break;
	}
	while (p < end && (unsigned char)*p >= 0x20 && (unsigned char)*p < 0x80 && *p != '"' && *p != '\\')
		p++;
	return p;
}

bool cli_json_string_next(cli_json_scan *s, cli_json_string *out)
{
	bool has_escapes = false;
	if (!cli_json_want(s, '"', "a string was expected"))
		return false;
	char *begin = s->p, *p = begin;
	while ((p = skip_plain(p, s->end)) < s->end && *p != '"') {
		has_escapes |= *p == '\\';
		p = step(s, p);
		if (!p)
			return false;
	}
	if (p == s->end)
		return cli_json_fail(s, begin - 1, "a string without its closing quote");
	*out = (cli_json_string){begin, (size_t)(p - begin), has_escapes};
	s->p = p + 1;
	return true;
}

bool cli_json_int_next(cli_json_scan *s, int64_t *out)
{
	char text[24], *end;
	size_t n = 0;
	skip_blanks(s);
	if (s->problem)
		return false;
	while (s->p + n < s->end && n < sizeof(text) - 1 && (isdigit((unsigned char)s->p[n]) || (n == 0 && s->p[n] == '-'))) {
		text[n] = s->p[n];
		n++;
	}
	text[n] = 0;
	errno = 0;
	int64_t value = strtoll(text, &end, 10);
	const char *digits = text + (text[0] == '-');
	bool is_more = s->p + n < s->end && strchr(".eE0123456789", s->p[n]);
	if (end == text || *end || errno || is_more || (digits[0] == '0' && digits[1]))
		return cli_json_fail(s, s->p, "a whole number was expected");
	s->p += n;
	*out = value;
	return true;
}

/* -?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)? */
static bool skip_number(cli_json_scan *s)
{
	const char *begin = s->p, *digits;
	s->p += s->p < s->end && *s->p == '-';
	for (digits = s->p; s->p < s->end && isdigit((unsigned char)*s->p); s->p++)
		;
	if (s->p == digits || (*digits == '0' && s->p - digits > 1))
		return cli_json_fail(s, begin, "a value was expected");
	if (s->p < s->end && *s->p == '.') {
		for (digits = ++s->p; s->p < s->end && isdigit((unsigned char)*s->p); s->p++)
			;
		if (s->p == digits)
			return cli_json_fail(s, begin, "a number without digits behind its point");
	}
	if (s->p == s->end || (*s->p | 0x20) != 'e')
		return true;
	s->p++;
	s->p += s->p < s->end && (*s->p == '+' || *s->p == '-');
	for (digits = s->p; s->p < s->end && isdigit((unsigned char)*s->p); s->p++)
		;
	return s->p > digits || cli_json_fail(s, begin, "a number without digits in its exponent");
}

bool cli_json_skip_scalar(cli_json_scan *s)
{
	cli_json_string ignored;
	if (take_word(s, "null") || take_word(s, "true") || take_word(s, "false"))
		return true;
	if (s->problem)
		return false;
	return s->p < s->end && *s->p == '"' ? cli_json_string_next(s, &ignored) : skip_number(s);
}

size_t cli_json_unescape(char *text, size_t len)
{
	const char *in = text, *end = text + len;
	char *out = text;
	while (in < end) {
		size_t used;
		if (*in != '\\') {
			*out++ = *in++;
		} else if (in[1] == 'u') {
			out += cli_utf8_put((unsigned)code_point(in, end, &used), out);
			in += used;
		} else {
			*out++ = meanings[strchr(escapes, in[1]) - escapes];
			in += 2;
		}
	}
	return (size_t)(out - text);
}
