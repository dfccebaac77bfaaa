/*
 * response.c - Produce answers: decode, find the batch of each partition, act by the code.
 */
#include <kproducer/error.h>

#include <string.h>

#include "base/mem.h"
#include "base/time.h"
#include "producer/engine_impl.h"
#include "wire/msg_produce.h"
#include "wire/reader.h"

/* The place of the batch that a partition's answer speaks of, or NULL. Answers keep the request's order: the guess is nearly always right. */
static kp_batch **find_batch(kp_produce_call *call, size_t guess, const kp_produce_response_topic *t, int32_t index, bool by_id)
{
	for (size_t k = 0; k < call->n; k++) {
		kp_batch **at = &call->batches[(guess + k) % call->n];
		if (!*at || (*at)->partition->index != index)
			continue;
		const kp_topic *topic = (*at)->partition->topic;
		if (by_id ? memcmp(&(*at)->sent_topic_id, &t->topic_id, sizeof(t->topic_id)) == 0
		          : kp_slice_equal(kp_slice_cstr(topic->name), t->name))
			return at;
	}
	return NULL;
}

static void keep_message(kp_batch *b, const kp_produce_response_partition *a)
{
	kp_mem_free(b->message);
	kp_mem_free(b->rejected);
	b->message = NULL;
	b->rejected = NULL;
	b->n_rejected = 0;
	kp_slice text = a->error_message;
	if (!text.ptr && a->record_errors.n > 0)
		text = a->record_errors.items[0].batch_index_error_message;
	/* without memory for the words the code alone has to do */
	if (text.ptr)
		b->message = kp_mem_strndup((const char *)text.ptr, text.len);
	if (a->record_errors.n > 0)
		b->rejected = kp_mem_calloc((size_t)a->record_errors.n, sizeof(*b->rejected));
	for (int32_t i = 0; b->rejected && i < a->record_errors.n; i++)
		b->rejected[b->n_rejected++] = a->record_errors.items[i].batch_index;
}

static void act(kp_engine *e, kp_batch *b, const kp_produce_response_partition *a, int64_t now_us)
{
	KP_REACHED_CODE(produce, a->error_code);
	if (kp_error_on_produce(a->error_code) == KP_PRODUCE_PERSISTED) {
		/* without 0 it stands further back than the broker remembers offsets */
		bool has_offset = a->error_code == 0;
		kp_attempt_succeeded(e, b, has_offset ? a->base_offset : -1, has_offset ? a->log_append_time_ms : -1, now_us);
		return;
	}
	if (!b->is_ended) /* else the application may be reading what it has */
		keep_message(b, a);
	kp_attempt_failed(e, b, a->error_code, kp_error_may_append(a->error_code), now_us);
}

static void take_hint(kp_engine *e, const kp_broker *from, kp_partition *p, const kp_produce_response_partition *a, int64_t now_us)
{
	bool is_about_leader = kp_error_on_produce(a->error_code) == KP_PRODUCE_LEADER;
	if (is_about_leader && a->current_leader.leader_id >= 0 && a->current_leader.leader_id != from->id)
		kp_metadata_leader_hint(e, p, a->current_leader.leader_id, a->current_leader.leader_epoch, now_us);
}

static void answer_each(kp_engine *e, const kp_broker *from, kp_produce_call *call, const kp_produce_response *a, bool by_id,
                        int64_t now_us)
{
	size_t guess = 0;
	for (int32_t i = 0; i < a->responses.n; i++) {
		const kp_produce_response_topic *t = &a->responses.items[i];
		for (int32_t j = 0; j < t->partition_responses.n; j++, guess++) {
			const kp_produce_response_partition *p = &t->partition_responses.items[j];
			kp_batch **at = find_batch(call, guess, t, p->index, by_id);
			if (!at)
				continue;
			kp_batch *b = *at;
			kp_partition *partition = b->partition;
			const kp_uuid *topic_id = &partition->topic->loop.meta->id;
			/* else it speaks of a topic of that name that was deleted, whose leaders and epochs are nothing to the new one */
			bool is_present = memcmp(topic_id, &b->sent_topic_id, sizeof(*topic_id)) == 0;
			*at = NULL;
			act(e, b, p, now_us);
			/* behind the act: the hint takes back the pause that it began */
			if (is_present)
				take_hint(e, from, partition, p, now_us);
		}
	}
}

void kp_produce_answered(kp_engine *e, kp_broker *b, kp_produce_call *call, int version, kp_slice body, int64_t now_us)
{
	kp_produce_response a;
	b->n_produce--;
	kp_arena_reset(&e->loop.arena);
	int err = kp_wire_read(&kp_produce_response_message, version, body, &e->loop.arena, &a, NULL);
	if (err) {
		/* it may have done anything: as if the connection had broken */
		kp_produce_failed(e, call, KP_ERR_PROTOCOL, true, now_us);
		return;
	}
	for (int32_t i = 0; i < a.node_endpoints.n; i++)
		(void)kp_cluster_node_put(&e->loop.cluster, a.node_endpoints.items[i].node_id, a.node_endpoints.items[i].host,
		                          a.node_endpoints.items[i].port);
	kp_broker_throttle(e, b, a.throttle_time_ms);
	if (call->is_first)
		kp_txn_pace_produced(&e->loop.txn.pace, now_us - call->sent_us);
	answer_each(e, b, call, &a, version > 12, now_us);
	/* what the answer does not mention: nobody knows */
	kp_produce_failed(e, call, KP_ERR_PROTOCOL, true, now_us);
}

void kp_produce_failed(kp_engine *e, kp_produce_call *call, int error, bool was_written, int64_t now_us)
{
	for (size_t i = 0; i < call->n; i++) {
		kp_batch *b = call->batches[i];
		call->batches[i] = NULL;
		if (b)
			kp_attempt_failed(e, b, error, was_written, now_us);
	}
	kp_produce_call_free(e, call);
}

void kp_produce_written(kp_engine *e, kp_produce_call *call, int64_t now_us)
{
	for (size_t i = 0; i < call->n; i++) {
		kp_batch *b = call->batches[i];
		kp_partition *p = b->partition;
		call->batches[i] = NULL;
		if (b->is_ended) {
			kp_attempt_failed(e, b, KP_OK, true, now_us);
			continue;
		}
		b->call = NULL;
		p->loop.n_in_flight--;
		kp_batch_end(e, b, KP_OK, KP_UNKNOWN, KP_STAGE_DONE);
		if (p->loop.n_in_flight == 0)
			p->loop.is_recovering = false;
		kp_partition_evaluate(e, p, now_us);
	}
	call->broker->n_produce--;
	kp_produce_call_free(e, call);
}
