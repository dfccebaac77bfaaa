/*
 * config_alias.c - what other clients' names mean in the unit and form of the property they stand for.
 *
 * The text given under an alias is first turned into text of the property, so that ranges are checked in one place.
 */
#include <inttypes.h>
#include <stdio.h>

#include "client/config_value.h"
#include "kproducer/error.h"

/* One text on its way from an alias to its property. */
typedef struct conversion {
	const kp_settings *settings;
	const kp_property_row *row;
	const kp_alias *alias;
	kp_slice text; /* trimmed */
	kp_text out;
	kp_err_line err;
} conversion;

static int refuse_value(const conversion *c, const char *what)
{
	return kp_config_refuse(c->err, "%s (%s): \"%.*s\" %s", c->alias->name, c->row->name,
	                        c->text.len > 80 ? 80 : (int)c->text.len, (const char *)c->text.ptr, what);
}

static int64_t endless(const kp_property_row *row)
{
	return row->max > KP_DURATION_MAX_MS ? KP_DURATION_MAX_MS : row->max;
}

static int from_kib(conversion *c)
{
	kp_number n = {0, 0, false};
	kp_number_result r = kp_number_parse(c->text, &n);
	int64_t min = c->row->min / 1024, max = c->row->max / 1024;
	if (r == KP_NUMBER_MALFORMED || n.thousandths)
		return refuse_value(c, "is not a whole number of kbytes");
	if (r == KP_NUMBER_TOO_LARGE || n.whole < min || n.whole > max) {
		char what[80];
		snprintf(what, sizeof what, "is out of range (%" PRId64 " .. %" PRId64 ")", min, max);
		return refuse_value(c, what);
	}
	kp_text_add(&c->out, "%" PRId64, n.whole * 1024);
	return 0;
}

/* As it is, but for the number that means "no limit" to the alias' owner. */
static int from_endless(conversion *c, int64_t code)
{
	kp_number n = {0, 0, false};
	if (kp_number_parse(c->text, &n) == KP_NUMBER_OK && n.whole == code && !n.thousandths)
		kp_text_add(&c->out, "%" PRId64, endless(c->row));
	else
		kp_text_add(&c->out, "%.*s", (int)c->text.len, (const char *)c->text.ptr);
	return 0;
}

/* Nanoseconds in a unit of Go's time.ParseDuration; *len is the unit's length. 0 when there is none. */
static double go_unit(kp_slice s, size_t *len)
{
	static const struct {
		const char *name;
		double ns;
	} units[] = {{"ns", 1}, {"us", 1e3}, {"\xc2\xb5s", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}};
	for (size_t i = 0; i < KP_ARRAY_LEN(units); i++) {
		*len = strlen(units[i].name);
		if (s.len >= *len && memcmp(s.ptr, units[i].name, *len) == 0)
			return units[i].ns;
	}
	return 0;
}

/* One number with its unit from the front of *s. False when there is none. */
static bool go_term(kp_slice *s, double *ns)
{
	double value = 0, scale = 1;
	size_t i = 0, n_digits = 0, unit_len;
	bool is_fraction = false;
	for (; i < s->len && ((s->ptr[i] >= '0' && s->ptr[i] <= '9') || (s->ptr[i] == '.' && !is_fraction)); i++) {
		if (s->ptr[i] == '.') {
			is_fraction = true;
			continue;
		}
		value = value * 10 + (s->ptr[i] - '0');
		scale *= is_fraction ? 10 : 1;
		n_digits++;
	}
	double unit = go_unit(kp_slice_of(s->ptr + i, s->len - i), &unit_len);
	if (!n_digits || unit == 0)
		return false;
	*ns = value / scale * unit;
	*s = kp_slice_of(s->ptr + i + unit_len, s->len - i - unit_len);
	return true;
}

static int from_go(conversion *c)
{
	kp_number n = {0, 0, false};
	bool zero_is_endless = c->alias->form == KP_ALIAS_GO_DURATION_ZERO_ENDLESS;
	double total_ns = 0, ns = 0;
	if (kp_number_parse(c->text, &n) != KP_NUMBER_MALFORMED)
		return from_endless(c, zero_is_endless ? 0 : INT64_MIN);
	kp_slice rest = c->text;
	do {
		if (!go_term(&rest, &ns))
			return refuse_value(c, "is not a duration (as 500ms or 1m30s)");
		total_ns += ns;
	} while (rest.len);
	if (!(total_ns < 9.2e18)) /* Go's own bound: an int64 of nanoseconds */
		return refuse_value(c, "is out of range");
	int64_t us = (int64_t)(total_ns / 1000 + 0.5);
	if (!us && zero_is_endless)
		kp_text_add(&c->out, "%" PRId64, endless(c->row));
	else if (us % 1000)
		kp_text_add(&c->out, "%" PRId64 ".%03d", us / 1000, (int)(us % 1000));
	else
		kp_text_add(&c->out, "%" PRId64, us / 1000);
	return 0;
}

