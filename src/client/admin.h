/*
 * admin.h - a request to the cluster that an application thread waits for: a job that carries an engine's call.
 */
#ifndef KP_CLIENT_ADMIN_H
#define KP_CLIENT_ADMIN_H

#include "client/producer_impl.h"
#include "wire/messages.h"

#define KP_ADMIN_TEXT 512

typedef struct kp_admin {
	int16_t api_key;
	int min_version, max_version;
	bool to_controller;
	/* Fill the request for `version`; NULL when memory is out. Loop. */
	const void *(*build)(const void *request, int version, int32_t timeout_ms, kp_arena *arena);
	/* Take the decoded answer: its error, and words for it in text. Loop, or the waiter: never both. */
	int (*take)(void *result, const void *answer, int version, char *text);
	const void *request; /* copied by the caller into memory that lasts: see kp_admin_run */
	size_t request_size;
	size_t result_size; /* bytes of *result */
} kp_admin;

/*
 * Run it and wait. `result` is written when the answer came (whatever its error). request (request_size bytes, no pointers to the
 * caller's stack) is copied, since the loop may still hold it when the wait is over. free_result, if not NULL, frees what a result that
 * came too late holds.
 */
int kp_admin_run(kp_producer *p, const kp_admin *a, void *result, void (*free_result)(void *result), int timeout_ms, char *err,
                 size_t err_size);

#endif
