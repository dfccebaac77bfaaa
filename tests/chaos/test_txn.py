"""Transactions while producers, leaders and coordinators are killed; kproducer and librdkafka suffer the same fault at the same time."""

import signal

import pytest

from cluster import COORDINATORS, NODES
from command import wait_until
from conftest import KPRODUCER, LIBRDKAFKA


# Kafka's own: while a successor's transaction is open the coordinator does not look at the epoch of a zombie's InitProducerId, and fences both.
BY_ZOMBIE = "InitProducerId was answered with PRODUCER_FENCED"


def assert_atomic(row, zombies=0):
    """All or nothing, what was told is so, and nobody gave up who was not superseded."""
    promised = ("half", "lost", "doubled", "denied", "zombie", "out_of_order", "damaged")
    broken = {name: row[name] for name in promised if row[name]}
    assert not broken, (broken, row["examples"], row["errors"])
    assert (row["stuck"], row["ended"]) == (0, COORDINATORS), row
    by_zombie = sum(n for text, n in row["errors"].items() if BY_ZOMBIE in text)
    assert zombies <= row["fenced"] <= zombies + by_zombie, row
    assert row["committed"] > 0 and row["aborted"] > 0 and row["hidden"] > 0, row


def test_txn_producer_kill(transactions, is_quick):
    """kill -9 in mid-transaction, again and again; the next instance starts at once."""
    transactions.start(*(KPRODUCER,) if is_quick else (KPRODUCER, LIBRDKAFKA))
    for _ in range(4 if is_quick else 12):
        transactions.somewhere()
        for chain in transactions.all:
            chain.kill()
            chain.start()
        transactions.await_commits()
    assert_atomic(transactions.end()["kproducer"])


@pytest.mark.full
def test_txn_leader_and_coordinator_kill(cluster, transactions):
    """Each node in turn: the leader of a third of the partitions, and one of the coordinators."""
    transactions.start(KPRODUCER, LIBRDKAFKA)
    for n in NODES:
        transactions.somewhere()
        transactions.say(f"kill -9 of node {n}")
        cluster.nodes[n].stop(signal.SIGKILL)
        topics = [topic for of_one in transactions.topics.values() for topic in of_one]
        wait_until(lambda: all(p.leader not in (-1, n) for topic in topics for p in cluster.partitions(topic)), "other leaders")
        transactions.last(3)
        cluster.await_healthy()
    assert_atomic(transactions.end()["kproducer"])


@pytest.mark.full
def test_txn_coordinator_and_producer_kill(cluster, transactions):
    """The coordinator of an id dies, and its producer with it: the next instance has to find the coordinator and what it left open."""
    transactions.start(KPRODUCER, LIBRDKAFKA)
    for chains in zip(*transactions.chains.values(), strict=True):
        transactions.somewhere()
        n = cluster.coordinator(chains[0].transactional_id)
        transactions.say(f"kill -9 of the producers and of node {n}, their coordinator")
        cluster.nodes[n].stop(signal.SIGKILL)
        for chain in chains:
            chain.kill()
            chain.start()
        transactions.await_commits()
        cluster.await_healthy()
    assert_atomic(transactions.end()["kproducer"])


@pytest.mark.full
def test_txn_zombie(transactions):
    """An instance is stopped in mid-transaction, its successor works, and it is woken beside it."""
    transactions.start(KPRODUCER, LIBRDKAFKA)
    n_woken = 0
    for _ in range(6):
        transactions.somewhere()
        zombies = [chain.newest for chain in transactions.all]
        for process in zombies:
            process.send_signal(signal.SIGSTOP)
        for chain in transactions.all:
            chain.start()
        transactions.await_commits()
        for process in zombies:
            process.send_signal(signal.SIGCONT)
        wait_until(lambda: all(process.poll() is not None for process in zombies), "the ends of the zombies")
        n_woken += len(transactions.chains["kproducer"])
        transactions.await_commits(3)
    assert_atomic(transactions.end()["kproducer"], zombies=n_woken)


@pytest.mark.full
@pytest.mark.parametrize("transactions", [2], ids=["both"], indirect=True)
def test_txn_protocol_switch(cluster, transactions):
    """The cluster goes back to the classic protocol and forward again, under producers that work."""
    transactions.protocol = "both"
    transactions.start(KPRODUCER, LIBRDKAFKA)
    for version in (1, 2, 1, 2):
        transactions.say(f"transaction.version={version}")
        cluster.set_transaction_version(version)
        transactions.last(2)
        transactions.await_commits(3)
    assert_atomic(transactions.end()["kproducer"])
