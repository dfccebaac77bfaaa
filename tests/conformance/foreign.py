"""Clients that are not ours, each as a writer and a reader of records.

A writer has `name`, `chooses_partition` (it goes where the caller says), `samples(variant, now)`: the records that it can express, and
`write(cluster, topic, samples, variant)`. A reader has `name`, `read(cluster, topic)`: every record of the topic, partition by partition,
and `headers(list)`: how headers look in what it reads.
"""

import base64
import dataclasses
import json
import os
import random
import re
import shutil

from confluent_kafka import Producer

from brokers import kafka_tool
from command import BUILD, PATIENCE, REPOSITORY, kproducer, run
from readers import Record, count, records

UTF8 = {"JAVA_TOOL_OPTIONS": "-Dfile.encoding=UTF-8"}


@dataclasses.dataclass(frozen=True)
class Variant:
    """How a writer sends."""

    codec: str
    acks: str
    is_idempotent: bool

    def __str__(self):
        return f"{self.codec} acks={self.acks}{' idempotent' * self.is_idempotent}"

    @property
    def properties(self):
        """As Kafka and librdkafka call them."""
        return {"acks": self.acks, "enable.idempotence": str(self.is_idempotent).lower(), "compression.type": self.codec}


CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]
MODES = [("all", True), ("all", False), ("1", False), ("0", False)]
ALL_VARIANTS = [Variant(codec, *mode) for codec in CODECS for mode in MODES]
# For a writer that takes a second to start: each codec and each mode.
FEW_VARIANTS = [Variant(codec, *MODES[i % len(MODES)]) for i, codec in enumerate(CODECS)]


@dataclasses.dataclass
class Sample:
    """A record to write; timestamp None: the writer's own time."""

    key: bytes | None
    value: bytes | None
    headers: list
    timestamp: int | None = None
    partition: int = 0


def any_samples(variant, now):
    """Whatever a record can hold."""
    chance = random.Random(str(variant))
    every_byte = bytes(range(256))
    tag = ("variant", str(variant).encode())
    bodies = [
        (b"key", b"value", []),
        (None, b"no key", []),
        (b"", b"empty key", []),
        (b"null value", None, []),
        (b"empty value", b"", []),
        (None, None, []),
        (b"", b"", [("empty", b"")]),
        (every_byte, every_byte, [("bytes", bytes(range(32, 256)))]),
        ("ключ".encode(), "значение 漢字 🦀".encode(), [("имя", "значение".encode())]),
        (b"headers", b"in order, twice, null", [("b", b"2"), ("a", b"1"), ("b", b"3"), ("null", None), ("", b"no name")]),
        (b"large", b"line of a log that repeats itself, " * 3000, []),
        (b"chance", chance.randbytes(20000), []),
        *((b"%d" % i, b"one of many %d" % i, []) for i in range(100)),
    ]
    times = [0, 1, 1234567890123, now, now - 86400000, now + 60000]
    return [Sample(key, value, [tag, *headers], times[i % len(times)]) for i, (key, value, headers) in enumerate(bodies)]


def text_samples(variant, now):
    """What a command that reads lines can send: one set of headers for all, no null that is not said by being empty."""
    headers = [("variant", str(variant).replace("=", " ").encode()), ("b", b"2"), ("b", b"3")]
    lines = [
        (b"key", b"value"),
        (None, b"no key"),
        ("ключ".encode(), "значение 漢字 🦀".encode()),
        (b"spaces ", b" at the ends "),
        (b"large", b"line of a log that repeats itself, " * 3000),
        *((b"%d" % i, b"one of many %d" % i) for i in range(100)),
    ]
    return [Sample(key, value, headers) for key, value in lines]


def checked(result):
    assert result.code == 0, result
    return result.out


class KProducer:
    name = "kproducer"
    chooses_partition = False
    variants = ALL_VARIANTS

    @staticmethod
    def samples(variant, now):
        return text_samples(variant, now) + [Sample(b"", b"empty key", s.headers) for s in text_samples(variant, now)[:1]]

    @staticmethod
    def write(cluster, topic, samples, variant):
        lines = b"".join((b"" if s.key is None else s.key + b"\t") + s.value + b"\n" for s in samples)
        headers = [part for name, value in samples[0].headers for part in ("-H", f"{name}={value.decode()}")]
        properties = [part for name, value in variant.properties.items() for part in ("-X", f"{name}={value}")]
        checked(kproducer("produce", "-b", cluster.servers, "-t", topic, "-q", "-K", r"\t", *headers, *properties, stdin=lines))


