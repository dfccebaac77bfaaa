/*
 * failed_record.c - see failed_record.h.
 */
#include "cli/failed_record.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/json.h"
#include "cli/trail.h"
#include "cli/utf8.h"

#define BASE64_BLOCK 3072

static void put_text(cli_failed *f, const char *text)
{
	cli_failed_put(f, text, strlen(text));
}

static void put_base64(cli_failed *f, cli_base64 *b, const char *bytes, size_t len)
{
	char out[CLI_BASE64_ROOM(BASE64_BLOCK)];
	for (size_t n; len; bytes += n, len -= n) {
		n = len < BASE64_BLOCK ? len : BASE64_BLOCK;
		cli_failed_put(f, out, cli_base64_put(b, bytes, n, out));
	}
}

static void put_base64_end(cli_failed *f, cli_base64 *b)
{
	char out[4];
	cli_failed_put(f, out, cli_base64_end(b, out));
}

static void put_escaped(cli_failed *f, const char *text, size_t len)
{
	char escape[CLI_JSON_ESCAPE_MAX];
	size_t from = 0;
	for (size_t i = 0; i < len; i++) {
		if (!cli_json_is_special((unsigned char)text[i]))
			continue;
		cli_failed_put(f, text + from, i - from);
		cli_failed_put(f, escape, cli_json_escape((unsigned char)text[i], escape));
		from = i + 1;
	}
	cli_failed_put(f, text + from, len - from);
}

/* "NAME":null, "NAME":"text" or "NAME_base64":"bytes" */
static void put_field(cli_failed *f, const char *name, const void *bytes, size_t len)
{
	cli_base64 b = {0};
	put_text(f, "\"");
	put_text(f, name);
	if (!bytes) {
		put_text(f, "\":null");
		return;
	}
	if (cli_utf8_is_text(bytes, len)) {
		put_text(f, "\":\"");
		put_escaped(f, bytes, len);
	} else {
		put_text(f, "_base64\":\"");
		put_base64(f, &b, bytes, len);
		put_base64_end(f, &b);
	}
	put_text(f, "\"");
}

static void put_headers(cli_failed *f, const kp_record *r)
{
	put_text(f, "\"headers\":[");
	for (size_t i = 0; i < r->n_headers; i++) {
		put_text(f, i ? ",{" : "{");
		put_field(f, "key", r->headers[i].name, strlen(r->headers[i].name));
		put_text(f, ",");
		put_field(f, "value", r->headers[i].value, r->headers[i].value_len);
		put_text(f, "}");
	}
	put_text(f, "],");
}

static void put_number(cli_failed *f, const char *name, uint64_t n)
{
	char text[64];
	snprintf(text, sizeof(text), "\"%s\":%" PRIu64 ",", name, n);
	put_text(f, text);
}

/* A name for people: what is not UTF-8 in it is shown as '?'. */
static void put_name(cli_failed *f, const char *name, const char *text)
{
	put_text(f, "\"");
	put_text(f, name);
	put_text(f, "\":\"");
	for (size_t n; *text; text += n) {
		n = cli_utf8_length(text, 4);
		put_escaped(f, n ? text : "?", n ? n : 1);
		n = n ? n : 1;
	}
	put_text(f, "\",");
}

static void put_trail(cli_failed *f, const kp_report *r)
{
	char trail[CLI_TRAIL_MAX];
	put_number(f, "attempts", (uint64_t)r->attempts);
	cli_failed_put(f, trail, (size_t)(cli_trail_put(r, trail) - trail));
	put_text(f, ",");
}

/* Everything before the value. */
static bool put_head(cli_failed *f, const cli_failed_record *r)
{
	const kp_record *c = r->content;
	if (!cli_failed_begin(f, r->ordinal))
		return false;
	put_text(f, "{");
	put_name(f, "outcome", r->outcome);
	if (r->error)
		put_name(f, "error", r->error);
	put_name(f, "input", r->input);
	put_number(f, "record", r->number);
	if (r->report)
		put_trail(f, r->report);
	if (c->partition >= 0)
		put_number(f, "partition", (uint64_t)c->partition);
	if (c->timestamp_ms >= 0)
		put_number(f, "timestamp", (uint64_t)c->timestamp_ms);
	if (!r->omits_key) {
		put_field(f, "key", c->key, c->key_len);
		put_text(f, ",");
	}
	put_headers(f, c);
	return true;
}

bool cli_failed_record_add(cli_failed *f, const cli_failed_record *r)
{
	if (!put_head(f, r))
		return false;
	put_field(f, "value", r->content->value, r->content->value_len);
	put_text(f, "}");
	return cli_failed_end(f);
}

bool cli_failed_record_begin(cli_failed *f, const cli_failed_record *r)
{
	if (!put_head(f, r))
		return false;
	put_text(f, "\"value_base64\":\"");
	return true;
}

bool cli_failed_record_piece(cli_failed *f, cli_base64 *b, const void *piece, size_t len, bool is_last)
{
	put_base64(f, b, piece, len);
	if (!is_last)
		return f->is_open;
	put_base64_end(f, b);
	put_text(f, "\"}");
	return cli_failed_end(f);
}
