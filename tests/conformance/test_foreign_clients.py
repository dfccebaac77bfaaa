"""Foreign clients, unmodified, write to a cluster, and each reads what each has written: the same bytes."""

import collections
import dataclasses
import time

import pytest

from brokers import DevBroker
from command import wait_until
from foreign import READERS, WRITERS, Librdkafka, build_go_programs
from readers import count

PARTITIONS = 3


@dataclasses.dataclass
class Written:
    """What a writer wrote: its samples, where they stand ({partition: first and end offset}), between which times; or how it failed."""

    samples: list
    at: dict
    since: int
    until: int
    error: Exception | None = None


def now_ms():
    return time.time_ns() // 1000000


def write(cluster, topic, writer):
    """All variants of a writer, one after the other."""
    before, since, samples = count(cluster, topic), now_ms(), []
    written = Written(samples, {}, since, since)
    for variant in writer.variants:
        some = writer.samples(variant, since)
        for i, sample in enumerate(some):
            sample.partition = i % len(before)
        samples += some
        try:
            writer.write(cluster, topic, some, variant)
            # With acks=0 the writer may have gone before the broker has read all.
            wanted = sum(before.values()) + len(samples)
            wait_until(lambda: sum(count(cluster, topic).values()) == wanted, f"{variant}: all records are there")
        except (AssertionError, OSError) as error:
            written.error = error
            break
    after = count(cluster, topic)
    written.at = {partition: (before[partition], after[partition]) for partition in after}
    written.until = now_ms()
    return written


class Exchange:
    """A topic of a cluster in which every writer has written, one after the other; each reader reads it once."""

    def __init__(self, cluster, partitions):
        self.cluster, self.topic = cluster, cluster.create_topic("foreign-clients", partitions)
        self.written = {writer.name: write(cluster, self.topic, writer) for writer in WRITERS}
        self.read = {}

    def read_by(self, reader):
        if reader.name not in self.read:
            try:
                self.read[reader.name] = reader.read(self.cluster, self.topic)
            except AssertionError as error:
                self.read[reader.name] = error
        if isinstance(self.read[reader.name], Exception):
            raise self.read[reader.name]
        return self.read[reader.name]


@pytest.fixture(scope="module")
def programs():
    build_go_programs()


@pytest.fixture(scope="module", params=["one-node", "three-nodes", pytest.param("kafka", marks=pytest.mark.full)])
def exchange(request, programs, tmp_path_factory):
    if request.param == "kafka":
        yield Exchange(request.getfixturevalue("kafka"), PARTITIONS)
        return
    partitions, options = (1, []) if request.param == "one-node" else (PARTITIONS, ["--nodes", PARTITIONS])
    cluster = DevBroker(tmp_path_factory.mktemp(request.param), *map(str, options))
    yield Exchange(cluster, partitions)
    assert cluster.stop() == 0


def content(r):
    """What two records have to have in common, as something that can be counted."""
    return r.key, r.value, tuple(r.headers) if isinstance(r.headers, list) else r.headers


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: f"read-by-{reader.name}")
@pytest.mark.parametrize("writer", WRITERS, ids=lambda writer: writer.name)
def test_what_one_writes_the_others_read(exchange, writer, reader):
    written = exchange.written[writer.name]
    if written.error:
        raise written.error

    def as_read(sample):
        return content(dataclasses.replace(sample, headers=reader.headers(sample.headers)))

    found = {partition: [] for partition in written.at}
    for r in exchange.read_by(reader):
        first, end = written.at[r.partition]
        if first <= r.offset < end:
            found[r.partition].append(r)
    for partition, (first, end) in written.at.items():
        assert [r.offset for r in found[partition]] == list(range(first, end))
    if writer.chooses_partition or len(found) == 1:
        for partition, some in found.items():
            wanted = [s for s in written.samples if s.partition == partition]
            assert list(map(content, some)) == list(map(as_read, wanted))
            assert all(r.timestamp == s.timestamp for r, s in zip(some, wanted) if s.timestamp is not None)
    else:
        everything = collections.Counter(content(r) for some in found.values() for r in some)
        assert everything == collections.Counter(map(as_read, written.samples))
        assert all(found.values()), "keys reach every partition"
    if not writer.chooses_partition:
        assert all(written.since <= r.timestamp <= written.until for some in found.values() for r in some)


@pytest.mark.parametrize("writer", WRITERS, ids=lambda writer: writer.name)
def test_writer_creates_its_topic_on_first_use(devbroker, programs, name, writer):
    samples = writer.samples(writer.variants[0], now_ms())
    writer.write(devbroker, name, samples, writer.variants[0])
    assert list(map(content, Librdkafka.read(devbroker, name))) == list(map(content, samples))
