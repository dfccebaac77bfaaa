"""Processes with a transactional id, and the instances that follow each other under it."""

import contextlib
import itertools
import os
import signal
import subprocess

from brokers import java
from clients import HERE, LIBRARIES, OUT, compile_c, environment
from cluster import COORDINATORS, coordinator_partition
from command import PATIENCE, REPOSITORY
from txn_checker import told

# Of the copiers.
TRANSACTION_TIMEOUT_MS = 10000


def build_txn_drivers():
    OUT.mkdir(parents=True, exist_ok=True)
    for name, libraries in LIBRARIES.items():
        compile_c(HERE / "txn_driver.c", HERE / f"txn_{name}.c", *libraries, "-lpthread", "-o", OUT / f"txn_driver_{name}")
    compile_c(HERE / "txn_reader.c", *LIBRARIES["rdkafka"], "-o", OUT / "txn_reader")
    compile_c(REPOSITORY / "examples" / "copier.c", *LIBRARIES["kproducer"], "-o", OUT / "copier")


def ids(prefix):
    """A transactional id for each partition of the coordinators' log."""
    names = (f"{prefix}-{n}" for n in itertools.count())
    found = {}
    while len(found) < COORDINATORS:
        name = next(names)
        found.setdefault(coordinator_partition(name), name)
    return list(found.values())


class Chain:
    """Instances that follow each other: processes, each with its group, so that what one has started ends with it. `numbers` gives each
    instance its own."""

    env = None

    def __init__(self, transactional_id, folder, numbers):
        self.transactional_id, self.folder, self.numbers = transactional_id, folder, numbers
        self.processes = {}

    def command(self, number):
        raise NotImplementedError

    def path(self, number, what):
        return self.folder / f"{self.transactional_id}-{number}.{what}"

    def start(self):
        """The next instance."""
        number = next(self.numbers)
        self.path(number, "log").touch()
        with open(self.path(number, "out"), "w") as out:
            self.processes[number] = subprocess.Popen([str(part) for part in self.command(number)], env=self.env, stdin=subprocess.PIPE,
                                                      stdout=out, stderr=out, start_new_session=True)

    @property
    def newest(self):
        return self.processes[max(self.processes)]

    def kill(self):
        end(self.newest)

    def close(self):
        for process in self.processes.values():
            end(process)


def tell(process, what):
    """A signal to a process and what it has started."""
    os.killpg(process.pid, what)


def end(process):
    with contextlib.suppress(ProcessLookupError):
        tell(process, signal.SIGKILL)  # also when it has ended: what it started may not have
    process.wait()
    process.stdin.close()


class Driven(Chain):
    """Instances of a driver."""

    def __init__(self, driver, servers, topics, properties, *chain):
        super().__init__(*chain)
        self.driver, self.servers, self.topics, self.properties = driver, servers, topics, properties
        self.env = environment(driver)

    def command(self, number):
        return [OUT / f"txn_driver_{self.driver}", self.servers, self.transactional_id, number, self.path(number, "log"),
                ",".join(self.topics), *self.properties]

    def committed(self):
        """How many commits the newest instance was told of."""
        return self.path(max(self.processes), "log").read_text().count("\nc ")

    def stop(self):
        self.newest.stdin.close()

    def result(self):
        """What all instances tell; the newest one ends by itself, or is ended for it."""
        try:
            self.newest.wait(2 * PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
        return [told(self.path(number, "log"), number, self.transactional_id) for number in self.processes]


class Copier(Chain):
    """Consume-transform-produce, of one partition of the input: examples/copier.c behind a consumer that is not ours."""

    def __init__(self, copy, partition, *chain):
        super().__init__(*chain)
        self.copy, self.partition = copy, partition
        self.env = environment("rdkafka", {"KPRODUCER_TRANSACTION_TIMEOUT_MS": str(TRANSACTION_TIMEOUT_MS)})

    def command(self, number):
        c = self.copy
        reader = [OUT / "txn_reader", c.servers, c.group, c.input, self.partition]
        return [OUT / "copier", c.servers, c.group, self.transactional_id, c.output, " ".join(map(str, reader)), c.per_transaction]


class JavaCopier(Copier):
    """Kafka's own."""

    def command(self, number):
        c = self.copy
        return java("kafka", "org.apache.kafka.tools.TransactionalMessageCopier", "--broker-list", c.servers, "--transactional-id",
                    self.transactional_id, "--consumer-group", c.group, "--input-topic", c.input, "--input-partition", self.partition,
                    "--output-topic", c.output, "--transaction-size", c.per_transaction, "--transaction-timeout", TRANSACTION_TIMEOUT_MS,
                    "--use-group-metadata")
