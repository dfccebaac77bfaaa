/*
 * txn_actor.c - the application of a transactional producer: what kp_txn_error.next says is all that it goes by.
 *
 *   init ─▶ begin ─▶ send … ─▶ offsets ─▶ commit │ abort ─▶ begin …      each may time out, and is resumed, by the same call
 *     ▲                  └ failed: abort ┘
 *     └ a new instance, when this one is over (txns.c)
 */
#include <kproducer/error.h>

#include <string.h>

#include "base/mem.h"
#include "producer/engine_impl.h"
#include "producer/txn_offsets.h"
#include "tests/sim/memory.h"
#include "tests/sim/txn.h"

#define FULL_MOST 40 /* tries to find room for a record */

void sim_actor_wake(sim_world *w, int64_t in_us)
{
	sim_at(w, w->now_us + in_us, SIM_EV_ACTOR, NULL, ++w->me->actor->serial, 0);
}

bool sim_actor_is_idle(const sim_actor *a)
{
	return a->op == KP_TXN_OP_NONE && !a->is_leaving;
}

static void rest(sim_world *w)
{
	sim_actor_wake(w, sim_spread(&w->application, 1, w->plan.pause_max_us));
}

void sim_actor_begin(sim_world *w, int id)
{
	sim_actor *a = sim_alloc(NULL, sizeof(*a));
	*a = (sim_actor){.id = id, .txn = -1, .owned_us = -1, .failed_at = UINT64_MAX, .fenced_at = UINT64_MAX};
	w->me->actor = a;
	rest(w);
}

/* ------------------------------------------------------------------ operations */

static const char *const op_names[] = {"nothing", "init", "begin", "send offsets", "commit", "abort"};

static kp_txn_offsets *make_offsets(const sim_world *w, const sim_actor *a)
{
	char group[32];
	kp_offset offsets[SIM_GROUP_PARTITIONS];
	kp_group_metadata g = KP_GROUP_METADATA_INIT;
	sim_group_name(a->id, a->group, group, sizeof(group));
	g.group_id = group;
	for (size_t i = 0; i < a->n_offsets; i++) {
		offsets[i] = KP_OFFSET_INIT;
		offsets[i].topic = w->plan.topics[0].name;
		offsets[i].partition = (int32_t)i;
		offsets[i].offset = a->base_offset + (int64_t)i;
	}
	kp_txn_offsets *o = kp_txn_offsets_new(&g, offsets, a->n_offsets);
	if (!o)
		sim_alloc(NULL, SIZE_MAX);
	return o;
}

static void note_offsets(sim_world *w, const sim_actor *a)
{
	sim_txn *t = sim_txn_of(w, w->me);
	for (size_t i = 0; i < a->n_offsets; i++)
		t->offsets[a->group][i] = a->base_offset + (int64_t)i;
}

/* Says the error what it must, and does it fit the state? */
static void check_error(sim_world *w, kp_txn_op op, const kp_txn_error *err)
{
	if (err->state != kp_engine_txn_state(w->me->engine))
		sim_fail(w, "txn", "%s: state %d is told, %d it is", op_names[op], err->state, kp_engine_txn_state(w->me->engine));
	if ((err->error == 0) != (err->next == KP_TXN_NEXT_NOTHING) || (err->error != 0) != (err->text[0] != 0))
		sim_fail(w, "txn", "%s: error %d with next %d and text '%s'", op_names[op], err->error, err->next, err->text);
	if (err->next == KP_TXN_NEXT_ABORT && err->state != KP_TXN_MUST_ABORT)
		sim_fail(w, "txn", "%s: abort is told, in state %d", op_names[op], err->state);
	bool is_misused = op == KP_TXN_OP_INIT && err->next == KP_TXN_NEXT_NEW_INSTANCE; /* a configuration that cannot work */
	/* a commit that was answered is one, whatever came behind */
	bool is_just_done = op == KP_TXN_OP_COMMIT && err->error == 0;
	if ((err->next == KP_TXN_NEXT_NEW_INSTANCE) != (err->state == KP_TXN_FENCED) && !is_misused && !is_just_done)
		sim_fail(w, "txn", "%s: next %d in state %d", op_names[op], err->next, err->state);
}

