/*
 * api_producer_id.c - InitProducerId: a new id for each idempotent producer; the same id and the next epoch for a transactional one.
 */
#include "base/bytes.h"
#include "base/mem.h"
#include "devbroker/internal.h"
#include "devbroker/restore.h"
#include "kproducer/error.h"
#include "wire/msg_init_producer_id.h"

#define TRANSACTION_MAX_TIMEOUT_MS 900000 /* transaction.max.timeout.ms */
#define LAST_EPOCH (INT16_MAX - 1)        /* TransactionMetadata.isEpochExhausted */
#define NOTE_PREFIX "t:"
#define NOTE_PREFIX_LEN 2
#define NOTE_VALUE_SIZE 10

/* An id that no producer has had. With a storage they are reserved in blocks, so that a restart gives none out twice. */
static int take_producer_id(kp_db *db, int64_t *out)
{
	kp_db_cluster *c = &db->cluster;
	if (c->storage && db->next_producer_id >= c->reserved.producer_id) {
		kp_db_reserved next = c->reserved;
		next.producer_id = db->next_producer_id + KP_DB_PRODUCER_IDS_RESERVED;
		int err = kp_db_reserve(c, &next);
		if (err)
			return err;
	}
	*out = db->next_producer_id++;
	return 0;
}

static kp_db_transactional_id *transactional_id_new(kp_db *db, kp_slice name)
{
	if (db->transactional_ids.n >= KP_DB_TXN_IDS_MAX || db->transactional_text + name.len > KP_DB_TXN_TEXT_MAX)
		return NULL;
	kp_db_transactional_id *t = kp_mem_alloc(sizeof(*t) + name.len);
	if (!t)
		return NULL;
	t->producer_id = -1;
	t->epoch = LAST_EPOCH; /* used up: the first call takes a producer id */
	t->len = name.len;
	memcpy(t->name, name.ptr, name.len);
	if (kp_map_put(&db->transactional_ids, kp_slice_of(t->name, t->len), t)) {
		kp_mem_free(t);
		return NULL;
	}
	db->transactional_text += name.len;
	return t;
}

/* "t:NAME", producer id 8, epoch 2: a fenced producer stays fenced over a restart. */
static int note_transactional_id(kp_db *db, const kp_db_transactional_id *t)
{
	kp_db_storage *s = db->cluster.storage;
	uint8_t value[NOTE_VALUE_SIZE];
	kp_buf key;
	if (!s)
		return 0;
	kp_store_be16(kp_store_be64(value, (uint64_t)t->producer_id), (uint16_t)t->epoch);
	kp_buf_init(&key, 0);
	kp_buf_append(&key, NOTE_PREFIX, NOTE_PREFIX_LEN);
	kp_buf_append(&key, t->name, t->len);
	int err = key.failed ? KP_ERR_NO_MEMORY : s->ops->note(s, kp_buf_slice(&key), kp_slice_of(value, sizeof(value)));
	kp_buf_deinit(&key);
	return err;
}

int kp_db_restore_transactional_ids(kp_db *db)
{
	kp_db_storage *s = db->cluster.storage;
	kp_slice key, value;
	int err;
	while (!(err = s->ops->note_next(s, &key, &value)) && key.ptr) {
		if (key.len <= NOTE_PREFIX_LEN || memcmp(key.ptr, NOTE_PREFIX, NOTE_PREFIX_LEN) != 0 ||
		    value.len != NOTE_VALUE_SIZE)
			continue;
		kp_db_transactional_id *t = transactional_id_new(db,
		                                                 kp_slice_of(key.ptr + NOTE_PREFIX_LEN, key.len - NOTE_PREFIX_LEN));
		if (!t)
			return KP_ERR_NO_MEMORY;
		t->producer_id = (int64_t)kp_load_be64(value.ptr);
		t->epoch = (int16_t)kp_load_be16(value.ptr + 8);
	}
	return err;
}

/* KIP-360: a producer that names its id and epoch must be the present one. */
static int16_t init_transactional(kp_db *db, const kp_init_producer_id_request *q, kp_init_producer_id_response *r)
{
	kp_db_transactional_id *t = kp_map_get(&db->transactional_ids, q->transactional_id);
	if (t && t->producer_id >= 0 && q->producer_id >= 0 && (q->producer_id != t->producer_id || q->producer_epoch != t->epoch))
		return KP_ERR_PRODUCER_FENCED;
	if (!t)
		t = transactional_id_new(db, q->transactional_id);
	if (!t)
		return KP_ERR_COORDINATOR_NOT_AVAILABLE;
	int64_t id = t->producer_id;
	int16_t epoch = t->epoch;
	if (t->epoch + 1 < LAST_EPOCH)
		t->epoch++;
	else if (take_producer_id(db, &t->producer_id))
		return KP_ERR_COORDINATOR_NOT_AVAILABLE;
	else
		t->epoch = 0;
	if (note_transactional_id(db, t)) {
		t->producer_id = id;
		t->epoch = epoch;
		return KP_ERR_COORDINATOR_NOT_AVAILABLE;
	}
	r->producer_id = t->producer_id;
	r->producer_epoch = t->epoch;
	return 0;
}

static int16_t init_producer(kp_db_ctx *ctx, const kp_init_producer_id_request *q, kp_init_producer_id_response *r)
{
	int16_t fault = kp_db_error_for(ctx, kp_slice_null(), -1);
	if (fault)
		return fault;
	if (q->transactional_id.ptr && q->transactional_id.len == 0)
		return KP_ERR_INVALID_REQUEST;
	if ((q->producer_id == -1) != (q->producer_epoch == -1))
		return KP_ERR_INVALID_REQUEST;
	if (!q->transactional_id.ptr) {
		if (take_producer_id(ctx->db, &r->producer_id))
			return KP_ERR_COORDINATOR_LOAD_IN_PROGRESS; /* as Kafka without a block of ids: clients ask again */
		r->producer_epoch = 0;
		return 0;
	}
	if (q->transaction_timeout_ms <= 0 || q->transaction_timeout_ms > TRANSACTION_MAX_TIMEOUT_MS)
		return KP_ERR_INVALID_TRANSACTION_TIMEOUT;
	int16_t code = init_transactional(ctx->db, q, r);
	/* PRODUCER_FENCED is known from version 4 on. */
	return code == KP_ERR_PRODUCER_FENCED && ctx->to.api_version < 4 ? KP_ERR_INVALID_PRODUCER_EPOCH : code;
}

int kp_db_api_init_producer_id(kp_db_ctx *ctx, const void *request)
{
	kp_init_producer_id_response r;
	kp_wire_init(&kp_init_producer_id_response_schema, &r, 1);
	r.producer_id = r.producer_epoch = -1;
	r.error_code = init_producer(ctx, request, &r);
	return kp_db_reply(ctx, &r);
}
