"""The table of programs: how each is called for a case, with which settings, and what it prints. A new peer is a class and a row."""

import json
import re

from .paths import KAFKA_JARS, KPRODUCER, OUT, BenchError

BUFFER_BYTES = 256 << 20
BATCH_BYTES = 1000000
LINGER_MS = 5


class Program:
    """A program prints a line `[NAME VERSION] records=N ... secs=S`: N were acknowledged, in S seconds.

    A client sends one record before its clock starts, so that connection, metadata and producer id are not in its figures.
    """

    needs = ()  # for build.build()
    env = {}

    def __init__(self, name):
        self.name = name

    def handles(self, case):
        return True

    def command(self, case, target, n, payload):
        raise NotImplementedError

    def settings(self, case):
        raise NotImplementedError

    def parse(self, out):
        """(records acknowledged, seconds, version)"""
        found = re.search(r"(?:^\S+ (\S+) )?records=(\d+) .*?secs=([\d.]+)", out, re.M)
        if not found:
            raise BenchError(f"{self.name} printed no result: {out.strip()[-300:]}")
        return int(found[2]), float(found[3]), found[1]


class Limit(Program):
    """Neither negotiates nor reports; without compression only."""

    needs = ("limit",)

    def handles(self, case):
        return case.codec == "none"

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

    def properties(self, case):
        given = ["acks=all", f"linger.ms={LINGER_MS}", f"compression.type={case.codec}"]
        return given if case.idempotent else [*given, "enable.idempotence=false"]

    def command(self, case, target, n, payload):
        given = [a for p in self.properties(case) for a in ("-X", p)]
        return [KPRODUCER, "perf", "-b", target.servers, "-t", target.topic, "-n", n, "-s", case.size, "--payload-file", payload, *given,
                "--json", "-q"]

    def settings(self, case):
        return "our defaults, with " + " ".join(self.properties(case))

    def parse(self, out):
        r = json.loads(out)
        return r["acked"], r["seconds"], None


class Librdkafka(Program):
    def __init__(self, name, *needs, **env):
        super().__init__(name)
        self.needs = ("rdk_bench", *needs)
        self.env = env

    def properties(self, case):
        return ["acks=-1", f"enable.idempotence={str(case.idempotent).lower()}", f"linger.ms={LINGER_MS}", f"compression.type={case.codec}",
                "max.in.flight=5", f"queue.buffering.max.kbytes={BUFFER_BYTES // 1024}", "queue.buffering.max.messages=1000000",
                f"batch.size={BATCH_BYTES}", "batch.num.messages=100000"]

    def command(self, case, target, n, payload):
        given = [a for p in self.properties(case) for a in ("-X", p)]
        return [OUT / "rdk_bench", "-b", target.servers, "-t", target.topic, "-n", n, "-s", case.size, "-f", payload, "--poll-every", 100,
                *given]

    def settings(self, case):
        return " ".join(self.properties(case)) + "; polled every 100 records"


class Java(Program):
    needs = ("java",)
    jvm = ["-Xms1g", "-Xmx1g", "-XX:+UseParallelGC", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error"]

    def properties(self, case):
        return ["acks=all", f"enable.idempotence={str(case.idempotent).lower()}", f"linger.ms={LINGER_MS}",
                f"compression.type={case.codec}", f"batch.size={BATCH_BYTES}", f"buffer.memory={BUFFER_BYTES}",
                "max.in.flight.requests.per.connection=5"]

    def command(self, case, target, n, payload):
        return ["java", *self.jvm, "-cp", f"{OUT / 'java'}:{KAFKA_JARS}/*", "JavaBench", target.servers, target.topic, n, payload,
                *self.properties(case)]

    def settings(self, case):
        return " ".join(self.jvm[:3] + self.properties(case))


class GoPeer(Program):
    def __init__(self, name, settings):
        super().__init__(name)
        self.needs = (name,)
        self.fixed = settings

    def command(self, case, target, n, payload):
        return [OUT / self.name, "-b", target.servers, "-t", target.topic, "-n", n, "-f", payload, "-c", case.codec,
                f"-i={str(case.idempotent).lower()}"]

    def settings(self, case):
        return f"{self.fixed}, compression {case.codec}{', idempotent' if case.idempotent else ''}"


PROGRAMS = {p.name: p for p in (
    Limit("limit"),
    Limit("limit-idempotent"),
    Kproducer("kproducer"),
    Librdkafka("librdkafka-debian"),
    Librdkafka("librdkafka-newest", "librdkafka-newest", LD_LIBRARY_PATH=str(OUT / "librdkafka-newest")),
    Java("java"),
    GoPeer("franz", "acks all, linger 5 ms, batches of 1 MB, 256 MiB and 1M records of buffer, a partition for 1 MB at a time"),
    GoPeer("sarama", "acks all, flush after 5 ms or 1 MB, 2000 messages a channel, round robin, 1 request in flight when idempotent"),
)}
