"""What is produced to: the sink, new for every run, or a node of Apache Kafka, with a new topic for every run."""

import contextlib
import itertools
import os
import pathlib
import re
import selectors
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from . import build
from .cases import BASE, Case
from .paths import KAFKA_JARS, KPRODUCER, OUT, BenchError

TOPIC = "bench"
WARM_UP = ((0, 3000000), (20000, 100000))  # (records/s, records): at full speed, and as many small requests
TRANSACTIONAL = Case(target="kafka", is_random=True, transaction=100)
TRANSACTIONS_WARM_UP = ((100, 40000), (10000, 500000))  # (records of one, records)
KAFKA_PROPERTIES = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
log.dirs={folder}/data
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
log.segment.delete.delay.ms=500
"""


def cpu_seconds(pid):
    """User and system time of a running process."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def stop(process, how=signal.SIGTERM):
    """Its last words."""
    process.send_signal(how)
    try:
        return process.communicate(timeout=20)[0]
    except subprocess.TimeoutExpired:
        process.kill()
        return process.communicate()[0]


class Sink:
    """Counts records; with `check` it also looks at checksums, records and sequences."""

    def __init__(self, check=False):
        self.options = ["--check"] if check else []
        self.counters = {}

    @contextlib.contextmanager
    def one_run(self, case):
        """`servers`, `topic` and `pid` inside; `counters` behind it."""
        self.topic, self.counters = TOPIC, {}
        command = [OUT / "sink", "0", str(case.partitions), "--topic", TOPIC, "--brokers", str(case.brokers), *self.options]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.pid = process.pid
        try:
            with selectors.DefaultSelector() as ready:
                ready.register(process.stdout, selectors.EVENT_READ)
                word, _, self.servers = (process.stdout.readline() if ready.select(10) else "").strip().partition(" ")
            if word != "ready":
                raise BenchError("the sink does not say that it is ready")
            yield
        finally:
            for name, value in re.findall(r"(\w+)=(\d+)(?=\s)", stop(process)):
                self.counters[name] = self.counters.get(name, 0) + int(value)

    def counted(self):
        """For a Run."""
        names = {"batch_bytes": "bytes", "batches": "batches", "requests": "reqs"}
        return {name: self.counters.get(counter, 0) for name, counter in names.items()}

    def records(self):
        """How many it has taken, and what was wrong with them."""
        wrong = {k: v for k, v in self.counters.items() if v and k in ("errors", "crc_bad", "seq_bad", "dup", "rec_bad")}
        return self.counters.get("records", 0), " ".join(f"{k}={v}" for k, v in wrong.items())

    def close(self):
        pass


def run_tool(argv, what):
    try:
        done = subprocess.run([str(a) for a in argv], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as e:
        raise BenchError(f"{what}: {e}") from None
    if done.returncode:
        raise BenchError(f"{what}: {(done.stderr or done.stdout).strip()[-500:]}")
    return done.stdout


def kafka_java(*args, memory="256m"):
    return ["java", f"-Xmx{memory}", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp", f"{KAFKA_JARS}/*", *args]


class KafkaNode:
    """One node, with Kafka's own defaults and 1 GB of heap. Its log goes when a run has been counted."""

    features = ()

    def __init__(self, check=False):
        if not list(KAFKA_JARS.glob("kafka_2.13-*.jar")):
            raise BenchError(f"no Kafka in {KAFKA_JARS}: run scripts/setup --bench")
        self.numbers = itertools.count()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="kafka-", dir=OUT))
        ports = []
        for _ in range(2):
            with socket.socket() as s:
                s.bind(("127.0.0.1", 0))
                ports.append(s.getsockname()[1])
        self.servers = f"127.0.0.1:{ports[0]}"
        config = self.folder / "server.properties"
        config.write_text(KAFKA_PROPERTIES.format(port=ports[0], controller_port=ports[1], folder=self.folder))
        self.process, self.is_warm_for_transactions = None, False
        try:
            run_tool(kafka_java("kafka.tools.StorageTool", "format", "-t", "MkU3OEVBNTcwNTJENDM2Qg", "-c", config, *self.features),
                     "formatting Kafka's log")
            with open(self.folder / "log", "w") as log:
                self.process = subprocess.Popen([*kafka_java("-Xms1g", "kafka.Kafka", str(config), memory="1g")], stdin=subprocess.DEVNULL,
                                                stdout=log, stderr=log)
            self.pid = self.process.pid
            self.wait_until_ready(ports[0])
            self.warm_up()
        except BaseException:
            self.close()
            raise

    def wait_until_ready(self, port):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self.process.poll() is None:
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.1)
        raise BenchError(f"Kafka does not start: {(self.folder / 'log').read_text()[-1000:]}")

    def warm_up(self):
        """Who is measured first shall not meet a JVM that has compiled nothing."""
        with self.one_run(BASE):
            for rate, n in WARM_UP:
                run_tool([KPRODUCER, "perf", "-b", self.servers, "-t", self.topic, "-n", n, "--rate", rate, "-X", "linger.ms=0", "-q"],
                         "warming up")

    def warm_up_transactions(self):
        """Likewise, and the log of the transactions is made by the first."""
        if self.is_warm_for_transactions:
            return
        self.is_warm_for_transactions = True
        with self.one_run(TRANSACTIONAL):
            for size, n in TRANSACTIONS_WARM_UP:
                run_tool([KPRODUCER, "perf", "-b", self.servers, "-t", self.topic, "-n", n, "-p", "random", "--transactional-id", "warm-up",
                          "--records-per-transaction", size, "-q"], "warming up")

    def topics(self, *args):
        return run_tool([KPRODUCER, "topics", args[0], *args[1:], "-b", self.servers, "-q"], f"topics {args[0]}")

    @contextlib.contextmanager
    def one_run(self, case):
        if case.transaction:
            self.warm_up_transactions()
        self.topic = f"{TOPIC}-{next(self.numbers)}"
        self.topics("create", self.topic, "--partitions", case.partitions)
        # A record for each partition: when it is acknowledged the leader is there, also for a program that does not retry.
        for i in range(case.partitions):
            run_tool([KPRODUCER, "perf", "-b", self.servers, "-t", self.topic, "-p", i, "-n", 1, "-q"], "the first record")
        yield
        self.n_records = (self.count_committed() if case.transaction else self.count()) - case.partitions
        self.topics("delete", self.topic)

    def count(self):
        """By Kafka's own tool: the sum of the partitions' ends."""
        lines = run_tool(kafka_java("org.apache.kafka.tools.GetOffsetShell", "--bootstrap-server", self.servers, "--topic", self.topic),
                         "GetOffsetShell").split()
        return sum(int(line.rsplit(":", 1)[1]) for line in lines)

    def count_committed(self):
        build.build(["java"])
        return int(run_tool(kafka_java("-cp", f"{OUT / 'java'}:{KAFKA_JARS}/*", "CountCommitted", self.servers, self.topic),
                            "CountCommitted"))

    def counted(self):
        """Not known."""
        return dict.fromkeys(("batch_bytes", "batches", "requests"))

    def records(self):
        return self.n_records, ""

    def close(self):
        if self.process:
            stop(self.process)
        shutil.rmtree(self.folder, ignore_errors=True)


class ClassicKafkaNode(KafkaNode):
    """As before KIP-890."""

    features = ("--feature", "transaction.version=1")


TARGETS = {"sink": Sink, "kafka": KafkaNode, "kafka-classic": ClassicKafkaNode}
