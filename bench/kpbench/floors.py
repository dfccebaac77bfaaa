"""What is to hold, in one table: of which case, which figure, against whom, how much. Printed, and never a reason to fail."""

import dataclasses

from .groups import NEWEST, US

RSS_MIB = 32 + 32  # buffer.memory, and what 10,000 partitions may take besides


@dataclasses.dataclass(frozen=True)
class Floor:
    group: str
    what: str  # the figure, with `{against}` where its denominator is named
    figure: object  # of (results, floor): the figure, None when it was not measured
    bound: float
    is_most: bool = False  # the bound is a ceiling
    case: str = ""  # of the group; "": the group's name is the case's
    against: str = NEWEST

    @property
    def of_case(self):
        return self.case or self.group

    def holds(self, figure):
        return figure <= self.bound if self.is_most else figure >= self.bound

    @property
    def text(self):
        return f"{self.of_case}: {self.what.format(against=self.against)} {'at most' if self.is_most else 'at least'} {self.bound:.3g}"


def rate(r):
    return r.rate


def cpu_ns(r):
    return r.cpu_ns


def sent_bytes(r):
    """What a record took in the batches that the target counted."""
    return r.batch_bytes / r.records if r.batch_bytes else None


def percentile(name):
    return lambda r: r.latency_us and r.latency_us[name]


def quotient(a, b):
    return a / b if a is not None and b else None


def ours_by(get):
    """Our median by that of `against`."""
    def figure(results, f):
        return quotient(results.median(f.group, f.of_case, US, get), results.median(f.group, f.of_case, f.against, get))
    return figure


def ours_by_case(get):
    """Our median by our own of the case `against`."""
    def figure(results, f):
        return quotient(results.median(f.group, f.of_case, US, get), results.median(f.group, f.against, US, get))
    return figure


def ours(get):
    return lambda results, f: results.median(f.group, f.of_case, US, get)


def best_peer(results, group, case, get):
    """(figure, name) of the least."""
    peers = {p for c, p in results.entries(group) if c == case and p != US}
    found = [(results.median(group, case, p, get), p) for p in sorted(peers)]
    return min((f for f in found if f[0] is not None), default=(None, None))


def ours_by_best(get):
    def figure(results, f):
        return quotient(results.median(f.group, f.of_case, US, get), best_peer(results, f.group, f.of_case, get)[0])
    return figure


def cpu_by_codec(results, f):
    """Our CPU per record by that of the codec alone, each a median of the same rounds."""
    alone = [p["ns_per_record"] for p in results.probe("codec", group=f.group)]
    return quotient(results.median(f.group, f.of_case, US, cpu_ns), sorted(alone)[len(alone) // 2]) if alone else None


def slowest_thread(r):
    return r.threads and quotient(r.threads["slowest_records_per_second"], r.threads["mean_records_per_second"])


def threads_more(results, f):
    """How many more threads the process has than on one broker."""
    many, one = (results.median(f.group, c, US, lambda r: r.max_threads) for c in (f.of_case, f.against))
    return many - one if many is not None and one is not None else None


def probed(name, field):
    def figure(results, _):
        found = [p[field] for p in results.probe(name)]
        return max(found) if found else None
    return figure


RATE, CPU = "records/s by {against}'s:", "CPU per record by {against}'s:"
WIDE, ONE = "1000p-random-100brokers", "1000p-random"

TABLE = (
    Floor("base", RATE, ours_by(rate), 4),
    Floor("base", CPU, ours_by(cpu_ns), 1 / 6, True),
    Floor("base", RATE, ours_by(rate), 0.6, against="limit-idempotent"),
    Floor("1000B", RATE, ours_by(rate), 2),
    Floor("1000B", CPU, ours_by(cpu_ns), 0.4, True),
    Floor("100B-lz4", RATE, ours_by(rate), 1.6),
    Floor("100B-lz4", CPU, ours_by(cpu_ns), 0.55, True),
    Floor("100B-lz4", "bytes sent by {against}'s:", ours_by(sent_bytes), 1, True),
    Floor("1000B-lz4", RATE, ours_by(rate), 1.3),
    Floor("1000B-lz4", "CPU per record by {against}'s:", cpu_by_codec, 1.2, True, against="the codec alone"),
    Floor("kafka-100B", RATE, ours_by(rate), 1.6),
    Floor("kafka-100B", CPU, ours_by(cpu_ns), 0.2, True),
    Floor("10000p-random", RATE, ours_by(rate), 5),
    Floor("10000p-random", CPU, ours_by(cpu_ns), 1 / 6, True),
    Floor("10000p-random", "peak RSS in MiB:", ours(lambda r: r.max_rss_kib / 1024), RSS_MIB, True),
    Floor("brokers", "threads more than with one broker:", threads_more, 0, True, WIDE, ONE),
    Floor("brokers", RATE, ours_by(rate), 5, case=WIDE),
    Floor("brokers", "CPU per record by that with one broker:", ours_by_case(cpu_ns), 1.3, True, WIDE, ONE),
    Floor("threads", "records/s by one thread's:", ours_by_case(rate), 0.9, False, "4threads", "base"),
    Floor("threads", "the slowest thread's records/s by their mean:", ours(slowest_thread), 0.5, False, "4threads"),
    *(Floor(group, f"{p} by the best peer's:", ours_by_best(percentile(p)), 1, True, case, "the best peer")
      for group, case in (("latency", "latency-10k"), ("kafka-latency", "kafka-latency-10k")) for p in ("p50", "p99")),
    *(Floor("transactions", "commits/s by {against}'s:", ours_by(lambda r: r.commits), 1, False, f"kafka-random-transactions-{n}", p)
      for n in ("100", "10k") for p in ("java", NEWEST)),
    Floor("idle", "wake-ups a second:", probed("idle", "wakeups_per_second"), 1, True),
    Floor("all brokers down", "per cent of a core:", probed("down", "cpu_percent"), 1, True),
)


def verdicts(results, group=None):
    """[(floor, figure, holds)] of what was measured, of this group or of all."""
    found = [(f, f.figure(results, f)) for f in TABLE if group in (None, f.group)]
    return [(f, figure, f.holds(figure)) for f, figure in found if figure is not None]


def verdict_text(floor, figure, holds):
    return f"floor: {floor.text}: {figure:.3g}: {'holds' if holds else 'DOES NOT HOLD'}"
