/*
 * rpc_fixture.h - a connection without a transport: what the handler heard, what would be written, answers to feed in.
 */
#ifndef KP_TEST_RPC_FIXTURE_H
#define KP_TEST_RPC_FIXTURE_H

#include "unit/base/unit.h"

#include "base/bytes.h"
#include "base/time.h"
#include "kproducer/error.h"
#include "rpc/rpc.h"
#include "wire/header.h"
#include "wire/msg_api_versions.h"
#include "wire/msg_init_producer_id.h"
#include "wire/msg_metadata.h"
#include "wire/msg_produce.h"
#include "wire/reader.h"

#define TIMEOUT_US 30000000

typedef enum heard_kind { HEARD_READY, HEARD_WRITTEN, HEARD_ANSWER, HEARD_FAILED } heard_kind;

typedef struct heard {
	heard_kind kind;
	int32_t correlation_id;
	void *opaque;
	int error;
	bool was_whole; /* HEARD_FAILED: all of it was with the kernel */
	uint8_t body[256];
	size_t body_len;
} heard;

typedef struct fixture {
	kp_rpc rpc;
	heard heard[64];
	size_t n;
} fixture;

static inline heard *hear(fixture *f, heard_kind kind, const kp_rpc_request *r)
{
	assert_true(f->n < KP_ARRAY_LEN(f->heard));
	heard *h = &f->heard[f->n++];
	*h = (heard){.kind = kind};
	if (r) {
		h->correlation_id = r->correlation_id;
		h->opaque = r->opaque;
	}
	return h;
}

static inline void hear_ready(void *owner)
{
	hear(owner, HEARD_READY, NULL);
}

static inline void hear_written(void *owner, kp_rpc_request *r)
{
	hear(owner, HEARD_WRITTEN, r);
}

static inline void hear_answer(void *owner, kp_rpc_request *r, kp_slice body)
{
	heard *h = hear(owner, HEARD_ANSWER, r);
	h->body_len = body.len;
	memcpy(h->body, body.ptr, body.len < sizeof(h->body) ? body.len : sizeof(h->body));
}

static inline void hear_failed(void *owner, kp_rpc_request *r, int error)
{
	heard *h = hear(owner, HEARD_FAILED, r);
	h->error = error;
	h->was_whole = r->written == r->total;
}

static const kp_rpc_handler fixture_handler = {hear_ready, hear_written, hear_answer, hear_failed};

static inline void fixture_init(fixture *f)
{
	memset(f, 0, sizeof(*f));
	kp_rpc_init(&f->rpc, &fixture_handler, f, "tester");
}

/* Everything in the outbox, as one piece; not yet written. Free it with kp_buf_deinit. */
static inline kp_buf fixture_peek(fixture *f)
{
	struct iovec iov[64];
	kp_buf all;
	kp_buf_init(&all, 0);
	int n = kp_rpc_output(&f->rpc, iov, KP_ARRAY_LEN(iov));
	for (int i = 0; i < n; i++)
		kp_buf_append(&all, iov[i].iov_base, iov[i].iov_len);
	assert_false(all.failed);
	return all;
}

static inline void fixture_write_all(fixture *f)
{
	kp_buf all = fixture_peek(f);
	kp_rpc_written(&f->rpc, all.len);
	assert_false(kp_rpc_has_output(&f->rpc));
	kp_buf_deinit(&all);
}

/* The header of the last request in the outbox. */
static inline kp_request_header fixture_asked(fixture *f)
{
	kp_request_header h;
	size_t used;
	kp_list *last = kp_list_last(&f->rpc.outbox);
	assert_non_null(last);
	const kp_rpc_request *r = KP_CONTAINER_OF(last, kp_rpc_request, link);
	assert_int_equal(kp_load_be32(r->bytes.data), r->total - 4);
	assert_int_equal(kp_wire_read_request_header(kp_slice_of(r->bytes.data + 4, r->bytes.len - 4), &h, &used), 0);
	return h;
}

/* Append a whole frame: length, response header, body. */
static inline void append_answer(kp_buf *out, const kp_wire_message *m, int version, int32_t correlation_id, const void *body)
{
	size_t at = out->len;
	kp_buf_append(out, "\0\0\0\0", 4);
	assert_int_equal(kp_wire_write_response_header(out, m->api_key, (int16_t)version, correlation_id), 0);
	assert_int_equal(kp_wire_write(m, version, body, out, NULL), 0);
	kp_store_be32(out->data + at, (uint32_t)(out->len - at - 4));
}

static inline int fixture_answer(fixture *f, const kp_wire_message *m, int version, int32_t correlation_id, const void *body)
{
	kp_buf out;
	kp_buf_init(&out, 0);
	append_answer(&out, m, version, correlation_id, body);
	int err = kp_rpc_input(&f->rpc, out.data, out.len, 0);
	kp_buf_deinit(&out);
	return err;
}

/* An ApiVersions answer that offers the given APIs. */
static inline kp_api_versions_response versions_answer(int error, kp_api_versions_response_api *apis, int32_t n)
{
	kp_api_versions_response a;
	kp_wire_init(&kp_api_versions_response_schema, &a, 1);
	a.error_code = (int16_t)error;
	a.api_keys.items = apis;
	a.api_keys.n = n;
	return a;
}

/* From NEW to READY with a broker that offers all we have. */
static inline void fixture_ready(fixture *f)
{
	kp_api_versions_response_api apis[] = {
		{KP_API_PRODUCE, 0, 13}, {KP_API_METADATA, 0, 13}, {KP_API_API_VERSIONS, 0, 4}, {KP_API_INIT_PRODUCER_ID, 0, 6}};
	kp_api_versions_response a = versions_answer(0, apis, KP_ARRAY_LEN(apis));
	assert_int_equal(kp_rpc_open(&f->rpc, 0, TIMEOUT_US), 0);
	kp_request_header asked = fixture_asked(f);
	fixture_write_all(f);
	assert_int_equal(fixture_answer(f, &kp_api_versions_response_message, 4, asked.correlation_id, &a), 0);
	assert_int_equal(f->rpc.state, KP_RPC_READY);
	f->n = 0;
}

/* A request that is answered with few bytes. */
static inline kp_rpc_request *fixture_call(fixture *f, void *opaque, int64_t now_us, int64_t timeout_us)
{
	int error = 0;
	kp_init_producer_id_request body;
	kp_wire_init(&kp_init_producer_id_request_schema, &body, 1);
	body.transactional_id = kp_slice_null();
	kp_rpc_request *r = kp_rpc_call(&f->rpc, KP_API_INIT_PRODUCER_ID, 4, &body, true, opaque, now_us, timeout_us, &error);
	assert_true(r || error == KP_ERR_NO_MEMORY);
	return r;
}

static inline void append_id_answer(kp_buf *out, int32_t correlation_id, int64_t producer_id)
{
	kp_init_producer_id_response a;
	kp_wire_init(&kp_init_producer_id_response_schema, &a, 1);
	a.producer_id = producer_id;
	append_answer(out, &kp_init_producer_id_response_message, 4, correlation_id, &a);
}

#endif
