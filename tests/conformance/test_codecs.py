"""Every codec at its levels, read back by consumers that decompress with libraries of their own."""

import re

import pytest

from command import produce
from readers import console_consumer, kcat, records

CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]
LEVELS = [
    ("gzip", -1), ("gzip", 1), ("gzip", 6), ("gzip", 9),
    ("lz4", 1), ("lz4", 3), ("lz4", 9), ("lz4", 12), ("lz4", 17),
    ("zstd", -50), ("zstd", 1), ("zstd", 3), ("zstd", 19), ("zstd", 22),
]

# Batches that compress well, hardly, and not at all: equal bytes, text, and what looks like chance.
CONTENT = (
    b"a" * 100000 + b"\n"
    + b"".join(b"line %d of a log that repeats itself\n" % i for i in range(5000))
    + b"".join(b"%x\n" % pow(3, i, 2**607 - 1) for i in range(1, 2000))
)
LINES = CONTENT.split(b"\n")[:-1]


def send(broker, topic, codec, *args):
    produce(broker, topic, "-z", codec, *args, stdin=CONTENT)


@pytest.mark.parametrize("codec", CODECS)
def test_codec_is_read_back(broker, topic, codec):
    send(broker, topic, codec)
    assert [r.value for r in records(broker, topic)] == LINES
    assert kcat(broker, topic) == CONTENT


@pytest.mark.parametrize("codec, level", LEVELS)
def test_level_is_read_back(broker, topic, codec, level):
    send(broker, topic, codec, "-X", f"compression.{codec}.level={level}")
    assert [r.value for r in records(broker, topic)] == LINES


def test_java_reads_all_codecs_in_one_partition(broker, topic):
    for codec in CODECS:
        send(broker, topic, codec)
    assert console_consumer(broker, topic, len(LINES) * len(CODECS)) == CONTENT * len(CODECS)


def test_small_batches_of_every_codec(broker, topic):
    for codec in CODECS:
        produce(broker, topic, "-z", codec, "-X", "batch.size=1", "-H", "h=1", stdin=b"\nb\n")
    assert [(r.value, r.headers) for r in records(broker, topic)] == [(b"", [("h", b"1")]), (b"b", [("h", b"1")])] * len(CODECS)


def batches(dump):
    """DumpLogSegments' lines about batches, as dictionaries."""
    found = [dict(re.findall(r"(\w+): (\S+)", line)) for line in dump.splitlines() if line.startswith("baseOffset:")]
    assert found, dump
    return found


def test_kafka_stores_every_codec_as_it_came(each_kafka, name):
    each_kafka.create_topic(name, partitions=len(CODECS))
    for partition, codec in enumerate(CODECS):
        send(each_kafka, name, codec, "-p", partition, "-X", "batch.size=30000")
    for partition, codec in enumerate(CODECS):
        stored = batches(each_kafka.dump(each_kafka.segment(name, partition)))
        # What a codec does not make smaller is sent as it is.
        assert codec in {b["compresscodec"] for b in stored} <= {codec, "none"}
        assert {(b["isvalid"], b["magic"]) for b in stored} == {("true", "2")}
        assert sum(int(b["count"]) for b in stored) == len(LINES)
        assert len(stored) > 3


def test_kafka_stores_the_idempotent_stamps(each_kafka, name):
    each_kafka.create_topic(name)
    produce(each_kafka, name, "-X", "batch.size=2000", stdin=b"some line\n" * 5000)
    stored = batches(each_kafka.dump(each_kafka.segment(name)))
    assert len({b["producerId"] for b in stored}) == 1 and int(stored[0]["producerId"]) >= 0
    assert {b["producerEpoch"] for b in stored} == {"0"}
    expected = 0
    for batch in stored:
        assert int(batch["baseSequence"]) == expected == int(batch["baseOffset"])
        expected = int(batch["lastSequence"]) + 1
    assert expected == 5000


def test_without_idempotence_there_is_no_producer_id(each_kafka, name):
    each_kafka.create_topic(name)
    produce(each_kafka, name, "-X", "enable.idempotence=false", stdin=b"a\nb\n")
    assert {(b["producerId"], b["baseSequence"]) for b in batches(each_kafka.dump(each_kafka.segment(name)))} == {("-1", "-1")}


def test_each_producer_has_an_id_of_its_own(each_kafka, name):
    each_kafka.create_topic(name)
    for _ in range(3):
        produce(each_kafka, name, stdin=b"a\n")
    stored = batches(each_kafka.dump(each_kafka.segment(name)))
    assert [b["baseSequence"] for b in stored] == ["0", "0", "0"]
    assert len({b["producerId"] for b in stored}) == 3
