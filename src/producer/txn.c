/*
 * txn.c - the states of a transaction and the operations that change them; see txn.h.
 *
 *   UNINITIALIZED ─ INIT ─▶ READY ─ BEGIN ─▶ OPEN ─ COMMIT ─▶ COMMITTING ─▶ READY
 *                             ▲               │ └─ a failure ─▶ MUST_ABORT      │ a failure while draining
 *                             │               └─── ABORT ─▶ ABORTING ◀─ ABORT ──┘
 *                             └───────────────────────────────┘          FENCED: final, from anywhere
 *
 * An EndTxn that commits is built only when every record of the transaction was persisted and nothing of it is in flight. Nothing of a
 * transaction leaves behind its EndTxn, nothing of the next one before that was answered.
 */
#include "producer/txn.h"

#include <kproducer/error.h>

#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "producer/engine_impl.h"
#include "producer/txn_offsets.h"

#define PAUSE_LEAST_US 1000
#define PAUSE_MOST_US 20000

static void set_state(kp_engine *e, kp_txn_state state)
{
	if (e->loop.txn.is_flushing && state != KP_TXN_COMMITTING) {
		e->loop.txn.is_flushing = false;
		kp_engine_flush_end(e);
	}
	atomic_store_explicit(&e->shared.txn_state, (int)state, memory_order_relaxed);
}

kp_txn_state kp_engine_txn_state(const kp_engine *e)
{
	return (kp_txn_state)atomic_load_explicit(&((kp_engine *)(uintptr_t)e)->shared.txn_state, memory_order_relaxed);
}

uint64_t kp_engine_txn_number(kp_engine *e)
{
	return atomic_load_explicit(&e->shared.txn_number, memory_order_relaxed);
}

void kp_engine_txn_refused(kp_engine *e, int error)
{
	int none = 0;
	/* relaxed: whoever calls commit behind it hands the loop a job */
	if (kp_is_transactional(e))
		(void)atomic_compare_exchange_strong_explicit(&e->shared.txn_refused, &none, error, memory_order_relaxed,
		                                              memory_order_relaxed);
}

void kp_txn_init(kp_engine *e)
{
	kp_txn *t = &e->loop.txn;
	kp_list_init(&t->to_add);
	kp_list_init(&t->adding);
	kp_txn_pace_init(&t->pace);
	kp_coordinator_init(&t->coordinator, e, KP_COORDINATES_TRANSACTION, e->config.transactional_id);
	if (!kp_is_transactional(e))
		return;
	set_state(e, KP_TXN_UNINITIALIZED);
	kp_engine_refuse(e, KP_ERR_NO_TRANSACTION);
}

void kp_txn_deinit(kp_engine *e)
{
	kp_mem_free(e->loop.txn.offsets);
	kp_mem_free(e->loop.txn.group_id);
}

/* ------------------------------------------------------------------ failures */

int64_t kp_txn_pause_us(int n_before)
{
	int64_t us = PAUSE_LEAST_US << (n_before < 8 ? n_before : 8);
	return us < PAUSE_MOST_US ? us : PAUSE_MOST_US;
}

static void blame(kp_txn *t, int error, const char *fmt, va_list args)
{
	t->cause = error;
	(void)vsnprintf(t->cause_text, sizeof(t->cause_text), fmt, args);
}

/* Nothing that waits is to leave any more. */
static void stop(kp_engine *e, kp_txn_state state, int refusal)
{
	set_state(e, state);
	kp_engine_refuse(e, refusal);
	e->loop.txn.must_purge = true; /* not here: whoever ends a batch may be walking lists */
}

