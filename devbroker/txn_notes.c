/*
 * txn_notes.c - the coordinator's log: each transactional id as a note of the storage, written anew with every transition, before it
 * counts.
 *
 *   "t:NAME" -> form 1 | state 1 | version 2 | producer id 8, previous 8, next 8 | epoch 2 | time-out 4 | start 8 |
 *               members 4 | { length 2 | key }* | { pending offset, see group_notes.c }*
 *
 * The last epoch is not there, as in Kafka's TransactionLogValue: behind a restart InitProducerId is not known as a repeated one.
 * Earlier brokers, which knew no transactions, wrote producer id 8 | epoch 2.
 */
#include "base/bytes.h"
#include "base/mem.h"
#include "devbroker/group_offsets.h"
#include "kproducer/error.h"

#define PREFIX "t:"
#define FORM 1
#define META_SIZE 46
#define OLD_SIZE 10

static void put_meta(kp_buf *b, const kp_db_txn *t, size_t n_members)
{
	uint8_t bytes[META_SIZE], *p = bytes;
	const kp_db_txn_meta *m = &t->meta;
	*p++ = FORM;
	*p++ = (uint8_t)m->state;
	p = kp_store_be16(p, (uint16_t)m->version);
	p = kp_store_be64(p, (uint64_t)m->producer_id);
	p = kp_store_be64(p, (uint64_t)m->prev_producer_id);
	p = kp_store_be64(p, (uint64_t)m->next_producer_id);
	p = kp_store_be16(p, (uint16_t)m->epoch);
	p = kp_store_be32(p, (uint32_t)m->timeout_ms);
	p = kp_store_be64(p, (uint64_t)m->start_ms);
	kp_store_be32(p, (uint32_t)n_members);
	kp_buf_append(b, bytes, sizeof(bytes));
}

static void put_member(kp_buf *b, const kp_db_txn_member *m)
{
	uint8_t len[2];
	kp_store_be16(len, (uint16_t)m->len);
	kp_buf_append(b, len, sizeof(len));
	kp_buf_append(b, m->key, m->len);
}

int kp_db_txn_note(kp_db *db, const kp_db_txn *t)
{
	kp_db_storage *s = db->cluster.storage;
	kp_buf key, value;
	if (!s)
		return 0;
	kp_buf_init(&key, 0);
	kp_buf_init(&value, 0);
	kp_buf_append(&key, PREFIX, sizeof(PREFIX) - 1);
	kp_buf_append(&key, t->name, t->len);
	put_meta(&value, t, t->by_key.n);
	for (const kp_list *n = t->members.next; n != &t->members; n = n->next)
		put_member(&value, KP_CONTAINER_OF(n, const kp_db_txn_member, link));
	for (const kp_list *n = t->pending.next; n != &t->pending; n = n->next)
		kp_db_pending_put(&value, KP_CONTAINER_OF(n, const kp_db_pending, in_txn));
	bool has_failed = key.failed || value.failed;
	int err = has_failed ? KP_ERR_NO_MEMORY : s->ops->note(s, kp_buf_slice(&key), kp_buf_slice(&value));
	kp_buf_deinit(&key);
	kp_buf_deinit(&value);
	return err;
}

static uint32_t take_meta(const uint8_t *p, kp_db_txn_meta *m)
{
	*m = (kp_db_txn_meta){
		.state = (kp_db_txn_state)p[1],
		.version = (int16_t)kp_load_be16(p + 2),
		.producer_id = (int64_t)kp_load_be64(p + 4),
		.prev_producer_id = (int64_t)kp_load_be64(p + 12),
		.next_producer_id = (int64_t)kp_load_be64(p + 20),
		.epoch = (int16_t)kp_load_be16(p + 28),
		.last_epoch = -1,
		.timeout_ms = (int32_t)kp_load_be32(p + 30),
		.start_ms = (int64_t)kp_load_be64(p + 34),
	};
	return kp_load_be32(p + 42);
}

static int take_members(kp_db *db, kp_db_txn *t, uint32_t n, kp_slice *all)
{
	kp_slice rest = *all;
	for (; n; n--) {
		size_t len = rest.len < 2 ? SIZE_MAX : kp_load_be16(rest.ptr);
		if (len > rest.len - 2 || len == 0)
			return KP_ERR_PROTOCOL;
		if (!kp_db_txn_member_add(db, t, kp_slice_of(rest.ptr + 2, len)))
			return KP_ERR_NO_MEMORY;
		rest = kp_slice_of(rest.ptr + 2 + len, rest.len - 2 - len);
	}
	*all = rest;
	return 0;
}

int kp_db_txn_restore(kp_db *db, kp_slice name, kp_slice value)
{
	bool is_old = value.len == OLD_SIZE;
	if (!is_old && (value.len < META_SIZE || value.ptr[0] != FORM || value.ptr[1] > KP_DB_TXN_COMPLETE_ABORT))
		return kp_db_storage_fault(
			db->cluster.storage,
			"the notes hold transactional id '%.*s' in a form that this version does not know: start "
			"the version that wrote them",
			(int)(name.len < 200 ? name.len : 200), (const char *)name.ptr);
	kp_db_txn *t = kp_db_txn_new(db, name);
	if (!t)
		return KP_ERR_NO_MEMORY;
	if (is_old) {
		kp_db_txn_new_meta(&t->meta, (int64_t)kp_load_be64(value.ptr));
		t->meta.epoch = (int16_t)kp_load_be16(value.ptr + 8);
		return 0;
	}
	uint32_t n = take_meta(value.ptr, &t->meta);
	kp_slice rest = kp_slice_of(value.ptr + META_SIZE, value.len - META_SIZE);
	int err = take_members(db, t, n, &rest);
	while (!err && rest.len)
		err = kp_db_pending_take(db, t, &rest);
	for (kp_list *at = t->pending.next; at != &t->pending; at = at->next)
		KP_CONTAINER_OF(at, kp_db_pending, in_txn)->is_new = false;
	if (!err)
		kp_db_txn_enter_state(db, t);
	kp_db_txns_wake(db);
	return err;
}
