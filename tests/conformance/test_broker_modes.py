"""What `kproducer broker` says at its start, where it will not listen, how many nodes it has, and the mode that keeps nothing."""

import pathlib
import re
import socket
import sys

import pytest

from command import REPOSITORY, finish, kproducer, run, start
from readers import bounds, consumer, count, kcat, records


def ready(process):
    word, _, servers = process.stdout.readline().decode().strip().partition(" ")
    assert word == "ready"
    return servers


def end(process):
    process.terminate()
    result = finish(process)
    assert result.code == 0
    return result


@pytest.mark.parametrize("listen", ["0.0.0.0:0", "[::]:0", "192.0.2.1:0", "[::ffff:10.0.0.1]:0"])
def test_address_of_others_is_refused(listen):
    result = kproducer("broker", "--listen", listen)
    assert result.code == 2
    assert result.out == b""
    line = result.lines[0]
    assert listen.rpartition(":")[0].strip("[]") in line
    for word in ("no security", "no replication", "--i-know", "127.0.0.1"):
        assert word in line


def test_address_of_others_is_taken_by_who_knows():
    process = start("broker", "--listen", "0.0.0.0:0", "--i-know")
    assert re.fullmatch(r"0\.0\.0\.0:\d+", ready(process))
    assert "no security" in end(process).lines[0]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.2", "[::1]"])
def test_own_addresses_need_no_knowledge(host):
    process = start("broker", "--listen", f"{host}:0")
    assert ready(process).startswith(host + ":")
    assert f" on {host}:" in end(process).lines[0]


@pytest.mark.parametrize("option, words", [([], "keeps 1.07 GB in memory"), (["--memory", "20M"], "keeps 20.0 MB in memory"),
                                           (["--discard"], "discards what it is sent")])
def test_start_says_what_it_is(option, words):
    process = start("broker", "--listen", "127.0.0.1:0", "--nodes", "3", *option)
    servers = ready(process).split(",")
    line = end(process).lines[0]
    assert line == f"development broker on {servers[0]} (3 nodes): for development, no security; {words}"


def test_quiet_broker_says_nothing():
    process = start("broker", "--listen", "127.0.0.1:0", "-q", "--fault", "on any: delay 1ms")
    assert kproducer("topics", "list", "-b", ready(process)).code == 0
    assert end(process).err == ""


def test_port_in_use_is_named_with_its_node():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        alone = kproducer("broker", "--listen", f"127.0.0.1:{port}")
        assert (alone.code, alone.lines) == (1, [f"kproducer: cannot listen on 127.0.0.1:{port}: Address already in use"])
        third = kproducer("broker", "--listen", f"127.0.0.1:{port - 2}", "--nodes", 3)
        assert third.code == 1
        assert re.fullmatch(r"kproducer: node [123] cannot listen on 127\.0\.0\.1:\d+: Address already in use", third.err.strip())


def test_a_thousand_nodes(own_devbroker, lines, name):
    broker = own_devbroker("--nodes", "1000", "--partitions", "1000")
    assert len(broker.servers.split(",")) == 1000
    first = broker.servers.split(",")[0]
    result = kproducer("produce", "-b", first, "-t", name, lines(b"a\nb\n"))
    assert result.code == 0, result
    assert len(broker.admin.list_topics(timeout=10).brokers) == 1000
    assert sum(count(broker, name).values()) == 2
    assert kproducer("broker", "--nodes", "1001").code == 2
    assert kproducer("broker", "--partitions", "10001").code == 2


@pytest.mark.parametrize("codec", ["none", "lz4", "zstd"])
def test_discard_acknowledges_and_keeps_nothing(own_devbroker, name, codec):
    broker = own_devbroker("--discard")
    broker.create_topic(name)
    result = kproducer("perf", "-b", broker.servers, "-t", name, "-n", 3_000_000, "-s", 100, "--json", "-X", f"compression.type={codec}")
    assert result.code == 0, result
    assert result.json["acked"] == 3_000_000
    reader = consumer(broker)
    assert bounds(reader, name, 0) == (3_000_000, 3_000_000)
    reader.close()
    assert records(broker, name) == []
    assert kcat(broker, name) == b""
    resident = next(line for line in pathlib.Path(f"/proc/{broker.process.pid}/status").read_text().splitlines() if "VmHWM" in line)
    assert int(resident.split()[1]) < 100_000  # kB; 300 MB were sent


@pytest.mark.parametrize("option, program", [([], "limit"), (["--idempotent"], "limit-idempotent")])
def test_bench_discard_measures_both_servers(option, program):
    """Every record is counted; how the rates compare is for a quiet machine to say."""
    result = run([sys.executable, REPOSITORY / "bench" / "discard", "--rounds", 2, "--records", 0.05, *option], timeout=120)
    assert result.code in (0, 1) and not result.err, result
    text = result.out.decode()
    assert text.startswith(f"{program}, 0.05 million records of 100 B, 6 partitions; 2 interleaved rounds")
    for server in ("sink", "broker --discard"):
        assert re.search(rf"^{server} +([\d.e+]+/){{2}}[\d.e+]+ +([\d.e+]+/){{2}}[\d.e+]+$", text, re.M), text
    assert re.search(r"^records/s: [\d.]+ x sink \(floor 0.9\): (holds|DOES NOT HOLD)$", text, re.M)
