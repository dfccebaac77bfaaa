"""The development broker misbehaves as it is told, and what clients make of it: what they saw, and what the log holds."""

import json
import re
import signal
import socket
import struct
import time

import pytest
from confluent_kafka import KafkaError, Producer

from brokers import DevBroker
from command import REPOSITORY, finish, kproducer, produce, run, start, wait_until
from readers import count, kcat, records

EAGER = ["-X", "linger.ms=0", "-X", "batch.size=1000", "-X", "retry.backoff.ms=10", "-X", "reconnect.backoff.ms=10"]


class Control:
    """`kproducer fault` on a broker's control socket."""

    def __init__(self, path):
        self.path = path

    def __call__(self, *words, code=0, **options):
        result = kproducer("fault", "--control", self.path, *words, **options)
        assert result.code == code, result
        return result

    @property
    def status(self):
        return self("status", "--json").json

    def fired(self, rule=1):
        return next(r["fired"] for r in self.status["rules"] if r["id"] == rule)

    def partition(self, topic, partition=0):
        return next(p for p in self.status["partitions"] if (p["topic"], p["partition"]) == (topic, partition))

    def node(self, node):
        return next(n for n in self.status["nodes"] if n["node"] == node)


@pytest.fixture
def faulty(own_devbroker, tmp_path):
    """A function that starts a broker with a fault script; the broker gets a `control`."""

    def start_it(script="", *options):
        path = tmp_path / "control"
        fault = ["--fault", script] if script else []
        broker = own_devbroker("--control", path, *fault, *options)
        broker.control = Control(path)
        broker.errors = tmp_path / "devbroker-0" / "stderr"
        return broker

    return start_it


def numbers(n):
    return b"".join(b"%d\n" % i for i in range(n))




@pytest.mark.parametrize("fault", [
    "on produce every=3: drop after",
    "on produce every=3: drop before",
    "on produce every=4: partial 10",
    "on produce chance=20% seed=7: error NOT_LEADER_OR_FOLLOWER",
    "on produce chance=20% seed=7: error NOT_ENOUGH_REPLICAS_AFTER_APPEND after",
    "on produce chance=20% seed=7: error REQUEST_TIMED_OUT after",
    "on produce chance=30% seed=7: delay 1ms..30ms before",
    "on produce chance=30% seed=7: delay 1ms..30ms",
    "on produce every=5: throttle 20ms",
    "on produce every=5: drip 2k/s",
    "on metadata,init_producer_id first=3: drop after",
    "on api_versions first=2: partial 3",
    "on init_producer_id first=3: error COORDINATOR_LOAD_IN_PROGRESS",
    "on produce every=10: node 1 disconnect",
    "on produce nth=5: node 1 down for 100ms",
    "on produce nth=5: node 1 stuck for 100ms",
    "on any chance=5% seed=3: drop after; on any chance=5% seed=4: drop before; on any chance=20% seed=5: delay 1ms..5ms",
])
def test_idempotent_producer_loses_and_doubles_nothing(faulty, fault):
    broker = faulty(fault)
    produce(broker, "t", *EAGER, stdin=numbers(2000))
    assert broker.control.fired() > 0
    broker.control("clear")
    assert [r.value for r in records(broker, "t")] == [b"%d" % i for i in range(2000)]


@pytest.mark.parametrize("fault", ["on produce every=3: drop after", "on produce every=3: error 20 after", "on produce every=4: partial 10"])
def test_librdkafka_survives_the_same_faults(faulty, fault):
    broker = faulty(fault)
    broker.create_topic("t")
    failed = []
    producer = Producer({
        "bootstrap.servers": broker.servers, "enable.idempotence": True, "linger.ms": 0, "batch.num.messages": 20,
        "reconnect.backoff.ms": 10, "reconnect.backoff.max.ms": 50, "retry.backoff.ms": 10, "log_level": 0,
    })
    for i in range(500):
        producer.produce("t", b"%d" % i, on_delivery=lambda error, _: error and failed.append(error))
        producer.poll(0)
    assert producer.flush(60) == 0
    assert not failed
    assert [r.value for r in records(broker, "t")] == [b"%d" % i for i in range(500)]
    assert broker.control.fired() > 1


