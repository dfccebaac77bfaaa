"""The input formats of `produce` and what it does beside sending: keys from values, nulls, counts, rates, reports, failed records."""

import base64
import fcntl
import json
import os
import pathlib
import random
import signal
import struct
import termios
import threading
import time

import pytest

from command import finish, kproducer, produce, start, wait_until
from readers import all_records, count, kcat, records, values
from stream import Stream

JSON = ["--input-format", "json"]
SMALL = ["-X", "max.request.size=200"]
SEED = 20260704


def pairs(broker, topic, partition=0):
    return [(r.key, r.value) for r in records(broker, topic, partition)]


def frame(content):
    return struct.pack(">i", -1 if content is None else len(content)) + (content or b"")


def field(name, content):
    """A member of a JSON record, as base64 when it is not text."""
    if content is None:
        return {name: None}
    try:
        return {name: content.decode()}
    except UnicodeDecodeError:
        return {f"{name}_base64": base64.b64encode(content).decode()}


def json_record(key, value, headers=(), **more):
    headers = [field("key", name.encode()) | field("value", of) for name, of in headers]
    return json.dumps(field("key", key) | field("value", value) | {"headers": headers} | more).encode() + b"\n"


def json_lines(content):
    return [json.loads(line) for line in content.splitlines()]


def random_bytes(chance):
    return chance.choice([None, b"", chance.randbytes(chance.randrange(40)), b"text \n", "grüße 🦀".encode()])


def random_records(n):
    """(key, value, headers), of every kind."""
    chance = random.Random(SEED)
    names = ["a", "b", "ä\n", ""]
    return [
        (random_bytes(chance), random_bytes(chance), [(chance.choice(names), random_bytes(chance)) for _ in range(chance.randrange(4))])
        for _ in range(n)
    ]


def contents(broker, topic, partition=0):
    return [(r.key, r.value, r.headers) for r in records(broker, topic, partition)]


# ---- formats


@pytest.mark.parametrize("option", [["-0"], ["--null"], ["--input-format", "nul"]], ids=" ".join)
def test_records_that_end_with_nul_keep_their_newlines(broker, topic, lines, option):
    produce(broker, topic, *option, lines(b"one\ntwo\0\0\nthree\r\n\0last"))
    assert [r.value for r in records(broker, topic)] == [b"one\ntwo", b"", b"\nthree\r\n", b"last"]


def test_nul_records_take_a_newline_as_the_key_delimiter(broker, topic, lines):
    produce(broker, topic, "-0", "-K", r"\n", lines(b"k\nv\nw\0no key\0"))
    assert pairs(broker, topic) == [(b"k", b"v\nw"), (None, b"no key")]


def test_length_prefixed_values_are_any_bytes_empty_or_null(broker, topic, lines):
    content = [bytes(range(256)), b"", None, b"\n\0\n", b"x" * 300000]
    produce(broker, topic, "--input-format", "length", lines(b"".join(map(frame, content))))
    assert [r.value for r in records(broker, topic)] == content


def test_length_prefixed_pairs_are_any_bytes_empty_or_null(broker, topic, lines):
    content = [(key, value) for key, value, _ in random_records(300)]
    produce(broker, topic, "--input-format", "length-kv", lines(b"".join(frame(key) + frame(value) for key, value in content)))
    assert pairs(broker, topic) == content


def test_json_records_keep_key_value_and_headers(broker, topic, lines):
    content = random_records(500)
    produce(broker, topic, *JSON, lines(b"".join(json_record(*one) for one in content)))
    assert contents(broker, topic) == content


def test_json_records_choose_partition_and_time(broker, name, lines):
    broker.create_topic(name, partitions=3)
    produce(broker, name, *JSON, lines(b'{"value":"a","partition":2,"timestamp":1234567890123}\n{"value":"b","partition":0}\n'))
    [a], [b] = records(broker, name, 2), records(broker, name, 0)
    assert (a.value, a.timestamp, b.value) == (b"a", 1234567890123, b"b")
    assert abs(b.timestamp - time.time() * 1000) < 60000


