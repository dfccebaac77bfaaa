/*
 * db_test.c - see db_test.h.
 */
#include "db_test.h"

#include "base/bytes.h"
#include "base/crc32c.h"
#include "record/codec.h"
#include "wire/reader.h"
#include "wire/writer.h"

db_test *db_test_new_with(const kp_db_options *o)
{
	db_test *t = test_calloc(1, sizeof(*t));
	kp_arena_init(&t->arena, 0);
	t->options = *o;
	t->db = kp_db_new(o);
	assert_non_null(t->db);
	return t;
}

db_test *db_test_new(void)
{
	kp_db_options o;
	kp_db_options_init(&o);
	o.n_nodes = 3;
	o.wall_ms_at_zero = WALL_MS;
	db_test *t = db_test_new_with(&o);
	assert_int_equal(0, kp_db_create_topic(t->db, "t", 3, 3));
	return t;
}

void db_test_free(db_test *t)
{
	kp_db_free(t->db);
	kp_arena_deinit(&t->arena);
	test_free(t);
}

/* The bytes, owned by the test's arena from now on. */
static kp_slice keep(db_test *t, kp_buf *b)
{
	assert_false(b->failed);
	uint8_t *copy = kp_arena_alloc(&t->arena, b->len);
	assert_non_null(copy);
	if (b->len)
		memcpy(copy, b->data, b->len);
	kp_slice s = kp_slice_of(copy, b->len);
	kp_buf_deinit(b);
	return s;
}

kp_slice db_frame(db_test *t, int16_t key, int16_t version, const void *request)
{
	kp_buf b;
	kp_buf_init(&b, 0);
	assert_int_equal(0, kp_wire_write_request_header(&b, key, version, ++t->correlation, kp_slice_cstr("test")));
	assert_int_equal(0, kp_wire_write(kp_wire_find(key, false), version, request, &b, NULL));
	return keep(t, &b);
}

int db_send(db_test *t, int32_t node, uint64_t conn, int16_t key, int16_t version, const void *request)
{
	return kp_db_request(t->db, node, conn, db_frame(t, key, version, request), t->now_us);
}

void db_take(db_test *t, uint64_t conn, int32_t correlation, int16_t key, int16_t version, void *response)
{
	kp_db_answer a;
	int32_t got;
	size_t used;
	assert_true(kp_db_next_answer(t->db, &a));
	assert_false(a.is_close);
	assert_int_equal(conn, a.conn);
	assert_int_equal(correlation, a.correlation_id);
	assert_int_equal(key, a.api_key);
	kp_slice bytes = keep(t, &a.bytes);
	assert_int_equal(bytes.len - 4, kp_load_be32(bytes.ptr));
	bytes = kp_slice_of(bytes.ptr + 4, bytes.len - 4);
	assert_int_equal(0, kp_wire_read_response_header(bytes, key, version, &got, &used));
	assert_int_equal(correlation, got);
	bytes = kp_slice_of(bytes.ptr + used, bytes.len - used);
	assert_int_equal(0, kp_wire_read(kp_wire_find(key, true), version, bytes, &t->arena, response, &used));
	assert_int_equal(bytes.len, used);
}

void db_call(db_test *t, int32_t node, int16_t key, int16_t version, const void *request, void *response)
{
	uint64_t conn = CONN + (uint64_t)node * 1000;
	assert_int_equal(0, db_send(t, node, conn, key, version, request));
	db_take(t, conn, t->correlation, key, version, response);
	db_expect_no_answer(t);
}

void db_expect_no_answer(db_test *t)
{
	kp_db_answer a;
	assert_false(kp_db_next_answer(t->db, &a));
}

void db_expect_close(db_test *t, uint64_t conn)
{
	kp_db_answer a;
	assert_true(kp_db_next_answer(t->db, &a));
	assert_true(a.is_close);
	assert_int_equal(conn, a.conn);
	assert_int_equal(0, a.bytes.len);
}

int64_t db_pass(db_test *t, int64_t us)
{
	t->now_us += us;
	return kp_db_step(t->db, t->now_us);
}

