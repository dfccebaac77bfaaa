"""The drivers: compiled once, started beside each other, stopped together."""

import functools
import json
import os
import pathlib
import subprocess

import confluent_kafka

from checker import told
from command import BUILD, ENVIRONMENT, PATIENCE, REPOSITORY, run

HERE = pathlib.Path(__file__).resolve().parent
OUT = BUILD / "chaos"
RATE, QUICK_RATE = 5000, 2000
# delivery.timeout.ms is 120 s, and the driver closes in 180 s.
END_S = 200

FLAGS = ["-std=c11", "-D_GNU_SOURCE", "-O2", "-g", "-Wall", "-Wextra", f"-I{REPOSITORY / 'include'}"]
CLOCK_STEP = OUT / "clock_step.so"
LIBRARIES = {"kproducer": [f"-L{BUILD}", "-lkproducer", f"-Wl,-rpath,{BUILD}"], "rdkafka": ["-lrdkafka"]}


def compile_c(*arguments):
    result = run(["cc", *FLAGS, *arguments])
    assert result.code == 0, result.err


def build_drivers():
    OUT.mkdir(parents=True, exist_ok=True)
    for name, libraries in LIBRARIES.items():
        compile_c(HERE / "driver.c", HERE / f"client_{name}.c", *libraries, "-lpthread", "-o", OUT / f"driver_{name}")
    compile_c("-shared", "-fPIC", HERE / "clock_step.c", "-o", CLOCK_STEP)


@functools.cache
def newest_librdkafka():
    """A folder where the library of the confluent-kafka wheel has the name that the driver was linked with."""
    libraries = pathlib.Path(confluent_kafka.__file__).parent.parent / "confluent_kafka.libs"
    found, = libraries.glob("librdkafka-*.so.1")
    link = OUT / "newest" / "librdkafka.so.1"
    link.parent.mkdir(exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(found)
    return link.parent


def environment(name, env=None):
    """Of a driver: the library that it is to run with."""
    env = ENVIRONMENT | (env or {})
    if name == "rdkafka":
        env = env | {"LD_LIBRARY_PATH": f"{newest_librdkafka()}:{os.environ.get('LD_LIBRARY_PATH', '')}"}
    return env


class Client:
    """A driver that runs. `label` is its row's name; `properties` are the client's."""

    def __init__(self, name, label, servers, topic, folder, rate, properties=(), env=None):
        self.name, self.label, self.topic = name, label, topic
        self.output, self.errors = folder / f"{topic}.records", folder / f"{topic}.stderr"
        with open(self.errors, "w") as errors:
            self.process = subprocess.Popen([OUT / f"driver_{name}", servers, topic, str(rate), self.output, *properties],
                                            env=environment(name, env), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, start_new_session=True)

    def stop_sending(self):
        self.process.stdin.close()
        self.process.stdin = None

    def result(self):
        """(its own summary, its records)"""
        try:
            out, _ = self.process.communicate(timeout=END_S + PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        said = self.errors.read_text()[-4000:]
        assert self.process.returncode == 0, f"{self.label} ended with {self.process.returncode}: {said}"
        return json.loads(out), told(self.output)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
