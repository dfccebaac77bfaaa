/*
 * coordinator.h - which node coordinates a group or a transactional id. All nodes share one state, so a move loses nothing.
 */
#ifndef KP_DEVBROKER_COORDINATOR_H
#define KP_DEVBROKER_COORDINATOR_H

#include "devbroker/topics.h"

typedef struct kp_db_coordinators {
	kp_map given;  /* keys that do not go by their hash */
	int32_t epoch; /* what markers carry: rises with every move, whoever moved */
} kp_db_coordinators;

void kp_db_coordinators_init(kp_db_coordinators *k);
void kp_db_coordinators_deinit(kp_db_coordinators *k);
/* The node, or 0: nobody. */
int32_t kp_db_coordinator_of(const kp_db_coordinators *k, const kp_db_cluster *c, int8_t key_type, kp_slice key);
/* Node 0: nobody; KP_DB_COORDINATOR_BY_HASH. 0 or KP_ERR_NO_MEMORY. */
KP_MUST_USE int kp_db_coordinator_give(kp_db_coordinators *k, int8_t key_type, kp_slice key, int32_t node);

#endif
