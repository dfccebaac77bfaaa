"""The two brokers that every case runs against: Apache Kafka from its jars (KAFKA_JARS), and our development broker."""

import contextlib
import functools
import os
import selectors
import signal
import socket
import subprocess

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic

from command import ENVIRONMENT, KPRODUCER, run, wait_until

CLUSTER_ID = "MkU3OEVBNTcwNTJENDM2Qg"
# The cheapest start on few cores.
JAVA = ["java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]

SERVER_PROPERTIES = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
log.dirs={folder}/data
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
log.cleaner.dedupe.buffer.size=16777216
log.segment.delete.delay.ms=1000
broker.session.timeout.ms=4000
broker.heartbeat.interval.ms=500
"""


def classpath():
    return f"{os.environ['KAFKA_JARS']}/*"


def kafka_tool(name, *args, **options):
    """One of Kafka's own tools; its standard output."""
    result = run([*JAVA, "-Xmx256m", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp", classpath(), name, *args], **options)
    assert result.code == 0, result
    return result.out


def free_ports(n):
    sockets = [socket.socket() for _ in range(n)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


class Broker:
    """What the two have in common. Topics are administered with a client that is not ours."""

    process = None
    servers = None

    @functools.cached_property
    def admin(self):
        return AdminClient({"bootstrap.servers": self.servers, "log_level": 0})

    def create_topic(self, name, partitions=1, **config):
        new = NewTopic(name, partitions, 1, config={key.replace("_", "."): str(value) for key, value in config.items()})
        self.admin.create_topics([new])[name].result(10)
        wait_until(lambda: self.partitions(name) == partitions, f"topic {name}")
        return name

    def add_partitions(self, name, total):
        self.admin.create_partitions([NewPartitions(name, total)])[name].result(10)
        wait_until(lambda: self.partitions(name) == total, f"{total} partitions of {name}")

    def delete_topic(self, name):
        self.admin.delete_topics([name])[name].result(10)
        wait_until(lambda: self.partitions(name) == 0, f"the end of {name}")

    def partitions(self, name):
        """How many with a leader; 0: there is no such topic."""
        topic = self.admin.list_topics(timeout=10).topics.get(name)
        return sum(partition.leader >= 0 for partition in topic.partitions.values()) if topic else 0

    @contextlib.contextmanager
    def paused(self):
        """It answers nothing, its connections stay."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def stop(self, how=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(how)
            self.process.send_signal(signal.SIGCONT)  # a case may have stopped it
        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


class DevBroker(Broker):
    kind = "devbroker"

    def __init__(self, folder, *options, under=()):
        """`under`: a command that runs what follows it."""
        command = [*under, str(KPRODUCER), "broker", "--listen", "127.0.0.1:0", *options]
        with open(folder / "stderr", "w") as errors:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, env=ENVIRONMENT)
        with selectors.DefaultSelector() as ready:
            ready.register(self.process.stdout, selectors.EVENT_READ)
            assert ready.select(10), "the development broker does not say that it is ready"
        word, _, self.servers = self.process.stdout.readline().decode().strip().partition(" ")
        assert word == "ready", (folder / "stderr").read_text()


class Kafka(Broker):
    kind = "kafka"

    def __init__(self, folder, **properties):
        port, controller_port = free_ports(2)
        self.folder, self.port, self.servers = folder, port, f"127.0.0.1:{port}"
        self.config = folder / "server.properties"
        more = "".join(f"{name.replace('_', '.')}={value}\n" for name, value in properties.items())
        self.config.write_text(SERVER_PROPERTIES.format(port=port, controller_port=controller_port, folder=folder) + more)
        kafka_tool("kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", self.config)
        self.start()

    def start(self):
        options = ["-Xmx384m", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", classpath()]
        with open(self.folder / "log", "a") as log:
            self.process = subprocess.Popen([*JAVA, *options, "kafka.Kafka", self.config], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(self.is_ready, "Kafka is ready", 60)

    def is_ready(self):
        assert self.process.poll() is None, (self.folder / "log").read_text()[-2000:]
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", self.port)):
                return False
        try:
            return bool(self.admin.list_topics(timeout=5).brokers)
        except KafkaException:
            return False

    def segment(self, topic, partition=0):
        return self.folder / "data" / f"{topic}-{partition}" / f"{0:020}.log"

    def dump(self, *segments):
        """DumpLogSegments of them, record by record: the tool checks every batch on its way."""
        return kafka_tool("org.apache.kafka.tools.DumpLogSegments", "--deep-iteration", "--files", ",".join(map(str, segments))).decode()

    def offsets(self, topic):
        """Kafka's own count: {partition: end offset}."""
        lines = kafka_tool("org.apache.kafka.tools.GetOffsetShell", "--bootstrap-server", self.servers, "--topic", topic).decode().split()
        return {int(partition): int(offset) for _, partition, offset in (line.rsplit(":", 2) for line in lines)}
