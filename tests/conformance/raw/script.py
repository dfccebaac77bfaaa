"""Scripts: named functions that talk to one broker, and the session that notes what that answered.

A script gets a `Session`, has its own topics (made before any script runs), and never looks at which broker it talks to. What it sends
may depend on what was answered (producer ids, topic ids). Everything that `call`, `send` and `receive` bring is noted and compared;
`ask` is for what only prepares.
"""

import dataclasses
import itertools
import re
import socket
import struct

from schema import message

from command import wait_until

ANSWER_BOUND = 10  # seconds; an answer that never comes is a finding
PATIENCE = 30  # seconds, for what only prepares
COORDINATOR_IS_COMING = (14, 15, 16)
CONCURRENT_TRANSACTIONS = 51
SCRIPTS = {}
ONE_PARTITION = {"t": {}}


@dataclasses.dataclass
class Script:
    name: str
    run: callable
    topics: dict  # alias: {"partitions": 1, "config": {}}

    def topic(self, alias):
        return f"{self.name}-{alias}".replace("_", "-")


def script(topics=ONE_PARTITION, **sets):
    """
    Register a function as a script. `sets`: parameter=list or dict makes a script of each value, with the value (or the dict's key) in
    its name; for several parameters, of each combination.
    """

    def register(function):
        choices = [[(name, key, values[key] if isinstance(values, dict) else key) for key in values] for name, values in sets.items()]
        for chosen in itertools.product(*choices):
            words = (re.sub(r"\W", "_", str(key).replace("-", "minus_")) or "empty" for _, key, _ in chosen)
            name = "_".join([function.__name__, *words])
            arguments = {parameter: value for parameter, _, value in chosen}
            assert name not in SCRIPTS, f"two scripts named {name}"
            SCRIPTS[name] = Script(name, lambda s, arguments=arguments: function(s, **arguments), topics)
        return function

    return register


@dataclasses.dataclass
class Step:
    """What one request brought: 'answer', 'closed' or 'silence'."""

    label: str
    api: str
    outcome: str
    body: dict | None = None

    def __getitem__(self, field):
        assert self.body is not None, f"{self.label}: {self.outcome}"
        return self.body[field]


class Connection:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, data):
        try:
            self.socket.sendall(data)
        except OSError:
            pass  # that it is closed is seen when reading

    def receive(self, bound):
        """A frame without its length, or 'closed' or 'silence'."""
        self.socket.settimeout(bound)
        try:
            head = self.exactly(4)
            return self.exactly(struct.unpack(">i", head)[0]) if head else "closed"
        except TimeoutError:
            return "silence"
        except OSError:
            return "closed"

    def exactly(self, n):
        data = b""
        while len(data) < n:
            more = self.socket.recv(n - len(data))
            if not more:
                assert not data, "closed in the middle of an answer"
                return None
            data += more
        return data


def codes(value):
    """The error codes of an answer, wherever they stand."""
    if isinstance(value, list):
        return [code for item in value for code in codes(item)]
    if not isinstance(value, dict):
        return []
    here = [code for name, code in value.items() if name in ("ErrorCode", "PartitionErrorCode")]
    return here + codes(list(value.values()))


def request_header(api, version, correlation, client_id="raw"):
    request = message(f"{api}Request")
    name = client_id.encode() if client_id is not None else None
    head = struct.pack(">hhih", request.key, version, correlation, -1 if name is None else len(name)) + (name or b"")
    return head + (b"\0" if version in request.flexible else b"")


def framed(data):
    return struct.pack(">i", len(data)) + data


@dataclasses.dataclass
class Sent:
    api: str
    version: int
    correlation: int


