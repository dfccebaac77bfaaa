/*
 * judge.c - what faults do to requests and answers: waiting, late, slow, cut off and missing answers, mute connections. See judge.h.
 */
#include "devbroker/judge.h"

#include "base/mem.h"
#include "devbroker/internal.h"
#include "kproducer/error.h"
#include "wire/msg_add_partitions_to_txn.h"
#include "wire/msg_offset_commit.h"
#include "wire/msg_txn_offset_commit.h"
#include "wire/msg_create_partitions.h"
#include "wire/msg_create_topics.h"
#include "wire/msg_delete_topics.h"
#include "wire/msg_describe_configs.h"
#include "wire/msg_fetch.h"
#include "wire/msg_list_offsets.h"
#include "wire/msg_metadata.h"

#define RESOURCE_TOPIC 2
/* Dripping answers leave in pieces, this far apart (slower for less than a byte each). */
#define DRIP_US 50000

void kp_db_set_judge(kp_db *db, const kp_db_judge *judge)
{
	db->judge = judge ? *judge : (kp_db_judge){0};
}

kp_db_places kp_db_places_of(int16_t api_key)
{
	switch (api_key) {
	case KP_API_PRODUCE:
	case KP_API_FETCH:
	case KP_API_LIST_OFFSETS:
	case KP_API_OFFSET_COMMIT:
	case KP_API_ADD_PARTITIONS_TO_TXN:
	case KP_API_TXN_OFFSET_COMMIT: return KP_DB_PARTITIONS;
	case KP_API_METADATA:
	case KP_API_CREATE_TOPICS:
	case KP_API_DELETE_TOPICS:
	case KP_API_CREATE_PARTITIONS:
	case KP_API_DESCRIBE_CONFIGS: return KP_DB_TOPICS;
	default: return KP_DB_NO_PLACE;
	}
}

/* The name that was given, or that of the id; null when nobody has it. */
static kp_slice name_of(const kp_db_asked *q, kp_slice name, const kp_uuid *id)
{
	const kp_db_topic *t = name.ptr && name.len ? NULL : kp_db_topic_by_id(&q->db->cluster, id);
	return t ? kp_slice_cstr(t->name) : name.len ? name : kp_slice_null();
}

static bool any_produce(const kp_db_asked *q, kp_db_visit *visit, void *opaque)
{
	const kp_produce_request *r = q->request;
	for (int32_t i = 0; i < r->topic_data.n; i++) {
		const kp_produce_request_topic *t = &r->topic_data.items[i];
		kp_slice name = name_of(q, t->name, &t->topic_id);
		for (int32_t j = 0; j < t->partition_data.n; j++)
			if (visit(opaque, name, t->partition_data.items[j].index))
				return true;
	}
	return false;
}

static bool any_fetch(const kp_db_asked *q, kp_db_visit *visit, void *opaque)
{
	const kp_fetch_request *r = q->request;
	for (int32_t i = 0; i < r->topics.n; i++) {
		const kp_fetch_request_topic *t = &r->topics.items[i];
		kp_slice name = name_of(q, t->topic, &t->topic_id);
		for (int32_t j = 0; j < t->partitions.n; j++)
			if (visit(opaque, name, t->partitions.items[j].partition))
				return true;
	}
	return false;
}

static bool any_list_offsets(const kp_db_asked *q, kp_db_visit *visit, void *opaque)
{
	const kp_list_offsets_request *r = q->request;
	for (int32_t i = 0; i < r->topics.n; i++)
		for (int32_t j = 0; j < r->topics.items[i].partitions.n; j++)
			if (visit(opaque, r->topics.items[i].name, r->topics.items[i].partitions.items[j].partition_index))
				return true;
	return false;
}

static bool any_offset_commit(const kp_db_asked *q, kp_db_visit *visit, void *opaque)
{
	const kp_offset_commit_request *r = q->request;
	for (int32_t i = 0; i < r->topics.n; i++) {
		const kp_offset_commit_request_topic *t = &r->topics.items[i];
		kp_slice name = name_of(q, t->name, &t->topic_id);
		for (int32_t j = 0; j < t->partitions.n; j++)
			if (visit(opaque, name, t->partitions.items[j].partition_index))
				return true;
	}
	return false;
}

