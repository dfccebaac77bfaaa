"""Running the kproducer command of KP_BUILD, and waiting for things with a deadline."""

import dataclasses
import json
import os
import pathlib
import subprocess
import time

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("KP_BUILD", REPOSITORY / "build")).resolve()
KPRODUCER = BUILD / "kproducer"

# Seconds that are enough on a machine that has much else to do; only what hangs takes so long.
PATIENCE = 60

# KPRODUCER_* are properties to the command; those of the scripts that run the tests are none.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("KPRODUCER_")}


@dataclasses.dataclass
class Result:
    code: int
    out: bytes
    err: str
    seconds: float

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def lines(self):
        """What was said on standard error, a line each."""
        return self.err.splitlines()


def run(command, stdin=b"", timeout=2 * PATIENCE, env=None):
    start = time.monotonic()
    source = {"stdin": stdin} if hasattr(stdin, "fileno") else {"input": stdin}
    done = subprocess.run([str(part) for part in command], capture_output=True, timeout=timeout, env=ENVIRONMENT | (env or {}), **source)
    return Result(done.returncode, done.stdout, done.stderr.decode(errors="replace"), time.monotonic() - start)


def kproducer(*args, **options):
    return run([KPRODUCER, *args], **options)


def produce(broker, topic, *args, code=0, **options):
    """`kproducer produce`, whose exit code has to be `code`."""
    result = kproducer("produce", "-b", broker.servers, "-t", topic, *args, **options)
    assert result.code == code, result
    return result


def start(*args, **options):
    """kproducer in the background, with pipes unless told otherwise."""
    streams = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE) | options
    return subprocess.Popen([str(part) for part in (KPRODUCER, *args)], env=ENVIRONMENT, **streams)


def finish(process, timeout=2 * PATIENCE):
    """The end of what start() began."""
    begin = time.monotonic()
    try:
        out, err = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return Result(process.returncode, out or b"", (err or b"").decode(errors="replace"), time.monotonic() - begin)


def wait_until(condition, what, seconds=PATIENCE):
    """What `condition` returns as soon as that is true."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.02)
    return value
