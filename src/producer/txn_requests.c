/*
 * txn_requests.c - the requests of a transaction, to its coordinator and to the group's: built, answered, judged. Loop thread.
 *
 *   what is answered                             what becomes of it
 *   PRODUCER_FENCED, INVALID_PRODUCER_EPOCH,
 *   INVALID_PRODUCER_ID_MAPPING                  FENCED
 *   NOT_COORDINATOR, COORDINATOR_NOT_AVAILABLE,
 *   a lost connection                            the coordinator is looked for, and the request sent again
 *   CONCURRENT_TRANSACTIONS                      sent again after a short pause
 *   anything else of class retriable, refresh    sent again after the back-off
 *   anything else                                InitProducerId, EndTxn: the operation ends with it; the others: MUST_ABORT
 *
 * EndTxn beside: INVALID_TXN_STATE and TRANSACTION_ABORTABLE say that there is nothing to commit (MUST_ABORT), or nothing to abort (done, but
 * with the next epoch, which ends whatever may be open all the same).
 */
#include <kproducer/error.h>

#include <string.h>

#include "base/mem.h"
#include "base/time.h"
#include "producer/engine_impl.h"
#include "producer/txn_offsets.h"
#include "wire/msg_add_offsets_to_txn.h"
#include "wire/msg_add_partitions_to_txn.h"
#include "wire/msg_end_txn.h"
#include "wire/msg_init_producer_id.h"
#include "wire/msg_txn_offset_commit.h"
#include "wire/reader.h"

#define INIT_MIN 3 /* names the present id and epoch (KIP-360), Apache Kafka 2.5 */
#define INIT_MAX 5
#define ADD_PARTITIONS_MAX 3 /* later ones are for brokers */
#define ADD_OFFSETS_MAX 4
#define END_CLASSIC_MAX 4
#define END_V2 5
#define OFFSETS_MIN 3 /* has the group's metadata (KIP-447), Apache Kafka 2.5 */
#define OFFSETS_CLASSIC_MAX 4
#define OFFSETS_V2 5

typedef enum verdict { TAKEN, AGAIN, FENCED, REFUSED } verdict;

static kp_txn *txn_of(const kp_call *call)
{
	return &((kp_engine *)call->opaque)->loop.txn;
}

/* Read the answer's body, if there is one. */
static int decode(kp_call *call, int error, int version, kp_slice bytes, void *answer)
{
	kp_engine *e = call->opaque;
	if (error)
		return error;
	kp_arena_reset(&e->loop.arena);
	return kp_wire_read(kp_wire_find(call->api_key, true), version, bytes, &e->loop.arena, answer, NULL);
}

static verdict judge(kp_call *call, int error)
{
	kp_engine *e = call->opaque;
	kp_txn *t = &e->loop.txn;
	call->last_error = error;
	KP_REACHED_CODE(txn, error);
	switch (error) {
	case 0:
		t->n_concurrent = 0;
		call->coordinator->n_lost = 0;
		return TAKEN;
	case KP_ERR_PRODUCER_FENCED:
	case KP_ERR_INVALID_PRODUCER_EPOCH:
	case KP_ERR_INVALID_PRODUCER_ID_MAPPING: return FENCED;
	case KP_ERR_CONCURRENT_TRANSACTIONS:
		KP_REACHED(TXN_CONCURRENT);
		call->pause_us = kp_txn_pause_us(t->n_concurrent++);
		return AGAIN;
	case KP_ERR_COORDINATOR_NOT_AVAILABLE:
	case KP_ERR_NOT_COORDINATOR: kp_coordinator_lost(call->coordinator, e->loop.now_us); return AGAIN;
	case KP_ERR_PROTOCOL: call->is_lost = true; return AGAIN; /* nobody knows what it did */
	case KP_ERR_NO_MEMORY: return AGAIN;
	default: return kp_error_is_retriable(error) ? AGAIN : REFUSED;
	}
}

static bool is_about_offsets(const kp_call *call)
{
	return call->api_key == KP_API_ADD_OFFSETS_TO_TXN || call->api_key == KP_API_TXN_OFFSET_COMMIT;
}

