/*
 * fake_brokers.c - frames in, answers out. A batch that does not check deeply fails the test.
 */
#include "fake_brokers.h"

#include "base/bytes.h"
#include "wire/header.h"
#include "wire/messages.h"
#include "wire/msg_api_versions.h"
#include "wire/msg_init_producer_id.h"
#include "wire/msg_metadata.h"
#include "wire/reader.h"

static fx_topic *topic_by_name(fx *f, kp_slice name)
{
	for (int i = 0; i < f->n_topics; i++)
		if (kp_slice_equal(kp_slice_cstr(f->topics[i].name), name))
			return &f->topics[i];
	return NULL;
}

static fx_topic *topic_by_id(fx *f, const kp_uuid *id)
{
	for (int i = 0; i < f->n_topics; i++)
		if (memcmp(&f->topics[i].id, id, sizeof(*id)) == 0 || memcmp(&f->topics[i].former_id, id, sizeof(*id)) == 0)
			return &f->topics[i];
	return NULL;
}

fx_topic *fx_add_topic(fx *f, const char *name, int32_t n_partitions)
{
	assert_true(f->n_topics < FX_TOPICS && n_partitions <= FX_PARTITIONS);
	fx_topic *t = &f->topics[f->n_topics++];
	snprintf(t->name, sizeof(t->name), "%s", name);
	memset(&t->id, 0xa0 + f->n_topics, sizeof(t->id));
	t->n_partitions = n_partitions;
	for (int i = 0; i < FX_PARTITIONS; i++) {
		t->leader[i] = 1 + i % f->n_nodes;
		t->leader_epoch[i] = 1;
		t->log[i] = calloc(FX_LOG, sizeof(int));
		assert_non_null(t->log[i]);
	}
	return t;
}

static void *zeroed(fx *f, size_t size)
{
	void *p = kp_arena_alloc(&f->arena, size);
	assert_non_null(p);
	return p;
}

static void answer(fx *f, fx_conn *c, const kp_wire_message *m, int version, int32_t correlation_id, const void *body)
{
	kp_buf out;
	kp_buf_init(&out, 0);
	kp_buf_append(&out, "\0\0\0\0", 4);
	assert_int_equal(kp_wire_write_response_header(&out, m->api_key, (int16_t)version, correlation_id), 0);
	assert_int_equal(kp_wire_write(m, version, body, &out, NULL), 0);
	kp_store_be32(out.data, (uint32_t)(out.len - 4));
	fx_is_at_work = false;
	if (c->is_open)
		kp_engine_on_data(f->engine, c->id, out.data, out.len, f->now_us);
	fx_is_at_work = true;
	kp_buf_deinit(&out);
}

static void answer_versions(fx *f, fx_conn *c, const kp_request_header *h)
{
	kp_api_versions_response_api apis[] = {{KP_API_PRODUCE, 3, f->produce_version},
	                                       {KP_API_METADATA, 0, 13},
	                                       {KP_API_API_VERSIONS, 0, 4},
	                                       {KP_API_INIT_PRODUCER_ID, 0, 5},
	                                       {KP_API_DESCRIBE_CLUSTER, 0, 2}};
	kp_api_versions_response a;
	kp_wire_init(&kp_api_versions_response_schema, &a, 1);
	a.api_keys.items = apis;
	a.api_keys.n = KP_ARRAY_LEN(apis);
	answer(f, c, &kp_api_versions_response_message, h->request_api_version, h->correlation_id, &a);
}

static void describe_topic(fx *f, kp_metadata_response_topic *out, kp_slice name)
{
	fx_topic *t = topic_by_name(f, name);
	out->name = name;
	out->error_code = (int16_t)(t ? t->error : KP_ERR_UNKNOWN_TOPIC_OR_PARTITION);
	if (out->error_code)
		return;
	out->topic_id = t->id;
	out->partitions.n = t->n_partitions;
	out->partitions.items = zeroed(f, (size_t)t->n_partitions * sizeof(*out->partitions.items));
	kp_wire_init(&kp_metadata_response_partition_schema, out->partitions.items, (size_t)t->n_partitions);
	for (int32_t i = 0; i < t->n_partitions; i++) {
		kp_metadata_response_partition *p = &out->partitions.items[i];
		p->partition_index = i;
		p->leader_id = t->leader[i];
		p->leader_epoch = t->leader_epoch[i];
		p->error_code = (int16_t)(t->leader[i] < 0 ? KP_ERR_LEADER_NOT_AVAILABLE : 0);
	}
}

