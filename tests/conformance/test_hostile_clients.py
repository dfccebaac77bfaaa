"""The development broker among clients that mean it no good: its memory, its idleness, and the service of others hold."""

import contextlib
import itertools
import os
import pathlib
import random
import resource
import socket
import struct
import threading
import time

import pytest

from command import produce, wait_until
from readers import kcat

CONNECTIONS = 10_000
MIB = 1 << 20
SLACK = 96 * MIB  # the program itself, its topics, and what malloc keeps

API_VERSIONS = struct.pack(">ihhih", 10, 18, 0, 1, 0)


def fetch(topic, size):
    """Fetch version 4 of the topic's partition 0 from offset 0 on, answered at once."""
    body = struct.pack(">iiiibi", -1, 0, 0, size, 0, 1) + struct.pack(">h", len(topic)) + topic + struct.pack(">iiqi", 1, 0, 0, size)
    return struct.pack(">ihhih", 10 + len(body), 1, 4, 1, 0) + body


class Process:
    """What the kernel says of it."""

    def __init__(self, broker):
        self.folder = pathlib.Path(f"/proc/{broker.process.pid}")

    def status(self, field):
        return int(next(line for line in (self.folder / "status").read_text().splitlines() if line.startswith(field + ":")).split()[1])

    @property
    def resident(self):
        return self.status("VmRSS") * 1024

    @property
    def peak(self):
        return self.status("VmHWM") * 1024

    @property
    def wakeups(self):
        return self.status("voluntary_ctxt_switches")

    @property
    def files(self):
        return len(os.listdir(self.folder / "fd"))

    @property
    def lowest_free_file(self):
        return next(i for i in itertools.count() if not (self.folder / "fd" / str(i)).is_symlink())

    @property
    def cpu_seconds(self):
        user, system = (self.folder / "stat").read_text().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def is_asleep(self, seconds=0.5):
        before = self.wakeups
        time.sleep(seconds)  # not a wait for something: the time in which nothing may happen
        return self.wakeups == before


@pytest.fixture(scope="module", autouse=True)
def many_files():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = CONNECTIONS + 1000
    if soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, max(hard, needed)))  # above `hard` it takes root


@pytest.fixture
def crowd(own_devbroker):
    """A broker of one's own, and a function that connects to it."""
    broker = own_devbroker()
    host, _, port = broker.servers.rpartition(":")
    with contextlib.ExitStack() as stack:

        def connect(n):
            return [stack.enter_context(socket.create_connection((host, int(port)), 20)) for _ in range(n)]

        yield broker, connect


def assert_serves(broker, topic, lines):
    """A client of good will is served, and not slowly."""
    content = b"".join(b"line %d\n" % i for i in range(1000))
    result = produce(broker, topic, lines(content), timeout=60)
    assert result.seconds < 20
    assert kcat(broker, topic) == content


def receive(connection, n):
    got = bytearray()
    while len(got) < n:
        got += connection.recv(n - len(got))
    return bytes(got)


def positions(text, word):
    at = -1
    while (at := text.find(word, at + 1)) >= 0:
        yield at


def is_closed(connection):
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def said(broker, tmp_path):
    return "".join(path.read_text() for path in tmp_path.glob("devbroker-*/stderr"))


def test_ten_thousand_connections(crowd, lines, name):
    broker, connect = crowd
    process = Process(broker)
    resident, files = process.resident, process.files
    all_of_them = connect(CONNECTIONS)
    for connection in all_of_them:
        connection.sendall(API_VERSIONS)
    for connection in all_of_them:
        assert len(connection.recv(4096)) > 50
    assert_serves(broker, name, lines)
    assert process.resident - resident < SLACK
    wait_until(process.is_asleep, "no wake-up with ten thousand connections")
    for connection in all_of_them:
        connection.close()
    wait_until(lambda: process.files == files, "as many descriptors as before")


def test_ten_thousand_begun_requests(crowd, lines, name):
    broker, connect = crowd
    process = Process(broker)
    resident = process.resident
    for connection in connect(CONNECTIONS):
        connection.sendall(struct.pack(">i", 100 * MIB) + b"\0")
    assert_serves(broker, name, lines)
    assert process.resident - resident < SLACK
    wait_until(process.is_asleep, "no wake-up while nothing comes")


