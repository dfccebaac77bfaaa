"""What the drivers of transactions asked and were told, against what a foreign consumer sees, read committed."""

import collections
import dataclasses
import math
import time

from confluent_kafka import Consumer, IsolationLevel, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import OffsetSpec

from command import PATIENCE, wait_until

AT_ONCE = 100000
NEVER = math.inf


@dataclasses.dataclass
class Transaction:
    """Times are those of CLOCK_MONOTONIC, in seconds; NEVER: it did not come to that."""

    instance: int
    number: int
    size: int
    commit_asked: float = NEVER
    committed: float = NEVER
    abort_asked: float = NEVER
    aborted: float = NEVER

    @property
    def key(self):
        return self.instance, self.number

    @property
    def is_open_fate(self):
        """A commit was asked for, and nothing was told: all or nothing."""
        return self.commit_asked < NEVER and self.committed == self.abort_asked == NEVER


@dataclasses.dataclass
class Instance:
    """A process with a transactional id. Instances of an id succeed each other in the order of their numbers."""

    number: int
    transactional_id: str
    client: str = ""
    initialized: float = NEVER
    end: str = ""
    transactions: list = dataclasses.field(default_factory=list)
    errors: list = dataclasses.field(default_factory=list)

def told(path, number, transactional_id):
    """An instance as its log tells of it; the log may end anywhere."""
    instance = Instance(number, transactional_id)
    for line in path.read_text().splitlines() if path.exists() else ():
        what, of, size, at, text = line.split(" ", 4)
        at = int(at) / 1000
        match what:
            case "V":
                instance.client = text
            case "i":
                instance.initialized = at
            case "B":
                instance.transactions.append(Transaction(number, int(of), int(size)))
            case "C":
                instance.transactions[-1].commit_asked = at
            case "c":
                instance.transactions[-1].committed = at
            case "A":
                instance.transactions[-1].abort_asked = at
            case "a":
                instance.transactions[-1].aborted = at
            case "E":
                instance.errors.append(text)
            case "X" | "H" | "Z":
                instance.end = what
                instance.errors += [text] if text and instance.errors[-1:] != [text] else []
    return instance


def read_topics(cluster, topics, isolation=IsolationLevel.READ_COMMITTED):
    """{(topic, partition): [value]}, in the order of the log, read by librdkafka up to the last stable offset, or to the end."""
    reader = Consumer({"bootstrap.servers": cluster.servers, "group.id": "unused", "enable.auto.commit": False, "log_level": 0,
                       "isolation.level": isolation.name.lower(), "enable.partition.eof": True, "auto.offset.reset": "earliest",
                       "fetch.wait.max.ms": 10})
    log = {(topic, p.id): [] for topic in topics for p in cluster.partitions(topic)}
    reader.assign([TopicPartition(*partition, 0) for partition in log])
    at_end = set()
    deadline = time.monotonic() + PATIENCE
    while len(at_end) < len(log):
        assert time.monotonic() < deadline, f"no end of {topics}"
        for m in reader.consume(AT_ONCE, 0.05):
            if m.error() and m.error().code() == KafkaError._PARTITION_EOF:
                at_end.add((m.topic(), m.partition()))
            else:
                assert not m.error(), m.error()
                log[m.topic(), m.partition()].append(m.value().decode())
    reader.close()
    return log


def ends(cluster, topics, isolation):
    """The end offset of each partition; None: some leader does not answer."""
    latest = {TopicPartition(topic, p.id): OffsetSpec.latest() for topic in topics for p in cluster.partitions(topic)}
    try:
        found = cluster.admin.list_offsets(latest, isolation_level=isolation, request_timeout=5)
        return {(p.topic, p.partition): future.result().offset for p, future in found.items()}
    except KafkaException:
        return None


