"""Lines of files and of standard input become records, byte for byte."""

import os
import pty
import time

import pytest

from command import PATIENCE, finish, produce, start, wait_until
from readers import console_consumer, count, kcat, records


def values_of(broker, topic, partition=0):
    return [r.value for r in records(broker, topic, partition)]


def test_log_file_comes_back_byte_for_byte(broker, topic, log_file):
    content = log_file.read_bytes()
    result = produce(broker, topic, log_file)
    n = content.count(b"\n") + (not content.endswith(b"\n"))
    assert f"{n} records" in result.err and "all persisted" in result.err
    if not content.endswith(b"\n"):
        content += b"\n"
    assert kcat(broker, topic) == content
    assert console_consumer(broker, topic, n) == content


def test_topic_is_created_on_first_use(broker, name, lines):
    produce(broker, name, lines(b"a\nb\n"))
    assert values_of(broker, name) == [b"a", b"b"]


def test_last_line_without_newline_counts(broker, topic, lines):
    produce(broker, topic, lines(b"first\nlast"))
    assert values_of(broker, topic) == [b"first", b"last"]


def test_empty_file_is_nothing_to_send(broker, topic, lines):
    assert "nothing to send" in produce(broker, topic, lines(b"")).err
    assert count(broker, topic) == {0: 0}


def test_empty_lines_are_empty_values(broker, topic, lines):
    produce(broker, topic, lines(b"\na\n\n\n"))
    assert values_of(broker, topic) == [b"", b"a", b"", b""]


def test_skip_empty_leaves_them_out(broker, topic, lines):
    result = produce(broker, topic, "--skip-empty", "--json", lines(b"\na\n\nb"))
    assert (result.json["records"], result.json["skipped"]) == (2, 2)
    assert values_of(broker, topic) == [b"a", b"b"]


def test_nul_bytes_and_carriage_returns_are_kept(broker, topic, lines):
    content = b"\0\nwindows\r\n\0mid\0dle\0\n\r\n\xff\xfe\x80\n"
    produce(broker, topic, lines(content))
    assert values_of(broker, topic) == content.split(b"\n")[:-1]
    assert kcat(broker, topic) == content


@pytest.mark.parametrize("operands", [[], ["-"]], ids=["without operand", "as -"])
def test_standard_input_is_read(broker, topic, operands):
    produce(broker, topic, *operands, stdin=b"from\na pipe")
    assert values_of(broker, topic) == [b"from", b"a pipe"]


def test_several_files_are_sent_in_their_order(broker, topic, lines):
    produce(broker, topic, lines(b"1\n2", "a"), "-", lines(b"4\n", "b"), stdin=b"3\n")
    assert values_of(broker, topic) == [b"1", b"2", b"3", b"4"]


def test_key_ends_at_the_first_delimiter(broker, topic, lines):
    produce(broker, topic, "-K", ":", lines(b"k:v\nuser:a:b\n:no key\nonly value\nempty value:\n:\n"))
    assert [(r.key, r.value) for r in records(broker, topic)] == [
        (b"k", b"v"),
        (b"user", b"a:b"),
        (b"", b"no key"),
        (None, b"only value"),
        (b"empty value", b""),
        (b"", b""),
    ]


def test_null_and_empty_keys_differ_for_kcat_too(broker, topic, lines):
    produce(broker, topic, "-K", ":", lines(b":empty\nnull\n"))
    assert kcat(broker, topic, form="%K %S\n") == b"0 5\n-1 4\n"


@pytest.mark.parametrize("delimiter, separator", [(r"\t", b"\t"), (r"\x01", b"\1"), ("=>", b"=>"), (r"\0", b"\0")])
def test_delimiter_may_be_escaped_or_long(broker, topic, lines, delimiter, separator):
    produce(broker, topic, "-K", delimiter, lines(b"key" + separator + b"value=\n"))
    assert [(r.key, r.value) for r in records(broker, topic)] == [(b"key", b"value=")]


def test_fixed_key_goes_with_every_record(broker, topic, lines):
    produce(broker, topic, "-k", "fixed", lines(b"a\nb\n"))
    assert [(r.key, r.value) for r in records(broker, topic)] == [(b"fixed", b"a"), (b"fixed", b"b")]


