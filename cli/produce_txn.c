/*
 * produce_txn.c - see produce_txn.h.
 */
#include "cli/produce_txn.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/produce.h"
#include "cli/signals.h"
#include "cli/talk.h"

typedef int txn_call(kp_producer *, int timeout_ms, kp_txn_error *);

static int64_t setting_ns(const produce *p, const char *name)
{
	char text[32];
	return strtoll(cli_session_setting(&p->session, name, text, sizeof(text)), NULL, 10) * 1000000;
}

/* --failed and --resend know records, and there is none that failed alone. */
static int check_options(const produce_options *o, bool is_on)
{
	if (!is_on && o->records_per_transaction)
		return cli_usage_error(&cli_produce, "--records-per-transaction needs --transactional-id");
	if (is_on && (o->failed_path || o->resend))
		return cli_usage_error(&cli_produce,
		                       "%s cannot be had with --transactional-id: a record that fails takes its transaction along; "
		                       "what was not committed is named at the end, to be sent again from the input",
		                       o->failed_path ? "--failed" : "--resend");
	return CLI_GO_ON;
}

static bool is_stopped(const produce *p)
{
	if (cli_stop_count())
		cli_error("stopped by %s before transactional id %s was initialized", cli_stop_signal_name(), p->transactional_id);
	return cli_stop_count() > 0;
}

int produce_txn_start(produce *p)
{
	produce_txn *t = &p->txn;
	kp_txn_error err = KP_TXN_ERROR_INIT;
	int64_t deadline_ns = cli_now_ns() + p->options->common.connect_timeout_ms * 1000000;
	cli_session_setting(&p->session, "transactional.id", p->transactional_id, sizeof(p->transactional_id));
	t->is_on = p->transactional_id[0] != 0;
	t->size = p->options->records_per_transaction ? p->options->records_per_transaction : UINT64_MAX;
	int rc = check_options(p->options, t->is_on);
	if (rc != CLI_GO_ON || !t->is_on)
		return rc;
	t->timeout_ns = setting_ns(p, "transaction.timeout.ms");
	t->patience_ns = setting_ns(p, "delivery.timeout.ms");
	atomic_store_explicit(&t->number, 1, memory_order_relaxed);
	/* What is to be tried again for another reason than time waits for somebody to put something right, and we do not. */
	while ((rc = kp_init_transactions(p->session.producer, CLI_SLICE_MS, &err)) == KP_ERR_TIMED_OUT &&
	       cli_now_ns() < deadline_ns)
		if (is_stopped(p))
			return 128 + cli_stop_signal();
	if (!rc)
		return CLI_GO_ON;
	cli_error("transactional id %s: %s", p->transactional_id, err.text);
	if (rc == KP_ERR_TIMED_OUT)
		return CLI_UNREACHABLE;
	return kp_error_get_class(err.cause) == KP_CLASS_USAGE ? CLI_USAGE : CLI_FAILED;
}

/* The call again as long as that is what helps, until its time is up, also that of a stop. */
static int persist(produce *p, txn_call *call, kp_txn_error *err)
{
	int64_t deadline_ns = cli_now_ns() + p->txn.patience_ns;
	for (;;) {
		int rc = call(p->session.producer, CLI_SLICE_MS, err);
		if (!rc || err->next != KP_TXN_NEXT_RETRY)
			return rc;
		if (cli_now_ns() >= deadline_ns || !cli_session_may_wait(&p->session))
			return rc;
		if (rc != KP_ERR_TIMED_OUT)
			nanosleep(&(struct timespec){.tv_nsec = CLI_SLICE_MS * 1000000}, NULL);
		produce_progress(p);
	}
}

/* Every record of the transaction has its outcome, or a stop came. */
static void await_outcomes(produce *p)
{
	while (kp_flush(p->session.producer, CLI_SLICE_MS) == KP_ERR_TIMED_OUT && !cli_stop_count())
		produce_progress(p);
}

/* The producer does no more transactions, so no more is read. */
static void give_up(produce *p, const char *text)
{
	if (!p->txn.is_over)
		cli_error("transactional id %s: no more is sent: %s", p->transactional_id, text);
	p->txn.is_over = p->is_done = true;
}

static void abort_now(produce *p)
{
	kp_txn_error err = KP_TXN_ERROR_INIT;
	if (!p->txn.is_open)
		return;
	p->txn.is_open = false;
	if (!p->txn.is_over && persist(p, kp_abort_transaction, &err))
		give_up(p, err.text);
	await_outcomes(p);
}

/* As produce_txn_doom, of text. The rest of the only transaction is not worth reading. */
static void doom(produce *p, const char *cause)
{
	if (p->txn.is_doomed)
		return;
	p->txn.is_doomed = true;
	snprintf(p->txn.cause, sizeof(p->txn.cause), "%s", cause);
	abort_now(p);
	if (p->txn.size == UINT64_MAX && !p->txn.is_last)
		p->is_done = p->txn.is_cut = true;
}

