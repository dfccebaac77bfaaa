/*
 * api_list_offsets.c - ListOffsets: start and end of a log, the first record not older than a time, the newest record.
 */
#include "base/bytes.h"
#include "devbroker/internal.h"
#include "devbroker/partition_txn.h"
#include "kproducer/error.h"
#include "record/record.h"
#include "wire/msg_list_offsets.h"

enum { LATEST = -1, EARLIEST = -2, MAX_TIMESTAMP = -3, EARLIEST_LOCAL = -4, LATEST_TIERED = -5, EARLIEST_PENDING_UPLOAD = -6 };

typedef struct found {
	int64_t offset, timestamp;
	int32_t epoch;
} found;

static const found nothing = {-1, -1, -1};

/* First request version that knows this special timestamp (ListOffsetsRequest.json); others are UNSUPPORTED_VERSION. */
static int16_t first_version(int64_t timestamp)
{
	switch (timestamp) {
	case MAX_TIMESTAMP: return 7;
	case EARLIEST_LOCAL: return 8;
	case LATEST_TIERED: return 9;
	case EARLIEST_PENDING_UPLOAD: return 11;
	default: return timestamp < EARLIEST_PENDING_UPLOAD ? INT16_MAX : 0;
	}
}

/* The batch's first record that is not older than `timestamp`. */
static found find_record(kp_db *db, kp_slice batch, int64_t timestamp)
{
	kp_batch_header h;
	kp_slice raw;
	if (kp_batch_header_load(batch, &h))
		return nothing;
	if (h.attributes & KP_BATCH_LOG_APPEND_TIME)
		return (found){h.base_offset, h.max_timestamp, h.partition_leader_epoch};
	kp_buf_clear(&db->scratch);
	if (kp_batch_records(batch, &db->scratch, &raw))
		return nothing;
	const uint8_t *p = raw.ptr, *end = raw.ptr + raw.len;
	for (int32_t i = 0; i < h.n_records; i++) {
		kp_record_view r;
		if (kp_record_load(&p, end, &r))
			return nothing;
		int64_t t = (int64_t)((uint64_t)h.base_timestamp + (uint64_t)r.timestamp_delta);
		if (t >= timestamp)
			return (found){h.base_offset + i, t, h.partition_leader_epoch};
	}
	return nothing;
}

static int64_t max_timestamp_of(kp_slice batch)
{
	return (int64_t)kp_load_be64(batch.ptr + 35);
}

/* First batch that has a record not older than `timestamp`. */
static found find_time(kp_db *db, const kp_db_partition *p, int64_t timestamp)
{
	int64_t at = p->log.start_offset, limit = kp_db_readable_end(p);
	kp_slice batch;
	while (at < limit && kp_db_log_next(&p->log, &at, &batch))
		if (max_timestamp_of(batch) >= timestamp)
			return find_record(db, batch, timestamp);
	return nothing;
}

static found find_newest(kp_db *db, const kp_db_partition *p)
{
	int64_t at = p->log.start_offset, limit = kp_db_readable_end(p), newest = -1;
	kp_slice batch, best = kp_slice_null();
	while (at < limit && kp_db_log_next(&p->log, &at, &batch))
		if (!best.ptr || max_timestamp_of(batch) > newest) {
			newest = max_timestamp_of(batch);
			best = batch;
		}
	return best.ptr ? find_record(db, best, newest) : nothing;
}

static int32_t epoch_at_start(const kp_db_partition *p)
{
	int64_t at = p->log.start_offset;
	kp_slice batch;
	return kp_db_log_next(&p->log, &at, &batch) ? (int32_t)kp_load_be32(batch.ptr + 12) : p->leader_epoch;
}

static found find(kp_db *db, const kp_db_partition *p, int64_t timestamp, int64_t limit)
{
	switch (timestamp) {
	case LATEST: return (found){limit, -1, p->leader_epoch};
	case EARLIEST:
	case EARLIEST_LOCAL: return (found){p->log.start_offset, -1, epoch_at_start(p)};
	case MAX_TIMESTAMP: return find_newest(db, p);
	case LATEST_TIERED:
	case EARLIEST_PENDING_UPLOAD: return nothing; /* no tiered storage */
	default: return find_time(db, p, timestamp);
	}
}

