"""The raw differential's laboratory: both brokers, and the topics of every script that is to run. What differs is told at the end."""

import pytest

from exceptions import DIFFERENCES
from laboratory import Laboratory
from script import SCRIPTS

from brokers import DevBroker, Kafka

LABORATORY = pytest.StashKey()


def scripts_of(request):
    """Those that are to run in the laboratory that is asked for."""
    items = (item for item in request.session.items if request.fixturename in getattr(item, "fixturenames", ()))
    return [SCRIPTS[item.callspec.params["name"]] for item in items if hasattr(item, "callspec")]


@pytest.fixture(scope="module")
def laboratory(devbroker, kafka, request):
    made = Laboratory(devbroker, kafka, scripts_of(request))
    request.config.stash[LABORATORY] = made
    yield made
    made.clean_up()


@pytest.fixture(scope="module")
def laboratory_at_version_1(tmp_path_factory, request):
    """Both brokers with transaction.version finalized at 1: they offer KIP-890 and do not use it among themselves."""
    kafka = Kafka(tmp_path_factory.mktemp("kafka-at-version-1"), features=["transaction.version=1"])
    devbroker = DevBroker(tmp_path_factory.mktemp("devbroker-at-version-1"), "--transaction-version", "1")
    yield Laboratory(devbroker, kafka, scripts_of(request))
    devbroker.stop()
    kafka.close()


def pytest_terminal_summary(terminalreporter, config):
    made = config.stash.get(LABORATORY, None)
    if not made:
        return
    terminalreporter.section("raw differential")
    terminalreporter.write_line(f"{len(made.seen)} scripts, {made.n_steps} answers compared; the development broker differs on purpose:")
    for d in DIFFERENCES:
        if d in made.used:
            terminalreporter.write_line(f"  {d.scripts}: {d.api} {d.path}: {d.reason}")
