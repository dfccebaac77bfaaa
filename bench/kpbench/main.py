"""The command line: which suite, builds, groups, tables."""

import argparse
import dataclasses
import pathlib
import re
import signal
import sys
import time

from . import build, document, measure, probes, report
from .groups import GROUPS, SUITES, estimate_s, handled
from .paths import OUT, BenchError
from .programs import PROGRAMS
from .results import Results, read
from .targets import TARGETS


def parse():
    p = argparse.ArgumentParser(prog="bench/run", description="Producers beside each other on the same work. See bench/README.md.")
    p.add_argument("suite", nargs="?", choices=list(SUITES), default="full", help="which groups of cases and programs (full)")
    p.add_argument("--rounds", type=int, help="instead of each group's")
    p.add_argument("--scale", type=float, default=1, metavar="F", help="times as many records a run (1)")
    p.add_argument("--programs", metavar="A,B", help=f"only these of {', '.join(PROGRAMS)}; no probes")
    p.add_argument("--cases", metavar="REGEX", help="only groups (one is `probes`) whose name matches, or else cases; --list shows them")
    p.add_argument("--check", action="store_true", help="the sink checks checksums, records and sequences: slower, for tests")
    p.add_argument("--json", type=pathlib.Path, metavar="FILE", help="where all runs go (build/bench/SUITE.json)")
    p.add_argument("--from", dest="kept", type=pathlib.Path, metavar="FILE", help="show, or write, what is in such a file; nothing runs")
    p.add_argument("--write", action="store_true", help="write the document's tables and plots anew, of a whole run of full")
    p.add_argument("--document", type=pathlib.Path, default=document.DOCUMENT, metavar="FILE", help="docs/performance.md")
    p.add_argument("--list", action="store_true", help="show groups, cases, programs and how long they may take, and end")
    p.add_argument("--build", metavar="A,B", help="only build these (programs, sink, limit, timed, probe), into build/bench")
    a = p.parse_args()
    if (a.rounds is not None and a.rounds < 1) or a.scale <= 0:
        p.error("--rounds and --scale are more than 0")
    if a.write and not a.kept and (a.suite != "full" or a.cases or a.programs):
        p.error("--write wants a whole run of full: without --cases and --programs")
    return a


def narrowed(group, names, pattern):
    """The group with only these programs, and cases whose name matches."""
    entries = [(c, n) for c, n in handled(group.entries) if n in names and re.search(pattern, c.name)]
    return dataclasses.replace(group, entries=tuple(entries))


def choose(a):
    """(groups, whether the probes run)"""
    suite = SUITES[a.suite]
    names = a.programs.split(",") if a.programs else list(PROGRAMS)
    unknown = [n for n in names if n not in PROGRAMS]
    if unknown:
        raise BenchError(f"no program {', '.join(unknown)}; there are {', '.join(PROGRAMS)}")
    pattern = a.cases or ""
    try:
        has_probes = a.suite == "full" and not a.programs and bool(re.search(pattern, "probes"))
        named = [g for g in suite if re.search(pattern, g.name)]
    except re.error as e:
        raise BenchError(f"--cases {a.cases}: no regular expression: {e}") from None
    groups = [narrowed(g, names, "" if named else pattern) for g in named or suite if named or not has_probes]
    groups = [g for g in groups if g.entries]
    if not groups and not has_probes:
        raise BenchError(f"no such case of {a.suite} for {', '.join(names)}; there are {', '.join(g.name for g in suite)}")
    return groups, has_probes


def say(text):
    """Progress, for whoever watches."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def show_list(a, groups, has_probes):
    for g in groups:
        print(f"{g.name}: {', '.join(c.name for c in g.cases)}\n    {', '.join(g.programs)}; {a.rounds or g.rounds} rounds,"
              f" {estimate_s([g], a.rounds, a.scale):.0f} s")
    seconds = estimate_s(groups, a.rounds, a.scale)
    if has_probes:
        print(f"probes: {', '.join(report.PROBED)}; {probes.estimate_s(a.scale):.0f} s")
        seconds += probes.estimate_s(a.scale)
    print(f"about {seconds / 60:.0f} min, without builds and installation")


class Targets:
    """Those that cost something to start serve all their groups."""

    def __init__(self, check):
        self.check = check
        self.made = {}

    def get(self, kind):
        if kind not in self.made:
            self.made[kind] = TARGETS[kind](check=self.check)
        return self.made[kind]

    def close(self):
        for target in self.made.values():
            target.close()


def measure_all(a, groups, has_probes, results, path):
    """A group that cannot be measured is named, the others still are. What is there is kept after each."""
    targets = Targets(a.check)
    plan = measure.Plan(a.rounds or 0, a.scale, say, targets.get)
    try:
        for group in groups:
            attempt(results, group.name, lambda: measure.run_group(group, plan, results))
            if group.name in results.groups:
                print(report.group_text(results, group), flush=True)
            results.write(path)
        if has_probes:
            attempt(results, "probes", lambda: probes.run_all(results, targets.get("sink"), plan))
    finally:
        targets.close()


def attempt(results, name, do):
    try:
        do()
        say("")
    except BenchError as e:
        say("")
        results.failures.append(f"{name}: {e}")
        print(f"bench: {results.failures[-1]}", file=sys.stderr, flush=True)


def summary(results):
    print("\n".join([*report.probes_text(results), *report.settings_text(results), "Not equal:", *(f"- {t}" for t in report.NOT_EQUAL)]))


def from_file(a):
    try:
        results = read(a.kept)
    except (ValueError, KeyError, TypeError) as e:
        raise BenchError(f"{a.kept} is no file of runs that bench/run wrote: {type(e).__name__}: {e}") from None
    if not a.write:
        for name in results.groups:
            print(report.group_text(results, GROUPS[name]))
        summary(results)
    return results


def run_suite(a):
    begin = time.monotonic()
    groups, has_probes = choose(a)
    if a.list:
        show_list(a, groups, has_probes)
        return None
    needs = [need for g in groups for n in g.programs for need in PROGRAMS[n].needs]
    build.build(["timed", "sink", *needs, *["probe"] * (has_probes or any(g.codec_probe for g in groups))])
    results = Results(a.suite, report.machine())
    path = a.json or OUT / f"{a.suite}.json"
    print(results.machine + "\n", flush=True)
    measure_all(a, groups, has_probes, results, path)
    results.seconds = time.monotonic() - begin
    results.write(path)
    summary(results)
    counted = f"not measured: {', '.join(f.partition(':')[0] for f in results.failures)}" if results.failures else \
        "every record was counted by the target"
    print(f"{counted}; {results.seconds:.0f} s; all runs: {path}")
    return results


def run(a):
    if a.build:
        build.build(a.build.split(","))
        return 0
    results = from_file(a) if a.kept else run_suite(a)
    if results and a.write:
        document.write(results, a.document)
        print(f"written: {a.document}")
    return 1 if results and results.failures else 0


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is stopped on the way out
    try:
        return run(parse())
    except (BenchError, OSError) as e:
        say("")
        print(f"bench: {e}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
