"""The probe of the yardstick (bench/probe): each call prints one JSON object whose figures are of what it says."""

import json
import sys

import pytest

from command import KPRODUCER, REPOSITORY, run

sys.path.insert(0, str(REPOSITORY / "bench"))
from kpbench import build  # noqa: E402
from kpbench.paths import OUT  # noqa: E402
from kpbench.payload import payload  # noqa: E402


@pytest.fixture(scope="module", autouse=True)
def built():
    build.build(["probe"])


def probe(*args):
    result = run([OUT / "probe", *args])
    assert result.code == 0, result
    return json.loads(result.out)


def test_an_idle_producer_hardly_wakes_up(devbroker):
    figures = probe("idle", "-b", devbroker.servers, "--seconds", 3)
    assert figures["seconds"] >= 3 and figures["cpu_percent"] >= 0
    assert figures["wakeups_per_second"] <= 1, "the budget of an idle producer, whatever else the machine does"


def test_wake_ups_are_counted(devbroker):
    # Asks for metadata ten times a second: each is an answer to wake up for.
    figures = probe("idle", "-b", devbroker.servers, "--seconds", 1, "-X", "metadata.max.age.ms=100")
    assert figures["wakeups_per_second"] >= 3, figures


def test_first_waits_for_linger_and_for_the_report(devbroker):
    assert probe("first", "-b", devbroker.servers, "-X", "linger.ms=300")["ms"] >= 300
    assert probe("first", "-b", devbroker.servers, "-X", "linger.ms=0")["ms"] > 0


def test_flush_has_all_records_queued_before(devbroker):
    topic = devbroker.create_topic("probe-flush", partitions=5)
    figures = probe("flush", "-b", devbroker.servers, "-t", topic, "-n", 10000)
    assert figures["partitions"] == 5 and figures["records"] == figures["queued"] == figures["persisted"] == 10000 and figures["seconds"] > 0


@pytest.mark.parametrize("how", [[], ["--after", "--broker", KPRODUCER]], ids=["never", "after"])
def test_down_accounts_for_every_record(how):
    figures = probe("down", *how, "--seconds", 1, "-X", "max.block.ms=100", "-X", "buffer.memory=1000000", "-X", "batch.size=100000")
    assert figures["accepted"] > 0 and figures["refused"] > 0 and figures["seconds"] >= 1
    assert (figures["persisted"] > 0) == bool(how)
    assert figures["accepted"] == figures["persisted"] + figures["failed"]
    assert figures["failed"] == figures["not_persisted"] + figures["unknown"] == sum(figures["errors"].values()) > 0


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
def test_codec_compresses_a_full_batch(codec):
    figures = probe("codec", "--codec", codec, "--size", 1000, "-f", payload(1000))
    assert figures["codec"] == codec and 900000 < figures["bytes"] <= 1000000 and figures["records"] == figures["bytes"] // 1009
    assert 0.3 < figures["ratio"] < 0.9 and figures["ns_per_record"] > 0


@pytest.mark.parametrize("args, said", [
    ([], "there is no probe"), (["nap"], "there is no probe 'nap'"), (["idle"], "-b SERVERS is needed by 'idle'"),
    (["idle", "-b"], "where is the value of, '-b'"), (["idle", "--what", "x"], "what is '--what'"),
    (["down", "--seconds", "0"], "--seconds wants a number from 1 to 86400, not '0'"), (["down", "-X", "linger"], "NAME=VALUE, not 'linger'"),
    (["down", "-X", "linger.ms=x"], "linger.ms"),
], ids=lambda v: " ".join(v) if isinstance(v, list) else "")
def test_usage(args, said):
    result = run([OUT / "probe", *args])
    assert result.code == 2 and said in result.err, result
