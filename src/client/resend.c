#include "client/resend.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

#define TEXT_MOST 256 /* bytes kept of what the broker said, and of the cause */

static bool is_count(const char *count_header, const kp_header *h)
{
	return count_header && !strcmp(h->name, count_header);
}

size_t kp_resend_size(const kp_report *from, const char *count_header)
{
	size_t n = sizeof(kp_resend) + from->key_len + from->value_len + (2 * from->n_headers + 1) * sizeof(kp_header);
	for (size_t i = 0; i < from->n_headers; i++)
		n += strlen(from->headers[i].name) + 1 + from->headers[i].value_len;
	n += from->cause ? strnlen(from->cause, TEXT_MOST) + 1 : 0; /* cleared memory ends it */
	return n + (count_header ? strlen(count_header) + 1 : 0);
}

/* Bytes to *at, which moves behind them. NULL stays NULL. */
static const void *put(char **at, const void *bytes, size_t len)
{
	char *to = *at;
	if (!bytes)
		return NULL;
	if (len > 0)
		memcpy(to, bytes, len);
	*at += len;
	return to;
}

/* headers[0..n): as offered; behind them as they are sent, where the count stands in the place of the first of its name, or last. */
static void put_headers(kp_resend *e, const kp_report *from, const char *count_header, char **at)
{
	kp_header *headers = (kp_header *)(void *)(e + 1), *sent = headers + from->n_headers;
	size_t n = 0;
	for (size_t i = 0; i < from->n_headers; i++) {
		const kp_header *h = &from->headers[i];
		headers[i].name = put(at, h->name, strlen(h->name) + 1);
		headers[i].value = put(at, h->value, h->value_len);
		headers[i].value_len = h->value_len;
		if (!is_count(count_header, h))
			sent[n++] = headers[i];
		else if (!e->count)
			e->count = &sent[n++];
	}
	if (count_header && !e->count)
		e->count = &sent[n++];
	if (e->count) {
		e->count->name = put(at, count_header, strlen(count_header) + 1);
		e->count->value = e->count_text;
	}
	e->report.headers = from->n_headers ? headers : NULL;
	e->record.headers = n ? sent : NULL;
	e->record.n_headers = n;
}

kp_resend *kp_resend_new(const kp_report *from, size_t bytes, const char *count_header)
{
	kp_resend *e = kp_mem_calloc(1, bytes);
	if (!e)
		return NULL;
	char *at = (char *)((kp_header *)(void *)(e + 1) + 2 * from->n_headers + 1);
	e->bytes = bytes;
	e->report = *from;
	e->report.message = NULL;
	if (from->cause) {
		e->report.cause = put(&at, from->cause, strnlen(from->cause, TEXT_MOST));
		at++;
	}
	e->report.key = put(&at, from->key, from->key_len);
	e->report.value = put(&at, from->value, from->value_len);
	e->record = KP_RECORD_INIT;
	e->record.key = e->report.key;
	e->record.key_len = from->key_len;
	e->record.value = e->report.value;
	e->record.value_len = from->value_len;
	e->record.timestamp_ms = from->timestamp_ms;
	e->record.partition = from->flags & KP_REPORT_PARTITIONED ? from->partition : KP_PARTITION_ANY;
	put_headers(e, from, count_header, &at);
	e->is_doubtful = from->outcome == KP_UNKNOWN;
	return e;
}

void kp_resend_free(kp_resend *e)
{
	kp_mem_free(e->message);
	kp_mem_free(e->cause);
	kp_mem_free(e);
}

void kp_resend_count(kp_resend *e)
{
	if (e->count)
		e->count->value_len = (size_t)snprintf(e->count_text, sizeof(e->count_text), "%d", e->n_sent);
}

void kp_resend_add_end(kp_resend *e, const kp_report *r)
{
	kp_report sum = *r;
	const kp_report *before = &e->report;
	sum.opaque = before->opaque;
	sum.attempts += before->attempts;
	sum.resends = (uint16_t)e->n_sent;
	sum.message = sum.cause = NULL;
	sum.no_metadata_us += before->no_metadata_us;
	sum.no_leader_us += before->no_leader_us;
	sum.queued_us += before->queued_us;
	sum.in_flight_us += before->in_flight_us;
	sum.flags = (uint16_t)(before->flags & KP_REPORT_PARTITIONED) | (r->flags & KP_REPORT_BYSTANDER);
	sum.key = before->key;
	sum.key_len = before->key_len;
	sum.value = before->value;
	sum.value_len = before->value_len;
	sum.headers = before->headers;
	sum.n_headers = before->n_headers;
	e->is_doubtful |= r->outcome == KP_UNKNOWN;
	if (sum.outcome == KP_NOT_PERSISTED && e->is_doubtful)
		sum.outcome = KP_UNKNOWN;
	e->report = sum;
}

static char *copy_of(const char *text)
{
	size_t len = text ? strnlen(text, TEXT_MOST) : 0;
	char *copy = text ? kp_mem_alloc(len + 1) : NULL;
	if (!copy)
		return NULL;
	memcpy(copy, text, len);
	copy[len] = 0;
	return copy;
}

void kp_resend_keep_words(kp_resend *e, const kp_report *last)
{
	e->report.message = e->message = copy_of(last->message);
	e->report.cause = e->cause = copy_of(last->cause);
}