/* It is over: an attempt of it without an answer may still be carried out, and in the classic protocol then opens a transaction anew. */
static void call_over(kp_call *call)
{
	kp_txn *t = txn_of(call);
	if (call == &t->add_call)
		t->is_adding = false;
	else
		t->is_calling = false;
	if (call->is_lost && !t->is_v2 && call->api_key != KP_API_INIT_PRODUCER_ID)
		t->needs_epoch = true;
}

/* The engine ends: nothing is learnt from that. */
static bool is_cancelled(kp_call *call, int error)
{
	if (error != KP_ERR_CLOSED)
		return false;
	call_over(call);
	return true;
}

static void start_call(kp_engine *e, kp_call *call, kp_coordinator *coordinator)
{
	call->opaque = e;
	call->coordinator = coordinator;
	call->deadline_us = KP_TIME_NEVER;
	if (call == &e->loop.txn.add_call)
		e->loop.txn.is_adding = true;
	else
		e->loop.txn.is_calling = true;
	kp_engine_call(e, call);
}

static void forget(kp_list *partitions)
{
	while (kp_list_pop_front(partitions))
		;
}

/* Of a transaction that is given up nothing is asked for a second time; its end waits until the attempt under way is off the wire. */
static bool is_needless(const kp_engine *e, const kp_call *call)
{
	return kp_txn_is_giving_up(e) && (call == &e->loop.txn.add_call || is_about_offsets(call));
}

/* True: it is to be tried again; false, and over. */
static bool try_again(kp_call *call)
{
	if (!is_needless(call->opaque, call))
		return true;
	call_over(call);
	return false;
}

static bool drop(kp_engine *e, kp_call *call)
{
	for (kp_list *n = e->loop.calls.next; n != &e->loop.calls; n = n->next)
		if (n == &call->link) {
			kp_list_remove(n);
			call_over(call);
			return true;
		}
	return false;
}

void kp_txn_drop_calls(kp_engine *e)
{
	kp_txn *t = &e->loop.txn;
	forget(&t->to_add);
	if (t->is_adding && drop(e, &t->add_call))
		forget(&t->adding);
	if (t->is_calling && is_needless(e, &t->call))
		(void)drop(e, &t->call);
}

/* ------------------------------------------------------------------ InitProducerId */

static const void *build_init(kp_call *call, int version, kp_arena *arena)
{
	const kp_engine *e = call->opaque;
	kp_init_producer_id_request *body = kp_arena_alloc(arena, sizeof(*body));
	(void)version;
	if (!body)
		return NULL;
	kp_wire_init(&kp_init_producer_id_request_schema, body, 1);
	body->transactional_id = kp_slice_cstr(e->config.transactional_id);
	body->transaction_timeout_ms = e->config.transaction_timeout_ms;
	if (e->loop.txn.op != KP_TXN_OP_INIT) {
		body->producer_id = e->loop.producer_id;
		body->producer_epoch = e->loop.producer_epoch;
	}
	return body;
}

static bool init_done(kp_call *call, int error, const char *text, int version, kp_slice bytes)
{
	kp_engine *e = call->opaque;
	kp_txn *t = &e->loop.txn;
	kp_init_producer_id_response a = {0};
	(void)text;
	if (is_cancelled(call, error))
		return false;
	error = decode(call, error, version, bytes, &a);
	verdict v = judge(call, error ? error : a.error_code);
	if (!error)
		kp_broker_throttle(e, call->broker, a.throttle_time_ms);
	if (v == AGAIN)
		return try_again(call);
	call_over(call);
	if (v == FENCED) {
		kp_txn_fenced(e, call->last_error, "InitProducerId");
	} else if (v == REFUSED) {
		/* behind a commit it can wait: nothing is in doubt, and it is asked for again behind the next one */
		kp_txn_finish(e, t->op == KP_TXN_OP_COMMIT ? 0 : call->last_error);
	} else {
		e->loop.producer_id = a.producer_id;
		e->loop.producer_epoch = a.producer_epoch;
		t->is_v2 = e->loop.transaction_version >= 2;
		t->needs_epoch = false;
		kp_txn_finish(e, 0);
	}
	return false;
}

