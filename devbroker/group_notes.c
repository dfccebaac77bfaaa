/*
 * group_notes.c - committed and pending offsets as bytes of the storage's notes.
 *
 *   "o:" group length 2, group | topic id 16 | partition 4 -> value        a committed one, of its own; an empty value: gone
 *   value length 2 | group length 2, group | topic id 16 | partition 4 | value     a pending one, in the note of its transaction
 *   value: offset 8 | leader epoch 4 | sequence 8 | metadata
 */
#include "base/bytes.h"
#include "base/mem.h"
#include "devbroker/group_offsets.h"
#include "kproducer/error.h"

#define PREFIX "o:"
#define VALUE_SIZE 20

static void put_u16(kp_buf *b, size_t n)
{
	uint8_t bytes[2];
	kp_store_be16(bytes, (uint16_t)n);
	kp_buf_append(b, bytes, sizeof(bytes));
}

static void put_place(kp_buf *b, const kp_db_offset *o)
{
	put_u16(b, o->group->len);
	kp_buf_append(b, o->group->name, o->group->len);
	kp_buf_append(b, o->key, sizeof(o->key));
}

static void put_value(kp_buf *b, const kp_db_offset_value *v)
{
	uint8_t bytes[VALUE_SIZE];
	kp_store_be64(kp_store_be32(kp_store_be64(bytes, (uint64_t)v->offset), (uint32_t)v->leader_epoch), (uint64_t)v->sequence);
	kp_buf_append(b, bytes, sizeof(bytes));
	kp_buf_append(b, v->metadata.ptr, v->metadata.len);
}

int kp_db_offset_note(kp_db *db, const kp_db_offset *o, const kp_db_offset_value *v)
{
	kp_db_storage *s = db->cluster.storage;
	kp_buf key, value;
	if (!s)
		return 0;
	kp_buf_init(&key, 0);
	kp_buf_init(&value, 0);
	kp_buf_append(&key, PREFIX, sizeof(PREFIX) - 1);
	put_place(&key, o);
	if (v)
		put_value(&value, v);
	bool has_failed = key.failed || value.failed;
	int err = has_failed ? KP_ERR_NO_MEMORY : s->ops->note(s, kp_buf_slice(&key), kp_buf_slice(&value));
	kp_buf_deinit(&key);
	kp_buf_deinit(&value);
	return err;
}

/* Where an offset belongs; *p is NULL when the topic is gone. False: the bytes are none. */
static bool take_place(const kp_db *db, kp_slice *rest, kp_slice *group, kp_db_partition **p)
{
	kp_uuid id;
	size_t len = rest->len < 2 ? SIZE_MAX : kp_load_be16(rest->ptr);
	if (rest->len < 2 || len > rest->len - 2 || rest->len - 2 - len < KP_DB_OFFSET_KEY_SIZE)
		return false;
	*group = kp_slice_of(rest->ptr + 2, len);
	const uint8_t *key = group->ptr + len;
	memcpy(id.bytes, key, sizeof(id.bytes));
	const kp_db_topic *t = kp_db_topic_by_id(&db->cluster, &id);
	*p = t ? kp_db_partition_of(t, (int32_t)kp_load_be32(key + 16)) : NULL;
	*rest = kp_slice_of(key + KP_DB_OFFSET_KEY_SIZE, rest->len - 2 - len - KP_DB_OFFSET_KEY_SIZE);
	return true;
}

static bool take_value(kp_slice bytes, kp_db_offset_value *v)
{
	if (bytes.len < VALUE_SIZE)
		return false;
	*v = (kp_db_offset_value){
		.offset = (int64_t)kp_load_be64(bytes.ptr),
		.leader_epoch = (int32_t)kp_load_be32(bytes.ptr + 8),
		.sequence = (int64_t)kp_load_be64(bytes.ptr + 12),
		.metadata = kp_slice_of(bytes.ptr + VALUE_SIZE, bytes.len - VALUE_SIZE),
	};
	return true;
}

static int malformed(kp_db *db)
{
	return kp_db_storage_fault(db->cluster.storage,
	                           "the notes hold offsets of groups in a form that this version does not know: "
	                           "start the version that wrote them");
}

static void see_sequence(kp_db *db, int64_t sequence)
{
	if (db->groups.sequence < sequence)
		db->groups.sequence = sequence;
}

int kp_db_offset_restore(kp_db *db, kp_slice key, kp_slice value)
{
	kp_db_partition *p;
	kp_db_offset_value v;
	kp_slice group;
	if (!take_place(db, &key, &group, &p) || !take_value(value, &v))
		return malformed(db);
	see_sequence(db, v.sequence);
	if (!p)
		return 0;
	kp_db_group *g = kp_db_group_get(db, group);
	return g ? kp_db_offset_put(db, g, p, &v) : KP_ERR_NO_MEMORY;
}

void kp_db_pending_put(kp_buf *b, const kp_db_pending *p)
{
	put_u16(b, VALUE_SIZE + p->value.metadata.len);
	put_place(b, p->of);
	put_value(b, &p->value);
}

int kp_db_pending_take(kp_db *db, kp_db_txn *t, kp_slice *rest)
{
	kp_db_partition *p;
	kp_db_offset_value v;
	kp_slice group;
	size_t len = rest->len < 2 ? 0 : kp_load_be16(rest->ptr);
	kp_slice at = rest->len < 2 ? *rest : kp_slice_of(rest->ptr + 2, rest->len - 2);
	if (!take_place(db, &at, &group, &p) || len > at.len || !take_value(kp_slice_of(at.ptr, len), &v))
		return malformed(db);
	*rest = kp_slice_of(at.ptr + len, at.len - len);
	see_sequence(db, v.sequence);
	if (!p)
		return 0;
	kp_db_group *g = kp_db_group_get(db, group);
	return g ? kp_db_offset_pend(db, t, g, p, &v) : KP_ERR_NO_MEMORY;
}
