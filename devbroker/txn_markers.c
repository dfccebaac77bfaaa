/*
 * txn_markers.c - what ends transactions: the markers in their partitions, and time. See txns.h.
 */
#include "base/bytes.h"
#include "base/mem.h"
#include "devbroker/group_offsets.h"
#include "devbroker/partition_txn.h"
#include "kproducer/error.h"

#define RETRY_US 100000 /* when memory was out, or the storage failed */

typedef enum progress {
	DONE,
	WAITS, /* for replication, a leader, a coordinator: whatever comes wakes us */
	FAILED
} progress;

static kp_db_partition *partition_of(const kp_db *db, const kp_db_txn_member *m)
{
	kp_uuid id;
	memcpy(id.bytes, m->key + 1, sizeof(id.bytes));
	const kp_db_topic *t = kp_db_topic_by_id(&db->cluster, &id);
	return t ? kp_db_partition_of(t, (int32_t)kp_load_be32(m->key + 17)) : NULL;
}

/* Into the log, or, when nothing is kept, where it would stand. */
static int append(kp_db *db, kp_db_partition *p, const kp_db_marker *marker)
{
	uint8_t bytes[KP_DB_MARKER_SIZE], *stored = bytes;
	kp_slice batch = kp_slice_of(bytes, sizeof(bytes));
	kp_batch_header h;
	kp_db_marker_store(bytes, marker);
	int err = kp_db_partition_reserve(p, marker->producer_id);
	if (err)
		return err;
	int64_t offset = p->log.end_offset;
	if (db->is_discarding)
		kp_db_log_skip(&p->log, 1);
	else
		err = kp_db_log_append(&p->log, batch, 1, p->leader_epoch, &stored);
	if (err || kp_batch_header_load(batch, &h))
		return err ? err : KP_ERR_PROTOCOL;
	h.base_offset = offset;
	kp_db_partition_note(p, batch, &h);
	kp_db_replicate(&db->cluster, p, db->now_us);
	return 0;
}

static progress mark_partition(kp_db *db, const kp_db_txn *t, kp_db_txn_member *m)
{
	kp_db_partition *p = partition_of(db, m);
	if (!p)
		return DONE; /* deleted */
	bool is_written = m->marker_end && m->leader_epoch == p->leader_epoch;
	if (!is_written) {
		kp_db_marker marker = {
			.producer_id = t->meta.producer_id,
			.producer_epoch = t->meta.epoch,
			.coordinator_epoch = db->coordinators.epoch,
			.is_commit = t->meta.state == KP_DB_TXN_PREPARE_COMMIT,
			.is_log_append_time = p->topic->config.is_log_append_time,
			.timestamp = db->wall_ms_at_zero + db->now_us / 1000,
		};
		if (!kp_db_leader_of(&db->cluster, p) || !kp_db_has_enough_insync(&db->cluster, p))
			return WAITS;
		if (kp_db_producers_check_marker(&p->producers, &marker, t->meta.version))
			return DONE; /* a later one is there: this transaction is over in the partition */
		if (append(db, p, &marker))
			return FAILED;
		m->marker_end = p->log.end_offset;
		m->leader_epoch = p->leader_epoch;
	}
	return p->high_watermark >= m->marker_end ? DONE : WAITS;
}

static progress mark(kp_db *db, kp_db_txn *t, kp_db_txn_member *m)
{
	if (m->key[0] == KP_DB_TXN_MEMBER_PARTITION)
		return mark_partition(db, t, m);
	kp_slice group = kp_slice_of(m->key + 1, m->len - 1);
	return kp_db_offsets_decide(db, t, group, t->meta.state == KP_DB_TXN_PREPARE_COMMIT) ? FAILED : DONE;
}

static kp_slice name_of(const kp_db_txn *t)
{
	return kp_slice_of(t->name, t->len);
}

static bool has_coordinator(const kp_db *db, const kp_db_txn *t)
{
	return kp_db_coordinator_of(&db->coordinators, &db->cluster, KP_DB_COORDINATOR_TRANSACTION, name_of(t)) != 0;
}

void kp_db_txn_advance(kp_db *db, kp_db_txn *t)
{
	bool has_failed = false;
	if (!has_coordinator(db, t))
		return;
	for (kp_list *n = t->members.next, *next; n != &t->members; n = next) {
		kp_db_txn_member *m = KP_CONTAINER_OF(n, kp_db_txn_member, link);
		next = n->next;
		progress done = mark(db, t, m);
		has_failed |= done == FAILED;
		if (done == DONE)
			kp_db_txn_member_remove(db, t, m);
	}
	if (kp_list_empty(&t->members)) {
		kp_db_txn_meta next = kp_db_txn_complete(&t->meta);
		has_failed = kp_db_txn_change(db, t, &next) != 0;
	}
	if (!has_failed)
		return;
	t->markers_due_us = db->now_us + RETRY_US;
	if (t->markers_due_us < db->txns.deadline_us)
		db->txns.deadline_us = t->markers_due_us;
}

/* Abort it when its time is over; else *next_us is not later than its end. */
static void check_time(kp_db *db, kp_db_txn *t, int64_t *next_us)
{
	int64_t end_ms = t->meta.start_ms + t->meta.timeout_ms + 1 - db->wall_ms_at_zero, end_us = end_ms * 1000;
	if (end_us <= db->now_us) {
		if (!has_coordinator(db, t))
			return; /* the next one will see to it */
		if (!kp_db_txns_fence(db, t))
			return;
		end_us = db->now_us + RETRY_US;
	}
	if (end_us < *next_us)
		*next_us = end_us;
}

static void step_ongoing(kp_db *db, int64_t *next_us)
{
	for (kp_list *n = db->txns.ongoing.next, *next; n != &db->txns.ongoing; n = next) {
		next = n->next;
		check_time(db, KP_CONTAINER_OF(n, kp_db_txn, in_state), next_us);
	}
}

static void step_ending(kp_db *db, int64_t *next_us)
{
	for (kp_list *n = db->txns.ending.next, *next; n != &db->txns.ending; n = next) {
		kp_db_txn *t = KP_CONTAINER_OF(n, kp_db_txn, in_state);
		next = n->next;
		if (t->markers_due_us <= db->now_us)
			kp_db_txn_advance(db, t);
		if (kp_db_txn_is_ending(&t->meta) && t->markers_due_us > db->now_us && t->markers_due_us < *next_us)
			*next_us = t->markers_due_us;
	}
}

int64_t kp_db_txns_step(kp_db *db, int64_t now_us)
{
	kp_db_txns *x = &db->txns;
	bool is_due = now_us >= x->deadline_us;
	int64_t next_us = KP_TIME_NEVER;
	if (is_due) {
		x->deadline_us = KP_TIME_NEVER;
		step_ongoing(db, &next_us);
	}
	if (is_due || (db->cluster.is_produce_dirty && !kp_list_empty(&x->ending)))
		step_ending(db, &next_us);
	if (next_us < x->deadline_us)
		x->deadline_us = next_us;
	return x->deadline_us;
}

void kp_db_txns_wake(kp_db *db)
{
	db->txns.deadline_us = INT64_MIN;
}