static int16_t list_partition(kp_db_ctx *ctx, const kp_list_offsets_request *r, const kp_db_partition *p,
                              const kp_list_offsets_request_partition *q, kp_list_offsets_response_partition *a)
{
	if (r->isolation_level != 0 && r->isolation_level != 1)
		return KP_ERR_UNKNOWN_SERVER_ERROR;
	if (p && p->n_mentions > 1)
		return KP_ERR_INVALID_REQUEST;
	if (ctx->to.api_version < first_version(q->timestamp))
		return KP_ERR_UNSUPPORTED_VERSION;
	if (!p)
		return KP_ERR_UNKNOWN_TOPIC_OR_PARTITION;
	if (kp_db_leader_of(&ctx->db->cluster, p) != ctx->to.conn->node)
		return KP_ERR_NOT_LEADER_OR_FOLLOWER;
	if (q->current_leader_epoch != -1 && q->current_leader_epoch != p->leader_epoch)
		return q->current_leader_epoch < p->leader_epoch ? KP_ERR_FENCED_LEADER_EPOCH : KP_ERR_UNKNOWN_LEADER_EPOCH;
	int64_t limit = kp_db_readable_by(p, r->isolation_level);
	found f = find(ctx->db, p, q->timestamp, limit);
	bool is_by_time = q->timestamp >= 0 || q->timestamp == MAX_TIMESTAMP;
	if (is_by_time && f.offset >= limit)
		f = nothing; /* it is not decided yet */
	a->offset = f.offset;
	a->timestamp = f.timestamp;
	if (ctx->to.api_version >= 4)
		a->leader_epoch = f.epoch;
	return 0;
}

static kp_db_partition *partition_named(const kp_db_cluster *c, const kp_list_offsets_request_topic *q, int32_t j)
{
	const kp_db_topic *t = kp_db_topic_by_name(c, q->name);
	return t ? kp_db_partition_of(t, q->partitions.items[j].partition_index) : NULL;
}

/*
 * How often is each partition named, and which entry is its first? Kafka refuses to be asked twice, and that keeps a request from having
 * one log searched a million times.
 */
static void count_mentions(const kp_db_cluster *c, const kp_list_offsets_request *q)
{
	uint32_t entry = 0;
	for (int32_t i = 0; i < q->topics.n; i++) {
		for (int32_t j = 0; j < q->topics.items[i].partitions.n; j++) {
			kp_db_partition *p = partition_named(c, &q->topics.items[i], j);
			if (p)
				p->n_mentions = 0;
		}
	}
	for (int32_t i = 0; i < q->topics.n; i++) {
		for (int32_t j = 0; j < q->topics.items[i].partitions.n; j++) {
			kp_db_partition *p = partition_named(c, &q->topics.items[i], j);
			entry++;
			if (p && p->n_mentions++ == 0)
				p->last_entry = entry;
		}
	}
}

static int list_topic(kp_db_ctx *ctx, const kp_list_offsets_request *r, const kp_list_offsets_request_topic *q,
                      kp_list_offsets_response_topic *a, uint32_t *entry)
{
	a->name = q->name;
	a->partitions.items = kp_db_items(ctx, &kp_list_offsets_response_partition_schema, (size_t)q->partitions.n);
	if (!a->partitions.items)
		return KP_ERR_NO_MEMORY;
	for (int32_t j = 0; j < q->partitions.n; j++) {
		const kp_list_offsets_request_partition *qp = &q->partitions.items[j];
		const kp_db_partition *p = partition_named(&ctx->db->cluster, q, j);
		++*entry;
		if (p && p->last_entry != *entry)
			continue;
		kp_list_offsets_response_partition *ap = &a->partitions.items[a->partitions.n++];
		ap->partition_index = qp->partition_index;
		ap->offset = ap->timestamp = -1;
		ap->error_code = kp_db_error_for(ctx, q->name, qp->partition_index);
		if (!ap->error_code)
			ap->error_code = list_partition(ctx, r, p, qp, ap);
	}
	return 0;
}

int kp_db_api_list_offsets(kp_db_ctx *ctx, const void *request)
{
	const kp_list_offsets_request *q = request;
	kp_list_offsets_response r;
	uint32_t entry = 0;
	kp_wire_init(&kp_list_offsets_response_schema, &r, 1);
	r.topics.items = kp_db_items(ctx, &kp_list_offsets_response_topic_schema, (size_t)q->topics.n);
	if (!r.topics.items)
		return KP_ERR_NO_MEMORY;
	count_mentions(&ctx->db->cluster, q);
	for (int32_t i = 0; i < q->topics.n; i++) {
		if (list_topic(ctx, q, &q->topics.items[i], &r.topics.items[r.topics.n], &entry))
			return KP_ERR_NO_MEMORY;
		r.topics.n += r.topics.items[r.topics.n].partitions.n > 0; /* Kafka's answer is made of partitions */
	}
	return kp_db_reply(ctx, &r);
}
