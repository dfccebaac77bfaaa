"""The rows of a run: printed, written as JSON, and put into docs/reliability.md."""

import json

from command import BUILD, REPOSITORY

COLUMNS = {
    "scenario": "scenario",
    "client": "client",
    "sent": "sent",
    "acknowledged": "acknowledged",
    "in_log": "in log",
    "lost": "lost",
    "doubled": "doubled",
    "out_of_order": "out of order",
    "unknown": "unknown",
    "failed": "not persisted",
    "stall_s": "longest stall, s",
}
DOCUMENT = REPOSITORY / "docs" / "reliability.md"
BEGIN, END = "<!-- chaos: begin -->", "<!-- chaos: end -->"


def cells(row):
    return [f"{row[c]:.1f}" if isinstance(row[c], float) else str(row[c]) for c in COLUMNS]


def markdown(rows):
    lines = [list(COLUMNS.values()), *map(cells, rows)]
    texts = ["| " + " | ".join(line) + " |" for line in lines]
    return [texts[0], "|---|---|" + "---:|" * (len(COLUMNS) - 2), *texts[1:]]


def plain(rows):
    lines = [list(COLUMNS.values()), *map(cells, rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(COLUMNS))]
    return ["  ".join(c.ljust(w) if i < 2 else c.rjust(w) for i, (c, w) in enumerate(zip(line, widths, strict=True))) for line in lines]


def write_json(rows, is_quick):
    path = BUILD / ("chaos-quick.json" if is_quick else "chaos.json")
    path.write_text(json.dumps(rows, indent=1) + "\n")
    return path


def write_document(rows):
    before, _, rest = DOCUMENT.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    DOCUMENT.write_text("\n".join([before + BEGIN, "", *markdown(rows), "", END + after]))
