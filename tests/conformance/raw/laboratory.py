"""Running scripts against both brokers."""

from calls import new_topic
from compare import Symbols, compare
from exceptions import DIFFERENCES
from script import Script, Session, Step

from command import wait_until

TOPICS_AT_ONCE = 50


class Laboratory:
    def __init__(self, devbroker, kafka, scripts):
        self.sides = [Side(devbroker), Side(kafka)]
        topics = [new_topic_of(s, alias) for s in scripts for alias in s.topics]
        for side in self.sides:
            side.create(topics)
        self.seen = set()  # names of the scripts that have run
        self.used = set()  # the differences that were met
        self.n_steps = 0

    def clean_up(self):
        for side in self.sides:
            side.clean_up()

    def run(self, script):
        """What differs and is no known difference, a line each."""
        ours, theirs = (side.run(script) for side in self.sides)
        self.seen.add(script.name)
        self.n_steps += len(ours)
        found = []
        for step, api, path, our_value, their_value in compare(ours, theirs):
            known = [d for d in DIFFERENCES if d.covers(script.name, api, path)]
            self.used.update(known)
            if not known:
                found.append(f"{step}: {path}: development broker {our_value!r}, Kafka {their_value!r}")
        return found


def new_topic_of(script, alias):
    t = script.topics[alias]
    return new_topic(script.topic(alias), t.get("partitions", 1), config=t.get("config", {}).items())


def in_portions(topics):
    return [topics[i:i + TOPICS_AT_ONCE] for i in range(0, len(topics), TOPICS_AT_ONCE)]


class Side:
    """One of the brokers."""

    def __init__(self, broker):
        self.port = int(broker.servers.rpartition(":")[2])
        self.own = Session(Script("laboratory", None, {}), self.port)
        self.cluster_id = self.own.ask("DescribeCluster", 0)["ClusterId"]
        self.others = self.topics()

    def topics(self):
        return {t["Name"] for t in self.own.ask("Metadata", 12, {"Topics": None})["Topics"] if not t["IsInternal"]}

    def create(self, topics):
        for some in in_portions(topics):
            answer = self.own.ask("CreateTopics", 7, {"Topics": some, "timeoutMs": 30000})
            assert not [t for t in answer["Topics"] if t["ErrorCode"]], answer
            wait_until(lambda: self.has(some), "the scripts' topics have leaders", 60)

    def clean_up(self):
        """Other tests, some of which restart Kafka, need not bear hundreds of topics."""
        for some in in_portions(sorted(self.topics() - self.others)):
            answer = self.own.ask("DeleteTopics", 5, {"TopicNames": some, "TimeoutMs": 30000})
            assert not [t for t in answer["Responses"] if t["ErrorCode"]], answer
        self.own.close()

    def has(self, topics):
        partitions = ([{"PartitionIndex": p, "Timestamp": -1} for p in range(t["NumPartitions"])] for t in topics)
        asked = [{"Name": t["Name"], "Partitions": of_topic} for t, of_topic in zip(topics, partitions)]
        answer = self.own.ask("ListOffsets", 7, {"ReplicaId": -1, "Topics": asked})
        return not any(p["ErrorCode"] for t in answer["Topics"] for p in t["Partitions"])

    def run(self, script):
        session = Session(script, self.port)
        try:
            script.run(session)
        finally:
            session.close()
        return self.symbols(session)

    def symbols(self, session):
        """The session's steps, with symbols for what must differ."""
        symbols = Symbols(self.port, self.cluster_id, session.script.topic(""), session.topic_ids)
        return [Step(s.label, s.api, s.outcome, symbols.value("", s.body)) for s in session.steps]