class Kcat:
    name = "kcat"
    chooses_partition = False
    variants = ALL_VARIANTS
    frame = "%p %o %T %K %S %k%s%h\n"
    head = re.compile(rb"(\d+) (\d+) (-?\d+) (-?\d+) (-?\d+) ")

    @staticmethod
    def samples(variant, now):
        headers = text_samples(variant, now)[0].headers
        return text_samples(variant, now) + [Sample(b"null value", None, headers), Sample(None, None, headers)]

    @staticmethod
    def write(cluster, topic, samples, variant):
        """Empty is null (-Z)."""
        lines = b"".join((s.key or b"") + b"\t" + (s.value or b"") + b"\n" for s in samples)
        headers = [part for name, value in samples[0].headers for part in ("-H", f"{name}={value.decode()}")]
        properties = [part for name, value in variant.properties.items() for part in ("-X", f"{name}={value}")]
        checked(run(["kcat", "-P", "-Z", "-K", r"\t", "-b", cluster.servers, "-t", topic, *headers, *properties], stdin=lines))

    @staticmethod
    def headers(headers):
        return b",".join(name.encode() + b"=" + (b"NULL" if value is None else value) for name, value in headers)

    @classmethod
    def read(cls, cluster, topic):
        found = []
        for partition in count(cluster, topic):
            where = ["-b", cluster.servers, "-t", topic, "-p", partition, "-o", "beginning"]
            out = checked(run(["kcat", "-C", *where, "-e", "-q", "-f", cls.frame, "-X", "fetch.wait.max.ms=10"]))
            found += cls.frames(out)
        return found

    @classmethod
    def frames(cls, out):
        at = 0
        while at < len(out):
            head = cls.head.match(out, at)
            partition, offset, timestamp, key_length, value_length = map(int, head.groups())
            key, at = cut(out, head.end(), key_length)
            value, at = cut(out, at, value_length)
            end = out.index(b"\n", at)
            yield Record(partition, offset, key, value, out[at:end], timestamp)
            at = end + 1


def cut(content, at, length):
    """The bytes there, or None for a length of -1, and where they end."""
    return (None, at) if length < 0 else (content[at:at + length], at + length)


class Java:
    """Kafka's console producer and console consumer."""

    name = "java"
    chooses_partition = False
    variants = FEW_VARIANTS
    null, between, end = b"<null>", b"<|>", b"<end>\n"

    @staticmethod
    def samples(variant, now):
        lines = text_samples(variant, now)
        bodies = [(b"null value", None), (None, None), (b"empty value", b""), (b"", b"empty key")]
        samples = lines + [Sample(key, value, lines[0].headers) for key, value in bodies]
        return [dataclasses.replace(s, headers=[*s.headers, ("null", None)]) for s in samples]

    @classmethod
    def write(cls, cluster, topic, samples, variant):
        def text(field):
            return cls.null if field is None else field

        def line(s):
            headers = b",".join(name.encode() + b":" + text(value) for name, value in s.headers)
            return headers + b"\t" + text(s.key) + b"\t" + text(s.value) + b"\n"

        reader = {"parse.key": "true", "parse.headers": "true", "null.marker": cls.null.decode()}
        options = [part for name, value in reader.items() for part in ("--reader-property", f"{name}={value}")]
        options += ["--compression-codec", variant.codec]
        properties = {name: value for name, value in variant.properties.items() if name != "compression.type"}
        options += [part for name, value in properties.items() for part in ("--command-property", f"{name}={value}")]
        where = ["--bootstrap-server", cluster.servers, "--topic", topic]
        kafka_tool("org.apache.kafka.tools.ConsoleProducer", *where, *options, stdin=b"".join(map(line, samples)), env=UTF8)

    @classmethod
    def headers(cls, headers):
        return b",".join(name.encode() + b":" + (cls.null if value is None else value) for name, value in headers) or b"NO_HEADERS"

    @classmethod
    def read(cls, cluster, topic):
        shown = {f"print.{what}": "true" for what in ("timestamp", "key", "offset", "partition", "headers")}
        form = {"null.literal": cls.null, "key.separator": cls.between, "line.separator": cls.end, "headers.separator": b","}
        shown |= {name: text.decode() for name, text in form.items()}
        options = [part for name, value in shown.items() for part in ("--formatter-property", f"{name}={value}")]
        found = []
        for partition, end in count(cluster, topic).items():
            where = ["--bootstrap-server", cluster.servers, "--topic", topic, "--partition", partition, "--offset", "earliest"]
            if end:
                out = kafka_tool("org.apache.kafka.tools.consumer.ConsoleConsumer", *where, *options, "--max-messages", end,
                                 "--timeout-ms", 1000 * PATIENCE, env=UTF8)
                found += map(cls.record, out.split(cls.end)[:-1])
        return found

    @classmethod
    def record(cls, line):
        timestamp, partition, offset, headers, key, value = line.split(cls.between)
        key, value = (None if field == cls.null else field for field in (key, value))
        number = {name: int(text.rpartition(b":")[2]) for name, text in (("t", timestamp), ("p", partition), ("o", offset))}
        return Record(number["p"], number["o"], key, value, headers, number["t"])


