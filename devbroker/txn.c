/*
 * txn.c - see txn.h.
 */
#include "devbroker/txn.h"

#include "kproducer/error.h"

#define LAST_EPOCH (INT16_MAX - 1) /* TransactionMetadata.isEpochExhausted: one more is kept for fencing */

const char *kp_db_txn_state_name(kp_db_txn_state s)
{
	static const char *const names[] = {"Empty", "Ongoing", "PrepareCommit", "PrepareAbort", "CompleteCommit", "CompleteAbort"};
	return (size_t)s < KP_ARRAY_LEN(names) ? names[s] : "?";
}

bool kp_db_txn_wants_id(const kp_db_txn_meta *m)
{
	return m->epoch >= LAST_EPOCH;
}

void kp_db_txn_new_meta(kp_db_txn_meta *m, int64_t producer_id)
{
	*m = (kp_db_txn_meta){
		.producer_id = producer_id,
		.prev_producer_id = -1,
		.next_producer_id = -1,
		.epoch = -1,
		.last_epoch = -1,
		.start_ms = -1,
	};
}

static kp_db_txn_step refuse(int16_t code)
{
	return (kp_db_txn_step){.code = code};
}

static kp_db_txn_step go_to(const kp_db_txn_meta *m, kp_db_txn_state state)
{
	kp_db_txn_step s = {.is_changed = true, .next = *m};
	s.next.state = state;
	s.next.prev_producer_id = m->producer_id;
	return s;
}

/* May this producer initialise? (prepareInitProducerIdTransit.isValidProducerId) */
static bool may_init(const kp_db_txn_meta *m, const kp_db_txn_who *who)
{
	bool is_previous = who->producer_id == m->prev_producer_id && who->epoch >= LAST_EPOCH;
	return who->producer_id < 0 || m->epoch == -1 || who->producer_id == m->producer_id || is_previous;
}

/* A new producer id, or the next epoch of the one there is. */
static kp_db_txn_step begin_anew(const kp_db_txn_meta *m, const kp_db_txn_who *who, int32_t timeout_ms)
{
	bool is_named = who->producer_id >= 0;
	kp_db_txn_step s = go_to(m, KP_DB_TXN_EMPTY);
	s.next.timeout_ms = timeout_ms;
	s.next.start_ms = -1;
	s.next.next_producer_id = -1;
	if (kp_db_txn_wants_id(m) && (!is_named || who->epoch == m->epoch)) {
		s.next.producer_id = who->fresh_id;
		s.next.epoch = 0;
		s.next.last_epoch = is_named ? m->epoch : -1;
	} else if (kp_db_txn_wants_id(m)) {
		return refuse(KP_ERR_UNKNOWN_SERVER_ERROR);
	} else if (!is_named) {
		s.next.epoch = (int16_t)(m->epoch + 1);
		s.next.last_epoch = -1;
	} else if (m->epoch == -1 || who->epoch == m->epoch) {
		s.next.epoch = (int16_t)(m->epoch + 1);
		s.next.last_epoch = m->epoch;
	} else if (who->epoch != m->last_epoch) { /* else it is asked again: the same answer */
		return refuse(KP_ERR_PRODUCER_FENCED);
	}
	return s;
}

kp_db_txn_step kp_db_txn_init(const kp_db_txn_meta *m, const kp_db_txn_who *who, int32_t timeout_ms, int16_t version)
{
	if (!may_init(m, who))
		return refuse(KP_ERR_PRODUCER_FENCED);
	if (kp_db_txn_is_ending(m))
		return refuse(KP_ERR_CONCURRENT_TRANSACTIONS);
	if (m->state != KP_DB_TXN_ONGOING)
		return begin_anew(m, who, timeout_ms);
	kp_db_txn_step s = kp_db_txn_fence(m, who, version);
	s.code = KP_ERR_CONCURRENT_TRANSACTIONS; /* come again when it is aborted */
	return s;
}

int16_t kp_db_txn_check(const kp_db_txn_meta *m, const kp_db_txn_who *who)
{
	if (who->producer_id != m->producer_id)
		return KP_ERR_INVALID_PRODUCER_ID_MAPPING;
	if (who->epoch != m->epoch)
		return KP_ERR_PRODUCER_FENCED;
	return kp_db_txn_is_ending(m) ? KP_ERR_CONCURRENT_TRANSACTIONS : 0;
}

kp_db_txn_step kp_db_txn_add(const kp_db_txn_meta *m, const kp_db_txn_who *who, int16_t version)
{
	int16_t code = kp_db_txn_check(m, who);
	if (code)
		return refuse(code);
	kp_db_txn_step s = go_to(m, KP_DB_TXN_ONGOING);
	if (m->state != KP_DB_TXN_ONGOING)
		s.next.start_ms = who->now_ms;
	s.next.version = version;
	return s;
}

/* prepareAbortOrCommit. */
static kp_db_txn_step prepare(const kp_db_txn_meta *m, const kp_db_txn_who *who, kp_db_txn_state state, int16_t version)
{
	kp_db_txn_step s = go_to(m, state);
	s.next.version = version;
	s.next.next_producer_id = -1;
	if (m->state != KP_DB_TXN_ONGOING) /* nothing was added: an abort that only raises the epoch */
		s.next.start_ms = who->now_ms;
	if (version < 2)
		return s;
	if (kp_db_txn_wants_id(m))
		s.next.next_producer_id = who->fresh_id;
	if (m->epoch < INT16_MAX)
		s.next.epoch = (int16_t)(m->epoch + 1);
	s.next.last_epoch = m->epoch;
	return s;
}

