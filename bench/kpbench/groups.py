"""What is measured together, and in which suite: a group's programs and cases take turns in each of its rounds."""

import dataclasses

from .cases import BASE, Case, expected_rate, records
from .programs import PROGRAMS

US, NEWEST = "kproducer", "librdkafka-newest"
QUICK = ("limit", "limit-idempotent", US, "librdkafka-debian", NEWEST)
PEERS = ("java", "franz", "sarama")


@dataclasses.dataclass(frozen=True)
class Group:
    name: str
    title: str
    entries: tuple  # of (case, name of a program)
    seconds: float = 1.5  # of a run, by the rates of the table of cases
    rounds: int = 5
    axis: str = ""  # the plot's; "": there are several programs and one case
    codec_probe: bool = False  # what the codec alone costs, once a round

    @property
    def cases(self):
        return list(dict.fromkeys(case for case, _ in self.entries))

    @property
    def programs(self):
        return list(dict.fromkeys(program for _, program in self.entries))

    @property
    def is_on_kafka(self):
        return any(case.target != "sink" for case in self.cases)

    @property
    def is_latency(self):
        return any(case.rate for case, _ in self.entries)

    @property
    def is_transactional(self):
        return any(case.transaction for case in self.cases)

    @property
    def is_dimension(self):
        return bool(self.axis)


def of(name, title, case, programs, **more):
    """One case, several programs: a row of the floors."""
    return Group(name, title, tuple((case, p) for p in programs), **more)


def along(name, title, axis, cases, also=(), **more):
    """Several cases, ours alone, and a peer where a floor wants it: a dimension."""
    return Group(name, title, (*((c, US) for c in cases), *also), axis=axis, **{"seconds": 0.8} | more)


def latency(target, rate):
    return Case(target=target, rate=rate, linger_ms=0)


def transactional(n, target="kafka"):
    """Each has records for each of six partitions, so that all programs do the same."""
    return Case(target=target, is_random=True, transaction=n)


WIDE = Case(partitions=1000, is_random=True, brokers=100)
THOUSAND = Case(partitions=1000, is_random=True)
RATED = ("java", "franz", NEWEST)

FLOORS = (
    of("base", "Base case", BASE, QUICK + PEERS),
    of("1000B", "1000 bytes", Case(1000), ("limit-idempotent", US, NEWEST)),
    of("100B-lz4", "100 bytes, lz4", Case(codec="lz4"), (US, NEWEST), codec_probe=True),
    of("1000B-lz4", "1000 bytes, lz4", Case(1000, "lz4"), (US, NEWEST), codec_probe=True),
    of("10000p-random", "10,000 partitions, drawn for each record", Case(partitions=10000, is_random=True), (US, NEWEST), seconds=2),
    of("kafka-100B", "Apache Kafka, 100 bytes", Case(target="kafka"), QUICK + PEERS, seconds=2),
    of("latency", "Latency at 10,000 records/s", latency("sink", 10000), (US, *RATED), seconds=4),
    of("kafka-latency", "Latency at 10,000 records/s, Apache Kafka", latency("kafka", 10000), (US, *RATED), seconds=4),
)
CODECS = ("none", "lz4", "zstd", "snappy", "gzip")
DIMENSIONS = (
    along("size", "Size of a value", "bytes", [Case(n) for n in (10, 100, 1000, 100000)]),
    along("shape", "Keys and headers", "record", [BASE, Case(keys=100000), Case(headers=2)]),
    along("codec", "Compression, 100 bytes", "codec", [Case(codec=c) for c in CODECS]),
    along("codec-1000B", "Compression, 1000 bytes", "codec", [Case(1000, c) for c in CODECS]),
    along("partitions", "Partitions, drawn for each record", "partitions",
          [Case(partitions=n, is_random=True) for n in (1, 100, 1000, 10000)]),
    along("partitions-sticky", "Partitions, chosen by the client", "partitions", [Case(partitions=n) for n in (1, 6, 100, 1000, 10000)]),
    along("brokers", "Brokers, 1000 partitions drawn for each record", "brokers",
          [THOUSAND, Case(partitions=1000, is_random=True, brokers=10), WIDE], also=((WIDE, NEWEST),), seconds=1.5),
    along("threads", "Threads that send", "threads", [Case(threads=n) for n in (1, 4, 16, 64)], also=((Case(threads=4), NEWEST),),
          seconds=1.5),
    along("producers", "Producers in a process", "producers", [Case(producers=n) for n in (1, 10, 100)]),
    along("linger", "Linger", "ms", [Case(linger_ms=n) for n in (0, 5, 50)]),
    along("array", "Records a call", "records", [Case(array=n) for n in (1, 100)]),
    along("latency-rates", "Latency by rate", "records/s", [latency("sink", n) for n in (1000, 10000, 100000)], seconds=3),
    along("kafka-latency-rates", "Latency by rate, Apache Kafka", "records/s", [latency("kafka", n) for n in (1000, 10000, 100000)],
          seconds=3),
    Group("kafka", "Apache Kafka, sizes and lz4",
          tuple((Case(size, codec, "kafka"), p) for size, codec in ((1000, "none"), (100, "lz4"), (1000, "lz4")) for p in (US, NEWEST)),
          rounds=3, axis="case"),
)

TRANSACTIONS = Group(
    "transactions", "Transactions, Apache Kafka",
    (*((transactional(n), p) for n in (100, 10000) for p in (US, "java", NEWEST)),
     *((transactional(n, "kafka-classic"), US) for n in (100, 10000))),
    seconds=2, rounds=3, axis="case")

SUITES = {"quick": (of("base", "Base case", BASE, QUICK, seconds=1.7),), "full": (*FLOORS, TRANSACTIONS, *DIMENSIONS)}
GROUPS = {g.name: g for g in SUITES["full"]}

# Seconds of a run besides the sending: starts, and on Kafka a topic that is made, counted and deleted.
START_S = {"java": 1.6, "librdkafka-debian": 0.7}
OTHERWISE_S, KAFKA_RUN_S, KAFKA_S = 0.3, 4, 12


def estimate_s(groups, rounds=None, scale=1.0):
    """How long they take, by the table of rates; the probes aside."""
    total = KAFKA_S * len({case.target for g in groups for case in g.cases} - {"sink"})
    for g in groups:
        for case, program in g.entries:
            run = START_S.get(program, OTHERWISE_S) + KAFKA_RUN_S * g.is_on_kafka
            total += run * (not g.is_dimension)  # the start alone
            total += (rounds or g.rounds) * (run + records(case, program, g.seconds * scale) / expected_rate(case, program))
    return total


def handled(entries):
    return tuple((c, p) for c, p in entries if PROGRAMS[p].handles(c))
