/*
 * config_env.c - properties from the environment: KPRODUCER_LINGER_MS=20 sets linger.ms. Every name that somebody knows has such a
 * form: upper case, '_' for '.'.
 */
#include <ctype.h>
#include <stdio.h>
#include <unistd.h>

#include <kproducer/kproducer.h>

#include "client/config_names.h"
#include "client/config_value.h"
#include "client/settings.h"

#define PREFIX "KPRODUCER_"
#define LONGEST_NAME 128 /* every known name is shorter */

static void to_env_form(kp_slice name, char *out)
{
	for (size_t i = 0; i < name.len; i++)
		out[i] = name.ptr[i] == '.' ? '_' : (char)toupper(name.ptr[i]);
	out[name.len] = '\0';
}

/* The property that KPRODUCER_<form> means. False when there is none. */
static bool find(const char *form, kp_name_walk *w)
{
	char candidate[LONGEST_NAME];
	*w = (kp_name_walk){0};
	while (kp_name_next(w)) {
		if (w->name.len >= sizeof candidate)
			continue;
		to_env_form(w->name, candidate);
		if (strcmp(candidate, form) == 0)
			return true;
	}
	return false;
}

static int refuse_unknown(const char *form, kp_err_line err)
{
	char nearest_form[LONGEST_NAME];
	kp_slice nearest = kp_name_nearest(form);
	if (kp_slice_is_null(nearest) || nearest.len >= sizeof nearest_form)
		return kp_config_refuse(err, "environment variable " PREFIX "%.100s: unknown property", form);
	to_env_form(nearest, nearest_form);
	return kp_config_refuse(err, "environment variable " PREFIX "%.100s: unknown property; did you mean " PREFIX "%s?", form,
	                        nearest_form);
}

/* What was set so far, and by which variable: two for one property would leave it to chance which one counts. */
typedef struct env_load {
	kp_config *c;
	const char *set_by[KP_PROP_COUNT]; /* forms, each ended by '=' */
	kp_err_line err;
} env_load;

static int length_of_form(const char *variable)
{
	return (int)strcspn(variable, "=");
}

/* One variable, without the prefix: "LINGER_MS=20". */
static int take_variable(env_load *l, const char *variable)
{
	char form[LONGEST_NAME], name[LONGEST_NAME], why[512] = "";
	kp_name_walk at;
	int n = length_of_form(variable);
	(void)snprintf(form, sizeof form, "%.*s", n, variable);
	if (n >= LONGEST_NAME || !find(form, &at))
		return refuse_unknown(form, l->err);
	if (at.row) {
		const char **set_by = &l->set_by[at.row - kp_property_rows];
		if (*set_by)
			return kp_config_refuse(l->err, "environment variables " PREFIX "%.*s and " PREFIX "%s both set %s",
			                        length_of_form(*set_by), *set_by, form, at.row->name);
		*set_by = variable;
	}
	(void)snprintf(name, sizeof name, "%.*s", (int)at.name.len, (const char *)at.name.ptr);
	int r = kp_config_set(l->c, name, variable + n + 1, why, sizeof why);
	if (r)
		(void)kp_config_refuse(l->err, "environment variable " PREFIX "%s: %s", form, why);
	return r;
}

/* Not to be called while another thread changes the environment. A mistake changes nothing. */
int kp_config_load_env(kp_config *c, char *err, size_t err_size)
{
	env_load l = {.err = {err, err_size}};
	if (!c) {
		(void)kp_config_refuse(l.err, "a configuration is needed");
		return KP_ERR_BAD_ARGUMENT;
	}
	l.c = kp_config_copy(c);
	if (!l.c) {
		(void)kp_config_refuse(l.err, "out of memory");
		return KP_ERR_NO_MEMORY;
	}
	int r = 0;
	for (char **v = environ; v && *v && !r; v++)
		if (strncmp(*v, PREFIX, sizeof PREFIX - 1) == 0 && strchr(*v, '='))
			r = take_variable(&l, *v + sizeof PREFIX - 1);
	kp_config_commit(c, l.c, r == 0);
	return r;
}