/* A call that does not fit: it is refused, and changes nothing but that the result of what failed is taken. */
static void call_wrongly(sim_world *w, kp_txn_op op)
{
	kp_txn_error err = KP_TXN_ERROR_INIT;
	bool is_under_way = kp_engine_txn_is_under_way(w->me->engine);
	kp_txn_state before = kp_engine_txn_state(w->me->engine);
	bool is_refused = kp_engine_txn(w->me->engine, op, NULL, w->now_us, &err) && err.error != 0;
	kp_txn_state after = kp_engine_txn_state(w->me->engine);
	int due = after == KP_TXN_FENCED       ? KP_ERR_PRODUCER_FENCED
	          : after == KP_TXN_MUST_ABORT ? KP_ERR_TRANSACTION_ABORTABLE
	                                       : KP_ERR_BAD_STATE;
	if (!is_refused || err.error != due)
		sim_fail(w, "txn", "%s in state %d: error %d", op_names[op], before, err.error);
	if (is_under_way && after != before)
		sim_fail(w, "txn", "a refused %s changes the state", op_names[op]);
	check_error(w, op, &err);
}

static void own(sim_world *w)
{
	sim_actor *a = w->me->actor;
	a->owned_us = w->now_us;
	a->owned_epoch = w->me->engine->loop.producer_epoch;
	if (!sim_txn_is_overtaken(w, a, a->owned_epoch, w->now_us))
		sim_txn_check_owner(w, w->me->engine->loop.producer_id);
}

static void committed(sim_world *w)
{
	sim_actor *a = w->me->actor;
	sim_txn *t = sim_txn_of(w, w->me);
	uint32_t lost = sim_txn_unpersisted(w, t);
	if (lost)
		sim_fail(w, "I6", "client %d committed, and record #%u was not persisted", w->me->index, lost - 1);
	if (t->is_refused)
		sim_fail(w, "I6", "client %d committed although a record had been refused", w->me->index);
	if (sim_txn_is_zombie(w, t))
		sim_fail(w, "I6", "client %d committed although another had got %s before it asked", w->me->index,
		         w->txns->ids[t->id].name);
	if (t->has_left && !t->is_answered)
		sim_fail(w, "T3", "client %d tells a commit that no coordinator told", w->me->index);
	t->told = SIM_TOLD_COMMITTED;
	a->txn = -1;
	w->totals->committed++;
	if (a->is_final && t->n_records > 0)
		w->txns->ids[a->id].is_over = true;
}

static void aborted(sim_world *w)
{
	sim_txn *t = sim_txn_of(w, w->me);
	if (t->has_left && !t->is_answered && !t->is_commit_refused)
		sim_fail(w, "T3", "client %d tells an abort that no coordinator told", w->me->index);
	t->told = SIM_TOLD_ABORTED;
	w->me->actor->txn = -1;
	w->totals->aborted++;
}

static void leave(sim_world *w)
{
	sim_actor *a = w->me->actor;
	SIM_TRACE(w, "client %d leaves, state %s", w->me->index, kp_txn_state_name(kp_engine_txn_state(w->me->engine)));
	a->is_leaving = true;
	a->op = KP_TXN_OP_NONE;
	a->until_us = w->now_us + w->plan.close_timeout_us;
	sim_client_stop(w);
	sim_actor_wake(w, w->plan.close_timeout_us);
}

