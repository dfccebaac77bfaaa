"""`kproducer produce --transactional-id`: consumers of committed records see all of a transaction or nothing, and who sent knows which."""

import json
import signal

import pytest

from command import kproducer, produce
from readers import count
from stream import Stream
from txn_script import settled, visible


def numbers(n, first=0):
    return b"".join(b"%d\n" % i for i in range(first, first + n))


def values(n, first=0):
    return [str(i) for i in range(first, first + n)]


def lines_of(n):
    return [b"%d" % i for i in range(n)]


def transactions(result):
    return tuple(result.json["transactions"][what] for what in ("committed", "aborted", "unknown"))


def test_the_whole_input_is_one_transaction(broker, topic):
    result = produce(broker, topic, "--transactional-id", topic, stdin=numbers(5000))
    assert "5000 records" in result.err and "all committed in 1 transaction" in result.err
    assert settled(broker, topic) == values(5000)
    assert count(broker, topic) == {0: 5001}, "one marker"


def test_each_n_records_are_a_transaction(broker, name):
    broker.create_topic(name, partitions=3)
    options = "--transactional-id", name, "--records-per-transaction", "100", "--json"
    result = produce(broker, name, *options, stdin=numbers(1050))
    assert transactions(result) == (11, 0, 0) and result.json["transactions"]["records_committed"] == 1050
    assert sorted(int(v) for p in range(3) for v in settled(broker, name, p)) == list(range(1050))


def test_the_property_is_the_option(broker, topic, lines):
    file = lines(b"transactional.id=%s\n" % topic.encode(), "client.properties")
    result = produce(broker, topic, "-F", file, "--json", stdin=numbers(10))
    assert transactions(result) == (1, 0, 0) and settled(broker, topic) == values(10)


def test_nothing_is_visible_before_the_commit(broker, topic):
    stream = Stream(broker, topic, "--transactional-id", topic, "-X", "linger.ms=0")
    stream.send(*lines_of(100))
    stream.await_persisted(100)
    assert visible(broker, topic)[0] == []
    stream.close()
    assert transactions(stream.result()) == (1, 0, 0)
    assert settled(broker, topic) == values(100)


def test_an_empty_input_is_no_transaction(broker, topic):
    result = produce(broker, topic, "--transactional-id", topic, stdin=b"")
    assert "nothing to send" in result.err and count(broker, topic) == {0: 0}


@pytest.mark.parametrize("bad, why", [(b"none", "malformed"), (b'{"value": "%s"}' % (b"x" * 700), "RECORD_TOO_LARGE"), (b'{"value": "%s"}' % (b"x" * 2000), "RECORD_TOO_LARGE"), (b'{"value": "1", "partition": 9}', "UNKNOWN_PARTITION")])
def test_a_record_that_cannot_be_sent_takes_its_transaction_along(broker, topic, bad, why):
    content = b"\n".join([b'{"value": "%d"}' % i for i in range(5)] + [bad] + [b'{"value": "%d"}' % i for i in range(6, 10)])
    options = "--input-format", "json", "--transactional-id", topic, "--records-per-transaction", "4", "-X", "max.request.size=720"
    result = produce(broker, topic, *options, stdin=content, code=1)
    assert settled(broker, topic) == values(4) + values(2, 8)
    [said] = [line for line in result.lines if "transaction 2 (" in line]
    assert "lines 5 to 8 of standard input" in said and f"line 6 of standard input: {why}" in said
    assert "kproducer: not committed: lines 5 to 8 of standard input; what was read beside these is committed" in result.lines
    assert "6 committed in 2 transactions, 4 not committed" in result.lines[-1]


def test_a_record_that_the_broker_refuses_takes_its_transaction_along(broker, name):
    broker.create_topic(name, max_message_bytes=1000)
    content = numbers(150) + b"x" * 2000 + b"\n" + numbers(149, 151)
    result = produce(broker, name, "--transactional-id", name, "--records-per-transaction", "100", "--json", stdin=content, code=1)
    assert transactions(result) == (2, 1, 0)
    assert result.json["transactions"]["not_committed"] == [{"outcome": "ABORTED", "input": "standard input", "first": 101, "last": 200}]
    assert settled(broker, name) == values(100) + values(100, 200)
    assert "line 151 of standard input: NOT_PERSISTED MESSAGE_TOO_LARGE" in result.err
    [said] = [line for line in result.lines if "transaction 2 (lines 101 to 200 of standard input) was not committed" in line]
    assert "MESSAGE_TOO_LARGE" in said


