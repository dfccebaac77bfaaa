/*
 * judge.c - what is wrong with a request's answer: errors before and after the append, throttles, slow nodes, broken answers. And, as
 * every Produce request passes here decoded, the bound on unresolved batches.
 */
#include <kproducer/error.h>

#include <stdio.h>

#include "devbroker/judge.h"
#include "producer/topic.h"
#include "tests/sim/txn.h"
#include "wire/messages.h"

#define MOST_UNRESOLVED 5 /* batches of a partition: what a broker remembers */

static int16_t any_code(sim_world *w)
{
	int16_t code = (int16_t)sim_range(&w->fate, -1, SIM_N_CODES - 2);
	if (code == KP_ERR_INVALID_TIMESTAMP && w->plan.percent_future)
		return KP_ERR_NOT_LEADER_OR_FOLLOWER; /* it is to mean the records that the broker names */
	return code ? code : KP_ERR_NOT_LEADER_OR_FOLLOWER;
}

/* DUPLICATE_SEQUENCE_NUMBER says that the batch stands in the log: no broker gives it before it does. */
static int16_t code_before_append(sim_world *w)
{
	int16_t next = w->next_code;
	w->next_code = 0;
	if (next)
		return next;
	/* the only code that takes a producer's id away, the one that splits, and one that proves: more often than one in all the others */
	if (w->plan.config.idempotent && sim_chance(&w->fate, 5))
		return KP_ERR_INVALID_PRODUCER_EPOCH;
	if (sim_chance(&w->fate, 5))
		return KP_ERR_MESSAGE_TOO_LARGE;
	int16_t code = sim_chance(&w->fate, 5) ? KP_ERR_NOT_ENOUGH_REPLICAS : any_code(w);
	return code == KP_ERR_DUPLICATE_SEQUENCE_NUMBER ? KP_ERR_REQUEST_TIMED_OUT : code;
}

/* The limit of a batch was lowered meanwhile: what is sent again is too large now (a broker looks at that before it knows the batch). */
static void refuse_next(sim_world *w)
{
	w->next_code = KP_ERR_MESSAGE_TOO_LARGE;
	w->armed[SIM_PRODUCE_ERROR]++;
}

static int16_t code_after_append(sim_world *w)
{
	int16_t code;
	if (sim_chance(&w->fate, 10))
		refuse_next(w);
	if (sim_chance(&w->fate, 10))
		return KP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND;
	do
		code = any_code(w);
	while (!kp_error_may_append(code));
	return code;
}

/*
 * I8: with idempotence no sixth batch of a partition may be on its way, on whatever connections. The pieces of one that was too large
 * wait among them, and have not left.
 */
static void check_window(sim_world *w, const sim_client *c, int32_t topic, int32_t partition)
{
	if (!c->engine || !w->plan.config.idempotent || !c->topics[topic] ||
	    partition >= atomic_load_explicit(&c->topics[topic]->shared.n_ever, memory_order_relaxed))
		return;
	int n = 0;
	const kp_partition *p = kp_topic_partition(c->topics[topic], partition);
	for (const kp_list *i = p->loop.unresolved.next; i != &p->loop.unresolved; i = i->next)
		n += KP_CONTAINER_OF(i, kp_batch, link)->attempts > 0;
	if (n > MOST_UNRESOLVED)
		sim_fail(w, "I8", "%d batches of %s-%d are unresolved", n, w->plan.topics[topic].name, partition);
}

static bool on_place(void *opaque, kp_slice topic, int32_t partition)
{
	sim_world *w = opaque;
	for (int32_t i = 0; i < w->plan.n_topics; i++) {
		if (!kp_slice_equal(topic, kp_slice_cstr(w->plan.topics[i].name)) || partition >= SIM_PARTITIONS_MAX)
			continue;
		w->last_produce_us[i][partition] = w->now_us;
		check_window(w, w->asking, i, partition);
	}
	return false;
}

static int64_t arrived(void *opaque, const kp_db_asked *q)
{
	sim_world *w = opaque;
	w->asking = w->conns[q->conn - 1]->client;
	if (q->api_key == KP_API_PRODUCE)
		(void)kp_db_asked_any(q, on_place, w);
	if (w->now_us >= w->nodes[q->node].slow_until_us)
		return 0;
	return sim_spread(&w->fate, 100, SIM_SECOND);
}

static void decide_produce(sim_world *w, kp_db_fate *fate)
{
	if (sim_take_armed(w, SIM_PRODUCE_ERROR))
		w->code = code_before_append(w);
	else if (w->plan.config.acks != 0 && sim_take_armed(w, SIM_PRODUCE_ERROR_AFTER))
		w->code_after = code_after_append(w);
	fate->delay_us = w->held_us;
	if (w->plan.config.acks != 0 && sim_take_armed(w, SIM_PARTIAL_ANSWER))
		fate->partial_bytes = (int32_t)sim_spread(&w->fate, 1, 100);
}