static bool any_txn_offset_commit(const kp_db_asked *q, kp_db_visit *visit, void *opaque)
{
	const kp_txn_offset_commit_request *r = q->request;
	for (int32_t i = 0; i < r->topics.n; i++)
		for (int32_t j = 0; j < r->topics.items[i].partitions.n; j++)
			if (visit(opaque, r->topics.items[i].name, r->topics.items[i].partitions.items[j].partition_index))
				return true;
	return false;
}

static bool any_added_topic(const kp_add_partitions_to_txn_request_topic *t, int32_t n, kp_db_visit *visit, void *opaque)
{
	for (int32_t i = 0; i < n; i++)
		for (int32_t j = 0; j < t[i].partitions.n; j++)
			if (visit(opaque, t[i].name, t[i].partitions.items[j]))
				return true;
	return false;
}

static bool any_added(const kp_db_asked *q, kp_db_visit *visit, void *opaque)
{
	const kp_add_partitions_to_txn_request *r = q->request;
	for (int32_t i = 0; i < r->transactions.n; i++)
		if (any_added_topic(r->transactions.items[i].topics.items, r->transactions.items[i].topics.n, visit, opaque))
			return true;
	return any_added_topic(r->v3_and_below_topics.items, r->v3_and_below_topics.n, visit, opaque);
}

static bool any_metadata(const kp_db_asked *q, kp_db_visit *visit, void *opaque)
{
	const kp_metadata_request *r = q->request;
	const kp_list *all = &q->db->cluster.topics;
	bool is_all = r->topics.n < 0 || (q->api_version == 0 && r->topics.n == 0);
	for (const kp_list *n = all->next; is_all && n != all; n = n->next)
		if (visit(opaque, kp_slice_cstr(KP_CONTAINER_OF(n, const kp_db_topic, in_order)->name), -1))
			return true;
	for (int32_t i = 0; i < r->topics.n; i++)
		if (visit(opaque, name_of(q, r->topics.items[i].name, &r->topics.items[i].topic_id), -1))
			return true;
	return false;
}

static bool any_delete_topics(const kp_db_asked *q, kp_db_visit *visit, void *opaque)
{
	const kp_delete_topics_request *r = q->request;
	for (int32_t i = 0; i < r->topic_names.n; i++)
		if (visit(opaque, r->topic_names.items[i], -1))
			return true;
	for (int32_t i = 0; i < r->topics.n; i++)
		if (visit(opaque, name_of(q, r->topics.items[i].name, &r->topics.items[i].topic_id), -1))
			return true;
	return false;
}

static bool any_describe_configs(const kp_db_asked *q, kp_db_visit *visit, void *opaque)
{
	const kp_describe_configs_request *r = q->request;
	for (int32_t i = 0; i < r->resources.n; i++)
		if (r->resources.items[i].resource_type == RESOURCE_TOPIC && visit(opaque, r->resources.items[i].resource_name, -1))
			return true;
	return false;
}

static bool any_created(const kp_db_asked *q, kp_db_visit *visit, void *opaque)
{
	const kp_create_topics_request *create = q->request;
	const kp_create_partitions_request *grow = q->request;
	bool is_create = q->api_key == KP_API_CREATE_TOPICS;
	int32_t n = is_create ? create->topics.n : grow->topics.n;
	for (int32_t i = 0; i < n; i++)
		if (visit(opaque, is_create ? create->topics.items[i].name : grow->topics.items[i].name, -1))
			return true;
	return false;
}

bool kp_db_asked_any(const kp_db_asked *q, kp_db_visit *visit, void *opaque)
{
	switch (q->api_key) {
	case KP_API_PRODUCE: return any_produce(q, visit, opaque);
	case KP_API_FETCH: return any_fetch(q, visit, opaque);
	case KP_API_LIST_OFFSETS: return any_list_offsets(q, visit, opaque);
	case KP_API_OFFSET_COMMIT: return any_offset_commit(q, visit, opaque);
	case KP_API_ADD_PARTITIONS_TO_TXN: return any_added(q, visit, opaque);
	case KP_API_TXN_OFFSET_COMMIT: return any_txn_offset_commit(q, visit, opaque);
	case KP_API_METADATA: return any_metadata(q, visit, opaque);
	case KP_API_DELETE_TOPICS: return any_delete_topics(q, visit, opaque);
	case KP_API_DESCRIBE_CONFIGS: return any_describe_configs(q, visit, opaque);
	case KP_API_CREATE_TOPICS:
	case KP_API_CREATE_PARTITIONS: return any_created(q, visit, opaque);
	default: return false;
	}
}

