"""The deliberate defects of scripts/sim-mutants: what the simulator has to catch.

Each mutant replaces texts that stand exactly once in their files. `by` names the invariants (tests/sim/check.c) that are expected to
break; a mutant that another one catches is caught all the same. A text that no longer matches is an error: bring the mutant up to date,
do not drop it.
"""

from typing import NamedTuple


class Mutant(NamedTuple):
    name: str
    text: str  # what is wrong with it
    by: str
    edits: tuple  # of (file, old, new)
    scenario: str = ""  # where it shows soon; "": in any


def one(name, text, by, file, old, new):
    return Mutant(name, text, by, (("src/" + file, old, new),))


def classic(*args):
    return one(*args)._replace(scenario="transactions-classic")


def v2(*args):
    return one(*args)._replace(scenario="transactions-v2")


OUTCOME, PARTITION, RESPONSE = "producer/outcome.c", "producer/partition.c", "producer/response.c"
SPLIT, HALT, EXPIRY = "producer/split.c", "producer/halt.c", "producer/expiry.c"
ENGINE, SENDER, CLUSTER = "producer/engine.c", "producer/sender.c", "cluster/cluster.c"
TXN, REQUESTS, COORDINATOR = "producer/txn.c", "producer/txn_requests.c", "producer/coordinator.c"

