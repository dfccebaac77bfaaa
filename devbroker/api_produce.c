/*
 * api_produce.c - Produce: check, append, answer; or hold until the high watermark passes.
 */
#include "base/bytes.h"
#include "base/crc32c.h"
#include "devbroker/partition_txn.h"
#include "devbroker/produce_check.h"
#include "devbroker/produce_txn.h"
#include "kproducer/error.h"

/* One request under way. */
typedef struct produce {
	kp_db_ctx *ctx;
	const kp_produce_request *request;
	kp_produce_response response;
	kp_db_wait *waits; /* of acks=all */
	size_t n_waits;
	bool has_error; /* some partition was refused: with acks=0 the connection is closed */
	kp_db_produce_txn txn;
} produce;

/* A partition that was found, and its place in the answer. */
typedef struct target {
	kp_db_partition *partition;
	kp_produce_response_partition *answer;
	uint32_t entry; /* of the request, from 1 on */
} target;

static void refuse(produce *r, kp_produce_response_partition *a, int16_t code)
{
	a->error_code = code;
	r->has_error = true;
	r->ctx->db->stats.n_produce_errors++;
}

static kp_db_topic *topic_of(const kp_db_ctx *ctx, const kp_produce_request_topic *t)
{
	const kp_db_cluster *c = &ctx->db->cluster;
	return ctx->to.api_version >= 13 ? kp_db_topic_by_id(c, &t->topic_id) : kp_db_topic_by_name(c, t->name);
}

/*
 * LogValidator's work on the header: CreateTime batches get the records' true maximum, LogAppendTime ones the broker's time. Returns
 * whether something changed, so that the crc must be made anew.
 */
static void fix_timestamps(uint8_t *stored, size_t size, kp_batch_header *h, bool is_log_append_time, int64_t max_timestamp)
{
	int16_t attributes = (int16_t)(h->attributes & ~KP_BATCH_LOG_APPEND_TIME);
	if (is_log_append_time)
		attributes |= KP_BATCH_LOG_APPEND_TIME;
	if (attributes == h->attributes && max_timestamp == h->max_timestamp)
		return;
	h->attributes = attributes;
	h->max_timestamp = max_timestamp;
	kp_store_be16(stored + 21, (uint16_t)attributes);
	kp_store_be64(stored + 35, (uint64_t)max_timestamp);
	h->crc = kp_crc32c(stored + KP_BATCH_CRC_START, size - KP_BATCH_CRC_START);
	kp_store_be32(stored + 17, h->crc);
}

static void wait_for(produce *r, const target *t, int64_t required_offset)
{
	if (r->request->acks != -1 || t->partition->high_watermark >= required_offset)
		return;
	r->waits[r->n_waits++] = (kp_db_wait){t->partition->topic->id, t->partition->index, required_offset, true, t->answer};
}

/* The batch goes into the log, or is forgotten, and *h becomes the header it has or would have there. */
static int store(produce *r, kp_db_partition *p, kp_slice batch, kp_batch_header *h, int64_t max_timestamp)
{
	uint8_t *stored;
	h->base_offset = p->log.end_offset;
	if (r->ctx->db->is_discarding) {
		h->max_timestamp = max_timestamp;
		kp_db_log_skip(&p->log, h->n_records);
		return 0;
	}
	if (kp_db_log_append(&p->log, batch, h->n_records, p->leader_epoch, &stored))
		return KP_ERR_NO_MEMORY;
	fix_timestamps(stored, batch.len, h, p->topic->config.is_log_append_time, max_timestamp);
	return 0;
}