def await_stable(cluster, topics):
    """Until no transaction is open on any partition: nothing hides what stands behind it."""

    def is_stable():
        stable = ends(cluster, topics, IsolationLevel.READ_COMMITTED)
        return stable and stable == ends(cluster, topics, IsolationLevel.READ_UNCOMMITTED)

    wait_until(is_stable, f"no transaction hangs on {topics}", 2 * PATIENCE)


def superseded(instances):
    """{instance's number: when a successor had its transactional id}"""
    return {one.number: min((other.initialized for other in instances
                             if other.transactional_id == one.transactional_id and other.number > one.number), default=NEVER)
            for one in instances}


def disorder(instances, log):
    """(records behind a later one of their instance, records of an instance behind one of its successor) within a partition."""
    ids = {one.number: one.transactional_id for one in instances}
    behind_own, behind_successor = 0, 0
    for found in log.values():
        newest, youngest = {}, {}
        for instance, number, index, _ in found:
            behind_own += (number, index) < newest.get(instance, (0, -1))
            newest[instance] = max((number, index), newest.get(instance, (0, -1)))
            one_id = ids.get(instance)
            behind_successor += instance < youngest.get(one_id, 0)
            youngest[one_id] = max(instance, youngest.get(one_id, 0))
    return behind_own, behind_successor


def longest_stall(instances):
    """The longest time between two commits with the same transactional id, whichever instances they are of."""
    times = collections.defaultdict(list)
    for one in instances:
        times[one.transactional_id] += [t.committed for t in one.transactions if t.committed < NEVER]
    gaps = [later - earlier for of_one in map(sorted, times.values()) for earlier, later in zip(of_one, of_one[1:], strict=False)]
    return max(gaps, default=0.0)


def verdict(instances, log):
    """The counts of a row. `log` is what is seen read committed: {partition: [(instance, transaction, index, size)]}.

    Half: seen, but not as a whole. Lost: told to be committed, and not seen as a whole. Denied: seen, though no commit was asked for or an
    abort was. Zombie: seen, though a successor had the transactional id before the commit was asked for; or behind the successor's records.
    """
    over = superseded(instances)
    seen = collections.Counter(record for found in log.values() for record in found)
    visible = collections.Counter((instance, number) for instance, number, _, _ in seen)
    transactions = [t for one in instances for t in one.transactions]
    known = {t.key: t.size for t in transactions}
    partly = [t for t in transactions if visible[t.key] < t.size]
    shown = [t for t in transactions if visible[t.key]]
    half = [t for t in partly if visible[t.key]]
    lost = [t for t in partly if t.committed < NEVER]
    denied = [t for t in shown if t.commit_asked == NEVER or t.abort_asked < NEVER]
    zombie = [t for t in shown if t.commit_asked > over[t.instance]]
    behind_own, behind_successor = disorder(instances, log)
    return {
        "begun": len(transactions),
        "committed": sum(t.committed < NEVER for t in transactions),
        "aborted": sum(t.aborted < NEVER for t in transactions),
        "open_fate": sum(t.is_open_fate for t in transactions),
        "left_open": sum(t.commit_asked == t.abort_asked == NEVER or t.aborted == NEVER > t.abort_asked for t in transactions),
        "seen": seen.total(),
        "half": len(half),
        "lost": len(lost),
        "doubled": sum(n - 1 for n in seen.values()),
        "denied": len(denied),
        "zombie": len(zombie) + behind_successor,
        "out_of_order": behind_own,
        "damaged": sum(known.get((instance, number)) != size or not 0 <= index < size for instance, number, index, size in seen),
        "stall_s": longest_stall(instances),
        "fenced": sum(one.end == "X" for one in instances),
        "stuck": sum(one.end == "H" for one in instances),
        "ended": sum(one.end == "Z" for one in instances),
        "errors": dict(collections.Counter(text for one in instances for text in one.errors)),
        "examples": [dataclasses.astuple(t) for t in (half + lost + denied + zombie)[:10]],
    }
