"""The scenarios of the long run alone."""

import signal
import struct
import subprocess
import time

import pytest

from clients import CLOCK_STEP
from cluster import LOG_MB, NODES, SESSION_S
from command import wait_until
from conftest import KPRODUCER, LIBRDKAFKA
from test_chaos import assert_nothing_failed

pytestmark = pytest.mark.full

HERE = "10.77.0.1"


def test_sigstop(cluster, traffic):
    """A node says nothing for longer than its session lasts, and then goes on as if nothing had happened."""
    traffic.start(KPRODUCER, LIBRDKAFKA)
    for n in NODES[:2]:
        traffic.say(f"node {n} is stopped")
        with cluster.nodes[n].frozen():
            traffic.last(SESSION_S + 4)
        cluster.await_healthy()
    assert_nothing_failed(traffic.end()["kproducer"])


def test_cut_one_way(cluster, traffic):
    """Requests reach the leader, its answers are lost, for longer than a request's time-out: every batch is appended and sent again."""
    impatient = ["request.timeout.ms=4000"]
    traffic.start(("kproducer", "kproducer", impatient), ("rdkafka", "librdkafka", impatient))
    for n in NODES[:2]:
        traffic.say(f"no answers from node {n}")
        with cluster.nodes[n].firewall(f"OUTPUT -d {HERE} -p tcp -j DROP"):
            traffic.last(10)
        cluster.await_healthy()
    assert_nothing_failed(traffic.end()["kproducer"])


def test_resets(cluster, traffic):
    """Connections to every node are reset, again and again, while requests and answers are under way."""
    traffic.start(KPRODUCER, LIBRDKAFKA)
    for n in NODES:
        traffic.say(f"resets at node {n}")
        reset = "-p tcp -m statistic --mode random --probability 0.03 -j REJECT --reject-with tcp-reset"
        with cluster.nodes[n].firewall(f"INPUT -s {HERE} {reset}"):
            traffic.last(7)
    assert_nothing_failed(traffic.end()["kproducer"])


def test_delay(cluster, proxy, traffic):
    """Slow answers of uneven length, in pieces; then connections that end in the middle of an answer."""
    traffic.start(KPRODUCER, LIBRDKAFKA, servers=cluster.proxied)
    traffic.say("a third of a second each way, in pieces")
    for n in NODES:
        proxy.poison(n, "latency", "downstream", latency=300, jitter=200)
        proxy.poison(n, "slicer", "downstream", average_size=20, size_variation=10, delay=50)
    traffic.last(12)
    traffic.say("connections end after 20 kB of answers")
    for n in NODES:
        proxy.poison(n, "limit_data", "downstream", bytes=20000)
    traffic.last(12)
    assert_nothing_failed(traffic.end()["kproducer"])


def test_reassignment_and_added_partitions(cluster, traffic, tmp_path):
    pairs = [[1, 2], [2, 3], [3, 1]]
    traffic.start(KPRODUCER, LIBRDKAFKA, assignment=pairs * 2, min_insync_replicas=1)
    for shift in (1, 2):
        traffic.say("moving every partition")
        for label in ("kproducer", "librdkafka"):
            cluster.reassign(traffic.topic(label), [pairs[(i + shift) % 3] for i in range(6)], tmp_path)
    traffic.say("three partitions more")
    for label in ("kproducer", "librdkafka"):
        cluster.add_partitions(traffic.topic(label), 9)
    traffic.last(10)
    assert_nothing_failed(traffic.end()["kproducer"])


def test_controller_kill(cluster, traffic):
    traffic.start(KPRODUCER, LIBRDKAFKA)
    for _ in range(2):
        n = cluster.controller()
        traffic.say(f"kill -9 of node {n}, the controller")
        cluster.nodes[n].stop(signal.SIGKILL)
        wait_until(lambda: cluster.controller() not in (-1, n), "another controller")
        traffic.last(SESSION_S)
        cluster.await_healthy()
    assert_nothing_failed(traffic.end()["kproducer"])


def test_produce_quota(cluster, traffic):
    """Brokers ask for silence while twice as much is sent as they allow."""
    client_id = "limited"
    traffic.start(("kproducer", "kproducer", [f"client.id={client_id}"]))
    traffic.say("a quota")
    cluster.set_quota(client_id, 80000)  # of each node
    traffic.last(15)
    traffic.say("no quota")
    cluster.set_quota(client_id, None)
    row = traffic.end()["kproducer"]
    assert_nothing_failed(row)
    assert row["throttle_ms"] > 0


def test_log_dir_full(cluster, traffic):
    """A node's disk is full: it halts, the others take over; with room again it comes back."""
    traffic.start(KPRODUCER, LIBRDKAFKA)
    node = cluster.nodes[2]
    filler = node.folder / "data" / "filler"
    traffic.say("filling the disk of node 2")
    subprocess.run(["dd", "if=/dev/zero", f"of={filler}", "bs=1M", f"count={LOG_MB}"], stderr=subprocess.DEVNULL, check=False)
    try:
        wait_until(lambda: not node.is_running(), "the node has halted")
        traffic.last(8)
    finally:
        filler.unlink()
    traffic.say("room again")
    cluster.await_healthy()
    assert_nothing_failed(traffic.end()["kproducer"])


def test_min_insync_replicas_not_met(cluster, traffic):
    """All three replicas are wanted, and one node is down for a while."""
    traffic.start(KPRODUCER, LIBRDKAFKA, min_insync_replicas=3)
    traffic.say("stopping node 3")
    cluster.nodes[3].stop()
    traffic.last(12)
    cluster.await_healthy()
    assert_nothing_failed(traffic.end()["kproducer"])


def test_clock_step(traffic, tmp_path):
    """The client's wall clock goes back by an hour, and forward by almost two: a timestamp more than an hour ahead is one that brokers
    refuse."""
    clock = tmp_path / "clock"
    clock.write_bytes(struct.pack("q", 0))
    traffic.start(KPRODUCER, LIBRDKAFKA, env={"LD_PRELOAD": str(CLOCK_STEP), "CLOCK_STEP": str(clock)})
    for step_s in (-3600, 3000, 0):
        traffic.say(f"the clock: {step_s:+} s")
        with open(clock, "r+b") as mapped:  # in place: a file cut short would end who maps it
            mapped.write(struct.pack("q", step_s))
        traffic.last(6)
    now_ms = time.time() * 1000
    row = traffic.end()["kproducer"]
    assert_nothing_failed(row)
    hours = [(timestamp - now_ms) / 3600e3 for found in traffic.logs["kproducer"].values() for _, _, timestamp in found]
    assert min(hours) < -0.9 and max(hours) > 0.7, "the clock did not step"
