"""Transactions: all or nothing for consumers that read committed records, in both protocols, whatever becomes of the producer."""

import pytest

from command import wait_until
from test_library import PROGRAMS, library, prefix, program  # noqa: F401 (fixtures)
from txn_script import Script, committed, visible

NEVER_COMMITTED = -1001


@pytest.fixture
def script(program, library):
    """A function that starts a transactional producer."""
    binary = program(PROGRAMS / "txn_script.c").binary
    started = []

    def start(broker, transactional_id, **properties):
        started.append(Script(binary, library, broker, transactional_id, **properties))
        return started[-1]

    yield start
    for one in started:
        one.__exit__()


def test_committed_records_are_visible_and_aborted_ones_are_not(broker, name, script):
    topic, other = broker.create_topic(name, 3), broker.create_topic(f"{name}-other")
    p = script(broker, name)
    p.ok("init", 30000)
    for transaction in range(4):
        p.ok("begin")
        for partition in range(3):
            p.ok("send", topic, partition, f"{transaction}-{partition}")
        p.ok("send", other, 0, f"{transaction}")
        p.ok("flush", 30000)
        assert p.ok("commit" if transaction % 2 else "abort", 30000).state == "ready"
    assert p.end() == (0, "sent 16 persisted 16 not_persisted 0 unknown 0")
    wait_until(lambda: visible(broker, other) == {0: ["1", "3"]}, "the markers")
    assert visible(broker, topic) == {i: [f"1-{i}", f"3-{i}"] for i in range(3)}
    assert visible(broker, topic, "read_uncommitted") == {i: [f"{t}-{i}" for t in range(4)] for i in range(3)}


def test_nothing_of_an_open_transaction_is_visible_until_its_commit(broker, topic, script):
    p = script(broker, topic)
    p.ok("init", 30000)
    p.ok("begin")
    p.ok("send", topic, 0, "a")
    p.ok("flush", 30000)
    assert visible(broker, topic) == {0: []}
    assert visible(broker, topic, "read_uncommitted") == {0: ["a"]}
    p.ok("commit", 30000)
    wait_until(lambda: visible(broker, topic) == {0: ["a"]}, "the marker")


def test_records_that_were_not_sent_yet_are_dropped_by_an_abort(broker, topic, script):
    p = script(broker, topic, linger_ms=60000, delivery_timeout_ms=100000)
    p.ok("init", 30000)
    p.ok("begin")
    p.ok("send", topic, 0, "a")
    p.ok("abort", 30000)
    p.ok("begin")
    p.ok("send", topic, 0, "b")
    p.ok("commit", 30000)
    assert p.end() == (0, "sent 2 persisted 1 not_persisted 1 unknown 0")
    wait_until(lambda: visible(broker, topic) == {0: ["b"]}, "the marker")
    assert visible(broker, topic, "read_uncommitted") == {0: ["b"]}


def test_offsets_are_committed_with_the_transaction_or_not_at_all(broker, name, topic, script):
    group = f"group-{name}"
    p = script(broker, topic)
    p.ok("init", 30000)
    p.ok("begin")
    p.ok("send", topic, 0, "a")
    p.ok("offsets", group, -1, "-", topic, 0, 7, 30000)
    p.ok("abort", 30000)
    assert committed(broker, group, topic) == NEVER_COMMITTED
    for offset in 11, 12:
        p.ok("begin")
        p.ok("offsets", group, -1, "-", topic, 0, offset, 30000)
        p.ok("send", topic, 0, f"{offset}")
        p.ok("commit", 30000)
        wait_until(lambda: committed(broker, group, topic) == offset, "the marker")
    assert visible(broker, topic) == {0: ["11", "12"]}


def test_an_empty_transaction_writes_nothing(broker, topic, script):
    p = script(broker, topic)
    p.ok("init", 30000)
    for end in "commit", "abort", "commit":
        p.ok("begin")
        p.ok(end, 30000)
    p.ok("begin")
    p.ok("send", topic, 0, "a")
    p.ok("commit", 30000)
    wait_until(lambda: visible(broker, topic) == {0: ["a"]}, "the marker")


def test_a_new_instance_aborts_what_the_old_one_left_open_and_fences_it(broker, topic, script):
    old = script(broker, topic)
    old.ok("init", 30000)
    old.ok("begin")
    old.ok("send", topic, 0, "left open")
    old.ok("flush", 30000)
    new = script(broker, topic)
    new.ok("init", 30000)
    new.ok("begin")
    new.ok("send", topic, 0, "new")
    new.ok("commit", 30000)
    old("send", topic, 0, "of a zombie")
    answer = old("commit", 30000)
    if answer.next == "abort":  # the leader refused the record first
        answer = old("abort", 30000)
    assert (answer.error, answer.next, answer.state) == ("PRODUCER_FENCED", "new_instance", "fenced")
    assert old("send", topic, 0, "x").error == "PRODUCER_FENCED"
    wait_until(lambda: visible(broker, topic) == {0: ["new"]}, "the marker")


def test_a_producer_killed_in_a_transaction_is_taken_up_by_its_successor(broker, topic, script):
    with script(broker, topic) as p:
        p.ok("init", 30000)
        p.ok("begin")
        p.ok("send", topic, 0, "lost")
        p.ok("flush", 30000)
    p = script(broker, topic)
    p.ok("init", 30000)
    p.ok("begin")
    p.ok("send", topic, 0, "kept")
    p.ok("commit", 30000)
    wait_until(lambda: visible(broker, topic) == {0: ["kept"]}, "the marker")


def test_closing_aborts_an_open_transaction(broker, topic, script):
    p = script(broker, topic)
    p.ok("init", 30000)
    p.ok("begin")
    p.ok("send", topic, 0, "a")
    p.ok("flush", 30000)
    assert p("close", 30000).error == "TRANSACTION_ABORTED"
    p.end()
    p = script(broker, f"{topic}-other")
    p.ok("init", 30000)
    p.ok("begin")
    p.ok("send", topic, 0, "b")
    p.ok("commit", 30000)
    wait_until(lambda: visible(broker, topic) == {0: ["b"]}, "the markers")