void kp_txn_call_init(kp_engine *e)
{
	kp_txn *t = &e->loop.txn;
	if (t->op == KP_TXN_OP_INIT)
		KP_REACHED(TXN_INIT);
	else
		KP_REACHED(TXN_NEW_EPOCH);
	t->call = (kp_call){.api_key = KP_API_INIT_PRODUCER_ID,
	                    .min_version = INIT_MIN,
	                    .max_version = INIT_MAX,
	                    .build = build_init,
	                    .done = init_done};
	start_call(e, &t->call, &t->coordinator);
}

/* ------------------------------------------------------------------ EndTxn */

static const void *build_end(kp_call *call, int version, kp_arena *arena)
{
	const kp_engine *e = call->opaque;
	kp_end_txn_request *body = kp_arena_alloc(arena, sizeof(*body));
	(void)version;
	if (!body)
		return NULL;
	kp_wire_init(&kp_end_txn_request_schema, body, 1);
	body->transactional_id = kp_slice_cstr(e->config.transactional_id);
	body->producer_id = e->loop.producer_id;
	body->producer_epoch = e->loop.producer_epoch;
	body->committed = e->loop.txn.op == KP_TXN_OP_COMMIT;
	if (call->is_lost && body->committed)
		KP_REACHED(TXN_COMMIT_AGAIN);
	return body;
}

/* The transaction is over on the brokers' side. */
static void ended(kp_engine *e, const kp_end_txn_response *a)
{
	kp_txn *t = &e->loop.txn;
	if (t->op == KP_TXN_OP_COMMIT)
		KP_REACHED(TXN_COMMITTED);
	else
		KP_REACHED(TXN_ABORTED);
	t->is_on_broker = false;
	t->is_commit_lost = false;
	t->phase = KP_TXN_EPOCH;
	if (!t->is_v2)
		return;
	kp_txn_pace_ended(&t->pace, e->loop.now_us);
	if (a->producer_id < 0) {
		t->needs_epoch = true;
		return;
	}
	e->loop.producer_id = a->producer_id;
	e->loop.producer_epoch = a->producer_epoch;
	t->needs_epoch = false;
}

static bool end_done(kp_call *call, int error, const char *text, int version, kp_slice bytes)
{
	kp_engine *e = call->opaque;
	kp_txn *t = &e->loop.txn;
	kp_end_txn_response a = {.producer_id = -1};
	(void)text;
	if (is_cancelled(call, error))
		return false;
	bool is_its_own = !error; /* else it was told to the search for the coordinator */
	error = decode(call, error, version, bytes, &a);
	verdict v = judge(call, error ? error : a.error_code);
	if (!error)
		kp_broker_throttle(e, call->broker, a.throttle_time_ms);
	/* what it answers behind its own log's troubles, it may carry out all the same */
	call->is_lost |= call->last_error && kp_error_may_append(call->last_error);
	if (v == AGAIN)
		return true;
	call_over(call);
	t->is_commit_lost |= call->is_lost && t->op == KP_TXN_OP_COMMIT;
	error = call->last_error;
	if (v == TAKEN) {
		ended(e, &a);
	} else if (v == FENCED) {
		kp_txn_fenced(e, error, "EndTxn");
	} else if (is_its_own && (error == KP_ERR_INVALID_TXN_STATE || error == KP_ERR_TRANSACTION_ABORTABLE)) {
		if (t->op == KP_TXN_OP_COMMIT) {
			kp_txn_failed(e, error,
			              "the coordinator has no such transaction to commit: it aborts one that is older than "
			              "transaction.timeout.ms");
			return false;
		}
		a.producer_id = -1;
		ended(e, &a);
		t->needs_epoch = true;
	} else {
		kp_txn_finish(e, error);
	}
	return false;
}

void kp_txn_call_end(kp_engine *e)
{
	kp_txn *t = &e->loop.txn;
	t->call = (kp_call){.api_key = KP_API_END_TXN,
	                    .min_version = t->is_v2 ? END_V2 : 0,
	                    .max_version = t->is_v2 ? END_V2 : END_CLASSIC_MAX,
	                    .build = build_end,
	                    .done = end_done};
	start_call(e, &t->call, &t->coordinator);
}

/* ------------------------------------------------------------------ AddPartitionsToTxn */

static kp_partition *partition_of(kp_list *n)
{
	return KP_CONTAINER_OF(n, kp_partition, loop.txn_link);
}