MUTANTS = [
    # sequences and epochs
    one("retry-new-sequence", "a batch that is sent again gets the next sequence", "I3 I9", PARTITION,
        "\tif (b)\n\t\treturn b->len <= room ? b : NULL;",
        "\tif (b) {\n\t\tif (b->len <= room)\n\t\t\tstamp(e, p, b);\n\t\treturn b->len <= room ? b : NULL;\n\t}"),
    one("no-epoch-bump", "after a real gap sequences start anew within the old epoch", "I9 I2", OUTCOME,
        "INT16_MAX ? 0 : p->loop.producer_epoch + 1);", "INT16_MAX ? 0 : p->loop.producer_epoch);"),
    one("wrap", "sequences do not wrap at 2^31", "I9", PARTITION,
        "kp_sequence_after(p->loop.next_sequence, b->n_records)",
        "(int32_t)((uint32_t)p->loop.next_sequence + (uint32_t)b->n_records)"),
    one("wrap-to-one", "sequences wrap from 2^31 - 1 to 1", "I9", PARTITION,
        "kp_sequence_after(p->loop.next_sequence, b->n_records)",
        "(int32_t)(((uint32_t)p->loop.next_sequence + (uint32_t)b->n_records) % 0x7fffffffu)"),
    one("restamp-open", "a batch with an attempt of open fate is stamped anew", "I3", OUTCOME,
        "if (b->is_acked || b->is_open_fate) {", "if (b->is_acked) {"),
    one("restamp-in-flight", "a gap is resolved while batches of the partition are in flight", "I3 I1", PARTITION,
        "if (p->loop.is_draining && p->loop.n_in_flight == 0)", "if (p->loop.is_draining)"),
    one("no-drain", "a partition with a gap goes on sending", "I3 I9 order", PARTITION,
        "p->loop.is_draining ||", "false ||"),
    one("sequence-of-open-fate-reused", "the sequence of a batch that may be appended is given to the next", "I2", OUTCOME,
        "b->is_stamped && !b->call && !b->is_open_fate && is_last", "b->is_stamped && !b->call && is_last"),
    one("stamp-at-seal", "a batch takes its sequence before its first request: one that expires leaves a gap", "gap", OUTCOME,
        "\ttake_sequence_back(e, b->partition, b);\n",
        "\ttake_sequence_back(e, b->partition, b);\n\tif (!b->is_stamped)\n"
        "\t\tb->partition->loop.next_sequence = (b->partition->loop.next_sequence + b->n_records) & 0x7fffffff;\n"),
    one("sixth-unresolved", "six batches of a partition are unresolved at a time", "I8", PARTITION,
        "#define MAX_UNRESOLVED 5 ", "#define MAX_UNRESOLVED 6 "),
    one("first-batches-together", "several batches leave before a broker knows the producer id", "I3 I9 gap", PARTITION,
        "if (p->loop.is_recovering || (e->config.idempotent && !p->loop.is_stamp_known))", "if (p->loop.is_recovering)"),
    one("epochs-from-zero", "behind the last epoch of an id comes its first", "epoch", OUTCOME,
        "\tif (p->loop.producer_epoch == INT16_MAX) {", "\tif (false) {"),
    # a batch that is too large is split (KIP-126)
    one("split-open-fate", "a batch that may be appended is split", "I3 I4", OUTCOME,
        "case KP_PRODUCE_SPLIT: return !b->is_open_fate && b->n_records > 1 ?", "case KP_PRODUCE_SPLIT: return b->n_records > 1 ?"),
    one("split-order", "the pieces of a batch leave in the wrong order", "I3 order", SPLIT,
        "kp_list_push_back(pieces, &piece->link);", "kp_list_insert_before(pieces->next, &piece->link);"),
    one("split-new-sequences", "the pieces of a batch take new sequences although others stand behind it", "gap", SPLIT,
        "\tint32_t sequence = from->base_sequence;\n",
        "\tint32_t sequence = from->partition->loop.next_sequence;\n\tif (from->producer_id >= 0)\n"
        "\t\tfrom->partition->loop.next_sequence = kp_sequence_after(sequence, from->n_records);\n"),
    one("split-waits-for-itself", "pieces that exceed the budget are not split further until others make room", "I9", SPLIT,
        "return !e->loop.beyond || (e->loop.beyond == p && p->loop.unresolved.next == &b->link);",
        "return kp_budget_free(&e->shared.budget) >= 0 && p;"),
    one("split-without-bound", "the pieces of any number of batches exceed the budget", "I5", SPLIT,
        "return !e->loop.beyond || (e->loop.beyond == p && p->loop.unresolved.next == &b->link);", "return p;"),
    # records to blame (KIP-467)
    one("blame-others", "the records that the broker did not name end, and those that it did are sent on", "blame", SPLIT,
        "is_rejected(w->from, w->next) ? culprits : others;", "is_rejected(w->from, w->next) ? others : culprits;"),
    one("blame-neighbour", "the record before the one that the broker named ends", "blame", SPLIT,
        "if (b->rejected[k] == i)", "if (b->rejected[k] == i + 1)"),
    one("blame-numbers-twice", "the next batch has the numbers of those that were not to blame", "I2 I3", OUTCOME,
        "\tif (was_last)\n", "\tif (false)\n"),
    # idempotence.on.gap=halt_partition
    one("halt-not", "a partition goes on behind a lost record", "halt", HALT,
        "\tif (!p->loop.halt_error)\n\t\tp->loop.halt_error = error;", "\t(void)0;"),
    one("halt-takes-more", "a partition that halted takes records, and sends them", "halt", PARTITION,
        "\tp->shared.is_halted = true;\n", ""),
    one("halt-sends-the-rest", "what waits when a partition halts leaves after the drain", "halt", HALT,
        "p->loop.halted_below = e->loop.next_serial;", "p->loop.halted_below++;"),
    one("halt-for-good", "a resume does not lift the halt", "append", HALT,
        "\tp->shared.is_halted = false;\n", ""),
    one("halt-at-purge", "a purge is taken for a loss", "halt", HALT,
        "error != KP_OK && error != KP_ERR_PURGED &&", "error != KP_OK &&"),
    # order
    one("retry-at-tail", "a batch that is to be sent again goes behind the others", "order I3 I9", OUTCOME,
        "\tp->loop.is_recovering = true;\n\tp->loop.n_failures++;",
        "\tkp_batch *again = (kp_batch *)(uintptr_t)b;\n\tkp_list_remove(&again->link);\n"
        "\tkp_list_push_back(&p->loop.unresolved, &again->link);\n\tp->loop.is_recovering = true;\n\tp->loop.n_failures++;"),
    one("gap-at-tail", "batches that are stamped anew go behind those that were never sent", "order I3", OUTCOME,
        "\tkp_list_splice_back(&again, &p->loop.ready);\n\tkp_list_splice_back(&p->loop.ready, &again);",
        "\tkp_list_splice_back(&p->loop.ready, &again);"),
    one("report-order", "a batch is reported before those that were sent before it", "order", OUTCOME,
        "\t\tend_acked(e, p);\n\t}\n\tp->loop.n_failures = 0;",
        "\t\tkp_batch_end(e, b, 0, KP_PERSISTED, KP_STAGE_DONE);\n\t}\n\tp->loop.n_failures = 0;"),
    # outcomes
    one("duplicate-fails", "DUPLICATE_SEQUENCE_NUMBER is taken for a failure", "46", RESPONSE,
        "if (kp_error_on_produce(a->error_code) == KP_PRODUCE_PERSISTED) {", "if (a->error_code == 0) {"),
    one("not-leader-proves", "NOT_LEADER_OR_FOLLOWER is taken for a proof that nothing was appended", "I4 I3", RESPONSE,
        "a->error_code, kp_error_may_append(a->error_code), now_us);",
        "a->error_code, a->error_code != 6 && kp_error_may_append(a->error_code), now_us);"),
    one("too-few-after-append-proves", "NOT_ENOUGH_REPLICAS_AFTER_APPEND is taken for such a proof", "I4 I3", RESPONSE,
        "a->error_code, kp_error_may_append(a->error_code), now_us);",
        "a->error_code, a->error_code != 20 && kp_error_may_append(a->error_code), now_us);"),
    one("in-flight-not-persisted", "a batch that expires in flight is reported as not persisted", "I4", OUTCOME,
        "b->is_open_fate || b->call ? KP_UNKNOWN : KP_NOT_PERSISTED", "b->is_open_fate ? KP_UNKNOWN : KP_NOT_PERSISTED"),
    one("reset-proves", "a request that was lost with its connection is taken as not appended", "I4 I3", ENGINE,
        "kp_produce_failed(e, r->opaque, error, r->written == r->total, e->loop.now_us);",
        "kp_produce_failed(e, r->opaque, error, false, e->loop.now_us);"),
    one("unacknowledged-persisted", "with acks=0 a record that was written is reported as persisted", "report", RESPONSE,
        "kp_batch_end(e, b, KP_OK, KP_UNKNOWN, KP_STAGE_DONE);", "kp_batch_end(e, b, KP_OK, KP_PERSISTED, KP_STAGE_DONE);"),
    one("late-answer-reported", "an answer behind the expiry makes a second report", "I1", OUTCOME,
        "\tkp_list_remove(&b->link);\n\tkp_engine_release(e, b);\n\treturn true;",
        "\tkp_list_remove(&b->link);\n\tkp_list_push_back(&e->loop.ended, &b->ended_link);\n\treturn true;"),
    one("wrong-offset", "the offset of a batch is off by one", "I2", OUTCOME,
        "b->base_offset = base_offset;", "b->base_offset = base_offset + (base_offset > 0);"),
    # ends and waits
    one("expiry-spares-in-flight", "delivery.timeout.ms is not kept for batches in flight", "I7", EXPIRY,
        "\t\tif (!b->is_acked && !b->is_ended)", "\t\tif (!b->is_acked && !b->is_ended && !b->call)"),
    one("expiry-never-looked-at-again", "a partition's next batch has no delivery.timeout.ms once one has ended by it", "I7 I9", EXPIRY,
        "\tif ((b = first_to_expire(p)))", "\tif (!p->loop.expiry.at_us && (b = first_to_expire(p)))"),
    one("expiry-spares-open", "delivery.timeout.ms is not kept for an open batch", "I7 I9", PARTITION,
        "p->loop.open_created_us < e->config.delivery_timeout_us)\n\t\treturn;",
        "p->loop.open_created_us < 2 * e->config.delivery_timeout_us)\n\t\treturn;"),
    one("lost-on-move", "the oldest batch that waits is lost when the leader moves", "I1 I9", PARTITION,
        "\t\tleave_ready_list(p);\n\t}\n\tp->loop.leader = leader;",
        "\t\tleave_ready_list(p);\n\t\tif (p->loop.leader)\n\t\t\t(void)kp_list_pop_front(&p->loop.ready);\n\t}\n"
        "\tp->loop.leader = leader;"),
    one("flush-does-not-wait", "a flush does not wait for its last batch", "flush", ENGINE,
        "serial_link)->serial >= serial;", "serial_link)->serial + 1 >= serial;"),
    one("flush-forgets-moved", "a flush does not wait for records that waited for metadata", "flush", ENGINE,
        "\tif (serial < e->loop.flush_extended_to)\n\t\tserial = e->loop.flush_extended_to;\n", ""),
    one("wake-up-lost", "who makes room does not wake the loop that moves records to their partitions", "I9 I7", ENGINE,
        "if (atomic_load(&e->shared.is_moving))\n\t\tkp_notify_news(e);", "if (false)\n\t\tkp_notify_news(e);"),
    one("no-request-timeout", "request.timeout.ms is not kept", "I9", "producer/brokers.c",
        "\t\tkp_broker_drop(e, b, KP_ERR_REQUEST_TIMEOUT, \"no answer within request.timeout.ms\", now_us, true);", "\t\tkp_timers_set(&e->loop.timers, &b->timer, now_us + 600000000);"),
    one("leader-not-doubted", "NOT_LEADER_OR_FOLLOWER does not ask for metadata", "I9", OUTCOME,
        "if (asks_for_metadata(error))", "if (false && asks_for_metadata(error))"),
    one("no-back-off", "a batch is sent again without retry.backoff.ms", "pace", OUTCOME,
        "p->loop.backoff_until_us = now_us + pause;", "p->loop.backoff_until_us = now_us + (pause & 1);"),
    # memory
    one("memory-kept", "the memory of batches that were never sent is not returned", "I5", ENGINE,
        "\tkp_batch_free(b, &e->shared.budget);\n", "\tif (b->attempts)\n\t\tkp_batch_free(b, &e->shared.budget);\n"),
    one("memory-twice", "growing is counted twice", "I5", "producer/budget.c",
        "int err = kp_budget_reserve(b, size, may_exceed);", "int err = kp_budget_reserve(b, 2 * size, may_exceed);"),
    one("memory-early", "a batch's buffer is returned while a request that carries it is unresolved", "bytes", ENGINE,
        "memory_order_acq_rel) != 1)\n\t\treturn;",
        "memory_order_acq_rel) != 1) {\n\t\tkp_batch_drop_data(b, &e->shared.budget);\n\t\treturn;\n\t}"),
    # leaders and connections
    one("leader-epoch-ignored", "metadata of a broker that lags behind takes back a newer leader (KIP-320)", "leader", CLUSTER,
        "if (!is_new_topic && p->leader_epoch >= 0 && p->leader_epoch < known->leader_epoch)", "if (is_new_topic && false)"),
    one("old-hint-taken", "a leader of an older epoch is taken from a Produce answer (KIP-951)", "leader", CLUSTER,
        "\tif (leader_epoch <= p->leader_epoch)\n\t\treturn false;\n", ""),
    one("sixth-request", "a connection has one request more than max.in.flight", "I8", SENDER,
        "b->n_produce < e->config.max_in_flight &&", "b->n_produce <= e->config.max_in_flight &&"),
    one("throttle-ignored", "requests leave although the broker asked for a pause (KIP-219)", "throttle", SENDER,
        " && now_us >= b->rpc.throttled_until_us &&", " &&"),
    Mutant("old-bytes", "what a connection received in part is taken for the beginning of the next one's answers", "I9 call",
           (("src/rpc/rpc.c", "\tc->throttled_until_us = 0;\n\tkp_buf_clear(&c->inbox);", "\tc->throttled_until_us = 0;"),
            ("src/rpc/rpc.c", "\tkp_buf_deinit(&c->inbox);\n\tkp_buf_init(&c->inbox, KP_RPC_MAX_FRAME + 4);\n", ""))),
    # transactions
    classic("partition-not-added", "a batch leaves before its partition is part of the transaction", "T2", TXN,
            "\tif (t->is_v2 || p->loop.txn_number == t->number)", "\tif (true)"),
    classic("partition-added-once", "a partition that was added once is not added to later transactions", "T2", TXN,
            "\tif (t->is_v2 || p->loop.txn_number == t->number)", "\tif (t->is_v2 || p->loop.txn_number > 0)"),
    classic("partition-added-unanswered", "a partition counts as added when its request leaves", "T2", REQUESTS,
            "\tkp_list_splice_back(&t->adding, &t->to_add);\n",
            "\tkp_list_splice_back(&t->adding, &t->to_add);\n\tfor (kp_list *l = t->adding.next; l != &t->adding; l = l->next)\n"
            "\t\tKP_CONTAINER_OF(l, kp_partition, loop.txn_link)->loop.txn_number = t->number;\n"),
    v2("commit-before-last-batch", "a commit does not wait for its last batches", "T1 I6", TXN,
       "return !t->has_lost_to_close && !first_open(e) && !t->is_calling && !t->is_adding && !has_produce_in_flight(e);",
       "return e && !t->is_calling && !t->is_adding;"),
    v2("commit-of-what-was-lost", "a batch that was not persisted does not fail its transaction", "T1 I6", "producer/outcome.c",
       "\t\tkp_txn_batch_lost(e, b, error);", "\t\t(void)0;"),
    v2("commit-in-doubt", "a batch of open fate does not fail its transaction", "T1 I6", TXN,
       "\tif (!kp_is_transactional(e))\n\t\treturn;\n\tif (error == KP_ERR_CLOSED) {",
       "\tif (!kp_is_transactional(e) || b->is_open_fate)\n\t\treturn;\n\tif (error == KP_ERR_CLOSED) {"),
    v2("commit-of-what-was-refused", "a record that was refused does not fail the commit", "I6", TXN,
       "\tif (refused) {\n", "\tif (false) {\n"),
    v2("gate-open", "records are taken while the transaction is being committed", "txn", TXN,
       "\tset_state(e, KP_TXN_COMMITTING);\n\tkp_engine_refuse(e, KP_ERR_NO_TRANSACTION);\n", "\tset_state(e, KP_TXN_COMMITTING);\n"),
    v2("commit-told-early", "a commit is told although its coordinator has not taken it", "T3 I6", REQUESTS,
       "\tif (v == TAKEN) {\n\t\tended(e, &a);\n\t} else if (v == FENCED) {\n\t\tkp_txn_fenced(e, error, \"EndTxn\");",
       "\tif (v != FENCED) {\n\t\ta.producer_id = -1;\n\t\tended(e, &a);\n\t} else if (v == FENCED) {\n\t\tkp_txn_fenced(e, error, \"EndTxn\");"),
    v2("commit-twice", "a commit whose answer was lost is done a second time, as the next transaction's", "T4 T3", REQUESTS,
       "\tt->is_commit_lost = false;\n\tt->phase = KP_TXN_EPOCH;\n",
       "\tif (!t->call.is_lost || t->op != KP_TXN_OP_COMMIT)\n\t\tt->phase = KP_TXN_EPOCH;\n\tt->is_commit_lost = false;\n"),
    v2("commit-resumed-aborts", "a commit that was asked for again is ended as an abort", "T3 I6", REQUESTS,
       "\tbody->committed = e->loop.txn.op == KP_TXN_OP_COMMIT;\n",
       "\tbody->committed = e->loop.txn.op == KP_TXN_OP_COMMIT && !call->is_lost;\n"),
    classic("abort-not-written-classic", "an abort is told, and no coordinator asked for it", "T3 I6 I9", TXN,
            "\t\tt->phase = t->is_on_broker ? KP_TXN_END : KP_TXN_EPOCH;\n",
            "\t\tt->phase = t->is_on_broker && t->op == KP_TXN_OP_COMMIT ? KP_TXN_END : KP_TXN_EPOCH;\n"),
    v2("abort-not-written", "the same with KIP-890", "T4", TXN,
       "\t\tt->phase = t->is_on_broker ? KP_TXN_END : KP_TXN_EPOCH;\n",
       "\t\tt->phase = t->is_on_broker && t->op == KP_TXN_OP_COMMIT ? KP_TXN_END : KP_TXN_EPOCH;\n"),
    v2("empty-ended", "a transaction in which nothing was sent is ended at its coordinator", "T6", TXN,
       "\t\tt->phase = t->is_on_broker ? KP_TXN_END : KP_TXN_EPOCH;\n", "\t\tt->phase = KP_TXN_END;\n"),
    v2("stale-epoch", "the epoch that EndTxn answers is not taken", "T4 I9", REQUESTS,
       "\te->loop.producer_id = a->producer_id;\n\te->loop.producer_epoch = a->producer_epoch;\n\tt->needs_epoch = false;\n",
       "\te->loop.producer_id = a->producer_id;\n\tt->needs_epoch = false;\n"),
    v2("sequence-not-reset", "sequences go on although the epoch is another", "I9 T1", "producer/producer_id.c",
       "\tp->loop.producer_epoch = e->loop.producer_epoch;\n\tp->loop.next_sequence = 0;\n\tp->loop.backoff_until_us",
       "\tp->loop.producer_epoch = e->loop.producer_epoch;\n\tp->loop.backoff_until_us"),
    classic("epoch-kept-in-doubt", "behind a lost batch the next transaction goes on with the same epoch", "I9 I3 I6 T1", TXN,
            "\t\te->loop.txn.needs_epoch = true;\n\tif (error == KP_ERR_PRODUCER_FENCED",
            "\t\t(void)0;\n\tif (error == KP_ERR_PRODUCER_FENCED"),
    Mutant("sends-after-failure", "what waits is sent although the transaction can only be aborted", "T3",
           (("src/producer/txn.c",
             "\tif (state != KP_TXN_OPEN && (state != KP_TXN_COMMITTING || t->phase != KP_TXN_DRAIN))\n\t\treturn true;\n", ""),
            ("src/producer/txn.c", "\t\tkp_txn_drop_calls(e);\n\t\tdrop_unsent(e, now_us);\n", "\t\tkp_txn_drop_calls(e);\n")),
           "transactions-v2"),
    v2("fenced-goes-on", "who is fenced takes it for a failed transaction", "I9 txn T7", REQUESTS,
       "\tcase KP_ERR_INVALID_PRODUCER_ID_MAPPING: return FENCED;", "\tcase KP_ERR_INVALID_PRODUCER_ID_MAPPING: return REFUSED;"),
    v2("fenced-still-sends", "who is fenced still sends what waits", "T7 I9 txn", TXN,
       "\tstop(e, KP_TXN_FENCED, KP_ERR_PRODUCER_FENCED);\n", "\tset_state(e, KP_TXN_FENCED);\n"),
    classic("added-for-ever", "partitions of an addition that was given up are never added again", "I9", REQUESTS,
            "\tif (t->is_adding && drop(e, &t->add_call))\n\t\tforget(&t->adding);\n",
            "\tif (t->is_adding)\n\t\t(void)drop(e, &t->add_call);\n"),
    v2("coordinator-never-doubted", "a coordinator that moved is asked for ever", "I9", COORDINATOR,
       "\tc->node = -1;\n\tc->not_before_us = now_us", "\tc->not_before_us = now_us"),
    classic("offsets-outside", "offsets are sent although their group is not part of the transaction", "T2", REQUESTS,
            "\tif (!t->is_v2 && !t->is_group_added) {", "\tif (false) {"),
    classic("group-added-once", "a group that was added once is not added to later transactions", "T2", TXN,
            "\tt->is_group_added = false;\n", ""),
    v2("offsets-told-early", "offsets count as taken although the group's coordinator refused them", "I6", REQUESTS,
       "\t} else if (v == REFUSED) {\n\t\tkp_txn_failed(e, code, \"group %s refused the offsets: %s\", t->group_id, kp_error_name(code));\n", ""),
    v2("offsets-without-records", "a transaction that has nothing but offsets is not ended", "I6 T4", REQUESTS,
       "\tif (!list_offsets(o, arena, body))\n\t\treturn NULL;\n\te->loop.txn.is_on_broker = true;\n",
       "\tif (!list_offsets(o, arena, body))\n\t\treturn NULL;\n"),
    v2("search-taken-for-end", "an error of the search for the coordinator is taken for EndTxn's", "T3 I6 I9", REQUESTS,
       "\tbool is_its_own = !error;", "\tbool is_its_own = true;"),
]