static int16_t ask_error(const kp_db_ctx *ctx, kp_slice topic, int32_t partition, bool is_after)
{
	const kp_db_judge *j = &ctx->db->judge;
	/* a held fetch is carried out again: its errors were answered at once, and what fires now is another request's */
	return ctx->to.fate.has_errors && !ctx->held && j->error_for ? j->error_for(j->opaque, topic, partition, is_after) : 0;
}

int16_t kp_db_error_for(const kp_db_ctx *ctx, kp_slice topic, int32_t partition)
{
	return ctx->injected ? ctx->injected : ask_error(ctx, topic, partition, false);
}

int16_t kp_db_error_after(const kp_db_ctx *ctx, kp_slice topic, int32_t partition)
{
	return ask_error(ctx, topic, partition, true);
}

/* n_bytes: of what will be held back. NULL when memory or the bound of all together is out. */
static kp_db_parked *park(kp_db *db, kp_db_conn *conn, size_t n_bytes, int64_t due_us)
{
	kp_db_parked *k = db->parked_bytes + n_bytes <= KP_DB_PARKED_MAX ? kp_mem_calloc(1, sizeof(*k)) : NULL;
	if (!k)
		return NULL;
	db->parked_bytes += n_bytes;
	k->db = db;
	k->n_bytes = n_bytes;
	k->conn = conn;
	k->due_us = due_us;
	kp_list_init(&k->link);
	kp_list_push_back(&db->parked, &k->link);
	if (due_us < db->parked_deadline_us)
		db->parked_deadline_us = due_us;
	conn->parked = k;
	return k;
}

void kp_db_parked_free(kp_db_parked *k)
{
	kp_list_remove(&k->link);
	k->db->parked_bytes -= k->n_bytes;
	k->conn->parked = NULL;
	kp_buf_deinit(&k->answer.bytes);
	kp_mem_free(k->frame);
	kp_mem_free(k);
}

static int park_request(kp_db_ctx *ctx, int64_t wait_us)
{
	kp_db_frame *copy = kp_mem_alloc(sizeof(*copy) + ctx->frame.len);
	kp_db_parked *k = copy ? park(ctx->db, ctx->to.conn, ctx->frame.len, ctx->now_us + wait_us) : NULL;
	if (!k) {
		kp_mem_free(copy);
		return KP_ERR_NO_MEMORY;
	}
	kp_list_init(&copy->link);
	copy->len = ctx->frame.len;
	memcpy(copy->bytes, ctx->frame.ptr, copy->len);
	k->frame = copy;
	ctx->db->stats.n_requests--; /* counted when it is carried out */
	return 0;
}

int kp_db_judge_request(kp_db_ctx *ctx, const void *request, bool *is_parked)
{
	const kp_db_judge *j = &ctx->db->judge;
	kp_db_conn *conn = ctx->to.conn;
	kp_db_asked q = {
		.db = ctx->db,
		.now_us = ctx->now_us,
		.conn = conn->id,
		.node = conn->node,
		.api_key = ctx->to.api_key,
		.api_version = ctx->to.api_version,
		.client_id = ctx->client_id,
		.request = request,
	};
	int64_t wait_us = conn->has_waited ? 0 : j->arrived(j->opaque, &q);
	conn->has_waited = false;
	if (wait_us > 0) {
		*is_parked = true;
		return park_request(ctx, wait_us);
	}
	j->decide(j->opaque, &q, &ctx->to.fate);
	return ctx->to.fate.is_dropped_before ? KP_ERR_CLOSED : 0;
}

int kp_db_judge_answer(kp_db *db, const kp_db_reply_to *to, kp_db_answer *a)
{
	const kp_db_fate *f = &to->fate;
	if (f->partial_bytes && (size_t)f->partial_bytes < a->bytes.len)
		a->bytes.len = (size_t)f->partial_bytes;
	if (f->is_dropped_after) {
		kp_buf_deinit(&a->bytes);
		kp_buf_init(&a->bytes, 0);
		a->api_key = -1;
	}
	a->is_close = f->is_dropped_after || f->partial_bytes;
	if (!f->delay_us && !f->drip_bytes_s && !f->throttle_ms) {
		to->conn->is_closing |= a->is_close;
		db->answer_bytes += a->bytes.len;
		db->n_answers++;
		return 0;
	}
	kp_db_parked *k = park(db, to->conn, a->bytes.len, db->now_us + f->delay_us);
	if (!k) {
		kp_buf_deinit(&a->bytes);
		return KP_ERR_NO_MEMORY;
	}
	k->answer = *a;
	k->drip_bytes_s = f->drip_bytes_s;
	k->mute_us = (int64_t)f->throttle_ms * 1000;
	return 0;
}

