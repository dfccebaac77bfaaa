"""The table of programs: how each is called for a case, with which settings, and what it prints. A new peer is a class and a row."""

import dataclasses
import json
import re

from .cases import BASE, WARM_UP_S
from .paths import KAFKA_JARS, KPRODUCER, OUT, BenchError

BUFFER_BYTES = 256 << 20
BATCH_BYTES = 1000000
HEADERS = ("trace=4bf92f3577b34da6", "source=checkout")


@dataclasses.dataclass(frozen=True)
class Result:
    """What a program said of its run."""

    acknowledged: int
    seconds: float
    version: str = ""
    latency_us: dict = None  # p50, p99, p999, max; with a rate
    first_ms: float = None  # from creating the producer to the first report
    threads: dict = None  # slowest_records_per_second, mean_records_per_second of the threads that send
    timed: int = 0  # records behind the warm-up, of which the seconds are; 0: all
    transactions: int = 0  # likewise


def options(*pairs):
    """Names and values, of those that have one; the number 1 is what there is without."""
    return [str(a) for name, value in pairs if value and value != 1 for a in (name, value)]


def differs_only_in(case, *fields):
    """From the base case."""
    return all(f.name in fields or getattr(case, f.name) == f.default for f in dataclasses.fields(case))


class Program:
    """A program prints a line `[NAME VERSION] records=N ... [timed=N transactions=N] secs=S [first_ms=M]`: N were acknowledged (in
    transactions: those behind a warm-up), in S seconds. With a rate also `latency_us n= mean= p50= p90= p99= p99.9= max=`, from when a record
    was due to its report, the first second left out; with transactions the same of their commits.

    A client sends one record before its clock starts, so that connection, metadata and producer id are not in its figures.
    """

    needs = ()  # for build.build()
    env = {}
    can = ("size", "codec", "target", "idempotent", "partitions")  # in which a case may differ from the base case

    def __init__(self, name):
        self.name = name

    def handles(self, case):
        return differs_only_in(case, *self.can)

    def command(self, case, target, n, payload):
        raise NotImplementedError

    def settings(self, case):
        raise NotImplementedError

    def parse(self, out):
        found = re.search(r"(?:^\S+ (\S+) )?records=(\d+) .*?secs=([\d.]+)(?:.* first_ms=([\d.]+))?", out, re.M)
        if not found:
            raise BenchError(f"{self.name} printed no result: {out.strip()[-300:]}")
        line = re.search(r"^latency_us (.*)$", out, re.M)
        latency = {k.replace(".", ""): float(v) for k, v in re.findall(r"(\S+)=(\S+)", line[1])} if line else None
        timed = re.search(r" timed=(\d+) transactions=(\d+) ", out)
        return Result(int(found[2]), float(found[3]), found[1] or "", latency, float(found[4]) if found[4] else None,
                      timed=int(timed[1]) if timed else 0, transactions=int(timed[2]) if timed else 0)


class Limit(Program):
    """Neither negotiates nor reports; without compression and to one broker only."""

    needs = ("limit",)
    can = ("size", "target", "partitions", "idempotent", "linger_ms")

    @property
    def is_idempotent(self):
        return self.name == "limit-idempotent"

    def command(self, case, target, n, payload):
        extra = ["--idempotent"] if self.is_idempotent else []
        return [OUT / "limit", "-p", target.servers.rsplit(":", 1)[1], "-t", target.topic, "-n", n, "-s", case.size, "-P", case.partitions,
                "-f", payload, *extra]

    def settings(self, case):
        return f"no client: encode, CRC32C, sendmsg; 1 MB batches, 5 in flight{', idempotent' if self.is_idempotent else ''}"


class Kproducer(Program):
    needs = ("kproducer",)

    def handles(self, case):
        return True

    def properties(self, case):
        in_flight = ["max.in.flight.requests.per.connection=5"] * bool(case.rate)  # our default, said where it matters most
        plain = ["enable.idempotence=false"] * (not case.idempotent)
        return ["acks=all", f"linger.ms={case.linger_ms}", f"compression.type={case.codec}", *in_flight, *plain]

    def options(self, case):
        """Of perf, for what is no property."""
        headers = [("-H", h) for h in HEADERS[:case.headers]]
        rate = ("--rate", case.rate), ("--warmup", str(WARM_UP_S) if case.rate else "")
        return options(("--threads", max(case.threads, case.producers)), ("--producers", case.producers), ("--array", case.array),
                       ("--keys", case.keys), ("-p", "random" if case.is_random else ""),
                       ("--records-per-transaction", case.transaction), *rate, *headers)

    def command(self, case, target, n, payload):
        given = [a for p in self.properties(case) for a in ("-X", p)]
        transactional = ["--transactional-id", target.topic] * bool(case.transaction)
        return [KPRODUCER, "perf", "-b", target.servers, "-t", target.topic, "-n", n, "-s", case.size, "--payload-file", payload,
                *self.options(case), *transactional, *given, "--json", "-q"]

    def settings(self, case):
        return "our defaults, with " + " ".join(self.properties(case)) + "".join(f" {o}" for o in self.options(case))

    def parse(self, out):
        r = json.loads(out)
        t, version = r.get("transactions"), r["settings"]["version"]
        if t:
            return Result(t["committed_records"], r["seconds"], version, t["commit_latency_us"], transactions=t["committed"])
        return Result(r["acked"], r["seconds"], version, r["latency_us"] if r["settings"]["rate"] else None, threads=r.get("threads"))