def test_absurd_lengths_and_counts_and_garbage(crowd, lines, name):
    broker, connect = crowd
    process = Process(broker)
    resident = process.resident
    for first in (
        b"\x7f\xff\xff\xff", b"\x80\0\0\0", b"\xff\xff\xff\xff", b"\0\0\0\0", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\0\x01",
        struct.pack(">ihhih", 14, 3, 1, 1, 0) + b"\x7f\xff\xff\xff",  # Metadata of 2147483647 topics
        struct.pack(">ihhih", 24, 0, 3, 1, 0) + b"\xff\xff\0\x01\0\0\0\0\x7f\xff\xff\xff\0\0",  # Produce to as many
        struct.pack(">ihhih", 10, 32767, 0, 1, 0),
        struct.pack(">ihhih", 10, 3, 99, 1, 0),
    ):
        for connection in connect(20):
            connection.sendall(first)
            assert is_closed(connection), first
    chance = random.Random(1)
    noise = chance.randbytes(MIB)
    for connection in connect(200):
        with contextlib.suppress(ConnectionError):
            connection.sendall(noise[: 1 + chance.randrange(MIB)])
    assert_serves(broker, name, lines)
    assert process.resident - resident < SLACK


def test_topics_by_the_hundred_thousand(crowd, lines, name):
    """One Metadata request that makes as many topics as there may be; then there are no more."""
    broker, connect = crowd
    process = Process(broker)
    resident = process.resident
    broker.create_topic(name)
    (connection,) = connect(1)
    for first, errors in ((0, 0), (100_000, 1), (200_000, 100_000)):
        names = b"".join(struct.pack(">h", len(topic)) + topic for topic in (b"many_%07d" % i for i in range(first, first + 100_000)))
        begin = time.monotonic()
        connection.sendall(struct.pack(">ihhihi", 15 + len(names), 3, 4, 1, 0, 100_000) + names + b"\1")
        answer = receive(connection, int.from_bytes(receive(connection, 4)))
        assert time.monotonic() - begin < 10
        codes = [answer[at - 3] for at in positions(answer, b"many_")]  # the name's length is between
        assert (len(codes), sum(code != 0 for code in codes)) == (100_000, errors)
    assert process.resident - resident < 400 * MIB
    assert_serves(broker, name, lines)


def test_drip_senders_do_not_fill_the_memory(crowd, lines, name, tmp_path):
    """Twelve requests of 100 MB that stop short of their end: more than the 512 MiB that begun requests may take."""
    broker, connect = crowd
    process = Process(broker)
    resident = process.resident
    piece = bytes(MIB)
    drips = connect(12)
    for connection in drips:
        with contextlib.suppress(ConnectionError):
            connection.sendall(struct.pack(">i", 100_000_000))
            for _ in range(80):
                connection.sendall(piece)
    assert_serves(broker, name, lines)
    assert process.peak - resident < 512 * MIB + SLACK + 200 * MIB  # a buffer that doubles is there twice for a moment
    assert "unfinished requests" in said(broker, tmp_path)
    wait_until(process.is_asleep, "no wake-up while nothing comes")
    assert is_closed(drips[0]), "the first one was the longest without a whole request"


def test_slow_drips_keep_nobody_waiting(crowd, lines, name):
    broker, connect = crowd
    drips = connect(500)
    stop = threading.Event()

    def drip():
        at = 0
        frame = struct.pack(">ihhih", 10_000, 3, 1, 1, 0) + bytes(9_990)
        while not stop.is_set() and at < len(frame):
            for connection in drips:
                connection.sendall(frame[at : at + 1])
            at += 1

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        assert_serves(broker, name, lines)
    finally:
        stop.set()
        thread.join()