void kp_txn_failed(kp_engine *e, int error, const char *fmt, ...)
{
	kp_txn *t = &e->loop.txn;
	kp_txn_state state = kp_engine_txn_state(e);
	if (state != KP_TXN_OPEN && state != KP_TXN_COMMITTING)
		return;
	KP_REACHED(TXN_FAILED);
	va_list args;
	va_start(args, fmt);
	blame(t, error, fmt, args);
	va_end(args);
	KP_LOG(e->around.log, KP_LOG_WARN, e->loop.now_us, "transaction_failed error=%s text=\"%s\": it has to be aborted",
	       kp_error_name(error), t->cause_text);
	stop(e, KP_TXN_MUST_ABORT, KP_ERR_TRANSACTION_ABORTABLE);
	if (t->op != KP_TXN_OP_NONE)
		kp_txn_finish(e, KP_ERR_TRANSACTION_ABORTABLE);
}

void kp_txn_fenced(kp_engine *e, int error, const char *request)
{
	kp_txn *t = &e->loop.txn;
	if (kp_engine_txn_state(e) == KP_TXN_FENCED)
		return;
	KP_REACHED(TXN_FENCED);
	t->in_doubt = t->op == KP_TXN_OP_COMMIT && t->phase == KP_TXN_END && (t->call.is_lost || t->is_commit_lost);
	t->cause = error;
	(void)snprintf(t->cause_text, sizeof(t->cause_text), "%s was answered with %s", request, kp_error_name(error));
	KP_LOG(e->around.log, KP_LOG_ERROR, e->loop.now_us, "fenced transactional_id=\"%s\" text=\"%s\"%s",
	       e->config.transactional_id, t->cause_text, t->in_doubt ? " commit=in_doubt" : "");
	stop(e, KP_TXN_FENCED, KP_ERR_PRODUCER_FENCED);
	/* a commit that was answered stays one */
	bool is_committed = t->op == KP_TXN_OP_COMMIT && t->phase == KP_TXN_EPOCH;
	if (t->op != KP_TXN_OP_NONE)
		kp_txn_finish(e, is_committed ? 0 : KP_ERR_PRODUCER_FENCED);
}

void kp_txn_batch_lost(kp_engine *e, const kp_batch *b, int error)
{
	if (!kp_is_transactional(e))
		return;
	if (error == KP_ERR_CLOSED) {
		e->loop.txn.has_lost_to_close = true;
		return;
	}
	if (b->is_stamped)
		e->loop.txn.needs_epoch = true;
	if (error == KP_ERR_PRODUCER_FENCED || error == KP_ERR_INVALID_PRODUCER_ID_MAPPING)
		kp_txn_fenced(e, error, "Produce");
	else
		kp_txn_failed(e, error, "%d records to %s-%d ended with %s", b->n_records, b->partition->topic->name,
		              b->partition->index, kp_error_name(error));
}

bool kp_txn_is_giving_up(const kp_engine *e)
{
	kp_txn_state state = kp_engine_txn_state(e);
	return state == KP_TXN_MUST_ABORT || state == KP_TXN_ABORTING || state == KP_TXN_FENCED;
}

/* ------------------------------------------------------------------ what is open */

static kp_batch *first_open(const kp_engine *e)
{
	for (const kp_list *n = e->loop.by_serial.next; n != &e->loop.by_serial; n = n->next) {
		kp_batch *b = KP_CONTAINER_OF(n, kp_batch, serial_link);
		if (!kp_list_linked(&b->ended_link))
			return b;
	}
	return NULL;
}

/* What was not sent ends; but not what a thread is still sealing, which tells when it has. */
static void drop_unsent(kp_engine *e, int64_t now_us)
{
	kp_txn *t = &e->loop.txn;
	int error = kp_engine_txn_state(e) == KP_TXN_FENCED ? KP_ERR_PRODUCER_FENCED : KP_ERR_TRANSACTION_ABORTED;
	bool is_due = t->must_purge;
	t->must_purge = false;
	for (const kp_list *n = e->loop.by_serial.next; !is_due && n != &e->loop.by_serial; n = n->next) {
		kp_batch *b = KP_CONTAINER_OF(n, kp_batch, serial_link);
		is_due = !kp_list_linked(&b->ended_link) && !b->call && !b->is_acked && kp_batch_is_sealed(b);
	}
	if (is_due)
		kp_engine_purge(e, KP_PURGE_QUEUED, error, now_us);
}

