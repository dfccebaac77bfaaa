/*
 * core.c - frames in, answers out: connections, dispatch, the queue of answers. See core.h.
 */
#include "base/bytes.h"
#include "base/mem.h"
#include "devbroker/internal.h"
#include "kproducer/error.h"
#include "wire/reader.h"
#include "wire/writer.h"

const kp_db_api kp_db_apis[] = {
	{KP_API_PRODUCE, 0, 13, 3, kp_db_api_produce}, /* 0-2 are listed for old librdkafka's sake (KAFKA-18659) */
	{KP_API_FETCH, 4, 18, 4, kp_db_api_fetch},
	{KP_API_LIST_OFFSETS, 1, 11, 1, kp_db_api_list_offsets},
	{KP_API_METADATA, 0, 13, 0, kp_db_api_metadata},
	{KP_API_OFFSET_COMMIT, 2, 10, 2, kp_db_api_offset_commit},
	{KP_API_OFFSET_FETCH, 1, 10, 1, kp_db_api_offset_fetch},
	{KP_API_FIND_COORDINATOR, 0, 6, 0, kp_db_api_find_coordinator},
	{KP_API_API_VERSIONS, 0, 4, 0, kp_db_api_api_versions},
	{KP_API_CREATE_TOPICS, 2, 7, 2, kp_db_api_create_topics},
	{KP_API_DELETE_TOPICS, 1, 6, 1, kp_db_api_delete_topics},
	{KP_API_INIT_PRODUCER_ID, 0, 5, 0, kp_db_api_init_producer_id},
	{KP_API_ADD_PARTITIONS_TO_TXN, 0, 5, 0, kp_db_api_add_partitions_to_txn},
	{KP_API_ADD_OFFSETS_TO_TXN, 0, 4, 0, kp_db_api_add_offsets_to_txn},
	{KP_API_END_TXN, 0, 5, 0, kp_db_api_end_txn},
	{KP_API_TXN_OFFSET_COMMIT, 0, 5, 0, kp_db_api_txn_offset_commit},
	{KP_API_DESCRIBE_CONFIGS, 1, 4, 1, kp_db_api_describe_configs},
	{KP_API_CREATE_PARTITIONS, 0, 3, 0, kp_db_api_create_partitions},
	{KP_API_DESCRIBE_CLUSTER, 0, 2, 0, kp_db_api_describe_cluster},
};
const size_t kp_db_n_apis = KP_ARRAY_LEN(kp_db_apis);

static kp_slice conn_key(const uint64_t *id)
{
	return kp_slice_of(id, sizeof(*id));
}

static kp_db_conn *conn_find(const kp_db *db, uint64_t id)
{
	if (db->last_conn && db->last_conn->id == id)
		return db->last_conn;
	return kp_map_get(&db->conns, conn_key(&id));
}

static kp_db_conn *conn_get(kp_db *db, int32_t node, uint64_t id)
{
	kp_db_conn *conn = conn_find(db, id);
	if (conn)
		return db->last_conn = conn;
	conn = kp_mem_calloc(1, sizeof(*conn));
	if (!conn)
		return NULL;
	*conn = (kp_db_conn){.id = id, .node = node};
	kp_list_init(&conn->backlog);
	if (kp_map_put(&db->conns, conn_key(&conn->id), conn)) {
		kp_mem_free(conn);
		return NULL;
	}
	return db->last_conn = conn;
}

void kp_db_conn_free(kp_db_conn *conn)
{
	if (conn->held)
		kp_db_held_free(conn->held);
	if (conn->parked)
		kp_db_parked_free(conn->parked);
	for (kp_list *n; (n = kp_list_pop_front(&conn->backlog));)
		kp_mem_free(KP_CONTAINER_OF(n, kp_db_frame, link));
	kp_mem_free(conn);
}

void kp_db_conn_gone(kp_db *db, uint64_t id)
{
	kp_db_conn *conn = kp_map_remove(&db->conns, conn_key(&id));
	if (conn)
		kp_db_conn_free(conn);
	if (db->last_conn == conn)
		db->last_conn = NULL;
	size_t kept = db->first_answer;
	for (size_t i = db->first_answer; i < db->n_answers; i++) {
		if (db->answers[i].conn == id) {
			db->answer_bytes -= db->answers[i].bytes.len;
			kp_buf_deinit(&db->answers[i].bytes);
		} else {
			db->answers[kept++] = db->answers[i];
		}
	}
	db->n_answers = kept;
}

