#include "rpc/rpc.h"

#include <kproducer/error.h>

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "base/time.h"
#include "rpc/negotiate.h"
#include "wire/header.h"

#define SPARE_MAX 16

void kp_rpc_init(kp_rpc *c, const kp_rpc_handler *handler, void *owner, const char *client_id)
{
	memset(c, 0, sizeof(*c));
	c->handler = handler;
	c->owner = owner;
	kp_list_init(&c->outbox);
	kp_list_init(&c->in_flight);
	kp_list_init(&c->spare);
	kp_buf_init(&c->inbox, KP_RPC_MAX_FRAME + 4);
	snprintf(c->client_id, sizeof(c->client_id), "%s", client_id);
}

static void request_free(kp_rpc_request *r)
{
	kp_buf_deinit(&r->bytes);
	kp_wire_refs_deinit(&r->refs);
	kp_mem_free(r);
}

static kp_rpc_request *request_get(kp_rpc *c)
{
	kp_list *n = kp_list_pop_front(&c->spare);
	if (n) {
		kp_rpc_request *r = KP_CONTAINER_OF(n, kp_rpc_request, link);
		kp_buf_clear(&r->bytes);
		kp_wire_refs_clear(&r->refs);
		return r;
	}
	kp_rpc_request *r = kp_mem_calloc(1, sizeof(*r));
	if (!r)
		return NULL;
	kp_list_init(&r->link);
	kp_buf_init(&r->bytes, KP_RPC_MAX_FRAME);
	kp_wire_refs_init(&r->refs);
	return r;
}

/* Keep a few requests with their buffers: in steady state a call allocates nothing. */
static void request_put(kp_rpc *c, kp_rpc_request *r)
{
	size_t n = 0;
	kp_list_remove(&r->link);
	for (kp_list *i = c->spare.next; i != &c->spare && n < SPARE_MAX; i = i->next)
		n++;
	if (n < SPARE_MAX)
		kp_list_push_front(&c->spare, &r->link);
	else
		request_free(r);
}

void kp_rpc_deinit(kp_rpc *c)
{
	kp_list *lists[] = {&c->outbox, &c->in_flight, &c->spare};
	for (size_t i = 0; i < KP_ARRAY_LEN(lists); i++) {
		kp_list *n;
		while ((n = kp_list_pop_front(lists[i])))
			request_free(KP_CONTAINER_OF(n, kp_rpc_request, link));
	}
	kp_buf_deinit(&c->inbox);
}

int kp_rpc_open(kp_rpc *c, int64_t now_us, int64_t request_timeout_us)
{
	c->state = KP_RPC_NEGOTIATING;
	c->throttled_until_us = 0;
	kp_buf_clear(&c->inbox);
	return kp_rpc_ask_versions(c, KP_RPC_API_VERSIONS_MAX, now_us, request_timeout_us);
}

void kp_rpc_close(kp_rpc *c, int error)
{
	kp_list all;
	kp_list *n;
	c->state = KP_RPC_CLOSED;
	kp_list_init(&all);
	kp_list_splice_back(&all, &c->in_flight);
	kp_list_splice_back(&all, &c->outbox);
	c->n_in_flight = 0;
	while ((n = kp_list_pop_front(&all))) {
		kp_rpc_request *r = KP_CONTAINER_OF(n, kp_rpc_request, link);
		if (r->api_key != KP_API_API_VERSIONS)
			c->handler->on_failed(c->owner, r, error);
		request_put(c, r);
	}
	kp_buf_deinit(&c->inbox);
	kp_buf_init(&c->inbox, KP_RPC_MAX_FRAME + 4);
}

int kp_rpc_version(const kp_rpc *c, int16_t api_key, int cap)
{
	const kp_wire_message *m = kp_wire_find(api_key, false);
	if (!m || api_key < 0 || api_key >= KP_RPC_API_COUNT || c->state != KP_RPC_READY)
		return -1;
	int ours = m->max_version - (m->is_latest_unstable ? 1 : 0);
	int v = c->offered[api_key].max;
	if (v > ours)
		v = ours;
	if (v > cap)
		v = cap;
	return v >= m->min_version && v >= c->offered[api_key].min ? v : -1;
}

/* Frame length, header, body; the length is filled in last, when it is known. */
static int encode(kp_rpc *c, kp_rpc_request *r, const void *body)
{
	static const uint8_t length_space[4];
	const kp_wire_message *m = kp_wire_find(r->api_key, false);
	kp_buf_append(&r->bytes, length_space, sizeof(length_space));
	int err = kp_wire_write_request_header(&r->bytes, r->api_key, r->version, r->correlation_id, kp_slice_cstr(c->client_id));
	if (err)
		return err;
	err = kp_wire_write(m, r->version, body, &r->bytes, &r->refs);
	if (err)
		return err;
	if (r->bytes.failed)
		return KP_ERR_NO_MEMORY;
	r->total = r->bytes.len + r->refs.n_bytes;
	kp_store_be32(r->bytes.data, (uint32_t)(r->total - 4));
	return 0;
}

