/*
 * json_record.c - see json_record.h. First the whole line is checked and its strings are found, then they are decoded in place.
 */
#include "cli/json_record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/base64.h"
#include "cli/reader.h"

#define CHUNK_HEADERS 512

typedef struct field {
	cli_json_string text;
	bool is_set, is_base64;
} field;

struct json_header {
	cli_json_string name;
	field value;
};

struct header_chunk {
	struct header_chunk *next;
	size_t n, cap;
	kp_header headers[];
};

typedef struct draft {
	field key, value;
	bool has_headers, has_partition, has_timestamp;
	int64_t partition, timestamp_ms;
} draft;

void cli_json_parser_reset(cli_json_parser *p)
{
	while (p->chunks && p->chunks->next) {
		struct header_chunk *next = p->chunks->next;
		free(p->chunks);
		p->chunks = next;
	}
	if (p->chunks)
		p->chunks->n = 0;
}

void cli_json_parser_deinit(cli_json_parser *p)
{
	cli_json_parser_reset(p);
	free(p->chunks);
	free(p->found);
	*p = (cli_json_parser){0};
}

/* n headers that stay where they are until the reset. */
static kp_header *allot(cli_json_parser *p, size_t n)
{
	struct header_chunk *c = p->chunks;
	if (!c || c->cap - c->n < n) {
		size_t cap = n > CHUNK_HEADERS ? n : CHUNK_HEADERS;
		c = malloc(sizeof(*c) + cap * sizeof(c->headers[0]));
		if (!c)
			return NULL;
		*c = (struct header_chunk){.next = p->chunks, .cap = cap};
		p->chunks = c;
	}
	c->n += n;
	return c->headers + c->n - n;
}

static bool is_name(const cli_json_string *s, const char *name)
{
	return strlen(name) == s->len && !memcmp(s->ptr, name, s->len);
}

/* A string, of base64 perhaps, or null; at: its member's name, for messages. */
static bool read_field(cli_json_scan *s, field *f, bool is_base64, const char *at)
{
	size_t len;
	if (f->is_set)
		return cli_json_fail(s, at, "a member that was there already, perhaps as base64");
	*f = (field){.is_set = true, .is_base64 = is_base64};
	if (cli_json_null(s))
		return true;
	if (!cli_json_take(s, '"'))
		return cli_json_fail(s, s->p, "a string or null was expected; other JSON goes into a string (jq: tojson)");
	s->p--;
	const char *begin = s->p;
	if (!cli_json_string_next(s, &f->text))
		return false;
	if (is_base64 && !cli_base64_decode(f->text.ptr, f->text.len, NULL, &len))
		return cli_json_fail(s, begin, "not base64");
	return true;
}

static bool add_header(cli_json_parser *p, cli_json_scan *s, const struct json_header *h)
{
	if (p->n_found == p->cap_found) {
		size_t cap = p->cap_found ? 2 * p->cap_found : 16;
		struct json_header *more = realloc(p->found, cap * sizeof(*more));
		if (!more)
			return cli_json_fail(s, s->p, "out of memory");
		p->found = more;
		p->cap_found = cap;
	}
	p->found[p->n_found++] = *h;
	return true;
}

static bool check_name(cli_json_scan *s, const cli_json_string *name)
{
	for (size_t i = 0; name->has_escapes && i + 5 < name->len; i++) {
		if (!memcmp(name->ptr + i, "\\u0000", 6))
			return cli_json_fail(s, name->ptr + i, "a header's name cannot hold a NUL");
		i += name->ptr[i] == '\\';
	}
	return true;
}

