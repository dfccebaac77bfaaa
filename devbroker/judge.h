/*
 * judge.h - who decides what goes wrong with a request: the seam between the core and a fault script (faults.h).
 *
 *   frame ─▶ decoded ─▶ arrived() ─▶ [ wait ] ─▶ decide() ─▶ handler, error_for() for each topic and partition
 *                                                                  └─▶ answer ─▶ [ delay ] ─▶ [ drip ] ─▶ [ throttle: mute ]
 *
 * Each request is shown to arrived() once, when it came in, and to decide() once, when it is about to be carried out. A connection has one
 * request under way, so while a request waits or its answer is late, what comes behind it waits too. Everything happens in
 * kp_db_request and kp_db_step; nothing reads a clock.
 */
#ifndef KP_DEVBROKER_JUDGE_H
#define KP_DEVBROKER_JUDGE_H

#include "devbroker/core.h"

/* A decoded request. Valid during the call. */
typedef struct kp_db_asked {
	const kp_db *db;
	int64_t now_us;
	uint64_t conn;
	int32_t node;
	int16_t api_key, api_version;
	kp_slice client_id; /* may be null */
	const void *request;
} kp_db_asked;

/* The kinds of place that a request of an API may name. */
typedef enum kp_db_places { KP_DB_NO_PLACE, KP_DB_TOPICS, KP_DB_PARTITIONS } kp_db_places;
kp_db_places kp_db_places_of(int16_t api_key);

/* True to stop. topic is null where it was named by an id that nobody has, partition is -1 where only a topic is named. */
typedef bool kp_db_visit(void *opaque, kp_slice topic, int32_t partition);
/* Every place that the request names, until one is enough; whether one was. Metadata of all topics names each of them. */
bool kp_db_asked_any(const kp_db_asked *q, kp_db_visit *visit, void *opaque);

/* What happens to a request. All zero: nothing. */
typedef struct kp_db_fate {
	int64_t delay_us;       /* the answer leaves so much later */
	int64_t drip_bytes_s;   /* bytes of the answer a second; 0: at once */
	int32_t throttle_ms;    /* told in the answer; the connection is mute that long behind it */
	int32_t partial_bytes;  /* only so many bytes of the answer, then close; 0: all */
	bool is_dropped_before; /* close instead of carrying it out */
	bool is_dropped_after;  /* close instead of answering */
	bool has_errors;        /* ask error_for */
	bool is_set;            /* any of them */
} kp_db_fate;

typedef struct kp_db_judge {
	void *opaque;
	int64_t (*arrived)(void *opaque, const kp_db_asked *q); /* microseconds to wait before it is carried out */
	void (*decide)(void *opaque, const kp_db_asked *q, kp_db_fate *fate);
	/* During the request that decide() gave errors: the code for this place, or 0. is_after: to answer with once it is appended. */
	int16_t (*error_for)(void *opaque, kp_slice topic, int32_t partition, bool is_after);
} kp_db_judge;

/* Copied. NULL: nobody judges. */
void kp_db_set_judge(kp_db *db, const kp_db_judge *judge);

#endif