static size_t count(const kp_list *list)
{
	size_t n = 0;
	for (const kp_list *l = list->next; l != list; l = l->next)
		n++;
	return n;
}

/* The partitions in `adding`, grouped by topic. */
static bool list_adding(kp_engine *e, kp_arena *arena, kp_add_partitions_to_txn_request *body)
{
	kp_txn *t = &e->loop.txn;
	uint64_t serial = ++e->loop.request_serial;
	size_t n = count(&t->adding);
	kp_add_partitions_to_txn_request_topic *topics = kp_arena_alloc(arena, n * sizeof(*topics));
	int32_t *numbers = kp_arena_alloc(arena, n * sizeof(*numbers)), n_topics = 0;
	if (!topics || !numbers)
		return false;
	for (kp_list *l = t->adding.next; l != &t->adding; l = l->next) {
		kp_topic *topic = partition_of(l)->topic;
		if (topic->loop.request != serial) {
			topic->loop.request = serial;
			topic->loop.slot = n_topics++;
			topics[topic->loop.slot] = (kp_add_partitions_to_txn_request_topic){.name = kp_slice_cstr(topic->name)};
		}
		topics[topic->loop.slot].partitions.n++;
	}
	for (int32_t i = 0, at = 0; i < n_topics; i++) {
		topics[i].partitions.items = numbers + at;
		at += topics[i].partitions.n;
		topics[i].partitions.n = 0;
	}
	for (kp_list *l = t->adding.next; l != &t->adding; l = l->next) {
		kp_add_partitions_to_txn_request_topic *of = &topics[partition_of(l)->topic->loop.slot];
		of->partitions.items[of->partitions.n++] = partition_of(l)->index;
	}
	body->v3_and_below_topics.items = topics;
	body->v3_and_below_topics.n = n_topics;
	return true;
}

static const void *build_add(kp_call *call, int version, kp_arena *arena)
{
	kp_engine *e = call->opaque;
	kp_add_partitions_to_txn_request *body = kp_arena_alloc(arena, sizeof(*body));
	(void)version;
	if (!body)
		return NULL;
	kp_wire_init(&kp_add_partitions_to_txn_request_schema, body, 1);
	body->v3_and_below_transactional_id = kp_slice_cstr(e->config.transactional_id);
	body->v3_and_below_producer_id = e->loop.producer_id;
	body->v3_and_below_producer_epoch = e->loop.producer_epoch;
	if (!list_adding(e, arena, body))
		return NULL;
	e->loop.txn.is_on_broker = true;
	return body;
}

/* Of several codes the one that decides: OPERATION_NOT_ATTEMPTED only says that another partition has one. */
static int worse(int one, int other)
{
	bool is_echo = one == 0 || one == KP_ERR_OPERATION_NOT_ATTEMPTED;
	return other && (is_echo ||
	                 (kp_error_is_retriable(one) && !kp_error_is_retriable(other) && other != KP_ERR_OPERATION_NOT_ATTEMPTED))
	               ? other
	               : one;
}

static int code_of_all(const kp_add_partitions_to_txn_response *a, size_t n_asked, kp_slice *topic, int32_t *partition)
{
	int code = 0;
	size_t n = 0;
	for (int32_t i = 0; i < a->results_by_topic_v3_and_below.n; i++) {
		const kp_add_partitions_to_txn_response_topic *t = &a->results_by_topic_v3_and_below.items[i];
		n += (size_t)t->results_by_partition.n;
		for (int32_t j = 0; j < t->results_by_partition.n; j++) {
			int next = worse(code, t->results_by_partition.items[j].partition_error_code);
			if (next != code)
				*topic = t->name, *partition = t->results_by_partition.items[j].partition_index;
			code = next;
		}
	}
	return n < n_asked && !code ? KP_ERR_PROTOCOL : code;
}