/* {"key": NAME, "value": …} */
static bool read_header_object(cli_json_parser *p, cli_json_scan *s)
{
	struct json_header h = {0};
	cli_json_string member;
	const char *begin = s->p;
	if (!cli_json_want(s, '{', "a header is {\"key\": NAME, \"value\": TEXT}"))
		return false;
	do {
		if (!cli_json_string_next(s, &member) || !cli_json_want(s, ':', "':' was expected"))
			return false;
		if (is_name(&member, "key") && !h.name.ptr) {
			if (!cli_json_string_next(s, &h.name) || !check_name(s, &h.name))
				return false;
		} else if (is_name(&member, "value") || is_name(&member, "value_base64")) {
			if (!read_field(s, &h.value, member.len > 5, member.ptr))
				return false;
		} else
			return cli_json_fail(s, member.ptr, "a header has key and value (or value_base64), once each");
	} while (cli_json_take(s, ','));
	if (!cli_json_want(s, '}', "',' or '}' was expected"))
		return false;
	if (!h.name.ptr || !h.value.is_set)
		return cli_json_fail(s, begin, "a header wants both key and value");
	return add_header(p, s, &h);
}

/* {NAME: …, NAME: …}, the '{' is through */
static bool read_header_map(cli_json_parser *p, cli_json_scan *s)
{
	if (cli_json_take(s, '}'))
		return true;
	do {
		struct json_header h = {0};
		if (!cli_json_string_next(s, &h.name) || !check_name(s, &h.name) || !cli_json_want(s, ':', "':' was expected") ||
		    !read_field(s, &h.value, false, h.name.ptr) || !add_header(p, s, &h))
			return false;
	} while (cli_json_take(s, ','));
	return cli_json_want(s, '}', "',' or '}' was expected");
}

static bool read_headers(cli_json_parser *p, cli_json_scan *s)
{
	if (cli_json_take(s, '{'))
		return read_header_map(p, s);
	if (cli_json_null(s))
		return true;
	if (!cli_json_want(s, '[', "headers are an array of {\"key\": NAME, \"value\": TEXT}, or an object"))
		return false;
	if (cli_json_take(s, ']'))
		return true;
	do {
		if (!read_header_object(p, s))
			return false;
	} while (cli_json_take(s, ','));
	return cli_json_want(s, ']', "',' or ']' was expected");
}

static bool read_number(cli_json_scan *s, int64_t max, bool *is_set, int64_t *out, const char *at)
{
	if (*is_set)
		return cli_json_fail(s, at, "a member that was there already");
	*is_set = true;
	if (!cli_json_int_next(s, out))
		return false;
	return (*out >= 0 && *out <= max) || cli_json_fail(s, at, "its number is out of range");
}