/*
 * The booleans about reports. sarama has two: Return.Successes (default false) and Return.Errors (default true), which may come in
 * either order; errors are never taken away from somebody who asked for successes, as there is no such mode.
 */
static int from_report_flag(conversion *c)
{
	bool yes = kp_slice_equal_nocase(c->text, "true");
	kp_reports_mode now = c->settings->engine.reports;
	const char *mode = "none";
	if (!yes && !kp_slice_equal_nocase(c->text, "false"))
		return refuse_value(c, "is not a boolean (true, false)");
	if (c->alias->form == KP_ALIAS_ONLY_ERRORS)
		mode = yes ? "errors" : "all";
	else if (c->alias->form == KP_ALIAS_RETURN_SUCCESSES)
		mode = yes ? "all" : now == KP_REPORTS_NONE ? "none" : "errors";
	else if (yes)
		mode = now == KP_REPORTS_ALL ? "all" : "errors";
	else if (now == KP_REPORTS_ALL && c->settings->is_set[KP_PROP_DELIVERY_REPORTS])
		return refuse_value(c, "does not go with reports of successes");
	kp_text_add(&c->out, "%s", mode);
	return 0;
}

static int convert(conversion *c)
{
	switch (c->alias->form) {
	case KP_ALIAS_KIB: return from_kib(c);
	case KP_ALIAS_ZERO_ENDLESS: return from_endless(c, 0);
	case KP_ALIAS_MINUS_ONE_ENDLESS: return from_endless(c, -1);
	case KP_ALIAS_GO_DURATION:
	case KP_ALIAS_GO_DURATION_ZERO_ENDLESS: return from_go(c);
	case KP_ALIAS_ONLY_ERRORS:
	case KP_ALIAS_RETURN_SUCCESSES:
	case KP_ALIAS_RETURN_ERRORS: return from_report_flag(c);
	case KP_ALIAS_SAME: break;
	}
	return KP_ERR_INTERNAL;
}

int kp_alias_set(kp_settings *s, const kp_property_row *row, const kp_alias *alias, kp_slice text, kp_err_line err)
{
	char buffer[128];
	conversion c = {.settings = s, .row = row, .alias = alias, .text = kp_slice_trim(text), .err = err};
	if (alias->form == KP_ALIAS_SAME)
		return kp_value_set(s, row, alias->name, text, err);
	kp_text_init(&c.out, buffer, sizeof buffer);
	int r = convert(&c);
	if (r)
		return r;
	if (c.out.len >= sizeof buffer) /* cut: it must not be read as another value */
		return refuse_value(&c, "is too long");
	return kp_value_set(s, row, alias->name, kp_slice_cstr(buffer), err);
}

void kp_alias_get(const kp_settings *s, const kp_property_row *row, const kp_alias *alias, kp_text *out)
{
	char buffer[128];
	kp_text own;
	kp_number n = {0, 0, false};
	if (alias->form == KP_ALIAS_SAME) {
		kp_value_get(s, row, out);
		return;
	}
	kp_text_init(&own, buffer, sizeof buffer);
	kp_value_get(s, row, &own);
	bool is_endless = kp_number_parse(kp_slice_cstr(buffer), &n) == KP_NUMBER_OK && n.whole == endless(row);
	kp_reports_mode reports = s->engine.reports;
	switch (alias->form) {
	case KP_ALIAS_KIB: kp_text_add(out, "%" PRId64, n.whole / 1024); break;
	case KP_ALIAS_ONLY_ERRORS: kp_text_add(out, "%s", reports == KP_REPORTS_ERRORS ? "true" : "false"); break;
	case KP_ALIAS_RETURN_SUCCESSES: kp_text_add(out, "%s", reports == KP_REPORTS_ALL ? "true" : "false"); break;
	case KP_ALIAS_RETURN_ERRORS: kp_text_add(out, "%s", reports == KP_REPORTS_NONE ? "false" : "true"); break;
	case KP_ALIAS_ZERO_ENDLESS:
	case KP_ALIAS_GO_DURATION_ZERO_ENDLESS: kp_text_add(out, "%s", is_endless ? "0" : buffer); break;
	case KP_ALIAS_MINUS_ONE_ENDLESS: kp_text_add(out, "%s", is_endless ? "-1" : buffer); break;
	case KP_ALIAS_GO_DURATION:
	case KP_ALIAS_SAME: kp_text_add(out, "%s", buffer); break;
	}
}
