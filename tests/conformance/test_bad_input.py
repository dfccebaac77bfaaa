"""Wrong properties, options, files and records: one clear line each, the right exit code, and nothing lost from the count."""

import os

import pytest

from command import kproducer, produce, run, KPRODUCER
from readers import count, records

NOWHERE = "127.0.0.1:1"

WRONG_PROPERTIES = [
    (["no.such.thing=1"], ['unknown property "no.such.thing"']),
    (["linger.mss=5"], ['unknown property "linger.mss"', 'did you mean "linger.ms"']),
    (["linger.ms=-1"], ["linger.ms", '"-1"', "out of range"]),
    (["linger.ms=soon"], ["linger.ms", '"soon"', "not a number"]),
    (["acks=2"], ["acks", '"2"', "all, 1, 0"]),
    (["batch.size=99999999999"], ["batch.size", "out of range", "2147483647"]),
    (["compression.type=brotli"], ["compression.type", '"brotli"', "zstd"]),
    (["compression.gzip.level=10"], ["compression.gzip.level", "out of range"]),
    (["enable.idempotence=maybe"], ["enable.idempotence", "not a boolean"]),
    (["bootstrap.servers=host:99999"], ["bootstrap.servers", '"host:99999"', "port"]),
    (["buffer.memory=10"], ["buffer.memory is 10"]),
    (["max.request.size=0"], ["max.request.size is 0"]),
    (["sasl.username=me"], ["sasl.username", "known, not supported here"]),
    (["security.protocol=SSL"], ["security.protocol=SSL", "not supported here"]),
    (["transactional.id=t", "acks=1"], ["transactional.id", "enable.idempotence"]),
    (["transactional.id=t", "enable.idempotence=false"], ["transactional.id", "enable.idempotence"]),
    (["transactional.id=" + "t" * 256], ["transactional.id", "255"]),
    (["transaction.timeout.ms=0"], ["transaction.timeout.ms", "out of range"]),
    (["transaction.two.phase.commit.enable=true"], ["transaction.two.phase.commit.enable"]),
    (["linger.ms"], ["NAME=VALUE", "'linger.ms'"]),
    (["enable.idempotence=true", "acks=1"], ["enable.idempotence=true", "acks is 1"]),
    (["enable.idempotence=true", "retries=0"], ["enable.idempotence=true", "retries is 0"]),
    (["max.in.flight.requests.per.connection=6"], ["enable.idempotence", "max.in.flight.requests.per.connection", "6"]),
    (["delivery.timeout.ms=100"], ["delivery.timeout.ms", "linger.ms + request.timeout.ms", "100"]),
    (["batch.size=70000000"], ["batch.size is 70000000", "buffer.memory"]),
    (["compression.type=gzip", "compression.level=17"], ["compression.level is 17", "compression.gzip.level"]),
]

WRONG_OPTIONS = [
    ["--input-format", "xml"], ["-c", "0"], ["-c", "some"], ["--rate", "0"], ["--rate", "-1"], ["--rate", "fast"], ["--rate", "0.0000001"], ["--key-from", "("], ["--key-from", ""],
    ["-k", "a", "--key-from", "b"], ["-K", ":", "--key-from", "b"], ["-K", r"\n"], ["-0", "-K", r"\0"], ["--null-value", r"\q"], ["-H", "\udcff=v"],
    ["--input-format", "json", "-K", ":"], ["--input-format", "length", "-Z"], ["--input-format", "length-kv", "--skip-empty"],
    ["--report", "-", "--json"], ["--report", "f", "--failed", "f"], ["--bogus"], ["-p", "one"], ["-p", "-1"], ["-K", ""], ["-k", "a", "-K", ":"], ["-H", "=x"], ["-z", "brotli"], ["--connect-timeout", "soon"],
    ["--flush-timeout", "-3"], ["-F", "/no/such/file"],
]


def refused(result, *says):
    """Exit code 2, and one line that holds all of `says`."""
    assert result.code == 2 and result.out == b"", result
    assert len(result.lines) == 1 and result.err.startswith("kproducer: "), result
    for text in says:
        assert text in result.err


@pytest.mark.parametrize("properties, says", WRONG_PROPERTIES, ids=lambda value: value[0] if "=" in value[0] else "")
def test_property(properties, says):
    options = [part for assignment in properties for part in ("-X", assignment)]
    refused(kproducer("produce", "-b", NOWHERE, "-t", "t", *options), *says)


def test_property_in_a_file_names_file_and_line(lines):
    file = lines(b"# comment\nacks=all\nbogus=1\n", "client.properties")
    refused(kproducer("produce", "-b", NOWHERE, "-t", "t", "-F", file), f"{file}:3", '"bogus"')
    refused(kproducer("config", "check", file), f"{file}:3", '"bogus"')


def test_property_in_the_environment_names_the_variable():
    refused(kproducer("produce", "-b", NOWHERE, "-t", "t", env={"KPRODUCER_ACKS": "some"}), "acks", '"some"')


@pytest.mark.parametrize("options", WRONG_OPTIONS, ids=str)
def test_option(options):
    refused(kproducer("produce", "-b", NOWHERE, "-t", "t", *options))


def test_missing_server_topic_and_command():
    refused(kproducer("produce", "-t", "t"), "bootstrap.servers")
    refused(kproducer("produce", "-b", NOWHERE), "topic")
    refused(kproducer("prduce"), "'prduce'")
    assert kproducer().code == 2


