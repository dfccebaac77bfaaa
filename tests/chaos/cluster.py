"""Three nodes of Apache Kafka, each in a network namespace of its own. All of it belongs in a private network, mount and process namespace
(scripts/chaos), so that the addresses clash with nobody's and nothing outlives the run."""

import contextlib
import functools
import json
import re
import signal
import socket
import subprocess
import time
import urllib.request

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic

from brokers import java, kafka_tool
from command import PATIENCE, run, wait_until

NODES = (1, 2, 3)
BRIDGE = "kpchaos"
HERE = "10.77.0.1"
# A node's log folder is a small file system of its own.
LOG_MB = 400
SESSION_S = 6
# Partitions of the log of transactions: each leader coordinates the transactional ids that fall on it.
COORDINATORS = 3
STEADY_S = 2
PROXY = "127.0.0.1:8474"
CLUSTER_ID = "MkU3OEVBNTcwNTJENDM2Qg"

PROPERTIES = """
process.roles=broker,controller
node.id={node}
controller.quorum.voters={voters}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT
listeners=PLAINTEXT://{address}:9092,PROXIED://{address}:9094,CONTROLLER://{address}:9093
advertised.listeners=PLAINTEXT://{address}:9092,PROXIED://{here}:2000{node}
log.dirs={folder}/data
default.replication.factor=3
min.insync.replicas=2
offsets.topic.replication.factor=3
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=3
transaction.state.log.min.isr=2
transaction.state.log.num.partitions={coordinators}
group.initial.rebalance.delay.ms=0
log.cleaner.dedupe.buffer.size=16777216
log.segment.delete.delay.ms=1000
log.index.size.max.bytes=65536
broker.session.timeout.ms={session_ms}
broker.heartbeat.interval.ms=1000
controller.quorum.election.timeout.ms=1000
controller.quorum.fetch.timeout.ms=2000
replica.lag.time.max.ms=10000
auto.create.topics.enable=false
controlled.shutdown.enable=true
"""


def coordinator_partition(transactional_id):
    """As Kafka finds it: Java's String.hashCode, its sign cut off."""
    value = functools.reduce(lambda h, c: (31 * h + ord(c)) & 0xFFFFFFFF, transactional_id, 0)
    return (value & 0x7FFFFFFF) % COORDINATORS


def command(*args):
    result = run(args)
    assert result.code == 0, result
    return result.out.decode()


class Node:
    def __init__(self, number, folder):
        self.number, self.folder = number, folder
        self.address = f"10.77.0.1{number}"
        self.namespace = f"node{number}"
        self.process = None
        (folder / "data").mkdir(parents=True)
        voters = ",".join(f"{n}@10.77.0.1{n}:9093" for n in NODES)
        self.config = folder / "server.properties"
        self.config.write_text(PROPERTIES.format(node=number, voters=voters, address=self.address, here=HERE, folder=folder,
                                                 session_ms=SESSION_S * 1000, coordinators=COORDINATORS))

    def prepare(self):
        wire = f"wire{self.number}"
        command("mount", "-t", "tmpfs", "-o", f"size={LOG_MB}m", "kpchaos", self.folder / "data")
        command("ip", "netns", "add", self.namespace)
        command("ip", "link", "add", wire, "type", "veth", "peer", "name", "eth0", "netns", self.namespace)
        command("ip", "link", "set", wire, "master", BRIDGE, "up")
        command("ip", "-n", self.namespace, "addr", "add", f"{self.address}/24", "dev", "eth0")
        command("ip", "-n", self.namespace, "link", "set", "eth0", "up")
        command("ip", "-n", self.namespace, "link", "set", "lo", "up")
        kafka_tool("kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", self.config)

    def launch(self):
        where = ["ip", "netns", "exec", self.namespace]
        with open(self.folder / "log", "a") as log:
            self.process = subprocess.Popen([*where, *java("kafka", "kafka.Kafka", self.config, memory="384m", log="warn")],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)

    def start(self):
        self.launch()
        wait_until(self.is_listening, f"node {self.number} listens")

    def is_listening(self):
        assert self.process.poll() is None, (self.folder / "log").read_text()[-2000:]
        with socket.socket() as s:
            s.settimeout(1)
            return s.connect_ex((self.address, 9092)) == 0

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def stop(self, how=signal.SIGTERM):
        """`ip netns exec` becomes the broker, so that this signal is the broker's."""
        self.process.send_signal(how)
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    @contextlib.contextmanager
    def frozen(self):
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    @contextlib.contextmanager
    def firewall(self, *rules):
        """Each rule is what follows `iptables -A`."""
        try:
            for rule in rules:
                command("ip", "netns", "exec", self.namespace, "iptables", "-A", *rule.split())
            yield
        finally:
            command("ip", "netns", "exec", self.namespace, "iptables", "-F")