static void ended(sim_world *w, kp_txn_op op, const kp_txn_error *err)
{
	sim_actor *a = w->me->actor;
	SIM_TRACE(w, "client %d: %s ends with %s, next %s, state %s: %s", w->me->index, op_names[op], kp_error_name(err->error),
	          kp_txn_next_name(err->next), kp_txn_state_name(err->state), err->text);
	check_error(w, op, err);
	w->totals->txn_ends[op][err->next]++;
	if (err->error == 0) {
		switch (op) {
		case KP_TXN_OP_INIT: own(w); break;
		case KP_TXN_OP_BEGIN: a->txn = (int32_t)(sim_txn_new(w, a->id) - w->txns->all); break;
		case KP_TXN_OP_OFFSETS: note_offsets(w, a); break;
		case KP_TXN_OP_COMMIT: committed(w); break;
		case KP_TXN_OP_ABORT: aborted(w); break;
		case KP_TXN_OP_NONE: break;
		}
	}
	switch (err->next) {
	case KP_TXN_NEXT_RETRY: /* the call as it was */
		a->instead_of = KP_TXN_OP_NONE;
		a->op = op;
		rest(w);
		break;
	case KP_TXN_NEXT_NEW_INSTANCE:
		if (op == KP_TXN_OP_COMMIT && !err->in_doubt && sim_txn_of(w, w->me))
			sim_txn_of(w, w->me)->told = SIM_TOLD_ABORTED; /* for that is what it says */
		leave(w);
		break;
	case KP_TXN_NEXT_OTHER_CALL:
		if (a->instead_of == KP_TXN_OP_NONE)
			sim_fail(w, "txn", "%s is refused: %s", op_names[op], err->text);
		a->op = a->instead_of; /* that is too far to be given up */
		rest(w);
		break;
	default: rest(w);
	}
}

/* Start what a->op says, go on with it, or take its result. */
static void poll(sim_world *w)
{
	sim_actor *a = w->me->actor;
	kp_txn_op op = a->op;
	kp_txn_error err = KP_TXN_ERROR_INIT;
	kp_txn_offsets *o = op == KP_TXN_OP_OFFSETS ? make_offsets(w, a) : NULL;
	bool is_over = kp_engine_txn(w->me->engine, op, &o, w->now_us, &err);
	kp_mem_free(o);
	w->me->is_woken = true;
	if (!is_over)
		return;
	a->op = KP_TXN_OP_NONE;
	a->is_waiting = false;
	ended(w, op, &err);
}

/* What timed out is called again, or the transaction is given up. */
static kp_txn_op resumed(sim_world *w)
{
	sim_actor *a = w->me->actor;
	bool may_abort = a->op == KP_TXN_OP_OFFSETS || a->op == KP_TXN_OP_COMMIT;
	bool gives_up = may_abort && !a->is_final && sim_chance(&w->application, 20);
	a->instead_of = gives_up ? a->op : KP_TXN_OP_NONE;
	return gives_up ? KP_TXN_OP_ABORT : a->op;
}

static void start(sim_world *w, kp_txn_op op)
{
	sim_actor *a = w->me->actor;
	bool is_short = !w->is_calm && sim_chance(&w->application, w->plan.percent_short_calls);
	a->op = op;
	a->is_waiting = true;
	a->until_us = w->now_us + (is_short ? sim_spread(&w->application, 1, 50 * SIM_MS) : 60 * SIM_SECOND);
	SIM_TRACE(w, "client %d: %s, until %.3f ms", w->me->index, op_names[op], (double)a->until_us / 1000);
	sim_txn *t = sim_txn_of(w, w->me);
	if (t && op == KP_TXN_OP_OFFSETS)
		t->has_asked_offsets = true;
	if (t && op == KP_TXN_OP_COMMIT && t->commit_us < 0)
		t->commit_us = w->now_us;
	sim_actor_wake(w, a->until_us - w->now_us);
	poll(w);
}

/* A record while the transaction is being ended belongs to none: it is refused (check_refusal), and by sim_txn_accepted if it is not. */
static void send_wrongly(sim_world *w)
{
	if (sim_offer(w, w->n_records)) {
		w->records[w->n_records] = (sim_record){0};
		w->totals->refused++;
	}
	w->n_records++;
}

static void time_out(sim_world *w)
{
	sim_actor *a = w->me->actor;
	kp_txn_error err = KP_TXN_ERROR_INIT;
	a->is_waiting = false;
	kp_engine_txn_left(w->me->engine, a->op, KP_ERR_TIMED_OUT, &err);
	SIM_TRACE(w, "client %d: %s times out: %s", w->me->index, op_names[a->op], err.text);
	if (err.error != KP_ERR_TIMED_OUT || err.next != KP_TXN_NEXT_RETRY || !err.text[0])
		sim_fail(w, "txn", "%s timed out: error %d, next %d, '%s'", op_names[a->op], err.error, err.next, err.text);
	w->totals->timed_out_calls++;
	if (sim_chance(&w->application, 20) && w->n_records < w->plan.n_records)
		send_wrongly(w);
	if (sim_chance(&w->application, 20))
		call_wrongly(w, a->op == KP_TXN_OP_INIT ? KP_TXN_OP_COMMIT : KP_TXN_OP_BEGIN);
	rest(w);
}

