"""docs/performance.md: what stands between its markers is written anew from the runs of one measurement, with a plot for each group.

    <!-- bench:begin NAME -->  a group's name, or machine, floors, probes, settings
    <!-- bench:end -->
"""

import re

from . import floors, plot, report
from .groups import GROUPS, NEWEST, US
from .paths import ROOT, BenchError
from .text import least_middle_most, number

DOCUMENT = ROOT / "docs" / "performance.md"
LIMIT = "limit-idempotent"
BLOCK = re.compile(r"(<!-- bench:begin ([\w-]+) -->\n).*?(<!-- bench:end -->)", re.S)


def markdown(table, figures=True):
    """The first row is the head; figures stand on the right, behind the first column."""
    rule = ["--:" if figures and i else "---" for i in range(len(table[0]))]
    return "\n".join("| " + " | ".join(row) + " |" for row in [table[0], rule, *table[1:]])


def relative(results, group, get, other):
    """A column: each row's median by that of `other` in the same case; nothing when that did not run."""
    entries = results.entries(group.name)
    if other not in {p for _, p in entries}:
        return None
    found = [floors.quotient(results.median(group.name, c, p, get), results.median(group.name, c, other, get)) for c, p in entries]
    return ["-" if q is None else number(q) for q in found]


def with_ratios(results, group):
    """The table of report.rows() with columns of ratios to the newest librdkafka and to the limit, each behind its figure."""
    table = [list(row) for row in report.rows(results, group)]
    extra = [("CPU ns/record", f"CPU by {NEWEST}'s", relative(results, group, floors.cpu_ns, NEWEST))]
    if not group.is_latency:
        extra += [("M records/s", "rate by java's", relative(results, group, floors.rate, "java"))] * group.is_transactional
        extra += [("M records/s", "rate by the limit's", relative(results, group, floors.rate, LIMIT)),
                  ("M records/s", f"rate by {NEWEST}'s", relative(results, group, floors.rate, NEWEST))]
    for behind, title, cells in extra:
        if cells:
            at = table[0].index(behind) + 1
            for row, cell in zip(table, [title, *cells]):
                row.insert(at, cell)
    return table


def group_plot(results, group):
    entries = results.entries(group.name)
    several = len({p for _, p in entries}) > 1, len({c for c, _ in entries}) > 1
    shown = report.columns(group)[:3 if group.is_latency or group.is_transactional else 2]
    rows = []
    for case, program in entries:
        runs = results.select(group.name, case, program)
        label = program if not several[1] else case if program == US or not several[0] else f"{case}, {program}"
        spreads = tuple(least_middle_most([get(r) for r in runs]) if all(get(r) is not None for r in runs) else None for _, get, _ in shown)
        rows.append(plot.Row(label, program == US, spreads))
    return plot.svg(group.title, [title for title, *_ in shown], rows)


def group_block(results, group):
    ours = next((results.commands[c] for c, p in results.entries(group.name) if p == US), "")
    rounds = results.rounds[group.name]
    case = f"{group.cases[0]}; " if len(group.cases) == 1 else ""
    lines = [f"{case}{rounds} round{'s' * (rounds != 1)}, interleaved; minimum/median/maximum.", "", markdown(with_ratios(results, group)), "",
             f"![{group.title}](performance/{group.name}.svg)", "", f"`bench/run full --cases '^{group.name}$'`; ours"
             f"{' in the first case' if len(group.cases) > 1 else ''}: `{ours}`"]
    return "\n".join(lines + ["", *report.doubts(results, group)]).rstrip()


def floors_block(results):
    table = [["floor", "figure", "verdict"]]
    for floor, figure, holds in floors.verdicts(results):
        table.append([floor.text, number(figure), "holds" if holds else "**does not hold**"])
    return markdown(table, figures=False)


def machine_block(results):
    versions = ", ".join(f"{p} {v}" for p, v in results.versions.items())
    return f"{results.machine}. {versions}. One run of `make bench`, {results.seconds / 60:.0f} minutes."


def settings_block(results):
    table = [["program", "settings"]]
    shown = {}
    for group in results.groups:
        for program, text in results.settings[group].items():
            shown.setdefault(program, text)
    table += [[p, f"`{text}`"] for p, text in shown.items()]
    return "\n".join([markdown(table, figures=False), "", "Not equal:", "", *(f"- {t}" for t in report.NOT_EQUAL)])


def probes_block(results):
    return markdown(report.probe_rows(results) + report.first_record_rows(results))


def blocks(results):
    """By name."""
    return {
        "machine": machine_block(results), "floors": floors_block(results), "probes": probes_block(results),
        "settings": settings_block(results), **{name: group_block(results, group) for name, group in GROUPS.items()},
    }


def check(results):
    """A document is of one whole run."""
    lacking = [g for g in GROUPS if g not in results.groups] + ["probes"] * (not results.probes)
    if lacking:
        raise BenchError(f"--write wants a whole run of full; not measured: {', '.join(lacking)}")


def write(results, path):
    check(results)
    made, text = blocks(results), path.read_text()
    named = [name for _, name, _ in BLOCK.findall(text)]
    if sorted(named) != sorted(made):
        wrong = sorted(set(named) ^ set(made)) or sorted({n for n in named if named.count(n) > 1})
        raise BenchError(f"{path}: each block stands there once, between <!-- bench:begin NAME --> and <!-- bench:end -->; wrong: "
                         + ", ".join(wrong))
    path.write_text(BLOCK.sub(lambda m: f"{m[1]}{made[m[2]]}\n{m[3]}", text))
    folder = path.parent / path.stem
    folder.mkdir(exist_ok=True)
    for name, group in GROUPS.items():
        (folder / f"{name}.svg").write_text(group_plot(results, group))
