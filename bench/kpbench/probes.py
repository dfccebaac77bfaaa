"""What is no rate: `probe` (bench/probe/) asks the library for one figure at a time and prints a JSON object."""

import json
import subprocess

from .cases import BASE, Case
from .paths import OUT, BenchError
from .payload import payload

REST_S = 60  # of idling, and of all brokers being down
FLUSHED, FLUSHED_CASE = 1_000_000, Case(partitions=200)  # so many that no batch is full, and all wait for the flush
TIMES = 5
MARGIN_S = 180


def run(*args):
    argv = [str(a) for a in (OUT / "probe", *args)]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=REST_S + MARGIN_S)
        return json.loads(done.stdout) if done.returncode == 0 else fail(args, done.returncode, done.stderr + done.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired) as e:
        raise BenchError(f"probe {args[0]}: {e}") from None


def fail(args, code, text):
    raise BenchError(f"probe {args[0]} ended with {code}: {text.strip()[-300:]}")


def add(results, figures, **where):
    results.probes.append(where | figures)


def codec(name, size):
    """What compressing costs by itself, on the bytes of batches like ours."""
    return {"probe": "codec"} | run("codec", "--codec", name, "--size", size, "-f", payload(size))


def run_all(results, sink, plan):
    """Idle for a minute, all brokers down for a minute, the first record, the flush of a million queued ones."""
    seconds = max(1, round(REST_S * min(1, plan.scale)))
    flushed = max(1000, int(FLUSHED * min(1, plan.scale)))
    times = plan.rounds or TIMES

    def against_sink(name, *args, case=BASE):
        plan.say(f"probe {name}")
        with sink.one_run(case):
            return {"probe": name} | run(name, "-b", sink.servers, "-t", sink.topic, *args)

    add(results, against_sink("idle", "--seconds", seconds))
    plan.say("probe down")
    add(results, {"probe": "down"} | run("down", "--seconds", seconds))
    for i in range(1, times + 1):
        add(results, against_sink("first"), round=i)
        add(results, against_sink("flush", "-n", flushed, case=FLUSHED_CASE), round=i)


def estimate_s(scale=1.0):
    return 2 * REST_S * min(1, scale) + TIMES * 1.5