static int16_t append(produce *r, const target *t, kp_slice batch, kp_batch_header *h, int64_t max_timestamp)
{
	kp_db *db = r->ctx->db;
	kp_db_partition *p = t->partition;
	bool is_log_append_time = p->topic->config.is_log_append_time;
	if (h->producer_id >= 0 && kp_db_partition_reserve(p, h->producer_id))
		return KP_ERR_KAFKA_STORAGE_ERROR;
	if (store(r, p, batch, h, is_log_append_time ? kp_db_wall_ms(r->ctx) : max_timestamp))
		return KP_ERR_KAFKA_STORAGE_ERROR;
	if (h->producer_id >= 0)
		kp_db_partition_note(p, batch, h);
	kp_db_replicate(&db->cluster, p, r->ctx->now_us);
	db->stats.n_produce_batches++;
	db->stats.n_produce_records += (uint64_t)h->n_records;
	db->stats.n_produce_bytes += batch.len;
	t->answer->base_offset = h->base_offset;
	t->answer->log_start_offset = p->log.start_offset;
	if (is_log_append_time)
		t->answer->log_append_time_ms = h->max_timestamp;
	wait_for(r, t, h->base_offset + h->n_records);
	return 0;
}

/* The batch is there already: answer as when it was appended. Its LogAppendTimeMs is its timestamp, as in Kafka. */
static void answer_duplicate(produce *r, const target *t, const kp_db_producer_batch *same, const kp_batch_header *h)
{
	r->ctx->db->stats.n_duplicates++;
	t->answer->base_offset = same->base_offset;
	t->answer->log_append_time_ms = same->timestamp;
	t->answer->log_start_offset = t->partition->log.start_offset;
	wait_for(r, t, same->base_offset + h->n_records);
}

static int16_t check_sequence(const target *t, const kp_batch_header *h, const kp_db_producer_batch **same)
{
	if (h->producer_id < 0)
		return 0;
	return (int16_t)kp_db_producers_check(&t->partition->producers, h, same);
}

static int16_t check_and_append(produce *r, const target *t, kp_slice batch)
{
	kp_db *db = r->ctx->db;
	const kp_db_partition *p = t->partition;
	const kp_db_topic *topic = p->topic;
	kp_batch_header h;
	if (r->request->acks == -1 && !kp_db_has_enough_insync(&db->cluster, p))
		return KP_ERR_NOT_ENOUGH_REPLICAS;
	int16_t code = kp_db_check_batch(batch, topic->config.max_message_bytes, &h);
	if (code)
		return code;
	kp_db_record_check k = {
		.config = &topic->config,
		.topic = topic->name,
		.partition = p->index,
		.wall_ms = kp_db_wall_ms(r->ctx),
		.arena = &db->arena,
		.scratch = &db->scratch,
		.is_header_only = db->is_discarding,
	};
	code = kp_db_check_records(&k, batch, &h);
	if (code) {
		t->answer->record_errors.items = k.errors;
		t->answer->record_errors.n = k.n_errors;
		t->answer->error_message = k.text;
		return code;
	}
	const kp_db_producer_batch *same = NULL;
	code = check_sequence(t, &h, &same);
	if (code == KP_ERR_DUPLICATE_SEQUENCE_NUMBER) {
		answer_duplicate(r, t, same, &h);
		return 0;
	}
	return code ? code : append(r, t, batch, &h, k.max_timestamp);
}

/* Which refusals tell where the log starts: those that ReplicaManager.appendRecordsToLeader does not single out. */
static bool tells_log_start(int16_t code)
{
	return code != KP_ERR_MESSAGE_TOO_LARGE && code != KP_ERR_CORRUPT_MESSAGE && code != KP_ERR_KAFKA_STORAGE_ERROR;
}