/* ------------------------------------------------------------------ a transaction */

static void begin(sim_world *w)
{
	sim_actor *a = w->me->actor;
	a->is_final = w->is_calm && w->n_records >= w->plan.n_records;
	a->n_to_send = a->is_final || !sim_chance(&w->application, 10)
	                       ? (int32_t)sim_spread(&w->application, 1, w->plan.most_in_txn)
	                       : 0;
	if (a->is_final)
		a->n_to_send = SIM_EPILOGUE_RECORDS * w->plan.n_topics;
	a->n_offsets_to_send = sim_chance(&w->application, w->plan.percent_offsets) ? (int32_t)sim_range(&w->application, 1, 2) : 0;
	a->wants_abort = !a->is_final && sim_chance(&w->application, 20);
	start(w, KP_TXN_OP_BEGIN);
}

/* No transaction is open. */
static void between(sim_world *w)
{
	sim_actor *a = w->me->actor;
	const sim_txn_id *id = &w->txns->ids[a->id];
	bool is_done = w->n_records >= w->plan.n_records, is_newest = id->newest == w->me->index;
	/* who has too little time for a transaction would try for ever */
	bool is_hurried = w->me->engine->config.transaction_timeout_ms < SIM_CALM_TIMEOUT_MS;
	if (id->is_over || (w->is_calm && (!is_newest || is_hurried)) ||
	    (!w->is_calm && sim_chance(&w->application, w->plan.percent_close)))
		leave(w);
	else if (is_done && !w->is_calm)
		return; /* until it is */
	else {
		if (sim_chance(&w->application, 3))
			call_wrongly(w, KP_TXN_OP_COMMIT);
		begin(w);
	}
}

/* As kp_send does it: what an application believes to have sent must not be missing in what it commits. */
static void refused(sim_world *w, int err)
{
	sim_txn *t = sim_txn_of(w, w->me);
	kp_engine_txn_refused(w->me->engine, err);
	if (t && kp_engine_txn_state(w->me->engine) == KP_TXN_OPEN)
		t->is_refused = true;
}

/* The next record; false: no more now. */
static bool send_one(sim_world *w)
{
	sim_actor *a = w->me->actor;
	if (w->n_records >= w->plan.n_records + (a->is_final ? SIM_FINAL_RECORDS : 0)) {
		if (a->is_final)
			sim_fail(w, "I9", "%s: one transaction after the other fails although the faults stopped long ago",
			         w->txns->ids[a->id].name);
		a->n_to_send = 0;
		return false;
	}
	int err = sim_offer(w, w->n_records);
	if (err == KP_ERR_WOULD_BLOCK && (++a->n_full < FULL_MOST || a->is_final)) {
		kp_engine_hurry(w->me->engine);
		return false;
	}
	a->n_full = 0;
	a->n_to_send--;
	if (err) {
		refused(w, err);
		w->records[w->n_records] = (sim_record){0};
		w->totals->refused++;
	}
	w->n_records++;
	return err == 0;
}

static void send_some(sim_world *w)
{
	uint32_t n = (uint32_t)sim_range(&w->application, 1, w->plan.burst_max);
	if (!w->me->actor->is_final && sim_chance(&w->application, w->plan.percent_purge))
		sim_purge(w);
	if (!w->me->is_flushing && sim_chance(&w->application, w->plan.percent_flush))
		sim_flush_begin(w);
	if (sim_chance(&w->application, w->plan.percent_call))
		sim_call_begin(w);
	while (w->me->actor->n_to_send > 0 && n-- > 0 && send_one(w))
		;
	rest(w);
}

