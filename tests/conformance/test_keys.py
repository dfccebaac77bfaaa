"""The same key goes to the same partition as with Java's and librdkafka's producers; no key, to all partitions in turn."""

import random

from confluent_kafka import Producer

from brokers import kafka_tool
from command import PATIENCE, produce
from readers import all_records, count

PARTITIONS = 7
SEED = 20260101


def random_keys(n):
    """Keys of 1 to 40 bytes, without the bytes that end a line or a key here."""
    chance = random.Random(SEED)
    allowed = bytes(set(range(256)) - set(b"\n\t"))
    return list({bytes(chance.choices(allowed, k=chance.randint(1, 40))) for _ in range(n)})


def text_keys(n):
    """Keys for a tool that reads text: letters of one to four bytes in UTF-8."""
    chance = random.Random(SEED)
    return ["".join(chance.choices("abcxyzäßλ漢字🦀", k=chance.randint(1, 12))) + str(i) for i in range(n)]


def partition_of_keys(broker, topic):
    return {r.key: partition for partition, found in all_records(broker, topic).items() for r in found}


def test_thousand_keys_go_where_librdkafka_sends_them(broker, name):
    keys = random_keys(1000)
    ours, theirs = (broker.create_topic(f"{name}-{who}", PARTITIONS) for who in ("ours", "theirs"))
    produce(broker, ours, "-K", r"\t", stdin=b"".join(key + b"\tv\n" for key in keys))
    other = Producer({"bootstrap.servers": broker.servers, "partitioner": "murmur2_random"})
    for key in keys:
        other.produce(theirs, key=key, value=b"v")
    assert other.flush(PATIENCE) == 0
    assert partition_of_keys(broker, ours) == partition_of_keys(broker, theirs)
    assert set(partition_of_keys(broker, ours)) == set(keys)


def test_thousand_keys_go_where_java_sends_them(each_kafka, name):
    lines = "".join(f"{key}\tv\n" for key in text_keys(1000)).encode()
    ours, theirs = (each_kafka.create_topic(f"{name}-{who}", PARTITIONS) for who in ("ours", "theirs"))
    produce(each_kafka, ours, "-K", r"\t", stdin=lines)
    options = ["--reader-property", "parse.key=true", "--reader-property", "key.separator=\t"]
    where = ["--bootstrap-server", each_kafka.servers, "--topic", theirs]
    kafka_tool("org.apache.kafka.tools.ConsoleProducer", *where, *options, stdin=lines, env={"JAVA_TOOL_OPTIONS": "-Dfile.encoding=UTF-8"})
    assert partition_of_keys(each_kafka, ours) == partition_of_keys(each_kafka, theirs)
    assert len(partition_of_keys(each_kafka, ours)) == 1000


def test_one_key_stays_in_order_in_one_partition(broker, name):
    broker.create_topic(name, PARTITIONS)
    content = [b"%d" % i for i in range(20000)]
    produce(broker, name, "-k", "same", "-X", "batch.size=1000", stdin=b"\n".join(content))
    found = [[r.value for r in of_one] for of_one in all_records(broker, name).values() if of_one]
    assert found == [content]


def test_records_without_key_reach_every_partition(broker, name):
    broker.create_topic(name, PARTITIONS)
    produce(broker, name, "-X", "batch.size=1000", stdin=b"value\n" * 50000)
    ends = count(broker, name)
    assert sum(ends.values()) == 50000
    assert min(ends.values()) > 1000


def test_ignored_keys_spread_too(broker, name):
    broker.create_topic(name, PARTITIONS)
    produce(broker, name, "-k", "same", "-X", "partitioner.ignore.keys=true", "-X", "batch.size=1000", stdin=b"value\n" * 50000)
    assert min(count(broker, name).values()) > 1000