class Librdkafka(Program):
    can = (*Program.can, "threads", "linger_ms", "is_random", "rate", "brokers", "transaction")

    def __init__(self, name, *needs, **env):
        super().__init__(name)
        self.needs = ("rdk_bench", "rdk_transactions", *needs)
        self.env = env

    def properties(self, case):
        return ["acks=-1", f"enable.idempotence={str(case.idempotent).lower()}", f"linger.ms={case.linger_ms}",
                f"compression.type={case.codec}", "max.in.flight=5", f"queue.buffering.max.kbytes={BUFFER_BYTES // 1024}",
                "queue.buffering.max.messages=1000000", f"batch.size={65536 if case.transaction else BATCH_BYTES}",
                "batch.num.messages=100000"]

    def options(self, case):
        return options(("--threads", case.threads), ("--random", str(case.partitions) if case.is_random else ""), ("--rate", case.rate))

    def command(self, case, target, n, payload):
        given = [a for p in self.properties(case) for a in ("-X", p)]
        where = ["-b", target.servers, "-t", target.topic, "-n", n, "-f", payload, "--poll-every", 100]
        if case.transaction:
            return [OUT / "rdk_transactions", *where, "--size", case.transaction, "--warmup", WARM_UP_S, *self.options(case), *given, "-X",
                    f"transactional.id={target.topic}"]
        return [OUT / "rdk_bench", *where, "-s", case.size, *self.options(case), *given]

    def settings(self, case):
        polled = "by a thread of its own" if case.rate or case.threads > 1 else "every 100 records"
        return " ".join(self.properties(case) + self.options(case)) + f"; polled {polled}"


class Java(Program):
    needs = ("java",)
    jvm = ["-Xms1g", "-Xmx1g", "-XX:+UseParallelGC", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error"]
    can = (*Program.can, "linger_ms", "rate", "brokers", "is_random", "transaction")

    def handles(self, case):
        return super().handles(case) and case.is_random == bool(case.transaction)

    def properties(self, case):
        return ["acks=all", f"enable.idempotence={str(case.idempotent).lower()}", f"linger.ms={case.linger_ms}",
                f"compression.type={case.codec}", f"batch.size={BATCH_BYTES}", f"buffer.memory={BUFFER_BYTES}",
                "max.in.flight.requests.per.connection=5"]

    def command(self, case, target, n, payload):
        rate = [f"rate={case.rate}"] if case.rate else []
        transactions = [f"transactional.id={target.topic}", f"size={case.transaction}", f"partitions={case.partitions}",
                        f"warmup={WARM_UP_S}"] if case.transaction else []
        return ["java", *self.jvm, "-cp", f"{OUT / 'java'}:{KAFKA_JARS}/*", "TransactionBench" if case.transaction else "JavaBench",
                target.servers, target.topic, n, payload, *self.properties(case), *rate, *transactions]

    def settings(self, case):
        return " ".join(self.jvm[:3] + self.properties(case))


class GoPeer(Program):
    def __init__(self, name, settings, *can):
        super().__init__(name)
        self.needs = (name,)
        self.fixed = settings
        self.can = (*Program.can, *can)

    def command(self, case, target, n, payload):
        rate = ["-rate", case.rate] if case.rate else []
        return [OUT / self.name, "-b", target.servers, "-t", target.topic, "-n", n, "-f", payload, "-c", case.codec,
                "-linger", f"{case.linger_ms}ms", f"-i={str(case.idempotent).lower()}", *rate]

    def settings(self, case):
        return f"{self.fixed}, linger {case.linger_ms} ms, compression {case.codec}{', idempotent' if case.idempotent else ''}"


PROGRAMS = {p.name: p for p in (
    Limit("limit"),
    Limit("limit-idempotent"),
    Kproducer("kproducer"),
    Librdkafka("librdkafka-debian"),
    Librdkafka("librdkafka-newest", "librdkafka-newest", LD_LIBRARY_PATH=str(OUT / "librdkafka-newest")),
    Java("java"),
    GoPeer("franz", "acks all, batches of 1 MB, 256 MiB and 1M records of buffer, a partition for 1 MB at a time", "linger_ms", "rate",
           "brokers"),
    GoPeer("sarama", "acks all, flush at 1 MB or the linger, 2000 messages a channel, round robin, 1 request in flight when idempotent"),
)}
assert all(p.handles(BASE) for p in PROGRAMS.values())
