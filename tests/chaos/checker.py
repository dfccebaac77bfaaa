"""What a driver says of its records against what a foreign consumer finds in the log."""

import collections
import dataclasses

from readers import all_records

N_KEYS = 64
UNANSWERED = ("u", "-")


@dataclasses.dataclass
class Told:
    """A record as the driver tells of it; times are those of CLOCK_MONOTONIC, in seconds."""

    seq: int
    outcome: str
    partition: int
    offset: int
    sent: float
    ended: float
    error: str


def told(path):
    """All of the driver's records; a record's number is its place."""
    records = []
    for line in path.read_text().splitlines():
        seq, outcome, partition, offset, sent, ended, error = line.split("\t")
        records.append(Told(int(seq), outcome, int(partition), int(offset), int(sent) / 1000, int(ended) / 1000, error))
    return records


def read_log(cluster, topic):
    """{partition: [(offset, number, timestamp)]}; a record whose key is not its number's is damaged."""
    log = {}
    for partition, found in all_records(Reader(cluster), topic).items():
        log[partition] = [(r.offset, int(r.value), r.timestamp) for r in found]
        assert all(int(r.key) == int(r.value) % N_KEYS for r in found), f"damaged records in {topic}-{partition}"
    return log


@dataclasses.dataclass
class Reader:
    """What readers.py wants to know of a broker."""

    cluster: object

    @property
    def servers(self):
        return self.cluster.servers

    def partitions(self, topic):
        return len(self.cluster.partitions(topic))


def verdict(records, log, counts=lambda record: True):
    """The counts of a row. Lost: acknowledged and not there; misplaced: acknowledged at an offset where another record stands; denied:
    reported as not persisted, and there. `counts`: whether the loss of a record would count."""
    places = collections.defaultdict(list)
    for partition, found in log.items():
        for offset, seq, _ in found:
            places[seq].append((partition, offset))
    is_open = {r.seq for r in records if r.outcome in UNANSWERED}
    acked = [r for r in records if r.outcome in "pw" and counts(r)]
    lost = [r for r in acked if r.seq not in places]
    misplaced = [r for r in acked if r.seq in places and r.offset >= 0 and r.outcome == "p" and (r.partition, r.offset) not in places[r.seq]]
    disordered = 0
    for found in log.values():
        newest = {}
        for _, seq, _ in found:
            if seq not in is_open:
                disordered += seq < newest.get(seq % N_KEYS, -1)
                newest[seq % N_KEYS] = max(seq, newest.get(seq % N_KEYS, -1))
    outcomes = collections.Counter(r.outcome for r in records)
    return {
        "acknowledged": outcomes["p"] + outcomes["w"],
        "in_log": sum(map(len, log.values())),
        "lost": len(lost),
        "doubled": sum(len(at) - 1 for seq, at in places.items() if seq not in is_open),
        "out_of_order": disordered,
        "unknown": outcomes["u"],
        "failed": outcomes["n"],
        "unreported": outcomes["-"],
        "misplaced": len(misplaced),
        "denied": sum(r.outcome == "n" and r.seq in places for r in records),
        "errors": dict(collections.Counter(r.error for r in records if r.error)),
        "examples": [dataclasses.astuple(r) for r in (lost + misplaced)[:10]],
    }