static int produce_partition(produce *r, const target *t, kp_slice records)
{
	kp_db *db = r->ctx->db;
	kp_slice batch;
	int16_t acks = r->request->acks;
	int16_t code = kp_db_check_framing(records, r->ctx->to.api_version, &batch);
	if (!code && (acks < -1 || acks > 1))
		code = KP_ERR_INVALID_REQUIRED_ACKS;
	/* The coordinator comes before what appending looks at. */
	if (r->txn.codes && r->txn.codes[t->entry])
		code = kp_db_produce_code(r->ctx, r->txn.codes[t->entry], &t->answer->error_message);
	if (code) {
		refuse(r, t->answer, code);
		return 0;
	}
	if (kp_db_leader_of(&db->cluster, t->partition) != r->ctx->to.conn->node) {
		refuse(r, t->answer, KP_ERR_NOT_LEADER_OR_FOLLOWER);
		return r->ctx->to.api_version < 10 ? 0
		                                   : kp_db_name_leader(&db->cluster, t->partition, &db->arena, &r->response,
		                                                       &t->answer->current_leader);
	}
	code = check_and_append(r, t, batch);
	if (code) {
		refuse(r, t->answer, code);
		if (tells_log_start(code))
			t->answer->log_start_offset = t->partition->log.start_offset;
	}
	return 0;
}

/* What a fault script says of the partition comes before the append, instead of it, or in its answer. */
static int produce_or_fail(produce *r, const target *t, kp_slice records)
{
	kp_slice topic = kp_slice_cstr(t->partition->topic->name);
	int16_t code = kp_db_error_for(r->ctx, topic, t->partition->index);
	if (!code) {
		int err = produce_partition(r, t, records);
		code = err || t->answer->error_code ? 0 : kp_db_error_after(r->ctx, topic, t->partition->index);
		if (err || !code)
			return err;
		t->answer->base_offset = -1;
		if (r->n_waits && r->waits[r->n_waits - 1].answer == t->answer)
			r->n_waits--; /* its answer is known: no time-out is to take its place */
	}
	refuse(r, t->answer, code);
	return 0;
}

/* An answer to everything that was named, with nothing done. */
static void refuse_all(produce *r, int16_t code, const char *text)
{
	for (int32_t i = 0; i < r->response.responses.n; i++) {
		kp_produce_response_topic *t = &r->response.responses.items[i];
		for (int32_t j = 0; j < t->partition_responses.n; j++) {
			refuse(r, &t->partition_responses.items[j], code);
			if (*text)
				t->partition_responses.items[j].error_message = kp_slice_cstr(text);
		}
	}
}

static int prepare_answer(produce *r, size_t *n_partitions)
{
	const kp_produce_request *q = r->request;
	kp_wire_init(&kp_produce_response_schema, &r->response, 1);
	r->response.responses.n = q->topic_data.n;
	r->response.responses.items = kp_db_items(r->ctx, &kp_produce_response_topic_schema, (size_t)q->topic_data.n);
	if (!r->response.responses.items)
		return KP_ERR_NO_MEMORY;
	*n_partitions = 0;
	for (int32_t i = 0; i < q->topic_data.n; i++) {
		const kp_produce_request_topic *from = &q->topic_data.items[i];
		kp_produce_response_topic *to = &r->response.responses.items[i];
		size_t n = (size_t)from->partition_data.n;
		to->name = from->name;
		to->topic_id = from->topic_id;
		to->partition_responses.n = from->partition_data.n;
		to->partition_responses.items = kp_db_items(r->ctx, &kp_produce_response_partition_schema, n);
		if (!to->partition_responses.items)
			return KP_ERR_NO_MEMORY;
		for (size_t j = 0; j < n; j++) {
			to->partition_responses.items[j].index = from->partition_data.items[j].index;
			to->partition_responses.items[j].base_offset = -1;
		}
		*n_partitions += n;
	}
	return 0;
}

/* What KafkaApis looks at before anything is appended. False: the whole request was refused. */
static bool request_is_sound(produce *r, kp_db_peek *peek)
{
	for (int32_t i = 0; i < r->request->topic_data.n; i++) {
		const kp_produce_request_topic *t = &r->request->topic_data.items[i];
		for (int32_t j = 0; j < t->partition_data.n; j++) {
			kp_db_peek_batch(t->partition_data.items[j].records, peek);
			if (peek->is_transactional && !r->request->transactional_id.ptr)
				peek->error = KP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
			if (peek->error) {
				refuse_all(r, peek->error, peek->text);
				return false;
			}
		}
	}
	return true;
}

