/*
 * txn_members.c - the partitions and groups of a transaction. See txns.h.
 */
#include "base/bytes.h"
#include "base/mem.h"
#include "devbroker/txns.h"

#define PARTITION_KEY_SIZE 21

kp_slice kp_db_txn_partition_key(kp_arena *arena, const kp_db_partition *p)
{
	uint8_t *key = kp_arena_alloc(arena, PARTITION_KEY_SIZE);
	if (!key)
		return kp_slice_null();
	key[0] = KP_DB_TXN_MEMBER_PARTITION;
	memcpy(key + 1, p->topic->id.bytes, sizeof(p->topic->id.bytes));
	kp_store_be32(key + 17, (uint32_t)p->index);
	return kp_slice_of(key, PARTITION_KEY_SIZE);
}

kp_slice kp_db_txn_group_key(kp_arena *arena, kp_slice group)
{
	uint8_t *key = kp_arena_alloc(arena, 1 + group.len);
	if (!key)
		return kp_slice_null();
	key[0] = KP_DB_TXN_MEMBER_GROUP;
	if (group.len)
		memcpy(key + 1, group.ptr, group.len);
	return kp_slice_of(key, 1 + group.len);
}

static bool has_room(const kp_db *db, const kp_db_txn *t, size_t text)
{
	return db->txns.n_members < KP_DB_TXN_MEMBERS_MAX && text <= KP_DB_TXN_MEMBERS_TEXT_MAX - db->txns.members_text &&
	       text <= KP_DB_TXN_NOTE_MAX - t->members_text;
}

kp_db_txn_member *kp_db_txn_member_add(kp_db *db, kp_db_txn *t, kp_slice key)
{
	kp_db_txn_member *m = has_room(db, t, key.len) ? kp_mem_calloc(1, sizeof(*m) + key.len) : NULL;
	if (!m)
		return NULL;
	m->len = key.len;
	memcpy(m->key, key.ptr, key.len);
	if (kp_map_put(&t->by_key, kp_slice_of(m->key, m->len), m)) {
		kp_mem_free(m);
		return NULL;
	}
	kp_list_push_back(&t->members, &m->link);
	t->n_groups += m->key[0] == KP_DB_TXN_MEMBER_GROUP;
	t->members_text += m->len;
	db->txns.members_text += m->len;
	db->txns.n_members++;
	return m;
}

void kp_db_txn_member_remove(kp_db *db, kp_db_txn *t, kp_db_txn_member *m)
{
	kp_map_remove(&t->by_key, kp_slice_of(m->key, m->len));
	kp_list_remove(&m->link);
	t->n_groups -= m->key[0] == KP_DB_TXN_MEMBER_GROUP;
	t->members_text -= m->len;
	db->txns.members_text -= m->len;
	db->txns.n_members--;
	kp_mem_free(m);
}
