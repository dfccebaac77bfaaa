"""One run of one program, and the rounds of a group."""

import dataclasses
import json
import os
import pathlib
import subprocess
import time
import types

from . import probes
from .cases import records
from .groups import handled
from .paths import OUT, BenchError
from .payload import payload
from .programs import PROGRAMS
from .results import Run
from .targets import cpu_seconds

TIME_OUT = 180
NO_SLACK = ("--timer-slack", 1)  # with a rate: else the kernel's 50 us would be in every latency, of every program


def busy_seconds():
    """CPU time of the whole machine, idle and waiting left out."""
    fields = [int(f) for f in pathlib.Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / os.sysconf("SC_CLK_TCK")


def call(program, command, slack=()):
    """What it printed, and what `timed` says of it."""
    used = OUT / f"used-{os.getpid()}.json"
    try:
        done = subprocess.run([str(a) for a in [OUT / "timed", *slack, used, *command]], capture_output=True, text=True, timeout=TIME_OUT,
                              env=os.environ | program.env)
    except subprocess.TimeoutExpired:
        raise BenchError(f"{program.name} is not done after {TIME_OUT} s") from None
    if done.returncode:
        raise BenchError(f"{program.name} ended with {done.returncode}: {(done.stderr + done.stdout).strip()[-500:]}")
    text = used.read_text()
    used.unlink()
    return done.stdout, json.loads(text)


def run_once(program, case, target, n, values):
    """(Run, Result) of one run. The target has to have counted what the program says was acknowledged, and that is all that was to be
    sent."""
    with target.one_run(case):
        busy, server = busy_seconds(), cpu_seconds(target.pid)
        out, used = call(program, program.command(case, target, n, values), NO_SLACK if case.rate else ())
        busy, server = busy_seconds() - busy, cpu_seconds(target.pid) - server
    r = program.parse(out)
    counted, wrong = target.records()
    if not n == r.acknowledged == counted or wrong:
        raise BenchError(
            f"{program.name}, {case}: {n} to send, {r.acknowledged} acknowledged, {counted} counted by the target {wrong}".rstrip())
    if (case.rate or case.transaction) and n > 1 and not r.latency_us:
        raise BenchError(f"{program.name}, {case}: it printed no latencies")
    cpu = used["user_s"] + used["sys_s"]
    run = Run("", case.name, program.name, 0, n, r.seconds, cpu, used["max_rss_kib"], used["max_threads"], used["wall_s"], server,
              max(0, busy - server - cpu), **target.counted(), latency_us=r.latency_us, first_ms=r.first_ms, threads=r.threads, timed=r.timed,
              transactions=r.transactions)
    return run, r


@dataclasses.dataclass
class Plan:
    rounds: int  # 0: each group's own
    scale: float  # times the records that a run would have
    say: object  # called with a line of progress
    targets: object  # called with a kind: the target


def add(results, group, run, number):
    run.group, run.round = group.name, number
    results.runs.append(run)


def note(results, group, case, program):
    """How the program is called, without what differs from run to run and machine to machine."""
    by_program = results.settings.setdefault(group.name, {})
    by_program.setdefault(program.name, program.settings(case))
    if program.name == "kproducer":
        somewhere = types.SimpleNamespace(servers="HOST:PORT", topic="bench")
        argv = program.command(case, somewhere, "N", f"payload-{case.size}.txt")
        results.commands[case.name] = " ".join(str(a) for a in ["kproducer", *argv[1:-1]])


def run_group(group, plan, results):
    """Every program once to see what its start costs (not along a dimension), then the rounds, each from another one on: who runs behind
    whom is not the same twice."""
    entries = [(case, PROGRAMS[name]) for case, name in handled(group.entries)]
    rounds = plan.rounds or group.rounds
    for case, program in entries:
        note(results, group, case, program)
        if not group.is_dimension:
            run, r = run_once(program, case, plan.targets(case.target), 1, payload(case.size))
            add(results, group, run, 0)
            if r.version:
                results.versions[program.name] = r.version
    for i in range(1, rounds + 1):
        first = (i - 1) % len(entries)
        for case, program in entries[first:] + entries[:first]:
            begin = time.monotonic()
            n = records(case, program.name, group.seconds * plan.scale)
            run, _ = run_once(program, case, plan.targets(case.target), n, payload(case.size))
            add(results, group, run, i)
            plan.say(f"{group.name} round {i}/{rounds} {case.name} {program.name}: {run.rate / 1e6:.3g} M records/s,"
                     f" {time.monotonic() - begin:.1f} s")
        if group.codec_probe:
            case = group.cases[0]
            probes.add(results, probes.codec(case.codec, case.size), group=group.name, round=i)
    results.groups.append(group.name)
    results.rounds[group.name] = rounds