def test_a_malformed_line_makes_the_only_transaction_nothing(broker, topic, lines):
    result = produce(broker, topic, "--transactional-id", topic, "--input-format", "json", lines(b'{"value": "1"}\nx\n{"value": "3"}\n'), code=1)
    assert settled(broker, topic) == []
    assert "nothing of it is visible" in result.err and "0 committed" in result.lines[-1]


def test_an_input_that_cannot_be_read_is_not_committed_in_part(devbroker, name, lines):
    devbroker.create_topic(name)
    result = produce(devbroker, name, "--transactional-id", name, lines(b"good\n"), "/proc/self/mem", code=1)
    assert "/proc/self/mem could not be read to its end" in result.err and settled(devbroker, name) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_aborts_what_is_open(broker, topic, number):
    stream = Stream(broker, topic, "--transactional-id", topic, "--records-per-transaction", "100", "-X", "linger.ms=0")
    stream.send(*lines_of(250))
    stream.await_persisted(252)
    stream.process.send_signal(number)
    result = stream.result(code=1)
    assert transactions(result) == (2, 1, 0) and result.json["stopped_by"] == number.name
    assert settled(broker, topic) == values(200)
    assert f"transaction 3 (lines 201 to 250 of standard input) was not committed, nothing of it is visible: stopped by {number.name}" in result.err


def test_a_signal_between_transactions_loses_nothing(broker, topic):
    stream = Stream(broker, topic, "--transactional-id", topic, "--records-per-transaction", "100")
    stream.send(*lines_of(200))
    stream.await_persisted(202)
    stream.process.send_signal(signal.SIGINT)
    assert transactions(stream.result(code=130)) == (2, 0, 0) and settled(broker, topic) == values(200)


def test_a_second_command_ends_the_first(broker, topic):
    first = Stream(broker, topic, "--transactional-id", topic, "--records-per-transaction", "1000", "-X", "linger.ms=0")
    first.send(*(b"first %d" % i for i in range(10)))
    first.await_persisted(10)
    produce(broker, topic, "--transactional-id", topic, stdin=b"second\n")
    first.send(b"late")
    first.close()
    result = first.result(code=1)
    assert transactions(result) == (0, 1, 0) and settled(broker, topic) == ["second"]
    assert f"transactional id {topic}: no more is sent: " in result.err and "transaction 1 (lines 1 to" in result.err


def test_what_a_killed_command_left_is_never_visible(broker, topic):
    killed = Stream(broker, topic, "--transactional-id", topic, "-X", "linger.ms=0")
    killed.send(*(b"killed %d" % i for i in range(10)))
    killed.await_persisted(10)
    killed.process.kill()
    killed.process.wait()
    produce(broker, topic, "--transactional-id", topic, stdin=b"after\n")
    assert settled(broker, topic) == ["after"]


def test_a_transaction_that_is_open_for_too_long_is_aborted(broker, topic):
    stream = Stream(broker, topic, "--transactional-id", topic, "-X", "transaction.timeout.ms=2000", "-X", "linger.ms=0")
    stream.send(b"a")
    stream.await_word("transaction 1 has been open for 1 s")
    result = stream.result(code=1)
    assert transactions(result) == (0, 1, 0) and settled(broker, topic) == []
    assert "it was not at its end within transaction.timeout.ms (2000)" in result.err


@pytest.mark.parametrize("fault", ["drop after", "drop before", "error COORDINATOR_NOT_AVAILABLE", "error NOT_COORDINATOR"])
def test_a_commit_is_repeated_until_it_is_answered(own_devbroker, fault):
    broker = own_devbroker("--fault", f"on end_txn first=3: {fault}")
    broker.create_topic("t")
    result = produce(broker, "t", "--transactional-id", "t", "--records-per-transaction", "10", "--json", stdin=numbers(30))
    assert transactions(result) == (3, 0, 0) and settled(broker, "t") == values(30) and count(broker, "t") == {0: 33}


