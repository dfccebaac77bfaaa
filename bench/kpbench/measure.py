"""One run of one program, and the rounds of a case."""

import dataclasses
import json
import os
import pathlib
import subprocess
import time

from .cases import records
from .paths import OUT, BenchError
from .targets import cpu_seconds

TIME_OUT = 180


@dataclasses.dataclass
class Run:
    program: str
    round: int
    records: int
    seconds: float  # by the program's clock, first send to last report
    cpu_s: float  # user and system time of the whole process, from outside, its start included
    max_rss_kib: int
    wall_s: float
    server_cpu_s: float
    other_cpu_s: float  # of everybody else on the machine meanwhile
    batch_bytes: int  # of the record batches that the target took; None when it does not tell
    version: str

    @property
    def rate(self):
        return self.records / self.seconds

    @property
    def cpu_ns(self):
        return self.cpu_s * 1e9 / self.records


def busy_seconds():
    """CPU time of the whole machine, idle and waiting left out."""
    fields = [int(f) for f in pathlib.Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / os.sysconf("SC_CLK_TCK")


def call(program, command):
    """What it printed, and what `timed` says of it."""
    used = OUT / f"used-{os.getpid()}.json"
    try:
        done = subprocess.run([str(a) for a in [OUT / "timed", used, *command]], capture_output=True, text=True, timeout=TIME_OUT,
                              env=os.environ | program.env)
    except subprocess.TimeoutExpired:
        raise BenchError(f"{program.name} is not done after {TIME_OUT} s") from None
    if done.returncode:
        raise BenchError(f"{program.name} ended with {done.returncode}: {(done.stderr + done.stdout).strip()[-500:]}")
    text = used.read_text()
    used.unlink()
    return done.stdout, json.loads(text)


def run_once(program, case, target, n, payload):
    """One run. The target has to have counted what the program says was acknowledged, and that is all that was to be sent."""
    with target.one_run(case):
        busy, server = busy_seconds(), cpu_seconds(target.pid)
        out, used = call(program, program.command(case, target, n, payload))
        busy, server = busy_seconds() - busy, cpu_seconds(target.pid) - server
    acknowledged, seconds, version = program.parse(out)
    counted, wrong = target.records()
    if not n == acknowledged == counted or wrong:
        raise BenchError(f"{program.name}, {case}: {n} to send, {acknowledged} acknowledged, {counted} counted by the target {wrong}".rstrip())
    cpu = used["user_s"] + used["sys_s"]
    return Run(program.name, 0, n, seconds, cpu, used["max_rss_kib"], used["wall_s"], server, max(0, busy - server - cpu),
               target.n_bytes, version)


@dataclasses.dataclass
class Plan:
    rounds: int
    scale: float  # times the records of the table of cases
    payload: pathlib.Path
    say: object  # called with a line of progress


def run_case(case, programs, target, plan):
    """Every program once to see what its start costs, then the rounds, in each every program once: (starts, runs)."""
    starts, runs = {}, []
    for program in programs:
        starts[program.name] = run_once(program, case, target, 1, plan.payload)
    for i in range(plan.rounds):
        for program in programs:
            begin = time.monotonic()
            run = run_once(program, case, target, records(case, program.name, plan.scale), plan.payload)
            run.round = i + 1
            runs.append(run)
            plan.say(f"{case.name} round {i + 1}/{plan.rounds} {program.name}: {run.rate / 1e6:.3g} M records/s,"
                     f" {time.monotonic() - begin:.1f} s")
    return starts, runs
