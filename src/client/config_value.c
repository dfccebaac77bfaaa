/*
 * config_value.c - values by kind. A field is reached by its offset and size, so one function serves every row of a kind.
 */
#include "client/config_value.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

#include "kproducer/error.h"

#define SHOWN_MAX 80 /* bytes of a user's text in a message */

void kp_text_init(kp_text *t, char *text, size_t size)
{
	*t = (kp_text){text, text ? size : 0, 0};
	if (t->size)
		text[0] = '\0';
}

void kp_text_add(kp_text *t, const char *fmt, ...)
{
	bool fits = t->len < t->size;
	va_list args;
	va_start(args, fmt);
	int n = vsnprintf(fits ? t->text + t->len : NULL, fits ? t->size - t->len : 0, fmt, args);
	va_end(args);
	t->len += n > 0 ? (size_t)n : 0;
}

int kp_config_refuse(kp_err_line err, const char *fmt, ...)
{
	if (!err.text || !err.size)
		return KP_ERR_BAD_CONFIG;
	va_list args;
	va_start(args, fmt);
	if (vsnprintf(err.text, err.size, fmt, args) < 0)
		err.text[0] = '\0';
	va_end(args);
	for (char *p = err.text; *p; p++)
		if (iscntrl((unsigned char)*p))
			*p = '?';
	return KP_ERR_BAD_CONFIG;
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

kp_slice kp_slice_trim(kp_slice s)
{
	while (s.len && is_blank(s.ptr[0]))
		s = kp_slice_of(s.ptr + 1, s.len - 1);
	while (s.len && is_blank(s.ptr[s.len - 1]))
		s.len--;
	return s;
}

bool kp_slice_equal_nocase(kp_slice a, const char *b)
{
	return a.len == strlen(b) && strncasecmp((const char *)a.ptr, b, a.len) == 0;
}

bool kp_words_next(const char **words, kp_slice *word)
{
	const char *p = *words + strspn(*words, " ");
	*word = kp_slice_of(p, strcspn(p, " "));
	*words = p + word->len;
	return word->len > 0;
}

static kp_number_result parse_thousandths(kp_slice digits, int *out)
{
	int value = 0, weight = 100;
	if (!digits.len)
		return KP_NUMBER_MALFORMED;
	for (size_t i = 0; i < digits.len; i++, weight /= 10) {
		int digit = digits.ptr[i] - '0';
		if (digit < 0 || digit > 9 || (digit && !weight)) /* finer than a thousandth: rather refused than rounded */
			return KP_NUMBER_MALFORMED;
		value += digit * weight;
	}
	*out = value;
	return KP_NUMBER_OK;
}

kp_number_result kp_number_parse(kp_slice text, kp_number *out)
{
	kp_number n = {0, 0, false};
	size_t i = 0;
	bool too_large = false;
	if (text.len && (text.ptr[0] == '-' || text.ptr[0] == '+'))
		n.is_negative = text.ptr[i++] == '-';
	size_t first = i;
	for (; i < text.len && text.ptr[i] >= '0' && text.ptr[i] <= '9'; i++) {
		int digit = text.ptr[i] - '0';
		too_large |= n.whole > (INT64_MAX - digit) / 10;
		n.whole = too_large ? INT64_MAX : n.whole * 10 + digit;
	}
	if (i == first)
		return KP_NUMBER_MALFORMED;
	if (i < text.len && (text.ptr[i] != '.' ||
	                     parse_thousandths(kp_slice_of(text.ptr + i + 1, text.len - i - 1), &n.thousandths) != KP_NUMBER_OK))
		return KP_NUMBER_MALFORMED;
	if (too_large)
		return KP_NUMBER_TOO_LARGE;
	n.whole = n.is_negative ? -n.whole : n.whole;
	*out = n;
	return KP_NUMBER_OK;
}

static void store(kp_settings *s, const kp_property_row *row, int64_t value)
{
	char *at = (char *)s + row->offset;
	switch (row->size) {
	case 1: *(bool *)at = value != 0; break;
	case 2: *(int16_t *)(void *)at = (int16_t)value; break;
	case 4: memcpy(at, &(int32_t){(int32_t)value}, 4); break; /* an int32_t or an enum */
	case 8: *(int64_t *)(void *)at = value; break;
	default: break; /* a property of one value, which nobody needs to read */
	}
}

static int64_t load(const kp_settings *s, const kp_property_row *row)
{
	const char *at = (const char *)s + row->offset;
	int32_t four;
	switch (row->size) {
	case 1: return *(const bool *)at;
	case 2: return *(const int16_t *)(const void *)at;
	case 4: memcpy(&four, at, 4); return four;
	case 8: return *(const int64_t *)(const void *)at;
	default: return 0;
	}
}

static int refuse_text(const kp_property_row *row, const char *name, kp_slice text, const char *what, kp_err_line err)
{
	int shown = text.len > SHOWN_MAX ? SHOWN_MAX : (int)text.len;
	bool is_alias = strcmp(name, row->name) != 0;
	return kp_config_refuse(err, "%s%s%s%s: \"%.*s\" %s (%s)", name, is_alias ? " (" : "", is_alias ? row->name : "",
	                        is_alias ? ")" : "", shown, (const char *)text.ptr, what, row->range);
}

static int64_t clamp_duration(int64_t ms)
{
	return ms > KP_DURATION_MAX_MS ? KP_DURATION_MAX_MS : ms;
}

static int set_number(kp_settings *s, const kp_property_row *row, const char *name, kp_slice text, kp_err_line err)
{
	kp_number n = {0, 0, false};
	kp_number_result r = kp_number_parse(text, &n);
	bool is_duration = row->kind != KP_VALUE_INT;
	if (r == KP_NUMBER_MALFORMED || (n.thousandths && !row->takes_fraction))
		return refuse_text(row, name, text,
		                   !is_duration          ? "is not a whole number"
		                   : row->takes_fraction ? "is not a number of milliseconds with at most three decimals"
		                                         : "is not a whole number of milliseconds",
		                   err);
	if (r == KP_NUMBER_TOO_LARGE || (n.is_negative && n.thousandths) ||
	    (n.whole != row->extra && (n.whole < row->min || n.whole > row->max)))
		return refuse_text(row, name, text, "is out of range", err);
	int64_t value = is_duration ? clamp_duration(n.whole) : n.whole;
	if (row->kind == KP_VALUE_DURATION_US && value >= 0)
		value = value * 1000 + n.thousandths;
	store(s, row, value);
	return 0;
}

static int set_bool(kp_settings *s, const kp_property_row *row, const char *name, kp_slice text, kp_err_line err)
{
	bool yes = kp_slice_equal_nocase(text, "true");
	if (!yes && !kp_slice_equal_nocase(text, "false"))
		return refuse_text(row, name, text, "is not a boolean", err);
	store(s, row, yes);
	return 0;
}

static bool words_contain(const char *words, kp_slice text)
{
	kp_slice word;
	while (words && kp_words_next(&words, &word))
		if (word.len == text.len && strncasecmp((const char *)word.ptr, (const char *)text.ptr, text.len) == 0)
			return true;
	return false;
}

static int set_enum(kp_settings *s, const kp_property_row *row, const char *name, kp_slice text, kp_err_line err)
{
	for (const kp_enum_value *v = row->values; v->name; v++) {
		if (kp_slice_equal_nocase(text, v->name) || words_contain(v->synonyms, text)) {
			store(s, row, v->value);
			return 0;
		}
	}
	if (words_contain(row->refused_values, text))
		return kp_config_refuse(err, "%s=%.*s is known, not supported here: %s", name, (int)text.len,
		                        (const char *)text.ptr, row->refused_reason);
	return refuse_text(row, name, text, "is not one of its values", err);
}

static int set_string(kp_settings *s, const kp_property_row *row, const char *name, kp_slice text, kp_err_line err)
{
	if (text.len >= row->size)
		return refuse_text(row, name, text, "is too long", err);
	for (size_t i = 0; i < text.len; i++)
		if (iscntrl(text.ptr[i]))
			return refuse_text(row, name, text, "has a control character", err);
	char *at = (char *)s + row->offset;
	if (text.len)
		memcpy(at, text.ptr, text.len);
	at[text.len] = '\0';
	return 0;
}

int kp_value_set(kp_settings *s, const kp_property_row *row, const char *name, kp_slice text, kp_err_line err)
{
	text = kp_slice_trim(text);
	switch (row->kind) {
	case KP_VALUE_INT:
	case KP_VALUE_DURATION_MS:
	case KP_VALUE_DURATION_US: return set_number(s, row, name, text, err);
	case KP_VALUE_BOOL: return set_bool(s, row, name, text, err);
	case KP_VALUE_ENUM: return set_enum(s, row, name, text, err);
	case KP_VALUE_STRING: return set_string(s, row, name, text, err);
	case KP_VALUE_SERVERS: return kp_servers_set(s, name, text, err);
	}
	return KP_ERR_INTERNAL;
}

static void get_microseconds(int64_t us, kp_text *out)
{
	int64_t ms = us < 0 ? us : us / 1000;
	int rest = us < 0 ? 0 : (int)(us % 1000), digits = 3;
	kp_text_add(out, "%" PRId64, ms);
	if (!rest)
		return;
	for (; rest % 10 == 0; rest /= 10)
		digits--;
	kp_text_add(out, ".%0*d", digits, rest);
}

static const char *enum_name(const kp_property_row *row, int64_t value)
{
	const kp_enum_value *v = row->values;
	while (v->name && v->value != value)
		v++;
	return v->name ? v->name : "";
}

void kp_value_get(const kp_settings *s, const kp_property_row *row, kp_text *out)
{
	int64_t value = load(s, row);
	switch (row->kind) {
	case KP_VALUE_INT:
	case KP_VALUE_DURATION_MS: kp_text_add(out, "%" PRId64, value); break;
	case KP_VALUE_DURATION_US: get_microseconds(value, out); break;
	case KP_VALUE_BOOL: kp_text_add(out, "%s", value ? "true" : "false"); break;
	case KP_VALUE_ENUM: kp_text_add(out, "%s", enum_name(row, value)); break;
	case KP_VALUE_STRING: kp_text_add(out, "%s", (const char *)s + row->offset); break;
	case KP_VALUE_SERVERS: kp_servers_get(s, out); break;
	}
}