/* A partition that is named more than once counts once, as it is named last (KafkaApis keeps a map). */
static void note_last_entries(produce *r)
{
	uint32_t entry = 0;
	for (int32_t i = 0; i < r->request->topic_data.n; i++) {
		const kp_produce_request_topic *t = &r->request->topic_data.items[i];
		kp_db_topic *topic = topic_of(r->ctx, t);
		for (int32_t j = 0; j < t->partition_data.n; j++) {
			kp_db_partition *p = topic ? kp_db_partition_of(topic, t->partition_data.items[j].index) : NULL;
			entry++;
			if (p)
				p->last_entry = entry;
		}
	}
}

static int produce_topic(produce *r, const kp_produce_request_topic *t, kp_produce_response_topic *answer, uint32_t *entry)
{
	kp_db_topic *topic = topic_of(r->ctx, t);
	int32_t n_answers = 0;
	if (topic)
		answer->name = kp_slice_cstr(topic->name);
	for (int32_t j = 0; j < t->partition_data.n; j++) {
		kp_produce_response_partition *a = &answer->partition_responses.items[n_answers];
		target place = {topic ? kp_db_partition_of(topic, t->partition_data.items[j].index) : NULL, a, *entry + 1};
		a->index = t->partition_data.items[j].index;
		++*entry;
		if (place.partition && place.partition->last_entry != *entry)
			continue;
		n_answers++;
		if (!place.partition)
			refuse(r, a,
			       !topic && r->ctx->to.api_version >= 13 ? KP_ERR_UNKNOWN_TOPIC_ID
			                                              : KP_ERR_UNKNOWN_TOPIC_OR_PARTITION);
		else if (produce_or_fail(r, &place, t->partition_data.items[j].records))
			return KP_ERR_NO_MEMORY;
	}
	answer->partition_responses.n = n_answers;
	return 0;
}

/* Kafka's answer is made of partitions: a topic of which none is answered is not there. */
static void drop_empty_topics(kp_produce_response *r)
{
	int32_t n = 0;
	for (int32_t i = 0; i < r->responses.n; i++)
		if (r->responses.items[i].partition_responses.n)
			r->responses.items[n++] = r->responses.items[i];
	r->responses.n = n;
}

static int produce_all(produce *r, size_t n_partitions)
{
	if (r->request->acks == -1) {
		r->waits = kp_arena_alloc(&r->ctx->db->arena, n_partitions * sizeof(*r->waits));
		if (!r->waits)
			return KP_ERR_NO_MEMORY;
	}
	note_last_entries(r);
	if (kp_db_produce_verify(&r->txn, n_partitions))
		return KP_ERR_NO_MEMORY;
	if (r->txn.has_others) {
		refuse_all(r, KP_ERR_INVALID_PRODUCER_ID_MAPPING, "Transactional records contained more than one producer ID");
		return 0;
	}
	uint32_t entry = 0;
	for (int32_t i = 0; i < r->request->topic_data.n; i++)
		if (produce_topic(r, &r->request->topic_data.items[i], &r->response.responses.items[i], &entry))
			return KP_ERR_NO_MEMORY;
	drop_empty_topics(&r->response);
	return 0;
}

int kp_db_api_produce(kp_db_ctx *ctx, const void *request)
{
	produce r = {.ctx = ctx, .request = request, .txn = {.ctx = ctx, .request = request, .topic_of = topic_of}};
	kp_db_peek peek;
	size_t n_partitions;
	int err = prepare_answer(&r, &n_partitions);
	if (err)
		return err;
	if (ctx->injected)
		refuse_all(&r, ctx->injected, "");
	else if (request_is_sound(&r, &peek))
		err = produce_all(&r, n_partitions);
	if (err)
		return err;
	if (r.request->acks == 0)
		return kp_db_end_unanswered(ctx, r.has_error);
	if (r.n_waits)
		return kp_db_hold_produce(ctx, &r.response, r.waits, r.n_waits, r.request->timeout_ms);
	return kp_db_reply(ctx, &r.response);
}