static bool has_produce_in_flight(const kp_engine *e)
{
	for (size_t i = 0; i < e->loop.n_brokers; i++)
		if (e->loop.brokers[i]->n_produce > 0)
			return true;
	return false;
}

static bool is_drained(const kp_engine *e)
{
	const kp_txn *t = &e->loop.txn;
	return !t->has_lost_to_close && !first_open(e) && !t->is_calling && !t->is_adding && !has_produce_in_flight(e);
}

bool kp_txn_holds(kp_engine *e, kp_partition *p)
{
	kp_txn *t = &e->loop.txn;
	kp_txn_state state = kp_engine_txn_state(e);
	if (state == KP_TXN_NONE)
		return false;
	if (state != KP_TXN_OPEN && (state != KP_TXN_COMMITTING || t->phase != KP_TXN_DRAIN))
		return true;
	if (t->is_v2 || p->loop.txn_number == t->number)
		return false;
	bool has_batch = p->loop.open_created_us >= 0 || !kp_list_empty(&p->loop.ready);
	if (has_batch && !kp_list_linked(&p->loop.txn_link))
		kp_list_push_back(&t->to_add, &p->loop.txn_link);
	return true;
}

void kp_txn_added(kp_engine *e)
{
	kp_txn *t = &e->loop.txn;
	kp_list *n;
	KP_REACHED(TXN_ADDED);
	while ((n = kp_list_pop_front(&t->adding))) {
		kp_partition *p = KP_CONTAINER_OF(n, kp_partition, loop.txn_link);
		p->loop.txn_number = t->number;
		kp_partition_evaluate(e, p, e->loop.now_us);
	}
}

/* ------------------------------------------------------------------ operations */

void kp_txn_finish(kp_engine *e, int error)
{
	kp_txn *t = &e->loop.txn;
	t->is_over = true;
	t->error = error;
}

/* The protocol may be another from the next transaction on: then, as when sequences are in doubt, with the next epoch. */
static bool wants_epoch(const kp_engine *e)
{
	const kp_txn *t = &e->loop.txn;
	return t->needs_epoch || t->is_v2 != (e->loop.transaction_version >= 2);
}

/* Commit and abort, once what has to be done before is done. */
static void advance_end(kp_engine *e)
{
	kp_txn *t = &e->loop.txn;
	if (t->phase == KP_TXN_DRAIN) {
		if (!is_drained(e))
			return;
		if (!t->is_on_broker)
			KP_REACHED(TXN_EMPTY);
		t->phase = t->is_on_broker ? KP_TXN_END : KP_TXN_EPOCH;
	}
	if (t->is_calling)
		return;
	if (t->phase == KP_TXN_END)
		kp_txn_call_end(e);
	else if (wants_epoch(e))
		kp_txn_call_init(e);
	else
		kp_txn_finish(e, 0);
}

static void advance(kp_engine *e)
{
	kp_txn *t = &e->loop.txn;
	switch (t->op) {
	case KP_TXN_OP_INIT:
		if (!t->is_calling)
			kp_txn_call_init(e);
		break;
	case KP_TXN_OP_OFFSETS:
		if (!t->is_calling)
			kp_txn_call_offsets(e);
		break;
	default: advance_end(e); break;
	}
}

void kp_txn_step(kp_engine *e, int64_t now_us)
{
	kp_txn *t = &e->loop.txn;
	if (!kp_is_transactional(e))
		return;
	if (kp_txn_is_giving_up(e)) {
		kp_txn_drop_calls(e);
		drop_unsent(e, now_us);
	} else if (!kp_list_empty(&t->to_add) && !t->is_adding) {
		kp_txn_call_add(e);
	}
	if (t->op != KP_TXN_OP_NONE && !t->is_over)
		advance(e);
}

