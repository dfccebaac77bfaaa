"""The rows of a run: printed, written as JSON, and put into docs/reliability.md."""

import dataclasses
import json

from command import BUILD, REPOSITORY

DOCUMENT = REPOSITORY / "docs" / "reliability.md"


@dataclasses.dataclass
class Table:
    """`columns`: {name in a row: title}, the first `n_texts` of them are no figures; `mark`: between which comments it stands in the
    document."""

    mark: str
    n_texts: int
    columns: dict
    rows: list = dataclasses.field(default_factory=list)

    def cells(self, row):
        return [f"{row[c]:.1f}" if isinstance(row[c], float) else str(row[c]) for c in self.columns]

    def lines(self):
        return [list(self.columns.values()), *map(self.cells, self.rows)]

    def said(self, row):
        """A row as a line of progress; the scenario is known."""
        return ", ".join(f"{title} {row[name]}" for name, title in list(self.columns.items())[1:])

    def markdown(self):
        texts = ["| " + " | ".join(line) + " |" for line in self.lines()]
        return [texts[0], "|" + "---|" * self.n_texts + "---:|" * (len(self.columns) - self.n_texts), *texts[1:]]

    def plain(self):
        lines = self.lines()
        widths = [max(len(line[i]) for line in lines) for i in range(len(self.columns))]
        return ["  ".join(c.ljust(w) if i < self.n_texts else c.rjust(w) for i, (c, w) in enumerate(zip(line, widths, strict=True)))
                for line in lines]

    def write_document(self):
        begin, end = f"<!-- {self.mark}: begin -->", f"<!-- {self.mark}: end -->"
        before, found, rest = DOCUMENT.read_text().partition(begin)
        _, _, after = rest.partition(end)
        assert found, f"no {begin} in {DOCUMENT}"
        DOCUMENT.write_text("\n".join([before + begin, "", *self.markdown(), "", end + after]))


RECORDS = Table("chaos", 2, {
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
})
TRANSACTIONS = Table("chaos of transactions", 3, {
    "scenario": "scenario",
    "protocol": "protocol",
    "client": "client",
    "instances": "instances",
    "begun": "begun",
    "committed": "committed",
    "aborted": "aborted",
    "left_open": "left open",
    "open_fate": "commit unanswered",
    "fenced": "fenced",
    "hidden": "records hidden",
    "half": "visible half",
    "lost": "lost committed",
    "doubled": "doubled",
    "denied": "aborted, visible",
    "zombie": "zombie's, visible",
    "stall_s": "longest stall, s",
})
COPIES = Table("chaos of copies", 3, {
    "scenario": "scenario",
    "protocol": "protocol",
    "client": "copier",
    "instances": "instances",
    "records": "input",
    "visible": "visible in the output",
    "missing": "missing",
    "doubled": "doubled",
    "hidden": "records hidden",
    "stall_s": "longest stall, s",
    "took_s": "all of it, s",
})
ALL = (RECORDS, TRANSACTIONS, COPIES)


def write_json(is_quick):
    path = BUILD / ("chaos-quick.json" if is_quick else "chaos.json")
    path.write_text(json.dumps({table.mark: table.rows for table in ALL}, indent=1) + "\n")
    return path