def test_headers_keep_order_doubles_empty_and_null_values(broker, topic, lines):
    produce(broker, topic, "-H", "b=2", "-H", "a=x=y", "-H", "b=3", "-H", "empty=", "-H", "null", lines(b"v\nw\n"))
    wanted = [("b", b"2"), ("a", b"x=y"), ("b", b"3"), ("empty", b""), ("null", None)]
    assert [(r.value, r.headers) for r in records(broker, topic)] == [(b"v", wanted), (b"w", wanted)]


def test_explicit_partition_takes_all(broker, name, lines):
    broker.create_topic(name, partitions=4)
    produce(broker, name, "-p", "2", "-K", ":", lines(b"a:1\nb:2\n3\n"))
    assert count(broker, name) == {0: 0, 1: 0, 2: 3, 3: 0}
    assert [r.value for r in records(broker, name, 2)] == [b"1", b"2", b"3"]


def test_timestamps_are_the_time_of_sending(broker, topic, lines):
    before = time.time_ns() // 1000000
    produce(broker, topic, lines(b"a\nb\nc\n"))
    after = time.time_ns() // 1000000
    found = [r.timestamp for r in records(broker, topic)]
    assert len(found) == 3 and all(before <= at <= after for at in found)


@pytest.mark.parametrize("acks", ["0", "1", "all"])
def test_every_acks_value_delivers(broker, topic, acks):
    result = produce(broker, topic, "-X", f"acks={acks}", "--json", stdin=b"x\n" * 1000).json
    assert result["records"] == 1000 and result["not_persisted"] == 0
    assert result["unacknowledged" if acks == "0" else "persisted"] == 1000
    assert values_of(broker, topic) == [b"x"] * 1000


def test_input_larger_than_the_buffer_waits_for_room(broker, topic):
    content = b"".join(b"%08d%s\n" % (i, b"." * 90) for i in range(100000))
    produce(broker, topic, "-X", "buffer.memory=200000", "-X", "batch.size=50000", stdin=content)
    assert kcat(broker, topic) == content


def test_long_lines_up_to_the_request_size(broker, topic, lines):
    content = b"".join(bytes([c]) * 900000 + b"\n" for c in b"abc")
    produce(broker, topic, lines(content))
    assert kcat(broker, topic) == content


def test_properties_come_from_file_environment_and_command_line(broker, topic, lines):
    file = lines(b"acks=1\nenable.idempotence: false\nlinger.ms = 7\n", "client.properties")
    env = {"KPRODUCER_BOOTSTRAP_SERVERS": broker.servers, "KPRODUCER_COMPRESSION_TYPE": "gzip"}
    result = produce(broker, topic, "-F", file, "-X", "linger.ms=0", lines(b"v\n"), env=env)
    assert "all persisted" in result.err
    assert values_of(broker, topic) == [b"v"]


def test_quiet_says_nothing_when_all_is_well(broker, topic, lines):
    result = produce(broker, topic, "-q", lines(b"v\n"))
    assert (result.out, result.err) == (b"", "")


@pytest.mark.parametrize("option, shows_start", [([], False), (["-v"], True), (["-vv"], True)], ids=str)
def test_verbose_shows_the_librarys_log(devbroker, name, option, shows_start):
    result = produce(devbroker, name, *option, stdin=b"v\n")
    assert ("started version=" in result.err) == shows_start


def test_nodes_share_the_partitions(own_devbroker):
    broker = own_devbroker("--nodes", "3", "--partitions", "6")
    produce(broker, "spread", "-X", "batch.size=1000", stdin=b"value\n" * 20000)
    leaders = {p.leader for p in broker.admin.list_topics(timeout=PATIENCE).topics["spread"].partitions.values()}
    assert len(leaders) == 3
    ends = count(broker, "spread")
    assert sum(ends.values()) == 20000 and len(ends) == 6 and min(ends.values()) > 0


def test_progress_is_shown_on_a_terminal(devbroker, name):
    devbroker.create_topic(name)
    terminal, theirs = pty.openpty()
    process = start("produce", "-b", devbroker.servers, "-t", name, stderr=theirs)
    os.close(theirs)
    process.stdin.write(b"a\nb\n")
    process.stdin.flush()
    shown = bytearray()
    wait_until(lambda: shown.extend(os.read(terminal, 1000)) or b"2 records" in shown, "a progress line")
    assert b"\r" in shown and b"\n" not in shown
    assert finish(process).code == 0
    assert b"all persisted" in os.read(terminal, 1000)
    os.close(terminal)
