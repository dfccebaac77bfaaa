"""The load, built against the library of KP_BUILD, and a broker that keeps nothing."""

import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "conformance"))

from brokers import DevBroker  # noqa: E402
from command import BUILD, REPOSITORY, run  # noqa: E402


@pytest.fixture(scope="session")
def load(tmp_path_factory):
    """A function that runs the load, perhaps under another program; what it printed."""
    folder = tmp_path_factory.mktemp("load")
    # -fno-builtin: its memmove is to be called, and not to become a call of itself
    done = run(["cc", "-std=gnu11", "-O2", "-fno-builtin", "-Wall", "-Wextra", "-Werror", f"-I{REPOSITORY}/include", "-o", folder / "load",
                HERE / "load.c", f"-L{BUILD}", "-lkproducer", f"-Wl,-rpath,{BUILD}", "-ldl"])
    assert done.code == 0, done.err
    broker = DevBroker(folder, "--discard", "--partitions", "6", "-q")

    def run_load(size, warm, n, *properties, under=()):
        # Linger that no batch reaches: at full load they are full before it is over, and on a slow machine they shall be, too.
        given = ["linger.ms=60000", "delivery.timeout.ms=120000", *properties]
        result = run([*under, folder / "load", broker.servers, "budget", size, warm, n, *given])
        assert result.code == 0, result
        return result.json

    yield run_load
    broker.stop()
