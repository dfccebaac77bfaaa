"""examples/transfer.c and copier.c, read back by a consumer of committed records that is not ours."""

import subprocess
import sys

import pytest

from command import ENVIRONMENT, produce, run
from test_library import EXAMPLES, library, prefix, program  # noqa: F401 (fixtures)
from txn_script import settled, settled_offset


@pytest.mark.parametrize("name", ["transfer", "copier"])
def test_example_compiles_as_c99_and_as_cplusplus_17(name, prefix):
    [include] = prefix.rglob("include")
    options = ["-Wall", "-Wextra", "-Werror", f"-I{include}", "-fsyntax-only", EXAMPLES / f"{name}.c"]
    for compiler in (["gcc", "-std=c99", "-D_GNU_SOURCE", "-pedantic-errors"], ["g++", "-x", "c++", "-std=c++17"]):
        result = run([*compiler, *options])
        assert result.code == 0, result


# ------------------------------------------------------------------ transfer


@pytest.fixture
def accounts(broker, name):
    return [broker.create_topic(f"{name}-{what}") for what in ("debits", "credits")]


def test_transfers_are_whole(broker, accounts, program, name):
    lines = b"".join(b"a%d b%d %d\n" % (i, i, i) for i in range(20)) + b"no transfer\n"
    result = program(EXAMPLES / "transfer.c")(broker.servers, name, *accounts, stdin=lines, code=1)
    assert (result.out, result.err) == (b"20 transfers\n", "not FROM TO AMOUNT: no transfer\n")
    assert [settled(broker, topic) for topic in accounts] == [[f"{sign}{i}" for i in range(20)] for sign in "-+"]


def test_a_transfer_that_fails_half_way_is_made_anew(own_devbroker, program):
    broker = own_devbroker("--fault", "on produce topic=credits first=2: error INVALID_RECORD", "--fault", "on end_txn nth=2: drop after")
    topics = [broker.create_topic(topic) for topic in ("debits", "credits")]
    result = program(EXAMPLES / "transfer.c")(broker.servers, "t", *topics, stdin=b"a b 1\na b 2\n")
    assert result.out == b"2 transfers\n" and result.err.count("a to b, again: ") == 2 and "INVALID_RECORD" in result.err
    assert [settled(broker, topic) for topic in topics] == [["-1", "-2"], ["+1", "+2"]]


def test_a_transfer_that_goes_on_failing_is_given_up_and_the_cause_told(broker, name, accounts, program):
    result = program(EXAMPLES / "transfer.c")(broker.servers, name, accounts[0], "no topic's name", stdin=b"a b 1\n", code=1)
    assert "no topic names" in result.err
    assert settled(broker, accounts[0]) == []


# ------------------------------------------------------------------ copier


def kcat_reader(broker, group, topic):
    """Leaves its group when it has read all."""
    options = "-X enable.auto.commit=false -X isolation.level=read_committed -X auto.offset.reset=earliest -X session.timeout.ms=6000"
    return rf"kcat -b {broker.servers} -G {group} {options} -e -u -q -f '%t\t%p\t%o\t%s\n' {topic}"


READER = """
import sys
import time
from confluent_kafka import Consumer, KafkaException, TopicPartition
servers, group, topic, end = sys.argv[1:]
c = Consumer({"bootstrap.servers": servers, "group.id": group, "isolation.level": "read_committed", "enable.auto.commit": False,
              "enable.partition.eof": True})
while True:
    try:
        [at] = c.committed([TopicPartition(topic, 0)], 60)
        break
    except KafkaException as e:  # the group's coordinator is being made
        if not e.args[0].retriable() and e.args[0].name() not in ("NOT_COORDINATOR", "COORDINATOR_LOAD_IN_PROGRESS"):
            raise
        time.sleep(0.05)
c.assign([TopicPartition(topic, 0, max(at.offset, 0))])
while True:
    m = c.poll(60)
    if m is None or m.error():
        if end == "stop":
            break
        continue
    print(m.topic(), m.partition(), m.offset(), m.value().decode(), sep="\\t", flush=True)
"""


