/*
 * api_list_offsets.c - ListOffsets: start and end of a log, the first record not older than a time, the newest record.
 */
#include "base/bytes.h"
#include "devbroker/internal.h"
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
		if (max_timestamp_of(batch) > newest) {
			newest = max_timestamp_of(batch);
			best = batch;
		}
	return best.ptr ? find_record(db, best, newest) : nothing;
}

static int32_t epoch_at_start(const kp_db_partition *p)
{
	int64_t at = p->log.start_offset;
	kp_slice batch;
	return kp_db_log_next(&p->log, &at, &batch) ? (int32_t)kp_load_be32(batch.ptr + 12) : -1;
}

static found find(kp_db *db, const kp_db_partition *p, int64_t timestamp)
{
	switch (timestamp) {
	case LATEST: return (found){kp_db_readable_end(p), -1, p->leader_epoch};
	case EARLIEST:
	case EARLIEST_LOCAL: return (found){p->log.start_offset, -1, epoch_at_start(p)};
	case MAX_TIMESTAMP: return find_newest(db, p);
	case LATEST_TIERED:
	case EARLIEST_PENDING_UPLOAD: return nothing; /* no tiered storage */
	default: return find_time(db, p, timestamp);
	}
}

/* Kafka refuses them, and it keeps a request from having one log searched a million times. */
static void note_duplicates(const kp_db_ctx *ctx, const kp_list_offsets_request *q)
{
	for (int32_t i = 0; i < q->topics.n; i++) {
		const kp_list_offsets_request_topic *qt = &q->topics.items[i];
		const kp_db_topic *t = kp_db_topic_by_name(&ctx->db->cluster, qt->name);
		for (int32_t j = 0; t && j < qt->partitions.n; j++) {
			kp_db_partition *p = kp_db_partition_of(t, qt->partitions.items[j].partition_index);
			if (!p)
				continue;
			p->is_listed_twice = p->listed_in == ctx->db->stats.n_requests;
			p->listed_in = ctx->db->stats.n_requests;
		}
	}
}

static int16_t list_partition(kp_db_ctx *ctx, const kp_db_topic *t, const kp_list_offsets_request_partition *q,
                              kp_list_offsets_response_partition *a)
{
	kp_db_partition *p = t ? kp_db_partition_of(t, q->partition_index) : NULL;
	if (p && p->is_listed_twice)
		return KP_ERR_INVALID_REQUEST;
	if (ctx->to.api_version < first_version(q->timestamp))
		return KP_ERR_UNSUPPORTED_VERSION;
	if (!p)
		return KP_ERR_UNKNOWN_TOPIC_OR_PARTITION;
	if (kp_db_leader_of(&ctx->db->cluster, p) != ctx->to.conn->node)
		return KP_ERR_NOT_LEADER_OR_FOLLOWER;
	if (q->current_leader_epoch >= 0 && q->current_leader_epoch != p->leader_epoch)
		return q->current_leader_epoch < p->leader_epoch ? KP_ERR_FENCED_LEADER_EPOCH : KP_ERR_UNKNOWN_LEADER_EPOCH;
	found f = find(ctx->db, p, q->timestamp);
	a->offset = f.offset;
	a->timestamp = f.timestamp;
	if (ctx->to.api_version >= 4)
		a->leader_epoch = f.epoch;
	return 0;
}

int kp_db_api_list_offsets(kp_db_ctx *ctx, const void *request)
{
	const kp_list_offsets_request *q = request;
	kp_list_offsets_response r;
	kp_wire_init(&kp_list_offsets_response_schema, &r, 1);
	r.topics.items = kp_db_items(ctx, &kp_list_offsets_response_topic_schema, (size_t)q->topics.n);
	if (!r.topics.items)
		return KP_ERR_NO_MEMORY;
	r.topics.n = q->topics.n;
	note_duplicates(ctx, q);
	for (int32_t i = 0; i < q->topics.n; i++) {
		const kp_list_offsets_request_topic *qt = &q->topics.items[i];
		kp_list_offsets_response_topic *at = &r.topics.items[i];
		const kp_db_topic *t = kp_db_topic_by_name(&ctx->db->cluster, qt->name);
		at->name = qt->name;
		at->partitions.items = kp_db_items(ctx, &kp_list_offsets_response_partition_schema, (size_t)qt->partitions.n);
		if (!at->partitions.items)
			return KP_ERR_NO_MEMORY;
		at->partitions.n = qt->partitions.n;
		for (int32_t j = 0; j < qt->partitions.n; j++) {
			kp_list_offsets_response_partition *a = &at->partitions.items[j];
			a->partition_index = qt->partitions.items[j].partition_index;
			a->offset = a->timestamp = -1;
			a->error_code = kp_db_error_for(ctx, qt->name, a->partition_index);
			if (!a->error_code)
				a->error_code = list_partition(ctx, t, &qt->partitions.items[j], a);
		}
	}
	return kp_db_reply(ctx, &r);
}
