/*
 * transactions.c - the public calls of transactions: each is a job that starts an operation of the engine, or takes it up again.
 *
 * A result is taken from the engine only while its caller still waits, so that none is lost: the loop claims the job under the mutex first,
 * and a caller whose time is over first asks the loop what is missing.
 */
#include <kproducer/transaction.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "client/producer_impl.h"
#include "client/topic_name.h"
#include "producer/txn_offsets.h"

#define GRACE_US 200000 /* for the loop to say what is missing */

typedef struct txn_job {
	kp_job job;
	kp_txn_op op;
	kp_txn_offsets *offsets;
	kp_txn_error result;
	bool is_late, is_claimed; /* guarded by the producer's mutex: its time is over; the loop is about to give it a result */
} txn_job;

static txn_job *of(kp_job *job)
{
	return KP_CONTAINER_OF(job, txn_job, job);
}

/* False: nobody waits any more. */
static bool claim(kp_producer *p, txn_job *j, bool *is_late)
{
	pthread_mutex_lock(&p->shared.mutex);
	bool is_wanted = !j->job.is_abandoned;
	j->is_claimed = is_wanted;
	*is_late = j->is_late;
	pthread_mutex_unlock(&p->shared.mutex);
	return is_wanted;
}

static void unclaim(kp_producer *p, txn_job *j)
{
	pthread_mutex_lock(&p->shared.mutex);
	j->is_claimed = false;
	pthread_cond_broadcast(&p->shared.cond);
	pthread_mutex_unlock(&p->shared.mutex);
}

static bool turn(kp_producer *p, kp_job *job, int64_t now_us, bool is_abandoned)
{
	txn_job *j = of(job);
	bool is_late, is_first = !job->is_started;
	job->is_started = true;
	if (is_abandoned) /* or the producer is closed: then somebody may wait for this */
		kp_engine_txn_left(p->engine, j->op, KP_ERR_CLOSED, &j->result);
	if (is_abandoned || !claim(p, j, &is_late))
		return true;
	bool is_done = (is_first || !kp_engine_txn_is_under_way(p->engine)) &&
	               kp_engine_txn(p->engine, j->op, &j->offsets, now_us, &j->result);
	if (!is_done && is_late) {
		kp_engine_txn_left(p->engine, j->op, KP_ERR_TIMED_OUT, &j->result);
		is_done = true;
	}
	if (!is_done)
		unclaim(p, j);
	job->result = j->result.error;
	return is_done;
}

static void job_free(kp_job *job)
{
	kp_mem_free(of(job)->offsets);
	kp_mem_free(of(job));
}

/* Under the mutex. */
static void sleep_until(kp_producer *p, int64_t until_us)
{
	struct timespec at = kp_abs_time(until_us);
	if (until_us == KP_TIME_NEVER)
		pthread_cond_wait(&p->shared.cond, &p->shared.mutex);
	else
		pthread_cond_timedwait(&p->shared.cond, &p->shared.mutex, &at);
}

/* False: the loop did not even say that it is late; the job is abandoned and frees itself. */
static bool wait(kp_producer *p, txn_job *j, int timeout_ms)
{
	int64_t until_us = kp_deadline_us(kp_time_mono_us(), timeout_ms);
	pthread_mutex_lock(&p->shared.mutex);
	while (!j->job.is_done) {
		bool is_over = kp_time_mono_us() >= until_us;
		if (is_over && j->is_late && !j->is_claimed)
			break;
		if (is_over && !j->is_late) {
			j->is_late = true;
			until_us = kp_time_mono_us() + GRACE_US;
			pthread_mutex_unlock(&p->shared.mutex);
			kp_producer_wake(p);
			pthread_mutex_lock(&p->shared.mutex);
			continue;
		}
		sleep_until(p, is_over ? KP_TIME_NEVER : until_us);
	}
	bool is_done = j->job.is_done;
	j->job.is_abandoned = !is_done;
	pthread_mutex_unlock(&p->shared.mutex);
	return is_done;
}

/* ------------------------------------------------------------------ the calls */

static int give(const kp_txn_error *from, kp_txn_error *err)
{
	if (err) {
		size_t size = err->struct_size;
		memcpy(err, from, size < sizeof(*from) ? size : sizeof(*from));
		err->struct_size = size;
	}
	return from->error;
}

/* What the engine was not asked about. */
static int refuse(kp_producer *p, kp_txn_op op, int error, const char *text, kp_txn_error *err)
{
	kp_txn_error e = KP_TXN_ERROR_INIT;
	e.error = e.cause = error;
	e.next = error == KP_ERR_CLOSED || error == KP_ERR_FORKED         ? KP_TXN_NEXT_NEW_INSTANCE
	         : error == KP_ERR_NO_MEMORY || error == KP_ERR_TIMED_OUT ? KP_TXN_NEXT_RETRY
	                                                                  : KP_TXN_NEXT_OTHER_CALL;
	e.state = error == KP_ERR_FORKED ? KP_TXN_NONE : kp_engine_txn_state(p->engine);
	(void)snprintf(e.text, sizeof(e.text), "%s: %s in state %s: %s", kp_txn_op_name(op), kp_error_name(error),
	               kp_txn_state_name(e.state), text ? text : kp_error_advice(error));
	return give(&e, err);
}