static void begin(kp_engine *e)
{
	kp_txn *t = &e->loop.txn;
	KP_REACHED(TXN_BEGUN);
	t->number++;
	t->cause = 0;
	t->cause_text[0] = 0;
	t->is_group_added = false;
	atomic_store_explicit(&e->shared.txn_refused, 0, memory_order_relaxed);
	atomic_store_explicit(&e->shared.txn_number, t->number, memory_order_relaxed);
	set_state(e, KP_TXN_OPEN);
	kp_engine_refuse(e, 0);
	kp_txn_finish(e, 0);
}

static void begin_commit(kp_engine *e, int64_t now_us)
{
	kp_txn *t = &e->loop.txn;
	bool is_again = kp_engine_txn_state(e) == KP_TXN_COMMITTING; /* the coordinator refused, and is asked anew */
	int refused = atomic_load_explicit(&e->shared.txn_refused, memory_order_relaxed);
	if (is_again)
		return;
	if (refused) {
		kp_txn_failed(e, refused, "kp_send refused a record with %s", kp_error_name(refused));
		return;
	}
	t->phase = KP_TXN_DRAIN;
	set_state(e, KP_TXN_COMMITTING);
	kp_engine_refuse(e, KP_ERR_NO_TRANSACTION);
	/* behind this every record of the transaction is in a batch of by_serial, also when it is moved to its partition later */
	(void)kp_engine_flush_begin(e, now_us);
	t->is_flushing = true;
}

static void begin_abort(kp_engine *e)
{
	kp_txn *t = &e->loop.txn;
	t->phase = KP_TXN_DRAIN;
	stop(e, KP_TXN_ABORTING, KP_ERR_NO_TRANSACTION);
}

static void start(kp_engine *e, kp_txn_op op, kp_txn_offsets **offsets, int64_t now_us)
{
	kp_txn *t = &e->loop.txn;
	e->loop.now_us = now_us;
	t->op = op;
	t->is_over = false;
	t->error = 0;
	t->n_concurrent = 0;
	switch (op) {
	case KP_TXN_OP_INIT:
		t->phase = KP_TXN_EPOCH;
		set_state(e, KP_TXN_INITIALIZING);
		break;
	case KP_TXN_OP_BEGIN: begin(e); break;
	case KP_TXN_OP_OFFSETS:
		t->offsets = *offsets;
		*offsets = NULL;
		if (t->offsets->n == 0)
			kp_txn_finish(e, 0);
		break;
	case KP_TXN_OP_COMMIT: begin_commit(e, now_us); break;
	default: begin_abort(e); break;
	}
	if (!t->is_over && (op == KP_TXN_OP_COMMIT || op == KP_TXN_OP_ABORT) && t->phase == KP_TXN_DRAIN) {
		if (op == KP_TXN_OP_ABORT)
			drop_unsent(e, now_us);
		advance(e); /* an empty transaction is over here */
	}
}

static bool may_start(const kp_engine *e, kp_txn_op op)
{
	const kp_txn *t = &e->loop.txn;
	kp_txn_state state = kp_engine_txn_state(e);
	/* what never becomes visible may be given up while other things are under way */
	bool may_abort = state == KP_TXN_OPEN || state == KP_TXN_MUST_ABORT ||
	                 (state == KP_TXN_COMMITTING && t->op == KP_TXN_OP_COMMIT && t->phase == KP_TXN_DRAIN);
	if (op == KP_TXN_OP_ABORT)
		return may_abort && t->op != KP_TXN_OP_ABORT;
	if (t->op != KP_TXN_OP_NONE)
		return false;
	switch (op) {
	case KP_TXN_OP_INIT: return state == KP_TXN_UNINITIALIZED;
	case KP_TXN_OP_BEGIN: return state == KP_TXN_READY;
	case KP_TXN_OP_OFFSETS: return state == KP_TXN_OPEN;
	case KP_TXN_OP_COMMIT: return state == KP_TXN_OPEN || state == KP_TXN_COMMITTING;
	default: return false;
	}
}

static kp_txn_state state_after(kp_txn_op op, int error, kp_txn_state state)
{
	if (state == KP_TXN_INITIALIZING)
		return error ? KP_TXN_UNINITIALIZED : KP_TXN_READY;
	if (state == KP_TXN_ABORTING)
		return error ? KP_TXN_MUST_ABORT : KP_TXN_READY;
	if (state == KP_TXN_COMMITTING && op == KP_TXN_OP_COMMIT && !error)
		return KP_TXN_READY;
	return state;
}