static kp_slice make_records(db_test *t, const db_batch *b, int32_t n)
{
	kp_buf raw;
	kp_buf_init(&raw, 0);
	size_t value_size = b->value_size ? b->value_size : 3;
	uint8_t *value = kp_arena_alloc(&t->arena, value_size);
	assert_non_null(value);
	memset(value, 'v', value_size);
	kp_record_content c = {kp_slice_cstr(b->key), kp_slice_of(value, value_size), NULL, 0};
	for (int32_t i = 0; i < n; i++) {
		size_t body = kp_record_body_size(&c, 0, i), size = kp_record_size(body);
		uint8_t *p = kp_buf_reserve(&raw, size);
		assert_non_null(p);
		kp_record_store(p, &c, body, 0, i);
		raw.len += size;
	}
	return keep(t, &raw);
}

static kp_slice compress(db_test *t, kp_codec_type codec, kp_slice raw)
{
	size_t cap = kp_compress_bound(codec, raw.len), len;
	uint8_t *dst = kp_arena_alloc(&t->arena, cap);
	kp_compressor *c = kp_compressor_new();
	assert_non_null(dst);
	assert_non_null(c);
	assert_int_equal(0, kp_compress(c, codec, KP_CODEC_LEVEL_DEFAULT, raw, dst, cap, &len));
	kp_compressor_free(c);
	return kp_slice_of(dst, len);
}

kp_slice db_make_batch(db_test *t, const db_batch *b)
{
	int32_t n = b->n ? b->n : 1;
	kp_slice raw = b->raw.ptr ? b->raw : make_records(t, b, n);
	kp_codec_type codec = b->attributes & KP_BATCH_CODEC_MASK;
	if (codec > KP_CODEC_NONE && codec < KP_CODEC_COUNT && !b->raw.ptr)
		raw = compress(t, codec, raw);
	kp_batch_header h = {
		.base_offset = b->base_offset,
		.batch_length = (int32_t)(KP_BATCH_HEADER_SIZE - 12 + raw.len),
		.partition_leader_epoch = -1,
		.magic = 2,
		.attributes = b->attributes,
		.last_offset_delta = b->last_offset_delta == -1000 ? 0
	                             : b->last_offset_delta        ? b->last_offset_delta
	                                                           : n - 1,
		.base_timestamp = b->timestamp ? b->timestamp : WALL_MS,
		.max_timestamp = b->timestamp ? b->timestamp : WALL_MS,
		.producer_id = b->has_producer ? b->producer_id : -1,
		.producer_epoch = b->has_producer ? b->epoch : -1,
		.base_sequence = b->has_producer ? b->sequence : -1,
		.n_records = b->count == -1000 ? 0
	                     : b->count        ? b->count
	                                       : n,
	};
	uint8_t *p = kp_arena_alloc(&t->arena, KP_BATCH_HEADER_SIZE + raw.len);
	assert_non_null(p);
	kp_batch_header_store(p, &h);
	memcpy(p + KP_BATCH_HEADER_SIZE, raw.ptr, raw.len);
	h.crc = kp_crc32c(p + KP_BATCH_CRC_START, KP_BATCH_HEADER_SIZE - KP_BATCH_CRC_START + raw.len) ^ b->crc_xor;
	kp_batch_header_store(p, &h);
	return kp_slice_of(p, KP_BATCH_HEADER_SIZE + raw.len);
}

kp_slice db_join(db_test *t, kp_slice a, kp_slice b)
{
	uint8_t *p = kp_arena_alloc(&t->arena, a.len + b.len);
	assert_non_null(p);
	memcpy(p, a.ptr, a.len);
	memcpy(p + a.len, b.ptr, b.len);
	return kp_slice_of(p, a.len + b.len);
}

void db_produce_request(db_test *t, const char *topic, int32_t partition, int16_t acks, kp_slice records, kp_produce_request *out)
{
	kp_produce_request_topic *qt = kp_arena_alloc(&t->arena, sizeof(*qt));
	kp_produce_request_partition *qp = kp_arena_alloc(&t->arena, sizeof(*qp));
	assert_non_null(qt);
	assert_non_null(qp);
	kp_wire_init(&kp_produce_request_schema, out, 1);
	kp_wire_init(&kp_produce_request_topic_schema, qt, 1);
	*qp = (kp_produce_request_partition){partition, records};
	qt->name = kp_slice_cstr(topic);
	qt->topic_id = db_topic_id(t, topic);
	qt->partition_data.items = qp;
	qt->partition_data.n = 1;
	out->acks = acks;
	out->timeout_ms = 1000;
	out->topic_data.items = qt;
	out->topic_data.n = 1;
}

