/*
 * frames.c - looking into Produce requests, for faults that concern their partitions and for the trace.
 */
#include <string.h>

#include "cluster/cluster.h"
#include "tests/sim/sim.h"
#include "wire/header.h"
#include "wire/messages.h"
#include "wire/reader.h"

bool sim_produce_read(kp_slice frame, kp_arena *arena, kp_produce_request *out)
{
	kp_request_header h;
	size_t used;
	return kp_wire_read_request_header(frame, &h, &used) == 0 && h.request_api_key == KP_API_PRODUCE &&
	       kp_wire_read(&kp_produce_request_message, h.request_api_version, kp_slice_of(frame.ptr + used, frame.len - used),
	                    arena, out, NULL) == 0;
}

int32_t sim_topic_find(const sim_world *w, kp_slice name)
{
	for (int32_t i = 0; i < w->plan.n_topics; i++)
		if (kp_slice_equal(name, kp_slice_cstr(w->plan.topics[i].name)))
			return i;
	return -1;
}

static int32_t find_topic(const sim_world *w, const kp_produce_request_topic *t)
{
	kp_slice name = t->name; /* empty from version 13 on, which gives the id (KIP-516) */
	if (name.len == 0 && w->me->engine) {
		const kp_cluster_topic *known = kp_cluster_topic_find_id(kp_engine_cluster(w->me->engine), &t->topic_id);
		name = kp_slice_cstr(known ? known->name : NULL);
	}
	return sim_topic_find(w, name);
}

bool sim_produce_partition(const sim_world *w, kp_slice frame, int32_t *topic, int32_t *partition)
{
	kp_arena arena;
	kp_produce_request body;
	kp_arena_init(&arena, 64u << 20);
	bool is_found = sim_produce_read(frame, &arena, &body) && body.topic_data.n > 0 &&
	                body.topic_data.items[0].partition_data.n > 0;
	if (is_found) {
		*topic = find_topic(w, &body.topic_data.items[0]);
		*partition = body.topic_data.items[0].partition_data.items[0].index;
		is_found = *topic >= 0 && *partition < kp_db_n_partitions(w->db, w->plan.topics[*topic].name);
	}
	kp_arena_deinit(&arena);
	return is_found;
}
