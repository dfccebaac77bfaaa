"""Servers that cannot be reached or are not Kafka: exit code 3 in time, and one line that names the server and the cause."""

import pytest

from command import kproducer
from servers import GARBAGE, HTTP, NEGATIVE_LENGTH, TLS_ALERT, TWO_GIGABYTES, WRONG_CORRELATION, Server

TIMEOUT_SECONDS = 1
SLACK_SECONDS = 4  # other work on the machine; the time-outs that must not be waited for are 10 s and longer

STRANGERS = {
    "nobody listens": (None, ["refused"]),
    "silence": (Server.silence, ["answer"]),
    "accepts and closes": (Server.closes, ["clos", "reset"]),
    "HTTP": (Server.says(HTTP), ["HTTP"]),
    "TLS": (Server.says(TLS_ALERT), ["TLS"]),
    "garbage": (Server.says(GARBAGE), ["not a Kafka broker"]),
    "a length of 2 GB": (Server.says(TWO_GIGABYTES), ["2147483647 bytes", "not a Kafka broker"]),
    "a negative length": (Server.says(NEGATIVE_LENGTH), ["not a Kafka broker"]),
    "an answer to something else": (Server.says(WRONG_CORRELATION), ["answer"]),
}

COMMANDS = {
    "produce": ["produce", "-t", "t"],
    "perf": ["perf", "-t", "t", "-n", "10"],
    "topics": ["topics", "list"],
}


def unreachable(address, *causes, command="produce", env=None):
    options = ["-b", address, "--connect-timeout", TIMEOUT_SECONDS]
    result = kproducer(*COMMANDS[command], *options, stdin=b"a\nb\n", env=env)
    assert result.code == 3 and result.out == b"", result
    assert result.seconds < TIMEOUT_SECONDS + SLACK_SECONDS
    assert len(result.lines) == 1 and result.err.startswith("kproducer: ") and address in result.err, result
    assert any(cause in result.err for cause in causes), result
    return result


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("stranger", STRANGERS)
def test_stranger(stranger, command):
    behave, causes = STRANGERS[stranger]
    with Server(behave) as server:
        unreachable(server.address, *causes, command=command)


def test_connection_attempts_are_paced():
    with Server(Server.closes) as server:
        unreachable(server.address, "clos", "reset")
        assert 2 <= server.n_accepted <= 12


def test_host_that_does_not_exist():
    unreachable("no-such-host.invalid:9092", "resolve no-such-host.invalid")


@pytest.mark.parametrize("command", COMMANDS)
def test_dns_server_that_never_answers(silent_dns, command):
    unreachable("broker.example.com:9092", "broker.example.com", command=command, env=silent_dns.env)
    assert b"broker\7example" in silent_dns.socket.recv(1000), "the server was asked"


def test_good_server_behind_bad_ones_is_found(devbroker, name):
    devbroker.create_topic(name)
    with Server(None) as nobody, Server(Server.says(HTTP)) as web:
        servers = f"no-such-host.invalid:9092,{nobody.address},{web.address},{devbroker.servers}"
        result = kproducer("produce", "-b", servers, "-t", name, "--connect-timeout", 10, stdin=b"a\n")
    assert result.code == 0 and "all persisted" in result.err


def test_name_with_several_addresses(devbroker, name):
    devbroker.create_topic(name)
    port = devbroker.servers.rpartition(":")[2]
    assert kproducer("produce", "-b", f"localhost:{port}", "-t", name, stdin=b"a\n").code == 0