static bool is_ignored(const cli_json_string *member)
{
	static const char *const names[] = {"outcome",        "error",        "input",     "record",       "topic",
	                                    "offset",         "attempts",     "stage",     "last_error",   "node",
	                                    "no_metadata_us", "no_leader_us", "queued_us", "in_flight_us", "cause"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (is_name(member, names[i]))
			return true;
	return false;
}

static bool read_member(cli_json_parser *p, cli_json_scan *s, draft *d)
{
	cli_json_string m;
	if (!cli_json_string_next(s, &m) || !cli_json_want(s, ':', "':' was expected"))
		return false;
	if (is_name(&m, "key") || is_name(&m, "key_base64"))
		return read_field(s, &d->key, m.len > 3, m.ptr);
	if (is_name(&m, "value") || is_name(&m, "value_base64"))
		return read_field(s, &d->value, m.len > 5, m.ptr);
	if (is_name(&m, "partition"))
		return read_number(s, INT32_MAX, &d->has_partition, &d->partition, m.ptr);
	if (is_name(&m, "timestamp"))
		return read_number(s, INT64_MAX, &d->has_timestamp, &d->timestamp_ms, m.ptr);
	if (is_name(&m, "headers") && !d->has_headers) {
		d->has_headers = true;
		return read_headers(p, s);
	}
	if (is_ignored(&m))
		return cli_json_skip_scalar(s);
	return cli_json_fail(s, m.ptr,
	                     is_name(&m, "headers") ? "a member that was there already"
	                                            : "an unknown member; there are key, value, headers, partition and "
	                                              "timestamp, key_base64 and value_base64");
}

static bool read_object(cli_json_parser *p, cli_json_scan *s, draft *d)
{
	p->n_found = 0;
	if (!cli_json_want(s, '{', "an object {\"value\": …} was expected"))
		return false;
	const char *begin = s->p - 1;
	if (cli_json_take(s, '}'))
		return cli_json_fail(s, begin, "no value; a null one is \"value\": null");
	do {
		if (!read_member(p, s, d))
			return false;
	} while (cli_json_take(s, ','));
	if (!cli_json_want(s, '}', "',' or '}' was expected"))
		return false;
	if (!cli_json_at_end(s))
		return cli_json_fail(s, s->p, "more behind the object; an object stands on a line of its own");
	return d->value.is_set || cli_json_fail(s, begin, "no value; a null one is \"value\": null");
}

static size_t decode(field *f)
{
	size_t len = f->text.len;
	if (f->is_base64)
		cli_base64_decode(f->text.ptr, len, f->text.ptr, &len);
	else if (f->text.has_escapes)
		len = cli_json_unescape(f->text.ptr, len);
	return len;
}

static void decode_headers(cli_json_parser *p, kp_header *out)
{
	for (size_t i = 0; i < p->n_found; i++) {
		struct json_header *h = &p->found[i];
		size_t len = h->name.has_escapes ? cli_json_unescape(h->name.ptr, h->name.len) : h->name.len;
		h->name.ptr[len] = 0; /* the closing quote, or before it */
		out[i].name = h->name.ptr;
		out[i].value_len = decode(&h->value);
		out[i].value = h->value.text.ptr;
	}
}

bool cli_json_record(cli_json_parser *p, cli_json_scan *s, kp_record *out)
{
	draft d = {0};
	kp_header *headers = NULL;
	if (!read_object(p, s, &d))
		return false;
	if (p->n_found && !(headers = allot(p, p->n_found)))
		return cli_json_fail(s, s->begin, "out of memory");
	p->given = (d.key.is_set ? CLI_GIVEN_KEY : 0) | (d.has_headers ? CLI_GIVEN_HEADERS : 0) |
	           (d.has_partition ? CLI_GIVEN_PARTITION : 0) | (d.has_timestamp ? CLI_GIVEN_TIMESTAMP : 0);
	out->value_len = decode(&d.value);
	out->value = d.value.text.ptr;
	if (d.key.is_set) {
		out->key_len = decode(&d.key);
		out->key = d.key.text.ptr;
	}
	if (d.has_headers) {
		decode_headers(p, headers);
		out->headers = headers;
		out->n_headers = p->n_found;
	}
	if (d.has_partition)
		out->partition = (int32_t)d.partition;
	if (d.has_timestamp)
		out->timestamp_ms = d.timestamp_ms;
	return true;
}

static bool is_blank(const char *text, size_t len)
{
	while (len && (text[len - 1] == ' ' || text[len - 1] == '\t' || text[len - 1] == '\r'))
		len--;
	return len == 0;
}

cli_read_event cli_json_next(cli_reader *r, kp_record *out)
{
	kp_record line = KP_RECORD_INIT;
	cli_json_scan s;
	cli_read_event event = cli_lines_next(r, &line);
	r->given = 0;
	out->value = line.value;
	out->value_len = line.value_len;
	if (event != CLI_READ_RECORD)
		return event;
	if (is_blank(line.value, line.value_len))
		return CLI_READ_BLANK;
	char *begin = r->in.buf + ((const char *)line.value - r->in.buf);
	cli_json_scan_init(&s, begin, line.value_len);
	if (cli_json_record(&r->json, &s, out)) {
		r->given = r->json.given;
		return CLI_READ_RECORD;
	}
	snprintf(r->problem, sizeof(r->problem), "%s, at byte %zu of the line", s.problem, s.problem_at + 1);
	return CLI_READ_BAD;
}
