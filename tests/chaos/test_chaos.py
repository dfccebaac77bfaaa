"""Scenarios that run in short form in every test run; kproducer and librdkafka suffer the same fault at the same time."""

import signal
import time

from command import wait_until
from conftest import KPRODUCER, LIBRDKAFKA
from cluster import NODES, SESSION_S


def assert_exact(row):
    """acks=all with idempotence, whatever happens."""
    promised = ("lost", "doubled", "out_of_order", "misplaced", "denied", "unreported", "twice")
    broken = {name: row[name] for name in promised if row[name]}
    assert not broken, (broken, row["examples"], row["errors"])


def assert_nothing_failed(row):
    assert_exact(row)
    assert (row["failed"], row["unknown"], row["refused"], row["alive"]) == (0, 0, 0, True), row


def test_leader_kill(cluster, traffic, is_quick):
    measured = () if is_quick else (("kproducer", "kproducer acks=1", ["acks=1", "enable.idempotence=false"]),
                                    ("kproducer", "kproducer acks=0", ["acks=0", "enable.idempotence=false"]))
    traffic.start(KPRODUCER, LIBRDKAFKA, *measured)
    topic = traffic.topic("kproducer")
    for n in NODES[:1] if is_quick else NODES:
        node = cluster.nodes[n]
        wait_until(lambda: cluster.leader(topic, n) >= 0, "a leader")
        traffic.say(f"kill -9 of node {n}")
        node.stop(signal.SIGKILL)
        wait_until(lambda: all(p.leader not in (-1, n) for p in cluster.partitions(topic)), "other leaders")
        traffic.last(3)
        cluster.await_healthy()
    assert_nothing_failed(traffic.end()["kproducer"])


def test_rolling_restart(cluster, traffic, is_quick):
    traffic.start(KPRODUCER, LIBRDKAFKA)
    for n in NODES[:1] if is_quick else NODES:
        traffic.say(f"restarting node {n}")
        cluster.nodes[n].stop()
        cluster.await_healthy()
        traffic.last(1)
    assert_nothing_failed(traffic.end()["kproducer"])


def test_cut_both_ways(cluster, traffic, is_quick):
    """A leader is cut off from everybody for longer than its session lasts."""
    traffic.start(KPRODUCER, LIBRDKAFKA)
    for n in NODES[:1] if is_quick else NODES[:2]:
        traffic.say(f"node {n} is cut off")
        with cluster.nodes[n].firewall("INPUT -i eth0 -j DROP", "OUTPUT -o eth0 -j DROP"):
            traffic.last(SESSION_S + 4)
        cluster.await_healthy()
    assert_nothing_failed(traffic.end()["kproducer"])


def test_topic_created_again(cluster, traffic):
    """Records acknowledged before the deletion went with the topic; none of them may turn up in the new one."""
    traffic.start(KPRODUCER)
    topic = traffic.topic("kproducer")
    traffic.say("deleting the topic")
    before = time.monotonic()
    cluster.delete_topic(topic)
    traffic.last(2)
    traffic.say("creating it again")
    cluster.create_topic(topic)
    traffic.last(3)  # until every node knows of it
    after = time.monotonic()
    traffic.last(5)
    row = traffic.end(counts=lambda record: record.sent > after)["kproducer"]
    assert_exact(row)
    old = {r.seq for r in traffic.records["kproducer"] if r.outcome == "p" and r.ended < before}
    new = {seq for found in traffic.logs["kproducer"].values() for _, seq, _ in found}
    assert old and not old & new, sorted(old & new)[:10]
    assert row["alive"]