bool kp_db_conn_is_waiting(const kp_db *db, uint64_t id)
{
	const kp_db_conn *conn = conn_find(db, id);
	return conn && kp_db_is_busy(conn);
}

/* A free place at the end of the queue, or NULL. */
static kp_db_answer *answer_slot(kp_db *db)
{
	if (db->first_answer == db->n_answers)
		db->first_answer = db->n_answers = 0;
	if (db->n_answers == db->cap_answers) {
		size_t cap = db->cap_answers ? db->cap_answers * 2 : 16;
		kp_db_answer *grown = kp_mem_realloc(db->answers, cap * sizeof(*grown));
		if (!grown)
			return NULL;
		db->answers = grown;
		db->cap_answers = cap;
	}
	return &db->answers[db->n_answers];
}

bool kp_db_next_answer(kp_db *db, kp_db_answer *out)
{
	if (db->first_answer == db->n_answers)
		return false;
	*out = db->answers[db->first_answer++];
	db->answer_bytes -= out->bytes.len;
	return true;
}

int kp_db_queue_answer(kp_db *db, const kp_db_answer *a)
{
	kp_db_answer *slot = answer_slot(db);
	if (!slot)
		return KP_ERR_NO_MEMORY;
	*slot = *a;
	db->answer_bytes += a->bytes.len;
	db->n_answers++;
	return 0;
}

/* ThrottleTimeMs is a field of nearly every response, in the versions that have it. */
static void set_throttle(const kp_wire_message *m, void *response, int32_t throttle_ms)
{
	for (uint32_t i = 0; i < m->root->n_fields; i++)
		if (!strcmp(m->root->fields[i].name, "ThrottleTimeMs"))
			memcpy((char *)response + m->root->fields[i].offset, &throttle_ms, sizeof(throttle_ms));
}

int kp_db_answer_to(kp_db *db, const kp_db_reply_to *to, int16_t version, void *response)
{
	const kp_wire_message *m = kp_wire_find(to->api_key, true);
	kp_db_answer *a = answer_slot(db);
	if (!a)
		return KP_ERR_NO_MEMORY;
	*a = (kp_db_answer){.conn = to->conn->id, .api_key = to->api_key, .correlation_id = to->correlation_id};
	kp_buf_init(&a->bytes, KP_DB_ANSWER_MAX);
	static const uint8_t length[4];
	kp_buf_append(&a->bytes, length, 4);
	if (to->fate.throttle_ms)
		set_throttle(m, response, to->fate.throttle_ms);
	int err = kp_wire_write_response_header(&a->bytes, to->api_key, version, to->correlation_id);
	if (!err)
		err = kp_wire_write(m, version, response, &a->bytes, NULL);
	if (err) {
		kp_buf_deinit(&a->bytes);
		return err;
	}
	kp_store_be32(a->bytes.data, (uint32_t)(a->bytes.len - 4));
	if (to->fate.is_set)
		return kp_db_judge_answer(db, to, a);
	db->answer_bytes += a->bytes.len;
	db->n_answers++;
	return 0;
}

void kp_db_close(kp_db *db, kp_db_conn *conn)
{
	kp_db_answer *a = answer_slot(db);
	conn->is_closing = true;
	if (!a)
		return;
	*a = (kp_db_answer){.conn = conn->id, .is_close = true, .api_key = -1};
	kp_buf_init(&a->bytes, 0);
	db->n_answers++;
}

void *kp_db_items(kp_db_ctx *ctx, const kp_wire_struct *schema, size_t n)
{
	if (n > KP_DB_ARENA_MAX / schema->size)
		return NULL;
	void *items = kp_arena_alloc(&ctx->db->arena, n * schema->size);
	if (items)
		kp_wire_init(schema, items, n);
	return items;
}

kp_slice kp_db_copy(kp_db_ctx *ctx, kp_slice bytes)
{
	uint8_t *copy = kp_arena_alloc(&ctx->db->arena, bytes.len);
	if (copy && bytes.len)
		memcpy(copy, bytes.ptr, bytes.len);
	return kp_slice_of(copy, bytes.len);
}

static const kp_db_api *api_find(int16_t key)
{
	for (size_t i = 0; i < kp_db_n_apis; i++)
		if (kp_db_apis[i].key == key)
			return &kp_db_apis[i];
	return NULL;
}

