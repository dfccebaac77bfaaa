"""Consume-transform-produce while copiers, leaders and coordinators are killed: kproducer's example and Kafka's own tool, one after the other.
What the latter does is printed, not asserted."""

import signal

import pytest


def assert_exactly_once(row):
    assert row["client"] != "kproducer" or (row["missing"], row["doubled"], row["damaged"]) == (0, 0, 0), row


def kill_node(cluster, copy, what, n):
    copy.say(f"kill -9 of node {n}, {what}")
    cluster.nodes[n].stop(signal.SIGKILL)


@pytest.mark.parametrize("copy", [2], ids=["KIP-890"], indirect=True)
def test_txn_copy_with_kills(copy, is_quick):
    for _ in range(2 if is_quick else 5):
        copy.goes_on(0.15)
        copy.kill()
    assert_exactly_once(copy.end())


@pytest.mark.full
def test_txn_copy_with_everything(cluster, copy):
    copy.goes_on(0.1)
    kill_node(cluster, copy, "which leads the output", cluster.leader(copy.output))
    copy.goes_on(0.1)
    copy.kill()
    cluster.await_healthy()
    copy.goes_on(0.1)
    kill_node(cluster, copy, "the coordinator of a copier's transactions", cluster.coordinator(copy.chains[0].transactional_id))
    copy.goes_on(0.1)
    copy.replace(0.05)
    cluster.await_healthy()
    copy.goes_on(0.1)
    kill_node(cluster, copy, "the coordinator of the group", cluster.leader("__consumer_offsets"))
    copy.kill()
    copy.goes_on(0.05)
    cluster.await_healthy()
    assert_exactly_once(copy.end())