def test_options_fill_in_what_json_records_do_not_say(broker, name, lines):
    broker.create_topic(name, partitions=2)
    content = b'{"value":"1"}\n{"value":"2","key":null,"headers":{},"partition":0}\n{"value":"3","key":"own","headers":{"x":"y"}}\n'
    produce(broker, name, *JSON, "-k", "given", "-H", "a=b", "-p", "1", lines(content))
    assert contents(broker, name, 0) == [(None, b"2", [])]
    assert contents(broker, name, 1) == [(b"given", b"1", [("a", b"b")]), (b"own", b"3", [("x", b"y")])]


def test_what_jq_makes_of_json_is_a_json_record(broker, topic):
    documents = [{"id": 1, "text": "ü\n"}, [1, 2], "x"]
    produce(broker, topic, *JSON, stdin=b"".join(json.dumps({"value": json.dumps(d)}).encode() + b"\n" for d in documents))
    assert [json.loads(r.value) for r in records(broker, topic)] == documents


def test_malformed_json_lines_are_named_and_the_others_sent(broker, topic, lines, tmp_path):
    bad = [b'{"vale":"v"}', b'{"value":"\xff"}', b"plain text"]
    content = b"\n".join([b'{"value":"1"}', bad[0], b"", bad[1], b'{"value":"2"}', bad[2]])
    failed, file = tmp_path / "failed", lines(content)
    result = produce(broker, topic, *JSON, "--json", "--failed", failed, file, code=1)
    assert (result.json["records"], result.json["persisted"], result.json["malformed"]) == (2, 2, 3)
    for number, at in ((2, 3), (4, 11), (6, 1)):
        [said] = [line for line in result.lines if f"line {number} of {file}: MALFORMED" in line]
        assert f"at byte {at} of the line" in said
    assert [r.value for r in records(broker, topic)] == [b"1", b"2"]
    assert failed.read_bytes() == b"\n".join(bad) + b"\n"


@pytest.mark.parametrize("content, says", [
    (frame(b"a") + b"\xff\xff\xff\0rest", ["behind record 1: ", "value's length at byte 5 is -256"]),
    (frame(b"a") + frame(b"bcd")[:-1], ["behind record 1: ", "inside the record at byte 5", "wants 7 bytes"]),
    (frame(b"a") + b"2026-01-01 a log file\n", ["behind record 1: ", "of 842019382 bytes", "are missing"]),
], ids=["bad length", "cut off", "text"])
def test_lengths_that_make_no_sense_end_an_input_and_the_next_is_read(broker, topic, lines, tmp_path, content, says):
    failed = tmp_path / "failed"
    broken, good = lines(content, "broken"), lines(frame(b"z"), "good")
    result = produce(broker, topic, "-q", "--input-format", "length", "--failed", failed, broken, good, code=1)
    assert len(result.lines) == 1
    for text in [str(broken), *says]:
        assert text in result.err
    assert [r.value for r in records(broker, topic)] == [b"a", b"z"]
    assert failed.read_bytes() == b""


# ---- keys, nulls, counts


def test_key_from_takes_the_first_group_or_the_match(broker, topic, lines):
    produce(broker, topic, "--key-from", "id=([0-9]+)", lines(b"x id=42 y\nnone\nid=7\n"))
    produce(broker, topic, "--key-from", "^[a-z]+", stdin=b"abc 1\n2\n")
    assert pairs(broker, topic) == [(b"42", b"x id=42 y"), (None, b"none"), (b"7", b"id=7"), (b"abc", b"abc 1"), (None, b"2")]


