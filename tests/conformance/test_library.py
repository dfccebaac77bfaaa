"""Programs against the installed library: those of the README and of examples/, and those in programs/ that check the interface."""

import os
import re
import time

import pytest

from command import BUILD, REPOSITORY, run
from readers import count, kcat, records, values
from servers import Server

PROGRAMS = REPOSITORY / "tests" / "conformance" / "programs"
EXAMPLES = REPOSITORY / "examples"


@pytest.fixture(scope="session")
def prefix(tmp_path_factory):
    """The tree that `cmake --install` makes."""
    folder = tmp_path_factory.mktemp("installed")
    result = run(["cmake", "--install", BUILD, "--prefix", folder])
    assert result.code == 0, result
    return folder


@pytest.fixture(scope="session")
def library(prefix):
    [pc] = prefix.rglob("kproducer.pc")
    return pc.parent.parent


@pytest.fixture(scope="session")
def program(prefix, library, tmp_path_factory):
    """A function that compiles a program as the README says, and gives a function that runs it."""
    folder = tmp_path_factory.mktemp("programs")

    def compile(source):
        result = run(["pkg-config", "--cflags", "--libs", "kproducer"], env={"PKG_CONFIG_PATH": str(library / "pkgconfig")})
        assert result.code == 0 and str(prefix) in result.out.decode(), result
        binary = folder / source.stem
        done = run(["cc", "-Wall", "-Wextra", "-Werror", "-o", binary, source, *result.out.decode().split(), "-pthread"])
        assert done.code == 0, done.err

        def start(*args, code=0, env=None, **options):
            done = run([binary, *args], env={"LD_LIBRARY_PATH": str(library)} | (env or {}), **options)
            assert done.code == code, done
            return done

        start.binary = binary
        return start

    return compile


def numbers(n):
    return b"".join(b"%d\n" % i for i in range(n))


def test_readme_program_sends_a_log_file(broker, topic, program, log_file):
    content = log_file.read_bytes()
    with open(log_file, "rb") as source:
        result = program(EXAMPLES / "send.c")(broker.servers, topic, stdin=source)
    n = content.count(b"\n") + (not content.endswith(b"\n"))
    assert result.out == b"%d of %d persisted\n" % (n, n)
    assert kcat(broker, topic) == content + (b"" if content.endswith(b"\n") else b"\n")


@pytest.mark.parametrize("name, says", [
    ("async_callback", b"5000 persisted, 0 failed\n"),
    ("report_queue", b"5000 persisted, 0 failed\n"),
])
def test_example_that_reads_lines(broker, topic, program, name, says):
    result = program(EXAMPLES / f"{name}.c")(broker.servers, topic, stdin=numbers(5000))
    assert (result.out, result.err) == (says, "")
    assert kcat(broker, topic) == numbers(5000)


@pytest.mark.parametrize("name, says", [
    ("batch", b"5000 persisted, 0 failed\n"),
    ("fire_and_forget", b"5000 persisted, 0 not, 0 unknown, 0 never accepted\n"),
])
def test_example_that_makes_records(broker, topic, program, name, says):
    result = program(EXAMPLES / f"{name}.c")(broker.servers, topic, "5000")
    assert (result.out, result.err) == (says, "")
    assert len({r.value for r in records(broker, topic)}) == 5000


def test_example_of_synchronous_sending(broker, topic, program):
    result = program(EXAMPLES / "sync.c")(broker.servers, topic, "a", "b", "c")
    assert result.out == b"a: partition 0, offset 0\nb: partition 0, offset 1\nc: partition 0, offset 2\n"
    assert [r.value for r in records(broker, topic)] == [b"a", b"b", b"c"]


def test_example_of_errors_only_is_silent_about_the_others(broker, topic, program):
    result = program(EXAMPLES / "errors_only.c")(broker.servers, topic, stdin=numbers(5000))
    assert (result.out, result.err) == (b"", "5000 persisted, 0 not, 0 unknown\n")
    assert kcat(broker, topic) == numbers(5000)


def test_example_of_errors_only_gives_failed_records_back(broker, name, program):
    broker.create_topic(name, max_message_bytes=1000)
    too_large = b"x" * 2000 + b"\n"
    result = program(EXAMPLES / "errors_only.c")(broker.servers, name, stdin=too_large, code=1)
    assert result.out == too_large and "0 persisted, 1 not, 0 unknown" in result.err


def test_example_sends_again(own_devbroker, program):
    broker = own_devbroker("--fault", "on produce first=2: error TOPIC_AUTHORIZATION_FAILED")
    broker.create_topic("t")
    result = program(EXAMPLES / "resend.c")(broker.servers, "t", stdin=numbers(5000))
    n = int(result.out.split()[0])
    assert result.out == b"%d sent again with success, 0 lost\n" % n and n > 0
    found = records(broker, "t")
    assert sorted(int(r.value) for r in found) == list(range(5000))
    assert sum(("retry_count", b"1") in r.headers or ("retry_count", b"2") in r.headers for r in found) == n


def test_example_tells_what_is_lost(own_devbroker, program):
    broker = own_devbroker("--fault", "on produce first=1: error INVALID_RECORD")
    broker.create_topic("t")
    result = program(EXAMPLES / "resend.c")(broker.servers, "t", stdin=b"bad\n", code=1)
    assert result.out == b"0 sent again with success, 1 lost\n" and "bad: INVALID_RECORD" in result.err


