"""`kproducer perf`: its JSON, and its counts against those of the broker."""

import os
import pty
import re
import select
import signal
import time

import pytest

from command import KPRODUCER, finish, kproducer, run, start, wait_until
from readers import all_records, count

KEYS = {
    "records", "acked", "failed", "unknown", "bytes", "seconds", "records_per_second", "mb_per_second", "cpu_seconds", "max_rss_kb",
    "latency_us", "retries", "settings", "errors",
}


def perf(broker, topic, *args):
    result = kproducer("perf", "-b", broker.servers, "-t", topic, "--json", *args)
    assert result.code == 0, result
    return result.json


def test_json_has_its_figures(broker, topic):
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


@pytest.mark.parametrize("args, setting", [
    (["--threads", "3"], {"threads": 3}),
    (["--producers", "3"], {"producers": 3, "threads": 3}),
    (["--producers", "3", "--threads", "5", "--runtimes", "2"], {"producers": 3, "threads": 5, "runtimes": 2}),
    (["--array", "100"], {"array": 100}),
    (["-z", "zstd"], {"compression.type": "zstd"}),
    (["-k", "10"], {"keys": 10}),
    (["-X", "acks=1"], {"acks": "1"}),
    (["-X", "linger.ms=0"], {"linger.ms": "0"}),
], ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_every_record_arrives(broker, name, args, setting):
    broker.create_topic(name, partitions=3)
    figures = perf(broker, name, "-n", "30000", *args)
    assert figures["acked"] == 30000
    assert setting.items() <= figures["settings"].items()
    assert sum(count(broker, name).values()) == 30000


def test_keys_sizes_and_payload_are_what_was_asked_for(broker, name, lines):
    broker.create_topic(name, partitions=2)
    perf(broker, name, "-n", "1000", "-k", "10", "-s", "64", "--payload-file", lines(b"one\ntwo\n"))
    found = [r for of_one in all_records(broker, name).values() for r in of_one]
    assert len({r.key for r in found}) == 10 and {len(r.key) for r in found} == {8}
    assert {r.value for r in found} == {b"one".ljust(64), b"two".ljust(64)}


def test_headers_stand_in_every_record(broker, topic):
    figures = perf(broker, topic, "-n", "100", "-s", "10", "-H", "trace=a=b", "--header", "empty=", "--header", "null")
    assert {tuple(r.headers) for r in all_records(broker, topic)[0]} == {(("trace", b"a=b"), ("empty", b""), ("null", None))}
    assert figures["bytes"] == 100 * (10 + len("trace" "a=b" "empty" "null"))
    assert figures["settings"]["headers"] == 3


def test_random_keys_are_drawn_of_all(devbroker, name):
    perf(devbroker, devbroker.create_topic(name), "-n", "2000", "--keys", "20", "--random-keys")
    keys = [int(r.key) for r in all_records(devbroker, name)[0]]
    assert set(keys) == set(range(20))
    assert sum(b == (a + 1) % 20 for a, b in zip(keys, keys[1:])) < 400, "not in rotation"


def test_a_payload_file_may_have_another_delimiter(devbroker, name, lines):
    perf(devbroker, devbroker.create_topic(name), "-n", "6", "--payload-file", lines(b"a\nb||c||"), "--payload-delimiter", "||")
    assert [r.value for r in all_records(devbroker, name)[0]] == [b"a\nb", b"c"] * 3


def test_all_records_to_one_partition(devbroker, name):
    devbroker.create_topic(name, partitions=3)
    perf(devbroker, name, "--records", "500", "--size", "1", "--partition", "2", "--compression", "lz4")
    assert count(devbroker, name) == {0: 0, 1: 0, 2: 500}


@pytest.mark.parametrize("way", [[], ["--array", "7"], ["--rate", "1M"], ["--threads", "3"]], ids=" ".join)
def test_random_partitions_are_drawn_for_each_record_of_all(devbroker, name, way):
    devbroker.create_topic(name, partitions=5)
    figures = perf(devbroker, name, "-n", "10k", "-s", "10", "-p", "random", *way)
    found = count(devbroker, name)
    assert sum(found.values()) == 10000
    assert all(1700 < n < 2300 for n in found.values()), found
    assert 0 < figures["threads"]["slowest_records_per_second"] <= figures["threads"]["mean_records_per_second"]


def test_random_partitions_of_no_topic_are_refused(devbroker, name):
    args = ["perf", "-b", devbroker.servers, "-t", name, "-p", "random", "-n", "1"]
    result = kproducer(*args, "-X", "allow.auto.create.topics=false")  # else the broker may have made it when it is asked
    assert result.code == 2 and f"{name} does not" in result.err and "topics create" in result.err


def test_producers_have_connections_of_their_own(devbroker, name):
    figures = perf(devbroker, devbroker.create_topic(name), "-n", "3000", "--producers", "4", "--runtimes", "3", "--rate", "10k")
    assert (figures["settings"]["producers"], figures["settings"]["runtimes"], figures["settings"]["threads"]) == (4, 3, 4)
    assert figures["latency_us"]["timed"] == 3000, "the latencies of all runtimes"
    assert len({r.value for r in all_records(devbroker, name)[0]}) > 2000


def test_warm_up_is_left_out_of_the_latencies(devbroker, name):
    figures = perf(devbroker, devbroker.create_topic(name), "-n", "2000", "--rate", "4000", "--warmup", "0.25")
    assert figures["acked"] == 2000 and 900 <= figures["latency_us"]["timed"] <= 1000


def test_histogram_holds_every_timed_record(devbroker, name):
    args = ("-n", "2000", "--rate", "10000", "--histogram")
    figures = perf(devbroker, devbroker.create_topic(name), *args)
    rows = figures["histogram_us"]
    assert sum(row["count"] for row in rows) == figures["latency_us"]["timed"] == 2000
    assert rows[0]["from"] <= figures["latency_us"]["p50"] and figures["latency_us"]["max"] <= rows[-1]["to"] * 1.01
    text = kproducer("perf", "-b", devbroker.servers, "-t", name, *args).out.decode().splitlines()
    bars = [line for line in text if re.fullmatch(r" *[0-9.]+ [num]?s - [0-9.]+ [num]?s +\d+ +[0-9.]+ +[0-9.]+(  #+)?", line)]
    assert bars and bars[-1].split()[-2] == "100.000" and all(len(line) <= 80 for line in text[4:])
    assert re.search(r"p50 \S+ p90 \S+ p95 \S+ p99 \S+ p99\.9 \S+ max \S+", text[3])


def test_progress_in_a_log_comes_at_the_interval(devbroker, name):
    args = ("-t", devbroker.create_topic(name), "--rate", "2000", "--duration", "1.1", "--progress-interval", "0.25")
    result = kproducer("perf", "-b", devbroker.servers, *args)
    assert result.code == 0 and 3 <= len(result.lines) <= 4
    assert all(re.match(r"\d\.\d s: \S+ records/s, \S+ \S*B/s, \d+ in flight, p50 \S+ p99 \S+ max \S+ ms$", line) for line in result.lines)
    assert kproducer("perf", "-b", devbroker.servers, *args, "-q").err == ""


def test_progress_on_a_terminal_rewrites_one_line(devbroker, name):
    terminal, theirs = pty.openpty()
    with os.fdopen(terminal, "rb", buffering=0) as terminal:
        process = start("perf", "-b", devbroker.servers, "-t", devbroker.create_topic(name), "--duration", "30", "--rate", "5k", stderr=theirs)
        os.close(theirs)
        seen, deadline = b"", time.monotonic() + 20
        while seen.count(b"in flight") < 2 and time.monotonic() < deadline:
            if select.select([terminal], [], [], 1)[0]:
                seen += terminal.read(4096)
        process.send_signal(signal.SIGINT)
        wait_until(lambda: process.poll() is not None, "the end")
        assert finish(process).code == 130
    updates = seen.split(b"\r\x1b[K")[1:]
    assert len(updates) >= 2 and all(b"\n" not in update and len(update) < 80 for update in updates[:2])


@pytest.mark.parametrize("rate", ["0.01", "0.000001"])
def test_a_low_rate_ends_when_it_shall(devbroker, name, rate):
    args = ("perf", "-b", devbroker.servers, "-t", devbroker.create_topic(name), "--rate", rate)
    result = kproducer(*args, "--duration", "0.2", "--json", timeout=20)
    assert result.code == 0 and result.json["records"] == 1
    process = start(*args, "-n", "3", "--progress-interval", "0.1")
    wait_until(lambda: b"in flight" in process.stderr.readline(), "records under way")
    process.send_signal(signal.SIGINT)
    assert finish(process, 20).code == 130


def test_a_warmup_that_takes_all_is_told(devbroker, name):
    result = kproducer("perf", "-b", devbroker.servers, "-t", devbroker.create_topic(name), "-n", "1000", "--warmup", "60", "--histogram")
    assert result.code == 0 and result.out.decode().splitlines()[-1] == "no record's latency was timed: all were sent during --warmup"


def test_headers_and_rates_that_make_no_sense_are_refused():
    for args in (["-H", "=x"], ["-H", "\udcff=v"], ["--rate", "0.0000001"], ["-p", "-1"]):
        result = kproducer("perf", "-b", "localhost:1", "-t", "t", *args)
        assert result.code == 2 and len(result.lines) == 1 and args[0].lstrip("-") in result.err


def test_several_producers_stop_together(own_devbroker, name):
    broker = own_devbroker()
    broker.create_topic(name)
    process = start("perf", "-b", broker.servers, "-t", name, "--duration", "60", "--producers", "4", "--flush-timeout", "1",
                    "--progress-interval", "0.1")
    wait_until(lambda: b"in flight" in process.stderr.readline(), "records under way")
    with broker.paused():
        process.send_signal(signal.SIGTERM)
        result = finish(process, 20)
    assert result.code == 1 and result.seconds < 3, "one time-out for all, not one each"
    assert result.err.count("--flush-timeout") == 1


def test_threads_that_cannot_be_started_end_the_run(devbroker, name):
    devbroker.create_topic(name)
    args = f"perf -b {devbroker.servers} -t {name} --duration 60 --threads 200 -q"
    result = run(["bash", "-c", f"ulimit -v 600000; exec {KPRODUCER} {args}"])
    assert result.code == 1 and result.seconds < 20 and not result.out
    assert "cannot start thread" in result.err and "of 200" in result.err


def test_rate_is_held(devbroker, name):
    figures = perf(devbroker, devbroker.create_topic(name), "-n", "4000", "--rate", "2000")
    assert figures["acked"] == 4000
    # Never faster; slower when the machine has other work.
    assert 1600 <= figures["records_per_second"] <= 2100


def test_duration_ends_it(devbroker, name):
    figures = perf(devbroker, devbroker.create_topic(name), "--duration", "0.5", "--rate", "1000")
    assert 250 <= figures["records"] <= 520
    assert count(devbroker, name) == {0: figures["records"]}


def test_text_is_for_people(devbroker, name):
    result = kproducer("perf", "-b", devbroker.servers, "-t", devbroker.create_topic(name), "-n", "1000")
    assert result.code == 0
    assert "1000 records in" in result.out.decode() and "1000 acked, 0 failed, 0 unknown" in result.out.decode()


@pytest.mark.parametrize("args", [
    ["-n", "some"], ["-s", "-1"], ["--rate", "fast"], ["--array", "10", "--rate", "5"], ["--threads", "0"], ["-H", "=v"], ["-H", ""],
    ["--payload-delimiter", ";"], ["--payload-file", "/dev/null"], ["--payload-file", "/dev/zero", "--payload-delimiter", "\\q"],
    ["--random-keys"], ["--producers", "0"], ["--producers", "2", "--threads", "1"], ["--runtimes", "2"], ["--progress-interval", "0"],
    ["--warmup", "long"], ["--duration", "-1"], ["-p", "x"], ["operand"],
], ids=" ".join)
def test_usage(args):
    result = kproducer("perf", "-b", "127.0.0.1:1", "-t", "t", *args)
    assert result.code == 2 and len(result.out) == 0
    assert len(result.lines) == 1 and result.err.startswith("kproducer: ")
