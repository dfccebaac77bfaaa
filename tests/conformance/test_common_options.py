"""The options that the commands share, and what overrides what."""

import pytest

from command import kproducer


def used(devbroker, topic, *args, name="linger.ms", **options):
    """The value in force of a property, as perf's result tells it."""
    result = kproducer("perf", "-b", devbroker.servers, "-t", topic, "-n", "1", "--json", *args, **options)
    assert result.code == 0, result
    return result.json["settings"][name]


def test_properties_come_from_files_environment_and_command_line_in_this_order(devbroker, name, lines):
    devbroker.create_topic(name)
    file, second = lines(b"linger.ms=1\n", "first"), lines(b"linger.ms=2\n", "second")
    env = {"KPRODUCER_LINGER_MS": "3"}
    assert used(devbroker, name) == "5"
    assert used(devbroker, name, "-F", file) == "1"
    assert used(devbroker, name, "-F", file, "--properties-file", second) == "2"
    assert used(devbroker, name, "-X", "linger.ms=4", "--property", "linger.ms=6", "-F", file, env=env) == "6"
    assert used(devbroker, name, "-F", file, env=env) == "3"


def test_servers_and_topic_by_their_long_names(devbroker, name):
    devbroker.create_topic(name)
    assert kproducer("produce", "--bootstrap-server", devbroker.servers, "--topic", name, stdin=b"x\n").code == 0


def test_connect_timeout_bounds_the_wait():
    for command in (["produce", "-t", "t"], ["perf", "-t", "t"], ["topics", "list"]):
        result = kproducer(*command, "-b", "127.0.0.1:1", "--connect-timeout", "0.3")
        assert result.code == 3 and 0.2 < result.seconds < 3
        assert "cannot reach the cluster at 127.0.0.1:1 within 0.3 s" in result.err


def test_flush_timeout_is_a_duration():
    for bad in ("soon", "-1", ""):
        result = kproducer("produce", "-b", "127.0.0.1:1", "-t", "t", "--flush-timeout", bad)
        assert result.code == 2 and "--flush-timeout wants seconds" in result.err


def test_quiet_says_nothing_of_success(devbroker, name):
    devbroker.create_topic(name)
    for quiet in ("-q", "--quiet"):
        result = kproducer("produce", "-b", devbroker.servers, "-t", name, quiet, stdin=b"x\n")
        assert result.code == 0 and result.out == b"" and result.err == ""


def test_verbose_shows_the_librarys_log(devbroker, name):
    devbroker.create_topic(name)
    said = [len(kproducer("produce", "-b", devbroker.servers, "-t", name, *args, stdin=b"x\n").lines) for args in ([], ["-v"], ["--verbose", "-v"])]
    assert said[0] == 1 < said[1] <= said[2]


@pytest.mark.parametrize("args", [["-X", "novalue"], ["-X", "=1"], ["-X"], ["-b"], ["--connect-timeout", "soon"], ["--json=1"], ["-F", "/no/such/file"]], ids=" ".join)
def test_usage(args):
    result = kproducer("topics", "list", "-b", "127.0.0.1:1", *args)
    assert result.code == 2 and len(result.lines) == 1 and result.err.startswith("kproducer: ")
