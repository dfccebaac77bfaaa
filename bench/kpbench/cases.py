"""What is sent where: a case, its name, and how many records a program sends in a run of a given length."""

import dataclasses

UNITS = ((1_000_000, "M"), (1000, "k"))


def short(n):
    """1000 as 1k."""
    return next((f"{n // unit}{letter}" for unit, letter in UNITS if n >= unit and n % unit == 0), str(n))


@dataclasses.dataclass(frozen=True)
class Case:
    """The defaults are the base case; everything else differs from it in something, which its name says."""

    size: int = 100  # bytes of a value
    codec: str = "none"
    target: str = "sink"
    idempotent: bool = True
    partitions: int = 6
    brokers: int = 1
    threads: int = 1  # of the application, that send
    producers: int = 1  # in the process, each with a thread of the application
    linger_ms: int = 5
    keys: int = 0  # distinct ones of 8 bytes; 0: null keys
    headers: int = 0  # on every record
    is_random: bool = False  # the partition is drawn for each record, instead of chosen by the client
    rate: int = 0  # records/s; 0: as fast as it goes
    array: int = 1  # records a call
    transaction: int = 0  # records of one, one behind the other; 0: none

    @property
    def name(self):
        shows_size = self.size != 100 or self.codec != "none" or (self.target != "sink" and not self.rate and not self.transaction)
        parts = [
            (self.target != "sink", self.target),
            (shows_size, f"{self.size // 1000}KB" if self.size >= 10000 else f"{self.size}B"),
            (self.codec != "none", self.codec),
            (not self.idempotent, "plain"),
            (self.partitions != 6, f"{self.partitions}p"),
            (self.is_random, "random"),
            (self.brokers > 1, f"{self.brokers}brokers"),
            (self.threads > 1, f"{self.threads}threads"),
            (self.producers > 1, f"{self.producers}producers"),
            (self.keys, "keyed"),
            (self.headers, "headers"),
            (self.rate, f"latency-{short(self.rate)}"),
            (self.linger_ms != (0 if self.rate else 5), f"linger{self.linger_ms}"),
            (self.array > 1, f"array{self.array}"),
            (self.transaction, f"transactions-{short(self.transaction)}"),
        ]
        return "-".join(part for is_shown, part in parts if is_shown) or "base"

    def __str__(self):
        where = {"sink": "the sink", "kafka": "Apache Kafka", "kafka-classic": "Apache Kafka with transaction.version 1"}[self.target]
        parts = [
            f"{self.size} B", f"{self.partitions} partition{'s' * (self.partitions > 1)}{', drawn for each record' * self.is_random}",
            f"compression {self.codec}", "idempotent" if self.idempotent else "not idempotent", f"linger {self.linger_ms} ms",
            *([f"{self.brokers} brokers"] * (self.brokers > 1)), *([f"{self.threads} threads"] * (self.threads > 1)),
            *([f"{self.producers} producers"] * (self.producers > 1)), *([f"{short(self.keys)} keys"] * (self.keys > 0)),
            *([f"{self.headers} headers"] * (self.headers > 0)), *([f"arrays of {self.array}"] * (self.array > 1)),
            *([f"{short(self.rate)} records/s"] * (self.rate > 0)),
            *([f"transactions of {self.transaction:,} records"] * (self.transaction > 0)),
        ]
        return f"{', '.join(parts)}, to {where}"


BASE = Case()
WARM_UP_S = 1  # with a rate: the first second is not in the latencies; peers' transactions: neither in the rate

# M records/s to reckon with: they decide how many records a run of some seconds sends, and what --list estimates. "limit" and
# "librdkafka" stand for both of theirs.
RATES = {
    "base": dict(limit=20, kproducer=15, librdkafka=2.7, java=1.3, franz=2.5, sarama=0.5),
    "1000B": dict(limit=3.2, kproducer=3, librdkafka=1.2),
    "100B-lz4": dict(kproducer=5, librdkafka=2.2),
    "1000B-lz4": dict(kproducer=0.6, librdkafka=0.34),
    "10000p-random": dict(kproducer=3, librdkafka=0.4),
    "1000p-random-100brokers": dict(kproducer=4, librdkafka=0.2),
    "4threads": dict(kproducer=10, librdkafka=1.8),
    "kafka-100B": dict(limit=4.5, kproducer=4, librdkafka=2, java=0.9, franz=2, sarama=0.5),
    "kafka-1000B": dict(kproducer=0.5, librdkafka=0.3),
    "kafka-100B-lz4": dict(kproducer=4, librdkafka=1.7),
    "kafka-1000B-lz4": dict(kproducer=0.5, librdkafka=0.3),
    "kafka-random-transactions-100": dict(kproducer=0.04, librdkafka=0.028, java=0.024),
    "kafka-random-transactions-10k": dict(kproducer=1, librdkafka=0.8, java=0.9),
    "kafka-classic-random-transactions-100": dict(kproducer=0.04),
    "kafka-classic-random-transactions-10k": dict(kproducer=1),
} | {name: dict(kproducer=rate) for name, rate in {
    "10B": 20, "100KB": 0.03, "keyed": 10, "headers": 5,
    "100B-zstd": 2, "100B-snappy": 4, "100B-gzip": 0.6, "1000B-zstd": 0.25, "1000B-snappy": 0.6, "1000B-gzip": 0.06,
    "1p": 15, "100p": 15, "1000p": 15, "10000p": 15, "1p-random": 10, "100p-random": 8, "1000p-random": 6, "1000p-random-10brokers": 5,
    "16threads": 12, "64threads": 12, "10producers": 10, "100producers": 4, "linger0": 12, "linger50": 15, "array100": 18,
}.items()}
FEWEST = 1000


def expected_rate(case, program):
    """Records/s."""
    if case.rate:
        return case.rate
    rates = RATES[case.name]
    return (rates.get(program) or rates[program.split("-")[0]]) * 1e6


def records(case, program, seconds):
    if case.transaction:  # whole ones, of which some are warm-up
        return max(2, round(expected_rate(case, program) * seconds / case.transaction)) * case.transaction
    return max(FEWEST, int(expected_rate(case, program) * seconds) + case.rate * WARM_UP_S)