class Session:
    """One script's talk with one broker."""

    def __init__(self, script, port):
        self.script, self.port, self.steps = script, port, []
        self.connections, self.correlation = {}, 100
        self.pending = {}  # connection: requests whose answers are to come
        self.topic_ids = {}  # id: its name in the comparison

    def connection(self, n):
        if n not in self.connections:
            self.connections[n] = Connection(self.port)
        return self.connections[n]

    def close(self):
        for c in self.connections.values():
            c.socket.close()

    def topic(self, alias="t"):
        return self.script.topic(alias)

    def topic_id(self, alias="t"):
        topics = self.ask("Metadata", 12, {"Topics": [{"Name": self.topic(alias)}], "AllowAutoTopicCreation": False})["Topics"]
        self.topic_ids[topics[0]["TopicId"]] = f"id of {alias}"
        return topics[0]["TopicId"]

    def producer_id(self):
        return self.ask("InitProducerId", 4, {"TransactionalId": None, "TransactionTimeoutMs": 1000})["ProducerId"]

    def until(self, condition):
        """Brokers may need a moment for what they have promised; this waits for it without noting anything."""
        return wait_until(condition, self.script.name, PATIENCE)

    def until_leader(self, alias="t", partitions=1):
        for p in range(partitions):
            asked = [{"Name": self.topic(alias), "Partitions": [{"PartitionIndex": p, "Timestamp": -1}]}]
            body = {"ReplicaId": -1, "Topics": asked}
            self.until(lambda: not self.ask("ListOffsets", 7, body)["Topics"][0]["Partitions"][0]["ErrorCode"])

    def until_gone(self, alias="t"):
        asked = {"Topics": [{"Name": self.topic(alias)}], "AllowAutoTopicCreation": False}
        self.until(lambda: self.ask("Metadata", 12, asked)["Topics"][0]["ErrorCode"] == 3)

    def until_coordinators(self):
        """Kafka makes the coordinators' topics when they are first asked for."""
        for kind in 0, 1:
            asked = {"KeyType": kind, "CoordinatorKeys": ["some-name"]}
            self.until(lambda: not self.ask("FindCoordinator", 4, asked)["Coordinators"][0]["ErrorCode"])

    def transactional_producer(self, name):
        """Id and epoch."""
        made = None

        def ask():
            nonlocal made
            made = self.ask("InitProducerId", 4, {"TransactionalId": name, "TransactionTimeoutMs": 60000})
            return made["ErrorCode"] not in COORDINATOR_IS_COMING

        self.until_coordinators()
        self.until(ask)
        assert made["ErrorCode"] == 0, made
        return made["ProducerId"], made["ProducerEpoch"]

    def send(self, api, version, body=None, conn=0, header=None, data=None):
        """A request; `header` and `data` are bytes instead of the header and of the body."""
        self.correlation += 1
        head = request_header(api, version, self.correlation) if header is None else header
        data = message(f"{api}Request").encode(version, body or {}) if data is None else data
        self.connection(conn).send(framed(head + data))
        self.pending.setdefault(conn, []).append(Sent(api, version, self.correlation))

    def forget(self, conn=0):
        """The last request gets no answer (acks=0): so the next answer has to be another's."""
        self.pending[conn].pop()

    def raw(self, data, conn=0, bound=ANSWER_BOUND):
        """Bytes as they are, behind which the connection is to be closed, or silent."""
        self.connection(conn).send(data)
        outcome = self.connection(conn).receive(bound)
        if isinstance(outcome, bytes):
            return self.note(Step("raw bytes", "raw", "answer", {"Bytes": outcome}))
        return self.note(Step("raw bytes", "raw", outcome))

    def send_rest(self, api, version, data, conn=0):
        """The last bytes of a request whose first ones went by hand."""
        self.correlation += 1
        self.connection(conn).send(data)
        self.pending.setdefault(conn, []).append(Sent(api, version, self.correlation))

    def half_close(self, conn=0):
        self.connection(conn).socket.shutdown(socket.SHUT_WR)

    def receive(self, conn=0, bound=ANSWER_BOUND, as_version=None, quiet=False):
        sent = self.pending[conn].pop(0)
        version = sent.version if as_version is None else as_version
        label = f"{sent.api} v{sent.version}"
        data = self.connection(conn).receive(bound)
        step = Step(label, sent.api, data) if isinstance(data, str) else Step(label, sent.api, "answer", self.decode(sent, version, data))
        return step if quiet else self.note(step)

    @staticmethod
    def decode(sent, version, data):
        correlation = struct.unpack(">i", data[:4])[0]
        response = message(f"{sent.api}Response")
        is_flexible = version in response.flexible and sent.api != "ApiVersions"
        tags, data = (data[4], data[5:]) if is_flexible else (0, data[4:])
        body, rest = response.decode(version, data)
        odd = {"Correlation": correlation != sent.correlation, "HeaderTags": tags, "BytesBehind": rest.hex()}
        return body | {name: value for name, value in odd.items() if value}

    def note(self, step):
        step.label = f"step {len(self.steps) + 1}, {step.label}"
        self.steps.append(step)
        return step

    def call(self, api, version, body=None, conn=0, bound=ANSWER_BOUND, as_version=None, **raw):
        self.send(api, version, body, conn, **raw)
        return self.receive(conn, bound, as_version)

    def call_settled(self, api, version, body):
        """A request that is sent again while a transaction is being ended: how long that takes is nobody's rule."""
        answer = None

        def is_settled():
            nonlocal answer
            self.send(api, version, body)
            answer = self.receive(quiet=True)
            return CONCURRENT_TRANSACTIONS not in codes(answer.body)

        self.until(is_settled)
        return self.note(answer)

    def ask_many(self, api, version, body, n):
        """The same request n times at once; what they answer is not looked at."""
        for _ in range(n):
            self.send(api, version, body, "ask")
        for _ in range(n):
            self.receive("ask", PATIENCE, quiet=True)

    def ask(self, api, version, body=None):
        """A request whose answer only prepares, on a connection of its own."""
        self.send(api, version, body, "ask")
        return self.receive("ask", PATIENCE, quiet=True)
