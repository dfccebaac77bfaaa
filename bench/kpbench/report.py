"""What the runs say: tables of minimum, median and maximum, ratios, the floors of the base case, and JSON."""

import dataclasses
import json
import os
import pathlib
import platform
import statistics

from .cases import BASE
from .programs import PROGRAMS

RATE_FLOOR, CPU_FLOOR = 3, 0.25  # against librdkafka, in the base case
RSS_FLOOR_MIB = 32 + 16  # buffer.memory and 16 MiB
BUSY = 0.1  # of one core, by others: past it a figure is doubtful
MEASURES = (("M records/s", lambda r: r.rate / 1e6), ("CPU ns/record", lambda r: r.cpu_ns), ("peak RSS MiB", lambda r: r.max_rss_kib / 1024))

NOT_EQUAL = """\
Not equal:
- the limits are no clients: one thread, no metadata, no retries, no reports; limit is not idempotent, limit-idempotent is
- kproducer runs on its defaults (32 MiB of buffer) and reports in batches; the others have 256 MiB and call back per record
- the peers' first record goes before their clock starts, kproducer's does not
- CPU and peak memory are those of the whole process, its start included, which `start CPU` shows apart (a run of one record)
- records/s are by each program's own clock, from the first send to the last report; the server runs on the same machine"""


def machine():
    model = [line.split(":", 1)[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().split("\n") if line.startswith("model name")]
    return f"{os.cpu_count()} x {model[0] if model else platform.machine()}, Linux {platform.release()}"


def median(runs, program, get):
    return statistics.median(get(r) for r in runs if r.program == program)


def spread(values):
    v = sorted(values)
    return f"{v[0]:.4g}/{statistics.median(v):.4g}/{v[-1]:.4g}"


def sent_bytes(runs):
    """What a record took in the batches that the target counted."""
    return statistics.median(r.batch_bytes / r.records for r in runs)


def table(starts, runs):
    rows = [["program", *(name for name, _ in MEASURES), "start CPU ms", "sent B/record"]]
    for name in starts:
        mine = [r for r in runs if r.program == name]
        rows.append([name, *(spread(map(get, mine)) for _, get in MEASURES), f"{starts[name].cpu_s * 1e3:.0f}",
                     f"{sent_bytes(mine):.0f}" if mine[0].batch_bytes else "-"])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join("  ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths))).rstrip() for row in rows)


def ratio(runs, name, get):
    """kproducer's median by another's."""
    return median(runs, "kproducer", get) / median(runs, name, get)


def ratios(names, runs):
    (_, rate), (_, cpu), _ = MEASURES
    others = [n for n in names if n != "kproducer"]
    return [f"kproducer's {title}: " + ", ".join(f"{ratio(runs, n, get):.{digits}f} x {n}" for n in others)
            for title, get, digits in (("records/s", rate, 2), ("CPU per record", cpu, 3)) if others]


def floors(names, runs):
    """(text, holds) of what the base case is to keep."""
    found = []
    for name in (n for n in names if n.startswith("librdkafka")):
        rate, cpu = (ratio(runs, name, get) for _, get in MEASURES[:2])
        found.append((f"records/s at least {RATE_FLOOR} x {name}: {rate:.2f}", rate >= RATE_FLOOR))
        found.append((f"CPU per record at most {CPU_FLOOR} x {name}: {cpu:.3f}", cpu <= CPU_FLOOR))
    rss = max(r.max_rss_kib for r in runs if r.program == "kproducer") / 1024
    found.append((f"peak RSS at most {RSS_FLOOR_MIB} MiB: {rss:.1f}", rss <= RSS_FLOOR_MIB))
    return found


def settings(names, cases, versions):
    """A line for each program, for the first of its cases."""
    width = max(map(len, names))
    lines = ["Settings" + (" (compression as in each case):" if len({c.codec for c in cases}) > 1 else ":")]
    for n in names:
        case = next((c for c in cases if PROGRAMS[n].handles(c)), None)
        if case:
            lines.append(f"{n:{width}}  {versions[n] + ': ' if n in versions else ''}{PROGRAMS[n].settings(case)}")
    return lines


def doubts(case, starts, runs):
    """Why not to trust the figures."""
    plain = [n for n in starts if case.codec != "none" and case.target == "sink"
             and sent_bytes([r for r in runs if r.program == n]) >= case.size]
    found = [f"Not compressed, so not the same work: {', '.join(plain)}."] if plain else []
    others = [r.other_cpu_s / r.wall_s for r in runs]
    if n := sum(o > BUSY for o in others):
        found.append(f"The machine was busy: in {n} of {len(runs)} runs others took more than {BUSY:.0%} of a core (at most"
                     f" {max(others):.0%}). Do not trust these figures.")
    return found


def case_text(case, rounds, starts, runs):
    names = list(starts)
    lines = [f"{case}; {rounds} round{'s' * (rounds != 1)}, interleaved; minimum/median/maximum", "", table(starts, runs), ""]
    if "kproducer" in names:
        lines += ratios(names, runs)
        if case == BASE and any(n.startswith("librdkafka") for n in names):
            lines += [f"floor: {text}: {'holds' if holds else 'DOES NOT HOLD'}" for text, holds in floors(names, runs)]
    return "\n".join(lines + doubts(case, starts, runs)) + "\n"


def write_json(path, suite, results):
    """results: [(case, starts, runs)]"""
    def row(run):
        return dataclasses.asdict(run) | {"records_per_second": run.rate, "cpu_ns_per_record": run.cpu_ns}

    path.write_text(json.dumps({
        "suite": suite, "machine": machine(),
        "cases": [{"case": dataclasses.asdict(case) | {"name": case.name},
                   "settings": {n: PROGRAMS[n].settings(case) for n in starts},
                   "start_cpu_s": {n: r.cpu_s for n, r in starts.items()}, "runs": [row(r) for r in runs]} for case, starts, runs in results],
    }, indent=1) + "\n")
