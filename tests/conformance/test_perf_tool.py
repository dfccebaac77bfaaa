"""`kproducer perf`: its JSON, and its counts against those of the broker."""

import pytest

from command import kproducer
from readers import all_records, count

KEYS = {
    "records", "acked", "failed", "unknown", "bytes", "seconds", "records_per_second", "mb_per_second", "cpu_seconds", "max_rss_kb",
    "latency_us", "retries", "settings", "errors",
}


def perf(broker, topic, *args):
    result = kproducer("perf", "-b", broker.servers, "-t", topic, "--json", *args)
    assert result.code == 0, result
    return result.json


def test_json_has_what_the_design_promises(broker, topic):
    figures = perf(broker, topic, "-n", "20k", "-s", "100")
    assert KEYS <= figures.keys()
    assert {"p50", "p90", "p99", "p999", "max"} <= figures["latency_us"].keys()
    assert (figures["records"], figures["acked"], figures["failed"], figures["unknown"]) == (20000, 20000, 0, 0)
    assert figures["bytes"] == 2000000 and figures["errors"] == []
    assert 0 < figures["seconds"] < 60 and figures["cpu_seconds"] > 0 and figures["max_rss_kb"] > 1000
    assert figures["records_per_second"] == pytest.approx(20000 / figures["seconds"], rel=0.01)
    assert figures["settings"]["bootstrap.servers"] == broker.servers
    assert figures["settings"]["acks"] == "all"
    assert count(broker, topic) == {0: 20000}


def test_latencies_are_in_order(broker, topic):
    latency = perf(broker, topic, "-n", "5000", "--rate", "10000")["latency_us"]
    assert latency["timed"] == 5000
    assert 0 < latency["p50"] <= latency["p90"] <= latency["p99"] <= latency["p999"] <= latency["max"]


@pytest.mark.parametrize("args", [
    ["--threads", "3"], ["--array", "100"], ["-z", "zstd"], ["-k", "10"], ["-X", "acks=1"], ["-X", "linger.ms=0"],
], ids=" ".join)
def test_every_record_arrives(broker, name, args):
    broker.create_topic(name, partitions=3)
    figures = perf(broker, name, "-n", "30000", *args)
    assert figures["acked"] == 30000
    assert sum(count(broker, name).values()) == 30000


def test_keys_sizes_and_payload_are_what_was_asked_for(broker, name, lines):
    broker.create_topic(name, partitions=2)
    perf(broker, name, "-n", "1000", "-k", "10", "-s", "64", "--payload-file", lines(b"one\ntwo\n"))
    found = [r for of_one in all_records(broker, name).values() for r in of_one]
    assert len({r.key for r in found}) == 10 and {len(r.key) for r in found} == {8}
    assert {r.value for r in found} == {b"one".ljust(64), b"two".ljust(64)}


def test_rate_is_held(devbroker, name):
    figures = perf(devbroker, devbroker.create_topic(name), "-n", "4000", "--rate", "2000")
    assert figures["acked"] == 4000
    assert figures["records_per_second"] == pytest.approx(2000, rel=0.05)


def test_duration_ends_it(devbroker, name):
    figures = perf(devbroker, devbroker.create_topic(name), "--duration", "0.5", "--rate", "1000")
    assert 400 <= figures["records"] <= 520
    assert count(devbroker, name) == {0: figures["records"]}


def test_text_is_for_people(devbroker, name):
    result = kproducer("perf", "-b", devbroker.servers, "-t", devbroker.create_topic(name), "-n", "1000")
    assert result.code == 0
    assert "1000 records in" in result.out.decode() and "1000 acked, 0 failed, 0 unknown" in result.out.decode()


@pytest.mark.parametrize("args", [["-n", "some"], ["-s", "-1"], ["--rate", "fast"], ["--array", "10", "--rate", "5"], ["--threads", "0"]],
                         ids=" ".join)
def test_usage(args):
    result = kproducer("perf", "-b", "127.0.0.1:1", "-t", "t", *args)
    assert result.code == 2 and len(result.out) == 0