db_produced db_produced_of(const kp_produce_response *r)
{
	assert_int_equal(1, r->responses.n);
	assert_int_equal(1, r->responses.items[0].partition_responses.n);
	const kp_produce_response_partition *p = &r->responses.items[0].partition_responses.items[0];
	return (db_produced){p->error_code,      p->base_offset,   p->log_append_time_ms, p->log_start_offset,
	                     p->record_errors.n, p->error_message, p->current_leader,     *r};
}

db_produced db_produce_at(db_test *t, int32_t node, int16_t version, int16_t acks, const char *topic, int32_t partition,
                          kp_slice records)
{
	kp_produce_request q;
	kp_produce_response r;
	db_produce_request(t, topic, partition, acks, records, &q);
	db_call(t, node, KP_API_PRODUCE, version, &q, &r);
	return db_produced_of(&r);
}

db_produced db_produce(db_test *t, int32_t partition, kp_slice records)
{
	return db_produce_at(t, partition + 1, 12, -1, "t", partition, records);
}

kp_fetch_request *db_fetch_request(db_test *t, const char *topic, int32_t partition, int64_t offset, int32_t max_bytes,
                                   int32_t max_wait_ms)
{
	kp_fetch_request *q = kp_arena_alloc(&t->arena, sizeof(*q));
	kp_fetch_request_topic *qt = kp_arena_alloc(&t->arena, sizeof(*qt));
	kp_fetch_request_partition *qp = kp_arena_alloc(&t->arena, sizeof(*qp));
	assert_true(q && qt && qp);
	kp_wire_init(&kp_fetch_request_schema, q, 1);
	kp_wire_init(&kp_fetch_request_topic_schema, qt, 1);
	kp_wire_init(&kp_fetch_request_partition_schema, qp, 1);
	qp->partition = partition;
	qp->fetch_offset = offset;
	qp->partition_max_bytes = max_bytes;
	qt->topic = kp_slice_cstr(topic);
	qt->topic_id = db_topic_id(t, topic);
	qt->partitions.items = qp;
	qt->partitions.n = 1;
	q->replica_id = -1;
	q->session_epoch = -1;
	q->max_bytes = 50 << 20;
	q->min_bytes = 1;
	q->max_wait_ms = max_wait_ms;
	q->topics.items = qt;
	q->topics.n = 1;
	return q;
}

kp_fetch_response_partition db_fetch(db_test *t, int32_t node, const char *topic, int32_t partition, int64_t offset,
                                     int32_t max_bytes)
{
	kp_fetch_response r;
	db_call(t, node, KP_API_FETCH, 12, db_fetch_request(t, topic, partition, offset, max_bytes, 0), &r);
	assert_int_equal(0, r.error_code);
	assert_int_equal(1, r.responses.n);
	assert_int_equal(1, r.responses.items[0].partitions.n);
	return r.responses.items[0].partitions.items[0];
}

kp_uuid db_topic_id(db_test *t, const char *topic)
{
	kp_metadata_request_topic qt;
	kp_metadata_request q;
	kp_metadata_response r;
	uint64_t conn = 999999;
	kp_wire_init(&kp_metadata_request_schema, &q, 1);
	kp_wire_init(&kp_metadata_request_topic_schema, &qt, 1);
	qt.name = kp_slice_cstr(topic);
	q.topics.items = &qt;
	q.topics.n = 1;
	q.allow_auto_topic_creation = false;
	for (int32_t node = 1; node <= t->options.n_nodes; node++) { /* one that is up */
		if (db_send(t, node, conn + (uint64_t)node, KP_API_METADATA, 12, &q))
			continue;
		db_take(t, conn + (uint64_t)node, t->correlation, KP_API_METADATA, 12, &r);
		break;
	}
	return r.topics.items[0].topic_id;
}