kp_rpc_request *kp_rpc_call(kp_rpc *c, int16_t api_key, int version, const void *body, bool expects_answer, void *opaque,
                            int64_t now_us, int64_t timeout_us, int *error)
{
	kp_rpc_request *r = request_get(c);
	if (!r) {
		*error = KP_ERR_NO_MEMORY;
		return NULL;
	}
	r->api_key = api_key;
	r->version = (int16_t)version;
	r->correlation_id = c->next_correlation_id;
	r->expects_answer = expects_answer;
	r->opaque = opaque;
	r->written = 0;
	r->timeout_us = timeout_us;
	r->deadline_us = now_us + timeout_us;
	*error = encode(c, r, body);
	if (*error) {
		request_put(c, r);
		return NULL;
	}
	c->next_correlation_id = (int32_t)(((uint32_t)c->next_correlation_id + 1) & 0x7fffffff);
	kp_list_push_back(&c->outbox, &r->link);
	c->n_in_flight++;
	return r;
}

void kp_rpc_disown(kp_rpc *c, const void *opaque)
{
	const kp_list *lists[] = {&c->in_flight, &c->outbox};
	for (size_t k = 0; k < KP_ARRAY_LEN(lists); k++)
		for (kp_list *i = lists[k]->next; i != lists[k]; i = i->next) {
			kp_rpc_request *r = KP_CONTAINER_OF(i, kp_rpc_request, link);
			if (r->opaque == opaque)
				r->opaque = NULL;
		}
}

bool kp_rpc_has_output(const kp_rpc *c)
{
	return !kp_list_empty(&c->outbox);
}

/* The pieces of one request from its byte r->written on: stretches of r->bytes with the batches between them. */
static int request_output(const kp_rpc_request *r, struct iovec *iov, int max)
{
	size_t skip = r->written, from = 0;
	int n = 0;
	for (size_t i = 0; i <= r->refs.n && n < max; i++) {
		const kp_wire_ref *ref = i < r->refs.n ? &r->refs.items[i] : NULL;
		kp_slice pieces[2] = {kp_slice_of(r->bytes.data + from, (ref ? ref->pos : r->bytes.len) - from),
		                      ref ? ref->bytes : kp_slice_null()};
		from = ref ? ref->pos : from;
		for (int k = 0; k < 2 && n < max; k++) {
			size_t drop = skip < pieces[k].len ? skip : pieces[k].len;
			skip -= drop;
			if (drop == pieces[k].len)
				continue;
			/* iovec has no const; the bytes are only read */
			iov[n].iov_base = (void *)(uintptr_t)(pieces[k].ptr + drop);
			iov[n++].iov_len = pieces[k].len - drop;
		}
	}
	return n;
}

int kp_rpc_output(kp_rpc *c, struct iovec *iov, int max)
{
	int n = 0;
	for (kp_list *i = c->outbox.next; i != &c->outbox && n < max; i = i->next)
		n += request_output(KP_CONTAINER_OF(i, kp_rpc_request, link), iov + n, max - n);
	return n;
}

void kp_rpc_written(kp_rpc *c, size_t n)
{
	c->sent_bytes += n;
	while (n > 0 && !kp_list_empty(&c->outbox)) {
		kp_rpc_request *r = KP_CONTAINER_OF(c->outbox.next, kp_rpc_request, link);
		size_t take = r->total - r->written < n ? r->total - r->written : n;
		r->written += take;
		n -= take;
		if (r->written < r->total)
			return;
		kp_list_remove(&r->link);
		if (r->expects_answer)
			kp_list_push_back(&c->in_flight, &r->link);
		else
			c->n_in_flight--;
		if (r->api_key != KP_API_API_VERSIONS)
			c->handler->on_written(c->owner, r);
		if (!r->expects_answer)
			request_put(c, r);
	}
}

static int not_kafka(kp_rpc *c, const uint8_t *start, const char *what)
{
	const char *hint = what;
	if (memcmp(start, "HTTP", 4) == 0)
		hint = "the server speaks HTTP, not Kafka: is this the right port?";
	else if (start[0] >= 0x14 && start[0] <= 0x17 && start[1] == 3)
		hint = "the server speaks TLS, and this connection is PLAINTEXT: is this the right port or security.protocol?";
	else if (memcmp(start, "SSH-", 4) == 0)
		hint = "the server speaks SSH, not Kafka: is this the right port?";
	snprintf(c->error_text, sizeof(c->error_text), "%s", hint);
	return KP_ERR_PROTOCOL;
}

