/*
 * coordinator.h - which broker coordinates a transactional id or a group: asked for when it is needed, forgotten when it does not serve.
 * Loop thread.
 */
#ifndef KP_PRODUCER_COORDINATOR_H
#define KP_PRODUCER_COORDINATOR_H

#include "producer/engine.h"

#define KP_COORDINATES_GROUP 0 /* FindCoordinator's KeyType */
#define KP_COORDINATES_TRANSACTION 1

typedef struct kp_coordinator {
	struct kp_engine *engine;
	int8_t type;
	const char *key;            /* the owner's, as long as it is asked for */
	int32_t node;               /* -1: not known */
	int failures_seen;          /* of the node to connect, when it was named */
	bool is_asking, is_renamed; /* renamed since: the answer under way speaks of another */
	int n_lost;                 /* in a row; 0 once it has answered */
	int64_t not_before_us;      /* it is not asked for again */
	int error;                  /* why it could not be found, told to the call that waits; 0: none */
	kp_call find;
} kp_coordinator;

void kp_coordinator_init(kp_coordinator *c, struct kp_engine *e, int8_t type, const char *key);
/* From now on that of another key. */
void kp_coordinator_rename(kp_coordinator *c, const char *key);
/* The broker to send to, ready; NULL: wait, or c->error is set. */
struct kp_broker *kp_coordinator_broker(kp_coordinator *c, int64_t now_us);
/* It said that it is not the one, or the connection broke: it is asked for anew. */
void kp_coordinator_lost(kp_coordinator *c, int64_t now_us);

#endif
