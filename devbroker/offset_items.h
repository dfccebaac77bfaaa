/*
 * offset_items.h - the partitions that an OffsetCommit or TxnOffsetCommit names, in one form, and what both do with them.
 *
 * Kafka answers first those that are refused by the node that was asked (no such partition), then those that the group's coordinator has
 * looked at: is_refused tells them apart.
 */
#ifndef KP_DEVBROKER_OFFSET_ITEMS_H
#define KP_DEVBROKER_OFFSET_ITEMS_H

#include "devbroker/group_offsets.h"

typedef struct kp_db_offset_item {
	kp_slice topic_name;
	kp_db_partition *partition; /* NULL: there is none */
	int32_t topic, index;       /* its place in the request's topics; as it is named */
	bool is_refused;
	int16_t code;
	kp_db_offset_value value;
} kp_db_offset_item;

typedef struct kp_db_offset_items {
	kp_db_ctx *ctx;
	kp_db_offset_item *all;
	size_t n, n_open; /* open: not refused */
} kp_db_offset_items;

/* Room for n. 0 or KP_ERR_NO_MEMORY. */
KP_MUST_USE int kp_db_offset_items_init(kp_db_offset_items *l, kp_db_ctx *ctx, size_t n);
/* One more, of this topic (NULL: there is none, `unknown` is the code). */
void kp_db_offset_item_add(kp_db_offset_items *l, const kp_db_topic *topic, const kp_db_offset_item *item, int16_t unknown);
/* The code to all that are open. */
void kp_db_offset_items_fail(kp_db_offset_items *l, int16_t code);
/* Commit those that are open; or, in a transaction, let them wait for its end. The code to all of them is 0 or that returned. */
int16_t kp_db_offset_items_commit(kp_db_offset_items *l, kp_db_group *g, kp_db_txn *t);

#endif