int kp_db_end_unanswered(kp_db_ctx *ctx, bool has_error)
{
	const kp_db_fate *f = &ctx->to.fate;
	int64_t mute_us = f->delay_us + (int64_t)f->throttle_ms * 1000;
	if (has_error || f->is_dropped_after)
		kp_db_close(ctx->db, ctx->to.conn);
	else if (mute_us && !park(ctx->db, ctx->to.conn, 0, ctx->now_us + mute_us))
		return KP_ERR_NO_MEMORY;
	return 0;
}

/* The next piece of a dripping answer goes out; false when memory is out. */
static bool send_piece(kp_db *db, kp_db_parked *k, int64_t now_us)
{
	size_t left = k->answer.bytes.len - k->n_sent;
	size_t n = (size_t)(k->drip_bytes_s * DRIP_US / 1000000);
	n = n == 0 ? 1 : n > left ? left : n;
	kp_db_answer piece = k->answer;
	kp_buf_init(&piece.bytes, 0);
	kp_buf_append(&piece.bytes, k->answer.bytes.data + k->n_sent, n);
	piece.is_close = k->answer.is_close && n == left;
	if (piece.bytes.failed || kp_db_queue_answer(db, &piece)) {
		kp_buf_deinit(&piece.bytes);
		return false;
	}
	k->n_sent += n;
	k->conn->is_closing |= piece.is_close;
	k->due_us = now_us + (int64_t)n * 1000000 / k->drip_bytes_s;
	return true;
}

/* True when it is over; false: parked until k->due_us. */
static bool advance(kp_db *db, kp_db_parked *k, int64_t now_us)
{
	kp_db_answer *a = &k->answer;
	if (k->drip_bytes_s && k->n_sent < a->bytes.len) {
		if (!send_piece(db, k, now_us)) {
			kp_db_close(db, k->conn);
			return true;
		}
		if (k->n_sent < a->bytes.len)
			return false;
	} else if (k->n_sent == 0 && (a->bytes.len || a->is_close)) {
		if (kp_db_queue_answer(db, a)) {
			kp_db_close(db, k->conn);
			return true;
		}
		k->conn->is_closing |= a->is_close;
		kp_buf_init(&a->bytes, 0); /* the queue's now */
		a->is_close = false;
	}
	k->due_us = now_us + k->mute_us;
	k->mute_us = 0;
	return k->due_us <= now_us;
}

/* What was held back is over: carry out the request, or those behind it. n_answers: how many were queued before. */
static void release(kp_db *db, kp_db_parked *k, size_t n_answers, int64_t now_us)
{
	kp_db_conn *conn = k->conn;
	kp_db_frame *frame = k->frame;
	k->frame = NULL;
	kp_db_parked_free(k);
	conn->has_waited = frame != NULL;
	if (frame && kp_db_execute(db, conn, kp_slice_of(frame->bytes, frame->len), now_us, NULL))
		kp_db_close(db, conn);
	conn->has_waited = false;
	kp_mem_free(frame);
	kp_db_drain_backlog(db, conn, now_us);
	kp_db_answer nothing = {.conn = conn->id, .api_key = -1};
	bool is_silent = !kp_db_is_busy(conn) && db->n_answers - db->first_answer == n_answers;
	if (is_silent && kp_db_queue_answer(db, &nothing)) /* whoever feeds the connection must know that it may go on */
		kp_db_close(db, conn);
}

size_t kp_db_step_parked(kp_db *db, int64_t now_us)
{
	size_t n_moved = 0;
	kp_list all;
	kp_list_init(&all);
	kp_list_splice_back(&all, &db->parked);
	db->parked_deadline_us = KP_TIME_NEVER;
	for (kp_list *n; (n = kp_list_pop_front(&all));) {
		kp_db_parked *k = KP_CONTAINER_OF(n, kp_db_parked, link);
		size_t n_answers = db->n_answers - db->first_answer;
		bool is_due = k->due_us <= now_us;
		n_moved += is_due;
		if (is_due && (k->frame || advance(db, k, now_us))) {
			release(db, k, n_answers, now_us);
			continue;
		}
		kp_list_push_back(&db->parked, n);
		if (k->due_us < db->parked_deadline_us)
			db->parked_deadline_us = k->due_us;
	}
	return n_moved;
}
