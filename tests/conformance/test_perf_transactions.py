"""`kproducer perf --transactional-id`: its counts against what a consumer of others reads that reads committed records."""

import re
import signal
import time

import pytest

from command import finish, kproducer, start, wait_until
from readers import count
from txn_script import settled


@pytest.fixture
def payload(lines):
    return lines(b"".join(b"value %d\n" % i for i in range(100)))


def perf(broker, topic, *args, code=0):
    result = kproducer("perf", "-b", broker.servers, "-t", topic, "--json", *args)
    assert result.code == code, result
    return result.json


def n_visible(broker, topic):
    return sum(len(settled(broker, topic, partition)) for partition in range(broker.partitions(topic)))


def test_every_so_many_records_are_a_transaction(broker, name, payload):
    broker.create_topic(name, partitions=2)
    figures = perf(broker, name, "-n", "2500", "--payload-file", payload, "--transactional-id", name, "--records-per-transaction", "1000")
    t = figures["transactions"]
    assert (t["committed"], t["aborted"], t["unknown"], t["committed_records"]) == (3, 0, 0, 2500)
    assert t["records_per_transaction"] == 1000 and t["commits_per_second"] == pytest.approx(3 / figures["seconds"], rel=0.1)
    latency = t["commit_latency_us"]
    assert latency["timed"] == 3 and 0 < latency["p50"] <= latency["p99"] <= latency["max"] <= figures["seconds"] * 1e6
    assert figures["acked"] == 2500 and figures["settings"]["transactional.id"] == name
    assert n_visible(broker, name) == 2500
    assert sum(count(broker, name).values()) >= 2503, "a marker for each transaction in each of its partitions"


@pytest.mark.parametrize("way, n_transactions", [
    (["--array", "7"], 30), (["--rate", "20k"], 30), (["--producers", "3", "--runtimes", "2"], 30), (["-p", "random"], 30),
    (["--records-per-transaction", "1"], 3000), ([], 3),
], ids=lambda v: " ".join(v) if isinstance(v, list) else "")
def test_records_are_committed_in_every_way(devbroker, name, payload, way, n_transactions):
    devbroker.create_topic(name, partitions=2)
    size = [] if n_transactions != 30 else ["--records-per-transaction", "100"]
    figures = perf(devbroker, name, "-n", "3000", "--payload-file", payload, "--transactional-id", name, *size, *way)
    t = figures["transactions"]
    assert (t["committed"], t["aborted"], t["committed_records"], figures["acked"]) == (n_transactions, 0, 3000, 3000)
    assert n_visible(devbroker, name) == 3000


def test_producers_have_ids_of_their_own(devbroker, name):
    devbroker.create_topic(name)
    args = ["-n", "200", "--producers", "2", "--transactional-id", name, "--records-per-transaction", "10"]
    assert perf(devbroker, name, *args)["settings"]["transactional.id"] == f"{name}-1"


def test_at_the_end_of_a_duration_what_is_open_is_committed(devbroker, name, payload):
    devbroker.create_topic(name)
    figures = perf(devbroker, name, "--duration", "0.3", "--rate", "2000", "--payload-file", payload, "-X", f"transactional.id={name}")
    assert figures["transactions"]["committed"] == 1 and 0 < figures["records"] == figures["transactions"]["committed_records"] <= 610
    assert n_visible(devbroker, name) == figures["records"]


def test_a_run_that_is_stopped_commits_what_is_open(devbroker, name, payload):
    devbroker.create_topic(name)
    process = start("perf", "-b", devbroker.servers, "-t", name, "--duration", "60", "--rate", "2000", "--payload-file", payload, "--json",
                    "--transactional-id", name, "--records-per-transaction", "1M", "--progress-interval", "0.1")
    wait_until(lambda: b"in flight" in process.stderr.readline(), "records under way")
    process.send_signal(signal.SIGINT)
    result = finish(process, 20)
    assert result.code == 130 and result.json["transactions"]["committed"] == 1
    assert n_visible(devbroker, name) == result.json["records"]


def test_warm_up_is_left_out_of_the_commits(devbroker, name):
    devbroker.create_topic(name)
    args = ["-n", "2000", "--rate", "4000", "--warmup", "0.25", "--transactional-id", name, "--records-per-transaction", "100"]
    t = perf(devbroker, name, *args)["transactions"]
    assert t["committed"] == 20 and 8 <= t["commit_latency_us"]["timed"] <= 11


def test_a_record_that_fails_has_its_transaction_aborted(broker, name):
    broker.create_topic(name, **{"max.message.bytes": "1000"})
    args = ["-n", "20", "-s", "2000", "--transactional-id", name, "--records-per-transaction", "10"]
    result = kproducer("perf", "-b", broker.servers, "-t", name, "--json", *args)
    t = result.json["transactions"]
    assert result.code == 1 and (t["committed"], t["aborted"], t["committed_records"]) == (0, 2, 0)
    assert result.json["failed"] == 20 and result.err.count("a transaction is aborted: ") == 1
    assert n_visible(broker, name) == 0


def test_a_second_run_with_the_id_ends_the_first(broker, name, payload):
    broker.create_topic(name)
    args = ["perf", "-b", broker.servers, "-t", name, "--payload-file", payload, "--transactional-id", name, "--records-per-transaction", "100"]
    first = start(*args, "--duration", "60", "--rate", "1000", "--progress-interval", "0.1", "--json")
    wait_until(lambda: b"in flight" in first.stderr.readline(), "records under way")
    assert kproducer(*args, "-n", "100").code == 0
    begin = time.monotonic()
    result = finish(first, 30)
    assert result.code == 1 and time.monotonic() - begin < 20
    assert f"transactional id {name}: no more is sent: " in result.err
    assert n_visible(broker, name) == result.json["transactions"]["committed_records"] + 100


def test_text_is_for_people(devbroker, name):
    devbroker.create_topic(name)
    args = ["-n", "1000", "--transactional-id", name, "--records-per-transaction", "100"]
    result = kproducer("perf", "-b", devbroker.servers, "-t", name, *args)
    text = result.out.decode()
    assert result.code == 0 and re.search(r"^10 transactions of 1000 records committed, 0 aborted, 0 unknown: [\d.]+ commits/s$", text, re.M)
    assert re.search(r"^commits in us, 10 timed: p50 [\d.]+ .* max [\d.]+$", text, re.M)


@pytest.mark.parametrize("args, said", [
    (["--records-per-transaction", "10"], "--records-per-transaction needs --transactional-id ID"),
    (["--transactional-id", "a", "--records-per-transaction", "0"], "--records-per-transaction wants a number from 1"),
    (["--transactional-id", ""], "--transactional-id wants an id that no other producer has"),
    (["--transactional-id", "a", "--threads", "2"], "give 2 threads as many --producers"),
    (["-X", "transactional.id=a", "--producers", "2"], "--transactional-id a gives them a-1, a-2 and so on"),
    (["--transactional-id", "a", "-X", "acks=1"], "acks"),
], ids=lambda v: " ".join(v) if isinstance(v, list) else "")
def test_usage(args, said):
    result = kproducer("perf", "-b", "127.0.0.1:1", "-t", "t", *args)
    assert result.code == 2 and len(result.lines) == 1 and said in result.err