def test_key_from_reads_bytes_and_leaves_given_keys_alone(broker, topic, lines):
    produce(broker, topic, "-0", "--key-from", "\n(.)", lines(b"a\nb\0"))
    produce(broker, topic, "--input-format", "length", "--key-from", "k(..)", lines(frame(b"\0k\n\xff\0") + frame(None)))
    produce(broker, topic, *JSON, "--key-from", ".", stdin=b'{"value":"x"}\n{"value":"y","key":null}\n{"value":"z","key":"own"}\n')
    assert pairs(broker, topic) == [
        (b"b", b"a\nb"), (b"\n\xff", b"\0k\n\xff\0"), (None, None), (b"x", b"x"), (None, b"y"), (b"own", b"z"),
    ]


def test_key_from_says_what_is_wrong_with_an_expression():
    result = kproducer("produce", "-b", "127.0.0.1:1", "-t", "t", "--key-from", "a(b")
    assert result.code == 2 and len(result.lines) == 1 and "'a(b'" in result.err and "Unmatched (" in result.err


@pytest.mark.parametrize("option", [["-K", ":"], ["--key-from", "(.*):"]], ids=" ".join)
def test_key_required_does_not_send_records_without_one(broker, topic, tmp_path, option):
    failed = tmp_path / "failed"
    result = produce(broker, topic, *option, "--key-required", "--json", "--failed", failed, stdin=b"a:1\nnone\nb:2\n", code=1)
    assert (result.json["records"], result.json["malformed"]) == (2, 1)
    assert "line 2 of standard input: MALFORMED" in result.err and "--key-required" in result.err
    assert [r.key for r in records(broker, topic)] == [b"a", b"b"]
    assert [line["value"] for line in json_lines(failed.read_bytes())] == ["none"]


@pytest.mark.parametrize("options, wanted", [
    ([], [(b"k", b""), (b"", b""), (None, b""), (b"k", b"NULL"), (b"NULL", b"v")]),
    (["-Z"], [(b"k", None), (None, None), (None, None), (b"k", b"NULL"), (b"NULL", b"v")]),
    (["--tombstone"], [(b"k", None), (None, None), (None, None), (b"k", b"NULL"), (b"NULL", b"v")]),
    (["--null-value", "NULL"], [(b"k", b""), (b"", b""), (None, b""), (b"k", None), (None, b"v")]),
], ids=str)
def test_null_values_have_a_text_of_their_own(broker, topic, lines, options, wanted):
    produce(broker, topic, "-K", ":", *options, lines(b"k:\n:\n\nk:NULL\nNULL:v\n"))
    assert pairs(broker, topic) == wanted
    assert kcat(broker, topic, form="%S,") == b"".join(b"%d," % (-1 if value is None else len(value)) for _, value in wanted)


@pytest.mark.parametrize("n, option", [(3, ["-c", "3"]), (700, ["--count", "700"]), (1000, ["-c", "5k"])], ids=str)
def test_count_stops_after_so_many_records(broker, topic, lines, n, option):
    content = [b"%d" % i for i in range(1000)]
    result = produce(broker, topic, *option, "--json", lines(b"\n".join(content[:600]), "a"), lines(b"\n".join(content[600:]), "b"))
    assert result.json["records"] == n
    assert [r.value for r in records(broker, topic)] == content[:n]


def test_count_ends_a_run_whose_input_does_not(broker, topic):
    stream = Stream(broker, topic, "-c", "2")
    stream.send(b"a", b"b")
    assert stream.result().json["records"] == 2


# ---- inputs


def test_thousands_of_files_are_sent_in_their_order(broker, topic, tmp_path):
    files = [tmp_path / f"{i:05}" for i in range(3000)]
    for i, file in enumerate(files):
        file.write_bytes(b"%d\n" % i)
    produce(broker, topic, *files)
    assert [r.value for r in records(broker, topic)] == [b"%d" % i for i in range(3000)]


def test_named_pipes_may_be_written_one_after_another(broker, topic, tmp_path):
    a, b = tmp_path / "a", tmp_path / "b"
    os.mkfifo(a)
    os.mkfifo(b)
    content = [b"%05d" % i for i in range(40000)]  # more than a pipe holds

    def write():
        a.write_bytes(b"\n".join(content))
        b.write_bytes(b"last\n")

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    produce(broker, topic, a, "-", b, stdin=b"between\n")
    writer.join(10)
    assert [r.value for r in records(broker, topic)] == [*content, b"between", b"last"]


