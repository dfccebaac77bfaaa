/*
 * fate_txn.c - what a simulator or a fault script does to coordinators and transactions, and looking at them. See core.h.
 */
#include "devbroker/group_offsets.h"
#include "devbroker/partition_txn.h"
#include "kproducer/error.h"

int kp_db_set_coordinator(kp_db *db, int8_t key_type, const char *key, int32_t node)
{
	bool is_type = key_type == KP_DB_COORDINATOR_GROUP || key_type == KP_DB_COORDINATOR_TRANSACTION;
	if (!is_type || (node != 0 && node != KP_DB_COORDINATOR_BY_HASH && !kp_db_is_node(&db->cluster, node)))
		return KP_ERR_BAD_ARGUMENT;
	kp_db_txns_wake(db);
	return kp_db_coordinator_give(&db->coordinators, key_type, kp_slice_cstr(key), node);
}

int32_t kp_db_coordinator(const kp_db *db, int8_t key_type, const char *key)
{
	return kp_db_coordinator_of(&db->coordinators, &db->cluster, key_type, kp_slice_cstr(key));
}

void kp_db_set_marker_delay_us(kp_db *db, int64_t delay_us)
{
	db->txns.marker_delay_us = delay_us < 0 ? 0 : delay_us;
}

int kp_db_expire_txn(kp_db *db, const char *transactional_id, int64_t now_us)
{
	kp_db_txn *t = kp_db_txn_find(db, kp_slice_cstr(transactional_id));
	if (!t || t->meta.state != KP_DB_TXN_ONGOING)
		return KP_ERR_BAD_ARGUMENT;
	db->now_us = now_us;
	return kp_db_txns_fence(db, t);
}

int kp_db_txn_get(const kp_db *db, const char *transactional_id, kp_db_txn_info *out)
{
	const kp_db_txn *t = kp_db_txn_find(db, kp_slice_cstr(transactional_id));
	if (!t)
		return KP_ERR_BAD_ARGUMENT;
	*out = (kp_db_txn_info){
		.state = t->meta.state,
		.producer_id = t->meta.producer_id,
		.epoch = t->meta.epoch,
		.timeout_ms = t->meta.timeout_ms,
		.n_partitions = (int32_t)(t->by_key.n - t->n_groups),
		.n_groups = (int32_t)t->n_groups,
	};
	return 0;
}

static const kp_db_partition *find(const kp_db *db, const char *topic, int32_t partition)
{
	const kp_db_topic *t = kp_db_topic_by_name(&db->cluster, kp_slice_cstr(topic));
	return t ? kp_db_partition_of(t, partition) : NULL;
}

int64_t kp_db_committed_offset(const kp_db *db, const char *group, const char *topic, int32_t partition, bool *is_pending)
{
	const kp_db_group *g = kp_db_group_find(db, kp_slice_cstr(group));
	const kp_db_partition *p = find(db, topic, partition);
	const kp_db_offset *o = g && p ? kp_db_offset_find(g, p) : NULL;
	*is_pending = o && o->n_pending;
	return o && o->is_committed ? o->value.offset : -1;
}

bool kp_db_aborted_walk(const kp_db *db, const char *topic, int32_t partition, size_t *at, kp_db_aborted *out)
{
	const kp_db_partition *p = find(db, topic, partition);
	if (!p || *at >= p->aborted.n)
		return false;
	*out = p->aborted.items[(*at)++];
	return true;
}