void produce_txn_doom(produce *p, const char *format, ...)
{
	char cause[sizeof(p->txn.cause)];
	va_list args;
	if (!p->txn.is_on)
		return;
	va_start(args, format);
	vsnprintf(cause, sizeof(cause), format, args);
	va_end(args);
	doom(p, cause);
}

void produce_txn_begin(produce *p)
{
	produce_txn *t = &p->txn;
	kp_txn_error err = KP_TXN_ERROR_INIT;
	if (!t->is_on || t->is_open || t->is_doomed)
		return;
	if (kp_begin_transaction(p->session.producer, &err)) {
		give_up(p, err.text);
		doom(p, err.text);
		return;
	}
	t->is_open = true;
	t->began_ns = cli_now_ns();
	t->has_warned = false;
}

/* Nothing of the next transaction is under way, so all reports so far were of this one. */
static void end(produce *p, produce_txn_end how)
{
	produce_txn *t = &p->txn;
	produce_txn_ended(p, how);
	t->is_open = t->is_doomed = false;
	t->n = 0;
	atomic_fetch_add_explicit(&t->number, 1, memory_order_relaxed);
}

/* It tells of the first failure too, so it is called even when one is known. */
static produce_txn_end commit(produce *p)
{
	kp_txn_error err = KP_TXN_ERROR_INIT;
	if (!persist(p, kp_commit_transaction, &err)) {
		p->txn.is_open = false;
		return PRODUCE_TXN_COMMITTED;
	}
	if (err.next == KP_TXN_NEXT_ABORT) {
		doom(p, err.text);
		return PRODUCE_TXN_ABORTED;
	}
	give_up(p, err.text);
	snprintf(p->txn.cause, sizeof(p->txn.cause), "%s", err.text);
	/* one that goes on in the background may still get through */
	return err.next == KP_TXN_NEXT_NEW_INSTANCE && !err.in_doubt ? PRODUCE_TXN_ABORTED : PRODUCE_TXN_UNKNOWN;
}

static void finish(produce *p)
{
	produce_txn *t = &p->txn;
	produce_txn_end how = PRODUCE_TXN_ABORTED;
	if (!t->n)
		return;
	if (t->is_open)
		await_outcomes(p);
	if (cli_stop_count())
		produce_txn_doom(p, "stopped by %s before its end", cli_stop_signal_name());
	if (!t->is_doomed)
		how = commit(p);
	end(p, how);
}

void produce_txn_count(produce *p, uint64_t first, uint64_t last, uint64_t n)
{
	produce_txn *t = &p->txn;
	if (!t->is_on)
		return;
	if (!t->n)
		t->first = first;
	t->last = last;
	t->n += n;
	if (t->n >= t->size)
		finish(p);
}

bool produce_txn_refused(produce *p, const kp_record *r, int error)
{
	kp_txn_error err = KP_TXN_ERROR_INIT;
	char place[512];
	uint64_t ordinal = (uint64_t)(uintptr_t)r->opaque >> PRODUCE_TAG_BITS;
	if (!p->txn.is_on)
		return false;
	if (error != KP_ERR_TRANSACTION_ABORTABLE && error != KP_ERR_PRODUCER_FENCED) {
		produce_txn_doom(p, "%s: %s", produce_txn_place(p, ordinal, ordinal, place, sizeof(place)), kp_error_name(error));
		return false;
	}
	/* The transaction's failure: the commit, which is refused, tells it. */
	(void)kp_commit_transaction(p->session.producer, CLI_SLICE_MS, &err);
	if (err.next != KP_TXN_NEXT_ABORT)
		give_up(p, err.text);
	doom(p, err.text);
	return true;
}

void produce_txn_drop(produce *p, const kp_record *r)
{
	p->refused++;
	cli_tally_failure(&p->tally, KP_NOT_PERSISTED, KP_ERR_TRANSACTION_ABORTED);
	pthread_mutex_lock(&p->lock);
	produce_outcomes_refused(p, r, KP_ERR_TRANSACTION_ABORTED, "");
	pthread_mutex_unlock(&p->lock);
}

void produce_txn_watch(produce *p)
{
	produce_txn *t = &p->txn;
	if (!t->is_open || t->is_doomed)
		return;
	int64_t age_ns = cli_now_ns() - t->began_ns;
	if (age_ns >= t->timeout_ns)
		produce_txn_doom(p,
		                 "it was not at its end within transaction.timeout.ms (%" PRId64
		                 "): raise that, as far as the brokers' "
		                 "transaction.max.timeout.ms allows, or take fewer --records-per-transaction",
		                 t->timeout_ns / 1000000);
	else if (age_ns >= t->timeout_ns / 2 && !t->has_warned) {
		t->has_warned = true;
		(void)kp_flush(p->session.producer, 0);
		cli_say("transaction %" PRIu64 " has been open for %.0f s; it is aborted when it is not at its end within "
		        "transaction.timeout.ms (%" PRId64 ")",
		        (uint64_t)t->number, (double)age_ns / 1e9, t->timeout_ns / 1000000);
	}
}

void produce_txn_finish(produce *p)
{
	p->txn.is_last = true;
	if (p->txn.is_on)
		finish(p);
}
