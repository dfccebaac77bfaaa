/*
 * trace.c - what happened, readable: one line an event, Produce requests with the batches they carry.
 */
#include <stdarg.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "record/batch.h"
#include "tests/sim/sim.h"
#include "wire/header.h"
#include "wire/messages.h"

void sim_trace_line(const sim_world *w, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	printf("%12.3f  ", (double)w->now_us / 1000);
	vprintf(fmt, args);
	printf("\n");
	va_end(args);
}

void sim_trace_log(int level, const char *line, void *opaque)
{
	sim_world *w = opaque;
	sim_trace_line(w, "  log %s: %s", kp_log_level_name(level), line);
}

static void trace_batch(const kp_produce_request_partition *p)
{
	kp_batch_header h;
	kp_record_view v;
	if (kp_batch_header_load(p->records, &h))
		return;
	printf(" [%d: id %lld/%d seq %d n %d", p->index, (long long)h.producer_id, h.producer_epoch, h.base_sequence, h.n_records);
	const uint8_t *at = p->records.ptr + KP_BATCH_HEADER_SIZE;
	if ((h.attributes & KP_BATCH_CODEC_MASK) == 0 && kp_record_load(&at, p->records.ptr + p->records.len, &v) == 0 &&
	    v.value.len >= 4)
		printf(" first #%u", kp_load_be32(v.value.ptr));
	printf("]");
}

void sim_trace_frame(const sim_world *w, const sim_conn *c, kp_slice frame)
{
	kp_request_header h;
	size_t used;
	kp_arena arena;
	kp_produce_request body;
	if (kp_wire_read_request_header(frame, &h, &used))
		return;
	printf("%12.3f  conn %u node %d: request %d api %d v%d %s", (double)w->now_us / 1000, c->id, c->node, h.correlation_id,
	       h.request_api_key, h.request_api_version, kp_wire_find(h.request_api_key, false)->root->name);
	kp_arena_init(&arena, 64u << 20);
	if (sim_produce_read(frame, &arena, &body))
		for (int32_t i = 0; i < body.topic_data.n; i++)
			for (int32_t j = 0; j < body.topic_data.items[i].partition_data.n; j++)
				trace_batch(&body.topic_data.items[i].partition_data.items[j]);
	kp_arena_deinit(&arena);
	printf("\n");
}

void sim_trace_plan(const sim_plan *p)
{
	const kp_engine_config *c = &p->config;
	printf("seed %llu, %s: %d nodes, %d topics (", (unsigned long long)p->seed, sim_scenarios[p->scenario].name, p->n_nodes,
	       p->n_topics);
	for (int32_t i = 0; i < p->n_topics; i++)
		printf("%s%d", i ? ", " : "", p->topics[i].n_partitions);
	printf(" partitions), %u records of %u..%u bytes, %u faults, calm at %lld ms, close at %lld ms\n", p->n_records,
	       p->value_min, p->value_max, p->n_faults, (long long)p->calm_us / 1000,
	       p->close_us == KP_TIME_NEVER ? -1LL : (long long)p->close_us / 1000);
	printf("acks=%d idempotent=%d max_in_flight=%d retries=%d linger=%lld us batch_size=%d buffer_memory=%lld max_request=%d\n",
	       c->acks, c->idempotent, c->max_in_flight, c->retries, (long long)c->linger_us, c->batch_size,
	       (long long)c->buffer_memory, c->max_request_size);
	printf("delivery_timeout=%lld ms request_timeout=%lld ms retry_backoff=%lld..%lld us reconnect=%lld..%lld us codec=%d reports=%d\n",
	       (long long)c->delivery_timeout_us / 1000, (long long)c->request_timeout_us / 1000, (long long)c->retry_backoff_us,
	       (long long)c->retry_backoff_max_us, (long long)c->reconnect_backoff_us, (long long)c->reconnect_backoff_max_us,
	       c->codec, c->reports);
	printf("max_queued=%lld policy=%d max_age=%lld ms idle=%lld ms latency=%lld+%lld us auto_create=%d\n",
	       (long long)c->max_queued_records, c->full_policy, (long long)c->metadata_max_age_us / 1000,
	       (long long)c->connections_max_idle_us / 1000, (long long)p->latency_us, (long long)p->jitter_us, p->is_auto_create);
}