def test_clients_that_ask_and_do_not_read(crowd, lines, name, tmp_path):
    """A hundred and twenty connections that ask for 8 MB ten times each and read nothing: what is written for them stays within 512 MiB."""
    broker, connect = crowd
    process = Process(broker)
    produce(broker, name + "-large", lines((b"x" * 900_000 + b"\n") * 9, "large"))
    resident = process.resident
    asks = fetch((name + "-large").encode(), 8 * MIB) * 10
    for connection in connect(120):
        with contextlib.suppress(ConnectionError):
            connection.sendall(asks)
    assert_serves(broker, name, lines)
    assert process.peak - resident < 512 * MIB + SLACK + 64 * MIB
    wait_until(process.is_asleep, "no wake-up while nobody reads")


def test_storm_of_connections(crowd, lines, name):
    broker, _ = crowd
    process = Process(broker)
    resident, files = process.resident, process.files
    host, _, port = broker.servers.rpartition(":")

    def storm(first):
        for i in range(2500):
            with socket.create_connection((host, int(port)), 20) as connection:
                if i % 2:
                    connection.sendall(first)

    threads = [threading.Thread(target=storm, args=[first]) for first in (API_VERSIONS, b"\0", b"\xff" * 8, fetch(b"none", 1))]
    for thread in threads:
        thread.start()
    assert_serves(broker, name, lines)
    for thread in threads:
        thread.join()
    wait_until(lambda: process.files == files, "as many descriptors as before")
    assert process.resident - resident < SLACK


@pytest.mark.parametrize("when", ["before", "later"])
def test_out_of_descriptors(own_devbroker, lines, name, tmp_path, when):
    """More connections than open files: those longest unused go, whoever comes is served and his records kept, nothing spins."""
    broker = own_devbroker("--dir", tmp_path / "data", under=["prlimit", "--nofile=300:300"] if when == "before" else [])
    hard = 300 if when == "before" else 2000  # the broker makes use of it when it starts
    resource.prlimit(broker.process.pid, resource.RLIMIT_NOFILE, (300, hard))
    process = Process(broker)
    host, _, port = broker.servers.rpartition(":")
    with contextlib.ExitStack() as stack:
        crowd = [stack.enter_context(socket.create_connection((host, int(port)), 20)) for _ in range(1000)]
        assert_serves(broker, name, lines)
        assert is_closed(crowd[0])
        assert "ulimit -n" in said(broker, tmp_path)
        assert said(broker, tmp_path).count("ulimit -n") == 1
        assert process.files <= 300
        wait_until(process.is_asleep, "no wake-up while nothing comes")
        if when == "before":
            return
        resource.prlimit(broker.process.pid, resource.RLIMIT_NOFILE, (hard, hard))
        later = [stack.enter_context(socket.create_connection((host, int(port)), 20)) for _ in range(1000)]
        for connection in later:
            connection.sendall(API_VERSIONS)
        for connection in later:
            assert len(connection.recv(4096)) > 50, "the limit that was raised is used"


def test_no_descriptor_for_the_first_connection(own_devbroker, lines, name, tmp_path):
    """With no connection to close for it, who comes waits without costing anything, and is served by itself when the limit is raised."""
    broker = own_devbroker()
    process = Process(broker)
    host, _, port = broker.servers.rpartition(":")
    files = process.files
    resource.prlimit(broker.process.pid, resource.RLIMIT_NOFILE, (process.lowest_free_file, 1000))
    with socket.create_connection((host, int(port)), 20) as waiting:
        waiting.sendall(API_VERSIONS)
        wait_until(lambda: "cannot accept connections" in said(broker, tmp_path), "the broker says it")
        cpu, wakeups = process.cpu_seconds, process.wakeups
        time.sleep(1)  # not a wait for something: the time in which little may happen
        assert process.cpu_seconds - cpu <= 0.05
        assert process.wakeups - wakeups <= 30
        assert process.files == files
        resource.prlimit(broker.process.pid, resource.RLIMIT_NOFILE, (1000, 1000))
        assert len(waiting.recv(4096)) > 50
        assert_serves(broker, name, lines)
        assert said(broker, tmp_path).count("cannot accept connections") == said(broker, tmp_path).count("raise ulimit -n") == 1
