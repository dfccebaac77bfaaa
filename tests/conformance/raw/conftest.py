"""The raw differential's laboratory: both brokers, and the topics of every script that is to run. What differs is told at the end."""

import pytest

from exceptions import DIFFERENCES
from laboratory import Laboratory
from script import SCRIPTS

LABORATORY = pytest.StashKey()


@pytest.fixture(scope="module")
def laboratory(devbroker, kafka, request):
    names = [item.callspec.params["name"] for item in request.session.items if "laboratory" in getattr(item, "fixturenames", ())
             and hasattr(item, "callspec")]
    made = Laboratory(devbroker, kafka, [SCRIPTS[name] for name in names])
    request.config.stash[LABORATORY] = made
    yield made
    made.clean_up()


def pytest_terminal_summary(terminalreporter, config):
    made = config.stash.get(LABORATORY, None)
    if not made:
        return
    terminalreporter.section("raw differential")
    terminalreporter.write_line(f"{len(made.seen)} scripts, {made.n_steps} answers compared; the development broker differs on purpose:")
    for d in DIFFERENCES:
        if d in made.used:
            terminalreporter.write_line(f"  {d.scripts}: {d.api} {d.path}: {d.reason}")
