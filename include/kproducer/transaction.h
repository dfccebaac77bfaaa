/*
 * transaction.h - transactions: all records between a begin and its commit become visible together, or none does. Include kproducer.h.
 *
 *   kp_init_transactions(p, 30000, &err);
 *   for (;;) {
 *           kp_begin_transaction(p, &err);
 *           kp_send(...);                                  any number, to any topics and partitions
 *           kp_send_offsets_to_transaction(p, ...);        consume-transform-produce: what was read, committed with what was written
 *           kp_commit_transaction(p, 30000, &err);
 *   }
 *
 * Every failure says what to do next (kp_txn_error.next): the same call again, kp_abort_transaction, or a new producer.
 *
 * The transactional id outlives the producer: when a new one with the same id is initialized, the old one's open transaction is aborted and
 * the old one is fenced, so that nothing it still sends becomes visible.
 *
 * Threads: any thread may send; init, begin, send_offsets, commit and abort are for one thread at a time. They wait for the runtime's
 * thread; in a callback they return KP_ERR_IN_CALLBACK. A record that kp_send accepted before the commit was called belongs to it.
 *
 * All functions since 0.1.
 */
#ifndef KPRODUCER_TRANSACTION_H
#define KPRODUCER_TRANSACTION_H

#include <kproducer/kproducer.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Where a producer stands. */
typedef enum kp_txn_state {
	KP_TXN_NONE = 0,      /* transactional.id is not set */
	KP_TXN_UNINITIALIZED, /* kp_init_transactions has not succeeded yet */
	KP_TXN_INITIALIZING,  /* it timed out and is under way, or its result was not taken */
	KP_TXN_READY,         /* no transaction is open */
	KP_TXN_OPEN,          /* between begin and commit or abort */
	KP_TXN_MUST_ABORT,    /* a record or request of the transaction failed: only kp_abort_transaction is left */
	KP_TXN_COMMITTING,    /* a commit timed out and is under way, or its result was not taken */
	KP_TXN_ABORTING,      /* likewise an abort */
	KP_TXN_FENCED         /* over: a newer producer has the transactional id, or the cluster gave this one up */
} kp_txn_state;

/* The one thing to do about a failed call. */
typedef enum kp_txn_next {
	KP_TXN_NEXT_NOTHING = 0,  /* it worked */
	KP_TXN_NEXT_RETRY,        /* the same call again: it goes on where it stands, or tries anew when the cause is gone */
	KP_TXN_NEXT_ABORT,        /* kp_abort_transaction, then begin again with the same records */
	KP_TXN_NEXT_NEW_INSTANCE, /* close this producer and make another: this one does no more transactions */
	KP_TXN_NEXT_OTHER_CALL    /* the call or its arguments do not fit: `text` says which would */
} kp_txn_next;

/* Why a call failed. Start from KP_TXN_ERROR_INIT; written by every call, also by one that succeeds. */
typedef struct kp_txn_error {
	size_t struct_size;
	int error;          /* what the call returned */
	int cause;          /* what lies behind it: a record's, a broker's or a connection's code; else the same as error */
	kp_txn_next next;   /* what to do */
	kp_txn_state state; /* behind the call */
	int in_doubt; /* 1: a commit ended without its answer, fenced or closed, and may have taken effect: look before doing it again */
	char text[600]; /* state, cause and the next call, one line; "" on success */
} kp_txn_error;

/* A consumer's place in its group (KIP-447): a member that was replaced cannot commit offsets with a transaction any more. */
typedef struct kp_group_metadata {
	size_t struct_size;
	const char *group_id;          /* not empty */
	int32_t generation_id;         /* -1: of a consumer that was assigned its partitions by hand, which nothing fences */
	const char *member_id;         /* "" or NULL: likewise */
	const char *group_instance_id; /* NULL: no static membership */
} kp_group_metadata;

/* How far a partition was read. */
typedef struct kp_offset {
	size_t struct_size;
	const char *topic;
	int32_t partition;
	int64_t offset;       /* of the next record to read, from 0 on */
	int32_t leader_epoch; /* of the last record read; -1: not known */
	const char *metadata; /* kept with it; NULL: none */
} kp_offset;

#ifdef __cplusplus
#define KP_TXN_ERROR_INIT                                                        \
	kp_txn_error                                                             \
	{                                                                        \
		sizeof(kp_txn_error), 0, 0, KP_TXN_NEXT_NOTHING, KP_TXN_NONE, 0, \
		{                                                                \
			0                                                        \
		}                                                                \
	}
#define KP_GROUP_METADATA_INIT                                           \
	kp_group_metadata                                                \
	{                                                                \
		sizeof(kp_group_metadata), nullptr, -1, nullptr, nullptr \
	}
#define KP_OFFSET_INIT                                        \
	kp_offset                                             \
	{                                                     \
		sizeof(kp_offset), nullptr, 0, 0, -1, nullptr \
	}
#else
#define KP_TXN_ERROR_INIT ((kp_txn_error){sizeof(kp_txn_error), 0, 0, KP_TXN_NEXT_NOTHING, KP_TXN_NONE, 0, {0}})
#define KP_GROUP_METADATA_INIT ((kp_group_metadata){sizeof(kp_group_metadata), NULL, -1, NULL, NULL})
#define KP_OFFSET_INIT ((kp_offset){sizeof(kp_offset), NULL, 0, 0, -1, NULL})
#endif

/*
 * In all of them err may be NULL; its struct_size is set by the caller. A call that timed out (KP_ERR_TIMED_OUT) goes on in the background;
 * the same call takes it up again, any other is refused with KP_ERR_BAD_STATE until its result was taken.
 */

/* Once, before the first begin: gets the id, aborts what an earlier producer left open, and fences that one. */
KP_API int kp_init_transactions(kp_producer *p, int timeout_ms, kp_txn_error *err);
/* Sends nothing. A transaction in which nothing is sent costs no request. */
KP_API int kp_begin_transaction(kp_producer *p, kp_txn_error *err);
/*
 * The n offsets are committed for the group with the transaction, or not at all. Returns when the group's coordinator has taken them. They
 * are copied. A call that timed out must be resumed with the same group and offsets.
 */
KP_API int kp_send_offsets_to_transaction(kp_producer *p, const kp_group_metadata *group, const kp_offset *offsets, size_t n,
                                          int timeout_ms, kp_txn_error *err);
/*
 * Flushes, and commits if every record of the transaction was persisted and all offsets were taken; else KP_ERR_TRANSACTION_ABORTABLE, with
 * the first failure as the cause. 0: it is committed, whatever happens; consumers that read committed records see all of it as soon as the
 * cluster has written its markers.
 */
KP_API int kp_commit_transaction(kp_producer *p, int timeout_ms, kp_txn_error *err);
/* What was not sent yet ends with KP_ERR_TRANSACTION_ABORTED. 0: nothing of the transaction is visible or will be. */
KP_API int kp_abort_transaction(kp_producer *p, int timeout_ms, kp_txn_error *err);

/* Never waits. */
KP_API kp_txn_state kp_transaction_state(kp_producer *p);
KP_API const char *kp_txn_state_name(kp_txn_state s); /* "open"; any int is allowed. Static. */
KP_API const char *kp_txn_next_name(kp_txn_next n);   /* "abort"; likewise */

#ifdef __cplusplus
}
#endif
#endif
