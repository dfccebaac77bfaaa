/*
 * calls.c - the client's own requests (admin, metadata): each ends exactly once, by its deadline, whatever becomes of connections.
 */
#include <kproducer/error.h>

#include <stdlib.h>

#include "tests/sim/memory.h"
#include "wire/messages.h"
#include "wire/msg_metadata.h"
#include "wire/reader.h"

#define LATE_US (50 * SIM_MS)

typedef struct sim_call {
	kp_list link; /* in the world's list of calls; kept in the list of ended ones, so that a second end is seen */
	kp_call call;
	sim_world *w;
	bool is_over;
	int n_again; /* how often it asks to be tried again although it has its answer */
} sim_call;

static const void *build(kp_call *call, int version, kp_arena *arena)
{
	(void)call;
	(void)version;
	kp_metadata_request *body = kp_arena_alloc(arena, sizeof(*body));
	if (!body)
		return NULL;
	kp_wire_init(&kp_metadata_request_schema, body, 1);
	body->topics.items = kp_arena_alloc(arena, sizeof(*body->topics.items));
	body->topics.n = 0; /* nodes only */
	return body;
}

static void check_answer(sim_world *w, int version, kp_slice bytes)
{
	kp_arena arena;
	kp_metadata_response a;
	kp_arena_init(&arena, 1u << 20);
	if (kp_wire_read(&kp_metadata_response_message, version, bytes, &arena, &a, NULL))
		sim_fail(w, "call", "an answer that cannot be read");
	kp_arena_deinit(&arena);
}

static bool done(kp_call *call, int error, const char *text, int version, kp_slice bytes)
{
	sim_call *c = call->opaque;
	sim_world *w = c->w;
	(void)text;
	if (c->is_over) {
		sim_fail(w, "call", "a call ends a second time");
		return false;
	}
	if (error == 0) {
		bool was_on = sim_memory_pause();
		check_answer(w, version, bytes);
		sim_memory_resume(was_on);
	}
	if (w->now_us > call->deadline_us + LATE_US)
		sim_fail(w, "I7", "a call ends %lld ms after its deadline", (long long)(w->now_us - call->deadline_us) / 1000);
	if (error == 0 && c->n_again-- > 0)
		return true;
	SIM_TRACE(w, "call ended: %s", kp_error_name(error));
	c->is_over = true;
	kp_list_remove(&c->link);
	kp_list_push_back(&w->me->ended_calls, &c->link);
	w->totals->calls_failed += error != 0;
	return false;
}

void sim_call_begin(sim_world *w)
{
	sim_call *c = sim_alloc(NULL, sizeof(*c));
	*c = (sim_call){.w = w, .n_again = sim_chance(&w->application, 10)};
	c->call = (kp_call){.api_key = KP_API_METADATA,
	                    .max_version = 13,
	                    .min_version = 1,
	                    .to_controller = sim_chance(&w->application, 50),
	                    .deadline_us = w->now_us + sim_spread(&w->application, 1, 5 * SIM_SECOND),
	                    .build = build,
	                    .done = done,
	                    .opaque = c};
	kp_list_init(&c->link);
	kp_list_push_back(&w->me->calls, &c->link);
	SIM_TRACE(w, "call begins, until %.3f ms", (double)c->call.deadline_us / 1000);
	kp_engine_call(w->me->engine, &c->call);
	w->me->is_woken = true;
	w->totals->calls++;
}

void sim_calls_free(sim_world *w)
{
	kp_list *n;
	while ((n = kp_list_pop_front(&w->me->ended_calls)))
		free(KP_CONTAINER_OF(n, sim_call, link));
}
