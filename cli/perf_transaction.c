/*
 * perf_transaction.c - transactions of `kproducer perf`: each sender has a producer and a transactional id of its own, and commits what it
 * sent after every --records-per-transaction records. How long the commit took is timed: the call, which first flushes.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "cli/perf.h"
#include "cli/signals.h"
#include "cli/talk.h"

typedef int transaction_call(kp_producer *, int timeout_ms, kp_txn_error *);

/* The call again as long as that is what helps and its time is not up. */
static int persist(perf *run, cli_session *s, transaction_call *call, kp_txn_error *err)
{
	int64_t deadline_ns = cli_now_ns() + run->patience_ns;
	for (;;) {
		int rc = call(s->producer, CLI_SLICE_MS, err);
		if (!rc || err->next != KP_TXN_NEXT_RETRY || cli_now_ns() >= deadline_ns || !cli_session_may_wait(s))
			return rc;
		if (rc != KP_ERR_TIMED_OUT)
			nanosleep(&(struct timespec){.tv_nsec = CLI_SLICE_MS * 1000000}, NULL);
	}
}

static bool has_id(const perf *run, char *out, size_t out_size)
{
	return *cli_session_setting(&run->sessions[0], "transactional.id", out, out_size) != 0;
}

int perf_transactions_check(const perf *run)
{
	const perf_options *o = run->options;
	char id[512];
	bool is_on = has_id(run, id, sizeof(id));
	if (!is_on && o->records_per_transaction)
		return cli_usage_error(&cli_perf, "--records-per-transaction needs --transactional-id ID");
	if (is_on && !o->transactional_id && o->n_producers > 1)
		return cli_usage_error(&cli_perf,
		                       "%" PRIu64
		                       " producers need transactional ids of their own: --transactional-id %s gives them "
		                       "%s-1, %s-2 and so on",
		                       o->n_producers, id, id, id);
	if (is_on && o->n_threads > o->n_producers)
		return cli_usage_error(&cli_perf,
		                       "a producer has one transaction at a time, of one thread: give %" PRIu64
		                       " threads as many --producers",
		                       o->n_threads);
	return CLI_GO_ON;
}

int perf_transactions_name(perf *run, cli_common *common)
{
	const perf_options *o = run->options;
	char id[512];
	if (!o->transactional_id)
		return CLI_GO_ON;
	if (o->n_producers > 1)
		snprintf(id, sizeof(id), "%.480s-%zu", o->transactional_id, run->n_sessions + 1);
	else
		snprintf(id, sizeof(id), "%s", o->transactional_id);
	return cli_common_set(common, "transactional.id", id);
}

int perf_transactions_start(perf *run)
{
	const perf_options *o = run->options;
	char text[512];
	if (!has_id(run, text, sizeof(text)))
		return CLI_GO_ON;
	run->transactions = calloc(o->n_producers, sizeof(*run->transactions));
	if (!run->transactions) {
		cli_error("out of memory");
		return CLI_FAILED;
	}
	run->transaction_size = o->records_per_transaction ? o->records_per_transaction : PERF_TRANSACTION_SIZE;
	run->patience_ns = o->common.connect_timeout_ms * 1000000;
	for (size_t i = 0; i < run->n_sessions; i++) {
		kp_txn_error err = KP_TXN_ERROR_INIT;
		cli_session *s = &run->sessions[i];
		cli_histogram_init(&run->transactions[i].commits_ns);
		if (!persist(run, s, kp_init_transactions, &err))
			continue;
		cli_error("transactional id %s: %s", cli_session_setting(s, "transactional.id", text, sizeof(text)), err.text);
		return err.error == KP_ERR_TIMED_OUT ? CLI_UNREACHABLE : CLI_FAILED;
	}
	cli_session_setting(&run->sessions[0], "delivery.timeout.ms", text, sizeof(text));
	run->patience_ns = strtoll(text, NULL, 10) * 1000000;
	return CLI_GO_ON;
}

static cli_session *session_of(const perf_sender *s)
{
	return &s->run->sessions[s->index];
}

/* There will be no other transaction of this producer, so no other record of the run. */
static bool give_up(perf_sender *s, const kp_txn_error *err)
{
	char id[512];
	cli_error("transactional id %s: no more is sent: %s",
	          cli_session_setting(session_of(s), "transactional.id", id, sizeof(id)), err->text);
	s->transactions->is_over = true;
	atomic_store_explicit(&s->run->is_cancelled, true, memory_order_relaxed);
	return false;
}

bool perf_transaction_begin(perf_sender *s)
{
	perf_transactions *t = s->transactions;
	kp_txn_error err = KP_TXN_ERROR_INIT;
	if (!t || t->is_open)
		return true;
	if (t->is_over)
		return false;
	if (kp_begin_transaction(session_of(s)->producer, &err))
		return give_up(s, &err);
	t->is_open = true;
	t->left = s->run->transaction_size;
	t->accepted_before = atomic_load_explicit(&s->accepted, memory_order_relaxed);
	t->began_ns = cli_now_ns();
	return true;
}

static void committed(perf_sender *s, int64_t took_ns)
{
	perf_transactions *t = s->transactions;
	t->n_committed++;
	t->committed_records += atomic_load_explicit(&s->accepted, memory_order_relaxed) - t->accepted_before;
	if (t->began_ns - s->run->start_ns >= s->run->options->warmup_ms * 1000000)
		cli_histogram_add(&t->commits_ns, (uint64_t)took_ns);
}

static bool abort_it(perf_sender *s, kp_txn_error *err)
{
	if (!s->transactions->n_aborted++)
		cli_error("a transaction is aborted: %s", err->text);
	return !persist(s->run, session_of(s), kp_abort_transaction, err) || give_up(s, err);
}

bool perf_transaction_end(perf_sender *s)
{
	perf_transactions *t = s->transactions;
	kp_txn_error err = KP_TXN_ERROR_INIT;
	if (!t || !t->is_open)
		return true;
	t->is_open = false;
	int64_t begin_ns = cli_now_ns();
	if (!persist(s->run, session_of(s), kp_commit_transaction, &err)) {
		committed(s, cli_now_ns() - begin_ns);
		return true;
	}
	if (err.next == KP_TXN_NEXT_ABORT)
		return abort_it(s, &err);
	t->n_unknown++;
	return give_up(s, &err);
}

bool perf_transaction_sent(perf_sender *s, uint64_t n)
{
	perf_transactions *t = s->transactions;
	if (!t)
		return true;
	t->left -= n;
	return t->left || perf_transaction_end(s);
}
