"""A failed record tells what stood in its way, on standard error, in --failed and in --report: "timed out" alone is never the answer."""

import json

import pytest

from command import kproducer, produce
from readers import records
from stream import Stream

IMPATIENT = ["-X", "request.timeout.ms=500", "-X", "delivery.timeout.ms=1500", "-X", "linger.ms=0"]
TIMES = ("no_metadata_us", "no_leader_us", "queued_us", "in_flight_us")


def failed_record(broker, topic, tmp_path, *options):
    """What is said of one record that fails: standard error, its line in --failed, its line in --report."""
    failed, report = tmp_path / "failed", tmp_path / "report"
    result = produce(broker, topic, *IMPATIENT, *options, "--failed", failed, "--report", report, stdin=b"lost\n", code=1)
    kept, told = json.loads(failed.read_bytes()), json.loads(report.read_bytes())
    trail = ("stage", "last_error", "cause", "attempts", *TIMES)
    assert [kept.get(k) for k in trail] == [told.get(k) for k in trail]
    assert 1_400_000 <= sum(kept[k] for k in TIMES) <= 10_000_000
    return result, kept


def test_partition_without_leader(own_devbroker, name, tmp_path):
    control = tmp_path / "control"
    broker = own_devbroker("--control", control)
    broker.create_topic(name)
    assert kproducer("fault", "--control", control, "add", f"at 0s: leader {name}/0 = none").code == 0
    _, record = failed_record(broker, name, tmp_path)
    assert (record["error"], record["stage"]) == ("DELIVERY_TIMEOUT", "NO_LEADER")
    assert record["last_error"] == "LEADER_NOT_AVAILABLE" and record["cause"] == f"partition 0 of topic {name} has no leader"
    assert record["no_leader_us"] > 1_000_000 and record["attempts"] == 0


def test_unknown_topic(own_devbroker, name, tmp_path):
    broker = own_devbroker("--no-auto-create")
    _, record = failed_record(broker, name, tmp_path)
    assert (record["stage"], record["last_error"]) == ("NO_METADATA", "UNKNOWN_TOPIC_OR_PARTITION")
    assert name in record["cause"] and record["no_metadata_us"] > 1_000_000


def test_too_few_replicas(own_devbroker, name, tmp_path):
    broker = own_devbroker("--fault", "on produce: error NOT_ENOUGH_REPLICAS")
    # after 0 s and 0.8 .. 1.2 s: none is under way when the time is over
    _, record = failed_record(broker, name, tmp_path, "-X", "retry.backoff.ms=1000", "-X", "retry.backoff.max.ms=1000")
    assert record["last_error"] == "NOT_ENOUGH_REPLICAS" and record["attempts"] == 2 and record["node"] == 1
    assert "NOT_ENOUGH_REPLICAS from node 1 (" in record["cause"]


def test_too_few_replicas_of_apache_kafka(kafka_without_its_second, name, tmp_path):
    broker = kafka_without_its_second
    broker.create_topic(name, replicas=(1, 2), min_insync_replicas=2)
    # one attempt: none is under way when the time is over
    _, record = failed_record(broker, name, tmp_path, "-X", "retry.backoff.ms=60000", "-X", "retry.backoff.max.ms=60000")
    assert (record["outcome"], record["error"], record["stage"]) == ("NOT_PERSISTED", "DELIVERY_TIMEOUT", "QUEUED")
    assert (record["last_error"], record["attempts"], record["node"]) == ("NOT_ENOUGH_REPLICAS", 1, 1)
    assert f"backing off after NOT_ENOUGH_REPLICAS from node 1 ({broker.servers})" in record["cause"]
    assert records(broker, name) == []


@pytest.mark.parametrize("fault, says", [("stopped", "cannot be reached: "), ("stuck", "no answer from node 1 (")])
def test_broker_that_is_gone(own_devbroker, name, fault, says):
    broker = own_devbroker()
    stream = Stream(broker, name, *IMPATIENT)
    stream.send(b"before")
    stream.await_persisted(1)
    if fault == "stopped":
        broker.stop()
        stream.send(b"after")
        stream.close()
        result = stream.result(code=1)
    else:
        with broker.paused():
            stream.send(b"after")
            stream.close()
            result = stream.result(code=1)
    [line] = [line for line in result.lines if "line 2 of standard input: " in line]
    assert "DELIVERY_TIMEOUT" in line and (says in line or "REQUEST_TIMEOUT" in line), line