def test_drop_after_without_idempotence_doubles(faulty):
    broker = faulty("on produce first=1: drop after")
    produce(broker, "t", "-X", "enable.idempotence=false", "-X", "retry.backoff.ms=10", stdin=b"a\nb\n")
    assert [r.value for r in records(broker, "t")] == [b"a", b"b", b"a", b"b"]


def test_drop_before_appends_nothing(faulty):
    broker = faulty("on produce: drop before")
    broker.create_topic("t")
    produce(broker, "t", "-X", "request.timeout.ms=500", "-X", "delivery.timeout.ms=1000", "-X", "linger.ms=0", stdin=b"a\n", code=1)
    assert broker.control.partition("t")["end_offset"] == 0


def test_permanent_error_fails_the_record_with_its_code(faulty):
    broker = faulty("on produce topic=t partition=1: error TOPIC_AUTHORIZATION_FAILED")
    broker.create_topic("t", 2)
    result = produce(broker, "t", "-p", "1", stdin=b"a\n", code=1)
    assert "TOPIC_AUTHORIZATION_FAILED" in result.err
    produce(broker, "t", "-p", "0", stdin=b"b\n")
    assert count(broker, "t") == {0: 1, 1: 0}


def test_error_is_seen_by_librdkafka(faulty):
    broker = faulty("on produce client=rd*: error 29; on produce: error 17")
    broker.create_topic("t")
    seen = []
    producer = Producer({"bootstrap.servers": broker.servers, "log_level": 0})
    producer.produce("t", b"x", on_delivery=lambda error, _: seen.append(error and error.code()))
    producer.flush(20)
    assert seen == [KafkaError.TOPIC_AUTHORIZATION_FAILED]


def test_throttle_is_told_to_the_client(faulty):
    broker = faulty("on produce nth=1: throttle 300ms")
    broker.create_topic("t")
    told = []
    producer = Producer({"bootstrap.servers": broker.servers, "linger.ms": 0, "log_level": 0,
                         "throttle_cb": lambda event: told.append(round(event.throttle_time * 1000))})
    begin = time.monotonic()
    producer.produce("t", b"x")
    producer.flush(20)
    producer.produce("t", b"y")
    producer.flush(20)
    producer.poll(0.1)
    assert told[0] == 300
    assert time.monotonic() - begin >= 0.3


def test_delay_is_in_the_latency(faulty):
    broker = faulty("on produce: delay 50ms")
    broker.create_topic("t")
    result = kproducer("perf", "-b", broker.servers, "-t", "t", "--records", "200", "--rate", "1000", "--json")
    assert result.code == 0, result
    assert result.json["latency_us"]["p50"] >= 50000


@pytest.mark.parametrize("fault", ["at 50ms every 100ms: leader t/0 = next", "at 100ms every 300ms: node 2 down for 100ms",
                                   "at 100ms every 300ms: node 1 stuck for 100ms", "at 50ms every 100ms: replication 20ms"])
def test_cluster_that_never_rests_loses_and_doubles_nothing(faulty, fault):
    broker = faulty(fault, "--nodes", "3")
    broker.create_topic("t")
    n = 3000
    process = start("produce", "-b", broker.servers, "-t", "t", "--json", *EAGER, "-X", "request.timeout.ms=1000")
    for i in range(n):
        process.stdin.write(b"%d\n" % i)
        if i % 300 == 0:
            process.stdin.flush()
            fired = broker.control.fired()
            wait_until(lambda: broker.control.fired() > fired or i == 0, "the fault goes on")
    result = finish(process)
    assert result.code == 0, result
    broker.control("clear")
    for node in (1, 2, 3):
        broker.control("do", f"node {node} up")
    assert [r.value for r in records(broker, "t")] == [b"%d" % i for i in range(n)]


