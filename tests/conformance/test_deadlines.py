"""Every wait ends within a second of its deadline, whatever the broker does: flush, synchronous send, report, blocked send, close."""

import signal

import pytest

from servers import Server
from test_library import PROGRAMS, library, prefix, program  # noqa: F401 (fixtures)


@pytest.fixture
def every_deadline(program):
    return program(PROGRAMS / "every_deadline.c")


@pytest.mark.parametrize("behave", [None, Server.silence, Server.closes], ids=["nobody-listens", "never-answers", "always-closes"])
def test_every_deadline_is_kept_without_a_broker(every_deadline, behave):
    with Server(behave) as server:
        every_deadline(server.address, "t")


def test_every_deadline_is_kept_when_the_development_broker_stops(every_deadline, own_devbroker):
    broker = own_devbroker()
    every_deadline(broker.servers, broker.create_topic("t"), broker.process.pid)


def test_every_deadline_is_kept_when_kafka_stops(every_deadline, kafka, name):
    topic = kafka.create_topic(name)
    try:
        every_deadline(kafka.servers, topic, kafka.process.pid)
    finally:
        kafka.process.send_signal(signal.SIGCONT)
