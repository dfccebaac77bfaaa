/*
 * api_fetch.c - Fetch: whole batches up to the high watermark, long-polling. No fetch sessions: the answer's session id is always 0, which
 * KIP-227 allows, so every request names all its partitions.
 */
#include "devbroker/internal.h"
#include "kproducer/error.h"
#include "wire/msg_fetch.h"

typedef struct fetch {
	kp_db_ctx *ctx;
	const kp_fetch_request *request;
	kp_fetch_response response;
	size_t n_bytes; /* of records so far */
	size_t bytes_max;
	bool has_error; /* some partition has one: answer at once */
} fetch;

/* Kafka's answer where there is nothing to say but a code. */
static void refuse(fetch *f, kp_fetch_response_partition *a, int16_t code)
{
	a->error_code = code;
	a->high_watermark = a->last_stable_offset = a->log_start_offset = -1;
	a->records = kp_slice_of("", 0);
	a->aborted_transactions.n = -1;
	f->has_error = true;
}

static int name_leader(fetch *f, const kp_db_partition *p, kp_fetch_response_partition *a)
{
	const kp_db_cluster *c = &f->ctx->db->cluster;
	int32_t node = kp_db_leader_of(c, p);
	if (f->ctx->to.api_version < 12)
		return 0;
	a->current_leader = (kp_fetch_response_leader){node ? node : -1, p->leader_epoch};
	if (!node || f->ctx->to.api_version < 16)
		return 0;
	for (int32_t i = 0; i < f->response.node_endpoints.n; i++)
		if (f->response.node_endpoints.items[i].node_id == node)
			return 0;
	if (!f->response.node_endpoints.items) {
		f->response.node_endpoints.items = kp_db_items(f->ctx, &kp_fetch_response_node_schema, (size_t)c->n_nodes);
		if (!f->response.node_endpoints.items)
			return KP_ERR_NO_MEMORY;
	}
	f->response.node_endpoints.items[f->response.node_endpoints.n++] = (kp_fetch_response_node){
		node, kp_slice_cstr(c->nodes[node - 1].host), c->nodes[node - 1].port, kp_slice_null()};
	return 0;
}

/* KIP-320: the client's idea of the leader epoch. */
static int16_t check_epoch(const kp_db_partition *p, int32_t epoch)
{
	if (epoch < 0 || epoch == p->leader_epoch)
		return 0;
	return epoch < p->leader_epoch ? KP_ERR_FENCED_LEADER_EPOCH : KP_ERR_UNKNOWN_LEADER_EPOCH;
}

static int fetch_partition(fetch *f, kp_db_partition *p, const kp_fetch_request_partition *q, kp_fetch_response_partition *a)
{
	int64_t readable = kp_db_readable_end(p);
	int16_t code = 0;
	if (kp_db_leader_of(&f->ctx->db->cluster, p) != f->ctx->to.conn->node)
		code = KP_ERR_NOT_LEADER_OR_FOLLOWER;
	if (!code)
		code = check_epoch(p, q->current_leader_epoch);
	if (!code && (q->fetch_offset < p->log.start_offset || q->fetch_offset > p->log.end_offset))
		code = KP_ERR_OFFSET_OUT_OF_RANGE;
	if (code) {
		refuse(f, a, code);
		return code == KP_ERR_NOT_LEADER_OR_FOLLOWER || code == KP_ERR_FENCED_LEADER_EPOCH ? name_leader(f, p, a) : 0;
	}
	size_t left = f->bytes_max > f->n_bytes ? f->bytes_max - f->n_bytes : 0;
	size_t max = q->partition_max_bytes > 0 ? (size_t)q->partition_max_bytes : 0;
	a->records = kp_db_log_read(&p->log, q->fetch_offset, readable, max < left ? max : left, f->n_bytes == 0);
	a->high_watermark = a->last_stable_offset = readable;
	a->log_start_offset = p->log.start_offset;
	if (f->request->isolation_level == 0)
		a->aborted_transactions.n = -1;
	f->n_bytes += a->records.len;
	return 0;
}