def test_node_down_moves_nothing_but_refuses(faulty):
    broker = faulty("", "--nodes", "2")
    broker.create_topic("t")
    leader = broker.control.partition("t")["leader"]
    broker.control("do", "node", leader, "down")
    assert broker.control.node(leader)["state"] == "down"
    port = broker.control.node(leader)["port"]
    with socket.socket() as s:
        assert s.connect_ex(("127.0.0.1", port)) != 0
    assert broker.control.partition("t")["leader"] == 0
    process = start("produce", "-b", broker.servers, "-t", "t", "-X", "retry.backoff.ms=10", "-X", "retry.backoff.max.ms=50")
    process.stdin.write(b"a\n")
    process.stdin.flush()
    broker.control("do", "node", leader, "up")
    result = finish(process)
    assert result.code == 0, result
    assert kcat(broker, "t") == b"a\n"


def test_stuck_node_runs_into_the_time_out(faulty):
    broker = faulty()
    broker.create_topic("t")
    produce(broker, "t", stdin=b"a\n")
    broker.control("do node 1 stuck")
    result = kproducer("produce", "-b", broker.servers, "-t", "t", "--connect-timeout", "0.5", stdin=b"b\n")
    assert result.code == 3, result
    broker.control("do node 1 up")
    produce(broker, "t", stdin=b"c\n")
    assert kcat(broker, "t") == b"a\nc\n"


def test_cut_log_and_forgotten_producers(faulty):
    broker = faulty()
    broker.create_topic("t")
    produce(broker, "t", *EAGER, stdin=numbers(2000))
    before = broker.control.partition("t")
    assert (before["end_offset"], before["producers"]) == (2000, 1)
    broker.control("do cut t/0 by 500")
    after = broker.control.partition("t")
    assert 1000 < after["end_offset"] <= 1500  # the batch that holds the place goes as a whole
    assert after["leader_epoch"] == before["leader_epoch"] + 1
    broker.control("do forget producers t/*")
    assert broker.control.partition("t")["producers"] == 0
    broker.control("do cut t/0 to 0")
    produce(broker, "t", stdin=b"new\n")
    assert kcat(broker, "t") == b"new\n"


def test_stopped_replication_holds_acks_all_back(faulty):
    broker = faulty("at 0s: replication stopped")
    broker.create_topic("t")
    process = start("produce", "-b", broker.servers, "-t", "t")
    process.stdin.write(b"a\n")
    process.stdin.close()
    process.stdin = None
    wait_until(lambda: broker.control.partition("t")["end_offset"] == 1, "the append")
    assert broker.control.partition("t")["high_watermark"] == 0
    assert process.poll() is None
    broker.control("do replication 0s")
    assert finish(process).code == 0


def test_partial_and_missing_fetches_are_fetched_again(faulty):
    broker = faulty("on fetch nth=1: partial 20; on fetch nth=2: drop after; on fetch nth=3: error 6; on fetch nth=4: drop before")
    broker.create_topic("t")
    produce(broker, "t", stdin=numbers(5000))
    assert b"".join(r.value + b"\n" for r in records(broker, "t")) == numbers(5000)
    assert [broker.control.fired(rule) for rule in (1, 2, 3, 4)] == [1, 1, 1, 1]


def test_dripping_and_late_fetches_reach_kcat_whole(faulty):
    broker = faulty("on fetch nth=1: drip 200k/s; on fetch nth=2: delay 100ms; on fetch nth=3: throttle 100ms")
    broker.create_topic("t")
    produce(broker, "t", stdin=numbers(5000))
    assert kcat(broker, "t") == numbers(5000)
    assert broker.control.fired(1) == 1


def test_same_seed_gives_the_same_faults(own_devbroker):
    def which_fail(*options):
        broker = own_devbroker("--fault", "on api_versions chance=50%: drop before", *options)
        host, port = broker.servers.split(":")
        outcome = ""
        for _ in range(40):
            with socket.create_connection((host, int(port)), 10) as s:
                s.sendall(struct.pack(">ihhih", 10, 18, 0, 1, -1))
                outcome += "." if s.recv(4) else "x"
        return outcome

    first = which_fail("--seed", "5")
    assert 5 < first.count("x") < 35
    assert which_fail("--seed", "5") == first
    assert which_fail("--seed", "6") != first