# ---- rate


def test_rate_spreads_the_records_over_time(broker, topic, lines):
    result = produce(broker, topic, "--rate", "100", "--json", "-X", "linger.ms=0", lines(b"\n".join(b"%d" % i for i in range(100))))
    assert 0.98 < result.json["seconds"] < 4
    times = [r.timestamp for r in records(broker, topic)]
    assert len(times) == 100 and 900 < times[-1] - times[0] < 4000
    assert 300 < times[50] - times[0] < 2500


def test_stop_between_two_records_of_a_file_says_which_was_the_last(broker, topic, lines):
    file = lines(b"\n".join(b"%d" % i for i in range(100000)))
    process = start("produce", "-b", broker.servers, "-t", topic, "--rate", "0.01", "--json", "-X", "linger.ms=0", file)
    wait_until(lambda: count(broker, topic)[0] == 1, "the first record")
    process.send_signal(signal.SIGINT)
    result = finish(process, 5)
    assert result.code == 130 and result.json["records"] == result.json["persisted"] == 1
    assert f"stopped by SIGINT after line 1 of {file}" in result.err and "unfinished" not in result.err


def test_stop_sends_what_was_read_from_a_pipe(broker, topic):
    stream = Stream(broker, topic, "--rate", "0.01", "-X", "linger.ms=0")
    stream.send(*(b"%d" % i for i in range(100)))
    wait_until(lambda: count(broker, topic)[0] == 1, "the first record")
    stream.process.send_signal(signal.SIGTERM)
    assert stream.result(code=143).json["persisted"] == 100
    assert [r.value for r in records(broker, topic)] == [b"%d" % i for i in range(100)]


# ---- report


@pytest.mark.parametrize("to_stdout", [False, True], ids=["file", "standard output"])
def test_report_has_a_line_for_each_record(broker, name, lines, tmp_path, to_stdout):
    broker.create_topic(name, partitions=3)
    report = "-" if to_stdout else tmp_path / "report"
    a, b = lines(b"1\n2\n", "a"), lines(b"".join(b"%d\n" % i for i in range(3, 5000)), 'b "\u00fc')
    result = produce(broker, name, "--report", report, "-X", "batch.size=1000", a, b)
    found = json_lines(result.out if to_stdout else report.read_bytes())
    origin = {(str(a), i): b"%d" % i for i in (1, 2)} | {(str(b), i): b"%d" % (i + 2) for i in range(1, 4998)}
    log = {(r.partition, r.offset): r for of_one in all_records(broker, name).values() for r in of_one}
    assert len(found) == len(log) == 4999 and len({(f["input"], f["record"]) for f in found}) == 4999
    for f in found:
        r = log[f["partition"], f["offset"]]
        assert (origin[f["input"], f["record"]], f["timestamp"]) == (r.value, r.timestamp)
        assert (f["outcome"], f["topic"]) == ("PERSISTED", name) and f["attempts"] >= 1
        assert set(f) == {"input", "record", "outcome", "topic", "partition", "offset", "timestamp", "attempts"}


def test_report_comes_while_the_run_goes_on(broker, topic):
    process = start("produce", "-b", broker.servers, "-t", topic, "--report", "-", "-X", "linger.ms=0")
    for i in range(3):
        process.stdin.write(b"%d\n" % i)
        process.stdin.flush()
        line = json.loads(process.stdout.readline())
        assert (line["input"], line["record"], line["offset"]) == ("standard input", i + 1, i)
    assert finish(process).code == 0