kp_db_txn_step kp_db_txn_fence(const kp_db_txn_meta *m, const kp_db_txn_who *who, int16_t version)
{
	kp_db_txn_meta fenced = *m;
	if (version < 2) {
		fenced.epoch = m->epoch < INT16_MAX ? (int16_t)(m->epoch + 1) : m->epoch;
		fenced.last_epoch = -1;
	}
	return prepare(&fenced, who, KP_DB_TXN_PREPARE_ABORT, version);
}

/* The same end is under way (come again) or another one (never). */
static kp_db_txn_step while_ending(const kp_db_txn_meta *m, bool is_commit)
{
	bool is_same = is_commit == (m->state == KP_DB_TXN_PREPARE_COMMIT);
	return refuse(is_same ? KP_ERR_CONCURRENT_TRANSACTIONS : KP_ERR_INVALID_TXN_STATE);
}

/* endTransactionWithTV1. */
static kp_db_txn_step end_classic(const kp_db_txn_meta *m, const kp_db_txn_who *who, bool is_commit)
{
	if (who->producer_id != m->producer_id)
		return refuse(KP_ERR_INVALID_PRODUCER_ID_MAPPING);
	if (who->epoch != m->epoch)
		return refuse(KP_ERR_PRODUCER_FENCED);
	if (m->state == KP_DB_TXN_ONGOING)
		return prepare(m, who, is_commit ? KP_DB_TXN_PREPARE_COMMIT : KP_DB_TXN_PREPARE_ABORT, 0);
	if (kp_db_txn_is_ending(m))
		return while_ending(m, is_commit);
	bool is_repeated = m->state == (is_commit ? KP_DB_TXN_COMPLETE_COMMIT : KP_DB_TXN_COMPLETE_ABORT);
	return refuse(is_repeated ? 0 : KP_ERR_INVALID_TXN_STATE);
}

/*
 * Behind the end of a transaction, or before the first:
 *
 *                    Abort                Commit
 *                    repeated  current    repeated  current     repeated: with the epoch before the one that the end gave out
 *   Empty            fenced    raises     fenced    48
 *   CompleteAbort    0         raises     48        48
 *   CompleteCommit   48        raises     0         48
 */
static kp_db_txn_step end_when_complete(const kp_db_txn_meta *m, const kp_db_txn_who *who, bool is_commit, bool is_repeated)
{
	if (is_repeated) {
		bool is_same = m->state == (is_commit ? KP_DB_TXN_COMPLETE_COMMIT : KP_DB_TXN_COMPLETE_ABORT);
		return refuse(is_same ? 0 : KP_ERR_INVALID_TXN_STATE);
	}
	return is_commit ? refuse(KP_ERR_INVALID_TXN_STATE) : prepare(m, who, KP_DB_TXN_PREPARE_ABORT, 2);
}

kp_db_txn_step kp_db_txn_end(const kp_db_txn_meta *m, const kp_db_txn_who *who, bool is_commit, int16_t version)
{
	if (version < 2)
		return end_classic(m, who, is_commit);
	/* Asked again when the epochs had run out and a new producer id was given out. */
	bool is_before_id = m->prev_producer_id == who->producer_id && who->epoch == LAST_EPOCH && m->epoch == 0;
	bool is_before_epoch = m->epoch == who->epoch + 1, is_current = who->epoch == m->epoch;
	if (who->producer_id != m->producer_id && !is_before_id)
		return refuse(KP_ERR_INVALID_PRODUCER_ID_MAPPING);
	if (m->state == KP_DB_TXN_ONGOING || m->state == KP_DB_TXN_EMPTY) {
		if (!is_current)
			return refuse(KP_ERR_PRODUCER_FENCED);
		if (m->state == KP_DB_TXN_ONGOING)
			return prepare(m, who, is_commit ? KP_DB_TXN_PREPARE_COMMIT : KP_DB_TXN_PREPARE_ABORT, 2);
		return end_when_complete(m, who, is_commit, false);
	}
	if (kp_db_txn_is_ending(m))
		return is_before_epoch ? while_ending(m, is_commit) : refuse(KP_ERR_PRODUCER_FENCED);
	if (!is_before_epoch && !is_before_id && !is_current)
		return refuse(KP_ERR_PRODUCER_FENCED);
	return end_when_complete(m, who, is_commit, is_before_epoch || is_before_id);
}

kp_db_txn_meta kp_db_txn_complete(const kp_db_txn_meta *m)
{
	kp_db_txn_step s = go_to(m, m->state == KP_DB_TXN_PREPARE_COMMIT ? KP_DB_TXN_COMPLETE_COMMIT : KP_DB_TXN_COMPLETE_ABORT);
	if (m->version >= 2 && m->next_producer_id != -1) {
		s.next.producer_id = m->next_producer_id;
		s.next.epoch = 0;
	}
	s.next.next_producer_id = -1;
	return s.next;
}