/* One whole frame, without its length. */
static int frame(kp_rpc *c, const uint8_t *ptr, size_t len, int64_t now_us)
{
	kp_rpc_request *r = kp_list_empty(&c->in_flight) ? NULL : KP_CONTAINER_OF(c->in_flight.next, kp_rpc_request, link);
	int32_t correlation_id;
	size_t header;
	if (!r)
		return not_kafka(c, ptr, "an answer came that nothing asked for");
	int err = kp_wire_read_response_header(kp_slice_of(ptr, len), r->api_key, r->version, &correlation_id, &header);
	if (err || correlation_id != r->correlation_id)
		return not_kafka(c, ptr, "an answer does not belong to the oldest request in flight");
	kp_list_remove(&r->link);
	c->n_in_flight--;
	kp_slice body = kp_slice_of(ptr + header, len - header);
	if (r->api_key == KP_API_API_VERSIONS) {
		err = kp_rpc_take_versions(c, r, body, now_us);
		request_put(c, r);
		if (!err && c->state == KP_RPC_READY)
			c->handler->on_ready(c->owner);
		return err;
	}
	c->handler->on_answer(c->owner, r, body);
	request_put(c, r);
	return 0;
}

static int frame_length(kp_rpc *c, const uint8_t *p, size_t *len)
{
	uint32_t n = kp_load_be32(p);
	uint32_t most = c->state == KP_RPC_READY ? KP_RPC_MAX_FRAME : KP_RPC_MAX_FIRST_FRAME;
	if (n < 4 || n > most) {
		char text[96];
		snprintf(text, sizeof(text), "a frame of %u bytes is announced (4 to %u are possible): not a Kafka broker", n,
		         most);
		return not_kafka(c, p, text);
	}
	*len = n;
	return 0;
}

/* Serve whole frames straight from the caller's bytes; returns how many bytes were used, or an error below zero in *err. */
static size_t serve_frames(kp_rpc *c, const uint8_t *ptr, size_t len, int64_t now_us, int *err)
{
	size_t used = 0, n = 0;
	while (!*err && c->state != KP_RPC_CLOSED && len - used >= 4) {
		*err = frame_length(c, ptr + used, &n);
		if (*err || len - used - 4 < n)
			break;
		*err = frame(c, ptr + used + 4, n, now_us);
		used += 4 + n;
	}
	return used;
}

int kp_rpc_input(kp_rpc *c, const uint8_t *ptr, size_t len, int64_t now_us)
{
	int err = 0;
	c->received_bytes += len;
	if (c->inbox.len == 0) {
		size_t used = serve_frames(c, ptr, len, now_us, &err);
		ptr += used;
		len -= used;
	}
	if (err || len == 0 || c->state == KP_RPC_CLOSED)
		return err;
	kp_buf_append(&c->inbox, ptr, len);
	if (c->inbox.failed) {
		snprintf(c->error_text, sizeof(c->error_text), "out of memory for an answer");
		return KP_ERR_NO_MEMORY;
	}
	size_t used = serve_frames(c, c->inbox.data, c->inbox.len, now_us, &err);
	if (c->state != KP_RPC_CLOSED)
		kp_buf_consume(&c->inbox, used);
	return err;
}

int64_t kp_rpc_deadline(const kp_rpc *c)
{
	/* Time-outs differ by request kind, so the first is not always the earliest; the lists are short. */
	int64_t first = KP_TIME_NEVER;
	const kp_list *lists[] = {&c->in_flight, &c->outbox};
	for (size_t k = 0; k < KP_ARRAY_LEN(lists); k++)
		for (const kp_list *i = lists[k]->next; i != lists[k]; i = i->next) {
			const kp_rpc_request *r = KP_CONTAINER_OF(i, kp_rpc_request, link);
			if (r->deadline_us < first)
				first = r->deadline_us;
		}
	return first;
}

void kp_rpc_throttle(kp_rpc *c, int64_t now_us, int32_t throttle_ms)
{
	int64_t until = now_us + (int64_t)throttle_ms * 1000;
	if (throttle_ms <= 0 || until <= c->throttled_until_us)
		return;
	c->throttled_until_us = until;
	for (kp_list *i = c->in_flight.next; i != &c->in_flight; i = i->next)
		KP_CONTAINER_OF(i, kp_rpc_request, link)->deadline_us += (int64_t)throttle_ms * 1000;
}
