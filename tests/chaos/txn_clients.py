"""The drivers of transactions: instances that follow each other under one transactional id."""

import itertools
import subprocess

from clients import HERE, LIBRARIES, OUT, compile_c, environment
from cluster import COORDINATORS, coordinator_partition
from command import PATIENCE
from txn_checker import told

FENCED = 3


def build_txn_drivers():
    OUT.mkdir(parents=True, exist_ok=True)
    for name, libraries in LIBRARIES.items():
        compile_c(HERE / "txn_driver.c", HERE / f"txn_{name}.c", *libraries, "-lpthread", "-o", OUT / f"txn_driver_{name}")


def ids(prefix):
    """A transactional id for each partition of the coordinators' log."""
    names = (f"{prefix}-{n}" for n in itertools.count())
    found = {}
    while len(found) < COORDINATORS:
        name = next(names)
        found.setdefault(coordinator_partition(name), name)
    return list(found.values())


class Chain:
    """Instances that follow each other; `numbers` gives each one its own."""

    def __init__(self, driver, transactional_id, servers, topics, folder, numbers, properties=()):
        self.driver, self.transactional_id, self.servers, self.topics = driver, transactional_id, servers, topics
        self.folder, self.numbers, self.properties = folder, numbers, properties
        self.processes = {}

    def path(self, number, what):
        return self.folder / f"{self.transactional_id}-{number}.{what}"

    def start(self):
        """The next instance; its process."""
        number = next(self.numbers)
        what = [OUT / f"txn_driver_{self.driver}", self.servers, self.transactional_id, str(number), self.path(number, "log"),
                ",".join(self.topics), *self.properties]
        self.path(number, "log").touch()
        with open(self.path(number, "stderr"), "w") as errors:
            self.processes[number] = subprocess.Popen(what, env=environment(self.driver), stdin=subprocess.PIPE, stderr=errors,
                                                      start_new_session=True)
        return self.processes[number]

    @property
    def newest(self):
        return self.processes[max(self.processes)]

    def instance(self, number):
        return told(self.path(number, "log"), number, self.transactional_id)

    def committed(self):
        """How many commits the newest instance was told of."""
        return self.path(max(self.processes), "log").read_text().count("\nc ")

    def kill(self):
        self.newest.kill()
        self.newest.wait()

    def stop(self):
        self.newest.stdin.close()

    def result(self):
        """What all instances tell; the newest one ends by itself, or is ended for it."""
        try:
            self.newest.wait(2 * PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
        return [self.instance(number) for number in self.processes]

    def close(self):
        for process in self.processes.values():
            process.kill()
            process.wait()
            if process.stdin:
                process.stdin.close()
