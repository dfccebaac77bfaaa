/*
 * fault_script.h - the text of a fault script, and the rules that it becomes. The language is described in docs/fault-script.md.
 *
 *   on produce topic=orders partition=0 first=3: error NOT_LEADER_OR_FOLLOWER        what happens to a request
 *   at 5s every 10s: leader orders/0 = next                                          what happens to the cluster
 *
 * Pure: text goes in, rules or errors with their line and column come out.
 */
#ifndef KP_DEVBROKER_FAULT_SCRIPT_H
#define KP_DEVBROKER_FAULT_SCRIPT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/list.h"
#include "base/slice.h"
#include "base/time.h"

#define KP_FAULT_RULES_MAX 1000 /* of a broker */
#define KP_FAULT_TEXT_MAX ((size_t)1 << 20)

typedef enum kp_fault_kind {
	/* of a request */
	KP_FAULT_DELAY,
	KP_FAULT_THROTTLE,
	KP_FAULT_ERROR,
	KP_FAULT_DROP,
	KP_FAULT_PARTIAL,
	KP_FAULT_DRIP,
	/* of the cluster */
	KP_FAULT_LEADER,
	KP_FAULT_CUT,
	KP_FAULT_FORGET,
	KP_FAULT_REPLICATION,
	KP_FAULT_COORDINATOR,
	KP_FAULT_MARKERS,
	KP_FAULT_EXPIRE,
	KP_FAULT_NODE_DOWN,
	KP_FAULT_NODE_UP,
	KP_FAULT_NODE_STUCK,
	KP_FAULT_NODE_DISCONNECT
} kp_fault_kind;

static inline bool kp_fault_is_of_request(kp_fault_kind kind)
{
	return kind < KP_FAULT_LEADER;
}

#define KP_FAULT_NEXT_NODE (-1)
#define KP_FAULT_BY_HASH (-2)
#define KP_FAULT_ALL_PARTITIONS (-1)

typedef struct kp_fault_action {
	kp_fault_kind kind;
	bool is_before;         /* delay, drop: before the request is carried out */
	bool is_after;          /* error: after the request was carried out */
	bool is_relative;       /* cut: by n records, not to offset n */
	int64_t min_us, max_us; /* delay, throttle, markers; replication: KP_TIME_NEVER when stopped */
	int64_t n;              /* partial, drip, cut */
	int16_t error_code;
	char *topic; /* leader, cut, forget; owned */
	char *key;   /* coordinator, expire: a group or a transactional id; owned */
	int8_t key_type;
	int32_t partition;
	int32_t node; /* the new leader or coordinator (0: none, KP_FAULT_NEXT_NODE, KP_FAULT_BY_HASH), or the node that is meant */
	int64_t for_us; /* node down, stuck: up again after so long; 0: not by itself */
} kp_fault_action;

typedef struct kp_fault_rule {
	kp_list link;
	char *text; /* as it was written, on one line; owned */
	bool is_timed;
	kp_fault_action action;
	/* on: which requests */
	uint64_t apis[2];     /* bit n: the API with key n */
	char *topic, *client; /* patterns with * and ?; NULL: any; owned */
	int32_t partition;    /* -1: any */
	int32_t node;         /* 0: any */
	int64_t first, last;  /* of those, by number from 1; last INT64_MAX: no end */
	int64_t every;        /* 1: each */
	int64_t times;        /* at most; INT64_MAX: no bound. Also of a timed rule */
	double chance;        /* 0 .. 1 */
	bool has_seed;
	uint64_t seed;
	int64_t from_us, until_us; /* since the rule is in force; until_us KP_TIME_NEVER: no end */
	/* at */
	int64_t at_us, every_us; /* every_us 0: once */
} kp_fault_rule;

/*
 * Append the script's rules to `rules` (of kp_fault_rule). Each error is a line of `errors`: "line 3, column 12: expected ...\n", at most
 * 20 of them and one that counts the others. n_nodes: of the cluster, for checks. True when there was no error; otherwise `rules` is as
 * before.
 */
KP_MUST_USE bool kp_fault_script_parse(kp_slice text, int32_t n_nodes, kp_list *rules, kp_buf *errors);
/* One action that has to do with the cluster ("node 2 down for 3s"). Give *out to kp_fault_action_deinit. */
KP_MUST_USE bool kp_fault_action_parse(kp_slice text, int32_t n_nodes, kp_fault_action *out, kp_buf *errors);
void kp_fault_action_deinit(kp_fault_action *a);
void kp_fault_rule_free(kp_fault_rule *r); /* NULL is fine; unlinks it */

#endif
