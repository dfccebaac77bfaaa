/*
 * fault_act.c - actions of a fault script on the core's cluster. See faults.h.
 */
#include <inttypes.h>
#include <stdio.h>

#include "devbroker/faults.h"
#include "devbroker/internal.h"
#include "kproducer/error.h"

/* The next node behind this one that is up; itself when there is no other. */
static int32_t next_node(const kp_db *db, int32_t node)
{
	for (int32_t i = 1; i <= KP_DB_MAX_NODES; i++) {
		int32_t next = (node + i - 1) % KP_DB_MAX_NODES + 1;
		if (kp_db_node_is_up(db, next))
			return next;
	}
	return node;
}

static int act_on_partition(kp_db *db, const kp_fault_action *a, int32_t partition)
{
	kp_db_partition_info info;
	int err = kp_db_partition_get(db, a->topic, partition, &info);
	if (err)
		return err;
	int64_t end = a->is_relative ? info.end_offset - a->n : a->n;
	switch (a->kind) {
	case KP_FAULT_LEADER:
		return kp_db_set_leader(db, a->topic, partition,
		                        a->node == KP_FAULT_NEXT_NODE ? next_node(db, info.leader) : a->node);
	case KP_FAULT_CUT: return kp_db_truncate(db, a->topic, partition, end > info.start_offset ? end : info.start_offset);
	default: return kp_db_forget_producers(db, a->topic, partition, -1);
	}
}

static int act_on_partitions(kp_db *db, const kp_fault_action *a, char *why, size_t why_size)
{
	int32_t n = kp_db_n_partitions(db, a->topic);
	int32_t first = a->partition == KP_FAULT_ALL_PARTITIONS ? 0 : a->partition;
	int32_t last = a->partition == KP_FAULT_ALL_PARTITIONS ? n - 1 : a->partition;
	if (n == 0 || first >= n) {
		if (n)
			snprintf(why, why_size, "topic %s has no partition %" PRId32, a->topic, first);
		else
			snprintf(why, why_size, "there is no topic %s", a->topic);
		return KP_ERR_UNKNOWN_TOPIC_OR_PARTITION;
	}
	for (int32_t i = first; i <= last; i++) {
		int err = act_on_partition(db, a, i);
		if (err) {
			snprintf(why, why_size, "%s/%" PRId32 ": %s", a->topic, i, kp_error_text(err));
			return err;
		}
	}
	return 0;
}

static int act_on_coordinator(kp_db *db, const kp_fault_action *a)
{
	int32_t node = a->node;
	if (node == KP_FAULT_BY_HASH)
		node = KP_DB_COORDINATOR_BY_HASH;
	else if (node == KP_FAULT_NEXT_NODE)
		node = next_node(db, kp_db_coordinator(db, a->key_type, a->key));
	return kp_db_set_coordinator(db, a->key_type, a->key, node);
}

static int expire(kp_db *db, const kp_fault_action *a, char *why, size_t why_size)
{
	int err = kp_db_expire_txn(db, a->key, db->now_us);
	if (err == KP_ERR_BAD_ARGUMENT)
		snprintf(why, why_size, "'%s' has no open transaction", a->key);
	else if (err)
		snprintf(why, why_size, "'%s': %s", a->key, kp_error_text(err));
	return err;
}

int kp_fault_act(kp_db *db, const kp_fault_action *a, char *why, size_t why_size)
{
	int err = 0;
	switch (a->kind) {
	case KP_FAULT_LEADER:
	case KP_FAULT_CUT:
	case KP_FAULT_FORGET: return act_on_partitions(db, a, why, why_size);
	case KP_FAULT_REPLICATION: kp_db_set_hw_delay_us(db, a->min_us); return 0;
	case KP_FAULT_MARKERS: kp_db_set_marker_delay_us(db, a->min_us); return 0;
	case KP_FAULT_EXPIRE: return expire(db, a, why, why_size);
	case KP_FAULT_COORDINATOR:
		err = act_on_coordinator(db, a);
		if (err)
			snprintf(why, why_size, "coordinator of '%s': %s", a->key, kp_error_text(err));
		return err;
	case KP_FAULT_NODE_DOWN:
	case KP_FAULT_NODE_UP:
		if (kp_db_node_is_up(db, a->node) != (a->kind == KP_FAULT_NODE_UP))
			err = kp_db_node_set_up(db, a->node, a->kind == KP_FAULT_NODE_UP);
		break;
	default: break;
	}
	if (err)
		snprintf(why, why_size, "node %" PRId32 ": %s", a->node, kp_error_text(err));
	return err;
}