class Librdkafka:
    """confluent-kafka-python."""

    name = "librdkafka"
    chooses_partition = True
    variants = ALL_VARIANTS

    @staticmethod
    def samples(variant, now):
        """Its timestamp 0 is the current time."""
        return [dataclasses.replace(s, timestamp=s.timestamp or None) for s in any_samples(variant, now)]

    @staticmethod
    def write(cluster, topic, samples, variant):
        producer = Producer({"bootstrap.servers": cluster.servers, **variant.properties})
        failed = []
        for s in samples:
            producer.produce(topic, s.value, s.key, s.partition, timestamp=s.timestamp or 0, headers=s.headers,
                             on_delivery=lambda error, _: error and failed.append(error))
        assert producer.flush(PATIENCE) == 0 and not failed, failed

    @staticmethod
    def headers(headers):
        return headers

    @staticmethod
    def read(cluster, topic):
        return [r for partition in count(cluster, topic) for r in records(cluster, topic, partition)]


def decoded(text):
    return None if text is None else base64.b64decode(text)


def encoded(content):
    return None if content is None else base64.b64encode(content).decode()


class GoProgram:
    """A program of tests/foreign/go."""

    chooses_partition = True
    variants = ALL_VARIANTS
    samples = staticmethod(any_samples)

    def __init__(self, name):
        self.name, self.program = name, BUILD / "foreign" / name

    def write(self, cluster, topic, samples, variant):
        lines = [{
            "Partition": s.partition,
            "Timestamp": s.timestamp,
            "Key": encoded(s.key),
            "Value": encoded(s.value),
            "Headers": [{"Key": name, "Value": encoded(value)} for name, value in s.headers],
        } for s in samples]
        options = ["-codec", variant.codec, "-acks", variant.acks, *["-idempotent"] * variant.is_idempotent]
        stdin = "\n".join(map(json.dumps, lines)).encode()
        checked(run([self.program, "write", "-brokers", cluster.servers, "-topic", topic, *options], stdin=stdin))

    @staticmethod
    def headers(headers):
        return headers

    def read(self, cluster, topic):
        out = checked(run([self.program, "read", "-brokers", cluster.servers, "-topic", topic]))
        return [self.record(json.loads(line)) for line in out.splitlines()]

    @staticmethod
    def record(line):
        headers = [(h["Key"], decoded(h["Value"])) for h in line["Headers"] or []]
        return Record(line["Partition"], line["Offset"], decoded(line["Key"]), decoded(line["Value"]), headers, line["Timestamp"])


def build_go_programs():
    """Into the build folder, with the go of KP_GO or of the PATH."""
    folder = REPOSITORY / "tests" / "foreign" / "go"
    go = os.environ.get("KP_GO") or shutil.which("go")
    assert go, "there is no go, neither as KP_GO nor on the PATH (scripts/setup --test)"
    env = {"GOTOOLCHAIN": "local", "GOFLAGS": "-buildvcs=false", "CGO_ENABLED": "0"}
    checked(run([go, "build", "-C", folder, "-o", f"{BUILD / 'foreign'}/", "./..."], env=env, timeout=600))


FRANZ, SARAMA = GoProgram("franz"), GoProgram("sarama")
WRITERS = [KProducer, Kcat, Java, Librdkafka, FRANZ, SARAMA]
READERS = [Kcat, Java, Librdkafka, FRANZ, SARAMA]
