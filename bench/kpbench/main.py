"""The command line: which suite, builds, rounds, tables."""

import argparse
import pathlib
import re
import signal
import sys
import time

from . import build, measure, report
from .cases import SUITES
from .payload import payload
from .paths import OUT, BenchError
from .programs import PROGRAMS
from .targets import TARGETS


def parse():
    p = argparse.ArgumentParser(prog="bench/run", description="Producers beside each other on the same work. See bench/README.md.")
    p.add_argument("suite", nargs="?", choices=list(SUITES), default="full", help="which cases, programs and rounds (full)")
    p.add_argument("--rounds", type=int, help="instead of the suite's")
    p.add_argument("--scale", type=float, default=1, metavar="F", help="times as many records a run (1)")
    p.add_argument("--programs", metavar="A,B", help=f"only these of {', '.join(PROGRAMS)}")
    p.add_argument("--cases", metavar="REGEX", help="only cases whose name matches; --list shows the names")
    p.add_argument("--check", action="store_true", help="the sink checks checksums, records and sequences: slower, for tests")
    p.add_argument("--json", type=pathlib.Path, metavar="FILE", help="where all runs go (build/bench/SUITE.json)")
    p.add_argument("--list", action="store_true", help="show cases and programs, and end")
    p.add_argument("--build", metavar="A,B", help="only build these (programs, sink, limit, timed), into build/bench")
    a = p.parse_args()
    if (a.rounds is not None and a.rounds < 1) or a.scale <= 0:
        p.error("--rounds and --scale are more than 0")
    return a


def choose(a):
    suite = SUITES[a.suite]
    names = a.programs.split(",") if a.programs else suite.programs
    unknown = [n for n in names if n not in PROGRAMS]
    if unknown:
        raise BenchError(f"no program {', '.join(unknown)}; there are {', '.join(PROGRAMS)}")
    try:
        cases = [c for c in suite.cases if re.search(a.cases or "", c.name)]
    except re.error as e:
        raise BenchError(f"--cases {a.cases}: no regular expression: {e}") from None
    cases = [c for c in cases if any(PROGRAMS[n].handles(c) for n in names)]
    if not cases:
        raise BenchError(f"no such case of {a.suite} for {', '.join(names)}; there are {', '.join(c.name for c in suite.cases)}")
    return names, cases


def say(text):
    """Progress, for whoever watches."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def measure_all(a, names, cases):
    """Case by case; targets that cost something to start serve all their cases. Yields (case, rounds, starts, runs)."""
    for kind in dict.fromkeys(c.target for c in cases):
        target = TARGETS[kind](check=a.check)
        try:
            for case in (c for c in cases if c.target == kind):
                programs = [PROGRAMS[n] for n in names if PROGRAMS[n].handles(case)]
                plan = measure.Plan(a.rounds or SUITES[a.suite].rounds[kind], a.scale, payload(case.size), say)
                yield case, plan.rounds, *measure.run_case(case, programs, target, plan)
        finally:
            target.close()


def run(a):
    begin = time.monotonic()
    if a.build:
        build.build(a.build.split(","))
        return
    names, cases = choose(a)
    if a.list:
        print("cases:", *(c.name for c in cases), "\nprograms:", *names)
        return
    build.build(["timed", "sink", *(need for n in names for need in PROGRAMS[n].needs)])
    results, versions = [], {}
    print(report.machine() + "\n", flush=True)
    for case, rounds, starts, runs in measure_all(a, names, cases):
        say("")
        results.append((case, starts, runs))
        versions |= {r.program: r.version for r in runs if r.version}
        print(report.case_text(case, rounds, starts, runs), flush=True)
    print("\n".join(report.settings(names, cases, versions)))
    print(report.NOT_EQUAL)
    path = a.json or OUT / f"{a.suite}.json"
    report.write_json(path, a.suite, results)
    print(f"every record was counted by the target; {time.monotonic() - begin:.0f} s; all runs: {path}")


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is stopped on the way out
    try:
        run(parse())
    except (BenchError, OSError) as e:
        say("")
        print(f"bench: {e}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0
