/*
 * txns.h - the transaction coordinator: every transactional id with what its transaction holds, kept in the storage's notes; the markers
 * that end a transaction; the time-outs. What leads where is txn.h's.
 *
 *   EndTxn ─▶ PrepareCommit, noted ─▶ [marker delay] ─▶ a marker into each partition, replicated; offsets of each group ─▶ CompleteCommit
 *
 * A marker that a new leader may have lost is written again; a partition without a leader, or without enough replicas, is waited for; one
 * that was deleted is left out.
 */
#ifndef KP_DEVBROKER_TXNS_H
#define KP_DEVBROKER_TXNS_H

#include "devbroker/internal.h"
#include "devbroker/txn.h"

#define KP_DB_TXN_IDS_MAX 100000
#define KP_DB_TXN_TEXT_MAX ((size_t)64 << 20)         /* of their names together */
#define KP_DB_TXN_MEMBERS_MAX 1000000                 /* partitions and groups of all transactions together */
#define KP_DB_TXN_MEMBERS_TEXT_MAX ((size_t)64 << 20) /* of their keys together */
#define KP_DB_TXN_NOTE_MAX ((size_t)8 << 20)          /* of one transaction's: its note is written anew with each transition */
#define KP_DB_TXN_MEMBER_PARTITION 'p'                /* first byte of a member's key */
#define KP_DB_TXN_MEMBER_GROUP 'g'

/* A partition or a group in a transaction. */
typedef struct kp_db_txn_member {
	kp_list link;
	bool is_new;          /* of the request under way */
	int64_t marker_end;   /* offset behind its marker, 0: not written yet */
	int32_t leader_epoch; /* in which it was written */
	size_t len;
	uint8_t key[]; /* 'p', topic id 16, partition 4; or 'g', group */
} kp_db_txn_member;

typedef struct kp_db_txn {
	kp_db_txn_meta meta;
	kp_list in_state; /* in the coordinator's list of ongoing or of ending ones */
	kp_map by_key;
	kp_list members;
	size_t n_groups, members_text; /* of the members: groups; bytes of keys */
	kp_list pending;               /* offsets: group_offsets.h */
	int64_t markers_due_us;        /* not before */
	size_t len;
	uint8_t name[];
} kp_db_txn;

/* Who asks, and for whom. */
typedef struct kp_db_txn_call {
	kp_slice name; /* the transactional id */
	int64_t producer_id;
	int16_t epoch;
	int16_t version; /* of the protocol: 0, or 2 for KIP-890 */
} kp_db_txn_call;

kp_slice kp_db_txn_partition_key(kp_arena *arena, const kp_db_partition *p); /* the null slice when memory is out */
kp_slice kp_db_txn_group_key(kp_arena *arena, kp_slice group);

void kp_db_txns_init(kp_db_txns *x);
void kp_db_txns_deinit(kp_db *db);
kp_db_txn *kp_db_txn_find(const kp_db *db, kp_slice name);

/*
 * Requests. 0 or the code to answer with, COORDINATOR_NOT_AVAILABLE when a bound is met or the storage fails; then nothing has changed.
 * Whether this node is the coordinator is the caller's to check.
 */
int16_t kp_db_txns_init_producer(kp_db *db, const kp_db_txn_call *call, int32_t timeout_ms, kp_db_txn_meta *out);
int16_t kp_db_txns_add(kp_db *db, const kp_db_txn_call *call, const kp_slice *keys, size_t n);
/* May a batch for this member be written? Not added: KP_ERR_TRANSACTION_ABORTABLE. */
int16_t kp_db_txns_verify(kp_db *db, const kp_db_txn_call *call, kp_slice key);
/* *out: the producer id and epoch that the next transaction has. */
int16_t kp_db_txns_end(kp_db *db, const kp_db_txn_call *call, bool is_commit, kp_db_txn_meta *out);
/* The transaction, which must be ongoing, is aborted and its producer fenced. 0 or the storage's error. */
KP_MUST_USE int kp_db_txns_fence(kp_db *db, kp_db_txn *t);
/* A producer id that nobody has had. With a storage they are reserved in blocks, so that a restart gives none out twice. */
KP_MUST_USE int kp_db_take_producer_id(kp_db *db, int64_t *out);

/* Time-outs, and markers that are due or waited for something. Returns the next deadline. Cheap when nothing is open. */
int64_t kp_db_txns_step(kp_db *db, int64_t now_us);
/* Coordinators have moved, nodes have come or gone: everything is to be looked at. */
void kp_db_txns_wake(kp_db *db);

/* Of txns.c, for its neighbours. */
kp_db_txn *kp_db_txn_new(kp_db *db, kp_slice name); /* in the table; NULL: a bound is met, or memory is out */
/* It has this state from now on, once it is noted. 0 or the storage's error, with nothing changed. */
KP_MUST_USE int kp_db_txn_change(kp_db *db, kp_db_txn *t, const kp_db_txn_meta *next);
/* Into the list its state belongs to. */
void kp_db_txn_enter_state(kp_db *db, kp_db_txn *t);
kp_db_txn_member *kp_db_txn_member_add(kp_db *db, kp_db_txn *t,
                                       kp_slice key); /* not there yet; NULL: a bound is met, or memory is out */
void kp_db_txn_member_remove(kp_db *db, kp_db_txn *t, kp_db_txn_member *m);
/* Write what can be written of its markers; complete it when that is all. */
void kp_db_txn_advance(kp_db *db, kp_db_txn *t);

/* txn_notes.c */
KP_MUST_USE int kp_db_txn_note(kp_db *db, const kp_db_txn *t);
/* What the storage has noted of one, with the name `name`. */
KP_MUST_USE int kp_db_txn_restore(kp_db *db, kp_slice name, kp_slice value);

#endif