bool sim_is_coordinated(int16_t api_key)
{
	return api_key == KP_API_FIND_COORDINATOR || api_key == KP_API_ADD_PARTITIONS_TO_TXN ||
	       api_key == KP_API_ADD_OFFSETS_TO_TXN || api_key == KP_API_TXN_OFFSET_COMMIT || api_key == KP_API_END_TXN ||
	       api_key == KP_API_INIT_PRODUCER_ID;
}

/* Those that pass more often than one in all the others: else most transactions would end by it. */
static int16_t coordinator_code(sim_world *w, const kp_db_asked *q)
{
	static const int16_t passing[] = {KP_ERR_COORDINATOR_LOAD_IN_PROGRESS, KP_ERR_COORDINATOR_NOT_AVAILABLE,
	                                  KP_ERR_NOT_COORDINATOR, KP_ERR_CONCURRENT_TRANSACTIONS};
	const sim_txn *t = sim_txn_of(w, w->conns[q->conn - 1]->client);
	int16_t code = sim_chance(&w->fate, 50) ? passing[kp_random_below(&w->fate, 4)] : any_code(w);
	if (sim_chance(&w->fate, 5))
		code = KP_ERR_TRANSACTION_ABORTABLE;
	/* that there is nothing to end: an earlier attempt may have ended it, of which every broker knows */
	bool is_lie = q->api_key == KP_API_END_TXN && t && t->n_ends > 1 &&
	              (code == KP_ERR_TRANSACTION_ABORTABLE || code == KP_ERR_INVALID_TXN_STATE);
	return is_lie ? KP_ERR_CONCURRENT_TRANSACTIONS : code;
}

static void decide(void *opaque, const kp_db_asked *q, kp_db_fate *fate)
{
	sim_world *w = opaque;
	w->code = w->code_after = 0;
	if (q->api_key == KP_API_PRODUCE)
		decide_produce(w, fate);
	else if (q->api_key == KP_API_METADATA && sim_take_armed(w, SIM_METADATA_ERROR))
		w->code = any_code(w);
	else if (q->api_key == KP_API_INIT_PRODUCER_ID && sim_take_armed(w, SIM_ID_ERROR))
		w->code = any_code(w);
	else if (sim_is_coordinated(q->api_key) && sim_take_armed(w, SIM_COORDINATOR_ERROR))
		w->code = coordinator_code(w, q);
	if (q->api_key != KP_API_API_VERSIONS && sim_take_armed(w, SIM_THROTTLE))
		fate->throttle_ms = (int32_t)sim_spread(&w->fate, 1, 2000);
	fate->has_errors = w->code || w->code_after;
	fate->is_set = fate->has_errors || fate->partial_bytes || fate->throttle_ms || fate->delay_us;
	if (fate->has_errors) {
		w->codes = q->api_key == KP_API_PRODUCE            ? w->totals->produce_codes
		           : q->api_key == KP_API_METADATA         ? w->totals->metadata_codes
		           : q->api_key == KP_API_INIT_PRODUCER_ID ? w->totals->id_codes
		                                                   : w->totals->coordinator_codes;
		SIM_TRACE(w, "  answered with %s%s", kp_error_name(w->code ? w->code : w->code_after),
		          w->code_after ? " once appended" : "");
	}
	if (fate->partial_bytes || fate->throttle_ms)
		SIM_TRACE(w, "  %d bytes of the answer (0: all), throttle %d ms", fate->partial_bytes, fate->throttle_ms);
}

/* Is there more in the log than the replicas have? */
static bool is_behind(const sim_world *w, kp_slice topic, int32_t partition)
{
	char name[sizeof(w->plan.topics[0].name)];
	kp_db_partition_info info;
	snprintf(name, sizeof(name), "%.*s", (int)topic.len, (const char *)topic.ptr);
	return kp_db_partition_get(w->db, name, partition, &info) || info.high_watermark < info.end_offset;
}

/*
 * Some partitions of a request are spared, so that answers differ. DUPLICATE_SEQUENCE_NUMBER speaks of a batch that stands farther back
 * than the last five, for which a broker waits like for the first time: all replicas have it.
 */
static int16_t error_for(void *opaque, kp_slice topic, int32_t partition, bool is_after)
{
	sim_world *w = opaque;
	int16_t code = is_after ? w->code_after : w->code;
	if (code == 0 || sim_chance(&w->fate, 20))
		return 0;
	if (is_after && code == KP_ERR_DUPLICATE_SEQUENCE_NUMBER && is_behind(w, topic, partition))
		return 0;
	w->codes[code + 1]++;
	return code;
}

void sim_judge_init(sim_world *w)
{
	kp_db_set_judge(w->db, &(kp_db_judge){.opaque = w, .arrived = arrived, .decide = decide, .error_for = error_for});
}
