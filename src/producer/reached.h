/*
 * reached.h - the engine's transitions, counted when the simulator compiles this folder (KP_SIM) and nothing otherwise: a transition that
 * no run reaches is one that no run checks. Names and what they mean stand in one list; the simulator prints it (tests/sim/coverage.c).
 */
#ifndef KP_PRODUCER_REACHED_H
#define KP_PRODUCER_REACHED_H

#include <stdint.h>

#define KP_REACHED_LIST(X)                                                 \
	X(BATCH_OPEN, "batch: open")                                       \
	X(BATCH_SEALED, "batch: sealed")                                   \
	X(BATCH_IN_FLIGHT, "batch: in flight")                             \
	X(BATCH_TO_RESEND, "batch: to be sent again")                      \
	X(BATCH_OPEN_FATE, "batch: of open fate")                          \
	X(BATCH_ACKED_WAITING, "batch: acknowledged, waits for earlier")   \
	X(BATCH_ENDED_IN_FLIGHT, "batch: ended while in flight")           \
	X(BATCH_LATE_ANSWER, "batch: late answer after its end")           \
	X(BATCH_STAMPED_ANEW, "batch: stamped anew")                       \
	X(BATCH_SPLIT, "batch: too large, split")                          \
	X(BATCH_EXPELLED, "batch: without the records to blame")           \
	X(BATCH_SEQUENCE_BACK, "batch: gave its sequence back")            \
	X(PARTITION_RECOVERING, "partition: recovering")                   \
	X(PARTITION_EARLIER_OPEN, "partition: refused behind an open one") \
	X(PARTITION_WINDOW_FULL, "partition: waits for the first of five") \
	X(PARTITION_DRAINING, "partition: draining")                       \
	X(PARTITION_GAP_RESOLVED, "partition: gap resolved")               \
	X(PARTITION_HALTED, "partition: halted")                           \
	X(PARTITION_HALT_OVER, "partition: took records again")            \
	X(PARTITION_LEADER_MOVED, "partition: leader moved")               \
	X(PARTITION_LEADER_LOST, "partition: leader lost")                 \
	X(PARTITION_LEADER_FOUND, "partition: leader found")               \
	X(PARTITION_LEADER_HINTED, "partition: leader named in an answer") \
	X(BROKER_CONNECTING, "broker: connecting")                         \
	X(BROKER_NEGOTIATING, "broker: negotiating")                       \
	X(BROKER_READY, "broker: ready")                                   \
	X(BROKER_THROTTLED, "broker: throttled")                           \
	X(BROKER_BACKING_OFF, "broker: backing off")                       \
	X(ID_ASKED, "producer id: asked for")                              \
	X(ID_REFUSED, "producer id: refused")                              \
	X(ID_KNOWN, "producer id: known")                                  \
	X(ID_BANNED, "producer id: banned")                                \
	X(ID_USED_UP, "producer id: epochs used up")                       \
	X(METADATA_ASKED, "metadata: asked for")                           \
	X(METADATA_FAILED, "metadata: failed")                             \
	X(METADATA_REBOOTSTRAP, "metadata: re-bootstrap")                  \
	X(TXN_INIT, "transaction: id asked for")                           \
	X(TXN_READY, "transaction: id known")                              \
	X(TXN_BEGUN, "transaction: begun")                                 \
	X(TXN_ADDED, "transaction: partitions added (classic)")            \
	X(TXN_GROUP_ADDED, "transaction: group added (classic)")           \
	X(TXN_OFFSETS, "transaction: offsets taken")                       \
	X(TXN_EMPTY, "transaction: ended without a request")               \
	X(TXN_COMMITTED, "transaction: committed")                         \
	X(TXN_COMMIT_AGAIN, "transaction: EndTxn(commit) sent again")      \
	X(TXN_ABORTED, "transaction: aborted")                             \
	X(TXN_FAILED, "transaction: failed, must be aborted")              \
	X(TXN_NEW_EPOCH, "transaction: next epoch asked for")              \
	X(TXN_CONCURRENT, "transaction: waits for the last one's end")     \
	X(TXN_FENCED, "transaction: fenced")                               \
	X(TXN_COORDINATOR_FOUND, "coordinator: found")                     \
	X(TXN_COORDINATOR_UNKNOWN, "coordinator: not known yet")           \
	X(TXN_COORDINATOR_LOST, "coordinator: lost")

typedef enum kp_reached_name {
#define X(name, text) KP_REACHED_##name,
	KP_REACHED_LIST(X)
#undef X
		KP_N_REACHED
} kp_reached_name;

#ifdef KP_SIM
#define KP_REACHED_CODES 135 /* Kafka's error codes, -1 .. 133: code c has index c + 1 */
typedef struct kp_reached_counts {
	uint64_t names[KP_N_REACHED];
	uint64_t ends[3][5]; /* by outcome and stage */
	uint64_t produce_codes[KP_REACHED_CODES], metadata_codes[KP_REACHED_CODES], txn_codes[KP_REACHED_CODES];
} kp_reached_counts;
extern kp_reached_counts kp_reached; /* one thread */

static inline void kp_reached_code(uint64_t *codes, int code)
{
	if (code >= -1 && code + 1 < KP_REACHED_CODES)
		codes[code + 1]++;
}
#define KP_REACHED(name) (kp_reached.names[KP_REACHED_##name]++)
#define KP_REACHED_END(outcome, stage) (kp_reached.ends[outcome][stage]++)
#define KP_REACHED_CODE(what, code) kp_reached_code(kp_reached.what##_codes, code)
#else
#define KP_REACHED(name) ((void)0)
#define KP_REACHED_END(outcome, stage) ((void)0)
#define KP_REACHED_CODE(what, code) ((void)0)
#endif

#endif
