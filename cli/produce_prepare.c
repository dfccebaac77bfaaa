/*
 * produce_prepare.c - what options look for in a record that was read: its key, nulls, and whether it is to be sent at all.
 */
#include <string.h>

#include "cli/produce.h"

void produce_split_key(const produce_options *o, kp_record *r)
{
	const char *text = r->value;
	const char *at = o->delimiter_len == 1 ? memchr(text, o->delimiter[0], r->value_len)
	                                       : memmem(text, r->value_len, o->delimiter, o->delimiter_len);
	if (!at)
		return;
	r->key = text;
	r->key_len = (size_t)(at - text);
	r->value = at + o->delimiter_len;
	r->value_len -= r->key_len + o->delimiter_len;
}

static bool is_null_text(const produce_options *o, const void *text, size_t len)
{
	return text && len == o->null_len && !memcmp(text, o->null_text, len);
}

/* Key and nulls, where options look for them in the record's bytes. */
static void find_members(const produce *p, kp_record *r)
{
	const produce_options *o = p->options;
	if (o->delimiter_len)
		produce_split_key(o, r);
	else if (o->key_from.is_set && !(p->reader.given & CLI_GIVEN_KEY))
		cli_key_from_apply(&o->key_from, r);
	if (!o->null_text)
		return;
	if (is_null_text(o, r->value, r->value_len)) {
		r->value = NULL;
		r->value_len = 0;
	}
	if (o->delimiter_len && is_null_text(o, r->key, r->key_len)) {
		r->key = NULL;
		r->key_len = 0;
	}
}

static unsigned tags_of(const produce *p, const kp_record *r)
{
	unsigned given = p->reader.given;
	return (p->tags & PRODUCE_HAS_PARTITION) | (given & CLI_GIVEN_PARTITION ? PRODUCE_HAS_PARTITION : 0) |
	       (given & CLI_GIVEN_TIMESTAMP ? PRODUCE_HAS_TIMESTAMP : 0) | (r->n_headers ? PRODUCE_HAS_HEADERS : 0) |
	       (r->key || r->value ? PRODUCE_HAS_BYTES : 0);
}

produce_prepared produce_prepare(produce *p, kp_record *r)
{
	const produce_options *o = p->options;
	if (o->skip_empty && !r->value_len) {
		p->skipped++;
		return PRODUCE_SKIP;
	}
	find_members(p, r);
	r->opaque = produce_opaque(p->ordinal, tags_of(p, r));
	if (r->key || !o->key_required)
		return PRODUCE_SEND;
	p->malformed++;
	produce_refuse_malformed(p, r, "it has no key, which --key-required asks for", false);
	return PRODUCE_MALFORMED;
}
