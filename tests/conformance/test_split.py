"""Batches that the broker refuses for their size or for some of their records: what is left of them arrives, once and in order."""

import json
import random

import pytest

from command import produce
from readers import records

N = 50_000


@pytest.mark.parametrize("codec", ["none", "zstd"])
def test_batches_larger_than_the_topic_allows_are_split(broker, name, codec):
    topic = broker.create_topic(name, max_message_bytes=20_000)
    chance = random.Random(7)
    wanted = [b"%06d %x" % (i, chance.getrandbits(256)) for i in range(N)]
    produce(broker, topic, "-X", f"compression.type={codec}", stdin=b"".join(value + b"\n" for value in wanted))
    assert [r.value for r in records(broker, topic)] == wanted


def test_a_record_larger_than_the_topic_allows_fails_alone(broker, name, tmp_path):
    topic = broker.create_topic(name, max_message_bytes=20_000)
    wanted = [b"%d" % i if i != 500 else b"x" * 30_000 for i in range(1_000)]
    failed = tmp_path / "failed"
    produce(broker, topic, "--failed", failed, stdin=b"".join(value + b"\n" for value in wanted), code=1)
    assert [r.value for r in records(broker, topic)] == [value for value in wanted if len(value) < 20_000]
    (line,) = failed.read_text().splitlines()
    assert "MESSAGE_TOO_LARGE" in line


def test_records_without_a_key_fail_alone_in_a_compacted_topic(kafka, name, tmp_path):
    topic = kafka.create_topic(name, cleanup_policy="compact")
    mixed = [{"value": str(i)} | ({"key": f"k{i}"} if i % 7 else {}) for i in range(1_000)]
    failed = tmp_path / "failed"
    lines = "".join(json.dumps(record) + "\n" for record in mixed)
    produce(kafka, topic, "--input-format", "json", "--failed", failed, stdin=lines.encode(), code=1)
    assert [int(r.value) for r in records(kafka, topic)] == [i for i in range(1_000) if i % 7]
    lost = [json.loads(line) for line in failed.read_text().splitlines()]
    assert [int(record["value"]) for record in lost] == list(range(0, 1_000, 7))
    assert all("INVALID_RECORD" in json.dumps(record) for record in lost)
