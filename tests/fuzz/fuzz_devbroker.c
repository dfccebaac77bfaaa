/*
 * fuzz_devbroker.c - libFuzzer target: clients of the development broker's core. The input is a sequence of steps: requests whose body is
 * anything, batches whose checksum is right and whose records are anything, whole frames of anything, time, connections that go, nodes and
 * leaders that come and go. Whatever comes, what the core holds stays within its bounds and every answer is a frame.
 */
#include <stdlib.h>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "devbroker/internal.h"
#include "kproducer/error.h"
#include "wire/writer.h"

#define LOG_BYTES ((size_t)256 << 10)
#define NODES 2

typedef struct input {
	const uint8_t *at, *end;
} input;

static void must(bool holds)
{
	if (!holds)
		abort();
}

static uint8_t byte(input *in)
{
	return in->at < in->end ? *in->at++ : 0;
}

/* At most what is left, and less than 64 KiB. */
static kp_slice bytes(input *in)
{
	size_t n = byte(in);
	n = n << 8 | byte(in);
	if (n > (size_t)(in->end - in->at))
		n = (size_t)(in->end - in->at);
	kp_slice s = kp_slice_of(in->at, n);
	in->at += n;
	return s;
}

static void take_answers(kp_db *db)
{
	kp_db_answer a;
	while (kp_db_next_answer(db, &a)) {
		must(a.bytes.len == 0 ? a.is_close : a.bytes.len >= 8 && kp_load_be32(a.bytes.data) == a.bytes.len - 4);
		kp_buf_deinit(&a.bytes);
		if (a.is_close)
			kp_db_conn_gone(db, a.conn);
	}
}

/* The frame in memory of its exact size, so that reading behind it is seen. */
static void request(kp_db *db, uint8_t from, kp_slice frame, int64_t now_us)
{
	uint64_t conn = 1 + from % 4;
	uint8_t *exact = malloc(frame.len ? frame.len : 1);
	must(exact);
	if (frame.len)
		memcpy(exact, frame.ptr, frame.len);
	int err = kp_db_request(db, 1 + (int32_t)(conn % NODES), conn, kp_slice_of(exact, frame.len), now_us);
	free(exact);
	take_answers(db);
	if (err)
		kp_db_conn_gone(db, conn);
}

static void with_body(kp_db *db, input *in, int64_t now_us)
{
	const kp_db_api *api = &kp_db_apis[byte(in) % kp_db_n_apis];
	int16_t version = (int16_t)(api->min + byte(in) % (api->max - api->min + 1));
	uint8_t from = byte(in);
	kp_slice body = bytes(in);
	kp_buf b;
	kp_buf_init(&b, 0);
	must(!kp_wire_write_request_header(&b, api->key, version, 7, kp_slice_null()));
	kp_buf_append(&b, body.ptr, body.len);
	request(db, from, kp_buf_slice(&b), now_us);
	kp_buf_deinit(&b);
}

static void with_batch(kp_db *db, input *in, int64_t now_us)
{
	uint8_t version = (uint8_t)(3 + byte(in) % 10), from = byte(in), partition = byte(in) % 3, acks = byte(in) % 3;
	kp_slice content = bytes(in); /* from the attributes on */
	kp_buf batch, b;
	kp_buf_init(&batch, 0);
	kp_buf_init(&b, 0);
	uint8_t head[KP_BATCH_CRC_START] = {[16] = 2};
	kp_store_be32(head + 8, (uint32_t)(content.len + KP_BATCH_CRC_START - 12));
	kp_store_be32(head + 17, kp_crc32c(content.ptr, content.len));
	kp_buf_append(&batch, head, sizeof(head));
	kp_buf_append(&batch, content.ptr, content.len);
	kp_produce_request_partition p = {.index = partition, .records = kp_buf_slice(&batch)};
	kp_produce_request_topic t = {.name = kp_slice_cstr("t"), .partition_data = {&p, 1}};
	kp_produce_request q;
	kp_wire_init(&kp_produce_request_schema, &q, 1);
	q.acks = (int16_t)(acks - 1);
	q.timeout_ms = 100;
	q.topic_data.items = &t;
	q.topic_data.n = 1;
	must(!kp_wire_write_request_header(&b, KP_API_PRODUCE, version, 8, kp_slice_null()));
	must(!kp_wire_write(kp_wire_find(KP_API_PRODUCE, false), version, &q, &b, NULL));
	request(db, from, kp_buf_slice(&b), now_us);
	kp_buf_deinit(&batch);
	kp_buf_deinit(&b);
}

static void fate(kp_db *db, input *in)
{
	uint8_t what = byte(in), which = byte(in);
	switch (what % 6) {
	case 0: kp_db_conn_gone(db, 1 + which % 4); break;
	case 1: (void)!kp_db_set_leader(db, "t", which % 3, which / 3 % (NODES + 1)); break;
	case 2: (void)!kp_db_node_set_up(db, 1 + which % NODES, which & 4); break;
	case 3: kp_db_set_hw_delay_us(db, which * 1000); break;
	case 4: (void)!kp_db_truncate(db, "t", which % 3, which / 3); break;
	default: (void)!kp_db_forget_producers(db, "t", which % 3, -1); break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	input in = {data, data + size};
	int64_t now_us = 0;
	kp_db_options o;
	kp_db_options_init(&o);
	o.n_nodes = NODES;
	o.log_bytes_max = LOG_BYTES;
	o.is_discarding = byte(&in) & 1;
	kp_db *db = kp_db_new(&o);
	must(db && kp_db_create_topic(db, "t", 3, NODES) == 0);
	while (in.at < in.end) {
		switch (byte(&in) % 8) {
		case 0:
		case 1:
		case 2: with_body(db, &in, now_us); break;
		case 3:
		case 4: with_batch(db, &in, now_us); break;
		case 5: {
			uint8_t from = byte(&in);
			request(db, from, bytes(&in), now_us);
			break;
		}
		case 6: now_us += byte(&in) * (int64_t)1000; break;
		default: fate(db, &in); break;
		}
		must(kp_db_step(db, now_us) >= now_us);
		take_answers(db);
		kp_db_stats stats;
		kp_db_get_stats(db, &stats);
		must(stats.log_bytes <= LOG_BYTES + ((size_t)1 << 20) + KP_DB_MAX_FRAME / 100);
	}
	kp_db_free(db);
	return 0;
}