def test_report_tells_of_failed_and_malformed_records(broker, topic, tmp_path):
    report = tmp_path / "report"
    content = [b'{"value":"good"}', b"bad", b'{"value":"%s"}' % (b"x" * 300), b'{"value":"v","partition":7}']
    produce(broker, topic, *JSON, *SMALL, "--report", report, stdin=b"\n".join(content), code=1)
    found = {line["record"]: line for line in json_lines(report.read_bytes())}
    assert [found[i]["outcome"] for i in (1, 2, 3, 4)] == ["PERSISTED", "MALFORMED", "NOT_PERSISTED", "NOT_PERSISTED"]
    assert "at byte 1 of the line" in found[2]["message"]
    assert (found[3]["error"], found[3]["partition"], found[3]["offset"]) == ("RECORD_TOO_LARGE", None, None)
    assert (found[4]["error"], found[4]["partition"], found[4]["offset"]) == ("UNKNOWN_PARTITION", 7, None)


def test_report_tells_what_the_broker_said(broker, name, tmp_path):
    broker.create_topic(name, max_message_bytes=1000)
    report = tmp_path / "report"
    produce(broker, name, "--report", report, stdin=b"x" * 2000, code=1)
    [line] = json_lines(report.read_bytes())
    assert (line["outcome"], line["error"], line["code"], line["partition"]) == ("NOT_PERSISTED", "MESSAGE_TOO_LARGE", 10, 0)
    assert line["attempts"] >= 1


def test_report_without_acks_says_unacknowledged(broker, topic, tmp_path):
    report = tmp_path / "report"
    produce(broker, topic, "--report", report, "-X", "acks=0", stdin=b"a\nb\n")
    assert [line["outcome"] for line in json_lines(report.read_bytes())] == ["UNACKNOWLEDGED"] * 2


def test_report_on_a_full_disk_is_told_and_the_records_are_sent(devbroker, name):
    devbroker.create_topic(name)
    result = produce(devbroker, name, "-q", "--report", "/dev/full", stdin=b"a\nb\n", code=1)
    assert len(result.lines) == 2 and "/dev/full: No space left on device" in result.lines[0] and "0 of 2 records" in result.lines[1]
    assert count(devbroker, name) == {0: 2}


def test_report_that_cannot_be_opened_is_found_before_sending(devbroker, name, lines):
    devbroker.create_topic(name)
    file = lines(b"a\n")
    for path, says in (("/no/dir/r", "No such file"), (file, "input and the --report")):
        result = kproducer("produce", "-b", devbroker.servers, "-t", name, "--report", path, file)
        assert result.code == 2 and len(result.lines) == 1 and str(path) in result.err and says in result.err
    assert count(devbroker, name) == {0: 0} and file.read_bytes() == b"a\n"


def test_report_whose_reader_does_not_read_can_be_stopped(devbroker, name):
    devbroker.create_topic(name)
    process = start("produce", "-b", devbroker.servers, "-t", name, "--report", "-", "--flush-timeout", "0.2")
    process.stdin.write(b"x\n" * 20000)
    process.stdin.flush()
    wait_until(lambda: count(devbroker, name)[0] == 20000, "all records")
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 1
    assert b"of 20000 records" in process.stderr.read()
    for pipe in (process.stdin, process.stdout, process.stderr):
        pipe.close()


@pytest.mark.parametrize("option", ["--report", "--failed"])
def test_stop_ends_the_wait_for_a_named_pipes_reader(devbroker, name, tmp_path, option):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    process = start("produce", "-b", devbroker.servers, "-t", devbroker.create_topic(name), option, pipe)
    wait_until(lambda: pathlib.Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "S", "the wait")
    process.send_signal(signal.SIGINT)
    result = finish(process, 20)
    assert result.code == 130 and len(result.lines) == 1 and "before" in result.err and "nothing was sent" in result.err


def test_report_and_failed_are_one_file_under_two_names(devbroker, name, tmp_path):
    (tmp_path / "other").symlink_to(tmp_path / "file")
    result = kproducer("produce", "-b", devbroker.servers, "-t", name, "--report", tmp_path / "file", "--failed", tmp_path / "other")
    assert result.code == 2 and len(result.lines) == 1 and "are one file" in result.err


