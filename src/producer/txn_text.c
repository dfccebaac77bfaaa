/*
 * txn_text.c - what a transactional call returned, in words: the call, what happened, the state, the next call.
 */
#include <kproducer/error.h>

#include <stdio.h>
#include <string.h>

#include "producer/engine_impl.h"

/* What fits the state, for a call that does not. */
static const char *fitting_call(kp_txn_state state)
{
	switch (state) {
	case KP_TXN_NONE: return "set transactional.id to use transactions";
	case KP_TXN_UNINITIALIZED: return "call kp_init_transactions first";
	case KP_TXN_INITIALIZING: return "call kp_init_transactions again to have its result";
	case KP_TXN_READY: return "no transaction is open: call kp_begin_transaction";
	case KP_TXN_OPEN: return "a transaction is open: call kp_commit_transaction or kp_abort_transaction";
	case KP_TXN_COMMITTING: return "call kp_commit_transaction again to have its result";
	case KP_TXN_ABORTING: return "call kp_abort_transaction again to have its result";
	case KP_TXN_MUST_ABORT: return "call kp_abort_transaction";
	default: return "";
	}
}

/* What a call that timed out waits for. */
static void missing(const kp_engine *e, char *out, size_t size)
{
	const kp_txn *t = &e->loop.txn;
	const kp_call *call = t->is_calling ? &t->call : t->is_adding ? &t->add_call : NULL;
	int last = call ? call->last_error : 0;
	if (!call) {
		(void)snprintf(out, size, "records of the transaction have no answer yet");
		return;
	}
	const kp_coordinator *c = call->coordinator;
	(void)snprintf(out, size, "%s %s has not %s",
	               c->type == KP_COORDINATES_GROUP ? "the coordinator of group" : "the coordinator of", c->key,
	               c->node < 0 ? "been found" : "answered");
	size_t len = strlen(out);
	if (last && len < size)
		(void)snprintf(out + len, size - len, ", last answer %s (%s)", kp_error_name(last), kp_error_text(last));
}

static kp_txn_next next_of(kp_txn_op op, int error, kp_txn_state state)
{
	if (!error)
		return KP_TXN_NEXT_NOTHING;
	if (state == KP_TXN_FENCED || error == KP_ERR_CLOSED || error == KP_ERR_FORKED)
		return KP_TXN_NEXT_NEW_INSTANCE;
	if (error == KP_ERR_BAD_STATE || error == KP_ERR_BAD_ARGUMENT || error == KP_ERR_IN_CALLBACK)
		return KP_TXN_NEXT_OTHER_CALL;
	if (op == KP_TXN_OP_INIT && kp_error_get_class(error) == KP_CLASS_USAGE)
		return KP_TXN_NEXT_NEW_INSTANCE; /* the configuration is wrong, and is fixed when a producer is made */
	if (state == KP_TXN_MUST_ABORT && op != KP_TXN_OP_ABORT)
		return KP_TXN_NEXT_ABORT;
	return KP_TXN_NEXT_RETRY;
}

static const char *advice(kp_txn_op op, int error, kp_txn_next next)
{
	switch (next) {
	case KP_TXN_NEXT_ABORT: return "call kp_abort_transaction, then begin again";
	case KP_TXN_NEXT_NEW_INSTANCE:
		return op == KP_TXN_OP_INIT && error == KP_ERR_INVALID_TRANSACTION_TIMEOUT
		               ? "make a new producer with transaction.timeout.ms at most the brokers' transaction.max.timeout.ms"
		               : "close this producer and make a new one";
	case KP_TXN_NEXT_RETRY:
		return error == KP_ERR_TIMED_OUT ? "it goes on; call it again" : "put the cause right, and call it again";
	default: return "";
	}
}

void kp_txn_describe(const kp_engine *e, kp_txn_op op, int error, kp_txn_error *out)
{
	const kp_txn *t = &e->loop.txn;
	kp_txn_state state = kp_engine_txn_state(e);
	char detail[420] = "";
	*out = (kp_txn_error){.struct_size = sizeof(*out), .error = error, .cause = error, .state = state};
	out->next = next_of(op, error, state);
	if (!error)
		return;
	out->in_doubt = t->in_doubt && op == KP_TXN_OP_COMMIT;
	bool is_of_transaction = state == KP_TXN_MUST_ABORT || state == KP_TXN_FENCED;
	if (error == KP_ERR_TIMED_OUT) {
		missing(e, detail, sizeof(detail));
		out->cause = t->is_calling && t->call.last_error ? t->call.last_error : error;
	} else if (error == KP_ERR_BAD_STATE) {
		bool is_busy = state == KP_TXN_OPEN && t->op == KP_TXN_OP_OFFSETS;
		(void)snprintf(detail, sizeof(detail), "%s",
		               is_busy ? "call kp_send_offsets_to_transaction again, with the same offsets, to have its result"
		                       : fitting_call(state));
	} else if (is_of_transaction && t->cause) {
		out->cause = t->cause;
		(void)snprintf(detail, sizeof(detail), "%s", t->cause_text);
	} else if (op == KP_TXN_OP_INIT && error == KP_ERR_NOT_SUPPORTED) {
		(void)snprintf(detail, sizeof(detail),
		               "transactions need InitProducerId 3, that is Apache Kafka 2.5 or later, on all brokers");
	} else {
		(void)snprintf(detail, sizeof(detail), "%s", kp_error_text(error));
	}
	const char *what = advice(op, error, out->next);
	(void)snprintf(out->text, sizeof(out->text), "%s: %s in state %s: %s%s%s%s", kp_txn_op_name(op), kp_error_name(error),
	               kp_txn_state_name(state), detail,
	               out->in_doubt ? "; whether the transaction was committed is not known" : "", *what ? "; " : "", what);
}
