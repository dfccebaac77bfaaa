/*
 * workload.c - the application: bursts of records, waiting for room, flush, purge.
 */
#include <kproducer/error.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "producer/topic.h"
#include "tests/sim/memory.h"
#include "tests/sim/txn.h"
#include "tests/sim/watch.h"

#define OLD_TIMESTAMP_MS 1000 /* farther from the others than a batch can hold */
#define FUTURE_MS 7200000     /* ahead of the broker's clock: twice what it takes */

/* ------------------------------------------------------------------ content */

static void make_key(const sim_world *w, kp_random *r, sim_content *out)
{
	if (!sim_chance(r, w->plan.percent_keyed))
		return;
	uint32_t k = kp_random_below(r, (uint32_t)w->plan.n_keys);
	int n = k == 0 ? 0 : snprintf((char *)out->key, sizeof(out->key), "key-%u", k);
	out->content.key = kp_slice_of(out->key, (size_t)n);
}

static void make_headers(const sim_world *w, kp_random *r, sim_content *out)
{
	out->content.headers = out->headers;
	out->content.n_headers = w->plan.max_headers ? (size_t)kp_random_below(r, (uint32_t)w->plan.max_headers + 1) : 0;
	for (size_t i = 0; i < out->content.n_headers; i++) {
		out->headers[i].name = kp_slice_of("header", 1 + kp_random_below(r, 6));
		out->headers[i].value = sim_chance(r, 20) ? kp_slice_null()
		                                          : kp_slice_of("a header's value", kp_random_below(r, 16));
	}
}

/* The record's number, then text that is cheap to make and that compresses like text. */
static void fill_value(uint8_t *value, size_t size, uint32_t index)
{
	static const char text[] =
		"2026-01-01T00:00:00.000Z INFO request served in 17 ms, status=200 path=/index.html client=10.1.2.3; ";
	const size_t n_text = sizeof(text) - 1;
	uint8_t number[4];
	kp_store_be32(number, index);
	memcpy(value, number, size < 4 ? size : 4);
	for (size_t at = 4, skip = index % n_text, n; at < size; at += n, skip = 0) {
		n = n_text - skip < size - at ? n_text - skip : size - at;
		memcpy(value + at, text + skip, n);
	}
}

void sim_content_make(sim_world *w, uint32_t index, sim_content *out)
{
	const sim_plan *p = &w->plan;
	kp_random r;
	kp_random_init(&r, p->seed ^ (uint64_t)(index + 1) << 32);
	*out = (sim_content){.partition = KP_PARTITION_ANY};
	bool is_epilogue = index >= p->n_records;
	out->topic = (uint8_t)(is_epilogue ? (index - p->n_records) / SIM_EPILOGUE_RECORDS % (uint32_t)p->n_topics
	                                   : kp_random_below(&r, (uint32_t)p->n_topics));
	const sim_topic_plan *t = &p->topics[out->topic];
	if (sim_chance(&r, p->percent_explicit))
		out->partition = (int32_t)sim_range(&r, 0, t->n_partitions - 1);
	if (!is_epilogue && sim_chance(&r, p->percent_unknown_partition))
		out->partition = t->grown_to + (int32_t)sim_range(&r, 10, 100);
	make_key(w, &r, out);
	make_headers(w, &r, out);
	out->is_old = sim_chance(&r, p->percent_old_timestamp);
	out->is_future = !is_epilogue && !out->is_old && sim_chance(&r, p->percent_future);
	size_t size = (size_t)sim_range(&r, p->value_min, p->value_max);
	if (!is_epilogue && sim_chance(&r, p->percent_oversize)) /* about the limit, some below it */
		size = (size_t)p->config.max_request_size - 250 + kp_random_below(&r, 250);
	if (!w->value)
		w->value = sim_alloc(NULL, (size_t)(p->value_max > (uint32_t)p->config.max_request_size
		                                            ? p->value_max
		                                            : (uint32_t)p->config.max_request_size));
	fill_value(w->value, size, index);
	out->content.value = kp_slice_of(w->value, size);
}

/* ------------------------------------------------------------------ appending */

static kp_topic *topic(sim_world *w, uint8_t i)
{
	if (!w->me->topics[i])
		w->me->topics[i] = kp_engine_topic(w->me->engine, w->plan.topics[i].name);
	if (!w->me->topics[i])
		sim_alloc(NULL, SIZE_MAX);
	return w->me->topics[i];
}

static void accepted(sim_world *w, uint32_t index, const sim_content *c, const kp_append_args *a)
{
	sim_record *r = &w->records[index];
	*r = (sim_record){.topic = c->topic,
	                  .client = (uint8_t)w->me->index,
	                  .is_accepted = true,
	                  .is_tracked = a->is_group || w->plan.config.reports != KP_REPORTS_NONE,
	                  .is_after_calm = index >= w->plan.n_records,
	                  .is_future = c->is_future,
	                  .partition = c->partition,
	                  .accepted_us = w->now_us,
	                  .timestamp_ms = a->timestamp_ms};
	w->me->n_accepted++;
	w->me->n_tracked += r->is_tracked;
	if (w->me->actor)
		sim_txn_accepted(w, index);
	SIM_TRACE(w, "append #%u %s partition %d, %zu bytes", index, w->plan.topics[c->topic].name, c->partition,
	          c->content.value.len);
}

