"""The brokers that the cases run against: our development broker, and Apache Kafka in the versions of tests/kafka/versions.

KAFKA_JARS is the folder of the jars of the version that the first line there names; those of the others stand beside it.
"""

import contextlib
import functools
import os
import pathlib
import random
import selectors
import shutil
import signal
import socket
import subprocess

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewPartitions, NewTopic

from command import ENVIRONMENT, KPRODUCER, PATIENCE, REPOSITORY, run, wait_until

CLUSTER_ID = "MkU3OEVBNTcwNTJENDM2Qg"
# The cheapest start on few cores.
JAVA = ["java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]

SERVER_PROPERTIES = """
log.dirs={folder}/data
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
group.initial.rebalance.delay.ms=0
transaction.abort.timed.out.transaction.cleanup.interval.ms=200
log.cleaner.dedupe.buffer.size=16777216
log.segment.delete.delay.ms=1000
"""

KRAFT_PROPERTIES = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{other_port}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{other_port}
broker.session.timeout.ms=4000
broker.heartbeat.interval.ms=500
"""

SECOND_NODE_PROPERTIES = """
process.roles=broker
node.id=2
controller.quorum.voters=1@127.0.0.1:{other_port}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{port}
broker.session.timeout.ms=4000
broker.heartbeat.interval.ms=500
"""

WITH_ZOOKEEPER_PROPERTIES = """
broker.id=1
listeners=PLAINTEXT://127.0.0.1:{port}
zookeeper.connect=127.0.0.1:{other_port}
zookeeper.session.timeout.ms=4000
"""

ZOOKEEPER_PROPERTIES = """
dataDir={folder}/zookeeper-data
clientPort={other_port}
clientPortAddress=127.0.0.1
admin.enableServer=false
4lw.commands.whitelist=ruok,dump
tickTime=500
"""


def kafka_versions():
    """{name: (version, from which test run on)}, in the order of the file."""
    lines = (REPOSITORY / "tests" / "kafka" / "versions").read_text().splitlines()
    return {name: rest for name, *rest in (line.split() for line in lines if line and not line.startswith("#"))}


KAFKAS = kafka_versions()


def jars(name):
    first = pathlib.Path(os.environ["KAFKA_JARS"])
    folder = first if name == next(iter(KAFKAS)) else first.parent / f"kafka-{KAFKAS[name][0]}"
    assert folder.is_dir(), f"the jars of Kafka {KAFKAS[name][0]} are not in {folder} (scripts/setup --test, --test-full)"
    return folder


def java(of, name, *args, memory="256m", log="error"):
    """The command that runs a class of Kafka's jars."""
    return [*JAVA, f"-Xmx{memory}", f"-Dorg.slf4j.simpleLogger.defaultLogLevel={log}", "-cp", f"{jars(of)}/*", name, *map(str, args)]


def kafka_tool(name, *args, of="kafka", **options):
    """One of Kafka's own tools; its standard output. The newest ones serve all brokers: Kafka's clients work with brokers from 2.1 on."""
    result = run(java(of, name, *args), **options)
    assert result.code == 0, result
    return result.out


def free_ports(n):
    """Ports that stay free until their server is up, or up again: the system gives those from 32768 on to whoever connects somewhere."""
    ports = set()
    while len(ports) < n:
        port = random.SystemRandom().randrange(10000, 32768)
        with socket.socket() as s, contextlib.suppress(OSError):
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind(("127.0.0.1", port))
            ports.add(port)
    return list(ports)


class Broker:
    """What the two have in common. Topics are administered with a client that is not ours."""

    process = None
    servers = None

    @functools.cached_property
    def admin(self):
        return AdminClient({"bootstrap.servers": self.servers, "log_level": 0})

    def create_topic(self, name, partitions=1, replicas=None, **config):
        """`replicas`: the nodes of each partition, which need not be up."""
        where = {"replica_assignment": [list(replicas)] * partitions} if replicas else {"replication_factor": 1}
        new = NewTopic(name, partitions, config={key.replace("_", "."): str(value) for key, value in config.items()}, **where)
        self.admin.create_topics([new])[name].result(PATIENCE)
        wait_until(lambda: self.partitions(name) == partitions, f"topic {name}")
        return name

    def alter_topic(self, name, **config):
        entries = [ConfigEntry(key.replace("_", "."), str(value), incremental_operation=AlterConfigOpType.SET) for key, value in config.items()]
        resource = ConfigResource(ConfigResource.Type.TOPIC, name, incremental_configs=entries)
        self.admin.incremental_alter_configs([resource])[resource].result(PATIENCE)

    def add_partitions(self, name, total):
        self.admin.create_partitions([NewPartitions(name, total)])[name].result(PATIENCE)
        wait_until(lambda: self.partitions(name) == total, f"{total} partitions of {name}")

    def delete_topic(self, name):
        self.admin.delete_topics([name])[name].result(PATIENCE)
        wait_until(lambda: self.partitions(name) == 0, f"the end of {name}")

    def partitions(self, name):
        """How many with a leader; 0: there is no such topic."""
        topic = self.admin.list_topics(timeout=PATIENCE).topics.get(name)
        return sum(partition.leader >= 0 for partition in topic.partitions.values()) if topic else 0

    @contextlib.contextmanager
    def paused(self):
        """It answers nothing, its connections stay."""
        self.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WNOWAIT)  # every thread of it
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def stop(self, how=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(how)
            self.process.send_signal(signal.SIGCONT)  # a case may have stopped it
        try:
            return self.process.wait(PATIENCE)
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
            assert ready.select(PATIENCE), "the development broker does not say that it is ready"
        word, _, self.servers = self.process.stdout.readline().decode().strip().partition(" ")
        assert word == "ready", (folder / "stderr").read_text()


class Kafka(Broker):
    """One node, with KRaft."""

    kind = "kafka"

    def __init__(self, folder, name="kafka", features=(), **properties):
        """`features`: name=level of those whose finalized level is not the version's own."""
        self.folder, self.name, self.features = folder, name, features
        self.port, self.other_port = free_ports(2)
        self.servers = f"127.0.0.1:{self.port}"
        self.config = folder / "server.properties"
        more = "".join(f"{key.replace('_', '.')}={value}\n" for key, value in properties.items())
        self.config.write_text(self.fill(SERVER_PROPERTIES + self.properties()) + more)
        try:
            self.prepare()
            self.start()
        except BaseException:
            self.close()
            raise

    def fill(self, text):
        return text.format(folder=self.folder, port=self.port, other_port=self.other_port)

    def properties(self):
        return KRAFT_PROPERTIES

    def prepare(self):
        levels = [word for feature in self.features for word in ("--feature", feature)]
        kafka_tool("kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", self.config, *levels, of=self.name)

    def start(self):
        self.process = self.run_server("kafka.Kafka", self.config, memory="384m")
        wait_until(self.is_ready, f"{self.name} is ready")

    def run_server(self, name, *args, **options):
        with open(self.folder / "log", "a") as log:
            command = java(self.name, name, *args, log="warn", **options)
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def close(self):
        """The end of it and of its data, which may be more than a gigabyte."""
        if self.process:
            self.stop()
        shutil.rmtree(self.folder / "data", ignore_errors=True)

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


class SecondKafka(Kafka):
    """Another node of the same cluster, whose controller is the first."""

    def __init__(self, folder, first):
        self.first = first
        super().__init__(folder, first.name)

    def properties(self):
        return SECOND_NODE_PROPERTIES

    def fill(self, text):
        return text.format(folder=self.folder, port=self.port, other_port=self.first.other_port)


class KafkaWithZooKeeper(Kafka):
    """One node of a version whose KRaft was not for use yet."""

    zookeeper = None

    def properties(self):
        return WITH_ZOOKEEPER_PROPERTIES

    def prepare(self):
        config = self.folder / "zookeeper.properties"
        config.write_text(self.fill(ZOOKEEPER_PROPERTIES))
        self.zookeeper = self.run_server("org.apache.zookeeper.server.quorum.QuorumPeerMain", config, memory="128m")
        wait_until(lambda: self.ask_zookeeper(b"ruok") == b"imok", "ZooKeeper is ready")

    def ask_zookeeper(self, word):
        assert self.zookeeper.poll() is None, (self.folder / "log").read_text()[-2000:]
        try:
            with socket.create_connection(("127.0.0.1", self.other_port), timeout=5) as s:
                s.sendall(word)
                with s.makefile("rb") as answer:
                    return answer.read()
        except OSError:
            return b""

    def start(self):
        # A broker does not start while the session of one that was killed lives on.
        wait_until(lambda: b"/brokers/ids/1" not in self.ask_zookeeper(b"dump"), "the end of the old session")
        super().start()

    def delete_topic(self, name):
        super().delete_topic(name)
        # The name is taken until the controller has finished, which Metadata does not tell.
        wait_until(lambda: self.is_free(name), f"the end of {name}")

    def is_free(self, name):
        try:
            self.admin.create_topics([NewTopic(name, 1, 1)], validate_only=True)[name].result(PATIENCE)
            return True
        except KafkaException as e:
            if e.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise
            return False

    def close(self):
        super().close()
        if self.zookeeper:
            self.zookeeper.terminate()
            self.zookeeper.wait(PATIENCE)


def start_kafka(name, folder):
    """Apache Kafka in the version that has this name in tests/kafka/versions."""
    major = int(KAFKAS[name][0].partition(".")[0])
    return (Kafka if major >= 3 else KafkaWithZooKeeper)(folder, name)