static int16_t take_injection(kp_db *db, int32_t node, int16_t api_key)
{
	for (kp_list *n = db->injections.next; n != &db->injections; n = n->next) {
		kp_db_injection *i = KP_CONTAINER_OF(n, kp_db_injection, link);
		if (i->api_key != api_key || (i->node && i->node != node))
			continue;
		int16_t code = i->error_code;
		if (--i->count == 0) {
			kp_list_remove(n);
			kp_mem_free(i);
		}
		return code;
	}
	return 0;
}

static int call_handler(kp_db_ctx *ctx, const kp_db_api *api, kp_slice body)
{
	const kp_wire_message *m = kp_wire_find(api->key, false);
	void *request = kp_arena_alloc(&ctx->db->arena, m->root->size);
	if (!request)
		return KP_ERR_NO_MEMORY;
	int err = kp_wire_read(m, ctx->to.api_version, body, &ctx->db->arena, request, NULL);
	if (err)
		return err;
	bool is_parked = false;
	if (!ctx->held && ctx->db->judge.decide)
		err = kp_db_judge_request(ctx, request, &is_parked);
	if (err || is_parked)
		return err;
	if (!ctx->held)
		ctx->injected = take_injection(ctx->db, ctx->to.conn->node, api->key);
	return api->handle(ctx, request);
}

int kp_db_execute(kp_db *db, kp_db_conn *conn, kp_slice frame, int64_t now_us, kp_db_held *held)
{
	kp_request_header h;
	size_t used;
	int err = kp_wire_read_request_header(frame, &h, &used);
	if (err)
		return err;
	kp_db_ctx ctx = {.db = db, .now_us = now_us, .frame = frame, .held = held, .client_id = h.client_id};
	ctx.is_last_chance = held && now_us >= held->deadline_us;
	db->stats.n_requests += !held;
	ctx.to = (kp_db_reply_to){.conn = conn,
	                          .api_key = h.request_api_key,
	                          .api_version = h.request_api_version,
	                          .correlation_id = h.correlation_id};
	if (held)
		ctx.to.fate = held->to.fate;
	const kp_db_api *api = api_find(h.request_api_key);
	if (!api)
		return KP_ERR_NOT_SUPPORTED;
	if (h.request_api_version < api->min_served || h.request_api_version > api->max)
		return api->key == KP_API_API_VERSIONS ? kp_db_refuse_api_versions(&ctx) : KP_ERR_NOT_SUPPORTED;
	err = call_handler(&ctx, api, kp_slice_of(frame.ptr + used, frame.len - used));
	kp_arena_reset(&db->arena);
	if (db->scratch.cap > KP_DB_SCRATCH_KEEP)
		kp_buf_deinit(&db->scratch);
	return err;
}

/* Keep the frame until the held request in front of it is answered. */
static int store_frame(kp_db_conn *conn, kp_slice frame)
{
	if (conn->backlog_bytes + frame.len > KP_DB_BACKLOG_MAX)
		return KP_ERR_NO_MEMORY;
	kp_db_frame *f = kp_mem_alloc(sizeof(*f) + frame.len);
	if (!f)
		return KP_ERR_NO_MEMORY;
	f->len = frame.len;
	memcpy(f->bytes, frame.ptr, frame.len);
	kp_list_init(&f->link);
	kp_list_push_back(&conn->backlog, &f->link);
	conn->backlog_bytes += frame.len;
	return 0;
}

int kp_db_request(kp_db *db, int32_t node, uint64_t conn_id, kp_slice frame, int64_t now_us)
{
	if (!kp_db_is_node(&db->cluster, node))
		return KP_ERR_BAD_ARGUMENT;
	if (!db->cluster.nodes[node - 1].is_up)
		return KP_ERR_CLOSED;
	if (frame.len > KP_DB_MAX_FRAME)
		return KP_ERR_PROTOCOL;
	kp_db_conn *conn = conn_get(db, node, conn_id);
	if (!conn)
		return KP_ERR_NO_MEMORY;
	if (conn->is_closing)
		return KP_ERR_CLOSED;
	db->now_us = now_us;
	int err = kp_db_is_busy(conn) ? store_frame(conn, frame) : kp_db_execute(db, conn, frame, now_us, NULL);
	conn->is_closing |= err != 0;
	return err;
}