/* A refusal must have its reason. */
static void check_refusal(sim_world *w, uint32_t index, const sim_content *c, const kp_append_args *a, int err)
{
	bool is_large = kp_engine_record_size(a) > kp_engine_max_record_size(&w->plan.config);
	bool is_unknown = c->partition >= w->plan.topics[c->topic].n_partitions;
	if (is_large != (err == KP_ERR_RECORD_TOO_LARGE))
		sim_fail(w, "append", "record #%u of %zu bytes: error %d", index, kp_engine_record_size(a), err);
	if (err == KP_ERR_NO_MEMORY && sim_memory_has_failed())
		return;
	if (err && w->me->actor && sim_actor_refuses(w, err))
		return;
	if (err == KP_ERR_PARTITION_HALTED && sim_watch_is_halted(w, c->topic, c->partition))
		return;
	if (err && err != KP_ERR_RECORD_TOO_LARGE && err != KP_ERR_WOULD_BLOCK && !(err == KP_ERR_UNKNOWN_PARTITION && is_unknown))
		sim_fail(w, "append", "record #%u: error %d", index, err);
}

/* Offer record `index`. KP_ERR_WOULD_BLOCK: wait for room; otherwise it is accepted or refused for good. */
int sim_offer(sim_world *w, uint32_t index)
{
	sim_content c;
	sim_content_make(w, index, &c);
	kp_append_args a = {.content = c.content,
	                    .timestamp_ms = c.is_old ? OLD_TIMESTAMP_MS
	                                             : SIM_WALL_MS_AT_ZERO + w->now_us / 1000 + (c.is_future ? FUTURE_MS : 0),
	                    .partition = c.partition,
	                    .is_group = w->plan.config.reports == KP_REPORTS_NONE && index % 5 == 0,
	                    .opaque = (void *)(uintptr_t)(index + 1)};
	w->me->room_generation = kp_engine_room_generation(w->me->engine);
	int err = kp_engine_append(topic(w, c.topic), &a);
	check_refusal(w, index, &c, &a, err);
	if (err == 0)
		accepted(w, index, &c, &a);
	else
		SIM_TRACE(w, "append #%u refused: %s", index, kp_error_name(err));
	return err;
}

static void wait_for_room(sim_world *w)
{
	w->me->is_blocked = true;
	w->me->blocked_until_us = w->now_us + w->plan.max_block_us;
	w->totals->blocked++;
	kp_engine_wants_room(w->me->engine, 1);
	sim_at(w, w->me->blocked_until_us, SIM_EV_APPLICATION, NULL, 0, 0);
}

static void have_room(sim_world *w)
{
	w->me->is_blocked = false;
	kp_engine_wants_room(w->me->engine, -1);
}

/* The next record. False: no more for now; it waits for room, or was refused for want of it. */
static bool append_next(sim_world *w)
{
	int err = sim_offer(w, w->n_records);
	if (err == KP_ERR_WOULD_BLOCK && w->plan.config.full_policy != KP_FULL_REFUSE) {
		if (w->plan.config.full_policy == KP_FULL_DROP_OLDEST && kp_engine_drop_oldest(w->me->engine, w->now_us))
			w->me->is_woken = true;
		if (!w->me->is_blocked)
			wait_for_room(w);
		return false;
	}
	if (err) {
		w->records[w->n_records] = (sim_record){0};
		w->totals->refused++;
	}
	w->n_records++;
	return err != KP_ERR_WOULD_BLOCK;
}

/* ------------------------------------------------------------------ steps */

static bool has_pending(const sim_world *w)
{
	for (int32_t t = 0; t < w->plan.n_topics; t++)
		if (w->me->topics[t] && kp_topic_n_partitions(w->me->topics[t]) == 0)
			return true;
	return false;
}

void sim_flush_begin(sim_world *w)
{
	SIM_TRACE(w, "flush, %u records offered", w->n_records);
	w->me->is_flushing = true;
	w->me->flush_upto = w->n_records;
	w->me->flush_serial = kp_engine_flush_begin(w->me->engine, w->now_us);
	/*
	 * Once each topic has its partitions all that it waits for is there. Else what waits for metadata has to move first, up to its
	 * deadline, and batches that came until then are waited for, too (flush_extended_to): they have theirs at most as much later.
	 */
	w->me->flush_until_us = w->now_us + (has_pending(w) ? 2 : 1) * w->plan.config.delivery_timeout_us;
	sim_at(w, w->me->flush_until_us + SIM_SECOND, SIM_EV_NONE, NULL, 0, 0);
	w->me->is_woken = true;
}

