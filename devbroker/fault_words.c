/*
 * fault_words.c - see fault_words.h.
 */
#include "devbroker/fault_words.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ERRORS_TOLD 20
#define NAME_MAX_GUESSED 40

void kp_fault_words_init(kp_fault_words *w, kp_slice text, kp_buf *errors)
{
	*w = (kp_fault_words){.errors = errors, .line = 1};
	w->next = w->line_start = text.ptr;
	w->end = text.len ? text.ptr + text.len : text.ptr;
	kp_fault_words_next(w);
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool ends_word(uint8_t c)
{
	return is_blank(c) || memchr("\n;#:=,\"", c, 7);
}

/* What stands in quotes ends with its line at the latest. */
static void scan_quoted(kp_fault_words *w)
{
	kp_fault_token *t = &w->token;
	const uint8_t *start = ++w->next;
	while (w->next < w->end && *w->next != '"' && *w->next != '\n')
		w->next++;
	t->text = kp_slice_of(start, (size_t)(w->next - start));
	t->is_quoted = true;
	t->is_unterminated = w->next == w->end || *w->next != '"';
	w->next += !t->is_unterminated;
}

void kp_fault_words_next(kp_fault_words *w)
{
	while (w->next < w->end && is_blank(*w->next))
		w->next++;
	kp_fault_token *t = &w->token;
	*t = (kp_fault_token){
		KP_FAULT_RULE_END, kp_slice_of(w->next, 0), w->line, (int)(w->next - w->line_start) + 1, w->next, false, false};
	if (w->next == w->end)
		return;
	uint8_t c = *w->next;
	if (c == '#')
		while (w->next < w->end && *w->next != '\n')
			w->next++;
	if (w->next == w->end)
		return;
	c = *w->next;
	t->text.len = 1;
	if (c == '\n') {
		w->line_start = ++w->next;
		w->line++;
	} else if (c == ';') {
		w->next++;
	} else if (c == ':' || c == '=' || c == ',') {
		t->kind = KP_FAULT_SIGN;
		w->next++;
	} else {
		t->kind = KP_FAULT_WORD;
		if (c == '"') {
			scan_quoted(w);
			return;
		}
		while (w->next < w->end && !ends_word(*w->next))
			w->next++;
		t->text.len = (size_t)(w->next - t->text.ptr);
	}
}

void kp_fault_words_skip(kp_fault_words *w)
{
	while (w->token.kind != KP_FAULT_RULE_END)
		kp_fault_words_next(w);
}

bool kp_fault_words_begin(kp_fault_words *w)
{
	w->is_bad = false;
	while (w->token.kind == KP_FAULT_RULE_END && w->next < w->end)
		kp_fault_words_next(w);
	return w->token.kind != KP_FAULT_RULE_END;
}

bool kp_fault_is_word(const kp_fault_words *w, const char *word)
{
	const kp_fault_token *t = &w->token;
	return t->kind == KP_FAULT_WORD && !t->is_quoted && kp_fault_same_name(t->text, kp_slice_cstr(word));
}

bool kp_fault_is_sign(const kp_fault_words *w, char sign)
{
	return w->token.kind == KP_FAULT_SIGN && *w->token.text.ptr == (uint8_t)sign;
}

/* True when the error shall be told, with its place. */
static bool begin_error(kp_fault_words *w)
{
	bool is_first = !w->is_bad;
	w->is_bad = true;
	w->n_errors += is_first;
	if (!is_first || w->n_errors > ERRORS_TOLD)
		return false;
	kp_buf_printf(w->errors, "line %d, column %d: ", w->token.line, w->token.column);
	return true;
}

static void append_found(kp_fault_words *w)
{
	const kp_fault_token *t = &w->token;
	if (t->kind == KP_FAULT_RULE_END) {
		kp_buf_printf(w->errors, ", found the end of the rule");
		return;
	}
	kp_buf_printf(w->errors, ", found '");
	for (size_t i = 0; i < t->text.len && i < 60; i++)
		kp_buf_append_u8(w->errors, isprint(t->text.ptr[i]) ? t->text.ptr[i] : '?');
	kp_buf_printf(w->errors, t->text.len > 60 ? "...'" : "'");
}

static void vformat(kp_fault_words *w, const char *format, va_list args)
{
	char text[400];
	vsnprintf(text, sizeof(text), format, args);
	kp_buf_append(w->errors, text, strlen(text));
}

static bool vexpected(kp_fault_words *w, const kp_fault_guess *g, const char *format, va_list args)
{
	char guess[64];
	if (!begin_error(w))
		return false;
	kp_buf_printf(w->errors, "expected ");
	vformat(w, format, args);
	append_found(w);
	kp_buf_printf(w->errors, "%s\n", g ? kp_fault_guess_text(g, guess) : "");
	return false;
}

bool kp_fault_expected(kp_fault_words *w, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vexpected(w, NULL, format, args);
	va_end(args);
	return false;
}

static bool KP_PRINTF(3, 4) expected_like(kp_fault_words *w, const kp_fault_guess *g, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vexpected(w, g, format, args);
	va_end(args);
	return false;
}

bool kp_fault_expected_like(kp_fault_words *w, const kp_fault_guess *g, const char *what)
{
	return expected_like(w, g, "%s", what);
}

bool kp_fault_wrong(kp_fault_words *w, const char *format, ...)
{
	if (!begin_error(w))
		return false;
	va_list args;
	va_start(args, format);
	vformat(w, format, args);
	va_end(args);
	kp_buf_append_u8(w->errors, '\n');
	return false;
}

void kp_fault_words_summarize(kp_fault_words *w)
{
	if (w->n_errors > ERRORS_TOLD)
		kp_buf_printf(w->errors, "%d more errors\n", w->n_errors - ERRORS_TOLD);
}

/* Digits from *p on, as far as they go; saturates. */
static uint64_t digits(const uint8_t **p, const uint8_t *end)
{
	uint64_t n = 0;
	for (; *p < end && isdigit(**p); ++*p)
		n = n > UINT64_MAX / 10 - 1 ? UINT64_MAX : n * 10 + (uint64_t)(**p - '0');
	return n;
}

kp_fault_number kp_fault_number_of(kp_slice text, int64_t min, int64_t max, int64_t *out)
{
	const uint8_t *p = text.ptr, *end = text.ptr + text.len;
	bool is_negative = text.len && *p == '-';
	p += is_negative;
	if (p == end || !isdigit(*p))
		return KP_FAULT_NO_NUMBER;
	uint64_t n = digits(&p, end), unit = 1;
	if (p < end)
		unit = *p == 'k' || *p == 'K' ? 1000 : *p == 'M' ? 1000000 : *p == 'G' ? 1000000000 : 0;
	p += p < end;
	if (p != end || unit == 0)
		return KP_FAULT_NO_NUMBER;
	if (n > (uint64_t)INT64_MAX / unit)
		return KP_FAULT_OUT_OF_RANGE;
	int64_t value = is_negative ? -(int64_t)(n * unit) : (int64_t)(n * unit);
	if (value < min || value > max)
		return KP_FAULT_OUT_OF_RANGE;
	*out = value;
	return KP_FAULT_IS_NUMBER;
}

static int64_t unit_us(kp_slice unit)
{
	static const struct {
		const char *name;
		int64_t us;
	} units[] = {{"us", 1}, {"ms", 1000}, {"s", 1000000}, {"m", 60000000}, {"h", 3600000000}};
	for (size_t i = 0; i < KP_ARRAY_LEN(units); i++)
		if (kp_slice_equal(unit, kp_slice_cstr(units[i].name)))
			return units[i].us;
	return 0;
}

bool kp_fault_duration_of(kp_slice text, int64_t *out_us)
{
	const uint8_t *p = text.ptr, *end = text.ptr + text.len;
	if (p == end || !isdigit(*p))
		return false;
	uint64_t whole = digits(&p, end), part = 0, scale = 1;
	if (p < end && *p == '.') {
		if (++p == end || !isdigit(*p))
			return false;
		for (; p < end && isdigit(*p); p++)
			if (scale < 1000000000) {
				part = part * 10 + (uint64_t)(*p - '0');
				scale *= 10;
			}
	}
	int64_t unit = unit_us(kp_slice_of(p, (size_t)(end - p)));
	if (!unit)
		return false;
	if (whole > (uint64_t)(INT64_MAX / 4 / unit))
		*out_us = INT64_MAX / 2;
	else
		*out_us = (int64_t)whole * unit + (int64_t)(part * (uint64_t)unit / scale);
	return true;
}

bool kp_fault_take_number(kp_fault_words *w, const char *what, int64_t min, int64_t max, int64_t *out)
{
	kp_fault_number n = w->token.kind == KP_FAULT_WORD ? kp_fault_number_of(w->token.text, min, max, out) : KP_FAULT_NO_NUMBER;
	if (n != KP_FAULT_IS_NUMBER)
		return kp_fault_expected(w, "%s from %" PRId64 " to %" PRId64, what, min, max);
	kp_fault_words_next(w);
	return true;
}

bool kp_fault_take_duration(kp_fault_words *w, int64_t min_us, int64_t *out_us)
{
	if (w->token.kind != KP_FAULT_WORD || !kp_fault_duration_of(w->token.text, out_us))
		return kp_fault_expected(w, "a duration such as 200ms");
	if (*out_us < min_us || *out_us > KP_FAULT_DURATION_MAX_US)
		return kp_fault_expected(w, "a duration from %s to 24h", min_us == 0 ? "0s" : min_us == 1 ? "1us" : "1ms");
	kp_fault_words_next(w);
	return true;
}

bool kp_fault_take_sign(kp_fault_words *w, char sign, const char *where)
{
	if (!kp_fault_is_sign(w, sign))
		return kp_fault_expected(w, "'%c' %s", sign, where);
	kp_fault_words_next(w);
	return true;
}

/* The next byte that counts, in lower case; -1 at the end. */
static int name_byte(kp_slice s, size_t *i)
{
	while (*i < s.len && (s.ptr[*i] == '_' || s.ptr[*i] == '-'))
		++*i;
	return *i < s.len ? tolower(s.ptr[(*i)++]) : -1;
}

bool kp_fault_same_name(kp_slice a, kp_slice b)
{
	size_t i = 0, j = 0;
	int x, y;
	do {
		x = name_byte(a, &i);
		y = name_byte(b, &j);
	} while (x == y && x >= 0);
	return x == y;
}

/* Levenshtein's distance, without case. */
static int distance(kp_slice a, kp_slice b)
{
	int row[NAME_MAX_GUESSED + 1];
	for (size_t j = 0; j <= b.len; j++)
		row[j] = (int)j;
	for (size_t i = 1; i <= a.len; i++) {
		int diagonal = row[0];
		row[0] = (int)i;
		for (size_t j = 1; j <= b.len; j++) {
			int change = diagonal + (tolower(a.ptr[i - 1]) != tolower(b.ptr[j - 1]));
			diagonal = row[j];
			int least = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;
			row[j] = change < least ? change : least;
		}
	}
	return row[b.len];
}

void kp_fault_guess_try(kp_fault_guess *g, kp_slice name)
{
	if (g->written.len == 0 || g->written.len > NAME_MAX_GUESSED || name.len > NAME_MAX_GUESSED)
		return;
	int d = distance(g->written, name);
	if (d * 3 > (int)name.len + 1 || (g->best.ptr && d >= g->distance))
		return;
	g->best = name;
	g->distance = d;
}

const char *kp_fault_guess_text(const kp_fault_guess *g, char out[64])
{
	if (!g->best.ptr)
		return "";
	snprintf(out, 64, "; did you mean '%.*s'?", (int)g->best.len, (const char *)g->best.ptr);
	return out;
}

bool kp_fault_matches(const char *pattern, kp_slice text)
{
	const char *star = NULL;
	size_t i = 0, mark = 0;
	while (i < text.len) {
		if (*pattern == '*') {
			star = ++pattern;
			mark = i;
		} else if (*pattern && (*pattern == '?' || (uint8_t)*pattern == text.ptr[i])) {
			pattern++;
			i++;
		} else if (star) {
			pattern = star;
			i = ++mark;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}