static int call(kp_producer *p, kp_txn_op op, kp_txn_offsets *offsets, int timeout_ms, kp_txn_error *err)
{
	int error = kp_is_forked(p) ? KP_ERR_FORKED : kp_producer_may_block(p);
	txn_job *j = error ? NULL : kp_mem_calloc(1, sizeof(*j));
	if (!j) {
		kp_mem_free(offsets);
		return refuse(p, op, error ? error : KP_ERR_NO_MEMORY, NULL, err);
	}
	j->job = (kp_job){.turn = turn, .free = job_free};
	j->op = op;
	j->offsets = offsets;
	kp_job_post(p, &j->job);
	if (!wait(p, j, timeout_ms))
		return refuse(p, op, KP_ERR_TIMED_OUT, "the runtime's thread is busy, perhaps in a callback; call it again", err);
	kp_txn_error result = j->result;
	bool is_cancelled = !result.struct_size; /* before its first turn */
	job_free(&j->job);
	return is_cancelled ? refuse(p, op, KP_ERR_CLOSED, NULL, err) : give(&result, err);
}

int kp_init_transactions(kp_producer *p, int timeout_ms, kp_txn_error *err)
{
	return call(p, KP_TXN_OP_INIT, NULL, timeout_ms, err);
}

int kp_begin_transaction(kp_producer *p, kp_txn_error *err)
{
	return call(p, KP_TXN_OP_BEGIN, NULL, KP_FOREVER, err);
}

int kp_commit_transaction(kp_producer *p, int timeout_ms, kp_txn_error *err)
{
	return call(p, KP_TXN_OP_COMMIT, NULL, timeout_ms, err);
}

int kp_abort_transaction(kp_producer *p, int timeout_ms, kp_txn_error *err)
{
	return call(p, KP_TXN_OP_ABORT, NULL, timeout_ms, err);
}

/* What is wrong with the arguments, or NULL. */
static const char *mistake(const kp_group_metadata *group, const kp_offset *offsets, size_t n)
{
	if (!group || group->struct_size < sizeof(*group) || !group->group_id || !group->group_id[0])
		return "the group's metadata need a group_id (and struct_size: start from KP_GROUP_METADATA_INIT)";
	if (strlen(group->group_id) > INT16_MAX || (group->member_id && strlen(group->member_id) > INT16_MAX) ||
	    (group->group_instance_id && strlen(group->group_instance_id) > INT16_MAX))
		return "group_id, member_id and group_instance_id have at most 32767 bytes";
	if (n && (!offsets || offsets->struct_size < sizeof(*offsets) || offsets->struct_size % _Alignof(kp_offset)))
		return "offsets are needed (and their struct_size: start from KP_OFFSET_INIT)";
	for (size_t i = 0; i < n; i++) {
		const kp_offset *o = (const kp_offset *)(const void *)((const char *)offsets + i * offsets->struct_size);
		if (!o->topic || !kp_topic_name_is_valid(o->topic))
			return "an offset's topic is not a topic's name";
		if (o->partition < 0 || o->offset < 0)
			return "an offset's partition and offset are 0 or above";
		if (o->metadata && strlen(o->metadata) > INT16_MAX)
			return "an offset's metadata has at most 32767 bytes";
	}
	return NULL;
}

int kp_send_offsets_to_transaction(kp_producer *p, const kp_group_metadata *group, const kp_offset *offsets, size_t n,
                                   int timeout_ms, kp_txn_error *err)
{
	if (kp_is_forked(p))
		return refuse(p, KP_TXN_OP_OFFSETS, KP_ERR_FORKED, NULL, err);
	const char *wrong = mistake(group, offsets, n);
	if (wrong)
		return refuse(p, KP_TXN_OP_OFFSETS, KP_ERR_BAD_ARGUMENT, wrong, err);
	kp_txn_offsets *copy = kp_txn_offsets_new(group, offsets, n);
	if (!copy)
		return refuse(p, KP_TXN_OP_OFFSETS, KP_ERR_NO_MEMORY, NULL, err);
	if (kp_txn_offsets_has_twice(copy)) {
		kp_mem_free(copy);
		return refuse(p, KP_TXN_OP_OFFSETS, KP_ERR_BAD_ARGUMENT, "a partition has two offsets", err);
	}
	return call(p, KP_TXN_OP_OFFSETS, copy, timeout_ms, err);
}

kp_txn_state kp_transaction_state(kp_producer *p)
{
	return kp_is_forked(p) ? KP_TXN_NONE : kp_engine_txn_state(p->engine);
}