static void answer_metadata(fx *f, fx_conn *c, const kp_request_header *h, kp_slice in)
{
	kp_metadata_request q;
	kp_metadata_response a;
	assert_int_equal(kp_wire_read(&kp_metadata_request_message, h->request_api_version, in, &f->arena, &q, NULL), 0);
	f->n_metadata++;
	f->n_metadata_topics = q.topics.n;
	if (f->metadata_is_mute)
		return;
	kp_wire_init(&kp_metadata_response_schema, &a, 1);
	a.throttle_time_ms = f->other_throttle_ms;
	a.error_code = (int16_t)f->metadata_error;
	a.controller_id = 1;
	a.brokers.n = f->n_nodes;
	a.brokers.items = zeroed(f, (size_t)f->n_nodes * sizeof(*a.brokers.items));
	kp_wire_init(&kp_metadata_response_broker_schema, a.brokers.items, (size_t)f->n_nodes);
	for (int i = 0; i < f->n_nodes; i++) {
		a.brokers.items[i].node_id = i + 1;
		a.brokers.items[i].host = kp_slice_cstr("node");
		a.brokers.items[i].port = i == 0 && f->moved_to ? f->moved_to : i + 1;
	}
	a.topics.n = q.topics.n;
	a.topics.items = zeroed(f, (size_t)q.topics.n * sizeof(*a.topics.items));
	kp_wire_init(&kp_metadata_response_topic_schema, a.topics.items, (size_t)q.topics.n);
	for (int32_t i = 0; i < q.topics.n; i++)
		describe_topic(f, &a.topics.items[i], q.topics.items[i].name);
	answer(f, c, &kp_metadata_response_message, h->request_api_version, h->correlation_id, &a);
}

static void answer_id(fx *f, fx_conn *c, const kp_request_header *h)
{
	kp_init_producer_id_response a;
	f->n_id++;
	if (f->id_is_mute)
		return;
	kp_wire_init(&kp_init_producer_id_response_schema, &a, 1);
	a.throttle_time_ms = f->other_throttle_ms;
	a.error_code = (int16_t)f->id_error;
	a.producer_id = f->id_error ? -1 : f->next_producer_id++;
	a.producer_epoch = f->id_error ? -1 : f->first_epoch;
	answer(f, c, &kp_init_producer_id_response_message, h->request_api_version, h->correlation_id, &a);
}

/* ------------------------------------------------------------------ Produce */

static void keep_part(fx_part *out, const fx_topic *t, const kp_produce_request_partition *p)
{
	size_t size;
	snprintf(out->topic, sizeof(out->topic), "%s", t->name);
	out->index = p->index;
	assert_int_equal(kp_batch_check(p->records, true, 64 << 20, &out->header, &size), KP_BATCH_OK);
	assert_int_equal(size, p->records.len); /* one batch per partition */
	out->len = size;
	out->bytes = malloc(size);
	assert_non_null(out->bytes);
	memcpy(out->bytes, p->records.ptr, size);
}

static void keep_request(fx *f, fx_request *r, const kp_produce_request *q, int version)
{
	int n = 0;
	for (int32_t i = 0; i < q->topic_data.n; i++)
		n += q->topic_data.items[i].partition_data.n;
	r->parts = calloc((size_t)n, sizeof(*r->parts));
	assert_non_null(r->parts);
	for (int32_t i = 0; i < q->topic_data.n; i++) {
		const kp_produce_request_topic *t = &q->topic_data.items[i];
		fx_topic *known = version > 12 ? topic_by_id(f, &t->topic_id) : topic_by_name(f, t->name);
		assert_non_null(known);
		for (int32_t k = 0; k < t->partition_data.n; k++) {
			fx_part *part = &r->parts[r->n_parts];
			keep_part(part, known, &t->partition_data.items[k]);
			part->id = version > 12 ? t->topic_id : known->id;
			for (int j = 0; j < r->n_parts; j++) /* a broker refuses a partition that stands twice */
				assert_false(r->parts[j].index == part->index && strcmp(r->parts[j].topic, part->topic) == 0);
			r->n_parts++;
		}
	}
}