static bool add_done(kp_call *call, int error, const char *text, int version, kp_slice bytes)
{
	kp_engine *e = call->opaque;
	kp_txn *t = &e->loop.txn;
	kp_add_partitions_to_txn_response a = {0};
	kp_slice topic = {0};
	int32_t partition = -1;
	(void)text;
	if (is_cancelled(call, error))
		return false;
	error = decode(call, error, version, bytes, &a);
	if (!error)
		kp_broker_throttle(e, call->broker, a.throttle_time_ms);
	verdict v = judge(call, error ? error : code_of_all(&a, count(&t->adding), &topic, &partition));
	if (v == AGAIN && try_again(call))
		return true;
	if (v != AGAIN)
		call_over(call);
	if (v == TAKEN && !kp_txn_is_giving_up(e))
		kp_txn_added(e);
	forget(&t->adding);
	if (v == FENCED)
		kp_txn_fenced(e, call->last_error, "AddPartitionsToTxn");
	else if (v == REFUSED)
		kp_txn_failed(e, call->last_error, "%.*s-%d was not added to the transaction: %s",
		              (int)(topic.len < 249 ? topic.len : 249), topic.ptr ? (const char *)topic.ptr : "", partition,
		              kp_error_name(call->last_error));
	return false;
}

void kp_txn_call_add(kp_engine *e)
{
	kp_txn *t = &e->loop.txn;
	kp_list_splice_back(&t->adding, &t->to_add);
	t->add_call = (kp_call){
		.api_key = KP_API_ADD_PARTITIONS_TO_TXN, .max_version = ADD_PARTITIONS_MAX, .build = build_add, .done = add_done};
	start_call(e, &t->add_call, &t->coordinator);
}

/* ------------------------------------------------------------------ offsets */

static const void *build_group(kp_call *call, int version, kp_arena *arena)
{
	kp_engine *e = call->opaque;
	kp_add_offsets_to_txn_request *body = kp_arena_alloc(arena, sizeof(*body));
	(void)version;
	if (!body)
		return NULL;
	kp_wire_init(&kp_add_offsets_to_txn_request_schema, body, 1);
	body->transactional_id = kp_slice_cstr(e->config.transactional_id);
	body->producer_id = e->loop.producer_id;
	body->producer_epoch = e->loop.producer_epoch;
	body->group_id = kp_slice_cstr(e->loop.txn.group_id);
	e->loop.txn.is_on_broker = true;
	return body;
}

static bool group_done(kp_call *call, int error, const char *text, int version, kp_slice bytes)
{
	kp_engine *e = call->opaque;
	kp_add_offsets_to_txn_response a = {0};
	(void)text;
	if (is_cancelled(call, error))
		return false;
	error = decode(call, error, version, bytes, &a);
	if (!error)
		kp_broker_throttle(e, call->broker, a.throttle_time_ms);
	verdict v = judge(call, error ? error : a.error_code);
	if (v == AGAIN)
		return try_again(call);
	call_over(call);
	if (v == TAKEN)
		KP_REACHED(TXN_GROUP_ADDED);
	e->loop.txn.is_group_added |= v == TAKEN;
	if (v == FENCED)
		kp_txn_fenced(e, call->last_error, "AddOffsetsToTxn");
	else if (v == REFUSED)
		kp_txn_failed(e, call->last_error, "group %s was not added to the transaction: %s", e->loop.txn.group_id,
		              kp_error_name(call->last_error));
	return false;
}

static bool list_offsets(const kp_txn_offsets *o, kp_arena *arena, kp_txn_offset_commit_request *body)
{
	kp_txn_offset_commit_request_topic *topics = kp_arena_alloc(arena, o->n * sizeof(*topics));
	kp_txn_offset_commit_request_partition *partitions = kp_arena_alloc(arena, o->n * sizeof(*partitions));
	int32_t n_topics = 0;
	if (!topics || !partitions)
		return false;
	for (size_t i = 0; i < o->n; i++) {
		const kp_txn_offset *from = &o->items[i];
		if (i == 0 || strcmp(from->topic, o->items[i - 1].topic) != 0) {
			topics[n_topics] = (kp_txn_offset_commit_request_topic){.name = kp_slice_cstr(from->topic)};
			topics[n_topics++].partitions.items = &partitions[i];
		}
		topics[n_topics - 1].partitions.n++;
		partitions[i] = (kp_txn_offset_commit_request_partition){
			.partition_index = from->partition,
			.committed_offset = from->offset,
			.committed_leader_epoch = from->leader_epoch,
			.committed_metadata = from->metadata ? kp_slice_cstr(from->metadata) : kp_slice_null(),
		};
	}
	body->topics.items = topics;
	body->topics.n = n_topics;
	return true;
}