def test_what_fires_is_said_and_counted(faulty):
    broker = faulty("on produce: delay 1ms; at 10ms: node 1 up; at 20ms: cut nothing/0 by 1; on fetch: error 1")
    broker.create_topic("t")
    produce(broker, "t", *EAGER, stdin=numbers(3000))
    wait_until(lambda: "had no effect" in broker.errors.read_text(), "the timed rules")
    fired = broker.control.fired()
    assert fired > 10
    assert broker.stop() == 0
    lines = broker.errors.read_text().splitlines()
    of_first = [line for line in lines if line.startswith("fault 1 fired")]
    assert of_first[0] == "fault 1 fired: on produce: delay 1ms (Produce of 'producer-1' at node 1)"
    assert of_first[-1] == f"fault 1 fired {fired} times: on produce: delay 1ms"
    assert len(of_first) < 15  # one a second
    assert "fault 2 fired: at 10ms: node 1 up" in lines
    assert "fault 3 had no effect, there is no topic nothing: at 20ms: cut nothing/0 by 1" in lines
    assert not any(line.startswith("fault 4") for line in lines)


def test_mistakes_are_all_told_before_anything_listens(lines):
    script = lines(b"# a script\non produce: delay abc\non any: drop after\n   at 5s node 2 down\n", "chaos.fault")
    control = script.parent / "control"
    result = kproducer("broker", "--listen", "127.0.0.1:0", "--control", control, "--fault", f"@{script}", "--fault", "on fetch fist=3: error 6")
    assert result.code == 2
    assert result.out == b""
    assert not control.exists()
    assert [line.split(": ")[1:3] for line in result.lines] == [
        [f"fault script {script} line 2, column 19", "expected a duration such as 200ms, found 'abc'"],
        [f"fault script {script} line 4, column 10", "expected ':' or 'every', and an action, found 'node'"],
        ["fault script line 1, column 10", result.lines[2].split(": ")[2]],
    ]
    assert result.lines[2].endswith("found 'fist'; did you mean 'first'?")


@pytest.mark.parametrize("argument, words", [
    ("/no/such/file", "cannot read '/no/such/file': No such file or directory; nor is it a rule"),
    ("@on any: drop after", "cannot read 'on any: drop after': No such file or directory"),
    ("/", "cannot read the fault script /: Is a directory"),
    ("on produce: error 6\nnode 9 up:", "line 2, column 1: expected 'on' or 'at'"),
    ("at 1s: node 2 up", "expected node 1: this cluster has no other, found '2'"),
])
def test_script_that_is_none(argument, words):
    result = kproducer("broker", "--listen", "127.0.0.1:0", "--fault", argument)
    assert result.code == 2
    assert len(result.lines) == 1 and words in result.err


def test_script_from_a_file_and_several_at_once(own_devbroker, lines):
    first = lines(b"on produce: delay 1ms # slow\n\n", "a.fault")
    second = lines(b"on fetch: delay 1ms", "b")
    path = first.parent / "control"
    own_devbroker("--control", path, "--fault", first, "--fault", f"@{second}", "--fault", "on any: delay 1ms")
    listed = Control(path)("list").out.decode().splitlines()
    assert [line.split(": ", 2)[2] for line in listed] == ["on produce: delay 1ms", "on fetch: delay 1ms", "on any: delay 1ms"]


def test_documented_examples_are_scripts(own_devbroker, lines):
    text = (REPOSITORY / "docs" / "fault-script.md").read_text().split("## Examples")[1]
    rules = [line.strip() for line in text.splitlines() if line.startswith(("    on ", "    at "))]
    assert len(rules) > 10
    own_devbroker("--nodes", "3", "--fault", lines("\n".join(rules).encode()))


