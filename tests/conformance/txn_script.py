"""A transactional producer that a case leads call by call (programs/txn_script.c), and what consumers of others see of it."""

import subprocess
import typing

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaException, TopicPartition

from command import ENVIRONMENT, PATIENCE, wait_until
from readers import bounds, consumer, first_and_end


class Answer(typing.NamedTuple):
    call: str
    error: str
    next: str
    state: str
    in_doubt: bool
    cause: str
    text: str

    @property
    def is_ok(self):
        return self.error == "NONE"


class Script:
    def __init__(self, binary, library, broker, transactional_id, **properties):
        more = [f"{key.replace('_', '.')}={value}" for key, value in {"transactional_id": transactional_id, **properties}.items()]
        env = ENVIRONMENT | {"LD_LIBRARY_PATH": str(library)}
        self.process = subprocess.Popen([binary, broker if isinstance(broker, str) else broker.servers, *more], env=env, text=True, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        for pipe in self.process.stdin, self.process.stdout, self.process.stderr:
            pipe.close()

    def __call__(self, *words):
        """One call; what it answered."""
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, self.process.stderr.read()
        call, error, next_, state, in_doubt, cause, *text = line.split(" ", 6)
        return Answer(call, error, next_, state, in_doubt == "1", cause, text[0].strip() if text else "")

    def ok(self, *words):
        answer = self(*words)
        assert answer.error == "NONE", answer
        return answer

    def end(self):
        """Free the producer: its exit code, and what it says of its records."""
        self.process.stdin.close()
        said = self.process.stderr.read()
        return self.process.wait(PATIENCE), said.strip().splitlines()[-1]


def visible(broker, topic, isolation="read_committed"):
    """{partition: values}, as librdkafka gives them to a consumer, up to where it may read."""
    reader = Consumer({"bootstrap.servers": broker.servers, "group.id": "unused", "enable.auto.commit": False, "isolation.level": isolation,
                       "enable.partition.eof": True, "log_level": 0})
    found = {}
    for partition in range(broker.partitions(topic)):
        first, _ = bounds(reader, topic, partition)
        reader.assign([TopicPartition(topic, partition, first)])
        found[partition] = []
        while (m := reader.poll(PATIENCE)) is not None and not m.error():
            found[partition].append(m.value().decode())
        assert m is not None, f"no end of {topic}-{partition} within {PATIENCE} s"
    reader.close()
    return found


def committed(broker, group, topic, partition=0):
    """The group's offset, as it stands for those who do not wait for open transactions; -1001: none."""
    [future] = broker.admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group, [TopicPartition(topic, partition)])]).values()
    return future.result(PATIENCE).topic_partitions[0].offset


def settled(broker, topic, partition=0):
    """What of a partition is visible once no transaction is open there: the markers are written behind the answer to the commit."""
    reader = consumer(broker, isolation_level="read_committed")
    # the end offset that librdkafka gives is that of its isolation level
    wait_until(lambda: bounds(reader, topic, partition) == first_and_end(broker, topic, partition), "the end of the transactions")
    reader.close()
    return visible(broker, topic)[partition]


def settled_offset(broker, group, topic, partition=0):
    """Where a member of the group would begin, once no transaction has it in hand. None: at no committed offset."""
    reader = consumer(broker, group_id=group, isolation_level="read_committed")

    def ask():
        """A coordinator that was made just now may still be loading."""
        try:
            return reader.committed([TopicPartition(topic, partition)], PATIENCE)
        except KafkaException as e:
            if e.args[0].name() not in ("NOT_COORDINATOR", "COORDINATOR_LOAD_IN_PROGRESS"):
                raise
            return None

    [at] = wait_until(ask, f"the offsets of {group}")
    reader.close()
    return at.offset if at.offset >= 0 else None