class Cluster:
    servers = ",".join(f"10.77.0.1{n}:9092" for n in NODES)
    proxied = ",".join(f"{HERE}:2000{n}" for n in NODES)

    def __init__(self, folder):
        command("ip", "link", "add", BRIDGE, "type", "bridge")
        command("ip", "addr", "add", f"{HERE}/24", "dev", BRIDGE)
        command("ip", "link", "set", BRIDGE, "up")
        self.nodes = {n: Node(n, folder / f"node{n}") for n in NODES}
        for node in self.nodes.values():
            node.prepare()
        # None of them listens before a majority is there.
        self.await_healthy()

    @functools.cached_property
    def admin(self):
        return AdminClient({"bootstrap.servers": self.servers, "log_level": 0, "topic.metadata.refresh.interval.ms": -1})

    def metadata(self):
        try:
            return self.admin.list_topics(timeout=5)
        except KafkaException:
            return None

    def partitions(self, topic):
        found = (metadata := self.metadata()) and metadata.topics.get(topic)
        return list(found.partitions.values()) if found and not found.error else []

    def leader(self, topic, partition=0):
        """Its number, -1 when there is none."""
        return next((p.leader for p in self.partitions(topic) if p.id == partition), -1)

    def controller(self):
        """The active one, as the newest of the nodes' notes says: clients are only told of some broker."""
        states = []
        for node in self.nodes.values():
            with contextlib.suppress(OSError, ValueError):
                state = json.loads((node.folder / "data/__cluster_metadata-0/quorum-state").read_text())
                states.append((state["leaderEpoch"], state["leaderId"]))
        return max(states)[1]

    def is_healthy(self):
        metadata = self.metadata()
        if not metadata or len(metadata.brokers) != len(NODES):
            return False
        return all(p.leader >= 0 and sorted(p.isrs) == sorted(p.replicas) for t in metadata.topics.values() for p in t.partitions.values())

    def is_steady(self):
        """A node that was frozen or cut off may answer, and not know yet what has happened."""
        until = time.monotonic() + STEADY_S
        while time.monotonic() < until:
            if not self.is_healthy():
                return False
            time.sleep(0.2)
        return True

    def await_healthy(self):
        for node in self.nodes.values():
            if not node.is_running():
                node.launch()
        wait_until(self.is_steady, "all nodes are there and all replicas in sync", 2 * PATIENCE)

    def create_topic(self, name, partitions=6, assignment=None, **config):
        config = {key.replace("_", "."): str(value) for key, value in config.items()}
        new = NewTopic(name, partitions, replica_assignment=assignment, config=config) if assignment else NewTopic(
            name, partitions, len(NODES), config=config)
        self.admin.create_topics([new])[name].result(PATIENCE)
        wait_until(lambda: len(p := self.partitions(name)) == partitions and all(one.leader >= 0 for one in p), f"topic {name}")

    def add_partitions(self, name, total):
        self.admin.create_partitions([NewPartitions(name, total)])[name].result(PATIENCE)

    def delete_topic(self, name):
        self.admin.delete_topics([name])[name].result(PATIENCE)
        wait_until(lambda: not self.partitions(name), f"the end of {name}")

    def reassign(self, name, assignment, folder):
        """Partition i to the nodes of assignment[i], the first one leads; returns when it is done."""
        plan = folder / "reassignment.json"
        parts = [{"topic": name, "partition": i, "replicas": nodes} for i, nodes in enumerate(assignment)]
        plan.write_text(json.dumps({"version": 1, "partitions": parts}))
        where = ["--bootstrap-server", self.servers, "--reassignment-json-file", plan]
        kafka_tool("org.apache.kafka.tools.reassign.ReassignPartitionsCommand", *where, "--execute")
        wanted = {i: sorted(nodes) for i, nodes in enumerate(assignment)}
        wait_until(lambda: {p.id: sorted(p.replicas) for p in self.partitions(name)} == wanted, f"{name} has moved")

    def set_quota(self, client_id, byte_rate):
        """None: the end of it."""
        what = ["--delete-config", "producer_byte_rate"] if byte_rate is None else ["--add-config", f"producer_byte_rate={byte_rate}"]
        kafka_tool("kafka.admin.ConfigCommand", "--bootstrap-server", self.servers, "--alter", *what, "--entity-type", "clients",
                   "--entity-name", client_id)

    def coordinator(self, transactional_id):
        """The number of the node that coordinates it, -1 when there is none."""
        return self.leader("__transaction_state", coordinator_partition(transactional_id))

    def set_transaction_version(self, version):
        """2: KIP-890; 1 and 0: the classic protocol. Finalized for the whole cluster."""
        where = ("org.apache.kafka.tools.FeatureCommand", "--bootstrap-server", self.servers)
        found = re.search(r"transaction\.version.*FinalizedVersionLevel: (\d+)", kafka_tool(*where, "describe").decode())
        if (now := int(found[1])) != version:
            kafka_tool(*where, "upgrade" if version > now else "downgrade", "--feature", f"transaction.version={version}")

    def close(self):
        for node in self.nodes.values():
            if node.is_running():
                node.process.kill()
                node.process.wait()


class Toxiproxy:
    """In front of the nodes' second listeners, which are advertised at its addresses."""

    def __init__(self, program, cluster, folder):
        with open(folder / "toxiproxy.log", "w") as log:
            self.process = subprocess.Popen([program, "-host", "127.0.0.1"], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            start_new_session=True)
        wait_until(self.is_there, "toxiproxy answers")
        for n, node in cluster.nodes.items():
            self.ask("/proxies", {"name": f"node{n}", "listen": f"{HERE}:2000{n}", "upstream": f"{node.address}:9094"})

    @staticmethod
    def ask(path, what=None):
        body = None if what is None else json.dumps(what).encode()
        request = urllib.request.Request(f"http://{PROXY}{path}", body, {"Content-Type": "application/json", "User-Agent": "tests"})
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=PATIENCE) as answer:
            return json.load(answer)

    def is_there(self):
        try:
            return self.ask("/version") is not None
        except OSError:
            return False

    def poison(self, node, kind, stream, **attributes):
        self.ask(f"/proxies/node{node}/toxics", {"type": kind, "stream": stream, "attributes": attributes})

    def close(self):
        self.process.kill()
        self.process.wait()