static void go_on(sim_world *w)
{
	sim_actor *a = w->me->actor;
	if (!w->is_calm && sim_chance(&w->application, w->plan.percent_close)) {
		leave(w);
	} else if (a->n_to_send > 0) {
		send_some(w);
	} else if (a->n_offsets_to_send > 0) {
		a->n_offsets_to_send--;
		a->group = (int)sim_range(&w->application, 0, SIM_GROUPS - 1);
		a->base_offset = (int64_t)(w->txns->n * 10) + sim_range(&w->application, 0, 5);
		int32_t most = w->plan.topics[0].n_partitions;
		a->n_offsets = (size_t)sim_range(&w->application, 1, most < SIM_GROUP_PARTITIONS ? most : SIM_GROUP_PARTITIONS);
		start(w, KP_TXN_OP_OFFSETS);
	} else {
		start(w, a->wants_abort ? KP_TXN_OP_ABORT : KP_TXN_OP_COMMIT);
	}
}

/* ------------------------------------------------------------------ steps */

static void finish_leaving(sim_world *w)
{
	int error;
	if (!kp_engine_txn_settle(w->me->engine, w->now_us, &error) && w->now_us < w->me->actor->until_us)
		return;
	sim_client_close(w);
	sim_txn_died(w);
}

static void step(sim_world *w)
{
	switch (kp_engine_txn_state(w->me->engine)) {
	case KP_TXN_UNINITIALIZED: start(w, KP_TXN_OP_INIT); break;
	case KP_TXN_READY: between(w); break;
	case KP_TXN_OPEN: go_on(w); break;
	case KP_TXN_MUST_ABORT: start(w, sim_chance(&w->application, 20) ? KP_TXN_OP_COMMIT : KP_TXN_OP_ABORT); break;
	case KP_TXN_FENCED:
		/* some learn it from a call */
		if (w->n_records < w->plan.n_records && sim_chance(&w->application, 50))
			send_wrongly(w);
		if (sim_chance(&w->application, 50))
			leave(w);
		else
			start(w, sim_txn_of(w, w->me) ? KP_TXN_OP_COMMIT : KP_TXN_OP_BEGIN);
		break;
	default: sim_fail(w, "txn", "state %d without a call under way", kp_engine_txn_state(w->me->engine));
	}
}

void sim_on_actor(sim_world *w, const sim_event *ev)
{
	sim_actor *a = w->me->actor;
	if (!w->me->engine || ev->a != a->serial)
		return;
	if (a->is_leaving)
		finish_leaving(w);
	else if (a->op == KP_TXN_OP_NONE)
		step(w);
	else if (!a->is_waiting)
		start(w, resumed(w));
	else if (w->now_us >= a->until_us)
		time_out(w);
}

void sim_actor_stepped(sim_world *w)
{
	sim_actor *a = w->me->actor;
	kp_txn_state state = kp_engine_txn_state(w->me->engine);
	bool has_failed = state == KP_TXN_MUST_ABORT || state == KP_TXN_ABORTING || state == KP_TXN_FENCED;
	a->failed_at = !has_failed ? UINT64_MAX : a->failed_at == UINT64_MAX ? w->totals->turns : a->failed_at;
	if (state == KP_TXN_FENCED && a->fenced_at == UINT64_MAX)
		a->fenced_at = w->totals->turns;
}

void sim_actor_after_turn(sim_world *w)
{
	sim_actor *a = w->me->actor;
	int error;
	if (a->is_leaving && kp_engine_txn_settle(w->me->engine, w->now_us, &error))
		sim_actor_wake(w, 0);
	else if (a->op && a->is_waiting && !kp_engine_txn_is_under_way(w->me->engine))
		poll(w);
}

bool sim_actor_refuses(const sim_world *w, int err)
{
	switch (kp_engine_txn_state(w->me->engine)) {
	case KP_TXN_OPEN: return false;
	case KP_TXN_MUST_ABORT: return err == KP_ERR_TRANSACTION_ABORTABLE;
	case KP_TXN_FENCED: return err == KP_ERR_PRODUCER_FENCED;
	default: return err == KP_ERR_NO_TRANSACTION;
	}
}
