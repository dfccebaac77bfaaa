"""All runs of a measurement: kept in memory, written to JSON, read from there again. Reports and floors see nothing else."""

import dataclasses
import json
import statistics


@dataclasses.dataclass
class Run:
    group: str
    case: str
    program: str
    round: int  # from 1; 0: a run of one record, for what the start costs
    records: int
    seconds: float  # by the program's clock, first send to last report
    cpu_s: float  # user and system time of the whole process, from outside, its start included
    max_rss_kib: int
    max_threads: int
    wall_s: float
    server_cpu_s: float
    other_cpu_s: float  # of everybody else on the machine meanwhile
    batch_bytes: int  # of the record batches that the target took; these three are None when it does not tell
    batches: int
    requests: int
    latency_us: dict
    first_ms: float
    threads: dict
    timed: int = 0  # of the records, those behind a warm-up, of which the seconds are; 0: all
    transactions: int = 0  # likewise

    @property
    def rate(self):
        return (self.timed or self.records) / max(self.seconds, 1e-9)  # a run of one record may take no time

    @property
    def commits(self):
        """A second; None without transactions."""
        return self.transactions / max(self.seconds, 1e-9) if self.transactions else None

    @property
    def cpu_ns(self):
        return self.cpu_s * 1e9 / self.records


@dataclasses.dataclass
class Results:
    suite: str
    machine: str
    groups: list = dataclasses.field(default_factory=list)  # the names of those that were measured, in order
    runs: list = dataclasses.field(default_factory=list)
    probes: list = dataclasses.field(default_factory=list)  # {probe, group, round, and what it printed}
    settings: dict = dataclasses.field(default_factory=dict)  # by group and program, of its first case
    commands: dict = dataclasses.field(default_factory=dict)  # by case and program
    versions: dict = dataclasses.field(default_factory=dict)  # by program
    rounds: dict = dataclasses.field(default_factory=dict)  # by group
    failures: list = dataclasses.field(default_factory=list)  # one line each
    seconds: float = 0

    def select(self, group, case=None, program=None, start=False):
        return [r for r in self.runs if r.group == group and (case in (None, r.case)) and (program in (None, r.program))
                and (r.round == 0) == start]

    def entries(self, group):
        """(case, program), in the order of the first round."""
        return list(dict.fromkeys((r.case, r.program) for r in self.select(group)))

    def median(self, group, case, program, get):
        """None when there is nothing to take it of."""
        values = [v for v in map(get, self.select(group, case, program)) if v is not None]
        return statistics.median(values) if values else None

    def probe(self, name, **wanted):
        return [p for p in self.probes if p["probe"] == name and all(p.get(k) == v for k, v in wanted.items())]

    def write(self, path):
        def row(run):
            return dataclasses.asdict(run) | {"records_per_second": run.rate, "cpu_ns_per_record": run.cpu_ns}

        path.write_text(json.dumps(vars(self) | {"runs": [row(r) for r in self.runs]}, indent=1) + "\n")


def read(path):
    """What write() wrote; ValueError, KeyError or TypeError when that is not so."""
    kept = json.loads(path.read_text())
    names = [f.name for f in dataclasses.fields(Run)]
    runs = [Run(**{name: row[name] for name in names if name in row}) for row in kept.pop("runs")]
    return Results(**{f.name: kept[f.name] for f in dataclasses.fields(Results) if f.name != "runs"}, runs=runs)