def test_a_commit_that_is_not_answered_is_unknown(own_devbroker):
    broker = own_devbroker("--fault", "on end_txn: drop after")
    broker.create_topic("t")
    hasty = "-X", "request.timeout.ms=500", "-X", "delivery.timeout.ms=1500", "-X", "linger.ms=0"
    result = produce(broker, "t", "--transactional-id", "t", *hasty, stdin=numbers(10), code=1)
    assert "transaction 1 (lines 1 to 10 of standard input) may be visible as a whole or not at all" in result.err
    assert "unknown whether committed: lines 1 to 10 of standard input" in result.err
    assert settled(broker, "t") == values(10), "it was committed, and nobody said so"


def test_the_report_tells_the_transaction_of_each_record_and_its_end(broker, topic, tmp_path):
    report = tmp_path / "report"
    content = b'{"value": "0"}\n{"value": "1"}\n{"value": "2"}\nbad\n{"value": "4"}\n'
    options = "--input-format", "json", "--transactional-id", topic, "--records-per-transaction", "2", "--report", report
    produce(broker, topic, *options, stdin=content, code=1)
    told = [json.loads(line) for line in report.read_text().splitlines()]
    assert sorted((r["record"], r["transaction"]) for r in told if "record" in r) == [(1, 1), (2, 1), (3, 2), (4, 2), (5, 3)]
    assert [r["outcome"] for r in told if r.get("record") == 4] == ["MALFORMED"]
    ends = [r for r in told if "record" not in r]
    assert ends == [{"transaction": n, "outcome": how, "records": size} for n, how, size in [(1, "COMMITTED", 2), (2, "ABORTED", 2), (3, "COMMITTED", 1)]]


def test_count_and_rate_know_transactions(broker, topic):
    options = "--transactional-id", topic, "--records-per-transaction", "4", "-c", "10", "--rate", "200", "--json"
    result = produce(broker, topic, *options, stdin=numbers(100))
    assert transactions(result) == (3, 0, 0) and settled(broker, topic) == values(10)


@pytest.mark.parametrize("options, says", [
    (("--records-per-transaction", "5"), "--records-per-transaction needs --transactional-id"),
    (("--transactional-id", "t", "--records-per-transaction", "0"), "--records-per-transaction wants a number of records from 1 on, not '0'"),
    (("--transactional-id", ""), "--transactional-id wants an id"),
    (("--transactional-id", "t", "--failed", "/dev/null"), "--failed cannot be had with --transactional-id"),
    (("-X", "transactional.id=t", "--resend", "3"), "--resend cannot be had with --transactional-id"),
    (("--transactional-id", "t", "-X", "acks=1"), "acks"),
    (("--transactional-id", "t", "-X", "enable.idempotence=false"), "enable.idempotence"),
])
def test_options_that_contradict_each_other(devbroker, name, options, says):
    devbroker.create_topic(name)
    result = kproducer("produce", "-b", devbroker.servers, "-t", name, *options, stdin=b"a\n")
    assert result.code == 2 and says in result.err and len(result.lines) == 1 and count(devbroker, name) == {0: 0}


def test_a_time_out_above_the_brokers_limit_is_named(broker, topic):
    result = produce(broker, topic, "--transactional-id", topic, "-X", "transaction.timeout.ms=1000000", stdin=b"a\n", code=2)
    assert "INVALID_TRANSACTION_TIMEOUT" in result.err and "transaction.max.timeout.ms" in result.err and count(broker, topic) == {0: 0}


def test_a_cluster_that_does_not_answer(own_devbroker):
    broker = own_devbroker()
    broker.create_topic("t")
    broker.stop()
    result = kproducer("produce", "-b", broker.servers, "-t", "t", "--transactional-id", "t", "--connect-timeout", "1", stdin=b"a\n")
    assert result.code == 3