@pytest.mark.parametrize("topic", ["with space", "slash/", "a" * 250, ".", "..", "", "nul\u00e9"])
def test_topic_name(devbroker, topic):
    refused(kproducer("produce", "-b", devbroker.servers, "-t", topic), "topic")


def test_partition_that_does_not_exist(broker, topic):
    refused(kproducer("produce", "-b", broker.servers, "-t", topic, "-p", "7", stdin=b"a\n"), topic, "partition 7")
    assert count(broker, topic) == {0: 0}


@pytest.mark.parametrize("path, reason", [("/no/such/file", "No such file"), ("/etc", "Is a directory"), ("/etc/passwd/x", "Not a directory")])
def test_input_that_cannot_be_opened(devbroker, name, lines, path, reason):
    devbroker.create_topic(name)
    refused(kproducer("produce", "-b", devbroker.servers, "-t", name, lines(b"good\n"), path), path, reason)
    assert count(devbroker, name) == {0: 0}, "not even the good file is sent"


def test_input_that_may_not_be_read(devbroker, name, lines):
    secret = lines(b"secret\n")
    secret.chmod(0)
    # Root may read everything until its capabilities are gone.
    as_anyone = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
    refused(run([*as_anyone, KPRODUCER, "produce", "-b", devbroker.servers, "-t", name, secret]), str(secret), "Permission denied")


def test_input_that_fails_while_it_is_read(devbroker, name):
    devbroker.create_topic(name)
    result = produce(devbroker, name, "-q", "/proc/self/mem", code=1)
    assert len(result.lines) == 1 and "/proc/self/mem" in result.err and "Input/output error" in result.err


@pytest.mark.parametrize("limit", [None, 1000, 100000])
def test_oversize_record_names_size_limit_and_property(broker, topic, limit):
    size = 3 * (limit or 1048576)
    options = ["-X", f"max.request.size={limit}"] if limit else []
    result = produce(broker, topic, *options, stdin=b"first\n" + b"x" * size + b"\nlast\n", code=1)
    [said] = [line for line in result.lines if line.startswith("kproducer: ")]
    for text in ("line 2 of standard input", str(size), "max.request.size", str(limit or 1048576), "NOT_PERSISTED"):
        assert text in said
    assert [r.value for r in records(broker, topic)] == [b"first", b"last"]


def test_oversize_for_the_topic_is_the_brokers_word(broker, name):
    broker.create_topic(name, max_message_bytes=1000)
    result = produce(broker, name, stdin=b"x" * 2000, code=1)
    assert "MESSAGE_TOO_LARGE" in result.err and "max.message.bytes" in result.err and "NOT_PERSISTED" in result.err
    assert count(broker, name) == {0: 0}


def test_failed_file_can_be_fed_in_again(broker, topic, lines, tmp_path):
    failed = tmp_path / "failed"
    content = [b"k:ok", b"long:" + b"x" * 300, b"k:ok too", b":" + b"y" * 300, b"z" * 300]
    first = ["-K", ":", "--failed", failed, "-X", "max.request.size=200"]
    result = produce(broker, topic, *first, lines(b"\n".join(content)), code=1)
    assert f"3 of the failed records are in {failed}" in result.err
    produce(broker, topic, "--input-format", "json", failed)
    assert [(r.key, r.value) for r in records(broker, topic)] == [
        (b"k", b"ok"), (b"k", b"ok too"), (b"long", b"x" * 300), (b"", b"y" * 300), (None, b"z" * 300),
    ]


def test_failed_file_that_cannot_be_opened_is_found_before_sending(devbroker, name):
    devbroker.create_topic(name)
    refused(kproducer("produce", "-b", devbroker.servers, "-t", name, "--failed", "/no/dir/f", stdin=b"a\n"), "/no/dir/f")
    assert count(devbroker, name) == {0: 0}


def test_failed_file_on_a_full_disk_names_the_records_instead(devbroker, name):
    devbroker.create_topic(name)
    content = b"a\n" + b"x" * 300 + b"\nb\n" + b"y" * 300 + b"\n"
    result = produce(devbroker, name, "-q", "--failed", "/dev/full", "-X", "max.request.size=200", stdin=content, code=1)
    assert sum("No space left on device" in line for line in result.lines) == 1
    assert any("line 2 of standard input" in line for line in result.lines)
    assert any("line 4 of standard input" in line for line in result.lines)
    assert count(devbroker, name) == {0: 2}


def test_perf_refuses_what_cannot_work(devbroker, name):
    devbroker.create_topic(name)
    perf = ["perf", "-b", devbroker.servers, "-t", name]
    refused(kproducer(*perf, "-p", "7"), "partition 7")
    refused(kproducer(*perf, "--payload-file", "/no/such/file"), "/no/such/file")


def test_perf_counts_what_the_broker_refuses(broker, name):
    broker.create_topic(name, max_message_bytes=1000)
    result = kproducer("perf", "-b", broker.servers, "-t", name, "-n", "10", "-s", "2000", "--json")
    figures = result.json
    assert (result.code, figures["records"], figures["acked"], figures["failed"]) == (1, 10, 0, 10)
    assert [(e["name"], e["count"]) for e in figures["errors"]] == [("MESSAGE_TOO_LARGE", 10)]
