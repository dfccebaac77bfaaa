"""Signals, closed pipes and brokers that stop answering: every record that was read is accounted for, and all ends in time."""

import os
import signal
import time

import pytest

from command import finish, kproducer, start, wait_until
from readers import count, records, values
from stream import Stream

IMPATIENT = ["-X", "request.timeout.ms=500", "-X", "delivery.timeout.ms=1500", "-X", "linger.ms=0"]


def closed_pipe():
    reader, writer = os.pipe()
    os.close(reader)
    return writer


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_flushes_what_was_read(broker, topic, number):
    stream = Stream(broker, topic, "-X", "linger.ms=60000", "-X", "delivery.timeout.ms=120000")
    stream.send(*(b"%d" % i for i in range(1000)))
    stream.write(b"unfinished")
    stream.await_read()
    stream.process.send_signal(number)
    result = stream.result(code=128 + number)
    assert result.json["records"] == result.json["persisted"] == 1000
    assert result.json["stopped_by"] == number.name
    assert f"stopped by {number.name} after line 1000 of standard input" in result.err
    assert [r.value for r in records(broker, topic)] == [b"%d" % i for i in range(1000)]


def test_signal_in_the_middle_of_a_big_stream(broker, topic):
    stream = Stream(broker, topic, "-X", "buffer.memory=200000", "-X", "batch.size=10000")
    stream.feed_numbers()
    wait_until(lambda: count(broker, topic)[0] > 10000, "records flow")
    stream.process.send_signal(signal.SIGINT)
    result = stream.result(code=130)
    assert result.json["records"] == result.json["persisted"] > 10000
    found = records(broker, topic)
    assert [r.value for r in found] == [b"%d" % i for i in range(result.json["records"])]


def test_second_signal_gives_up_at_once(own_devbroker):
    broker = own_devbroker()
    stream = Stream(broker, broker.create_topic("t"), "--flush-timeout", "60")
    stream.send(b"a")
    stream.await_persisted(1)
    with broker.paused():
        stream.send(b"b")
        stream.await_read()
        stream.process.send_signal(signal.SIGINT)
        stream.await_word("stopped by SIGINT")
        stream.process.send_signal(signal.SIGINT)
        result = stream.result(code=1, seconds=20)
    assert (result.json["records"], result.json["persisted"], result.json["unknown"]) == (2, 1, 1)


def test_flush_timeout_bounds_the_end(own_devbroker):
    broker = own_devbroker()
    stream = Stream(broker, broker.create_topic("t"), "--flush-timeout", "1")
    stream.send(b"a")
    stream.await_persisted(1)
    with broker.paused():
        stream.send(b"b", b"c")
        stream.await_read()
        begin = time.monotonic()
        stream.process.send_signal(signal.SIGTERM)
        result = stream.result(code=1)
    assert 0.9 < time.monotonic() - begin < 8
    assert (result.json["records"], result.json["persisted"], result.json["unknown"]) == (3, 1, 2)
    assert "--flush-timeout" in result.err


def test_signal_before_the_cluster_was_reached(own_devbroker):
    broker = own_devbroker()
    with broker.paused():
        process = start("produce", "-b", broker.servers, "-t", "t", "-vv")
        assert b"started" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        result = finish(process, 20)
    assert result.code == 130 and len(result.lines) == 1 and "before the cluster was reached" in result.err


def test_perf_ends_with_a_signal(broker, topic):
    process = start("perf", "-b", broker.servers, "-t", topic, "-n", "1000M", "--rate", "2000", "--json")
    wait_until(lambda: count(broker, topic)[0] > 100, "records flow")
    process.send_signal(signal.SIGINT)
    result = finish(process)
    assert result.code == 130 and result.json["stopped_by"] == "SIGINT"
    assert result.json["records"] == result.json["acked"] == count(broker, topic)[0]


def test_delivery_timeout_ends_what_a_stopped_broker_leaves_open(broker, topic):
    stream = Stream(broker, topic, *IMPATIENT)
    stream.send(*(b"before %d" % i for i in range(100)))
    stream.await_persisted(100)
    with broker.paused():
        stream.send(*(b"after %d" % i for i in range(50)))
        stream.close()
        result = stream.result(code=1, seconds=20)
    figures = result.json
    assert (figures["records"], figures["persisted"], figures["not_persisted"] + figures["unknown"]) == (150, 100, 50)
    assert figures["unknown"] > 0 and "DELIVERY_TIMEOUT" in result.err
    named = [line for line in result.lines if "of standard input: " in line]
    assert len(named) == 20 and any("and 30 more" in line for line in result.lines)
    # Unknown ones may be in the log, once at most; the others not.
    found = values(broker, topic)
    assert max(found.values()) == 1 and 100 <= len(found) <= 100 + figures["unknown"]


def test_pause_longer_than_the_request_timeout_loses_and_doubles_nothing(broker, topic):
    stream = Stream(broker, topic, "-X", "request.timeout.ms=500", "-X", "batch.size=200")
    stream.send(*(b"%d" % i for i in range(500)))
    stream.await_persisted(500)
    with broker.paused():
        stream.send(*(b"%d" % i for i in range(500, 1000)))
        stream.await_word("within request.timeout.ms")
    stream.send(*(b"%d" % i for i in range(1000, 1500)))
    stream.close()
    result = stream.result()
    assert result.json["persisted"] == 1500
    assert [r.value for r in records(broker, topic)] == [b"%d" % i for i in range(1500)]


@pytest.mark.parametrize("command", [["produce", "-t", "t", "--json"], ["perf", "-t", "t", "-n", "10"], ["topics", "list"]], ids=lambda c: c[0])
def test_closed_standard_output(devbroker, command):
    process = start(*command, "-b", devbroker.servers, "-q", stdout=closed_pipe())
    result = finish(process)
    assert result.code == 1 and len(result.lines) == 1 and "standard output: Broken pipe" in result.err


def test_closed_standard_error_changes_nothing(devbroker, name):
    devbroker.create_topic(name)
    process = start("produce", "-b", devbroker.servers, "-t", name, "--json", stderr=closed_pipe())
    process.stdin.write(b"a\nb\n")
    result = finish(process)
    assert result.code == 0 and result.json["persisted"] == 2 and count(devbroker, name) == {0: 2}


def test_result_on_a_full_disk(devbroker, name):
    devbroker.create_topic(name)
    with open("/dev/full", "w") as full:
        result = finish(start("produce", "-b", devbroker.servers, "-t", name, "--json", stdout=full))
    assert result.code == 1 and "No space left on device" in result.err


def test_broker_command_ends_with_a_signal(own_devbroker):
    for number in (signal.SIGINT, signal.SIGTERM):
        assert own_devbroker().stop(number) == 0


def test_exit_codes(devbroker, name):
    devbroker.create_topic(name)

    def code(*args, server=devbroker.servers):
        return kproducer("produce", "-b", server, "-t", name, "--connect-timeout", "1", *args, stdin=b"x" * 200).code

    assert code() == 0
    assert code("-X", "max.request.size=150") == 1
    assert code("-X", "acks=5") == 2
    assert code(server="127.0.0.1:1") == 3