def test_documented_words_are_understood(own_devbroker, lines):
    """Every example in the first cells of the tables: conditions, actions on a request, actions on the cluster."""
    text = (REPOSITORY / "docs" / "fault-script.md").read_text()
    tables = [part.strip() for part in re.split(r"(?m)^(?!\|)", text) if "|---|" in part]
    forms = {"| condition | the request |": "on produce {}: drop after", "| condition | fires for |": "on produce {}: drop after"}
    rules = []
    for table in tables:
        head, _, *rows = table.splitlines()
        if head == "| command | |":
            continue
        words = [word for row in rows for word in re.findall(r"`([^`]+)`", row.split(" | ")[0])]
        is_of_cluster = any(word.startswith("leader ") for word in words)
        form = forms.get(head, "at 1h: {}" if is_of_cluster else "on produce: {}")
        rules += [form.format(word) for word in words]
    assert len(rules) > 30
    own_devbroker("--nodes", "3", "--fault", lines("\n".join(rules).encode()))


def test_fault_command(faulty):
    broker = faulty()
    control = broker.control
    assert control("add", "on produce chance=5%: drop after").out == b"rule 1\n"
    assert control("add", "on fetch: delay 1ms\nat 1h: node 1 down").out == b"rules 2 to 3\n"
    assert control("list").out.decode().splitlines()[0] == "rule 1: matched 0, fired 0: on produce chance=5%: drop after"
    assert [r["id"] for r in control("list", "--json").json["rules"]] == [1, 2, 3]
    assert control("add", "on fetch: delay 1ms # one; not two\non fetch client=\"#\": delay 2ms # \"\n at 2h: node 1 up").out == b"rules 4 to 6\n"
    assert [control("remove", str(n)).out for n in (4, 5, 6)] == [b""] * 3
    assert control("remove", "1").out == b""
    result = control("remove", "1", code=1)
    assert result.lines == ["kproducer: there is no rule 1"]
    result = control("add", "on produce: dely 1s", code=2)
    assert result.lines[0].startswith("kproducer: line 1, column 17: expected an action")
    assert "did you mean 'delay'?" in result.err
    result = control(stdin=b"list\n\nnonsense\nclear\n", code=2)
    assert len(result.out.splitlines()) == 2 and len(result.lines) == 1
    assert control("list").out == b""
    assert b"do ACTION" in control("help").out
    status = control("status").out.decode().splitlines()
    assert status[0].startswith("node 1 port ") and status[0].endswith(": up, 0 connections")
    for topic in ("errors", "ok"):  # the words that end an answer
        broker.create_topic(topic)
    status = control("status").out.decode().splitlines()
    assert [line.split(":")[0] for line in status if line.startswith("partition ")] == ["partition errors/0", "partition ok/0"]
    assert control("list", "nonsense", code=2).out == b""
    assert json.loads(control("status", "--json").out)["nodes"][0]["state"] == "up"


def test_fault_command_without_a_broker(tmp_path):
    path = tmp_path / "nobody"
    result = kproducer("fault", "--control", path, "list")
    assert (result.code, len(result.lines)) == (1, 1)
    assert f"cannot reach the broker at {path}: No such file or directory (is it running with --control?)" in result.err
    result = kproducer("fault", "--control", "x" * 200, "list")
    assert result.code == 1 and "at most 107 bytes" in result.err
    assert kproducer("fault", "list").code == 2
    assert kproducer("fault", "--control", path, "--json", "clear").code == 2


def test_broker_that_ends_breaks_the_command_off(faulty):
    broker = faulty()
    process = start("fault", "--control", broker.control.path)
    process.stdin.write(b"help\n")
    process.stdin.flush()
    assert process.stdout.readline().startswith(b"  add RULE")
    assert broker.stop() == 0
    process.stdin.write(b"list\nlist\nlist\n")
    result = finish(process)
    assert result.code == 1
    assert len(result.lines) == 1 and result.lines[0].startswith("kproducer: the broker ")


def test_control_socket_is_cleared_up_after_a_kill(faulty, tmp_path):
    broker = faulty()
    path = broker.control.path
    result = kproducer("broker", "--listen", "127.0.0.1:0", "--control", path)
    assert result.code == 1
    assert result.lines == [f"kproducer: cannot listen on {path}: another program listens there"]
    broker.stop(signal.SIGKILL)
    assert path.exists()
    (tmp_path / "second").mkdir()
    second = DevBroker(tmp_path / "second", "--control", path)
    try:
        assert Control(path).node(1)["state"] == "up"
    finally:
        assert second.stop() == 0
    assert not path.exists()
