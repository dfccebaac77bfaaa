/*
 * api_fetch.c - Fetch: batches up to the high watermark or the last stable offset, long-polling. No fetch sessions: the answer's session id is always 0, which
 * KIP-227 allows, so every request names all its partitions.
 */
#include "base/bytes.h"
#include "devbroker/internal.h"
#include "devbroker/partition_txn.h"
#include "kproducer/error.h"
#include "wire/msg_fetch.h"

#define LEADER_EPOCH_AT 12 /* in a batch */

typedef struct fetch {
	kp_db_ctx *ctx;
	const kp_fetch_request *request;
	kp_fetch_response response;
	size_t n_bytes;     /* of records so far */
	int64_t bytes_left; /* below 0 only when the request says so, and then for the first partition that is read */
	bool has_error;     /* some partition has one: answer at once */
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

static bool is_follower(const fetch *f)
{
	return f->request->replica_id >= 0;
}

static int name_leader(fetch *f, const kp_db_partition *p, kp_fetch_response_partition *a)
{
	const kp_db_cluster *c = &f->ctx->db->cluster;
	int32_t node = kp_db_leader_of(c, p);
	if (f->ctx->to.api_version < 12 || is_follower(f))
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

/* Of a partition that could not even be looked up. */
static void refuse_unknown(fetch *f, kp_fetch_response_partition *a, int16_t code)
{
	refuse(f, a, code);
	a->aborted_transactions.n = 0; /* Kafka leaves the default there, where other refusals say null */
}

/* KIP-320: the client's idea of the leader epoch. */
static int16_t check_epoch(const kp_db_partition *p, int32_t epoch)
{
	if (epoch < 0 || epoch == p->leader_epoch)
		return 0;
	return epoch < p->leader_epoch ? KP_ERR_FENCED_LEADER_EPOCH : KP_ERR_UNKNOWN_LEADER_EPOCH;
}

/* The last epoch up to `epoch` that wrote into the log, -1 when none did; and where its records end. */
static int32_t find_epoch(const kp_db_partition *p, int32_t epoch, int64_t *end)
{
	int32_t found = epoch == p->leader_epoch ? epoch : -1;
	int64_t at = p->log.start_offset;
	kp_slice batch;
	*end = p->log.end_offset;
	while (epoch != p->leader_epoch && kp_db_log_next(&p->log, &at, &batch)) {
		int32_t of_batch = (int32_t)kp_load_be32(batch.ptr + LEADER_EPOCH_AT);
		if (of_batch > epoch) {
			*end = (int64_t)kp_load_be64(batch.ptr);
			break;
		}
		found = of_batch;
	}
	return found;
}

/* KIP-595: who says in which epoch his last record was written learns, instead of getting records, where his log and ours part. */
static int16_t check_divergence(const kp_db_partition *p, const kp_fetch_request_partition *q, kp_fetch_response_partition *a,
                                bool *is_diverging)
{
	int64_t end;
	if (q->last_fetched_epoch < 0)
		return 0;
	int32_t found = q->last_fetched_epoch > p->leader_epoch ? -1 : find_epoch(p, q->last_fetched_epoch, &end);
	if (found < 0)
		return KP_ERR_OFFSET_OUT_OF_RANGE;
	*is_diverging = found < q->last_fetched_epoch || end < q->fetch_offset;
	if (*is_diverging)
		a->diverging_epoch = (kp_fetch_response_diverging_epoch){found, end};
	return 0;
}

/* May this be read? The code, or 0. */
static int16_t check_partition(const fetch *f, const kp_db_partition *p, const kp_fetch_request_partition *q,
                               kp_fetch_response_partition *a, bool *is_diverging)
{
	if (kp_db_leader_of(&f->ctx->db->cluster, p) != f->ctx->to.conn->node || is_follower(f))
		return KP_ERR_NOT_LEADER_OR_FOLLOWER; /* nobody here is a follower */
	int16_t code = check_epoch(p, q->current_leader_epoch);
	if (!code)
		code = check_divergence(p, q, a, is_diverging);
	if (!code && !*is_diverging && (q->fetch_offset < p->log.start_offset || q->fetch_offset > p->log.end_offset))
		code = KP_ERR_OFFSET_OUT_OF_RANGE;
	if (!code && !*is_diverging && (q->partition_max_bytes < 0 || f->bytes_left < 0))
		code = KP_ERR_UNKNOWN_SERVER_ERROR;
	return code;
}

/* read_committed: which transactions in what was read were aborted. */
static int tell_aborted(fetch *f, const kp_db_partition *p, int64_t offset, kp_fetch_response_partition *a)
{
	size_t n = 0, at = 0;
	if (a->records.len == 0)
		return 0;
	int64_t end = kp_db_log_read_end(&p->log, offset, a->records.len);
	while (kp_db_aborted_next(&p->aborted, offset, end, &at))
		n++;
	a->aborted_transactions.items = kp_db_items(f->ctx, &kp_fetch_response_aborted_transaction_schema, n);
	if (!a->aborted_transactions.items)
		return KP_ERR_NO_MEMORY;
	at = 0;
	for (const kp_db_aborted *t; (t = kp_db_aborted_next(&p->aborted, offset, end, &at));)
		a->aborted_transactions.items[a->aborted_transactions.n++] = (kp_fetch_response_aborted_transaction){
			t->producer_id, t->first_offset};
	return 0;
}

static int fetch_partition(fetch *f, kp_db_partition *p, const kp_fetch_request_partition *q, kp_fetch_response_partition *a)
{
	int64_t readable = kp_db_readable_by(p, f->request->isolation_level);
	bool is_diverging = false;
	int16_t code = check_partition(f, p, q, a, &is_diverging);
	if (f->bytes_left < 0)
		f->bytes_left = 0;
	if (code) {
		refuse(f, a, code);
		return code == KP_ERR_NOT_LEADER_OR_FOLLOWER || code == KP_ERR_FENCED_LEADER_EPOCH ? name_leader(f, p, a) : 0;
	}
	if (!is_diverging) {
		int64_t max = q->partition_max_bytes < f->bytes_left ? q->partition_max_bytes : f->bytes_left;
		a->records = kp_db_log_read(&p->log, q->fetch_offset, readable, (size_t)max, f->n_bytes == 0);
	}
	a->high_watermark = kp_db_readable_end(p);
	a->last_stable_offset = kp_db_last_stable(p);
	a->log_start_offset = p->log.start_offset;
	if (f->request->isolation_level == 0)
		a->aborted_transactions.n = -1;
	f->n_bytes += a->records.len;
	f->bytes_left -= (int64_t)a->records.len < f->bytes_left ? (int64_t)a->records.len : f->bytes_left;
	return f->request->isolation_level == 0 ? 0 : tell_aborted(f, p, q->fetch_offset, a);
}

static int fetch_topic(fetch *f, const kp_fetch_request_topic *q, kp_fetch_response_topic *a, uint32_t *entry)
{
	const kp_db_cluster *c = &f->ctx->db->cluster;
	bool by_id = f->ctx->to.api_version >= 13;
	kp_db_topic *topic = by_id ? kp_db_topic_by_id(c, &q->topic_id) : kp_db_topic_by_name(c, q->topic);
	a->topic = q->topic;
	a->topic_id = q->topic_id;
	a->partitions.items = kp_db_items(f->ctx, &kp_fetch_response_partition_schema, (size_t)q->partitions.n);
	if (!a->partitions.items)
		return KP_ERR_NO_MEMORY;
	for (int32_t i = 0; i < q->partitions.n; i++) {
		const kp_fetch_request_partition *qp = &q->partitions.items[i];
		kp_fetch_response_partition *ap = &a->partitions.items[a->partitions.n];
		kp_db_partition *p = topic ? kp_db_partition_of(topic, qp->partition) : NULL;
		++*entry;
		if (p && p->last_entry != *entry)
			continue; /* it is named again, and counts as it is named last */
		a->partitions.n++;
		ap->partition_index = qp->partition;
		int16_t fault = kp_db_error_for(f->ctx, topic ? kp_slice_cstr(topic->name) : q->topic, qp->partition);
		if (fault)
			refuse(f, ap, fault);
		else if (!p)
			refuse_unknown(f, ap, by_id && !topic ? KP_ERR_UNKNOWN_TOPIC_ID : KP_ERR_UNKNOWN_TOPIC_OR_PARTITION);
		else if (fetch_partition(f, p, qp, ap))
			return KP_ERR_NO_MEMORY;
	}
	return 0;
}

/* Mark the request's partitions: as named last in this entry, and watched when the fetch is held (it is looked at when one moves). */
static void mark_partitions(const fetch *f, bool is_watched)
{
	const kp_db_cluster *c = &f->ctx->db->cluster;
	uint32_t entry = 0;
	for (int32_t i = 0; i < f->request->topics.n; i++) {
		const kp_fetch_request_topic *q = &f->request->topics.items[i];
		kp_db_topic *topic = f->ctx->to.api_version >= 13 ? kp_db_topic_by_id(c, &q->topic_id)
		                                                  : kp_db_topic_by_name(c, q->topic);
		for (int32_t j = 0; j < q->partitions.n; j++) {
			kp_db_partition *p = topic ? kp_db_partition_of(topic, q->partitions.items[j].partition) : NULL;
			entry++;
			if (!p)
				continue;
			p->last_entry = entry;
			p->is_watched |= is_watched;
		}
	}
}

/* FetchRequest.getErrorResponse: everything that is named, with nothing done. */
static int refuse_all(fetch *f, int16_t code)
{
	if (f->ctx->to.api_version >= 7)
		f->response.error_code = code;
	if (f->ctx->to.api_version >= 13)
		f->response.responses.n = 0;
	for (int32_t i = 0; i < f->response.responses.n; i++) {
		kp_fetch_response_topic *a = &f->response.responses.items[i];
		for (int32_t j = 0; j < a->partitions.n; j++) {
			int32_t index = a->partitions.items[j].partition_index;
			kp_wire_init(&kp_fetch_response_partition_schema, &a->partitions.items[j], 1);
			a->partitions.items[j].partition_index = index;
			refuse_unknown(f, &a->partitions.items[j], code);
		}
	}
	return kp_db_reply(f->ctx, &f->response);
}

static int fetch_all(fetch *f)
{
	const kp_fetch_request *q = f->request;
	f->response.responses.items = kp_db_items(f->ctx, &kp_fetch_response_topic_schema, (size_t)q->topics.n);
	if (!f->response.responses.items)
		return KP_ERR_NO_MEMORY;
	uint32_t entry = 0;
	mark_partitions(f, false);
	for (int32_t i = 0; i < q->topics.n; i++) {
		kp_fetch_response_topic *a = &f->response.responses.items[f->response.responses.n];
		if (fetch_topic(f, &q->topics.items[i], a, &entry))
			return KP_ERR_NO_MEMORY;
		f->response.responses.n += a->partitions.n > 0; /* Kafka's answer is made of partitions */
	}
	return 0;
}

int kp_db_api_fetch(kp_db_ctx *ctx, const void *request)
{
	fetch f = {.ctx = ctx, .request = request};
	const kp_fetch_request *q = f.request;
	kp_wire_init(&kp_fetch_response_schema, &f.response, 1);
	f.bytes_left = q->max_bytes > KP_DB_FETCH_MAX ? KP_DB_FETCH_MAX : q->max_bytes;
	if (q->session_epoch > 0) {
		f.response.error_code = KP_ERR_FETCH_SESSION_ID_NOT_FOUND;
		return kp_db_reply(ctx, &f.response);
	}
	int err = fetch_all(&f);
	if (err)
		return err;
	if (q->isolation_level != 0 && q->isolation_level != 1)
		return refuse_all(&f, KP_ERR_UNKNOWN_SERVER_ERROR);
	bool is_enough = q->min_bytes <= 0 || f.n_bytes >= (size_t)q->min_bytes;
	if (is_enough || f.has_error || q->max_wait_ms <= 0 || q->topics.n == 0 || ctx->is_last_chance)
		return kp_db_reply(ctx, &f.response);
	mark_partitions(&f, true);
	return kp_db_hold_fetch(ctx, q->max_wait_ms);
}