def test_every_field_of_a_record_is_read_back(broker, name, program):
    broker.create_topic(name, partitions=2)
    before = time.time_ns() // 1000000
    reports = [tuple(map(int, line.split())) for line in program(PROGRAMS / "fields.c")(broker.servers, name).out.splitlines()]
    [full], rest = records(broker, name, 1), records(broker, name, 0)
    assert (full.key, full.value, full.timestamp) == (b"key\0with nul", b"value", 1234567890123)
    assert full.headers == [("trace", b"\0\1\2"), ("empty", b""), ("null", None), ("trace", b"again")]
    assert [(r.key, r.value, r.headers) for r in rest] == [(b"k", None, []), (b"", b"", []), (None, None, [])]
    assert [r.timestamp for r in rest[:2]] == sorted(r.timestamp for r in rest[:2]) and rest[0].timestamp >= before
    assert rest[2].timestamp == 0
    assert reports == [(r.partition, r.offset, r.timestamp) for r in [full, *rest]]


def test_report_carries_the_brokers_time_where_the_topic_wants_it(each_kafka, name, program):
    each_kafka.create_topic(name, partitions=2, message_timestamp_type="LogAppendTime")
    before = time.time_ns() // 1000000
    reports = [tuple(map(int, line.split())) for line in program(PROGRAMS / "fields.c")(each_kafka.servers, name).out.splitlines()]
    assert all(timestamp >= before for _, _, timestamp in reports)
    assert reports == [(r.partition, r.offset, r.timestamp) for r in records(each_kafka, name, 1) + records(each_kafka, name, 0)]


@pytest.mark.parametrize("how", ["callback", "queue"])
def test_every_record_has_one_report_in_order(broker, name, program, how):
    broker.create_topic(name, partitions=5)
    program(PROGRAMS / "reports.c")(broker.servers, name, how)
    assert sum(count(broker, name).values()) == 20000


def test_groups_have_one_report_each(broker, topic, program):
    program(PROGRAMS / "groups.c")(broker.servers, topic)
    assert kcat(broker, topic) == numbers(51 * 200) + b"".join(b"%d\n" % i for i in range(50 * 200, 50 * 200 + 3))


def test_producers_share_a_runtime_and_threads_share_producers(broker, name, program):
    broker.create_topic(name, partitions=4)
    program(PROGRAMS / "shared_runtime.c")(broker.servers, name)
    wanted = {b"%d %d %d" % (p, t, i) for p in range(3) for t in range(4) for i in range(2000)}
    assert values(broker, name) == dict.fromkeys(wanted | {b"after the first was closed"}, 1)


def test_callback_may_send_but_not_wait(broker, topic, program):
    program(PROGRAMS / "in_callback.c")(broker.servers, topic)
    assert broker.partitions("never") == 0


def test_callback_may_close(broker, topic, program):
    program(PROGRAMS / "close_in_callback.c")(broker.servers, topic)


def test_topics_are_administered(broker, name, program):
    program(PROGRAMS / "admin.c")(broker.servers, name)


def test_calls_keep_their_deadlines_when_nobody_answers(program):
    with Server(Server.silence) as server:
        program(PROGRAMS / "deadlines.c")(server.address, "t")


def test_calls_keep_their_deadlines_when_dns_never_answers(silent_dns, program):
    program(PROGRAMS / "deadlines.c")("broker.example.com:9092", "t", env=silent_dns.env)
    assert silent_dns.socket.recv(1000), "the server was asked"


def test_calls_keep_their_deadlines_when_nobody_listens(program):
    with Server(None) as server:
        program(PROGRAMS / "deadlines.c")(server.address, "t")


def test_calls_keep_their_deadlines_when_the_broker_stops(own_devbroker, program):
    broker = own_devbroker()
    program(PROGRAMS / "deadlines.c")(broker.servers, broker.create_topic("t"), broker.process.pid)


def test_full_buffer_blocks_refuses_or_drops_the_oldest(program):
    with Server(Server.silence) as server:
        program(PROGRAMS / "full.c")(server.address, "t")


@pytest.mark.parametrize("policy", ["block", "refuse", "drop_oldest"])
def test_pressure_of_a_stopped_broker_is_counted_exactly(own_devbroker, program, policy):
    broker = own_devbroker()
    name = broker.create_topic("t", 2)
    lines = program(PROGRAMS / "pressure.c")(broker.servers, name, broker.process.pid, policy).out.decode().splitlines()
    fates = dict(line.split() for line in lines)
    in_log = {value.rstrip(b".").decode(): n for value, n in values(broker, name).items()}
    assert len(fates) == 6000 and in_log == {i: 1 for i, fate in fates.items() if fate == "persisted"}
    assert policy == "block" or len(in_log) < 6000


def test_events_and_logs_reach_their_callbacks(program):
    with Server(None) as server:
        program(PROGRAMS / "events.c")(server.address, server.address.rpartition(":")[2])


def test_pkg_config_and_header_agree_on_the_version(prefix, library):
    [header] = prefix.rglob("kproducer.h")
    version = ".".join(re.findall(r"#define KP_VERSION_\w+ (\d+)", header.read_text()))
    result = run(["pkg-config", "--modversion", "kproducer"], env={"PKG_CONFIG_PATH": str(library / "pkgconfig")})
    assert result.out.decode().strip() == version
    assert os.path.exists(library / "libkproducer.so.0") and os.path.exists(library / "libkproducer.a")