@pytest.fixture
def reader(tmp_path):
    """The command of a reader that assigns the partition by hand; `stop`: at its end."""
    script = tmp_path / "reader.py"
    script.write_text(READER)
    return lambda broker, group, topic, end="stop": f"exec {sys.executable} {script} {broker.servers} {group} {topic} {end}"


def fill(broker, topic, n, first=0):
    produce(broker, topic, stdin=b"".join(b"r%d\n" % i for i in range(first, first + n)))


def expected(n):
    return [f"R{i}" for i in range(n)]


def test_copier_copies_once_and_commits_its_offsets(broker, name, program, reader):
    source, to = (broker.create_topic(f"{name}-{what}") for what in ("from", "to"))
    fill(broker, source, 250)
    copier = program(EXAMPLES / "copier.c")
    result = copier(broker.servers, name, name, to, reader(broker, name, source))
    assert result.out == b"committed 100\ncommitted 100\ncommitted 50\n" and settled(broker, to) == expected(250)
    assert settled_offset(broker, name, source) == 250
    assert copier(broker.servers, name, name, to, reader(broker, name, source)).out == b"", "there is nothing left"
    fill(broker, source, 10, 250)
    copier(broker.servers, name, name, to, reader(broker, name, source), "3")
    assert settled(broker, to) == expected(260)


def test_copier_reads_what_kcat_prints_as_a_member_of_the_group(each_kafka, name, program):
    broker = each_kafka
    source, to = (broker.create_topic(f"{name}-{what}") for what in ("from", "to"))
    fill(broker, source, 250)
    program(EXAMPLES / "copier.c")(broker.servers, name, name, to, kcat_reader(broker, name, source))
    assert settled(broker, to) == expected(250) and settled_offset(broker, name, source) == 250


def test_copier_that_is_killed_goes_on_where_it_was(broker, name, program, library, reader):
    source, to = (broker.create_topic(f"{name}-{what}") for what in ("from", "to"))
    fill(broker, source, 3000)
    copier, env = program(EXAMPLES / "copier.c"), {"LD_LIBRARY_PATH": str(library)}
    for round in range(4):
        process = subprocess.Popen([copier.binary, broker.servers, name, name, to, reader(broker, name, source, "stay"), "7"],
                                   stdout=subprocess.PIPE, env=ENVIRONMENT | env)
        for _ in range(20 + 13 * round):
            assert process.stdout.readline().startswith(b"committed ")
        process.kill()
        process.wait()
        process.stdout.close()
    copier(broker.servers, name, name, to, reader(broker, name, source), "50")
    assert settled(broker, to) == expected(3000)


def test_copier_whose_reader_has_lost_its_place_ends(broker, name, program):
    source, to = (broker.create_topic(f"{name}-{what}") for what in ("from", "to"))
    lines = rf"printf '#group\t5\tgone\n{source}\t0\t0\tr0\n'"
    result = program(EXAMPLES / "copier.c")(broker.servers, name, name, to, lines, code=1)
    assert ("UNKNOWN_MEMBER_ID" in result.err or "ILLEGAL_GENERATION" in result.err) and settled(broker, to) == []
    assert settled_offset(broker, name, source) is None


def test_copier_leaves_out_what_its_reader_reads_again(broker, name, program):
    source, to = (broker.create_topic(f"{name}-{what}") for what in ("from", "to"))
    lines = "".join(rf"{source}\t0\t{i}\tr{i}\n" for i in (0, 1, 2, 1, 2, 3, 0, 4))
    program(EXAMPLES / "copier.c")(broker.servers, name, name, to, f"printf '{lines}'", "2")
    assert settled(broker, to) == expected(5) and settled_offset(broker, name, source) == 5


def test_copier_ends_with_a_line_that_it_does_not_understand(broker, name, program):
    to = broker.create_topic(name)
    result = program(EXAMPLES / "copier.c")(broker.servers, name, name, to, "echo bad", code=1)
    assert "not TOPIC, PARTITION, OFFSET, VALUE: bad" in result.err and settled(broker, to) == []
