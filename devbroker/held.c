/*
 * held.c - requests that wait: acks=all for the high watermark, Fetch for min_bytes; and the step that releases them.
 *
 * As in Kafka, where the channel is muted meanwhile, the frames behind a held request are carried out only when it is answered.
 */
#include "base/mem.h"
#include "devbroker/txns.h"
#include "kproducer/error.h"

static int64_t deadline_of(int64_t now_us, int32_t timeout_ms)
{
	return now_us + (timeout_ms > 0 ? (int64_t)timeout_ms * 1000 : 0);
}

static int64_t min_time(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* `bytes`: what it keeps. When all together keep too much, it is due at once. */
static kp_db_held *held_new(kp_db_ctx *ctx, size_t bytes, int64_t deadline_us)
{
	kp_db *db = ctx->db;
	kp_db_held *h = kp_mem_calloc(1, sizeof(*h));
	if (!h)
		return NULL;
	h->to = ctx->to;
	h->db = db;
	h->bytes = sizeof(*h) + bytes;
	h->deadline_us = db->held_bytes + h->bytes > KP_DB_HELD_MAX ? ctx->now_us : deadline_us;
	db->held_bytes += h->bytes;
	kp_list_init(&h->link);
	kp_arena_init(&h->arena, KP_DB_ARENA_MAX);
	ctx->to.conn->held = h;
	return h;
}

void kp_db_held_free(kp_db_held *h)
{
	kp_list_remove(&h->link);
	h->db->held_bytes -= h->bytes;
	h->to.conn->held = NULL;
	kp_arena_deinit(&h->arena);
	kp_mem_free(h->frame);
	kp_mem_free(h);
}

/* Names in the answer may belong to a topic that is deleted meanwhile. */
static int own_names(kp_db_ctx *ctx, const kp_produce_response *r)
{
	for (int32_t i = 0; i < r->responses.n; i++) {
		kp_slice *name = &r->responses.items[i].name;
		uint8_t *copy = kp_arena_alloc(&ctx->db->arena, name->len);
		if (!copy)
			return KP_ERR_NO_MEMORY;
		if (name->len)
			memcpy(copy, name->ptr, name->len);
		name->ptr = copy;
	}
	return 0;
}

int kp_db_hold_produce(kp_db_ctx *ctx, const kp_produce_response *response, kp_db_wait *waits, size_t n_waits, int32_t timeout_ms)
{
	kp_db *db = ctx->db;
	if (own_names(ctx, response))
		return KP_ERR_NO_MEMORY;
	kp_db_held *h = held_new(ctx, kp_arena_footprint(&db->arena), deadline_of(ctx->now_us, timeout_ms));
	if (!h)
		return KP_ERR_NO_MEMORY;
	h->response = *response;
	h->waits = waits;
	h->n_waits = n_waits;
	kp_arena_deinit(&h->arena);
	h->arena = db->arena;
	kp_arena_init(&db->arena, KP_DB_ARENA_MAX);
	kp_list_push_back(&db->held_produces, &h->link);
	db->produce_deadline_us = min_time(db->produce_deadline_us, h->deadline_us);
	return 0;
}

int kp_db_hold_fetch(kp_db_ctx *ctx, int32_t max_wait_ms)
{
	kp_db *db = ctx->db;
	kp_db_held *h = ctx->held;
	if (!h) {
		kp_db_frame *copy = kp_mem_alloc(sizeof(*copy) + ctx->frame.len);
		if (!copy)
			return KP_ERR_NO_MEMORY;
		copy->len = ctx->frame.len;
		memcpy(copy->bytes, ctx->frame.ptr, copy->len);
		h = held_new(ctx, sizeof(*copy) + copy->len, deadline_of(ctx->now_us, max_wait_ms));
		if (!h) {
			kp_mem_free(copy);
			return KP_ERR_NO_MEMORY;
		}
		h->frame = copy;
	}
	kp_list_push_back(&db->held_fetches, &h->link);
	db->fetch_deadline_us = min_time(db->fetch_deadline_us, h->deadline_us);
	return 0;
}

static bool has_node(const kp_produce_response *r, int32_t node)
{
	for (int32_t i = 0; i < r->node_endpoints.n; i++)
		if (r->node_endpoints.items[i].node_id == node)
			return true;
	return false;
}

int kp_db_name_leader(const kp_db_cluster *c, const kp_db_partition *p, kp_arena *arena, kp_produce_response *response,
                      kp_produce_response_leader *leader)
{
	int32_t node = kp_db_leader_of(c, p);
	*leader = (kp_produce_response_leader){node ? node : -1, p->leader_epoch};
	if (!node || has_node(response, node))
		return 0;
	if (!response->node_endpoints.items) { /* there cannot be more than nodes */
		response->node_endpoints.items = kp_arena_alloc(arena,
		                                                (size_t)c->n_nodes * sizeof(*response->node_endpoints.items));
		if (!response->node_endpoints.items)
			return KP_ERR_NO_MEMORY;
	}
	const kp_db_node *n = &c->nodes[node - 1];
	response->node_endpoints.items[response->node_endpoints.n++] = (kp_produce_response_node){node, kp_slice_cstr(n->host),
	                                                                                          n->port, kp_slice_null()};
	return 0;
}

void kp_db_fail_waits(kp_db *db, const kp_db_partition *p, int64_t from_offset, int16_t code)
{
	for (kp_list *at = db->held_produces.next; at != &db->held_produces; at = at->next) {
		kp_db_held *h = KP_CONTAINER_OF(at, kp_db_held, link);
		for (size_t i = 0; i < h->n_waits; i++) {
			kp_db_wait *w = &h->waits[i];
			if (!w->is_pending || w->partition != p->index || w->required_offset <= from_offset ||
			    memcmp(&w->topic_id, &p->topic->id, sizeof(w->topic_id)) != 0)
				continue;
			w->is_pending = false;
			w->answer->error_code = code;
			db->cluster.is_produce_dirty = true;
			if (code == KP_ERR_NOT_LEADER_OR_FOLLOWER && h->to.api_version >= 10 &&
			    kp_db_name_leader(&db->cluster, p, &h->arena, &h->response, &w->answer->current_leader))
				w->answer->current_leader = (kp_produce_response_leader){-1, -1}; /* no memory: a hint less */
		}
	}
}

/* Which batches are replicated now? True when the request can be answered. */
static bool produce_is_done(kp_db *db, kp_db_held *h, int64_t now_us)
{
	bool is_late = now_us >= h->deadline_us, is_done = true;
	for (size_t i = 0; i < h->n_waits; i++) {
		kp_db_wait *w = &h->waits[i];
		if (!w->is_pending)
			continue;
		kp_db_topic *t = kp_db_topic_by_id(&db->cluster, &w->topic_id);
		kp_db_partition *p = t ? kp_db_partition_of(t, w->partition) : NULL;
		if (p && p->high_watermark < w->required_offset && !is_late) {
			is_done = false;
			continue;
		}
		w->is_pending = false;
		if (!p)
			w->answer->error_code = KP_ERR_UNKNOWN_TOPIC_OR_PARTITION;
		else if (p->high_watermark < w->required_offset)
			w->answer->error_code = KP_ERR_REQUEST_TIMED_OUT; /* appended, offset known: Kafka keeps it in the answer */
	}
	return is_done;
}

/* What came behind a request that is answered now. */
void kp_db_drain_backlog(kp_db *db, kp_db_conn *conn, int64_t now_us)
{
	while (!kp_db_is_busy(conn) && !conn->is_closing) {
		kp_list *n = kp_list_pop_front(&conn->backlog);
		if (!n)
			return;
		kp_db_frame *f = KP_CONTAINER_OF(n, kp_db_frame, link);
		conn->backlog_bytes -= f->len;
		if (kp_db_execute(db, conn, kp_slice_of(f->bytes, f->len), now_us, NULL))
			kp_db_close(db, conn);
		kp_mem_free(f);
	}
}

/* Each returns how many requests it released. */
static size_t step_produces(kp_db *db, int64_t now_us)
{
	size_t n_released = 0;
	kp_list all;
	kp_list_init(&all);
	kp_list_splice_back(&all, &db->held_produces);
	db->produce_deadline_us = KP_TIME_NEVER;
	db->cluster.is_produce_dirty = false;
	for (kp_list *n; (n = kp_list_pop_front(&all));) {
		kp_db_held *h = KP_CONTAINER_OF(n, kp_db_held, link);
		if (!produce_is_done(db, h, now_us)) {
			kp_list_push_back(&db->held_produces, n);
			db->produce_deadline_us = min_time(db->produce_deadline_us, h->deadline_us);
			continue;
		}
		kp_db_conn *conn = h->to.conn;
		if (kp_db_answer_to(db, &h->to, h->to.api_version, &h->response))
			kp_db_close(db, conn);
		kp_db_held_free(h);
		kp_db_drain_backlog(db, conn, now_us);
		n_released++;
	}
	return n_released;
}

static bool has_to_wait(const kp_db *db)
{
	return db->answer_bytes > KP_DB_ANSWERS_PAUSE;
}

static size_t step_fetches(kp_db *db, int64_t now_us)
{
	size_t n_released = 0;
	kp_list all;
	kp_list_init(&all);
	kp_list_splice_back(&all, &db->held_fetches);
	db->fetch_deadline_us = KP_TIME_NEVER;
	db->cluster.is_fetch_dirty = false;
	for (kp_list *n; (n = kp_list_pop_front(&all));) {
		kp_db_held *h = KP_CONTAINER_OF(n, kp_db_held, link);
		kp_db_conn *conn = h->to.conn;
		if (has_to_wait(db)) {
			kp_list_push_back(&db->held_fetches, n);
			db->cluster.is_fetch_dirty = true;
			continue;
		}
		if (kp_db_execute(db, conn, kp_slice_of(h->frame->bytes, h->frame->len), now_us, h))
			kp_db_close(db, conn);
		if (kp_list_linked(n) && !conn->is_closing)
			continue; /* held again */
		kp_db_held_free(h);
		kp_db_drain_backlog(db, conn, now_us);
		n_released++;
	}
	return n_released;
}

int64_t kp_db_step(kp_db *db, int64_t now_us)
{
	size_t n_released;
	int64_t replicated_us, txns_us;
	db->now_us = now_us;
	int64_t retention_us = kp_db_retention_step(&db->cluster, db->wall_ms_at_zero + now_us / 1000, now_us);
	do {
		n_released = 0;
		replicated_us = kp_db_replication_step(&db->cluster, now_us);
		txns_us = kp_db_txns_step(db, now_us);
		if (db->cluster.is_produce_dirty || now_us >= db->produce_deadline_us)
			n_released += step_produces(db, now_us);
		if (db->cluster.is_fetch_dirty || now_us >= db->fetch_deadline_us)
			n_released += step_fetches(db, now_us);
		if (now_us >= db->parked_deadline_us)
			n_released += kp_db_step_parked(db, now_us);
	} while (!has_to_wait(db) && (n_released || db->cluster.is_produce_dirty || db->cluster.is_fetch_dirty));
	if (has_to_wait(db))
		return now_us;
	return min_time(min_time(min_time(retention_us, db->parked_deadline_us), min_time(replicated_us, txns_us)),
	                min_time(db->produce_deadline_us, db->fetch_deadline_us));
}
