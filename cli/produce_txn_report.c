/*
 * produce_txn_report.c - how transactions ended: counted, named by their records, in --report and in --json.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/produce.h"
#include "cli/talk.h"

const char *produce_txn_place(produce *p, uint64_t first, uint64_t last, char *out, size_t out_size)
{
	const char *noun = p->options->format->noun;
	uint64_t from, to;
	const cli_input *begin = cli_inputs_origin(&p->inputs, first, &from), *end = cli_inputs_origin(&p->inputs, last, &to);
	if (begin != end)
		snprintf(out, out_size, "%s %" PRIu64 " of %.180s to %s %" PRIu64 " of %.180s", noun, from, begin->name, noun, to,
		         end->name);
	else if (first != last)
		snprintf(out, out_size, "%ss %" PRIu64 " to %" PRIu64 " of %.400s", noun, from, to, begin->name);
	else
		snprintf(out, out_size, "%s %" PRIu64 " of %.400s", noun, from, begin->name);
	return out;
}

/* Neighbours of the same fate are one range; what was skipped between them does not part them. */
static void add_range(produce_txn *t, produce_txn_end end)
{
	produce_range *last = t->n_ranges ? &t->ranges[t->n_ranges - 1] : NULL;
	if (last && last->end == end && t->was_uncommitted && !t->n_unranged)
		last->last = t->last;
	else if (t->n_ranges < PRODUCE_RANGES_MAX)
		t->ranges[t->n_ranges++] = (produce_range){.first = t->first, .last = t->last, .end = end};
	else
		t->n_unranged += t->n;
}

static const char *const words[] = {"COMMITTED", "ABORTED", "UNKNOWN"};

void produce_txn_ended(produce *p, produce_txn_end end)
{
	produce_txn *t = &p->txn;
	char place[512];
	t->n_ended[end]++;
	t->n_records[end] += t->n;
	if (end != PRODUCE_TXN_COMMITTED)
		add_range(t, end);
	t->was_uncommitted = end != PRODUCE_TXN_COMMITTED;
	pthread_mutex_lock(&p->lock);
	produce_outcomes_transaction(p, words[end]);
	pthread_mutex_unlock(&p->lock);
	if (end == PRODUCE_TXN_COMMITTED ||
	    t->n_ended[PRODUCE_TXN_ABORTED] + t->n_ended[PRODUCE_TXN_UNKNOWN] > PRODUCE_TXN_NAMED_MAX)
		return;
	cli_error("transaction %" PRIu64 " (%s) %s: %s", (uint64_t)t->number,
	          produce_txn_place(p, t->first, t->last, place, sizeof(place)),
	          end == PRODUCE_TXN_ABORTED ? "was not committed, nothing of it is visible"
	                                     : "may be visible as a whole or not at all",
	          t->cause);
}

static void say_ranges(produce *p, produce_txn_end end, const char *what)
{
	const produce_txn *t = &p->txn;
	char text[1500] = "", place[512];
	size_t n = 0, len = 0, left_out = 0;
	for (size_t i = 0; i < t->n_ranges; i++) {
		if (t->ranges[i].end != end)
			continue;
		produce_txn_place(p, t->ranges[i].first, t->ranges[i].last, place, sizeof(place));
		if (n++ < PRODUCE_TXN_NAMED_MAX && len + strlen(place) + 2 < sizeof(text))
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", len ? ", " : "", place);
		else
			left_out++;
	}
	if (n)
		cli_error("%s: %s%s%s", what, text, left_out || t->n_unranged ? " and more; --json names them" : "",
		          t->n_ended[PRODUCE_TXN_COMMITTED] ? "; what was read beside these is committed"
		          : t->is_cut                       ? "; what comes behind was not read"
		                                            : "");
}

void produce_txn_say(produce *p)
{
	say_ranges(p, PRODUCE_TXN_ABORTED, "not committed");
	say_ranges(p, PRODUCE_TXN_UNKNOWN, "unknown whether committed");
}

void produce_txn_describe(const produce *p, char *out, size_t out_size)
{
	const produce_txn *t = &p->txn;
	uint64_t n = t->n_ended[PRODUCE_TXN_COMMITTED];
	uint64_t aborted = t->n_records[PRODUCE_TXN_ABORTED], unknown = t->n_records[PRODUCE_TXN_UNKNOWN];
	char bad[96] = "", open[96] = "";
	if (aborted)
		snprintf(bad, sizeof(bad), ", %" PRIu64 " not committed", aborted);
	if (unknown)
		snprintf(open, sizeof(open), ", %" PRIu64 " unknown (may be committed)", unknown);
	if (!n && !aborted && !unknown)
		snprintf(out, out_size, "nothing to send");
	else if (!aborted && !unknown)
		snprintf(out, out_size, "all committed in %" PRIu64 " transaction%s", n, n == 1 ? "" : "s");
	else
		snprintf(out, out_size, "%" PRIu64 " committed in %" PRIu64 " transaction%s%s%s",
		         t->n_records[PRODUCE_TXN_COMMITTED], n, n == 1 ? "" : "s", bad, open);
}

static void json_ranges(produce *p, cli_json *j)
{
	const produce_txn *t = &p->txn;
	cli_json_open(j, "not_committed", '[');
	for (size_t i = 0; i < t->n_ranges; i++) {
		const produce_range *r = &t->ranges[i];
		uint64_t from, to;
		const cli_input *begin = cli_inputs_origin(&p->inputs, r->first, &from),
				*end = cli_inputs_origin(&p->inputs, r->last, &to);
		cli_json_open(j, NULL, '{');
		cli_json_text(j, "outcome", words[r->end]);
		cli_json_text(j, "input", begin->name);
		cli_json_uint(j, "first", from);
		if (end != begin)
			cli_json_text(j, "last_input", end->name);
		cli_json_uint(j, "last", to);
		cli_json_close(j, '}');
	}
	cli_json_close(j, ']');
	cli_json_uint(j, "not_listed", t->n_unranged);
}

void produce_txn_json(produce *p, cli_json *j)
{
	static const char *const transactions[] = {"committed", "aborted", "unknown"};
	static const char *const records[] = {"records_committed", "records_aborted", "records_unknown"};
	const produce_txn *t = &p->txn;
	cli_json_open(j, "transactions", '{');
	for (int end = 0; end < PRODUCE_TXN_ENDS; end++)
		cli_json_uint(j, transactions[end], t->n_ended[end]);
	for (int end = 0; end < PRODUCE_TXN_ENDS; end++)
		cli_json_uint(j, records[end], t->n_records[end]);
	json_ranges(p, j);
	cli_json_close(j, '}');
}
