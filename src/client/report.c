/*
 * report.c - ended batches become reports: to the callback, into the queue, or to the groups they belong to. Runtime's thread.
 */
#include <kproducer/error.h>

#include "base/time.h"
#include "client/filler.h"
#include "client/producer_impl.h"
#include "producer/topic.h"

#define AT_ONCE 64 /* reports per callback: 11 KB, which stays in the first-level cache */
#define SLOW_CALLBACK_US 100000

static bool is_wanted(const kp_producer *p, const kp_batch *b)
{
	switch (p->settings.reports) {
	case KP_REPORTS_ALL: return true;
	case KP_REPORTS_ERRORS: return b->error != KP_OK;
	default: return false;
	}
}

static void tell_groups(kp_producer *p, kp_batch *b)
{
	kp_filler *f = p->loop.filler;
	kp_report r;
	for (int32_t i = 0; i < b->n_entries; i++) {
		kp_entry *en = &b->entries[i];
		if (!(en->place & KP_ENTRY_GROUP))
			continue;
		kp_group *g = en->opaque;
		void *opaque = g->opaque;
		kp_filler_one(f, i, &r);
		if (g->record_ended(p, g, &r))
			en->place = KP_ENTRY_TAKEN;
		en->opaque = opaque; /* the group may be gone */
	}
}

static void call_back(kp_producer *p, const kp_report *reports, size_t n)
{
	int64_t start_us = kp_time_mono_us();
	p->settings.report_cb(p, reports, n, p->settings.report_opaque);
	kp_runtime_called_back(p->runtime);
	int64_t took_us = kp_time_mono_us() - start_us;
	if (took_us < SLOW_CALLBACK_US)
		return;
	/* relaxed, and no fetch_add: the loop is the only writer, others read a figure */
	atomic_store_explicit(&p->loop.slow_callbacks, atomic_load_explicit(&p->loop.slow_callbacks, memory_order_relaxed) + 1,
	                      memory_order_relaxed);
	KP_LOG(&p->log, KP_LOG_WARN, start_us, "slow_callback ms=%lld reports=%zu: nothing is sent meanwhile",
	       (long long)(took_us / 1000), n);
}

static void call_back_all(kp_producer *p, const kp_batch *b)
{
	kp_report reports[AT_ONCE];
	for (int32_t i = 0; i < b->n_entries; i += AT_ONCE) {
		size_t n = (size_t)(b->n_entries - i < AT_ONCE ? b->n_entries - i : AT_ONCE);
		n = kp_filler_fill(p->loop.filler, i, n, reports);
		if (n > 0)
			call_back(p, reports, n);
	}
}

static void queue(kp_producer *p, kp_report_queue *q, kp_batch *b)
{
	if (!q->is_on)
		return;
	kp_engine_retain(b); /* released when it was polled */
	kp_report_queue_push(p, q, b);
}

static void report_batch(kp_producer *p, kp_batch *b)
{
	kp_failure_log_add(&p->loop.failures, b, kp_time_mono_us());
	if (b->entries) {
		kp_filler_begin(p->loop.filler, b);
		tell_groups(p, b);
		if (b->error != KP_OK)
			queue(p, &p->queues[KP_QUEUE_FAILURES], b);
		if (is_wanted(p, b)) {
			queue(p, &p->queues[KP_QUEUE_REPORTS], b);
			if (p->settings.report_cb)
				call_back_all(p, b);
		}
	}
	kp_engine_release(p->engine, b);
}

bool kp_reports_deliver(kp_producer *p)
{
	kp_batch *b;
	bool any = false;
	while ((b = kp_engine_next_ended(p->engine))) {
		uint64_t n = (uint64_t)b->n_records;
		report_batch(p, b);
		/* release, behind the callbacks; no fetch_add, the loop is the only writer */
		atomic_store_explicit(&p->loop.n_delivered, atomic_load_explicit(&p->loop.n_delivered, memory_order_relaxed) + n,
		                      memory_order_release);
		any = true;
	}
	uint64_t room = kp_engine_room_generation(p->engine);
	if (room != p->loop.room_seen) {
		p->loop.room_seen = room;
		kp_announce_room(p);
	}
	return any;
}

void kp_announce_room(kp_producer *p)
{
	pthread_mutex_lock(&p->shared.mutex);
	if (p->shared.n_waiting > 0)
		pthread_cond_broadcast(&p->shared.cond);
	pthread_mutex_unlock(&p->shared.mutex);
}
