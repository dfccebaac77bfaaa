/*
 * txn.h - transactions in the simulator: what each application asked for and was told, against what a reader of the logs sees.
 *
 *   txn_actor.c   the application of a transactional producer: begin, send, send offsets, commit or abort, time-outs that are resumed
 *   txns.c        transactional ids, their instances (killed, replaced, two at once), and the book of all transactions
 *   txn_watch.c   T1 to T7: in what leaves an engine
 *   txn_check.c   I6: in the logs, by control batches, beside what the broker says of them
 */
#ifndef KP_TESTS_SIM_TXN_H
#define KP_TESTS_SIM_TXN_H

#include "tests/sim/sim.h"

#define SIM_TXN_IDS 3
#define SIM_CALM_TIMEOUT_MS 60000 /* transaction.timeout.ms, at least, when the network is calm */
#define SIM_GROUPS 2              /* of each transactional id, which commits their offsets */
#define SIM_GROUP_PARTITIONS 3

typedef enum sim_told { SIM_TOLD_NOTHING, SIM_TOLD_COMMITTED, SIM_TOLD_ABORTED } sim_told;

typedef struct sim_txn {
	int client, id;
	uint32_t first_record, n_records;   /* accepted; others' lie between them */
	int64_t commit_us;                  /* when it was asked for first; -1: not yet */
	bool is_refused, has_asked_offsets; /* a record was refused; offsets were offered */
	sim_told told;
	int64_t offsets[SIM_GROUPS][SIM_GROUP_PARTITIONS]; /* taken with it; 0: none */
	/* what left the engine */
	bool has_left; /* something that a broker may know it by */
	bool is_end_built, is_commit_built, is_answered, is_commit_refused;
	int n_ends;          /* EndTxn requests */
	int64_t producer_id; /* -1: none yet */
	int16_t producer_epoch;
	unsigned groups;            /* classic: bit set of those whose addition was */
	uint64_t added[SIM_TOPICS]; /* classic: bit set of the partitions whose addition was answered with 0 */
	/* what a reader sees at the end */
	uint32_t n_visible;
} sim_txn;

typedef struct sim_txn_id {
	char name[24];
	int newest;   /* client: the last instance made */
	int owner;    /* client: the last whose init succeeded; -1: none yet */
	bool is_over; /* the last transaction is committed */
} sim_txn_id;

/* A request to the coordinator that has no answer yet. */
typedef struct sim_asked_txn {
	uint64_t conn;
	int32_t correlation_id, txn, group; /* group: of AddOffsetsToTxn, else -1 */
	int16_t api_key, version;
} sim_asked_txn;

typedef struct sim_txns {
	sim_txn_id ids[SIM_TXN_IDS];
	sim_txn *all;
	size_t n, cap;
	sim_asked_txn *asked;
	size_t n_asked, cap_asked;
} sim_txns;

/* What the application of a transactional producer is about. */
typedef struct sim_actor {
	int id;
	int32_t txn;          /* in the book; -1: none is open */
	int32_t serial;       /* of its next step: older events are stale */
	kp_txn_op op;         /* has no result yet; NONE */
	kp_txn_op instead_of; /* the abort under way takes its place, if it still can; NONE */
	bool is_waiting;      /* for it; else it timed out and is to be resumed */
	int64_t until_us;     /* it waits */
	int group;            /* of OFFSETS under way, and ... */
	int64_t base_offset;  /* ... its offsets, from which on, and ... */
	size_t n_offsets;     /* ... for how many partitions */
	int32_t n_to_send, n_offsets_to_send;
	int n_full; /* tries without room, in a row */
	bool wants_abort, is_final, is_leaving;
	int64_t owned_us; /* its init succeeded; -1: not yet */
	int16_t owned_epoch;
	uint64_t failed_at; /* turn since when the transaction can only be aborted; UINT64_MAX: it is all right */
	uint64_t fenced_at; /* turn; UINT64_MAX: it is not */
} sim_actor;

/* txns.c */
void sim_txns_begin(sim_world *w);
void sim_txns_free(sim_world *w);
bool sim_txns_are_over(const sim_world *w);
void sim_txns_calm(sim_world *w);
void sim_on_successor(sim_world *w, const sim_event *ev);
void sim_on_txn_deadline(sim_world *w);
bool sim_kill_any(sim_world *w);
bool sim_zombie_any(sim_world *w);
bool sim_txn_kill_at_end(sim_world *w);
void sim_txn_died(sim_world *w); /* the client at work has no engine any more */
sim_txn *sim_txn_new(sim_world *w, int id);
sim_txn *sim_txn_of(const sim_world *w, const sim_client *c); /* the one that is open, or NULL */
/* Number + 1 of the first record of it that was not reported as persisted; 0: all were. */
uint32_t sim_txn_unpersisted(const sim_world *w, const sim_txn *t);
/* Another instance was told before, or at that time, that its init gave it a later epoch. */
bool sim_txn_is_overtaken(const sim_world *w, const sim_actor *a, int16_t epoch, int64_t at_us);
/* So when its commit was asked for. */
bool sim_txn_is_zombie(const sim_world *w, const sim_txn *t);
void sim_txn_accepted(sim_world *w, uint32_t index);
int sim_group_find(int id, kp_slice name); /* -1: none of its groups */
void sim_group_name(int id, int group, char *out, size_t size);

/* txn_actor.c */
void sim_actor_begin(sim_world *w, int id); /* of the client at work */
bool sim_actor_is_idle(const sim_actor *a); /* it waits for nothing that it has a step of its own for */
void sim_actor_wake(sim_world *w, int64_t in_us);
void sim_on_actor(sim_world *w, const sim_event *ev);
void sim_actor_stepped(sim_world *w); /* behind the engine's step, before what it wrote leaves */
void sim_actor_after_turn(sim_world *w);
/* Is that refusal right in the state that the transaction is in? */
bool sim_actor_refuses(const sim_world *w, int err);

/* txn_watch.c */
void sim_txn_left(sim_world *w, sim_conn *c, const struct iovec *iov, int n_iov, size_t n); /* bytes were taken by the socket */
/* The request of an earlier transaction than the one that its client has open. */
bool sim_txn_is_of_earlier(const sim_world *w, const sim_conn *c, kp_slice frame);
void sim_txn_answered(sim_world *w, const kp_db_answer *a);

/* txn_check.c */
void sim_txn_check_owner(sim_world *w, int64_t producer_id); /* behind its init nothing of that id is open */
void sim_txn_check_end(sim_world *w);
void sim_txn_check_offsets(sim_world *w); /* txn_check_offsets.c; behind what is visible was counted */

#endif
