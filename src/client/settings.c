/*
 * settings.c - a configuration's life, and its public calls: set, get, callbacks, the rows of the table.
 */
#include "client/settings.h"

#include <assert.h>

#include "base/mem.h"
#include "client/config_names.h"
#include "client/config_value.h"

void kp_settings_init(kp_settings *s)
{
	memset(s, 0, sizeof *s);
	for (size_t i = 0; i < KP_PROP_COUNT; i++) {
		const kp_property_row *row = &kp_property_rows[i];
		int r = kp_value_set(s, row, row->name, kp_slice_cstr(row->default_value), (kp_err_line){NULL, 0});
		assert(r == 0);
		(void)r;
	}
}

void kp_settings_deinit(kp_settings *s)
{
	kp_mem_free(s->bootstrap);
	s->bootstrap = NULL;
	s->n_bootstrap = 0;
}

int kp_settings_copy(const kp_settings *from, kp_settings *out)
{
	kp_bootstrap_server *list = NULL;
	if (from->n_bootstrap) {
		list = kp_mem_calloc(from->n_bootstrap, sizeof *list);
		if (!list)
			return KP_ERR_NO_MEMORY;
		memcpy(list, from->bootstrap, from->n_bootstrap * sizeof *list);
	}
	*out = *from;
	out->bootstrap = list;
	return 0;
}

kp_config *kp_config_new(void)
{
	kp_config *c = kp_mem_alloc(sizeof *c);
	if (c)
		kp_settings_init(&c->settings);
	return c;
}

kp_config *kp_config_copy(const kp_config *from)
{
	kp_config *c = from ? kp_mem_alloc(sizeof *c) : NULL;
	if (c && kp_settings_copy(&from->settings, &c->settings) != 0) {
		kp_mem_free(c);
		c = NULL;
	}
	return c;
}

void kp_config_free(kp_config *c)
{
	if (!c)
		return;
	kp_settings_deinit(&c->settings);
	kp_mem_free(c);
}

void kp_config_commit(kp_config *c, kp_config *copy, bool is_good)
{
	if (copy && is_good) {
		kp_settings old = c->settings;
		c->settings = copy->settings;
		copy->settings = old;
	}
	kp_config_free(copy);
}

static int refuse_unknown(const char *name, kp_err_line err)
{
	kp_slice nearest = kp_name_nearest(name);
	if (kp_slice_is_null(nearest))
		return kp_config_refuse(err, "unknown property \"%.100s\"", name);
	return kp_config_refuse(err, "unknown property \"%.100s\"; did you mean \"%.*s\"?", name, (int)nearest.len,
	                        (const char *)nearest.ptr);
}

int kp_config_set(kp_config *c, const char *name, const char *value, char *err, size_t err_size)
{
	kp_err_line line = {err, err_size};
	kp_name_walk at;
	if (!c || !name || !value) {
		(void)kp_config_refuse(line, "a configuration, a name and a value are needed");
		return KP_ERR_BAD_ARGUMENT;
	}
	if (!kp_name_find(name, &at))
		return refuse_unknown(name, line);
	if (at.group)
		return kp_name_refuse_known(&at, value, line);
	kp_settings *s = &c->settings;
	kp_slice text = kp_slice_cstr(value);
	int r = at.alias ? kp_alias_set(s, at.row, at.alias, text, line) : kp_value_set(s, at.row, name, text, line);
	if (r == 0)
		s->is_set[at.row - kp_property_rows] = true;
	else if (r == KP_ERR_NO_MEMORY)
		(void)kp_config_refuse(line, "%s: out of memory", name);
	return r;
}

/* A value that does not fit is cut; *needed tells. Under an alias it comes in the alias' own unit. */
int kp_config_get(const kp_config *c, const char *name, char *value, size_t value_size, size_t *needed)
{
	kp_name_walk at;
	kp_text out;
	if (!c || !name || (!value && value_size))
		return KP_ERR_BAD_ARGUMENT;
	if (!kp_name_find(name, &at) || at.group)
		return KP_ERR_BAD_CONFIG;
	kp_text_init(&out, value, value_size);
	if (at.alias)
		kp_alias_get(&c->settings, at.row, at.alias, &out);
	else
		kp_value_get(&c->settings, at.row, &out);
	if (needed)
		*needed = out.len + 1;
	return 0;
}

void kp_config_set_report_cb(kp_config *c, kp_report_cb *cb, void *opaque)
{
	c->settings.report_cb = cb;
	c->settings.report_opaque = opaque;
	c->settings.use_report_queue = false;
}

void kp_config_use_report_queue(kp_config *c)
{
	kp_config_set_report_cb(c, NULL, NULL);
	c->settings.use_report_queue = true;
}

void kp_config_use_failure_queue(kp_config *c)
{
	c->settings.use_failure_queue = true;
}

void kp_config_set_log_cb(kp_config *c, kp_log_cb *cb, void *opaque)
{
	c->settings.log_cb = cb;
	c->settings.log_opaque = opaque;
}

void kp_config_set_error_cb(kp_config *c, kp_error_cb *cb, void *opaque)
{
	c->settings.error_cb = cb;
	c->settings.error_opaque = opaque;
}

void kp_config_set_watermark_cb(kp_config *c, kp_watermark_cb *cb, void *opaque)
{
	c->settings.watermark_cb = cb;
	c->settings.watermark_opaque = opaque;
}

size_t kp_property_count(void)
{
	return KP_PROP_COUNT;
}

int kp_property_get(size_t index, kp_property *out)
{
	if (index >= KP_PROP_COUNT || !out || out->struct_size < sizeof out->struct_size)
		return KP_ERR_BAD_ARGUMENT;
	const kp_property_row *row = &kp_property_rows[index];
	kp_property full = {
		.struct_size = out->struct_size,
		.name = row->name,
		.type = row->type,
		.default_value = row->default_value,
		.range = row->range,
		.aliases = row->aliases_text,
		.importance = row->importance,
		.doc = row->doc,
	};
	/* a caller built against another version has a struct of another length */
	memcpy(out, &full, out->struct_size < sizeof full ? out->struct_size : sizeof full);
	return 0;
}
