"""One cluster for the whole run; each case has topics of its own and leaves the cluster healthy."""

import os
import pathlib
import signal
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "conformance"))

import table
from checker import read_log, verdict
from clients import QUICK_RATE, RATE, Client, build_drivers
from cluster import Cluster, Toxiproxy
from txn_clients import Copier, JavaCopier, build_txn_drivers
from txn_copy import Copy
from txn_traffic import PROTOCOLS, TxnTraffic

signal.signal(signal.SIGINT, signal.default_int_handler)

KPRODUCER = ("kproducer", "kproducer", ())
LIBRDKAFKA = ("rdkafka", "librdkafka", ())


def pytest_addoption(parser):
    parser.addoption("--quick", action="store_true", help="the short form of each scenario")
    parser.addoption("--write", action="store_true", help="put the table into docs/reliability.md")


@pytest.fixture(scope="session")
def say(pytestconfig):
    """A line of progress, whatever is captured."""
    start, capture = time.monotonic(), pytestconfig.pluginmanager.getplugin("capturemanager")

    def line(text):
        with capture.global_and_fixture_disabled():
            print(f"\n{time.monotonic() - start:6.1f} s  {text} ", end="", flush=True)

    return line


@pytest.fixture(scope="session")
def is_quick(pytestconfig):
    return pytestconfig.getoption("quick")


@pytest.fixture(scope="session")
def shared_cluster(tmp_path_factory, say):
    assert os.environ.get("KP_CHAOS_ISOLATED") == "1", "run this by scripts/chaos, which isolates it from the machine's network"
    build_drivers()
    say("starting three nodes")
    made = Cluster(tmp_path_factory.mktemp("cluster"))
    say("the cluster is up")
    yield made
    made.close()


@pytest.fixture
def cluster(shared_cluster, say):
    yield shared_cluster
    say("waiting for the cluster to be whole again")
    shared_cluster.await_healthy()


@pytest.fixture
def proxy(cluster, tmp_path):
    proxy = Toxiproxy(os.environ["KP_TOXIPROXY"], cluster, tmp_path)
    yield proxy
    proxy.close()


class Traffic:
    """The clients of a case, and their rows."""

    def __init__(self, scenario, cluster, folder, rate, say):
        self.scenario, self.cluster, self.folder, self.rate, self.say = scenario, cluster, folder, rate, say
        self.running, self.records, self.summaries, self.logs = [], {}, {}, {}

    def topic(self, label):
        return f"{self.scenario}-{label}".replace("=", "").replace(" ", "-")

    def start(self, *clients, servers=None, env=None, **topic):
        """Each client is (driver, label, properties); it has a topic of its own, so that a count is its own."""
        for driver, label, properties in clients:
            self.cluster.create_topic(self.topic(label), **topic)
        for driver, label, properties in clients:
            self.running.append(
                Client(driver, label, servers or self.cluster.servers, self.topic(label), self.folder, self.rate, properties, env))
        time.sleep(3)  # traffic, before anything goes wrong

    def last(self, seconds):
        """Traffic for this long."""
        time.sleep(seconds)

    def end(self, counts=lambda record: True):
        """Stops sending, waits for the ends, reads the logs; {label: row}."""
        self.say("waiting for the ends of all records")
        for client in self.running:
            client.stop_sending()
        for client in self.running:
            self.summaries[client.label], self.records[client.label] = client.result()
        self.cluster.await_healthy()
        return {client.label: self.row(client, counts) for client in self.running}

    def row(self, client, counts):
        summary, records = self.summaries[client.label], self.records[client.label]
        log = self.logs[client.label] = read_log(self.cluster, client.topic)
        row = {"scenario": self.scenario, **summary, "client": client.label, "version": summary["client"],
               "stall_s": summary["stall_ms"] / 1000, **verdict(records, log, counts)}
        table.RECORDS.rows.append(row)
        self.say(table.RECORDS.said(row))
        if row["errors"]:
            self.say(f"{client.label} errors: {row['errors']}")
        return row

    def close(self):
        for client in self.running:
            client.kill()
            if self.cluster.partitions(client.topic):
                self.cluster.delete_topic(client.topic)


@pytest.fixture
def traffic(request, cluster, is_quick, tmp_path, say):
    scenario = request.node.name.removeprefix("test_").replace("_", "-")
    say(f"== {scenario}")
    traffic = Traffic(scenario, cluster, tmp_path, QUICK_RATE if is_quick else RATE, say)
    yield traffic
    traffic.close()


@pytest.fixture(scope="session")
def txn_drivers(shared_cluster):
    build_txn_drivers()


@pytest.fixture(params=PROTOCOLS, ids=PROTOCOLS.get)
def transactions(request, txn_drivers, cluster, tmp_path, say):
    """The same with transactions, once with each protocol."""
    scenario = request.node.originalname.removeprefix("test_txn_").replace("_", "-")
    say(f"== {scenario}, {PROTOCOLS[request.param]}")
    cluster.set_transaction_version(request.param)
    traffic = TxnTraffic(scenario, request.param, cluster, tmp_path, say)
    yield traffic
    traffic.close()


# As many records as last for all that happens to them.
COPIERS = {"kproducer": (Copier, 200000), "TransactionalMessageCopier": (JavaCopier, 40000)}
QUICK_COPIES = 20000


@pytest.fixture(params=["kproducer", pytest.param("TransactionalMessageCopier", marks=pytest.mark.full)])
def copier(request):
    return request.param


@pytest.fixture(params=PROTOCOLS, ids=PROTOCOLS.get)
def copy(request, txn_drivers, copier, cluster, is_quick, tmp_path, say):
    """Two copiers at work."""
    scenario = request.node.originalname.removeprefix("test_txn_").replace("_", "-")
    say(f"== {scenario}, {copier}, {PROTOCOLS[request.param]}")
    cluster.set_transaction_version(request.param)
    kind, n_records = COPIERS[copier]
    copy = Copy(scenario, request.param, copier, kind, cluster, tmp_path, QUICK_COPIES if is_quick else n_records, say)
    copy.start()
    yield copy
    copy.close()


def pytest_terminal_summary(terminalreporter, config):
    filled = [one for one in table.ALL if one.rows]
    for one in filled:
        terminalreporter.section(one.mark)
        for line in one.plain():
            terminalreporter.line(line)
        if config.getoption("write"):
            one.write_document()
    if filled:
        terminalreporter.line(f"written to {table.write_json(config.getoption('quick'))}")