def test_second_signal_ends_the_wait_for_the_reader_of_failed_records(devbroker, name, tmp_path):
    pipe, file = tmp_path / "pipe", tmp_path / "lines"
    os.mkfifo(pipe)
    file.write_bytes(b"".join(b"%d" % i + b"x" * 2000 + b"\n" for i in range(200)))
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    process = start("produce", "-b", devbroker.servers, "-t", devbroker.create_topic(name), *SMALL, "--failed", pipe, file)
    wait_until(lambda: struct.unpack("i", fcntl.ioctl(reader, termios.FIONREAD, bytes(4)))[0] > 60000, "a full pipe")
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    result = finish(process, 20)
    os.close(reader)
    assert result.code == 1 and f"cannot write {pipe}" in result.err


@pytest.mark.parametrize("option", ["--report", "--failed"])
def test_a_line_that_a_kill_cut_off_spoils_no_other(devbroker, name, tmp_path, option):
    out, half = tmp_path / "out", b'{"outcome":"NOT_PERSISTED","va'
    out.write_bytes(half)
    produce(devbroker, devbroker.create_topic(name), *SMALL, option, out, stdin=b"x" * 300 + b"\n", code=1)
    lines = out.read_bytes().split(b"\n")
    assert lines[0] == half and json.loads(lines[1])["record"] == 1 and lines[2:] == [b""]


# ---- failed records that are fed in again


def fed_in_again(broker, topic, failed):
    result = produce(broker, topic, *JSON, "--json", failed)
    assert result.json["persisted"] == result.json["records"] == failed.read_bytes().count(b"\n")


def in_order_of_reading(failed):
    """Lines stand in the order in which records failed: one that waited for the metadata may be behind one that was refused at once."""
    lines = failed.read_bytes().splitlines(keepends=True)
    failed.write_bytes(b"".join(sorted(lines, key=lambda line: json.loads(line)["record"])))
    return failed


def test_records_for_a_missing_partition_come_back_whole(broker, name, lines, tmp_path):
    broker.create_topic(name)
    failed, content = tmp_path / "failed", random_records(300)
    where = {"partition": 1, "timestamp": 1234567890123}
    mixed = b"".join(json_record(*one, **(where if i % 2 else {})) for i, one in enumerate(content))
    produce(broker, name, *JSON, "-q", "--failed", failed, lines(mixed), code=1)
    assert contents(broker, name) == content[::2]
    assert all(line["outcome"] == "NOT_PERSISTED" and line["error"] == "UNKNOWN_PARTITION" for line in json_lines(failed.read_bytes()))
    broker.add_partitions(name, 2)
    fed_in_again(broker, name, in_order_of_reading(failed))
    assert contents(broker, name, 1) == content[1::2]
    assert {r.timestamp for r in records(broker, name, 1)} == {1234567890123}


@pytest.mark.parametrize("size", [1500, 3000000], ids=["refused by the broker", "longer than a request"])
def test_records_too_large_come_back_whole(broker, name, tmp_path, size):
    broker.create_topic(name, max_message_bytes=1000)
    failed = tmp_path / "failed"
    chance = random.Random(SEED)
    content = [(b"k%d" % i, chance.randbytes(size) if i % 2 else b"small") for i in range(4)]
    pieces = b"".join(frame(key) + frame(value) for key, value in content)
    produce(broker, name, "-H", "h=1", "-X", "batch.size=0", "--input-format", "length-kv", "--failed", failed, stdin=pieces, code=1)
    assert pairs(broker, name) == content[::2]
    again = broker.create_topic(f"{name}-again", max_message_bytes=5000000)
    larger = ["-X", "max.request.size=5000000"]
    produce(broker, again, *JSON, *larger, "-H", "h=2", failed)
    assert contents(broker, again) == [(key, value, [("h", b"1")]) for key, value in content[1::2]]


