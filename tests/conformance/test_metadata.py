"""Topics that come late, grow, go and return, and a broker that restarts, while records flow."""

import signal

import pytest

from command import kproducer, wait_until
from readers import all_records, count, records
from stream import Stream

NO_AUTO_CREATE = ["-X", "allow.auto.create.topics=false"]
WATCHFUL = ["-X", "metadata.max.age.ms=300"]
IMPATIENT = ["-X", "request.timeout.ms=500", "-X", "delivery.timeout.ms=1500", "-X", "linger.ms=0"]


def numbers(n, first=0):
    return [b"%d" % i for i in range(first, first + n)]


def test_records_wait_for_a_topic_that_is_created_late(broker, name):
    stream = Stream(broker, name, *NO_AUTO_CREATE)
    stream.send(*numbers(1000))
    stream.await_read()
    assert broker.partitions(name) == 0
    broker.create_topic(name)
    stream.await_persisted(1000)
    stream.send(*numbers(1000, 1000))
    stream.close()
    assert stream.result().json["persisted"] == 2000
    assert [r.value for r in records(broker, name)] == numbers(2000)


def test_late_topic_gets_keys_in_their_partitions(broker, name):
    stream = Stream(broker, name, *NO_AUTO_CREATE, "-K", ":")
    stream.send(*(b"%d:v" % (i % 50) for i in range(1000)))
    stream.await_read()
    broker.create_topic(name, partitions=4)
    stream.close()
    stream.result()
    partitions_of_key = {}
    for partition, found in all_records(broker, name).items():
        for r in found:
            partitions_of_key.setdefault(r.key, set()).add(partition)
    assert len(partitions_of_key) == 50
    assert all(len(partitions) == 1 for partitions in partitions_of_key.values())


def test_topic_that_never_comes_fails_its_records_in_time(broker, name):
    options = ["-b", broker.servers, "-t", name, *NO_AUTO_CREATE, *IMPATIENT]
    result = kproducer("produce", *options, stdin=b"a\nb\n")
    assert result.code == 1 and result.seconds < 20
    named = [line for line in result.lines if "of standard input: NOT_PERSISTED" in line]
    assert len(named) == 2 and all("UNKNOWN_TOPIC_OR_PARTITION" in line for line in named)
    assert broker.partitions(name) == 0


def test_explicit_partition_of_a_late_topic(broker, name):
    stream = Stream(broker, name, *NO_AUTO_CREATE, "-p", "1")
    stream.send(b"a")
    stream.await_read()
    broker.create_topic(name, partitions=2)
    stream.close()
    stream.result()
    assert count(broker, name) == {0: 0, 1: 1}


def test_explicit_partition_that_a_late_topic_does_not_have(broker, name):
    stream = Stream(broker, name, *NO_AUTO_CREATE, "-p", "7")
    stream.send(b"a", b"b")
    stream.await_read()
    broker.create_topic(name, partitions=2)
    stream.close()
    result = stream.result(code=1)
    assert result.json["not_persisted"] == 2
    assert [e["name"] for e in result.json["errors"]] == ["UNKNOWN_PARTITION"]


@pytest.mark.parametrize("keyed", [False, True], ids=["keyless", "keyed"])
def test_new_partitions_are_used(broker, name, keyed):
    broker.create_topic(name, partitions=1)
    stream = Stream(broker, name, *WATCHFUL, *(["-K", ":"] if keyed else []), "-X", "batch.size=1000")
    sent = 0

    def send_more():
        nonlocal sent
        stream.send(*(b"%d:v" % i for i in range(sent, sent + 200)))
        sent += 200

    send_more()
    stream.await_persisted(200)
    broker.add_partitions(name, 3)

    def all_are_used():
        send_more()
        return min(count(broker, name).values()) > 0

    wait_until(all_are_used, "the new partitions get records")
    stream.close()
    assert stream.result().json["persisted"] == sent
    assert sum(count(broker, name).values()) == sent


def test_deleted_topic_fails_its_records_and_not_those_before(broker, topic):
    stream = Stream(broker, topic, *NO_AUTO_CREATE, *IMPATIENT)
    stream.send(*numbers(100))
    stream.await_persisted(100)
    broker.delete_topic(topic)
    stream.send(*numbers(10, 100))
    stream.close()
    result = stream.result(code=1, seconds=20)
    assert (result.json["records"], result.json["persisted"]) == (110, 100)
    assert result.json["not_persisted"] + result.json["unknown"] == 10


def test_topic_that_is_deleted_and_created_again_takes_records(broker, topic):
    stream = Stream(broker, topic, *NO_AUTO_CREATE)
    stream.send(*numbers(100))
    stream.await_persisted(100)
    broker.delete_topic(topic)
    broker.create_topic(topic)
    stream.send(*numbers(100, 100))
    stream.close()
    result = stream.result()
    assert result.json["persisted"] == 200
    assert [r.value for r in records(broker, topic)] == numbers(100, 100)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=["stopped", "killed"])
def test_restarted_broker_has_every_record_once_in_order(each_kafka, name, how):
    each_kafka.create_topic(name)
    stream = Stream(each_kafka, name, "-X", "batch.size=500", "-X", "buffer.memory=100000")
    stream.feed_numbers()
    stream.await_persisted(5000)
    each_kafka.stop(how)
    each_kafka.start()
    wait_until(lambda: each_kafka.partitions(name) == 1, "a leader")
    before = sum(count(each_kafka, name).values())
    stream.await_persisted(before + 1000)
    stream.close()
    n = stream.result().json["persisted"]
    assert n > before >= 5000
    assert [r.value for r in records(each_kafka, name)] == numbers(n)