static void take_produce(fx *f, fx_conn *c, const kp_request_header *h, kp_slice in, size_t frame_len)
{
	kp_produce_request q;
	assert_int_equal(kp_wire_read(&kp_produce_request_message, h->request_api_version, in, &f->arena, &q, NULL), 0);
	if (f->n_requests == FX_REQUESTS && !f->hold)
		f->n_requests = 0; /* all are answered */
	assert_true(f->n_requests < FX_REQUESTS);
	fx_request *r = &f->requests[f->n_requests++];
	for (int k = 0; k < r->n_parts; k++)
		free(r->parts[k].bytes);
	free(r->parts);
	*r = (fx_request){.conn = c->id,
	                  .place = c->place,
	                  .version = h->request_api_version,
	                  .acks = q.acks,
	                  .correlation_id = h->correlation_id,
	                  .at_us = f->now_us,
	                  .frame_len = frame_len};
	keep_request(f, r, &q, h->request_api_version);
	if (q.acks == 0) {
		r->is_answered = true;
		fx_append(f, r);
	} else if (!f->hold) {
		int code = f->n_codes > 0 ? f->codes[0] : 0;
		f->n_codes -= f->n_codes > 0;
		memmove(f->codes, f->codes + 1, sizeof(f->codes) - sizeof(f->codes[0]));
		fx_answer(f, r, code);
	}
}

static void append_part(fx *f, const fx_part *part)
{
	kp_buf scratch;
	kp_slice records;
	kp_record_view v;
	kp_buf_init(&scratch, 0);
	assert_int_equal(kp_batch_records(kp_slice_of(part->bytes, part->len), &scratch, &records), 0);
	fx_topic *t = topic_by_name(f, kp_slice_cstr(part->topic));
	const uint8_t *p = records.ptr;
	for (int32_t i = 0; i < part->header.n_records; i++) {
		char number[9] = {0};
		assert_int_equal(kp_record_load(&p, records.ptr + records.len, &v), 0);
		memcpy(number, v.value.ptr, v.value.len < 8 ? v.value.len : 8);
		assert_true(t->n_log[part->index] < FX_LOG);
		t->log[part->index][t->n_log[part->index]++] = (int)strtol(number, NULL, 10);
	}
	kp_buf_deinit(&scratch);
}

void fx_append(fx *f, const fx_request *r)
{
	bool was_at_work = fx_is_at_work;
	fx_is_at_work = true;
	for (int i = 0; i < r->n_parts; i++)
		append_part(f, &r->parts[i]);
	fx_is_at_work = was_at_work;
}

static void reply_part(fx *f, const fx_part *part, const fx_reply *reply, kp_produce_response_partition *out)
{
	fx_topic *t = topic_by_name(f, kp_slice_cstr(part->topic));
	kp_wire_init(&kp_produce_response_partition_schema, out, 1);
	int error = memcmp(&part->id, &t->id, sizeof(t->id)) ? KP_ERR_UNKNOWN_TOPIC_ID : reply->error;
	out->index = part->index;
	out->error_code = (int16_t)error;
	out->base_offset = error ? -1 : t->n_log[part->index];
	out->error_message = kp_slice_cstr(reply->message);
	if (reply->leader) {
		out->current_leader.leader_id = reply->leader;
		out->current_leader.leader_epoch = reply->leader_epoch;
	}
	if (reply->names_culprit) {
		out->record_errors.items = zeroed(f, sizeof(*out->record_errors.items));
		out->record_errors.items[0] = (kp_produce_response_record_error){1, kp_slice_cstr("this one")};
		out->record_errors.n = 1;
	}
	if (!error)
		append_part(f, part);
}

