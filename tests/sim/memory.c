/*
 * memory.c - which allocations of the engine fail: the k-th and some after it, or a seeded share, until the network is calm.
 */
#define SIM_MEMORY_IMPLEMENTATION
#include "tests/sim/memory.h"

#include <stdlib.h>

#include "base/mem.h"

static struct {
	const sim_world *w; /* NULL: no run, or one without failures */
	kp_random random;
	bool is_in_engine, has_failed;
	uint64_t n_allocations; /* of the engine in this run */
	uint64_t n_failures, n_runs;
} state;

static bool must_fail(void)
{
	if (!state.w || !state.is_in_engine || state.w->is_calm)
		return false;
	const sim_plan *p = &state.w->plan;
	uint64_t n = ++state.n_allocations;
	bool is_hit = p->alloc_percent ? sim_chance(&state.random, p->alloc_percent)
	                               : n >= p->alloc_first && n < p->alloc_first + p->alloc_row;
	if (!is_hit)
		return false;
	state.n_runs += !state.has_failed;
	state.has_failed = true;
	state.n_failures++;
	SIM_TRACE(state.w, "FAULT the engine's allocation %llu fails", (unsigned long long)n);
	return true;
}

static void *maybe_realloc(void *ptr, size_t size, void *opaque)
{
	(void)opaque;
	return must_fail() ? NULL : realloc(ptr, size);
}

static void plain_free(void *ptr, void *opaque)
{
	(void)opaque;
	free(ptr);
}

void sim_memory_init(void)
{
	kp_mem_set_allocator(&(kp_allocator){maybe_realloc, plain_free, NULL});
}

void sim_memory_plan(sim_plan *p, kp_random *r)
{
	p->alloc_percent = sim_chance(r, 50) ? (int)sim_spread(r, 1, 60) : 0;
	p->alloc_first = (uint64_t)sim_spread(r, 1, 2000);
	p->alloc_row = (uint64_t)sim_spread(r, 1, 50);
	p->has_alloc_failures = true;
}

void sim_memory_begin(const sim_world *w)
{
	state.w = w->plan.has_alloc_failures ? w : NULL;
	state.is_in_engine = state.has_failed = false;
	state.n_allocations = 0;
	kp_random_init(&state.random, w->plan.seed ^ 0x6d656d);
}

void sim_memory_end(void)
{
	state.w = NULL;
}

bool sim_memory_has_failed(void)
{
	return state.has_failed;
}

uint64_t sim_memory_failures(void)
{
	return state.n_failures;
}

uint64_t sim_memory_runs(void)
{
	return state.n_runs;
}

bool sim_memory_pause(void)
{
	bool was_on = state.is_in_engine;
	state.is_in_engine = false;
	return was_on;
}

void sim_memory_resume(bool was_on)
{
	state.is_in_engine = was_on;
}

/* ------------------------------------------------------------------ calls into the engine */

int64_t sim_engine_step(kp_engine *e, int64_t now_us)
{
	state.is_in_engine = true;
	int64_t next_us = kp_engine_step(e, now_us);
	state.is_in_engine = false;
	return next_us;
}

void sim_engine_on_open(kp_engine *e, uint32_t conn, int64_t now_us)
{
	state.is_in_engine = true;
	kp_engine_on_open(e, conn, now_us);
	state.is_in_engine = false;
}

void sim_engine_on_data(kp_engine *e, uint32_t conn, const uint8_t *ptr, size_t len, int64_t now_us)
{
	state.is_in_engine = true;
	kp_engine_on_data(e, conn, ptr, len, now_us);
	state.is_in_engine = false;
}

void sim_engine_on_close(kp_engine *e, uint32_t conn, int err, const char *text, int64_t now_us)
{
	state.is_in_engine = true;
	kp_engine_on_close(e, conn, err, text, now_us);
	state.is_in_engine = false;
}

void sim_engine_written(kp_engine *e, uint32_t conn, size_t n, int64_t now_us)
{
	state.is_in_engine = true;
	kp_engine_written(e, conn, n, now_us);
	state.is_in_engine = false;
}

int sim_engine_append(kp_topic *t, const kp_append_args *a)
{
	state.is_in_engine = true;
	int err = kp_engine_append(t, a);
	state.is_in_engine = false;
	return err;
}

/* An application that needs a topic asks again until it has it. */
kp_topic *sim_engine_topic(kp_engine *e, const char *name)
{
	state.is_in_engine = true;
	kp_topic *t = kp_engine_topic(e, name);
	state.is_in_engine = false;
	return t ? t : kp_engine_topic(e, name);
}

uint64_t sim_engine_flush_begin(kp_engine *e, int64_t now_us)
{
	state.is_in_engine = true;
	uint64_t serial = kp_engine_flush_begin(e, now_us);
	state.is_in_engine = false;
	return serial;
}

void sim_engine_purge(kp_engine *e, int what, int error, int64_t now_us)
{
	state.is_in_engine = true;
	kp_engine_purge(e, what, error, now_us);
	state.is_in_engine = false;
}

bool sim_engine_drop_oldest(kp_engine *e, int64_t now_us)
{
	state.is_in_engine = true;
	bool is_dropped = kp_engine_drop_oldest(e, now_us);
	state.is_in_engine = false;
	return is_dropped;
}

void sim_engine_end_all(kp_engine *e, int error, int64_t now_us)
{
	state.is_in_engine = true;
	kp_engine_end_all(e, error, now_us);
	state.is_in_engine = false;
}
