/*
 * txn_names.c - states, next calls and calls by their names.
 */
#include "base/compiler.h"
#include "producer/engine.h"

static const char *name_at(const char *const *names, size_t n, int i)
{
	return i >= 0 && (size_t)i < n ? names[i] : "unknown";
}

const char *kp_txn_state_name(kp_txn_state s)
{
	static const char *const names[] = {
		[KP_TXN_NONE] = "none",
		[KP_TXN_UNINITIALIZED] = "uninitialized",
		[KP_TXN_INITIALIZING] = "initializing",
		[KP_TXN_READY] = "ready",
		[KP_TXN_OPEN] = "open",
		[KP_TXN_MUST_ABORT] = "must_abort",
		[KP_TXN_COMMITTING] = "committing",
		[KP_TXN_ABORTING] = "aborting",
		[KP_TXN_FENCED] = "fenced",
	};
	return name_at(names, KP_ARRAY_LEN(names), (int)s);
}

const char *kp_txn_next_name(kp_txn_next n)
{
	static const char *const names[] = {
		[KP_TXN_NEXT_NOTHING] = "nothing",           [KP_TXN_NEXT_RETRY] = "retry",           [KP_TXN_NEXT_ABORT] = "abort",
		[KP_TXN_NEXT_NEW_INSTANCE] = "new_instance", [KP_TXN_NEXT_OTHER_CALL] = "other_call",
	};
	return name_at(names, KP_ARRAY_LEN(names), (int)n);
}

const char *kp_txn_op_name(kp_txn_op op)
{
	static const char *const names[] = {
		[KP_TXN_OP_NONE] = "",
		[KP_TXN_OP_INIT] = "kp_init_transactions",
		[KP_TXN_OP_BEGIN] = "kp_begin_transaction",
		[KP_TXN_OP_OFFSETS] = "kp_send_offsets_to_transaction",
		[KP_TXN_OP_COMMIT] = "kp_commit_transaction",
		[KP_TXN_OP_ABORT] = "kp_abort_transaction",
	};
	return name_at(names, KP_ARRAY_LEN(names), (int)op);
}
