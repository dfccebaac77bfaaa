"""Reading back with consumers that are not ours."""

import collections
import dataclasses

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from brokers import kafka_tool
from command import PATIENCE, run, wait_until

WAIT_AT_END_MS = 10
AT_ONCE = 100000


@dataclasses.dataclass
class Record:
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: list
    timestamp: int


def consumer(broker, **more):
    return Consumer({
        "bootstrap.servers": broker.servers,
        "group.id": "unused",
        "enable.auto.commit": False,
        "isolation.level": "read_uncommitted",
        "log_level": 0,
    } | {name.replace("_", "."): value for name, value in more.items()})


def bounds(reader, topic, partition):
    """First and end offset. A partition that was made, or whose broker was started, just now may need a moment."""

    def ask():
        try:
            return reader.get_watermark_offsets(TopicPartition(topic, partition), timeout=PATIENCE)
        except KafkaException as e:
            if e.args[0].code() != KafkaError.NOT_LEADER_FOR_PARTITION:
                raise
            return None

    return wait_until(ask, f"the leader of {topic}-{partition}")


def records(broker, topic, partition=0):
    """All of a partition's records, in order, read by librdkafka."""
    reader = consumer(broker)
    first, end = bounds(reader, topic, partition)
    reader.assign([TopicPartition(topic, partition, first)])
    messages = []
    while len(messages) < end - first and (more := reader.consume(min(end - first - len(messages), AT_ONCE), PATIENCE)):
        messages += more
    reader.close()
    assert not any(m.error() for m in messages)
    assert [m.offset() for m in messages] == list(range(first, end))
    return [Record(m.partition(), m.offset(), m.key(), m.value(), m.headers() or [], m.timestamp()[1]) for m in messages]


def all_records(broker, topic):
    """{partition: records}."""
    return {partition: records(broker, topic, partition) for partition in range(broker.partitions(topic))}


def values(broker, topic):
    """How often each value stands in the topic."""
    return collections.Counter(r.value for of_one in all_records(broker, topic).values() for r in of_one)


def first_and_end(broker, topic, partition=0):
    reader = consumer(broker)
    found = bounds(reader, topic, partition)
    reader.close()
    return found


def count(broker, topic):
    """{partition: end offset}, read by librdkafka."""
    reader = consumer(broker)
    ends = {p: bounds(reader, topic, p)[1] for p in range(broker.partitions(topic))}
    reader.close()
    return ends


def kcat(broker, topic, partition=0, form="%s\n"):
    """A partition as kcat prints it."""
    where = ["-b", broker.servers, "-t", topic, "-p", partition, "-o", "beginning"]
    result = run(["kcat", "-C", *where, "-e", "-q", "-f", form, "-X", f"fetch.wait.max.ms={WAIT_AT_END_MS}"])
    assert result.code == 0, result
    return result.out


def console_consumer(broker, topic, n):
    """The first n records of partition 0 as Kafka's console consumer prints them."""
    where = ["--bootstrap-server", broker.servers, "--topic", topic, "--partition", "0", "--offset", "earliest"]
    return kafka_tool("org.apache.kafka.tools.consumer.ConsoleConsumer", *where, "--max-messages", n, "--timeout-ms", 1000 * PATIENCE)
