/*
 * key_from.c - see key_from.h.
 */
#include "cli/key_from.h"

bool cli_key_from_init(cli_key_from *k, const char *expression, char *err, size_t err_size)
{
	int rc = regcomp(&k->regex, expression, REG_EXTENDED);
	k->is_set = rc == 0;
	if (rc)
		regerror(rc, &k->regex, err, err_size);
	return k->is_set;
}

void cli_key_from_deinit(cli_key_from *k)
{
	if (k->is_set)
		regfree(&k->regex);
	k->is_set = false;
}

void cli_key_from_apply(const cli_key_from *k, kp_record *r)
{
	/* REG_STARTEND (BSD, glibc, musl's is missing): the value has no terminator and may hold NULs. */
	regmatch_t match[2] = {{.rm_so = 0, .rm_eo = (regoff_t)r->value_len}, {.rm_so = -1, .rm_eo = -1}};
	int group = k->regex.re_nsub > 0;
	r->key = NULL;
	r->key_len = 0;
	if (!r->value || regexec(&k->regex, r->value, 2, match, REG_STARTEND) || match[group].rm_so < 0)
		return;
	r->key = (const char *)r->value + match[group].rm_so;
	r->key_len = (size_t)(match[group].rm_eo - match[group].rm_so);
}
