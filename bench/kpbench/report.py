"""What the runs say, as text: tables of minimum, median and maximum, ratios, floors, and why not to trust them."""

import os
import pathlib
import platform

from . import floors
from .groups import US
from .text import middle, spread

BUSY = 0.1  # of one core, by others: past it a figure is doubtful

NOT_EQUAL = (
    "the limits are no clients: one thread, no metadata, no retries, no reports; limit is not idempotent, limit-idempotent is",
    "kproducer runs on its defaults (32 MiB of buffer) and reports in batches; the others have 256 MiB and call back per record",
    "the peers' first record goes before their clock starts, kproducer's does not",
    "CPU and peak memory are those of the whole process, its start included, which `start CPU` shows apart (a run of one record)",
    "records/s are by each program's own clock, from the first send to the last report; the server runs on the same machine",
    "an idempotent sarama has one request in flight, as it demands",
    "transactions: the peers' first second, or half of their records, goes before their clock starts, kproducer's does not; librdkafka speaks the"
    " classic protocol to any cluster",
)


def machine():
    model = [line.split(":", 1)[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().split("\n") if line.startswith("model name")]
    return f"{os.cpu_count()} x {model[0] if model else platform.machine()}, Linux {platform.release()}"


def us(name):
    return lambda r: (r.latency_us or {}).get(name)


FULL = (("M records/s", lambda r: r.rate / 1e6, spread),)
RATED = tuple((f"{label} us", us(name), spread) for label, name in (("p50", "p50"), ("p99", "p99"), ("p99.9", "p999")))
COMMITS = (("commits/s", lambda r: r.commits, spread),
           *((f"commit {p} ms", lambda r, p=p: (r.latency_us or {}).get(p, 0) / 1e3 or None, spread) for p in ("p50", "p99")))
ALWAYS = (("CPU ns/record", floors.cpu_ns, spread), ("peak RSS MiB", lambda r: r.max_rss_kib / 1024, spread),
          ("threads", lambda r: r.max_threads, middle))
SENT = (("sent B/record", floors.sent_bytes, middle), ("records/batch", lambda r: r.records / r.batches if r.batches else None, middle))


def columns(group):
    """(title, what of a run, how several are shown)"""
    if group.is_transactional:
        return COMMITS + FULL + ALWAYS
    return (RATED if group.is_latency else FULL) + ALWAYS + SENT


def rows(results, group):
    """The table of a group: its head, and a row for each case and program."""
    starts = {(r.case, r.program): r for r in results.select(group.name, start=True)}
    several = len({case for case, _ in results.entries(group.name)}) > 1
    head = [*["case"] * several, "program", *(title for title, *_ in columns(group)), *["start CPU ms"] * bool(starts)]
    table = [head]
    for case, program in results.entries(group.name):
        mine = results.select(group.name, case, program)
        cells = [show([get(r) for r in mine]) if all(get(r) is not None for r in mine) else "-" for _, get, show in columns(group)]
        start = [f"{starts[case, program].cpu_s * 1e3:.0f}" if (case, program) in starts else "-"] * bool(starts)
        table.append([*[case] * several, program, *cells, *start])
    return table


def aligned(table, n_left):
    widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
    return ["  ".join(c.ljust(w) if i < n_left else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths))).rstrip() for row in table]


def ratio(results, group, case, other, get):
    """Our median by another's."""
    return floors.quotient(results.median(group, case, US, get), results.median(group, case, other, get))


def ratios(results, group):
    """Lines: ours by each other's, case by case."""
    lines = []
    latencies = [("p50", us("p50")), ("p99", us("p99"))] if group.is_latency or group.is_transactional else []
    measures = [*latencies, *[("records/s", floors.rate)] * (not group.is_latency), ("CPU per record", floors.cpu_ns)]
    entries = results.entries(group.name)
    for case in dict.fromkeys(c for c, _ in entries):
        others = [p for c, p in entries if c == case and p != US]
        if not others or (case, US) not in entries:
            continue
        of_case = f" ({case})" if len({c for c, _ in entries}) > 1 else ""
        for title, get in measures:
            texts = [f"{ratio(results, group.name, case, p, get):.3g} x {p}" for p in others]
            lines.append(f"{US}'s {title}{of_case}: " + ", ".join(texts))
    return lines


def busy(runs):
    others = [r.other_cpu_s / r.wall_s for r in runs]
    n = sum(o > BUSY for o in others)
    return [f"The machine was busy: in {n} of {len(runs)} runs others took more than {BUSY:.0%} of a core (at most {max(others):.0%}). Do"
            " not trust these figures."] if n else []


def doubts(results, group):
    """Why not to trust the figures."""
    runs = results.select(group.name)
    found = []
    packed = {c.name: c.size for c in group.cases if c.codec != "none"}
    plain = [f"{r.program} ({r.case})" for r in runs
             if r.round == 1 and r.case in packed and (floors.sent_bytes(r) or 0) >= packed[r.case]]
    if plain:
        found.append(f"Not compressed, so not the same work: {', '.join(plain)}.")
    return found + busy(runs)


def group_text(results, group):
    rounds = results.rounds[group.name]
    cases = group.cases
    of = str(cases[0]) if len(cases) == 1 else f"{len(cases)} cases"
    table = rows(results, group)
    lines = [f"{group.title}: {of}; {rounds} round{'s' * (rounds != 1)}, interleaved; minimum/median/maximum", "",
             *aligned(table, 1 + (table[0][0] == "case")), "", *ratios(results, group)]
    lines += [floors.verdict_text(*v) for v in floors.verdicts(results, group.name)]
    return "\n".join(lines + doubts(results, group)) + "\n"


def settings_text(results):
    """A line for each program, for the first group in which it ran."""
    shown = {}
    for group in results.groups:
        for program, text in results.settings.get(group, {}).items():
            shown.setdefault(program, text)
    width = max(map(len, shown), default=0)
    return ["Settings (of the first case that each ran):",
            *(f"{p:{width}}  {results.versions[p] + ': ' if p in results.versions else ''}{text}" for p, text in shown.items())]


PROBED = {
    "idle": ("a minute idle", ("wakeups_per_second", "cpu_percent")), "down": ("all brokers down", ("cpu_percent", "accepted", "failed")),
    "first": ("first record, base, kproducer", ("ms",)), "flush": ("flush of what is queued", ("queued", "seconds")),
    "codec": ("the codec alone", ("ns_per_record", "ratio")),
}


def probe_rows(results):
    """(title, field, minimum/median/maximum) of each probe's fields."""
    table = [["probe", "figure", "minimum/median/maximum"]]
    for name, (title, fields) in PROBED.items():
        for group in dict.fromkeys(p.get("group") for p in results.probe(name)):
            found = results.probe(name, group=group)
            for field in fields:
                table.append([f"{title}, {group}" if group else title, field, spread([p[field] for p in found])])
    return table


def first_record_rows(results):
    """The peers' first record, of the base case's runs; ours is a probe."""
    table = []
    for case, program in results.entries("base"):
        values = [r.first_ms for r in results.select("base", case, program) if r.first_ms is not None]
        if values:
            table.append([f"first record, {case}, {program}", "ms", spread(values)])
    return table


def probes_text(results):
    table = probe_rows(results) + first_record_rows(results)
    lines = aligned(table, 2) if len(table) > 1 else []
    return lines + [floors.verdict_text(*v) for g in ("idle", "all brokers down") for v in floors.verdicts(results, g)]