void fx_reply_each(fx *f, fx_request *r, const fx_reply *replies)
{
	bool was_at_work = fx_is_at_work;
	kp_produce_response a;
	fx_is_at_work = true;
	assert_false(r->is_answered);
	for (const fx_request *older = f->requests; older < r; older++)
		assert_true(older->is_answered || older->conn != r->conn); /* brokers answer in order */
	r->is_answered = true;
	kp_wire_init(&kp_produce_response_schema, &a, 1);
	a.throttle_time_ms = f->throttle_ms;
	kp_produce_response_node node = {.node_id = f->endpoint, .host = kp_slice_cstr("node"), .port = f->endpoint};
	a.node_endpoints.items = &node;
	a.node_endpoints.n = f->endpoint > 0;
	a.responses.items = zeroed(f, (size_t)r->n_parts * sizeof(*a.responses.items));
	for (int i = 0; i < r->n_parts; i++) {
		if (replies[i].is_left_out)
			continue;
		kp_produce_response_topic *t = &a.responses.items[a.responses.n++];
		t->name = kp_slice_cstr(r->parts[i].topic);
		t->topic_id = r->parts[i].id;
		t->partition_responses.items = zeroed(f, sizeof(*t->partition_responses.items));
		t->partition_responses.n = 1;
		reply_part(f, &r->parts[i], &replies[i], t->partition_responses.items);
	}
	for (int i = 0; i < f->n_conns; i++)
		if (f->conns[i].id == r->conn && f->conns[i].is_open)
			answer(f, &f->conns[i], &kp_produce_response_message, r->version, r->correlation_id, &a);
	fx_is_at_work = was_at_work;
}

void fx_answer(fx *f, fx_request *r, int error)
{
	fx_reply replies[FX_TOPICS * FX_PARTITIONS] = {{0}};
	for (int i = 0; i < r->n_parts; i++)
		replies[i].error = error;
	fx_reply_each(f, r, replies);
}

int fx_n_held(fx *f)
{
	int n = 0;
	for (int i = 0; i < f->n_requests; i++)
		n += !f->requests[i].is_answered;
	return n;
}

fx_request *fx_held(fx *f, int i)
{
	for (int k = 0; k < f->n_requests; k++)
		if (!f->requests[k].is_answered && i-- == 0)
			return &f->requests[k];
	return NULL;
}

void fx_check_log(fx *f, const char *topic, int32_t index, const int *numbers, int n)
{
	const fx_topic *t = topic_by_name(f, kp_slice_cstr(topic));
	assert_int_equal(t->n_log[index], n);
	for (int i = 0; i < n; i++)
		assert_int_equal(t->log[index][i], numbers[i]);
}

/* ------------------------------------------------------------------ frames */

static void serve_frame(fx *f, fx_conn *c, kp_slice frame)
{
	kp_request_header h;
	size_t used;
	kp_arena_reset(&f->arena);
	assert_int_equal(kp_wire_read_request_header(frame, &h, &used), 0);
	kp_slice body = kp_slice_of(frame.ptr + used, frame.len - used);
	if (f->places[c->place].is_mute)
		return;
	if (h.request_api_key == KP_API_API_VERSIONS)
		answer_versions(f, c, &h);
	else if (h.request_api_key == KP_API_METADATA)
		answer_metadata(f, c, &h, body);
	else if (h.request_api_key == KP_API_INIT_PRODUCER_ID)
		answer_id(f, c, &h);
	else if (h.request_api_key == KP_API_PRODUCE)
		take_produce(f, c, &h, body, frame.len + 4);
	else
		f->n_other++, f->other_place = c->place;
}

void fake_serve(fx *f, fx_conn *c)
{
	size_t at = 0;
	fx_is_at_work = true;
	while (c->is_open && c->in.len - at >= 4 && c->in.len - at - 4 >= kp_load_be32(c->in.data + at)) {
		uint32_t len = kp_load_be32(c->in.data + at);
		serve_frame(f, c, kp_slice_of(c->in.data + at + 4, len));
		at += 4 + len;
	}
	kp_buf_consume(&c->in, at);
	fx_is_at_work = false;
}