static void end_flush(sim_world *w)
{
	SIM_TRACE(w, "flushed");
	for (uint32_t i = 0; i < w->me->flush_upto; i++)
		if (w->records[i].client == w->me->index && w->records[i].is_tracked && w->records[i].n_reports == 0)
			sim_fail(w, "flush", "record #%u was accepted before the flush and has not ended", i);
	w->me->is_flushing = false;
	kp_engine_flush_end(w->me->engine);
	if (w->plan.flush_blocks && !w->me->actor)
		sim_at(w, w->now_us, SIM_EV_APPLICATION, NULL, 0, 0);
}

void sim_purge(sim_world *w)
{
	int what = (int)sim_range(&w->application, 1, KP_PURGE_QUEUED | KP_PURGE_IN_FLIGHT);
	SIM_TRACE(w, "purge %d", what);
	kp_engine_purge(w->me->engine, what, KP_ERR_PURGED, w->now_us);
	w->me->is_woken = true;
}

static void resume(sim_world *w, int32_t topic, int32_t partition)
{
	SIM_TRACE(w, "%s-%d is told to go on", w->plan.topics[topic].name, partition);
	if (kp_engine_resume(w->me->topics[topic], partition))
		sim_fail(w, "halt", "%s-%d cannot be resumed", w->plan.topics[topic].name, partition);
	sim_watch_resumed(w, topic, partition);
}

void sim_on_resume(sim_world *w, const sim_event *ev)
{
	if (w->me->engine && sim_watch_is_halted(w, (uint8_t)ev->a, ev->b))
		resume(w, ev->a, ev->b);
}

/* Until the next burst; once it may be so long that brokers forget a producer. */
static int64_t pause_us(sim_world *w)
{
	int64_t us = sim_spread(&w->application, 1, w->plan.pause_max_us);
	if (w->has_idled || w->plan.idle_us == 0 || w->n_records < w->plan.n_records / 2)
		return us;
	w->has_idled = true;
	return us + w->plan.idle_us;
}

void sim_on_application(sim_world *w)
{
	const sim_plan *p = &w->plan;
	if (!w->me->engine || w->me->is_closing || w->n_records >= p->n_records || (w->me->is_flushing && p->flush_blocks))
		return;
	if (w->me->is_blocked) {
		if (w->now_us < w->me->blocked_until_us)
			return;
		SIM_TRACE(w, "append #%u gives up waiting for room", w->n_records);
		w->records[w->n_records++] = (sim_record){0};
		w->totals->refused++;
		have_room(w);
	}
	sim_expire_producers(w);
	if (sim_chance(&w->application, p->percent_purge))
		sim_purge(w);
	if (!w->me->is_flushing && sim_chance(&w->application, p->percent_flush))
		sim_flush_begin(w);
	if (sim_chance(&w->application, p->percent_call))
		sim_call_begin(w);
	uint32_t n = (uint32_t)sim_range(&w->application, 1, p->burst_max);
	while (n-- > 0 && w->n_records < p->n_records && append_next(w))
		;
	if (!w->me->is_blocked && w->n_records < p->n_records && !(w->me->is_flushing && p->flush_blocks))
		sim_at(w, w->now_us + pause_us(w), SIM_EV_APPLICATION, NULL, 0, 0);
}

void sim_after_turn(sim_world *w)
{
	if (w->me->actor)
		sim_actor_after_turn(w);
	if (w->me->is_blocked && !w->me->is_closing && kp_engine_room_generation(w->me->engine) != w->me->room_generation &&
	    append_next(w)) {
		have_room(w);
		sim_at(w, w->now_us, SIM_EV_APPLICATION, NULL, 0, 0);
	}
	if (w->me->is_flushing && kp_engine_flushed(w->me->engine, w->me->flush_serial))
		end_flush(w);
	sim_check_memory(w);
	sim_check_deadlines(w);
}

bool sim_workload_is_done(const sim_world *w)
{
	return w->n_records >= w->plan.n_records && !w->me->is_blocked && !w->me->is_flushing;
}

/* The instance is alive: whatever went wrong before, these are persisted. */
void sim_epilogue(sim_world *w)
{
	for (int32_t t = 0; t < w->plan.n_topics; t++)
		for (int32_t i = 0; i < SIM_PARTITIONS_MAX; i++)
			if (w->me->topics[t] && sim_watch_is_halted(w, (uint8_t)t, i))
				resume(w, t, i);
	for (int32_t i = 0; i < w->plan.n_topics * SIM_EPILOGUE_RECORDS; i++, w->n_records++) {
		w->records[w->n_records] = (sim_record){0};
		if (kp_db_n_partitions(w->db, w->plan.topics[i / SIM_EPILOGUE_RECORDS].name) > 0)
			(void)sim_offer(w, w->n_records);
	}
}
