"""The table of cases: what is sent where, how often, and how many records a program sends so that a run takes a second or two."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Case:
    size: int
    codec: str = "none"
    target: str = "sink"
    idempotent: bool = True
    partitions: int = 6

    @property
    def name(self):
        return f"{self.target}-{self.size}-{self.codec}-{'idempotent' if self.idempotent else 'plain'}-{self.partitions}p"

    def __str__(self):
        where = {"sink": "the sink", "kafka": "Apache Kafka"}[self.target]
        kind = "idempotent" if self.idempotent else "not idempotent"
        return f"{self.size} B, {self.partitions} partitions, compression {self.codec}, {kind}, to {where}"


@dataclasses.dataclass(frozen=True)
class Suite:
    programs: list
    cases: list
    rounds: dict  # by target


BASE = Case(100)
QUICK = ["limit", "limit-idempotent", "kproducer", "librdkafka-debian", "librdkafka-newest"]
PEERS = ["java", "franz", "sarama"]

SUITES = {
    "quick": Suite(QUICK, [BASE], {"sink": 5}),
    "full": Suite(QUICK + PEERS,
                  [Case(size, codec, target) for target in ("sink", "kafka") for size in (100, 1000) for codec in ("none", "lz4")],
                  {"sink": 3, "kafka": 2}),
}

# Millions of records a run, by target, size and codec. "limit" and "librdkafka" stand for both of theirs.
MILLIONS = {
    ("sink", 100, "none"): dict(limit=40, kproducer=25, librdkafka=5, java=4, franz=6, sarama=1.2),
    ("sink", 100, "lz4"): dict(kproducer=10, librdkafka=5, java=3, franz=4, sarama=1.2),
    ("sink", 1000, "none"): dict(limit=8, kproducer=6, librdkafka=3, java=1.2, franz=3, sarama=0.6),
    ("sink", 1000, "lz4"): dict(kproducer=1, librdkafka=0.8, java=0.6, franz=0.5, sarama=0.3),
    ("kafka", 100, "none"): dict(limit=10, kproducer=10, librdkafka=5, java=3, franz=5, sarama=1),
    ("kafka", 100, "lz4"): dict(kproducer=8, librdkafka=4, java=2.5, franz=3, sarama=1),
    ("kafka", 1000, "none"): dict(limit=1.5, kproducer=1.5, librdkafka=1, java=0.7, franz=1.2, sarama=0.5),
    ("kafka", 1000, "lz4"): dict(kproducer=0.8, librdkafka=0.7, java=0.5, franz=0.4, sarama=0.2),
}
FEWEST = 1000


def records(case, program, scale):
    counts = MILLIONS[case.target, case.size, case.codec]
    millions = counts.get(program) or counts[program.split("-")[0]]
    return max(FEWEST, int(millions * 1e6 * scale))