static const void *build_offsets(kp_call *call, int version, kp_arena *arena)
{
	kp_engine *e = call->opaque;
	const kp_txn_offsets *o = e->loop.txn.offsets;
	kp_txn_offset_commit_request *body = kp_arena_alloc(arena, sizeof(*body));
	(void)version;
	if (!body || !o)
		return NULL; /* without offsets: given up */
	kp_wire_init(&kp_txn_offset_commit_request_schema, body, 1);
	body->transactional_id = kp_slice_cstr(e->config.transactional_id);
	body->group_id = kp_slice_cstr(e->loop.txn.group_id);
	body->producer_id = e->loop.producer_id;
	body->producer_epoch = e->loop.producer_epoch;
	body->generation_id = o->generation_id;
	body->member_id = kp_slice_cstr(o->member_id);
	body->group_instance_id = o->group_instance_id ? kp_slice_cstr(o->group_instance_id) : kp_slice_null();
	if (!list_offsets(o, arena, body))
		return NULL;
	e->loop.txn.is_on_broker = true;
	return body;
}

static bool offsets_done(kp_call *call, int error, const char *text, int version, kp_slice bytes)
{
	kp_engine *e = call->opaque;
	kp_txn *t = &e->loop.txn;
	kp_txn_offset_commit_response a = {0};
	(void)text;
	if (is_cancelled(call, error))
		return false;
	error = decode(call, error, version, bytes, &a);
	if (!error)
		kp_broker_throttle(e, call->broker, a.throttle_time_ms);
	int code = error;
	size_t n = 0;
	for (int32_t i = 0; !error && i < a.topics.n; n += (size_t)a.topics.items[i++].partitions.n)
		for (int32_t j = 0; j < a.topics.items[i].partitions.n; j++)
			code = worse(code, a.topics.items[i].partitions.items[j].error_code);
	if (!code && t->offsets && n < t->offsets->n)
		code = KP_ERR_PROTOCOL;
	verdict v = judge(call, code);
	if (v == AGAIN)
		return try_again(call);
	call_over(call);
	if (v == FENCED) {
		kp_txn_fenced(e, code, "TxnOffsetCommit");
	} else if (v == REFUSED) {
		kp_txn_failed(e, code, "group %s refused the offsets: %s", t->group_id, kp_error_name(code));
	} else if (t->op == KP_TXN_OP_OFFSETS && !t->is_over) {
		KP_REACHED(TXN_OFFSETS);
		kp_txn_finish(e, 0);
	}
	return false;
}

/* The group of this operation, if it is another than last time. */
static bool take_group(kp_engine *e)
{
	kp_txn *t = &e->loop.txn;
	if (t->group_id && strcmp(t->group_id, t->offsets->group_id) == 0)
		return true;
	char *id = kp_mem_strndup(t->offsets->group_id, strlen(t->offsets->group_id));
	if (!id)
		return false;
	if (!t->group_id)
		kp_coordinator_init(&t->group, e, KP_COORDINATES_GROUP, id);
	kp_coordinator_rename(&t->group, id);
	kp_mem_free(t->group_id);
	t->group_id = id;
	t->is_group_added = false;
	return true;
}

void kp_txn_call_offsets(kp_engine *e)
{
	kp_txn *t = &e->loop.txn;
	if (!take_group(e)) {
		kp_txn_finish(e, KP_ERR_NO_MEMORY);
		return;
	}
	if (!t->is_v2 && !t->is_group_added) {
		t->call = (kp_call){.api_key = KP_API_ADD_OFFSETS_TO_TXN,
		                    .max_version = ADD_OFFSETS_MAX,
		                    .build = build_group,
		                    .done = group_done};
		start_call(e, &t->call, &t->coordinator);
		return;
	}
	t->call = (kp_call){.api_key = KP_API_TXN_OFFSET_COMMIT,
	                    .min_version = t->is_v2 ? OFFSETS_V2 : OFFSETS_MIN,
	                    .max_version = t->is_v2 ? OFFSETS_V2 : OFFSETS_CLASSIC_MAX,
	                    .build = build_offsets,
	                    .done = offsets_done};
	start_call(e, &t->call, &t->group);
}
