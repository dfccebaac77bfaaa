"""Every broker runs once per session. A case that takes `broker` runs against each of them, one that takes `each_kafka` against each
version of Apache Kafka, one that takes `kafka` against the newest. Nothing here may skip: what cannot run fails.
"""

import itertools
import os
import pathlib
import signal
import socket
import types

import pytest

from brokers import KAFKAS, DevBroker, Kafka, SecondKafka, start_kafka
from command import REPOSITORY, run
from summary import pytest_collection_modifyitems, pytest_terminal_summary  # noqa: F401 (hooks of pytest)

# A shell starts its background jobs with SIGINT ignored, and a program that is started so keeps it ignored: what we start shall not.
signal.signal(signal.SIGINT, signal.default_int_handler)

names = itertools.count()


def pytest_generate_tests(metafunc):
    """Versions that only the long run takes carry the marker `full`."""
    kafkas = [pytest.param(name, marks=[pytest.mark.full] * (run == "full")) for name, (_, run) in KAFKAS.items()]
    if "broker" in metafunc.fixturenames:
        metafunc.parametrize("broker", ["devbroker", *kafkas], indirect=True)
    if "each_kafka" in metafunc.fixturenames:
        metafunc.parametrize("each_kafka", kafkas, indirect=True)


@pytest.fixture(scope="session")
def kafkas(tmp_path_factory):
    """A function that gives the running Kafka of a name; each is started when it is first asked for, and only then."""
    assert "KAFKA_JARS" in os.environ, "KAFKA_JARS names the folder of Kafka's jars (scripts/setup --test)"
    running = {}

    def get(name):
        if name not in running:
            try:
                running[name] = start_kafka(name, tmp_path_factory.mktemp(name))
            except (AssertionError, OSError) as error:
                running[name] = error
        if isinstance(running[name], Exception):
            raise running[name]
        return running[name]

    yield get
    for broker in running.values():
        if not isinstance(broker, Exception):
            broker.close()


@pytest.fixture(scope="session")
def kafka(kafkas):
    return kafkas("kafka")


@pytest.fixture(scope="session")
def kafka_without_its_second(tmp_path_factory):
    """The newest one with two nodes, the second of which was there and is down: replicas=(1, 2) leaves one in sync."""
    first = Kafka(tmp_path_factory.mktemp("first"))
    try:
        SecondKafka(tmp_path_factory.mktemp("second"), first).close()
        yield first
    finally:
        first.close()


@pytest.fixture
def each_kafka(request, kafkas):
    return kafkas(request.param)


@pytest.fixture(scope="session")
def devbroker(tmp_path_factory):
    broker = DevBroker(tmp_path_factory.mktemp("devbroker"))
    yield broker
    assert broker.stop() == 0


@pytest.fixture
def own_devbroker(tmp_path):
    """A function that starts development brokers which the case may stop or pause."""
    started = []

    def start(*options, **how):
        folder = tmp_path / f"devbroker-{len(started)}"
        folder.mkdir()
        started.append(DevBroker(folder, *options, **how))
        return started[-1]

    yield start
    for broker in started:
        broker.stop()


@pytest.fixture
def broker(request, kafkas):
    return request.getfixturevalue("devbroker") if request.param == "devbroker" else kafkas(request.param)


@pytest.fixture
def topic(broker, request):
    """A new topic of one partition."""
    return broker.create_topic(new_name(request))


@pytest.fixture
def name(request):
    """A topic name that no one has used."""
    return new_name(request)


def new_name(request):
    return f"{request.function.__name__[5:][:60]}-{next(names)}"


@pytest.fixture
def lines(tmp_path):
    """A function that writes a file of the given bytes."""

    def write(content, name="lines"):
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write


@pytest.fixture(scope="session")
def log_file():
    """A log of this machine, as the README's demonstration takes it."""
    candidates = ["/var/log/dpkg.log", "/var/log/bootstrap.log", "/var/log/syslog", "/var/log/messages"]
    readable = [path for path in map(pathlib.Path, candidates) if os.access(path, os.R_OK) and path.stat().st_size]
    assert readable, f"no log file to send: none of {', '.join(candidates)}"
    return readable[0]


@pytest.fixture(scope="session")
def dns_to_port(tmp_path_factory):
    """A library to preload, which sends what goes to a DNS server to a port of ours."""
    library = tmp_path_factory.mktemp("preload") / "dns_to_port.so"
    source = REPOSITORY / "tests" / "conformance" / "programs" / "dns_to_port.c"
    done = run(["cc", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", library, source, "-ldl"])
    assert done.code == 0, done.err
    return library


@pytest.fixture
def silent_dns(dns_to_port):
    """A DNS server that never answers: its socket, and the environment in which it is everyone's."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as dns:
        dns.bind(("127.0.0.1", 0))
        dns.settimeout(0)
        yield types.SimpleNamespace(socket=dns, env={"LD_PRELOAD": str(dns_to_port), "TEST_DNS_PORT": str(dns.getsockname()[1])})