/* The operation is over, and told. */
static void take_result(kp_engine *e)
{
	kp_txn *t = &e->loop.txn;
	kp_txn_state state = kp_engine_txn_state(e), after = state_after(t->op, t->error, state);
	if (state == KP_TXN_INITIALIZING && !t->error)
		KP_REACHED(TXN_READY);
	set_state(e, after);
	if (after == KP_TXN_MUST_ABORT)
		kp_engine_refuse(e, KP_ERR_TRANSACTION_ABORTABLE);
	kp_mem_free(t->offsets);
	t->offsets = NULL;
	t->op = KP_TXN_OP_NONE;
	t->is_over = false;
}

static int refusal_of(const kp_engine *e, kp_txn_op op)
{
	kp_txn_state state = kp_engine_txn_state(e);
	if (state == KP_TXN_FENCED)
		return KP_ERR_PRODUCER_FENCED;
	return state == KP_TXN_MUST_ABORT && op != KP_TXN_OP_INIT ? KP_ERR_TRANSACTION_ABORTABLE : KP_ERR_BAD_STATE;
}

bool kp_engine_txn(kp_engine *e, kp_txn_op op, kp_txn_offsets **offsets, int64_t now_us, kp_txn_error *out)
{
	kp_txn *t = &e->loop.txn;
	bool is_resumed = t->op == op && op != KP_TXN_OP_NONE;
	if (is_resumed && op == KP_TXN_OP_OFFSETS && offsets && *offsets && !kp_txn_offsets_equal(t->offsets, *offsets))
		is_resumed = false;
	/* of an operation that failed the state says enough: its result need not be asked for first */
	if (!is_resumed && t->is_over && t->error && kp_txn_is_giving_up(e))
		take_result(e);
	if (!is_resumed) {
		if (!may_start(e, op)) {
			kp_txn_describe(e, op, refusal_of(e, op), out);
			return true;
		}
		start(e, op, offsets, now_us);
	}
	if (!t->is_over)
		return false;
	int error = t->error;
	take_result(e);
	kp_txn_describe(e, op, error, out);
	return true;
}

bool kp_engine_txn_is_under_way(const kp_engine *e)
{
	return e->loop.txn.op != KP_TXN_OP_NONE && !e->loop.txn.is_over;
}

void kp_engine_txn_left(kp_engine *e, kp_txn_op op, int error, kp_txn_error *out)
{
	kp_txn *t = &e->loop.txn;
	bool is_commit = op == KP_TXN_OP_COMMIT && t->op == op && error == KP_ERR_CLOSED;
	bool is_answered = is_commit && t->phase == KP_TXN_EPOCH && !t->is_on_broker;
	t->in_doubt |= is_commit && t->phase == KP_TXN_END;
	kp_txn_describe(e, op, is_answered ? 0 : error, out);
}

bool kp_engine_txn_settle(kp_engine *e, int64_t now_us, int *error)
{
	kp_txn *t = &e->loop.txn;
	kp_txn_state state = kp_engine_txn_state(e);
	bool is_open = state == KP_TXN_OPEN || state == KP_TXN_MUST_ABORT;
	*error = 0;
	if (is_open && !t->is_settling) {
		t->is_settling = true;
		start(e, KP_TXN_OP_ABORT, NULL, now_us);
	}
	if (state != KP_TXN_INITIALIZING && kp_engine_txn_is_under_way(e))
		return false;
	if (t->is_over && (t->op == KP_TXN_OP_COMMIT || t->op == KP_TXN_OP_ABORT))
		*error = t->error;
	else if (state == KP_TXN_COMMITTING)
		*error = t->call.last_error; /* refused for good, and the caller was told */
	if (t->is_settling && !*error)
		*error = KP_ERR_TRANSACTION_ABORTED;
	return true;
}
