/*
 * group_offsets.h - the offsets that groups commit, kept in the storage's notes: those that count, and those of transactions that are not
 * decided. No members: here a group is a name with offsets, what Kafka calls a simple one.
 *
 *   OffsetCommit ─────▶ committed ◀── commit ──┐ the later of the two counts, as they were sent (sequence)
 *   TxnOffsetCommit ──▶ pending, in its transaction ── abort ──▶ gone
 */
#ifndef KP_DEVBROKER_GROUP_OFFSETS_H
#define KP_DEVBROKER_GROUP_OFFSETS_H

#include "devbroker/txns.h"

#define KP_DB_OFFSETS_MAX 200000                  /* committed and pending ones of all groups together; and groups */
#define KP_DB_OFFSETS_TEXT_MAX ((size_t)64 << 20) /* of their names and metadata together */
#define KP_DB_OFFSET_METADATA_MAX 4096            /* offset.metadata.max.bytes */
#define KP_DB_OFFSET_KEY_SIZE 20

typedef struct kp_db_offset_value {
	int64_t offset;
	int32_t leader_epoch;
	int64_t sequence; /* of all commits of the broker, pending ones too */
	kp_slice metadata;
} kp_db_offset_value;

typedef struct kp_db_group {
	kp_map by_key;
	kp_list offsets; /* in order of creation */
	kp_list pending; /* of all its partitions */
	size_t len;
	uint8_t name[];
} kp_db_group;

/* Of a group in a partition: one is committed, or some are pending. */
typedef struct kp_db_offset {
	kp_list in_group;
	kp_db_group *group;
	size_t n_pending;
	bool is_committed;
	kp_db_offset_value value;           /* owns its metadata */
	uint8_t key[KP_DB_OFFSET_KEY_SIZE]; /* topic id 16, partition 4 */
} kp_db_offset;

typedef struct kp_db_pending {
	kp_list in_txn, in_group;
	bool is_new; /* of the request under way */
	kp_db_txn *txn;
	kp_db_offset *of;
	kp_db_offset_value value;
} kp_db_pending;

void kp_db_groups_init(kp_db_groups *g);
void kp_db_groups_deinit(kp_db *db);                           /* before the transactions' */
kp_db_group *kp_db_group_find(const kp_db *db, kp_slice name); /* or NULL */
/* The same, made when there is none. NULL: a bound is met, or memory is out. */
kp_db_group *kp_db_group_get(kp_db *db, kp_slice name);
kp_db_offset *kp_db_offset_find(const kp_db_group *g, const kp_db_partition *p); /* or NULL */
kp_db_partition *kp_db_offset_partition(const kp_db *db, const kp_db_offset *o);

/*
 * 0, KP_ERR_INVALID_COMMIT_OFFSET_SIZE (a bound is met), KP_ERR_NO_MEMORY or the storage's error. The metadata is copied; a sequence of 0
 * stands for the next one. _put does not note it: it comes from the notes.
 */
KP_MUST_USE int kp_db_offset_commit(kp_db *db, kp_db_group *g, const kp_db_partition *p, const kp_db_offset_value *v);
KP_MUST_USE int kp_db_offset_put(kp_db *db, kp_db_group *g, const kp_db_partition *p, const kp_db_offset_value *v);
/* The same, for the transaction; it counts once settled. */
KP_MUST_USE int kp_db_offset_pend(kp_db *db, kp_db_txn *t, kp_db_group *g, const kp_db_partition *p, const kp_db_offset_value *v);
/* Those that were pended since: noted, in place of earlier ones of the transaction; or, with an error, gone again. */
KP_MUST_USE int kp_db_offsets_settle(kp_db *db, kp_db_txn *t, int err);
/* A transaction of this producer has offsets pending in the group. Or NULL. */
kp_db_txn *kp_db_offsets_txn_of(const kp_db_group *g, int64_t producer_id, int16_t epoch);
/* The transaction is decided, for this group. 0 or an error: come again. */
KP_MUST_USE int kp_db_offsets_decide(kp_db *db, kp_db_txn *t, kp_slice group, bool is_commit);
/* The topic goes, and what was committed and pended for it. */
void kp_db_offsets_forget_topic(kp_db *db, const kp_db_topic *topic);

/* group_notes.c */
KP_MUST_USE int kp_db_offset_note(kp_db *db, const kp_db_offset *o, const kp_db_offset_value *v); /* NULL: it is gone */
KP_MUST_USE int kp_db_offset_restore(kp_db *db, kp_slice key, kp_slice value);
/* Of a transaction, as a part of its note. */
void kp_db_pending_put(kp_buf *b, const kp_db_pending *p);
KP_MUST_USE int kp_db_pending_take(kp_db *db, kp_db_txn *t, kp_slice *rest);

#endif