@pytest.mark.parametrize("option, line, key, value", [
    (["-K", "=>"], b"key=>%s", b"key", b"%s"),
    (["-k", "fixed"], b"%s", b"fixed", b"%s"),
    (["--key-from", "^..."], b"abc%s", b"abc", b"abc%s"),
    ([], b"%s", None, b"%s"),
], ids=["delimiter", "fixed", "expression", "none"])
def test_overlong_lines_come_back_with_their_keys(broker, topic, tmp_path, option, line, key, value):
    failed, long = tmp_path / "failed", bytes(set(range(256)) - {10}) * 10000
    produce(broker, topic, *option, "--failed", failed, stdin=b"first\n" + line % long + b"\nlast\n", code=1)
    assert [r.value for r in records(broker, topic)] == [b"first", b"last"]
    again = broker.create_topic(f"{topic}-again", max_message_bytes=5000000)
    options = option if "--key-from" in option else []
    produce(broker, again, *JSON, *options, "-X", "max.request.size=5000000", failed)
    assert pairs(broker, again) == [(key, value % long)]


def test_overlong_json_lines_come_back_as_they_were(broker, topic, tmp_path):
    failed = tmp_path / "failed"
    content = json_record(b"k", b"\1" * 300000, [("h", b"v")])
    produce(broker, topic, *JSON, *SMALL, "--failed", failed, stdin=content, code=1)
    assert failed.read_bytes() == content
    again = broker.create_topic(f"{topic}-again", max_message_bytes=5000000)
    fed_in_again(broker, again, failed)
    assert contents(broker, again) == [(b"k", b"\1" * 300000, [("h", b"v")])]


def test_what_a_stopped_broker_left_open_comes_back_whole(own_devbroker, tmp_path):
    broker = own_devbroker()
    broker.create_topic("t", partitions=2)
    failed, content = tmp_path / "failed", random_records(200)
    impatient = ["-X", "request.timeout.ms=500", "-X", "delivery.timeout.ms=1500", "-X", "linger.ms=0", "-X", "compression.type=zstd"]
    stream = Stream(broker, "t", *JSON, *impatient, "--failed", failed)
    stream.write(b'{"value":"before","partition":0}\n')
    stream.await_persisted(1)
    with broker.paused():
        stream.write(b"".join(json_record(*one, partition=i % 2, timestamp=1000 + i) for i, one in enumerate(content)))
        stream.close()
        result = stream.result(code=1, seconds=15)
    assert result.json["unknown"] + result.json["not_persisted"] == 200
    again = own_devbroker()
    again.create_topic("t", partitions=2)
    outcomes = {line["outcome"] for line in json_lines(failed.read_bytes())}
    assert outcomes <= {"UNKNOWN", "NOT_PERSISTED"} and "UNKNOWN" in outcomes
    assert failed.read_bytes().count(b'{"outcome":"UNKNOWN"') == result.json["unknown"]
    fed_in_again(again, "t", failed)
    found = {r.timestamp - 1000: (r.partition, r.key, r.value, r.headers) for of_one in all_records(again, "t").values() for r in of_one}
    assert found == {i: (i % 2, *one) for i, one in enumerate(content)}


def test_failed_file_of_a_failed_file_is_the_same_again(broker, topic, lines, tmp_path):
    once, twice = tmp_path / "once", tmp_path / "twice"
    content = b"".join(json_record(b"k", b"\xff" * 300 + b"%d" % i, [("h", None)] * (i % 2), timestamp=i) for i in range(50))
    options = [*JSON, *SMALL, "-q", "-H", "not=taken", "-k", "neither"]
    produce(broker, topic, *options, "--failed", once, lines(content), code=1)
    produce(broker, topic, *options, "--failed", twice, once, code=1)
    first, second = ([line | {"input": None} for line in json_lines(file.read_bytes())] for file in (once, twice))
    assert first == second and len(first) == 50 and [len(line["headers"]) for line in first[:2]] == [0, 1]
    assert values(broker, topic) == {}
