"""Transactional producers as scripts play them: by the classic requests, or by those of KIP-890."""

import dataclasses
import time

from batch import TRANSACTIONAL, batch
from calls import LATEST, fetch, list_offsets, list_offsets_body, produce
from script import CONCURRENT_TRANSACTIONS

ABORT, COMMIT = False, True
RESULTS = {"commit": COMMIT, "abort": ABORT}
TIMEOUT_MS = 1000  # of a transaction that is to time out: what belongs into it gets there before that also on a slow machine


def now():
    """The time of records beside which there are markers: Kafka begins a segment where times are a week apart, and a Fetch ends there."""
    return int(time.time() * 1000)


@dataclasses.dataclass(frozen=True)
class Style:
    """The versions of the requests. In the classic one partitions and groups are added by requests of their own."""

    adds: bool
    init: int
    produce: int
    offsets: int
    end: int


CLASSIC = Style(True, 4, 11, 4, 4)
NEW = Style(False, 5, 12, 5, 5)
STYLES = {"classic": CLASSIC, "new": NEW}


class Producer:
    """One instance. It keeps what a client keeps: id, epoch, the next sequences, what it has added. All that it sends is noted."""

    def __init__(self, s, style, name="id", timeout_ms=60000):
        self.s, self.style, self.name, self.timeout_ms = s, style, s.topic(name), timeout_ms
        self.producer_id, self.epoch = -1, -1
        self.sequences, self.added = {}, set()
        s.transactional_producer("warm-up")
        self.init()

    @property
    def who(self):
        return {"TransactionalId": self.name, "ProducerId": self.producer_id, "ProducerEpoch": self.epoch}

    def init_body(self, producer_id=-1, epoch=-1):
        who = {"TransactionalId": self.name, "ProducerId": producer_id, "ProducerEpoch": epoch}
        return who | {"TransactionTimeoutMs": self.timeout_ms}

    def init(self, version=None, **fields):
        """Again, when what was open is still being ended."""
        version = self.style.init if version is None else version
        return self.take(self.s.call_settled("InitProducerId", version, self.init_body(**fields)))

    def renew(self, **fields):
        """With the id and the epoch that it has."""
        return self.init(producer_id=self.producer_id, epoch=self.epoch, **fields)

    def take(self, step):
        if step["ErrorCode"] == 0 and (step["ProducerId"], step["ProducerEpoch"]) != (self.producer_id, self.epoch):
            self.producer_id, self.epoch = step["ProducerId"], step["ProducerEpoch"]
            self.sequences.clear()
            self.added.clear()
        return step

    def add(self, *partitions, alias="t", version=3, **changed):
        """AddPartitionsToTxn of a client."""
        who = self.who | changed
        topics = [{"Name": self.s.topic(alias), "Partitions": list(partitions or [0])}]
        body = {f"V3AndBelow{name}": value for name, value in (who | {"Topics": topics}).items()}
        return self.s.call_settled("AddPartitionsToTxn", version, body)

    def add_as_broker(self, *partitions, alias="t", version=5, verify=False, **changed):
        topics = [{"Name": self.s.topic(alias), "Partitions": list(partitions or [0])}]
        one = self.who | {"VerifyOnly": verify, "Topics": topics} | changed
        return self.s.call_settled("AddPartitionsToTxn", version, {"Transactions": [one]})

    def send(self, n=1, alias="t", partition=0, version=None, sequence=None, **changed):
        """A batch, wherever the transaction stands. `changed`: header fields of the batch, transactional_id."""
        sequence = self.sequences.get((alias, partition), 0) if sequence is None else sequence
        name = changed.pop("transactional_id", self.name)
        who = {"producer_id": self.producer_id, "epoch": self.epoch, "sequence": sequence}
        fields = {"attributes": TRANSACTIONAL, "base_timestamp": now()} | who | changed
        version = self.style.produce if version is None else version
        data = batch(*(b"%d" % i for i in range(n)), **fields)
        step = produce(self.s, data, alias, partition, version, transactional_id=name)
        if not step["Responses"][0]["PartitionResponses"][0]["ErrorCode"]:
            self.sequences[alias, partition] = sequence + n
        return step

    def write(self, n=1, alias="t", partition=0):
        """A batch as a good client sends it: its partition is added when that is due."""
        if self.style.adds and (alias, partition) not in self.added:
            self.add(partition, alias=alias)
            self.added.add((alias, partition))
        return self.send(n, alias, partition)

    def end(self, committed=COMMIT, version=None, **changed):
        """EndTxn; when it worked, until its markers are written."""
        version = self.style.end if version is None else version
        body = self.who | {"Committed": committed} | changed
        step = self.s.call_settled("EndTxn", version, body)
        if step["ErrorCode"] == 0:
            self.s.until(lambda: self.s.ask("EndTxn", version, body)["ErrorCode"] != CONCURRENT_TRANSACTIONS)
            self.added.clear()
            if version >= 5:
                self.take(step)
        return step

    def add_offsets(self, group="g", version=3, **changed):
        return self.s.call_settled("AddOffsetsToTxn", version, self.who | {"GroupId": self.s.topic(group)} | changed)

    def commit_offset(self, offset, group="g", alias="t", partition=0, version=None, **changed):
        """TxnOffsetCommit of one offset. `changed`: fields of the request; metadata, leader_epoch: of the offset."""
        version = self.style.offsets if version is None else version
        one = {"PartitionIndex": partition, "CommittedOffset": offset, "CommittedMetadata": changed.pop("metadata", "note")}
        if version >= 2:
            one["CommittedLeaderEpoch"] = changed.pop("leader_epoch", -1)
        topics = [{"Name": self.s.topic(alias), "Partitions": [one]}]
        return self.s.call_settled("TxnOffsetCommit", version, self.who | {"GroupId": self.s.topic(group), "Topics": topics} | changed)

    def write_offset(self, offset, group="g", **changed):
        if self.style.adds:
            self.add_offsets(group)
        return self.commit_offset(offset, group, **changed)


def committed_offset(s, group="g", alias="t", partition=0, version=9, stable=True):
    """OffsetFetch of one partition."""
    topics = [{"Name": s.topic(alias), "PartitionIndexes": [partition]}]
    body = {"GroupId": s.topic(group), "Topics": topics} if version < 8 else {"Groups": [{"GroupId": s.topic(group), "Topics": topics}]}
    return s.call("OffsetFetch", version, body | ({"RequireStable": stable} if version >= 7 else {}))


def commit_offset(s, offset, group="g", alias="t", partition=0, version=9, **changed):
    """OffsetCommit of one offset."""
    one = {"PartitionIndex": partition, "CommittedOffset": offset, "CommittedMetadata": changed.pop("metadata", "plain note")}
    body = {"GroupId": s.topic(group), "Topics": [{"Name": s.topic(alias), "Partitions": [one]}]}
    return s.call("OffsetCommit", version, body | changed)


def read_both(s, alias="t", partition=0, offset=0):
    """The log as readers of both isolation levels see it."""
    for isolation in 0, 1:
        fetch(s, alias=alias, partition=partition, offset=offset, isolation=isolation)
        list_offsets(s, LATEST, alias=alias, partition=partition, isolation=isolation)


def until_stable(s, alias="t", partition=0):
    """Until no transaction is open there."""

    def ends():
        bodies = (list_offsets_body(s, LATEST, alias=alias, partition=partition, isolation=isolation) for isolation in (0, 1))
        return [s.ask("ListOffsets", 8, body)["Topics"][0]["Partitions"][0]["Offset"] for body in bodies]

    s.until(lambda: len(set(ends())) == 1)