static int fetch_topic(fetch *f, const kp_fetch_request_topic *q, kp_fetch_response_topic *a)
{
	const kp_db_cluster *c = &f->ctx->db->cluster;
	bool by_id = f->ctx->to.api_version >= 13;
	kp_db_topic *topic = by_id ? kp_db_topic_by_id(c, &q->topic_id) : kp_db_topic_by_name(c, q->topic);
	a->topic = q->topic;
	a->topic_id = q->topic_id;
	a->partitions.items = kp_db_items(f->ctx, &kp_fetch_response_partition_schema, (size_t)q->partitions.n);
	if (!a->partitions.items)
		return KP_ERR_NO_MEMORY;
	a->partitions.n = q->partitions.n;
	for (int32_t i = 0; i < q->partitions.n; i++) {
		const kp_fetch_request_partition *qp = &q->partitions.items[i];
		kp_fetch_response_partition *ap = &a->partitions.items[i];
		kp_db_partition *p = topic ? kp_db_partition_of(topic, qp->partition) : NULL;
		ap->partition_index = qp->partition;
		int16_t fault = kp_db_error_for(f->ctx, topic ? kp_slice_cstr(topic->name) : q->topic, qp->partition);
		if (fault)
			refuse(f, ap, fault);
		else if (!p)
			refuse(f, ap, by_id && !topic ? KP_ERR_UNKNOWN_TOPIC_ID : KP_ERR_UNKNOWN_TOPIC_OR_PARTITION);
		else if (fetch_partition(f, p, qp, ap))
			return KP_ERR_NO_MEMORY;
	}
	return 0;
}

/* The held fetch is to be looked at when one of its partitions moves. */
static void watch(const fetch *f)
{
	const kp_db_cluster *c = &f->ctx->db->cluster;
	for (int32_t i = 0; i < f->request->topics.n; i++) {
		const kp_fetch_request_topic *q = &f->request->topics.items[i];
		kp_db_topic *topic = f->ctx->to.api_version >= 13 ? kp_db_topic_by_id(c, &q->topic_id)
		                                                  : kp_db_topic_by_name(c, q->topic);
		for (int32_t j = 0; topic && j < q->partitions.n; j++) {
			kp_db_partition *p = kp_db_partition_of(topic, q->partitions.items[j].partition);
			if (p)
				p->is_watched = true;
		}
	}
}

static int fetch_all(fetch *f)
{
	const kp_fetch_request *q = f->request;
	f->response.responses.items = kp_db_items(f->ctx, &kp_fetch_response_topic_schema, (size_t)q->topics.n);
	if (!f->response.responses.items)
		return KP_ERR_NO_MEMORY;
	f->response.responses.n = q->topics.n;
	for (int32_t i = 0; i < q->topics.n; i++)
		if (fetch_topic(f, &q->topics.items[i], &f->response.responses.items[i]))
			return KP_ERR_NO_MEMORY;
	return 0;
}

int kp_db_api_fetch(kp_db_ctx *ctx, const void *request)
{
	fetch f = {.ctx = ctx, .request = request};
	const kp_fetch_request *q = f.request;
	kp_wire_init(&kp_fetch_response_schema, &f.response, 1);
	f.bytes_max = q->max_bytes < 0 ? 0 : q->max_bytes > KP_DB_FETCH_MAX ? KP_DB_FETCH_MAX : (size_t)q->max_bytes;
	if (q->session_epoch > 0) {
		f.response.error_code = KP_ERR_FETCH_SESSION_ID_NOT_FOUND;
		return kp_db_reply(ctx, &f.response);
	}
	int err = fetch_all(&f);
	if (err)
		return err;
	bool is_enough = q->min_bytes <= 0 || f.n_bytes >= (size_t)q->min_bytes;
	if (is_enough || f.has_error || q->max_wait_ms <= 0 || q->topics.n == 0 || ctx->is_last_chance)
		return kp_db_reply(ctx, &f.response);
	watch(&f);
	return kp_db_hold_fetch(ctx, q->max_wait_ms);
}
